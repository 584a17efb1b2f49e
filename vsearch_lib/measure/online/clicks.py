"""What people did with the answers, day by day: counts that can be added over days.

An impression is an image that a request showed. It belongs to the day on which it was shown, and so do the clicks on
it until the end of the next day. So the counts of a day follow from the events of the day and of the day after only.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from functools import reduce
from typing import TypeAlias

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.figures import ALL
from vsearch_lib.spark.checkpoint import checkpointed

NEW_DAYS = 7  # an image is new for so long after its upload

#: (subject, position, name) → count; the position is 0 for what belongs to no position.
Counts: TypeAlias = Counter[tuple[str, int, str]]


def displayed(interactions: DataFrame, days: Sequence[date]) -> DataFrame:
    """Return one row for each impression of one of the `days`, from `interactions` (columns of the table).

    Columns: day, request_id, displayed_image_id, user_id, variant, index_version, position, clicked, dwell_ms (of the
    longest click, null if it is not known). An image that a request showed twice on a day is one impression, and one
    that was clicked several times is clicked once. Clicks without an impression are left out.
    """
    shown = F.col("type") == "impression"
    known = interactions.where(F.col("event_date").isin([*days, *_following(days)]))
    its_day = F.array(F.col("event_date"))
    of_days = F.when(shown, its_day).otherwise(F.array("event_date", F.date_sub("event_date", 1)))
    events = known.withColumn("day", F.explode(of_days)).where(F.col("day").isin(list(days)))
    names = ("user_id", "variant", "index_version", "position")
    of_impression = [F.min(F.when(shown, F.col(name))).alias(name) for name in names]
    return (
        events.groupBy("day", "request_id", "displayed_image_id")
        .agg(
            *of_impression,
            F.bool_or(~shown).alias("clicked"),
            F.max(F.when(~shown, F.col("dwell_ms"))).alias("dwell_ms"),
        )
        .where("position IS NOT NULL")
    )


def count_days(interactions: DataFrame, images: DataFrame, days: Sequence[date]) -> dict[date, Counts]:
    """Return the counts of each day; of a day without events they are empty.

    The subjects are `all`, each variant and each index version. Names with a position: impressions, clicks, dwell_ms,
    timed_clicks (whose dwell time is known), first_clicks (the highest clicked position of a request). Names without:
    requests, clicked_requests, sessions, clicked_sessions, and of clicks on known images dated_clicks, click_age_days
    (days since the upload, summed) and new_clicks (at most NEW_DAYS days). A session is a user on one day.

    Args:
        images: columns image_id and upload_date.
    """
    found: dict[date, Counts] = {day: Counter() for day in days}
    if not days:
        return found
    shown = checkpointed(_with_subjects(displayed(interactions, days)))
    for row in _counted(shown, images).collect():
        if row["value"]:
            found[row["day"]][row["subject"], row["position"], row["name"]] += row["value"]
    return found


def total(counts: Iterable[Counts]) -> Counts:
    """Return the sums over several days."""
    summed: Counts = Counter()
    for each in counts:
        summed.update(each)
    return summed


def _counted(shown: DataFrame, images: DataFrame) -> DataFrame:
    by, clicked = ("day", "subject"), F.col("clicked")
    none = F.lit(0).alias("position")
    by_position = shown.groupBy(*by, "position").agg(
        F.count("*").alias("impressions"),
        F.count_if("clicked").alias("clicks"),
        F.sum(F.when(clicked, F.col("dwell_ms"))).alias("dwell_ms"),
        F.count(F.when(clicked, F.col("dwell_ms"))).alias("timed_clicks"),
    )
    first = F.min(F.when(clicked, F.col("position"))).alias("first")
    requests = checkpointed(shown.groupBy(*by, "request_id").agg(first).groupBy(*by, "first").count())
    firsts = requests.where("first IS NOT NULL").select(
        *by, F.col("first").alias("position"), F.col("count").alias("first_clicks")
    )
    asked = requests.groupBy(*by).agg(
        F.sum("count").alias("requests"),
        F.sum(F.when(F.col("first").isNotNull(), F.col("count"))).alias("clicked_requests"),
    )
    users = shown.groupBy(*by, "user_id").agg(F.max("clicked").alias("clicked")).groupBy(*by)
    sessions = users.agg(F.count("*").alias("sessions"), F.count_if("clicked").alias("clicked_sessions"))
    age = F.greatest(F.lit(0), F.date_diff("day", "upload_date"))
    uploads = images.select(F.col("image_id").alias("displayed_image_id"), "upload_date")
    dated = shown.where(clicked).join(uploads, "displayed_image_id").groupBy(*by)
    ages = dated.agg(
        F.count("*").alias("dated_clicks"),
        F.sum(age).alias("click_age_days"),
        F.count_if(age <= NEW_DAYS).alias("new_clicks"),
    )
    tables = (by_position, firsts, *(table.select("*", none) for table in (asked, sessions, ages)))
    return reduce(DataFrame.unionAll, map(_long, tables))


def _long(table: DataFrame) -> DataFrame:
    """Return day, subject, position, name and value: a row for each count."""
    keys = ("day", "subject", "position")
    names = [name for name in table.columns if name not in keys]
    pairs = F.array(*(F.struct(F.lit(name).alias("name"), F.col(name).cast("bigint").alias("value")) for name in names))
    return table.select(*keys, F.inline(pairs))


def _with_subjects(shown: DataFrame) -> DataFrame:
    """Return each impression once for each subject that it belongs to."""
    named = (
        F.concat(F.lit(f"{kind} "), F.col(name)) for kind, name in (("variant", "variant"), ("index", "index_version"))
    )
    return shown.withColumn("subject", F.explode(F.array_compact(F.array(F.lit(ALL), *named))))


def _following(days: Sequence[date]) -> list[date]:
    return [day + timedelta(days=1) for day in days]
