"""Writes the files of a training snapshot: pictures once each, examples that name them by number, related groups."""

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from vsearch_lib.examples.numbering import numbered
from vsearch_lib.examples.snapshot import SnapshotFile
from vsearch_lib.spark.batches import cut_by, in_tables
from vsearch_lib.spark.checkpoint import checkpointed
from vsearch_lib.storage import open_store

PICTURES_PER_FILE = 2048
PICTURES_PER_ROW_GROUP = 128  # some megabytes
# Workers of a training share out row groups: equal and many, so that no worker has much more to do than another.
EXAMPLES_PER_ROW_GROUP = 128
EXAMPLES_PER_FILE = 64 * EXAMPLES_PER_ROW_GROUP
PAIRS_PER_FILE = 1_000_000

_PICTURES = pa.schema([("number", pa.int64()), ("group", pa.int64()), ("sha256", pa.string()), ("jpeg", pa.binary())])
_RELATED = pa.schema([("group", pa.int64()), ("other_group", pa.int64())])
_WRITTEN = "file string, sha256 string, bytes bigint, rows bigint"
_WRITTEN_ARROW = pa.schema(
    [("file", pa.string()), ("sha256", pa.string()), ("bytes", pa.int64()), ("rows", pa.int64())]
)


def number_pictures(images: DataFrame, *, seed: int) -> DataFrame:
    """Return the pictures of `images` (sha256, group), each once, in a random order: sha256, number, group_number.

    The number of a group is the smallest one of its pictures.
    """
    pictures = numbered(images.select("sha256", "group").distinct(), "sha256", seed=seed)
    smallest = F.min("number").over(Window.partitionBy("group"))
    return checkpointed(pictures.withColumn("group_number", smallest))


def write_pictures(uri: str, pictures: DataFrame, pixels: DataFrame) -> tuple[SnapshotFile, ...]:
    """Write the JPEGs of `pictures` (from `number_pictures`), found in `pixels` (sha256, jpeg)."""
    located = pictures.join(pixels.select("sha256", "jpeg"), "sha256")
    rows = located.select("number", F.col("group_number").alias("group"), "sha256", "jpeg")
    in_files = rows.withColumn("part", F.floor(F.col("number") / PICTURES_PER_FILE))
    return _write(uri, "pictures", in_files, _PICTURES, order=("number",), rows_per_group=PICTURES_PER_ROW_GROUP)


def write_examples(
    uri: str, folder: str, examples: DataFrame, pictures: DataFrame, *, seed: int
) -> tuple[SnapshotFile, ...]:
    """Write `examples`, shuffled: (query, candidate_0 …, label, weight), each picture by its number.

    Args:
        uri: of the snapshot.
        folder: of these files in it.
        examples: example_id, sha256s (the query's, then the candidates', as many in each row), label, weight.
        pictures: from `number_pictures`.
        seed: of the order.
    """
    width = examples.select(F.max(F.size("sha256s"))).collect()[0][0]
    named = examples.select("example_id", F.posexplode("sha256s").alias("_i", "sha256"))
    located = named.join(pictures.select("sha256", "number"), "sha256").groupBy("example_id")
    listed = located.agg(F.sort_array(F.collect_list(F.struct("_i", "number")))["number"].alias("numbers"))
    joined = examples.select("example_id", "label", "weight").join(listed, "example_id")
    rows = numbered(joined, "example_id", seed=seed)
    columns = ["query", *(f"candidate_{i}" for i in range(width - 1))]
    wide = rows.select(
        *(F.col("numbers")[i].alias(name) for i, name in enumerate(columns)), "label", "weight", "number"
    )
    in_files = wide.withColumn("part", F.floor(F.col("number") / EXAMPLES_PER_FILE))
    schema = pa.schema([*((name, pa.int64()) for name in columns), ("label", pa.int32()), ("weight", pa.float32())])
    return _write(uri, folder, in_files, schema, order=("number",), rows_per_group=EXAMPLES_PER_ROW_GROUP)


def write_related(uri: str, related: DataFrame, pictures: DataFrame) -> tuple[SnapshotFile, ...]:
    """Write the `related` groups (group, other_group), by their numbers."""
    named = pictures.groupBy("group").agg(F.first("group_number").alias("number"))
    one = named.select("group", F.col("number").alias("_one"))
    other = named.select(F.col("group").alias("other_group"), F.col("number").alias("_other"))
    rows = related.join(one, "group").join(other, "other_group")
    rows = rows.select(F.col("_one").alias("group"), F.col("_other").alias("other_group"))
    files = max(1, -(-related.count() // PAIRS_PER_FILE))
    in_files = rows.withColumn("part", F.pmod(F.xxhash64("group"), F.lit(files)))
    return _write(uri, "related", in_files, _RELATED, order=("group", "other_group"), rows_per_group=PAIRS_PER_FILE)


def _write(
    uri: str, folder: str, rows: DataFrame, schema: pa.Schema, *, order: tuple[str, ...], rows_per_group: int
) -> tuple[SnapshotFile, ...]:
    """Write a file for each value of `part`: equal rows give equal bytes, however Spark has divided them."""
    columns = dict.fromkeys((*schema.names, *order, "part"))
    tasks = rows.sparkSession.conf.get("spark.sql.shuffle.partitions")
    placed = rows.select(*columns).repartition(int(str(tasks)), "part").sortWithinPartitions("part", *order)
    written = placed.mapInArrow(_writer(uri, folder, schema, rows_per_group), _WRITTEN).collect()
    return tuple(sorted((SnapshotFile(**row.asDict()) for row in written), key=lambda file: file.file))


def _writer(
    uri: str, folder: str, schema: pa.Schema, rows_per_group: int
) -> Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]]:
    def write(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        store = open_store(uri)
        for part, rows in cut_by(batches, "part"):
            with tempfile.TemporaryDirectory(prefix="vsearch-snapshot-") as scratch:
                path, count, key = Path(scratch) / "rows.parquet", 0, f"{folder}/{part:05d}.parquet"
                # JPEGs cannot be compressed, and numbers in a random order hardly.
                with pq.ParquetWriter(path, schema, compression="none", use_dictionary=False) as writer:
                    for table in in_tables(rows, rows_per_group):
                        # `take` copies: a slice could be written with the padding of the table it was cut from.
                        whole = table.select(schema.names).cast(schema).combine_chunks()
                        writer.write_table(whole.take(pa.array(range(len(whole)))), row_group_size=rows_per_group)
                        count += len(whole)
                with path.open("rb") as content:
                    sha256 = hashlib.file_digest(content, "sha256").hexdigest()
                size = path.stat().st_size
                store.write(key, path)
            row = {"file": key, "sha256": sha256, "bytes": size, "rows": count}
            yield pa.RecordBatch.from_pylist([row], schema=_WRITTEN_ARROW)

    return write
