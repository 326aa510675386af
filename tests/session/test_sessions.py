"""What an app remembers of a client: in a signed cookie, and in a store."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from nexios import NexiosApp, Request, Response, Router
from nexios.errors import ConfigurationError
from nexios.messages.session import Session
from nexios.middleware import BaseMiddleware
from nexios.session import SessionMiddleware
from nexios.stores import MemoryStore, SQLiteStore, StoreUnavailable
from nexios.testing import TestClient
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


async def test_values_come_back_with_the_next_request(make: Make) -> None:
    visitor = Visitor(make())

    await visitor.get("/set/theme/dark")

    assert await visitor.json("/all") == {"values": {"theme": "dark"}, "user": None, "new": False}


async def test_two_visitors_have_two_sessions(make: Make) -> None:
    app = make()
    ada, bob = Visitor(app), Visitor(app)

    await ada.get("/set/name/ada")
    await bob.get("/set/name/bob")

    assert (await ada.json("/all"))["values"] == {"name": "ada"}
    assert (await bob.json("/all"))["values"] == {"name": "bob"}


async def test_a_change_inside_of_a_value_is_kept(make: Make) -> None:
    visitor = Visitor(make())

    for value in ("apple", "pear"):
        await visitor.get(f"/append/{value}")

    assert (await visitor.json("/all"))["values"] == {"cart": ["apple", "pear"]}


async def test_a_session_that_nobody_touches_leaves_no_trace(make: Make) -> None:
    visitor = Visitor(make())
    await visitor.get("/set/theme/dark")

    answer = await visitor.get("/untouched")

    assert not {b"set-cookie", b"vary", b"cache-control"} & {name for name, _ in answer.headers}


async def test_reading_sets_no_cookie_and_says_vary(make: Make) -> None:
    answer = await Visitor(make()).get("/all")

    assert answer.header_all("set-cookie") == []
    assert answer.header("vary") == "Cookie"


async def test_the_cookie_is_for_this_host_https_and_no_script(make: Make) -> None:
    answer = await Visitor(make()).get("/set/theme/dark")

    name, *attributes = (answer.header("set-cookie") or "").split("; ")
    assert name.startswith(f"{NAME}=")
    assert attributes == ["Max-Age=43200", "Path=/", "Secure", "HttpOnly", "SameSite=Lax"]
    assert answer.header("cache-control") == "no-store"


async def test_flash_messages_are_shown_once(make: Make) -> None:
    visitor = Visitor(make())
    await visitor.get("/flash/Saved")

    assert await visitor.json("/flashes") == [["Saved", "success"]]
    assert await visitor.json("/flashes") == []


async def test_a_secret_stays_with_its_session_and_changes_when_that_rotates(make: Make) -> None:
    visitor = Visitor(make())
    assert (await visitor.get("/known-secret")).body == b"none"

    first = (await visitor.get("/secret")).body
    assert (await visitor.get("/secret")).body == (await visitor.get("/known-secret")).body == first
    await visitor.get("/rotate")

    assert (await visitor.get("/known-secret")).body not in (first, b"none")


async def test_a_login_goes_on_under_another_id_with_the_values(make: Make) -> None:
    visitor = Visitor(make())
    await visitor.get("/append/apple")
    before = visitor.cookies[NAME]

    await visitor.get("/login/7")

    assert visitor.cookies[NAME] != before
    assert await visitor.json("/all") == {"values": {"cart": ["apple"]}, "user": "7", "new": False}


async def test_another_user_finds_nothing_of_the_former_one(make: Make) -> None:
    visitor = Visitor(make())
    await visitor.get("/login/7")
    await visitor.get("/append/apple")

    await visitor.get("/login/8")

    assert await visitor.json("/all") == {"values": {}, "user": "8", "new": False}


async def test_clear_forgets_everything_and_the_cookie(make: Make) -> None:
    visitor = Visitor(make())
    await visitor.get("/login/7")

    await visitor.get("/clear")

    assert visitor.cookies == {}
    assert await visitor.json("/all") == {"values": {}, "user": None, "new": True}


async def test_a_session_that_is_used_lives_on_and_ends_with_its_absolute_timeout(make: Make) -> None:
    clock = Clock()
    visitor = Visitor(make(clock=clock, idle_timeout=100, absolute_timeout=250))
    await visitor.get("/set/theme/dark")

    for _ in range(3):
        clock.now += 80
        assert (await visitor.json("/all"))["new"] is False
    clock.now += 11

    assert (await visitor.json("/all"))["new"] is True


async def test_what_a_failed_handler_put_in_is_not_kept(make: Make) -> None:
    app = make()

    @app.get("/fail")
    async def fail(request: Request, response: Response) -> None:
        request.session["theme"] = "light"
        raise RuntimeError

    visitor = Visitor(app)
    await visitor.get("/set/theme/dark")

    assert (await visitor.get("/fail")).status == 500
    assert (await visitor.json("/all"))["values"] == {"theme": "dark"}


async def test_a_logout_holds_also_when_the_handler_fails_after_it(make: Make) -> None:
    app = make()

    @app.get("/fail")
    async def fail(request: Request, response: Response) -> None:
        request.session.clear()
        request.session["bye"] = "!"
        raise RuntimeError

    visitor = Visitor(app)
    await visitor.get("/login/7")

    assert (await visitor.get("/fail")).status == 500
    assert await visitor.json("/all") == {"values": {}, "user": None, "new": True}


async def test_a_value_without_json_form_is_refused_where_it_is_put_in(make: Make) -> None:
    app = make()
    told: list[str] = []

    @app.get("/object")
    async def put_object(request: Request, response: Response) -> str:
        try:
            request.session["thing"] = object()
        except TypeError as exc:
            told.append(str(exc))
        return "refused"

    await Visitor(app).get("/object")

    assert "session['thing'] has no JSON form" in told[0]


async def test_a_session_cannot_be_changed_when_the_response_is_on_its_way(make: Make) -> None:
    app = make()
    told: list[str] = []

    async def change(session: Session) -> None:
        try:
            session["late"] = "1"
        except RuntimeError as exc:
            told.append(str(exc))

    @app.get("/late")
    async def late(request: Request, response: Response) -> Response:
        return response.text("late").add_background(change, request.session)

    await Visitor(app).get("/late")

    assert told == ["The session is saved already, because the response is on its way: change it in the handler."]


async def test_a_session_cannot_be_touched_first_when_the_response_is_on_its_way(make: Make) -> None:
    app = make()
    told: list[str] = []

    async def touch(request: Request) -> None:
        try:
            request.session.get("x")
        except RuntimeError as exc:
            told.append(str(exc))

    @app.get("/late")
    async def late(request: Request, response: Response) -> Response:
        return response.text("late").add_background(touch, request)

    await Visitor(app).get("/late")

    assert told == ["The session is touched first when the response is on its way: read it in the handler."]


def test_a_websocket_reads_the_session_and_cannot_change_it(make: Make) -> None:
    app = make(clock=time.time)

    @app.websocket("/socket")
    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_json(dict(websocket.session))
        try:
            websocket.session["x"] = 1
        except RuntimeError as exc:
            await websocket.send_text(str(exc))

    with TestClient(app) as client:
        client.get("/set/theme/dark")
        with client.websocket_connect("/socket") as websocket:
            assert websocket.receive_json() == {"theme": "dark"}
            assert websocket.receive_text().startswith("The session of a WebSocket is read-only")


async def test_what_a_middleware_leaves_in_the_session_is_kept(make: Make) -> None:
    app = make()

    class Visits(BaseMiddleware):
        requires = (SessionMiddleware,)

        async def __call__(self, request: Request, response: Response, call_next: Any) -> Any:
            answer = await call_next()
            request.session["visits"] = request.session.get("visits", 0) + 1
            return answer

    app.add_middleware(Visits)
    visitor = Visitor(app)
    await visitor.get("/untouched")
    await visitor.get("/untouched")

    assert (await visitor.json("/all"))["values"] == {"visits": 2}


async def test_sessions_may_be_those_of_a_router() -> None:
    router, app = Router(prefix="/shop"), NexiosApp(openapi=None)
    router.add_middleware(SessionMiddleware, secret_key=KEY)

    @router.get("/count")
    async def count(request: Request, response: Response) -> int:
        request.session["count"] = request.session.get("count", 0) + 1
        return int(request.session["count"])

    app.include_router(router)
    visitor = Visitor(app)

    assert [await visitor.json("/shop/count"), await visitor.json("/shop/count")] == [1, 2]


async def test_inside_of_another_session_the_nearer_one_is_meant() -> None:
    app, router = make_app(session_cookie="outer"), Router(prefix="/inner")
    router.add_middleware(SessionMiddleware, secret_key=KEY, session_cookie="inner")

    @router.get("/set/{value}")
    async def put(request: Request, response: Response, value: str) -> str:
        request.session["value"] = value
        return "put"

    app.include_router(router)
    visitor = Visitor(app)
    await visitor.get("/set/value/outer")
    await visitor.get("/inner/set/inner")

    assert sorted(visitor.cookies) == ["__Host-inner", "__Host-outer"]
    assert (await visitor.json("/all"))["values"] == {"value": "outer"}


async def test_without_the_middleware_the_error_says_to_add_it() -> None:
    app = NexiosApp(openapi=None)
    told: list[str] = []

    @app.get("/")
    async def index(request: Request, response: Response) -> str:
        with pytest.raises(ConfigurationError) as caught:
            request.session.get("x")
        told.append(str(caught.value))
        return "told"

    await call(app)

    assert "app.add_middleware(SessionMiddleware, secret_key=...)" in told[0]


async def test_all_sessions_of_a_user_end_at_once() -> None:
    app = make_app(store=MemoryStore(), clock=(clock := Clock()))
    laptop, phone, other = Visitor(app), Visitor(app), Visitor(app)
    await laptop.get("/login/7")
    await phone.get("/login/7")
    await other.get("/login/8")
    clock.now += 1

    await other.get("/end-all/7")

    assert [(await one.json("/all"))["user"] for one in (laptop, phone, other)] == [None, None, "8"]
    clock.now += 1
    await laptop.get("/login/7")
    assert (await laptop.json("/all"))["user"] == "7"


async def test_the_other_sessions_of_a_user_end_and_this_one_goes_on() -> None:
    app = make_app(store=MemoryStore(), clock=Clock())
    laptop, phone = Visitor(app), Visitor(app)
    await laptop.get("/login/7")
    await phone.get("/login/7")

    await laptop.get("/end-others")

    assert (await laptop.json("/all"))["user"] == "7"
    assert (await phone.json("/all"))["user"] is None


async def test_sessions_end_from_a_script_too() -> None:
    sessions = SessionMiddleware(store=(store := MemoryStore()))
    app = make_app(store=store)
    visitor = Visitor(app)
    await visitor.get("/login/7")

    await sessions.invalidate_all("7")

    assert (await visitor.json("/all"))["user"] is None


async def test_sessions_in_cookies_cannot_be_ended_from_outside() -> None:
    with pytest.raises(ConfigurationError, match="Keep them in a store"):
        await SessionMiddleware(secret_key=KEY).invalidate_all("7")


def test_the_store_is_open_while_the_app_runs(tmp_path: Any) -> None:
    app = make_app(store=SQLiteStore(tmp_path / "sessions.db"))

    for _ in range(2):
        with TestClient(app) as client:
            assert client.get("/all").json()["new"] is True
            client.get("/set/theme/dark")
            assert client.get("/all").json()["values"] == {"theme": "dark"}


async def test_a_store_that_fails_is_503_and_no_stranger() -> None:
    class Failing(MemoryStore):
        failing = False

        async def get(self, key: str) -> bytes | None:
            if self.failing:
                raise StoreUnavailable("gone")
            return await super().get(key)

    store = Failing()
    visitor = Visitor(make_app(store=store))
    await visitor.get("/login/7")
    cookies = dict(visitor.cookies)
    store.failing = True

    answer = await visitor.get("/all")

    assert (answer.status, answer.header_all("set-cookie"), visitor.cookies) == (503, [], cookies)
