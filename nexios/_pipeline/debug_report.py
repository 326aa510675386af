"""What went wrong, and in which request? The facts of the debug page, cut to size and without secrets.

There are no local variables, no environment and no cookie values in it, so none can be shown.
"""

import linecache
import os
import sysconfig
import traceback
from collections.abc import Callable, Sequence
from types import FrameType
from typing import TypeVar, cast
from urllib.parse import unquote_plus

import msgspec

from nexios.errors import HTTPException
from nexios.http.headers import Headers
from nexios.http.secret_names import is_secret_name
from nexios.messages.request import Request

__all__ = ["Fault", "Frame", "Report", "SourceLine", "clean", "report_of"]

T = TypeVar("T")

MAX_MESSAGE = 2048
MAX_FAULTS = 12
MAX_FRAMES = 40
MAX_HEADERS = 50
MAX_VALUE = 300
"""Sizes in bytes, or counts; what is beyond them is left out, and the page says so."""

_AROUND = 3
_HIDDEN = "[hidden]"
_MEMBER = "one of the group"

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_LIBRARIES = tuple({sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")})
_INSTALLED = ("site-packages", "dist-packages")


class SourceLine(msgspec.Struct, frozen=True):
    """One line of a source file."""

    number: int
    text: str
    current: bool


class Frame(msgspec.Struct, frozen=True):
    """One call in a traceback; `own` says that it is the application's code, not a library's."""

    file: str
    line: int
    function: str
    own: bool
    source: tuple[SourceLine, ...]


class Fault(msgspec.Struct, frozen=True):
    """One exception; `relation` says how it belongs to the one before it, and is empty for the first."""

    relation: str
    kind: str
    message: str
    notes: tuple[str, ...]
    frames: tuple[Frame, ...]
    """In the order they were called."""
    left_out: int
    """Frames in the middle that are not in `frames`, as a recursion has them."""


class Report(msgspec.Struct, frozen=True):
    """All that the debug page shows. Every text in it is cut and printable, none is escaped for HTML."""

    faults: tuple[Fault, ...]
    method: str
    path: str
    route: str
    query: str
    headers: tuple[tuple[str, str], ...]


def report_of(request: Request, exc: BaseException) -> Report:
    """Collect the facts; a request that cannot be read any more gives what it still can."""
    route = _or(lambda: request.route, None)
    pairs = _or(lambda: request.headers, Headers()).pairs
    return Report(
        faults=tuple(_fault(relation, member) for relation, member in _chain(exc)),
        method=clean(request.method, MAX_VALUE),
        path=clean(request.path, MAX_VALUE),
        route=clean(route.template, MAX_VALUE) if route is not None else "none",
        query=clean(_without_secrets(request.query_string[: 4 * MAX_VALUE]), MAX_VALUE),
        headers=tuple(_header(name, value) for name, value in pairs[:MAX_HEADERS]),
    )


def clean(text: str, limit: int) -> str:
    """Return `text` in at most `limit` bytes of UTF-8, without control characters but tab and newline.

    >>> clean("a\\x1b[31mb", 100)
    'a\\\\x1b[31mb'
    """
    cut = text[:limit]
    if not cut.isprintable():
        cut = "".join(c if c.isprintable() or c in "\n\t" else ascii(c)[1:-1] for c in cut)
    encoded = cut.encode()
    if len(text) <= limit and len(encoded) <= limit:
        return cut
    return encoded[: limit - 3].decode(errors="ignore") + "..."


def _or(read: Callable[[], T], fallback: T) -> T:
    try:
        return read()
    except HTTPException:
        return fallback


def _chain(exc: BaseException) -> Sequence[tuple[str, BaseException]]:
    """The exception, its causes, and of groups the leaves; each once, as chains may be circles."""
    found: list[tuple[str, BaseException]] = []
    seen: set[int] = set()
    waiting = [("", exc)]
    while waiting and len(found) < MAX_FAULTS and len(seen) < 1000:
        relation, member = waiting.pop()
        if id(member) in seen:
            continue
        seen.add(id(member))
        if relation != _MEMBER or not _members(member):
            found.append((relation, member))
        if member.__cause__ is not None:
            waiting.append(("caused by", member.__cause__))
        elif member.__context__ is not None and not member.__suppress_context__:
            waiting.append(("raised while handling", member.__context__))
        waiting.extend((_MEMBER, leaf) for leaf in reversed(_members(member)))
    return found


def _members(exc: BaseException) -> Sequence[BaseException]:
    if isinstance(exc, BaseExceptionGroup):
        return cast("BaseExceptionGroup[BaseException]", exc).exceptions
    return ()


def _fault(relation: str, exc: BaseException) -> Fault:
    kind = type(exc)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    calls = list(traceback.walk_tb(exc.__traceback__))
    left_out = max(len(calls) - MAX_FRAMES, 0)
    if left_out:
        calls[MAX_FRAMES // 2 : -MAX_FRAMES // 2] = []
    notes = cast(object, getattr(exc, "__notes__", ()))
    return Fault(
        relation=relation,
        kind=clean(name, MAX_VALUE),
        message=_text_of(exc),
        notes=tuple(map(_text_of, cast("list[object]", notes)[:5])) if isinstance(notes, list) else (),
        frames=tuple(_frame(frame, line) for frame, line in calls),
        left_out=left_out,
    )


def _text_of(value: object) -> str:
    """A `__str__` may raise anything, or return a megabyte."""
    try:
        return clean(str(value), MAX_MESSAGE)
    except Exception as failure:
        return f"[str() of it raised {clean(type(failure).__name__, 100)}]"


def _frame(frame: FrameType, line: int) -> Frame:
    file = frame.f_code.co_filename
    linecache.checkcache(file)
    lines = linecache.getlines(file, frame.f_globals)
    first = max(line - _AROUND, 1)
    shown = lines[first - 1 : line + _AROUND]
    return Frame(
        file=clean(_short(file), MAX_VALUE),
        line=line,
        function=clean(frame.f_code.co_qualname, MAX_VALUE),
        own=_is_own(file),
        source=tuple(
            SourceLine(number, clean(text.rstrip(), MAX_VALUE), number == line)
            for number, text in enumerate(shown, first)
        ),
    )


def _is_own(file: str) -> bool:
    if file.startswith("<frozen ") or any(f"{os.sep}{name}{os.sep}" in file for name in _INSTALLED):
        return False
    return not any(file.startswith(folder + os.sep) for folder in (_PACKAGE, *_LIBRARIES))


def _short(file: str) -> str:
    """The path from the working directory, or from where libraries are."""
    for installed in _INSTALLED:
        _, found, rest = file.rpartition(f"{os.sep}{installed}{os.sep}")
        if found:
            return rest
    for library in _LIBRARIES:
        if file.startswith(library + os.sep):
            return file[len(library) + 1 :]
    try:
        here = os.getcwd() + os.sep
    except OSError:
        return file
    return file.removeprefix(here)


def _header(name: str, value: str) -> tuple[str, str]:
    if is_secret_name(name):
        shown = _HIDDEN
    elif "?" in value:
        address, _, query = value[: 4 * MAX_VALUE].partition("?")
        shown = f"{address}?{_without_secrets(query)}"
    else:
        shown = value
    return clean(name, MAX_VALUE), clean(shown, MAX_VALUE)


def _without_secrets(query: str) -> str:
    """The query string with the values hidden of parameters that are secrets by their name."""
    return "&".join(_without_secret(part) for part in query.split("&"))


def _without_secret(part: str) -> str:
    name, equals, _ = part.partition("=")
    return f"{name}={_HIDDEN}" if equals and is_secret_name(unquote_plus(name)) else part
