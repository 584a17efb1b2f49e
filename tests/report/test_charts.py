"""A curve and its band are placed by their values."""

from vsearch_lib.report.charts import Chart, Point
from vsearch_lib.report.page import render

CURVE = Chart("How far", [Point(1, 1.0, 1.0, 1.0), Point(2, 0.5, 0.25, 0.75), Point(5, 0.0, 0.0, 0.25)], "position")


def test_a_curve_goes_from_left_to_right_and_1_is_at_the_top():
    assert CURVE.line == "0.0,0.0 120.0,90.0 480.0,180.0"


def test_the_band_goes_along_the_upper_end_and_back_along_the_lower():
    assert CURVE.band == "0.0,0.0 120.0,45.0 480.0,135.0 480.0,180.0 120.0,135.0 0.0,0.0"


def test_a_page_holds_its_charts():
    page = render("title", "", [], [], [CURVE])
    assert f'points="{CURVE.line}"' in page
    assert "How far</h2>" in page


def test_a_curve_above_1_is_placed_by_the_value_at_the_top_and_the_axis_is_labelled_with_it():
    loss = Chart("Loss", [Point(1, 4.0, 4.0, 4.0), Point(2, 1.0, 1.0, 1.0)], "epoch", top=4)
    assert loss.line == "0.0,0.0 480.0,135.0"
    labels = [text.split("<")[0] for text in render("title", "", [], [], [loss]).split('text-anchor="end">')[1:6]]
    assert labels == ["0", "1", "2", "3", "4"]
    labels = [text.split("<")[0] for text in render("title", "", [], [], [CURVE]).split('text-anchor="end">')[1:6]]
    assert labels == ["0", "0.25", "0.5", "0.75", "1"]
