"""Interactions: coordinates are rounded, days are in UTC, and each event is stored once."""

import pytest

from vsearch_lib.records.interactions import INTERACTIONS


def crop(x: object, y: object, width: object, height: object) -> dict[str, object]:
    return {"crop_x": x, "crop_y": y, "crop_width": width, "crop_height": height}


@pytest.fixture(scope="module")
def landed(read_records, event):
    return read_records(
        INTERACTIONS,
        {
            "a.jsonl": [
                event("place", latitude=48.137154, longitude=-11.58),
                event("half", latitude=0.25, longitude=-0.25),
                event("nowhere"),
                event("late", occurred_at="2024-05-06T23:30:00-02:00"),
                event("twice", dwell_ms=1),
                event("pole", latitude=-90, longitude=180),
                event("zero", position=0),
                event("hover", type="hover"),
                event("backward", dwell_ms=-1),
                event("north", latitude=90.01),
                event("east", longitude=-180.5),
                event("text", position="1"),
                *(event(f"no {name}", **{name: None}) for name in ("user_id", "occurred_at", "request_id")),
                event(None),
                event("future", occurred_at="2024-05-09T00:00:00Z"),
                event("old", occurred_at="2022-05-07T00:00:00Z"),
                event("number", occurred_at=1714979289),
                event("just", occurred_at="2024-05-08T23:59:59Z"),
                event("back", occurred_at="2022-05-08"),
                event("no query", query_image_id=None),
                event("upload", query_image_id=None, query_upload_id="up-1", **crop(0.7, 0, 0.3, 1)),
                event("part", **crop(0.25, 0.5, 0.5, 0.25)),
                event("three", crop_x=0.1, crop_y=0.1, crop_width=0.5),
                event("wide", **crop(0.5, 0, 0.6, 1)),
                event("pixels", **crop(10, 20, 300, 200)),
                event("left", **crop(-0.1, 0, 0.5, 0.5)),
                event("flat", **crop(0, 0, 0.5, 0)),
                event("words", **crop("a", 0, 0.5, 0.5)),
            ],
            "b.jsonl": [event("twice", dwell_ms=3), event("twice", dwell_ms=2, variant="b"), event("twice")],
        },
    )


def test_coordinates_are_rounded_to_a_tenth_of_a_degree(landed):
    coordinates = {name: (row["latitude"], row["longitude"]) for name, row in landed.accepted.items()}
    assert coordinates["place"] == (48.1, -11.6)
    assert coordinates["half"] == (0.3, -0.3)
    assert coordinates["pole"] == (-90, 180)
    assert coordinates["nowhere"] == (None, None)


def test_the_day_of_an_event_is_in_utc(landed):
    assert str(landed.accepted["place"]["event_date"]) == "2024-05-06"
    assert str(landed.accepted["late"]["event_date"]) == "2024-05-07"


def test_the_greatest_of_different_copies_of_an_event_is_stored_in_any_order(landed):
    assert landed.accepted["twice"]["dwell_ms"] == 3
    assert landed.accepted["twice"]["variant"] is None


def test_only_valid_events_are_accepted(landed):
    expected = ["back", "half", "just", "late", "nowhere", "part", "place", "pole", "twice", "upload"]
    assert sorted(landed.accepted) == expected


def test_the_box_that_a_user_drew_is_stored_with_the_query(landed):
    part, upload, whole = (landed.accepted[name] for name in ("part", "upload", "nowhere"))
    assert {name: part[name] for name in crop(0, 0, 0, 0)} == crop(0.25, 0.5, 0.5, 0.25)
    assert (part["query_image_id"], part["query_upload_id"]) == ("q", None)
    assert (upload["query_image_id"], upload["query_upload_id"]) == (None, "up-1")
    assert {name: whole[name] for name in crop(0, 0, 0, 0)} == crop(None, None, None, None)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (7, "value_not_allowed"),
        (8, "value_not_allowed"),
        (9, "value_not_allowed"),
        (10, "value_not_allowed"),
        (11, "value_not_allowed"),
        (12, "malformed_line"),
        (13, "missing_field"),
        (14, "missing_field"),
        (15, "missing_field"),
        (16, "missing_field"),
        (17, "time_in_future"),
        (18, "time_too_old"),
        (19, "malformed_line"),
        (22, "missing_field"),
        (25, "missing_field"),
        (26, "value_not_allowed"),
        (27, "value_not_allowed"),
        (28, "value_not_allowed"),
        (29, "value_not_allowed"),
        (30, "malformed_line"),
    ],
)
def test_a_refused_event_has_its_reason_and_line(landed, line, reason):
    assert landed.refused["a.jsonl", line]["reason"] == reason


def test_a_missing_field_is_named(landed):
    assert landed.refused["a.jsonl", 13]["message"] == "user_id is missing"
    assert landed.refused["a.jsonl", 16]["message"] == "event_id is missing"
    assert landed.refused["a.jsonl", 22]["message"].startswith("query_image_id and query_upload_id are missing")
    assert landed.refused["a.jsonl", 25]["message"].startswith("only some of crop_x, crop_y, crop_width, crop_height")


def test_no_other_event_is_refused(landed):
    assert len(landed.refused) == 20
