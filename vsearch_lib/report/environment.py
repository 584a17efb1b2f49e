"""What the templates of all pages share: the base page, escaping, and visible control characters."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from vsearch_lib.terminal import printable


def page_environment() -> Environment:
    """Return the environment of the templates of all pages.

    Text is escaped, and its control characters are shown as a terminal shows them, as in \\x1b and \\u202e.
    """
    return Environment(
        loader=PackageLoader("vsearch_lib.report"),
        autoescape=True,
        finalize=_visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _visible(value: object) -> object:
    # Text that is already markup comes from our own macros, and may have line breaks.
    return printable(value) if isinstance(value, str) and not hasattr(value, "__html__") else value
