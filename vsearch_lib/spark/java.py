"""How Java is started: file names are UTF-8, and the system need not know the user by name.

Java asks the C library for both: under the POSIX locale it reads every letter outside ASCII as `?`, and for a user id
that the system's list of users lacks, as containers have them, it knows neither a name nor a home.
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
from vsearch_lib.errors import UsageError

UTF8_LOCALE = "C.UTF-8"


def start_java(conf: SparkConf) -> None:
    """Start Java, or take the one that spark-submit started, and make it fit for what we do; Spark comes later.

    Raises:
        UsageError: it is spark-submit's, or Python's own, and reads file names in another encoding than UTF-8.
    """
    if sys.getfilesystemencoding().lower() != "utf-8":
        raise UsageError(
            f"Python reads file names as {sys.getfilesystemencoding()} here, and every machine must read them as "
            f"UTF-8: set LC_ALL={UTF8_LOCALE}"
        )
    with _environment(_lacking()):
        SparkContext._ensure_initialized(conf=conf)
    jvm: Any = SparkContext._jvm
    encoding = jvm.java.lang.System.getProperty("sun.jnu.encoding")
    if encoding != "UTF-8":
        raise UsageError(
            f"Java reads file names as {encoding} here, and would read other letters as '?': set "
            f"LC_ALL={UTF8_LOCALE}, or another UTF-8 locale that this machine has, before Java starts"
        )
    if not system_user.is_named():
        users = jvm.org.apache.hadoop.security.UserGroupInformation
        users.setLoginUser(users.createRemoteUser(os.environ.get("HADOOP_USER_NAME") or str(os.getuid())))


def _lacking() -> dict[str, str]:
    """Return the variables that Java is started with in place of ours."""
    found: dict[str, str] = {}
    if locale.getencoding().lower() != "utf-8":
        found["LC_ALL"] = UTF8_LOCALE
    if not system_user.is_named():
        own = os.environ.get("SPARK_SUBMIT_OPTS", "")
        home = shlex.quote(os.environ.get("HOME") or tempfile.gettempdir())
        found["SPARK_SUBMIT_OPTS"] = f"-Duser.home={home} -Duser.name={os.getuid()} {own}".strip()
    return found


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
