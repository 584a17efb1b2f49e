"""The options of each step's command line besides the settings, typed.

Only data, without heavy imports: the step graph names these options, and Airflow parses it every few seconds.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Options:
    """The options of a step that has none; the base class of the others. Every field is a switch, off by default."""

    def words(self) -> tuple[str, ...]:
        """Return the switches that are on, as words of a command line."""
        return tuple(f"--{name}" for name, on in vars(self).items() if on)


@dataclass(frozen=True)
class Ingestion(Options):
    """The options of steps that may refuse items."""

    retry: bool = field(default=False, metadata={"help": "ingest again what was refused, and nothing else"})


@dataclass(frozen=True)
class Training(Options):
    """The options of the steps that make a model."""

    retrain: bool = field(default=False, metadata={"help": "make a new model even if there is one"})


@dataclass(frozen=True)
class Comparison(Options):
    """The options of the step that compares a new model with the one in use."""

    strict: bool = field(default=False, metadata={"help": "end with exit code 3 if this run's model is refused"})


@dataclass(frozen=True)
class Build(Options):
    """The options of the step that builds the index."""

    compact: bool = field(default=False, metadata={"help": "fold the deltas in, even if they are few"})
