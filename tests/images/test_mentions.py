"""Files that may state who may see pictures are recognised by their words, also if they are compressed."""

import bz2
import gzip
import io
import lzma
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from vsearch_lib.images.mentions import lists_pictures, mentions_pictures, workbook_mentions_pictures

ROWS = b'{"file": "a.jpg", "Visibility": "x"}\n'


@pytest.mark.parametrize(
    "head",
    [
        ROWS,
        b"name,is_private\n",
        b'{"is_public": false}',
        b'{"isPublic": false}',
        b'{"deleted": true}',
        "image_id;file\n".encode("utf-16"),
        gzip.compress(ROWS, mtime=0),
        bz2.compress(ROWS),
        lzma.compress(ROWS),
        pa.compress(ROWS * 9, codec="zstd", asbytes=True),
    ],
)
def test_a_file_with_such_words_mentions_pictures(head):
    assert mentions_pictures(head)


@pytest.mark.parametrize(
    "head", [b"", b"name,label\n", b"\xff\xd8\xff\xe0", gzip.compress(b"name,label\n", mtime=0), b"SQLite format 3"]
)
def test_other_files_do_not_mention_pictures(head):
    assert not mentions_pictures(head)


def test_column_names_at_the_end_of_parquet_are_recognised():
    sink = io.BytesIO()
    pq.write_table(pa.table({"moderation": ["x"]}), sink)
    content = sink.getvalue()
    assert mentions_pictures(content[:4], content[4:])


@pytest.mark.parametrize("head", [b"\x1f\x8bnonsense", b"BZhnonsense", b"\xfd7zXZnonsense", b"\x28\xb5\x2f\xfd"])
def test_a_file_that_cannot_be_unpacked_may_mention_pictures(head):
    assert mentions_pictures(head)


@pytest.mark.parametrize(("text", "mentions"), [("<si><t>visibility</t></si>", True), ("<si><t>label</t></si>", False)])
def test_the_texts_of_a_workbook_are_searched(text, mentions):
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/sharedStrings.xml", text)
    assert workbook_mentions_pictures(sink.getvalue()) is mentions


def test_a_broken_workbook_may_mention_pictures():
    assert workbook_mentions_pictures(b"PK\x03\x04")


@pytest.mark.parametrize(
    "head",
    [
        ROWS,
        b"image_id,file\n",
        b"x;visibility;y",
        b"name,tags,visibility\r\n",
        b"path;moderation\n",
        b'{"owner_id":1}',
        b"file,who\n",
    ],
)
def test_a_table_is_recognised_without_the_name_of_a_table(head):
    assert lists_pictures(head)


@pytest.mark.parametrize(
    "head", [b"<html>403: this page is private</html>", b"For private use, visibility is poor.", b"holidays"]
)
def test_prose_is_not_a_table(head):
    assert not lists_pictures(head)
