"""What is a fuzz target? A function of bytes that returns, unless a parser broke a promise; and bytes to begin with."""

import asyncio
import atexit
import random
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, TypeVar

from nexios.errors import HTTPException

__all__ = ["Broken", "Target", "claim", "drive", "in_loop", "only", "pieces", "text_of", "variations"]

T = TypeVar("T")

_LONGEST_DETAIL: Final = 300
_LONGEST: Final = 4096


class Broken(AssertionError):
    """A promise that does not hold for this input."""


@dataclass(frozen=True, slots=True)
class Target:
    """One parser and its promises.

    Shape:  `seeds` are inputs that get far into the parser; `words` are what atheris puts into others.
    Units:  bytes for `longest`, the largest input that is tried.
    """

    name: str
    run: Callable[[bytes], None]
    seeds: tuple[bytes, ...]
    words: tuple[bytes, ...] = ()
    longest: int = _LONGEST


def claim(holds: object, promise: str) -> None:
    """Raise `Broken` unless a promise holds. It is no `assert`, which `python -O` leaves out."""
    if not holds:
        raise Broken(promise)


@contextmanager
def only(*errors: type[Exception]) -> Iterator[None]:
    """Let a parser refuse its input with these errors; what a client is told of one is short and about the client."""
    try:
        yield
    except errors as exc:
        if isinstance(exc, HTTPException):
            claim(400 <= exc.status_code < 500, f"{exc.status_code} is no fault of a client")
            claim(len(exc.detail) <= _LONGEST_DETAIL, "what the client is told is short")


def pieces(data: bytes, count: int) -> list[bytes]:
    """Return `count` parts of an input, which are divided by line feeds; the last one has the rest."""
    found = data.split(b"\n", count - 1)
    return found + [b""] * (count - len(found))


def text_of(data: bytes) -> str:
    """Return any text that a program may hold: UTF-8, and lone surrogates where it is none."""
    return data.decode("utf-8", "surrogateescape")


def drive(steps: Coroutine[Any, Any, T]) -> T:
    """Run what is `async` and waits for nothing, without a loop."""
    while True:
        try:
            waits_for = steps.send(None)
        except StopIteration as end:
            result: T = end.value
            return result
        claim(waits_for is None, "a parser waits for something")


def in_loop(steps: Coroutine[Any, Any, T]) -> T:
    """Run what needs an event loop; there is one for all targets of a process."""
    return _loop().run_until_complete(steps)


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    atexit.register(loop.close)
    return loop


def variations(target: Target, count: int) -> Iterator[bytes]:
    """Return the seeds of a target, and inputs that are made of them in the same way each time."""
    yield b""
    yield from target.seeds
    chance = random.Random(target.name)
    for number in range(count):
        data = bytearray(target.seeds[number % len(target.seeds)])
        for _ in range(chance.randint(1, 4)):
            _change(data, chance, target)
        yield bytes(data[: target.longest])


def _change(data: bytearray, chance: random.Random, target: Target) -> None:
    """One small change: bytes taken out, put in, doubled or replaced."""
    start = chance.randint(0, len(data))
    stop = min(len(data), start + chance.randint(0, 8))
    match chance.randrange(5):
        case 0:
            del data[start:stop]
        case 1:
            data[start:start] = data[start:stop] * chance.randint(1, 9)
        case 2 if target.words:
            data[start:stop] = chance.choice(target.words)
        case 3:
            data[start:stop] = bytes(chance.randrange(256) for _ in range(stop - start + 1))
        case _:
            other = chance.choice(target.seeds)
            data[start:stop] = other[chance.randint(0, len(other)) :]
