"""A model's record shows what its card and its figures say, and no more."""

from __future__ import annotations

from vsearch_lib.encoder.preprocessing import Preprocessing
from vsearch_lib.figures import Figure
from vsearch_lib.models.record import record_charts, record_tables
from vsearch_lib.models.registry import Card, Recipe

RECIPE = Recipe("small", "none", 16, 64, "head")
PREPROCESSING = Preprocessing(64, (0.5, 0.25, 0.5), (0.5, 0.5, 0.5))
CURVE = {
    "recall_at_start": 0.4,
    "epochs": [
        {"loss": 2.5, "recall": 0.5, "steps": 9},
        {"loss": 1.5, "recall": None, "steps": 9},
        {"loss": 1.25, "recall": 0.75, "steps": 9},
    ],
}


def card(**fields: object) -> Card:
    known = {"training": {"epochs": 3, "learning_rate": None, "weight_decay": 0.0001, "curve": CURVE}, **fields}
    return Card("m2", RECIPE, PREPROCESSING, 16, {"b.bin": "22", "a.bin": "11"}, "s1", "run-1", **known)


def test_the_facts_are_those_of_the_card():
    facts, files, training, _ = record_tables(card(parent="m1", code_version="0.1.0+abc"), [], is_in_use=True)
    assert dict(facts.rows) == {
        "in use": "yes",
        "backbone": "small",
        "initial weights": "none",
        "trained": "head",
        "dimension": "16",
        "preprocessing": "64 × 64 pixels, central square, area",
        "mean, std": "0.5, 0.25, 0.5; 0.5, 0.5, 0.5",
        "snapshot": "s1",
        "parent": "m1",
        "code version": "0.1.0+abc",
        "run": "run-1",
    }
    assert files.rows == [("a.bin", "11"), ("b.bin", "22")]
    assert training.rows == [("epochs", "3"), ("learning_rate", "null"), ("weight_decay", "0.0001")]


def test_a_first_model_has_no_parent_and_an_old_card_does_not_say():
    for code, parent in {"0.1.0": "none", None: "not recorded"}.items():
        facts, *_ = record_tables(card(code_version=code), [], is_in_use=False)
        assert dict(facts.rows)["parent"] == parent
        assert dict(facts.rows)["in use"] == "no"


def test_figures_have_their_interval_and_number_if_these_are_known():
    figures = [
        Figure("ndcg_at_10", 0.91234, subject="model m2", n=1200),
        Figure("ndcg_at_10_gain", -0.02, subject="model m2 over m1", n=30, low=-0.05, high=0.0125),
        Figure("training_loss", 1.25, subject="model m2", slice="last"),
    ]
    *_, shown = record_tables(card(), figures, is_in_use=False)
    assert shown.rows == [
        ("ndcg_at_10", "", "0.9123", "", "1,200"),
        ("ndcg_at_10_gain", "over m1", "-0.02", "-0.050 to 0.013", "30"),
        ("training_loss", "last", "1.25", "", ""),
    ]
    assert "No figure" in record_tables(card(), [], is_in_use=False)[-1].note


def test_the_curves_run_over_the_epochs_and_leave_out_what_was_not_measured():
    loss, recall = record_charts(card())
    assert [(point.x, point.value) for point in loss.points] == [(1, 2.5), (2, 1.5), (3, 1.25)]
    assert [(point.x, point.value) for point in recall.points] == [(0, 0.4), (1, 0.5), (3, 0.75)]
    assert (loss.top, recall.top) == (3, 1)


def test_a_model_that_was_not_trained_has_no_curve():
    assert record_charts(card(training={"pictures": 12})) == []
    assert record_charts(card(training={"curve": {"recall_at_start": 0.4, "epochs": []}})) == []
    once = {"recall_at_start": None, "epochs": [{"loss": 2.0, "recall": 0.5}]}
    assert record_charts(card(training={"curve": once})) == []
