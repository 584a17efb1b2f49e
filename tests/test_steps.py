"""The step graphs: each step comes after those it waits for, and has a job."""

import random

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from vsearch_lib.config import PROJECT
from vsearch_lib.steps import GRAPHS, Step, in_order

INGEST = ["ingest_images", "ingest_users", "ingest_interactions", "ingest_judgements"]
graph_names = pytest.mark.parametrize("graph", sorted(GRAPHS))


def step(name: str, *after: str) -> Step:
    return Step(name, "", "", after)


def names(graph) -> list[str]:
    return [s.name for s in in_order(tuple(graph))]


@graph_names
def test_every_step_is_a_job(graph):
    for s in GRAPHS[graph]:
        assert (PROJECT / "jobs" / f"{s.name}.py").is_file()


@graph_names
def test_no_step_is_twice_in_a_graph(graph):
    jobs = [s.name for s in GRAPHS[graph]]
    assert len(jobs) == len(set(jobs))


@graph_names
def test_every_step_comes_after_those_it_waits_for(graph):
    order = names(GRAPHS[graph])
    assert sorted(order) == sorted(s.name for s in GRAPHS[graph])
    for s in GRAPHS[graph]:
        assert all(order.index(before) < order.index(s.name) for before in s.after)


@pytest.mark.parametrize(("graph", "ends"), [("nightly", ["monitor", "evaluate"]), ("retrain", ["evaluate"])])
def test_the_published_index_is_monitored_and_evaluated_last(graph, ends):
    assert names(GRAPHS[graph])[-len(ends) - 1 :] == ["publish_index", *ends]


def test_a_night_ingests_everything_and_then_makes_examples_beside_the_pages_that_need_no_index():
    order = names(GRAPHS["nightly"])
    assert sorted(order[:4]) == sorted(INGEST)
    assert order[4:8] == ["build_training_examples", "profile_lake", "measure_online", "train_encoder"]


def test_no_step_waits_for_a_page():
    pages = {"profile_lake", "measure_online", "monitor"}
    assert not [s.name for graph in GRAPHS.values() for s in graph if pages & set(s.after)]


def test_maintenance_starts_with_the_lake_and_ends_with_deleting_versions_of_the_index():
    assert names(GRAPHS["maintain"]) == ["maintain_tables", "build_index", "publish_index", "collect_index"]


def test_a_night_has_the_steps_of_the_daily_graphs_and_those_that_make_a_model():
    daily = [s.name for graph in ("ingest", "refresh_index", "measure") for s in GRAPHS[graph]]
    training = ["build_training_examples", "train_encoder", "compare_models"]
    assert sorted(names(GRAPHS["nightly"])) == sorted([*daily, *training])


def test_only_steps_that_ingest_have_a_landing_day():
    assert {s.name for graph in GRAPHS.values() for s in graph if s.by_day} == set(INGEST)


def test_only_a_retraining_makes_its_steps_write_a_new_model():
    assert [s.name for s in GRAPHS["nightly"] if "--retrain" in s.options.words()] == []
    assert [s.name for s in GRAPHS["retrain"] if "--retrain" in s.options.words()] == [
        "build_training_examples",
        "train_encoder",
    ]


def test_steps_that_wait_for_nothing_stay_in_the_written_order():
    assert names([step("b"), step("a"), step("c")]) == ["b", "a", "c"]


def test_a_step_that_is_written_too_early_waits():
    assert names([step("last", "first", "middle"), step("middle", "first"), step("first")]) == [
        "first",
        "middle",
        "last",
    ]


@pytest.mark.parametrize(
    "graph",
    [
        (step("a", "a"),),
        (step("a", "b"), step("b", "a")),
        (step("start"), step("a", "start", "c"), step("b", "a"), step("c", "b")),
    ],
    ids=["itself", "each other", "in a ring"],
)
def test_steps_that_wait_for_each_other_are_an_error(graph):
    with pytest.raises(ValueError, match="wait"):
        in_order(graph)


def test_the_error_for_a_step_that_waits_for_a_missing_one_names_it():
    with pytest.raises(ValueError, match="lonely"):
        in_order((step("start"), step("lonely", "nobody")))


@examples(max_examples=60, deadline=None)
@given(st.integers(0, 12), st.randoms(use_true_random=False))
def test_any_graph_without_a_cycle_can_be_ordered(size: int, rng: random.Random):
    graph = [step(str(n), *(str(m) for m in range(n) if rng.random() < 0.3)) for n in range(size)]
    rng.shuffle(graph)
    order = names(graph)
    assert sorted(order) == sorted(s.name for s in graph)
    assert all(order.index(before) < order.index(s.name) for s in graph for before in s.after)


def test_the_steps_of_a_night_wait_for_each_other_in_this_order():
    ingest = {"ingest_images", "ingest_users", "ingest_interactions", "ingest_judgements"}
    waits_for = {step.name: set(step.after) for step in GRAPHS["nightly"]}
    assert waits_for == {
        **{job: set() for job in ingest},
        "profile_lake": ingest,
        "build_training_examples": ingest,
        "train_encoder": {"build_training_examples"},
        "compare_models": {"train_encoder"},
        "embed_images": {"compare_models"},
        "measure_online": ingest,
        "build_index": {"embed_images"},
        "publish_index": {"build_index"},
        "monitor": {"publish_index"},
        "evaluate": {"publish_index"},
    }
    assert not [step.name for step in GRAPHS["nightly"] if step.options.words()]


def test_only_a_retraining_fails_if_its_model_is_not_promoted():
    strict = {graph: [s.name for s in steps if "--strict" in s.options.words()] for graph, steps in GRAPHS.items()}
    assert {graph: steps for graph, steps in strict.items() if steps} == {"retrain": ["compare_models"]}


def test_a_graph_that_makes_a_model_compares_it_before_it_embeds():
    for graph in ("nightly", "retrain"):
        order = names(GRAPHS[graph])
        assert order.index("train_encoder") < order.index("compare_models") < order.index("embed_images")


def test_a_retraining_makes_new_examples_and_a_new_model_and_ingests_nothing():
    retrained = [step.name for step in GRAPHS["retrain"] if step.options.words() == ("--retrain",)]
    assert retrained == ["build_training_examples", "train_encoder"]
    assert not [step.name for step in GRAPHS["retrain"] if step.name.startswith("ingest")]
