"""Measure the published index on judged queries, compare it with simple baselines, and draw the page."""

import json
from dataclasses import asdict, dataclass, field, fields

import numpy as np
from pyspark import StorageLevel
from pyspark.sql import DataFrame

from vsearch_lib.artefact.content import digest
from vsearch_lib.artefact.manifest import Manifest
from vsearch_lib.config.settings import Evaluation
from vsearch_lib.context import StepContext
from vsearch_lib.embedding.features import as_arrays, features_model, stored_features
from vsearch_lib.examples.split import images_with_split
from vsearch_lib.figures import ALL, Figure
from vsearch_lib.measure.offline import trec
from vsearch_lib.measure.offline.baselines import pixel_vectors
from vsearch_lib.measure.offline.formulas import Measures
from vsearch_lib.measure.offline.gallery import shown_queries
from vsearch_lib.measure.offline.judged import judged_pairs, judged_queries, measured_images, pictures_of
from vsearch_lib.measure.offline.labels import label_figures, nearest_labels
from vsearch_lib.measure.offline.on_spark import published_rankings, sums_on_spark, values_on_spark
from vsearch_lib.measure.offline.per_query import as_parquet
from vsearch_lib.measure.offline.query_slices import query_slices, slices_of_each
from vsearch_lib.measure.offline.ranking import DEPTH, Judgements, Rankings, Values, exact_rankings, measured
from vsearch_lib.measure.offline.side_by_side import encode_each
from vsearch_lib.measure.offline.slices import Sums, slice_figures, sums_of_slices
from vsearch_lib.measure.offline.spread import cosine_spread
from vsearch_lib.measure.offline.strata import parts_and_scenes, whole_pictures
from vsearch_lib.measure.offline.tables import PUBLISHED, tables
from vsearch_lib.models.registry import read_card
from vsearch_lib.publishing.recall import recall_figure
from vsearch_lib.report.page import Query, render
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.storage import open_store
from vsearch_lib.vectors import Vectors

SLICED = "ndcg_at_10"


@dataclass
class _Measured:
    """What is measured: figures, queries to look at, and files beside the page (end of the name → content)."""

    figures: list[Figure]
    queries: list[Query] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)


def evaluate(context: StepContext) -> list[Figure]:
    """Write the figures and the page of the served version, unless they exist for the same inputs.

    Beside the page are the figures of each query (`…-queries.parquet`), and the judgements and rankings that they were
    computed from, in TREC's format (`…-qrels.gz`, `…-run-….gz`).
    """
    settings = context.settings
    searcher = Searcher.open(settings.index.uri, cache=settings.cache)
    manifest = searcher.manifest
    reports = open_store(settings.reports.uri)
    made_from = (context.lake.version("judgements"), context.lake.version("near_duplicates"))
    # If an older version of this step wrote figures with other fields, measure again.
    shape = [field.name for field in fields(Figure)]
    sections = [section.model_dump_json() for section in (settings.examples, settings.evaluation)]
    chosen = f"{made_from} {sections} {settings.online.days} {shape}"
    name = f"{manifest.version}-{digest(chosen.encode())[:8]}"
    earlier = reports.read_versioned(f"{name}.json")
    if earlier:
        figures = [Figure(**one) for one in json.loads(earlier.content)]
    else:
        found = _measure(context, searcher)
        figures = found.figures
        page = render("What the index answers", _subtitle(manifest), tables(figures), found.queries)
        for ending, content in found.files.items():
            reports.write_new(f"{name}-{ending}", content)
        reports.write_new(f"{name}.html", page.encode())
        reports.write_new(f"{name}.json", json.dumps([asdict(figure) for figure in figures]).encode())
    context.say(f"evaluate: {settings.reports.uri}/{name}.html")
    return figures


def measures_of(evaluation: Evaluation) -> Measures:
    """Return the figures that the settings choose."""
    return Measures(evaluation.k, "exponential_gain" in evaluation.also, "judged_only" in evaluation.also)


def _measure(context: StepContext, searcher: Searcher) -> _Measured:
    settings, lake, chosen = context.settings, context.lake, context.settings.evaluation
    images = images_with_split(lake, settings)
    judged = judged_queries(lake.read("judgements"), images, seed=chosen.seed, limit=chosen.max_queries)
    found = _Measured([*_index_figures(searcher), *_cosines(searcher, seed=settings.index.seed)])
    ids = searcher.rows["image_id"].to_pylist()
    row_of = {ids[row]: int(row) for row in searcher.visible_ids()}
    has_more = chosen.max_sliced_queries > chosen.max_queries == len(judged)
    judged = {query: scores for query, scores in judged.items() if query in row_of}
    if judged:
        found.figures.append(Figure("judged_queries", len(judged)))
        values = _judged(context, searcher, images, judged, row_of, found)
        sums = _sums_of_many(context, searcher, images) if has_more else _sums(context, values)
        found.figures += slice_figures(SLICED, sums, subject=PUBLISHED, min_queries=chosen.min_slice_queries)
    truth, predicted = nearest_labels(searcher, seed=chosen.seed, limit=chosen.max_queries)
    found.figures += label_figures(
        truth, predicted, subject=PUBLISHED, min_queries=chosen.min_slice_queries, seed=chosen.seed
    )
    rng = np.random.default_rng(chosen.seed)
    pool = sorted(judged) or [ids[row] for row in searcher.visible_ids()]
    wanted = rng.permutation(len(pool))[: chosen.page_queries]
    found.queries = shown_queries(lake, searcher, [pool[i] for i in wanted], row_of, judged)
    return found


def _judged(
    context: StepContext,
    searcher: Searcher,
    images: DataFrame,
    judged: Judgements,
    row_of: dict[str, int],
    found: _Measured,
) -> Values:
    """Measure all systems on the judged queries, and return the values of the published index."""
    chosen = context.settings.evaluation
    graded: dict[tuple[str, str], tuple[Judgements, Rankings]] = {
        (system, ALL): (judged, rankings)
        for system, rankings in _rankings(context, searcher, images, judged, row_of).items()
    }
    for kind, asked in parts_and_scenes(context, searcher, judged).items():
        graded[PUBLISHED, kind] = (asked.judged, asked.rankings(searcher))
    values = {name: measured(*each, measures_of(chosen)) for name, each in graded.items()}
    for (system, kind), each in values.items():
        found.figures += each.figures(subject=system, slice_=kind, seed=chosen.seed)
    found.files["queries.parquet"] = as_parquet(values)
    found.files |= _trec_files(graded)
    return values[PUBLISHED, ALL]


def _trec_files(graded: dict[tuple[str, str], tuple[Judgements, Rankings]]) -> dict[str, bytes]:
    files = {}
    for (system, kind), (judged, rankings) in graded.items():
        of = "" if kind == ALL else f"-{kind.replace(' ', '-')}"
        words = "".join(letter if letter.isalnum() else " " for letter in system).split()
        files[f"qrels{of}.gz"] = trec.qrels(judged)
        files[f"run-{'-'.join(words)}{of}.gz"] = trec.run(rankings, system)
    return files


def _sums(context: StepContext, values: Values) -> dict[str, Sums]:
    slices = slices_of_each(context.lake, context.settings, list(values.queries))
    return sums_of_slices(values.of_each[SLICED].tolist(), [slices.get(query, []) for query in values.queries])


def _sums_of_many(context: StepContext, searcher: Searcher, images: DataFrame) -> dict[str, Sums]:
    """Return the sums of slices over up to `max_sliced_queries` queries, which Spark ranks and measures."""
    settings, lake, chosen = context.settings, context.lake, context.settings.evaluation
    pairs = judged_pairs(lake.read("judgements"), images, seed=chosen.seed, limit=chosen.max_sliced_queries).cache()
    rankings = published_rankings(pairs.select("query_image_id").distinct(), searcher.manifest, settings)
    rankings = rankings.persist(StorageLevel.DISK_ONLY)  # they are read twice, and there may be many
    try:
        queries = rankings.select("query_image_id").distinct()
        values = values_on_spark(rankings, pairs.join(queries, "query_image_id", "left_semi"), Measures())
        slices = query_slices(lake, settings, queries.withColumnRenamed("query_image_id", "image_id"))
        return sums_on_spark(values, SLICED, slices)
    finally:
        rankings.unpersist()
        pairs.unpersist()


def _rankings(
    context: StepContext, searcher: Searcher, images: DataFrame, judged: Judgements, row_of: dict[str, int]
) -> dict[str, dict[str, list[str]]]:
    settings = context.settings
    covered = measured_images(images, judged, seed=settings.evaluation.seed, limit=settings.evaluation.max_catalogue)
    ids, compared = encode_each(pictures_of(context.lake, covered), {"raw pixels (grey, 32 × 32)": pixel_vectors})
    backbone, features = _backbone_features(context, searcher.manifest, covered)
    kept = [i for i, image in enumerate(ids) if image in row_of and (not features or image in features)]
    known = [ids[i] for i in kept]
    compared = {name: vectors[kept] for name, vectors in compared.items()}
    if features:
        compared[backbone] = np.stack([features[image] for image in known])
    compared["model, exact search"] = searcher.vectors(np.array([row_of[image] for image in known]))
    measured_ids = set(known)
    queries = [query for query in judged if query in measured_ids]
    return {
        **{name: exact_rankings(queries, known, vectors, depth=DEPTH) for name, vectors in compared.items()},
        PUBLISHED: whole_pictures(searcher, {query: judged[query] for query in queries}, row_of).rankings(searcher),
    }


def _backbone_features(context: StepContext, manifest: Manifest, measured: DataFrame) -> tuple[str, dict[str, Vectors]]:
    """Return the name of the model before training and its features by image; no features if it was not stored."""
    model = manifest.model
    recipe = read_card(open_store(model.uri), model.version).recipe
    name = "untrained network" if recipe.weights == "none" else "frozen backbone"
    backbone = features_model(model.uri, recipe)
    if backbone is None:
        return name, {}
    ids, vectors = as_arrays(stored_features(context, backbone.version, measured), "image_id", width=backbone.dimension)
    return name, dict(zip(ids, vectors, strict=True))


def _index_figures(searcher: Searcher) -> list[Figure]:
    manifest = searcher.manifest
    subject = f"index {manifest.version}"
    return [
        Figure("index_rows", manifest.rows, subject=subject),
        Figure("index_bytes_per_vector", searcher.bytes_per_vector, subject=subject),
        *(
            recall_figure(stratum.rescored[10], "recall_at_10", subject=subject, stratum=name, n=stratum.queries)
            for name, stratum in manifest.gate.strata.items()
        ),
    ]


def _cosines(searcher: Searcher, *, seed: int) -> list[Figure]:
    subject = f"index {searcher.manifest.version}"
    return [
        Figure(f"cosine_{name}", float(np.percentile(cosines, percent)), subject=subject, slice=pair, n=len(cosines))
        for pair, cosines in cosine_spread(searcher, seed=seed).items()
        for name, percent in (("p05", 5), ("median", 50), ("p95", 95))
    ]


def _subtitle(manifest: Manifest) -> str:
    return f"version {manifest.version}, {manifest.factory}, model {manifest.model.version}"
