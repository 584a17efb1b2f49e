"""The measurements as tables: the published version's operating points, and the families side by side."""

from collections.abc import Sequence

from vsearch_lib.artefact.manifest import OperatingPoint
from vsearch_lib.report.page import Table
from vsearch_lib.tuning.frontier import cheapest, most_exact, unbeaten
from vsearch_lib.tuning.measurement import Measured
from vsearch_lib.tuning.methods import SHORTLIST, Method, Trial
from vsearch_lib.tuning.sweep import Point

_MEASURED = ("recall@10", "median ms", "p95 ms")


def sweep_table(
    points: Sequence[Point], *, served: OperatingPoint, chosen: OperatingPoint | None, whole: bool
) -> Table:
    """Return the operating points: all of them, or only the unbeaten, the served and the chosen one."""
    best = unbeaten([(-point.measured.recall_at_10.mean, point.measured.median_ms) for point in points])
    rows = []
    for point, is_best in zip(points, best, strict=True):
        setting = point.setting
        marks = {"*": is_best, "served": setting == served, "chosen": setting == chosen}
        mark = " ".join(mark for mark, holds in marks.items() if holds)
        if whole or mark:
            rows.append([mark, str(setting.nprobe), str(setting.shortlist), *_cells(point.measured)])
    note = "* no other recalls as much in as little time; nprobe: lists visited; shortlist: rows re-scored exactly"
    return Table(["", "nprobe", "shortlist", *_MEASURED], rows, title="The published version", note=note)


def family_table(trials: Sequence[Trial], methods: Sequence[Method], *, min_recall: float, whole: bool) -> Table:
    """Return the families side by side: all settings, or for each method the cheapest that recalls `min_recall`.

    A method that does not recall so much is shown at its most exact setting.
    """
    costs = [(-t.measured.recall_at_10.mean, t.measured.median_ms, t.index_bytes + t.stored_bytes) for t in trials]
    best = [trial for trial, is_best in zip(trials, unbeaten(costs), strict=True) if is_best]
    rows = []
    for method in methods:
        if not method.installed:
            rows.append(["", method.family, method.name, "not installed", *[""] * 5])
        for rescored in (False, True):
            alike = [trial for trial in trials if trial.method == method and trial.rescored is rescored]
            if alike and not whole:
                alike = [cheapest(alike, min_recall=min_recall) or most_exact(alike)]
            rows += [_family_row(trial, "*" if trial in best else "") for trial in alike]
    missing = "" if all(method.installed for method in methods) else "; not installed: make tuning-libraries"
    scored = f"re-scored: the best {SHORTLIST} by their vectors, whose bytes are added"
    note = f"* no other recalls as much in as little time and space; {scored}{missing}"
    headings = ["", "family", "index", "setting", *_MEASURED, "bytes a vector", "build s"]
    return Table(headings, rows, words=4, title="Families of indexes side by side", note=note)


def _family_row(trial: Trial, mark: str) -> list[str]:
    method = trial.method
    size = f"{trial.index_bytes:,.0f}" + (f" + {trial.stored_bytes:,}" if trial.stored_bytes else "")
    return [mark, method.family, method.name, trial.label, *_cells(trial.measured), size, f"{trial.build_seconds:.1f}"]


def _cells(measured: Measured) -> list[str]:
    recall = measured.recall_at_10
    return [f"{recall.mean:.3f} ± {recall.half_width_95:.3f}", f"{measured.median_ms:.3f}", f"{measured.p95_ms:.3f}"]
