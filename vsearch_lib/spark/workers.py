"""What a session sends to a cluster whose machines have only Spark and Python."""

import atexit
import shutil
import tempfile
import zipfile
from pathlib import Path

import pyspark

from vsearch_lib.config import PROJECT
from vsearch_lib.errors import UsageError
from vsearch_lib.storage import local_path

PYTHON = "python3.11"  # on the machines; the version of the lock files
_CODE = ("vsearch_lib", "schemas")
_JARS = PROJECT / "conf" / "locks" / "jars.sha256"


def sent_to_workers(environment: str) -> dict[str, str]:
    """Return Spark's settings that send `environment` (packages, packed), the jars of the lock file, and this code.

    An executor unpacks them in its working folder, and its Python looks there first. The code is that of this process,
    so a driver never talks to workers of another version.

    Raises:
        UsageError: the file `environment` does not exist.
    """
    path = local_path(environment)
    if path is not None and not path.is_file():
        raise UsageError(f"spark.workers_environment: there is no {environment}: make workers-environment writes one")
    archives = (f"{environment}#environment", f"{_packed_code()}#vsearch")
    jars = Path(pyspark.__file__).parent / "jars"
    return {
        "spark.archives": ",".join(archives),
        "spark.executorEnv.PYTHONPATH": "environment:vsearch",
        "spark.jars": ",".join(str(jars / line.split()[1]) for line in _JARS.read_text().splitlines()),
    }


def _packed_code() -> Path:
    # Executors may start at any time while this process lives, and fetch the file then.
    folder = Path(tempfile.mkdtemp(prefix="vsearch-code-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    packed = folder / "vsearch.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in _CODE:
            for file in sorted((PROJECT / name).rglob("*")):
                if file.is_file() and "__pycache__" not in file.parts:
                    archive.write(file, file.relative_to(PROJECT))
    return packed
