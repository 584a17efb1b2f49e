"""Monitor the lake and the published index: drift, refusals, balance, live recall, reconciliation; draw the page."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np

from vsearch_lib.artefact.pointer import read_pointer
from vsearch_lib.config.monitoring import Monitoring
from vsearch_lib.context import StepContext
from vsearch_lib.errors import GateRefused
from vsearch_lib.figures import Figure
from vsearch_lib.lake.metrics import record
from vsearch_lib.measure.monitoring.check import Check, Verdict, figures_of, had_data, no_data, with_missing
from vsearch_lib.measure.monitoring.drift import drift_checks
from vsearch_lib.measure.monitoring.model import model_check, vectors_check
from vsearch_lib.measure.monitoring.published import balance_checks, live_recall_check, nearest_cosines
from vsearch_lib.measure.monitoring.reconciliation import reconciliation_checks
from vsearch_lib.measure.monitoring.refused import refusal_checks
from vsearch_lib.measure.monitoring.windows import QUERIES, UPLOADS, Windows, newest_day, queries, uploads
from vsearch_lib.models.promotion import version_in_use
from vsearch_lib.report.page import Table, render
from vsearch_lib.run_ids import version_of
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.storage import open_store


def monitor(context: StepContext) -> list[Figure]:
    """Make all checks, write the page, and report each alert; the run goes on, unless `monitoring.fail_on_alert`."""
    settings, lake = context.settings, context.lake
    chosen, now = settings.monitoring, datetime.now(UTC)
    published = read_pointer(open_store(settings.index.uri)) is not None
    searcher = Searcher.open(settings.index.uri, cache=settings.cache) if published else None
    last = newest_day(lake, now.date())
    windows = Windows.until(last or now.date(), chosen)
    remembered_since = now - timedelta(days=chosen.days + chosen.earlier_days)
    made = [
        _newest_check(last, now.date(), chosen),
        *_sampled_checks(context, searcher, windows),
        *refusal_checks(lake, now, chosen),
        *balance_checks(searcher, chosen),
        *reconciliation_checks(context, searcher, now),
        vectors_check(lake, searcher, sample=chosen.sample, seed=chosen.seed),
        model_check(lake, version_in_use(settings), remembered_since),
    ]
    checks = with_missing(made, had_data(lake, remembered_since))
    figures = figures_of(checks)
    name = f"monitoring-{version_of(context.run_id)}.html"
    open_store(settings.reports.uri).write_new(name, _page(checks, windows).encode())
    _report(context, checks, f"{settings.reports.uri}/{name}")
    alerts = [check for check in checks if check.verdict.raises]
    if alerts and chosen.fail_on_alert:
        record(lake, figures)  # nobody does it for a step that fails
        raise GateRefused(f"{'; '.join(check.alert for check in alerts)}; see docs/monitoring.md")
    return figures


def _sampled_checks(context: StepContext, searcher: Searcher | None, windows: Windows) -> list[Check]:
    """Return the drift checks, and the recall of live queries."""
    lake, chosen = context.lake, context.settings.monitoring
    model = version_in_use(context.settings)
    uploaded, upload_sample = uploads(lake, windows, chosen, model)
    asked, query_sample = queries(lake, windows, chosen, model)
    cosines = nearest_cosines(searcher, uploaded)
    upload_sample = replace(upload_sample, numbers={**upload_sample.numbers, "nearest neighbour": cosines})
    new_queries = [query for query, is_new in zip(asked, query_sample.is_new, strict=True) if is_new]
    in_order_of_chance = np.random.default_rng(chosen.seed).permutation(sorted(set(new_queries))).tolist()
    return [
        *drift_checks(
            {UPLOADS: upload_sample, QUERIES: query_sample},
            false_alarm_rate=chosen.false_alarm_rate,
            permutations=chosen.permutations,
            seed=chosen.seed,
        ),
        live_recall_check(searcher, in_order_of_chance, chosen),
    ]


def _newest_check(last: date | None, today: date, chosen: Monitoring) -> Check:
    name = "newest day"
    if last is None:
        return no_data(name, "nothing has landed")
    days = (today - last).days
    if days > chosen.max_silent_days:
        return no_data(name, f"nothing has landed of the days since {last}")
    return Check(name, Verdict.OK, str(last), (Figure("days_since_newest", days),))


def _report(context: StepContext, checks: Sequence[Check], page: str) -> None:
    for check in checks:
        if check.verdict.raises:
            context.alerts.append(check.alert)
            context.say(f"monitor: ALERT {check.alert}")
    silent = [check.name for check in checks if check.verdict == Verdict.NO_DATA]
    without = f"; no data for {', '.join(silent)}" if silent else ""
    context.say(f"monitor: {len(checks)} checks, {len(context.alerts)} alerts{without}; {page}")


def _page(checks: Sequence[Check], windows: Windows) -> str:
    # Alerts first.
    order = {Verdict.ALERT: 0, Verdict.MISSING: 0, Verdict.NO_DATA: 1, Verdict.OK: 2}
    rows = [(c.name, c.verdict.words, c.seen) for c in sorted(checks, key=lambda check: order[check.verdict])]
    numbers = [
        (
            figure.metric.replace("_", " "),
            figure.label,
            f"{figure.value:.4g}",
            "" if figure.n is None else f"{figure.n:,}",
        )
        for check in checks
        for figure in check.figures
    ]
    subtitle = f"{windows.first} to {windows.last}, compared with the days from {windows.first_earlier}"
    tables = [
        Table(("check", "verdict", "seen"), rows, words=3),
        Table(("figure", "of", "value", "n"), numbers, words=2),
    ]
    return render("What has changed", subtitle, tables, [])
