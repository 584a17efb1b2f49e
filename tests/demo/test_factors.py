"""The grade of a pair and that of arrays agree, and have the stated properties."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vsearch_lib.demo import Factors, grade, grade_matrix
from vsearch_lib.demo.factors import TOP_GRADE, VALUES, from_codes

codes = st.tuples(*(st.integers(0, len(values) - 1) for values in VALUES))
designs = codes.map(lambda row: from_codes(np.array(row, dtype=np.int8)))


@given(st.lists(codes, min_size=1, max_size=6), st.lists(codes, min_size=1, max_size=6))
def test_grade_matrix_gives_what_grade_gives_for_every_pair(queries, images):
    q, i = np.array(queries, dtype=np.int8), np.array(images, dtype=np.int8)
    expected = [[grade(from_codes(a), from_codes(b)) for b in i] for a in q]
    assert grade_matrix(q, i).tolist() == expected


@given(designs, designs)
def test_grade_is_symmetric_and_within_0_to_5(a, b):
    assert grade(a, b) == grade(b, a)
    assert 0 <= grade(a, b) <= TOP_GRADE


@given(designs, designs)
def test_only_the_same_design_has_the_top_grade(a, b):
    assert (grade(a, b) == TOP_GRADE) == (a == b)


@given(designs, designs, designs)
def test_the_same_shape_never_grades_below_another_shape(a, b, c):
    if a.shape == b.shape and a.shape != c.shape:
        assert grade(a, b) >= grade(a, c)


def test_one_shared_property_of_another_shape_is_a_coincidence():
    mug = Factors("mug", "dots", "mint", "glossy")
    assert grade(mug, Factors("hat", "dots", "plum", "knit")) == 0
    assert grade(mug, Factors("hat", "dots", "mint", "knit")) == 1
    assert grade(mug, Factors("hat", "dots", "mint", "glossy")) == 2
    assert grade(mug, Factors("mug", "zigzag", "plum", "knit")) == 2
