"""What the report shows, in which order: a new metric needs a name in a topic, or it is shown under Everything else."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from vsearch_lib.figures import ALL
from vsearch_lib.lake.metrics import Recorded
from vsearch_lib.measure.profile.page import PROFILE_FIGURES


@dataclass(frozen=True)
class Topic:
    """Figures that are shown together.

    Attributes:
        metrics: patterns of their names, as of file names; they are columns in this order.
        kinds: patterns of their subjects without versions.
        better: which values are better; then slices are listed worst first.
    """

    title: str
    note: str
    metrics: tuple[str, ...]
    kinds: tuple[str, ...] = ("*",)
    better: Literal["higher", "lower"] | None = None

    def place(self, recorded: Recorded) -> int | None:
        """Return the number of the pattern that the figure's metric matches, None if the topic does not have it."""
        if not any(fnmatchcase(recorded.kind, kind) for kind in self.kinds):
            return None
        metric = recorded.figure.metric
        return next((n for n, pattern in enumerate(self.metrics) if fnmatchcase(metric, pattern)), None)


@dataclass(frozen=True)
class Line:
    """A figure whose history is drawn: its metric, its kind of subject as a pattern, and a title."""

    metric: str
    kind: str
    title: str


# A figure belongs to the first topic that has it.
TOPICS = (
    Topic(
        "Models side by side",
        "The newest comparison of two models on the same queries. A gain is the difference, query by query, with its "
        "95 % interval: if the interval holds 0, no difference can be told.",
        ("*_gain", "*gain*", "*"),
        ("model * over *", "model over model", "* over *"),
    ),
    Topic(
        "Ranking of judged queries",
        "How well each system ranks, measured on queries of the test split that people judged; none of them was seen "
        "in training. The published index is what users get; the others show what it is worth.",
        (
            "ndcg*",
            "mrr*",
            "map*",
            "precision_at_*",
            "recall_at_*",
            "hit_rate*",
            "top_*",
            "*accuracy*",
            "*f1*",
            "*_gap*",
            "judged_queries",
        ),
        ("published index", "model, exact search", "raw pixels*", "frozen backbone", "untrained network", ALL),
        better="higher",
    ),
    Topic(
        "The published index",
        "Recall is measured against exact search, through the same files that readers open.",
        ("recall_at_*", "*recall*"),
        ("index",),
        better="higher",
    ),
    Topic(
        "Size and shape of the index",
        "If the cosines of nearest neighbours and of strangers were alike, a score would say nothing.",
        ("index_*", "cosine_*", "*quantization*", "*imbalance*", "*_lists*"),
        ("index", ALL),
    ),
    Topic(
        "Drift and alerts",
        "How far the newest pictures and queries are from those before. By chance is what two halves of one "
        "sample give.",
        ("energy_distance", "*drift*", "*alert*", "*p_value*", "*alarm*", "reconcil*", "*_missing*", "*_mismatch*"),
        better="lower",
    ),
    Topic(
        "What people did",
        "Clicks on suggested images, by day, arm of an experiment and version of the index.",
        (
            "click_through_rate*",
            "clicked_request_share*",
            "click_mrr",
            "clicks_over_expected",
            "*click*",
            "dwell_*",
            "*dwell*",
            "*impression*",
            "requests",
            "session*",
            "*coverage*",
            "*gini*",
            "*concentration*",
            "*freshness*",
            "examination",
            "accident_rate",
            "robots",
            "*sample_ratio*",
        ),
        (ALL, "variant *", "index", "index *", "arm *", "method *", "position *", "experiment *", "* over *"),
    ),
    Topic(
        "Models and their training",
        "",
        ("validation_recall", "training_*", "projection_*", "ndcg*", "mrr*", "map*", "*"),
        ("model", "snapshot*"),
    ),
    Topic(
        "What landed",
        "Rows and files, as the newest ingest counted them.",
        tuple(
            f"*_{what}"
            for what in (
                "landed",
                "accepted",
                "unchanged",
                "duplicate",
                "refused",
                "passed_over",
                "read",
                "known",
                "awaited",
                "stored",
            )
        ),
        (ALL,),
    ),
    Topic("The work of the steps", "How long each step of its newest run took.", ("step_seconds",)),
)
HISTORY = (
    Line("ndcg_at_10", "published index", "nDCG@10"),
    Line("mrr", "published index", "MRR"),
    Line("map", "published index", "mAP"),
    Line("recall_at_10", "index", "Recall@10 against exact search"),
    Line("click_through_rate", ALL, "Click-through rate"),
    Line("clicked_request_share", ALL, "Requests with a click"),
    Line("energy_distance", "*", "Energy distance from the weeks before"),
    Line("images_living", ALL, "Living images"),
    Line("index_rows", "index", "Rows of the index"),
)
# Large at the top: metric, kind, slice, words.
HEADLINES = (
    ("ndcg_at_10", "published index", ALL, "nDCG@10 of the published index"),
    ("map", "published index", ALL, "mAP"),
    ("recall_at_10", "index", "whole", "recall@10 against exact search"),
    ("click_through_rate", ALL, ALL, "of the shown images are clicked"),
    ("images_living", ALL, ALL, "images"),
    ("index_rows", "index", ALL, "rows of the index"),
    ("judgements_stored", ALL, ALL, "judgements"),
)
PROFILE_KINDS = (ALL,)


def is_profile(recorded: Recorded) -> bool:
    """Return whether the figure is one of the profile of the data."""
    return recorded.figure.metric in PROFILE_FIGURES and recorded.kind in PROFILE_KINDS


def topic_of(recorded: Recorded) -> Topic | None:
    """Return the topic that shows a figure, None if it is one of the profile or of everything else."""
    if is_profile(recorded):
        return None
    return next((topic for topic in TOPICS if topic.place(recorded) is not None), None)
