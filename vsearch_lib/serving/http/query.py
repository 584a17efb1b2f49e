"""The fields of a query as they arrive, in a form, as JSON or in a URL, and the `Ask` that they make."""

import json
import logging
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, NoReturn

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.datastructures import UploadFile
from starlette.requests import Request

from vsearch_lib.search.filter import Filter
from vsearch_lib.serving.ask import Ask, Crop, Sort
from vsearch_lib.serving.http.problems import Problem, first_problem

# It warns of every form that is not valid; the answer says so, and the log stays short.
logging.getLogger("python_multipart").setLevel(logging.ERROR)

FIELD_BYTES = 65_536  # of the fields of a query together, without its picture
_MAX_CHARACTERS = 1024  # of an id or a tag
_MAX_NAMED = 64  # ids or tags in one field
_LISTS = ("tags", "like", "unlike")


def _text(value: object) -> object:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError("must be valid Unicode") from None
    return value


def _tags(value: object) -> object:
    """Split text at commas. JSON may have a list instead, whose tags may have commas."""
    return [tag for tag in value.split(",") if tag] if isinstance(value, str) else value


def _moment(value: object) -> datetime:
    """Return an ISO date or time, in UTC if it has no zone; a date is the moment when it begins."""
    try:
        moment = datetime.fromisoformat(str(value) if isinstance(value, str) else "")
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("must be a date or a time as 2026-03-01 or 2026-03-01T12:30:00Z") from None


def _crop(value: object) -> Crop:
    parts = value.split(",") if isinstance(value, str) else value
    wrong = "must be x,y,width,height: four numbers, in pixels of the upright picture, or fractions of its sides"
    if not isinstance(parts, list) or len(parts) != 4 or any(isinstance(part, bool) for part in parts):
        raise ValueError(wrong)
    try:
        x, y, width, height = (float(part) for part in parts)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(wrong) from None
    if not all(map(math.isfinite, (x, y, width, height))) or min(x, y) < 0 or min(width, height) <= 0:
        raise ValueError("must lie inside the picture, and have a width and a height above 0")
    return Crop(x, y, width, height)


Text = Annotated[str, BeforeValidator(_text), Field(min_length=1, max_length=_MAX_CHARACTERS)]
Texts = Annotated[list[Text], Field(max_length=_MAX_NAMED)]
_ANSWER_ID: TypeAdapter[str] = TypeAdapter(Text)
Moment = Annotated[datetime, BeforeValidator(_moment, json_schema_input_type=str)]


class Options(BaseModel):
    """What an answer must be, and how many are wanted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    k: int = Field(10, ge=1, description="how many answers are wanted")
    tags: Annotated[Texts, BeforeValidator(_tags)] = Field([], description="an answer has all of them")
    owner_id: Text | None = Field(None, description="the owner of the answers")
    after: Moment | None = Field(None, description="answers were uploaded then or later; a date or a time")
    before: Moment | None = Field(None, description="answers were uploaded earlier")
    user_id: Text | None = Field(None, description="who asks; the platform's gateway sets it")
    sort: Sort = Field("similarity", description="the order of the answers")
    copies: bool = Field(False, description="whether exact copies and near-duplicates may be answers")
    expand: bool = Field(False, description="whether the first answers are added to the query")

    def wanted(self) -> Filter:
        """Return the conditions that an answer must meet."""
        return Filter(self.owner_id, tuple(self.tags), self.after, self.before, self.user_id)


class Query(Options):
    """A query: a picture (the file `image` of a form), an image of the catalogue, or examples."""

    image_id: Text | None = Field(None, description="an image of the catalogue, in place of a picture")
    crop: Annotated[Crop, BeforeValidator(_crop, json_schema_input_type=str)] | None = Field(
        None, description="x,y,width,height of the part that is meant: pixels of the upright original, or fractions"
    )
    like: Texts = Field([], description="images of the catalogue that answers should look like")
    unlike: Texts = Field([], description="images of the catalogue that answers should not look like")

    def ask(self, picture: bytes | None, *, max_k: int) -> Ask:
        """Return what is asked.

        Raises:
            Problem: more answers are wanted than one query may have.
        """
        check_k(self.k, max_k)
        return Ask(
            picture,
            self.image_id,
            self.crop,
            tuple(self.like),
            tuple(self.unlike),
            self.k,
            self.wanted(),
            self.sort,
            self.copies,
            self.expand,
        )


def check_k(k: int, max_k: int) -> None:
    """Raise a Problem if more answers are wanted than one query may have."""
    if k > max_k:
        raise Problem(400, f"k: at most {max_k} answers can be asked for")


async def read_fields(request: Request) -> tuple[dict[str, Any], UploadFile | None]:
    """Return the fields of a form or a JSON object, and the uploaded picture if there is one, which is to be closed.

    Raises:
        Problem: the body is neither, or cannot be read.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        return json_object(await request.body()), None
    if kind != "multipart/form-data":
        raise Problem(415, "send a form (multipart/form-data) with the file image, or JSON (application/json)")
    try:
        form = await request.form(max_files=1, max_fields=_MAX_NAMED * len(_LISTS), max_part_size=FIELD_BYTES)
    except ValueError:  # of a charset that Python cannot decode
        raise Problem(400, "the form is not valid: send it in UTF-8") from None
    fields: dict[str, Any] = {}
    picture: UploadFile | None = None
    try:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                if name != "image":
                    raise Problem(400, "a file that is not called image is in the form; see /docs")
                picture = value
            elif name == "image":
                raise Problem(400, "image: must be a file")
            elif not value:
                continue  # a form of a page has its empty fields too
            elif name in _LISTS:
                fields[name] = [
                    *fields.get(name, []),
                    *([tag for tag in value.split(",") if tag] if name == "tags" else [value]),
                ]
            elif name in fields:
                raise Problem(400, "a field is in the form twice")
            else:
                fields[name] = value
    except Problem:
        await form.close()
        raise
    return fields, picture


def json_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object in `body`.

    Raises:
        Problem: it is not a JSON object.
    """
    if len(body) > FIELD_BYTES:
        raise Problem(413, f"JSON may have {FIELD_BYTES} bytes; a picture is sent as a form (multipart/form-data)")
    try:
        content = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise Problem(400, "the body is not valid JSON") from None
    if not isinstance(content, dict):
        raise Problem(400, "the body must be a JSON object")
    return content


def query_of(fields: Mapping[str, Any]) -> Query:
    """Return the query that the fields make.

    Raises:
        Problem: a field is unknown, or its value is not allowed.
    """
    try:
        return Query.model_validate(fields)
    except ValidationError as error:
        raise first_problem(error.errors(include_url=False, include_input=False, include_context=False)) from None


def answer_id_of(fields: dict[str, Any]) -> str:
    """Remove the id of an answer from the fields, and return it.

    Raises:
        Problem: it is missing or not an id.
    """
    try:
        return _ANSWER_ID.validate_python(fields.pop("answer_id", None))
    except ValidationError as error:
        problem = first_problem(error.errors(include_url=False, include_input=False, include_context=False))
        raise Problem(400, f"answer_id: {problem.line}") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
