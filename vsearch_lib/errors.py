"""The errors of the project, and their exit codes.

Exit codes of every command and job: 0 done, 1 failed, 2 bad usage or configuration, 3 refused by a gate.
A message is one line: what is wrong, where, and what to do next.
"""


class VsearchError(Exception):
    """Raised when a run cannot go on; the base class of all errors that are written for users."""

    exit_code = 1


class UsageError(VsearchError):
    """Raised when a command does not accept an argument, a configuration value or the layout of its input."""

    exit_code = 2


class InvalidArgument(UsageError):
    """Raised when an argument of a call is not accepted: `problem` says what is wrong with `argument` and what to do.

    The library uses the argument's own name; a command line replaces it by the option that the user typed.
    """

    def __init__(self, argument: str, problem: str) -> None:
        super().__init__(f"{argument} {problem}")
        self.argument, self.problem = argument, problem


class UnknownImage(InvalidArgument):
    """Raised when there is no image of that id, or none that the asker may see: the message is the same for both."""

    def __init__(self, argument: str, image_id: str) -> None:
        super().__init__(argument, f"{image_id}: there is no such image; give the id of an answer")


class GateRefused(VsearchError):
    """Raised when a data-quality or recall gate refuses; nothing was committed or published."""

    exit_code = 3


class ArtefactError(VsearchError):
    """Raised when a stored file (model, index, manifest, pointer) is missing or does not match its record."""


class PublishConflict(VsearchError):
    """Raised when another publisher moved the pointer first."""


class WriteConflict(VsearchError):
    """Raised when other runs kept changing the rows that this one writes; this write was not committed."""


class SchemaMismatch(VsearchError):
    """Raised when a stored table does not match its file in `schemas/`."""
