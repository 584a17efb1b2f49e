"""Starts Java with its archive of classes, and with file names in UTF-8, also for a user id without a name.

Java asks the C library for names: under the POSIX locale it reads every letter outside ASCII as `?`, and for a user id
that the system's list of users lacks, as is common in containers, it finds neither a name nor a home.
"""

import locale
import os
import shlex
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pyspark import SparkConf, SparkContext

from vsearch_lib import system_user
from vsearch_lib.config import PROJECT
from vsearch_lib.errors import UsageError
from vsearch_lib.spark import class_archive

UTF8_LOCALE = "C.UTF-8"


def start_java(conf: SparkConf) -> None:
    """Start Java, or use the one that spark-submit started, and check and prepare it; this does not start Spark.

    Raises:
        UsageError: Python, or the Java that spark-submit started, reads file names in an encoding other than UTF-8.
    """
    if sys.getfilesystemencoding().lower() != "utf-8":
        raise UsageError(
            f"Python reads file names as {sys.getfilesystemencoding()} here, and every machine must read them as "
            f"UTF-8: set LC_ALL={UTF8_LOCALE}"
        )
    with _environment(_missing_variables(is_local=conf.get("spark.master", "").startswith("local"))):
        SparkContext._ensure_initialized(conf=conf)
    jvm: Any = SparkContext._jvm
    encoding = jvm.java.lang.System.getProperty("sun.jnu.encoding")
    if encoding != "UTF-8":
        raise UsageError(
            f"Java reads file names as {encoding} here, and would read other letters as '?': set "
            f"LC_ALL={UTF8_LOCALE}, or another UTF-8 locale that this machine has, before Java starts"
        )
    if not system_user.has_name():
        users = jvm.org.apache.hadoop.security.UserGroupInformation
        users.setLoginUser(users.createRemoteUser(os.environ.get("HADOOP_USER_NAME") or str(os.getuid())))


def _missing_variables(*, is_local: bool) -> dict[str, str]:
    """Return the environment variables to set or replace while Java starts."""
    variables: dict[str, str] = {}
    if locale.getencoding().lower() != "utf-8":
        variables["LC_ALL"] = UTF8_LOCALE
    if "SPARK_CONF_DIR" not in os.environ:
        variables["SPARK_CONF_DIR"] = str(PROJECT / "conf" / "spark")
        if is_local and class_archive.ARCHIVE.exists():
            variables |= class_archive.variables_to_read()
    options = [variables.get("SPARK_SUBMIT_OPTS"), os.environ.get("SPARK_SUBMIT_OPTS")]
    if not system_user.has_name():
        home = shlex.quote(os.environ.get("HOME") or tempfile.gettempdir())
        options.insert(0, f"-Duser.home={home} -Duser.name={os.getuid()}")
    variables["SPARK_SUBMIT_OPTS"] = " ".join(option for option in options if option)
    return variables


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
