"""What is wrong with a value that was sent, and where in it? The words are ours, whatever library found it.

A pointer is a JSON Pointer (RFC 6901) made of the names on the wire. A detail is short, the
same every time, and never holds the client's value. At most `MAX_PROBLEMS` are told of one value.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from nexios.serialization import encode_json

__all__ = ["CODES", "MAX_PROBLEMS", "Invalid", "Problem", "cut", "pointer_of", "words_of"]

MAX_PROBLEMS: Final = 100
"""Problems told of one value: enough for a form, too few to make an answer that is larger than its question."""

MAX_POINTER: Final = 400
"""Bytes of a pointer in JSON, so that all problems together stay below 64 KiB."""

MAX_DETAIL: Final = 200
"""Characters of a detail that a developer's own validator wrote."""

_MOST_PARTS: Final = 10_000
"""Parts of a refused value whose text is looked for in the words about it."""
_TELLING: Final = 40
"""Characters of a text by which it is found again: Python cuts long ones in its messages."""

CODES: Final = (
    "missing",
    "type",
    "unknown_field",
    "too_small",
    "too_large",
    "too_short",
    "too_long",
    "pattern",
    "multiple_of",
    "enum",
    "format",
    "unknown_tag",
    "invalid",
)
"""Every code a problem can have; they are stable, so a client may branch on them."""


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong.

    Shape: `pointer` is "" for the whole value, else "/items/0/price"; `code` is one of `CODES`.
    Source: RFC 6901.
    """

    pointer: str
    code: str
    detail: str


class Invalid(Exception):
    """A value does not fit its type. It is for nexios: the client gets the problems as a 422."""

    problems: tuple[Problem, ...]

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{problem.pointer or 'value'} {problem.detail}" for problem in self.problems[:5]))


def pointer_of(steps: Iterable[str | int]) -> str:
    """Return the JSON Pointer to what these names and indexes lead to (RFC 6901 section 3).

    Names may be the client's own, so a pointer that would be too long ends at the last container that it can name.

    >>> pointer_of(["items", 0, "a/b~c"])
    '/items/0/a~1b~0c'
    """
    pointer, size = "", 0
    for step in steps:
        name = step if isinstance(step, str) else str(step)
        size += 1 + (len(encode_json(name)) - 2 if len(name) <= MAX_POINTER else MAX_POINTER)
        if size > MAX_POINTER:
            break
        pointer += "/" + name.replace("~", "~0").replace("/", "~1")
    return pointer


def cut(text: str) -> str:
    """Return the words of a developer's own validator as a detail.

    >>> cut(" ends before it starts")
    'ends before it starts'
    """
    words = text.strip()
    return words if len(words) <= MAX_DETAIL else words[: MAX_DETAIL - 1] + "…"


def words_of(error: BaseException, value: object) -> str:
    """Return the words of a developer's own validator as a detail, unless they are Python's and repeat the value.

    `int(text)` and `text.encode("ascii")` raise a ValueError with the client's text in it.

    >>> words_of(ValueError("ends before it starts"), {"end": "x"})
    'ends before it starts'
    >>> words_of(ValueError("invalid literal for int() with base 10: 'x'"), {"end": "x"})
    'is invalid'
    """
    if isinstance(error, UnicodeError):
        return "is invalid"
    words = str(error)
    is_quoting = ("'" in words or '"' in words) and _repeats(words, value)
    return "is invalid" if is_quoting else cut(words) or "is invalid"


def _repeats(words: str, value: object) -> bool:
    """True as well for a value that is too large to be looked through."""
    waiting = [value]
    for _ in range(_MOST_PARTS):
        if not waiting:
            return False
        part = waiting.pop()
        if isinstance(part, str | bytes):
            if part and repr(part[:_TELLING])[: _TELLING + 1] in words:
                return True
        elif isinstance(part, Mapping):
            waiting.extend((*part.keys(), *part.values()))
        elif isinstance(part, list | tuple | set | frozenset):
            waiting.extend(part)
    return bool(waiting)
