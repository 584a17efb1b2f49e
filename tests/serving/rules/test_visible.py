"""A rule checks again who may see an image."""

import pytest

from tests.support.candidates import candidate, ids
from vsearch_lib.serving.candidates import Wish
from vsearch_lib.serving.rules.visible import visible

IMAGES = [
    candidate("public", owner_id="bob"),
    candidate("private", owner_id="bob", visibility="private"),
    candidate("blocked", owner_id="bob", moderation="blocked"),
    candidate("unreviewed", owner_id="bob", moderation="unreviewed"),
    candidate("no owner", owner_id=None, visibility="private"),
    candidate("not known", visibility=None, owner_id="eve"),
]


@pytest.mark.parametrize(
    ("viewer", "seen"),
    [
        (None, ["public", "unreviewed"]),
        ("ann", ["public", "unreviewed"]),
        ("bob", ["public", "private", "unreviewed"]),
        ("", ["public", "unreviewed"]),
        ("eve", ["public", "unreviewed", "not known"]),
    ],
)
def test_a_private_image_is_for_its_owner_and_a_blocked_one_for_nobody(viewer, seen):
    assert ids(visible(IMAGES, Wish(k=10, viewer_id=viewer))) == seen
