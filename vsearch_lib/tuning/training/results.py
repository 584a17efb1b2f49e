"""What a search found: a table, best first, and whether its best settings surely beat the configured ones."""

from dataclasses import dataclass

from vsearch_lib.config import Settings
from vsearch_lib.paired import Difference, paired_difference
from vsearch_lib.report.page import Table
from vsearch_lib.report.text import as_text
from vsearch_lib.training.depth import Depth
from vsearch_lib.tuning.training.space import Point, overrides_of, setting, text_of
from vsearch_lib.tuning.training.study import Outcome

_MEASURED = ("recall at start", "best recall", "best epoch", "epochs", "seconds")


@dataclass(frozen=True)
class Trial:
    """Settings that were tried, none for the configured ones, and how it went."""

    point: Point
    outcome: Outcome


@dataclass(frozen=True)
class Results:
    """The trials of a search over the settings `names`; the first trial has the configured ones."""

    snapshot: str
    depth: Depth
    names: tuple[str, ...]
    configured: Settings
    trials: tuple[Trial, ...]

    @property
    def best(self) -> Trial:
        """The trial with the highest recall: the configured settings, if no other has a higher one."""
        return self._ordered[0]

    @property
    def gain(self) -> Difference | None:
        """How much higher the best recalls are than those of the configured settings, query by query."""
        best, configured = self.best.outcome, self.trials[0].outcome
        if not self.best.point:
            return None
        return paired_difference(best.recalls, configured.recalls, seed=self.configured.training.seed)

    @property
    def text(self) -> str:
        """The table, and what it says."""
        queries = len(self.trials[0].outcome.recalls)
        table = Table(
            ["", *self.names, *_MEASURED],
            [self._row(trial) for trial in self._ordered],
            title=f"Snapshot {self.snapshot}, depth {self.depth}, recall of {queries} validation queries",
            note=self._verdict(),
        )
        return as_text(table)

    @property
    def _ordered(self) -> list[Trial]:
        # The sort is stable: of equal recalls the one that was tried first comes first.
        return sorted(self.trials, key=lambda trial: (not trial.outcome.recalls, -(trial.outcome.best_recall or 0)))

    def _row(self, trial: Trial) -> list[str]:
        point, outcome = dict(trial.point), trial.outcome
        values = [text_of(point.get(name, setting(self.configured, name))) for name in self.names]
        if outcome.failure:
            measured = ["", "failed", "", ""]
        else:
            measured = [_decimal(outcome.recall_at_start), _decimal(outcome.best_recall)]
            measured += [str(outcome.best_epoch), str(outcome.epochs)]
        return ["" if trial.point else "configured", *values, *measured, f"{outcome.seconds:.1f}"]

    def _verdict(self) -> str:
        failures = [
            f"{' '.join(overrides_of(trial.point))}: {trial.outcome.failure}"
            for trial in self.trials
            if trial.outcome.failure
        ]
        gain = self.gain
        if gain is None:
            return "\n".join([*failures, "no other settings have a higher recall than the configured ones"])
        chance = "" if gain.low > 0 else "; that may be chance, because the interval contains 0"
        return "\n".join(
            [
                *failures,
                f"{' '.join(overrides_of(self.best.point))}: {gain.mean:+.3f} over the configured settings "
                f"({gain.low:+.3f} to {gain.high:+.3f}, query by query){chance}",
                f"the best of {len(self.trials)} on one validation set looks better than it is: compare_models decides "
                "on the test split",
            ]
        )


def _decimal(recall: float | None) -> str:
    return "" if recall is None else f"{recall:.3f}"
