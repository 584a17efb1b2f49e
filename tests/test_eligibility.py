"""Who may see an image is decided in the same way for tables, for rows of an index, and by the rule in words."""

import itertools
from datetime import UTC, date, datetime
from types import SimpleNamespace

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import functions as F

from vsearch_lib import eligibility
from vsearch_lib.artefact.rows import ROWS
from vsearch_lib.eligibility import FOR_EVERYBODY, LIVING, NOT_BLOCKED, PUBLIC, visible
from vsearch_lib.images.facts import fold, to_images
from vsearch_lib.images.files import FACTS
from vsearch_lib.lake import table_schema
from vsearch_lib.search.filter import Filter, admitted

DAY = datetime(2026, 3, 1, tzinfo=UTC)
OWNERS, VIEWERS = ("ann", "bob", ""), (None, "ann", "bob", "", "eve")
VISIBILITY, MODERATION = ("public", "private"), ("ok", "blocked", "unreviewed")


def may_see(viewer, *, visibility, moderation, deleted, owner_id) -> bool:
    """The rule in words; an unknown fact hides an image from others."""
    if deleted or moderation in ("blocked", None):
        return False
    return visibility == "public" or (viewer is not None and owner_id == viewer)


image = st.fixed_dictionaries(
    {
        "visibility": st.sampled_from((*VISIBILITY, None)),
        "moderation": st.sampled_from((*MODERATION, None)),
        "owner_id": st.sampled_from((*OWNERS, None)),
    }
)


@settings(deadline=None)
@given(images=st.lists(image, max_size=20), viewer=st.sampled_from(VIEWERS))
def test_rows_of_an_index_are_visible_as_the_rule_says(images, viewer):
    rows = pa.Table.from_pylist([{**one, "tags": [], "uploaded_at": DAY} for one in images], schema=ROWS)
    expected = [may_see(viewer, deleted=False, **one) for one in images]
    assert visible(rows, viewer).tolist() == expected
    assert admitted(rows, Filter(viewer_id=viewer)).tolist() == expected
    assert [eligibility.may_see(SimpleNamespace(**one), viewer) for one in images] == expected


@pytest.fixture(scope="module")
def every_image(spark):
    """Every possible image, with the results of the SQL conditions."""
    values = itertools.product((*VISIBILITY, None), (*MODERATION, None), (None, DAY), (*OWNERS, None))
    names = "visibility string, moderation string, deleted_at timestamp, owner_id string"
    images = spark.createDataFrame(list(values), names)
    for viewer in VIEWERS[1:]:
        seen = f"{LIVING} AND ({FOR_EVERYBODY.sql} OR owner_id = '{viewer}')"
        images = images.withColumn(f"seen by {viewer}", F.coalesce(F.expr(seen), F.lit(False)))
    rules = {"living": LIVING, "public": PUBLIC}
    images = images.withColumns({name: F.coalesce(F.expr(sql), F.lit(False)) for name, sql in rules.items()})
    return [row.asDict() for row in images.collect()]


def test_sql_selects_the_images_that_the_rule_says(every_image):
    assert len(every_image) == 3 * 4 * 2 * 4
    for image in every_image:
        facts = {name: image[name] for name in ("visibility", "moderation", "owner_id")}
        deleted = image["deleted_at"] is not None
        assert image["living"] == (not deleted and image["moderation"] in ("ok", "unreviewed")), image
        assert image["public"] == may_see(None, deleted=deleted, **facts), image
        for viewer in VIEWERS[1:]:
            assert image[f"seen by {viewer}"] == may_see(viewer, deleted=deleted, **facts), image


@pytest.mark.parametrize("viewer", VIEWERS)
def test_sql_and_an_index_agree_on_every_image(every_image, viewer):
    living = [image for image in every_image if image["deleted_at"] is None]
    facts = [{name: image[name] for name in ROWS.names if name in image} for image in living]
    by_sql = [image["public" if viewer is None else f"seen by {viewer}"] for image in living]
    assert visible(pa.Table.from_pylist(facts, schema=ROWS), viewer).tolist() == by_sql


@pytest.mark.parametrize("condition", [NOT_BLOCKED, FOR_EVERYBODY], ids=lambda condition: condition.sql)
def test_the_columns_of_the_rule_are_in_images_and_in_the_rows_of_an_index(condition):
    assert condition.column in ROWS.names
    assert condition.column in table_schema("images").names


def test_of_two_statements_of_one_day_the_one_that_hides_an_image_counts(spark):
    facts = list(itertools.product((*VISIBILITY, None), (*MODERATION, None), (True, False, None)))
    pairs = list(itertools.product(facts, facts))
    names = ("visibility", "moderation", "deleted")
    statements = [
        (f"i-{number}", line, *statement) for number, pair in enumerate(pairs) for line, statement in enumerate(pair)
    ]
    columns = "image_id string, line bigint, visibility string, moderation string, deleted boolean"
    frame = spark.createDataFrame(statements, columns).withColumns(
        {
            "landed_on": F.lit(date(2026, 3, 1)),
            "source": F.lit("s"),
            "owner_id": F.lit("ann"),
            "uploaded_at": F.lit(DAY),
            "tags": F.array().cast("array<string>"),
            **{name: F.lit("f") for name in ("source_uri", *FACTS)},
        }
    )
    public = {row["image_id"] for row in to_images(fold(frame)).where(PUBLIC).select("image_id").collect()}
    for number, pair in enumerate(pairs):
        hiding = {("visibility", "private"), ("moderation", "blocked"), ("deleted", True)}
        hidden = any(fact in hiding for statement in pair for fact in zip(names, statement, strict=True))
        assert (f"i-{number}" in public) == (not hidden), pair
