"""Options, cookies, errors and refusals of sessions."""

import hashlib
import logging
from collections.abc import Callable
from typing import Any

import pytest

from nexios import NexiosApp, Request, Response
from nexios.errors import ConfigurationError
from nexios.session import SessionMiddleware, SessionTooLarge
from nexios.stores import MemoryStore, StoreUnavailable
from nexios.testing import TestClient, WebSocketDenied
from nexios.testing.raw import call
from nexios.websockets import WebSocket
from tests.session.visitor import KEY, NAME, Clock, Visitor, make_app

Make = Callable[..., NexiosApp]


@pytest.fixture(params=["cookie", "store"])
def make(request: pytest.FixtureRequest) -> Make:
    """Both ways to keep sessions."""

    def made(**options: Any) -> NexiosApp:
        clock = options.get("clock", Clock())
        kept: dict[str, Any] = {"store": MemoryStore(clock=clock)} if request.param == "store" else {}
        return make_app(**kept, **{"clock": clock, **options})

    return made


async def test_in_debug_over_http_the_cookie_is_plain_with_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    visitor = Visitor(make_app(debug=True, session_cookie="sid"), scheme="http")

    with caplog.at_level(logging.WARNING, "nexios"):
        answer = await visitor.get("/set/theme/dark")
        await visitor.get("/set/theme/light")

    assert (answer.header("set-cookie") or "").startswith("sid=")
    assert "Secure" not in (answer.header("set-cookie") or "")
    assert (await visitor.json("/all"))["values"] == {"theme": "light"}
    assert [record.message for record in caplog.records] == [
        "debug mode over plain http: the session cookie 'sid' is not Secure, and has no '__Host-' before its name"
    ]


async def test_a_plain_cookie_is_not_read_over_https() -> None:
    app = make_app(debug=True, session_cookie="sid")
    plain = Visitor(app, scheme="http")
    await plain.get("/login/7")
    tossed = Visitor(app)
    tossed.cookies = dict(plain.cookies)

    assert (await tossed.json("/all"))["user"] is None


@pytest.mark.parametrize(
    ("options", "name"),
    [({"domain": "example.com"}, "__Secure-sid"), ({"path": "/shop"}, "__Secure-sid"), ({}, "__Host-sid")],
)
async def test_the_prefix_says_what_the_attributes_promise(options: dict[str, Any], name: str) -> None:
    answer = await Visitor(make_app(session_cookie="sid", **options)).get("/set/theme/dark")

    assert (answer.header("set-cookie") or "").startswith(f"{name}=")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"secret_key": KEY, "session_cookie": "a b"}, "cookie name"),
        ({"secret_key": KEY, "idle_timeout": 0}, "'idle_timeout' of SessionMiddleware is a number of seconds over 0"),
        ({"secret_key": KEY, "absolute_timeout": True}, "'absolute_timeout'"),
        ({"secret_key": KEY, "store": MemoryStore()}, "got both store= and secret_key="),
        ({"secret_key": KEY, "same_site": "maybe"}, "same_site is"),
        ({"secret_key": KEY, "domain": "exa mple"}, "cookie domain"),
    ],
)
def test_a_wrong_option_is_an_error_at_the_start(options: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigurationError, match=text):
        SessionMiddleware(**options)


def test_an_unknown_option_is_an_error_that_lists_the_options() -> None:
    app = NexiosApp()
    app.add_middleware(SessionMiddleware, cookie_secure=True)

    with pytest.raises(ConfigurationError, match="Its options are: secret_key, store, session_cookie"):
        app.compile()


@pytest.mark.parametrize("key", [None, "", "your-secret-key"])
def test_a_key_that_is_missing_or_from_an_example_is_refused_with_the_command(key: str | None) -> None:
    app = NexiosApp()
    app.add_middleware(SessionMiddleware, secret_key=key)

    with pytest.raises(ConfigurationError, match=r"secrets\.token_urlsafe"):
        app.compile()


async def test_the_key_is_that_of_the_settings_when_none_is_given() -> None:
    app = NexiosApp(secret_key=KEY, openapi=None)
    app.add_middleware(SessionMiddleware)

    @app.get("/")
    async def index(request: Request, response: Response) -> bool:
        request.session["x"] = 1
        return request.session.is_new

    visitor = Visitor(app)

    assert [await visitor.json("/"), await visitor.json("/")] == [True, False]


async def test_a_session_that_is_too_large_for_a_cookie_says_so(caplog: pytest.LogCaptureFixture) -> None:
    app = make_app()
    seen: list[BaseException | None] = []

    @app.get("/large")
    async def large(request: Request, response: Response) -> str:
        request.session["picture"] = "x" * 5120
        return "put"

    @app.exception_handler(SessionTooLarge)
    async def too_large(request: Request, response: Response, exc: SessionTooLarge) -> Response:
        seen.append(exc)
        return response.text("too large", 500)

    answer = await Visitor(app).get("/large")

    assert (answer.status, answer.header_all("set-cookie")) == (500, [])
    assert "The names in it: picture. Keep less, or use a store" in str(seen[0])


async def test_a_session_shows_names_and_no_values() -> None:
    app = make_app()

    @app.get("/repr")
    async def show(request: Request, response: Response) -> str:
        request.session["card"] = "4111"
        return repr(request.session)

    assert (await Visitor(app).get("/repr")).body == b"<Session card>"


async def test_a_value_that_lost_its_json_form_is_named_when_the_session_is_saved(make: Make) -> None:
    app = make()
    seen: list[str] = []

    @app.get("/nested")
    async def nested(request: Request, response: Response) -> str:
        request.session["cart"] = []
        request.session["cart"].append(object())
        return "put"

    @app.exception_handler(TypeError)
    async def refused(request: Request, response: Response, exc: TypeError) -> Response:
        seen.append(str(exc))
        return response.text("refused", 500)

    answer = await Visitor(app).get("/nested")

    assert (answer.status, answer.header_all("set-cookie")) == (500, [])
    assert "session['cart'] has no JSON form" in seen[0]


async def test_what_is_no_user_no_message_and_no_purpose_is_refused(make: Make) -> None:
    app = make()

    @app.get("/wrong")
    async def wrong(request: Request, response: Response) -> str:
        session = request.session
        with pytest.raises(TypeError, match="A user id is a text that is not empty, or None, not int"):
            session.user_id = 7  # type: ignore[assignment]
        with pytest.raises(TypeError, match="A flash message is a text"):
            session.flash(7)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="name the user whose sessions end"):
            await session.invalidate_others()
        return "refused"

    assert (await Visitor(app).get("/wrong")).body == b"refused"


async def test_the_same_user_once_more_changes_nothing(make: Make) -> None:
    visitor = Visitor(make())
    await visitor.get("/login/7")
    before = dict(visitor.cookies)

    await visitor.get("/login/7")

    assert visitor.cookies == before


async def test_a_user_who_ends_all_their_sessions_ends_this_one() -> None:
    visitor = Visitor(make_app(store=MemoryStore(), clock=Clock()))
    await visitor.get("/login/7")

    await visitor.get("/end-all/7")

    assert visitor.cookies == {}
    assert (await visitor.json("/all"))["new"] is True


async def test_a_record_of_another_version_is_no_session(caplog: pytest.LogCaptureFixture) -> None:
    store = MemoryStore()
    visitor = Visitor(make_app(store=store))
    await visitor.get("/login/7")
    id = visitor.cookies[NAME]
    await store.set(f"session:id:{hashlib.sha256(id.encode()).hexdigest()}", b"\x80\x04pickle")

    assert (await visitor.json("/all"))["new"] is True
    assert "a session in the store is no record of this version" in caplog.text


async def test_a_session_from_the_future_is_none() -> None:
    clock = Clock()
    visitor = Visitor(make_app(store=MemoryStore(), clock=clock))
    await visitor.get("/login/7")
    clock.now -= 60

    assert (await visitor.json("/all"))["new"] is True


async def test_after_an_end_a_new_session_may_begin_in_the_same_request() -> None:
    store = MemoryStore()
    app = make_app(store=store)

    @app.get("/bye")
    async def bye(request: Request, response: Response) -> str:
        request.session.clear()
        request.session.flash("Goodbye.")
        return "bye"

    visitor = Visitor(app)
    await visitor.get("/login/7")
    before = visitor.cookies[NAME]
    await visitor.get("/bye")

    assert visitor.cookies[NAME] != before
    assert len(store) == 1
    assert await visitor.json("/flashes") == [["Goodbye.", "info"]]


async def test_a_session_that_everyone_changes_all_the_time_is_503() -> None:
    class Restless(MemoryStore):
        async def replace(self, key: str, value: bytes, *, expected: bytes, expires_in: float | None = None) -> bool:
            return False

    visitor = Visitor(make_app(store=Restless()))
    await visitor.get("/login/7")

    assert (await visitor.get("/set/theme/dark")).status == 503


async def test_an_id_that_is_taken_is_503() -> None:
    class Full(MemoryStore):
        async def add(self, key: str, value: bytes, *, expires_in: float | None = None) -> bool:
            return False

    answer = await Visitor(make_app(store=Full())).get("/login/7")

    assert (answer.status, answer.header_all("set-cookie")) == (503, [])


async def test_a_logout_while_a_login_is_saved_holds() -> None:
    class Overtaken(MemoryStore):
        async def add(self, key: str, value: bytes, *, expires_in: float | None = None) -> bool:
            if len(self):
                await self.clear("")  # the logout
            return await super().add(key, value, expires_in=expires_in)

    store = Overtaken()
    visitor = Visitor(make_app(store=store))
    await visitor.get("/set/theme/dark")

    answer = await visitor.get("/login/7")

    assert (answer.status, answer.header_all("set-cookie"), len(store)) == (200, [], 0)


def test_a_websocket_is_denied_when_the_store_fails() -> None:
    class Failing(MemoryStore):
        async def get(self, key: str) -> bytes | None:
            raise StoreUnavailable("gone")

    app = make_app(store=Failing())
    called: list[bool] = []

    @app.websocket("/socket")
    async def socket(websocket: WebSocket) -> None:
        called.append(True)

    with TestClient(app, cookies={NAME: "A" * 43}) as client:
        with pytest.raises(WebSocketDenied) as caught:
            client.websocket_connect("/socket").__enter__()

    assert (caught.value.status_code, called) == (503, [])


async def test_the_middleware_shows_its_cookie_and_no_key() -> None:
    middleware = SessionMiddleware(secret_key=KEY, session_cookie="sid")

    assert repr(middleware) == "<SessionMiddleware __Host-sid>"


async def test_the_middleware_works_in_an_app_alone() -> None:
    app = NexiosApp(openapi=None)
    alone = SessionMiddleware(secret_key=KEY)

    @app.get("/")
    async def index(request: Request, response: Response) -> str:
        with pytest.raises(ConfigurationError, match="SessionMiddleware"):
            await alone(request, response, response_of(request))
        return "told"

    def response_of(request: Request) -> Any:
        async def call_next() -> Response:
            request.session.get("x")
            return Response()

        return call_next

    assert (await call(app)).body == b"told"


async def test_a_user_who_is_taken_out_leaves_nothing_behind(make: Make) -> None:
    app = make()

    @app.get("/nobody")
    async def nobody(request: Request, response: Response) -> str:
        request.session.user_id = None
        return "out"

    visitor = Visitor(app)
    await visitor.get("/login/7")
    await visitor.get("/append/apple")
    await visitor.get("/nobody")

    assert visitor.cookies == {}
    assert await visitor.json("/all") == {"values": {}, "user": None, "new": True}
