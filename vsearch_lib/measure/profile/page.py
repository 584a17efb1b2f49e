"""The profile as parts of a page: counts and charts of its figures."""

from collections.abc import Callable, Sequence
from typing import Any

from vsearch_lib.figures import Figure
from vsearch_lib.measure.profile.figures import (
    BLURRED_BELOW,
    CLICK_SLICES,
    DARK_BELOW,
    MAX_DAYS,
    MAX_TAGS,
    SIDE_SLICES,
)
from vsearch_lib.report.bars import Bar, Bars, Counts
from vsearch_lib.report.page import Block

_SHARES = {
    "never_shown_share": "never shown to anybody",
    "untagged_share": "without a tag",
    "near_duplicate_share": "looks like another one",
    "same_bytes_share": "same bytes as another one",
    "blurred_share": f"blurred (sharpness < {BLURRED_BELOW:g})",
    "dark_share": f"dark (brightness < {DARK_BELOW:g})",
    "unknown_image_share": "events with an unknown image",
}
_COUNTS = {
    "images_living": "images",
    "users_stored": "users",
    "queries": "queries",
    "interactions_stored": "impressions and clicks",
    "clicks_per_query": "clicks a query, mean",
    "judgements_stored": "judgements",
    "unique_share": "different pictures, as a share",
    "tags_used": "tags",
    "effective_tags": "tags, as many as if all were equally frequent",
    "tag_gini": "Gini of the tags; 0 is even",
    "redundant_tag_pairs": "redundant pairs of tags",
}
_SLICED = (
    "doubtful_tag_share",
    "images_uploaded",
    "image_sides",
    "image_mode",
    "queries_by_clicks",
    "refused",
    "tag_share",
)
PROFILE_FIGURES = (*_COUNTS, *_SHARES, *_SLICED)


def profile_blocks(figures: Sequence[Figure]) -> list[Block]:
    """Return the counts and the charts of a profile's figures, in any order; a chart without figures says so."""
    value = {figure.metric: figure.value for figure in figures if figure.slice == "all"}
    refused = sum(figure.value for figure in figures if figure.metric == "refused")
    counts = [(_number(value[metric]), label) for metric, label in _COUNTS.items() if metric in value]

    def bars(metric: str, order: Callable[[Bar], Any] = _longest, text: Callable[[float], str] = _number) -> list[Bar]:
        found = [Bar(f.slice, f.value, text(f.value)) for f in figures if f.metric == metric]
        return sorted(found, key=order)

    doubts = [
        Bar(f"{f.slice} (by neighbours)", f.value, _share(f.value)) for f in figures if f.metric == "doubtful_tag_share"
    ]
    wrong = [Bar(label, value[name], _share(value[name])) for name, label in _SHARES.items() if name in value]
    return [
        Counts([*counts, (_number(refused), "refused")]),
        Bars(
            "What is odd", "share of the images; of events, share of impressions and clicks", [*wrong, *doubts], top=1
        ),
        Bars(
            f"Uploads, the newest {MAX_DAYS} days that have any",
            "images a day",
            bars("images_uploaded", lambda bar: bar.label),
            True,
        ),
        Bars("Shorter side, upright, as landed", "images", bars("image_sides", _in(SIDE_SLICES))),
        Bars("Colour mode of the landed file", "images", bars("image_mode")),
        Bars("Clicks of a query", "queries", bars("queries_by_clicks", _in(CLICK_SLICES)), True),
        Bars("Refused, by reason", "rows and files in quarantine", bars("refused")),
        Bars(
            f"Tags, the {MAX_TAGS} most frequent", "share of the images that carry it", bars("tag_share", text=_share)
        ),
    ]


def _longest(bar: Bar) -> tuple[float, str]:
    return -bar.value, bar.label


def _in(slices: Sequence[str]) -> Callable[[Bar], int]:
    return lambda bar: slices.index(bar.label) if bar.label in slices else len(slices)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"


def _share(value: float) -> str:
    return f"{value:.1%}"
