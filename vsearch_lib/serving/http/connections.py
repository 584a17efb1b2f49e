"""Connections that open and then send or read slowly are closed, and cannot keep others out."""

import asyncio
import json
from collections import OrderedDict

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEADER_BYTES = 16_384  # of a request's line and headers together


def bounded_connections(*, max_connections: int, seconds: float) -> type[H11Protocol]:
    """Return uvicorn's protocol with limits on slow and on many connections, for one server.

    A connection has `seconds` to send the headers of a request, and the same to take the response, or it is closed. If
    there are more than `max_connections`, the one that has waited longest for the headers of a request is closed.
    """
    waiting: OrderedDict[H11Protocol, asyncio.TimerHandle] = OrderedDict()

    class BoundedConnection(H11Protocol):
        _stuck: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._wait()
            if len(self.connections) > max_connections and waiting:
                oldest, timer = waiting.popitem(last=False)
                timer.cancel()
                oldest.transport.abort()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_waiting()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self._in_work():
                self._stop_waiting()

        def on_response_complete(self) -> None:
            super().on_response_complete()  # begins with the next request, if that was sent before this response
            if not self._in_work():
                self._wait()

        def pause_writing(self) -> None:
            super().pause_writing()
            self._stuck = self.loop.call_later(seconds, self.transport.abort)

        def resume_writing(self) -> None:
            super().resume_writing()
            if self._stuck:
                self._stuck.cancel()

        def send_400_response(self, msg: str) -> None:
            content = json.dumps({"error": "this is not a valid HTTP request"}).encode()
            headers = [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(content)).encode()),
                (b"connection", b"close"),
            ]
            # After a response has begun no other one can be sent.
            if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                response = h11.Response(status_code=400, headers=headers, reason=b"Bad Request")
                for event in (response, h11.Data(data=content), h11.EndOfMessage()):
                    self.transport.write(self.conn.send(event) or b"")
            self.transport.close()

        def _in_work(self) -> bool:
            return self.cycle is not None and not self.cycle.response_complete

        def _wait(self) -> None:
            if self not in waiting and not self.transport.is_closing():
                waiting[self] = self.loop.call_later(seconds, self.transport.abort)

        def _stop_waiting(self) -> None:
            if timer := waiting.pop(self, None):
                timer.cancel()

    return BoundedConnection
