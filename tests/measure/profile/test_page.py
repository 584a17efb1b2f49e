"""The page of a profile: figures with their units, text that stays text, nothing loaded from anywhere."""

from html.parser import HTMLParser

from vsearch_lib.figures import Figure
from vsearch_lib.measure.profile.page import render

EVIL = "<script>alert(1)</script>\"'&"
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


class Elements(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        if data.strip():
            self.text.append(data.strip())


def section(page: str, title: str) -> str:
    return next(part for part in page.split("<section>") if title in part.split("</h2>")[0])


def test_the_run_and_the_counts_come_first():
    text = Elements(render("run-7", FIGURES)).text
    text = text[text.index("after the ingest of run run-7") :]
    assert text[1:7] == ["images", "2,000", "clicks a query, mean", "0.94", "refused", "4"]


def test_the_length_of_a_bar_is_its_figure():
    tags = Elements(section(render("run", FIGURES), "Tags"))
    widths = [float(attributes["width"]) for tag, attributes in tags.elements if tag == "rect"]
    assert widths == [250, 62.5]
    assert "40.0%" in tags.text
    days = Elements(section(render("run", FIGURES), "Uploads"))
    heights = [float(attributes["height"]) for tag, attributes in days.elements if tag == "rect"]
    assert heights == [140, 70]
    assert {"30", "15", "2026-11-01", "2026-11-02", "images a day"} <= set(days.text)


def test_many_days_get_a_few_labels_and_the_highest_figure():
    days = [Figure("images_uploaded", n, slice=f"2026-11-{n:02d}") for n in range(1, 31)]
    chart = Elements(section(render("run", days), "Uploads"))
    assert len([tag for tag, _ in chart.elements if tag == "rect"]) == 30
    labels = [text for text in chart.text if text.startswith("2026") and ":" not in text]
    assert labels == ["2026-11-01", "2026-11-06", "2026-11-11", "2026-11-16", "2026-11-21", "2026-11-26"]
    assert chart.text.count("30") == 1


def test_the_full_bar_of_a_share_is_the_whole():
    odd = Elements(section(render("run", FIGURES), "What is odd"))
    assert [float(a["width"]) for tag, a in odd.elements if tag == "rect"] == [62.5, 125]


def test_a_chart_without_figures_says_so():
    assert "nothing yet" in section(render("run", FIGURES), "Colour mode")
    empty = Elements(render("run", []))
    assert "svg" not in {tag for tag, _ in empty.elements}


def test_names_are_text_and_never_markup():
    plain = Elements(render("run", [Figure("tag_share", 0.5, slice="mug")]))
    shown = Elements(render(EVIL, [Figure("tag_share", 0.5, slice=EVIL)]))
    assert [tag for tag, _ in shown.elements] == [tag for tag, _ in plain.elements]
    assert EVIL in shown.text


def test_nothing_is_loaded_from_anywhere():
    page = render("run", FIGURES)
    tags = {tag for tag, _ in Elements(page).elements}
    assert not tags & {"script", "link", "iframe", "object", "embed", "base", "img", "image", "use"}
    assert "http" not in page
    assert "url(" not in page
    assert "@import" not in page
