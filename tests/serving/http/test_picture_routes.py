"""Pictures go to those who may see them, and none of a private image stays anywhere on the way."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from deltalake import DeltaTable
from PIL import Image

from tests.support import served_catalogue
from vsearch_lib.errors import ArtefactError
from vsearch_lib.serving.http.pictures import PictureReader, Thumbnails
from vsearch_lib.serving.pictures import Picture, visible_pictures
from vsearch_lib.serving.search_service import SearchService


def opened(response) -> Image.Image:
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "image/jpeg"
    return Image.open(io.BytesIO(response.content))


def test_a_public_picture_is_what_the_lake_has_and_may_stay_in_a_browser_for_a_while(client, served):
    name = served.content.ids[4]
    response = client.get(f"/images/{name}")
    assert response.content == visible_pictures(served.settings.lake.uri, [name])[name].jpeg
    assert response.headers["Cache-Control"] == "private, max-age=300"
    again = client.get(f"/images/{name}", headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = client.get(f"/images/{name}?size=thumbnail", headers={"If-None-Match": response.headers["ETag"]})
    assert other.status_code == 200


def test_a_thumbnail_has_at_most_240_pixels_a_side(served):
    wide = Image.effect_noise((1000, 400), 50)
    sink = io.BytesIO()
    wide.convert("RGB").save(sink, "JPEG")
    small = Thumbnails(10).get("v1", "a", lambda: Picture("s", sink.getvalue(), 1000, 400))
    assert Image.open(io.BytesIO(small.jpeg)).size == (240, 96)


def test_a_small_picture_is_not_enlarged(client, served):
    assert opened(client.get("/images/image-00004?size=thumbnail")).size == served_catalogue.SIDES


@pytest.mark.parametrize("size", ["thumbnail", "full"])
def test_a_private_picture_goes_to_its_owner_alone_and_is_not_kept(client, served, size):
    row = served.rows(visibility="private")[0]
    url, owner = f"/images/{served.content.ids[row]}?size={size}", served.owner(row)
    for _ in range(2):
        own = client.get(url, params={"size": size, "user_id": owner})
        assert opened(own).size == served_catalogue.SIDES
        assert own.headers["Cache-Control"] == "no-store"
        hidden = client.get(url)
        assert hidden.status_code == 404
        assert client.get(url, params={"size": size, "user_id": "somebody"}).json() == hidden.json()
        # Not even whether a copy is current is answered.
        assert client.get(url, headers={"If-None-Match": own.headers["ETag"]}).status_code == 404


@pytest.mark.parametrize("size", ["thumbnail", "full"])
def test_a_blocked_picture_goes_to_nobody(client, served, size):
    for user in ({}, {"user_id": served.owner(5)}):
        assert client.get("/images/image-00005", params={"size": size, **user}).status_code == 404


@pytest.mark.parametrize(
    "name", ["none", "..%2F..%2Fetc%2Fpasswd", "%2Fetc%2Fpasswd", "a%0Ab", "'%20OR%20'1'='1", "a%00b"]
)
def test_an_id_that_is_no_image_gets_404(client, name):
    assert client.get(f"/images/{name}").status_code == 404
    assert client.get(f"/images/{name}?size=thumbnail&user_id=' OR 1=1 --").status_code == 404


def test_a_size_that_is_none_gets_400(client):
    assert client.get("/images/image-00004?size=huge").status_code == 400


def test_random_images_are_public_and_others_each_time(client, served):
    public = {served.content.ids[row] for row in served.rows(visibility="public")}
    seen = [[image["image_id"] for image in client.get("/random?k=5").json()["answers"]] for _ in range(10)]
    assert all(len(set(ids)) == 5 and public.issuperset(ids) for ids in seen)
    assert len(set(map(tuple, seen))) > 1
    every = client.get("/random?k=100").json()["answers"]
    assert {image["image_id"] for image in every} == public
    assert set(every[0]) == {"image_id", "tags", "owner_id", "uploaded_at", "source_uri"}


def test_a_picture_that_was_hidden_in_the_lake_is_gone_though_the_index_still_has_it(tmp_path, client_of):
    own = served_catalogue.catalogue(tmp_path, 8)
    client = client_of(SearchService.open(own.settings), own.settings)
    assert client.get("/images/image-00001").status_code == 200
    assert client.get("/images/image-00002").status_code == 200
    table = DeltaTable(f"{own.settings.lake.uri}/images")
    table.update(predicate="image_id = 'image-00001'", updates={"visibility": "'private'"})
    table.update(predicate="image_id = 'image-00002'", updates={"deleted_at": "now()"})
    for url in ("/images/image-00001", "/images/image-00001?size=thumbnail", "/images/image-00002"):
        assert client.get(url).status_code == 404
    own_picture = client.get("/images/image-00001", params={"user_id": own.owner(1)})
    assert (own_picture.status_code, own_picture.headers["Cache-Control"]) == (200, "no-store")


def test_thumbnails_of_another_version_are_read_again():
    thumbnails, reads = Thumbnails(10), []
    sink = io.BytesIO()
    Image.new("RGB", (20, 20)).save(sink, "JPEG")

    def read() -> Picture:
        reads.append(1)
        return Picture("s", sink.getvalue(), 20, 20)

    for version in ("v1", "v1", "v2", "v2"):
        thumbnails.get(version, "a", read)
    assert len(reads) == 2
    assert thumbnails.get("v3", "a", lambda: None) is None


def test_what_readers_ask_for_during_a_read_the_next_one_fetches_together(served, monkeypatch, wait):
    from vsearch_lib.serving.http import pictures

    reads, may_end = [], Event()

    def counted(uri, ids, *, viewer_id):
        reads.append(viewer_id)
        may_end.wait(60)
        return visible_pictures(uri, ids, viewer_id=viewer_id)

    monkeypatch.setattr(pictures, "visible_pictures", counted)
    reader = PictureReader(served.settings.lake.uri)
    asked = [(name, viewer) for name in served.content.ids[:24] for viewer in (None, "owner-3")]
    with ThreadPoolExecutor(len(asked)) as threads:
        first = threads.submit(reader.read, *asked[0])
        wait(lambda: reads)
        others = [threads.submit(reader.read, *one) for one in asked[1:]]
        wait(lambda: sum(map(len, reader._waiting.values())) == len(others))
        may_end.set()
        found = [one.result() for one in (first, *others)]
    for (name, viewer), picture in zip(asked, found, strict=True):
        assert picture == visible_pictures(served.settings.lake.uri, [name], viewer_id=viewer).get(name)
    assert sorted(map(str, reads)) == ["None", "None", "owner-3"]


def test_a_lake_that_cannot_be_read_is_an_error_for_each_reader_and_the_next_read_works(served, tmp_path):
    reader = PictureReader(str(tmp_path / "none"))
    for _ in range(2):
        with pytest.raises(ArtefactError, match="there is no lake"):
            reader.read("a", None)


def test_without_a_lake_the_answer_is_503_in_one_line(client_of, service, served, tmp_path):
    lake = served.settings.lake.model_copy(update={"uri": str(tmp_path / "none")})
    client = client_of(service, served.settings.model_copy(update={"lake": lake}))
    response = client.get("/images/image-00004")
    assert response.status_code == 503
    assert "there is no lake at" in response.json()["error"]
