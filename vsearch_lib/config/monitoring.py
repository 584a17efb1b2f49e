"""The settings of monitoring: windows, rates and thresholds."""

from typing import Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator
from pydantic_core import PydanticCustomError

from vsearch_lib.config.section import Section

_DRIFT_TESTS = 8  # that one run makes at most


class Monitoring(Section):
    days: PositiveInt
    earlier_days: PositiveInt
    sample: int = Field(ge=2)
    false_alarm_rate: float = Field(gt=0, lt=1)
    permutations: PositiveInt
    max_refused_growth: float = Field(ge=0, le=1)
    max_list_imbalance: float = Field(ge=1)
    max_shard_imbalance: float = Field(ge=1)
    live_queries: PositiveInt
    min_live_recall: float = Field(ge=0, le=1)
    max_index_lag_hours: PositiveFloat
    max_silent_days: PositiveInt
    fail_on_alert: bool
    seed: int

    @model_validator(mode="after")
    def _a_test_can_alert(self) -> Self:
        # The smallest p-value of a test is 1 / (permutations + 1), and Holm multiplies it by the number of tests.
        if (self.permutations + 1) * self.false_alarm_rate < _DRIFT_TESTS:
            allowed = "permutations must be {least} or more: with fewer no drift is certain enough at this rate"
            least = -int(-_DRIFT_TESTS // self.false_alarm_rate) - 1
            raise PydanticCustomError("permutations", allowed, {"least": least})
        return self
