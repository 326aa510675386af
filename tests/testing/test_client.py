"""The client of an app: requests, cookies, and settings of its own."""

import runpy
import sys
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios import NexiosApp
from nexios.errors import ConfigurationError, NoSuchRoute
from nexios.settings import Settings
from nexios.testing import TestClient, library
from tests.testing.client_site import make_app

INTERFACES = pytest.mark.parametrize("interface", ["memory", "asgi"])


async def test_the_seeds_form_works() -> None:
    app = make_app()
    async with TestClient(app) as client:
        response = await client.get("/api/endpoint")
        assert response.status_code == 200
        assert response.json() == {"ready": True}
        assert isinstance(response, httpx2.Response)
        assert client.app is app


@INTERFACES
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "QUERY"])
async def test_every_method_arrives_with_its_body_and_query(interface: Any, method: str) -> None:
    async with TestClient(make_app(), interface=interface) as client:
        response = await client.request(method, "/echo", content=b"abc", params={"a": "1 ü"})
        assert response.json() == {"method": method, "body": "abc", "query": "a=1+%C3%BC"}


async def test_each_verb_has_a_method() -> None:
    async with TestClient(make_app()) as client:
        for verb in ("post", "put", "patch", "delete", "query"):
            response = await getattr(client, verb)("/echo", json=[verb])
            assert response.json()["method"] == verb.upper()
            assert response.json()["body"] == f'["{verb}"]'
        assert (await client.head("/api/endpoint")).content == b""
        assert "GET" in (await client.options("/api/endpoint")).headers["allow"]


@INTERFACES
async def test_a_head_response_has_the_length_and_no_body(interface: Any) -> None:
    async with TestClient(make_app(), interface=interface) as client:
        response = await client.head("/api/endpoint")
        assert (response.headers["content-length"], response.content) == ("14", b"")


@pytest.mark.parametrize(
    "content",
    [b"one two", "one two", [b"one ", b"two"], iter((b"one ", b"two"))],
    ids=["bytes", "str", "list", "iterator"],
)
async def test_a_body_may_be_bytes_text_or_chunks(content: Any) -> None:
    async with TestClient(make_app()) as client:
        assert (await client.post("/echo", content=content)).json()["body"] == "one two"


async def test_an_open_file_can_be_the_body(tmp_path: Any) -> None:
    (tmp_path / "a").write_bytes(b"x" * 100_000)
    with (tmp_path / "a").open("rb") as file:
        async with TestClient(make_app()) as client:
            assert len((await client.post("/echo", content=file)).json()["body"]) == 100_000


async def test_a_login_flow_works_with_secure_cookies() -> None:
    async with TestClient(make_app(), follow_redirects=True) as client:
        response = await client.post("/login", data={"name": "ada"})
        assert (response.text, response.url.path) == ("ada", "/me")
        assert client.cookies["session"] == "ada"
        client.cookies.clear()
        assert (await client.get("/me")).text == "nobody"


async def test_every_set_cookie_is_there() -> None:
    async with TestClient(make_app()) as client:
        response = await client.post("/login", data={"name": "ada"})
        assert response.status_code == 303
        assert [value.split("=")[0] for value in response.headers.get_list("set-cookie")] == ["session", "seen"]


async def test_cookies_of_the_client_and_of_one_request() -> None:
    async with TestClient(make_app(), cookies={"session": "given"}) as client:
        assert (await client.get("/me")).text == "given"
    async with TestClient(make_app()) as client:
        assert (await client.get("/me", cookies={"session": "once"})).text == "once"
        assert (await client.get("/me")).text == "nobody"


async def test_two_clients_of_one_app_share_nothing() -> None:
    app = make_app()
    async with TestClient(app) as ada, TestClient(app) as bob:
        await ada.post("/login", data={"name": "ada"})
        assert (await ada.get("/me")).text == "ada"
        assert (await bob.get("/me")).text == "nobody"
        assert ada.engine is not bob.engine


async def test_headers_of_the_client_go_with_every_request() -> None:
    async with TestClient(make_app(), headers={"x-tenant": "one"}) as client:
        client.headers["x-more"] = "two"
        pairs = (await client.get("/headers", headers={"x-own": "three"})).json()
        assert [p for p in pairs if p[0][:2] == "x-"] == [["x-tenant", "one"], ["x-more", "two"], ["x-own", "three"]]
        assert ["host", "testserver"] in pairs


async def test_a_url_is_made_by_the_name_of_its_route() -> None:
    async with TestClient(make_app()) as client:
        url = client.url_for("user", name="a b")
        assert url == "/users/a%20b"
        assert (await client.get(url)).text.endswith(" a b")
        with pytest.raises(NoSuchRoute):
            client.url_for("nothing")


@INTERFACES
async def test_the_base_url_is_what_the_app_sees(interface: Any) -> None:
    async with TestClient(make_app(), base_url="http://shop.example:8080/users", interface=interface) as client:
        assert (await client.get("ada")).text == "http://shop.example:8080/users/ada ada"


@INTERFACES
async def test_an_app_below_a_prefix(interface: Any) -> None:
    client = TestClient(make_app(), root_path="/prefix/", client_address=("203.0.113.9", 5), interface=interface)
    async with client:
        assert (await client.get("/prefix/api/endpoint")).status_code == 200


async def test_settings_are_overridden_for_one_client_alone() -> None:
    app = make_app()
    settings = {"debug": True, "limits": {"max_body_size": 2}}
    async with TestClient(app, settings=settings) as small, TestClient(app) as plain:
        assert (await small.post("/echo", content=b"abc")).status_code == 413
        assert (await plain.post("/echo", content=b"abc")).status_code == 200
    assert not app.debug
    async with TestClient(app, settings=Settings(slashes="strict")) as strict:
        assert (await strict.get("/api/endpoint/")).status_code == 404


@pytest.mark.parametrize("settings", [{"dbug": True}, {"limits": {"max": 1}}, {"debug": "maybe"}])
def test_an_override_that_is_no_setting_is_refused(settings: Any) -> None:
    with pytest.raises(ConfigurationError):
        TestClient(make_app(), settings=settings)


async def test_registration_ends_when_a_client_is_in_use() -> None:
    app = make_app()
    async with TestClient(app):
        with pytest.raises(ConfigurationError):
            app.add_route("/late", lambda request, response: None)


def test_a_header_arrives_as_it_was_sent_or_is_refused() -> None:
    with TestClient(make_app()) as client:

        @given(st.text(st.characters(max_codepoint=0x7F), max_size=20))
        def check(value: str) -> None:
            try:
                pairs = client.get("/headers", headers={"x-a": value}).json()
            except ValueError:
                assert any(ord(character) < 0x20 or ord(character) == 0x7F for character in value)
            else:
                assert [pair[1] for pair in pairs if pair[0] == "x-a"] == [value.strip(" \t")]

        check()


@INTERFACES
def test_a_body_arrives_whole_in_whatever_chunks(interface: Any) -> None:
    app = NexiosApp()

    @app.post("/")
    async def echo(request: Any, response: Any) -> Any:
        return response.stream(request.stream(), "application/octet-stream")

    with TestClient(app, interface=interface) as client:

        @given(st.lists(st.binary(max_size=50), max_size=10))
        def check(chunks: list[bytes]) -> None:
            assert client.post("/", content=iter(chunks)).content == b"".join(chunks)

        check()


def test_without_httpx2_the_line_to_paste_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx2", None)
    with pytest.raises(ConfigurationError, match=r'pip install "nexios\[testing\]"'):
        runpy.run_path(str(library.__file__))
