"""`vsearch search`: find images that are similar to a picture file or to images, as text, JSON or a page."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from vsearch_lib.config import Settings
from vsearch_lib.errors import ArtefactError
from vsearch_lib.serving.ask import Answers, Ask
from vsearch_lib.serving.candidates import Facts
from vsearch_lib.serving.query import check_ask, limits_of, query_picture, read_query
from vsearch_lib.terminal import printable


@dataclass(frozen=True)
class Found:
    """The answers to a query, as the user named it, and the facts of each answer's image by its id."""

    query: str
    ask: Ask
    answers: Answers
    facts: Mapping[str, Facts]


def find(settings: Settings, ask: Ask, *, file: Path | None = None) -> Found:
    """Search the published index; a `file` is the query's picture.

    Raises:
        UsageError: the file does not exist or is not a picture, or the query cannot be answered.
        ArtefactError: nothing is published, or the published version does not verify.
    """
    limits, picture = limits_of(settings), None
    # A usage error is reported before the index is opened, and a damaged index before the model is loaded.
    if file is not None:
        ask = replace(ask, picture=read_query(file, limits))
    check_ask(ask)
    if ask.picture is not None:
        picture = query_picture(ask.picture, limits, ask.crop)
    from vsearch_lib.serving.search_service import SearchService

    service = SearchService.open(settings)
    answers = service.search(ask, picture=picture)
    facts = service.facts([answer.image_id for answer in answers.answers], ask.wanted.viewer_id)
    return Found(str(file or ask.image_id or ", ".join(ask.like)), ask, answers, facts)


def as_json(found: Found) -> str:
    """Return the answers as one JSON object."""
    listed = [
        {"rank": answer.rank, "cosine": answer.cosine, **asdict(found.facts[answer.image_id]), "rules": answer.rules}
        for answer in found.answers.answers
    ]
    content = {"query": found.query, "version": found.answers.version, "answers": listed, "note": found.answers.note}
    return json.dumps(content, indent=2, default=lambda value: value.isoformat())


def as_text(answers: Answers) -> str:
    """Return one line for each answer: rank, cosine, image id, tags."""
    return "\n".join(
        printable(f"{answer.rank:>3}  {answer.cosine:.4f}  {answer.image_id}  {' '.join(answer.tags)}")
        for answer in answers.answers
    )


def _listed(tags: tuple[str, ...]) -> str:
    return printable(", ".join(tags))


def write_page(settings: Settings, found: Found, out: Path) -> str | None:
    """Write the answers as a self-contained page with pictures from the lake.

    An answer that the asker may not see any more, or that has no stored picture, is left out.

    Returns:
        None; or if the lake cannot be read, the reason in one line: then the page lists every answer without pictures.
    """
    from vsearch_lib.report.page import Answer, Query, render
    from vsearch_lib.serving.pictures import Picture, visible_pictures

    ask, answers = found.ask, found.answers.answers
    queried = [ask.image_id] if ask.image_id is not None else list(ask.like)
    pictures: Mapping[str, Picture]
    try:
        ids = [*queried, *(answer.image_id for answer in answers)]
        pictures, why = visible_pictures(settings.lake.uri, ids, viewer_id=ask.wanted.viewer_id), None
    except ArtefactError as error:
        pictures, why = {}, f"the page has no pictures: {error}"
    jpegs = {image_id: picture.jpeg for image_id, picture in pictures.items()}
    listed = [
        Answer(printable(answer.image_id), jpegs.get(answer.image_id), answer.cosine, _listed(answer.tags), None)
        for answer in answers
        if why or answer.image_id in jpegs
    ]
    own = ask.picture or next((jpegs[image_id] for image_id in queried if image_id in jpegs), None)
    named = printable(found.query)
    name = printable(Path(found.query).name) if ask.picture is not None else named
    subtitle = printable(f"version {found.answers.version}" + (f"; {why}" if why else ""))
    out.write_text(render(f"Pictures like {name}", subtitle, [], [Query(named, own, name, listed)]), encoding="utf-8")
    return why
