"""The workloads in BlackSheep, whose core is compiled with Cython.

Its dependencies are made by synchronous factories only, so that workload is left out.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from blacksheep import Application, Request, Response, file, json, text
from blacksheep.server.responses import ContentDispositionType
from blacksheep.server.routing import Router

from benchmarks.asgi import AsgiApplication
from benchmarks.workloads import FEW_ROUTES, JSON_MESSAGE, MANY_ROUTES, MIDDLEWARES, TEXT, file_path, route_template

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
    else:
        return None
    return app


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


async def _file(request: Request) -> Response:
    return file(_FILE, "application/octet-stream", content_disposition=ContentDispositionType.INLINE)
