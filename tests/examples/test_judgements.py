"""Pairs that annotators found alike, and how far annotators agree."""

from __future__ import annotations

import pytest

from vsearch_lib.examples.judgements import agreement, judged_pairs

# Krippendorff, "Computing Krippendorff's alpha-reliability" (2011), section C: four observers, twelve units.
OBSERVERS = ("123321412...", "1233224125.3", ".3332342251.", "12332441251.")


def judgements(spark, rows):
    return spark.createDataFrame(rows, "query_image_id string, image_id string, annotator string, score int")


def test_agreement_is_the_published_alpha_of_the_published_example(spark):
    rows = [
        ("q", f"unit {unit}", f"observer {observer}", int(value))
        for observer, values in enumerate(OBSERVERS)
        for unit, value in enumerate(values)
        if value != "."
    ]
    alpha, pairs = agreement(judgements(spark, rows))
    assert alpha == pytest.approx(0.815, abs=0.0005)
    assert pairs == 11  # one unit has a single value


def test_annotators_who_always_agree_have_an_alpha_of_one(spark):
    rows = [("q", f"i{score}", annotator, score) for score in range(6) for annotator in "abc"]
    assert agreement(judgements(spark, rows)) == (pytest.approx(1), 6)


@pytest.mark.parametrize(
    ("rows", "pairs"),
    [
        ([], 0),
        ([("q", "i", "a", 3), ("q", "j", "b", 4)], 0),
        ([("q", "i", "a", 3), ("q", "i", "b", 3), ("q", "j", "a", 3), ("q", "j", "b", 3)], 2),
    ],
    ids=["no judgements", "one annotator a pair", "one score"],
)
def test_without_scores_that_can_differ_there_is_no_agreement_to_measure(spark, rows, pairs):
    assert agreement(judgements(spark, rows)) == (None, pairs)


def test_pairs_with_a_high_grade_on_which_annotators_agree_are_alike(spark):
    rows = [
        *[("q", "alike", annotator, score) for annotator, score in (("a", 5), ("b", 4), ("c", 4))],
        *[("q", "disputed", annotator, score) for annotator, score in (("a", 5), ("b", 5), ("c", 1))],
        *[("q", "unlike", annotator, score) for annotator, score in (("a", 2), ("b", 3))],
        ("q", "one annotator", "a", 3),
        ("q", "q", "a", 5),
    ]
    found = {
        row["image_id"]: row.asDict()
        for row in judged_pairs(judgements(spark, rows), min_grade=3, max_spread=2).collect()
    }
    assert sorted(found) == ["alike", "one annotator"]
    assert found["alike"]["grade"] == pytest.approx(13 / 3)
    assert found["alike"]["annotators"] == 3
