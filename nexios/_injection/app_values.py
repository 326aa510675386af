"""What do providers of the scope "app" make? One value each, when the app starts; closed in reverse when it stops."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable
from typing import Any, Final

from nexios._injection.exits import Exits
from nexios._injection.graph import Leaf, Node
from nexios._injection.opening import Workers, opener_of

__all__ = ["AppValues"]

_MISSING: Final = object()


class AppValues:
    """The values that live as long as the app. Serves one event loop at a time.

    `start` makes all that compiled programs ask for; a value that is asked for before, or that another program
    asks for later, is made then, once.
    """

    __slots__ = ("_exits", "_leaf_value", "_locks", "_made", "_workers")

    def __init__(self, leaf_value: Callable[[Leaf], Any], workers: Workers) -> None:
        self._leaf_value = leaf_value
        self._workers = workers
        self._made: dict[Hashable, Any] = {}
        self._exits = Exits()
        self._locks: dict[Hashable, asyncio.Lock] = {}

    def reader(self, node: Node) -> Callable[[], Awaitable[Any]]:
        """Return what gives the value of `node`, which `start` will have made."""
        made, key = self._made, node.key

        async def read():  # type: ignore[no-untyped-def]
            value = made.get(key, _MISSING)
            return await self._make_once(node) if value is _MISSING else value

        return read

    async def start(self, nodes: Iterable[Node]) -> None:
        """Make the values of `nodes`; when one fails, what was made stays for `close`."""
        for node in nodes:
            await self._make_once(node)

    async def close(self, exc: BaseException | None = None) -> list[Exception]:
        """Close the values, last made first, and return what failed. They can be made again afterwards."""
        self._made.clear()
        self._locks.clear()
        failures = await self._exits.close(exc)
        self._workers.close()
        return failures

    async def _make_once(self, node: Node) -> Any:
        """A lock for each value: a provider may inject others while it runs."""
        lock = self._locks.setdefault(node.key, asyncio.Lock())
        async with lock:
            value = self._made.get(node.key, _MISSING)
            if value is _MISSING:
                value = self._made[node.key] = await self._make(node)
            return value

    async def _make(self, node: Node) -> Any:
        given = []
        for argument in node.call.arguments:
            source = argument.source
            given.append(await self._make_once(source) if isinstance(source, Node) else self._leaf_value(source))
        return await opener_of(node, self._workers, None)(self._exits, *given)
