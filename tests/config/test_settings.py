"""Settings are typed, bounded, complete, and cannot be changed during a run."""

import pytest
from pydantic import ValidationError

from vsearch_lib.artefact.strangers import SHARES
from vsearch_lib.config import Settings, load_settings


@pytest.fixture(scope="module")
def tree() -> dict:
    return load_settings("demo").model_dump()


def changed(tree: dict, section: str, **values) -> Settings:
    return Settings.model_validate({**tree, section: {**tree[section], **values}})


def test_settings_can_be_read_back_from_their_values(tree):
    assert Settings.model_validate(tree).model_dump() == tree


def test_a_setting_cannot_be_changed_during_a_run(tree):
    with pytest.raises(ValidationError):
        Settings.model_validate(tree).image.size = 7


def test_a_setting_that_no_layer_sets_is_an_error(tree):
    image = {key: value for key, value in tree["image"].items() if key != "size"}
    with pytest.raises(ValidationError, match=r"image\.size"):
        Settings.model_validate({**tree, "image": image})


SOURCES = ("augmentation", "judgement", "click", "cleaned_click", "co_click")


@pytest.mark.parametrize(
    ("part", "values", "error"),
    [
        ("mix", dict.fromkeys(SOURCES, 0.0), "weight above 0"),
        ("mix", {"click": -0.1}, r"mix\.click"),
        ("negatives", {"index_share": 0.6, "same_tag_share": 0.5}, "not be more than 1 together"),
        ("negatives", {"first_rank": 5, "last_rank": 4}, "not be below first_rank"),
        ("negatives", {"drawn_per": "day"}, r"negatives\.drawn_per"),
    ],
)
def test_mixes_and_negatives_that_make_no_sense_are_refused(tree, part, values, error):
    with pytest.raises(ValidationError, match=error):
        changed(tree, "examples", **{part: {**tree["examples"][part], **values}})


def test_an_unknown_setting_is_refused(tree):
    with pytest.raises(ValidationError, match="sise"):
        changed(tree, "image", sise=1)


@pytest.mark.parametrize(
    "factory",
    [
        "auto",
        "IVF16384_HNSW32,PQ32np",
        "IVF64,PQ32x4np",
        "OPQ32_128,IVF2048_HNSW32,PQ32",
        "OPQ8,IVF9,PQ8x4np",
        "IVF8,SQ8",
        "IVF1,Flat",
        "IVF8_HNSW32,RaBitQ",
        "RR,IVF8,RaBitQ4",
    ],
)
def test_factories_of_inverted_lists_are_accepted(tree, factory):
    assert changed(tree, "index", factory=factory).index.factory == factory


@pytest.mark.parametrize(
    "factory",
    [
        "Flat",
        "HNSW32",
        "PQ32",
        "IVF64",
        "IVF64,LSH",
        "automatic",
        "x,IVF64,PQ8",
        "IVF64,PQ",
        "IVF0,Flat",
        "IVF64,PQx4",
        "IVF64,PQ32,RFlat",
        "IVF64,PQ32x4fs",
        "IVF64,PQ32x4fsr",
        "IVF64,RaBitQfs",
    ],
)
def test_other_factories_are_refused(tree, factory):
    with pytest.raises(ValidationError):
        changed(tree, "index", factory=factory)


def test_an_empty_or_padded_factory_is_refused(tree):
    for factory in ("", " ", "IVF64,Flat\n"):
        with pytest.raises(ValidationError):
            changed(tree, "index", factory=factory)


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("image", "size", 31),
        ("image", "size", 2049),
        ("image", "min_side", 0),
        ("quality", "max_refused_share", -0.1),
        ("quality", "max_refused_share", 1.01),
        ("examples", "test_share", 1.0),
        ("examples", "validation_share", 1.0),
        ("examples", "min_grade", 5.1),
        ("examples", "max_spread", -1),
        ("examples", "pairs_per_query", 0),
        ("examples", "retained_snapshots", 0),
        ("clicks", "days", 0),
        ("clicks", "test_days", -1),
        ("clicks", "min_shared_queries", 0),
        ("clicks", "max_class_images", 1),
        ("clicks", "min_boxes", 0),
        ("clicks", "max_weight", 0.9),
        ("clicks", "max_click_share", 0.0),
        ("clicks", "min_dwell_ms", -1),
        ("model", "dimension", 12),
        ("model", "backbone", "a/b"),
        ("training", "batch_size", 1),
        ("training", "epochs", 0),
        ("training", "dropout", 1),
        ("training", "views", -1),
        ("training", "hidden", -1),
        ("training", "weight_decay", -0.1),
        ("training", "patience_epochs", 0),
        ("training", "min_pairs", 0),
        ("training", "max_gradient", 0),
        ("training", "depth", "deep"),
        ("monitoring", "days", 0),
        ("monitoring", "earlier_days", 0),
        ("monitoring", "sample", 1),
        ("monitoring", "false_alarm_rate", 0.0),
        ("monitoring", "false_alarm_rate", 1.0),
        ("monitoring", "max_refused_growth", -0.1),
        ("monitoring", "max_list_imbalance", 0.9),
        ("monitoring", "max_shard_imbalance", 0.9),
        ("monitoring", "live_queries", 0),
        ("monitoring", "min_live_recall", 1.1),
        ("monitoring", "max_index_lag_hours", 0),
        ("monitoring", "max_silent_days", 0),
        ("serving", "near_duplicate_bits", 65),
        ("serving", "near_duplicate_bits", -1),
        ("serving", "near_duplicate_cosine", 1.1),
        ("serving", "strangers_below", 0.97),
        ("serving", "max_per_owner", 0),
        ("serving", "diversity", 1),
        ("serving", "diversity", -0.1),
        ("serving", "max_shortlist", 0),
        ("serving", "rules", []),
        ("serving", "rules", ["near_duplicates", "visible"]),
        ("serving", "rules", ["visible", "newest", "newest"]),
        ("serving", "rules", ["visible", "cheapest"]),
        ("serving", "rules", ["visible", "shop.rules"]),
        ("serving", "rules", ["visible", "shop rules:sale"]),
        ("tracking", "mlflow_uri", "mlruns"),
        ("tracking", "mlflow_uri", ""),
        ("training", "start", "zero"),
        ("training", "teacher", 3),
        ("gate", "min_compared_queries", 0),
        ("gate", "max_neighbour_loss", 1.1),
        ("training", "temperature", 0.0),
        ("training", "processes", 0),
        ("training", "pictures_at_once", 0),
        ("training", "max_minutes", 0),
        ("training", "view_side", 0),
        ("training", "view_strength", 1.1),
        ("training", "view_strength", -0.1),
        ("training", "frozen_layers", -0.1),
        ("training", "frozen_layers", 1),
        ("training", "layer_decay", 0),
        ("training", "layer_decay", 1.1),
        ("training", "objective", "triplet"),
        ("training", "memory_size", 0),
        ("training", "momentum", 1.0),
        ("training", "momentum", -0.1),
        ("training", "neighbours", -1),
        ("training", "keep_frozen", -0.1),
        ("training", "projection_head", -1),
        ("gate", "min_recall_at_10", 1.1),
        ("gate", "queries", 0),
        ("evaluation", "k", [1, 100]),
        ("evaluation", "k", [10, 1]),
        ("evaluation", "k", [10, 10]),
        ("evaluation", "k", [0, 10]),
        ("evaluation", "k", [10, 1001]),
        ("evaluation", "also", ["gini"]),
        ("evaluation", "min_slice_queries", 1),
        ("evaluation", "max_sliced_queries", -1),
        ("reports", "projection", "tsne"),
        ("reports", "map_images", 2),
        ("reports", "page_queries", 0),
        ("index", "shards", 0),
        ("serving", "refresh_seconds", 0),
        ("serving", "max_k", 0),
        ("serving", "max_requests", 0),
        ("serving", "max_connections", 0),
        ("serving", "request_seconds", 0),
        ("serving", "cached_answers", -1),
        ("serving", "cached_thumbnails", -1),
        ("serving", "remembered_answers", 0),
        ("serving", "remembered_minutes", 0),
        ("serving", "feedback_seconds", 0),
        ("serving", "feedback_events", 0),
        ("serving", "embedding_url", "127.0.0.1:8001"),
        ("serving", "neighbours_url", "http://host/path"),
        ("online", "experiment_days", 0),
        ("spark", "driver_memory", "4"),
    ],
)
def test_a_value_out_of_its_range_is_refused(tree, section, key, value):
    with pytest.raises(ValidationError, match=rf"{section}\.{key}"):
        changed(tree, section, **{key: value})


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("image", "size", 32),
        ("quality", "max_refused_share", 0.0),
        ("quality", "max_refused_share", 1.0),
        ("examples", "test_share", 0.0),
        ("examples", "validation_share", 0.0),
        ("examples", "min_grade", 5.0),
        ("examples", "max_spread", 0),
        ("clicks", "test_days", 0),
        ("clicks", "max_weight", 1.0),
        ("clicks", "max_click_share", 1.0),
        ("clicks", "min_dwell_ms", 0),
        ("model", "dimension", 8),
        ("model", "input_size", None),
        ("monitoring", "sample", 2),
        ("monitoring", "permutations", 799),
        ("monitoring", "max_refused_growth", 0.0),
        ("monitoring", "max_list_imbalance", 1.0),
        ("monitoring", "min_live_recall", 1.0),
        ("training", "epochs", 1),
        ("training", "dropout", 0.0),
        ("tracking", "mlflow_uri", None),
        ("tracking", "mlflow_uri", "http://localhost:5000"),
        ("training", "memory_size", 1),
        ("training", "momentum", 0.0),
        ("training", "neighbours", 0),
        ("training", "keep_frozen", 0.0),
        ("training", "projection_head", 0),
        ("training", "views", 0),
        ("training", "hidden", 0),
        ("serving", "refresh_seconds", 0.1),
        ("serving", "cached_answers", 0),
        ("serving", "cached_thumbnails", 0),
        ("serving", "embedding_url", "http://127.0.0.1:8001"),
        ("serving", "neighbours_url", None),
        ("online", "experiment_days", 1),
        ("spark", "driver_memory", "512m"),
        ("evaluation", "k", (10, 1000)),
        ("evaluation", "also", ("exponential_gain", "judged_only")),
        ("evaluation", "also", ()),
        ("evaluation", "min_slice_queries", 2),
        ("evaluation", "max_sliced_queries", 0),
    ],
)
def test_the_ends_of_a_range_are_accepted(tree, section, key, value):
    assert getattr(getattr(changed(tree, section, **{key: value}), section), key) == value


def test_permutations_with_which_no_drift_could_be_certain_enough_are_refused(tree):
    with pytest.raises(ValidationError, match="permutations must be 799 or more"):
        changed(tree, "monitoring", permutations=798)
    with pytest.raises(ValidationError, match="permutations must be 7999 or more"):
        changed(tree, "monitoring", false_alarm_rate=0.001)


def test_a_rule_of_the_deployers_own_is_named_with_its_module(tree):
    rules = ("visible", "shop.rules:sale_first", "near_duplicates")
    assert changed(tree, "serving", rules=rules).serving.rules == rules


def test_an_unknown_rule_is_answered_with_the_known_ones(tree):
    with pytest.raises(ValidationError, match="'cheapest' is no rule; use visible, own_copies, near_duplicates"):
        changed(tree, "serving", rules=["visible", "cheapest"])


def test_every_share_of_strangers_in_a_manifest_can_be_the_cut_off(tree):
    for share in SHARES:
        assert changed(tree, "serving", strangers_below=share).serving.strangers_below == share


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"share": 0}, r"canary\.share"),
        ({"share": 1}, r"canary\.share"),
        ({"version": ""}, r"canary\.version"),
        ({"name": ""}, r"canary\.name"),
        ({"name": "b", "control": "b"}, "the variants must differ"),
    ],
)
def test_a_canary_for_nobody_or_everybody_or_without_a_name_of_its_own_is_refused(tree, values, error):
    with pytest.raises(ValidationError, match=error):
        changed(tree, "serving", canary={**tree["serving"]["canary"], **values})


def test_there_is_no_canary_by_default(tree):
    assert tree["serving"]["canary"]["version"] is None
