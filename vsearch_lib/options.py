"""What may be asked of a step beside its settings: the options of its command line, typed.

Plain data without imports of weight: the step graph names them, and Airflow parses it every few seconds.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Options:
    """Of a step that has none; the root of the others. Every field is a switch, off by default."""

    def words(self) -> tuple[str, ...]:
        """Return the switches that are on, as a command line has them."""
        return tuple(f"--{name}" for name, on in vars(self).items() if on)


@dataclass(frozen=True)
class Intake(Options):
    """Of steps that may refuse what they are given."""

    retry: bool = field(default=False, metadata={"help": "take in again what was refused, and nothing else"})


@dataclass(frozen=True)
class Training(Options):
    """Of the steps that make a model."""

    retrain: bool = field(default=False, metadata={"help": "make a new model, though there is one"})


@dataclass(frozen=True)
class Comparison(Options):
    """Of comparing a new model with the one in use."""

    strict: bool = field(default=False, metadata={"help": "end with exit code 3 unless the new model is promoted"})


@dataclass(frozen=True)
class Build(Options):
    """Of building the index."""

    compact: bool = field(default=False, metadata={"help": "fold the deltas in, however few"})
