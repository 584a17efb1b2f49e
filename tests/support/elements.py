"""Reads a page: its elements, its text, its tables, and what it would load."""

import re
from html.parser import HTMLParser


class Elements(HTMLParser):
    """The elements of a page with their attributes, its text outside the style sheet, and the cells of its rows."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.page = page
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.rows: list[list[str]] = []
        self._within = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._within = tag
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        self._within = ""

    def handle_data(self, data):
        if self._within == "style":
            return
        if data.strip():
            self.text.append(data.strip())
        if self._within in ("td", "th"):
            self.rows[-1][-1] += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def loaded(self) -> list[str]:
        """Return what a browser would fetch from elsewhere or run: nothing, on a self-contained page."""
        running = [tag for tag, _ in self.elements if tag in ("script", "link", "iframe", "object", "embed", "base")]
        handlers = [name for _, attributes in self.elements for name in attributes if name.startswith("on")]
        sources = [
            value or ""
            for _, attributes in self.elements
            for name, value in attributes.items()
            if name in ("src", "srcset", "href", "xlink:href", "data", "action")
        ]
        foreign = [value for value in sources if not value.startswith(("data:image/jpeg;base64,", "#"))]
        return running + handlers + foreign + re.findall(r"https?:|url\(|@import", self.page)


def section(page: str, title: str) -> str:
    """Return the card of a page with this title."""
    return next(part for part in page.split("<section") if re.search(rf"<h[23]>[^<]*{re.escape(title)}", part))
