"""The client of an app: requests, cookies, settings of its own, and the life of the app around it."""

import asyncio
import runpy
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios import NexiosApp
from nexios.errors import ConfigurationError, HTTPException, NoSuchRoute
from nexios.settings import Settings
from nexios.testing import TestClient, library

INTERFACES = pytest.mark.parametrize("interface", ["memory", "asgi"])


def make_app() -> NexiosApp:
    app = NexiosApp()

    @app.get("/api/endpoint")
    async def endpoint(request: Any, response: Any) -> Any:
        return {"ready": True}

    @app.route("/echo", methods=["POST", "PUT", "PATCH", "DELETE", "QUERY"])
    async def echo(request: Any, response: Any) -> Any:
        return {"method": request.method, "body": await request.text(), "query": request.query_string}

    @app.get("/headers")
    async def headers(request: Any, response: Any) -> Any:
        return [list(pair) for pair in request.headers.pairs]

    @app.post("/login")
    async def login(request: Any, response: Any) -> Any:
        name = (await request.form())["name"]
        return response.redirect("/me", 303).set_cookie("session", name).set_cookie("seen", "1", http_only=False)

    @app.get("/me")
    async def me(request: Any, response: Any) -> Any:
        return response.text(request.cookies.get("session", "nobody"))

    @app.get("/away")
    async def away(request: Any, response: Any) -> Any:
        return response.redirect("https://evil.example/steal", external=True)

    @app.get("/users/{name}", name="user")
    async def user(request: Any, response: Any, name: str) -> Any:
        return response.text(f"{request.url} {name}")

    return app


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
    overrides = {"debug": True, "limits": {"max_body_size": 2}}
    async with TestClient(app, overrides=overrides) as small, TestClient(app) as plain:
        assert (await small.post("/echo", content=b"abc")).status_code == 413
        assert (await plain.post("/echo", content=b"abc")).status_code == 200
    assert not app.debug
    async with TestClient(app, settings=Settings(slashes="strict")) as strict:
        assert (await strict.get("/api/endpoint/")).status_code == 404


@pytest.mark.parametrize("overrides", [{"dbug": True}, {"limits": {"max": 1}}, {"debug": "maybe"}])
def test_an_override_that_is_no_setting_is_refused(overrides: Any) -> None:
    with pytest.raises(ConfigurationError):
        TestClient(make_app(), overrides=overrides)


async def test_registration_ends_when_a_client_is_in_use() -> None:
    app = make_app()
    async with TestClient(app):
        with pytest.raises(ConfigurationError):
            app.add_route("/late", lambda request, response: None)


# The life of the app


def noting_app(order: list[str]) -> NexiosApp:
    @asynccontextmanager
    async def context(app: NexiosApp) -> AsyncIterator[None]:
        async with asyncio.TaskGroup():
            order.append("enter")
            yield
            order.append("leave")

    app = NexiosApp(lifespan=context)
    app.on_startup(lambda: order.append("start"))
    app.on_shutdown(lambda: order.append("stop"))
    return app


async def test_the_app_starts_and_stops_with_the_client_in_reverse_order() -> None:
    order: list[str] = []
    async with TestClient(noting_app(order)):
        assert order == ["enter", "start"]
    assert order == ["enter", "start", "stop", "leave"]


async def test_shutdown_runs_when_the_test_fails() -> None:
    order: list[str] = []
    with pytest.raises(AssertionError, match="the test"):
        async with TestClient(noting_app(order)):
            raise AssertionError("the test")
    assert order[-2:] == ["stop", "leave"]


async def test_a_failing_startup_raises_its_own_exception() -> None:
    app = NexiosApp()
    loops: list[object] = []

    @app.on_startup
    async def fail() -> None:
        loops.append(asyncio.get_running_loop())
        raise LookupError("no database")

    for _ in range(2):
        with pytest.raises(LookupError, match="no database"):
            async with TestClient(app):
                raise AssertionError("not reached")
    with pytest.raises(LookupError), TestClient(app):
        raise AssertionError("not reached")
    assert loops[0] is loops[1] is asyncio.get_running_loop()


async def test_a_client_is_entered_once_at_a_time() -> None:
    client = TestClient(make_app())
    async with client:
        with pytest.raises(RuntimeError, match="in use"):
            async with client:
                raise AssertionError("not reached")
        with pytest.raises(RuntimeError, match="in use"), client:
            raise AssertionError("not reached")
        assert (await client.get("/me")).text == "nobody"
    async with client:
        assert (await client.get("/me")).text == "nobody"


async def test_background_tasks_are_done_when_the_client_is_left() -> None:
    done: list[str] = []
    app = NexiosApp()

    @app.get("/")
    async def home(request: Any, response: Any) -> Any:
        async def later() -> None:
            await asyncio.sleep(0)
            done.append("later")

        return response.text("now").add_background(later)

    async with TestClient(app) as client:
        await client.get("/")
    assert done == ["later"]


async def test_without_a_context_a_request_is_awaited_in_a_life_of_its_own() -> None:
    order: list[str] = []
    app = noting_app(order)
    response = await TestClient(app).get("/nothing")
    assert response.status_code == 404
    assert order == ["enter", "start", "stop", "leave"]


# The synchronous face


def test_a_synchronous_test_gets_results() -> None:
    with TestClient(make_app(), follow_redirects=True) as client:
        assert client.get("/api/endpoint").json() == {"ready": True}
        assert client.post("/login", data={"name": "ada"}).text == "ada"
        assert client.cookies["session"] == "ada"
        assert client.url_for("user", name="a") == "/users/a"
        assert client.disconnect_after("GET", "/me", received=0) == b""


def test_the_event_loop_of_the_synchronous_face_is_closed() -> None:
    before = threading.active_count()
    order: list[str] = []
    with TestClient(noting_app(order)) as client:
        client.get("/")
        assert threading.active_count() > before
    assert threading.active_count() == before
    assert order == ["enter", "start", "stop", "leave"]


def test_without_a_context_a_request_is_answered_in_a_life_of_its_own() -> None:
    order: list[str] = []
    client = TestClient(noting_app(order))
    response: Any = client.get("/nothing")
    assert response.status_code == 404
    assert order == ["enter", "start", "stop", "leave"]


def test_an_exception_of_the_app_reaches_a_synchronous_test() -> None:
    app = NexiosApp()

    @app.get("/")
    async def fail(request: Any, response: Any) -> Any:
        raise KeyError("mine")

    with TestClient(app) as client, pytest.raises(KeyError, match="mine"):
        client.get("/")


async def test_the_synchronous_face_works_where_a_loop_runs() -> None:
    with TestClient(make_app()) as client:
        assert client.get("/api/endpoint").json() == {"ready": True}


# What a client refuses


@pytest.mark.parametrize("bad", ["a\r\nb", "a\nb", "a\rb", "a\x00b"])
async def test_line_breaks_are_refused_wherever_they_would_end_a_line(bad: str) -> None:
    async with TestClient(make_app()) as client:
        attempts: list[tuple[str, str, dict[str, Any]]] = [
            (bad, "/", {}),
            ("GET", f"/{bad}", {}),
            ("GET", "/", {"headers": {"x-a": bad}}),
            ("GET", "/", {"headers": {bad: "a"}}),
            ("GET", "/", {"cookies": {"a": bad}}),
            ("GET", "/", {"cookies": {bad: "a"}}),
            ("POST", "/echo", {"data": {bad: "a"}}),
            ("POST", "/echo", {"data": {bad: "a"}, "files": {"f": b"x"}}),
            ("POST", "/echo", {"files": {bad: b"x"}}),
            ("POST", "/echo", {"files": {"f": (bad, b"x")}}),
            ("POST", "/echo", {"files": [("f", (bad, b"x"))]}),
            ("POST", "/echo", {"files": {"f": ("a.txt", b"x", bad)}}),
        ]
        for method, url, options in attempts:
            with pytest.raises(ValueError):
                await client.request(method, url, **options)


async def test_line_breaks_are_refused_in_what_the_client_keeps() -> None:
    async with TestClient(make_app()) as client:
        client.cookies["a"] = "b\r\nx: y"
        with pytest.raises(ValueError):
            await client.get("/")
    async with TestClient(make_app(), headers={"x-a": "b\r\nx: y"}) as client:
        with pytest.raises(ValueError):
            await client.get("/")


async def test_a_malformed_url_is_a_value_error() -> None:
    async with TestClient(make_app()) as client:
        with pytest.raises(ValueError):
            await client.get("https://[::1")


@pytest.mark.parametrize("url", ["https://evil.example/", "http://testserver.evil/", "https://testserver:444/"])
async def test_a_request_for_another_host_never_leaves(url: str) -> None:
    async with TestClient(make_app()) as client:
        with pytest.raises(httpx2.ConnectError, match="not the app under test"):
            await client.get(url)


async def test_a_redirect_to_another_host_takes_no_secrets_along_and_is_refused() -> None:
    async with TestClient(make_app(), follow_redirects=True, cookies={"session": "ada"}) as client:
        with pytest.raises(httpx2.ConnectError) as caught:
            await client.get("/away", headers={"authorization": "Bearer secret"})
        request = caught.value.request
        assert request.url.host == "evil.example"
        assert "authorization" not in request.headers
        assert "cookie" not in request.headers


async def test_another_scheme_of_the_same_host_is_the_same_app() -> None:
    async with TestClient(make_app()) as client:
        assert (await client.get("http://testserver/users/a")).text == "http://testserver/users/a a"


# Errors of the app


def failing_app() -> NexiosApp:
    app = NexiosApp()

    @app.get("/boom")
    async def boom(request: Any, response: Any) -> Any:
        raise KeyError("mine")

    @app.get("/refused")
    async def refused(request: Any, response: Any) -> Any:
        raise HTTPException(418)

    @app.get("/known")
    async def known(request: Any, response: Any) -> Any:
        raise ZeroDivisionError

    @app.get("/badly")
    async def badly(request: Any, response: Any) -> Any:
        raise ArithmeticError

    @app.get("/half")
    async def half(request: Any, response: Any) -> Any:
        async def chunks() -> AsyncIterator[str]:
            yield "half"
            raise KeyError("mine")

        return response.stream(chunks(), "text/plain")

    @app.exception_handler(ZeroDivisionError)
    async def on_division(request: Any, response: Any, exc: Exception) -> Any:
        return response.text("handled", 409)

    @app.exception_handler(ArithmeticError)
    async def on_arithmetic(request: Any, response: Any, exc: Exception) -> Any:
        raise LookupError("the handler's own")

    return app


@INTERFACES
async def test_an_unhandled_exception_is_raised_with_its_own_traceback(interface: Any) -> None:
    async with TestClient(failing_app(), interface=interface) as client:
        with pytest.raises(KeyError, match="mine") as caught:
            await client.get("/boom")
        assert caught.traceback[-1].name == "boom"
        assert (await client.get("/refused")).status_code == 418


@INTERFACES
async def test_without_raising_there_is_the_500(interface: Any) -> None:
    async with TestClient(failing_app(), interface=interface, raise_app_exceptions=False) as client:
        response = await client.get("/boom")
        assert response.status_code == 500
        assert "mine" not in response.text


@INTERFACES
async def test_a_handled_exception_and_an_http_error_are_responses(interface: Any) -> None:
    async with TestClient(failing_app(), interface=interface) as client:
        assert (await client.get("/refused")).status_code == 418
        assert (await client.get("/known")).text == "handled"
        assert (await client.get("/nothing")).status_code == 404


@INTERFACES
async def test_an_exception_handler_that_fails_is_told_of(interface: Any) -> None:
    async with TestClient(failing_app(), interface=interface) as client:
        with pytest.raises(LookupError, match="the handler's own"):
            await client.get("/badly")


async def test_the_page_for_the_unexpected_is_seen_without_raising() -> None:
    app = failing_app()

    @app.exception_handler(Exception)
    async def on_anything(request: Any, response: Any, exc: Exception) -> Any:
        return response.text("sorry", 500)

    async with TestClient(app, raise_app_exceptions=False) as client:
        assert (await client.get("/boom")).text == "sorry"
    async with TestClient(app) as client:
        with pytest.raises(KeyError, match="mine"):
            await client.get("/boom")


@INTERFACES
async def test_a_response_that_breaks_off_is_no_response(interface: Any) -> None:
    async with TestClient(failing_app(), interface=interface) as client:
        with pytest.raises(KeyError, match="mine"):
            await client.get("/half")
    async with TestClient(failing_app(), interface=interface, raise_app_exceptions=False) as client:
        with pytest.raises(httpx2.RemoteProtocolError, match="broke off"):
            await client.get("/half")


async def test_errors_of_a_mounted_app_are_raised_too() -> None:
    outer = NexiosApp()
    outer.mount("/inner", failing_app())
    async with TestClient(outer) as client:
        with pytest.raises(KeyError, match="mine"):
            await client.get("/inner/boom")


async def test_each_client_hears_of_its_own_errors() -> None:
    app = failing_app()
    async with TestClient(app) as one, TestClient(app, raise_app_exceptions=False) as two:
        results = await asyncio.gather(one.get("/boom"), two.get("/boom"), one.get("/known"), return_exceptions=True)
    assert isinstance(results[0], KeyError)
    assert [result.status_code for result in results[1:]] == [500, 409]  # type: ignore[union-attr]
    assert not app.event_emitter.has_listeners("error")


async def test_a_client_hears_of_errors_after_another_has_left() -> None:
    app = failing_app()
    async with TestClient(app) as one:
        async with TestClient(app):
            pass
        with pytest.raises(KeyError, match="mine"):
            await one.get("/boom")


async def test_a_page_for_the_unexpected_may_be_a_stream() -> None:
    app = failing_app()

    @app.exception_handler(500)
    async def on_anything(request: Any, response: Any, exc: Exception) -> Any:
        async def chunks() -> AsyncIterator[str]:
            for _ in range(10):
                await asyncio.sleep(0)
                yield "sorry"

        return response.stream(chunks(), "text/plain").status(500)

    async with TestClient(app, raise_app_exceptions=False) as client:
        assert (await client.get("/boom")).text == "sorry" * 10


async def test_an_app_that_does_nothing_is_a_timeout() -> None:
    app = NexiosApp()
    cancelled: list[bool] = []

    @app.get("/")
    async def wait(request: Any, response: Any) -> Any:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append(True)

    async with TestClient(app, timeout=0.01) as client:
        with pytest.raises(httpx2.ReadTimeout, match=r"0\.01"):
            await client.get("/")
    assert cancelled == [True]


# Whatever is sent


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
