"""The AsyncAPI document and its page as HTTP answers: where they are, who gets them, and what they may load."""

import gzip
import json
import re
from typing import Any
from urllib.parse import unquote, urljoin

import msgspec
import pytest

from nexios import Depend, NexiosApp, OpenAPI, Request, Router
from nexios.errors import ConfigurationError, HTTPException
from nexios.openapi import asyncapi, build_asyncapi
from nexios.openapi.asyncapi import routes
from nexios.openapi.asyncapi.routes import CONSOLE_PAGE, asyncapi_path
from nexios.openapi.bundles import FOLDER
from nexios.testing.raw import RawAnswer, call
from nexios.websockets import WebSocket

PLACES = ["/asyncapi.json", "/docs/asyncapi"]
NASTY = "</title><script>alert(1)</script>\"'&"


class Said(msgspec.Struct, tag="said"):
    text: str


async def socket(websocket: WebSocket) -> None: ...


def make_app(*documents: OpenAPI, **options: Any) -> NexiosApp:
    app = NexiosApp(openapi=documents or OpenAPI(), **options)
    app.add_websocket("/talk", socket, receives=Said)
    return app


async def document_of(app: NexiosApp, path: str = "/asyncapi.json", **options: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((await call(app, path=path, **options)).body)
    return document


async def loads(app: NexiosApp, page: str, **options: Any) -> list[RawAnswer]:
    """The answers to everything that a page asks for."""
    html = (await call(app, path=page, **options)).body.decode()
    urls = re.findall(r'(?:src|data-document|href)="(\.[^"]*)"', html)
    return [await call(app, path=urljoin(page, url), **options) for url in urls]


async def test_the_document_is_json_that_is_asked_for_again() -> None:
    app = make_app()
    answer = await call(app, path="/asyncapi.json")
    again = await call(app, path="/asyncapi.json", headers=[(b"if-none-match", (answer.header("etag") or "").encode())])

    assert (answer.status, answer.header("content-type")) == (200, "application/json")
    assert answer.header("cache-control") == "no-cache"
    assert json.loads(answer.body)["channels"]["socket"]["address"] == "/talk"
    assert again.status == 304


async def test_the_servers_are_those_of_the_request() -> None:
    app = make_app()
    options: dict[str, Any] = {"headers": [(b"host", b"shop.example:8000")], "scope_extra": {"root_path": "/v1"}}

    document = await document_of(app, "/v1/asyncapi.json", **options)
    other = await document_of(app, headers=[(b"host", b"other.example")], scope_extra={"scheme": "https"})

    assert document["servers"] == {"ws": {"host": "shop.example:8000", "protocol": "ws", "pathname": "/v1"}}
    assert other["servers"] == {"ws": {"host": "other.example", "protocol": "wss"}}
    assert list(document)[:3] == ["asyncapi", "info", "servers"]


async def test_it_is_built_once_however_many_hosts_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[object] = []

    def noted(*args: Any, **options: Any) -> dict[str, Any]:
        built.append(args)
        return build_asyncapi(*args, **options)

    monkeypatch.setattr(routes, "build_asyncapi", noted)
    app = make_app()
    app.compile()
    assert built == []

    hosts = [await document_of(app, headers=[(b"host", f"h{number}.example".encode())]) for number in range(40)]

    assert len(built) == 1
    assert {document["servers"]["ws"]["host"] for document in hosts} == {f"h{number}.example" for number in range(40)}


async def test_a_host_that_is_none_is_not_believed() -> None:
    document = await document_of(make_app(), headers=[(b"host", b"<script>")])

    assert "<" not in document["servers"]["ws"]["host"]


async def test_routes_that_are_hidden_are_in_no_document() -> None:
    app = make_app()
    app.add_websocket("/hidden", socket, include_in_schema=False)
    inner = Router(prefix="/inner", include_in_schema=False)
    inner.add_websocket("/hidden", socket)
    inner.add_route("/feed", socket_stream, sends=Said)
    app.include_router(inner)

    channels = (await document_of(app))["channels"]

    assert [channel["address"] for channel in channels.values()] == ["/talk"]


async def socket_stream(request: Request, response: Any) -> Any: ...


@pytest.mark.parametrize(
    ("config", "path"),
    [
        (OpenAPI(), "/asyncapi.json"),
        (OpenAPI(path="/admin/openapi.json"), "/admin/asyncapi.json"),
        (OpenAPI(path="/v1.json"), "/v1.asyncapi.json"),
        (OpenAPI(path="/v1"), "/v1.asyncapi"),
        (OpenAPI(path=None), None),
        (OpenAPI(asyncapi_path=None), None),
        (OpenAPI(path=None, asyncapi_path="/live.json"), "/live.json"),
    ],
)
async def test_it_is_beside_the_other_document_unless_it_is_moved(config: OpenAPI, path: str | None) -> None:
    app = make_app(config)

    assert asyncapi_path(config) == path
    for place in {"/asyncapi.json", path or "/asyncapi.json"}:
        assert (await call(app, path=place)).status == (200 if place == path else 404)
    assert (await call(app, path="/docs/asyncapi")).status == (404 if path is None else 200)


async def test_without_pages_the_document_is_there_alone() -> None:
    app = make_app(OpenAPI(docs_path=None))

    assert [(await call(app, path=place)).status for place in PLACES] == [200, 404]


async def test_an_app_that_describes_nothing_has_neither() -> None:
    app = NexiosApp(openapi=None)
    app.add_websocket("/talk", socket)

    assert [(await call(app, path=place)).status for place in PLACES] == [404, 404]


def test_a_path_with_a_parameter_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"'/\{v\}/asyncapi.json' has a parameter"):
        make_app(OpenAPI(asyncapi_path="/{v}/asyncapi.json")).compile()


async def test_document_page_and_files_are_behind_the_dependencies() -> None:
    def guard(request: Request) -> None:
        if "authorization" not in request.headers:
            raise HTTPException(401)

    app = make_app(OpenAPI(dependencies=[Depend(guard)]))
    known = [(b"authorization", b"Basic eDp5")]
    html = (await call(app, path="/docs/asyncapi", headers=known)).body.decode()
    inside = [*PLACES, *(urljoin("/docs/asyncapi", url) for url in re.findall(r'src="([^"]*)"', html))]

    assert len(inside) == 5
    assert {(await call(app, path=path)).status for path in inside} == {401}
    assert {(await call(app, path=path, headers=known)).status for path in inside} == {200}


async def test_an_app_may_have_several_documents() -> None:
    app = make_app(
        OpenAPI(include=lambda operation: "admin" not in operation.route.tags),
        OpenAPI(
            title="Admin",
            path="/admin/openapi.json",
            docs_path="/admin/docs",
            include=lambda operation: "admin" in operation.route.tags,
        ),
    )
    app.add_websocket("/admin/talk", socket, tags=["admin"], name="admin")

    shop, admin = await document_of(app), await document_of(app, "/admin/asyncapi.json")

    assert [channel["address"] for channel in shop["channels"].values()] == ["/talk"]
    assert [channel["address"] for channel in admin["channels"].values()] == ["/admin/talk"]
    assert app.asyncapi("/admin/asyncapi.json")["channels"] == admin["channels"]
    assert app.url_for("asyncapi:docs") == "/docs/asyncapi"
    assert app.url_for("admin-asyncapi:document") == "/admin/asyncapi.json"
    with pytest.raises(ConfigurationError, match=r"no AsyncAPI document at '/x'; there is: /asyncapi.json, /admin/"):
        app.asyncapi("/x")


async def test_a_mounted_app_has_a_document_of_its_own() -> None:
    app = NexiosApp()
    app.mount("/inner", make_app())

    assert (await document_of(app))["channels"] == {}
    document = await document_of(app, "/inner/asyncapi.json")
    assert document["servers"]["ws"]["pathname"] == "/inner"
    assert {answer.status for answer in await loads(app, "/inner/docs/asyncapi")} == {200}


async def test_the_page_may_load_from_its_own_site_alone() -> None:
    answer = await call(make_app(), path="/docs/asyncapi")

    assert answer.header("content-type") == "text/html; charset=utf-8"
    policy = answer.header("content-security-policy") or ""
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
    assert "connect-src 'self'" in policy
    assert "unsafe" not in policy
    assert "//" not in policy
    assert b'data-root="./../"' in answer.body
    assert not re.search(rb"<script[^>]*>[^<]|<style|javascript:|//", answer.body)


async def test_what_the_page_loads_is_there() -> None:
    answers = await loads(make_app(), "/docs/asyncapi")

    assert [answer.status for answer in answers] == [200] * 6
    assert {answer.header("x-content-type-options") for answer in answers} == {"nosniff"}


@pytest.mark.parametrize(("docs_path", "page"), [("/", "/asyncapi"), ("/a b/docs/", "/a b/docs/asyncapi")])
async def test_the_page_works_wherever_the_pages_are(docs_path: str, page: str) -> None:
    app = make_app(OpenAPI(docs_path=docs_path, path="/schema/openapi.json"))
    html = (await call(app, path=page)).body.decode()
    urls = re.findall(r'(?:src|data-document|href)="(\.[^"]*)"', html)
    paths = [unquote(urljoin(page.replace(" ", "%20"), url)) for url in urls]

    assert "/schema/asyncapi.json" in paths
    assert [(await call(app, path=path)).status for path in paths] == [200] * 6


async def test_the_scripts_are_sent_compressed_and_may_be_kept() -> None:
    app = make_app()
    html = (await call(app, path="/docs/asyncapi")).body.decode()
    [path] = re.findall(r'src="\.(/asyncapi/assets/asyncapi-console\.\w+\.js)"', html)

    packed = await call(app, path=f"/docs{path}", headers=[(b"accept-encoding", b"gzip")])
    plain = await call(app, path=f"/docs{path}")

    source = FOLDER.joinpath("asyncapi-console.js").read_bytes()
    assert (packed.header("content-encoding"), plain.header("content-encoding")) == ("gzip", None)
    assert gzip.decompress(packed.body) == plain.body == source
    assert len(packed.body) < len(source) / 2
    assert packed.header("vary") == "accept-encoding"
    assert packed.header("etag") != plain.header("etag")
    assert "immutable" in (packed.header("cache-control") or "")


async def test_the_title_is_text_whatever_it_holds() -> None:
    answer = await call(make_app(OpenAPI(title=NASTY)), path="/docs/asyncapi")

    assert b"<script>alert" not in answer.body
    assert (await document_of(make_app(OpenAPI(title=NASTY))))["info"]["title"] == NASTY


@pytest.mark.parametrize("file", CONSOLE_PAGE.scripts)
def test_no_script_of_the_page_makes_html_or_code_of_texts(file: str) -> None:
    source = FOLDER.joinpath(file).read_text("utf-8")

    dangerous = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", ".style")
    assert [word for word in dangerous if word in source] == []


@pytest.mark.parametrize("page", ["/docs", "/docs/swagger", "/docs/redoc"])
async def test_the_pages_of_openapi_lead_to_it_where_there_is_something_to_see(page: str) -> None:
    link = rb'<a href="([^"]*)">WebSockets and event streams</a>'
    [url] = re.findall(link, (await call(make_app(), path=page)).body)

    assert urljoin(page, url.decode()) == "/docs/asyncapi"
    assert not re.findall(link, (await call(NexiosApp(), path=page)).body)
    assert not re.findall(link, (await call(make_app(OpenAPI(asyncapi_path=None)), path=page)).body)


def test_the_names_are_in_the_window_above() -> None:
    assert not hasattr(asyncapi, "__all__")
