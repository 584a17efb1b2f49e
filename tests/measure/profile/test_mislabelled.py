"""Tags that neighbours contradict are found, and tags that say nothing about looks are left out."""

from __future__ import annotations

from vsearch_lib.measure.profile.mislabelled import NEIGHBOURS, Doubt, doubts_of


def catalogue(wrong: dict[int, set[str]]) -> list[tuple[str, set[str], list[set[str]]]]:
    """40 mugs and 40 lamps, some tagged otherwise; the neighbours of each are the next of its kind."""
    own = [wrong.get(n, {"mug"} if n < 40 else {"lamp"}) for n in range(80)]
    found = []
    for n in range(80):
        kind = list(range(40) if n < 40 else range(40, 80))
        place = kind.index(n)
        near = (kind * 2)[place + 1 : place + 1 + NEIGHBOURS]
        found.append((f"image-{n:02d}", own[n], [own[m] for m in near]))
    return found


def doubts(images) -> list[Doubt]:
    return doubts_of(*(list(column) for column in zip(*images, strict=True)))


def test_an_image_with_the_tag_of_others_has_it_wrong_and_lacks_its_own():
    found = doubts(catalogue({3: {"lamp"}}))
    assert {(doubt.image_id, doubt.tag, doubt.kind) for doubt in found} == {
        ("image-03", "lamp", "wrong"),
        ("image-03", "mug", "missing"),
    }
    assert [doubt.share for doubt in found if doubt.kind == "wrong"] == [0.0]


def test_without_a_wrong_tag_nothing_is_in_doubt():
    assert doubts(catalogue({})) == []


def test_a_tag_that_neighbours_do_not_share_is_left_out():
    """Every fourth image is `new`, whatever it shows."""
    images = [
        (name, {*tags, *(["new"] if n % 4 == 0 else [])}, near) for n, (name, tags, near) in enumerate(catalogue({}))
    ]
    mixed = [
        (name, tags, [{*one, *(["new"] if k % 4 == 0 else [])} for k, one in enumerate(near)])
        for name, tags, near in images
    ]
    assert doubts(mixed) == []


def test_a_tag_of_few_images_is_left_out():
    found = doubts(catalogue({n: {"vase"} for n in range(5)}))
    assert {doubt.tag for doubt in found} == {"mug"}  # which they lack


def test_the_surest_doubts_come_first():
    found = doubts(catalogue({3: {"lamp"}, 5: {"lamp"}}))  # 5 is a neighbour of 3
    assert [(doubt.image_id, doubt.share) for doubt in found if doubt.kind == "wrong"] == [
        ("image-05", 0.0),
        ("image-03", 0.1),
    ]
