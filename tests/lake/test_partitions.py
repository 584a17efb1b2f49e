"""The state of a partition changes with its rows, and with those of no other partition."""

from __future__ import annotations

from pyspark.sql import functions as F

from vsearch_lib.lake.partitions import partition_states


def test_only_the_state_of_the_partition_that_is_written_changes(lake, spark):
    def write(day: str, event: str) -> None:
        values = {"event_id": f"'{event}'", "user_id": "'u'", "query_image_id": "'q'", "displayed_image_id": "'i'"}
        others = {"position": "1", "type": "'click'", "occurred_at": f"timestamp'{day}'", "event_date": f"date'{day}'"}
        columns = {**values, **others, "request_id": "'r'"}
        lake.upsert("interactions", spark.sql("SELECT " + ", ".join(f"{v} AS {name}" for name, v in columns.items())))

    def states() -> dict[str, str]:
        return partition_states(lake.read("interactions"), "event_date")

    write("2024-05-01", "a")
    write("2024-05-02", "b")
    before = states()
    assert set(before) == {"2024-05-01", "2024-05-02"}
    write("2024-05-02", "c")
    after = states()
    assert after["2024-05-01"] == before["2024-05-01"]
    assert after["2024-05-02"] != before["2024-05-02"]
    one = partition_states(lake.read("interactions").where(F.col("event_date") == "2024-05-02"), "event_date")
    assert one == {"2024-05-02": after["2024-05-02"]}
