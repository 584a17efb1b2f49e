"""The page of a profile has the figures with their units."""

from tests.support.elements import Elements, section
from vsearch_lib.figures import Figure
from vsearch_lib.measure.profile.page import profile_blocks
from vsearch_lib.report.page import Section, render_sections

FIGURES = [
    Figure("images_living", 2000),
    Figure("clicks_per_query", 0.94),
    Figure("blurred_share", 0.25),
    Figure("unknown_image_share", 0.5),
    Figure("images_uploaded", 30, slice="2026-11-01"),
    Figure("images_uploaded", 15, slice="2026-11-02"),
    Figure("tag_share", 0.4, slice="mug"),
    Figure("tag_share", 0.1, slice="red"),
    Figure("refused", 3, slice="undecodable"),
    Figure("refused", 1, slice="empty_file"),
]


def drawn(figures: list[Figure]) -> str:
    return render_sections("T", [], [Section("", profile_blocks(figures))])


def test_the_counts_come_first():
    text = Elements(drawn(FIGURES)).text
    assert text[2:8] == ["images", "2,000", "clicks a query, mean", "0.94", "refused", "4"]


def test_the_length_of_a_bar_is_its_figure():
    tags = Elements(section(drawn(FIGURES), "Tags"))
    assert [float(rect["width"]) for rect in tags.named("rect")] == [160, 40]
    assert "40.0%" in tags.text
    days = Elements(section(drawn(FIGURES), "Uploads"))
    assert [float(rect["height"]) for rect in days.named("rect")] == [140, 70]
    assert {"30", "15", "2026-11-01", "2026-11-02", "images a day"} <= set(days.text)


def test_the_full_bar_of_a_share_is_the_whole():
    odd = Elements(section(drawn(FIGURES), "What is odd"))
    assert [float(rect["width"]) for rect in odd.named("rect")] == [40, 80]


def test_a_chart_without_figures_says_so():
    assert "nothing yet" in section(drawn(FIGURES), "Colour mode")
    assert not Elements(drawn([])).named("svg")


def test_bars_are_in_the_order_of_their_slices_whatever_the_order_of_the_figures():
    def labels(title: str, *figures: Figure) -> list[str]:
        return [text for text in Elements(section(drawn(list(figures)), title)).text if "px" in text or "tag" in text]

    sides = [Figure("image_sides", 1, slice=name) for name in ("256 to 511 px", "4096 px and more", "0 to 127 px")]
    assert labels("Shorter side", *sides) == [
        side for name in ("0 to 127 px", "256 to 511 px", "4096 px and more") for side in (name, name)
    ]
    tags = [Figure("tag_share", value, slice=name) for name, value in (("tag a", 0.1), ("tag b", 0.4))]
    assert labels("Tags", *tags) == ["tag b", "tag b", "tag a", "tag a"]
