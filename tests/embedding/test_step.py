"""Each living image has one vector of the current model, and no run computes what an earlier one did."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from vsearch_lib.embedding import store
from vsearch_lib.embedding.pending import Pending
from vsearch_lib.errors import ArtefactError, GateRefused, WriteConflict
from vsearch_lib.models.load import load_model

BROKEN = b"\xff\xd8\xff\xe0 cut"


def expected(catalogue, jpegs: dict[str, bytes], version: str = "m1") -> dict[str, np.ndarray]:
    embedder = load_model(catalogue.settings.models.uri, version).embedder(batch_size=1)
    return {name: embedder.embed([jpeg])[0] for name, jpeg in jpegs.items()}


def assert_same(found: dict[str, np.ndarray], wanted: dict[str, np.ndarray]) -> None:
    assert set(found) == set(wanted)
    assert min(found[name] @ wanted[name] for name in wanted) >= 0.9999


def test_a_night_embeds_what_is_new_and_drops_what_left(catalogue, jpegs, draw):
    catalogue.land({**jpegs, "copy": jpegs["image-03"]})
    figures = catalogue.embed()
    assert (figures["images_embedded"], figures["images_not_embeddable"]) == (11, 0)
    assert figures["pictures_computed"] == 10
    assert_same(catalogue.vectors(), expected(catalogue, {**jpegs, "copy": jpegs["image-03"]}))
    for rate in ("images_per_second_per_core", "decode_ms_per_image", "forward_ms_per_image"):
        assert figures[rate] > 0
    assert figures["slowest_task_to_median"] >= 1
    versions = catalogue.versions()

    figures = catalogue.embed()
    assert figures == {"images_embedded": 0, "images_not_embeddable": 0, "embeddings_removed": 0}
    assert catalogue.versions() == versions

    # New tags are no new picture; new bytes are; one image goes, and one is blocked.
    digests = {row["image_id"]: row["sha256"] for row in catalogue.lake.read("images").collect()}
    catalogue.images({"image-00": digests["image-00"]}, tags=["other"])
    catalogue.land({"image-01": draw(101), "new": draw(102)})
    catalogue.images({"image-02": digests["image-02"]}, deleted_at=datetime(2024, 5, 7, tzinfo=UTC))
    catalogue.images({"image-03": digests["image-03"]}, moderation="blocked")
    figures = catalogue.embed()
    assert (figures["images_embedded"], figures["embeddings_removed"]) == (2, 2)
    living = {**jpegs, "copy": jpegs["image-03"], "image-01": draw(101), "new": draw(102)}
    living = {name: jpeg for name, jpeg in living.items() if name not in ("image-02", "image-03")}
    assert_same(catalogue.vectors(), expected(catalogue, living))

    # Back again: its pixels came long before.
    catalogue.images({"image-02": digests["image-02"]})
    assert catalogue.embed()["images_embedded"] == 1
    assert "image-02" in catalogue.vectors()


def test_a_new_model_embeds_all_and_the_old_vectors_stay(catalogue, jpegs):
    catalogue.land(jpegs)
    catalogue.embed()
    before = catalogue.vectors("m1")
    catalogue.model("m2", seed=2)
    assert catalogue.embed()["images_embedded"] == len(jpegs)
    assert_same(catalogue.vectors("m2"), expected(catalogue, jpegs, "m2"))
    assert_same(catalogue.vectors("m1"), before)


def test_without_its_note_a_run_compares_everything_and_finds_the_same(catalogue, jpegs, draw):
    catalogue.land(jpegs)
    catalogue.embed()
    catalogue.land({"new": draw(50)})
    catalogue.images({"image-05": "0" * 64}, deleted_at=datetime(2024, 5, 7, tzinfo=UTC))
    shutil.rmtree(Path(catalogue.settings.lake.uri) / "read_positions")
    figures = catalogue.embed()
    assert (figures["images_embedded"], figures["embeddings_removed"]) == (1, 1)
    assert set(catalogue.vectors()) == {*jpegs, "new"} - {"image-05"}


def test_a_run_that_was_cut_off_before_its_note_changes_nothing_when_it_comes_again(catalogue, jpegs, draw):
    catalogue.land(jpegs)
    catalogue.embed()
    notes = Path(catalogue.settings.lake.uri) / "read_positions"
    before = {note: note.read_bytes() for note in notes.iterdir()}
    digests = {row["image_id"]: row["sha256"] for row in catalogue.lake.read("images").collect()}
    catalogue.land({"image-01": draw(101), "new": draw(102)})
    catalogue.images({"image-02": digests["image-02"]}, deleted_at=datetime(2024, 5, 7, tzinfo=UTC))
    assert catalogue.embed()["embeddings_removed"] == 1
    versions, vectors = catalogue.versions(), catalogue.vectors()
    for note, content in before.items():
        note.write_bytes(content)
    figures = catalogue.embed()
    assert (figures["images_embedded"], figures["embeddings_removed"]) == (2, 0)
    assert catalogue.versions() == versions
    assert_same(catalogue.vectors(), vectors)


def computed(catalogue) -> set[str]:
    """The files of vectors that tasks have written and no commit has taken in."""
    pending = Pending(catalogue.lake, "m1")
    return {f"{pending.uri}/{name}" for name in pending.files()}


def test_a_run_that_is_cut_off_leaves_its_vectors_to_the_next(catalogue, jpegs, monkeypatch):
    catalogue.land(jpegs)
    with monkeypatch.context() as cut:
        cut.setattr(store, "check_unchanged", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            catalogue.embed()
    files = computed(catalogue)
    assert len(files) > 1
    assert not catalogue.lake.exists("embeddings")
    lost = sorted(files)[0]
    Path(lost).unlink()
    figures = catalogue.embed()
    assert figures["images_embedded"] == len(jpegs)
    assert 0 < figures["pictures_computed"] <= 4  # what the lost file held, and nothing else
    assert_same(catalogue.vectors(), expected(catalogue, jpegs))
    assert computed(catalogue) == set()


def test_a_run_whose_vectors_another_took_away_says_so_and_the_next_makes_them(catalogue, jpegs, monkeypatch):
    catalogue.land(jpegs)
    with monkeypatch.context() as rival:
        rival.setattr(store, "check_unchanged", lambda *_: Path(sorted(computed(catalogue))[0]).unlink())
        with pytest.raises(WriteConflict, match="run this step again"):
            catalogue.embed()
    assert 0 < len(catalogue.vectors()) < len(jpegs)
    catalogue.embed()
    assert_same(catalogue.vectors(), expected(catalogue, jpegs))


def test_pixels_that_give_no_vector_are_listed_and_a_mend_takes_them_off(catalogue, jpegs, draw):
    digest = "b" * 64
    catalogue.pixels([BROKEN], [digest])
    catalogue.images({"broken": digest, "without": "c" * 64})
    catalogue.land(jpegs)
    figures = catalogue.embed("quality.max_refused_share=0.5")
    assert (figures["images_embedded"], figures["images_not_embeddable"]) == (len(jpegs), 2)
    listed = {row["source"]: row["reason"] for row in catalogue.lake.read("quarantine").collect()}
    assert listed == {"broken": "undecodable", "without": "missing_pixels"}
    assert set(catalogue.vectors()) == set(jpegs)

    catalogue.pixels([draw(60)], [digest])
    figures = catalogue.embed("quality.max_refused_share=0.5", retry=True)
    assert (figures["images_embedded"], figures["images_not_embeddable"]) == (1, 1)
    assert [row["source"] for row in catalogue.lake.read("quarantine").collect()] == ["without"]
    assert set(catalogue.vectors()) == {*jpegs, "broken"}


def test_pixels_that_came_twice_do_not_hide_that_others_are_missing(catalogue, jpegs, draw):
    catalogue.land(jpegs)
    catalogue.embed()
    catalogue.land({"new": draw(50)})
    twice = catalogue.lake.read("images").where("image_id = 'new'").select("sha256")
    digest = twice.collect()[0]["sha256"]
    catalogue.lake.delete_keys("image_pixels", twice)
    catalogue.pixels([draw(50)], [digest])
    catalogue.images({"without": "c" * 64})
    figures = catalogue.embed("quality.max_refused_share=0.5")
    assert (figures["images_embedded"], figures["images_not_embeddable"]) == (1, 1)
    assert [row["source"] for row in catalogue.lake.read("quarantine").collect()] == ["without"]


def test_a_share_above_the_limit_commits_nothing_and_loses_nothing(catalogue, jpegs):
    catalogue.pixels([BROKEN], ["b" * 64])
    catalogue.images({"broken": "b" * 64})
    catalogue.land(jpegs)
    before = catalogue.versions()
    with pytest.raises(GateRefused, match="undecodable: 1"):
        catalogue.embed("quality.max_refused_share=0.05")
    assert catalogue.versions() == before
    held = computed(catalogue)
    assert held
    assert catalogue.embed("quality.max_refused_share=0.5")["images_embedded"] == len(jpegs)


def test_a_model_that_changes_during_the_run_is_refused(catalogue, jpegs, monkeypatch):
    catalogue.land(jpegs)
    compute = store.embed_pixels

    def tampered(*arguments):
        found = compute(*arguments)
        (Path(catalogue.settings.models.uri) / "m1" / "graph.bin").write_bytes(b"other")
        return found

    monkeypatch.setattr(store, "embed_pixels", tampered)
    with pytest.raises(ArtefactError, match=r"graph\.bin is not what its card says"):
        catalogue.embed()
    assert not catalogue.lake.exists("embeddings")


def test_a_model_whose_card_disagrees_with_its_files_is_refused(catalogue, jpegs):
    catalogue.land(jpegs)
    card = Path(catalogue.settings.models.uri) / "m1" / "card.json"
    card.write_text(card.read_text().replace('"dimension": 128,\n  "files"', '"dimension": 64,\n  "files"'))
    with pytest.raises(ArtefactError, match="64"):
        catalogue.embed()
    assert computed(catalogue) == set()


def test_an_empty_lake_is_nothing_to_do(catalogue):
    assert catalogue.embed() == {"images_embedded": 0, "images_not_embeddable": 0, "embeddings_removed": 0}
