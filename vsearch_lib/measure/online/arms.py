"""The experiment of `serving.canary`, judged by the users of its two variants."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.config.settings import Canary
from vsearch_lib.figures import Figure
from vsearch_lib.measure.online.clicks import displayed
from vsearch_lib.measure.online.experiment import Arm, Judgement, judge
from vsearch_lib.report.page import Table


@dataclass(frozen=True)
class Experiment:
    """The two variants of an experiment, their users, and the judgement."""

    name: str
    control_name: str
    variant: Arm
    control: Arm
    in_both: int
    judgement: Judgement


def judged_experiment(interactions: DataFrame, days: Sequence[date], canary: Canary) -> Experiment | None:
    """Return the experiment on `interactions` (columns of the table) of some days; None if a variant has no user.

    Users of both variants belong to neither arm. Nothing is kept for a user: all days are read again, which
    `online.experiment_days` limits.
    """
    names = (canary.name, canary.control)
    taking_part = F.col("variant").isin(*names)
    if interactions.where(F.col("event_date").isin(list(days)) & taking_part).isEmpty():
        return None
    shown = displayed(interactions, days).where(taking_part)
    x, y = F.col("x"), F.col("y")
    per_user = shown.groupBy("user_id").agg(
        F.count("*").cast("double").alias("x"),
        F.count_if("clicked").cast("double").alias("y"),
        F.when(F.min("variant") == F.max("variant"), F.min("variant")).alias("variant"),
    )
    sums = [F.count("*"), *(F.sum(value) for value in (x, y, x * x, y * y, x * y))]
    arms = {row[0]: Arm(*row[1:]) for row in per_user.groupBy("variant").agg(*sums).collect()}
    if not arms.keys() >= set(names):
        return None
    variant, control = (arms[name] for name in names)
    in_both = arms[None].users if None in arms else 0
    judgement = judge(variant, control, share=canary.share, in_both=in_both)
    return Experiment(*names, variant, control, in_both, judgement)


def experiment_figures(experiment: Experiment) -> list[Figure]:
    """Return the figures of an experiment; the verdict is the slice of `experiment_verdict`."""
    subject, judgement = f"variant {experiment.name} over {experiment.control_name}", experiment.judgement
    users = experiment.variant.users + experiment.control.users
    figures = [
        Figure("experiment_verdict", 1, subject=subject, slice=judgement.verdict, n=users),
        Figure("experiment_users_in_both", experiment.in_both, subject=subject, n=users + experiment.in_both),
    ]
    for name, arm in ((experiment.name, experiment.variant), (experiment.control_name, experiment.control)):
        low, high = arm.interval if arm.users > 1 else (None, None)
        of_arm, n = f"variant {name}", int(arm.impressions)
        figures += [
            Figure("experiment_users", arm.users, subject=subject, slice=of_arm),
            Figure("experiment_click_through_rate", arm.rate, subject=subject, slice=of_arm, n=n, low=low, high=high),
        ]
    if (ratio := judgement.sample_ratio_p_value) is not None:
        figures.append(Figure("sample_ratio_p_value", ratio, subject=subject, n=users))
    if gain := judgement.gain:
        figures += [
            Figure("click_through_rate_gain", gain.value, subject=subject, n=users, low=gain.low, high=gain.high),
            Figure(
                "click_through_rate_gain",
                gain.value,
                subject=subject,
                slice="at every look",
                n=users,
                low=gain.always_low,
                high=gain.always_high,
            ),
            Figure("click_through_rate_gain_p_value", gain.p_value, subject=subject, n=users),
        ]
    return figures


def experiment_table(experiment: Experiment) -> Table:
    """Return the verdict, its reason and both variants, as the page shows them."""
    rows = []
    for name, arm in ((experiment.name, experiment.variant), (experiment.control_name, experiment.control)):
        interval = "{:.2%} to {:.2%}".format(*arm.interval) if arm.users > 1 else "–"
        rows.append(
            (name, f"{arm.users:,}", f"{arm.impressions:,.0f}", f"{arm.clicks:,.0f}", f"{arm.rate:.2%}", interval)
        )
    judgement = experiment.judgement
    return Table(
        ("variant", "users", "impressions", "clicks", "click-through rate", "95 % interval"),
        rows,
        title=f"{experiment.name} instead of {experiment.control_name}: {judgement.verdict}",
        note=f"{judgement.reason[0].upper()}{judgement.reason[1:]}.",
    )
