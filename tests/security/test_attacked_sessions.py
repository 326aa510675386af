"""Sessions that were attacked: what one app, cookie or request knows of a session is never lost or taken by another."""

from typing import Any

import pytest

from nexios import NexiosApp, Request, Response
from nexios.auth import login, logout
from nexios.session import SessionMiddleware
from nexios.stores import MemoryStore, StoreUnavailable
from nexios.websockets import WebSocket
from tests.security.kit import raw_websocket
from tests.session.visitor import KEY, NAME, OLD_KEY, Clock, Visitor, make_app

KEPT = ["cookie", "store"]


def _options(kept: str) -> dict[str, Any]:
    return {"store": MemoryStore()} if kept == "store" else {"secret_key": KEY}


def _with_child(kept: str) -> NexiosApp:
    """An app with sessions, in which an app is mounted that has none of its own."""
    app, child = make_app(**_options(kept)), NexiosApp(openapi=None)

    @child.get("/in")
    async def come(request: Request, response: Response) -> str:
        await login(request, "7")
        return "in"

    @child.get("/out")
    async def leave(request: Request, response: Response) -> str:
        logout(request)
        return "out"

    app.mount("/child", child)
    return app


@pytest.mark.parametrize("kept", KEPT)
async def test_a_logout_in_a_mounted_app_ends_the_session_of_the_app_around_it(kept: str) -> None:
    """The request inside of a mount opened a session of its own, which nobody saved."""
    visitor = Visitor(_with_child(kept))
    await visitor.get("/login/7")
    thief = Visitor(visitor.app)
    thief.cookies = dict(visitor.cookies)

    answer = await visitor.get("/child/out")

    assert (answer.header("vary"), visitor.cookies) == ("Cookie", {})
    assert (await thief.json("/all"))["user"] == (None if kept == "store" else "7")


@pytest.mark.parametrize("kept", KEPT)
async def test_a_login_in_a_mounted_app_is_one_of_the_app_around_it(kept: str) -> None:
    visitor = Visitor(_with_child(kept))

    await visitor.get("/child/in")

    assert (await visitor.json("/all"))["user"] == "7"


async def test_a_stream_of_a_mounted_app_opens_no_session_that_nobody_saves() -> None:
    """As in an app that is not mounted: the error says that it is too late."""
    app, child, told = make_app(), NexiosApp(openapi=None), []

    @child.get("/late")
    async def late(request: Request, response: Response) -> Response:
        async def chunks() -> Any:
            with pytest.raises(RuntimeError, match="touched first when the response is on its way") as caught:
                request.session["seen"] = True
            told.append(caught.value)
            yield b"late"

        return response.stream(chunks())

    app.mount("/child", child)

    assert (await Visitor(app).get("/child/late")).body == b"late"
    assert len(told) == 1


@pytest.mark.parametrize("kept", KEPT)
async def test_a_websocket_inside_of_two_sessions_has_the_inner_one(kept: str) -> None:
    """Where the outer one was looked into before, its user became the user of the app inside."""
    app, inner = make_app(session_cookie="outer", **_options(kept)), NexiosApp(openapi=None)
    inner.add_middleware(SessionMiddleware, secret_key=OLD_KEY, session_cookie="inner")
    seen: list[str | None] = []

    async def look(websocket: WebSocket, call_next: Any) -> None:
        seen.append(websocket.session.user_id)
        await call_next()
        seen.append(websocket.session.user_id)

    @inner.websocket("/ws")
    async def talk(websocket: WebSocket) -> None:
        await websocket.accept()
        seen.append(websocket.session.user_id)

    app.add_websocket_middleware(look)
    app.mount("/inner", inner)
    visitor = Visitor(app)
    await visitor.get("/login/7")
    cookie = f"__Host-outer={visitor.cookies['__Host-outer']}".encode()

    await raw_websocket(app, path="/inner/ws", scheme="wss", headers=[(b"host", b"good.com"), (b"cookie", cookie)])

    assert seen == ["7", None, "7"]


async def test_f12_a_stored_session_of_one_cookie_is_none_of_another() -> None:
    """F12 in a store: a customer of the shop was the user of that number in its administration."""
    store = MemoryStore()
    shop, admin = make_app(store=store, session_cookie="shop"), make_app(store=store, session_cookie="admin")
    customer, intruder = Visitor(shop), Visitor(admin)
    await customer.get("/login/1")
    intruder.cookies = {"__Host-admin": customer.cookies["__Host-shop"]}

    assert await intruder.json("/all") == {"values": {}, "user": None, "new": True}


async def test_who_ends_all_sessions_and_signs_in_at_the_same_moment_stays_signed_in() -> None:
    """A clock that ticks seldom: the new session seemed to be one of those that were ended."""
    clock = Clock()
    app = make_app(store=MemoryStore(), clock=clock)

    @app.get("/reset")
    async def reset(request: Request, response: Response) -> str:
        await request.session.invalidate_all("7")
        await login(request, "7")
        return "reset"

    visitor, thief = Visitor(app), Visitor(app)
    await visitor.get("/login/7")
    await thief.get("/login/7")

    await visitor.get("/reset")

    assert (await visitor.json("/all"))["user"] == "7"
    assert (await thief.json("/all"))["user"] is None


async def test_a_later_end_by_a_slow_clock_takes_no_earlier_one_back() -> None:
    """Two machines, one of them three seconds ahead: the second end was written over the first, with an older time."""
    clock = Clock()
    app = make_app(store=MemoryStore(), clock=clock)
    thief, other = Visitor(app), Visitor(app)
    await thief.get("/login/7")
    clock.now += 1
    await other.get("/end-all/7")
    clock.now -= 3
    await other.get("/end-all/7")

    assert (await thief.json("/all"))["user"] is None


class Failing(MemoryStore):
    """Its method `broken` fails."""

    broken = ""

    async def add(self, key: str, value: bytes, *, expires_in: float | None = None) -> bool:
        self._check("add")
        return await super().add(key, value, expires_in=expires_in)

    async def delete(self, key: str) -> bool:
        self._check("delete")
        return await super().delete(key)

    def _check(self, name: str) -> None:
        if self.broken == name:
            raise StoreUnavailable(name)


async def test_f21_a_session_is_ended_before_a_new_one_is_kept() -> None:
    """F21: where the new one could not be kept, or the save was broken off, the old one was as good as before."""
    store = Failing()
    app = make_app(store=store)

    @app.get("/over")
    async def over(request: Request, response: Response) -> str:
        request.session.clear()
        request.session["theme"] = "dark"
        return "over"

    visitor = Visitor(app)
    await visitor.get("/login/7")
    store.broken = "add"

    answer = await visitor.get("/over")

    assert (answer.status, answer.header_all("set-cookie")) == (503, [])
    assert (await visitor.json("/all"))["user"] is None


async def test_an_end_that_the_store_refuses_is_told_and_leaves_nothing_behind() -> None:
    store = Failing()
    visitor = Visitor(make_app(store=store))
    await visitor.get("/login/7")
    store.broken = "delete"

    for path in ("/clear", "/rotate", "/login/8"):
        answer = await visitor.get(path)
        assert (answer.status, answer.header_all("set-cookie"), NAME in visitor.cookies) == (503, [], True), path

    store.broken = ""
    assert (await visitor.json("/all"))["user"] == "7"


class Flaky(MemoryStore):
    """Fails at its call number `fails_at`, from 0 on."""

    calls = 0
    fails_at: int | None = None

    def _count(self) -> None:
        self.calls += 1
        if self.fails_at == self.calls - 1:
            raise StoreUnavailable

    async def get(self, key: str) -> bytes | None:
        self._count()
        return await super().get(key)

    async def set(self, key: str, value: bytes, *, expires_in: float | None = None) -> None:
        self._count()
        await super().set(key, value, expires_in=expires_in)

    async def add(self, key: str, value: bytes, *, expires_in: float | None = None) -> bool:
        self._count()
        return await super().add(key, value, expires_in=expires_in)

    async def replace(self, key: str, value: bytes, *, expected: bytes, expires_in: float | None = None) -> bool:
        self._count()
        return await super().replace(key, value, expected=expected, expires_in=expires_in)

    async def delete(self, key: str) -> bool:
        self._count()
        return await super().delete(key)


@pytest.mark.parametrize("path", ["/all", "/set/a/b", "/login/8", "/rotate", "/clear", "/end-others", "/end-all/7"])
async def test_a_store_that_fails_at_any_call_makes_nobody_a_stranger_and_no_cookie(path: str) -> None:
    """Each call of the way fails once: it is told by a 503, and what is done afterwards holds."""
    fails_at = 0
    while True:
        store = Flaky()
        visitor = Visitor(make_app(store=store))
        await visitor.get("/login/7")
        before = dict(visitor.cookies)
        store.calls, store.fails_at = 0, fails_at

        answer = await visitor.get(path)

        if store.calls <= fails_at:
            break
        assert (answer.status, answer.header_all("set-cookie"), visitor.cookies) == (503, [], before), fails_at
        store.fails_at = None
        await visitor.get("/clear")
        thief = Visitor(visitor.app)
        thief.cookies = before
        assert (await thief.json("/all"))["user"] is None
        fails_at += 1
    assert fails_at
