"""The workloads in Litestar, without its logging set-up, and its OpenAPI document in the typed routes only.

Its only middleware is ASGI middleware.
"""

from inspect import Parameter, Signature
from typing import Any

from litestar import Litestar, MediaType, Request, get, post, put
from litestar.di import Provide
from litestar.handlers.base import BaseRouteHandler
from litestar.middleware import ASGIMiddleware
from litestar.openapi import OpenAPIConfig
from litestar.response import File
from litestar.types import ASGIApp, Receive, Scope, Send

from benchmarks.asgi import AsgiApplication
from benchmarks.models import Order, Receipt, model_of, receipt_of
from benchmarks.workloads import (
    DEPENDENCIES,
    FEW_ROUTES,
    JSON_MESSAGE,
    MANY_ROUTES,
    MIDDLEWARES,
    TEXT,
    file_path,
    route_template,
    typed_template,
)

__all__ = ["NAME", "PACKAGE", "build", "document"]

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
    if workload == "typed_many":
        config = OpenAPIConfig(title="Litestar", version="1")
        return _app([_changing(index, model_of(index)) for index in range(MANY_ROUTES)], openapi_config=config)
    return _app([_HANDLERS[workload]]) if workload in _HANDLERS else None


def document(app: Any) -> dict[str, Any]:
    """Return the OpenAPI document of `app`."""
    described: dict[str, Any] = app.openapi_schema.to_schema()
    return described


def _app(handlers: list[Any], *, openapi_config: OpenAPIConfig | None = None, **options: Any) -> Any:
    return Litestar(handlers, openapi_config=openapi_config, logging_config=None, **options)


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


# A dependency is told by its name here, so each of the chain has a parameter with the name of the one before.


def _after(name: str) -> Provide:
    async def provide(**given: str) -> str:
        return given[name]

    provide.__signature__ = Signature([Parameter(name, Parameter.KEYWORD_ONLY, annotation=str)], return_annotation=str)  # type: ignore[attr-defined]
    provide.__annotations__ = {name: str, "return": str}
    return Provide(provide, use_cache=False)


def _chain() -> dict[str, Provide]:
    steps = {f"step{number}": _after(f"step{number - 1}") for number in range(1, DEPENDENCIES - 1)}
    return {"step0": Provide(_provide, use_cache=False), **steps, "text": _after(f"step{DEPENDENCIES - 2}")}


@get("/", media_type=MediaType.TEXT, dependencies=_chain())
async def _chained(text: str) -> str:
    return text


@get("/search")
async def _query(term: str, limit: int) -> dict[str, str | int]:
    return {"term": term, "limit": limit}


@post("/orders", status_code=200)
async def _validated(data: Order) -> Receipt:
    return receipt_of(data)


def _changing(index: int, model: Any) -> BaseRouteHandler:
    @put(typed_template(index), name=f"change{index}")
    async def change(thing_id: int, data: model, notify: bool = False) -> model:
        return data

    return change


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


_HANDLERS: dict[str, BaseRouteHandler] = {
    "dependency": _dependent,
    "dependencies": _chained,
    "json_in": _echo,
    "form_in": _form,
    "query": _query,
    "validated": _validated,
    "file": _file,
}
