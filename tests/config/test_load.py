"""Settings come in layers, and an error in them is reported in one line."""

import string
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from vsearch_lib.config import PROJECT, environments, load_settings
from vsearch_lib.errors import UsageError


def refusal(env: str = "demo", overrides: tuple[str, ...] = (), **options) -> str:
    with pytest.raises(UsageError) as caught:
        load_settings(env, overrides, **options)
    message = str(caught.value)
    assert caught.value.exit_code == 2
    assert "\n" not in message
    return message


@pytest.mark.parametrize("env", environments())
def test_every_environment_loads(env):
    assert load_settings(env).image.size >= 32


def test_every_file_of_conf_is_an_environment_except_the_base():
    files = {file.stem for file in (PROJECT / "conf").glob("*.yaml")}
    assert {*environments(), "base"} == files
    assert {"demo", "local", "cluster"} <= set(environments())


def test_the_environment_overrides_the_base(conf):
    conf({"image": {"size": 99}})
    assert load_settings("mine").image.size == 99


def test_settings_that_the_environment_does_not_name_come_from_the_base(conf):
    conf({"image": {"size": 99}}, "mine")
    conf({}, "other")
    mine, other = load_settings("mine"), load_settings("other")
    assert mine.image.min_side == other.image.min_side
    assert mine.training == other.training


def test_set_overrides_the_environment(conf):
    assert load_settings("mine", ["image.size=64"]).image.size == 64


def test_the_last_of_two_overrides_of_a_key_is_used():
    assert load_settings("demo", ["image.size=64", "image.size=65"]).image.size == 65


def test_set_reads_numbers_texts_and_null_as_yaml_does():
    loaded = load_settings("demo", ["gate.min_recall_at_10=0.5", "model.backbone=resnet18", "index.nprobe=null"])
    assert (loaded.gate.min_recall_at_10, loaded.model.backbone, loaded.index.nprobe) == (0.5, "resnet18", None)


def test_a_value_may_contain_equals_signs():
    assert load_settings("demo", ["lake.uri=s3a://bucket/a=b"]).lake.uri == "s3a://bucket/a=b"


@pytest.mark.parametrize("name", ["a #1", "100% [neu]", "{a,b}", "*x", "2024", "it's", "a: b", "~"])
def test_a_folder_may_have_a_name_that_yaml_would_read_as_another_type(name):
    assert load_settings("demo", [f"var=/data/{name}"]).var == f"/data/{name}"


def test_a_folder_may_be_in_yaml_quotes():
    assert load_settings("demo", ['var="/data/a #1"']).var == load_settings("demo", ["var=/data/a #1"]).var


def test_a_setting_of_spark_can_be_added():
    assert load_settings("demo", ["spark.conf.a=b"]).spark.conf["a"] == "b"


def test_everything_of_a_run_is_stored_under_var(tmp_path):
    loaded = load_settings("demo", [f"var={tmp_path}"])
    uris = (loaded.landing.uri, loaded.landing.images, loaded.lake.uri, loaded.models.uri, loaded.index.uri)
    assert loaded.var == str(tmp_path)
    assert all(uri.startswith(f"{tmp_path}/") for uri in (*uris, loaded.reports.uri))


def test_var_is_filled_in_whichever_layer_sets_it(conf):
    conf({"var": "/files", "lake": {"uri": "{var}/tables"}})
    assert load_settings("mine").lake.uri == "/files/tables"
    assert load_settings("mine", ["var=/set"]).lake.uri == "/set/tables"
    assert load_settings("mine", ["var=/set", "lake.uri={var}/other"]).lake.uri == "/set/other"


def test_var_may_be_a_bucket():
    assert load_settings("cluster", ["var=s3a://bucket/a"]).index.uri == "s3a://bucket/a/index"


def test_pictures_land_below_the_landing_folder_unless_they_have_their_own_setting():
    assert load_settings("demo", ["landing.uri=/landing"]).landing.images == "/landing/images"
    assert load_settings("demo", ["var=/set"]).landing.images == "/set/landing/images"
    assert load_settings("demo", ["landing.uri=/landing", "landing.images=/photos"]).landing.images == "/photos"
    assert load_settings("demo", ["landing.images={landing.uri}/photos", "var=/set"]).landing.images == (
        "/set/landing/photos"
    )


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("s3a://bucket/prefix/", "s3a://bucket/prefix"),
        ("s3a://bucket/", "s3a://bucket"),
        ("s3://bucket//a///b//", "s3://bucket/a/b"),
        ("file:///x//photos", "file:///x/photos"),
        ("file:/x/photos/", "file:///x/photos"),
        ("file://x/photos", "file:///x/photos"),
        ("file:///x/../photos/.", "file:///photos"),
        ("//x//photos/", "/x/photos"),
        ("/", "/"),
    ],
)
def test_doubled_and_trailing_slashes_of_a_path_are_removed(written, read):
    assert load_settings("demo", [f"landing.images={written}"]).landing.images == read


SLASHES = st.sampled_from(["/", "//", "///"])


@examples(max_examples=60, deadline=None)
@given(
    scheme=st.sampled_from(["", "file://", "s3://", "s3a://", "hdfs://host:8020"]),
    parts=st.lists(st.tuples(SLASHES, st.sampled_from(["a", "b c", "d#", "é", "e=1"])), min_size=1, max_size=4),
    end=st.sampled_from(["", "/", "//"]),
)
def test_the_number_of_slashes_does_not_change_a_path(scheme, parts, end):
    first, *more = parts
    start = scheme + ("" if scheme.startswith("s3") else first[0]) + first[1]
    written = start + "".join(slashes + name for slashes, name in more) + end
    read = load_settings("demo", [f"var={written}"])
    names = "/".join(name for _, name in parts)
    assert read.var == scheme + ("" if scheme.startswith("s3") else "/") + names
    assert read.lake.uri == f"{read.var}/lake"
    assert load_settings("demo", [f"var={read.var}"]) == read


def test_a_relative_path_in_a_file_starts_at_the_project(conf, tmp_path, monkeypatch):
    project = conf({"landing": {"images": "pictures/../photos"}, "model": {"weights": "weights.safetensors"}})
    monkeypatch.chdir(tmp_path)
    loaded = load_settings("mine")
    assert loaded.var == str(project / "var")
    assert loaded.landing.images == str(project / "photos")
    assert loaded.model.weights == str(project / "weights.safetensors")


@pytest.mark.parametrize("name", ["packaged", "hub", "none"])
def test_named_weights_are_not_taken_for_a_file(name):
    assert load_settings("demo", [f"model.weights={name}"]).model.weights == name


def test_a_relative_path_in_an_override_starts_at_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    loaded = load_settings("demo", ["var=here", "landing.images=photos", "index.uri=../index"])
    assert loaded.var == str(tmp_path / "here")
    assert loaded.landing.images == str(tmp_path / "photos")
    assert loaded.index.uri == str(tmp_path.parent / "index")


def test_a_path_with_a_scheme_is_not_changed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load_settings("demo", ["index.uri=s3://bucket/index"]).index.uri == "s3://bucket/index"


def test_a_setting_that_is_not_a_path_is_not_made_absolute():
    assert load_settings("demo", ["index.factory=IVF64,PQ8x4np"]).index.factory == "IVF64,PQ8x4np"


# --images


def own(folder: Path, **options):
    folder.mkdir(parents=True, exist_ok=True)
    return load_settings("demo", options.get("overrides", ()), images=str(folder))


def test_a_users_own_folder_is_ingested(tmp_path):
    assert own(tmp_path / "holiday").landing.images == str(tmp_path / "holiday")


def test_everything_made_from_a_users_own_folder_is_stored_apart(tmp_path):
    usual, mine = load_settings("demo"), own(tmp_path / "holiday")
    for section in ("lake", "models", "index", "reports"):
        uri = getattr(mine, section).uri
        assert uri.startswith(f"{usual.var}/photos/")
        assert "holiday" in uri
        assert uri != getattr(usual, section).uri


def test_every_spelling_of_a_folder_gives_the_same_catalogue(tmp_path, monkeypatch):
    folder = tmp_path / "holiday"
    monkeypatch.chdir(tmp_path)
    assert own(folder).var == load_settings("demo", images="holiday/../holiday").var


@pytest.mark.parametrize(
    ("one", "other"),
    [("a", "b"), ("x/2024/photos", "y/2024/photos"), ("my photos", "my-photos"), ("фото", "写真")],
)
def test_two_folders_never_share_a_catalogue(tmp_path, one, other):
    assert own(tmp_path / one).var != own(tmp_path / other).var


def test_the_name_of_a_catalogue_is_safe_in_a_path(tmp_path):
    name = Path(own(tmp_path / "höliday #1 [new] 100%").var).name
    assert set(name) <= set(string.ascii_letters + string.digits + "-_")


def test_an_override_of_var_wins_over_images(tmp_path):
    loaded = own(tmp_path / "holiday", overrides=[f"var={tmp_path}/mine"])
    assert loaded.lake.uri == f"{tmp_path}/mine/lake"
    assert loaded.landing.images == str(tmp_path / "holiday")


def test_a_missing_folder_is_bad_usage(tmp_path):
    assert f"images {tmp_path}/none: no such folder" in refusal(images=f"{tmp_path}/none")


# Errors, in one line


def test_the_error_for_an_unknown_environment_lists_the_known_ones():
    message = refusal("nope")
    assert "conf/nope.yaml" in message
    assert all(name in message for name in environments())


def test_the_base_is_not_an_environment():
    assert "env base" in refusal("base")


def test_the_error_for_an_unknown_key_lists_the_known_ones_and_its_source():
    message = refusal(overrides=("image.siz=1",))
    assert "override image.siz=1: " in message
    assert all(name in message for name in ("max_bytes", "max_pixels", "min_side", "size"))


def test_the_error_for_an_unknown_section_lists_the_known_ones():
    message = refusal(overrides=("imge.size=1",))
    assert "imge" in message
    assert "landing" in message


def test_the_error_for_an_unknown_key_in_a_file_names_the_file(conf):
    conf({"image": {"siz": 1}})
    message = refusal("mine")
    assert "conf/mine.yaml" in message
    assert "image.siz" in message


@pytest.mark.parametrize(
    ("override", "key", "allowed"),
    [
        ("model.weights=null", "model.weights", ("packaged", "hub", "none", "safetensors")),
        ("image.size=8", "image.size", ("32",)),
        ("quality.max_refused_share=1.5", "quality.max_refused_share", ("1",)),
        ("model.dimension=100", "model.dimension", ("8",)),
        ("index.shards=two", "index.shards", ("integer",)),
        ("index.factory=Flat", "index.factory", ("IVF",)),
        ("lake.uri=/data/a`b", "lake.uri", ("backtick",)),
        ("lake.uri=/data/a\tb", "lake.uri", ("control",)),
    ],
)
def test_the_error_for_a_value_out_of_range_has_key_source_and_allowed_values(override, key, allowed):
    message = refusal(overrides=(override,))
    assert f"override {override}: " in message
    assert key in message
    assert all(word in message for word in allowed)


def test_the_error_for_a_wrong_value_names_the_layer_that_set_it(conf):
    conf({"image": {"size": "large"}})
    assert "conf/mine.yaml: image.size = 'large'" in refusal("mine")
    conf({"image": {"size": 64}})
    assert "override image.size=tiny: " in refusal("mine", ("image.size=tiny",))


def test_the_error_for_a_file_that_is_not_yaml_names_it(conf):
    conf("image: [unclosed\nmodel: 3")
    assert "conf/mine.yaml" in refusal("mine")


def test_the_error_for_a_file_with_an_impossible_date_names_it(conf):
    conf("index:\n  seed: 2024-13-45\n")
    assert "conf/mine.yaml" in refusal("mine")


@pytest.mark.parametrize("content", ["- a\n- list\n", "just text", ""])
def test_the_error_for_a_file_without_sections_names_it(conf, content):
    conf(content)
    assert "conf/mine.yaml" in refusal("mine")


@pytest.mark.parametrize("override", ["image.size", "=3", "", "="])
def test_the_error_for_an_override_without_a_value_shows_how_to_write_one(override):
    assert "section.key=value" in refusal(overrides=(override,))


@pytest.mark.parametrize("override", ["var.x=1", "image=3", "image.size.x=1", "image.=1", ".size=1", "spark.conf=1"])
def test_a_section_is_not_taken_for_a_setting_or_the_reverse(override):
    assert override in refusal(overrides=(override,))


def test_the_error_for_a_renamed_setting_has_its_new_name(conf):
    conf({"examples": {"seed": 5}})
    conf({}, "fresh")
    for line in (refusal("mine"), refusal("fresh", ("examples.seed=5",))):
        assert "examples.seed is no setting any more: set examples.split_seed" in line


@pytest.mark.parametrize("value", ["2024-13-45", "0x_", "0b_", "2001-01-01 99:99:99"])
def test_a_value_that_yaml_cannot_parse_is_refused_as_text(value):
    assert "index.seed" in refusal(overrides=(f"index.seed={value}",))


def test_a_date_is_refused_for_a_number():
    assert "index.seed" in refusal(overrides=("index.seed=2024-01-02",))


KEYS = st.sampled_from(
    ["image.size", "var", "lake.uri", "index.factory", "spark.conf", "model.weights", "image", "x.y"]
)


@examples(max_examples=80, deadline=None)
@given(key=KEYS, value=st.text(alphabet=string.printable, max_size=12))
def test_any_override_gives_settings_or_is_bad_usage(key, value):
    with suppress(UsageError):
        assert load_settings("demo", [f"{key}={value}"])


@examples(max_examples=40, deadline=None)
@given(shards=st.integers(1, 10_000), share=st.floats(0, 1, exclude_max=True))
def test_numbers_are_read_back_as_they_were_written(shards, share):
    loaded = load_settings("demo", [f"index.shards={shards}", f"examples.test_share={share!r}"])
    assert (loaded.index.shards, loaded.examples.test_share) == (shards, share)
