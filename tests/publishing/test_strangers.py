"""The similarity of strangers is measured on different images of different owners, with a seed and a bounded sample."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vsearch_lib.artefact.strangers import SHARES
from vsearch_lib.publishing import strangers
from vsearch_lib.publishing.strangers import measure_strangers
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.storage import open_store

NO_CACHE = Path("unused")  # files of a local folder are opened in place


def opened(small_index, uri: Path, content) -> Searcher:
    return Searcher(open_store(str(uri)), small_index.build(uri, content, factory="IVF1,Flat"), cache=NO_CACHE)


def test_quantiles_are_those_of_all_pairs_of_different_owners_and_hashes(small_index, tmp_path):
    base = small_index.catalogue()  # the owner of row i is i % 5
    hashes = [f"{row // 2:016x}" for row in range(600)]
    content = small_index.Catalogue(base.ids, base.vectors, base.visibility, base.moderation, hashes)
    searcher = opened(small_index, tmp_path, content)
    visible = np.flatnonzero(small_index.visible(content))
    cosines = [
        float(content.vectors[a] @ content.vectors[b])
        for i, a in enumerate(visible)
        for b in visible[:i]
        if a % 5 != b % 5 and a // 2 != b // 2
    ]
    measured = measure_strangers(searcher, seed=1)
    assert (measured.rows, measured.pairs) == (len(visible), len(cosines))
    assert tuple(measured.quantiles) == SHARES
    assert list(measured.quantiles.values()) == pytest.approx(np.quantile(cosines, SHARES).tolist(), abs=2e-5)


def test_a_sample_is_bounded_chosen_by_the_seed_and_near_the_whole(small_index, tmp_path, monkeypatch):
    searcher = opened(small_index, tmp_path, small_index.catalogue())
    whole = measure_strangers(searcher, seed=1)
    monkeypatch.setattr(strangers, "_ROWS", 300)
    first, again, other = (measure_strangers(searcher, seed=seed) for seed in (1, 1, 2))
    assert first.rows == 300
    assert first == again != other
    assert first.quantiles[0.9] == pytest.approx(whole.quantiles[0.9], abs=0.05)


def test_in_a_catalogue_of_one_owner_all_different_images_are_strangers(small_index, tmp_path, monkeypatch):
    monkeypatch.setattr(strangers, "_MIN_PAIRS", 3)
    base = small_index.chosen(small_index.catalogue(), [0, 5, 10, 15])
    content = small_index.Catalogue(base.ids, base.vectors, ["public"] * 4, ["ok"] * 4)
    searcher = opened(small_index, tmp_path, content)
    owners = searcher.rows.schema.get_field_index("owner_id")
    one_owner = searcher.rows["owner_id"].combine_chunks().take([0] * 4)
    searcher.rows = searcher.rows.set_column(owners, "owner_id", one_owner)
    assert measure_strangers(searcher, seed=1).pairs == 6


@pytest.mark.parametrize("rows", [3, 100])
def test_too_few_pairs_are_not_measured(small_index, tmp_path, rows):
    content = small_index.catalogue(rows=rows)
    assert measure_strangers(opened(small_index, tmp_path, content), seed=1) is None


def test_an_index_without_visible_rows_is_not_measured(small_index, tmp_path):
    base = small_index.catalogue(rows=20)
    content = small_index.Catalogue(base.ids, base.vectors, ["private"] * 20, ["ok"] * 20)
    assert measure_strangers(opened(small_index, tmp_path, content), seed=1) is None
