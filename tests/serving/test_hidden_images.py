"""Whatever is asked, and by whom: an image is only an answer for one who may see it, and hidden ones leave no trace."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsearch_lib.config import load_settings
from vsearch_lib.errors import UnknownImage
from vsearch_lib.publishing.publication import publish
from vsearch_lib.search.filter import Filter
from vsearch_lib.serving.ask import Ask
from vsearch_lib.serving.search_service import SearchService
from vsearch_lib.storage import open_store

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ROWS = 24

states = st.lists(
    st.tuples(st.sampled_from(["public", "private"]), st.sampled_from(["ok", "blocked", "unreviewed"])),
    min_size=ROWS,
    max_size=ROWS,
)
owners = st.sampled_from([f"owner-{i}" for i in range(5)])
filters = st.builds(
    Filter,
    owner_id=st.none() | owners,
    tags=st.sampled_from([(), ("even",), ("odd",), ("even", "odd")]),
    uploaded_from=st.none() | st.integers(0, ROWS).map(lambda minutes: NOW + timedelta(minutes=minutes)),
    uploaded_before=st.none() | st.integers(0, ROWS).map(lambda minutes: NOW + timedelta(minutes=minutes)),
    viewer_id=st.none() | owners | st.just(""),
)
asks = st.lists(
    st.tuples(
        st.integers(0, ROWS - 1),
        filters,
        st.integers(1, 30),
        st.booleans(),
        st.sampled_from(["similarity", "newest"]),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)


@dataclass(frozen=True)
class Row:
    """The last state of an image, with the facts that the small index gives it by its place in a shard or delta."""

    image_id: str
    place: int
    visibility: str
    moderation: str
    vector: np.ndarray

    def seen_by(self, viewer: str | None) -> bool:
        if self.moderation == "blocked":
            return False
        return self.visibility == "public" or (viewer is not None and viewer == f"owner-{self.place % 5}")

    def meets(self, wanted: Filter) -> bool:
        uploaded = NOW + timedelta(minutes=self.place)
        return (
            self.seen_by(wanted.viewer_id)
            and wanted.owner_id in (None, f"owner-{self.place % 5}")
            and all(tag == ("even" if self.place % 2 == 0 else "odd") for tag in wanted.tags)
            and (wanted.uploaded_from is None or uploaded >= wanted.uploaded_from)
            and (wanted.uploaded_before is None or uploaded < wanted.uploaded_before)
        )


@pytest.fixture(scope="module")
def base(small_index):
    return small_index.catalogue(rows=ROWS, dimension=8)


@settings(deadline=None, max_examples=30)
@given(
    states=states,
    changed=st.lists(st.integers(0, ROWS - 1), unique=True, max_size=6),
    later=states,
    gone=st.lists(st.integers(0, ROWS - 1), unique=True, max_size=3),
    asked=asks,
)
def test_no_asker_gets_or_counts_an_image_that_is_hidden_from_them(
    small_index, base, states, changed, later, gone, asked
):
    def content(rows, of):
        return small_index.Catalogue(
            [base.ids[row] for row in rows],
            base.vectors[rows],
            [of[row][0] for row in rows],
            [of[row][1] for row in rows],
            # Far apart, so that no two images are near-duplicates.
            [hashlib.sha256(base.ids[row].encode()).hexdigest()[:16] for row in rows],
        )

    with tempfile.TemporaryDirectory() as var:
        configured = load_settings("demo", [f"var={var}"])
        uri = configured.index.uri
        first = small_index.build(uri, content(list(range(ROWS)), states), factory="IVF1,Flat", shards=2)
        delta = content(changed, later)
        left = [base.ids[row] for row in gone if row not in changed]
        second = small_index.build_delta(uri, first, delta, version="v2", gone=left)
        for manifest in (first, second):
            publish(open_store(uri), manifest, now=NOW)
        service = SearchService.open(configured)
        rows = {
            base.ids[row]: Row(base.ids[row], row, *states[row], base.vectors[row])
            for row in range(ROWS)
            if row not in gone
        }
        rows |= {base.ids[row]: Row(base.ids[row], i, *later[row], base.vectors[row]) for i, row in enumerate(changed)}
        for row, wanted, k, copies, sort, by_example in asked:
            image_id, viewer = base.ids[row], wanted.viewer_id
            named = {"like": (image_id,)} if by_example else {"image_id": image_id}
            ask = Ask(k=k, wanted=wanted, copies=copies, sort=sort, **named)
            query = rows.get(image_id)
            assert service.facts([image_id], viewer).keys() == (
                {image_id} if query and query.seen_by(viewer) else set()
            )
            if query is None or not query.seen_by(viewer):
                with pytest.raises(UnknownImage):
                    service.search(ask)
                continue
            found = service.search(ask)
            matching = [one for one in rows.values() if one.meets(wanted) and (copies or one.image_id != image_id)]
            best = sorted((float(one.vector @ query.vector) for one in matching), reverse=True)[:k]
            # Exactly as many, and as similar, as if the hidden images were not there.
            assert sorted((a.cosine for a in found.answers), reverse=True) == pytest.approx(best, abs=1e-4)
            assert {a.image_id for a in found.answers} <= {one.image_id for one in matching}
            hidden = [name for name in base.ids if name not in rows or not rows[name].seen_by(viewer)]
            assert not any(name in (found.note or "") for name in hidden)
        assert set(service.random_ids(ROWS)) == {one.image_id for one in rows.values() if one.seen_by(None)}
