"""The workloads in the published nexios 3.12, for the environment that has it.

Its names collide with those of the working tree, so this module is only ever
imported by a measuring process that was started by `isolated.py`. Where 3.12
differs: `request.json` and `request.form` are awaitable attributes, and a handler
has no typed inputs.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import nexios
from benchmarks.asgi import AsgiApplication
from benchmarks.workloads import (
    DEPENDENCIES,
    FEW_ROUTES,
    JSON_MESSAGE,
    MANY_ROUTES,
    MIDDLEWARES,
    TEXT,
    file_path,
    route_template,
)

__all__ = ["NAME", "PACKAGE", "build"]

NAME = "nexios 3.12 (published)"
PACKAGE = "nexios"

_NEXIOS: Any = nexios  # type checkers see the working tree, which has other names
_App = _NEXIOS.NexiosApp

if Path(nexios.__file__).resolve().is_relative_to(Path(__file__).resolve().parents[2] / "nexios"):
    raise ImportError("this is the nexios of the working tree, not a published one")


def build(workload: str) -> AsgiApplication | None:
    """Return the application of the published nexios for `workload`."""
    if workload in ("plain", "json", "path"):
        return _basic()
    if workload == "middleware":
        return _behind_middlewares()
    if workload in ("routes_few", "routes_many"):
        return _routes(MANY_ROUTES if workload == "routes_many" else FEW_ROUTES)
    return _MAKERS[workload]() if workload in _MAKERS else None


def _basic() -> Any:
    app = _App()

    @app.get("/")
    async def plain(request: Any, response: Any) -> Any:
        return response.text(TEXT)

    @app.get("/json")
    async def message(request: Any, response: Any) -> Any:
        return response.json(JSON_MESSAGE)

    @app.get("/items/{item_id:int}")
    async def item(request: Any, response: Any, item_id: int) -> Any:
        return response.json({"id": item_id})

    return app


async def _pass_through(request: Any, response: Any, call_next: Callable[[], Awaitable[Any]]) -> Any:
    return await call_next()


def _behind_middlewares() -> Any:
    app = _basic()
    for _ in range(MIDDLEWARES):
        app.add_middleware(_pass_through)
    return app


async def _provide() -> str:
    return TEXT


def _dependent() -> Any:
    app = _App()

    @app.get("/")
    async def plain(request: Any, response: Any, text: str = _NEXIOS.Depend(_provide)) -> Any:
        return response.text(text)

    return app


def _chained() -> Any:
    app = _App()
    provide: Callable[..., Awaitable[str]] = _provide
    for _ in range(DEPENDENCIES - 1):
        provide = _after(provide)

    @app.get("/")
    async def plain(request: Any, response: Any, text: str = _NEXIOS.Depend(provide)) -> Any:
        return response.text(text)

    return app


def _after(previous: Callable[..., Awaitable[str]]) -> Callable[..., Awaitable[str]]:
    async def provide(text: str = _NEXIOS.Depend(previous)) -> str:
        return text

    return provide


def _routes(count: int) -> Any:
    app = _App()

    async def thing(request: Any, response: Any, item_id: int) -> Any:
        return response.json({"id": item_id})

    for index in range(count):
        app.get(route_template(index))(thing)
    return app


def _json_in() -> Any:
    app = _App()

    @app.post("/echo")
    async def echo(request: Any, response: Any) -> Any:
        return response.json(await request.json)

    return app


def _form_in() -> Any:
    app = _App()

    @app.post("/form")
    async def form(request: Any, response: Any) -> Any:
        return response.json(dict((await request.form).items()))

    return app


def _file() -> Any:
    app = _App()
    path = str(file_path())

    @app.get("/file")
    async def file(request: Any, response: Any) -> Any:
        return response.file(path)

    return app


_MAKERS: dict[str, Callable[[], Any]] = {
    "dependency": _dependent,
    "dependencies": _chained,
    "json_in": _json_in,
    "form_in": _form_in,
    "file": _file,
}
