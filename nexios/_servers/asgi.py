"""How does an ASGI server reach the core? HTTP exchanges and the lifespan (ASGI 3.0, HTTP spec 2.4).

The words scope, receive and send stay in this folder.
"""

import contextlib
import logging
from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping, Sequence
from typing import Any

import msgspec

from nexios._pipeline.engine import Engine
from nexios._servers.asgi_body import Ahead, ASGIBody
from nexios._servers.asgi_head import ASGIHead
from nexios._servers.asgi_websocket import serve_websocket
from nexios._servers.faults import send_failed
from nexios._servers.freeing import forget_frames
from nexios._servers.linger import has_body, read_out
from nexios.errors import ClientDisconnect
from nexios.messages.patience import Rest
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.messages.send import send_response
from nexios.messages.transport import Pairs, PatientTransport
from nexios.settings import Limits

__all__ = ["ASGIApplication", "ASGITransport"]

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

logger = logging.getLogger("nexios")

_LEFT = "the client left before the response was sent"

_USUAL_NAMES = ("accept", "authorization", "content-encoding", "content-length", "content-type", "cookie", "origin")
_NAMES = {name: name.encode() for name in _USUAL_NAMES}
"""Names that many requests are asked for."""

_JSON = ["application/json"]
_USUAL = {text.encode(): text for text in ("*/*", "application/json")}
"""Values that come with most requests, decoded once."""

_MAX_DIGITS = 15
"""Of a Content-Length that needs no closer look."""

_MAX_CACHED = 4096
_heads: dict[Pairs, list[tuple[bytes, bytes]]] = {}
"""Encoded heads of plain responses (a content type and a length), emptied when full. No request text gets in."""
_encoded: dict[tuple[str, str], tuple[bytes, bytes]] = {}
"""Short header pairs that were sent before, encoded; emptied when full."""


def _encode(headers: Pairs) -> list[tuple[bytes, bytes]]:
    """Return headers as ASGI wants them, in a list of the caller's own."""
    if type(headers) is tuple:
        head = _heads.get(headers)
        if head is None:
            if len(_heads) >= _MAX_CACHED:
                _heads.clear()
            head = _heads[headers] = [_encode_pair(pair) for pair in headers]
        return head.copy()
    return [_encoded.get(pair) or _encode_pair(pair) for pair in headers]


def _encode_pair(pair: tuple[str, str]) -> tuple[bytes, bytes]:
    encoded = (pair[0].encode("latin-1"), pair[1].encode("latin-1"))
    if len(pair[1]) <= 64 and pair[0] != "set-cookie":
        if len(_encoded) >= _MAX_CACHED:
            _encoded.clear()
        _encoded[pair] = encoded
    return encoded


class ASGITransport(ASGIHead, ASGIBody, PatientTransport, msgspec.Struct, eq=False):
    """One ASGI HTTP exchange. The server's `send` waits while the client takes nothing."""

    _scope: Scope
    _receive: Receive
    _send: Send
    started: bool = False
    _ended: bool = False
    _gone: bool = False
    _asked: bool = False
    _reading: bool = False
    _begun: Rest | None = None
    _heard: bytes = b""
    _ahead: Ahead | None = None
    _fields: dict[bytes, bytes] | None = None
    _held: bytes | None = None
    """The end of a response, which waits for the rest of the request."""

    @property
    def method(self) -> str:
        return self._scope["method"]  # type: ignore[no-any-return]

    @property
    def scheme(self) -> str:
        return self._scope.get("scheme") or "http"

    def header_values(self, name: str) -> list[str]:
        try:
            wanted = _NAMES[name]
        except KeyError:
            wanted = name.encode("latin-1")
        if fields := self._fields:
            value = fields.get(wanted)
            return [] if value is None else [_USUAL.get(value) or value.decode("latin-1")]
        values: list[str] = []
        for key, value in self._scope["headers"]:
            if key == wanted:
                values.append(value.decode("latin-1"))
        return values

    def body_fields(self) -> tuple[Sequence[str], Sequence[str | bytes], Sequence[str]]:
        headers = self._scope["headers"]
        fields = self._fields = dict(headers)
        if len(fields) != len(headers):
            self._fields = {}
            values = self.header_values
            return values("content-type"), values("content-length"), values("content-encoding")
        kind, length = fields.get(b"content-type"), fields.get(b"content-length")
        return (
            _JSON if kind == b"application/json" else () if kind is None else [kind.decode("latin-1")],
            () if length is None else (length,),
            [fields[b"content-encoding"].decode("latin-1")] if b"content-encoding" in fields else (),
        )

    def json_at_hand(self, limit: int | None) -> bytes | None:
        headers = self._scope["headers"]
        fields = dict(headers)
        length = fields.get(b"content-length", b"0")
        if (
            fields.get(b"content-type") == b"application/json"
            and b"content-encoding" not in fields
            and len(fields) == len(headers)
            and length.isdigit()
            and len(length) <= _MAX_DIGITS
            and (limit is None or int(length) <= limit)
            and not self._asked
        ):
            self._fields = fields
            body = self._at_hand()
            if body is not None and (limit is None or len(body) <= limit):
                return body
        return None

    async def send_bytes(self, status: int, headers: Pairs, body: bytes) -> None:
        head = _heads.get(headers) if type(headers) is tuple else None
        head = head.copy() if head is not None else _encode(headers)
        try:
            await self._send({"type": "http.response.start", "status": status, "headers": head})
            if self._ended or self._scope["method"] == "GET" or not self._comes_early:
                await self._send({"type": "http.response.body", "body": body})
            else:
                self._held = body[-1:] if self._counts_bytes else b""
                body = body[: len(body) - len(self._held)]
                await self._send({"type": "http.response.body", "body": body, "more_body": True})
        except OSError as exc:
            raise ClientDisconnect(_LEFT) from exc
        except Exception:
            self.started = True
            raise

    async def send_empty(self, status: int, headers: Pairs) -> None:
        await self.send_bytes(status, headers, b"")

    async def send_file(self, status: int, headers: Pairs, path: str, start: int, stop: int, *, whole: bool) -> bool:
        """Use `http.response.pathsend` where it is offered; it knows whole files only."""
        if not whole or "http.response.pathsend" not in (self._scope.get("extensions") or ()):
            return False
        await self._begin(status, headers)
        await self._write({"type": "http.response.pathsend", "path": path})
        return True

    async def send_stream(self, status: int, headers: Pairs, chunks: AsyncIterator[bytes]) -> None:
        await self._begin(status, headers)
        async for chunk in chunks:
            await self._write({"type": "http.response.body", "body": chunk, "more_body": True})
        if self._comes_early:
            self._held = b""
        else:
            await self._write({"type": "http.response.body", "body": b"", "more_body": False})

    async def end_late(self, limits: Limits) -> None:
        """End a response that came before the request was whole: servers close the connection at the end."""
        self._ahead = None
        await read_out(self, limits)
        with contextlib.suppress(OSError):
            await self._send({"type": "http.response.body", "body": self._held, "more_body": False})

    @property
    def _comes_early(self) -> bool:
        return not self._ended and not self._gone and has_body(self)

    @property
    def _counts_bytes(self) -> bool:
        """Granian, the one server with this extension, reads no more once the promised length is sent."""
        return "http.response.pathsend" in (self._scope.get("extensions") or ())

    async def _begin(self, status: int, headers: Pairs) -> None:
        self.started = True
        await self._write({"type": "http.response.start", "status": status, "headers": _encode(headers)})

    async def _write(self, message: Message) -> None:
        """Since HTTP spec 2.4 a server says with OSError that the client has gone."""
        try:
            await self._send(message)
        except OSError as exc:
            raise ClientDisconnect(_LEFT) from exc


class ASGIApplication:
    """The ASGI side of an application: `await app(scope, receive, send)`."""

    __slots__ = ()
    _engine: Engine | None

    @property
    @abstractmethod
    def engine(self) -> Engine:
        """The compiled app."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] != "http":
            await self._serve_other(scope, receive, send)
            return
        engine = self._engine or self.engine
        transport = ASGITransport(scope, receive, send)
        path = scope["path"]
        request = Request(transport, engine, scope["method"], path, path)
        if root_path := scope.get("root_path"):
            request.enter(root_path.rstrip("/"))
        response: Response | None = None
        broken: BaseException | None = None
        try:
            response = await engine.handle(request)
            await send_response(transport, request, response)
        except Exception as exc:
            broken = exc
            await send_failed(transport, request, exc)
        except BaseException as exc:
            broken = exc
            raise
        finally:
            if (
                transport._ahead is not None
                or request._scopes is not None
                or (request._body is not None and (request._form is not None or request._body._disconnect is not None))
                or (response is not None and response.background is not None)
            ):
                transport.stop_reading()
                await engine.finish(request, response, broken)
        if transport._held is not None:
            await transport.end_late(request.limits)
            forget_frames(response)

    async def _serve_other(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "lifespan":
            await _serve_lifespan(self, receive, send)
        elif kind == "websocket":
            await serve_websocket(self.engine, scope, receive, send)
        else:
            raise ValueError(f"nexios does not serve ASGI connections of type {kind!r}")


async def _serve_lifespan(application: ASGIApplication, receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            try:
                await application.engine.start()
            except Exception as exc:
                logger.exception("the application did not start")
                await send({"type": "lifespan.startup.failed", "message": f"{type(exc).__name__}: {exc}"})
                return
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await application.engine.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return
