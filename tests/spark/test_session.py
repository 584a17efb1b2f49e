"""Every caller gets the same session, with the settings of the project."""

import pytest

from vsearch_lib.config import load_settings
from vsearch_lib.errors import UsageError
from vsearch_lib.spark import session
from vsearch_lib.spark.session import start_session


def test_a_running_session_is_returned_to_every_caller(spark, settings):
    assert start_session(settings, "another") is spark


def test_times_are_utc(spark):
    assert spark.conf.get("spark.sql.session.timeZone") == "UTC"
    (row,) = spark.sql("SELECT CAST(TIMESTAMP '2024-05-06 23:30:00+01:00' AS string) AS time").collect()
    assert row["time"] == "2024-05-06 22:30:00"


def test_a_worker_holds_few_pictures_at_a_time(spark):
    assert int(spark.conf.get("spark.sql.execution.arrow.maxRecordsPerBatch")) <= 100


def test_the_compiled_queries_of_a_night_fit_the_cache(spark):
    assert int(spark.conf.get("spark.sql.codegen.cache.maxEntries")) >= 1_000


def test_settings_of_spark_reach_the_session(spark):
    partitions = load_settings("demo").spark.conf["spark.sql.shuffle.partitions"]
    assert spark.conf.get("spark.sql.shuffle.partitions") == partitions


def test_hadoop_uses_the_s3_server_of_the_environment(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9000")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    assert session._s3_server() == {
        "spark.hadoop.fs.s3a.endpoint": "http://127.0.0.1:9000",
        "spark.hadoop.fs.s3a.path.style.access": "true",
        "spark.hadoop.fs.s3a.endpoint.region": "eu-central-1",
    }
    for name in ("AWS_ENDPOINT_URL", "AWS_REGION"):
        monkeypatch.delenv(name)
    assert session._s3_server() == {}


def test_an_environment_is_sent_only_to_workers_on_other_machines(spark):
    missing = "spark.workers_environment=/nowhere/environment.tar.gz"
    assert start_session(load_settings("demo", [missing]), "local") is spark
    with pytest.raises(UsageError, match="/nowhere"):
        start_session(load_settings("demo", [missing, "spark.master=spark://127.0.0.1:1"]), "cluster")


def test_the_session_has_the_catalogue_of_delta(spark):
    assert "DeltaCatalog" in spark.conf.get("spark.sql.catalog.spark_catalog")
