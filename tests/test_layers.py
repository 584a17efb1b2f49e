"""Imports go one way, and only one module knows each thing that would be costly to change."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from vsearch_lib.config import PROJECT
from vsearch_lib.run.bodies import body_of
from vsearch_lib.steps import STEPS

LIBRARY = sorted((PROJECT / "vsearch_lib").rglob("*.py"))
JOBS = sorted((PROJECT / "jobs").glob("*.py"))
DAGS = sorted((PROJECT / "dags").glob("*.py"))
CODE = [*LIBRARY, *JOBS, *DAGS]
HEAVY = {
    "torch",
    "torchvision",
    "pandas",
    "pyspark",
    "numpy",
    "faiss",
    "PIL",
    "pyarrow",
    "delta",
    "deltalake",
    "petastorm",
    "obstore",
}


def name(file: Path) -> str:
    return file.relative_to(PROJECT).as_posix()


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text())


@cache
def imports(file: Path) -> tuple[str, ...]:
    return tuple(_imports(file))


def _imports(file: Path) -> Iterator[str]:
    """Yield the full name of every module that the file imports anywhere; `from a import b` gives a and a.b."""
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(file)}: imports are absolute"
            assert node.module
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = ast.unparse(node.func).rsplit(".", 1)[-1]
            if called in ("import_module", "__import__", "LazyLoader"):
                yield str(node.args[0].value)


def importers(package: str, files=CODE) -> set[str]:
    return {name(file) for file in files if any(m == package or m.startswith(f"{package}.") for m in imports(file))}


def calls(attribute: str, files=CODE) -> set[str]:
    """Return the files that call `something.attribute(…)`; `attribute` may have dots."""
    return {
        name(file)
        for file in files
        for node in ast.walk(parsed(file))
        if isinstance(node, ast.Call) and ("." + ast.unparse(node.func)).endswith(f".{attribute}")
    }


# The rooms of the library, the lowest first: a room imports only from itself and from the rooms before it.
# fmt: off
ROOMS = [
    "errors", "vectors", "figures", "paired", "options", "steps", "terminal", "system_user", "system_errors", "ticker",
    "run_ids",
    "config", "storage",
    "report", "artefact", "eligibility", "search",
    "spark", "lake", "context",
    "quarantine", "erasure", "maintenance",
    "landing", "images", "records",
    "encoder", "models", "examples", "embedding", "training",
    "index", "publishing", "serving",
    "measure", "tuning", "demo",
    "run", "cli",
]
# fmt: on


def room(module: str) -> str:
    return module.split(".")[1]


def test_there_is_code_to_look_at():
    assert len(LIBRARY) > 40
    assert len(JOBS) >= 10
    assert DAGS


def test_every_module_is_in_a_room_of_the_list():
    rooms = {file.relative_to(PROJECT / "vsearch_lib").with_suffix("").parts[0] for file in LIBRARY} - {"__init__"}
    assert rooms == set(ROOMS)
    assert len(ROOMS) == len(set(ROOMS))


@pytest.mark.parametrize("file", LIBRARY, ids=name)
def test_a_module_imports_from_no_higher_room(file):
    own = file.relative_to(PROJECT / "vsearch_lib").with_suffix("").parts[0]
    if own == "__init__":
        assert set(imports(file)) == set()
        return
    higher = set(ROOMS[ROOMS.index(own) + 1 :])
    named = {module for module in imports(file) if module.startswith("vsearch_lib.")}
    assert {module for module in named if room(module) in higher} == set()


def test_no_modules_import_each_other_in_a_cycle():
    modules = {".".join(file.relative_to(PROJECT).with_suffix("").parts): file for file in LIBRARY}
    waits = {module: {m for m in imports(file) if m in modules} for module, file in modules.items()}
    list(TopologicalSorter(waits).static_order())  # raises CycleError, which names the cycle


@pytest.mark.parametrize("file", JOBS, ids=name)
def test_a_job_calls_the_step_of_its_name(file):
    assert len(file.read_text().splitlines()) <= 15
    body = body_of(file.stem)
    assert f"{body.__module__}.{body.__name__}" in set(imports(file))


def test_every_step_has_a_job():
    assert {file.stem for file in JOBS} == set(STEPS)


def test_the_library_knows_neither_its_jobs_nor_its_dags():
    assert importers("jobs", LIBRARY) == set()
    assert importers("dags", LIBRARY) == set()
    assert importers("airflow", [*LIBRARY, *JOBS]) == set()


@pytest.mark.parametrize("file", DAGS, ids=name)
def test_dags_import_nothing_heavy(file):
    assert {module.split(".")[0] for module in imports(file)} & HEAVY == set()


@pytest.mark.parametrize("file", DAGS, ids=name)
def test_dags_import_only_the_steps_of_our_code(file):
    ours = {module for module in imports(file) if module.split(".")[0] in ("vsearch_lib", "jobs")}
    assert all(re.match(r"vsearch_lib\.steps(\.|$)", module) for module in ours)


@pytest.mark.parametrize("module", ["steps", "options"])
def test_the_step_graph_imports_only_dataclasses(module):
    packages = {named.split(".")[0] for named in imports(PROJECT / "vsearch_lib" / f"{module}.py")}
    assert packages <= {"dataclasses", "vsearch_lib"}


def test_one_package_knows_delta():
    assert importers("delta") == {"vsearch_lib/lake/tables.py"}


def test_one_module_reads_delta_without_spark():
    assert importers("deltalake") == {"vsearch_lib/serving/pictures.py"}


def test_one_module_names_delta_as_a_format():
    named = {
        name(file)
        for file in CODE
        for node in ast.walk(parsed(file))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "format"
        and any(isinstance(value, ast.Constant) and str(value.value).lower() == "delta" for value in node.args)
    }
    assert named == {"vsearch_lib/lake/tables.py"}


@pytest.mark.parametrize("writing", ["saveAsTable", "insertInto", "writeTo", "writeStream"])
def test_no_other_way_of_writing_tables_is_used(writing):
    assert calls(writing) == set()


def test_one_package_knows_object_storage():
    assert importers("obstore") == {"vsearch_lib/storage/foreign.py", "vsearch_lib/storage/stores.py"}
    assert importers("boto3") | importers("fsspec") | importers("s3fs") == set()


def test_only_the_modules_that_run_or_register_networks_know_openvino():
    running = {"vsearch_lib/encoder/activation.py", "vsearch_lib/encoder/embed.py"}
    assert importers("openvino") == {*running, "vsearch_lib/models/registration.py"}


@pytest.mark.parametrize("module", ["vsearch_lib.embedding.worker", "vsearch_lib.serving.search_service"])
def test_modules_that_only_embed_start_without_torch(module):
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_one_module_sets_up_the_templates_of_pages():
    assert importers("jinja2") == {"vsearch_lib/report/environment.py"}


def test_one_module_knows_mlflow():
    assert importers("mlflow") == {"vsearch_lib/models/tracking.py"}


def test_one_module_knows_petastorm():
    assert importers("petastorm") == {"vsearch_lib/training/feed.py"}


def test_only_the_index_its_readers_and_the_search_for_positives_know_faiss():
    positives = "vsearch_lib/training/objectives/neighbours.py"
    allowed = ("vsearch_lib/index/", "vsearch_lib/search/", "vsearch_lib/tuning/", positives)
    files = importers("faiss")
    assert files
    assert all(file.startswith(allowed) for file in files)


@pytest.mark.parametrize("module", ["pickle", "cPickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"])
def test_nothing_is_pickled(module):
    assert importers(module) == set()


@pytest.mark.parametrize("call", ["torch.save", "pandas.read_pickle", "pd.read_pickle"])
def test_nothing_is_loaded_that_could_hold_a_pickle(call):
    assert calls(call) == set()


def test_torch_loads_only_weights_and_only_in_one_module():
    loads = [
        (name(file), {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords})
        for file in CODE
        for node in ast.walk(parsed(file))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load"
    ]
    assert loads == [("vsearch_lib/models/weights.py", {"weights_only": "True"})]


def test_numpy_never_loads_pickles():
    for file in CODE:
        assert "allow_pickle" not in file.read_text(), name(file)


def strings(file: Path) -> Iterator[str]:
    """Yield every string in the file that is not a docstring."""
    tree = ast.parse(file.read_text())
    bodies = [node.body for node in ast.walk(tree) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)]
    docstrings = {id(body[0].value) for body in bodies if body and isinstance(body[0], ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


@pytest.mark.parametrize("file", LIBRARY, ids=name)
def test_only_command_lines_name_options(file):
    """Other modules raise `InvalidArgument`, and a command line replaces the argument by its option."""
    if name(file).startswith(("vsearch_lib/cli/", "vsearch_lib/run/")) or name(file) == "vsearch_lib/options.py":
        return
    assert [text for text in strings(file) if re.search(r"(?<![\w-])--\w", text)] == []


def test_no_module_has_a_name_that_fits_everything():
    names = {part for file in CODE for part in file.relative_to(PROJECT).with_suffix("").parts}
    assert names & {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc", "core"} == set()


@pytest.mark.parametrize("file", LIBRARY, ids=name)
def test_a_module_has_fewer_than_300_lines(file):
    assert len(file.read_text().splitlines()) < 300
