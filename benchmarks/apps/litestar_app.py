"""The workloads in Litestar, without its OpenAPI document and its logging set-up.

Its only middleware is ASGI middleware.
"""

from typing import Any

from litestar import Litestar, MediaType, Request, get, post
from litestar.di import Provide
from litestar.handlers.base import BaseRouteHandler
from litestar.middleware import ASGIMiddleware
from litestar.response import File
from litestar.types import ASGIApp, Receive, Scope, Send

from benchmarks.asgi import AsgiApplication
from benchmarks.workloads import FEW_ROUTES, JSON_MESSAGE, MANY_ROUTES, MIDDLEWARES, TEXT, file_path, route_template

__all__ = ["NAME", "PACKAGE", "build"]

NAME = "Litestar"
PACKAGE = "litestar"

_FILE = file_path()


class _PassThrough(ASGIMiddleware):
    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        await next_app(scope, receive, send)


def build(workload: str) -> AsgiApplication | None:
    """Return the Litestar application for `workload`."""
    if workload in ("plain", "json", "path"):
        return _app([_plain, _message, _item])
    if workload == "middleware":
        return _app([_plain, _message, _item], middleware=[_PassThrough() for _ in range(MIDDLEWARES)])
    if workload in ("routes_few", "routes_many"):
        count = MANY_ROUTES if workload == "routes_many" else FEW_ROUTES
        return _app([_thing(index) for index in range(count)])
    handlers = {"dependency": _dependent, "json_in": _echo, "form_in": _form, "file": _file}
    return _app([handlers[workload]]) if workload in handlers else None


def _app(handlers: list[Any], **options: Any) -> Any:
    return Litestar(handlers, openapi_config=None, logging_config=None, **options)


@get("/", media_type=MediaType.TEXT)
async def _plain() -> str:
    return TEXT


@get("/json")
async def _message() -> dict[str, str]:
    return JSON_MESSAGE


@get("/items/{item_id:int}")
async def _item(item_id: int) -> dict[str, int]:
    return {"id": item_id}


async def _provide() -> str:
    return TEXT


@get("/", media_type=MediaType.TEXT, dependencies={"text": Provide(_provide, use_cache=False)})
async def _dependent(text: str) -> str:
    return text


def _thing(index: int) -> BaseRouteHandler:
    @get(route_template(index))
    async def thing(item_id: int) -> dict[str, int]:
        return {"id": item_id}

    return thing


@post("/echo", status_code=200)
async def _echo(data: dict[str, Any]) -> dict[str, Any]:
    return data


@post("/form", status_code=200)
async def _form(request: Request[Any, Any, Any]) -> dict[str, Any]:
    return dict((await request.form()).items())


@get("/file")
async def _file() -> File:
    return File(path=_FILE)
