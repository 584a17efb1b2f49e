"""Serving the same files at another operating point, as a new version of which only the manifest is new."""

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
    point: OperatingPoint,
    queries: Mapping[str, gates.Queries],
    *,
    cache: Path,
    min_recall_at_10: float,
) -> Pointer:
    """Publish the files of `searcher`'s version again, to be searched at `point`, if they pass the gate there.

    Args:
        queries: the queries of the gate, by kind.

    Raises:
        GateRefused: recall@10 of a kind is below `min_recall_at_10`; the served version stays.
        PublishConflict: another version is served now.
    """
    version = searcher.manifest.version
    # created_at is unchanged too: it shows how old the versions of the tables are that the rows were read from.
    manifest = replace(
        searcher.manifest,
        version=version_of(new_run_id(), after=version),
        parent=version,
        kind="delta",
        search=point,
    )
    candidate = Searcher(store, manifest, cache=cache, before=searcher)
    report = gates.report(gates.measure_each(candidate, queries), min_recall_at_10=min_recall_at_10)
    if not report.passed:
        raise GateRefused(
            f"nprobe {point.nprobe} with shortlist {point.shortlist} is not adopted: "
            f"{'; '.join(gates.refusals(report))}; {version} is still served; ask for a higher recall"
        )
    return publish(store, replace(manifest, gate=report), now=datetime.now(UTC))
