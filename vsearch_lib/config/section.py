"""The base of all groups of settings."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A group of settings: immutable, strict about its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")
