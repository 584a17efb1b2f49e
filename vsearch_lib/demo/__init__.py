"""A made-up shop catalogue, with users, clicks and judgements, for trying the whole pipeline.

It is known exactly what makes two of its products alike (`factors`). The pictures hide it behind scenes, light, poses
and occlusions that do not matter, so that the quality of a search can be measured.
"""

from vsearch_lib.demo.catalogue import CatalogueSummary, write_catalogue
from vsearch_lib.demo.factors import Factors, grade, grade_matrix

__all__ = ["CatalogueSummary", "Factors", "grade", "grade_matrix", "write_catalogue"]
