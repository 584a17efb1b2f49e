"""Search a published index with faiss, numpy and pyarrow alone: `python docs/read_index.py INDEX_FOLDER ROW [K]`.

Checks every checksum, then prints image_id and cosine of the K living, visible rows that are nearest to row ROW.
"""

import hashlib
import json
import sys

import faiss
import numpy as np
import pyarrow as pa


def checked(name: str, sha256: str | None = None) -> bytes:
    try:
        content = np.fromfile(f"{folder}/{name}", np.uint8).tobytes()
    except OSError as error:
        sys.exit(f"{folder}/{name}: {error.strerror}")
    right = sha256 in (None, hashlib.sha256(content).hexdigest())
    return content if right else sys.exit(f"{folder}/{name}: sha256 differs")


folder, row, k = sys.argv[1], int(sys.argv[2]), int([*sys.argv, 10][3])
pointer = json.loads(checked("CURRENT"))
manifest = json.loads(checked(pointer["manifest"], pointer["manifest_sha256"]))
shards = manifest["shards"] + manifest["deltas"]
parts = [shard[part] for shard in shards for part in ("codes", "rows_file", "vectors")]
entries = [manifest["template"], manifest["template_sample"], *manifest["tombstones"], *parts]
files = {entry["file"]: checked(f"files/{entry['file']}", entry["sha256"]) for entry in entries}
tables = [pa.ipc.open_file(files[shard["rows_file"]["file"]]).read_all() for shard in shards]
rows = pa.concat_tables(tables, promote_options="default")  # older shards have no source_uri
halves = b"".join(files[shard["vectors"]["file"]] for shard in shards)
vectors = np.frombuffer(halves, "<f2").reshape(-1, manifest["dimension"]).astype(np.float32)
alive_from = {}  # image_id → row id; rows of the image with smaller ids are dead
for tombstones in (pa.ipc.open_file(files[entry["file"]]).read_all() for entry in manifest["tombstones"]):
    for image, before_id in zip(tombstones["image_id"].to_pylist(), tombstones["before_id"].to_pylist(), strict=True):
        alive_from[image] = max(before_id, alive_from.get(image, 0))
dead = np.array([i < alive_from.get(image, 0) for i, image in enumerate(rows["image_id"].to_pylist())])
hidden = dead | (np.asarray(rows["visibility"]) != "public") | (np.asarray(rows["moderation"]) == "blocked")
shortlist = []
for shard in shards:
    index = faiss.deserialize_index(np.frombuffer(files[shard["codes"]["file"]], np.uint8))
    index.remove_ids(np.flatnonzero(hidden))
    faiss.extract_index_ivf(index).nprobe = manifest["search"]["nprobe"]
    shortlist += [i for i in index.search(vectors[[row]], manifest["search"]["shortlist"])[1][0] if i >= 0]
cosines = vectors[shortlist] @ vectors[row]
for best in np.argsort(-cosines, kind="stable")[:k]:
    print(rows["image_id"][shortlist[best]], f"{cosines[best]:.6f}")
