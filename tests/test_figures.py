"""The labels of figures on pages."""

import pytest

from vsearch_lib.figures import Figure


@pytest.mark.parametrize(
    ("names", "label"),
    [
        ({}, "all"),
        ({"slice": "2026-11-02"}, "2026-11-02"),
        ({"subject": "variant b"}, "variant b"),
        ({"subject": "queries", "slice": "by chance"}, "queries, by chance"),
    ],
)
def test_a_label_names_the_subject_and_the_slice_unless_they_are_everything(names, label):
    assert Figure("requests", 1, **names).label == label
