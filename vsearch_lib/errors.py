"""What can go wrong, and the exit code that says so.

Exit codes of every command and job: 0 done, 1 failed, 2 bad usage or configuration, 3 refused by a gate.
A message is one line: what is wrong, where, and what to do next.
"""


class VsearchError(Exception):
    """Raised when a run cannot go on; the root of every error a person is meant to read."""

    exit_code = 1


class UsageError(VsearchError):
    """Raised when an argument, a configuration value or an input's layout is not what the command takes."""

    exit_code = 2


class InvalidArgument(UsageError):
    """Raised when an argument of a call is not accepted: `problem` says of `argument` what is wrong and what to do.

    The library names its own arguments; a command line puts the option that a person typed in place of the name.
    """

    def __init__(self, argument: str, problem: str) -> None:
        super().__init__(f"{argument} {problem}")
        self.argument, self.problem = argument, problem


class GateRefused(VsearchError):
    """Raised when a data-quality or recall gate says no; nothing was committed or published."""

    exit_code = 3


class ArtefactError(VsearchError):
    """Raised when a stored file (model, index, manifest, pointer) is missing or is not what its record says."""


class PublishConflict(VsearchError):
    """Raised when another publisher moved the pointer first."""


class WriteConflict(VsearchError):
    """Raised when other runs kept changing the rows that this one writes; nothing of it was committed."""


class SchemaMismatch(VsearchError):
    """Raised when a stored table is not what its file in `schemas/` says."""
