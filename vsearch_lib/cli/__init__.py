"""The `vsearch` command: one module for each group of its actions."""

from vsearch_lib.cli.command_line import main

__all__ = ["main"]
