"""Events: who is called, in which order, and what a failing listener may do."""

import asyncio
import gc
import logging
import weakref
from functools import partial

import pytest

from nexios.errors import ConfigurationError
from nexios.events import names
from nexios.events.emitter import MAX_DEPTH, MAX_LISTENERS, EventEmitter


async def test_sync_and_async_listeners_get_what_was_emitted() -> None:
    events, heard = EventEmitter(), list[object]()

    @events.on("order.paid")
    def first(order: int, *, by: str) -> None:
        heard.append(("sync", order, by))

    @events.on("order.paid")
    async def second(order: int, *, by: str) -> None:
        await asyncio.sleep(0)
        heard.append(("async", order, by))

    await events.emit("order.paid", 7, by="ada")

    assert heard == [("sync", 7, "ada"), ("async", 7, "ada")]


async def test_on_takes_a_listener_directly_or_decorates_and_returns_it_unchanged() -> None:
    events, heard = EventEmitter(), list[str]()

    def listener() -> None:
        heard.append("heard")

    assert events.on("a", listener) is listener
    assert events.on("b")(listener) is listener
    assert events.on("c", priority=1, strict=True)(listener) is listener
    assert events.once("d", listener) is listener
    assert events.once("e")(listener) is listener
    for name in "abcde":
        await events.emit(name)

    assert heard == ["heard"] * 5


async def test_a_higher_priority_comes_first_and_then_who_was_added_first() -> None:
    events, heard = EventEmitter(), list[str]()
    for name, priority in [("a", 0), ("b", -1), ("c", 5), ("d", 0), ("e", 5)]:
        events.on("x", partial(heard.append, name), priority=priority)

    await events.emit("x")

    assert heard == ["c", "e", "a", "d", "b"]


async def test_each_listener_is_awaited_before_the_next() -> None:
    events, heard = EventEmitter(), list[str]()

    @events.on("x")
    async def slow() -> None:
        for _ in range(5):
            await asyncio.sleep(0)
        heard.append("slow")

    events.on("x", lambda: heard.append("quick"))
    await events.emit("x")

    assert heard == ["slow", "quick"]


async def test_a_once_listener_hears_one_event_even_when_it_emits_it_again() -> None:
    events, heard = EventEmitter(), list[str]()

    @events.once("x")
    async def listener() -> None:
        heard.append("x")
        await events.emit("x")

    await events.emit("x")
    await events.emit("x")

    assert heard == ["x"]
    assert events.has_listeners("x") is False


async def test_a_once_listener_hears_one_of_two_events_at_the_same_time() -> None:
    events, heard = EventEmitter(), list[str]()
    events.on("x", lambda: asyncio.sleep(0), priority=1)
    events.once("x", lambda: heard.append("x"))

    await asyncio.gather(events.emit("x"), events.emit("x"))

    assert heard == ["x"]


async def test_off_removes_a_listener_and_tells_whether_it_was_there() -> None:
    events, heard = EventEmitter(), list[str]()

    def listener() -> None:
        heard.append("x")

    events.on("x", listener)
    events.on("x", listener)

    assert events.off("x", listener) is True
    assert events.off("x", listener) is False
    assert events.off("unknown", listener) is False
    await events.emit("x")
    assert heard == []


async def test_a_bound_method_can_be_removed() -> None:
    class Shop:
        def paid(self) -> None: ...

    events, shop = EventEmitter(), Shop()
    events.on("x", shop.paid)

    assert events.off("x", shop.paid) is True


async def test_a_listener_that_is_removed_during_an_emit_is_not_called_any_more() -> None:
    events, heard = EventEmitter(), list[str]()

    def second() -> None:
        heard.append("second")

    @events.on("x", priority=1)
    def first() -> None:
        heard.append("first")
        events.off("x", second)
        events.off("x", first)

    events.on("x", second)
    await events.emit("x")
    await events.emit("x")

    assert heard == ["first"]


async def test_a_listener_that_is_added_during_an_emit_hears_the_next_one() -> None:
    events, heard = EventEmitter(), list[str]()

    @events.once("x")
    def first() -> None:
        heard.append("first")
        events.on("x", lambda: heard.append("added"))

    await events.emit("x")
    assert heard == ["first"]
    await events.emit("x")
    assert heard == ["first", "added"]


async def test_a_failing_listener_is_logged_by_name_and_the_others_run(caplog: pytest.LogCaptureFixture) -> None:
    events, heard = EventEmitter(), list[str]()

    @events.on("order.paid")
    def send_receipt(order: str) -> None:
        raise ValueError("no printer")

    @events.on("order.paid")
    async def send_mail(order: str) -> None:
        raise LookupError("no address")

    events.on("order.paid", heard.append)
    await events.emit("order.paid", "secret order")

    assert heard == ["secret order"]
    assert [(record.name, record.levelno) for record in caplog.records] == [("nexios", logging.ERROR)] * 2
    assert "send_receipt of event 'order.paid' failed" in caplog.messages[0]
    assert "send_mail of event 'order.paid' failed" in caplog.messages[1]
    assert __name__ in caplog.messages[0]
    assert "secret order" not in "".join(caplog.messages)
    assert caplog.records[0].exc_info is not None
    assert isinstance(caplog.records[0].exc_info[1], ValueError)


@pytest.mark.parametrize("kind", ["partial", "object"])
async def test_the_name_of_a_listener_shows_nothing_it_was_made_with(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    class Notifier:
        def __repr__(self) -> str:
            return "Notifier(token='hunter2')"

        def __call__(self) -> None:
            raise ValueError

    def fail(token: str) -> None:
        raise ValueError

    events = EventEmitter()
    events.on("x", partial(fail, "hunter2") if kind == "partial" else Notifier())
    await events.emit("x")

    assert ("fail" if kind == "partial" else "Notifier") in caplog.messages[0]
    assert "hunter2" not in caplog.messages[0]


async def test_a_strict_listener_stops_the_event_and_its_exception_comes_out() -> None:
    events, heard = EventEmitter(), list[str]()

    @events.on("startup", strict=True)
    async def connect() -> None:
        raise ConnectionError("no database")

    events.on("startup", lambda: heard.append("later"))

    with pytest.raises(ConnectionError):
        await events.emit("startup")
    assert heard == []


@pytest.mark.parametrize("error", [asyncio.CancelledError, KeyboardInterrupt, SystemExit])
async def test_what_ends_the_task_or_the_process_is_never_held_back(error: type[BaseException]) -> None:
    events = EventEmitter()

    @events.on("x")
    def listener() -> None:
        raise error

    with pytest.raises(error):
        await events.emit("x")


async def test_an_emit_can_be_cancelled_while_a_listener_waits(caplog: pytest.LogCaptureFixture) -> None:
    events = EventEmitter()
    events.on("x", asyncio.Event().wait)
    task = asyncio.ensure_future(events.emit("x"))
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert caplog.records == []


async def test_listeners_that_emit_their_own_event_are_stopped_and_reported(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Each once per outermost call: two would otherwise run two to the power of the depth times."""
    events, calls = EventEmitter(), list[str]()

    async def again() -> None:
        calls.append("x")
        await events.emit("x")

    async def too() -> None:
        calls.append("x")
        await events.emit("x")

    events.on("x", again)
    events.on("x", too)
    await events.emit("x")

    assert len(calls) == 2 * MAX_DEPTH
    assert len(caplog.records) == 2
    assert caplog.records[0].exc_info is not None
    assert f"by its own listeners {MAX_DEPTH} deep" in str(caplog.records[0].exc_info[1])


async def test_recursion_through_a_strict_listener_comes_out() -> None:
    events = EventEmitter()

    @events.on("ping", strict=True)
    async def ping() -> None:
        await events.emit("pong")

    @events.on("pong")
    async def pong() -> None:
        await events.emit("ping")

    with pytest.raises(RecursionError, match="leads to itself"):
        await events.emit("ping")


async def test_recursion_through_tasks_is_found_too(caplog: pytest.LogCaptureFixture) -> None:
    events = EventEmitter()

    @events.on("x")
    async def listener() -> None:
        await asyncio.create_task(events.emit("x"))

    await events.emit("x")

    assert len(caplog.records) == 1


async def test_events_that_follow_each_other_for_ever_are_no_recursion(caplog: pytest.LogCaptureFixture) -> None:
    events, heard, tasks = EventEmitter(), list[int](), list[asyncio.Task[None]]()
    done = asyncio.Event()

    @events.on("tick")
    async def tick(number: int) -> None:
        heard.append(number)
        if number == 3 * MAX_DEPTH:
            done.set()
        else:
            tasks.append(asyncio.create_task(events.emit("tick", number + 1)))

    await events.emit("tick", 0)
    await done.wait()
    await asyncio.gather(*tasks)

    assert heard == list(range(3 * MAX_DEPTH + 1))
    assert caplog.records == []


async def test_depth_is_counted_anew_after_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    events = EventEmitter()
    events.on("x", lambda: 1 / 0, strict=True)

    for _ in range(2 * MAX_DEPTH):
        with pytest.raises(ZeroDivisionError):
            await events.emit("x")
    assert caplog.records == []


@pytest.mark.parametrize(
    ("parent", "children"),
    [
        ("request", ["request.started", "request.finished", "request.failed"]),
        ("websocket", ["websocket.connected", "websocket.disconnected", "websocket.failed"]),
    ],
)
async def test_request_and_websocket_mean_all_of_theirs(parent: str, children: list[str]) -> None:
    events, heard = EventEmitter(), list[str]()
    events.on(parent, heard.append)

    for name in children:
        assert events.has_listeners(name)
        await events.emit(name, name)
    await events.emit(parent, parent)

    assert heard == [*children, parent]


async def test_listeners_of_a_name_and_of_its_parent_share_one_order() -> None:
    events, heard = EventEmitter(), list[str]()
    events.on("request.started", lambda: heard.append("second"))
    events.on("request", lambda: heard.append("third"))
    events.on("request", lambda: heard.append("first"), priority=1)

    await events.emit("request.started")

    assert heard == ["first", "second", "third"]


async def test_a_dot_in_a_name_of_the_user_means_nothing() -> None:
    events, heard = EventEmitter(), list[str]()
    events.on("order", lambda: heard.append("x"))
    events.on("request", lambda: heard.append("x"))

    await events.emit("order.paid")
    await events.emit("request.mine")

    assert heard == []
    assert events.has_listeners("order.paid") is False


async def test_a_child_does_not_make_its_parent_heard() -> None:
    events = EventEmitter()
    events.on("request.started", lambda: None)

    assert events.has_listeners("request.started") is True
    assert events.has_listeners("request") is False
    assert events.has_listeners("request.finished") is False


async def test_two_emitters_know_nothing_of_each_other() -> None:
    one, other, heard = EventEmitter(), EventEmitter(), list[str]()
    one.on("x", lambda: heard.append("one"))

    await other.emit("x")

    assert heard == []


async def test_nothing_that_was_emitted_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    class Payload: ...

    events, heard = EventEmitter(), list[str]()
    events.on("x", lambda payload: heard.append("x"))
    payload = Payload()
    reference = weakref.ref(payload)

    await events.emit("x", payload)
    del payload
    gc.collect()

    assert heard == ["x"]
    assert reference() is None


async def test_names_nobody_listens_to_are_not_kept() -> None:
    events = EventEmitter()

    for number in range(1_000):
        await events.emit(f"user.{number}")
        name = f"once.{number}"
        events.once(name, lambda: None)
        await events.emit(name)

    assert events.has_listeners("once.999") is False
    assert len(events._subscriptions) == 0


async def test_very_many_listeners_of_one_name_are_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    events = EventEmitter()

    for _ in range(MAX_LISTENERS):
        events.on("x", lambda: None)
    assert caplog.records == []
    for _ in range(50):
        events.on("x", lambda: None)

    assert caplog.messages == ["event 'x' has over 100 listeners; is one added at every request?"]
    assert caplog.records[0].name == "nexios"


async def test_mistakes_are_found_when_they_are_made() -> None:
    events = EventEmitter()

    def startup() -> None: ...

    with pytest.raises(ConfigurationError, match=r"@app\.event_emitter\.on\('startup'\)"):
        events.on(startup)  # type: ignore[call-overload]
    with pytest.raises(ConfigurationError, match="An event needs a name"):
        events.on("")
    with pytest.raises(ConfigurationError, match="must be a function, not int"):
        events.on("x", 3)  # type: ignore[call-overload]


def test_the_names_are_the_documented_ones() -> None:
    values = {getattr(names, name) for name in names.__all__ if name != "PARENTS"}

    assert values == {
        "startup", "shutdown", "error",
        "request", "request.started", "request.finished", "request.failed",
        "websocket", "websocket.connected", "websocket.disconnected", "websocket.failed",
        "channels.presence", "channels.lost", "channels.restored",
    }  # fmt: skip
    assert set(names.PARENTS.values()) == {"request", "websocket"}
