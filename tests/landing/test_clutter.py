"""Files that other programs leave beside the data are recognised by name; all other files count."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsearch_lib.landing.clutter import kind_of_clutter


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("2024/@eaDir/IMG_1.jpg/SYNOPHOTO_THUMB_M.jpg", "system"),
        ("2024/.DS_Store", "system"),
        ("._IMG_1.jpg", "system"),
        ("THUMBS.DB", "system"),
        ("desktop.ini", "system"),
        ("__MACOSX/a.jpg", "system"),
        ("IMG_2.MOV", "video"),
        ("IMG_2.AAE", "sidecar"),
        ("IMG_3.xmp", "sidecar"),
        ("_SUCCESS", "job marker"),
        ("_temporary/0/part-0.jsonl", "job marker"),
        (".part-0.json.crc", "job marker"),
        ("a.jpg.part", "unfinished upload"),
        ("a.jsonl._COPYING_", "unfinished upload"),
        (".hidden.jpg", "hidden"),
        (".git/objects/a.jpg", "hidden"),
    ],
)
def test_clutter_is_recognised_by_kind(path, kind):
    assert kind_of_clutter(path.split("/")) == kind


@pytest.mark.parametrize(
    "path", ["_MG_1234.JPG", "_export/a.jpg", "part/a.jpg", "video/a.jpg", "movie.jpg", "README", "~.jpg"]
)
def test_names_that_only_resemble_clutter_count(path):
    assert kind_of_clutter(path.split("/")) is None


@given(
    st.lists(
        st.text(st.characters(exclude_characters="/\0"), min_size=1).filter(lambda name: name[0] not in "._@#$"),
        max_size=3,
    )
)
def test_a_picture_in_ordinary_folders_counts(folders):
    if not {"lost+found", "system volume information"} & {folder.lower() for folder in folders}:
        assert kind_of_clutter([*folders, "a.jpg"]) is None
