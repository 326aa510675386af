"""In which forms does a patch come: JSON, MessagePack, builtins, or text?

JSON and MessagePack are opened one object at a time and their members kept as bytes, so that the type of
a field decodes them itself: a Decimal keeps its digits, and a strict model sees JSON and not Python.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias

import msgspec

from nexios.models.backend import Malformed, TypeBackend
from nexios.models.pydantic_partial import PartialReader

__all__ = ["BUILTINS", "JSON", "MSGPACK", "TEXT", "PatchFormat"]

Item: TypeAlias = Any
"""A value as it came: `msgspec.Raw` of JSON or MessagePack, or builtins."""


class PatchFormat(Protocol):
    """Opens objects of one format. It keeps nothing."""

    def open(self, item: Item) -> Mapping[str, Item] | None:
        """Return the members of an object; None when it is something else. It raises Malformed."""
        ...

    def plain(self, item: Item) -> Any:
        """Return the item as builtins."""
        ...

    def is_null(self, item: Item) -> bool:
        """Return whether the item is null."""
        ...

    def is_object(self, item: Item) -> bool:
        """Return whether the item is an object."""
        ...

    def leaf(self, backend: TypeBackend, kind: Any) -> Callable[[Item], Any]:
        """Return what makes a value of a type out of an item; it raises Malformed or Invalid."""
        ...

    def read_partial(self, reader: PartialReader, members: Mapping[str, Item]) -> dict[str, Any]:
        """Return attribute to value of some fields of a pydantic model."""
        ...


_Opened = dict[str, msgspec.Raw]


class _Json:
    def __init__(self) -> None:
        self._open = msgspec.json.Decoder(_Opened).decode
        self._decode: Callable[[Any], Any] = msgspec.json.Decoder().decode

    def open(self, item: Item) -> Mapping[str, Item] | None:
        return _opened(self._open, self._decode, item, "malformed_json")

    def plain(self, item: Item) -> Any:
        return _decoded(self._decode, item, "malformed_json")

    def is_null(self, item: Item) -> bool:
        return bytes(memoryview(item)[:5]) == b"null"

    def is_object(self, item: Item) -> bool:
        return bytes(memoryview(item)[:1]) == b"{"

    def leaf(self, backend: TypeBackend, kind: Any) -> Callable[[Item], Any]:
        decode = backend.json_decoder(kind)
        return lambda item: decode(bytes(item))

    def read_partial(self, reader: PartialReader, members: Mapping[str, Item]) -> dict[str, Any]:
        return reader.from_json(msgspec.json.encode(members))


class _Msgpack:
    def __init__(self) -> None:
        self._open = msgspec.msgpack.Decoder(_Opened).decode
        self._decode: Callable[[Any], Any] = msgspec.msgpack.Decoder().decode

    def open(self, item: Item) -> Mapping[str, Item] | None:
        return _opened(self._open, self._decode, item, "malformed_msgpack")

    def plain(self, item: Item) -> Any:
        return _decoded(self._decode, item, "malformed_msgpack")

    def is_null(self, item: Item) -> bool:
        return bytes(memoryview(item)[:1]) == b"\xc0"

    def is_object(self, item: Item) -> bool:
        """fixmap, map 16 and map 32."""
        first = memoryview(item)[0]
        return 0x80 <= first <= 0x8F or first in (0xDE, 0xDF)

    def leaf(self, backend: TypeBackend, kind: Any) -> Callable[[Item], Any]:
        decode = backend.msgpack_decoder(kind)
        return lambda item: decode(bytes(item))

    def read_partial(self, reader: PartialReader, members: Mapping[str, Item]) -> dict[str, Any]:
        return reader.from_builtins({name: self.plain(item) for name, item in members.items()})


class _Builtins:
    def __init__(self, *, from_text: bool) -> None:
        self._from_text = from_text

    def open(self, item: Item) -> Mapping[str, Item] | None:
        return {str(name): value for name, value in item.items()} if isinstance(item, Mapping) else None

    def plain(self, item: Item) -> Any:
        return item

    def is_null(self, item: Item) -> bool:
        return item is None

    def is_object(self, item: Item) -> bool:
        return isinstance(item, Mapping)

    def leaf(self, backend: TypeBackend, kind: Any) -> Callable[[Item], Any]:
        return backend.converter(kind, from_text=self._from_text)

    def read_partial(self, reader: PartialReader, members: Mapping[str, Item]) -> dict[str, Any]:
        return reader.from_builtins(members, from_text=self._from_text)


def _opened(
    read: Callable[[Any], _Opened], decode: Callable[[Any], Any], item: Item, code: str
) -> Mapping[str, Item] | None:
    """msgspec says that a list is no object before it has seen whether the list ends: look at the whole then."""
    try:
        return read(item)
    except msgspec.ValidationError:
        _decoded(decode, item, code)
        return None
    except (msgspec.DecodeError, RecursionError, ValueError):
        raise Malformed(code) from None


def _decoded(decode: Callable[[Any], Any], item: Item, code: str) -> Any:
    try:
        return decode(item)
    except (msgspec.DecodeError, RecursionError, ValueError):
        raise Malformed(code) from None


JSON: PatchFormat = _Json()
MSGPACK: PatchFormat = _Msgpack()
BUILTINS: PatchFormat = _Builtins(from_text=False)
TEXT: PatchFormat = _Builtins(from_text=True)
