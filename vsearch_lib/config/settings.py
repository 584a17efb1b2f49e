"""The settings of a run, typed: one class a section of `conf/base.yaml`."""

import re
from pathlib import Path
from typing import Literal

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from vsearch_lib.config.examples import Clicks, Examples
from vsearch_lib.config.monitoring import Monitoring
from vsearch_lib.config.section import Section

_FACTORY = re.compile(
    r"auto|((OPQ[1-9]\d*(_[1-9]\d*)?|RR),)?IVF[1-9]\d*(_HNSW([1-9]\d+)?)?,(PQ[1-9]\d*(x\d+)?(np)?|SQ8|RaBitQ[1-9]?|Flat)"
)
_HTTP_URL = r"^https?://[^/?#\s]+$"

_SHARES_OF_STRANGERS = (0.5, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
RULES = ("visible", "own_copies", "near_duplicates", "similar_enough", "owner_limit", "diversity", "newest")


class Landing(Section):
    uri: str
    images: str


class Location(Section):
    uri: str


class Lake(Location):
    @field_validator("uri")
    @classmethod
    def _tables_can_be_named(cls, uri: str) -> str:
        # Delta puts the path of a table into SQL between backticks, without escapes.
        if re.search(r"[`\x00-\x1f\x7f]", uri):
            raise PydanticCustomError("uri", "must not hold a backtick or a control character")
        return uri


class Index(Section):
    uri: str
    factory: str
    shards: PositiveInt
    train_vectors_per_list: PositiveInt
    nprobe: PositiveInt | None
    shortlist: PositiveInt | None
    retained_versions: PositiveInt
    unused_hours: PositiveInt
    seed: int

    @field_validator("factory")
    @classmethod
    def _shards_can_be_stacked(cls, factory: str) -> str:
        # Searching faiss's fast-scan codes (fs) in stacked lists ends the process.
        if not _FACTORY.fullmatch(factory):
            allowed = "must be auto, or IVF<lists> with PQ<parts>x<bits>, SQ8, RaBitQ or Flat, as in IVF64,PQ8x4"
            raise PydanticCustomError("factory", allowed)
        return factory


class Reports(Location):
    projection: Literal["pca", "umap"]
    map_images: int = Field(ge=3)
    page_queries: PositiveInt
    seed: int


class Image(Section):
    size: int = Field(ge=32, le=2048)
    max_bytes: PositiveInt
    max_pixels: PositiveInt
    min_side: PositiveInt
    max_aspect: float = Field(ge=1)


class Quality(Section):
    max_refused_share: float = Field(ge=0, le=1)


class Model(Section):
    backbone: str = Field(pattern=r"^[A-Za-z0-9_.]+$")
    weights: str
    dimension: int = Field(ge=8, le=4096, multiple_of=8)
    input_size: int | None = Field(ge=32, le=1024)

    @field_validator("weights", mode="before")
    @classmethod
    def _weights_are_named(cls, weights: object) -> object:
        if not isinstance(weights, str) or not weights:
            raise PydanticCustomError("weights", "must be packaged, hub, none, or a safetensors file of the backbone")
        return weights


class Training(Section):
    depth: Literal["auto", "none", "head", "full"]
    start: Literal["model_weights", "model_in_use"]
    teacher: str | None
    min_pairs: PositiveInt
    epochs: PositiveInt
    max_minutes: PositiveFloat | None
    processes: PositiveInt
    patience_epochs: PositiveInt
    batch_size: int = Field(ge=2)
    pictures_at_once: PositiveInt
    view_side: PositiveInt | None
    view_strength: float | None = Field(ge=0, le=1)
    learning_rate: PositiveFloat | None
    weight_decay: float = Field(ge=0, lt=1)
    frozen_layers: float = Field(ge=0, lt=1)
    layer_decay: float = Field(gt=0, le=1)
    views: NonNegativeInt
    hidden: NonNegativeInt
    dropout: float = Field(ge=0, lt=1)
    max_gradient: PositiveFloat
    temperature: PositiveFloat
    objective: Literal["candidates", "batch", "queue", "memory"]
    memory_size: PositiveInt
    momentum: float = Field(ge=0, lt=1)
    related_as_positives: bool
    neighbours: NonNegativeInt
    keep_frozen: NonNegativeFloat
    projection_head: NonNegativeInt
    seed: int

    @field_validator("epochs", mode="before")
    @classmethod
    def _no_training_is_a_depth(cls, epochs: object) -> object:
        if epochs == 0:
            raise PydanticCustomError("epochs", "must be 1 or more; to train nothing, set training.depth = none")
        return epochs


class Tracking(Section):
    mlflow_uri: str | None

    @field_validator("mlflow_uri")
    @classmethod
    def _has_a_scheme(cls, uri: str | None) -> str | None:
        # MLflow takes a bare name for a folder of the current directory.
        if uri is not None and not re.match(r"[a-z][a-z0-9+-]*:.", uri):
            raise PydanticCustomError("mlflow_uri", "must be null, or a URI as file:{var}/mlruns or http://host:5000")
        return uri


class Embedding(Section):
    batch_size: PositiveInt
    images_per_task: PositiveInt


class Gate(Section):
    min_recall_at_10: float = Field(ge=0, le=1)
    max_ndcg_loss: float = Field(ge=0, le=1)
    max_neighbour_loss: float = Field(ge=0, le=1)
    min_compared_queries: PositiveInt
    queries: PositiveInt


class Evaluation(Section):
    max_queries: PositiveInt
    max_catalogue: PositiveInt
    page_queries: PositiveInt
    k: tuple[int, ...]
    also: tuple[Literal["exponential_gain", "judged_only"], ...]
    min_slice_queries: int = Field(ge=2)
    max_sliced_queries: NonNegativeInt
    seed: int

    @field_validator("k")
    @classmethod
    def _depths_ascend(cls, depths: tuple[int, ...]) -> tuple[int, ...]:
        # nDCG@10 decides whether a model is promoted.
        if list(depths) != sorted(set(depths)) or 10 not in depths or depths[0] < 1 or depths[-1] > 1000:
            raise PydanticCustomError("depths", "must be ascending numbers from 1 to 1000, 10 among them")
        return depths


class Online(Section):
    days: PositiveInt
    experiment_days: PositiveInt


class Maintenance(Section):
    retention_hours: int = Field(ge=1, le=720)  # Delta's log keeps 30 days
    longest_reader_hours: PositiveInt


class Canary(Section):
    version: str | None = Field(min_length=1)
    name: str = Field(min_length=1)
    control: str = Field(min_length=1)
    share: float = Field(gt=0, lt=1)

    @field_validator("control")
    @classmethod
    def _variants_differ(cls, control: str, other: ValidationInfo) -> str:
        if control == other.data.get("name"):
            raise PydanticCustomError("control", "must not be the name of the canary too: the variants must differ")
        return control


class Serving(Section):
    rules: tuple[str, ...]
    near_duplicate_bits: int = Field(ge=0, le=64)
    near_duplicate_cosine: float = Field(ge=-1, le=1)
    strangers_below: float | None
    max_per_owner: PositiveInt | None
    diversity: float = Field(ge=0, lt=1)
    max_shortlist: PositiveInt
    refresh_seconds: PositiveFloat
    max_k: PositiveInt
    max_requests: PositiveInt
    max_connections: PositiveInt
    request_seconds: PositiveFloat
    cached_answers: NonNegativeInt
    cached_thumbnails: NonNegativeInt
    remembered_answers: PositiveInt
    remembered_minutes: PositiveFloat
    feedback_seconds: PositiveFloat
    feedback_events: PositiveInt
    embedding_url: str | None = Field(pattern=_HTTP_URL)
    neighbours_url: str | None = Field(pattern=_HTTP_URL)
    canary: Canary

    @field_validator("strangers_below")
    @classmethod
    def _share_is_in_manifests(cls, share: float | None) -> float | None:
        if share is not None and share not in _SHARES_OF_STRANGERS:
            allowed = f"must be null, or one of {', '.join(map(str, _SHARES_OF_STRANGERS))}, which manifests have"
            raise PydanticCustomError("share", "{allowed}", {"allowed": allowed})
        return share

    @field_validator("rules")
    @classmethod
    def _rules_are_named(cls, rules: tuple[str, ...]) -> tuple[str, ...]:
        for rule in rules:
            if rule not in RULES and not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", rule):
                named = f"{rule!r} is no rule; use {', '.join(RULES)}, or package.module:function of your own"
                raise PydanticCustomError("rules", "{named}", {"named": named})
        if rules[:1] != ("visible",) or len(set(rules)) < len(rules):
            raise PydanticCustomError("rules", "must begin with visible, and have each rule once")
        return rules


class Spark(Section):
    master: str | None
    driver_memory: str = Field(pattern=r"^[0-9]+[mg]$")
    workers_environment: str | None
    conf: dict[str, str]


class Settings(Section):
    """All settings of one run. URIs are absolute paths or have a scheme."""

    var: str
    cache: Path
    landing: Landing
    lake: Lake
    models: Location
    index: Index
    reports: Reports
    image: Image
    quality: Quality
    examples: Examples
    clicks: Clicks
    model: Model
    training: Training
    tracking: Tracking
    embedding: Embedding
    gate: Gate
    evaluation: Evaluation
    online: Online
    monitoring: Monitoring
    maintenance: Maintenance
    serving: Serving
    spark: Spark
