"""Every file, link, import and setting that the documents name exists, and the architecture page matches the code."""

import re
from importlib import import_module

import pytest

from tests.test_layers import ROOMS
from vsearch_lib.config import PROJECT, load_settings
from vsearch_lib.steps import STEPS

PAGES = sorted([*PROJECT.glob("*.md"), *PROJECT.glob("docs/*.md")])
ARCHITECTURE = PROJECT / "docs" / "architecture.md"
FOLDERS = ("benchmarks", "conf", "dags", "docs", "jobs", "schemas", "tests", "vsearch_lib")
FILE_ENDINGS = {"py", "safetensors"}  # of files that have the name of a section of the settings
BLOCK = re.compile(r"^ *```.*?^ *```$", re.DOTALL | re.MULTILINE)
pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def words_in_backticks(text: str) -> set[str]:
    """The words of the page's inline code, without code blocks."""
    return {word for code in re.findall(r"`([^`]+)`", BLOCK.sub("", text)) for word in code.split()}


def named_files(text: str) -> set[str]:
    """Paths in backticks below a folder of the project, and Python files; not patterns such as `jobs/<name>.py`."""
    paths = {word for word in words_in_backticks(text) if re.fullmatch(r"[\w./-]+", word)}
    return {word for word in paths if word.startswith(tuple(f"{top}/" for top in FOLDERS)) or word.endswith(".py")}


def exists(path: str) -> bool:
    return any((PROJECT / folder / path).exists() for folder in ("", "vsearch_lib"))


def test_paths_and_modules_are_recognised_and_patterns_are_not():
    text = (
        "`conf/base.yaml`, `python docs/no.py X`, `steps.py`, `jobs/<name>.py`, `a/b`, `index.uri`\n```\n`x.py`\n```\n"
    )
    assert named_files(text) == {"conf/base.yaml", "docs/no.py", "steps.py"}
    assert [path for path in sorted(named_files(text)) if not exists(path)] == ["docs/no.py"]


@pages
def test_every_file_that_a_page_names_exists(page):
    assert [path for path in sorted(named_files(page.read_text())) if not exists(path)] == []


@pages
def test_every_relative_link_leads_to_a_file(page):
    links = re.findall(r"\]\(([^)\s]+)\)", BLOCK.sub("", page.read_text()))
    local = {link.partition("#")[0] for link in links if not re.match(r"[a-z]+:", link)} - {""}
    assert [link for link in sorted(local) if not (page.parent / link).exists()] == []


@pages
def test_every_import_that_a_page_shows_works(page):
    for module, names in re.findall(r"^from (vsearch_lib[\w.]*) import (.+)$", page.read_text(), re.MULTILINE):
        imported = import_module(module)
        assert [name for name in names.split(", ") if not hasattr(imported, name)] == []


@pages
def test_every_setting_that_a_page_names_exists(page):
    # Settings of the section `spark` are not checked: most words `spark.…` are Spark's own settings.
    sections = {
        key: set(value)
        for key, value in load_settings("demo").model_dump(exclude={"spark"}).items()
        if isinstance(value, dict)
    }
    named = re.compile(rf"({'|'.join(sections)})\.([a-z_0-9]+)(=.*)?")
    matches = [match for word in words_in_backticks(page.read_text()) if (match := named.fullmatch(word))]
    assert [match[0] for match in matches if match[2] not in sections[match[1]] | FILE_ENDINGS] == []


def rows_below(heading: str) -> list[list[str]]:
    """The cells of the first table in a section of the architecture page, without its two header rows."""
    section = ARCHITECTURE.read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")][2:]


def test_the_architecture_page_lists_the_rooms_in_their_order():
    assert [room.strip(" `") for room, _ in rows_below("The rooms")] == ROOMS


def test_the_architecture_page_names_the_module_of_each_step():
    bodies = {
        step: file.strip(" `")
        for *steps, file in rows_below("How a step runs")
        if file.strip(" `").endswith("step.py")
        for step in re.findall(r"`(\w+)`", steps[0])
    }
    modules = {name: step.module.removeprefix("vsearch_lib.").replace(".", "/") + ".py" for name, step in STEPS.items()}
    assert bodies == modules
