"""An app with open streams hears of the signals that stop its server, and takes nothing away from it."""

import asyncio
import gc
import signal
import threading
from collections.abc import Collection, Iterator
from types import FrameType

import pytest

from nexios._pipeline.stop_signals import StopSignals

pytestmark = pytest.mark.skipif(
    threading.current_thread() is not threading.main_thread(), reason="needs the main thread"
)


class Listener:
    def __init__(self, *closing: "asyncio.Future[None]") -> None:
        self.heard = asyncio.Event()
        self.closing = closing

    def leave(self) -> Collection["asyncio.Future[None]"]:
        self.heard.set()
        return self.closing


@pytest.fixture
def server() -> Iterator[list[int]]:
    """A server that notes SIGTERM, and the handlers as they were."""
    caught: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:
        caught.append(number)

    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    signal.signal(signal.SIGTERM, handle)
    yield caught
    for number, handler in before.items():
        signal.signal(number, handler)


async def test_the_listener_hears_of_it_and_the_server_too(server: list[int]) -> None:
    listener = Listener()
    signals = StopSignals(listener)
    signals.watch()
    signals.watch()

    signal.raise_signal(signal.SIGTERM)
    await asyncio.wait_for(listener.heard.wait(), 5)

    assert server == [signal.SIGTERM]
    signals.forget()


async def test_the_server_hears_of_it_when_the_listener_is_ready(server: list[int]) -> None:
    """It closes WebSockets with a code of its own: whoever is faster would win."""
    closing = [asyncio.get_running_loop().create_future() for _ in range(2)]
    signals = StopSignals(listener := Listener(*closing))
    signals.watch()

    signal.raise_signal(signal.SIGTERM)
    await asyncio.wait_for(listener.heard.wait(), 5)
    closing[0].set_result(None)
    for _ in range(5):
        await asyncio.sleep(0)
    assert server == []

    closing[1].cancel()
    while not server:  # noqa: ASYNC110  one turn of the event loop at a time
        await asyncio.sleep(0)
    assert server == [signal.SIGTERM]
    signals.forget()


async def test_a_second_signal_reaches_the_server_at_once(server: list[int]) -> None:
    closing: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    signals = StopSignals(listener := Listener(closing))
    signals.watch()

    signal.raise_signal(signal.SIGTERM)
    assert (server, listener.heard.is_set()) == ([], False)
    signal.raise_signal(signal.SIGTERM)
    assert server == [signal.SIGTERM, signal.SIGTERM]

    closing.set_result(None)
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(server) == 2
    signals.forget()


async def test_the_server_hears_signals_in_their_order(server: list[int]) -> None:
    """Uvicorn takes a SIGINT after another signal for a wish to end at once, without the shutdown of the app."""
    signal.signal(signal.SIGINT, signal.getsignal(signal.SIGTERM))
    closing: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    signals = StopSignals(listener := Listener(closing))
    signals.watch()

    signal.raise_signal(signal.SIGINT)
    assert (server, listener.heard.is_set()) == ([], False)
    signal.raise_signal(signal.SIGTERM)

    assert server == [signal.SIGINT, signal.SIGTERM]
    signals.forget()


async def test_several_apps_hear_of_it_together_and_the_server_once(server: list[int]) -> None:
    loop = asyncio.get_running_loop()
    listeners = [Listener(loop.create_future()) for _ in range(3)]
    apps = [StopSignals(listener) for listener in listeners]
    for one in apps:
        one.watch()

    signal.raise_signal(signal.SIGTERM)
    await asyncio.sleep(0)
    assert [listener.heard.is_set() for listener in listeners] == [True] * 3
    for listener in listeners:
        assert server == []
        listener.closing[0].set_result(None)
        for _ in range(5):
            await asyncio.sleep(0)

    assert server == [signal.SIGTERM]
    for one in apps:
        one.forget()


async def test_an_app_that_cannot_leave_keeps_the_signal_from_nobody(
    server: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Listener):
        def leave(self) -> Collection["asyncio.Future[None]"]:
            raise LookupError("no such thing")

    broken, other = Broken(), Listener()
    apps = [StopSignals(broken), StopSignals(other)]
    for one in apps:
        one.watch()
    signal.raise_signal(signal.SIGTERM)
    await asyncio.wait_for(other.heard.wait(), 5)

    assert server == [signal.SIGTERM]
    assert "LookupError: no such thing" in caplog.text
    for one in apps:
        one.forget()


async def test_an_app_that_has_stopped_meanwhile_does_not_leave_again(server: list[int]) -> None:
    signals = StopSignals(listener := Listener())
    signals.watch()
    signal.raise_signal(signal.SIGTERM)
    signals.forget()
    await asyncio.sleep(0)

    assert (server, listener.heard.is_set()) == ([signal.SIGTERM], False)


async def test_it_is_told_again_when_it_listens_again(server: list[int]) -> None:
    signals = StopSignals(listener := Listener())
    for heard in (1, 2):
        signals.watch()
        signal.raise_signal(signal.SIGTERM)
        await asyncio.wait_for(listener.heard.wait(), 5)
        listener.heard.clear()
        signals.forget()
        assert len(server) == heard


async def test_the_handlers_are_as_before_when_nobody_listens_any_more(server: list[int]) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    signals = StopSignals(listener := Listener())
    signals.watch()
    assert signal.getsignal(signal.SIGTERM) is not before[0]
    signals.forget()
    signals.forget()

    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before
    signal.raise_signal(signal.SIGTERM)
    await asyncio.sleep(0)
    assert (server, listener.heard.is_set()) == ([signal.SIGTERM], False)


async def test_apps_may_come_and_go_in_any_order(server: list[int]) -> None:
    first, second = Listener(), Listener()
    one, two = StopSignals(first), StopSignals(second)
    one.watch()
    two.watch()
    one.forget()  # its handler stays below the other's, and only passes on

    signal.raise_signal(signal.SIGTERM)
    await asyncio.wait_for(second.heard.wait(), 5)

    assert (server, first.heard.is_set()) == ([signal.SIGTERM], False)
    two.forget()


async def test_without_a_handler_of_a_server_nothing_is_changed(server: list[int]) -> None:
    """The process would end by the signal; that is not ours to change."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signals = StopSignals(listener := Listener())
    signals.watch()

    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    signals.forget()
    assert not listener.heard.is_set()


async def test_an_app_that_is_gone_is_not_kept_by_it(server: list[int]) -> None:
    listener = Listener()
    signals = StopSignals(listener)
    signals.watch()
    del listener, signals
    gc.collect()

    signal.raise_signal(signal.SIGTERM)

    assert server == [signal.SIGTERM]


def test_a_loop_that_is_closed_does_not_matter(server: list[int]) -> None:
    listener = Listener()
    signals = StopSignals(listener)

    async def main() -> None:
        signals.watch()

    asyncio.run(main())
    signal.raise_signal(signal.SIGTERM)

    assert server == [signal.SIGTERM]
    signals.forget()


def test_another_thread_changes_nothing(server: list[int]) -> None:
    before = signal.getsignal(signal.SIGTERM)
    signals = StopSignals(Listener())

    async def main() -> None:
        signals.watch()
        assert signal.getsignal(signal.SIGTERM) is before
        signals.forget()

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    thread.join()

    assert signal.getsignal(signal.SIGTERM) is before
