"""With keys only their holders may ask; without, only this machine."""

from __future__ import annotations

import pytest

from vsearch_lib.errors import UsageError
from vsearch_lib.serving.http.access import api_keys, is_loopback

KEY, OTHER = b"key-of-16-letters", b"another-long-key!"


def test_a_request_without_a_key_or_with_a_wrong_one_is_refused(client_of, service, served):
    client = client_of(service, served.settings, keys=(KEY, OTHER))
    for headers in ({}, {"X-API-Key": ""}, {"X-API-Key": "wrong"}, {"X-API-Key": KEY.decode()[:-1]}):
        response = client.get("/random", headers=headers)
        assert (response.status_code, response.json()) == (401, {"error": "the header X-API-Key is missing or wrong"})
    for key in (KEY, OTHER):
        assert client.get("/random", headers={"X-API-Key": key}).status_code == 200


def test_health_and_readiness_need_no_key_and_the_page_and_figures_do(client_of, service, served):
    client = client_of(service, served.settings, keys=(KEY,))
    assert {client.get(path).status_code for path in ("/health", "/ready")} == {200}
    for path in ("/", "/page/page.js", "/docs", "/openapi.json", "/metrics", "/version", "/images/image-00000", "/no"):
        assert client.get(path).status_code == 401


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost.evil", ""])
def test_without_keys_a_name_of_another_site_is_refused(client, host):
    response = client.get("/random", headers={"Host": host})
    assert response.status_code == 400
    assert response.json() == {"error": "the header Host does not name this machine; use 127.0.0.1"}


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1", "127.0.0.9:1", "[::1]:8000", "[::1]"])
def test_without_keys_every_name_of_this_machine_is_answered(client, host):
    assert client.get("/random", headers={"Host": host}).status_code == 200


def test_with_keys_any_name_is_answered(client_of, service, served):
    client = client_of(service, served.settings, keys=(KEY,))
    assert client.get("/random", headers={"Host": "search.example", "X-API-Key": KEY}).status_code == 200


def test_keys_are_read_from_the_environment_and_short_ones_are_refused_without_repeating_them():
    assert api_keys({}) == api_keys({"VSEARCH_API_KEYS": " , "}) == ()
    assert api_keys({"VSEARCH_API_KEYS": f" {KEY.decode()},{OTHER.decode()} "}) == (KEY, OTHER)
    with pytest.raises(UsageError, match="16 or more ASCII characters") as refused:
        api_keys({"VSEARCH_API_KEYS": "hunter2"})
    assert "hunter2" not in str(refused.value)


def test_addresses_of_other_machines_are_not_loopback():
    assert not any(map(is_loopback, ("0.0.0.0", "::", "10.0.0.1", "example.org", "127.1", "")))
