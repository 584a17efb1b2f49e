"""A column is certainly one of our fields, or certainly not; else the file is refused."""

import pytest

from vsearch_lib.landing.columns import Columns, UnclearColumns

FIELDS = ["image_id", "file", "tags", "visibility", "moderation", "deleted"]


def test_columns_are_matched_with_fields_by_name():
    columns = Columns.of(["file", "title", "image_id"], FIELDS)
    assert columns.fields == ("file", None, "image_id")
    assert not columns.renamed


@pytest.mark.parametrize("name", ["Visibility", "VISIBILITY", " visibility ", "\ufeffvisibility"])
def test_case_and_spaces_do_not_matter(name):
    columns = Columns.of(["file", name], FIELDS)
    assert columns == Columns(("file", "visibility"), renamed=True)


@pytest.mark.parametrize("name", ["image id", "Image-ID", "IMAGE__ID"])
def test_words_may_be_divided_by_spaces_dashes_or_underscores(name):
    assert Columns.of([name], FIELDS).fields == ("image_id",)


@pytest.mark.parametrize("names", [["visibility", "visibility"], ["tags", "file", "Tags"], ["image_id", "image id"]])
def test_two_columns_of_one_field_are_unclear(names):
    with pytest.raises(UnclearColumns, match="is there twice"):
        Columns.of(names, FIELDS)


def test_unknown_columns_may_repeat():
    assert Columns.of(["", "", "file"], FIELDS).fields == (None, None, "file")


@pytest.mark.parametrize(
    "name",
    [
        "visibilty",
        "vsibility",
        "modration",
        "delete",
        "is_private",
        "Private",
        "public",
        "visible",
        "isPublic",
        "privacy",
        "hidden",
    ],
)
def test_a_name_that_may_decide_who_sees_a_picture_is_unclear(name):
    with pytest.raises(UnclearColumns, match=f"{name} is not a field, and may say who sees a picture"):
        Columns.of(["file", name], FIELDS)


@pytest.mark.parametrize("name", ["title", "tag", "files", "published_at", "publication", "weight"])
def test_other_names_are_not_fields(name):
    assert Columns.of([name], FIELDS).fields == (None,)


def test_a_misspelling_matters_only_if_the_records_have_the_field():
    assert Columns.of(["visibilty"], ["user_id"]).fields == (None,)
