"""A made-up shop catalogue, with users, clicks and judgements, to try the whole pipeline on.

What makes two of its products alike is known exactly (`factors`), and the pictures bury it under scenes, light,
poses and occlusions that do not matter, so that a search over it can be measured.
"""

from vsearch_lib.demo.catalogue import CatalogueSummary, write_catalogue
from vsearch_lib.demo.factors import Factors, grade, grade_matrix

__all__ = ["CatalogueSummary", "Factors", "grade", "grade_matrix", "write_catalogue"]
