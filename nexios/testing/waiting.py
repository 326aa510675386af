"""What is a task waiting for? Told in words with file and line, for a test that has waited long enough."""

import asyncio
import gc
import linecache
import os
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from types import AsyncGeneratorType, FrameType
from typing import Any, Final

from nexios.messages.websocket import WebSocket

__all__ = ["waiting_for"]

_PACKAGE: Final = str(Path(__file__).resolve().parents[1]) + os.sep
_LIBRARIES: Final = tuple(sysconfig.get_path(name) + os.sep for name in ("stdlib", "purelib", "platlib"))
_FRAMES: Final = ("cr_frame", "gi_frame", "ag_frame")
_AWAITED: Final = ("cr_await", "gi_yieldfrom", "ag_await")
_STEPS: Final = ("async_generator_asend", "async_generator_athrow")
_DEEPEST: Final = 200
"""Frames that are looked at, so that even a chain that goes in a circle ends."""


def waiting_for(task: "asyncio.Task[Any]", what: str) -> str:
    """Return a sentence on where `what`, which runs in `task`, stands.

    >>> async def main():
    ...     task = asyncio.ensure_future(asyncio.Event().wait())
    ...     await asyncio.sleep(0)
    ...     try:
    ...         return waiting_for(task, "the handler").partition(" at ")[0]
    ...     finally:
    ...         task.cancel()
    >>> asyncio.run(main())
    'the handler waits in Event.wait(),'
    """
    if task.done():
        return f"{what} is done"
    frames = list(_frames(task))
    if not frames:
        return f"{what} has not begun"
    own = [frame for frame in frames if not frame.f_code.co_filename.startswith((_PACKAGE, *_LIBRARIES))]
    place = own[-1] if own else frames[-1]
    reads = any(frame.f_code is WebSocket._next.__code__ for frame in frames)
    deepest = frames[-1].f_code
    why = "for a message from the client" if reads else f"in {deepest.co_qualname}()"
    file, line = place.f_code.co_filename, place.f_lineno
    written = linecache.getline(file, line).strip()
    return f"{what} waits {why}, at {file}:{line} in {place.f_code.co_name}():\n\n    {written}"


def _frames(task: "asyncio.Task[Any]") -> Iterator[FrameType]:
    """The frames from the outermost to where it stands; through tasks that are awaited, and the first of a gather."""
    seen = 0
    current: Any = task
    while isinstance(current, asyncio.Task):
        awaited: Any = current.get_coro()
        while awaited is not None and seen < _DEEPEST:
            seen += 1
            frame = next((found for name in _FRAMES if (found := getattr(awaited, name, None)) is not None), None)
            if frame is not None:
                yield frame
            awaited = _next_of(awaited)
        current = _awaited_by(current) if seen < _DEEPEST else None


def _next_of(awaited: Any) -> Any:
    """What it waits for. A step of an async generator does not say whose it is, but it holds it."""
    found = next((found for name in _AWAITED if (found := getattr(awaited, name, None)) is not None), None)
    if found is None and type(awaited).__name__ in _STEPS:
        found = next((held for held in gc.get_referents(awaited) if isinstance(held, AsyncGeneratorType)), None)
    return found


def _awaited_by(task: "asyncio.Task[Any]") -> Any:
    future = getattr(task, "_fut_waiter", None)
    children = [child for child in getattr(future, "_children", ()) if not child.done()]
    return children[0] if children else future
