"""The command line of a step refuses bad usage before it starts Spark."""

import pytest

from vsearch_lib.context import StepContext
from vsearch_lib.figures import Figure
from vsearch_lib.run.main import main


def evaluate(_context: StepContext) -> list[Figure]:
    raise AssertionError("a job must not start")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--env", "nope"),
        ("--env", "demo", "--set", "image.size=big"),
        ("--env", "demo", "--start", "2024-05-06"),
        ("--env", "demo", "--images", "/no/such/folder"),
    ],
)
def test_bad_usage_of_a_job_exits_with_2_and_one_line_before_it_starts(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(evaluate, arguments)
    assert ended.value.code == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("vsearch: ")
    assert shown.err.count("\n") == 1
