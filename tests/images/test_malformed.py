"""All broken files of other libraries' tests land among good photos: no file stops the run, and no photo is lost."""

import os
import shutil
import threading
import time
from pathlib import Path

import pytest

from vsearch_lib.config import PROJECT
from vsearch_lib.errors import GateRefused
from vsearch_lib.lake import table_names
from vsearch_lib.quarantine.reasons import REASONS

REAL = PROJECT.parent / "shared" / "data"
pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="../shared/data is not here: no broken files to land")

WORKER_LIMIT_BYTES = 1_500_000_000


class MemoryWatch:
    """Measures the peak memory of the Python workers of this machine's Spark in its with block."""

    def __init__(self) -> None:
        self.peak_bytes = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._measure, daemon=True)

    def __enter__(self) -> "MemoryWatch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _measure(self) -> None:
        while not self._ended.wait(0.05):
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    if b"pyspark.worker" not in (process / "cmdline").read_bytes() or not _is_ours(process):
                        continue
                    held_bytes = int((process / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
                except (OSError, IndexError):
                    continue
                self.peak_bytes = max(self.peak_bytes, held_bytes)


def _is_ours(process: Path) -> bool:
    """Whether a process descends from this one: another test process may have workers too."""
    while process.name not in ("0", str(os.getpid())):
        status = (process / "status").read_text()
        process = Path("/proc", status.partition("PPid:\t")[2].partition("\n")[0])
    return process.name != "0"


@pytest.fixture(scope="module")
def everything(tmp_path_factory, make):
    """A folder without metadata, with all the broken files and 200 good photos."""
    landing = make.landing(tmp_path_factory.mktemp("malformed") / "landing")
    shutil.copytree(REAL / "malformed", landing.folder / "malformed")
    for photo in sorted((REAL / "clothing" / "images").glob("*.jpg"))[:200]:
        shutil.copy(photo, landing.folder)
    return landing


@pytest.fixture(scope="module")
def ingested(everything, ingest):
    start = time.time()
    with MemoryWatch() as watch:
        lake, figures = ingest(everything, "lifted", "quality.max_refused_share=1")
    return lake, figures, watch.peak_bytes, time.time() - start


def test_the_counts_of_landed_files_add_up(everything, ingested):
    lake, figures, _, _ = ingested
    landed = [f for f in everything.folder.rglob("*") if f.is_file()]
    assert figures["images_landed"] == len(landed) > 1_400
    outcomes = (figures[f"images_{name}"] for name in ("accepted", "unchanged", "duplicate", "refused", "passed_over"))
    assert sum(outcomes) == figures["images_landed"]
    assert figures["images_refused"] == lake.read("quarantine").count()
    assert figures["images_accepted"] == lake.read("images").count()


def test_every_refusal_has_a_code_a_source_and_one_line_of_detail(ingested):
    rows = ingested[0].read("quarantine").collect()
    assert {row["reason"] for row in rows} <= set(REASONS)
    assert all(row["message"] and "\n" not in row["message"] for row in rows)
    assert all(Path(row["source"]).is_file() for row in rows)


def test_all_good_photos_are_accepted(ingested):
    good = ingested[0].read("images").where("image_id NOT LIKE 'malformed/%'").count()
    assert good == 200


def test_the_orientation_photos_have_the_hashes_of_two_scenes(ingested):
    images = ingested[0].read("images").where("image_id LIKE 'malformed/exif-orientation/%'")
    rows = images.select("phash", "width", "height").collect()
    assert len(rows) == 18
    scenes: list[int] = []
    for row in rows:
        phash = int(row["phash"], 16)
        if not any((phash ^ scene).bit_count() <= 8 for scene in scenes):
            scenes.append(phash)
    assert len(scenes) == 2
    assert len({(row["width"], row["height"]) for row in rows}) == 2


def test_no_worker_uses_more_memory_than_its_limit(ingested):
    assert 0 < ingested[2] < WORKER_LIMIT_BYTES


def test_at_the_default_limit_the_run_is_refused_and_no_table_changes(everything, ingested, ingest):
    lake = ingested[0]
    before = {table: lake.version(table) for table in table_names()}
    for file in list((everything.folder / "malformed").rglob("*")):
        if file.is_file():
            os.utime(file, (1_800_000_000, 1_800_000_000))
    with pytest.raises(GateRefused, match=r"images: .*unsupported_format: \d+") as caught:
        ingest(everything, "strict", "quality.max_refused_share=0.05")
    assert caught.value.exit_code == 3
    assert {table: lake.version(table) for table in table_names()} == before
