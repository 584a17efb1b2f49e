"""The tables do not depend on the order of landed records, their repetition, or their division into runs."""

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import Phase, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from vsearch_lib.config import load_settings
from vsearch_lib.context import StepContext
from vsearch_lib.lake import Lake
from vsearch_lib.run.bodies import body_of

DAYS = [date(2024, 5, day) for day in (6, 7, 8)]

# Few ids, so that several records have the same id, with the same or with different content.
events = st.tuples(st.sampled_from("abcd"), st.integers(0, 3))
scores = st.tuples(st.sampled_from("xyz"), st.integers(0, 5))
landings = st.lists(st.tuples(st.sampled_from(DAYS), st.lists(events), st.lists(scores)), min_size=2, max_size=5)


def expected(landed) -> tuple[dict[str, int], dict[str, int]]:
    """The expected tables, computed in Python: the greatest content of an event, and the last landed score."""
    dwell: dict[str, int] = {}
    last: dict[str, tuple[date, int, int, int]] = {}
    for number, (day, events_there, scores_there) in enumerate(landed):
        for event_id, dwell_ms in events_there:
            dwell[event_id] = max(dwell.get(event_id, dwell_ms), dwell_ms)
        for line, (image, score) in enumerate(scores_there):
            landed_score = (day, number, line, score)
            last[image] = max(last.get(image, landed_score), landed_score)
    return dwell, {image: landed_score[-1] for image, landed_score in last.items()}


def land(folder: Path, landed) -> None:
    for number, (day, events_there, scores_there) in enumerate(landed):
        rows = {
            "interactions": [
                {
                    "event_id": event_id,
                    "user_id": "u",
                    "query_image_id": "q",
                    "displayed_image_id": "d",
                    "position": 1,
                    "type": "click",
                    "dwell_ms": dwell_ms,
                    "occurred_at": "2024-05-06T07:08:09Z",
                    "request_id": "r",
                }
                for event_id, dwell_ms in events_there
            ],
            "judgements": [
                {"query_image_id": "q", "image_id": image, "annotator": "n", "score": score}
                for image, score in scores_there
            ],
        }
        for table, lines in rows.items():
            file = folder / table / f"date={day}" / f"{number}.jsonl"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))


@pytest.mark.parametrize("job", ["ingest_interactions", "ingest_judgements"])
@examples(max_examples=4, deadline=None, derandomize=True, phases=[Phase.generate])
@given(landed=landings, order=st.permutations(DAYS), again=st.lists(st.sampled_from(DAYS), max_size=2))
def test_any_order_repetition_and_division_give_the_same_table(spark, tmp_path_factory, job, landed, order, again):
    var = tmp_path_factory.mktemp("order")
    land(var / "landing", landed)
    settings = load_settings("demo", [f"var={var}"])
    for number, day in enumerate([*order, *again]):
        lake = Lake(spark, settings.lake.uri, f"run-{number}")
        body_of(job)(StepContext(settings=settings, lake=lake, run_id=lake.run_id, dates=(day,), say=lambda _: None))
    dwell, score = expected(landed)
    if job == "ingest_interactions":
        rows = lake.read("interactions").collect()
        assert {row["event_id"]: row["dwell_ms"] for row in rows} == dwell
        assert len(rows) == len(dwell)
    else:
        rows = lake.read("judgements").collect()
        assert {row["image_id"]: row["score"] for row in rows} == score
        assert len(rows) == len(score)
