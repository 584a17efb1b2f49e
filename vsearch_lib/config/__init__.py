"""Configuration: `conf/*.yaml` layered, typed and checked."""

from vsearch_lib.config.load import PROJECT, environments, load_settings
from vsearch_lib.config.settings import Settings

__all__ = ["PROJECT", "Settings", "environments", "load_settings"]
