"""Lists of images for people to look at: on the page as pictures, and in a file, one entry a line."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from vsearch_lib.eligibility import PUBLIC
from vsearch_lib.measure.profile.figures import BLURRED_BELOW, DARK_BELOW
from vsearch_lib.measure.profile.mislabelled import Doubt
from vsearch_lib.measure.profile.tags import IMPLIED_FROM, RedundantPair
from vsearch_lib.report.page import Block, Table
from vsearch_lib.report.pictures import Gallery, Picture

PROFILE_LISTS = re.compile(r"profile-\d{8}T\d{6}Z-[0-9a-f]{8}\.jsonl")  # names of the file, which sort by time
_LISTED = 100  # entries of a list in the file, at most
_SHOWN, _GROUPS = 16, 8  # pictures, and groups of near-duplicates, of a list on the page
_GROUP = 12  # images that are named of a group
_GALLERIES = {
    "near-duplicates": ("Near-duplicates", "The largest groups of pictures with nearly the same perceptual hash."),
    "blurred": ("Blurred", f"Sharpness below {BLURRED_BELOW:g}, the least sharp first."),
    "dark": ("Dark", f"Brightness below {DARK_BELOW:g} of 255, the darkest first."),
    "wrong tag": ("Tags that may be wrong", "Neighbours do not have the tag; the surest first."),
    "missing tag": ("Tags that may be missing", "Neighbours have a tag that the image lacks; the surest first."),
}


@dataclass(frozen=True)
class Entry:
    """An entry of a list: the images that it is about, and what is said of them."""

    list: str
    images: tuple[str, ...]
    why: str


def picture_entries(images: DataFrame, pixels: DataFrame, near_duplicates: DataFrame) -> list[Entry]:
    """Return the near-duplicates, the blurred and the dark pictures among the images that everybody may see.

    The arguments are the tables of the same names.
    """
    public = images.where(PUBLIC).select("image_id", "sha256")
    grouped = public.join(near_duplicates, "sha256", "left").groupBy(
        F.coalesce("group_sha256", "sha256").alias("group")
    )
    groups = grouped.agg(F.count("*").alias("n"), F.sort_array(F.collect_list("image_id")).alias("ids"))
    groups = groups.where("n > 1").orderBy(F.desc("n"), "group").limit(_LISTED)
    found = [
        Entry("near-duplicates", tuple(row["ids"]), f"{row['n']:,} images that look the same")
        for row in groups.select("n", F.slice("ids", 1, _GROUP).alias("ids")).collect()
    ]
    looks = public.join(pixels.select("sha256", "sharpness", "brightness"), "sha256")
    return [
        *found,
        *_lowest(looks, "blurred", F.col("sharpness"), BLURRED_BELOW, "sharpness"),
        *_lowest(looks, "dark", F.col("brightness"), DARK_BELOW, "brightness"),
    ]


def doubt_entries(doubts: Iterable[Doubt]) -> list[Entry]:
    """Return the doubts about tags as entries, the surest first."""
    made = [Entry(f"{d.kind} tag", (d.image_id,), f"{d.tag}: {d.share:.0%} of neighbours") for d in doubts]
    return [entry for name in ("wrong tag", "missing tag") for entry in [e for e in made if e.list == name][:_LISTED]]


def pair_entries(pairs: Iterable[RedundantPair]) -> list[dict[str, object]]:
    """Return redundant pairs of tags as lines of the file."""
    return [{"list": "redundant tags", **asdict(pair)} for pair in pairs]


def as_lines(entries: Sequence[Entry], pairs: Sequence[RedundantPair]) -> bytes:
    """Return the file of all lists, a JSON object a line."""
    lines = [*(asdict(entry) for entry in entries), *pair_entries(pairs)]
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()


def read_lines(content: bytes) -> tuple[list[Entry], list[RedundantPair]]:
    """Return what `as_lines` wrote."""
    entries: list[Entry] = []
    pairs: list[RedundantPair] = []
    for line in content.decode().split("\n"):
        fields = json.loads(line) if line else {}
        if "images" in fields:
            entries.append(Entry(fields["list"], tuple(fields["images"]), fields["why"]))
        elif fields:
            pairs.append(RedundantPair(**{name: value for name, value in fields.items() if name != "list"}))
    return entries, pairs


def shown_images(entries: Sequence[Entry]) -> list[str]:
    """Return the images whose pictures the galleries need."""
    return sorted({image for name in _GALLERIES for entry in _first(entries, name) for image in entry.images})


def curation_blocks(
    entries: Sequence[Entry], pairs: Sequence[RedundantPair], jpegs: Mapping[str, bytes]
) -> list[Block]:
    """Return the lists as galleries and a table; an image without a JPEG is left out, and so is an empty list."""
    blocks: list[Block] = []
    for name, (title, note) in _GALLERIES.items():
        ours = [(entry, [i for i in entry.images if i in jpegs]) for entry in _first(entries, name)]
        if name == "near-duplicates":
            groups = [(e.why, [Picture(i, jpegs[i], i) for i in ids]) for e, ids in ours if len(ids) > 1]
        else:
            alone = [Picture(ids[0], jpegs[ids[0]], e.why) for e, ids in ours if ids]
            groups = [("", alone)] if alone else []
        if groups:
            blocks.append(Gallery(title, note, groups))
    if pairs:
        rows = [(p.tag, p.other, f"{p.both:,}", f"{p.conditional:.3f}", f"{p.jaccard:.3f}") for p in pairs]
        headings = ("tag", "goes along with", "images with both", "share of the tag's", "Jaccard")
        note = (
            f"At least {IMPLIED_FROM:.0%} of the images with a tag have the other one too; at Jaccard 1 they are one."
        )
        blocks.append(Table(headings, rows, words=2, title="Redundant tags", note=note, shown=_SHOWN))
    return blocks


def _first(entries: Sequence[Entry], name: str) -> list[Entry]:
    return [entry for entry in entries if entry.list == name][: _GROUPS if name == "near-duplicates" else _SHOWN]


def _lowest(looks: DataFrame, name: str, value: Column, below: float, measure: str) -> list[Entry]:
    rows = looks.where(value < below).orderBy(value, "image_id").limit(_LISTED).collect()
    return [Entry(name, (row["image_id"],), f"{measure} {row[measure]:.1f}") for row in rows]
