"""Something done again and again while something else goes on: how far a step is, told while it runs."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def every(seconds: float, action: Callable[[], None]) -> Iterator[None]:
    """Call `action` again and again with so many seconds between, in a thread of its own, until the block ends."""
    ended = threading.Event()

    def again() -> None:
        while not ended.wait(seconds):
            action()

    thread = threading.Thread(target=again, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
