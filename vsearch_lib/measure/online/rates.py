"""Figures of counts: every rate is a quotient of two sums, so that those of a week are made like those of a day."""

from collections import Counter
from collections.abc import Mapping

import numpy as np

from vsearch_lib.examples.propensity import Examination, mean_relevance
from vsearch_lib.figures import ALL, Figure
from vsearch_lib.measure.online.clicks import Counts

# figure → what it divides by what
_RATES = {
    "click_through_rate": ("clicks", "impressions"),
    "clicked_request_share": ("clicked_requests", "requests"),
    "clicked_session_share": ("clicked_sessions", "sessions"),
    "dwell_ms_mean": ("dwell_ms", "timed_clicks"),
    "click_age_days_mean": ("click_age_days", "dated_clicks"),
    "new_click_share": ("new_clicks", "dated_clicks"),
}
# figure → the sum that it is
_SUMS = {
    "requests": "requests",
    "sessions": "sessions",
    "impressions": "impressions",
    "clicked_impressions": "clicks",
    "dwell_ms_total": "dwell_ms",
}
#: The figures of a period, in the order of the page.
RATES = (*_SUMS, *_RATES, "click_mrr", "clicks_over_expected", "debiased_click_through_rate")

Rates = Mapping[int, float]  # position → click-through rate


def rates_by_position(counts: Counts, subject: str = ALL) -> dict[int, float]:
    """Return the click-through rate of each position at which something was shown."""
    shown = _at_positions(counts, subject, "impressions")
    clicked = _at_positions(counts, subject, "clicks")
    return {position: clicked[position] / shown[position] for position in sorted(shown)}


def rate_figures(counts: Counts, period: str, usual: Rates, examination: Examination | None) -> list[Figure]:
    """Return the figures of each subject of the summed `counts` of a period.

    `click_mrr` is the mean over requests of 1 / position of the first click, 0 without a click. `clicks_over_expected`
    divides the clicks by those that the same positions usually get, so that a variant with longer pages does not look
    worse (COEC: Zhang and Jones, "Comparing click logs for editorial training", 2007). `debiased_click_through_rate` is
    how probably a shown image attracts a user who looks at it: the mean over impressions of the relevance of their
    positions, as `propensity.mean_relevance` defines it.

    Args:
        usual: the rates that `clicks_over_expected` compares with.
        examination: how far users look; None if it is not known.
    """
    subjects = sorted({subject for subject, _, name in counts if name == "impressions"})
    figures: list[Figure] = []
    for subject in subjects:
        shown, clicked = (_at_positions(counts, subject, name) for name in ("impressions", "clicks"))
        sums = _over_positions(counts, subject)
        figures += [Figure(name, sums[of], subject=subject, slice=period) for name, of in _SUMS.items()]
        figures += [
            Figure(name, sums[over] / sums[under], subject=subject, slice=period, n=sums[under])
            for name, (over, under) in _RATES.items()
            if sums[under]
        ]
        firsts = _at_positions(counts, subject, "first_clicks")
        mrr = sum(number / position for position, number in firsts.items()) / sums["requests"]
        figures.append(Figure("click_mrr", mrr, subject=subject, slice=period, n=sums["requests"]))
        n = sums["impressions"]
        if expected := sum(number * usual.get(position, 0.0) for position, number in shown.items()):
            value = sums["clicks"] / expected
            figures.append(Figure("clicks_over_expected", value, subject=subject, slice=period, n=n))
        if examination is not None:
            value = _debiased(shown, clicked, examination)
            figures.append(Figure("debiased_click_through_rate", value, subject=subject, slice=period, n=n))
    return figures


def position_figures(counts: Counts, period: str, *, subject: str = ALL) -> list[Figure]:
    """Return the click-through rate of each position in a period."""
    shown = _at_positions(counts, subject, "impressions")
    return [
        Figure(
            "click_through_rate",
            rate,
            subject=subject,
            slice=f"position {position}" if period == ALL else f"{period}, position {position}",
            n=shown[position],
        )
        for position, rate in rates_by_position(counts, subject).items()
    ]


def _at_positions(counts: Counts, subject: str, name: str) -> Counter[int]:
    return Counter({position: count for (of, position, what), count in counts.items() if (of, what) == (subject, name)})


def _over_positions(counts: Counts, subject: str) -> Counter[str]:
    sums: Counter[str] = Counter()
    for (of, _, name), count in counts.items():
        if of == subject:
            sums[name] += count
    return sums


def _debiased(shown: Counter[int], clicked: Counter[int], examination: Examination) -> float:
    positions = np.array(sorted(shown), dtype=np.int64)
    impressions, clicks = (
        np.array([counted[int(position)] for position in positions], dtype=np.float64) for counted in (shown, clicked)
    )
    relevance = mean_relevance(examination, positions, impressions, clicks)
    return float((impressions * relevance).sum() / impressions.sum())
