"""The workloads in BlackSheep, whose core is compiled with Cython.

Its dependencies are made by synchronous factories only, so those workloads are left
out. A body is bound to a pydantic model; the answer is whatever the handler makes of it.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from blacksheep import Application, Request, Response, file, json, text
from blacksheep.server.responses import ContentDispositionType
from blacksheep.server.routing import Router

from benchmarks.asgi import AsgiApplication
from benchmarks.pydantic_models import Order, model_of, receipt_of
from benchmarks.workloads import (
    FEW_ROUTES,
    JSON_MESSAGE,
    MANY_ROUTES,
    MIDDLEWARES,
    TEXT,
    file_path,
    route_template,
    typed_template,
)

__all__ = ["NAME", "PACKAGE", "build"]

NAME = "BlackSheep"
PACKAGE = "blacksheep"

_FILE = str(file_path())


def build(workload: str) -> AsgiApplication | None:
    """Return the BlackSheep application for `workload`."""
    app = Application(router=Router())
    if workload in ("plain", "json", "path", "middleware"):
        _add_basic(app)
        if workload == "middleware":
            app.middlewares.extend([_pass_through] * MIDDLEWARES)
    elif workload in ("routes_few", "routes_many"):
        for index in range(MANY_ROUTES if workload == "routes_many" else FEW_ROUTES):
            app.router.add_get(route_template(index, "{int:item_id}"), _item)
    elif workload == "json_in":
        app.router.add_post("/echo", _echo)
    elif workload == "form_in":
        app.router.add_post("/form", _form)
    elif workload == "file":
        app.router.add_get("/file", _file)
    elif workload in ("query", "validated", "typed_many"):
        _add_typed(app, workload)
    else:
        return None
    return app


def _add_typed(app: Any, workload: str) -> None:
    if workload == "query":
        app.router.add_get("/search", _query)
    elif workload == "validated":
        app.router.add_post("/orders", _validated)
    else:
        for index in range(MANY_ROUTES):
            app.router.add_put(typed_template(index, "{int:thing_id}"), _changing(model_of(index)))


def _add_basic(app: Any) -> None:
    app.router.add_get("/", _plain)
    app.router.add_get("/json", _message)
    app.router.add_get("/items/{int:item_id}", _item)


async def _plain(request: Request) -> Response:
    return text(TEXT)


async def _message(request: Request) -> Response:
    return json(JSON_MESSAGE)


async def _item(item_id: int) -> Response:
    return json({"id": item_id})


async def _pass_through(request: Request, handler: Callable[[Request], Awaitable[Response]]) -> Response:
    return await handler(request)


async def _echo(request: Request) -> Response:
    return json(await request.json())


async def _form(request: Request) -> Response:
    return json(await request.form())


async def _query(term: str, limit: int) -> Response:
    return json({"term": term, "limit": limit})


async def _validated(order: Order) -> Response:
    return json(receipt_of(order))


def _changing(model: Any) -> Callable[..., Awaitable[Response]]:
    async def change(thing_id: int, thing: model, notify: bool = False) -> Response:
        return json(thing)

    return change


async def _file(request: Request) -> Response:
    return file(_FILE, "application/octet-stream", content_disposition=ContentDispositionType.INLINE)
