"""The users of a demo catalogue: who they are, where they live, and what they like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vsearch_lib.demo.factors import PALETTES, SHAPES

IMAGES_PER_OWNER = 25

_NAMES = (
    "ada", "amir", "anouk", "bela", "carla", "chidi", "dario", "elif", "emil", "fatou", "greta", "hugo", "ines",
    "jun", "kaya", "lena", "luis", "mei", "noor", "omar", "petra", "quinn", "rosa", "tariq", "uma", "vera", "yuki",
)  # fmt: skip
_HOBBIES = (
    "bakes",
    "builds",
    "climbs",
    "collects",
    "crafts",
    "draws",
    "gardens",
    "knits",
    "paints",
    "reads",
    "sews",
    "travels",
)
_GENDERS, _GENDER_SHARES = ("female", "male", "nonbinary", "undisclosed"), (0.47, 0.41, 0.05, 0.07)

#: City, country code, latitude and longitude in degrees.
_CITIES = (
    ("Lisbon", "PT", 38.72, -9.14),
    ("Berlin", "DE", 52.52, 13.40),
    ("Copenhagen", "DK", 55.68, 12.57),
    ("Lyon", "FR", 45.76, 4.84),
    ("Kyoto", "JP", 35.01, 135.77),
    ("Nairobi", "KE", -1.29, 36.82),
    ("Montreal", "CA", 45.50, -73.57),
    ("Austin", "US", 30.27, -97.74),
    ("Bogota", "CO", 4.71, -74.07),
    ("Melbourne", "AU", -37.81, 144.96),
    ("Istanbul", "TR", 41.01, 28.98),
    ("Pune", "IN", 18.52, 73.86),
)


@dataclass(frozen=True)
class Users:
    """The users of a catalogue. Arrays are one row a user, in the order of `rows`.

    rows: landing rows. homes: latitude and longitude in degrees, (users, 2).
    likes_shape, likes_palette: whether a user favours each value, (users, shapes) and (users, palettes).
    """

    rows: list[dict[str, object]]
    homes: npt.NDArray[np.float64]
    likes_shape: npt.NDArray[np.bool_]
    likes_palette: npt.NDArray[np.bool_]

    def taste_for(self, design: npt.NDArray[np.int8]) -> npt.NDArray[np.float64]:
        """Probability that each user owns a picture of a design (code row): shape (users,), sum 1."""
        shape, _, palette, _ = design
        weights = 1.0 + 6.0 * self.likes_shape[:, shape] + 6.0 * self.likes_palette[:, palette]
        return np.asarray(weights / weights.sum())


def _favourites(rng: np.random.Generator, users: int, values: int, count: int) -> npt.NDArray[np.bool_]:
    return rng.random((users, values)).argsort(axis=1) < count


def invent_users(rng: np.random.Generator, *, images: int) -> Users:
    """Invent the users of a catalogue of this many images; each user may own some of them."""
    count = max(3, images // IMAGES_PER_OWNER)
    rows: list[dict[str, object]] = []
    homes = np.empty((count, 2))
    for number in range(count):
        # The number keeps usernames unique however many users there are.
        username = f"{_NAMES[rng.integers(len(_NAMES))]}_{_HOBBIES[rng.integers(len(_HOBBIES))]}{number}"
        city, country, latitude, longitude = _CITIES[rng.integers(len(_CITIES))]
        homes[number] = latitude, longitude
        rows.append(
            {
                "user_id": f"user-{number:05d}",
                "username": username,
                "age": int(np.clip(rng.normal(36, 12), 18, 84)),
                "email": f"{username}@example.com",
                "gender": str(rng.choice(_GENDERS, p=_GENDER_SHARES)),
                "city": city,
                "country": country,
            }
        )
    return Users(rows, homes, _favourites(rng, count, len(SHAPES), 3), _favourites(rng, count, len(PALETTES), 2))
