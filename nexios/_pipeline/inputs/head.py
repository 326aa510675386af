"""How is a value read from the head of a request: its path, query, headers and cookies?

Each reader is made once, at compile, and called with the request. What is missing,
repeated or of the wrong type is `Located`, the same whichever library knows the type:

    query    a list takes every value; anything else given twice is an error (HTTP parameter pollution)
    header   a list takes what stands between the commas of all fields of the name, as those may be joined on the
             way (RFC 9110 section 5.3); otherwise several fields are one value, joined with ", "
    cookie   the first of a name counts (RFC 6265 section 5.4)
    path     a value that the template converted is not converted again, unless the type differs

In a query nothing is split at commas, and an empty value is a value.
"""

from collections.abc import Callable, Sequence
from typing import Any

from nexios._pipeline.inputs.absent import absent_of
from nexios._pipeline.inputs.bounds import bounded
from nexios._pipeline.inputs.input import Input
from nexios._pipeline.inputs.kinds import bare, is_many
from nexios._pipeline.inputs.located import located, one_error
from nexios._pipeline.inputs.stripping import stripped, strips
from nexios._pipeline.inputs.whole import GIVEN_ONCE, Fields, fields_of, gather
from nexios.errors import ConfigurationError
from nexios.http.accept import split_items
from nexios.messages.request import Request
from nexios.models.adapter import adapt
from nexios.models.problems import Invalid, Problem, pointer_of

__all__ = ["Convert", "HeadReader", "convert_text", "convert_whole", "converted_whole", "head_reader"]

HeadReader = Callable[[Request], Any]
"""Reads one input from the head of a request. Raises Located, and the HTTPException of an unreadable head."""

Convert = Callable[[Any], Any]
"""Makes a value of text, a list of it, or a dict of both. Raises Invalid."""


def head_reader(item: Input) -> HeadReader:
    """Return the reader of a path, query, header or cookie input.

    Raises:
        ConfigurationError: Nothing knows the type.
    """
    if item.source == "path":
        return _path_value(item)
    if item.whole:
        return _whole(item)
    if item.source == "query":
        return _query_values(item) if is_many(item.kind) else _query_value(item)
    if item.source == "cookie":
        return _cookie_value(item)
    return _header_values(item) if is_many(item.kind) else _header_value(item)


def convert_text(item: Input) -> Convert | None:
    """Return the converter from text; None for plain text, which is a value already.

    Raises:
        ConfigurationError: Nothing knows the type.
    """
    if item.kind is str or item.kind == str | None:
        return stripped if strips(item) else None
    return _stripping(bounded(adapt(item.kind).convert_text, item), item)


def convert_whole(item: Input) -> Convert:
    """Return what makes a model of a dict of texts. Raises as `convert_text`."""
    return _stripping(adapt(item.kind).convert_text, item)


def _stripping(convert: Convert, item: Input) -> Convert:
    if not strips(item):
        return convert

    def convert_stripped(value: Any) -> Any:
        return convert(stripped(value))

    return convert_stripped


def _query_value(item: Input) -> HeadReader:
    name, absent, convert = item.name, absent_of(item), convert_text(item)

    def read(request: Request) -> Any:
        values = request.query_params.get_all(name)
        if len(values) == 1:
            if convert is None:
                return values[0]
            try:
                return convert(values[0])
            except Invalid as exc:
                raise located("query", pointer_of([name]), exc.problems) from None
        if values:
            raise one_error("query", name, "type", GIVEN_ONCE)
        return absent()

    return read


def _query_values(item: Input) -> HeadReader:
    def values_of(request: Request) -> Sequence[str]:
        return request.query_params.get_all(item.name)

    return _many(item, values_of)


def _header_values(item: Input) -> HeadReader:
    absent, convert, name = absent_of(item), convert_text(item), item.name

    def read(request: Request) -> Any:
        fields = request.headers.get_all(name)
        if not fields:
            return absent()
        values = _elements(fields)
        try:
            return values if convert is None else convert(values)
        except Invalid as exc:
            raise located("header", pointer_of([name]), exc.problems) from None

    return read


def _elements(fields: Sequence[str]) -> list[str]:
    """The elements of a list of several fields; empty ones are left out, and a comma in quotes is none."""
    return [element for field in fields for element in split_items(field, len(field) + 1)]


def _header_value(item: Input) -> HeadReader:
    def value_of(request: Request) -> str | None:
        return request.headers.get(item.name)

    return _one(item, value_of)


def _cookie_value(item: Input) -> HeadReader:
    def value_of(request: Request) -> str | None:
        return request.cookies.get(item.name)

    return _one(item, value_of)


def _many(item: Input, values_of: Callable[[Request], Sequence[str]]) -> HeadReader:
    absent, convert = absent_of(item), convert_text(item)

    def read(request: Request) -> Any:
        values = values_of(request)
        if not values:
            return absent()
        try:
            return values if convert is None else convert(values)
        except Invalid as exc:
            raise located(item.source, pointer_of([item.name]), exc.problems) from None

    return read


def _one(item: Input, value_of: Callable[[Request], str | None]) -> HeadReader:
    absent, convert = absent_of(item), convert_text(item)

    def read(request: Request) -> Any:
        value = value_of(request)
        if value is None:
            return absent()
        try:
            return value if convert is None else convert(value)
        except Invalid as exc:
            raise located(item.source, pointer_of([item.name]), exc.problems) from None

    return read


def _path_value(item: Input) -> HeadReader:
    """The converter of the template is not known here, but what it makes is seen: only text is read as text."""
    name = item.name
    try:
        adapter = adapt(item.kind)
    except ConfigurationError:
        if not isinstance(item.kind, type) or item.marker is not None:
            raise
        return _path_value_as_it_is(name)  # the type of a converter of the app's own
    from_text, from_value = _stripping(bounded(adapter.convert_text, item), item), bounded(adapter.convert, item)
    takes_text = bare(item.kind) is str
    is_free = isinstance(item.kind, type) and from_value is adapter.convert
    done = item.kind if is_free else None

    def read(request: Request) -> Any:
        value = request._path_params[name]  # type: ignore[index]
        kind = type(value)
        if kind is done:
            return value
        try:
            if kind is str:
                return from_text(value)
            return from_text(str(value)) if takes_text else from_value(value)
        except Invalid as exc:
            raise located("path", pointer_of([name]), exc.problems) from None

    return read


def _path_value_as_it_is(name: str) -> HeadReader:
    def read(request: Request) -> Any:
        return request._path_params[name]  # type: ignore[index]

    return read


def _whole(item: Input) -> HeadReader:
    adapter = adapt(item.kind)
    convert, fields = convert_whole(item), fields_of(adapter)
    if item.source == "header":
        return _whole_headers(item, convert, fields)
    if item.source == "cookie":
        return _whole_cookies(item, convert)
    absent = None if item.required else absent_of(item)

    def read(request: Request) -> Any:
        query = request.query_params
        if absent is not None and not query:
            return absent()
        found, problems = gather([(name, query.get_all(name)) for name in query], fields)
        return converted_whole("query", convert, found, problems)

    return read


def _whole_cookies(item: Input, convert: Convert) -> HeadReader:
    absent = None if item.required else absent_of(item)

    def read(request: Request) -> Any:
        cookies = request.cookies
        if absent is not None and not cookies:
            return absent()
        return converted_whole("cookie", convert, cookies, ())

    return read


def _whole_headers(item: Input, convert: Convert, fields: Fields) -> HeadReader:
    """Only the fields of the model are looked for: every client sends others."""
    names = {name: name.replace("_", "-").lower() for name in fields.known}
    if not names:
        raise ConfigurationError(
            f"The parameter {item.parameter!r} takes all headers into a dict; read them from the request:\n\n"
            "    request.headers"
        )
    absent = None if item.required else absent_of(item)

    def read(request: Request) -> Any:
        headers = request.headers
        found: dict[str, str | list[str]] = {}
        for name, header in names.items():
            if header in headers:
                found[name] = _elements(headers.get_all(header)) if fields.known[name].many else headers[header]
        if absent is not None and not found:
            return absent()
        try:
            return convert(found)
        except Invalid as exc:
            raise located("header", "", [_by_header(problem, names) for problem in exc.problems]) from None

    return read


def _by_header(problem: Problem, names: dict[str, str]) -> Problem:
    """Point to the header that is sent, not to the field of the model."""
    for name, header in names.items():
        pointer = pointer_of([name])
        if problem.pointer == pointer or problem.pointer.startswith(f"{pointer}/"):
            return Problem(pointer_of([header]) + problem.pointer[len(pointer) :], problem.code, problem.detail)
    return problem


def converted_whole(source: str, convert: Convert, found: object, problems: Sequence[Problem]) -> Any:
    """Return the model made of flat names.

    Raises:
        Located: It does not fit, or `problems` were found before.
    """
    try:
        value = convert(found)
    except Invalid as exc:
        raise located(source, "", (*problems, *exc.problems)) from None
    if problems:
        raise located(source, "", problems)
    return value
