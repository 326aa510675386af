"""Channels in one process."""

from typing import ClassVar

from nexios.websockets.backends.base import ChannelBackend
from nexios.websockets.backends.memory import MemoryBackend, MemoryEngine
from nexios.websockets.clock import ManualClock
from tests.contract.channels.engines import Engine


class Memory(Engine):
    """In one process."""

    name = "memory"
    skips: ClassVar[dict[str, str]] = {
        "test_a_backend_connects_again_after_a_break": "there is no connection that could break",
        "test_what_was_published_during_a_break_is_in_the_history": "there is no connection that could break",
        "test_a_call_during_a_break_waits_for_the_connection": "there is no connection that could break",
        "test_a_call_fails_when_the_engine_stays_away": "there is no engine that could be away",
        "test_starting_without_an_engine_fails": "there is no engine that could be away",
        "test_hubs_catch_up_after_a_break": "there is no connection that could break",
    }

    async def prepare(self) -> None:
        self.clock = ManualClock()
        self.engine = MemoryEngine(clock=self.clock)

    def backend(self) -> ChannelBackend:
        return MemoryBackend(self.engine)

    async def let_time_pass(self, seconds: float) -> None:
        await self.clock.advance(seconds)
