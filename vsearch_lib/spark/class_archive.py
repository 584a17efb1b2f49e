"""The archive of Spark's classes, which Java maps at its start instead of reading and verifying thousands of them.

`make_class_archive` makes it when an environment is set up. Java ignores it if it was made by another Java or of other
jars, and then only takes longer. It also ignores it if a folder with files is on its class path, and Spark puts its
folder of settings there: so that folder does not exist here, and Java is told where the settings of the log are.
"""

import shlex
import sys
from pathlib import Path

from vsearch_lib.config import PROJECT

ARCHIVE = Path(sys.prefix) / "share" / "spark-classes.jsa"
_NO_SETTINGS = ARCHIVE.with_name("no-spark-settings")
_LOG_SETTINGS = PROJECT / "conf" / "spark" / "log4j2.properties"


def variables_to_read() -> dict[str, str]:
    """Return the environment variables with which Spark starts a Java that uses the archive."""
    return _variables("SharedArchiveFile", ARCHIVE)


def variables_to_write(archive: Path) -> dict[str, str]:
    """Return the environment variables with which Spark starts a Java that writes an archive when it ends."""
    return _variables("ArchiveClassesAtExit", archive)


def _variables(option: str, archive: Path) -> dict[str, str]:
    options = [
        f"-XX:{option}={archive}",
        "-XX:+VerifySharedSpaces",  # a damaged archive is ignored: unverified, it would crash Java
        "-Xlog:cds*=off",  # Java would tell users about an archive that it ignores
        f"-Dlog4j2.configurationFile={_LOG_SETTINGS.as_uri()}",
    ]
    return {"SPARK_CONF_DIR": str(_NO_SETTINGS), "SPARK_SUBMIT_OPTS": shlex.join(options)}
