"""Serving the same files at another operating point: a version of its own, whose manifest alone is new."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from vsearch_lib.artefact.pointer import Pointer
from vsearch_lib.errors import GateRefused
from vsearch_lib.publishing import gate as gates
from vsearch_lib.publishing.publication import publish
from vsearch_lib.run_ids import new_run_id, version_of
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.storage import Store
from vsearch_lib.tuning.measurement import Queries
from vsearch_lib.tuning.sweep import Point


def adopt(
    store: Store, searcher: Searcher, point: Point, queries: Queries, *, cache: Path, min_recall_at_10: float
) -> Pointer:
    """Publish the files of `searcher`'s version again, to be searched at `point`, as it was measured on `queries`.

    These are whole pictures: what the gate found of other queries held for another point, and is left out.

    Raises:
        GateRefused: recall@10 is below `min_recall_at_10`; what was served goes on.
        PublishConflict: another version is served by now.
    """
    version = searcher.manifest.version
    # Its created_at stays too: it tells how old the tables' versions are that the rows were read from.
    manifest = replace(
        searcher.manifest,
        version=version_of(new_run_id(), after=version),
        parent=version,
        kind="delta",
        search=point.setting,
    )
    candidate = Searcher(store, manifest, cache=cache, before=searcher)
    whole = gates.measure(candidate, queries.vectors, own=queries.own)
    report = gates.report({"whole": whole}, min_recall_at_10=min_recall_at_10)
    if not report.passed:
        raise GateRefused(
            f"nprobe {point.setting.nprobe} with shortlist {point.setting.shortlist} is not adopted: "
            f"{'; '.join(gates.refusals(report))}; {version} is served on"
        )
    return publish(store, replace(manifest, gate=report), now=datetime.now(UTC))
