"""`vsearch` starts without the libraries of its commands, and its errors name the option that the user gave."""

from __future__ import annotations

import subprocess
import sys

import pytest
from PIL import Image

from vsearch_lib.cli.command_line import main


@pytest.fixture
def vsearch(tmp_path, monkeypatch, capsys):
    """Run `vsearch`; return its exit code, and the lines of both outputs."""

    def run(*arguments: str) -> tuple[int, list[str], list[str]]:
        monkeypatch.setattr(sys, "argv", ["vsearch", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return ended.value.code, printed.out.splitlines(), printed.err.splitlines()

    return run


def test_the_help_lists_every_command(vsearch):
    code, output, error = vsearch("--help")
    assert (code, error) == (0, [])
    commands = [line.split()[0] for line in output if line.startswith("    ") and not line.startswith("     ")]
    assert commands == [
        "run",
        "search",
        "serve",
        "report",
        "schema",
        "quarantine",
        "erase",
        "index",
        "models",
        "label",
        "demo-data",
    ]


@pytest.mark.parametrize("words", [["--help"], ["index", "tune", "--help"]])
def test_help_imports_no_heavy_library(words):
    code = f"""
import sys
from vsearch_lib.cli import main
sys.argv = ["vsearch", *{words}]
try:
    main()
except SystemExit:
    print(*{{name.split(".")[0] for name in sys.modules}}, file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"numpy", "faiss", "PIL", "pyarrow", "obstore", "openvino", "pyspark", "torch", "jinja2", "jsonschema"}
    assert set(done.stderr.split()) & heavy == set()
    assert "vsearch_lib" in done.stderr


def test_the_error_for_a_missing_query_file_names_its_option(vsearch, tmp_path):
    missing = tmp_path / "none.jpg"
    error = f"vsearch: --image {missing}: no such file; give a picture file"
    assert vsearch("search", "--env", "demo", "--set", f"var={tmp_path}", "--image", str(missing)) == (2, [], [error])


def test_the_error_for_a_crop_outside_the_picture_names_its_option(vsearch, tmp_path):
    Image.new("RGB", (96, 64)).save(tmp_path / "query.png")
    error = "vsearch: --crop 40,0,90,64 lies outside the picture, which is 96 x 64"
    options = ["--env=demo", f"--set=var={tmp_path}", f"--image={tmp_path}/query.png", "--crop=40,0,90,64"]
    assert vsearch("search", *options) == (2, [], [error])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--env", "nope"], "--env nope: there is no conf/nope.yaml; use one of "),
        (["--set", "image.size=big"], "--set image.size=big: image.size = 'big': "),
        (["--set", "image.siz=1"], "--set image.siz=1: image.siz is not a setting; "),
        (["--set", "image"], "--set image: write section.key=value, for example index.shards=4"),
        (["--images", "/no/such/folder"], "--images /no/such/folder: no such folder; give one that holds pictures"),
    ],
)
def test_the_error_for_a_wrong_setting_names_the_option_that_gave_it(vsearch, options, message):
    code, output, error = vsearch("index", "list", *options)
    assert (code, output, len(error)) == (2, [], 1)
    assert error[0].startswith(f"vsearch: {message}")
