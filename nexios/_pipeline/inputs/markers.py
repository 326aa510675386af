"""How does a handler say where a value comes from? With a marker, as a default or in `Annotated`.

    async def search(request, response, q: str = Query(min_length=1), page: Annotated[int, Query(ge=1)] = 1): ...

A marker only holds what it was told: registration makes an `Input` of it and changes
nothing, so one marker may serve many handlers. All of them return `Any`, so that
`page: int = Query(1)` is right for a type checker.
"""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from nexios._injection.signature import EMPTY

__all__ = ["Body", "Constraints", "Cookie", "File", "Form", "Header", "Marker", "Path", "Query", "Source"]

Source = Literal["query", "path", "header", "cookie", "body", "form", "file"]
"""The part of a request that a value is read from; a file is one of a multipart form."""


class Constraints(msgspec.Struct, frozen=True, kw_only=True):
    """What a value must keep to besides its type; None is no constraint.

    Units: `min_length` and `max_length` are characters of a text, or items of a list.
    """

    gt: float | None = None
    ge: float | None = None
    lt: float | None = None
    le: float | None = None
    multiple_of: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None


class Marker(Constraints, frozen=True, kw_only=True, eq=False):
    """What one marker was told; made by `Query` and its like. Two markers are never equal, whatever they hold."""

    source: Source
    default: Any = EMPTY
    alias: str | None = None
    title: str | None = None
    description: str | None = None
    examples: tuple[Any, ...] = ()
    deprecated: bool = False
    include_in_schema: bool = True
    strip_whitespace: bool = False
    """Query, path, cookie, form: spaces and line breaks around each text are taken off before anything is checked."""
    media_type: str | None = None
    """Body: the one media type that is read; None reads JSON and MessagePack."""
    embed: bool = False
    """Body: the value is one key of an object."""
    max_size: int | None = None
    """File: in bytes."""
    content_types: tuple[str, ...] = ()
    """File: media types or ranges such as "image/*"; empty accepts every one."""

    def __repr__(self) -> str:
        """As it is written, since error texts show the signature of a handler."""
        named = zip(self.__struct_fields__, self.__struct_defaults__, strict=True)
        given = [(name, value) for name, default in named if (value := getattr(self, name)) is not default]
        told = [f"{name}={value!r}" for name, value in given if name not in ("source", "default")]
        first = [] if self.default is EMPTY else [repr(self.default)]
        return f"{self.source.capitalize()}({', '.join(first + told)})"


def Query(
    default: Any = EMPTY,
    *,
    alias: str | None = None,
    title: str | None = None,
    description: str | None = None,
    examples: Sequence[Any] = (),
    deprecated: bool = False,
    include_in_schema: bool = True,
    gt: float | None = None,
    ge: float | None = None,
    lt: float | None = None,
    le: float | None = None,
    multiple_of: float | None = None,
    min_length: int | None = None,
    max_length: int | None = None,
    pattern: str | None = None,
    strip_whitespace: bool = False,
) -> Any:
    """Read a parameter of the query string; with a model, the whole query.

    A list takes every value of its name; anything else given twice is an error. An
    empty value (`?limit=`) is a value like others. With `strip_whitespace` the spaces around
    each text are taken off before it is checked, here and in `Path`, `Cookie` and `Form`.

    >>> async def search(request, response, tags: list[str] = Query([], alias="tag")): ...
    """
    return Marker(
        source="query", default=default, alias=alias, title=title, description=description, examples=tuple(examples),
        deprecated=deprecated, include_in_schema=include_in_schema, gt=gt, ge=ge, lt=lt, le=le,
        multiple_of=multiple_of, min_length=min_length, max_length=max_length, pattern=pattern,
        strip_whitespace=strip_whitespace,
    )  # fmt: skip


def Path(
    default: Any = EMPTY,
    *,
    alias: str | None = None,
    title: str | None = None,
    description: str | None = None,
    examples: Sequence[Any] = (),
    deprecated: bool = False,
    include_in_schema: bool = True,
    gt: float | None = None,
    ge: float | None = None,
    lt: float | None = None,
    le: float | None = None,
    multiple_of: float | None = None,
    min_length: int | None = None,
    max_length: int | None = None,
    pattern: str | None = None,
    strip_whitespace: bool = False,
) -> Any:
    """Say more of a parameter of the path; `alias` is its name in the template. It is always there: no default.

    >>> async def show(request, response, item_id: int = Path(ge=1)): ...
    """
    return Marker(
        source="path", default=default, alias=alias, title=title, description=description, examples=tuple(examples),
        deprecated=deprecated, include_in_schema=include_in_schema, gt=gt, ge=ge, lt=lt, le=le,
        multiple_of=multiple_of, min_length=min_length, max_length=max_length, pattern=pattern,
        strip_whitespace=strip_whitespace,
    )  # fmt: skip


def Header(
    default: Any = EMPTY,
    *,
    alias: str | None = None,
    title: str | None = None,
    description: str | None = None,
    examples: Sequence[Any] = (),
    deprecated: bool = False,
    include_in_schema: bool = True,
    gt: float | None = None,
    ge: float | None = None,
    lt: float | None = None,
    le: float | None = None,
    multiple_of: float | None = None,
    min_length: int | None = None,
    max_length: int | None = None,
    pattern: str | None = None,
) -> Any:
    """Read a header field; with a model, one field for each of its names.

    `x_request_id` reads X-Request-Id: underscores become hyphens, unless `alias` names the
    field. A list takes the elements between commas, of all fields of the name: `X-Tag: a, b` is the
    same as two fields (RFC 9110 section 5.3). Spaces around an element and empty ones are left out; a comma in
    quotes separates nothing, and quotes stay. Otherwise several fields read as one value joined with ", ".

    >>> async def show(request, response, user_agent: str | None = Header(None)): ...
    """
    return Marker(
        source="header", default=default, alias=alias, title=title, description=description, examples=tuple(examples),
        deprecated=deprecated, include_in_schema=include_in_schema, gt=gt, ge=ge, lt=lt, le=le,
        multiple_of=multiple_of, min_length=min_length, max_length=max_length, pattern=pattern,
    )  # fmt: skip


def Cookie(
    default: Any = EMPTY,
    *,
    alias: str | None = None,
    title: str | None = None,
    description: str | None = None,
    examples: Sequence[Any] = (),
    deprecated: bool = False,
    include_in_schema: bool = True,
    gt: float | None = None,
    ge: float | None = None,
    lt: float | None = None,
    le: float | None = None,
    multiple_of: float | None = None,
    min_length: int | None = None,
    max_length: int | None = None,
    pattern: str | None = None,
    strip_whitespace: bool = False,
) -> Any:
    """Read a cookie; with a model, all cookies. Of two cookies with one name the first counts (RFC 6265 section 5.4).

    >>> async def show(request, response, theme: str = Cookie("light")): ...
    """
    return Marker(
        source="cookie", default=default, alias=alias, title=title, description=description, examples=tuple(examples),
        deprecated=deprecated, include_in_schema=include_in_schema, gt=gt, ge=ge, lt=lt, le=le,
        multiple_of=multiple_of, min_length=min_length, max_length=max_length, pattern=pattern,
        strip_whitespace=strip_whitespace,
    )  # fmt: skip


def Body(
    default: Any = EMPTY,
    *,
    embed: bool = False,
    media_type: str | None = None,
    alias: str | None = None,
    title: str | None = None,
    description: str | None = None,
    examples: Sequence[Any] = (),
    deprecated: bool = False,
    include_in_schema: bool = True,
    gt: float | None = None,
    ge: float | None = None,
    lt: float | None = None,
    le: float | None = None,
    multiple_of: float | None = None,
    min_length: int | None = None,
    max_length: int | None = None,
    pattern: str | None = None,
) -> Any:
    """Read the body: JSON or MessagePack, by its Content-Type, which has to be there.

    Of several bodies each is one key of an object; `embed` makes one a key too. `bytes` gets
    the body as it came, of any media type, and `str` with another `media_type` than JSON its
    text. With `media_type` ("image/*" is a range) everything else is 415.

    >>> async def rename(request, response, name: str = Body(embed=True, min_length=1)): ...
    """
    return Marker(
        source="body", default=default, alias=alias, title=title, description=description, examples=tuple(examples),
        deprecated=deprecated, include_in_schema=include_in_schema, gt=gt, ge=ge, lt=lt, le=le,
        multiple_of=multiple_of, min_length=min_length, max_length=max_length, pattern=pattern,
        embed=embed, media_type=media_type,
    )  # fmt: skip


def Form(
    default: Any = EMPTY,
    *,
    alias: str | None = None,
    title: str | None = None,
    description: str | None = None,
    examples: Sequence[Any] = (),
    deprecated: bool = False,
    include_in_schema: bool = True,
    gt: float | None = None,
    ge: float | None = None,
    lt: float | None = None,
    le: float | None = None,
    multiple_of: float | None = None,
    min_length: int | None = None,
    max_length: int | None = None,
    pattern: str | None = None,
    strip_whitespace: bool = False,
) -> Any:
    """Read a field of a form, urlencoded or multipart; with a model, all text fields.

    A list takes every value of its name; anything else given twice is an error. Browsers
    send what was left empty, so an empty value counts as not given, unless the type takes text.

    >>> async def login(request, response, name: str = Form(), age: int | None = Form(None)): ...
    """
    return Marker(
        source="form", default=default, alias=alias, title=title, description=description, examples=tuple(examples),
        deprecated=deprecated, include_in_schema=include_in_schema, gt=gt, ge=ge, lt=lt, le=le,
        multiple_of=multiple_of, min_length=min_length, max_length=max_length, pattern=pattern,
        strip_whitespace=strip_whitespace,
    )  # fmt: skip


def File(
    default: Any = EMPTY,
    *,
    max_size: int | None = None,
    content_types: Sequence[str] = (),
    alias: str | None = None,
    title: str | None = None,
    description: str | None = None,
    examples: Sequence[Any] = (),
    deprecated: bool = False,
    include_in_schema: bool = True,
    min_length: int | None = None,
    max_length: int | None = None,
) -> Any:
    """Read a file of a multipart form: `UploadFile`, a list of them, or `bytes`.

    `max_size` is in bytes and judged when the form has arrived; `max_body_size` bounds what may
    arrive. `content_types` are compared with what the client claims, which may be a lie.
    `min_length` and `max_length` count the files of a list.

    >>> async def upload(request, response, photo=File(max_size=1_000_000, content_types=["image/*"])): ...
    """
    return Marker(
        source="file", default=default, alias=alias, title=title, description=description, examples=tuple(examples),
        deprecated=deprecated, include_in_schema=include_in_schema, min_length=min_length, max_length=max_length,
        max_size=max_size, content_types=_texts(content_types),
    )  # fmt: skip


def _texts(given: Sequence[str]) -> tuple[str, ...]:
    """One text is one media type, not its letters."""
    return (given,) if isinstance(given, str) else tuple(given)
