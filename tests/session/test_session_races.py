"""Two requests of one session at once: what each of them changed is kept, and what was ended stays ended."""

import asyncio
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from nexios import NexiosApp, Request, Response
from nexios.session.record import Record, decode_record, encode_record, merged
from nexios.stores import MemoryStore
from tests.session.visitor import NAME, Clock, Visitor, make_app

VALUES = st.dictionaries(st.sampled_from("abcd"), st.integers(0, 3) | st.lists(st.integers(0, 2)))


class Slow:
    """A request that has read its session waits here for others to overtake it."""

    def __init__(self, app: NexiosApp) -> None:
        self.arrived = asyncio.Event()
        self.go_on = asyncio.Event()

        @app.get("/slow/{name}/{value}")
        async def slow(request: Request, response: Response, name: str, value: str) -> str:
            request.session[name] = value
            await self._wait()
            return "put"

        @app.get("/slow-flash/{text}")
        async def slow_flash(request: Request, response: Response, text: str) -> str:
            request.session.flash(text)
            await self._wait()
            return "left"

        @app.get("/slow-login/{user}")
        async def slow_login(request: Request, response: Response, user: str) -> str:
            request.session.user_id = user
            await self._wait()
            return "in"

        @app.get("/slow-read")
        async def slow_read(request: Request, response: Response) -> Any:
            found = dict(request.session)
            await self._wait()
            return found

    async def _wait(self) -> None:
        self.arrived.set()
        await self.go_on.wait()


async def overtaken(visitor: Visitor, slow: Slow, path: str, *others: str) -> None:
    """Let `others` run from start to end while the request for `path` has read its session."""
    twin = Visitor(visitor.app)
    twin.cookies = dict(visitor.cookies)
    waiting = asyncio.create_task(twin.get(path))
    await slow.arrived.wait()
    for other in others:
        await visitor.get(other)
    slow.go_on.set()
    await waiting


async def test_two_requests_that_change_two_names_lose_neither() -> None:
    app = make_app(store=MemoryStore(), clock=Clock())
    visitor, slow = Visitor(app), Slow(app)
    await visitor.get("/set/theme/dark")

    await overtaken(visitor, slow, "/slow/language/fr", "/set/size/large", "/set/theme/light")

    assert (await visitor.json("/all"))["values"] == {"theme": "light", "size": "large", "language": "fr"}


async def test_of_two_changes_of_one_name_the_later_stands() -> None:
    app = make_app(store=MemoryStore(), clock=Clock())
    visitor, slow = Visitor(app), Slow(app)
    await visitor.get("/set/theme/dark")

    await overtaken(visitor, slow, "/slow/theme/slow", "/set/theme/quick")

    assert (await visitor.json("/all"))["values"] == {"theme": "slow"}


async def test_flash_messages_of_two_requests_are_both_shown() -> None:
    app = make_app(store=MemoryStore(), clock=Clock())
    visitor, slow = Visitor(app), Slow(app)
    await visitor.get("/flash/one")

    await overtaken(visitor, slow, "/slow-flash/three", "/flash/two")

    assert [text for text, _ in await visitor.json("/flashes")] == ["one", "two", "three"]


async def test_a_message_that_was_shown_meanwhile_does_not_come_back() -> None:
    app = make_app(store=MemoryStore(), clock=Clock())
    visitor, slow = Visitor(app), Slow(app)
    await visitor.get("/flash/one")

    await overtaken(visitor, slow, "/slow-flash/two", "/flashes")

    assert [text for text, _ in await visitor.json("/flashes")] == ["two"]


async def test_a_change_is_not_lost_to_a_login_meanwhile_nor_the_login_to_the_change() -> None:
    app = make_app(store=MemoryStore(), clock=Clock())
    visitor, slow = Visitor(app), Slow(app)
    await visitor.get("/append/apple")
    twin = Visitor(app)
    twin.cookies = dict(visitor.cookies)
    login = asyncio.create_task(twin.get("/slow-login/7"))
    await slow.arrived.wait()

    await visitor.get("/append/pear")
    slow.go_on.set()
    await login

    assert await twin.json("/all") == {"values": {"cart": ["apple", "pear"]}, "user": "7", "new": False}


async def test_a_login_does_not_revive_a_session_that_a_logout_ended_meanwhile() -> None:
    store = MemoryStore()
    app = make_app(store=store, clock=Clock())
    visitor, slow = Visitor(app), Slow(app)
    await visitor.get("/append/apple")

    await overtaken(visitor, slow, "/slow-login/7", "/clear")

    assert len(store) == 0


async def test_a_session_that_is_only_read_meanwhile_is_not_revived_by_its_refresh() -> None:
    store, clock = MemoryStore(), Clock()
    app = make_app(store=store, clock=clock)
    visitor, slow = Visitor(app), Slow(app)
    await visitor.get("/set/theme/dark")
    clock.now += 600

    await overtaken(visitor, slow, "/slow-read", "/clear")

    assert len(store) == 0


async def test_a_session_of_a_user_whose_sessions_all_ended_meanwhile_stays_ended() -> None:
    clock = Clock()
    app = make_app(store=MemoryStore(), clock=clock)
    visitor, slow = Visitor(app), Slow(app)
    await visitor.get("/login/7")
    await visitor.get("/set/theme/dark")
    kept = dict(visitor.cookies)
    clock.now += 1

    await overtaken(visitor, slow, "/slow/theme/light", "/end-all/7")
    visitor.cookies = kept

    assert await visitor.json("/all") == {"values": {}, "user": None, "new": True}


async def test_fifty_requests_at_once_lose_no_name() -> None:
    app = make_app(store=MemoryStore(), clock=Clock())
    visitor = Visitor(app)
    await visitor.get("/set/first/0")

    await asyncio.gather(*(visitor.get(f"/set/name{number}/{number}") for number in range(50)))

    assert len((await visitor.json("/all"))["values"]) == 51


async def test_requests_without_a_session_at_once_get_one_each() -> None:
    visitors = [Visitor(make_app(store=MemoryStore())) for _ in range(2)]

    await asyncio.gather(*(visitor.get("/set/theme/dark") for visitor in visitors))

    assert visitors[0].cookies[NAME] != visitors[1].cookies[NAME]


@given(base=VALUES, mine=VALUES)
def test_changes_put_on_what_was_not_changed_are_the_changes(base: dict[str, Any], mine: dict[str, Any]) -> None:
    assert merged(*(Record(0, 0, values=values) for values in (base, mine, base))).values == mine


@given(base=VALUES, theirs=VALUES)
def test_no_changes_leave_what_others_wrote(base: dict[str, Any], theirs: dict[str, Any]) -> None:
    assert merged(*(Record(0, 0, values=values) for values in (base, base, theirs))).values == theirs


@given(st.binary(max_size=300))
def test_any_bytes_are_a_record_or_none(encoded: bytes) -> None:
    record = decode_record(encoded)

    assert record is None or isinstance(decode_record(encode_record(record)), Record)
