"""The version of the code names the commit of a checkout, and only of the checkout that it lies in."""

from __future__ import annotations

import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from vsearch_lib.models.code_version import code_version


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    git(tmp_path, "init")
    (tmp_path / "code.py").write_text("1\n")
    git(tmp_path, "add", "code.py")
    git(tmp_path, "commit", "-m", "one")
    code_version.cache_clear()
    return tmp_path


def test_a_checkout_has_its_commit_in_the_version(checkout):
    git(checkout, "tag", "v9.9")
    assert code_version(checkout) == f"{version('vsearch')}+{git(checkout, 'rev-parse', '--short=12', 'HEAD')}"


def test_changed_files_make_the_version_dirty_and_new_ones_do_not(checkout):
    (checkout / "notes.txt").write_text("new")
    assert not code_version(checkout).endswith(".dirty")
    code_version.cache_clear()
    (checkout / "code.py").write_text("2\n")
    assert code_version(checkout).endswith(".dirty")


def test_a_package_inside_the_checkout_of_something_else_has_only_its_own_version(checkout):
    installed = checkout / "site-packages"
    installed.mkdir()
    assert code_version(installed) == version("vsearch")


def test_a_checkout_that_git_cannot_read_has_only_the_version_of_the_package(tmp_path):
    (tmp_path / ".git").write_text("gitdir: /no/such/folder\n")
    assert code_version(tmp_path) == version("vsearch")
