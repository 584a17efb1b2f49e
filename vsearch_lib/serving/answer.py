"""`vsearch search`: find pictures that are similar to a picture file, as text, JSON or a page."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vsearch_lib.config import Settings
from vsearch_lib.errors import ArtefactError
from vsearch_lib.images.decode import Limits
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.serving.query import model_of, query_jpeg, read_query
from vsearch_lib.terminal import printable


@dataclass(frozen=True)
class Answers:
    """The answers to a query file: `found` is best first; each has a rank, a cosine and the facts of its image."""

    query: Path
    version: str
    found: list[dict[str, Any]]


def answer_file(settings: Settings, file: Path, *, k: int, crop: tuple[int, int, int, int] | None) -> Answers:
    """Search the published index with a picture file.

    Raises:
        UsageError: the file does not exist or is not a picture.
        ArtefactError: nothing is published, or the published version does not verify.
    """
    image = settings.image
    limits = Limits(image.max_bytes, image.max_pixels, image.min_side, image.size)
    # A usage error is reported before the index is opened, and a damaged index before the model is loaded.
    jpeg = query_jpeg(read_query(file, limits), limits, crop=crop)
    searcher = Searcher.open(settings.index.uri, cache=settings.cache)
    vector = model_of(searcher.manifest).embed([jpeg])
    hits = searcher.search(vector, min(k, max(1, len(searcher.rows))))
    rows = [(int(row), float(score)) for row, score in zip(hits.ids[0], hits.scores[0], strict=True) if row >= 0]
    facts = [searcher.rows.slice(row, 1).to_pylist()[0] for row, _ in rows]
    found = [
        # A vector that is stored in half precision may be a little longer than 1.
        {"rank": i, "cosine": round(min(score, 1.0), 5), **fact}
        for i, ((_, score), fact) in enumerate(zip(rows, facts, strict=True), 1)
    ]
    return Answers(file, searcher.manifest.version, found)


def as_json(answers: Answers) -> str:
    """Return the answers as one JSON object."""
    content = {"query": str(answers.query), "version": answers.version, "answers": answers.found}
    return json.dumps(content, indent=2, default=lambda value: value.isoformat())


def as_text(answers: Answers) -> str:
    """Return one line for each answer: rank, cosine, image id, tags."""
    return "\n".join(
        printable(f"{answer['rank']:>3}  {answer['cosine']:.4f}  {answer['image_id']}  {' '.join(answer['tags'])}")
        for answer in answers.found
    )


def _listed(tags: list[str]) -> str:
    return printable(", ".join(tags))


def write_page(settings: Settings, answers: Answers, out: Path) -> str | None:
    """Write the answers as a self-contained page with pictures from the lake.

    An answer that is no longer public, or has no stored picture, is left out.

    Returns:
        None; or if the lake cannot be read, the reason in one line: then the page lists every answer without pictures.
    """
    from vsearch_lib.report.page import Answer, Query, render
    from vsearch_lib.serving.pictures import public_jpegs

    jpegs: Mapping[str, bytes | None]
    try:
        jpegs, why = public_jpegs(settings.lake.uri, [answer["image_id"] for answer in answers.found]), None
    except ArtefactError as error:
        jpegs, why = {answer["image_id"]: None for answer in answers.found}, f"the page has no pictures: {error}"
    listed = [
        Answer(
            printable(answer["image_id"]), jpegs[answer["image_id"]], answer["cosine"], _listed(answer["tags"]), None
        )
        for answer in answers.found
        if answer["image_id"] in jpegs
    ]
    name = printable(answers.query.name)  # a name whose bytes are not text could not be written
    query = Query(printable(str(answers.query)), answers.query.read_bytes(), name, listed)
    subtitle = printable(f"version {answers.version}" + (f"; {why}" if why else ""))
    out.write_text(render(f"Pictures like {name}", subtitle, [], [query]), encoding="utf-8")
    return why
