"""How is a body read into typed values? One body is decoded whole; of several each is one key of an object.

The media type is judged before the body is read, so that nothing is read in vain. A
body that is not there is `missing`, or the default; bytes and text are as they came.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from nexios._pipeline.inputs.absent import absent_of
from nexios._pipeline.inputs.formats import (
    READ_BY_DEFAULT,
    Format,
    decoders_of,
    format_of,
    is_in_range,
    malformed,
    unsupported,
    untyped,
)
from nexios._pipeline.inputs.head import convert_text
from nexios._pipeline.inputs.input import Input
from nexios._pipeline.inputs.kinds import bare, members_of
from nexios._pipeline.inputs.located import Located, joined, located, one_error
from nexios.errors import BadRequest, ConfigurationError
from nexios.http.media_type import parse_media_type
from nexios.messages.body import Body, open_body
from nexios.messages.request import Request
from nexios.models.adapter import adapt
from nexios.models.backend import Malformed
from nexios.models.problems import Invalid, pointer_of
from nexios.serialization import check_depth, check_msgpack, decode_json, decode_msgpack
from nexios.settings import Limits

__all__ = ["BodyReader", "Make", "WholeReader", "body_reader"]

BodyReader = Callable[[Request], Awaitable[tuple[Any, ...]]]
"""Reads all inputs of the body, in their order. Raises Located with the errors of all of them, and HTTPException."""

Make = Callable[[bytes, Limits], Any]
"""Makes the value out of the whole body. Raises Located and HTTPException."""

_SENT: Final[tuple[Format | None, ...]] = ("json", "msgpack", None)
"""What a body may come as; None is without a media type."""

_json_keys: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_msgpack_keys: Final = msgspec.msgpack.Decoder(dict[str, msgspec.Raw]).decode
"""The keys of an object, their values not decoded yet."""


def body_reader(inputs: Sequence[Input]) -> BodyReader:
    """Return the reader of the inputs with the source "body", at least one.

    Raises:
        ConfigurationError: Nothing knows a type, or they cannot be read from one body.
    """
    as_it_came = [item for item in inputs if _is_as_it_came(item)]
    if as_it_came:
        if len(inputs) > 1:
            raise ConfigurationError(
                f"{as_it_came[0].parameter!r} is the body as it came, so nothing else can be read from it:"
                f" {', '.join(item.parameter for item in inputs if item is not as_it_came[0])}."
            )
        return _raw(inputs[0])
    accepted = _accepted(inputs)
    if not all(item.whole for item in inputs):
        return _keyed(inputs, accepted)
    readers = [_whole(item, accepted) for item in inputs]
    return readers[0] if len(readers) == 1 else _each(readers)


def _each(readers: Sequence[BodyReader]) -> BodyReader:
    """One body that several functions ask for, each by its own type."""

    async def read(request: Request) -> tuple[Any, ...]:
        return tuple([value for reader in readers for value in await reader(request)])

    return read


def _is_as_it_came(item: Input) -> bool:
    """bytes, or text of a media type that is no JSON."""
    members = members_of(item.kind)
    marker = item.marker
    if len(members) != 1 or marker is None or marker.embed:
        return False
    if members[0] is bytes:
        return True
    return members[0] is str and marker.media_type is not None and _format_named(marker.media_type) is None


def _accepted(inputs: Sequence[Input]) -> str | None:
    """The one media type that the markers name; None reads JSON and MessagePack."""
    named = {item.marker.media_type for item in inputs if item.marker is not None} - {None}
    if len(named) > 1:
        raise ConfigurationError(f"One body has one media type, not {' and '.join(sorted(map(str, named)))}.")
    accepted = named.pop() if named else None
    if accepted is not None and _format_named(accepted) is None:
        raise ConfigurationError(
            f"A body of the media type {accepted!r} is no JSON and no MessagePack, so only bytes or str can hold it:"
            f'\n\n    {inputs[0].parameter}: bytes = Body(media_type="{accepted}")'
        )
    return accepted


def _format_named(text: str) -> Format | None:
    try:
        return format_of(parse_media_type(text))
    except BadRequest:
        raise ConfigurationError(f"{text!r} is no media type; write one such as 'application/json'.") from None


class WholeReader(msgspec.Struct, frozen=True):
    """Reads a body that one value is made of: in steps, of which only the reading may have to wait, or at once."""

    open: Callable[[Request], tuple[Body, Make]]
    """Gives the body, and what makes the value out of it, by its media type. Raises HTTPException for another type."""
    plain: Make | None
    """Makes the value out of plain JSON, where that may be sent: for a body that is at hand it saves the steps."""
    quick: Callable[[bytes], Any] | None
    """The same for what fits, where the type says how deep it is; of what it refuses `plain` tells what is wrong."""

    async def __call__(self, request: Request) -> tuple[Any, ...]:
        """Return the value, alone in a tuple; a `BodyReader`."""
        body, make = self.open(request)
        return (make(await body.read(), body.limits),)


def _whole(item: Input, accepted: str | None) -> WholeReader:
    """The hot path: for plain `application/json` there is one look at the head, one read, one decode."""
    plain = _plain_json(item)
    by_format = {format_: _by_format(item, format_, accepted) for format_ in _SENT}
    takes_plain = accepted in (None, "application/json")
    shortcut = ["application/json"] if takes_plain else None

    def open_(request):  # type: ignore[no-untyped-def]  # annotations cost time on each request
        body = request._body
        if body is None:
            body = request._body = open_body(request._transport, request._target.limits)
        elif body.limits is not request._target.limits:
            body.move_to(request._target.limits)
        return body, plain if body.media_types == shortcut else by_format[_format_sent(request, accepted)]

    quick = decoders_of(item).json if takes_plain and adapt(item.kind).has_known_depth else None
    return WholeReader(open_, plain if takes_plain else None, quick)


def _plain_json(item: Input) -> Make:
    decoders, absent = decoders_of(item), absent_of(item)
    decode_json, decode = decoders.json, decoders.decode
    counts_depth = not adapt(item.kind).has_known_depth  # what is not declared is skipped, and not built

    def make(body, limits):  # type: ignore[no-untyped-def]
        if not body:
            return absent()
        try:
            if counts_depth and body.count(b"[") + body.count(b"{") > limits.max_json_depth:
                return decode(body, "json", limits.max_json_depth)
            return decode_json(body)
        except Invalid as exc:
            raise located("body", "", exc.problems) from None
        except Malformed as exc:
            raise malformed(exc) from None

    return make


def _by_format(item: Input, format_: Format | None, accepted: str | None) -> Make:
    """Of a body that came without a media type only its absence is right."""
    decode, absent = decoders_of(item).decode, absent_of(item)

    def make(body: bytes, limits: Limits) -> Any:
        if not body:
            return absent()
        if format_ is None:
            raise untyped(accepted or READ_BY_DEFAULT)
        try:
            return decode(body, format_, limits.max_json_depth)
        except Invalid as exc:
            raise located("body", "", exc.problems) from None

    return make


def _format_sent(request: Request, accepted: str | None) -> Format | None:
    """The format that the client names; None when it names none, which is right for no body.

    Raises:
        UnsupportedMediaType: It is another one than is read.
    """
    media_type = request.media_type
    if media_type is None:
        return None
    format_ = format_of(media_type)
    if format_ is None or (accepted is not None and not is_in_range(media_type, accepted)):
        raise unsupported(accepted or READ_BY_DEFAULT)
    return format_


class _Key(msgspec.Struct, frozen=True):
    """One body of several: its key, and what makes its value."""

    name: str
    decode: Callable[[bytes, Format, int], Any]
    absent: Callable[[], Any]

    def read(self, found: Mapping[str, msgspec.Raw], format_: Format, max_depth: int) -> Any:
        """Return the value under the key. Raises Located."""
        raw = found.get(self.name)
        if raw is None:
            return self.absent()
        try:
            return self.decode(bytes(raw), format_, max_depth)
        except Invalid as exc:
            raise located("body", pointer_of([self.name]), exc.problems) from None


def _keyed(inputs: Sequence[Input], accepted: str | None) -> BodyReader:
    keys = tuple(_Key(item.name, decoders_of(item).decode, absent_of(_key(item))) for item in inputs)

    async def read(request: Request) -> tuple[Any, ...]:
        format_ = _format_sent(request, accepted)
        body = await request.body()
        if not body:
            return _values({}, keys, "json", 0)
        if format_ is None:
            raise untyped(accepted or READ_BY_DEFAULT)
        max_depth = request.limits.max_json_depth
        return _values(_keys_of(body, format_, max_depth), keys, format_, max_depth)

    return read


def _key(item: Input) -> Input:
    return msgspec.structs.replace(item, whole=False)


def _values(found: Mapping[str, msgspec.Raw], keys: Sequence[_Key], format_: Format, max_depth: int) -> tuple[Any, ...]:
    values: list[Any] = []
    wrong: list[Located] = []
    for key in keys:
        try:
            values.append(key.read(found, format_, max_depth))
        except Located as exc:
            wrong.append(exc)
    if wrong:
        raise joined(wrong)
    return tuple(values)


def _keys_of(body: bytes, format_: Format, max_depth: int) -> Mapping[str, msgspec.Raw]:
    """The values of an object, not decoded yet; of two with one key the last.

    Raises:
        BadRequest: It is malformed, or nests too deeply.
        Located: It is no object.
    """
    try:
        if format_ == "json":
            found = _json_keys(body)
            check_depth(body, max_depth)
            return found
        check_msgpack(body, max_depth)
        return _msgpack_keys(body)
    except (msgspec.DecodeError, RecursionError, ValueError):
        decode = decode_json if format_ == "json" else decode_msgpack
        decode(body, max_depth=max_depth)
        raise one_error("body", "", "type", "must be an object") from None


def _raw(item: Input) -> BodyReader:
    """The body as it came, even empty; only a default stands for an empty one."""
    kind, absent = bare(item.kind), absent_of(item)
    accepted = item.marker.media_type if item.marker is not None else None
    is_text = members_of(kind) == (str,)
    check = None if kind is item.kind else convert_text(item)

    async def read(request: Request) -> tuple[Any, ...]:
        if accepted is not None:
            _refuse_others(request, accepted)
        value: bytes | str = await request.text() if is_text else await request.body()
        if not value and not item.required:
            return (absent(),)
        try:
            return (value if check is None else check(value),)
        except Invalid as exc:
            raise located("body", "", exc.problems) from None

    return read


def _refuse_others(request: Request, accepted: str) -> None:
    media_type = request.media_type
    if media_type is None:
        raise untyped(accepted)
    if not is_in_range(media_type, accepted):
        raise unsupported(accepted)
