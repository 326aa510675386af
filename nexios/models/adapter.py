"""Who decodes, converts, writes and describes this type? Chosen once, when a route is compiled."""

import dataclasses
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache, partial
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec

from nexios.errors import ConfigurationError
from nexios.models.backend import SchemaMode, TypeBackend
from nexios.models.later import Later
from nexios.models.msgspec_backend import MsgspecBackend
from nexios.models.patch_backend import PatchBackend
from nexios.models.pydantic_backend import PydanticBackend

__all__ = ["DEFAULT_BACKENDS", "TypeAdapter", "adapt", "holds_model", "is_model"]

_PYDANTIC: TypeBackend = PydanticBackend()
_MSGSPEC: TypeBackend = MsgspecBackend((_PYDANTIC,))
DEFAULT_BACKENDS: tuple[TypeBackend, ...] = (PatchBackend((_PYDANTIC, _MSGSPEC)), _PYDANTIC, _MSGSPEC)
"""The first that handles a type has it: patches, then pydantic its own models, then msgspec the rest."""


class TypeAdapter(msgspec.Struct, frozen=True, dict=True, eq=False):
    """A type and its functions. One per type, shared by all requests; each function is made when first asked for.

    Those for MessagePack, which few clients speak, are made when they are first called.
    """

    kind: Any
    backend: TypeBackend

    @cached_property
    def decode_json(self) -> Callable[[bytes], Any]:
        """Makes a value out of JSON; raises Malformed or Invalid."""
        return self.backend.json_decoder(self.kind)

    @cached_property
    def has_known_depth(self) -> bool:
        """Whether no value of the type can nest deeper than its declaration; False if that is not known."""
        return isinstance(self.backend, MsgspecBackend) and self.backend.has_known_depth(self.kind)

    @cached_property
    def decode_msgpack(self) -> Callable[[bytes], Any]:
        """Makes a value out of MessagePack; raises Malformed or Invalid."""
        return Later(partial(self.backend.msgpack_decoder, self.kind))

    @cached_property
    def convert(self) -> Callable[[Any], Any]:
        """Makes a value out of builtins; raises Invalid."""
        return self.backend.converter(self.kind, from_text=False)

    @cached_property
    def convert_text(self) -> Callable[[Any], Any]:
        """Makes a value out of text, a list of text, or a dict of both; raises Invalid."""
        return self.backend.converter(self.kind, from_text=True)

    @cached_property
    def to_json(self) -> Callable[[Any], bytes]:
        """Writes a handler's result with the declared fields only; raises Invalid."""
        return self.backend.to_json(self.kind)

    @cached_property
    def to_msgpack(self) -> Callable[[Any], bytes]:
        """Writes a handler's result with the declared fields only; raises Invalid."""
        return Later(partial(self.backend.to_msgpack, self.kind))

    def schema(self, *, mode: SchemaMode, ref_template: str) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """Return the JSON Schema of the type, and the components it refers to."""
        schemas, components = self.backend.schemas([self.kind], mode=mode, ref_template=ref_template)
        return schemas[0], components


def adapt(kind: Any, backends: Sequence[TypeBackend] = DEFAULT_BACKENDS) -> TypeAdapter:
    """Return the adapter of a type.

    >>> adapt(list[int]).decode_json(b"[1, 2]")
    [1, 2]

    Raises:
        ConfigurationError: No backend handles the type; the text says what can be used.
    """
    try:
        return _adapt(kind, tuple(backends))
    except TypeError as error:
        if "unhashable" not in str(error):
            raise
    return _made(kind, tuple(backends))


@lru_cache(maxsize=1024, typed=True)
def _adapt(kind: Any, backends: tuple[TypeBackend, ...]) -> TypeAdapter:
    return _made(kind, backends)


def _made(kind: Any, backends: tuple[TypeBackend, ...]) -> TypeAdapter:
    for backend in backends:
        if backend.handles(kind):
            return TypeAdapter(kind, backend)
    faults = [fault for each in backends if isinstance(each, MsgspecBackend) and (fault := each.fault_of(kind))]
    raise ConfigurationError(
        "\n".join(
            [
                f"no type backend handles {kind!r}.",
                *faults,
                "\nUse a msgspec.Struct, dataclass, TypedDict, attrs class or pydantic model; str, int, float, bool,",
                "bytes, Decimal, UUID, date, datetime, time, timedelta; an enum (all str or all int) or Literal;",
                "or list, set, tuple, dict and unions of these. Make a class of your own of them in a provider.",
            ]
        )
    )


def is_model(kind: Any) -> bool:
    """Return whether this is a class with declared fields: Struct, dataclass, TypedDict, attrs or pydantic.

    >>> is_model(TypeAdapter), is_model(dict[str, int])
    (True, False)
    """
    if get_origin(kind) is Annotated:
        return is_model(get_args(kind)[0])
    cls = get_origin(kind) or kind
    if not isinstance(cls, type):
        return False
    return (
        issubclass(cls, msgspec.Struct)
        or dataclasses.is_dataclass(cls)
        or (issubclass(cls, dict) and hasattr(cls, "__total__"))
        or hasattr(cls, "__attrs_attrs__")
        or callable(getattr(cls, "model_validate", None))
    )


def holds_model(kind: Any) -> bool:
    """Return whether the type is a model, or an Optional, union, list or dict of one, at any depth.

    >>> holds_model(list[TypeAdapter] | None), holds_model(list[int])
    (True, False)
    """
    if is_model(kind):
        return True
    return get_origin(kind) is not Literal and any(map(holds_model, get_args(kind)))
