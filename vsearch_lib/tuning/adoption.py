"""Serving the same files at another operating point: a version of its own, whose manifest alone is new."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from vsearch_lib.artefact.manifest import OperatingPoint
from vsearch_lib.artefact.pointer import Pointer
from vsearch_lib.errors import GateRefused
from vsearch_lib.publishing import gate as gates
from vsearch_lib.publishing.publication import publish
from vsearch_lib.run_ids import new_run_id, version_of
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.storage import Store


def adopt(
    store: Store,
    searcher: Searcher,
    setting: OperatingPoint,
    queries: Mapping[str, gates.Queries],
    *,
    cache: Path,
    min_recall_at_10: float,
) -> Pointer:
    """Publish the files of `searcher`'s version again, to be searched at `setting`, if it passes the gate there.

    Args:
        queries: what the gate asks when it publishes a new index, each kind of it.

    Raises:
        GateRefused: recall@10 of a kind is below `min_recall_at_10`; what was served goes on.
        PublishConflict: another version is served by now.
    """
    version = searcher.manifest.version
    # Its created_at stays too: it tells how old the tables' versions are that the rows were read from.
    manifest = replace(
        searcher.manifest,
        version=version_of(new_run_id(), after=version),
        parent=version,
        kind="delta",
        search=setting,
    )
    candidate = Searcher(store, manifest, cache=cache, before=searcher)
    report = gates.report(gates.measure_each(candidate, queries), min_recall_at_10=min_recall_at_10)
    if not report.passed:
        raise GateRefused(
            f"nprobe {setting.nprobe} with shortlist {setting.shortlist} is not adopted: "
            f"{'; '.join(gates.refusals(report))}; {version} is served on; ask for a higher recall"
        )
    return publish(store, replace(manifest, gate=report), now=datetime.now(UTC))
