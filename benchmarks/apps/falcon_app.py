"""The workloads in Falcon's ASGI application.

Middleware is a component with a hook before and after the responder; files go
through a static route. It has no dependencies, and validates no models.
"""

from typing import Any

from falcon.asgi import App, Request, Response

from benchmarks.asgi import AsgiApplication
from benchmarks.workloads import FEW_ROUTES, JSON_MESSAGE, MANY_ROUTES, MIDDLEWARES, TEXT, file_path, route_template

__all__ = ["NAME", "PACKAGE", "build"]

NAME = "Falcon"
PACKAGE = "falcon"


def build(workload: str) -> AsgiApplication | None:
    """Return the Falcon application for `workload`; None for dependencies, which it lacks."""
    layers = [_PassThrough() for _ in range(MIDDLEWARES)] if workload == "middleware" else []
    app: Any = App(middleware=layers)
    if workload in ("plain", "json", "path", "middleware"):
        app.add_route("/", _Plain())
        app.add_route("/json", _Message())
        app.add_route("/items/{item_id:int}", _Item())
    elif workload in ("routes_few", "routes_many"):
        for index in range(MANY_ROUTES if workload == "routes_many" else FEW_ROUTES):
            app.add_route(route_template(index), _Item())
    elif workload in ("json_in", "form_in"):
        app.add_route("/echo" if workload == "json_in" else "/form", _Echo())
    elif workload == "query":
        app.add_route("/search", _Search())
    elif workload == "file":
        app.add_static_route("/", str(file_path().parent), fallback_filename=file_path().name)
    else:
        return None
    return app


class _PassThrough:
    async def process_request(self, request: Request, response: Response) -> None:
        pass

    async def process_response(self, request: Request, response: Response, resource: object, succeeded: bool) -> None:
        pass


class _Plain:
    async def on_get(self, request: Request, response: Response) -> None:
        response.content_type = "text/plain; charset=utf-8"
        response.text = TEXT


class _Message:
    async def on_get(self, request: Request, response: Response) -> None:
        response.media = JSON_MESSAGE


class _Item:
    async def on_get(self, request: Request, response: Response, item_id: int) -> None:
        response.media = {"id": item_id}


class _Echo:
    async def on_post(self, request: Request, response: Response) -> None:
        response.media = await request.get_media()


class _Search:
    async def on_get(self, request: Request, response: Response) -> None:
        limit = request.get_param_as_int("limit", required=True)
        response.media = {"term": request.get_param("term", required=True), "limit": limit}
