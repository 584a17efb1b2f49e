"""A manifest is read as it was written, or refused."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsearch_lib.artefact.manifest import bytes_of, decode, digest, encode, rows_of, shards_of
from vsearch_lib.errors import ArtefactError


def file_entry(name: str, size: int = 10) -> dict:
    return {"file": f"{'ab' * 32}-{name}", "sha256": "ab" * 32, "bytes": size}


def shard(name: str, first_id: int, rows: int) -> dict:
    return {
        "name": name,
        "first_id": first_id,
        "rows": rows,
        "codes": file_entry("codes.faiss", 3 * rows),
        "rows_file": file_entry("rows.arrow", 5 * rows),
        "vectors": file_entry("vectors.f16", 7 * rows),
    }


@pytest.fixture(scope="module")
def whole(small_index) -> dict:
    made = small_index.manifest(
        file_entry("template.faiss"),
        file_entry("template_sample.arrow"),
        [shard("shard-00000", 0, 30), shard("shard-00001", 30, 12)],
        version="20260301T000000Z-a",
        factory="IVF8,PQ8np",
        dimension=16,
        nprobe=4,
        shortlist=50,
    )
    return {**made, "deltas": [shard("delta-00000", 42, 5)], "tombstones": [file_entry("tombstones.arrow")]}


REQUIRED = (
    *("version", "parent", "kind", "created_at", "dimension", "metric", "factory", "faiss_version", "search"),
    *("template", "shards", "deltas", "tombstones", "model", "preprocessing", "tables", "training_snapshot"),
    *("gate", "counts"),
)


def test_a_manifest_is_read_as_it_was_written(whole):
    assert decode(encode(whole), "here") == whole


names = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=8)


@settings(deadline=None, max_examples=40)
@given(
    rows=st.lists(st.integers(0, 10**9), min_size=1, max_size=5),
    deltas=st.lists(st.integers(0, 10**6), max_size=3),
    counts=st.dictionaries(names, st.integers(0, 10**12), max_size=4),
    factory=st.text(max_size=20),
)
def test_any_layout_without_gaps_comes_back_as_the_same_bytes(whole, rows, deltas, counts, factory):
    starts = [sum([*rows, *deltas][:i]) for i in range(len(rows) + len(deltas))]
    entries = [shard(f"s{i}", start, n) for i, (start, n) in enumerate(zip(starts, [*rows, *deltas], strict=True))]
    made = {
        **whole,
        "shards": entries[: len(rows)],
        "deltas": entries[len(rows) :],
        "counts": counts,
        "factory": factory,
    }
    assert encode(decode(encode(made), "here")) == encode(made)
    assert rows_of(made) == sum(rows) + sum(deltas)


@settings(deadline=None, max_examples=40)
@given(which=st.integers(0, 2), off_by=st.integers(-40, 40).filter(bool))
def test_a_gap_or_an_overlap_of_ids_is_refused(whole, which, off_by):
    made = copy.deepcopy(whole)
    entry = shards_of(made)[which]
    entry["first_id"] = max(0, entry["first_id"] + off_by) or (0 if which else 1)
    with pytest.raises(ArtefactError, match=rf"here: {entry['name']} starts at id {entry['first_id']}, expected"):
        decode(encode(made), "here")


def test_bytes_and_digests_do_not_depend_on_the_order_of_fields(whole):
    backwards = dict(reversed(whole.items()))
    assert encode(backwards) == encode(whole)
    assert digest(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize("field", REQUIRED)
def test_each_missing_field_is_refused_by_name(whole, field):
    with pytest.raises(ArtefactError, match=f"here is not a manifest: .*{field}"):
        decode(encode({name: value for name, value in whole.items() if name != field}), "here")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("version", ""),
        ("version", "../../escape"),
        ("version", 7),
        ("kind", "nightly"),
        ("created_at", "yesterday"),
        ("dimension", 0),
        ("dimension", "16"),
        ("metric", "l2"),
        ("factory", None),
        ("search", {"nprobe": 0, "shortlist": 5}),
        ("search", {"nprobe": 5}),
        ("template", {"file": "template.faiss", "sha256": "ab" * 32, "bytes": 1}),
        ("template", {"file": f"{'ab' * 32}-../x", "sha256": "ab" * 32, "bytes": 1}),
        ("template", {"file": f"{'ab' * 32}-t", "sha256": "AB" * 32, "bytes": 1}),
        ("template", {"file": f"{'ab' * 32}-t", "sha256": "ab" * 32, "bytes": -1}),
        ("shards", [{**shard("s", 0, 1), "rows": -1}]),
        ("shards", [{**shard("s", 0, 1), "codes": None}]),
        ("shards", [{**shard("s", 0, 1), "comment": "one field too many"}]),
        ("deltas", None),
        ("tombstones", [{}]),
        ("model", {"version": "m1", "uri": "models"}),
        ("model", {"version": "m1", "uri": "models", "files": {"model.safetensors": "short"}}),
        ("tables", {"images": None}),
        ("tables", {"images": -1}),
        ("gate", {"passed": True}),
        ("counts", {"rows": 1.5}),
        ("surprise", 1),
    ],
)
def test_each_wrong_field_is_refused_by_name(whole, field, value):
    with pytest.raises(ArtefactError, match=f"here is not a manifest: .*{field}") as refused:
        decode(encode({**whole, field: value}), "here")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"not json", b'{"version": ', b"\xff\xfe\xff", b"[]", b"null", b"3"])
def test_what_is_no_manifest_at_all_is_refused(content):
    with pytest.raises(ArtefactError, match="here is not"):
        decode(content, "here")


def test_bytes_are_counted_over_shards_and_deltas(whole):
    assert rows_of(whole) == 47
    assert (bytes_of(whole, "codes"), bytes_of(whole, "rows_file"), bytes_of(whole, "vectors")) == (141, 235, 329)
    assert [entry["name"] for entry in shards_of(whole)] == ["shard-00000", "shard-00001", "delta-00000"]


def test_encoded_bytes_are_plain_json(whole):
    assert json.loads(encode(whole)) == whole
