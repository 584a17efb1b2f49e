"""Judgements: scores from 0 to 5, one per annotator and pair of images."""

import pytest

from vsearch_lib.records.judgements import JUDGEMENTS


def score(value, annotator: str = "ann", **more):
    return {"query_image_id": "q", "image_id": "i", "annotator": annotator, "score": value, **more}


@pytest.fixture(scope="module")
def landed(read_records):
    return read_records(
        JUDGEMENTS,
        {
            "a.jsonl": [
                score(0, "low"),
                score(5, "high"),
                score(6),
                score(-1),
                score(None),
                score(2.5),
                score(1, "new"),
            ],
            "b.csv": "query_image_id,image_id,annotator,score\nq,i,new,4\nq,i,x,6\nq,,x,3\nq,i,x,good\n",
        },
    )


def test_scores_from_0_to_5_are_accepted(landed):
    assert landed.accepted["low"]["score"] == 0
    assert landed.accepted["high"]["score"] == 5


def test_csv_is_read_like_json_lines_and_the_later_file_wins(landed):
    assert landed.accepted["new"]["score"] == 4
    assert len(landed.accepted) == 3


def test_other_scores_are_refused_with_reason_and_line(landed):
    assert {file_and_line: row["reason"] for file_and_line, row in landed.refused.items()} == {
        ("a.jsonl", 3): "value_not_allowed",
        ("a.jsonl", 4): "value_not_allowed",
        ("a.jsonl", 5): "missing_field",
        ("a.jsonl", 6): "malformed_line",
        ("b.csv", 3): "value_not_allowed",
        ("b.csv", 4): "missing_field",
        ("b.csv", 5): "malformed_line",
    }
