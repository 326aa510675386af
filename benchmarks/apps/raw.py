"""The yardstick: the same work in ASGI by hand, with nothing between server and bytes.

What is honest here: the header list, its content-length and the body are made for
each request, JSON goes through msgspec as it does in nexios, the path parameter is
cut out and converted, and a file is read in a worker thread.
"""

import asyncio
import os
from email.utils import formatdate
from urllib.parse import parse_qsl

import msgspec

from benchmarks.asgi import AsgiApplication, Receive, Scope, Send
from benchmarks.workloads import FEW_ROUTES, JSON_MESSAGE, MANY_ROUTES, MIDDLEWARES, TEXT, file_path, route_template

__all__ = ["NAME", "PACKAGE", "build", "plain"]

NAME = "raw ASGI"
PACKAGE = ""

_ITEMS = "/items/"
_PREFIX = len(_ITEMS)


def build(workload: str) -> AsgiApplication | None:
    """Return the hand-written application for `workload`."""
    if workload in ("plain", "json", "path"):
        return plain
    if workload == "middleware":
        return _behind(plain, MIDDLEWARES)
    if workload == "dependency":
        return _dependent
    if workload in ("routes_few", "routes_many"):
        return _router(MANY_ROUTES if workload == "routes_many" else FEW_ROUTES)
    if workload == "file":
        return _filed(str(file_path()))
    return {"json_in": _json_in, "form_in": _form_in}.get(workload)


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


async def _provide() -> str:
    return TEXT


async def _dependent(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["method"] == "GET" and scope["path"] == "/":
        await _answer(send, (await _provide()).encode(), b"text/plain; charset=utf-8")
    else:
        await _refuse(send, 404)


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


def _load(path: str) -> tuple[os.stat_result, bytes]:
    with open(path, "rb") as file:
        return os.fstat(file.fileno()), file.read()


def _filed(path: str) -> AsgiApplication:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "GET" or scope["path"] != "/file":
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
