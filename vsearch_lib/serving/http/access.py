"""Who may ask: holders of an API key, if there are keys; else programs and pages of this machine."""

import hmac
import ipaddress
from collections.abc import Callable, Mapping, Sequence

from starlette.types import ASGIApp, Receive, Scope, Send

from vsearch_lib.errors import UsageError
from vsearch_lib.serving.http.problems import Problem, problem_response

KEYS_VARIABLE = "VSEARCH_API_KEYS"
_MIN_CHARACTERS = 16


def api_keys(environment: Mapping[str, str]) -> tuple[bytes, ...]:
    """Return the keys in the variable VSEARCH_API_KEYS, which are separated by commas.

    Raises:
        UsageError: a key is so short that it could be guessed. The message does not repeat it.
    """
    keys = [key.strip() for key in environment.get(KEYS_VARIABLE, "").split(",")]
    given = [key for key in keys if key]
    if any(len(key) < _MIN_CHARACTERS or not key.isascii() for key in given):
        raise UsageError(
            f"{KEYS_VARIABLE}: each key must have {_MIN_CHARACTERS} or more ASCII characters; "
            "make one with: python3 -c 'import secrets; print(secrets.token_urlsafe())'"
        )
    return tuple(key.encode() for key in given)


def is_loopback(host: str) -> bool:
    """Whether `host`, a name or an address without port, is this machine itself."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Access:
    """ASGI middleware: with keys, the header X-API-Key must be one of them; `is_open` names paths that need none.

    Without keys the service listens on loopback only. Then the header Host must name this machine: else a page of
    another site, whose name is changed to lead here (DNS rebinding), could read what the service answers.
    """

    def __init__(self, app: ASGIApp, *, keys: Sequence[bytes], is_open: Callable[[str], bool]) -> None:
        self._app, self._keys, self._is_open = app, keys, is_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        problem = self._problem(scope) if scope["type"] == "http" else None
        await (problem_response(problem) if problem else self._app)(scope, receive, send)

    def _problem(self, scope: Scope) -> Problem | None:
        headers = dict(scope["headers"])
        if not self._keys:
            host = headers.get(b"host", b"").decode("latin-1")
            name = host if host.endswith("]") else host.rpartition(":")[0] or host
            local = is_loopback(name)
            return None if local else Problem(400, "the header Host does not name this machine; use 127.0.0.1")
        if self._is_open(scope["path"]):
            return None
        given = headers.get(b"x-api-key", b"")
        # Each key is compared, so that the time does not say which one is similar.
        known = [hmac.compare_digest(given, key) for key in self._keys]
        return None if any(known) else Problem(401, "the header X-API-Key is missing or wrong", {"Connection": "close"})
