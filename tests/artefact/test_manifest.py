"""A manifest reads back as it was written; an invalid one is refused."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsearch_lib.artefact.content import json_bytes
from vsearch_lib.artefact.files import StoredFile
from vsearch_lib.artefact.gate_report import GateReport, Recall, Stratum
from vsearch_lib.artefact.manifest import Manifest, Measured, Measures, OperatingPoint, Shard, decode, encode
from vsearch_lib.artefact.strangers import Strangers
from vsearch_lib.errors import ArtefactError

PUBLISHED = (Path(__file__).parent / "published_manifest.json").read_bytes()


def stored(name: str, size: int = 10) -> StoredFile:
    return StoredFile(f"{'ab' * 32}-{name}", "ab" * 32, size)


def shard(name: str, first_id: int, rows: int) -> Shard:
    parts = [stored("codes.faiss", 3 * rows), stored("rows.arrow", 5 * rows), stored("vectors.f16", 7 * rows)]
    return Shard(name, first_id, rows, *parts)


SHARD = asdict(shard("s", 0, 1))


@pytest.fixture(scope="module")
def whole(small_index) -> Manifest:
    made = small_index.manifest(
        stored("template.faiss"),
        stored("template_sample.arrow"),
        [shard("shard-00000", 0, 30), shard("shard-00001", 30, 12)],
        version="20260301T000000Z-a",
        factory="IVF8,PQ8np",
        dimension=16,
        nprobe=4,
        shortlist=50,
    )
    return replace(made, deltas=(shard("delta-00000", 42, 5),), tombstones=(stored("tombstones.arrow"),))


@pytest.fixture(scope="module")
def fields(whole) -> dict:
    """The same manifest as the JSON object that is stored."""
    return json.loads(encode(whole))


REQUIRED = (
    *("version", "parent", "kind", "created_at", "dimension", "metric", "factory", "faiss_version", "search"),
    *("template", "shards", "deltas", "tombstones", "model", "preprocessing", "tables", "training_snapshot"),
    *("gate", "counts"),
)


def test_a_manifest_reads_back_as_it_was_written(whole):
    assert decode(encode(whole), "here") == whole


def test_an_earlier_manifest_that_is_read_and_written_again_has_the_same_bytes():
    assert encode(decode(PUBLISHED, "here")) == PUBLISHED


def test_missing_measures_are_left_out_and_a_missing_parent_or_snapshot_is_null(whole):
    fields = json.loads(encode(replace(whole, gate=GateReport())))
    assert (fields["measures"], fields["gate"]) == ({}, {"passed": False, "strata": {}})
    assert (fields["parent"], fields["training_snapshot"]) == (None, None)


def test_a_published_manifest_is_read_into_types():
    """The values are those that the file shows."""
    manifest = decode(PUBLISHED, "here")
    assert (manifest.kind, manifest.parent) == ("delta", "20260301T000000Z-aaaaaaaa")
    assert manifest.search == OperatingPoint(nprobe=64, shortlist=400)
    assert manifest.measures == Measures(template=Measured(9, 1.0, 0.0), now=Measured(8, 1.0, 0.000012))
    assert (manifest.gate.passed, manifest.gate.min_recall_at_10) == (True, 0.95)
    perfect = dict.fromkeys((1, 10, 100), Recall(1.0, 0.0))
    raw, rescored = {**perfect, 10: Recall(0.75, 0.125)}, {**perfect, 10: Recall(0.98765, 0.01235)}
    assert manifest.gate.strata == {
        "crop": Stratum(9, raw, rescored),
        "new": Stratum(9, perfect, perfect),
        "whole": Stratum(9, perfect, perfect),
    }
    assert [(shard.first_id, shard.rows) for shard in manifest.all_shards] == [(0, 4), (4, 5), (9, 2)]
    assert manifest.deltas[0].codes.file == f"{manifest.deltas[0].codes.sha256}-codes.faiss"


def test_the_similarity_of_strangers_reads_back_and_is_left_out_if_it_was_not_measured(whole):
    strangers = Strangers(rows=2000, pairs=1_999_000, quantiles={0.5: -0.012, 0.95: 0.33, 0.995: 0.78125})
    fields = json.loads(encode(replace(whole, strangers=strangers)))
    quantiles = {"0.5": -0.012, "0.95": 0.33, "0.995": 0.78125}
    assert fields["strangers"] == {"rows": 2000, "pairs": 1_999_000, "quantiles": quantiles}
    assert decode(json_bytes(fields), "here").strangers == strangers
    assert decode(PUBLISHED, "here").strangers is None
    assert "strangers" not in json.loads(encode(whole))


@pytest.mark.parametrize(
    "strangers",
    [
        {"rows": 1, "pairs": 1},
        {"rows": 1, "pairs": 1, "quantiles": {"95": 0.3}},
        {"rows": 1, "pairs": 1, "quantiles": {"0.95": "0.3"}},
        None,
    ],
)
def test_strangers_of_another_form_are_refused(fields, strangers):
    with pytest.raises(ArtefactError, match="here is not a manifest"):
        decode(json_bytes({**fields, "strangers": strangers}), "here")


names = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=8)


@settings(deadline=None, max_examples=40)
@given(
    rows=st.lists(st.integers(0, 10**9), min_size=1, max_size=5),
    deltas=st.lists(st.integers(0, 10**6), max_size=3),
    counts=st.dictionaries(names, st.integers(0, 10**12), max_size=4),
    factory=st.text(max_size=20),
)
def test_any_layout_without_gaps_reads_back_as_the_same_bytes(whole, rows, deltas, counts, factory):
    starts = [sum([*rows, *deltas][:i]) for i in range(len(rows) + len(deltas))]
    entries = [shard(f"s{i}", start, n) for i, (start, n) in enumerate(zip(starts, [*rows, *deltas], strict=True))]
    made = replace(
        whole,
        shards=tuple(entries[: len(rows)]),
        deltas=tuple(entries[len(rows) :]),
        counts=counts,
        factory=factory,
    )
    assert encode(decode(encode(made), "here")) == encode(made)
    assert made.rows == sum(rows) + sum(deltas)


@settings(deadline=None, max_examples=40)
@given(which=st.integers(0, 2), off_by=st.integers(-40, 40).filter(bool))
def test_a_gap_or_an_overlap_of_row_ids_is_refused(whole, which, off_by):
    shards = list(whole.all_shards)
    before = shards[which]
    moved = shards[which] = replace(before, first_id=max(0, before.first_id + off_by) or (0 if which else 1))
    made = replace(whole, shards=tuple(shards[:2]), deltas=tuple(shards[2:]))
    with pytest.raises(ArtefactError, match=rf"here: {moved.name} starts at id {moved.first_id}, expected"):
        decode(encode(made), "here")


@pytest.mark.parametrize("field", REQUIRED)
def test_each_missing_field_is_named(fields, field):
    with pytest.raises(ArtefactError, match=f"here is not a manifest: .*{field}"):
        decode(json_bytes({name: value for name, value in fields.items() if name != field}), "here")


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
        ("shards", [{**SHARD, "rows": -1}]),
        ("shards", [{**SHARD, "codes": None}]),
        ("shards", [{**SHARD, "comment": "one field too many"}]),
        ("deltas", None),
        ("tombstones", [{}]),
        ("model", {"version": "m1", "uri": "models"}),
        ("model", {"version": "m1", "uri": "models", "files": {"model.safetensors": "short"}}),
        ("tables", {"images": None}),
        ("tables", {"images": -1}),
        ("model", {"version": "m1", "uri": "models", "files": {}, "comment": "one field too many"}),
        ("measures", {"now": None}),
        ("gate", {"passed": True}),
        ("gate", {"passed": "yes", "strata": {}}),
        ("gate", {"passed": True, "strata": {"whole": {"recall_at_10": {"mean": 1.0, "half_width_95": 0.0}}}}),
        ("gate", {"passed": True, "strata": {"whole": {"queries": 9, "recall_at_10": 1.0}}}),
        ("gate", {"passed": True, "strata": {"whole": {"queries": 9, "recall_at_ten": {}}}}),
        ("counts", {"rows": 1.5}),
        ("surprise", 1),
    ],
)
def test_each_invalid_field_is_named(fields, field, value):
    with pytest.raises(ArtefactError, match=f"here is not a manifest: .*{field}") as refused:
        decode(json_bytes({**fields, field: value}), "here")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"not json", b'{"version": ', b"\xff\xfe\xff", b"[]", b"null", b"3"])
def test_content_that_is_not_a_manifest_is_refused(content):
    with pytest.raises(ArtefactError, match="here is not"):
        decode(content, "here")


def test_rows_and_files_of_a_manifest_include_those_of_its_deltas(whole):
    assert whole.rows == 47
    assert [shard.name for shard in whole.all_shards] == ["shard-00000", "shard-00001", "delta-00000"]
    names = ["template.faiss", "template_sample.arrow", *["codes.faiss", "rows.arrow", "vectors.f16"] * 3]
    assert [file.file[65:] for file in whole.files] == [*names, "tombstones.arrow"]
