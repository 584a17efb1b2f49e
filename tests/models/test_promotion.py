"""Which model the runs use, and the commands that show and change it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.small_model import SMALL, small_graph
from vsearch_lib.config import Settings
from vsearch_lib.encoder.network import untrained
from vsearch_lib.errors import ArtefactError
from vsearch_lib.models.promotion import (
    current_model,
    known_at_promotion,
    pin_current_model,
    promote,
    version_in_use,
)
from vsearch_lib.models.registration import register
from vsearch_lib.models.registry import Card, Recipe, read_card, recipe_of
from vsearch_lib.publishing.publication import publish
from vsearch_lib.storage import open_store

NOW = datetime(2026, 3, 1, tzinfo=UTC)
OTHER = Recipe("small", "none", 16, 64, "full")


def put(settings: Settings, version: str, recipe: Recipe | None = None) -> Card:
    recipe = recipe or recipe_of(settings)
    encoder = untrained(recipe.backbone, dimension=recipe.dimension, seed=1, side=recipe.input_size)
    graph = small_graph(seed=1, side=recipe.input_size)
    return register(
        settings.models.uri,
        encoder,
        version=version,
        recipe=recipe,
        run_id="run",
        training_snapshot="s1",
        graph=graph,
    )


def pointer(settings: Settings) -> Path:
    return Path(settings.models.uri) / "in_use.json"


def old_pointer(settings: Settings, recipe: Recipe, content: dict[str, str]) -> None:
    """Write the pointer of an older release, which had one file for each recipe."""
    name = hashlib.sha256(json.dumps(asdict(recipe), sort_keys=True).encode()).hexdigest()[:16]
    file = Path(settings.models.uri) / "promoted" / f"{name}.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(content))


def serve(settings: Settings, small_index, version: str) -> None:
    """Publish an index whose vectors are of that model version."""
    manifest = small_index.build(settings.index.uri, small_index.catalogue(rows=60))
    manifest = replace(manifest, model=replace(manifest.model, version=version))
    publish(open_store(settings.index.uri), manifest, now=NOW)


def test_without_a_model_the_error_says_which_step_makes_one(settings):
    with pytest.raises(ArtefactError, match="run train_encoder"):
        current_model(settings)


def test_before_any_promotion_the_newest_model_of_the_recipe_is_in_use(settings):
    put(settings, "20260301T000000Z-a")
    put(settings, "20260302T000000Z-b", OTHER)
    assert current_model(settings).version == "20260301T000000Z-a"


def test_the_version_in_use_is_known_even_if_its_card_is_gone(settings):
    assert version_in_use(settings) is None
    put(settings, "a")
    assert version_in_use(settings) == "a"
    promote(settings.models.uri, put(settings, "b"), run_id="run", now=NOW)
    (Path(settings.models.uri) / "b" / "card.json").unlink()
    assert version_in_use(settings) == "b"


def test_a_model_in_use_stays_in_use_when_others_are_trained(settings):
    put(settings, "a")
    pin_current_model(settings, run_id="run", now=NOW)
    put(settings, "b")
    pin_current_model(settings, run_id="run", now=NOW)
    put(settings, "c")
    assert current_model(settings).version == "a"


def test_before_the_first_model_no_model_is_pinned(settings):
    pin_current_model(settings, run_id="run", now=NOW)
    put(settings, "a")
    assert current_model(settings).version == "a"


def test_a_promoted_model_is_in_use_and_an_earlier_one_can_be_promoted_again(settings):
    a, b = put(settings, "a"), put(settings, "b")
    for card in (a, b, a):
        promote(settings.models.uri, card, run_id="run", now=NOW)
        assert current_model(settings) == card


def test_a_promoted_model_is_in_use_whatever_recipe_is_configured(settings):
    put(settings, "a")
    promote(settings.models.uri, put(settings, "b", OTHER), run_id="run", now=NOW)
    put(settings, "c")
    assert current_model(settings).version == "b"


def test_the_model_of_the_published_index_stays_in_use_after_a_change_of_recipe(settings, small_index):
    put(settings, "a", OTHER)
    serve(settings, small_index, "a")
    assert current_model(settings).version == "a"
    pin_current_model(settings, run_id="run", now=NOW)
    put(settings, "b")
    assert current_model(settings).version == "a"


def test_an_index_of_a_missing_model_does_not_decide_the_model_in_use(settings, small_index):
    serve(settings, small_index, "gone")
    put(settings, "a")
    assert current_model(settings).version == "a"


def test_a_model_promoted_by_an_older_release_is_in_use_until_another_is_promoted(settings):
    for version in ("a", "b"):
        put(settings, version)
    old_pointer(settings, recipe_of(settings), {"version": "a", "promoted_at": NOW.isoformat()})
    assert current_model(settings).version == "a"
    promote(settings.models.uri, put(settings, "c"), run_id="run", now=NOW)
    assert current_model(settings).version == "c"


def test_a_model_is_known_at_promotion_if_it_was_made_before(settings):
    earlier, later = put(settings, "20260228T235959Z-a"), put(settings, "20260301T000000Z-b")
    assert not known_at_promotion(settings, earlier)
    promote(settings.models.uri, later, run_id="run", now=NOW)
    assert known_at_promotion(settings, earlier)
    assert not known_at_promotion(settings, put(settings, "20260301T000001Z-c"))


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"version'])
def test_an_invalid_pointer_to_a_model_is_named(settings, content):
    promote(settings.models.uri, put(settings, "a"), run_id="run", now=NOW)
    pointer(settings).write_text(content)
    with pytest.raises(ArtefactError, match=r"in_use\.json does not name a model: vsearch models promote"):
        current_model(settings)


def test_a_pointer_to_a_missing_model_is_refused(settings):
    promote(settings.models.uri, put(settings, "a"), run_id="run", now=NOW)
    (Path(settings.models.uri) / "a" / "card.json").unlink()
    with pytest.raises(ArtefactError, match=r"a/card\.json"):
        current_model(settings)


def test_the_list_marks_the_model_in_use_and_promotion_moves_the_mark(settings, vsearch):
    for version in ("a", "b"):
        put(settings, version)
    put(settings, "backbone", replace(OTHER, dimension=None))
    assert OTHER.dimension == put(settings, "c", OTHER).dimension == 16
    facts = f"small, {read_card(open_store(settings.models.uri), 'a').dimension} dimensions, trained on s1"
    other = "small, 16 dimensions, trained on s1"
    for version, marks in {"a": "  *", "c": "*  "}.items():
        assert vsearch("models", "promote", version) == (
            0,
            f"{version} is in use from now on: vsearch run refresh_index embeds with it and publishes its index\n",
            "",
        )
        lines = f"{marks[0]} c  {other}\n{marks[1]} b  {facts}\n{marks[2]} a  {facts}\n"
        assert vsearch("models", "list") == (0, lines, "")


def test_the_list_says_how_many_pictures_a_projection_was_fitted_to(settings, vsearch):
    recipe = recipe_of(settings)
    encoder = untrained(recipe.backbone, dimension=recipe.dimension, seed=1)
    training = {"pictures": 1518, "variance_kept": 0.81}
    register(settings.models.uri, encoder, version="a", recipe=recipe, run_id="run", training=training)
    line = f"* a  small, {recipe.dimension} dimensions, not trained, projection fitted to 1518 pictures\n"
    assert vsearch("models", "list") == (0, line, "")


def test_a_model_that_cannot_be_promoted_is_an_error_of_one_line(settings, vsearch):
    put(settings, "a")
    put(settings, "backbone", replace(OTHER, dimension=None))
    for version in ("backbone", "../a"):
        code, out, err = vsearch("models", "promote", version)
        assert (code, out) == (2, "")
        assert err == (f"vsearch: {settings.models.uri} has no model {version}; it has a\n")
    (Path(settings.models.uri) / "a" / "graph.bin").write_bytes(b"other")
    code, _, err = vsearch("models", "promote", "a")
    assert code == 1
    assert err.count("\n") == 1
    assert "is not what its card says" in err
    assert not pointer(settings).exists()


@pytest.fixture
def vsearch(settings, capsys, monkeypatch):
    """A function that runs the command line on the test's folder; it returns exit code, output and errors."""
    from vsearch_lib.cli import command_line as cli

    def run(*arguments: str) -> tuple[int, str, str]:
        command = ["vsearch", *arguments, "--env", "demo"]
        command += [f"--set={setting}" for setting in (f"var={settings.var}", *SMALL)]
        monkeypatch.setattr("sys.argv", command)
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        return int(ended.value.code), printed.out, printed.err

    return run
