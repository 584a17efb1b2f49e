"""One service over a small shop, and tabs with its page."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Page, Request

from tests.support.browser import WAIT_MS
from tests.support.loopback import serving
from tests.support.shop import open_shop
from vsearch_lib.config import Settings, load_settings
from vsearch_lib.serving.http.start import _all


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The settings of a published shop, whose service writes feedback at once."""
    overrides = [f"var={tmp_path_factory.mktemp('shop')}", "serving.feedback_seconds=0.2"]
    settings = load_settings("demo", overrides)
    open_shop(settings)
    return settings


@pytest.fixture(scope="session")
def address(shop: Settings) -> Iterator[str]:
    """Where the service listens: what `vsearch serve` serves, in a thread of this process."""
    app, _ = _all(shop, ())
    with serving(app) as server:
        host, port = server.address
        yield f"http://{host}:{port}/"


@dataclass
class Visit:
    """A tab with the page, and what went wrong in it."""

    page: Page
    address: str
    foreign: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(WAIT_MS)
        self.page.on("request", self._requested)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _requested(self, request: Request) -> None:
        if not request.url.startswith((self.address, "data:", f"blob:{self.address}")):
            self.foreign.append(request.url)

    def go(self, query: str = "") -> None:
        """Open the page and wait until it shows images or a line that says why there are none."""
        self.page.goto(self.address + query)
        self.settle()

    def settle(self) -> None:
        """Wait until the page waits for nothing."""
        self.page.locator("main:not(:has([aria-busy]))").wait_for()
        self.page.locator(".picture:visible, #note:visible, #alert:visible").first.wait_for()

    def after(self, act: Callable[[], object]) -> None:
        """Do something that searches, and wait for its answers."""
        with self.page.expect_response(lambda response: "/search" in response.url or "/similar" in response.url):
            act()
        self.settle()

    def bring(self, jpeg: bytes, name: str = "photo.jpg") -> None:
        """Choose a photo."""
        self.after(lambda: self.page.set_input_files("#file", {"name": name, "mimeType": "image/jpeg", "buffer": jpeg}))

    def drag_box(self, x: float, y: float, width: float, height: float) -> None:
        """Draw a box with the mouse, given in fractions of the photo, and wait for its answers."""
        frame = self.page.locator(".frame").bounding_box()
        assert frame

        def at(across: float, down: float) -> tuple[float, float]:
            return frame["x"] + across * frame["width"], frame["y"] + down * frame["height"]

        def drag() -> None:
            self.page.mouse.move(*at(x, y))
            self.page.mouse.down()
            self.page.mouse.move(*at(x + width / 2, y + height / 3))
            self.page.mouse.move(*at(x + width, y + height))
            self.page.mouse.up()

        self.after(drag)

    def ids(self) -> list[str]:
        """The ids of the answers, best first."""
        return self.page.locator("#grid .card").evaluate_all("cards => cards.map(card => card.answer.image_id)")


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Callable[..., Visit]]:
    """A function that opens a tab; at the end, no script may have failed, and nothing was fetched from elsewhere."""
    visits: list[Visit] = []

    def open_page(width: int = 1280, height: int = 900, has_touch: bool = False) -> Visit:
        context = browser.new_context(viewport={"width": width, "height": height}, has_touch=has_touch)
        visits.append(Visit(context.new_page(), address))
        return visits[-1]

    yield open_page
    for opened in visits:
        opened.page.context.close()
    assert [error for opened in visits for error in opened.errors] == []
    assert [url for opened in visits for url in opened.foreign] == []
