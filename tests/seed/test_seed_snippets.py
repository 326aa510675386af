"""Do the snippets of the founding document run, word for word?

Each is executed as it is written there; names that it uses and does not define are supplied. The one of WebSockets
is in tests/seed_websocket, that of sessions in test_seed_sessions.py.
What the others need does not exist yet, so nothing is asserted of them here:

    Depend(get_db), get_redis()                 arrives with dependency injection
    AuthBackend, app.auth_backend               arrives with authentication
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import pytest

from nexios import NexiosApp, Request, Response, Router, register_path_converter
from nexios.middleware import csrf_input, csrf_token
from nexios.testing import TestClient

ROUTING = """
from nexios import NexiosApp

app = NexiosApp()

@app.get("/items/{item_id:int}")
async def get_item(request, response):
    return response.json({"id": request.path_params.item_id})
"""

MIDDLEWARE = """
from nexios.middleware import BaseMiddleware

class CustomMiddleware(BaseMiddleware):
    async def __call__(self, request, response, call_next):
        # Pre-processing
        response = await call_next()
        # Post-processing
        return response
"""

CSRF = """
from nexios.middleware import CSRFMiddleware

app.add_middleware(CSRFMiddleware)
"""

EVENTS = """
@app.on_startup()
async def startup():
    await initialize_database()

@app.on_shutdown()
async def shutdown():
    await cleanup_resources()
"""

TESTING = """
from nexios.testing import TestClient

async def test_endpoint():
    async with TestClient(app) as client:
        response = await client.get("/api/endpoint")
        assert response.status_code == 200
"""


def run(snippet: str, **names: Any) -> dict[str, Any]:
    """Execute a snippet, with the names that it does not define, and return what it defines."""
    namespace = dict(names)
    exec(compile(snippet, "seed", "exec", optimize=0), namespace)  # its asserts count under -O too
    return namespace


async def test_the_routing_snippet_answers_with_the_converted_parameter() -> None:
    app = run(ROUTING)["app"]

    async with TestClient(app) as client:
        response = await client.get("/items/42")
        other = await client.get("/items/forty-two")

    assert (response.status_code, response.json()) == (200, {"id": 42})
    assert other.status_code == 404


async def test_the_middleware_snippet_runs_around_the_handler() -> None:
    app = run(ROUTING)["app"]
    app.add_middleware(run(MIDDLEWARE)["CustomMiddleware"])

    async with TestClient(app) as client:
        response = await client.get("/items/42")

    assert response.json() == {"id": 42}


async def test_the_csrf_snippet_protects_without_an_option() -> None:
    """It generates tokens, validates them on unsafe methods, sets secure cookies and provides template helpers."""
    app = NexiosApp(secret_key="xWlZ9nTfS4v1cQ0kR7b2mJ6uYhE3oAqD")
    run(CSRF, app=app)

    @app.get("/")
    async def page(request: Request, response: Response) -> Response:
        return response.html(f"{csrf_token(request)} {csrf_input(request)}")

    @app.post("/")
    async def send(request: Request, response: Response) -> str:
        return "sent"

    async with TestClient(app) as client:
        shown = await client.get("/")
        token, _, field = shown.text.partition(" ")
        sent = await client.post("/", data={"csrf_token": token})
        statuses = [
            (await client.post("/")).status_code,
            (await client.post("/", headers={"origin": "https://evil.example"})).status_code,
        ]

    assert field.startswith('<input type="hidden" name="csrf_token" value="')
    assert shown.headers["set-cookie"].endswith("Path=/; Secure; HttpOnly; SameSite=Lax")
    assert (sent.text, statuses) == ("sent", [403, 403])


async def test_the_csrf_snippet_protects_an_app_without_a_secret() -> None:
    app = NexiosApp()
    run(CSRF, app=app)

    @app.post("/")
    async def send(request: Request, response: Response) -> str:
        return "sent"

    async with TestClient(app) as client:
        sites = ["same-origin", "cross-site"]
        statuses = [(await client.post("/", headers={"sec-fetch-site": site})).status_code for site in sites]

    assert statuses == [200, 403]


async def test_the_events_snippet_runs_at_start_and_stop() -> None:
    calls = []

    async def initialize_database() -> None:
        calls.append("database")

    async def cleanup_resources() -> None:
        calls.append("resources")

    app = NexiosApp()
    run(EVENTS, app=app, initialize_database=initialize_database, cleanup_resources=cleanup_resources)

    async with TestClient(app):
        assert calls == ["database"]

    assert calls == ["database", "resources"]


async def test_the_testing_snippet_passes_for_an_app_with_that_endpoint() -> None:
    app = NexiosApp()
    answered = []

    @app.get("/api/endpoint")
    async def endpoint(request: Request, response: Response) -> dict[str, bool]:
        answered.append(request.path)
        return {"ready": True}

    await run(TESTING, app=app)["test_endpoint"]()

    assert answered == ["/api/endpoint"]


async def test_the_testing_snippet_fails_for_an_app_without_it() -> None:
    with pytest.raises(AssertionError):
        await run(TESTING, app=NexiosApp())["test_endpoint"]()


@pytest.mark.parametrize(
    ("converter", "text", "value"),
    [
        ("", "pen", "pen"),
        (":str", "pen", "pen"),
        (":int", "12", 12),
        (":float", "1.5", 1.5),
        (":uuid", "12345678-1234-5678-1234-567812345678", UUID("12345678-1234-5678-1234-567812345678")),
        (":path", "a/b.txt", "a/b.txt"),
        (":date", "2024-01-31", date(2024, 1, 31)),
        (":datetime", "2024-01-31T10:00:00", datetime(2024, 1, 31, 10)),
    ],
)
async def test_the_listed_types_of_path_parameters_are_there(converter: str, text: str, value: object) -> None:
    app = NexiosApp()
    seen = []

    @app.get(f"/{{value{converter}}}")
    async def handler(request: Request, response: Response) -> None:
        seen.append(request.path_params.value)

    async with TestClient(app) as client:
        await client.get(f"/{text}")

    assert seen == [value]


async def test_a_custom_type_of_path_parameter_is_registered_by_its_function() -> None:
    register_path_converter("seedword", regex="seed[0-9]", convert=str.upper, to_string=str.lower)
    app = NexiosApp()

    @app.get("/{word:seedword}")
    async def handler(request: Request, response: Response, word: str) -> str:
        return word

    async with TestClient(app) as client:
        response = await client.get("/seed7")

    assert response.text == "SEED7"


async def test_custom_events_go_by_way_of_the_event_emitter() -> None:
    app = NexiosApp()
    heard: list[int] = []
    app.event_emitter.on("order.paid", heard.append)

    await app.event_emitter.emit("order.paid", 7)

    assert heard == [7]


async def test_middleware_can_short_circuit_the_chain() -> None:
    app = run(ROUTING)["app"]

    async def closed(request: Request, response: Response, call_next: object) -> Response:
        return response.text("closed", 503)

    app.add_middleware(closed)

    async with TestClient(app) as client:
        response = await client.get("/items/42")

    assert (response.status_code, response.text) == (503, "closed")


async def test_routers_nest_and_query_strings_are_parsed() -> None:
    outer, inner = Router("/v1"), Router("/shop")
    outer.include_router(inner)
    app = NexiosApp()
    app.include_router(outer)

    @inner.get("/search")
    async def search(request: Request, response: Response) -> list[str]:
        return request.query_params.get_all("tag")

    async with TestClient(app) as client:
        response = await client.get("/v1/shop/search?tag=a&tag=b")

    assert response.json() == ["a", "b"]
