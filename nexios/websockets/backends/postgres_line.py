"""How does one use a connection to PostgreSQL from many tasks, any of which may be cancelled at any moment?

What is asked is done in turn, each in a task of its own that nobody cancels: who asked may go away, and the connection
is not left in the middle of something.

The extra `postgres` brings the client.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final, TypeVar

from nexios.errors import ConfigurationError
from nexios.websockets.backends.base import BackendUnavailable
from nexios.websockets.backends.given import names_of

try:
    import asyncpg  # type: ignore[import-untyped]
except ModuleNotFoundError as _missing:
    raise ConfigurationError(
        f'PostgresBackend needs the package {_missing.name}:\n\n    pip install "nexios[postgres]"\n'
    ) from _missing

__all__ = ["BROKEN", "FORBIDDEN", "OPTIONS", "Line"]

BROKEN: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, EOFError)
"""What goes wrong with a connection or a statement; a timeout is an `OSError`."""
FORBIDDEN: Final = asyncpg.InsufficientPrivilegeError
"""The role may not do this."""

_ISOLATION: Final = "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE"
"""Whatever the database has as its default: a stricter level would refuse what waited for a lock."""
_PARTING: Final = 1.0
"""Seconds that saying goodbye may take."""

_connect: Any = asyncpg.connect
"""The client has no types."""
OPTIONS: Final = names_of(_connect)
"""What the client takes when it connects."""

T = TypeVar("T")


class Line:
    """One connection, from `open` to `close`. It is not opened again: make another one.

    Whatever goes wrong in it is a `BackendUnavailable`. What takes longer than `patience` seconds ends the connection.
    """

    def __init__(self, connection: Any, patience: float) -> None:
        self._connection = connection
        self._patience = patience
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(cls, url: str, options: dict[str, Any], *, patience: float, on_end: Callable[[], None]) -> "Line":
        """Connect; `on_end` is called when the connection is over, whoever ended it."""
        async with asyncio.timeout(patience):
            connection = await _connect(url, **{"timeout": patience, **options})
            connection.add_termination_listener(lambda _: on_end())
            line = cls(connection, patience)
            try:
                await connection.execute(_ISOLATION)
            except BaseException:
                connection.terminate()
                raise
        return line

    @property
    def is_open(self) -> bool:
        """Whether it can be used."""
        return not self._connection.is_closed()

    async def execute(self, statements: str) -> None:
        """Run some statements that have no parameters."""
        await self.ask(lambda connection: connection.execute(statements))

    async def fetch(self, statement: str, *values: object) -> list[Any]:
        """Return the rows of a statement."""
        rows: list[Any] = await self.ask(lambda connection: connection.fetch(statement, *values))
        return rows

    async def fetch_each(self, statement: str, values: Sequence[Iterable[object]]) -> list[Any]:
        """Return the rows of a statement that is run for each of the values, all in one transaction."""
        rows: list[Any] = await self.ask(lambda connection: connection.fetchmany(statement, values))
        return rows

    async def ask(self, call: Callable[[Any], Awaitable[T]]) -> T:
        """Do something with the connection when its turn has come, and wait for the answer."""
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._in_turn(call, answer), name="nexios-postgres-line")
        self._tasks.add(task)
        task.add_done_callback(lambda task: self._done(task, answer))
        try:
            async with asyncio.timeout(self._patience):
                return await answer
        except TimeoutError as exc:
            raise BackendUnavailable from exc

    def break_off(self) -> None:
        """End the connection at once."""
        self._connection.terminate()

    async def close(self) -> None:
        """End the connection, in an orderly way when nothing is going on. What waits for an answer is told."""
        if self._turn.locked() or not self.is_open:
            self.break_off()
        else:
            try:
                await self._connection.close(timeout=_PARTING)
            except BROKEN:
                pass
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _done(self, task: "asyncio.Task[None]", answer: "asyncio.Future[T]") -> None:
        """Forget a task. One that was cancelled before it began could tell nobody."""
        self._tasks.discard(task)
        if not answer.done():
            answer.set_exception(BackendUnavailable())

    async def _in_turn(self, call: Callable[[Any], Awaitable[T]], answer: "asyncio.Future[T]") -> None:
        """Nobody but `close` cancels this, so that is what a cancellation means; who asked must not take it for his."""
        try:
            async with self._turn:
                if not answer.done():
                    result = await self._within_patience(call)
                    if not answer.done():
                        answer.set_result(result)
        except (Exception, asyncio.CancelledError) as exc:
            if not answer.done():
                answer.set_exception(_told(exc))

    async def _within_patience(self, call: Callable[[Any], Awaitable[T]]) -> T:
        """What hangs is broken."""
        try:
            async with asyncio.timeout(self._patience):
                return await call(self._connection)
        except TimeoutError:
            self.break_off()
            raise


def _told(exc: BaseException) -> BaseException:
    """What somebody is told who asked: that it is unavailable, unless it is a mistake of ours."""
    if not isinstance(exc, (*BROKEN, asyncio.CancelledError)):
        return exc
    unavailable = BackendUnavailable()
    unavailable.__cause__ = exc
    return unavailable
