"""The jobs that ingest records merge the landed rows into their tables, or leave the tables unchanged."""

from datetime import date

import pytest

from vsearch_lib.context import StepContext
from vsearch_lib.errors import GateRefused
from vsearch_lib.lake import Lake
from vsearch_lib.run.bodies import body_of


@pytest.fixture
def run(spark, settings, tmp_path):
    def ingest(job: str, run_id: str = "run-1", *, limit: float = 0.5, dates=None) -> dict[str, float]:
        quality = settings.quality.model_copy(update={"max_refused_share": limit})
        chosen = settings.model_copy(update={"quality": quality})
        lake = Lake(spark, settings.lake.uri, run_id)
        figures = body_of(job)(StepContext(settings=chosen, lake=lake, run_id=run_id, dates=dates))
        return {figure.metric: figure.value for figure in figures}

    return ingest


def account(table: str, *numbers: int) -> dict[str, float]:
    names = ("landed", "accepted", "unchanged", "duplicate", "refused")
    return {f"{table}_passed_over": 0, **{f"{table}_{n}": number for n, number in zip(names, numbers, strict=True)}}


def versions(lake: Lake, *tables: str) -> list[int | None]:
    return [lake.version(table) for table in tables]


def test_events_are_merged_once_and_too_many_refusals_change_no_table(run, lake, land, event):
    land("interactions/date=2024-05-06/a.jsonl.gz", [event("a"), event("b", position=0), event("a")])
    assert run("ingest_interactions") == account("interactions", 3, 1, 0, 1, 1)
    assert [row["event_id"] for row in lake.read("interactions").collect()] == ["a"]
    (refused,) = lake.read("quarantine").collect()
    assert (refused["line"], refused["reason"], refused["table"]) == (2, "value_not_allowed", "interactions")

    before = versions(lake, "interactions", "quarantine")
    assert run("ingest_interactions", "run-2")["interactions_refused"] == 1
    assert versions(lake, "interactions", "quarantine") == before

    land("interactions/date=2024-05-07/b.jsonl", [event("c"), event("d", type="hover"), event("e", position=-1)])
    with pytest.raises(GateRefused, match=r"interactions: 2 of 3 .*quality\.max_refused_share") as caught:
        run("ingest_interactions", "run-3", dates=(date(2024, 5, 7),))
    assert caught.value.exit_code == 3
    assert versions(lake, "interactions", "quarantine") == before


def test_data_that_identifies_a_user_is_stored_in_one_table_only(run, lake, land):
    land(
        "users/date=2024-05-06/u.jsonl",
        [{"user_id": "u", "username": "ada", "age": 36, "email": "a@x.org", "gender": "f", "city": "Pisa"}],
    )
    assert run("ingest_users") == account("users", 1, 1, 0, 0, 0)
    (user,), (person,) = lake.read("users").collect(), lake.read("users_pii").collect()
    day = date(2024, 5, 6)
    assert user.asDict() == {
        "user_id": "u",
        "age_band": "35-44",
        "gender": "f",
        "city": "Pisa",
        "country": None,
        "landed_on": day,
    }
    assert person.asDict() == {"user_id": "u", "username": "ada", "age": 36, "email": "a@x.org", "landed_on": day}
    assert not lake.exists("quarantine")


@pytest.mark.parametrize("job", ["ingest_users", "ingest_interactions", "ingest_judgements"])
def test_an_empty_landing_zone_is_not_an_error(run, lake, job):
    table = job.removeprefix("ingest_")
    assert run(job) == account(table, 0, 0, 0, 0, 0)
    assert not lake.exists(table)
