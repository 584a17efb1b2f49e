"""The profile as one self-contained HTML page: counts, then charts drawn as SVG; nothing is loaded from anywhere."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vsearch_lib.figures import Figure
from vsearch_lib.measure.profile.figures import BLURRED_BELOW, DARK_BELOW, MAX_DAYS, MAX_TAGS
from vsearch_lib.report.environment import page_environment

_SHARES = {
    "never_shown_share": "never shown to anybody",
    "untagged_share": "without a tag",
    "near_duplicate_share": "looks like another one",
    "same_bytes_share": "the same bytes as another one",
    "blurred_share": f"blurred (sharpness below {BLURRED_BELOW:g})",
    "dark_share": f"dark (brightness below {DARK_BELOW:g} of 255)",
    "unknown_image_share": "events with an unknown image",
}
_COUNTS = {
    "images_living": "images",
    "users_stored": "users",
    "queries": "queries",
    "interactions_stored": "impressions and clicks",
    "clicks_per_query": "clicks a query, mean",
    "judgements_stored": "judgements",
}


@dataclass(frozen=True)
class Bar:
    """One bar: its label, its length, and its figure as text."""

    label: str
    value: float
    text: str


@dataclass(frozen=True)
class Chart:
    """Bars of one unit: upright if they have an order, such as days; lying if they are names."""

    title: str
    unit: str
    bars: Sequence[Bar]
    upright: bool = False
    top: float = 0.0  # the value of a full bar; 0: that of the longest bar


def render(run: str, figures: Sequence[Figure]) -> str:
    """Return the page as HTML."""
    value = {figure.metric: figure.value for figure in figures if figure.slice == "all"}
    refused = sum(figure.value for figure in figures if figure.metric == "refused")
    counts = [(_number(value[metric]), label) for metric, label in _COUNTS.items() if metric in value]
    return (
        page_environment("vsearch_lib.measure.profile")
        .get_template("profile.html.j2")
        .render(
            title="What the lake holds",
            facts=[f"after the ingest of run {run}"],
            counts=[*counts, (_number(refused), "refused")],
            charts=_charts(figures),
        )
    )


def _charts(figures: Sequence[Figure]) -> list[Chart]:
    def bars(metric: str, text: Callable[[float], str] = _number) -> list[Bar]:
        return [Bar(f.slice, f.value, text(f.value)) for f in figures if f.metric == metric]

    value = {figure.metric: figure.value for figure in figures if figure.slice == "all"}
    wrong = [Bar(label, value[name], _share(value[name])) for name, label in _SHARES.items() if name in value]
    return [
        Chart("What is odd", "share of the images; of events, share of impressions and clicks", wrong, top=1),
        Chart(f"Uploads, the newest {MAX_DAYS} days that have any", "images a day", bars("images_uploaded"), True),
        Chart("Shorter side, upright, as landed", "images", bars("image_sides")),
        Chart("Colour mode of the landed file", "images", bars("image_mode")),
        Chart("Clicks of a query", "queries", bars("queries_by_clicks"), True),
        Chart("Refused, by reason", "rows and files in quarantine", bars("refused")),
        Chart(f"Tags, the {MAX_TAGS} most frequent", "share of the images that carry it", bars("tag_share", _share)),
    ]


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"


def _share(value: float) -> str:
    return f"{value:.1%}"
