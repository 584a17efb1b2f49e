"""Loads the search service on loopback, over a synthetic index; it ends by itself.

    .venv/bin/python benchmarks/serve.py [ROWS [SECONDS]]      # 1,000,000 vectors, 10 s for each figure

The index is that of `synthetic_index.py`. The service is `vsearch serve` in a process of its own, with EfficientNet-
Lite0. Clients are threads of this process, so that on two cores they take a part of the time that is measured. Last,
ten versions are published under load.
"""

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import faiss
import numpy as np
from index import clustered, unit
from synthetic_index import DIMENSION, NEW_ROWS, published, with_delta

from vsearch_lib.artefact.manifest import Manifest
from vsearch_lib.config import PROJECT, Settings, load_settings
from vsearch_lib.demo.factors import Factors
from vsearch_lib.demo.studio import draw_one
from vsearch_lib.publishing.publication import publish
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.storage import open_store

CLIENTS = (1, 4, 16)
SERVICES = ("embedding", "neighbours", "ranking")
PHOTOS = 64
FREQUENT = 1.3  # exponent of Zipf's law by which queries repeat in the measures with a cache
DISTINCT = 20_000
VERSIONS = 10
K = 24


@dataclass(frozen=True)
class Measured:
    """Milliseconds of each query, how long all took, and what went wrong."""

    taken: np.ndarray
    seconds: float
    errors: list[str]

    def text(self) -> str:
        """Median, 99th percentile, and queries a second."""
        if not len(self.taken):
            return "nothing was answered"
        p50, p99 = np.percentile(self.taken, (50, 99))
        failed = f", {len(self.errors)} ERRORS: {self.errors[0]}" if self.errors else ""
        return f"p50 {p50:7.2f} ms, p99 {p99:7.2f} ms, {len(self.taken) / self.seconds:7.1f} queries/s{failed}"


def loaded(work_of: Callable[[int], Callable[[int], str | None]], clients: int, seconds: float) -> Measured:
    """Let `clients` threads work for some seconds; `work_of(client)` returns what is called with 0, 1, 2 … ."""
    taken: list[list[float]] = [[] for _ in range(clients)]
    errors: list[str] = []
    end = time.perf_counter() + seconds

    def client(number: int) -> None:
        work, turn = work_of(number), 0
        while (began := time.perf_counter()) < end:
            problem = work(turn)
            taken[number].append(1000 * (time.perf_counter() - began))
            turn += 1
            if problem:
                errors.append(problem)

    with ThreadPoolExecutor(clients) as threads:
        list(threads.map(client, range(clients)))
    return Measured(np.array([time_ms for each in taken for time_ms in each]), seconds, errors)


@dataclass(frozen=True)
class Server:
    """A running `vsearch serve`."""

    port: int
    pid: int

    def calls(self, requests: Sequence[tuple[str, str, bytes, dict[str, str]]], order: np.ndarray) -> Callable:
        """Return work for `loaded`: each client has a connection, and sends `requests` in an order of its own."""

        def of_client(number: int) -> Callable[[int], str | None]:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

            def call(turn: int) -> str | None:
                method, path, body, headers = requests[order[(7_919 * number + turn) % len(order)] % len(requests)]
                try:
                    connection.request(method, path, body or None, headers)
                    response = connection.getresponse()
                    content = response.read()
                except (OSError, http.client.HTTPException) as error:
                    connection.close()
                    return f"{type(error).__name__}: {error}"
                return None if response.status == 200 else f"{response.status}: {content[:200]!r}"

            return call

        return of_client

    def figures(self) -> dict[str, float]:
        """Return the service's own figures."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        lines = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
        return {name: float(value) for name, value in lines}

    def megabytes(self) -> float:
        """Return the resident memory of the service."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextlib.contextmanager
def serving(var: Path, *options: str) -> Iterator[Server]:
    """Run `vsearch serve` on a free port."""
    command = [sys.executable, "-m", "vsearch_lib.cli", "serve", "--port=0", f"--set=var={var}"]
    process = subprocess.Popen(
        [*command, *(f"--set={option}" for option in options)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=PROJECT,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(PROJECT)},
    )
    try:
        line = process.stdout.readline()
        found = re.search(r":(\d+)/ serves", line)
        if not found:
            raise SystemExit(f"the service did not start: {line}")
        yield Server(int(found[1]), process.pid)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def similar_requests(rows: int) -> list[tuple[str, str, bytes, dict[str, str]]]:
    """Requests for what is similar to images of the catalogue, other ones than those that later versions remove."""
    chosen = np.random.default_rng(3).permutation(np.arange(NEW_ROWS * (VERSIONS + 1), rows))[:DISTINCT]
    return [("GET", f"/similar/image-{number:09d}?{urlencode({'k': K})}", b"", {}) for number in chosen]


def photo_requests() -> list[tuple[str, str, bytes, dict[str, str]]]:
    """Requests with photos of the demo; each is sent under many names, by a comment that changes its hash."""
    designs = [
        Factors(shape, pattern, palette, "matte")
        for shape in ("mug", "lamp", "sneaker", "handbag")
        for pattern in ("stripes", "plain", "dots", "checks")
        for palette in ("ocean", "mustard", "blush", "forest")
    ]
    photos = [draw_one((7, number, design)) for number, design in enumerate(designs[:PHOTOS])]
    requests = []
    for number in range(2_000):
        photo = photos[number % len(photos)]
        comment = f"{number:08d}".encode()
        photo = photo[:2] + b"\xff\xfe" + (2 + len(comment)).to_bytes(2, "big") + comment + photo[2:]
        head = b'--b\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
        field = b'\r\n--b\r\nContent-Disposition: form-data; name="k"\r\n\r\n%d\r\n--b--\r\n' % K
        requests.append(("POST", "/search", head + photo + field, {"Content-Type": "multipart/form-data; boundary=b"}))
    print(f"photos of {np.mean([len(photo) for photo in photos]) / 1000:.0f} kB")
    return requests


def measured(server: Server, name: str, requests: Sequence, *, repeat: bool, seconds: float) -> None:
    """Print the figures of one kind of query; the queries repeat by Zipf's law, or hardly."""
    rng = np.random.default_rng(11)
    for clients in CLIENTS:
        order = rng.zipf(FREQUENT, 100_000) if repeat else rng.integers(0, len(requests), 100_000)
        before = server.figures()
        result = loaded(server.calls(requests, order), clients, seconds)
        after = server.figures()

        def grown(figure: str, before: dict[str, float] = before, after: dict[str, float] = after) -> float:
            return after.get(figure, 0.0) - before.get(figure, 0.0)

        print(f"{name:<22} {clients:>2} clients: {result.text()}", end="; ")
        hits, misses = (grown(f'vsearch_cache_queries_total{{result="{kind}"}}') for kind in ("hit", "miss"))
        print(f"{hits / max(1, hits + misses):.0%} from the cache", end="; ")
        shares = [1000 * grown(f'vsearch_service_seconds_sum{{service="{one}"}}') / max(1, misses) for one in SERVICES]
        print(", ".join(f"{one} {ms:.2f}" for one, ms in zip(SERVICES, shares, strict=True)), "ms each", flush=True)


def swapped(server: Server, settings: Settings, manifest: Manifest, requests: Sequence, queries: np.ndarray) -> None:
    """Publish ten versions while four clients ask, and print what went wrong."""
    store = open_store(settings.index.uri)
    done = threading.Event()
    seconds: list[float] = []

    def publisher() -> None:
        latest = manifest
        for number in range(1, VERSIONS + 1):
            latest = with_delta(settings, latest, queries[:NEW_ROWS], number)
            publish(store, latest, now=datetime.now(UTC))
            began = time.perf_counter()
            while f'vsearch_index_info{{version="{latest.version}"}}' not in server.figures():
                if time.perf_counter() - began > 60:
                    raise SystemExit(f"{latest.version} was not opened")
                time.sleep(0.05)
            seconds.append(time.perf_counter() - began)
        done.set()

    order = np.random.default_rng(13).integers(0, len(requests), 100_000)
    calls = server.calls(requests, order)

    def until_done(number: int) -> list[str]:
        call, turn, problems = calls(number), 0, []
        while not done.is_set() and turn < 1_000_000:
            problems.append(call(turn))
            turn += 1
        return problems

    with ThreadPoolExecutor(5) as threads:
        publishing = threads.submit(publisher)
        publishing.add_done_callback(lambda _: done.set())
        answers = [one for each in threads.map(until_done, range(4)) for one in each]
    publishing.result()
    errors = [answer for answer in answers if answer]
    print(f"{VERSIONS} versions published: {len(answers)} queries, {len(errors)} errors {errors[:1]}; ", end="")
    print(f"a version is searched {np.median(seconds):.2f} s after its publication", flush=True)


def alone(settings: Settings, queries: np.ndarray, seconds: float) -> None:
    """Print the figures of searches without a service."""
    searcher = Searcher.open(settings.index.uri, cache=settings.cache)
    faiss.omp_set_num_threads(1)  # threads of faiss would only take the cores from other queries

    def of_client(number: int) -> Callable[[int], None]:
        return lambda turn: searcher.search(queries[None, (997 * number + turn) % len(queries)], 10) and None

    for clients in CLIENTS:
        print(f"{'vectors alone':<22} {clients:>2} clients: {loaded(of_client, clients, seconds).text()}", flush=True)


def main(rows: int = 1_000_000, seconds: float = 10) -> None:
    """Make the index and print all figures."""
    with tempfile.TemporaryDirectory(prefix="vsearch-serve-") as name:
        var = Path(name)
        settings = load_settings("local", [f"var={var}"])
        clustered(var, rows, DIMENSION)
        vectors, queries = unit(np.load(var / "base.npy")), unit(np.load(var / "query.npy"))
        began = time.perf_counter()
        manifest = published(settings, vectors)
        del vectors
        print(f"{rows} vectors of {DIMENSION}, {manifest.factory}, made in {time.perf_counter() - began:.0f} s")
        alone(settings, queries, seconds)
        similar, photos = similar_requests(rows), photo_requests()
        for cached, repeat in ((0, False), (50_000, True)):
            with serving(var, f"serving.cached_answers={cached}", "serving.refresh_seconds=0.2") as server:
                kind = "cache on" if repeat else "cache off"
                measured(server, f"/similar, {kind}", similar, repeat=repeat, seconds=seconds)
                measured(server, f"photos, {kind}", photos, repeat=repeat, seconds=seconds)
                print(f"the service has {server.megabytes():.0f} MB resident, the index's mapped files included")
                if repeat:
                    swapped(server, settings, manifest, similar, queries)
    print(json.dumps({"cores": len(os.sched_getaffinity(0))}))


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
