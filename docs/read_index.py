"""Search a published index with faiss, numpy and pyarrow alone: `python docs/read_index.py INDEX_FOLDER ROW [K]`.

Checks every checksum, then prints image_id and cosine of the K visible rows that are nearest to row ROW.
"""

import hashlib
import json
import sys

import faiss
import numpy as np
import pyarrow as pa


def checked(name: str, sha256: str) -> bytes:
    with open(f"{folder}/{name}", "rb") as file:
        content = file.read()
    return content if hashlib.sha256(content).hexdigest() == sha256 else sys.exit(f"{folder}/{name}: sha256 differs")


folder, row, k = sys.argv[1], int(sys.argv[2]), int([*sys.argv, 10][3])
with open(f"{folder}/CURRENT", "rb") as file:
    pointer = json.load(file)
manifest = json.loads(checked(pointer["manifest"], pointer["manifest_sha256"]))
shards = manifest["shards"] + manifest["deltas"]
parts = [shard[part] for shard in shards for part in ("codes", "rows_file", "vectors")]
files = {
    f["file"]: checked(f"files/{f['file']}", f["sha256"])
    for f in [manifest["template"], *manifest["tombstones"], *parts]
}
rows = pa.concat_tables(pa.ipc.open_file(files[shard["rows_file"]["file"]]).read_all() for shard in shards)
halves = b"".join(files[shard["vectors"]["file"]] for shard in shards)
vectors = np.frombuffer(halves, "<f2").reshape(-1, manifest["dimension"]).astype(np.float32)
hidden = (np.asarray(rows["visibility"]) != "public") | (np.asarray(rows["moderation"]) == "blocked")
shortlist = []
for shard in shards:
    index = faiss.deserialize_index(np.frombuffer(files[shard["codes"]["file"]], np.uint8))
    index.remove_ids(np.flatnonzero(hidden))
    faiss.extract_index_ivf(index).nprobe = manifest["search"]["nprobe"]
    shortlist += [i for i in index.search(vectors[[row]], manifest["search"]["shortlist"])[1][0] if i >= 0]
cosines = vectors[shortlist] @ vectors[row]
for best in np.argsort(-cosines, kind="stable")[:k]:
    print(rows["image_id"][shortlist[best]], f"{cosines[best]:.6f}")
