"""A process that answers one query imports only what it needs."""

import subprocess
import sys


def imported(code: str) -> set[str]:
    """Run `code` in a new process, and return the packages that it has imported at the end."""
    printing = f"{code}\nimport sys; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", printing], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_command_and_its_search_start_without_spark_pandas_or_torch():
    found = imported("import vsearch_lib.cli, vsearch_lib.serving.answer, vsearch_lib.serving.lean")
    assert "faiss" in found
    assert found & {"pyspark", "py4j", "delta", "pandas", "torch"} == set()


def test_pyarrow_makes_and_reads_arrays_while_pandas_is_blocked():
    code = """
import numpy as np, pyarrow as pa, pyarrow.compute as pc
from vsearch_lib.serving.lean import without_pandas
with without_pandas():
    table = pa.concat_tables([pa.table({"a": ["x", None]}), pa.schema([("a", pa.string())]).empty_table()])
    assert np.asarray(pc.fill_null(pc.equal(table["a"], "x"), False)).tolist() == [True, False]
    assert table.slice(0, 1).to_pylist() == [{"a": "x"}]
"""
    assert "pandas" not in imported(code)
    assert "pandas" in imported(f"{code}\nimport pandas")
