"""Measure the published index on judged queries, compare it with simple baselines, and draw the page."""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import numpy as np
from pyspark.sql import DataFrame

from vsearch_lib.artefact.content import digest
from vsearch_lib.artefact.manifest import Manifest
from vsearch_lib.context import StepContext
from vsearch_lib.embedding.features import as_arrays, features_model, stored_features
from vsearch_lib.examples.split import images_with_split
from vsearch_lib.figures import Figure
from vsearch_lib.lake.pictures import stored_jpegs
from vsearch_lib.measure.offline.baselines import pixel_vectors
from vsearch_lib.measure.offline.judged import judged_queries, measured_images, pictures_of
from vsearch_lib.measure.offline.ranking import (
    DEPTH,
    RANKING_FIGURES,
    RELEVANT_FROM,
    Judgements,
    exact_rankings,
    ranking_figures,
)
from vsearch_lib.measure.offline.side_by_side import encode_each
from vsearch_lib.measure.offline.spread import cosine_spread
from vsearch_lib.models.registry import read_card
from vsearch_lib.publishing.recall import recall_figure
from vsearch_lib.report.page import Answer, Query, Table, render
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.storage import open_store
from vsearch_lib.vectors import Vectors

SHOWN = 10


def evaluate(context: StepContext) -> list[Figure]:
    """Write the figures and the page of the served version, unless they exist for the same inputs."""
    settings = context.settings
    searcher = Searcher.open(settings.index.uri, cache=settings.cache)
    manifest = searcher.manifest
    reports = open_store(settings.reports.uri)
    made_from = (context.lake.version("judgements"), context.lake.version("near_duplicates"))
    # If an older version of this step wrote figures with other fields, measure again.
    shape = [field.name for field in fields(Figure)]
    sections = [section.model_dump_json() for section in (settings.examples, settings.evaluation)]
    chosen = f"{made_from} {sections} {shape}"
    name = f"{manifest.version}-{digest(chosen.encode())[:8]}"
    earlier = reports.read_versioned(f"{name}.json")
    if earlier:
        figures = [Figure(**one) for one in json.loads(earlier.content)]
    else:
        figures, queries = _measure(context, searcher)
        page = render("What the index answers", _subtitle(manifest), _tables(figures), queries)
        reports.write_new(f"{name}.html", page.encode())
        reports.write_new(f"{name}.json", json.dumps([asdict(figure) for figure in figures]).encode())
    context.say(f"evaluate: {settings.reports.uri}/{name}.html")
    return figures


def _measure(context: StepContext, searcher: Searcher) -> tuple[list[Figure], list[Query]]:
    settings, lake = context.settings, context.lake
    images = images_with_split(lake, settings)
    judged = judged_queries(
        lake.read("judgements"),
        images,
        seed=settings.evaluation.seed,
        limit=settings.evaluation.max_queries,
    )
    figures = [*_index_figures(searcher), *_cosines(searcher, seed=settings.index.seed)]
    ids = searcher.rows["image_id"].to_pylist()
    row_of = {ids[row]: int(row) for row in searcher.visible_ids()}
    judged = {query: scores for query, scores in judged.items() if query in row_of}
    if judged:
        figures.append(Figure("judged_queries", len(judged)))
        for system, rankings in _rankings(context, searcher, images, judged, row_of).items():
            found = ranking_figures(judged, rankings)
            figures += [Figure(metric, value, subject=system, n=len(judged)) for metric, value in found.items()]
    rng = np.random.default_rng(settings.evaluation.seed)
    pool = sorted(judged) or [ids[row] for row in searcher.visible_ids()]
    wanted = rng.permutation(len(pool))[: settings.evaluation.page_queries]
    return figures, _page_queries(context, searcher, [pool[i] for i in wanted], row_of, judged)


def _rankings(
    context: StepContext, searcher: Searcher, images: DataFrame, judged: Judgements, row_of: dict[str, int]
) -> dict[str, dict[str, list[str]]]:
    settings = context.settings
    measured = measured_images(images, judged, seed=settings.evaluation.seed, limit=settings.evaluation.max_catalogue)
    ids, compared = encode_each(pictures_of(context.lake, measured), {"raw pixels (grey, 32 × 32)": pixel_vectors})
    backbone, features = _backbone_features(context, searcher.manifest, measured)
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
        "published index": _published_rankings(searcher, queries, row_of),
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


def _published_rankings(searcher: Searcher, queries: list[str], row_of: dict[str, int]) -> dict[str, list[str]]:
    vectors = searcher.vectors(np.array([row_of[query] for query in queries]))
    hits = searcher.search(vectors, min(DEPTH + 1, len(searcher.visible_ids())))
    ids = searcher.rows["image_id"]
    return {
        query: [found for row in hits.ids[i] if row >= 0 and (found := ids[int(row)].as_py()) != query][:DEPTH]
        for i, query in enumerate(queries)
    }


def _page_queries(
    context: StepContext, searcher: Searcher, queries: list[str], row_of: dict[str, int], judged: Judgements
) -> list[Query]:
    rows = np.array([row_of[query] for query in queries])
    hits = searcher.search(searcher.vectors(rows), min(SHOWN + 1, len(searcher.visible_ids())))
    answers = {
        query: [(int(row), float(score)) for row, score in zip(hits.ids[i], hits.scores[i], strict=True) if row >= 0]
        for i, query in enumerate(queries)
    }
    shown = {row for found in answers.values() for row, _ in found} | {int(row) for row in rows}
    facts = {row: searcher.describe(np.array([row]))[0] for row in shown}
    jpegs = stored_jpegs(context.lake, [fact["image_id"] for fact in facts.values()])
    page = []
    for query, row in zip(queries, rows, strict=True):
        tags = set(facts[int(row)]["tags"])
        listed = [
            _answer(facts[found], jpegs, score, judged.get(query), tags)
            for found, score in answers[query]
            if found != row
        ]
        page.append(Query(query, jpegs[query], ", ".join(facts[int(row)]["tags"]), listed[:SHOWN]))
    return page


def _answer(
    fact: dict[str, Any], jpegs: dict[str, bytes], score: float, scores: Mapping[str, int] | None, query_tags: set[str]
) -> Answer:
    """An answer is right by its score, or if nobody scored the query, by a shared tag; None if there are no tags."""
    image = fact["image_id"]
    if scores is not None:
        grade = scores.get(image, 0)
        return Answer(image, jpegs[image], score, f"score {grade}", grade >= RELEVANT_FROM)
    right = bool(query_tags & set(fact["tags"])) if query_tags else None
    return Answer(image, jpegs[image], score, ", ".join(fact["tags"]), right)


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


def _tables(figures: list[Figure]) -> list[Table]:
    value = {(figure.metric, figure.slice): figure.value for figure in figures}
    facts = [
        ("index rows", f"{value['index_rows', 'all']:,.0f}"),
        ("bytes a vector, code and row id", f"{value['index_bytes_per_vector', 'all']:.0f}"),
        *(
            (f"recall@10 against exact, {s}", f"{v:.3f}")
            for (metric, s), v in value.items()
            if metric == "recall_at_10"
        ),
        *(
            (
                f"cosine of {pair}, median (5 %, 95 %)",
                f"{v:.2f} ({value['cosine_p05', pair]:.2f}, {value['cosine_p95', pair]:.2f})",
            )
            for (metric, pair), v in value.items()
            if metric == "cosine_median"
        ),
    ]
    ranked = {(figure.metric, figure.subject): figure.value for figure in figures}
    rankings = [
        (name, *(f"{ranked[metric, name]:.3f}" for metric in RANKING_FIGURES))
        for metric, name in ranked
        if metric == "ndcg_at_10"
    ]
    queries = value.get(("judged_queries", "all"), 0)
    judged = [Table((f"{queries:.0f} judged queries, none seen in training", "nDCG@10", "MRR", "mAP"), rankings)]
    return [Table(("index", ""), facts), *(judged if rankings else [])]
