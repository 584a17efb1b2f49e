"""Each living image has one vector of the current model, and no run computes a vector that an earlier one computed."""

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


def assert_same(vectors: dict[str, np.ndarray], wanted: dict[str, np.ndarray]) -> None:
    assert set(vectors) == set(wanted)
    assert min(vectors[name] @ wanted[name] for name in wanted) >= 0.9999


def test_a_night_embeds_new_images_and_deletes_the_vectors_of_others(catalogue, jpegs, draw):
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

    # One image has new tags but the same picture, one has new bytes, one is new, one is deleted, and one is blocked.
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

    # The image is restored; its pixels were stored long before.
    catalogue.images({"image-02": digests["image-02"]})
    assert catalogue.embed()["images_embedded"] == 1
    assert "image-02" in catalogue.vectors()


def test_a_new_model_embeds_all_images_and_the_vectors_of_the_old_model_stay(catalogue, jpegs):
    catalogue.land(jpegs)
    catalogue.embed()
    before = catalogue.vectors("m1")
    catalogue.model("m2", seed=2)
    assert catalogue.embed()["images_embedded"] == len(jpegs)
    assert_same(catalogue.vectors("m2"), expected(catalogue, jpegs, "m2"))
    assert_same(catalogue.vectors("m1"), before)


def test_without_read_positions_a_run_compares_everything_with_the_same_result(catalogue, jpegs, draw):
    catalogue.land(jpegs)
    catalogue.embed()
    catalogue.land({"new": draw(50)})
    catalogue.images({"image-05": "0" * 64}, deleted_at=datetime(2024, 5, 7, tzinfo=UTC))
    shutil.rmtree(Path(catalogue.settings.lake.uri) / "read_positions")
    figures = catalogue.embed()
    assert (figures["images_embedded"], figures["embeddings_removed"]) == (1, 1)
    assert set(catalogue.vectors()) == {*jpegs, "new"} - {"image-05"}


def test_repeating_a_run_that_did_not_save_its_read_positions_changes_nothing(catalogue, jpegs, draw):
    catalogue.land(jpegs)
    catalogue.embed()
    positions = Path(catalogue.settings.lake.uri) / "read_positions"
    before = {file: file.read_bytes() for file in positions.iterdir()}
    digests = {row["image_id"]: row["sha256"] for row in catalogue.lake.read("images").collect()}
    catalogue.land({"image-01": draw(101), "new": draw(102)})
    catalogue.images({"image-02": digests["image-02"]}, deleted_at=datetime(2024, 5, 7, tzinfo=UTC))
    assert catalogue.embed()["embeddings_removed"] == 1
    versions, vectors = catalogue.versions(), catalogue.vectors()
    for file, content in before.items():
        file.write_bytes(content)
    figures = catalogue.embed()
    assert (figures["images_embedded"], figures["embeddings_removed"]) == (2, 0)
    assert catalogue.versions() == versions
    assert_same(catalogue.vectors(), vectors)


def pending_files(catalogue) -> set[str]:
    """Return the files of vectors that tasks have written and no run has committed."""
    pending = Pending(catalogue.lake, "m1")
    return {f"{pending.uri}/{name}" for name in pending.files()}


def test_the_next_run_uses_the_vectors_of_an_interrupted_run(catalogue, jpegs, monkeypatch):
    catalogue.land(jpegs)
    with monkeypatch.context() as cut:
        cut.setattr(store, "check_unchanged", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            catalogue.embed()
    files = pending_files(catalogue)
    assert len(files) > 1
    assert not catalogue.lake.exists("embeddings")
    lost = sorted(files)[0]
    Path(lost).unlink()
    figures = catalogue.embed()
    assert figures["images_embedded"] == len(jpegs)
    assert 0 < figures["pictures_computed"] <= 4  # what the lost file held, and nothing else
    assert_same(catalogue.vectors(), expected(catalogue, jpegs))
    assert pending_files(catalogue) == set()


def test_a_run_whose_pending_vectors_another_run_deleted_reports_a_conflict(catalogue, jpegs, monkeypatch):
    catalogue.land(jpegs)
    with monkeypatch.context() as concurrent_run:
        concurrent_run.setattr(store, "check_unchanged", lambda *_: Path(sorted(pending_files(catalogue))[0]).unlink())
        with pytest.raises(WriteConflict, match="run this step again"):
            catalogue.embed()
    assert 0 < len(catalogue.vectors()) < len(jpegs)
    catalogue.embed()
    assert_same(catalogue.vectors(), expected(catalogue, jpegs))


def test_images_without_a_vector_are_quarantined_until_they_are_mended(catalogue, jpegs, draw):
    digest = "b" * 64
    catalogue.pixels([BROKEN], [digest])
    catalogue.images({"broken": digest, "without": "c" * 64})
    catalogue.land(jpegs)
    figures = catalogue.embed("quality.max_refused_share=0.5")
    assert (figures["images_embedded"], figures["images_not_embeddable"]) == (len(jpegs), 2)
    quarantined = {row["source"]: row["reason"] for row in catalogue.lake.read("quarantine").collect()}
    assert quarantined == {"broken": "undecodable", "without": "missing_pixels"}
    assert set(catalogue.vectors()) == set(jpegs)

    catalogue.pixels([draw(60)], [digest])
    figures = catalogue.embed("quality.max_refused_share=0.5", retry=True)
    assert (figures["images_embedded"], figures["images_not_embeddable"]) == (1, 1)
    assert [row["source"] for row in catalogue.lake.read("quarantine").collect()] == ["without"]
    assert set(catalogue.vectors()) == {*jpegs, "broken"}


def test_pixels_that_were_stored_twice_do_not_hide_missing_pixels(catalogue, jpegs, draw):
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


def test_a_refused_share_above_the_limit_commits_nothing_and_keeps_pending_vectors(catalogue, jpegs):
    catalogue.pixels([BROKEN], ["b" * 64])
    catalogue.images({"broken": "b" * 64})
    catalogue.land(jpegs)
    before = catalogue.versions()
    with pytest.raises(GateRefused, match="undecodable: 1"):
        catalogue.embed("quality.max_refused_share=0.05")
    assert catalogue.versions() == before
    assert pending_files(catalogue)
    assert catalogue.embed("quality.max_refused_share=0.5")["images_embedded"] == len(jpegs)


def test_a_model_that_changes_during_the_run_is_refused(catalogue, jpegs, monkeypatch):
    catalogue.land(jpegs)
    compute = store.embed_pixels

    def tampered(*arguments):
        embedded = compute(*arguments)
        (Path(catalogue.settings.models.uri) / "m1" / "graph.bin").write_bytes(b"other")
        return embedded

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
    assert pending_files(catalogue) == set()


def test_an_empty_lake_has_no_image_to_embed(catalogue):
    assert catalogue.embed() == {"images_embedded": 0, "images_not_embeddable": 0, "embeddings_removed": 0}
