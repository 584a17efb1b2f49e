"""`build_training_examples` writes a snapshot of what may be learnt from, once for equal inputs, and nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.support.photo_catalogue import Catalogue
from tests.support.small_model import SMALL
from vsearch_lib.config import load_settings
from vsearch_lib.context import StepContext
from vsearch_lib.erasure.erase import erase
from vsearch_lib.errors import VsearchError
from vsearch_lib.examples import step
from vsearch_lib.examples.snapshot import Snapshot, read_snapshot
from vsearch_lib.lake.training_snapshots import training_snapshots_uri
from vsearch_lib.run.bodies import body_of
from vsearch_lib.storage import open_store
from vsearch_lib.training.local_snapshot import open_snapshot

#: All images are for training, and any single click is evidence.
ALL = (
    *SMALL,
    "examples.test_share=0",
    "examples.validation_share=0",
    "examples.candidates=3",
    "clicks.min_pair_impressions=1",
    "clicks.min_pair_clicks=1",
    "clicks.test_days=0",
)
FULL = ("examples.mix.click=1", "examples.negatives.same_tag_share=0.5", "clicks.min_boxes=6")
DAY = date(2024, 5, 7)


@dataclass(frozen=True)
class Built:
    """What the step wrote and said."""

    figures: Mapping[tuple[str, str], float]
    name: str | None
    said: list[str]


def build(catalogue, *overrides: str) -> Built:
    lake, said = catalogue.lake, list[str]()
    settings = load_settings("demo", [f"var={catalogue.settings.var}", *ALL, *overrides])
    job = StepContext(settings=settings, lake=lake, run_id=lake.run_id, say=said.append)
    figures = body_of("build_training_examples")(job, retrain=True)
    values = {(figure.metric, figure.slice): figure.value for figure in figures}
    return Built(values, job.made.get("training_snapshot"), said)


def rows_of(catalogue, name: str | None) -> list:
    return catalogue.lake.read("training_examples").where(f"snapshot = '{name}'").collect()


def described(catalogue, name: str) -> Snapshot:
    snapshot = read_snapshot(open_store(training_snapshots_uri(catalogue.lake)), name)
    assert snapshot is not None
    return snapshot


def judge(catalogue, scores: list[tuple[str, str, str, int]]) -> None:
    columns = "query_image_id string, image_id string, annotator string, score int, landed_on date"
    rows = catalogue.spark.createDataFrame([(*score, DAY) for score in scores], columns)
    catalogue.lake.upsert("judgements", rows)


def click(catalogue, pairs: list[tuple[str, str]], *, users: int = 3, box: tuple[float, float] | None = None) -> None:
    """Each of some users sees the images of each query on one page, and clicks all of them."""
    width, height = box or (None, None)
    at = datetime(2024, 5, 7, 12, tzinfo=UTC)
    rows = [
        (f"{kind}-{user}-{query}-{image}", f"u{user}", query, image, 1 + n, kind, at, DAY, f"r{user}-{query}")
        + ((0.0, 0.0, width, height) if box else (None,) * 4)
        for user in range(users)
        for n, (query, image) in enumerate(pairs)
        for kind in ("impression", "click")
    ]
    columns = (
        "event_id string, user_id string, query_image_id string, displayed_image_id string, position int, type string, "
        "occurred_at timestamp, event_date date, request_id string, crop_x double, crop_y double, crop_width double, "
        "crop_height double"
    )
    catalogue.lake.upsert("interactions", catalogue.spark.createDataFrame(rows, columns))


@pytest.fixture
def small(spark, settings) -> Catalogue:
    """An empty catalogue; no step here needs a model."""
    return Catalogue(spark, settings)


@pytest.fixture(scope="module")
def full(spark, tmp_path_factory, draw) -> tuple[Catalogue, Built]:
    """Ten images and a copy of one, two judged pairs, two clicked pairs with a box, and the snapshot made of them."""
    catalogue = Catalogue(spark, load_settings("demo", [f"var={tmp_path_factory.mktemp('full')}", *SMALL]))
    jpegs = {f"image-{seed:02d}": draw(seed) for seed in range(10)}
    catalogue.land({**jpegs, "copy": jpegs["image-09"]})
    scores = {"image-01": 5, "image-02": 1}
    judge(catalogue, [("image-00", image, who, score) for image, score in scores.items() for who in ("ann", "bob")])
    click(catalogue, [("image-03", "image-04"), ("image-00", "image-02")], box=(0.5, 0.5))
    return catalogue, build(catalogue, *FULL)


def test_each_source_gives_its_examples(full):
    catalogue, built = full
    rows = rows_of(catalogue, built.name)
    positives = {(row["source"], row["query_image_id"], row["candidate_image_ids"][row["label"]]) for row in rows}
    assert {one for one in positives if one[0] != "augmentation"} == {
        ("judgement", "image-00", "image-01"),
        ("click", "image-03", "image-04"),
        ("click", "image-00", "image-02"),
        ("cleaned_click", "image-03", "image-04"),
    }
    itself = {one[1:] for one in positives if one[0] == "augmentation"}
    assert itself == {(image, image) for image in ("copy", *(f"image-{n:02d}" for n in range(10)))}
    assert built.figures["training_examples", "all"] == len(rows) == len(positives)
    assert built.figures["training_examples", "click"] == 2
    assert built.figures["positives_without_negatives", "all"] == 0


def test_pairs_that_were_judged_or_clicked_as_similar_are_never_negatives(full):
    catalogue, built = full
    known = [{"image-00", "image-01"}, {"image-03", "image-04"}, {"image-00", "image-02"}, {"image-09", "copy"}]
    for row in rows_of(catalogue, built.name):
        negatives = set(row["candidate_image_ids"]) - {row["candidate_image_ids"][row["label"]]}
        assert len(negatives) == 2
        assert not any({row["query_image_id"], negative} in known for negative in negatives)


def test_the_files_hold_each_picture_once_and_the_examples_by_number(full, tmp_path):
    catalogue, built = full
    rows = rows_of(catalogue, built.name)
    assert sum(file.rows for file in described(catalogue, built.name).pictures) == 10
    local = open_snapshot(training_snapshots_uri(catalogue.lake), built.name, tmp_path)
    number_of = {hashlib.sha256(local.jpegs(np.array([number]))[0]).hexdigest(): number for number in range(10)}
    number = {row["image_id"]: number_of[row["sha256"]] for row in catalogue.lake.read("images").collect()}
    assert number["copy"] == number["image-09"]
    stored = [row for file in local.examples[0] for row in pq.read_table(file).to_pylist()]
    expected = [
        (number[row["query_image_id"]], *(number[c] for c in row["candidate_image_ids"]), row["label"], row["weight"])
        for row in rows
    ]
    names = ("query", "candidate_0", "candidate_1", "candidate_2", "label", "weight")
    assert sorted(tuple(row[name] for name in names) for row in stored) == sorted(expected)
    some = local.groups(np.array([number[f"image-{n:02d}"] for n in (0, 1, 3)]))
    assert local.related(some, some).tolist() == [
        [True, True, False],
        [True, True, False],
        [False, False, True],
    ]


def test_the_agreement_of_annotators_is_a_figure(full):
    assert full[1].figures["annotator_agreement", "all"] == 1


def test_the_boxes_that_users_drew_are_kept_as_quantiles(full):
    boxes = described(full[0], full[1].name).boxes
    assert (boxes.count, boxes.sides[0], boxes.sides[-1]) == (6, 0.5, 0.5)


def test_a_snapshot_made_twice_is_the_same_byte_for_byte(full):
    catalogue, first = full
    files, rows = described(catalogue, first.name), rows_of(catalogue, first.name)
    store = open_store(training_snapshots_uri(catalogue.lake))
    for key in store.list(""):
        store.delete(key)
    partitions = "spark.sql.shuffle.partitions"
    before = catalogue.spark.conf.get(partitions)
    catalogue.spark.conf.set(partitions, "5")
    try:
        again = build(catalogue, *FULL)
    finally:
        catalogue.spark.conf.set(partitions, before)
    assert again.name == first.name
    assert described(catalogue, again.name) == files

    def content(listed):
        return sorted((row["example_id"], *row["candidate_image_ids"], row["label"], row["weight"]) for row in listed)

    assert content(rows_of(catalogue, again.name)) == content(rows)
    used = build(catalogue, *FULL)
    assert used.said == [
        f"build_training_examples: snapshot {first.name} was made from the same inputs and is used again"
    ]
    assert used.figures["training_examples", "all"] == len(rows)


def test_by_choice_each_epoch_has_negatives_of_its_own(small, jpegs):
    small.land(jpegs)
    name = build(small, "examples.negatives.drawn_per=epoch", "training.epochs=3").name
    assert [sum(file.rows for file in part) for part in described(small, name).examples] == [10, 10, 10]
    sets = {n: set() for n in range(3)}
    for row in rows_of(small, name):
        sets[row["negative_set"]].add((row["query_image_id"], frozenset(row["candidate_image_ids"])))
    assert len({frozenset(found) for found in sets.values()}) == 3


def test_only_the_newest_snapshots_keep_their_files_and_an_erasure_deletes_those_that_hold_the_image(small, jpegs):
    small.land(jpegs)
    old, new = (build(small, f"examples.candidates_seed={n}", "examples.retained_snapshots=1").name for n in range(2))
    store = open_store(training_snapshots_uri(small.lake))
    assert {key.split("/")[0] for key in store.list("")} == {new}
    assert len(rows_of(small, old)) == 10
    killed = Path(training_snapshots_uri(small.lake)) / "unfinished" / "pictures" / "00000.parquet"
    killed.parent.mkdir(parents=True)
    killed.write_bytes(b"pictures of a run that was killed")
    erase(small.lake, "image", "an image of no snapshot")
    assert {key.split("/")[0] for key in store.list("")} == {new}
    erase(small.lake, "image", "image-03")
    assert store.list("") == []


def test_an_image_that_is_withdrawn_during_the_build_leaves_no_snapshot(small, jpegs, monkeypatch):
    small.land(jpegs)
    written = step.write_snapshot

    def write_and_withdraw(*inputs, **more):
        snapshot = written(*inputs, **more)
        digest = small.lake.read("images").where("image_id = 'image-03'").first()["sha256"]
        small.images({"image-03": digest}, visibility="private")
        return snapshot

    monkeypatch.setattr(step, "write_snapshot", write_and_withdraw)
    with pytest.raises(VsearchError, match="holds 1 image that may not be learnt from"):
        build(small)
    assert open_store(training_snapshots_uri(small.lake)).list("") == []
    assert small.lake.read("training_examples").count() == 0


def one_image(catalogue, jpegs):
    catalogue.land({"image-00": jpegs["image-00"]})


def all_private(catalogue, jpegs):
    catalogue.land(jpegs)
    digests = {row["image_id"]: row["sha256"] for row in catalogue.lake.read("images").collect()}
    catalogue.images(digests, visibility="private")


def all_duplicates(catalogue, jpegs):
    catalogue.land(dict.fromkeys(jpegs, jpegs["image-00"]))


def everything_clicked_for_everything(catalogue, jpegs):
    catalogue.land(jpegs)
    click(catalogue, [(query, image) for query in jpegs for image in jpegs if query != image], users=1)


@pytest.mark.parametrize(
    "land", [one_image, all_private, all_duplicates, everything_clicked_for_everything], ids=lambda f: f.__name__
)
def test_if_no_example_can_be_made_nothing_is_written_and_training_says_why(small, jpegs, land):
    land(small, jpegs)
    built = build(small, "clicks.min_clicks_of_robots=1000")
    assert "no example can be made" in built.said[0]
    assert (built.figures, built.name) == ({}, None)
    assert small.lake.read("training_examples").count() == 0
    settings = load_settings("demo", [f"var={small.settings.var}", *ALL])
    job = StepContext(settings=settings, lake=small.lake, run_id="run-9", say=lambda _: None)
    with pytest.raises(VsearchError, match=r"nothing to learn from: .* run retrain with more"):
        body_of("train_encoder")(job, retrain=True)
