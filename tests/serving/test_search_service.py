"""The search service answers like the searcher, follows the published version, and widens its shortlist."""

from __future__ import annotations

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from tests.support.served_pictures import PICTURES, publish_pictures, registered_model
from tests.support.stored_pictures import image, store
from vsearch_lib.artefact.strangers import Strangers
from vsearch_lib.config import Settings
from vsearch_lib.errors import ArtefactError, InvalidArgument, UnknownImage
from vsearch_lib.images.decode import normalise
from vsearch_lib.publishing.publication import publish
from vsearch_lib.publishing.retention import roll_back
from vsearch_lib.search.filter import Filter
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.serving.ask import Ask, Crop
from vsearch_lib.serving.query import limits_of
from vsearch_lib.serving.search_service import SearchService
from vsearch_lib.storage import open_store

NOW = datetime(2026, 3, 1, tzinfo=UTC)
VISIBLE = [f"image-{i}" for i in range(PICTURES) if i not in (3, 5)]


def answered(service: SearchService, ask: Ask) -> list[str]:
    return [answer.image_id for answer in service.search(ask).answers]


def changed(settings: Settings, **serving: object) -> Settings:
    return settings.model_copy(update={"serving": settings.serving.model_copy(update=serving)})


def test_every_picture_and_every_image_of_both_shards_finds_itself_first(served_pictures, picture_files):
    service = SearchService.open(served_pictures)
    for image_id in VISIBLE:
        picture = picture_files[int(image_id.removeprefix("image-"))].read_bytes()
        for ask in (Ask(image_id=image_id, copies=True), Ask(picture=picture, copies=True)):
            first = service.search(ask).answers[0]
            assert first.image_id == image_id
            assert first.cosine > 0.998


def test_answers_are_those_of_the_searcher(served_pictures):
    service = SearchService.open(served_pictures)
    searcher = Searcher.open(served_pictures.index.uri, cache=served_pictures.cache)
    for row in range(PICTURES):
        hits = searcher.search(searcher.vectors(np.array([row])), 6)
        image_id = searcher.rows["image_id"][row].as_py()
        if image_id not in VISIBLE:
            continue
        answers = service.search(Ask(image_id=image_id, k=6, copies=True)).answers
        assert [a.image_id for a in answers] == [fact["image_id"] for fact in searcher.describe(hits.ids[0])]
        assert [a.cosine for a in answers] == pytest.approx(np.minimum(hits.scores[0], 1).tolist(), abs=1e-5)
        assert answers[0].source_uri == f"file:///pictures/{image_id}.jpg"


def test_a_query_and_its_examples_are_no_answers(served_pictures):
    service = SearchService.open(served_pictures)
    ask = Ask(image_id="image-0", like=("image-1", "image-2"), unlike=("image-4",), k=50)
    assert set(answered(service, ask)) == set(VISIBLE) - {"image-0", "image-1", "image-2", "image-4"}
    assert set(answered(service, replace(ask, copies=True))) == set(VISIBLE)


def test_examples_move_the_answers(served_pictures):
    service = SearchService.open(served_pictures)
    near = {answer.image_id: answer.cosine for answer in service.search(Ask(image_id="image-0", k=50)).answers}
    moved = service.search(Ask(image_id="image-0", like=("image-9",), unlike=("image-8",), k=50, copies=True)).answers
    cosines = {answer.image_id: answer.cosine for answer in moved}
    assert cosines["image-9"] > near["image-9"]
    assert cosines["image-9"] - near["image-9"] > cosines["image-8"] - near["image-8"]


def test_an_expanded_query_is_nearer_to_its_first_answers(served_pictures):
    service = SearchService.open(served_pictures)
    plain, expanded = (service.search(Ask(image_id="image-0", k=50, expand=expand)).answers for expand in (False, True))
    before, after = ({answer.image_id: answer.cosine for answer in answers} for answers in (plain, expanded))
    assert after[plain[0].image_id] > before[plain[0].image_id]
    nobody = Ask(image_id="image-0", wanted=Filter(owner_id="nobody"), expand=True)
    assert service.search(nobody).answers == ()


@pytest.mark.parametrize("argument", ["image_id", "like", "unlike"])
@pytest.mark.parametrize("viewer", [None, "owner-4", ""])
def test_a_hidden_image_is_reported_as_one_that_does_not_exist(served_pictures, argument, viewer):
    service = SearchService.open(served_pictures)
    messages = []
    for image_id in ("image-3", "image-5", "nowhere"):
        named = {"image_id": image_id} if argument == "image_id" else {"image_id": "image-0", argument: (image_id,)}
        with pytest.raises(UnknownImage) as refused:
            service.search(Ask(wanted=Filter(viewer_id=viewer), **named))
        messages.append(str(refused.value).replace(image_id, "ID"))
    assert set(messages) == {f"{argument} ID: there is no such image; give the id of an answer"}


def test_an_owner_searches_with_and_finds_a_private_image(served_pictures):
    service = SearchService.open(served_pictures)
    own = Filter(viewer_id="owner-3")
    assert answered(service, Ask(image_id="image-3", wanted=own, copies=True))[0] == "image-3"
    assert "image-3" in answered(service, Ask(image_id="image-0", wanted=own, k=50))
    assert service.facts(["image-3", "image-5", "image-0", "nowhere"], "owner-3").keys() == {"image-3", "image-0"}
    assert service.facts(["image-3", "image-5", "image-0"], None).keys() == {"image-0"}


def test_random_images_are_public(served_pictures):
    service = SearchService.open(served_pictures)
    assert set(service.random_ids(100)) == set(VISIBLE)
    assert len(set(service.random_ids(4))) == 4
    assert len({tuple(service.random_ids(4)) for _ in range(20)}) > 1


def test_a_crop_of_an_upload_is_returned_as_fractions_and_changes_the_answers(served_pictures, picture_files):
    service = SearchService.open(served_pictures)
    picture = picture_files[4].read_bytes()
    whole = service.search(Ask(picture=picture, copies=True))
    part = service.search(Ask(picture=picture, crop=Crop(0, 0, 48, 40), copies=True))
    assert (whole.crop, part.crop) == (None, (0, 0, 0.5, 0.5))
    assert [a.cosine for a in whole.answers] != [a.cosine for a in part.answers]
    assert service.crop_of(Ask(picture=picture)).crop is None


def test_a_picture_without_a_vector_is_refused_in_one_line(served_pictures, picture_files, monkeypatch):
    service = SearchService.open(served_pictures)
    monkeypatch.setattr("vsearch_lib.encoder.embed._MIN_LENGTH", 1e9)  # no picture has features so long
    with pytest.raises(InvalidArgument, match="image has no vector: vector_zero"):
        service.search(Ask(picture=picture_files[0].read_bytes()))


def test_the_time_of_each_service_is_reported(served_pictures, picture_files):
    service = SearchService.open(served_pictures)
    taken = service.search(Ask(picture=picture_files[0].read_bytes())).timings_ms
    assert min(taken.embedding, taken.neighbours, taken.ranking) > 0
    assert service.search(Ask(image_id="image-0")).timings_ms.embedding == 0


# Crops of stored pictures, which are read from the lake.


@pytest.fixture
def stored(served_pictures, lake, picture_files) -> Settings:
    """The lake of the pictures; image-1 became private after the index was built. Owners are those of the index."""
    hidden = {i: {"visibility": "private"} for i in (1, 3)} | {5: {"moderation": "blocked"}}
    images = [image(f"image-{i}", f"{i:064}", owner_id=f"owner-{i % 5}", **hidden.get(i, {})) for i in range(PICTURES)]
    limits = limits_of(served_pictures)
    store(lake, images, {f"{i:064}": normalise(f.read_bytes(), limits).jpeg for i, f in enumerate(picture_files)})
    return served_pictures


def test_a_part_of_a_stored_picture_is_searched_like_that_part_of_the_file(stored, picture_files):
    service = SearchService.open(stored)
    part = Crop(16, 0, 48, 40)  # of 96 x 80 pixels
    of_image = service.search(Ask(image_id="image-4", crop=part, copies=True, k=50))
    of_file = service.search(Ask(picture=picture_files[4].read_bytes(), crop=part, copies=True, k=50))
    assert of_image.crop == of_file.crop == (1 / 6, 0, 0.5, 0.5)
    cosines = [{a.image_id: a.cosine for a in answers.answers} for answers in (of_image, of_file)]
    assert cosines[0] == pytest.approx(cosines[1], abs=0.02)
    assert "image-4" not in answered(service, Ask(image_id="image-4", crop=part, k=50))


def test_a_part_of_a_picture_that_is_hidden_now_is_not_searched(stored):
    service, part = SearchService.open(stored), Crop(0, 0, 0.5, 0.5)
    for image_id, viewer in (("image-1", None), ("image-1", "owner-4"), ("image-3", "owner-1"), ("image-5", "owner-0")):
        with pytest.raises(UnknownImage):
            service.search(Ask(image_id=image_id, crop=part, wanted=Filter(viewer_id=viewer)))
    assert answered(service, Ask(image_id="image-1", crop=part, wanted=Filter(viewer_id="owner-1")))
    assert answered(service, Ask(image_id="image-3", crop=part, wanted=Filter(viewer_id="owner-3")))
    assert service.crop_of(Ask(image_id="image-0")).jpeg.startswith(b"\xff\xd8")


# Versions change.


@pytest.fixture
def two_models(served_pictures, small_index, picture_files) -> Settings:
    """v1 by m1 is served; v2, by m2, is published after it."""
    model = registered_model(served_pictures, "m2", seed=8)
    publish_pictures(served_pictures, small_index, picture_files, model, version="v2", parent="v1")
    roll_back(open_store(served_pictures.index.uri), "v1", now=NOW)
    return served_pictures


def test_index_and_model_change_together_while_threads_search(two_models, picture_files):
    """With the model of another version no picture would be as similar to itself."""
    service = SearchService.open(two_models)
    pictures = [picture_files[i].read_bytes() for i in (0, 1, 2, 4)]
    stop = threading.Event()

    def search(number: int) -> set[str]:
        seen = set()
        while not stop.is_set():
            answers = service.search(Ask(picture=pictures[number], k=1, copies=True))
            assert answers.answers[0].cosine > 0.998
            seen.add(answers.version)
        return seen

    with ThreadPoolExecutor(4) as threads:
        searches = threads.map(search, range(4))
        try:
            assert service.refresh() is False
            for version in ["v2", "v1"] * 5:
                roll_back(open_store(two_models.index.uri), version, now=NOW)
                assert service.refresh() is True
                assert service.version == version
        finally:
            stop.set()
        assert set().union(*searches) == {"v1", "v2"}


def test_if_the_new_model_is_damaged_the_old_version_is_searched_until_it_is_restored(two_models, picture_files):
    service = SearchService.open(two_models)
    roll_back(open_store(two_models.index.uri), "v2", now=NOW)
    graph = Path(two_models.models.uri, "m2", "graph.bin")
    shutil.move(graph, graph.with_suffix(".away"))
    for _ in range(2):
        with pytest.raises(ArtefactError, match=r"graph\.bin"):
            service.refresh()
        assert service.version == "v1"
        picture = picture_files[0].read_bytes()
        assert service.search(Ask(picture=picture, copies=True)).answers[0].cosine > 0.998
    shutil.move(graph.with_suffix(".away"), graph)
    assert service.refresh() is True
    assert service.version == "v2"


def test_a_missing_model_is_reported_by_the_first_query_with_a_picture(served_pictures, picture_files):
    shutil.rmtree(served_pictures.models.uri)
    service = SearchService.open(served_pictures)
    assert service.search(Ask(image_id="image-0")).answers
    with pytest.raises(ArtefactError, match=r"card\.json is missing"):
        service.search(Ask(picture=picture_files[0].read_bytes()))


# Rules leave too few answers.


@pytest.fixture
def crowded(settings, small_index) -> Settings:
    """A catalogue of 300 images whose first 200 are copies of one."""
    content = small_index.catalogue(rows=300)
    vectors = content.vectors.copy()
    vectors[:200] = vectors[0]
    # Hashes of the others differ in many bits.
    hashes = [f"{1 if row < 200 else (row * 0x9E3779B97F4A7C15) % 2**64:016x}" for row in range(300)]
    public = ["public"] * 300
    made = small_index.Catalogue(content.ids, vectors, public, ["ok"] * 300, hashes)
    built = small_index.build(settings.index.uri, made, factory="IVF1,Flat")
    publish(open_store(settings.index.uri), built, now=NOW)
    return settings


def test_if_copies_fill_the_shortlist_it_widens(crowded):
    service = SearchService.open(crowded)
    answers = service.search(Ask(image_id="image-00000", k=5))
    assert len(answers.answers) == 5
    assert all(int(answer.image_id.removeprefix("image-")) >= 200 for answer in answers.answers)
    assert answers.note.startswith("the catalogue has this picture: image-00001, ")
    assert answered(service, Ask(image_id="image-00000", k=5, copies=True)) == [f"image-{i:05d}" for i in range(5)]


def test_a_shortlist_has_a_limit_and_a_note_says_why_answers_are_missing(crowded):
    other = Ask(image_id="image-00250", k=120)
    answers = SearchService.open(changed(crowded, max_shortlist=150)).search(other)
    assert len(answers.answers) < 100
    assert "copies of other answers (" in answers.note
    assert len(answered(SearchService.open(crowded), replace(other, k=100))) == 100


def test_answers_below_the_calibrated_cut_off_are_left_out(crowded, small_index):
    strangers = Strangers(300, 10_000, dict.fromkeys((0.5, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999), 0.6))
    store = open_store(crowded.index.uri)
    served = SearchService.open(crowded)
    free = served.search(Ask(image_id="image-00250", k=50))
    manifest = Searcher.open(crowded.index.uri, cache=crowded.cache).manifest
    publish(store, replace(manifest, version="v2", parent="v1", strangers=strangers), now=NOW)
    calibrated = SearchService.open(crowded).search(Ask(image_id="image-00250", k=50))
    expected = [answer.image_id for answer in free.answers if answer.cosine >= 0.6]
    assert 0 < len(expected) < 50
    assert [answer.image_id for answer in calibrated.answers] == expected
    assert calibrated.note.startswith(f"only {len(expected)} found; left out: ")
    assert "not similar enough (" in calibrated.note
    off = SearchService.open(changed(crowded, strangers_below=None)).search(Ask(image_id="image-00250", k=50))
    assert off.answers == free.answers


def test_a_limit_for_each_owner_is_kept_by_looking_further(crowded):
    service = SearchService.open(changed(crowded, max_per_owner=2))
    answers = service.search(Ask(image_id="image-00250", k=10)).answers
    owners = [answer.owner_id for answer in answers]
    assert len(owners) == 10
    assert max(map(owners.count, owners)) == 2


def test_only_an_uploaded_whole_picture_has_a_suggested_crop(served_pictures, picture_files):
    service = SearchService.open(served_pictures)
    suggestions = [service.search(Ask(picture=file.read_bytes())).suggested_crop for file in picture_files]
    boxes = [box for box in suggestions if box is not None]
    assert boxes
    for x, y, width, height in boxes:
        assert min(x, y) >= 0
        assert max(x + width, y + height) <= 1 + 1e-9
    picture = picture_files[suggestions.index(boxes[0])].read_bytes()
    assert service.search(Ask(picture=picture, crop=Crop(0, 0, 0.9, 0.9))).suggested_crop is None
    assert service.search(Ask(image_id="image-0")).suggested_crop is None


def test_what_the_model_looks_at_is_shown_for_an_upload_an_image_and_a_part(stored, picture_files):
    service = SearchService.open(stored)
    picture = picture_files[0].read_bytes()
    crop = Crop(0, 0, 0.5, 0.5)
    asks = [Ask(picture=picture), Ask(image_id="image-0"), Ask(picture=picture, crop=crop)]
    seen = [service.look(ask, "image-2") for ask in asks]
    assert seen[0] == seen[1]
    assert seen[2].query != seen[0].query
    for look in seen:
        for rows in (look.query, look.answer):
            assert max(map(max, rows)) == 1
            assert min(map(min, rows)) >= 0
    with pytest.raises(InvalidArgument, match="image is missing"):
        service.look(Ask(like=("image-0",)), "image-2")


def test_a_hidden_answer_is_not_looked_at(stored):
    service = SearchService.open(stored)
    for answer_id in ("image-3", "image-5", "nowhere"):
        with pytest.raises(UnknownImage, match=f"answer_id {answer_id}: there is no such image"):
            service.look(Ask(image_id="image-0"), answer_id)
    assert service.look(Ask(image_id="image-0", wanted=Filter(viewer_id="owner-3")), "image-3").answer


def test_an_image_that_the_asker_may_not_see_expands_no_query(served_pictures, picture_files):
    """The private image-3 is asked for by its own picture: it would be the first answer."""
    service = SearchService.open(served_pictures)
    ask = Ask(picture=picture_files[3].read_bytes(), expand=True, k=20, copies=True)
    own, others = (service.search(replace(ask, wanted=Filter(viewer_id=viewer))) for viewer in ("owner-3", "owner-4"))
    cosines = {answer.image_id: answer.cosine for answer in own.answers}
    assert "image-3" in cosines
    assert all(answer.image_id != "image-3" for answer in others.answers)
    assert others.answers[0].cosine > cosines[others.answers[0].image_id]
