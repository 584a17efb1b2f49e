"""A Spark session with Delta, the same in-process and under spark-submit."""

import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from py4j.protocol import Py4JError, Py4JJavaError
from pyspark import SparkConf, SparkContext
from pyspark.errors import PySparkRuntimeError
from pyspark.sql import SparkSession

from vsearch_lib import system_errors
from vsearch_lib.config import PROJECT, Settings
from vsearch_lib.errors import VsearchError
from vsearch_lib.spark.java import UTF8_LOCALE, start_java
from vsearch_lib.spark.workers import PYTHON, sent_to_workers

_DEFAULTS = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.python.daemon.module": "vsearch_lib.spark.daemon",
    # Pictures and vectors are wide: a worker must never hold ten thousand of them.
    "spark.sql.execution.arrow.maxRecordsPerBatch": "64",
    # The rows that we merge are checkpointed, or the same at each read: Delta need not make a copy of them first.
    "spark.databricks.delta.merge.materializeSource": "none",
    # Delta would bring a whole day's partition into one task before it writes.
    "spark.databricks.delta.merge.repartitionBeforeWrite.enabled": "false",
    # Spark writes rows of a few partitions in the order they come, without sorting them by partition first.
    "spark.sql.maxConcurrentOutputFileWriters": "16",
    # The queries of one night need more than the 100 compiled classes that Spark caches by default, and would compile
    # them again and again.
    "spark.sql.codegen.cache.maxEntries": "2000",
    # Checkpoints are deleted as soon as nothing refers to them.
    "spark.cleaner.referenceTracking.cleanCheckpoints": "true",
    # Tables that are partitioned by one of their join keys are not shuffled again.
    "spark.sql.requireAllClusterKeysForCoPartition": "false",
    # By default the checksums of Parquet pages are not verified: a flipped bit would be read as a value.
    "spark.hadoop.parquet.page.verify-checksum.enabled": "true",
    # The tables of Unicode's case mappings, which Java has too, would take two seconds to load.
    "spark.sql.icu.caseMappings.enabled": "false",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    # Spark describes every plan in text, even if no page shows it: the short form is made faster.
    "spark.sql.ui.explainMode": "simple",
}
# On one machine the driver lists folders itself: tasks would look at the same disk.
_DEFAULTS_OF_ONE_MACHINE = {"spark.sql.sources.parallelPartitionDiscovery.threshold": "1000000"}
# Java decodes file names by the locale, and that of a machine may be POSIX.
_DEFAULTS_OF_A_CLUSTER = {"spark.executorEnv.LC_ALL": UTF8_LOCALE}


def start_session(settings: Settings, name: str) -> SparkSession:
    """Return the running session, or start one as `settings.spark` says.

    A JVM that is started in-process writes its output to `<var>/logs/spark.log`; under spark-submit the JVM starts
    first and keeps its own output.
    """
    options = {"spark.app.name": name}
    if settings.spark.master and "PYSPARK_GATEWAY_PORT" not in os.environ:
        options |= {"spark.master": settings.spark.master, "spark.driver.memory": settings.spark.driver_memory}
    environment = settings.spark.workers_environment
    # On one machine the workers already have everything.
    sent = sent_to_workers(environment) if environment and not _is_local(settings) else {}
    # Otherwise workers would take the first python3 on PATH.
    os.environ.setdefault("PYSPARK_PYTHON", PYTHON if sent else sys.executable)
    more = _DEFAULTS_OF_ONE_MACHINE if _is_local(settings) else _DEFAULTS_OF_A_CLUSTER
    options |= {**_DEFAULTS, **more, **_s3_server(), **sent, **settings.spark.conf}
    if SparkContext._active_spark_context is not None or "PYSPARK_GATEWAY_PORT" in os.environ:
        return _get_or_create(options, settings)
    if _is_local(settings):
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    log = _log_file(settings)
    # Unused, but Spark creates the folder, by default in the current folder.
    options["spark.sql.warehouse.dir"] = str(log.parent / "warehouse")
    with log.open("ab") as sink:
        terminal = os.dup(2)
        os.dup2(sink.fileno(), 2)
        try:
            return _get_or_create(options, settings)
        except PySparkRuntimeError as error:
            if error.getCondition() != "JAVA_GATEWAY_EXITED":
                raise
            raise VsearchError(
                "Java, which Spark needs, did not start: make sure that Java 17 or 21 is on PATH; its output is in "
                f"{log}"
            ) from None
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)


@contextmanager
def spark_session(settings: Settings, name: str) -> Iterator[SparkSession]:
    """The session of `start_session`; at the end it is stopped and its checkpoints are deleted.

    Raises:
        VsearchError: the Java process ended in the middle; any other error is only a consequence of that.
    """
    spark = start_session(settings, name)
    _silence_py4j_tracebacks(spark.sparkContext)
    try:
        yield spark
    finally:
        try:
            _stop(spark)
        except (Py4JError, ConnectionError) as error:
            if isinstance(error, Py4JJavaError):  # raised by a Java that still runs
                raise
            submitted = "PYSPARK_GATEWAY_PORT" in os.environ
            raise VsearchError(
                "the Java process of Spark is gone: it crashed or was killed, perhaps for lack of memory; its last "
                f"output is in {'what spark-submit printed' if submitted else _log_file(settings)}; what was committed "
                "stays: run the same again"
            ) from None


def _silence_py4j_tracebacks(context: SparkContext) -> None:
    """Silence two parts of Spark that print a trace besides raising it, if Java ends or a user interrupts."""
    context._accumulatorServer.handle_error = lambda *_: None  # type: ignore[method-assign]
    logging.getLogger().addFilter(lambda record: record.module != "java_gateway")


def _stop(spark: SparkSession) -> None:
    context = spark.sparkContext
    folder = context.getCheckpointDir()
    if folder:
        path = context._jvm.org.apache.hadoop.fs.Path(folder)  # type: ignore[union-attr]
        path.getFileSystem(context._jsc.hadoopConfiguration()).delete(path, True)
    spark.stop()


def _is_local(settings: Settings) -> bool:
    return (settings.spark.master or "").startswith("local")


@contextmanager
def rows_per_batch(spark: SparkSession, rows: int) -> Iterator[None]:
    """Move `rows` rows at once between Spark and Python, more than pictures allow: each batch costs time."""
    key = "spark.sql.execution.arrow.maxRecordsPerBatch"
    before = spark.conf.get(key)
    spark.conf.set(key, rows)
    try:
        yield
    finally:
        spark.conf.set(key, str(before))


def _s3_server() -> dict[str, str]:
    """Return Hadoop's settings for the S3 server of the environment; Hadoop finds the credentials there itself."""
    endpoint, region = os.environ.get("AWS_ENDPOINT_URL"), os.environ.get("AWS_REGION")
    options = {"spark.hadoop.fs.s3a.endpoint.region": region} if region else {}
    if endpoint:
        # A server that is not Amazon's has no host name for each bucket.
        options |= {"spark.hadoop.fs.s3a.endpoint": endpoint, "spark.hadoop.fs.s3a.path.style.access": "true"}
    return options


def _get_or_create(options: Mapping[str, str], settings: Settings) -> SparkSession:
    if SparkContext._active_spark_context is None:
        start_java(SparkConf().setAll(list(options.items())))
    spark = SparkSession.builder.config(map=dict(options)).getOrCreate()
    context = spark.sparkContext
    if not str(context.master).startswith("local") and context.getCheckpointDir() is None:
        # Executors come and go: the rows of `checkpointed` must outlive them.
        context.setCheckpointDir(f"{settings.var}/checkpoints")
    return spark


def _log_file(settings: Settings) -> Path:
    """Return the file for Java's output, after checking that it can be written."""
    folder = PROJECT / "var" / "logs" if "://" in settings.var else Path(settings.var) / "logs"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "spark.log").open("ab").close()
    except OSError as error:
        known = system_errors.explain(error)
        raise (VsearchError(f"var = {settings.var}: {known}") if known else error) from None
    return folder / "spark.log"
