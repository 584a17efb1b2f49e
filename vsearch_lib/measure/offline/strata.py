"""Judged queries as people ask them: a part of a picture, or a picture that shows two things.

Nobody scored such queries. An answer to a part has the score that it has for the whole picture. An answer to two
pictures in one scene has the higher one of its two scores: it is right if it is like either of the two things.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps

from vsearch_lib.context import StepContext
from vsearch_lib.images.decode import Limits
from vsearch_lib.lake.pictures import stored_jpegs
from vsearch_lib.measure.offline.ranking import DEPTH, Judgements
from vsearch_lib.models.load import load_model
from vsearch_lib.publishing.crops import crops_of
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.vectors import Vectors

CROP, TWO_OBJECTS = "crop", "two objects"
_GROUND = (128, 128, 128)


@dataclass(frozen=True)
class Asked:
    """Queries of one kind.

    Attributes:
        judged: query (n) → image → score.
        vectors: (n, d), in the same order.
        shown: the images (n) that each query shows, which are left out of its answers.
    """

    judged: Judgements
    vectors: Vectors
    shown: Sequence[frozenset[str]]

    def rankings(
        self, searcher: Searcher, *, nprobe: int | None = None, shortlist: int | None = None
    ) -> dict[str, list[str]]:
        """Return the ids of the first `DEPTH` answers of an index to each query, at an operating point if given."""
        if not self.judged:
            return {}
        most = max(map(len, self.shown))
        depth = min(DEPTH + most, len(searcher.visible_ids()))
        hits = searcher.search(self.vectors, depth, nprobe=nprobe, shortlist=shortlist)
        ids = searcher.rows["image_id"]
        found = {}
        for query, rows, shown in zip(self.judged, hits.ids, self.shown, strict=True):
            answers = (ids[int(row)].as_py() for row in rows if row >= 0)
            found[query] = [answer for answer in answers if answer not in shown][:DEPTH]
        return found


def whole_pictures(searcher: Searcher, judged: Judgements, row_of: Mapping[str, int]) -> Asked:
    """Return the judged queries as they are: each is an image of the index, by its stored vector."""
    rows = np.array([row_of[query] for query in judged], dtype=np.int64)
    return Asked(judged, searcher.vectors(rows), [frozenset([query]) for query in judged])


def parts_and_scenes(context: StepContext, searcher: Searcher, judged: Judgements) -> dict[str, Asked]:
    """Return the judged queries as crops and as scenes of two, embedded by the model of the index.

    A kind is left out if there is no query of it.
    """
    settings, image = context.settings, context.settings.image
    # A picture that the network cannot embed gets a zero vector, whose answers are wrong.
    limits = Limits(image.max_bytes, image.max_pixels, image.min_side, image.size)
    crops = crops_of(context.lake, list(judged), limits, seed=settings.evaluation.seed)
    pairs = paired_queries(list(judged), seed=settings.evaluation.seed)
    jpegs = stored_jpegs(context.lake, list(judged)) if pairs else {}
    pairs = [(one, other) for one, other in pairs if one in jpegs and other in jpegs]
    embedder = load_model(settings.models.uri, searcher.manifest.model.version).embedder(
        batch_size=settings.embedding.batch_size
    )
    asked = {}
    if crops.jpegs:
        known = {query: judged[query] for query in crops.image_ids}
        asked[CROP] = Asked(known, embedder.try_embed(crops.jpegs).vectors, [frozenset([query]) for query in known])
    if pairs:
        scenes = [scene_of_two(jpegs[one], jpegs[other], image.size) for one, other in pairs]
        asked[TWO_OBJECTS] = Asked(
            {f"{one} + {other}": better_scores(judged[one], judged[other]) for one, other in pairs},
            embedder.try_embed(scenes).vectors,
            [frozenset(pair) for pair in pairs],
        )
    return asked


def paired_queries(queries: Sequence[str], *, seed: int) -> list[tuple[str, str]]:
    """Return each query with another one, in a seeded circle; none if there is only one."""
    if len(queries) < 2:
        return []
    order = [queries[place] for place in np.random.default_rng(seed).permutation(len(queries))]
    return list(zip(order, [*order[1:], order[0]], strict=True))


def better_scores(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    """Return image → the higher one of its two scores."""
    return {image: max(one.get(image, 0), other.get(image, 0)) for image in {**one, **other}}


def scene_of_two(one: bytes, other: bytes, side: int) -> bytes:
    """Return a square JPEG of `side` pixels with the first picture at the top left and the second at the bottom right.

    Each is shrunk into a quarter of the scene, so that a network that sees the centre square sees both.
    """
    scene = Image.new("RGB", (side, side), _GROUND)
    half = side // 2
    for jpeg, corner in ((one, (0, 0)), (other, (half, half))):
        picture = ImageOps.pad(Image.open(io.BytesIO(jpeg)).convert("RGB"), (half, half), color=_GROUND)
        scene.paste(picture, corner)
    content = io.BytesIO()
    scene.save(content, "JPEG", quality=90)
    return content.getvalue()
