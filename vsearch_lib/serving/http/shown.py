"""Answers as the JSON of the HTTP interface."""

from dataclasses import asdict
from typing import Any

from vsearch_lib.serving.ask import Answer, Answers
from vsearch_lib.serving.candidates import Facts


def answers_json(answers: Answers, request_id: str, variant: str | None) -> dict[str, Any]:
    """Return the answers to a query; `variant` is the arm of the experiment that gave them, None if there is none."""
    return {
        "version": answers.version,
        "variant": variant,
        "request_id": request_id,
        "crop": answers.crop,
        "suggested_crop": answers.suggested_crop,
        "answers": [answer_json(answer) for answer in answers.answers],
        "note": answers.note,
        "timings_ms": {name: round(taken, 3) for name, taken in asdict(answers.timings_ms).items()},
    }


def answer_json(answer: Answer) -> dict[str, Any]:
    """Return one answer."""
    return {
        "rank": answer.rank,
        "image_id": answer.image_id,
        "cosine": answer.cosine,
        "tags": answer.tags,
        "owner_id": answer.owner_id,
        "uploaded_at": answer.uploaded_at.isoformat(),
        "source_uri": answer.source_uri,
        "rules": answer.rules,
    }


def image_json(facts: Facts) -> dict[str, Any]:
    """Return an image that was not searched for."""
    return {
        "image_id": facts.image_id,
        "tags": facts.tags,
        "owner_id": facts.owner_id,
        "uploaded_at": facts.uploaded_at.isoformat(),
        "source_uri": facts.source_uri,
    }
