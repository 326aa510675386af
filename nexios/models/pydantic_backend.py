"""How does nexios speak with pydantic, for applications that have models of it?

The one file that knows the package, and it never imports it: whoever has a pydantic model has
imported pydantic already, so it is taken from `sys.modules` when the first such type is met.

Handled are models, root models, pydantic dataclasses and pydantic's own types, also in unions,
lists, dicts and `Annotated`; a pydantic model *inside* a Struct or a dataclass is left to msgspec.
JSON is what `serialization.py` says it is, whatever pydantic would accept: NaN, Infinity and
numbers out of range are malformed.

All faults of a body are told, up to 100; of a body over 64 KiB only the first in each list and dict.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache, reduce
from operator import or_
from types import UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Final,
    Literal,
    Union,
    cast,
    get_args,
    get_origin,
    is_typeddict,
)

import msgspec

from nexios.errors import ConfigurationError
from nexios.models.backend import Malformed, SchemaMode
from nexios.models.crowds import crowd_of_core, guarded_json, guarded_msgpack
from nexios.models.problems import Invalid, Problem
from nexios.models.pydantic_hurry import LONG, hurried
from nexios.models.pydantic_problems import Wire, problems_of
from nexios.models.pydantic_text import text_reader_of

if TYPE_CHECKING:
    import pydantic
    import pydantic.json_schema
    import pydantic_core

__all__ = [
    "PydanticBackend",
    "adapter_of",
    "check_json",
    "hurried_validator",
    "refusal",
    "schema_validator",
    "validation_error",
]

_decode_json: Callable[[bytes], Any] = msgspec.json.Decoder().decode
_decode_msgpack: Callable[[bytes], Any] = msgspec.msgpack.Decoder().decode
_encode_msgpack: Callable[[Any], bytes] = msgspec.msgpack.Encoder().encode

_MOST_ERRORS: Final = 1000
"""Beyond it errors are counted and not told: pydantic takes a kilobyte and 10 microseconds to tell one."""
_META: Final = ("gt", "ge", "lt", "le", "multiple_of", "min_length", "max_length", "pattern")
_NEW_TYPED_DICTS: Final = sys.version_info >= (3, 12)
"""Before 3.12 pydantic refuses those of `typing`; msgspec takes all."""


class PydanticBackend:
    """Types that pydantic knows. One per process; it keeps nothing, so any thread may use it.

    >>> PydanticBackend().handles(int)
    False
    """

    name = "pydantic"

    def handles(self, kind: Any) -> bool:
        """Return whether a pydantic type is in this union, container or Annotated, and nothing pydantic cannot have."""
        if "pydantic" not in sys.modules:
            return False
        parts = list(_parts(kind, []))
        return any(map(_is_pydantic, parts)) and not any(map(_is_foreign, parts))

    def json_decoder(self, kind: Any) -> Callable[[bytes], Any]:
        """Return what makes a value out of JSON."""
        adapter = adapter_of(kind)
        return guarded_json(_Reader(adapter).from_json, crowd_of_core(adapter.core_schema))

    def msgpack_decoder(self, kind: Any) -> Callable[[bytes], Any]:
        """Return what makes a value out of MessagePack."""
        adapter = adapter_of(kind)
        return guarded_msgpack(_Reader(adapter).from_msgpack, crowd_of_core(adapter.core_schema))

    def converter(self, kind: Any, *, from_text: bool) -> Callable[[Any], Any]:
        """Return what makes a value out of builtins; text is read leniently even if the model is strict."""
        reader = _Reader(adapter_of(kind))
        return reader.from_text if from_text else reader.from_builtins

    def to_json(self, kind: Any) -> Callable[[Any], bytes]:
        """Return what validates a handler's result and writes its declared fields as JSON."""
        return _Writer(kind).to_json

    def to_msgpack(self, kind: Any) -> Callable[[Any], bytes]:
        """Return what validates a handler's result and writes its declared fields as MessagePack."""
        return _Writer(kind).to_msgpack

    def schemas(
        self, kinds: Sequence[Any], *, mode: SchemaMode, ref_template: str
    ) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
        """Return a JSON Schema for each type, and their components: `Page[User]` is "Page_User"."""
        of_pydantic: Literal["validation", "serialization"] = "validation" if mode == "input" else "serialization"
        adapters = [(index, of_pydantic, adapter_of(kind)) for index, kind in enumerate(kinds)]
        if not adapters:
            return [], {}
        found, shared = _pydantic_type_adapter().json_schemas(
            adapters, ref_template=ref_template.replace("{name}", "{model}"), schema_generator=_schema_generator()
        )
        return [found[index, of_pydantic] for index in range(len(kinds))], shared.get("$defs", {})


def _parts(kind: Any, seen: list[Any]) -> Iterator[Any]:
    """Yield the classes and the metadata of a type, but not what is in the fields of classes."""
    alias = getattr(kind, "__value__", None)  # of `type Pet = Cat | Dog`
    if alias is not None and not isinstance(kind, type):
        if any(kind is each for each in seen):
            return
        yield from _parts(alias, [*seen, kind])
        return
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        yield from kind.__metadata__
        yield from _parts(kind.__origin__, seen)
    elif origin is Union or origin is UnionType or (origin is not Literal and _is_container(origin)):
        for argument in arguments:
            yield from _parts(argument, seen)
    else:
        yield kind if origin is None else origin


def _is_container(origin: Any) -> bool:
    return isinstance(origin, type) and origin.__module__ in ("builtins", "collections", "collections.abc")


def _is_pydantic(part: Any) -> bool:
    if isinstance(part, type):
        return hasattr(part, "__get_pydantic_core_schema__") or hasattr(part, "__pydantic_core_schema__")
    return type(part).__module__.partition(".")[0] == "pydantic"


def _is_foreign(part: Any) -> bool:
    if not isinstance(part, type):
        return False
    if issubclass(part, msgspec.Struct):
        return True
    return is_typeddict(part) and type(part).__module__ == "typing" and not _NEW_TYPED_DICTS


def _pydantic() -> Any:
    """The package: whatever is asked of it here is typed where it is asked."""
    module = sys.modules["pydantic"]
    if not hasattr(module, "TypeAdapter"):
        raise ConfigurationError(
            f"nexios works with pydantic 2.11 and newer; this is {module.VERSION}:\n\n"
            '    pip install --upgrade "nexios[pydantic]"\n'
        )
    return module


def _pydantic_type_adapter() -> "type[pydantic.TypeAdapter[Any]]":
    return cast("type[pydantic.TypeAdapter[Any]]", _pydantic().TypeAdapter)


def validation_error() -> "type[pydantic.ValidationError]":
    """Return what pydantic raises when a value does not fit."""
    return cast("type[pydantic.ValidationError]", _pydantic().ValidationError)


def _core() -> Any:
    return sys.modules["pydantic_core"]


def schema_validator(schema: Any, config: Any = None) -> "pydantic_core.SchemaValidator":
    """Return a validator of a core schema of our own making."""
    return cast("pydantic_core.SchemaValidator", _core().SchemaValidator(schema, config))


def hurried_validator(schema: Any, config: Any = None) -> "pydantic_core.SchemaValidator":
    """Return a validator for long bodies, see `pydantic_hurry`; an old pydantic_core may not have all it takes."""
    try:
        # Without the last argument the validators that model classes have made are used, and those do not hurry.
        made = _core().SchemaValidator(hurried(schema), config, _use_prebuilt=False)
    except (TypeError, _core().SchemaError):
        return schema_validator(schema, config)
    return cast("pydantic_core.SchemaValidator", made)


def adapter_of(kind: Any) -> "pydantic.TypeAdapter[Any]":
    """Return pydantic's validator of a type.

    Raises:
        ConfigurationError: pydantic cannot make one; its text says why.
    """
    library = _pydantic()
    try:
        adapter = _pydantic_type_adapter()(_without_meta(kind))
        if not adapter.pydantic_complete:  # a field names a type that is nowhere
            adapter.rebuild(raise_errors=True)
        return adapter
    except (library.errors.PydanticUserError, _core().SchemaError, NameError, TypeError) as error:
        raise ConfigurationError(f"pydantic cannot validate {kind!r}:\n\n{error}") from error


def _without_meta(kind: Any) -> Any:
    """Write constraints of msgspec in pydantic's words: it would pass over them in silence."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        metadata = [_as_field(item) if isinstance(item, msgspec.Meta) else item for item in kind.__metadata__]
        return Annotated[(_without_meta(kind.__origin__), *metadata)]
    if origin is Union or origin is UnionType:
        return reduce(or_, map(_without_meta, arguments))
    if origin is not Literal and _is_container(origin):
        inner = [argument if argument is ... else _without_meta(argument) for argument in arguments]
        return kind if inner == list(arguments) else cast("Any", origin)[tuple(inner)]
    return kind


def _as_field(meta: msgspec.Meta) -> Any:
    found = {name: value for name in _META if (value := getattr(meta, name)) is not None}
    described = {name: getattr(meta, name) for name in ("title", "description", "examples")}
    return _pydantic().Field(**found, **described, json_schema_extra=meta.extra_json_schema)


def refusal(error: "pydantic.ValidationError", wire: Wire) -> Invalid:
    """Return pydantic's errors as problems, in our words."""
    if error.error_count() > _MOST_ERRORS:
        return Invalid([Problem("", "invalid", "has too many faults to tell")])
    return Invalid(problems_of(error.errors(include_url=False), wire))


class _Reader:
    """Makes values of one type. Made when the application is compiled, shared by all requests."""

    __slots__ = ("_error", "_hurried", "_read_text", "_validate", "_validate_json", "_wire")

    def __init__(self, adapter: "pydantic.TypeAdapter[Any]") -> None:
        self._error = validation_error()
        self._validate = adapter.validate_python
        self._validate_json = adapter.validate_json
        self._hurried = hurried_validator(adapter.core_schema)
        self._wire = Wire(adapter.core_schema)
        self._read_text = text_reader_of(adapter.core_schema)

    def from_json(self, body: bytes) -> Any:
        """Two readings: msgspec says what JSON is; a strict model takes dates from JSON that it refuses from Python."""
        check_json(body)
        try:
            return self._validate_json(body) if len(body) < LONG else self._hurried.validate_json(body)
        except self._error as error:
            if not self._is_malformed(error):
                raise refusal(error, self._wire) from None
        raise Malformed

    def from_msgpack(self, body: bytes) -> Any:
        value = _checked(_decode_msgpack, body, "malformed_msgpack")
        return self._validated(value, self._validate if len(body) < LONG else self._hurried.validate_python)

    def from_builtins(self, value: Any) -> Any:
        return self._validated(value, self._validate)

    def _validated(self, value: Any, validate: Callable[[Any], Any]) -> Any:
        try:
            return validate(value)
        except self._error as error:
            raise refusal(error, self._wire) from None

    def from_text(self, value: Any) -> Any:
        """Lenient even when the model is strict: a text is never an integer."""
        try:
            return self._validate(self._read_text(value), strict=False)
        except self._error as error:
            raise refusal(error, self._wire) from None

    @staticmethod
    def _is_malformed(error: "pydantic.ValidationError") -> bool:
        """pydantic nests less deeply than msgspec; `Json[...]` inside a document is a fault of the value."""
        first = error.errors(include_url=False, include_input=False)[0] if error.error_count() == 1 else None
        return first is not None and first["type"] == "json_invalid" and not first["loc"]


def check_json(body: bytes) -> None:
    """Raise Malformed unless the body is what every part of nexios takes for JSON."""
    _checked(_decode_json, body, "malformed_json")


def _checked(decode: Callable[[bytes], Any], body: bytes, code: str) -> Any:
    try:
        return decode(body)
    except (msgspec.DecodeError, RecursionError, ValueError):
        raise Malformed(code) from None


class _Writer:
    """Writes what handlers return as one type.

    An object of exactly the declared class was validated when it was made; anything else (a dict,
    a row, a subclass, a list) is validated first. What is written are the fields of the declared
    type: pydantic does not look at those that a subclass adds.
    """

    __slots__ = ("_adapter", "_errors", "_exact", "_wire")

    def __init__(self, kind: Any) -> None:
        self._adapter = adapter_of(kind)
        self._errors = validation_error()
        self._exact = kind if isinstance(kind, type) else None
        self._wire = Wire(self._adapter.core_schema)

    def to_json(self, value: Any) -> bytes:
        """Validate and write."""
        fitting = self._fitting(value)
        try:
            return self._adapter.dump_json(fitting, by_alias=True, warnings="error")
        except ValueError as error:
            raise Invalid([_UNWRITABLE]) from error

    def to_msgpack(self, value: Any) -> bytes:
        """Validate and write; dates and the like are text, as in JSON."""
        fitting = self._fitting(value)
        try:
            return _encode_msgpack(self._adapter.dump_python(fitting, mode="json", by_alias=True, warnings="error"))
        except (ValueError, OverflowError) as error:
            raise Invalid([_UNWRITABLE]) from error

    def _fitting(self, value: Any) -> Any:
        if type(value) is self._exact:
            return value
        try:
            return self._adapter.validate_python(value, from_attributes=True, by_alias=True, by_name=True)
        except self._errors as error:
            raise refusal(error, self._wire) from error


_UNWRITABLE = Problem("", "type", "does not fit the declared type")


@cache
def _schema_generator() -> "type[pydantic.json_schema.GenerateJsonSchema]":
    """Readable names of components; what has no schema (a callable) is described as anything instead of failing."""
    base = _pydantic().json_schema.GenerateJsonSchema
    methods = {
        "ignored_warning_kinds": {"skipped-choice", "non-serializable-default"},
        "normalize_name": _component_name,
        "handle_invalid_for_json_schema": _anything,
    }
    return cast("type[pydantic.json_schema.GenerateJsonSchema]", type("Components", (base,), methods))


def _component_name(_generator: object, name: str) -> str:
    """`Page[User]` is "Page_User"; the same rule at every version of pydantic."""
    words = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-_.") else " " for letter in name)
    return "_".join(words.split()).replace(".", "__")


def _anything(_generator: object, _schema: object, _why: str) -> dict[str, Any]:
    return {}
