"""What must hold of paths? Matching never fails, and a path that we make leads where it says."""

from typing import Final
from urllib.parse import unquote

from fuzz.target import Target, claim, only, pieces, text_of
from nexios.errors import NoSuchRoute
from nexios.routing.converters import BUILT_IN_CONVERTERS
from nexios.routing.flatten import flatten
from nexios.routing.matcher import Matcher
from nexios.routing.reverse import ReverseIndex
from nexios.routing.router import Router
from nexios.routing.template import compile_template

__all__ = ["TARGETS"]

_TEMPLATES: Final = (
    "/",
    "/items",
    "/items/",
    "/items/{id:int}",
    "/items/{id:uuid}",
    "/items/{name:slug}",
    "/items/{name}",
    "/items/{name}.{format}",
    "/items/{id:int}/parts/{part}",
    "/items/{name}/parts",
    "/at/{day:date}",
    "/at/{moment:datetime}",
    "/price/{amount:float}",
    "/files/{rest:path}",
    "/files/{rest:path}/edit",
    "/{tenant}/v{version:int}/{rest:path}",
)


def _matcher() -> Matcher[str]:
    matcher = Matcher[str]()
    for template in _TEMPLATES:
        matcher.add(compile_template(template), ["GET"], template)
    matcher.add(compile_template("/items/{id:int}"), ["PUT"], "put item")
    matcher.add_mount(compile_template("/mounted/{tenant}"), "mount")
    return matcher


async def _handler(request: object, response: object) -> None:
    """Answers nothing; its routes only have names."""


def _index() -> ReverseIndex:
    router = Router()
    for template in _TEMPLATES:
        router.add_route(template, _handler, name=template)
    return ReverseIndex(flatten(router).routes)


_MATCHER: Final = _matcher()
_INDEX: Final = _index()


def paths(data: bytes) -> None:
    """Whatever the path: nothing fails, both questions have one answer, and a match can be written as a path again."""
    path = text_of(data)
    found, allowed = _MATCHER.find("GET", path), _MATCHER.allowed(path)
    claim(("GET" in allowed) == (found is not None), "what is allowed is found")
    claim(("PUT" in allowed) == (_MATCHER.find("PUT", path) is not None), "for every method")
    mount = _MATCHER.find_mount(path)
    claim(mount is None or path.startswith("/mounted/"), "a mount is below its prefix")
    if found is None:
        return
    template, parameters = found
    with only(NoSuchRoute):
        made = _INDEX.path_for(template, **parameters)
        claim(made.isascii() and made.startswith("/") and not made.startswith("//"), "a path is on this site")
        again = _MATCHER.find("GET", unquote(made, errors="strict"))
        claim(again is not None and again[0] == template, "a path that is made leads where it says")
        claim(again is not None and repr(again[1]) == repr(parameters), "with what it was made of")


def converters(data: bytes) -> None:
    """A value or ValueError; and a value that is written is read back."""
    kind, text = (text_of(piece) for piece in pieces(data, 2))
    for name, converter in BUILT_IN_CONVERTERS.items():
        if name.startswith(kind[:1]):
            with only(ValueError):
                value = converter.convert(text)
                claim(repr(converter.convert(converter.format(value))) == repr(value), "what is written is read back")


TARGETS: Final = (
    Target(
        "paths",
        paths,
        (
            b"/items/42",
            b"/items/a.b.c",
            b"/items/7/parts/x",
            b"/files/a//b/../edit",
            b"/t/v2/x/y",
            b"/at/2024-02-29",
            b"/at/2024-02-29T10:00:00.5+01:00",
            b"/mounted/a/b",
            b"//evil.example/v1/x",
            b"/items/123e4567-e89b-12d3-a456-426614174000",
            b"/price/-1.5e3",
        ),
        (b"/", b"/edit", b"/parts", b".", b"..", b"/v1/", b"%2f", b"\n", b"+", b"-0", b"1e999", b"\xd9\xa5"),
    ),
    Target(
        "converters",
        converters,
        (
            b"i\n42",
            b"f\n-1.5e3",
            b"d\n2024-02-29",
            b"d\n2024-02-29T10:00:00.123456Z",
            b"u\n123e4567-e89b-12d3-a456-426614174000",
            b"s\nhello-world",
            b"p\na/b/c",
        ),
        (b"\n", b"-", b"+", b"Z", b"T", b"24:00", b"e", b"_", b"0", b"\xd9\xa5"),
    ),
)
