"""Equal content gives equal bytes and one hash."""

from __future__ import annotations

from vsearch_lib.artefact.content import digest, json_bytes


def test_bytes_do_not_depend_on_the_order_of_fields():
    assert json_bytes({"b": 1, "a": {"d": 2, "c": [3]}}) == json_bytes({"a": {"c": [3], "d": 2}, "b": 1})
    assert json_bytes({"b": None, "a": "ü"}) == b'{\n  "a": "\\u00fc",\n  "b": null\n}\n'


def test_a_digest_is_the_sha256_of_the_bytes():
    assert digest(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
