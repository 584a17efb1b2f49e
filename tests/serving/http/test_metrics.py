"""Figures for Prometheus, by route; they name no image, no user and no key."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families


def figures(client) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    text = client.get("/metrics").text
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in samples}


def requests(counted, route: str, status: int) -> float:
    return counted.get(("vsearch_requests_total", (("route", route), ("status", str(status)))), 0.0)


def test_requests_are_counted_by_route_and_status(client):
    client.get("/similar/image-00004")
    client.get("/similar/image-00006")
    client.get("/similar/none")
    client.get("/none")
    counted = figures(client)
    route = "/similar/{image_id:image_id}"
    assert (requests(counted, route, 200), requests(counted, route, 404)) == (2, 1)
    assert requests(counted, "none", 404) == 1
    assert counted["vsearch_request_seconds_count", (("route", route),)] == 3


def test_the_time_of_each_service_is_counted_once_for_a_query_that_was_searched(client, served):
    for _ in range(3):
        client.post("/search", files={"image": ("p", served.pictures[0])})
    counted = figures(client)
    for service in ("embedding", "neighbours", "ranking"):
        assert counted["vsearch_service_seconds_count", (("service", service),)] == 1
    assert counted["vsearch_service_seconds_sum", (("service", "embedding"),)] > 0
    assert counted["vsearch_cache_queries_total", (("result", "hit"),)] == 2


def test_the_version_its_age_and_what_waits_are_shown(client):
    counted = figures(client)
    assert counted["vsearch_index_info", (("version", "v1"),)] == 1
    assert counted["vsearch_index_opened_seconds", ()] > 1_700_000_000
    for name in ("feedback_waiting", "feedback_write_failures", "refresh_failing"):
        assert counted[f"vsearch_{name}", ()] == 0
    assert counted["vsearch_requests_in_flight", ()] == 1  # this one


def test_two_applications_count_apart(client_of, service, served):
    first, second = client_of(service, served.settings), client_of(service, served.settings)
    first.get("/random")
    assert requests(figures(first), "/random", 200) == 1
    assert requests(figures(second), "/random", 200) == 0


def test_figures_name_no_image_no_user_and_no_key(client_of, service, served):
    key = "a-key-that-is-secret"
    client = client_of(service, served.settings, keys=(key.encode(),))
    client.headers["X-API-Key"] = key
    client.get("/similar/image-00003", params={"user_id": "owner-3", "tags": "even"})
    text = client.get("/metrics").text
    assert "/similar/" in text
    assert not any(word in text for word in ("image-0", "owner-3", key, "even"))
