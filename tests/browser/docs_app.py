"""A small application with a document written by hand, at the root, below a mount, and once more with hostile texts."""

import json
from typing import Any

from nexios import NexiosApp, Request, Response
from nexios.openapi.config import OpenAPI
from nexios.openapi.routes import document_routes

HOSTILE = "</title></script><script>ran = 1</script><img src='https://evil.example/x.png' onerror='ran = 1'>"

DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Words", "version": "1.0", "description": "It **knows** words."},
    "paths": {
        "/words/{id}": {
            "get": {
                "operationId": "show_word",
                "summary": "Show one word",
                "tags": ["vocabulary"],
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}, "example": 7}
                ],
                "responses": {
                    "200": {
                        "description": "The word",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Word"}}},
                    }
                },
            }
        }
    },
    "components": {
        "schemas": {"Word": {"type": "object", "properties": {"id": {"type": "integer"}, "text": {"type": "string"}}}}
    },
}

asked: list[str] = []
"""The paths of words that were asked for."""


def plain(request: Request) -> bytes:
    return json.dumps({**DOCUMENT, "servers": [{"url": request.root_path or "/"}]}).encode()


def hostile(request: Request) -> bytes:
    """Every text that people may write is HTML with a script, and the server's URL is one too."""
    [path] = DOCUMENT["paths"].values()
    operation = {**path["get"], "description": HOSTILE, "tags": [HOSTILE]}
    info = {"title": HOSTILE, "version": HOSTILE, "description": f"{HOSTILE} [link](javascript:ran=1)"}
    servers = [{"url": "javascript:ran=1", "description": HOSTILE}]
    return json.dumps(
        {**DOCUMENT, "info": info, "servers": servers, "paths": {"/words/{id}": {"get": operation}}}
    ).encode()


async def show_word(request: Request, response: Response, id: int) -> dict[str, object]:
    asked.append(request.path)
    return {"id": id, "text": "said-by-the-server"}


async def show_asked(request: Request, response: Response) -> list[str]:
    return asked


def make_app() -> NexiosApp:
    app = NexiosApp(openapi=None)
    app.add_route("/words/{id:int}", show_word)
    app.include_router(document_routes(OpenAPI(title="Words"), plain))
    return app


app = make_app()
app.add_route("/asked", show_asked)
app.include_router(
    document_routes(OpenAPI(title=HOSTILE, path="/hostile/openapi.json", docs_path="/hostile/docs"), hostile)
)
app.mount("/inner", make_app())
