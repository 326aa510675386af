"""The workloads in nexios, written as its documentation would write them."""

from collections.abc import Awaitable, Callable
from typing import Any

import nexios
from benchmarks.asgi import AsgiApplication
from benchmarks.models import Order, Receipt, model_of, receipt_of
from benchmarks.workloads import (
    AUDIENCE,
    DEPENDENCIES,
    FEW_ROUTES,
    ISSUER,
    JSON_MESSAGE,
    MANY_ROUTES,
    MIDDLEWARES,
    ORIGIN,
    SECRET,
    SIGNED_AT,
    TEXT,
    file_path,
    route_template,
    typed_template,
)
from nexios import HTTPException, NexiosApp, Request, Response
from nexios.auth.jwt import JWT, JWTAuth
from nexios.auth.requires import requires
from nexios.middleware import CORSMiddleware
from nexios.session import SessionMiddleware
from nexios.static import StaticFiles

__all__ = ["NAME", "PACKAGE", "basic", "build", "document"]

NAME = "nexios"
PACKAGE = "nexios"
_NEXIOS: Any = nexios  # a workload for what is not built yet fails alone


def build(workload: str) -> AsgiApplication | None:
    """Return the nexios application for `workload`."""
    if workload in ("plain", "json", "path"):
        return basic()
    if workload == "middleware":
        return _behind_middlewares()
    if workload in ("routes_few", "routes_many"):
        return _routes(MANY_ROUTES if workload == "routes_many" else FEW_ROUTES)
    return _MAKERS[workload]() if workload in _MAKERS else None


def document(app: NexiosApp) -> dict[str, Any]:
    """Return the OpenAPI document of `app`."""
    described: dict[str, Any] = _NEXIOS.NexiosApp.openapi(app)
    return described


def basic() -> NexiosApp:
    """Return the application of three routes that the server benchmarks use too."""
    app = NexiosApp()

    @app.get("/")
    async def plain(request: Request, response: Response) -> Response:
        return response.text(TEXT)

    @app.get("/json")
    async def message(request: Request, response: Response) -> Response:
        return response.json(JSON_MESSAGE)

    @app.get("/items/{item_id:int}")
    async def item(request: Request, response: Response, item_id: int) -> Response:
        return response.json({"id": item_id})

    return app


async def _pass_through(request: Request, response: Response, call_next: Callable[[], Awaitable[Response]]) -> Response:
    return await call_next()


def _behind_cors() -> NexiosApp:
    app = basic()
    app.add_middleware(CORSMiddleware, allow_origins=[ORIGIN], allow_credentials=True)
    return app


def _behind_sessions() -> NexiosApp:
    app = basic()
    app.add_middleware(SessionMiddleware, secret_key=SECRET)
    return app


def _reading_its_session() -> NexiosApp:
    app = NexiosApp()
    app.add_middleware(SessionMiddleware, secret_key=SECRET, clock=lambda: SIGNED_AT)

    @app.get("/")
    async def read(request: Request, response: Response) -> Response:
        return response.text(request.session["text"])

    return app


def _checking_a_token() -> NexiosApp:
    app = NexiosApp()
    app.auth_backend = JWTAuth(JWT(SECRET, algorithms=["HS256"], issuer=ISSUER, audience=AUDIENCE))

    @app.get("/")
    @requires()
    async def read(request: Request, response: Response) -> Response:
        return response.text(request.user["sub"])

    return app


def _behind_middlewares() -> NexiosApp:
    app = basic()
    for _ in range(MIDDLEWARES):
        app.add_middleware(_pass_through)
    return app


async def _provide() -> str:
    return TEXT


def _dependent() -> NexiosApp:
    app = NexiosApp()

    @app.get("/")
    async def plain(request: Request, response: Response, text: str = _NEXIOS.Depend(_provide)) -> Response:
        return response.text(text)

    return app


def _chained() -> NexiosApp:
    app = NexiosApp()
    provide: Callable[..., Awaitable[str]] = _provide
    for _ in range(DEPENDENCIES - 1):
        provide = _after(provide)

    @app.get("/")
    async def plain(request: Request, response: Response, text: str = _NEXIOS.Depend(provide)) -> Response:
        return response.text(text)

    return app


def _after(previous: Callable[..., Awaitable[str]]) -> Callable[..., Awaitable[str]]:
    async def provide(text: str = _NEXIOS.Depend(previous)) -> str:
        return text

    return provide


def _routes(count: int) -> NexiosApp:
    app = NexiosApp()

    async def thing(request: Request, response: Response, item_id: int) -> Response:
        return response.json({"id": item_id})

    for index in range(count):
        app.get(route_template(index))(thing)
    return app


def _json_in() -> NexiosApp:
    app = NexiosApp()

    @app.post("/echo")
    async def echo(request: Request, response: Response) -> Response:
        return response.json(await request.json())

    return app


def _form_in() -> NexiosApp:
    app = NexiosApp()

    @app.post("/form")
    async def form(request: Request, response: Response) -> Response:
        return response.json(dict((await request.form()).items()))

    return app


def _query() -> NexiosApp:
    app = NexiosApp()

    @app.get("/search")
    async def search(term: str, limit: int) -> dict[str, object]:
        return {"term": term, "limit": limit}

    return app


def _validated() -> NexiosApp:
    app = NexiosApp()

    @app.post("/orders")
    async def create(order: Order) -> Receipt:
        return receipt_of(order)

    return app


def _typed_routes() -> NexiosApp:
    app = NexiosApp()
    for index in range(MANY_ROUTES):
        app.put(typed_template(index), name=f"change{index}")(_changing(model_of(index)))
    return app


def _changing(model: Any) -> Callable[..., Awaitable[Any]]:
    async def change(thing_id: int, thing: model, notify: bool = False) -> model:
        return thing

    return change


def _file() -> NexiosApp:
    app = NexiosApp()
    path = file_path()

    @app.get("/file")
    async def file(request: Request, response: Response) -> Response:
        return response.file(path)

    return app


def _static() -> NexiosApp:
    app = NexiosApp()
    app.mount("/static", StaticFiles(directory=file_path().parent))
    return app


def _mixed() -> NexiosApp:
    """Return the application of the memory benchmark, which has an answer of every kind."""
    app = NexiosApp()

    @app.get("/items/{item_id:int}")
    async def item(request: Request, response: Response, item_id: int) -> Response:
        return response.json({"id": item_id})

    @app.get("/invalid")
    async def invalid(request: Request, response: Response) -> Response:
        raise HTTPException(422)

    @app.get("/boom")
    async def boom(request: Request, response: Response) -> Response:
        raise RuntimeError("boom")

    @app.post("/upload")
    async def upload(request: Request, response: Response) -> Response:
        form = await request.form()
        return response.json({"fields": len(list(form.items()))})

    @app.post("/read")
    async def read(request: Request, response: Response) -> Response:
        return response.json({"size": len(await request.body())})

    return app


_MAKERS: dict[str, Callable[[], NexiosApp]] = {
    "cors": _behind_cors,
    "cors_origin": _behind_cors,
    "session": _behind_sessions,
    "session_read": _reading_its_session,
    "jwt": _checking_a_token,
    "dependency": _dependent,
    "dependencies": _chained,
    "json_in": _json_in,
    "form_in": _form_in,
    "query": _query,
    "validated": _validated,
    "typed_many": _typed_routes,
    "file": _file,
    "static": _static,
    "mixed": _mixed,
}
