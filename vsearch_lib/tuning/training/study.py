"""Trials: Optuna draws their settings and stores how they went. Only this module knows Optuna."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, GridSampler, RandomSampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState, create_trial

from vsearch_lib.errors import InvalidArgument
from vsearch_lib.tuning.training.space import Between, Listed, Point, Space, Value

_SEEDS = 2**32  # numpy takes seeds of 32 bits
_DIGITS = 3  # of a drawn number, so that it can be read and typed

optuna.logging.set_verbosity(optuna.logging.ERROR)


@dataclass(frozen=True)
class Outcome:
    """How a trial went.

    Attributes:
        recall_at_start: before the training, None if the network was of no use then.
        recalls: of each validation query with the best weights; none if the trial failed.
        best_epoch: 0 is the start.
        epochs: that were trained.
        seconds: that it took, since it was last resumed.
        failure: why there is no recall, None if there is one.
    """

    recall_at_start: float | None
    recalls: tuple[float, ...]
    best_epoch: int
    epochs: int
    seconds: float
    failure: str | None = None

    @property
    def best_recall(self) -> float | None:
        """The mean recall with the best weights, None if the trial failed."""
        return sum(self.recalls) / len(self.recalls) if self.recalls else None


def draw(space: Space, trials: int | None, *, seed: int) -> list[Point]:
    """Return the points of a search: a grid in random order if all settings are lists, otherwise random ones.

    The same seed draws the same points, and more of them begin with the same. None is drawn twice.

    Args:
        space: what to try.
        trials: how many to draw at most; None for a whole grid.
        seed: of the order, and of random values.

    Raises:
        UsageError: the space has a range, and `trials` is None.
    """
    grid = {name: list(tried.values) for name, tried in space.items() if isinstance(tried, Listed)}
    sampler: BaseSampler
    if len(grid) == len(space):
        points = 1
        for values in grid.values():
            points *= len(values)
        trials = min(trials or points, points)
        sampler = GridSampler(grid, seed=seed % _SEEDS)
    elif trials is None:
        raise InvalidArgument("trials", "is needed: all numbers of a range cannot be tried")
    else:
        sampler = RandomSampler(seed=seed % _SEEDS)
    study, distributions = optuna.create_study(sampler=sampler), _distributions(space)
    drawn = [study.ask(distributions).params for _ in range(trials)]
    return list(dict.fromkeys(_point(space, params) for params in drawn))


class Study:
    """The outcomes of a search in a file, JSON lines: a search that was interrupted goes on from there.

    Optuna pickles only snapshots of other kinds of storage.

    Args:
        file: its name follows from all that the outcomes depend on, so that another search has another file.
        space: what is tried.
        say: called with a line if the file cannot be read, so that the search begins again.
    """

    def __init__(self, file: Path, space: Space, say: Callable[[str], None]) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._distributions = _distributions(space)
        try:
            self._open(file)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            line = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
            say(f"{file} cannot be read ({line}); the search begins again")
            file.unlink()
            self._open(file)

    def _open(self, file: Path) -> None:
        storage = JournalStorage(JournalFileBackend(str(file)))
        self._study = optuna.create_study(
            storage=storage, study_name="training", direction="maximize", load_if_exists=True
        )
        self.outcomes: dict[Point, Outcome] = {
            _sorted(trial.params): _outcome(trial.user_attrs) for trial in self._study.get_trials(deepcopy=False)
        }

    def add(self, point: Point, outcome: Outcome) -> None:
        """Store how a trial went."""
        params = dict(point)
        self._study.add_trial(
            create_trial(
                state=TrialState.FAIL if outcome.failure else TrialState.COMPLETE,
                value=outcome.best_recall,
                params=params,
                distributions={name: self._distributions[name] for name in params},
                user_attrs=json.loads(json.dumps(asdict(outcome))),
            )
        )
        self.outcomes[point] = outcome


def _distributions(space: Space) -> dict[str, BaseDistribution]:
    return {name: _distribution(tried) for name, tried in space.items()}


def _distribution(tried: Listed | Between) -> BaseDistribution:
    if isinstance(tried, Listed):
        return CategoricalDistribution(tried.values)
    if isinstance(tried.low, int) and isinstance(tried.high, int):
        return IntDistribution(tried.low, tried.high, log=tried.logarithmic)
    return FloatDistribution(tried.low, tried.high, log=tried.logarithmic)


def _point(space: Space, params: Mapping[str, Any]) -> Point:
    return tuple((name, _readable(tried, params[name])) for name, tried in space.items())


def _readable(tried: Listed | Between, value: Value) -> Value:
    """Return a drawn number with few digits, in its range."""
    if isinstance(tried, Listed) or not isinstance(value, float):
        return value
    return min(max(float(f"{value:.{_DIGITS}g}"), tried.low), tried.high)


def _sorted(params: Mapping[str, Any]) -> Point:
    return tuple(sorted(params.items()))


def _outcome(fields: Mapping[str, Any]) -> Outcome:
    recalls: Sequence[float] = fields["recalls"]
    return Outcome(**{**fields, "recalls": tuple(recalls)})
