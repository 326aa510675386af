"""Section F of the published faults, and M where it is about sessions. Each test is the translation of one row."""

import asyncio
import base64
import hashlib
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from nexios import NexiosApp, Request, Response
from nexios.errors import ConfigurationError
from nexios.messages.session import Session
from nexios.session import SessionMiddleware
from nexios.signing import Keyring
from nexios.stores import MemoryStore, SQLiteStore
from nexios.testing.raw import RawAnswer, call
from tests.session.visitor import KEY, NAME, OLD_KEY, Clock, Visitor, make_app


async def test_f1_a_cookie_under_a_name_that_resembles_ours_is_no_session() -> None:
    """F1: `=__Host-session=...` and its like were read as the session."""
    app = make_app()
    visitor = Visitor(app)
    await visitor.get("/login/7")
    value = visitor.cookies[NAME]

    for name in ("=__Host-session", "__%48ost-session", "__host-session", '"__Host-session"', "session", "  " + NAME):
        headers = [(b"cookie", f"{name}={value}".encode())]
        answer = await call(app, path="/all", headers=headers, scope_extra={"scheme": "https"})
        assert answer.json()["user"] is None, name


async def test_f4_an_id_that_we_did_not_issue_is_never_used() -> None:
    """F4: an attacker fixed the id of a session that its victim then logged in to."""
    store = MemoryStore()
    visitor = Visitor(make_app(store=store))
    chosen = "A" * 43
    visitor.cookies[NAME] = chosen

    await visitor.get("/login/7")

    assert visitor.cookies[NAME] != chosen
    visitor.cookies[NAME] = chosen
    assert (await visitor.json("/all"))["user"] is None
    assert len(store) == 1


@pytest.mark.parametrize("step", ["/login/7", "/rotate", "/end-others"])
async def test_f4_f21_a_login_and_a_change_of_rights_leave_nothing_under_the_old_id(step: str) -> None:
    """F4, F21: the id that was known before the login was good after it."""
    store = MemoryStore()
    visitor = Visitor(make_app(store=store, clock=Clock()))
    await visitor.get("/login/6" if step == "/end-others" else "/append/apple")
    old = dict(visitor.cookies)

    await visitor.get(step)

    thief = Visitor(visitor.app)
    thief.cookies = old
    assert visitor.cookies != old
    assert (await visitor.json("/all"))["new"] is False
    assert await thief.json("/all") == {"values": {}, "user": None, "new": True}


@pytest.mark.parametrize("kept", ["cookie", "store"])
@pytest.mark.parametrize(("seconds", "is_over"), [(99, False), (100, False), (101, True)])
async def test_f5_a_cookie_that_is_sent_again_later_is_over(kept: str, seconds: int, is_over: bool) -> None:
    """F5: only the browser was told of the end; a copy of the cookie was good for ever."""
    clock = Clock()
    options: dict[str, Any] = {"store": MemoryStore(clock=clock)} if kept == "store" else {}
    visitor = Visitor(make_app(idle_timeout=100.5, clock=clock, **options))
    await visitor.get("/login/7")
    clock.now += seconds

    assert (await visitor.json("/all"))["new"] is is_over


@pytest.mark.parametrize("kept", ["cookie", "store"])
async def test_f5_a_session_ends_however_much_it_is_used(kept: str) -> None:
    """F5, as to the absolute timeout."""
    clock = Clock()
    options: dict[str, Any] = {"store": MemoryStore(clock=clock)} if kept == "store" else {}
    visitor = Visitor(make_app(idle_timeout=100, absolute_timeout=150, clock=clock, **options))
    await visitor.get("/login/7")
    clock.now += 90
    await visitor.get("/set/theme/dark")
    clock.now += 61

    assert (await visitor.json("/all"))["user"] is None


async def test_f5_a_cookie_from_the_future_is_none() -> None:
    """F5: a clock that was set back made sessions of any length."""
    clock = Clock()
    visitor = Visitor(make_app(clock=clock))
    await visitor.get("/login/7")
    clock.now -= 3600

    assert (await visitor.json("/all"))["new"] is True


async def test_f6_a_request_that_was_under_way_does_not_revive_a_session() -> None:
    """F6: a request saved the session that a logout had deleted meanwhile."""
    store = MemoryStore()
    app = make_app(store=store)
    arrived, go_on = asyncio.Event(), asyncio.Event()

    @app.get("/slow")
    async def slow(request: Request, response: Response) -> str:
        request.session["late"] = "1"
        arrived.set()
        await go_on.wait()
        return "slow"

    visitor = Visitor(app)
    await visitor.get("/login/7")
    copied = Visitor(app)
    copied.cookies = dict(visitor.cookies)
    waiting = asyncio.create_task(copied.get("/slow"))
    await arrived.wait()

    await visitor.get("/clear")
    go_on.set()
    answer = await waiting

    assert (answer.status, answer.header_all("set-cookie"), len(store)) == (200, [], 0)


def forged(value: str) -> list[str]:
    """Return what is not the cookie `value`, but resembles it."""
    payload, seconds, signature = value.split(".")
    content = json.dumps({"c": 1.7e9, "n": 1.7e9, "i": "A" * 43, "u": "1", "v": {}}).encode()
    unsigned = base64.urlsafe_b64encode(content).decode().rstrip("=")
    other = Keyring(OLD_KEY).signer("session", NAME).sign(content)
    elsewhere = Keyring(KEY).signer("csrf", NAME).sign(content)
    return [
        *(unsigned, base64.b64encode(content).decode().rstrip("="), f"{unsigned}.{seconds}.{signature}", other),
        *(f"{payload}.{seconds}.{signature[:-1]}", f"{payload}.{seconds}", f"{payload}.{seconds}.", "..", "v1.k1.x.y"),
        *(f"{payload}.{int(seconds) + 1}.{signature}", f"{payload}A.{seconds}.{signature}", elsewhere, "x" * 4000),
    ]


async def test_f7_what_does_not_verify_is_no_session_and_no_error(caplog: pytest.LogCaptureFixture) -> None:
    """F7: where the cookie did not verify, it was read as if it needed no signature."""
    clock = Clock()
    app = make_app(clock=clock)
    visitor = Visitor(app)
    await visitor.get("/login/7")
    values = forged(visitor.cookies[NAME])
    caplog.set_level(logging.DEBUG)

    for value in values:
        visitor.cookies = {NAME: value}
        assert await visitor.json("/all") == {"values": {}, "user": None, "new": True}, value
        await visitor.get("/set/theme/dark")
        assert (await visitor.json("/all"))["values"] == {"theme": "dark"}, value

    assert [record for record in caplog.records if record.name == "nexios"] == []


async def test_f8_the_id_of_a_session_is_nowhere_but_in_the_cookie(
    tmp_path: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """F8: who read the store, or the log, could be every user."""
    caplog.set_level(logging.DEBUG)
    store = SQLiteStore(tmp_path / "sessions.db")
    app = make_app(store=store)
    shown: list[str] = []

    @app.get("/show")
    async def show(request: Request, response: Response) -> str:
        shown.append(f"{request.session!r} {request!r}")
        return "shown"

    visitor = Visitor(app)
    await store.start()
    await visitor.get("/login/7")
    await visitor.get("/show")
    id = visitor.cookies[NAME]
    hashed = hashlib.sha256(id.encode()).hexdigest()
    kept = await store.get(f"session:id:{hashed}")
    await store.stop()

    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert kept is not None
    assert hashed.encode() in files
    assert id.encode() not in files
    assert id not in caplog.text + shown[0]


READS: dict[str, Callable[[Session], object]] = {
    "get": lambda session: session.get("x"),
    "item": lambda session: session["theme"],
    "in": lambda session: "theme" in session,
    "len": len,
    "iter": lambda session: list(iter(session)),
    "keys": lambda session: list(session.keys()),
    "values": lambda session: list(session.values()),
    "items": lambda session: list(session.items()),
    "bool": bool,
    "==": lambda session: session == {},
    "pop of nothing": lambda session: session.pop("x", None),
    "setdefault of something": lambda session: session.setdefault("theme", "light"),
    "user": lambda session: session.user_id,
    "is_new": lambda session: session.is_new,
    "flashes": lambda session: session.flashes(),
    "known secret": lambda session: session.known_secret("csrf"),
}


def _delete(session: Session) -> None:
    del session["theme"]


def _or_in_place(session: Session) -> None:
    session.update({"theme": "light"} | {"more": 1})


CHANGES: dict[str, Callable[[Session], object]] = {
    "item": lambda session: session.__setitem__("theme", "light"),
    "pop": lambda session: session.pop("theme"),
    "popitem": lambda session: session.popitem(),
    "setdefault": lambda session: session.setdefault("x", []),
    "update": lambda session: session.update(theme="light"),
    "or in place": _or_in_place,
    "clear": lambda session: session.clear(),
    "del": _delete,
    "nested": lambda session: session["cart"].append(2),
    "nested twice": lambda session: session["deep"]["inner"].update(more=1),
    "flash": lambda session: session.flash("Saved"),
    "user": lambda session: setattr(session, "user_id", "8"),
}


async def _after(kept: str, act: Callable[[Session], object]) -> RawAnswer:
    """Return the answer of a handler that does something with a session that holds something."""
    options: dict[str, Any] = {"store": MemoryStore()} if kept == "store" else {}
    app = make_app(**options)

    @app.get("/fill")
    async def fill(request: Request, response: Response) -> str:
        request.session.update(deep={"inner": {}}, cart=[1], theme="dark")
        return "filled"

    @app.get("/act")
    async def do(request: Request, response: Response) -> Response:
        act(request.session)
        return response.text("done").set_header("vary", "Accept")

    visitor = Visitor(app)
    await visitor.get("/fill")
    before = dict(visitor.cookies)
    answer = await visitor.get("/act")
    assert answer.status == 200
    answer.messages.append({"stored": (await visitor.json("/all"))["values"], "moved": visitor.cookies != before})
    return answer


@pytest.mark.parametrize("kept", ["cookie", "store"])
@pytest.mark.parametrize("name", READS)
async def test_f10_whoever_looks_into_a_session_gets_an_answer_that_varies(kept: str, name: str) -> None:
    """F10: a cache gave the page of one user to another, because `in` and `len` did not count as reading."""
    answer = await _after(kept, READS[name])

    assert answer.header("vary") == "Accept, Cookie"
    assert answer.header_all("set-cookie") == []


@pytest.mark.parametrize("name", CHANGES)
async def test_f10_whoever_changes_a_session_gets_a_cookie_that_no_shared_cache_keeps(name: str) -> None:
    """F10: the same of a session that is refreshed, in the signed cookie."""
    answer = await _after("cookie", CHANGES[name])

    assert answer.header("vary") == "Accept, Cookie"
    assert len(answer.header_all("set-cookie")) == 1
    assert answer.header("cache-control") == "no-store"


@pytest.mark.parametrize("name", CHANGES)
async def test_f10_every_way_to_change_a_stored_session_is_noticed(name: str) -> None:
    """F10: the same in a store, where the cookie stays unless the id changes."""
    answer = await _after("store", CHANGES[name])

    done = answer.messages[-1]
    assert answer.header("cache-control") == "no-store"
    assert answer.header("vary") == "Accept, Cookie"
    assert done["moved"] or name == "flash" or done["stored"] != {"deep": {"inner": {}}, "cart": [1], "theme": "dark"}


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("public, max-age=60", "max-age=60, private"),
        ("public", "private"),
        ("max-age=60, s-maxage=600", "max-age=60, private"),
        ("Private", "Private"),
        ("no-store", "no-store"),
        ('no-cache="x", Public', 'no-cache="x", private'),
    ],
)
async def test_f10_m2_an_answer_with_a_cookie_is_private_whatever_the_handler_said(given: str, sent: str) -> None:
    """F10, M2: what was said of caches before is kept as far as it does no harm."""
    app = make_app()

    @app.get("/cached")
    async def cached(request: Request, response: Response) -> Response:
        request.session["x"] = 1
        return response.text("x").set_header("cache-control", given)

    assert (await Visitor(app).get("/cached")).header("cache-control") == sent


async def test_f11_the_newest_key_signs_and_each_that_is_listed_verifies() -> None:
    """F11: after a change of keys, the oldest one signed."""
    clock = Clock()
    visitor = Visitor(make_app(secret_key=OLD_KEY, clock=clock))
    await visitor.get("/login/7")

    visitor.app = make_app(secret_key=[KEY, OLD_KEY], clock=clock)
    answer = await visitor.get("/all")
    assert (answer.json()["user"], len(answer.header_all("set-cookie"))) == ("7", 1)
    assert (await visitor.get("/all")).header_all("set-cookie") == []

    visitor.app = make_app(secret_key=KEY, clock=clock)
    assert (await visitor.json("/all"))["user"] == "7"
    visitor.app = make_app(secret_key=OLD_KEY, clock=clock)
    assert (await visitor.json("/all"))["user"] is None


async def test_f12_a_session_of_one_cookie_is_none_of_another() -> None:
    """F12: what was signed for one use was good for another."""
    clock = Clock()
    visitor = Visitor(make_app(session_cookie="ab", clock=clock))
    await visitor.get("/login/7")
    value = visitor.cookies["__Host-ab"]

    other = Visitor(make_app(session_cookie="a", clock=clock))
    other.cookies = {"__Host-a": value}

    assert (await other.json("/all"))["user"] is None


@pytest.mark.parametrize("path", ["/all", "/clear", "/flashes", "/known-secret", "/rotate", "/untouched"])
async def test_f13_ten_thousand_strangers_leave_nothing_in_the_store(path: str) -> None:
    """F13: each request without a cookie made a session, until the store was full."""
    store = MemoryStore()
    app = make_app(store=store)

    for _ in range(1700):  # of six kinds
        answer = await call(app, path=path, scope_extra={"scheme": "https"})
        assert answer.header_all("set-cookie") == []

    assert len(store) == 0


async def test_f14_a_session_that_was_never_saved_can_be_cleared_and_used() -> None:
    """F14: to flush it left an empty record that everyone shared."""
    store = MemoryStore()
    app = make_app(store=store)

    @app.get("/both")
    async def both(request: Request, response: Response) -> str:
        request.session.clear()
        request.session.clear()
        request.session["theme"] = "dark"
        return "both"

    ada, bob = Visitor(app), Visitor(app)
    await ada.get("/both")
    await bob.get("/both")

    assert len(store) == 2
    assert ada.cookies[NAME] != bob.cookies[NAME]
    assert (await ada.json("/all"))["values"] == {"theme": "dark"}


@pytest.mark.parametrize("value", [object(), [object()], lambda: 0, float])
async def test_f15_what_is_no_json_is_refused_when_it_is_put_in(value: object) -> None:
    """F15: sessions were pickles, and a pickle is a program."""
    app = make_app(store=MemoryStore())

    @app.get("/put")
    async def put(request: Request, response: Response) -> str:
        with pytest.raises(TypeError, match=r"session\['thing'\] has no JSON form"):
            request.session["thing"] = value
        with pytest.raises(TypeError, match="names in a session are texts"):
            request.session[7] = "x"  # type: ignore[index]
        return "refused"

    assert (await Visitor(app).get("/put")).body == b"refused"


@pytest.mark.parametrize(
    "id", ["../x", "A" * 1024, "A" * 42, "A" * 44, "a%00" + "A" * 39, "é" * 43, "", ".", "A" * 42 + "="]
)
async def test_f16_an_id_that_is_none_is_not_even_looked_for(id: str) -> None:
    """F16: the id of a session was the name of a file."""

    class Watched(MemoryStore):
        async def get(self, key: str) -> bytes | None:
            raise AssertionError(key)

    app = make_app(store=Watched())

    answer = await call(
        app, path="/all", headers=[(b"cookie", f"{NAME}={id}".encode("latin-1"))], scope_extra={"scheme": "https"}
    )

    assert answer.json()["new"] is True


async def test_f17_m5_ids_that_differ_in_case_are_two() -> None:
    """F17: keys were folded, so that two of them met."""
    store = MemoryStore()
    visitor = Visitor(make_app(store=store))
    await visitor.get("/login/7")
    visitor.cookies[NAME] = visitor.cookies[NAME].swapcase()

    assert (await visitor.json("/all"))["user"] is None


def test_f18_a_key_that_is_missing_is_an_error_at_the_start() -> None:
    """F18: without a key, one that everyone knows was used, or another one in each process."""
    app = NexiosApp(openapi=None)
    app.add_middleware(SessionMiddleware)

    with pytest.raises(ConfigurationError, match="A secret key is missing"):
        app.compile()


async def test_f18_an_id_is_of_32_random_bytes() -> None:
    """F18: ids could be guessed."""
    app = make_app(store=MemoryStore())
    ids: set[str] = set()
    for _ in range(50):
        visitor = Visitor(app)
        await visitor.get("/set/theme/dark")
        ids.add(visitor.cookies[NAME])

    assert len(ids) == 50
    assert {len(base64.urlsafe_b64decode(id + "=")) for id in ids} == {32}


async def test_f20_a_session_that_browsers_would_drop_is_an_error() -> None:
    """F20: browsers drop a cookie over 4096 bytes, and with it went the login."""
    app = make_app()

    @app.get("/put/{size:int}")
    async def put(request: Request, response: Response, size: int) -> str:
        request.session["picture"] = "x" * size
        return "put"

    visitor = Visitor(app)
    await visitor.get("/login/7")

    assert (await visitor.get("/put/5120")).status == 500
    assert (await visitor.json("/all")) == {"values": {}, "user": "7", "new": False}
    for size in range(2850, 2950):
        answer = await visitor.get(f"/put/{size}")
        cookie = "".join(answer.header_all("set-cookie")).partition(";")[0]
        assert (answer.status, len(cookie) <= 4097) == (200, True) if cookie else answer.status == 500


async def test_m1_two_hundred_requests_at_once_see_each_its_own_session() -> None:
    """M1: what one request left on a middleware was found by another."""
    app = make_app(store=MemoryStore())
    turn = asyncio.Barrier(200)

    @app.get("/mine")
    async def mine(request: Request, response: Response) -> Any:
        request.session["seen"] = True
        await turn.wait()
        return request.session.user_id

    visitors = [Visitor(app) for _ in range(200)]
    for number, visitor in enumerate(visitors):
        await visitor.get(f"/login/{number}")

    found = await asyncio.gather(*(visitor.json("/mine") for visitor in visitors))

    assert found == list(range(200))
