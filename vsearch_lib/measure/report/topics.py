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
        "Experiments",
        "Variants of the ranking on the same days. A gain is the difference with its 95 % interval. If the p-value of "
        "the sample ratio is small, the users were not split as planned, and nothing can be said.",
        ("experiment_verdict", "*_gain", "*"),
        ("variant * over *",),
    ),
    Topic(
        "Models and indexes side by side",
        "The newest comparison on the same queries. A gain is the difference, query by query, with its 95 % interval: "
        "if it holds 0, no difference can be told.",
        ("*_gain", "*"),
        ("* over *",),
    ),
    Topic(
        "Drift and alerts",
        "What has changed. A distance is between the newest pictures or queries and those before; by chance is what "
        "two halves of one sample give. A verdict is 0 if all is well, 1 for an alert, 2 if there is no data, 3 if "
        "data is missing that was there before.",
        (
            "verdict",
            "drift_*",
            "energy_distance",
            "*drift*",
            "reconciliation_*",
            "vectors_differ_*",
            "index_changes_waiting",
            "index_lag_*",
            "days_since_*",
            "live_recall*",
            "*alert*",
        ),
        better="lower",
    ),
    Topic(
        "Ranking of judged queries",
        "How well each system ranks, measured on queries of the test split that people judged; none of them was seen "
        "in training. The published index is what users get; the others show what it is worth. A gap is how far a "
        "group of queries is from all others.",
        (
            "ndcg_at_10",
            "ndcg*",
            "mrr*",
            "map*",
            "precision_at_*",
            "judged_recall_at_*",
            "hit_rate_at_*",
            "*accuracy*",
            "*f1*",
            "judged_queries",
            "too_few_queries",
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
        "What people did",
        "Clicks on suggested images, by day, week and month, by variant of an experiment and by version of the index.",
        (
            "click_through_rate",
            "debiased_click_through_rate",
            "clicked_request_share",
            "clicked_session_share",
            "click_mrr",
            "clicks_over_expected",
            "*click*",
            "*dwell*",
            "*impression*",
            "requests",
            "sessions",
            "catalogue_coverage",
            "examination",
            "accident_rate",
            "robots",
        ),
        (ALL, "variant *", "index", "index *", "method *"),
    ),
    Topic(
        "Models and their training",
        "",
        ("validation_recall", "training_*", "projection_*", "*"),
        ("model", "model *", "snapshot", "snapshot *"),
    ),
    Topic(
        "What landed",
        "Rows and files, as the newest ingest counted them.",
        (
            "*_landed",
            "*_accepted",
            "*_unchanged",
            "*_duplicate",
            "*_refused",
            "*_passed_over",
            "*_read",
            "*_known",
            "*_awaited",
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
