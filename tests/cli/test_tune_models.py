"""`vsearch models tune`: errors in its words are one line before anything starts; it prints what to train with."""

from __future__ import annotations

import shlex
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from vsearch_lib.cli.command_line import main, vsearch_parser
from vsearch_lib.config import load_settings
from vsearch_lib.context import StepContext
from vsearch_lib.examples.usable import newest_snapshot
from vsearch_lib.models.registry import cards
from vsearch_lib.run.bodies import body_of
from vsearch_lib.spark import session


@pytest.fixture
def vsearch(monkeypatch, capsys):
    """Run `vsearch models tune …`; return its exit code, and the lines of both outputs."""

    def run(*words: str) -> tuple[int, list[str], list[str]]:
        monkeypatch.setattr(sys, "argv", ["vsearch", "models", "tune", "--env", "demo", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return ended.value.code, printed.out.splitlines(), printed.err.splitlines()

    return run


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--try", "training.dropout=0,1"], "--try training.dropout=1: training.dropout = 1: input should be less"),
        (["--try", "training.rate=1"], "--try training.rate=1: training.rate is not a setting; section training has"),
        (["--try", "training.seed=1,2"], "--try training.seed=1,2: only settings of the section training"),
        (["--try", "training.dropout=0.1:0.5"], "--trials is needed: all numbers of a range cannot be tried"),
        (["--try", "training.dropout=0"], "--try has only the configured values: give others"),
        (["--try", "training.dropout=0.1", "--set", "training.epochs=0"], "--set training.epochs=0: training.epochs"),
        (["--try", "training.dropout=0.1", "--trials", "0"], "argument --trials: '0' is not a number from 1"),
        ([], "the following arguments are required: --try"),
    ],
)
def test_bad_words_are_one_line_and_spark_does_not_start(vsearch, monkeypatch, words, message):
    monkeypatch.setattr(session, "spark_session", lambda *_: pytest.fail("Spark was started"))
    code, output, error = vsearch(*words)
    assert (code, output, len(error)) == (2, [], 1)
    assert message in error[0]


def test_it_prints_a_table_and_the_command_that_trains_with_the_best(vsearch, judged, spark, monkeypatch):
    base = [f"var={judged.settings.var}", *judged.weights, "examples.validation_share=0.3", "training.epochs=3"]
    monkeypatch.setattr(session, "spark_session", lambda *_: nullcontext(spark))
    overrides = [word for setting in base for word in ("--set", setting)]
    words = ["--try", "training.learning_rate=0.000001,0.01", *overrides]
    lake = judged.lake

    def error_of(*more: str) -> tuple[int, str]:
        code, output, (error,) = vsearch(*words, *more)
        assert output == []
        return code, error.removeprefix("vsearch: ")

    code, error = error_of()
    assert (code, error.endswith(": run build_training_examples first")) == (1, True)
    settings = load_settings("demo", base)
    context = StepContext(settings, lake, lake.run_id, say=lambda _: None)
    body_of("build_training_examples")(context)
    code, error = error_of()
    assert (code, error.endswith(" has no small of this configuration: run train_encoder")) == (1, True)
    body_of("train_encoder")(replace(context, settings=load_settings("demo", [*base, "training.depth=none"])))
    assert error_of("--snapshot", "s0") == (
        2,
        f"--snapshot s0: there is no such snapshot, only {newest_snapshot(lake)}",
    )
    for nothing in ("training.depth=none", "training.min_pairs=1000000"):
        code, error = error_of("--set", nothing)
        assert (code, error.startswith("nothing is trained, so there is nothing to try (")) == (2, True)
    models = list(cards(settings.models.uri))

    code, output, error = vsearch(*words)
    assert (code, error) == (0, [])
    assert [line.split(",")[0] for line in output[:3]] == [f"trial {n} of 3" for n in (1, 2, 3)]
    assert output[3].startswith(f"Snapshot {newest_snapshot(lake)}, depth head, recall of ")
    rows = [line.removeprefix("configured").split() for line in output[5:8]]
    recalls = [float(row[2]) for row in rows]
    assert recalls == sorted(recalls, reverse=True)
    assert recalls[0] > float(rows[0][1])
    label, command = output[-1].split(": ", 1)
    assert label == "train with them"
    parsed = vsearch_parser().parse_args(shlex.split(command)[1:])
    assert (parsed.graph, parsed.env) == ("retrain", "demo")
    assert load_settings(parsed.env, parsed.overrides).training.learning_rate == float(rows[0][0])
    assert list(cards(settings.models.uri)) == models
    assert not list(Path(settings.cache, "training").glob("*"))
