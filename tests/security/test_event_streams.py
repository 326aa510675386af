"""Rows D18, E5, E9, E11, L10, L12 and O8 of the security notes: event streams, API documentation, models."""

import json
import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urljoin

import msgspec
import pytest

from nexios import Depend, HTTPException, NexiosApp, OpenAPI, Request, Response, Router
from nexios.errors import BadRequest
from nexios.messages.sse import Event, format_event
from nexios.messages.websocket import WebSocket
from nexios.testing.client import TestClient
from nexios.testing.raw import RawAnswer, call
from tests.security.kit import Peer, heartbeat, http_scope, linear

HOSTILE = "</title></script><script>alert(1)</script><img src=x onerror=alert(1)>\"'&{{7*7}}"
PAGES = ["/docs", "/docs/swagger", "/docs/redoc", "/docs/scalar", "/docs/asyncapi"]


async def stream_of(*items: object) -> RawAnswer:
    app = NexiosApp()

    @app.get("/")
    async def events(request: Request, response: Response) -> Response:
        async def source() -> AsyncIterator[object]:
            for item in items:
                yield item

        return response.sse(source())

    return await call(app)


# E9: events


@pytest.mark.parametrize("field", ["event", "id"])
@pytest.mark.parametrize("letter", ["\n", "\r", "\r\n", "\0"])
def test_e9_a_name_or_an_id_with_a_line_break_is_refused(field: str, letter: str) -> None:
    """CVE-2026-29085: whoever wrote it would send events of their own."""
    with pytest.raises(ValueError, match=f"the {field} of an event"):
        Event("x", **{field: f"a{letter}data: forged"})  # type: ignore[arg-type]


@pytest.mark.parametrize("retry", ["1\ndata: forged", "1", 1.5, True, -1, 2**31, float("inf")])
def test_e9_the_time_to_come_back_is_a_number(retry: Any) -> None:
    with pytest.raises(ValueError, match="whole number of milliseconds"):
        Event("x", retry=retry)


async def test_e9_data_never_ends_its_event() -> None:
    hostile = "one\r\ntwo\rthree\n\nevent: forged\ndata: forged\u2028four\0\x85\x0b\x0c"
    answer = await stream_of(hostile, Event(hostile, comment=hostile), hostile.encode(), {"text": hostile})
    text = answer.body.decode()

    plain = (
        "data: one\ndata: two\ndata: three\ndata: \ndata: event: forged\ndata: data: forged\u2028four\0\x85\x0b\x0c\n\n"
    )
    assert text.count(plain) == 3
    assert text.count("\n\n") == 5, "an opening comment and four events"
    assert not re.search(r"(?m)^event:", text)
    assert "\r" not in text


async def test_e9_an_item_that_cannot_be_written_ends_the_stream_and_forges_nothing() -> None:
    app = NexiosApp()

    @app.get("/")
    async def events(request: Request, response: Response) -> Response:
        async def source() -> AsyncIterator[object]:
            yield "first"
            yield "\ud800"
            yield "never"

        return response.sse(source())

    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    with pytest.raises(UnicodeEncodeError):
        await app(http_scope(), receive, send)

    assert b"".join(message.get("body", b"") for message in sent) == b":\n\ndata: first\n\n"
    assert all(message.get("more_body", True) for message in sent), "the server breaks the connection off"


@pytest.mark.parametrize("event", ["said\ndata: forged", "said\r", "a\0b"])
async def test_e9_neither_does_the_event_of_a_channel(event: str) -> None:
    app = NexiosApp()

    async with TestClient(app):
        with pytest.raises(BadRequest) as refused:
            await app.channel("1").publish("text", event=event)

        assert refused.value.code == "bad_event_name"
        assert await app.channel("1").history() == ()


def test_e9_writing_an_event_is_linear() -> None:
    assert linear(lambda n: format_event("\r\n" * n), 50_000)


@pytest.mark.parametrize("form", ["sse", "json_lines"])
async def test_r11_a_source_that_never_waits_stops_when_its_client_leaves(form: str) -> None:
    """And lets others run meanwhile: the end of the client is seen after each item."""
    app, made, closed = NexiosApp(), 0, []

    @app.get("/")
    async def endless(request: Request, response: Response) -> Response:
        async def source() -> AsyncIterator[object]:
            nonlocal made
            try:
                while True:
                    made += 1
                    yield {"number": made}
            finally:
                closed.append(made)

        return response.sse(source()) if form == "sse" else response.json_lines(source())

    peer = Peer(leaves_at=100)
    with heartbeat() as heart:
        await app(http_scope(), peer.receive, peer.send)

    assert made < 300
    assert closed == [made]
    assert (heart.stall < 0.2, len(app.engine.streams)) == (True, 0)


# E5: close reasons


@pytest.mark.parametrize("reason", ["a\r\nb", "\0", "\x7f", "\u2028", "é" * 61])
async def test_e5_the_reason_of_a_close_is_text_in_a_frame(reason: str) -> None:
    """It is in no head: what would be a header elsewhere is only text, and too long a one is refused."""
    app = NexiosApp()

    @app.websocket("/ws")
    async def ws(websocket: WebSocket) -> None:
        await websocket.accept()
        with pytest.raises(ValueError, match="123 bytes"):
            await websocket.close(4000, reason + "x" * 124)
        await websocket.close(4000, reason)

    async with TestClient(app) as client, client.websocket_connect("/ws") as session:
        assert await session.wait_closed() == (4000, reason)


@pytest.mark.parametrize("detail", ["a\r\nset-cookie: x=1", "<script>", "\ud800", "é" * 500])
async def test_e5_the_detail_of_a_denial_is_data(detail: str) -> None:
    app = NexiosApp()

    @app.websocket("/{when}")
    async def ws(websocket: WebSocket, when: str) -> None:
        if when == "late":
            await websocket.accept()
        raise HTTPException(403, detail)

    for when in ("early", "late"):
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "websocket.connect"}

        async def send(message: Any, sent: list[Any] = sent) -> None:
            sent.append(message)

        scope = {"type": "websocket", "path": f"/{when}", "headers": [], "extensions": {"websocket.http.response": {}}}
        await app(scope, receive, send)
        if when == "early":
            assert (sent[0]["status"], b"set-cookie" in dict(sent[0]["headers"])) == (403, False)
            assert json.loads(sent[1]["body"])["status"] == 403
        else:
            assert sent[1]["code"] == 1008
            assert len(sent[1]["reason"].encode()) <= 123


# E11, L10 and L12: pages of API documentation


def documented(**options: Any) -> NexiosApp:
    class Said(msgspec.Struct, tag=HOSTILE):
        """<script>alert(1)</script>"""

        text: str

    async def socket(websocket: WebSocket) -> None: ...

    socket.__doc__ = HOSTILE
    config = OpenAPI(title=HOSTILE, description=HOSTILE, **options)
    app = NexiosApp(openapi=config)
    app.add_websocket("/talk", socket, receives=Said)

    @app.get("/read", summary=HOSTILE)
    async def read(request: Request, response: Response) -> str:
        return ""

    hidden = Router(include_in_schema=False)
    hidden.add_websocket("/hidden-socket", socket)
    hidden.add_route("/hidden-route", read, ["GET"])
    app.include_router(hidden)
    app.add_websocket("/other-hidden-socket", socket, include_in_schema=False)
    return app


async def files_of(app: NexiosApp, page: str, **options: Any) -> list[str]:
    html = (await call(app, path=page, **options)).body.decode()
    return [urljoin(page, url) for url in re.findall(r'(?:src|data-document|href)="(\.[^"]*)"', html)]


@pytest.mark.parametrize("page", PAGES)
async def test_e11_a_page_of_api_documentation_has_its_charset(page: str) -> None:
    """CVE-2014-6393."""
    app = documented()
    answer = await call(app, path=page)

    assert (answer.status, answer.header("content-type")) == (200, "text/html; charset=utf-8")
    assert answer.header("x-content-type-options") == "nosniff"
    for file in await files_of(app, page):
        found = await call(app, path=file)
        kind = found.header("content-type") or ""
        assert found.status == 200, file
        assert kind == "application/json" or kind.endswith("; charset=utf-8") or kind.startswith("image/"), (file, kind)
        assert found.header("x-content-type-options") == "nosniff", file


@pytest.mark.parametrize("page", PAGES)
async def test_l10_what_a_document_says_is_no_code_in_its_page(page: str) -> None:
    """Title, description, summary and tag hold scripts; `tests/browser` opens the pages."""
    answer = await call(documented(), path=page)
    html = answer.body.decode()
    policy = answer.header("content-security-policy") or ""

    assert "<script>alert" not in html
    assert "<img" not in html
    assert re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", html) == []
    assert "'unsafe-eval'" not in policy
    assert re.search(r"script-src ('self'|[^;]*\bself\b)|default-src '(none|self)'", policy)
    assert "'unsafe-inline'" not in (re.search(r"script-src[^;]*", policy) or re.search(r"default-src[^;]*", policy))[0]  # type: ignore[index]


async def test_l10_the_pages_can_be_switched_off_with_all_that_they_load() -> None:
    app = NexiosApp(openapi=None)
    for path in [*PAGES, "/openapi.json", "/asyncapi.json"]:
        assert (await call(app, path=path)).status == 404


@pytest.mark.parametrize("path", ["/openapi.json", "/asyncapi.json"])
async def test_l12_what_is_hidden_is_in_no_document(path: str) -> None:
    body = (await call(documented(), path=path)).body

    assert b"/talk" in body or b"/read" in body
    assert b"hidden" not in body


async def test_l12_documents_and_pages_obey_their_guard() -> None:
    def guard(request: Request) -> None:
        if "authorization" not in request.headers:
            raise HTTPException(401)

    app = documented(dependencies=[Depend(guard)])
    known = [(b"authorization", b"x")]
    inside = {"/openapi.json", "/asyncapi.json", *PAGES}
    for page in PAGES:
        inside |= set(await files_of(app, page, headers=known))

    assert {(await call(app, path=path)).status for path in inside} == {401}
    assert {(await call(app, path=path, headers=known)).status for path in inside} == {200}


# D18: the files of the pages


NAMES = [
    *(
        "",
        ".",
        "..",
        "../bundles.py",
        "..%2fbundles.py",
        "....//bundles.py",
        "..;/bundles.py",
        "\u2024\u2024/bundles.py",
    ),
    *(
        "/etc/passwd",
        "//etc/passwd",
        "licenses",
        "manifest.json",
        "swagger-ui.js",
        "asyncapi.css",
        "a\\..\\b",
        "x" * 300,
    ),
]


@pytest.mark.parametrize("name", NAMES)
async def test_d18_no_path_of_a_client_is_joined_with_the_folder_of_the_pages(name: str) -> None:
    """CVE-2021-33203: the files are a table of names, made when the app is compiled."""
    for raw in (None, f"/docs/assets/{name}".encode("utf-8", "replace")):
        answer = await call(documented(), path=f"/docs/assets/{name}", raw_path=raw)
        assert answer.status == 404


# O8: models say what goes out


class User:
    def __init__(self) -> None:
        self.name, self.password = "ada", "canary"


class Public(msgspec.Struct):
    name: str


async def test_o8_a_field_that_the_model_does_not_declare_is_not_sent() -> None:
    """ASVS 15.3.1: a handler that returns a row of the database, and a socket that sends one."""
    app = NexiosApp()

    @app.get("/annotated")
    async def annotated(request: Request, response: Response) -> Public:
        return User()  # type: ignore[return-value]

    @app.get("/declared", response_model=Public)
    async def declared(request: Request, response: Response) -> Any:
        return {"name": "ada", "password": "canary"}

    @app.get("/many", response_model=list[Public])
    async def many(request: Request, response: Response) -> Any:
        return [User(), {"name": "bob", "password": "canary"}]

    @app.websocket("/ws")
    async def ws(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_as({"name": "ada", "password": "canary"}, Public)

    for path, expected in [("/annotated", {"name": "ada"}), ("/declared", {"name": "ada"}), ("/many", None)]:
        answer = await call(app, path=path)
        assert b"canary" not in answer.body
        if answer.status == 200 and expected is not None:
            assert answer.json() == expected
    assert (await call(app, path="/declared")).status == 200
    async with TestClient(app) as client, client.websocket_connect("/ws") as session:
        assert await session.receive_json() == {"name": "ada"}
