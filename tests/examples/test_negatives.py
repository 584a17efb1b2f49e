"""Each example has one positive and negatives that nothing says belong to the query or the positive."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vsearch_lib.examples.negatives import Wanted, with_negatives
from vsearch_lib.examples.related import related_groups

POSITIVES = "example_id string, query_image_id string, image_id string"
IMAGES = "image_id string, group string, tags array<string>"


@pytest.fixture(scope="module")
def completed(spark):
    """Completed examples of pairs over images (id → group, tags), some of them known to belong together."""

    def of(pairs, images, *, known=(), wanted: Wanted, neighbours=None, seed: int = 1, partitions: int = 1):
        rows = [(name, group, list(tags)) for name, (group, tags) in images.items()]
        frame = spark.createDataFrame(rows, IMAGES).repartition(partitions)
        positives = [(f"{query}-{image}", query, image) for query, image in pairs]
        pairs_known = spark.createDataFrame(list(known), "query_image_id string, image_id string")
        near = neighbours and spark.createDataFrame(neighbours, "query_image_id string, image_id string, rank int")
        made = with_negatives(
            spark.createDataFrame(positives, POSITIVES).repartition(partitions),
            frame,
            related_groups([pairs_known], frame),
            near,
            wanted,
            seed=seed,
        )
        return {row["example_id"]: row for row in made.collect()}

    return of


def random(total: int) -> Wanted:
    return Wanted(total, 0, 0)


def alone(n: int) -> dict[str, tuple[str, tuple[str, ...]]]:
    return {f"i{k:03d}": (f"g{k:03d}", ()) for k in range(n)}


def themselves(images) -> list[tuple[str, str]]:
    return [(image, image) for image in images]


# Few groups, so that most images have duplicates, and many known pairs.
CATALOGUES = st.lists(st.integers(0, 7), min_size=1, max_size=20)


@settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    groups=CATALOGUES,
    known=st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=8),
    pairs=st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=8),
    total=st.integers(0, 4),
)
def test_exactly_one_candidate_is_the_positive_and_no_negative_is_known_to_belong(
    completed, groups, known, pairs, total
):
    n = len(groups)
    images = {f"i{k:02d}": (f"g{group}", ()) for k, group in enumerate(groups)}
    named = [tuple(f"i{k % n:02d}" for k in pair) for pair in {*pairs, *((k, k) for k in range(n))}]
    related = [tuple(f"i{k % n:02d}" for k in pair) for pair in known]
    rows = completed(set(named), images, known=[*related, *named], wanted=random(total))
    belongs = defaultdict(set)
    for one, other in [*related, *named]:
        belongs[images[one][0]].add(images[other][0])
        belongs[images[other][0]].add(images[one][0])
    for row in rows.values():
        query, positive = row["example_id"].split("-")
        candidates, label = row["candidate_image_ids"], row["label"]
        assert len(candidates) == total + 1
        assert len(set(candidates)) == total + 1
        assert 0 <= label <= total
        assert candidates[label] == positive
        looks = [images[image][0] for i, image in enumerate(candidates) if i != label]
        assert len(set(looks)) == total
        forbidden = {images[query][0], images[positive][0], *belongs[images[query][0]], *belongs[images[positive][0]]}
        assert not forbidden & set(looks)
    # An example is left out only if there are too few groups that may be negatives.
    for query, positive in set(named):
        own = {images[query][0], images[positive][0]}
        free = {group for group, _ in images.values()} - own - set().union(*(belongs[group] for group in own))
        assert (f"{query}-{positive}" in rows) == (len(free) >= total)


def test_if_all_images_look_the_same_there_are_only_examples_without_negatives(completed):
    images = {f"i{n}": ("one", ()) for n in range(6)}
    assert completed(themselves(images), images, wanted=random(1)) == {}
    assert len(completed(themselves(images), images, wanted=random(0))) == 6


def test_one_image_has_itself_as_its_only_candidate(completed):
    (row,) = completed([("i000", "i000")], alone(1), wanted=random(0)).values()
    assert (row["candidate_image_ids"], row["label"]) == (["i000"], 0)


def test_examples_depend_on_the_seed_and_not_on_partitions(completed):
    images = alone(60)
    first = completed(themselves(images), images, wanted=random(2))
    assert completed(themselves(images), images, wanted=random(2), partitions=5) == first
    assert completed(themselves(images), images, wanted=random(2), seed=2) != first


def test_the_index_of_the_positive_is_random(completed):
    images = alone(300)
    labels = [row["label"] for row in completed(themselves(images), images, wanted=random(2)).values()]
    # 100 of each are expected; four standard deviations of a binomial are 33.
    assert all(67 <= labels.count(label) <= 133 for label in range(3))


def test_negatives_are_spread_over_all_images(completed):
    """No image is the negative of many queries: of 300 choices among 300 images, far fewer than ten are the same."""
    images = alone(300)
    rows = completed(themselves(images), images, wanted=random(1)).values()
    negatives = [row["candidate_image_ids"][1 - row["label"]] for row in rows]
    assert max(negatives.count(image) for image in set(negatives)) < 10
    assert len(set(negatives)) > 150


def test_the_wanted_share_of_negatives_has_a_tag_of_the_query(completed):
    images = {f"i{n:03d}": (f"g{n:03d}", ("shoes",) if n < 8 else ("bags", "blue")) for n in range(100)}
    wanted = Wanted.of(4, index_share=0, same_tag_share=0.5)
    rows = completed(themselves(images)[:8], images, wanted=wanted)
    assert len(rows) == 8
    for row in rows.values():
        negatives = set(row["candidate_image_ids"]) - {row["query_image_id"]}
        shoes = {image for image in negatives if images[image][1] == ("shoes",)}
        assert len(shoes) >= 2


def test_if_all_images_have_the_tag_the_others_are_still_random(completed):
    images = {f"i{n}": (f"g{n}", ("shoes",)) for n in range(9)}
    rows = completed(themselves(images), images, wanted=Wanted.of(4, index_share=0, same_tag_share=0.25))
    assert len(rows) == 9


def test_random_images_take_the_place_of_hard_negatives_that_are_missing(completed):
    images = {f"i{n:03d}": (f"g{n:03d}", ("shoes",) if n < 2 else ()) for n in range(50)}
    wanted = Wanted.of(4, index_share=0.5, same_tag_share=0.5)
    rows = completed(themselves(images), images, wanted=wanted, neighbours=[("i000", "i007", 10)])
    assert len(rows) == 50
    assert {"i001", "i007"} < set(rows["i000-i000"]["candidate_image_ids"])


def test_negatives_from_the_index_are_the_first_ranks_that_may_be_negatives(completed):
    images = alone(30) | {"twin": ("g000", ())}
    near = [("i000", image, rank) for rank, image in enumerate(["twin", "i005", "i006", "i007", "i008"], start=10)]
    wanted = Wanted.of(4, index_share=0.5, same_tag_share=0)
    rows = completed([("i000", "i000")], images, known=[("i005", "i000")], wanted=wanted, neighbours=near)
    (row,) = rows.values()
    assert {"i006", "i007"} < set(row["candidate_image_ids"])
    assert not {"twin", "i005"} & set(row["candidate_image_ids"])


def test_shares_that_do_not_divide_the_negatives_are_rounded_and_never_too_many():
    assert Wanted.of(3, index_share=0.5, same_tag_share=0.5) == Wanted(3, 2, 1)
    assert Wanted.of(5, index_share=0.2, same_tag_share=0.4) == Wanted(5, 1, 2)
    assert Wanted.of(0, index_share=0.5, same_tag_share=0.5) == Wanted(0, 0, 0)
