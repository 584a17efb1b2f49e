"""Measures how often the drift checks alert on nights of clothing photos: if nothing has changed, and after shifts.

    .venv/bin/uv pip install --target EVIDENTLY evidently==0.7.23 pandas==2.2.3 numpy==1.26.4
    .venv/bin/python benchmarks/drift.py ../shared/data/clothing EVIDENTLY

EVIDENTLY is a folder outside the repository: Evidently brings libraries that the project does not use. It judges the
same nights, in a process of its own (`drift_evidently.py`); without the folder it is left out. Features are those of
EfficientNet-Lite0 with its packaged weights; they are stored in `var/drift/`, and can be deleted at any time.

A night has 1,000 photos, drawn at random; the other photos are the weeks before it. Shifts: 30 % of its photos have
30 % less light; the share of a class doubles; another model embeds its photos. A last kind has no shift, but its photos
are all photos of some owners, who have photographed alike pieces.
"""

import csv
import io
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.stats import binomtest, ks_2samp

from vsearch_lib.config import load_settings
from vsearch_lib.embedding.features import features_recipe
from vsearch_lib.encoder.embed import Embedder
from vsearch_lib.encoder.projection import fit_pca
from vsearch_lib.images.decode import Limits, normalise
from vsearch_lib.measure.monitoring.drift import Sample, drift_checks
from vsearch_lib.models.registration import to_graph
from vsearch_lib.models.registry import recipe_of
from vsearch_lib.models.weights import initial_encoder
from vsearch_lib.vectors import Vectors

SETTINGS = load_settings("local")
LIGHT = 0.7  # of a darker photo
CACHE = Path("var/drift")
NEW = 1000  # photos of a night
NULL_NIGHTS, SHIFTED_NIGHTS = 600, 75
RATES = (SETTINGS.monitoring.false_alarm_rate, 0.05)
PLAIN, DARK, OTHER_MODEL = range(3)  # versions of a photo


@dataclass(frozen=True)
class Photos:
    """Photos as ingestion and the encoder see them, a row each."""

    brightness: NDArray[np.float64]
    sharpness: NDArray[np.float64]
    features: Vectors


def measured(clothing: Path, files: list[str], name: str, *, light: float) -> Photos:
    """Return the photos in `light` times the light; they are measured once and stored in `CACHE`."""
    stored = CACHE / f"{name}.npz"
    if not stored.exists():
        image = SETTINGS.image
        limits = Limits(image.max_bytes, image.max_pixels, image.min_side, image.size)
        encoder = initial_encoder(features_recipe(recipe_of(SETTINGS)), SETTINGS.model.weights, seed=1)
        embedder = Embedder(to_graph(encoder), encoder.preprocessing, batch_size=4)
        parts, facts = [], []
        for start in range(0, len(files), 64):
            pictures = [normalise(_lit(clothing / file, light), limits) for file in files[start : start + 64]]
            parts.append(embedder.embed([picture.jpeg for picture in pictures]))
            facts += [(picture.brightness, picture.sharpness) for picture in pictures]
        brightness, sharpness = np.array(facts).T
        CACHE.mkdir(parents=True, exist_ok=True)
        np.savez(stored, brightness=brightness, sharpness=sharpness, features=np.concatenate(parts))
    with np.load(stored) as arrays:
        return Photos(**{column: arrays[column] for column in ("brightness", "sharpness", "features")})


def _lit(file: Path, light: float) -> bytes:
    if light == 1:
        return file.read_bytes()
    picture = Image.open(file).convert("RGB").point(lambda value: round(value * light))
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=95)
    return content.getvalue()


@dataclass(frozen=True)
class Night:
    """Photos, each in one version, and which of them are new; (n) each."""

    photos: NDArray[np.int64]
    versions: NDArray[np.int64]
    is_new: NDArray[np.bool_]


@dataclass(frozen=True)
class Catalogue:
    """What is known of every photo in every version: (versions, photos), and vectors with a third axis."""

    brightness: NDArray[np.float64]
    sharpness: NDArray[np.float64]
    nearest: NDArray[np.float64]
    vectors: Vectors
    labels: NDArray[np.str_]
    owners: NDArray[np.str_]

    def sample(self, night: Night, units: NDArray[np.str_]) -> Sample:
        """Return a night as the step sees it; rows of a unit are permuted together."""
        where = (night.versions, night.photos)
        return Sample(
            night.is_new,
            units,
            numbers={name: getattr(self, name)[where] for name in ("brightness", "sharpness", "nearest")},
            words={"tags": [[label] for label in self.labels[night.photos]]},
            vectors={"vectors": self.vectors[where]},
        )


def catalogue_of(clothing: Path) -> Catalogue:
    """Return the photos, plain and darker, embedded by one model, and plain ones by another model of the same recipe.

    The two models differ only in their projection: each is fitted to other halves of the photos.
    """
    with (clothing / "metadata.csv").open() as file:
        rows = list(csv.DictReader(file))
    files = [row["file"] for row in rows]
    plain, dark = (measured(clothing, files, name, light=light) for name, light in (("plain", 1), ("dark", LIGHT)))
    half = np.random.default_rng(1).random(len(files)) < 0.5
    own, other = (fit_pca(plain.features[part], dimension=128, seed=1)[0] for part in (half, ~half))
    vectors = np.stack([own.apply(plain.features), own.apply(dark.features), other.apply(plain.features)])
    vectors /= np.linalg.norm(vectors, axis=2, keepdims=True)
    print(f"cosine of a photo's vectors by the two models: {(vectors[0] * vectors[2]).sum(axis=1).mean():.2f}")
    nearest = []
    for version in vectors:  # of each, its nearest other photo in the index
        cosines = version @ vectors[PLAIN].T
        np.fill_diagonal(cosines, -1)
        nearest.append(cosines.max(axis=1))
    return Catalogue(
        np.stack([plain.brightness, dark.brightness, plain.brightness]),
        np.stack([plain.sharpness, dark.sharpness, plain.sharpness]),
        np.stack(nearest).astype(np.float64),
        vectors.astype(np.float32),
        np.array([row["label"] for row in rows]),
        np.array([row["owner_id"] for row in rows]),
    )


def night_of(new: NDArray[np.int64], earlier: NDArray[np.int64], versions: NDArray[np.int64] | int = PLAIN) -> Night:
    photos = np.concatenate([new, earlier])
    of_all = np.full(len(photos), PLAIN)
    of_all[: len(new)] = versions
    return Night(photos, of_all, np.arange(len(photos)) < len(new))


def unshifted(catalogue: Catalogue, rng: np.random.Generator) -> Night:
    order = rng.permutation(len(catalogue.labels))
    return night_of(order[:NEW], order[NEW:])


def darker(catalogue: Catalogue, rng: np.random.Generator) -> Night:
    order = rng.permutation(len(catalogue.labels))
    return night_of(order[:NEW], order[NEW:], np.where(np.arange(NEW) < 0.3 * NEW, DARK, PLAIN))


def other_model(catalogue: Catalogue, rng: np.random.Generator) -> Night:
    order = rng.permutation(len(catalogue.labels))
    return night_of(order[:NEW], order[NEW:], OTHER_MODEL)


def doubled(label: str) -> Callable[[Catalogue, np.random.Generator], Night]:
    """Return nights with twice the share of a class; the weeks before have the class as often as the catalogue has."""

    def night(catalogue: Catalogue, rng: np.random.Generator) -> Night:
        of_class = rng.permutation(np.flatnonzero(catalogue.labels == label))
        others = rng.permutation(np.flatnonzero(catalogue.labels != label))
        share = len(of_class) / len(catalogue.labels)
        count = round(2 * share * NEW)
        rest = others[NEW - count :]
        earlier_others = rest[: round((len(of_class) - count) * (1 - share) / share)]
        earlier_of_class = of_class[count:][: round(len(earlier_others) * share / (1 - share))]
        new = np.concatenate([of_class[:count], others[: NEW - count]])
        return night_of(new, np.concatenate([earlier_of_class, earlier_others]))

    return night


def by_owner(catalogue: Catalogue, rng: np.random.Generator) -> Night:
    """Return all photos of owners who are drawn at random, about as many as a night has, and those of the others."""
    owners = rng.permutation(np.unique(catalogue.owners))
    share = NEW / len(catalogue.labels)
    is_new = np.isin(catalogue.owners, owners[: round(share * len(owners))])
    return night_of(np.flatnonzero(is_new), np.flatnonzero(~is_new))


def least_p_values(catalogue: Catalogue, nights: list[Night], *, together: bool = False) -> NDArray[np.float64]:
    """Return the least adjusted p-value of each night; `together` permutes the photos of an owner together."""
    chosen = SETTINGS.monitoring
    least = []
    for number, night in enumerate(nights):
        units = catalogue.owners[night.photos] if together else night.photos.astype(str)
        checks = drift_checks(
            {"uploads": catalogue.sample(night, units)},
            false_alarm_rate=chosen.false_alarm_rate,
            permutations=chosen.permutations,
            seed=number,
        )
        least.append(min(figure.value for check in checks for figure in check.figures if "p_value" in figure.metric))
    return np.array(least)


def kolmogorov_smirnov(catalogue: Catalogue, night: Night) -> float:
    """Return the least p-value, by Bonferroni, of scipy's test of every number; it has none of tags or vectors."""
    sample = catalogue.sample(night, night.photos.astype(str))
    tests = [ks_2samp(values[night.is_new], values[~night.is_new]).pvalue for values in sample.numbers.values()]
    return min(1.0, len(tests) * min(tests))


def share(alarms: int, nights: int) -> str:
    interval = binomtest(alarms, nights).proportion_ci(method="exact")
    return f"{alarms} of {nights}, {alarms / nights:.1%} ({interval.low:.1%} to {interval.high:.1%})"


def kinds_of_nights(labels: NDArray[np.str_]) -> Iterator[tuple[str, int, Callable[..., Night]]]:
    names, counts = np.unique(labels, return_counts=True)
    by_size = names[np.argsort(counts)]
    yield "unshifted", NULL_NIGHTS, unshifted
    yield "30 % of the photos darker", SHIFTED_NIGHTS, darker
    for label in (by_size[-1], by_size[len(by_size) // 2], by_size[0]):
        yield f"class doubled: {label}, {np.mean(labels == label):.1%}", SHIFTED_NIGHTS, doubled(label)
    yield "another model embeds", SHIFTED_NIGHTS, other_model


def main(clothing: str, evidently: str | None = None) -> None:
    """Print for each kind of night how many raise an alert, with the exact interval, and what others say of them."""
    catalogue = catalogue_of(Path(clothing))
    kinds = {
        name: [make(catalogue, np.random.default_rng((17, night))) for night in range(count)]
        for name, count, make in kinds_of_nights(catalogue.labels)
    }
    others = judged_by_evidently(catalogue, kinds, evidently) if evidently else None
    try:
        print_our_verdicts(catalogue, kinds)
    except BaseException:
        if others:
            others.terminate()
        raise
    if others and others.wait():
        sys.exit("Evidently failed")


def print_our_verdicts(catalogue: Catalogue, kinds: dict[str, list[Night]]) -> None:
    """Print the alerts of each kind of night, and those of nights of whole owners."""
    for name, nights in kinds.items():
        began = time.perf_counter()
        least = least_p_values(catalogue, nights)
        seconds = (time.perf_counter() - began) / len(nights)
        for rate in RATES:
            print(f"{name}, rate {rate:g}: {share(int((least <= rate).sum()), len(nights))}, {seconds:.2f} s a night")
        by_scipy = np.array([kolmogorov_smirnov(catalogue, night) for night in nights])
        print(
            f"  scipy's KS, Bonferroni, {RATES[0]:g}: {share(int((by_scipy <= RATES[0]).sum()), len(nights))}",
            flush=True,
        )
    nights = [by_owner(catalogue, np.random.default_rng((18, night))) for night in range(SHIFTED_NIGHTS)]
    for name, together in (("together", True), ("one by one", False)):
        alarms = int((least_p_values(catalogue, nights, together=together) <= RATES[0]).sum())
        print(f"owners, permuted {name}, rate {RATES[0]:g}: {share(alarms, len(nights))}", flush=True)


def judged_by_evidently(catalogue: Catalogue, kinds: dict[str, list[Night]], folder: str) -> subprocess.Popen[bytes]:
    """Write the nights to a file, and let the other script print meanwhile what Evidently says of them."""
    nights = {
        f"{name}|{number}|{part}": getattr(night, part)
        for name, every in kinds.items()
        for number, night in enumerate(every)
        for part in ("photos", "versions", "is_new")
    }
    numbers = {name: getattr(catalogue, name) for name in ("brightness", "sharpness", "nearest")}
    np.savez(CACHE / "nights.npz", **nights)
    np.savez(CACHE / "catalogue.npz", labels=catalogue.labels, vectors=catalogue.vectors, **numbers)
    script = Path(__file__).with_name("drift_evidently.py")
    # Without the variable it waits minutes for a server that counts its users.
    environment = {**os.environ, "PYTHONPATH": folder, "DO_NOT_TRACK": "1"}
    return subprocess.Popen([sys.executable, script, CACHE], env=environment)


if __name__ == "__main__":
    main(*sys.argv[1:3])
