"""Cases about files with odd names, and about files that are not pictures."""

import os
import unicodedata
from pathlib import Path

from tests.cases.case import DAY, Case, Outcome, Part
from tests.cases.writing import drawn, encoded, jpeg, json_lines, numbered, put, put_pictures, row

_SYSTEM_FILES = {
    ".DS_Store": b"\0\0\0\1Bud1" + bytes(100),
    "._IMG_0001.jpg": b"\0\5\x16\7" + bytes(100),
    "Thumbs.db": b"\xd0\xcf\x11\xe0" + bytes(100),
    "desktop.ini": b"[.ShellClassInfo]\r\n",
}
_SIDECARS = {"IMG_0002.AAE": b"<?xml version='1.0'?>", "IMG_0003.xmp": b"<x:xmpmeta/>"}

_UNDERSCORES = ["_MG_1234.JPG", "_DSC0007.jpg", "_R7_3376.jpg", "_export/2026/a.jpg", "lightroom/_edited/b.jpg"]

_COMPOSED, _DECOMPOSED = (unicodedata.normalize(form, "größe é.jpg") for form in ("NFC", "NFD"))
ODD_NAMES = (
    # Shells, URLs and globs give these characters a meaning.
    *("per%20cent 100%.jpg", "number #1.jpg", "why?.jpg", "a:b 12:30.jpg", "br[a]ck{e}t*.jpg", "quote'\".jpg"),
    *("back\\slash.jpg", "plus+and&=;,.jpg", "$(touch here).jpg", "-rf.jpg", "~.jpg", "CON.jpg"),
    # Characters that are invisible, or move the cursor.
    *("new\nline.jpg", "tab\there.jpg", "space behind .jpg ", "dots..jpg.", "\u200b.jpg", "\u202egpj.evil.jpg"),
    *("bell\x07 escape\x1b[31mred.jpg", "at 12.30.00\u202fPM.jpg"),
    # Names that look alike and differ.
    *("IMG.JPG", "img.jpg", _COMPOSED, _DECOMPOSED),
    # The longest name, characters beyond the first Unicode plane, and folders that look like partitions.
    *("x" * 250 + ".jpg", "emoji 👩‍👩‍👧.jpg", "a=b/date=2026-13-01/c.jpg", "semi;colon/é/è.jpg"),
)

# Modification times from a dead clock or a wrong copy, and at the limits of formats.
_CLOCKS = {
    "y1904.jpg": ("1904-01-01 00:00:00", -2_082_844_800),
    "y1960.jpg": ("1960-01-01 00:00:00", -315_619_200),
    "y1970.jpg": ("1970-01-01 00:00:00", 0),
    "y1980.jpg": ("1980-01-01 00:00:00", 315_532_800),
    "y2106.jpg": ("2106-02-07 06:28:15", 4_294_967_295),
    "y2300.jpg": ("2300-01-01 00:00:00", 10_413_792_000),
}


def _by_path(folder: str, *names: str, **more: object) -> Part:
    """Return a part of pictures without metadata, whose ids are `names`."""
    return Part(folder, {"images": Outcome(accepted=frozenset(names), by_path=True, **more)})


def _underscores(case: Path) -> None:
    put_pictures(case / "photos", [*_UNDERSCORES, *numbered("plain", 4, ".jpg")], first_seed=100)
    day = case / "described" / DAY
    put_pictures(day, [*numbered("plain", 4, ".jpg"), "_MG_1234.jpg"], first_seed=110)
    named = [row(f"01-plain{n}", f"plain{n}.jpg") for n in range(4)] + [row("01-camera", "_MG_1234.jpg")]
    put(day / "metadata.jsonl", json_lines(named))


_BEYOND_ASCII = [*numbered("plain", 3, ".jpg"), "Müller.jpg", "東京/写真.jpg", "Crème brûlée 🍮.jpg"]


def _beyond_ascii(case: Path) -> None:
    put_pictures(case / "photos", _BEYOND_ASCII, first_seed=120)


def _links(case: Path) -> None:
    photos = case / "photos"
    put_pictures(photos, [*numbered("plain", 3, ".jpg"), "album/own.jpg"], first_seed=130)
    (photos / "album" / "up").symlink_to("..")
    (photos / "album" / "link.jpg").symlink_to("../plain0.jpg")
    (photos / "album" / "dangling.jpg").symlink_to("../gone.jpg")


def _locked(case: Path) -> None:
    photos = case / "photos"
    put_pictures(photos, [*numbered("plain", 4, ".jpg"), "locked.jpg", "private/inside.jpg"], first_seed=140)
    (photos / "locked.jpg").chmod(0)
    (photos / "private").chmod(0)


def _pipe(case: Path) -> None:
    put_pictures(case / "photos", numbered("plain", 3, ".jpg"), first_seed=150)
    os.mkfifo(case / "photos" / "stream.jpg")


def _odd_names(case: Path) -> None:
    put_pictures(case / "photos", ODD_NAMES, first_seed=200)
    put_pictures(case / "described" / DAY, ODD_NAMES, first_seed=200)
    rows = [row(f"07-{number}", name) for number, name in enumerate(ODD_NAMES)]
    put(case / "described" / DAY / "metadata.jsonl", json_lines(rows))


def _other_spellings(case: Path) -> None:
    day = case / "photos" / DAY
    on_disk = [unicodedata.normalize("NFD", "Käse.jpg"), "IMG_1.JPG", "sub/c.jpg", "d.jpg"]
    put_pictures(day, [*numbered("plain", 8, ".jpg"), *on_disk], first_seed=240)
    rows = [row(f"08-plain{n}", f"plain{n}.jpg") for n in range(8)]
    rows += [
        row("08-composed", unicodedata.normalize("NFC", "Käse.jpg")),
        row("08-case", "img_1.jpg"),
        row("08-windows", "sub\\c.jpg"),
        row("08-dot", "./d.jpg"),
    ]
    put(day / "metadata.jsonl", json_lines(rows))


def _clutter(case: Path) -> None:
    year = case / "photos" / "2024"
    for number in range(10):
        picture, name = drawn(260 + number, 120, 100), f"IMG_{number:04d}.jpg"
        put(year / name, encoded(picture, "JPEG"))
        put(year / "@eaDir" / name / "SYNOPHOTO_THUMB_M.jpg", encoded(picture.resize((60, 50)), "JPEG"))
    for name, content in {**_SYSTEM_FILES, **_SIDECARS}.items():
        put(year / name, content)
    put(year / "IMG_0002.MOV", b"\0\0\0\x14ftypqt  " + bytes(100))


def _clocks(case: Path) -> None:
    put_pictures(case / "photos", numbered("plain", 3, ".jpg"), first_seed=280)
    for seed, (name, (_, modified)) in enumerate(_CLOCKS.items(), start=290):
        put(case / "photos" / name, jpeg(seed), modified=modified)


def _album(case: Path) -> None:
    put_pictures(case / "photos", numbered("album/plain", 4, ".jpg"), first_seed=300)


def _four_pictures(case: Path) -> None:
    put_pictures(case / "photos", numbered("plain", 4, ".jpg"), first_seed=310)


_WRONG_CASE = (f"{DAY}/metadata.jsonl", 10)
CASES = (
    Case(
        1,
        "underscore-names",
        _underscores,
        (
            _by_path("photos", *_UNDERSCORES, *numbered("plain", 4, ".jpg")),
            Part("described", {"images": Outcome(frozenset([*numbered("01-plain", 4), "01-camera"]))}),
        ),
    ),
    Case(
        3,
        "posix-locale",
        _beyond_ascii,
        (_by_path("photos", *_BEYOND_ASCII),),
        own_process="Python and Java read their locale from the environment when they start",
    ),
    Case(
        4,
        "symlink-loop",
        _links,
        (
            _by_path(
                "photos",
                *numbered("plain", 3, ".jpg"),
                *("album/own.jpg", "album/link.jpg"),
                refused={("album/dangling.jpg", 0): "unreadable"},
                passed_over={"link to a listed folder": 1},
            ),
        ),
    ),
    Case(
        5,
        "unreadable",
        _locked,
        (
            _by_path(
                "photos",
                *numbered("plain", 4, ".jpg"),
                refused={("locked.jpg", 0): "unreadable", ("private", 0): "unreadable"},
            ),
        ),
        own_process="it needs a user who obeys permissions; root, who may run the tests, can read everything",
    ),
    Case(
        6,
        "fifo",
        _pipe,
        (_by_path("photos", *numbered("plain", 3, ".jpg"), refused={("stream.jpg", 0): "unreadable"}),),
    ),
    Case(
        7,
        "odd-names",
        _odd_names,
        (
            _by_path("photos", *ODD_NAMES),
            Part("described", {"images": Outcome(frozenset(numbered("07-", len(ODD_NAMES))))}),
        ),
    ),
    Case(
        8,
        "nfd-file-nfc-metadata",
        _other_spellings,
        (
            Part(
                "photos",
                {
                    "images": Outcome(
                        accepted=frozenset([*numbered("08-plain", 8), "08-composed", "08-windows", "08-dot"]),
                        refused={_WRONG_CASE: "missing_file", (f"{DAY}/IMG_1.JPG", 0): "missing_metadata"},
                        messages={_WRONG_CASE: "IMG_1.JPG"},
                    )
                },
            ),
        ),
    ),
    Case(
        9,
        "nas-and-phone-clutter",
        _clutter,
        (
            _by_path(
                "photos",
                *(f"2024/IMG_{number:04d}.jpg" for number in range(10)),
                passed_over={"system": 10 + len(_SYSTEM_FILES), "sidecar": len(_SIDECARS), "video": 1},
            ),
        ),
    ),
    Case(
        12,
        "odd-mtimes",
        _clocks,
        (
            _by_path(
                "photos",
                *numbered("plain", 3, ".jpg"),
                *_CLOCKS,
                values={"uploaded_at": {name: moment for name, (moment, _) in _CLOCKS.items()}},
            ),
        ),
    ),
    Case(
        35,
        "double-slash",
        _album,
        (
            Part(
                "photos",
                {"images": Outcome(frozenset(numbered("album/plain", 4, ".jpg")), by_path=True)},
                address=lambda folder: f"file://{folder.parent}//{folder.name}",
            ),
        ),
    ),
    Case(
        36,
        "unknown-uid",
        _four_pictures,
        (_by_path("photos", *numbered("plain", 4, ".jpg")),),
        own_process="it runs as another user, whom the machine has no name for",
    ),
)
