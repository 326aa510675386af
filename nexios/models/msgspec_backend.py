"""Which types does msgspec have, and how are they decoded, converted, written and described?

Struct, dataclass, TypedDict, attrs, NamedTuple, enums, Literal, unions, generics and the
builtins, dates, UUID and Decimal. Classes of other backends may be fields of them.

A JSON body is Malformed (400) when msgspec refuses it as a document without a type: what is
no JSON, text that is no UTF-8, nesting past Python's stack, and numbers out of range, as
1e400 or integers of more than 4300 digits. Everything else that does not fit is Invalid.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import msgspec
from msgspec import inspect

from nexios.errors import ConfigurationError
from nexios.models.backend import Malformed, SchemaMode, TypeBackend
from nexios.models.collect import Collector, invalid
from nexios.models.constraints import with_meta
from nexios.models.crowds import crowd_of, guarded_json, guarded_msgpack
from nexios.models.decimals import are_sound
from nexios.models.describe import Schema, describe
from nexios.models.later import Later
from nexios.models.output import Explain, writer_of
from nexios.models.problems import Invalid
from nexios.models.shape import Node, fault_of, has_known_depth, holds_custom, node_of, nodes_below
from nexios.models.text import reader_of
from nexios.serialization import containers_in_msgpack, encode_json, encode_msgpack, has_crowded_map

__all__ = ["MsgspecBackend"]

_REFUSED = (msgspec.MsgspecError, ValueError, TypeError, ArithmeticError, RecursionError, Invalid)
"""What decoding may raise (TypeError: a set with a list in it); anything else is a fault of a model's own code."""


class MsgspecBackend:
    """The backend for everything that is not another's.

    `neighbours` are asked for classes that msgspec does not know, when they are fields of those it knows.
    """

    name = "msgspec"

    def __init__(self, neighbours: Sequence[TypeBackend] = ()) -> None:
        self._neighbours = tuple(neighbours)
        self._last: tuple[Any, Node] | None = None

    def handles(self, kind: Any) -> bool:
        """Return whether msgspec, and the neighbours for what is inside, can have the type."""
        return self.fault_of(kind) is None

    def fault_of(self, kind: Any) -> str | None:
        """Return why the type is not handled, for the developer; None when it is."""
        try:
            node = self._node(kind)
        except ConfigurationError as error:
            return str(error)
        return fault_of(node, lambda cls: self._neighbour_of(cls) is not None)

    def has_known_depth(self, kind: Any) -> bool:
        """Return whether no value of the type can nest deeper than its declaration; see `shape.py`."""
        return has_known_depth(self._node(kind))

    def json_decoder(self, kind: Any) -> Callable[[bytes], Any]:
        """Return what makes a value out of JSON: on success one call of a msgspec decoder."""
        node = self._node(kind)
        decode = msgspec.json.Decoder(with_meta(kind), dec_hook=self._dec_hook_of(node)).decode
        return guarded_json(_decoder(node, decode, _JSON, self._explain(kind)), crowd_of(node))

    def msgpack_decoder(self, kind: Any) -> Callable[[bytes], Any]:
        """Return what makes a value out of MessagePack: on success one call of a msgspec decoder."""
        node = self._node(kind)
        decode = msgspec.msgpack.Decoder(with_meta(kind), dec_hook=self._dec_hook_of(node)).decode
        return guarded_msgpack(_decoder(node, decode, _MSGPACK, self._explain(kind)), crowd_of(node))

    def converter(self, kind: Any, *, from_text: bool) -> Callable[[Any], Any]:
        """Return what makes a value out of builtins, or out of text; see `text.py` for how text is read."""
        node = self._node(kind)
        convert = _converter(node, _box_of(kind), self._dec_hook_of(node), self._explain(kind, from_text=from_text))
        if not from_text:
            return convert
        read = reader_of(node)
        quick = _QUICK.get(type(node)) if _is_free(node) else None
        return _text_converter(read, convert) if quick is None else _quick_converter(read, convert, quick)

    def to_json(self, kind: Any) -> Callable[[Any], bytes]:
        """Return what writes a result as JSON; see `output.py` for what is dropped and checked."""
        return writer_of(self._node(kind), encode_json, self._json_writer, self._explain(kind))

    def to_msgpack(self, kind: Any) -> Callable[[Any], bytes]:
        """Return what writes a result as MessagePack; see `output.py` for what is dropped and checked."""
        return writer_of(self._node(kind), encode_msgpack, self._msgpack_writer, self._explain(kind))

    def schemas(
        self, kinds: Sequence[Any], *, mode: SchemaMode, ref_template: str
    ) -> tuple[list[Schema], dict[str, Schema]]:
        """Return a schema for each type, and the components of all; see `describe.py` for the modes."""
        nodes = [inspect.type_info(with_meta(kind)) for kind in kinds]

        def foreign(classes: Sequence[Any]) -> tuple[list[Schema], dict[str, Schema]]:
            return self._schemas_of(classes, mode, ref_template)

        return describe(nodes, mode=mode, ref_template=ref_template, foreign=foreign)

    def _node(self, kind: Any) -> Node:
        """Compile asks for several functions of one type in a row: the tree of the last one is kept."""
        last = self._last
        if last is None or last[0] is not kind:
            last = self._last = kind, node_of(kind)
        return last[1]

    def _explain(self, kind: Any, *, from_text: bool = False) -> Explain:
        """Most types are never sent anything wrong, so what tells the problems is made when it is first asked."""
        return Later(partial(self._problems, kind, from_text))

    def _problems(self, kind: Any, from_text: bool) -> Explain:
        return Collector(node_of(kind), self._foreign, self._dec_hook(), from_text=from_text).problems_of

    # Classes of other backends

    def _neighbour_of(self, cls: Any) -> TypeBackend | None:
        return next((each for each in self._neighbours if each.handles(cls)), None)

    def _neighbour(self, cls: Any) -> TypeBackend:
        backend = self._neighbour_of(cls)
        if backend is None:
            raise ConfigurationError(f"{cls!r} is no type that is known here.")
        return backend

    def _dec_hook_of(self, node: Node) -> Callable[[type, Any], Any] | None:
        return self._dec_hook() if holds_custom(node) else None

    def _dec_hook(self) -> Callable[[type, Any], Any]:
        converters: dict[type, Callable[[Any], Any]] = {}

        def hook(cls: type, value: Any) -> Any:
            if isinstance(value, cls):
                return value
            convert = converters.get(cls)
            if convert is None:
                convert = converters[cls] = self._neighbour(cls).converter(cls, from_text=False)
            return convert(value)

        return hook

    def _foreign(self, cls: Any) -> Callable[[Any], Any] | None:
        backend = self._neighbour_of(cls)
        return None if backend is None else backend.converter(cls, from_text=False)

    def _json_writer(self, cls: Any) -> Callable[[Any], Any]:
        write = self._neighbour(cls).to_json(cls)
        return lambda value: msgspec.Raw(write(value))

    def _msgpack_writer(self, cls: Any) -> Callable[[Any], Any]:
        write = self._neighbour(cls).to_msgpack(cls)
        return lambda value: msgspec.Raw(write(value))

    def _schemas_of(
        self, classes: Sequence[Any], mode: SchemaMode, ref_template: str
    ) -> tuple[list[Schema], dict[str, Schema]]:
        """Each backend is asked once, so that it names its components itself."""
        schemas: dict[Any, Schema] = {}
        components: dict[str, Schema] = {}
        for backend in self._neighbours:
            own = [cls for cls in classes if self._neighbour_of(cls) is backend]
            if own:
                described, found = backend.schemas(own, mode=mode, ref_template=ref_template)
                schemas |= dict(zip(own, described, strict=True))
                components |= found
        return [schemas.get(cls, {}) for cls in classes], components


MAX_EXPLAINED: Final = 200_000
"""Arrays and objects of a refused body beyond which it is not built only to tell what is wrong with it."""


class _Format(msgspec.Struct, frozen=True):
    """How a refused body is read once more: whole, to tell what is wrong, or passed over to tell that it ends well."""

    read: Callable[[bytes], Any]
    skip: Callable[[bytes], Any]
    containers_in: Callable[[bytes], int]
    malformed: str
    too_deep: str


def _containers_in_json(body: bytes) -> int:
    return body.count(b"[") + body.count(b"{")


_JSON: Final = _Format(
    msgspec.json.Decoder().decode,
    msgspec.json.Decoder(msgspec.Raw).decode,
    _containers_in_json,
    "malformed_json",
    "json_too_deep",
)
_MSGPACK: Final = _Format(
    msgspec.msgpack.Decoder().decode,
    msgspec.msgpack.Decoder(msgspec.Raw).decode,
    containers_in_msgpack,
    "malformed_msgpack",
    "malformed_msgpack",
)


def _decoder(node: Node, decode: Callable[[bytes], Any], format_: _Format, explain: Explain) -> Callable[[bytes], Any]:
    def decode_typed(body: bytes) -> Any:
        try:
            return decode(body)
        except _REFUSED as error:
            raise _refusal(body, format_, explain) from error

    are_all_sound = are_sound(node)
    if are_all_sound is None:
        return decode_typed

    def decode_with_decimals(body: bytes) -> Any:
        value = decode_typed(body)
        if are_all_sound(value):
            return value
        raise _refusal(body, format_, explain)

    return decode_with_decimals


def _refusal(body: bytes, format_: _Format, explain: Explain) -> Malformed | Invalid:
    is_too_large = format_.containers_in(body) > MAX_EXPLAINED or (format_ is _MSGPACK and has_crowded_map(body))
    try:
        value = format_.skip(body) if is_too_large else format_.read(body)
    except RecursionError:
        return Malformed(format_.too_deep)
    except (msgspec.MsgspecError, ValueError, TypeError):
        return Malformed(format_.malformed)
    return Invalid((invalid(),) if is_too_large else explain(value))


def _box_of(kind: Any) -> Any:
    """msgspec remembers how a field is converted, but not how a loose type is."""
    return msgspec.defstruct("Box", [("value", with_meta(kind))])


def _converter(
    node: Node, box: Any, dec_hook: Callable[[type, Any], Any] | None, explain: Explain
) -> Callable[[Any], Any]:
    """Most types need no options, and msgspec takes its time to read them."""
    options: dict[str, Any] = {}
    if any(isinstance(each, inspect.DictType) for each in nodes_below(node)):
        options["str_keys"] = True
    if dec_hook is not None:
        options["dec_hook"] = dec_hook
    msgspec_convert = msgspec.convert if not options else partial(msgspec.convert, **options)

    def convert(value: Any) -> Any:
        try:
            return msgspec_convert({"value": value}, box).value
        except _REFUSED as error:
            raise Invalid(explain(value)) from error

    are_all_sound = are_sound(node)
    if are_all_sound is None:
        return convert

    def convert_with_decimals(value: Any) -> Any:
        converted = convert(value)
        if are_all_sound(converted):
            return converted
        raise Invalid(explain(value))

    return convert_with_decimals


def _text_converter(read: Callable[[Any], Any], convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def convert_text(value: Any) -> Any:
        return convert(read(value))

    return convert_text


def _quick_converter(read: Callable[[Any], Any], convert: Callable[[Any], Any], kind: type) -> Callable[[Any], Any]:
    """For a number or a string without constraints the reading is all."""

    def convert_text(value: Any) -> Any:
        found = read(value)
        return found if type(found) is kind else convert(found)

    return convert_text


_QUICK: dict[type[Node], type] = {
    inspect.IntType: int,
    inspect.FloatType: float,
    inspect.StrType: str,
    inspect.BoolType: bool,
}


def _is_free(node: Node) -> bool:
    return all(getattr(node, name) is None for name in node.__struct_fields__)
