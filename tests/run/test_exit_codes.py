"""Each error has an exit code and one line, wherever it is raised."""

from pathlib import Path

import pytest

from vsearch_lib.errors import ArtefactError, GateRefused, PublishConflict, UsageError, VsearchError
from vsearch_lib.run.exit_codes import exit_code


def raising(error: BaseException):
    def action() -> None:
        raise error

    return action


def test_success_exits_with_0_and_prints_nothing(capsys):
    assert exit_code(lambda: None) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("error", "code"),
    [(VsearchError, 1), (ArtefactError, 1), (PublishConflict, 1), (UsageError, 2), (GateRefused, 3)],
)
def test_each_error_has_its_exit_code_and_one_line(error, code, capsys):
    assert exit_code(raising(error("what is wrong"))) == code
    assert capsys.readouterr() == ("", "vsearch: what is wrong\n")


def test_an_interruption_exits_with_the_code_that_shells_expect(capsys):
    assert exit_code(raising(KeyboardInterrupt())) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_a_fault_in_our_code_exits_with_1_and_prints_a_trace(capsys):
    assert exit_code(raising(ZeroDivisionError("by nought"))) == 1
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert "by nought" in shown


def test_an_error_that_a_worker_raises_is_one_line_too(spark, capsys):
    def refuse(batches):
        from vsearch_lib.errors import GateRefused

        if list(batches):
            raise GateRefused("too much of it is broken; repair it")
        yield from ()

    rows = spark.range(1).mapInArrow(refuse, "id bigint")
    assert exit_code(lambda: rows.collect()) == 3
    assert capsys.readouterr().err == "vsearch: too much of it is broken; repair it\n"


def deleted(file: Path) -> None:
    file.unlink()


def truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def flipped(file: Path) -> None:
    """Change one bit of a value, as storage without checksums may do."""
    content = bytearray(file.read_bytes())
    content[content.index(b"some-payload") + 3] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize("damage", [deleted, truncated, flipped])
def test_a_damaged_file_of_a_table_is_reported_in_one_line_and_never_read(spark, tmp_path, capsys, damage):
    rows = spark.createDataFrame([("some-payload",)], "payload string").coalesce(1)
    rows.write.format("delta").option("compression", "none").save(str(tmp_path / "table"))
    (file,) = (tmp_path / "table").glob("*.parquet")
    file.with_name(f".{file.name}.crc").unlink()
    damage(file)
    assert exit_code(lambda: spark.read.format("delta").load(str(tmp_path / "table")).collect()) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert f"vsearch: file:{file} cannot be read" in line
    assert line.endswith(
        'put its backup back, or repair the table as docs/runbook.md says under "A corrupted partition"'
    )
