"""Without judgements models are compared on clicks, else on parts of pictures with the frozen neighbours as a guard."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import scipy.linalg
import simplejpeg
from pyspark.sql import SparkSession
from safetensors.torch import save_file

from tests.support.photo_catalogue import DAY, Catalogue, sha256
from tests.support.small_model import SMALL
from vsearch_lib.config import Settings, load_settings
from vsearch_lib.context import StepContext
from vsearch_lib.embedding.features import features_model
from vsearch_lib.encoder.network import untrained
from vsearch_lib.encoder.projection import Projection
from vsearch_lib.errors import GateRefused
from vsearch_lib.images.decode import Limits
from vsearch_lib.measure.comparison.own_views import views_of
from vsearch_lib.models.load import load_model
from vsearch_lib.models.promotion import current_model, pin_current_model
from vsearch_lib.models.registration import register
from vsearch_lib.models.registry import Card, newest, recipe_of
from vsearch_lib.models.weights import initial_encoder
from vsearch_lib.run.bodies import body_of
from vsearch_lib.run_ids import version_of

SCENES, PICTURES = 10, 6
AT = datetime(2024, 5, 6, 12, tzinfo=UTC)
EVENT = (
    "event_id string, user_id string, query_image_id string, displayed_image_id string, position int, type string, "
    "dwell_ms bigint, latitude double, longitude double, occurred_at timestamp, event_date date, request_id string, "
    "index_version string, variant string"
)


def picture(scene: int, number: int) -> bytes:
    """One of several pictures of a scene: most of its blocks are the same."""
    rng = np.random.default_rng(1000 * scene + number)
    grain = np.random.default_rng(scene).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    changed = rng.random((5, 6)) < 0.3
    grain[changed] = rng.integers(0, 256, (changed.sum(), 3))
    pixels = np.ascontiguousarray(np.kron(grain, np.ones((8, 8, 1), dtype=np.uint8)))
    return bytes(simplejpeg.encode_jpeg(pixels, quality=95, colorspace="RGB"))


PICTURES_BY_ID = {f"image-{s}-{n}": picture(s, n) for s in range(SCENES) for n in range(PICTURES)}


@dataclass
class Weeks:
    """A catalogue that nobody judges, a pretrained backbone, and the steps of a retraining."""

    catalogue: Catalogue
    overrides: tuple[str, ...]
    lines: list[str] = field(default_factory=list)
    runs: int = 0

    @property
    def settings(self) -> Settings:
        return load_settings("demo", [f"var={self.catalogue.settings.var}", *self.overrides])

    @property
    def used(self) -> Card:
        return current_model(self.settings)

    @property
    def newest(self) -> Card:
        card = newest(self.settings.models.uri, recipe_of(self.settings))
        assert card
        return card

    def retrain(self, *steps: str) -> dict[tuple[str, str], float]:
        """Run steps of a retraining; return their figures by metric and slice, with the low end of each gain."""
        self.runs += 1
        figures = {}
        job = StepContext(self.settings, self.catalogue.lake, f"week-{self.runs}", say=self.lines.append)
        for step in steps:
            switches = {"strict": True} if step == "compare_models" else {"retrain": True}
            for figure in body_of(step)(job, **switches):
                figures[figure.metric, figure.slice] = figure.value if figure.low is None else figure.low
        return figures

    def put(self, axes: np.ndarray) -> str:
        """Register a model with these axes, as training registers a head; return its version."""
        self.runs += 1
        used = load_model(self.settings.models.uri, self.used.version)
        encoder = initial_encoder(used.card.recipe, self.settings.model.weights, seed=1)
        encoder.projection.set_to(Projection(used.projection.mean, axes.astype(np.float32)))
        uri, run = self.settings.models.uri, f"week-{self.runs + 1}"
        pin_current_model(self.settings, run_id=run, now=datetime.now(UTC))  # first, as training does
        version = version_of(run, after=self.newest.version)  # two models may be put within a second
        register(uri, encoder, version=version, recipe=used.card.recipe, run_id=run, graph=used.graph)
        return version

    def axes(self) -> np.ndarray:
        return load_model(self.settings.models.uri, self.used.version).projection.axes


def without_people(spark: SparkSession, folder: Path) -> Weeks:
    """A catalogue without a judgement and a click, and weights of a backbone."""
    file = folder / "small.safetensors"
    state = untrained("small", dimension=None, seed=5).backbone.state_dict()
    save_file({name: value.contiguous() for name, value in state.items()}, file)
    overrides = (
        "model.backbone=small",
        f"model.weights={file}",
        "model.dimension=16",
        "training.depth=none",
        "examples.test_share=0.7",
    )
    weeks = Weeks(Catalogue(spark, load_settings("demo", [f"var={folder}", *SMALL])), overrides)
    weeks.catalogue.land(PICTURES_BY_ID)
    return weeks


@pytest.fixture(scope="module")
def first_week(spark, tmp_path_factory) -> Weeks:
    """The first model is in use."""
    weeks = without_people(spark, tmp_path_factory.mktemp("weeks"))
    weeks.retrain("train_encoder", "compare_models")
    return weeks


@pytest.fixture
def weeks(first_week) -> Iterator[Weeks]:
    """The same, and again so after the test."""
    models, overrides = Path(first_week.settings.models.uri), first_week.overrides
    before = set(models.iterdir())
    yield first_week
    first_week.overrides = overrides
    for made in set(models.iterdir()) - before:
        shutil.rmtree(made) if made.is_dir() else made.unlink()


def rotated(axes: np.ndarray) -> np.ndarray:
    """Other axes of the same space: all cosines stay as they are."""
    return np.linalg.qr(np.random.default_rng(1).normal(size=(len(axes), len(axes))))[0] @ axes


def told_apart_by_views(weeks: Weeks, dimension: int) -> np.ndarray:
    """Axes that tell each picture from every other by views alone (linear discriminant analysis, Fisher 1936)."""
    embedder = load_model(weeks.settings.models.uri, backbone_version(weeks)).embedder(batch_size=4)
    limits = Limits(10**7, 10**6, 1, 256)
    named = [view for seed in range(5) for view in views_of(PICTURES_BY_ID.items(), limits, seed=100 + 10 * seed)]
    views = embedder.embed([jpeg for _, jpeg in named]).astype(np.float64)
    owners = np.array([name for name, _ in named])
    means = np.stack([views[owners == name].mean(axis=0) for name in PICTURES_BY_ID])
    inner = np.cov(np.concatenate([views[owners == n] - m for n, m in zip(PICTURES_BY_ID, means, strict=True)]).T)
    ridge = 1e-3 * np.trace(inner) / len(inner) * np.eye(len(inner))
    _, directions = scipy.linalg.eigh(np.cov(means.T), inner + ridge)
    return directions[:, ::-1][:, :dimension].T


def backbone_version(weeks: Weeks) -> str:
    card = features_model(weeks.settings.models.uri, recipe_of(weeks.settings))
    assert card
    return card.version


def test_a_model_that_keeps_all_cosines_is_promoted_by_parts_of_pictures(weeks):
    first = weeks.used
    version = weeks.put(rotated(weeks.axes()))
    figures = weeks.retrain("compare_models")
    assert weeks.used.version == version != first.version
    assert figures["compared_queries", "own views"] >= 30
    assert figures["compared_queries", "frozen neighbours"] >= 30
    assert 0 < figures["recall_at_1", "own views"] <= figures["reciprocal_rank", "own views"] <= 1
    assert f"compare_models: {version} is promoted: reciprocal rank of a part's own picture" in weeks.lines[-1]
    assert "does not tell whether it is better" in weeks.lines[-1]


def test_a_model_that_tells_pictures_apart_by_views_alone_is_refused_by_the_guard(weeks):
    first = weeks.used
    weeks.put(told_apart_by_views(weeks, 16))
    with pytest.raises(GateRefused, match=r"R-precision of the frozen .* worse by more than gate\.max_neighbour_loss"):
        weeks.retrain("compare_models")
    assert weeks.used == first
    gains = weeks.catalogue.lake.read("metrics").where("metric LIKE '%_gain'").collect()
    value = {row["slice"]: row["value"] for row in gains}
    assert value["own views"] > 0 > value["frozen neighbours"]


def test_a_projection_fitted_to_a_larger_catalogue_is_promoted(spark, tmp_path):
    """The first week has twelve pictures, from which 16 axes cannot be chosen."""
    weeks = without_people(spark, tmp_path)
    hashes = {name: sha256(jpeg) for name, jpeg in list(PICTURES_BY_ID.items())[12:]}
    weeks.catalogue.images(hashes, visibility="private")
    weeks.retrain("train_encoder", "compare_models")
    first = weeks.used
    weeks.catalogue.images(hashes)
    figures = weeks.retrain("train_encoder", "compare_models")
    assert weeks.used == weeks.newest != first
    assert figures["r_precision_gain", "frozen neighbours"] > 0


def test_a_projection_fitted_to_the_same_catalogue_changes_nothing_and_fails_nothing(weeks):
    first = weeks.used
    weeks.retrain("train_encoder", "compare_models")
    assert weeks.used == first != weeks.newest
    assert f"is the same network as {first.version}, which stays in use" in weeks.lines[-1]


def test_too_few_pictures_leave_the_model_a_candidate_and_the_line_says_what_to_do(weeks):
    first = weeks.used
    version = weeks.put(rotated(weeks.axes()))
    weeks.overrides = (*weeks.overrides, "gate.min_compared_queries=59")
    few = (
        r"0 judged and 0 clicked queries of the test split are too few, and so are \d+ test pictures: "
        rf"gate\.min_compared_queries = 59; score pairs \(vsearch label next\); {first.version} stays in use; .* "
        rf"vsearch models promote {version}"
    )
    with pytest.raises(GateRefused, match=few):
        weeks.retrain("compare_models")
    assert weeks.used == first


def clicks_of(pairs: list[tuple[str, str, bool]]) -> list[tuple[object, ...]]:
    """Events of six users, who are shown each pair (query, image, whether it is clicked) at the top."""
    rows = []
    for number, (query, image, is_clicked) in enumerate(pairs):
        for user in range(6):
            request = f"r{number}-{user}"
            facts = (f"user-{user}-{number % 20}", query, image, 1)
            where = (None, None, None, AT, DAY, request, "v1", "a")
            rows.append((f"{request}-i", *facts, "impression", *where))
            if is_clicked and user % 2:
                rows.append((f"{request}-c", *facts, "click", *where))
    return rows


@pytest.fixture
def clicked(weeks) -> Iterator[Weeks]:
    """People clicked the other pictures of a query's scene, and not those of the next scene."""
    pairs = [
        (f"image-{s}-{q}", f"image-{(s + step) % SCENES}-{n}", step == 0)
        for s in range(SCENES)
        for q in range(PICTURES)
        for n in range(PICTURES)
        for step in (0, 1)
        if (step, q) != (0, n)
    ]
    events = weeks.catalogue.spark.createDataFrame(clicks_of(pairs), EVENT)
    weeks.catalogue.lake.upsert("interactions", events)
    yield weeks
    shutil.rmtree(weeks.catalogue.lake.path("interactions"))


def test_clicks_refuse_a_model_that_ranks_clicked_images_lower_and_promote_one_that_does_not(clicked):
    first, axes = clicked.used, clicked.axes()
    on_a_line = np.zeros_like(axes)
    on_a_line[0] = axes[0]
    clicked.put(on_a_line)
    with pytest.raises(GateRefused, match=r"on \d+ clicked queries: .* worse by more than gate\.max_ndcg_loss"):
        clicked.retrain("compare_models")
    assert clicked.used == first
    version = clicked.put(rotated(axes))
    figures = clicked.retrain("compare_models")
    assert clicked.used.version == version
    assert figures["compared_queries", "clicked"] >= 30
    assert figures["ndcg_at_10", "clicked"] > 0.5
    assert "clicked queries: a difference of" in clicked.lines[-1]
    assert ("reciprocal_rank", "own views") not in figures
