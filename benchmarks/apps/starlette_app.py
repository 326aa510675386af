"""The workloads in Starlette.

Its middleware of the shape `(request, call_next)` is BaseHTTPMiddleware, which is
what the other frameworks' middleware is compared with. It has no dependencies and no typed inputs.
"""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from benchmarks.asgi import AsgiApplication
from benchmarks.workloads import (
    FEW_ROUTES,
    JSON_MESSAGE,
    MANY_ROUTES,
    MIDDLEWARES,
    ORIGIN,
    TEXT,
    file_path,
    route_template,
)

__all__ = ["NAME", "PACKAGE", "build"]

NAME = "Starlette"
PACKAGE = "starlette"

_FILE = file_path()


def build(workload: str) -> AsgiApplication | None:
    """Return the Starlette application for `workload`; None for what it lacks."""
    if workload in ("plain", "json", "path"):
        return Starlette(routes=_BASIC)
    if workload in ("cors", "cors_origin"):
        cors = Middleware(CORSMiddleware, allow_origins=[ORIGIN], allow_credentials=True)
        return Starlette(routes=_BASIC, middleware=[cors])
    if workload == "middleware":
        layers = [Middleware(BaseHTTPMiddleware, dispatch=_pass_through) for _ in range(MIDDLEWARES)]
        return Starlette(routes=_BASIC, middleware=layers)
    if workload in ("routes_few", "routes_many"):
        count = MANY_ROUTES if workload == "routes_many" else FEW_ROUTES
        return Starlette(routes=[Route(route_template(index), _item) for index in range(count)])
    if workload == "mixed":
        return Starlette(routes=_MIXED)
    return Starlette(routes=[_OTHER[workload]]) if workload in _OTHER else None


async def _plain(request: Request) -> Response:
    return PlainTextResponse(TEXT)


async def _message(request: Request) -> Response:
    return JSONResponse(JSON_MESSAGE)


async def _item(request: Request) -> Response:
    return JSONResponse({"id": request.path_params["item_id"]})


async def _pass_through(request: Request, call_next: RequestResponseEndpoint) -> Response:
    return await call_next(request)


async def _echo(request: Request) -> Response:
    return JSONResponse(await request.json())


async def _form(request: Request) -> Response:
    async with request.form() as form:
        return JSONResponse(dict(form.items()))


async def _file(request: Request) -> Response:
    return FileResponse(_FILE)


async def _invalid(request: Request) -> Response:
    raise HTTPException(422)


async def _boom(request: Request) -> Response:
    raise RuntimeError("boom")


async def _upload(request: Request) -> Response:
    async with request.form() as form:
        return JSONResponse({"fields": len(form)})


async def _read(request: Request) -> Response:
    return JSONResponse({"size": len(await request.body())})


_BASIC = [Route("/", _plain), Route("/json", _message), Route("/items/{item_id:int}", _item)]
_OTHER = {
    "json_in": Route("/echo", _echo, methods=["POST"]),
    "form_in": Route("/form", _form, methods=["POST"]),
    "file": Route("/file", _file),
    "static": Mount("/static", StaticFiles(directory=file_path().parent)),
}
_MIXED = [
    Route("/items/{item_id:int}", _item),
    Route("/invalid", _invalid),
    Route("/boom", _boom),
    Route("/upload", _upload, methods=["POST"]),
    Route("/read", _read, methods=["POST"]),
]
