"""The workloads in FastAPI, with its documentation pages left at their defaults."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Body, Depends, FastAPI, Request, Response
from fastapi.responses import FileResponse, PlainTextResponse

from benchmarks.asgi import AsgiApplication
from benchmarks.pydantic_models import Order, Receipt, model_of, receipt_of
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

NAME = "FastAPI"
PACKAGE = "fastapi"


def build(workload: str) -> AsgiApplication | None:
    """Return the FastAPI application for `workload`."""
    if workload in ("plain", "json", "path"):
        return _basic()
    if workload == "middleware":
        return _behind_middlewares()
    if workload in ("routes_few", "routes_many"):
        return _routes(MANY_ROUTES if workload == "routes_many" else FEW_ROUTES)
    return _MAKERS[workload]() if workload in _MAKERS else None


def document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of `app`."""
    described: dict[str, Any] = app.openapi()
    return described


def _basic() -> FastAPI:
    app = FastAPI()

    @app.get("/", response_class=PlainTextResponse)
    async def plain() -> str:
        return TEXT

    @app.get("/json")
    async def message() -> dict[str, str]:
        return JSON_MESSAGE

    @app.get("/items/{item_id}")
    async def item(item_id: int) -> dict[str, int]:
        return {"id": item_id}

    return app


async def _pass_through(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    return await call_next(request)


def _behind_middlewares() -> FastAPI:
    app = _basic()
    for _ in range(MIDDLEWARES):
        app.middleware("http")(_pass_through)
    return app


async def _provide() -> str:
    return TEXT


def _dependent() -> FastAPI:
    app = FastAPI()

    @app.get("/", response_class=PlainTextResponse)
    async def plain(text: Annotated[str, Depends(_provide)]) -> str:
        return text

    return app


def _chained() -> FastAPI:
    app = FastAPI()
    provide: Callable[..., Awaitable[str]] = _provide
    for _ in range(DEPENDENCIES - 1):
        provide = _after(provide)

    @app.get("/", response_class=PlainTextResponse)
    async def plain(text: Annotated[str, Depends(provide)]) -> str:
        return text

    return app


def _after(previous: Callable[..., Awaitable[str]]) -> Callable[..., Awaitable[str]]:
    async def provide(text: Annotated[str, Depends(previous)]) -> str:
        return text

    return provide


def _routes(count: int) -> FastAPI:
    app = FastAPI()

    async def thing(item_id: int) -> dict[str, int]:
        return {"id": item_id}

    for index in range(count):
        app.get(route_template(index, "{item_id}"))(thing)
    return app


def _json_in() -> FastAPI:
    app = FastAPI()

    @app.post("/echo")
    async def echo(order: Annotated[dict[str, Any], Body()]) -> dict[str, Any]:
        return order

    return app


def _form_in() -> FastAPI:
    app = FastAPI()

    @app.post("/form")
    async def form(request: Request) -> dict[str, Any]:
        async with request.form() as fields:
            return dict(fields.items())

    return app


def _query() -> FastAPI:
    app = FastAPI()

    @app.get("/search")
    async def search(term: str, limit: int) -> dict[str, str | int]:
        return {"term": term, "limit": limit}

    return app


def _validated() -> FastAPI:
    app = FastAPI()

    @app.post("/orders")
    async def create(order: Order) -> Receipt:
        return receipt_of(order)

    return app


def _typed_routes() -> FastAPI:
    app = FastAPI()
    for index in range(MANY_ROUTES):
        app.put(typed_template(index, "{thing_id}"), name=f"change{index}")(_changing(model_of(index)))
    return app


def _changing(model: Any) -> Callable[..., Awaitable[Any]]:
    async def change(thing_id: int, thing: model, notify: bool = False) -> model:
        return thing

    return change


def _file() -> FastAPI:
    app = FastAPI()
    path = file_path()

    @app.get("/file")
    async def file() -> FileResponse:
        return FileResponse(path)

    return app


_MAKERS: dict[str, Callable[[], FastAPI]] = {
    "dependency": _dependent,
    "dependencies": _chained,
    "json_in": _json_in,
    "form_in": _form_in,
    "query": _query,
    "validated": _validated,
    "typed_many": _typed_routes,
    "file": _file,
}
