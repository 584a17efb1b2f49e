"""Build a candidate version of the index: a delta of what changed, a compaction, or a rebuild with a new template."""

import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import faiss
from pyspark.sql import DataFrame

from vsearch_lib.artefact.content import digest
from vsearch_lib.artefact.files import StoredFile
from vsearch_lib.artefact.gate_report import GateReport
from vsearch_lib.artefact.manifest import Manifest, Measures, ModelEntry, OperatingPoint, Shard
from vsearch_lib.artefact.pointer import current_manifest
from vsearch_lib.artefact.tombstones import write_tombstones
from vsearch_lib.context import StepContext
from vsearch_lib.errors import VsearchError
from vsearch_lib.figures import Figure
from vsearch_lib.index.candidate import refused_template, save_candidate
from vsearch_lib.index.catalogue import Changes, changed_rows, embedded, living_rows, positions
from vsearch_lib.index.factory import choose_factory, list_count
from vsearch_lib.index.kind import KindChoice, Target, choose_kind
from vsearch_lib.index.placement import in_shards
from vsearch_lib.index.shard import slots, store_file, write_shards
from vsearch_lib.index.template import train_template, training_sample
from vsearch_lib.lake.changes import Position
from vsearch_lib.lake.eligible import require_images
from vsearch_lib.models.promotion import current_model
from vsearch_lib.models.registry import CARD, Card
from vsearch_lib.run_ids import version_of
from vsearch_lib.storage import Store, open_store


@dataclass(frozen=True)
class _Template:
    """A trained template, and the sample that it was trained on."""

    factory: str
    file: StoredFile
    sample: StoredFile


@dataclass(frozen=True)
class _Content:
    """What a version consists of."""

    template: _Template
    shards: tuple[Shard, ...]
    deltas: tuple[Shard, ...] = ()
    tombstones: tuple[StoredFile, ...] = ()


def build_index(context: StepContext, *, compact: bool = False) -> list[Figure]:
    """Build a candidate of the kind that `choose_kind` returns, unless the served version is up to date."""
    settings = context.settings
    store = open_store(settings.index.uri)
    card = current_model(settings)
    served = current_manifest(store)
    read_at = positions(context.lake)
    version = version_of(context.run_id, after=served.version if served else None)
    target = Target(card.version, settings.index.factory, settings.index.shards)
    refused = refused_template(store, search=_search(context, served))
    choice = choose_kind(served, target, refused_template=refused, compact=compact)
    changes = None
    if served and choice.kind == "delta":
        if _positions_read_by(served) == read_at and served.search == _search(context, served):
            return _nothing_to_build(context)
        changes = _changes(context, card, served, read_at)
        if changes is None:
            choice = KindChoice("compacted", "what was erased or changed since cannot be read from the tables")
        elif changes.touched.isEmpty() and served.search == _search(context, served):
            return _nothing_to_build(context)
    context.say(f"build_index: {choice.kind}, {choice.reason}")
    if served and changes:
        content = _delta(context, store, served, changes, version)
    else:
        content = _whole(context, store, served if choice.kind == "compacted" else None, card, read_at)
    inherited = served if choice.kind != "full" else None
    manifest = Manifest(
        version=version,
        parent=served.version if served else None,
        kind=choice.kind,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        dimension=card.dimension,
        metric="inner_product",
        factory=content.template.factory,
        faiss_version=faiss.__version__,
        search=_search(context, inherited),
        template=content.template.file,
        template_sample=content.template.sample,
        measures=Measures(template=inherited.measures.template) if inherited else Measures(),
        shards=content.shards,
        deltas=content.deltas,
        tombstones=content.tombstones,
        model=_model(context, card),
        preprocessing={"stored_side": settings.image.size, **asdict(card.preprocessing)},
        tables={table: position.version for table, position in read_at.items()},
        table_ids={table: position.table_id for table, position in read_at.items()},
        training_snapshot=card.training_snapshot,
        gate=GateReport(),
        counts={"shards": settings.index.shards},
    )
    save_candidate(store, context.run_id, manifest)
    added = manifest.rows - (served.rows if served and changes else 0)
    counts = {"index_rows": manifest.rows, "index_rows_written": added}
    return [Figure(metric, count, subject=f"index {version}") for metric, count in counts.items()]


def _nothing_to_build(context: StepContext) -> list[Figure]:
    context.say("build_index: the served index is up to date with the tables; nothing to build")
    return []


def _positions_read_by(served: Manifest) -> dict[str, Position]:
    """Return the positions of the tables that a version was built from."""
    return {table: Position(served.table_ids[table], version) for table, version in served.tables.items()}


def _changes(context: StepContext, card: Card, served: Manifest, until: Mapping[str, Position]) -> Changes | None:
    since = _positions_read_by(served)
    built_at = datetime.fromisoformat(served.created_at)
    retention = timedelta(hours=context.settings.maintenance.retention_hours)
    if since.get("erasures") != until.get("erasures") or datetime.now(UTC) - built_at > retention:
        return None
    return changed_rows(context.lake, card.version, since, until)


def _delta(context: StepContext, store: Store, served: Manifest, changes: Changes, version: str) -> _Content:
    """Return the files of the served version, and new ones for the changes."""
    first_id = served.rows
    added = changes.rows.count()  # of rows that are computed already
    # Delta shards are about as large as the others.
    per_shard = max(1, sum(shard.rows for shard in served.shards) // max(1, len(served.shards)))
    shards = -(-added // per_shard)
    deltas = served.deltas
    if added:
        rows = in_shards(changes.rows, shards)
        delta_slots = slots(_counts(rows), name=f"delta-{version}", first_id=first_id)
        uri = context.settings.index.uri
        deltas += write_shards(rows, index_uri=uri, template=served.template, slots=delta_slots)
    tombstones = served.tombstones
    touched = [row["image_id"] for row in changes.touched.toLocalIterator()]
    if touched and first_id:
        with tempfile.TemporaryDirectory(prefix="vsearch-tombstones-") as folder:
            path = Path(folder) / "tombstones.arrow"
            write_tombstones(touched, first_id, path)
            tombstones += (store_file(store, path),)
    return _Content(_template_of(served), served.shards, deltas, tombstones)


def _whole(
    context: StepContext, store: Store, served: Manifest | None, card: Card, read_at: Mapping[str, Position]
) -> _Content:
    """Return shards of all living images, with the template of `served`, or with a new one if it is None."""
    rows = living_rows(context.lake, card.version, read_at, shards=context.settings.index.shards)
    counts = _counts(rows)
    total = sum(counts.values())
    if not total and not served:
        require_images(context.lake, context.settings)
        raise VsearchError(f"{card.version} has embedded no living image: run embed_images first")
    if served:
        template = _template_of(served)
    else:
        template = _new_template(context, store, embedded(context.lake, card.version, read_at), total, card)
    written = write_shards(
        rows,
        index_uri=context.settings.index.uri,
        template=template.file,
        slots=slots(counts, name="shard", first_id=0),
    )
    if (written_rows := sum(shard.rows for shard in written)) != total:
        raise VsearchError(f"shards hold {written_rows} rows of {total}: build again")
    return _Content(template, written)


def _template_of(served: Manifest) -> _Template:
    return _Template(served.factory, served.template, served.template_sample)


def _new_template(context: StepContext, store: Store, vectors: DataFrame, total: int, card: Card) -> _Template:
    index = context.settings.index
    factory = choose_factory(total, card.dimension) if index.factory == "auto" else index.factory
    lists = list_count(factory, card.dimension)
    sample = training_sample(vectors, wanted=lists * index.train_vectors_per_list, total=total, seed=index.seed)
    with tempfile.TemporaryDirectory(prefix="vsearch-template-") as folder:
        template, ids = Path(folder) / "template.faiss", Path(folder) / "template_sample.arrow"
        template.write_bytes(train_template(sample.vectors, factory))
        sample.write(ids)
        return _Template(factory, store_file(store, template), store_file(store, ids))


def _counts(rows: DataFrame) -> dict[int, int]:
    """Return how many rows each shard will have; this reads no vector."""
    return {int(row["shard"]): int(row["count"]) for row in rows.groupBy("shard").count().collect()}


def _search(context: StepContext, inherited: Manifest | None) -> OperatingPoint:
    """Return the operating point: that of the settings, else that of the inherited version, else a wide one."""
    index = context.settings.index
    point = inherited.search if inherited else OperatingPoint(nprobe=64, shortlist=400)
    return OperatingPoint(index.nprobe or point.nprobe, index.shortlist or point.shortlist)


def _model(context: StepContext, card: Card) -> ModelEntry:
    uri = context.settings.models.uri
    card_sha256 = digest(open_store(uri).read(f"{card.version}/{CARD}"))
    return ModelEntry(card.version, uri, {**card.files, CARD: card_sha256})
