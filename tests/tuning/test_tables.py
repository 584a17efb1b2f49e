"""Tables list the measurements, mark the unbeaten ones, and list methods that are not installed."""

from __future__ import annotations

from vsearch_lib.artefact.gate_report import Recall
from vsearch_lib.artefact.manifest import OperatingPoint
from vsearch_lib.tuning.measurement import Measured
from vsearch_lib.tuning.methods import Method, Trial
from vsearch_lib.tuning.sweep import Point
from vsearch_lib.tuning.tables import family_table, sweep_table


def measured(recall: float, ms: float) -> Measured:
    return Measured(Recall(recall, 0.0123), ms, 2 * ms)


POINTS = [
    Point(OperatingPoint(1, 25), measured(0.5, 0.1)),
    Point(OperatingPoint(4, 25), measured(0.9, 0.3)),
    Point(OperatingPoint(4, 100), measured(0.9, 0.4)),  # no better than the one before
    Point(OperatingPoint(16, 400), measured(0.97, 1.5)),
    Point(OperatingPoint(64, 400), measured(0.97, 2.5)),
]


def test_the_whole_table_lists_all_points_and_marks_the_served_and_the_chosen_one():
    table = sweep_table(POINTS, served=OperatingPoint(64, 400), chosen=OperatingPoint(16, 400), whole=True)
    assert [row[:3] for row in table.rows] == [
        ["*", "1", "25"],
        ["*", "4", "25"],
        ["", "4", "100"],
        ["* chosen", "16", "400"],
        ["served", "64", "400"],
    ]
    assert table.rows[3][3:] == ["0.970 ± 0.012", "1.500", "3.000"]


def test_the_short_table_lists_only_unbeaten_points_and_the_served_one():
    table = sweep_table(POINTS, served=OperatingPoint(64, 400), chosen=None, whole=False)
    assert [row[0] for row in table.rows] == ["*", "*", "*", "served"]


FLAT = Method("exact", "Flat", build=lambda vectors: None)
CODES = Method("clustering", "IVF8,PQ4", lambda vectors: None, "nprobe", (1, 8), compressed=True)
ABSENT = Method("tree", "trees", lambda vectors: None, "nodes", (1,), library="no_such_library_at_all")
TRIALS = [
    Trial(FLAT, 0, False, measured(1.0, 9.0), 512.0, 0, 0.01),
    Trial(CODES, 1, False, measured(0.3, 0.1), 40.4, 0, 2.34),
    Trial(CODES, 1, True, measured(0.6, 0.2), 40.4, 256, 2.34),
    Trial(CODES, 8, False, measured(0.5, 0.4), 40.4, 0, 2.34),
    Trial(CODES, 8, True, measured(0.96, 0.5), 40.4, 256, 2.34),
]


def rows(min_recall: float, *, whole: bool) -> list[list[str]]:
    return family_table(TRIALS, [FLAT, ABSENT, CODES], min_recall=min_recall, whole=whole).rows


def test_the_whole_table_lists_each_setting_with_bytes_and_building_time():
    table = rows(0.9, whole=True)
    assert [row[1:4] for row in table] == [
        ["exact", "Flat", ""],
        ["tree", "trees", "not installed"],
        ["clustering", "IVF8,PQ4", "nprobe 1"],
        ["clustering", "IVF8,PQ4", "nprobe 8"],
        ["clustering", "IVF8,PQ4", "nprobe 1, re-scored"],
        ["clustering", "IVF8,PQ4", "nprobe 8, re-scored"],
    ]
    assert table[-1][4:] == ["0.960 ± 0.012", "0.500", "1.000", "40 + 256", "2.3"]
    assert table[2][7] == "40"
    assert table[1][4:] == [""] * 5


def test_the_short_table_lists_each_method_at_its_cheapest_sufficient_or_most_exact_setting():
    assert [row[3] for row in rows(0.6, whole=False)] == ["", "not installed", "nprobe 8", "nprobe 1, re-scored"]
    assert [row[3] for row in rows(0.9, whole=False)] == ["", "not installed", "nprobe 8", "nprobe 8, re-scored"]
    assert [row[3] for row in rows(0.3, whole=False)] == ["", "not installed", "nprobe 1", "nprobe 1, re-scored"]


def test_a_setting_that_costs_more_bytes_for_no_more_recall_is_not_marked():
    costly = Trial(FLAT, 1, False, measured(0.96, 0.5), 300.0, 0, 0.01)
    table = family_table([*TRIALS, costly], [FLAT, CODES], min_recall=0.9, whole=True)
    assert [row[0] for row in table.rows] == ["*", "", "*", "*", "*", "*"]


def test_the_note_says_how_to_install_libraries_if_one_is_missing():
    note = family_table(TRIALS, [FLAT, ABSENT, CODES], min_recall=0.9, whole=True).note
    assert note.endswith("; not installed: make tuning-libraries")
    assert "install" not in family_table(TRIALS, [FLAT, CODES], min_recall=0.9, whole=True).note
