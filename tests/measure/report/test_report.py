"""The report has the newest figures as `metrics` has them, and pictures that everybody may see now."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from itertools import pairwise

import pytest

from tests.support.elements import Elements
from tests.support.served_catalogue import Served, catalogue
from tests.support.stored_pictures import DAY, image, store
from vsearch_lib.config import Settings, load_settings
from vsearch_lib.figures import Figure
from vsearch_lib.images.decode import normalise
from vsearch_lib.lake import Lake
from vsearch_lib.lake.metrics import record
from vsearch_lib.measure.report.figure_text import words
from vsearch_lib.measure.report.report import TITLE, report
from vsearch_lib.report.markdown import as_markdown
from vsearch_lib.report.page import render_sections
from vsearch_lib.serving.query import limits_of

OLD = [
    Figure("ndcg_at_10", 0.5, subject="published index", n=80),
    Figure("retired_metric", 42.5, subject="zoo"),
    Figure("images_living", 30),
]
NEW = [
    Figure("ndcg_at_10", 0.97712, subject="published index", n=87, low=0.96, high=0.985),
    Figure("ndcg_at_10", 0.2113, subject="raw pixels (grey, 32 × 32)", n=87),
    Figure("map", 0.827, subject="published index", n=87),
    Figure("map", 0.0613, subject="raw pixels (grey, 32 × 32)", n=87),
    Figure("ndcg_at_10", 0.91, subject="published index", slice="tag mug", n=20, low=0.85, high=0.95),
    Figure("ndcg_at_10", 0.42, subject="published index", slice="tag lamp", n=21, low=0.3, high=0.5),
    Figure("recall_at_10", 0.995, subject="index 20261102T000000Z-0123abcd", slice="whole", n=200, low=0.99, high=1),
    Figure("click_through_rate", 0.1102, n=1960),
    Figure("click_through_rate", 0.12, slice="2026-11-01", n=900),
    Figure("click_through_rate", 0.101, slice="2026-11-02", n=1060),
    Figure("energy_distance", 0.0034, subject="uploads", n=500),
    Figure("quokkas", 1234567, subject="<b>zoo</b>"),
    Figure("images_living", 40),
]


@dataclass(frozen=True)
class Measured:
    """A published catalogue with a lake, judgements and the figures of two nights, and its report."""

    served: Served
    lake: Lake
    settings: Settings

    @property
    def page(self) -> str:
        return render_sections(TITLE, *report(self.lake, self.settings, pictures=True))


@pytest.fixture(scope="module")
def measured(spark, tmp_path_factory) -> Measured:
    var = tmp_path_factory.mktemp("report")
    served = catalogue(var, 40, f"lake.uri={var}/unused")
    settings = load_settings("demo", [f"var={var}", "examples.test_share=0.9", "reports.page_queries=3"])
    lake = Lake(spark, settings.lake.uri, "night-1")
    content, rows, jpegs = served.content, [], {}
    for i, name in enumerate(content.ids):
        jpeg = normalise(served.pictures[i], limits_of(settings)).jpeg
        sha256 = hashlib.sha256(jpeg).hexdigest()
        jpegs[sha256] = jpeg
        # What was public when the index was published may be private now.
        visibility = "private" if i in HIDDEN_SINCE else content.visibility[i]
        facts = {"visibility": visibility, "moderation": content.moderation[i], "phash": f"{i:016x}"}
        rows.append(image(name, sha256, **facts))
    store(lake, rows, jpegs)
    pairs = [(a, b, "ann", i % 6, DAY.date()) for a in content.ids for i, b in enumerate(content.ids) if a != b]
    columns = "query_image_id string, image_id string, annotator string, score int, landed_on date"
    lake.upsert("judgements", spark.createDataFrame(pairs, columns))
    record(lake, OLD)
    record(Lake(spark, settings.lake.uri, "night-2"), NEW)
    return Measured(served, lake, settings)


HIDDEN_SINCE = (0, 1)


@pytest.fixture(scope="module")
def shown(measured) -> Elements:
    return Elements(measured.page)


def numbers(cell: str) -> list[float]:
    return [float(number.replace(",", "")) for number in re.findall(r"-?[\d.,]+(?:e-?\d+)?", cell)]


def figures_on(page: Elements) -> dict[tuple[str, str], tuple[list[float], str]]:
    """Return the figures of the tables: metric in words, label → the numbers of the cell, and n."""
    found = {}
    for row in page.rows:
        if row[0] in ("of", "figure"):
            headings = row
        elif headings == ["figure", "of", "value", "95 % interval", "n", "recorded"]:
            found[row[0], row[1]] = numbers(row[2] + " " + row[3]), row[4]
        elif headings[0] == "figure":
            found[row[0], row[1]] = numbers(row[2]), row[3]
        else:
            cells = dict(zip(headings[1:], row[1:], strict=True))
            n = cells.pop("n", "")
            found |= {(name, row[0]): (numbers(cell), n) for name, cell in cells.items()}
    return found


def test_the_numbers_of_the_page_are_the_newest_ones_in_metrics(measured, shown):
    stored = measured.lake.read("metrics").collect()
    newest = [row for row in stored if row["run"] == "night-2" or row["metric"] == "retired_metric"]
    found = figures_on(shown)
    profile = {("images living", "all")}
    expected = {}
    for row in newest:
        label = Figure("", 0, subject=row["subject"], slice=row["slice"]).label
        values = [value for value in (row["value"], row["low"], row["high"]) if value is not None]
        expected[words(row["metric"]), label] = values, "" if row["n"] is None else f"{row['n']:,}"
    assert len(expected) == len(NEW) + 1
    assert set(found) == set(expected) - profile
    for name, (values, n) in found.items():
        assert values == pytest.approx(expected[name][0], rel=0.005), name
        assert n == expected[name][1], name
    assert {("images", "40"), ("nDCG@10 of the published index", "0.977")} <= set(pairwise(shown.text))


def test_slices_are_worst_first_and_history_is_drawn(shown):
    labels = [row[0] for row in shown.rows]
    assert labels.index("published index, tag lamp") < labels.index("published index, tag mug")
    charts = [svg["aria-label"] for svg in shown.named("svg") if "points:" in svg["aria-label"]]
    assert [chart.split(", ")[0] for chart in charts] == ["nDCG@10", "Click-through rate", "Living images"]
    assert "lowest 30, highest 40" in charts[2]


def test_every_picture_is_in_the_page_and_nothing_is_loaded(shown):
    assert shown.loaded() == []
    assert len(shown.named("image")) > 10
    assert len(shown.named("img")) > 30
    assert "<b>zoo</b>" in shown.text


def test_only_images_that_everybody_may_see_now_are_shown(measured, shown):
    content = measured.served.content
    hidden = {
        name
        for i, name in enumerate(content.ids)
        if i in HIDDEN_SINCE or content.visibility[i] != "public" or content.moderation[i] != "ok"
    }
    assert len(hidden) > 8
    named = {name for name in content.ids if name in shown.page}
    assert len(named) > 20
    assert not named & hidden


def test_the_worst_queries_come_before_the_best(shown):
    captions = [float(text.split("nDCG@10 ")[1]) for text in shown.text if re.search(r"nDCG@10 \d", text)]
    assert len(captions) == 6
    assert captions[:3] == sorted(captions[:3])
    assert captions[3:] == sorted(captions[3:], reverse=True)
    assert max(captions[:3]) <= min(captions[3:])


def test_the_same_lake_makes_the_same_report(measured, shown):
    assert measured.page == shown.page


def test_markdown_has_the_same_tables_without_pictures(measured, shown):
    text = as_markdown(TITLE, *report(measured.lake, measured.settings, pictures=False))
    assert "| published index, tag lamp" in text
    assert "0.977 (0.960 to 0.985)" in text
    assert "data:image" not in text


def test_before_the_first_night_the_report_says_what_to_run(lake, settings):
    facts, sections = report(lake, settings, pictures=True)
    assert facts == ["nothing is published yet", "no figures yet: run vsearch run nightly"]
    assert Elements(render_sections(TITLE, facts, sections)).loaded() == []
