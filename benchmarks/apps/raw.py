"""The yardstick: the same work in ASGI by hand, with nothing between server and bytes.

What is honest here: the header list, its content-length and the body are made for
each request, JSON goes through msgspec as it does in nexios, the path parameter is
cut out and converted, and a file is read in a worker thread.
"""

import asyncio
import hashlib
import importlib
import os
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from urllib.parse import parse_qsl

import itsdangerous
import msgspec

from benchmarks.asgi import AsgiApplication, Receive, Scope, Send
from benchmarks.models import Order, model_of, receipt_of
from benchmarks.workloads import (
    DEPENDENCIES,
    FEW_ROUTES,
    JSON_MESSAGE,
    MANY_ROUTES,
    MIDDLEWARES,
    SECRET,
    TEXT,
    WORKLOADS,
    file_path,
    route_template,
    typed_template,
)

__all__ = ["NAME", "PACKAGE", "build", "plain"]

NAME = "raw ASGI"
PACKAGE = ""

_ITEMS = "/items/"
_PREFIX = len(_ITEMS)


def build(workload: str) -> AsgiApplication | None:
    """Return the hand-written application for `workload`."""
    if workload in ("plain", "json", "path", "cors", "cors_origin", "session"):
        return plain
    if workload == "middleware":
        return _behind(plain, MIDDLEWARES)
    if workload == "dependency":
        return _dependent
    if workload == "dependencies":
        return _chained()
    if workload == "session_read":
        return _reading_a_signed_value()
    if workload == "jwt":  # in a file of its own: the environment of the published nexios has no joserfc
        checking: AsgiApplication = importlib.import_module("benchmarks.apps.raw_jwt").build(workload)
        return checking
    if workload == "typed_many":
        return _typed_router()
    if workload in ("routes_few", "routes_many"):
        return _router(MANY_ROUTES if workload == "routes_many" else FEW_ROUTES)
    if workload in ("file", "static"):
        return _filed(str(file_path()), WORKLOADS[workload].path)
    return {"json_in": _json_in, "form_in": _form_in, "query": _query, "validated": _validated}.get(workload)


async def _answer(send: Send, body: bytes, content_type: bytes) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-type", content_type), (b"content-length", str(len(body)).encode("latin-1"))],
        }
    )
    await send({"type": "http.response.body", "body": body})


async def _refuse(send: Send, status: int) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


async def plain(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer the three basic routes; on "/" it is the unit that other costs are counted in."""
    if scope["method"] != "GET":
        await _refuse(send, 405)
        return
    path: str = scope["path"]
    if path == "/":
        await _answer(send, TEXT.encode(), b"text/plain; charset=utf-8")
    elif path == "/json":
        await _answer(send, msgspec.json.encode(JSON_MESSAGE), b"application/json")
    elif path.startswith(_ITEMS):
        await _answer(send, msgspec.json.encode({"id": int(path[_PREFIX:])}), b"application/json")
    else:
        await _refuse(send, 404)


def _behind(app: AsgiApplication, layers: int) -> AsgiApplication:
    for _ in range(layers):
        app = _pass_through(app)
    return app


def _pass_through(app: AsgiApplication) -> AsgiApplication:
    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)

    return middleware


def _reading_a_signed_value() -> AsgiApplication:
    """A value as itsdangerous signs it, and nothing else of a session; it is not in the cookie, which nexios signed."""
    serializer = itsdangerous.URLSafeTimedSerializer(
        SECRET, signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"}
    )
    signed = serializer.dumps({"text": TEXT})

    async def read(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "GET" or not any(name == b"cookie" for name, _ in scope["headers"]):
            await _refuse(send, 400)
            return
        value: dict[str, str] = serializer.loads(signed, max_age=30 * 86400)
        await _answer(send, value["text"].encode(), b"text/plain; charset=utf-8")

    return read


async def _provide() -> str:
    return TEXT


async def _dependent(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["method"] == "GET" and scope["path"] == "/":
        await _answer(send, (await _provide()).encode(), b"text/plain; charset=utf-8")
    else:
        await _refuse(send, 404)


def _chained() -> AsgiApplication:
    provide: Callable[[], Awaitable[str]] = _provide
    for _ in range(DEPENDENCIES - 1):
        provide = _after(provide)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "GET" and scope["path"] == "/":
            await _answer(send, (await provide()).encode(), b"text/plain; charset=utf-8")
        else:
            await _refuse(send, 404)

    return app


def _after(previous: Callable[[], Awaitable[str]]) -> Callable[[], Awaitable[str]]:
    async def provide() -> str:
        return await previous()

    return provide


def _router(routes: int) -> AsgiApplication:
    known = {route_template(index, "") for index in range(routes)}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        prefix, slash, item_id = scope["path"].rpartition("/")
        if scope["method"] == "GET" and prefix + slash in known:
            await _answer(send, msgspec.json.encode({"id": int(item_id)}), b"application/json")
        else:
            await _refuse(send, 404)

    return app


async def _read(receive: Receive) -> bytes:
    chunks = []
    more = True
    while more:
        message = await receive()
        chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(chunks)


async def _json_in(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["method"] == "POST" and scope["path"] == "/echo":
        order = msgspec.json.decode(await _read(receive))
        await _answer(send, msgspec.json.encode(order), b"application/json")
    else:
        await _refuse(send, 404)


async def _form_in(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["method"] == "POST" and scope["path"] == "/form":
        fields = parse_qsl((await _read(receive)).decode(), keep_blank_values=True, max_num_fields=1000)
        await _answer(send, msgspec.json.encode(dict(fields)), b"application/json")
    else:
        await _refuse(send, 404)


async def _query(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["method"] != "GET" or scope["path"] != "/search":
        await _refuse(send, 404)
        return
    query = _query_of(scope)
    try:
        found = {"term": query["term"], "limit": int(query["limit"])}
    except (KeyError, ValueError):
        await _refuse(send, 422)
        return
    await _answer(send, msgspec.json.encode(found), b"application/json")


def _query_of(scope: Scope) -> dict[str, str]:
    return dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True, max_num_fields=1000))


_ORDERS = msgspec.json.Decoder(Order)


async def _validated(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["method"] != "POST" or scope["path"] != "/orders":
        await _refuse(send, 404)
        return
    try:
        order = _ORDERS.decode(await _read(receive))
    except msgspec.ValidationError:
        await _refuse(send, 422)
        return
    await _answer(send, msgspec.json.encode(receipt_of(order)), b"application/json")


_FLAGS = {"true": True, "false": False}


def _typed_router() -> AsgiApplication:
    decoders = {typed_template(index, ""): msgspec.json.Decoder(model_of(index)) for index in range(MANY_ROUTES)}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        prefix, slash, thing_id = scope["path"].rpartition("/")
        decoder = decoders.get(prefix + slash)
        if scope["method"] != "PUT" or decoder is None:
            await _refuse(send, 404)
            return
        try:
            int(thing_id), _FLAGS[_query_of(scope).get("notify", "false")]
            thing = decoder.decode(await _read(receive))
        except (KeyError, ValueError):
            await _refuse(send, 422)
            return
        await _answer(send, msgspec.json.encode(thing), b"application/json")

    return app


def _load(path: str) -> tuple[os.stat_result, bytes]:
    with open(path, "rb") as file:
        return os.fstat(file.fileno()), file.read()


def _filed(path: str, at: str) -> AsgiApplication:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "GET" or scope["path"] != at:
            await _refuse(send, 404)
            return
        status, body = await asyncio.get_running_loop().run_in_executor(None, _load, path)
        headers = [
            (b"content-type", b"application/octet-stream"),
            (b"content-length", str(len(body)).encode("latin-1")),
            (b"last-modified", formatdate(status.st_mtime, usegmt=True).encode("latin-1")),
            (b"etag", f'"{status.st_mtime_ns:x}-{status.st_size:x}"'.encode("latin-1")),
            (b"accept-ranges", b"bytes"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app
