"""The settings of training examples, and of the clicks that they come from."""

from typing import Literal, Self

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveInt, model_validator
from pydantic_core import PydanticCustomError

from vsearch_lib.config.section import Section


class Mix(Section):
    augmentation: NonNegativeFloat
    judgement: NonNegativeFloat
    click: NonNegativeFloat
    cleaned_click: NonNegativeFloat
    co_click: NonNegativeFloat

    @model_validator(mode="after")
    def _has_a_source(self) -> Self:
        if not any(self.model_dump().values()):
            raise PydanticCustomError("mix", "all weights are 0: give one source a weight above 0")
        return self


class Negatives(Section):
    same_tag_share: float = Field(ge=0, le=1)
    index_share: float = Field(ge=0, le=1)
    first_rank: PositiveInt
    last_rank: PositiveInt
    drawn_per: Literal["snapshot", "epoch"]

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if self.same_tag_share + self.index_share > 1:
            raise PydanticCustomError("shares", "same_tag_share and index_share must not be more than 1 together")
        if self.last_rank < self.first_rank:
            raise PydanticCustomError("ranks", "last_rank must not be below first_rank")
        return self


class Examples(Section):
    candidates: PositiveInt
    candidates_seed: int
    mix: Mix
    negatives: Negatives
    pairs_per_query: PositiveInt
    min_grade: float = Field(ge=0, le=5)
    max_spread: int = Field(ge=0, le=5)
    retained_snapshots: PositiveInt
    test_share: float = Field(ge=0, lt=1)
    validation_share: float = Field(ge=0, lt=1)
    split_seed: int
    held_out_tags: tuple[str, ...]


class Clicks(Section):
    days: PositiveInt
    test_days: NonNegativeInt
    randomised_variants: tuple[str, ...]
    min_dwell_ms: NonNegativeInt
    max_clicks_per_day: PositiveInt
    max_click_share: float = Field(gt=0, le=1)
    max_share_on_one_image: float = Field(gt=0, le=1)
    min_clicks_of_robots: PositiveInt
    min_pair_impressions: PositiveInt
    min_pair_clicks: PositiveInt
    min_position_clicks: PositiveInt
    min_shared_queries: PositiveInt
    max_class_images: int = Field(ge=2)
    min_boxes: PositiveInt
    max_weight: float = Field(ge=1)
    sampled_queries: PositiveInt
    seed: int
