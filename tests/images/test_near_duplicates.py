"""Pictures that look the same form one group, whatever their order of arrival, without comparing all pairs."""

from __future__ import annotations

import io
import random
from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageEnhance

from vsearch_lib.errors import VsearchError
from vsearch_lib.images.decode import Limits, normalise
from vsearch_lib.images.near_duplicates import MAX_DISTANCE, regroup
from vsearch_lib.spark import components

BASE = 0x0123456789ABCDEF
FAR = 0xFEDCBA9876543210


def sha(number: int) -> str:
    return f"{number:064x}"


def flipped(bits: int, *positions: int) -> int:
    for position in positions:
        bits ^= 1 << position
    return bits


def grouped(spark, new: dict[str, int], known: dict[str, int], groups: dict[str, str]) -> dict[str, str]:
    """The changed rows: picture → group."""

    def rows(pairs, columns):
        return spark.createDataFrame(list(pairs), columns).coalesce(1)

    hashes = "sha256 string, phash string"
    changed = regroup(
        rows([(name, f"{bits:016x}") for name, bits in new.items()], hashes),
        rows([(name, f"{bits:016x}") for name, bits in {**known, **new}.items()], hashes),
        rows(groups.items(), "sha256 string, group_sha256 string"),
    ).collect()
    assert len({row["sha256"] for row in changed}) == len(changed)
    return {row["sha256"]: row["group_sha256"] for row in changed}


def grouped_by_all_pairs(pictures: dict[str, int]) -> dict[str, str]:
    """The expected groups, computed from all pairs in Python."""
    group = {name: name for name in pictures}
    for one, other in combinations(pictures, 2):
        if (pictures[one] ^ pictures[other]).bit_count() <= MAX_DISTANCE and group[one] != group[other]:
            old, new = sorted((group[one], group[other]), reverse=True)
            group = {name: new if g == old else g for name, g in group.items()}
    sizes = [*group.values()]
    return {name: g for name, g in group.items() if sizes.count(g) > 1}


@st.composite
def catalogues(draw) -> list[dict[str, int]]:
    """Chains, copies and different pictures, in a random order, divided into random parts."""
    seeded = random.Random(draw(st.integers(0, 2**32)))
    hashes = [seeded.getrandbits(64) for _ in range(draw(st.integers(1, 6)))]
    for _ in range(draw(st.integers(0, 40))):
        hashes.append(flipped(seeded.choice(hashes), *seeded.sample(range(64), seeded.choice([0, 1, 2, 2, 3, 4]))))
    names = seeded.sample(range(10_000), len(hashes))
    parts: list[dict[str, int]] = [{} for _ in range(draw(st.integers(1, 4)))]
    for name, bits in zip(names, hashes, strict=True):
        seeded.choice(parts)[sha(name)] = bits
    return parts


@settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(parts=catalogues())
def test_the_groups_do_not_depend_on_the_order_of_arrival(spark, parts):
    known: dict[str, int] = {}
    groups: dict[str, str] = {}
    for part in parts:
        changed = grouped(spark, part, known, groups)
        assert all(groups.get(name) != group for name, group in changed.items()), "only what changes is written"
        groups.update(changed)
        known.update(part)
        assert groups == grouped_by_all_pairs(known)


def test_every_pair_within_the_distance_is_grouped_and_no_other_pair(spark):
    # One picture, and all that differ from it in two bits: every pair of bit positions, in all blocks.
    near = {sha(1 + n): flipped(BASE, *positions) for n, positions in enumerate(combinations(range(64), 2))}
    beyond = {sha(9_000): flipped(FAR, 0, 17, 40)}
    groups = grouped(spark, {sha(0): BASE, sha(8_000): FAR}, {**near, **beyond}, {})
    assert groups == dict.fromkeys([sha(0), *near], sha(0))


def test_a_new_picture_that_joins_two_groups_gives_the_smallest_group_name(spark):
    known = {sha(5): BASE, sha(6): BASE, sha(7): flipped(BASE, 1, 2, 3, 4), sha(8): flipped(BASE, 1, 2, 3, 4)}
    groups = {sha(5): sha(5), sha(6): sha(5), sha(7): sha(7), sha(8): sha(7)}
    between = flipped(BASE, 1, 2)
    assert grouped(spark, {sha(9): between}, known, groups) == dict.fromkeys([sha(7), sha(8), sha(9)], sha(5))
    assert grouped(spark, {sha(1): between}, known, groups) == dict.fromkeys([sha(1), *known], sha(1))


def test_a_run_without_new_or_similar_pictures_changes_nothing(spark):
    known, groups = {sha(1): BASE, sha(2): BASE}, {sha(1): sha(1), sha(2): sha(1)}
    assert grouped(spark, {}, known, groups) == {}
    assert grouped(spark, {sha(3): FAR}, known, groups) == {}


def test_a_repeated_run_changes_nothing(spark):
    new = {sha(3): BASE, sha(4): flipped(BASE, 9)}
    groups = grouped(spark, new, {sha(1): BASE}, {})
    again = grouped(spark, new, {sha(1): BASE}, groups)
    assert {**groups, **again} == groups == dict.fromkeys([sha(1), sha(3), sha(4)], sha(1))


def test_a_group_keeps_the_name_of_an_erased_picture(spark):
    # The rows of an erased picture are deleted, and must not be written again.
    known, groups = {sha(2): BASE, sha(3): BASE}, {sha(2): sha(1), sha(3): sha(1)}
    assert grouped(spark, {sha(4): BASE}, known, groups) == {sha(4): sha(1)}


def test_thousands_of_equal_pictures_are_compared_once(spark):
    white = {sha(n): BASE for n in range(100, 5_100)}
    groups = grouped(spark, white, {sha(1): flipped(BASE, 5, 60)}, {})
    assert groups == dict.fromkeys([sha(1), *white], sha(1))


def test_a_chain_too_long_for_the_rounds_is_an_error_and_not_a_wrong_group(spark, monkeypatch):
    chain = {sha(n * 7919 % 1000): BASE ^ ((1 << 2 * n) - 1) for n in range(30)}
    assert set(grouped(spark, chain, {}, {}).values()) == {min(chain)}
    monkeypatch.setattr(components, "_MAX_ROUNDS", 1)
    with pytest.raises(VsearchError, match="still change after 1 rounds"):
        grouped(spark, chain, {}, {})


def test_smaller_coarser_and_brighter_copies_are_grouped_and_another_picture_is_not(spark):
    def hash_of(image: Image.Image, quality: int = 90) -> int:
        sink = io.BytesIO()
        image.save(sink, "JPEG", quality=quality)
        return int(normalise(sink.getvalue(), Limits(10**7, 10**7, 8, 128)).phash, 16)

    def random_ellipses(seed: int) -> Image.Image:
        seeded, image = random.Random(seed), Image.new("RGB", (320, 240), "grey")
        for _ in range(12):
            x, y, level = seeded.randrange(300), seeded.randrange(220), seeded.randrange(20, 220)
            width, height = seeded.randrange(20, 120), seeded.randrange(20, 120)
            ImageDraw.Draw(image).ellipse((x, y, x + width, y + height), fill=(level, level, 255 - level))
        return image

    one, other = random_ellipses(1), random_ellipses(2)
    copies = [one, one.resize((160, 120)), ImageEnhance.Brightness(one).enhance(1.05)]
    known = {sha(n): hash_of(copy) for n, copy in enumerate(copies, 1)} | {sha(4): hash_of(one, 50)}
    groups = grouped(spark, {**known, sha(5): hash_of(other)}, {}, {})
    assert groups == dict.fromkeys(known, sha(1))
