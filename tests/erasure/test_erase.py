"""Erasing a user or an image removes its data from every table, and later landings of it are refused."""

import json
from pathlib import Path

import pytest

from vsearch_lib.config import load_settings
from vsearch_lib.context import StepContext
from vsearch_lib.erasure.erase import erase, report
from vsearch_lib.lake import Lake, table_names, table_schema
from vsearch_lib.run.bodies import body_of

ADA, BOB = "user-ada", "user-bob"


@pytest.fixture(scope="module")
def erasure(spark, tmp_path_factory, make):
    """A lake before and after the erasure of Ada. She owns a and shared; twin, of Bob, has the bytes of shared."""
    var = tmp_path_factory.mktemp("erasure")
    settings = load_settings("demo", [f"var={var}", "quality.max_refused_share=0.9"])
    landing = make.landing(var / "landing" / "images" / "date=2024-05-06")
    for name, seed in (("a", 1), ("shared", 2), ("twin", 2), ("b", 3)):
        landing.put(f"{name}.png", make.picture(seed))
    owners = {"a": ADA, "shared": ADA, "twin": BOB, "b": BOB}
    rows = [make.row(name, owner_id=owner) for name, owner in owners.items()]
    landing.describe([*rows, {"image_id": "later", "owner_id": ADA, "tags": ["x"]}, f"not json about {ADA}"])
    _land(
        var, "users", [{"user_id": user, "username": user, "age": 36, "email": f"{user}@x.org"} for user in (ADA, BOB)]
    )
    _land(
        var,
        "interactions",
        [_click("1", ADA, "b", "twin"), _click("2", BOB, "twin", "a"), _click("3", BOB, "twin", "b")],
    )
    _land(
        var,
        "judgements",
        [
            {"query_image_id": "b", "image_id": "twin", "annotator": ADA, "score": 1},
            {"query_image_id": "a", "image_id": "twin", "annotator": BOB, "score": 2},
            {"query_image_id": "b", "image_id": "twin", "annotator": BOB, "score": 3},
        ],
    )

    def ingest(run_id: str) -> Lake:
        lake = Lake(spark, settings.lake.uri, run_id)
        for kind in ("images", "users", "interactions", "judgements"):
            body_of(f"ingest_{kind}")(StepContext(settings=settings, lake=lake, run_id=run_id, say=lambda _: None))
        return lake

    lake = ingest("first")
    pairs = [("a", "b"), ("b", "a"), ("b", "twin"), ("twin", "b")]
    examples = [("s", f"e:{query}", query, [query, other], 0, "augmentation", 1.0, "train") for query, other in pairs]
    lake.upsert("training_examples", spark.createDataFrame(examples, list(table_schema("training_examples").names[:8])))
    hashes = {row["image_id"]: row["sha256"] for row in lake.read("images").collect()}
    group = min(hashes["a"], hashes["b"])
    grouped = [(hashes["a"], group), (hashes["b"], group)]
    lake.upsert("near_duplicates", spark.createDataFrame(grouped, ["sha256", "group_sha256"]))
    before = {table: _text(lake, table) for table in table_names()}
    erased = erase(Lake(spark, settings.lake.uri, "erasure"), "user", ADA)
    after = {table: _text(lake, table) for table in table_names()}
    again = erase(Lake(spark, settings.lake.uri, "again"), "user", ADA)
    lake_again = ingest("second")
    return {
        "settings": settings,
        "before": before,
        "erased": erased,
        "after": after,
        "again": again,
        "landed_again": {table: _text(lake_again, table) for table in table_names()},
        "lake": lake_again,
    }


def _land(var: Path, table: str, rows: list[dict[str, object]]) -> None:
    folder = var / "landing" / table / "date=2024-05-06"
    folder.mkdir(parents=True)
    (folder / "x.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))


def _click(event: str, user: str, query: str, displayed: str) -> dict[str, object]:
    return {
        "event_id": event,
        "user_id": user,
        "query_image_id": query,
        "displayed_image_id": displayed,
        "position": 1,
        "type": "click",
        "occurred_at": "2024-05-06T07:08:09Z",
        "request_id": "r",
    }


def _text(lake: Lake, table: str) -> list[str]:
    return sorted(lake.read(table).toJSON().collect())


def test_the_lake_had_the_user_before_the_erasure(erasure):
    tables = {table for table, rows in erasure["before"].items() if any(ADA in row for row in rows)}
    assert tables >= {"users", "users_pii", "images", "images_awaited", "interactions", "judgements", "quarantine"}


@pytest.mark.parametrize("when", ["after", "landed_again"])
@pytest.mark.parametrize("table", [table for table in table_names() if table != "quarantine"])
def test_after_the_erasure_no_table_names_the_user(erasure, table, when):
    assert not [row for row in erasure[when][table] if ADA in row]


def test_no_data_of_the_users_images_remains(erasure):
    images = [json.loads(row) for row in erasure["after"]["images"]]
    assert sorted(row["image_id"] for row in images) == ["b", "twin"]
    assert len(erasure["after"]["image_pixels"]) == 2, "pixels that another user has too are not deleted"
    assert not [row for row in erasure["after"]["interactions"] if '"a"' in row]
    assert not [row for row in erasure["after"]["training_examples"] if '"a"' in row]
    assert len(erasure["after"]["image_files"]) == 2
    assert erasure["before"]["near_duplicates"]
    assert not erasure["after"]["near_duplicates"], "a group of one picture is deleted"


def test_data_of_other_users_remains(erasure):
    assert [json.loads(row)["event_id"] for row in erasure["after"]["interactions"]] == ["3"]
    assert [json.loads(row)["score"] for row in erasure["after"]["judgements"]] == [3]
    assert len(erasure["after"]["users"]) == len(erasure["after"]["users_pii"]) == 1


def test_data_that_lands_again_is_refused_and_its_text_is_not_stored(erasure):
    refused = [json.loads(row) for row in erasure["landed_again"]["quarantine"]]
    erased = [row for row in refused if row["reason"] == "erased"]
    assert {row["table"] for row in erased} == {"images", "users", "interactions", "judgements"}
    assert all("payload" not in row for row in erased)
    for table in ("images", "users", "users_pii", "interactions", "judgements"):
        assert erasure["landed_again"][table] == erasure["after"][table]


def test_erased_ids_are_stored_as_hashes_only(erasure):
    assert len(erasure["after"]["erasures"]) == 3  # Ada, a, shared
    assert not [row for row in erasure["after"]["erasures"] if ADA in row]


def test_a_second_erasure_removes_nothing(erasure):
    assert erasure["again"].rows == {}
    assert erasure["again"].images == 0


def test_the_report_lists_removed_rows_and_where_data_remains(erasure):
    text = report(erasure["erased"], erasure["settings"])
    assert "1  users_pii" in text
    assert "2  images" in text
    assert "maintain_tables" in text
    assert ADA not in text


def test_an_image_can_be_erased_without_its_owner(spark, erasure):
    lake = Lake(spark, erasure["lake"].uri, "image")
    removed = erase(lake, "image", "b")
    assert (removed.images, removed.rows["images"]) == (1, 1)
    assert [row["image_id"] for row in lake.read("images").collect()] == ["twin"]
    assert [row["user_id"] for row in lake.read("users").collect()] == [BOB]
