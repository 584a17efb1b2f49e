"""Searching with a picture file gives answers as objects, text, JSON and a page."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from tests.support.served_pictures import PICTURES
from tests.support.stored_pictures import DAY, image, store
from vsearch_lib.config import Settings
from vsearch_lib.errors import ArtefactError, UsageError
from vsearch_lib.images.decode import Limits, normalise
from vsearch_lib.report.page import Answer as Shown
from vsearch_lib.report.page import Query, render
from vsearch_lib.serving.answer import Found, as_json, as_text, find
from vsearch_lib.serving.ask import Answer, Answers, Ask, Crop, Timings
from vsearch_lib.serving.candidates import Facts


@pytest.fixture
def pictures(picture_files) -> list[Path]:
    return picture_files


@pytest.fixture
def served(served_pictures) -> Settings:
    return served_pictures


def answer_file(settings: Settings, file: Path, *, k: int, crop: tuple | None = None, copies: bool = True) -> Found:
    return find(settings, Ask(k=k, crop=Crop(*crop) if crop else None, copies=copies), file=file)


def found(answers: list[Answer]) -> Found:
    facts = {a.image_id: Facts(a.image_id, "o", "public", "ok", "0" * 16, DAY, a.tags, None) for a in answers}
    return Found("query", Ask(), Answers("v1", None, None, tuple(answers), None, Timings(0, 0, 0)), facts)


def test_a_picture_finds_itself_first(served, pictures):
    answers = answer_file(served, pictures[4], k=3).answers
    assert answers.version == "v1"
    assert [answer.rank for answer in answers.answers] == [1, 2, 3]
    assert answers.answers[0].image_id == "image-4"
    assert 0.998 < answers.answers[0].cosine <= 1
    cosines = [answer.cosine for answer in answers.answers]
    assert cosines == sorted(cosines, reverse=True)


def test_by_default_a_picture_does_not_find_itself_and_a_note_names_it(served, pictures):
    answers = answer_file(served, pictures[4], k=3, copies=False).answers
    assert len(answers.answers) == 3
    assert "image-4" not in {answer.image_id for answer in answers.answers}
    assert answers.note.startswith("the catalogue has this picture: image-4;")


@pytest.mark.parametrize("hidden", [3, 5])
def test_a_hidden_picture_is_not_answered_even_to_itself(served, pictures, hidden):
    answers = answer_file(served, pictures[hidden], k=50).answers.answers
    assert len(answers) == PICTURES - 2
    assert {"image-3", "image-5"}.isdisjoint(answer.image_id for answer in answers)


def test_json_and_text_have_the_same_answers(served, pictures):
    answers = answer_file(served, pictures[0], k=2, crop=(0, 0, 64, 64))
    content = json.loads(as_json(answers))
    assert content["query"] == str(pictures[0])
    assert content["version"] == "v1"
    lines = as_text(answers.answers).splitlines()
    assert len(lines) == len(content["answers"]) == 2
    for line, answer in zip(lines, content["answers"], strict=True):
        tag = "even" if int(answer["image_id"][6:]) % 2 == 0 else "odd"
        assert line.split() == [str(answer["rank"]), f"{answer['cosine']:.4f}", answer["image_id"], tag]
        assert datetime.fromisoformat(answer["uploaded_at"]).tzinfo is not None
        assert answer["source_uri"] == f"file:///pictures/{answer['image_id']}.jpg"
        assert (answer["visibility"], answer["moderation"], answer["rules"]) == ("public", "ok", [])
    assert content["note"] is None


def test_a_missing_query_file_is_a_usage_error(served, tmp_path):
    with pytest.raises(UsageError, match=r"image .*none\.jpg: no such file"):
        answer_file(served, tmp_path / "none.jpg", k=3)


def test_a_broken_query_file_is_a_usage_error_in_one_line(served, tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut")
    with pytest.raises(UsageError, match="refused") as refused:
        answer_file(served, tmp_path / "broken.jpg", k=3)
    assert "\n" not in str(refused.value)


def wrong_file(kind: str, folder: Path) -> Path:
    """Make a file that a person may give by mistake instead of a picture file."""
    file = folder / kind
    if kind == "folder":
        file.mkdir()
    elif kind == "pipe":
        os.mkfifo(file)
    elif kind == "link to nothing":
        file.symlink_to(folder / "nothing")
    elif kind == "empty":
        file.touch()
    elif kind == "no picture":
        file.write_text("text")
    elif kind == "huge":
        with file.open("wb") as sink:
            sink.truncate(10**12)
    return file


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("folder", "this is a folder"),
        ("pipe", "not a regular file"),
        ("link to nothing", "no such file"),
        ("-", "no such file"),
        ("empty", "empty_file"),
        ("no picture", "unsupported_format"),
        ("huge", "image.max_bytes"),
        ("n" * 300, "file name too long"),
        ("nul\0", "null byte"),
    ],
)
def test_a_file_that_is_not_a_picture_is_a_usage_error_before_the_index_is_opened(settings, tmp_path, kind, message):
    with pytest.raises(UsageError, match=message) as refused:
        answer_file(settings, wrong_file(kind, tmp_path), k=3)
    assert "\n" not in str(refused.value)


@pytest.mark.skipif(
    os.geteuid() == 0, reason="root may read and write everything: case 37 of make test-cases takes the right away"
)
def test_a_file_that_may_not_be_read_is_a_usage_error(settings, pictures):
    pictures[0].chmod(0)
    with pytest.raises(UsageError, match="permission denied"):
        answer_file(settings, pictures[0], k=3)


def test_a_crop_outside_the_picture_is_a_usage_error_before_the_index_is_opened(settings, pictures):
    with pytest.raises(UsageError, match="lies outside the picture"):
        answer_file(settings, pictures[0], k=3, crop=(0, 0, 1000, 10))


def test_asking_for_more_answers_than_pictures_gives_all_of_them(served, pictures):
    assert len(answer_file(served, pictures[0], k=10**9).answers.answers) == PICTURES - 2


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"[]", b'{"version": "v1"}', b"null"])
def test_an_invalid_pointer_is_reported_before_the_model_is_loaded(served, pictures, content):
    Path(served.index.uri, "CURRENT").write_bytes(content)
    shutil.rmtree(served.models.uri)
    with pytest.raises(ArtefactError, match="CURRENT is not a pointer") as refused:
        answer_file(served, pictures[0], k=3)
    assert "\n" not in str(refused.value)


def test_a_pointer_to_a_missing_manifest_is_reported(served, pictures):
    shutil.rmtree(Path(served.index.uri, "manifests"))
    with pytest.raises(ArtefactError, match=r"manifests/v1\.json is missing"):
        answer_file(served, pictures[0], k=3)


def test_a_pointer_with_an_additional_line_end_is_still_valid(served, pictures):
    pointer = Path(served.index.uri, "CURRENT")
    pointer.write_bytes(pointer.read_bytes() + b"\n")
    assert answer_file(served, pictures[0], k=1).answers.answers


def test_text_has_one_line_for_each_answer_whatever_its_id_contains():
    answers = found([Answer(1, "a\x1b[31m\nb\u202e", 1.0, ("x\ty", "café"), "o", DAY, None)]).answers
    assert as_text(answers) == r"  1  1.0000  a\x1b[31m\nb\u202e  x\ty café"


def test_a_page_shows_an_id_that_is_html_as_text(pictures):
    listed = [Shown("<script>alert(1)</script>", pictures[0].read_bytes(), 1.0, "<b>tag</b>", None)]
    page = render("Pictures like <i>", "version <u>", [], [Query("<q>", pictures[0].read_bytes(), "<name>", listed)])
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert all(tag not in page for tag in ("<script>alert", "<b>tag", "<i>", "<u>", "<q>", "<name>"))


def search_html(served, picture: Path, page: Path, *options: str) -> tuple[str, str, set[str]]:
    """Return the output and the errors of `vsearch search --html`, and the packages that it imported."""
    code = """
import atexit, sys
atexit.register(lambda: print(*{name.split(".")[0] for name in sys.modules}))
from vsearch_lib.cli import main
main()
"""
    command = [sys.executable, "-c", code, "search", "--env=demo", f"--set=var={served.var}", f"--image={picture}"]
    words = [*command, f"--html={page}", *options]
    # No process can find Java.
    environment = {name: value for name, value in os.environ.items() if name != "JAVA_HOME"} | {"PATH": "/nowhere"}
    done = subprocess.run(words, capture_output=True, text=True, env=environment, check=True)
    printed, _, imported = done.stdout.rstrip("\n").rpartition("\n")
    return printed, done.stderr, set(imported.split())


@pytest.fixture
def stored(served, lake, pictures):
    """The lake of the pictures; after the index was built, 1 became private, 2 was blocked, and 7 was deleted."""
    limits = Limits(served.image.max_bytes, served.image.max_pixels, served.image.min_side, served.image.size)
    hidden = {1: {"visibility": "private"}, 2: {"moderation": "blocked"}, 7: {"deleted_at": DAY}}
    hidden |= {3: {"visibility": "private"}, 5: {"moderation": "blocked"}}
    images = [image(f"image-{i}", f"{i:064}", **hidden.get(i, {})) for i in range(PICTURES)]
    store(lake, images, {f"{i:064}": normalise(file.read_bytes(), limits).jpeg for i, file in enumerate(pictures)})
    return served


def test_a_page_shows_pictures_that_everybody_may_see_now_and_starts_no_java(stored, pictures, tmp_path):
    printed, errors, imported = search_html(stored, pictures[4], tmp_path / "page.html", "-k", "50", "--copies")
    page = (tmp_path / "page.html").read_text()
    assert errors == "vsearch: only 10 found: no other image matches\n"
    assert printed.endswith(f"page: {tmp_path / 'page.html'}")
    shown = set(re.findall(r'<img src="data:image/jpeg;base64,[^"]{100,}" alt="answer \d+: ([^"]+)"', page))
    assert shown == {f"image-{i}" for i in range(PICTURES) if i not in (1, 2, 3, 5, 7)}
    assert "deltalake" in imported
    assert imported & {"pyspark", "py4j", "delta", "pandas", "torch"} == set()


def test_without_a_lake_a_page_lists_the_answers_and_says_why_it_has_no_pictures(served, pictures, tmp_path):
    printed, errors, _ = search_html(served, pictures[4], tmp_path / "page.html", "--json", "--copies")
    answers = json.loads(printed)["answers"]
    why = f"the page has no pictures: there is no lake at {served.lake.uri}; set lake.uri to where it is"
    assert errors == f"vsearch: {why}\n"
    page = (tmp_path / "page.html").read_text()
    assert page.count("<img") == 1  # the query's own
    assert f"version v1; {why}" in page
    assert [answer["image_id"] for answer in answers] == re.findall(r"<figure>\s*(image-\d+)", page)


def test_without_an_index_the_error_says_what_to_run(settings, pictures):
    with pytest.raises(ArtefactError, match="nothing is published"):
        answer_file(settings, pictures[0], k=3)


def test_control_characters_of_ids_and_tags_do_not_reach_the_terminal():
    answers = found([Answer(1, "\x1b[31mred\nnew", 0.5, ("\x1b[2J", "größe"), "o", DAY, None)]).answers
    assert as_text(answers) == r"  1  0.5000  \x1b[31mred\nnew  \x1b[2J größe"
