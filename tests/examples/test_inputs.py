"""Equal inputs have equal names, every other input has another one, and names sort by the time of the inputs."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.support.photo_catalogue import Catalogue
from tests.support.small_model import SMALL
from vsearch_lib.config import load_settings
from vsearch_lib.erasure.erase import erase
from vsearch_lib.examples.inputs import current_inputs, made_from, negative_sets, snapshot_name


@pytest.fixture
def name(spark, settings, jpegs):
    catalogue = Catalogue(spark, settings)
    catalogue.land(jpegs)

    def of(*overrides: str) -> str:
        chosen = load_settings("demo", [f"var={settings.var}", *SMALL, *overrides])
        inputs = current_inputs(catalogue.lake, chosen)
        return snapshot_name(inputs, made_from(inputs, chosen))

    return catalogue, of


def test_the_name_changes_with_every_table_and_setting_that_the_snapshot_is_made_from(name, jpegs):
    catalogue, of = name
    names = [of()]
    assert of() == names[0]
    assert of("training.learning_rate=0.5", "index.shards=3") == names[0]
    for chosen in ("examples.candidates_seed=5", "examples.mix.click=2", "clicks.days=3"):
        names.append(of(chosen))
    names.append(of("examples.negatives.drawn_per=epoch", "examples.candidates=2"))
    erase(catalogue.lake, "user", "unknown-user")
    names.append(of())
    catalogue.land({"newcomer": jpegs["image-00"]})
    names.append(of())
    assert len(set(names)) == len(names)


def test_the_name_begins_with_the_time_of_the_newest_input(name):
    catalogue, of = name
    made = datetime.strptime(of().split("-")[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert made == max(catalogue.lake.committed_at(table) for table in ("images", "image_pixels")).replace(
        microsecond=0
    )


@pytest.mark.parametrize(
    ("chosen", "sets"),
    [
        ((), 1),
        (("examples.negatives.drawn_per=epoch", "examples.candidates=2", "training.epochs=4"), 4),
        (("examples.negatives.drawn_per=epoch", "examples.candidates=1", "training.epochs=4"), 1),
    ],
)
def test_there_is_a_set_of_negatives_for_each_epoch_if_there_are_negatives(chosen, sets):
    assert negative_sets(load_settings("demo", chosen)) == sets
