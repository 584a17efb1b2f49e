"""Cases that need a whole night, a search or a full disk: their inputs, and the checks that run them."""

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from tests.cases.case import DAY, Case
from tests.cases.processes import (
    NIGHT_SECONDS,
    CommandResult,
    NotRun,
    command,
    needs_root,
    obeying_permissions,
    setting,
    vsearch,
)
from tests.cases.writing import encoded, jpeg, json_lines, numbered, put, put_pictures, row

_SMALL = (
    setting("model.backbone", "small"),
    setting("model.weights", "none"),
    setting("training.epochs", 1),
)
_SEARCH_SECONDS = 120
_WHOLE_NIGHT = "it needs the index of a whole night, which takes too long for the suite"

Check = Callable[[Path, Path], Iterator[str]]


def _night(var: str, *more: str) -> CommandResult:
    return command(vsearch("run", "nightly", "--env=demo", *_SMALL, setting("var", var), *more), seconds=NIGHT_SECONDS)


def _search(var: str, image: object, *more: str) -> CommandResult:
    arguments = vsearch("search", "--env=demo", setting("var", var), f"--image={image}", "--copies", *more)
    return command(arguments, seconds=_SEARCH_SECONDS)


def _search_problems(result: CommandResult, count: int) -> Iterator[str]:
    """Yield what is wrong with a search that must print `count` answers, one on each line."""
    yield from result.problems(0)
    if not result.exit_code and len(result.output.splitlines()) != count:
        yield f"the search gave {len(result.output.splitlines())} lines, not {count}"


def _placeholders(case: Path) -> None:
    put_pictures(case / "photos", [f"item{number:04d}.jpg" for number in range(300)], first_seed=5_000)
    blank = Image.new("RGB", (48, 40), (230, 230, 230))
    ImageDraw.Draw(blank).text((4, 14), "no image", fill=(90, 90, 90))
    for number in range(300):
        put(case / "photos" / f"noimage{number:04d}.jpg", encoded(blank, "JPEG"))


def _a_catalogue_half_of_placeholders_is_published(case: Path, var: Path) -> Iterator[str]:
    yield from _night(str(var), setting("landing.images", case / "photos")).problems(0)
    if not (var / "index" / "CURRENT").exists():
        yield "no index is published"


_TINY = (0, 1, 2, 5, 9)


def _tiny(case: Path) -> None:
    for count in _TINY:
        (case / f"photos{count}").mkdir(parents=True)
        put_pictures(case / f"photos{count}", numbered("plain", count, ".jpg"), first_seed=600)


def _a_tiny_catalogue_that_grows_is_searchable(case: Path, var: Path) -> Iterator[str]:
    for count in _TINY:
        photos = case / f"photos{count}"
        night = _night(str(var), setting("landing.images", photos))
        problems = [*night.problems(0)] if count else [*night.problems(1, message="has no image")]
        if count and not problems:
            problems = [*_search_problems(_search(str(var), photos / "plain0.jpg", "-k=20"), count)]
        yield from (f"{count} pictures: {problem}" for problem in problems)


IDS = (
    *("007", "7", "A", "a", "x" * 5_000, "with space", " before", "behind ", "new\nline", "nul\0nul"),
    *("<script>alert(1)</script>", "\x1b[31mred", "é", "e\u0301", "a/b/../c", "null", "None"),
    *("'; DROP TABLE images; --", "%00", "日本"),
)
_TAGS = ["<img src=x onerror=alert(1)>", "a\nb", "\x1b[2J"]


def _odd_ids(case: Path) -> None:
    day = case / "photos" / DAY
    files = [f"i{number}.jpg" for number in range(len(IDS))]
    put_pictures(day, files, first_seed=830)
    put(day / "i3.jpg", jpeg(832))  # the picture of i2 under another id
    rows = [row(image_id, file, tags=_TAGS) for image_id, file in zip(IDS, files, strict=True)]
    # An id that two rows have, and ids that are numbers.
    rows += [row("007", "i1.jpg"), row(12345, "i0.jpg"), row(12345.0, "i0.jpg")]
    put(day / "metadata.jsonl", json_lines(rows))


def _odd_ids_are_stored_and_printed_safely(case: Path, var: Path) -> Iterator[str]:
    yield from _night(str(var), setting("landing.images", case / "photos")).problems(0)
    query, page = case / "photos" / DAY / "i0.jpg", var / "out.html"
    listed = _search(str(var), query, "-k=100")
    yield from listed.problems(0)
    lines = listed.output.splitlines()
    shown = [line for line in lines if line.split()[:1] and line.split()[0].isdigit()]
    if len(shown) != len(lines) or not len(IDS) <= len(lines) <= len(IDS) + 2:
        yield f"the search gave {len(lines)} lines, {len(shown)} with a rank, for {len(IDS)} ids and two numbers"
    yield from _search(str(var), query, "-k=100", f"--html={page}").problems(0)
    html = page.read_text() if page.exists() else ""
    if "<script>alert" in html or "<img src=x" in html:
        yield "the page runs an id or a tag as HTML"
    if "&lt;script&gt;alert(1)" not in html:
        yield "the page does not show the id <script>alert(1)</script>"


_ODD_FOLDER = "photos 100% [new] #1 Jörg's {a,b}+c"


def _odd_folder(case: Path) -> None:
    put_pictures(case / _ODD_FOLDER, numbered("plain", 10, ".jpg"), first_seed=1_000)


def _a_night_works_in_an_odd_folder(case: Path, var: Path) -> Iterator[str]:
    odd = f'"{var} 100% [new] #1 Jörgs {{a,b}}+c"'
    yield from _night(odd, f"--images={case / _ODD_FOLDER}").problems(0)
    yield from _search_problems(_search(odd, case / _ODD_FOLDER / "plain0.jpg", "-k=3"), 3)


def _search_mistakes(case: Path) -> None:
    put_pictures(case / "photos", numbered("plain", 8, ".jpg"), first_seed=1_100)
    (case / "folder.jpg").mkdir()
    put(case / "secret.jpg", jpeg(1))
    (case / "secret.jpg").chmod(0)
    os.mkfifo(case / "pipe.jpg")
    put(case / "zeros.jpg", bytes(1_000))


def _each_mistake_is_reported_in_one_line(case: Path, var: Path) -> Iterator[str]:
    yield from _night(str(var), setting("landing.images", case / "photos")).problems(0)
    query = case / "photos" / "plain0.jpg"
    for mistake, result in {
        "a folder": _search(str(var), case / "folder.jpg"),
        "a pipe": _search(str(var), case / "pipe.jpg"),
        "no picture": _search(str(var), case / "zeros.jpg"),
        "standard input": _search(str(var), "-"),
        "no answers": _search(str(var), query, "-k=0"),
        "a page in a missing folder": _search(str(var), query, f"--html={case}/nowhere/out.html"),
        "an unreadable file": command(
            [
                *obeying_permissions(),
                *vsearch("search", "--env=demo", setting("var", var), f"--image={case}/secret.jpg"),
            ],
            seconds=_SEARCH_SECONDS,
        ),
    }.items():
        yield from (f"{mistake}: {problem}" for problem in result.problems(1, 2))
    many = _search(str(var), query, "-k=1000000")
    yield from (f"a million answers: {problem}" for problem in _search_problems(many, 8))
    pointer = var / "index" / "CURRENT"
    served = pointer.read_bytes() if pointer.exists() else b""
    # A newline that an editor adds may be accepted; an empty file must be an error.
    for addition, content, allowed in (("a newline", served + b"\n", (0, 1, 2)), ("nothing", b"", (1, 2))):
        pointer.parent.mkdir(exist_ok=True, parents=True)
        pointer.write_bytes(content)
        yield from (f"CURRENT with {addition}: {problem}" for problem in _search(str(var), query).problems(*allowed))


def _noise(case: Path) -> None:
    for seed in range(60):
        noise = np.random.default_rng(seed).integers(0, 255, (400, 400, 3), np.uint8)
        put(case / "photos" / f"b{seed:03d}.jpg", encoded(Image.fromarray(noise), "JPEG", quality=95))


def _a_night_resumes_after_the_disk_was_full(case: Path, var: Path) -> Iterator[str]:
    needs_root()
    var.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m", "none", str(var)], capture_output=True, text=True
    )
    if mounted.returncode:
        raise NotRun(f"cannot mount a small disk: {mounted.stderr.strip()}")
    try:
        images = setting("landing.images", case / "photos")
        yield from (f"full: {problem}" for problem in _night(str(var), images).problems(1, message="full"))
        subprocess.run(["mount", "-o", "remount,size=400m", str(var)], check=True)
        again = _night(str(var), images)
        yield from (f"with room: {problem}" for problem in again.problems(0))
        yield from _search_problems(_search(str(var), case / "photos" / "b000.jpg", "-k=100"), 60)
    finally:
        subprocess.run(["umount", "-l", str(var)], check=True)


CASES = (
    Case(13, "placeholders", _placeholders, own_process=_WHOLE_NIGHT),
    Case(14, "tiny-catalogues", _tiny, own_process=_WHOLE_NIGHT),
    Case(30, "ids", _odd_ids, own_process=_WHOLE_NIGHT),
    Case(33, "var-with-special-characters", _odd_folder, own_process="the session's own folder has a plain name"),
    Case(37, "search-command", _search_mistakes, own_process="it checks how a command ends"),
    Case(39, "disk-full", _noise, own_process="it needs its own disk, which root mounts"),
)
CHECKS: Mapping[int, Check] = {
    13: _a_catalogue_half_of_placeholders_is_published,
    14: _a_tiny_catalogue_that_grows_is_searchable,
    30: _odd_ids_are_stored_and_printed_safely,
    33: _a_night_works_in_an_odd_folder,
    37: _each_mistake_is_reported_in_one_line,
    39: _a_night_resumes_after_the_disk_was_full,
}
