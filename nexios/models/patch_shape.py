"""Which fields does a model have, may each be null or left out, and how is an object of it built? For `Patch`.

One answer for Struct, dataclass, TypedDict, attrs and pydantic: only what a client may set is
here, so no fields with `init=False`, no ClassVar, no private attributes.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Final,
    NotRequired,
    Required,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

import msgspec

from nexios.errors import ConfigurationError
from nexios.models.backend import TypeBackend
from nexios.models.problems import Invalid, Problem, words_of
from nexios.models.pydantic_backend import PydanticBackend
from nexios.models.pydantic_partial import PartialReader

__all__ = ["Field", "Shape", "bare", "class_of", "is_model", "members_of", "refusal_of", "shape_of"]

_Build = Callable[[Any, Mapping[str, Any]], Any]
"""Takes an object or None, and attribute to value; returns a new object that was validated as a whole."""


class Field(msgspec.Struct, frozen=True):
    """One field that a client may give.

    Shape: `wire` are its names in a document, the one to show first; `reset` makes its default, None when
    it has none; `is_required` is whether no object can be built without it. `check` runs what the field has of
    validators of its own (attrs; it raises ValueError); `fit` checks a dict after a merge (it raises Invalid).
    """

    name: str
    wire: tuple[str, ...]
    kind: Any
    is_nullable: bool
    is_required: bool
    reset: Callable[[], Any] | None = None
    is_frozen: bool = False
    check: Callable[[Any], None] | None = None
    fit: Callable[[Any], Any] | None = None

    @property
    def is_open(self) -> bool:
        """Whether anything fits, so that objects in it are merged as RFC 7396 has it."""
        return bare(self.kind) in (Any, object)


class Shape(msgspec.Struct, frozen=True):
    """A model taken apart.

    Shape: `unknown` is "ignore", "forbid" or "allow"; `tag` is the field and the value that tell
    a Struct from its like; `reader` reads leaves by pydantic's rules, when the model is pydantic's.
    """

    kind: Any
    fields: Mapping[str, Field]
    build: _Build
    unknown: str = "ignore"
    tag: tuple[str, Any] | None = None
    reader: PartialReader | None = None


def shape_of(kind: Any) -> Shape:
    """Return the fields of a model, and how to build one.

    Raises:
        ConfigurationError: It is no model, or one that is not an object on the wire.
    """
    cls = class_of(kind)
    if not is_model(kind):
        raise ConfigurationError(_NO_MODEL.format(kind=kind))
    if issubclass(cls, msgspec.Struct):
        return _struct_shape(kind, cls)
    if is_typeddict(cls):
        return _typed_dict_shape(kind, cls)
    if _PYDANTIC.handles(kind):
        return _pydantic_shape(kind)
    fields = _dataclass_fields(kind, cls) if dataclasses.is_dataclass(cls) else _attrs_fields(kind, cls)
    build = _build_dataclass if dataclasses.is_dataclass(cls) else _build_attrs
    return Shape(kind, {field.name: field for field in fields}, partial(build, cls))


_PYDANTIC: Final[TypeBackend] = PydanticBackend()
_NO_MODEL: Final = (
    "Patch[...] takes one model, and {kind!r} is none.\n"
    "Write Patch[User], where User is a msgspec.Struct, dataclass, TypedDict, attrs class or pydantic model."
)


def bare(kind: Any) -> Any:
    """Return the type without Annotated, Required, ReadOnly and the like."""
    while get_origin(kind) is Annotated or get_origin(kind) in (Required, NotRequired):
        kind = get_args(kind)[0]
    return kind


def members_of(kind: Any) -> tuple[Any, ...]:
    """Return the members of a union, or the one type itself.

    >>> members_of(int | None), members_of(int)
    ((<class 'int'>, <class 'NoneType'>), (<class 'int'>,))
    """
    kind = bare(kind)
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def class_of(kind: Any) -> Any:
    """Return the class of a type: `Page` of `Page[User]`."""
    return get_origin(bare(kind)) or bare(kind)


def is_model(kind: Any) -> bool:
    """Return whether this is a class whose fields may be patched one by one."""
    cls = class_of(kind)
    if not isinstance(cls, type):
        return False
    if issubclass(cls, msgspec.Struct):
        return not cls.__struct_config__.array_like
    if dataclasses.is_dataclass(cls) or is_typeddict(cls) or hasattr(cls, "__attrs_attrs__"):
        return True
    return hasattr(cls, "__pydantic_fields__") and not getattr(cls, "__pydantic_root_model__", False)


def refusal_of(error: Exception, pointer: str, value: object = None) -> Invalid:
    """Return what `__post_init__` or a validator said; validators of attrs repeat the value, so theirs is left out."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    is_attrs = traceback is not None and traceback.tb_frame.f_globals.get("__name__") == "attr.validators"
    return Invalid([Problem(pointer, "invalid", "is invalid" if is_attrs else words_of(error, value))])


def _is_nullable(kind: Any) -> bool:
    return any(bare(member) in (None, NoneType, Any, object) for member in members_of(kind))


def _field(name: str, wire: str, kind: Any, reset: Callable[[], Any] | None, **more: Any) -> Field:
    more.setdefault("is_required", reset is None)
    return Field(name, (wire,), kind, is_nullable=_is_nullable(kind), reset=reset, **more)


def _always(value: Any) -> Callable[[], Any]:
    return lambda: value


# Struct


def _struct_shape(kind: Any, cls: type[msgspec.Struct]) -> Shape:
    config = cls.__struct_config__
    fields = [_struct_field(field) for field in msgspec.structs.fields(kind)]
    return Shape(
        kind,
        {field.name: field for field in fields},
        partial(_build_struct, cls),
        unknown="forbid" if config.forbid_unknown_fields else "ignore",
        tag=None if config.tag_field is None else (config.tag_field, config.tag),
    )


def _struct_field(field: msgspec.structs.FieldInfo) -> Field:
    reset: Callable[[], Any] | None = None
    if field.default is not msgspec.NODEFAULT:
        reset = _always(field.default)
    elif field.default_factory is not msgspec.NODEFAULT:
        reset = field.default_factory
    return _field(field.name, field.encode_name, field.type, reset)


def _build_struct(cls: Any, target: Any, values: Mapping[str, Any]) -> Any:
    """A subclass stays one, with the fields that it adds."""
    made = type(target) if isinstance(target, cls) else cls
    kept = {name: getattr(target, name) for name in made.__struct_fields__ if hasattr(target, name)}
    return made(**{name: value for name, value in (kept | dict(values)).items() if name in made.__struct_fields__})


# dataclass


def _dataclass_fields(kind: Any, cls: Any) -> Iterator[Field]:
    hints = _hints(kind)
    for field in dataclasses.fields(cls):
        if not field.init:
            continue
        reset: Callable[[], Any] | None = None
        if field.default is not dataclasses.MISSING:
            reset = _always(field.default)
        elif field.default_factory is not dataclasses.MISSING:
            reset = field.default_factory
        yield _field(field.name, field.name, hints[field.name], reset)


def _build_dataclass(cls: Any, target: Any, values: Mapping[str, Any]) -> Any:
    if not isinstance(target, cls):
        return cls(**values)
    known = {field.name for field in dataclasses.fields(type(target)) if field.init}
    return dataclasses.replace(target, **{name: value for name, value in values.items() if name in known})


# attrs


def _attrs_fields(kind: Any, cls: Any) -> Iterator[Field]:
    hints = _hints(kind)
    blank = cls.__new__(cls)
    for each in cls.__attrs_attrs__:
        if each.init:
            check = None if each.validator is None else partial(_run_attrs_validator, each, blank)
            kind, reset = hints.get(each.name, Any), _attrs_default(each)
            yield _field(each.name, each.name, kind, reset, check=check, is_required=_is_nothing(each.default))


def _attrs_default(attribute: Any) -> Callable[[], Any] | None:
    """The package is not imported: its NOTHING and Factory are known by their looks. A factory that takes the
    object being built has no value without it, so null is refused there."""
    default = attribute.default
    if _is_nothing(default):
        return None
    if type(default).__name__ != "Factory":
        return _always(default)
    return None if default.takes_self else default.factory


def _is_nothing(default: Any) -> bool:
    return type(default).__name__ == "_Nothing"


def _run_attrs_validator(attribute: Any, blank: Any, value: Any) -> None:
    try:
        attribute.validator(blank, attribute, value)
    except AttributeError:  # it looks at other fields: it is run when the object is built
        return


def _build_attrs(cls: Any, target: Any, values: Mapping[str, Any]) -> Any:
    made = type(target) if isinstance(target, cls) else cls
    known = {each.name: each.alias for each in made.__attrs_attrs__ if each.init}
    kept = {name: getattr(target, name) for name in known if hasattr(target, name)}
    return made(**{known[name]: value for name, value in (kept | dict(values)).items() if name in known})


# TypedDict


def _typed_dict_shape(kind: Any, cls: Any) -> Shape:
    fields = {}
    for name, hint in _hints(kind).items():
        is_required = name in cls.__required_keys__
        reset = None if is_required else _always(msgspec.UNSET)  # null removes the key: RFC 7396 section 2
        fields[name] = _field(name, name, bare_requirement(hint), reset)
    return Shape(kind, fields, _build_typed_dict)


def bare_requirement(kind: Any) -> Any:
    """Return the type without Required and NotRequired, with its constraints."""
    while get_origin(kind) in (Required, NotRequired):
        kind = get_args(kind)[0]
    return kind


def _build_typed_dict(target: Any, values: Mapping[str, Any]) -> Any:
    """Keys that are not declared stay: the dict may be of a type that has more."""
    whole = dict(target) if isinstance(target, Mapping) else {}
    whole.update(values)
    return {name: value for name, value in whole.items() if value is not msgspec.UNSET}


def _hints(kind: Any) -> dict[str, Any]:
    """Return the resolved annotations, the parameters of a generic filled in.

    Raises:
        ConfigurationError: An annotation is text that names nothing.
    """
    cls, arguments = class_of(kind), get_args(bare(kind))
    try:
        hints = get_type_hints(cls, include_extras=True)
    except NameError as error:
        raise ConfigurationError(f"Patch[{cls.__name__}]: {error}.") from error
    given = dict(zip(getattr(cls, "__parameters__", ()), arguments, strict=False))
    return {name: _filled(hint, given) for name, hint in hints.items()}


def _filled(hint: Any, given: Mapping[Any, Any]) -> Any:
    if isinstance(hint, TypeVar):
        return given.get(hint, hint)
    open_parameters = getattr(hint, "__parameters__", ())
    if not given or not open_parameters or isinstance(hint, type):
        return hint
    return hint[tuple(given.get(parameter, parameter) for parameter in open_parameters)]


# pydantic


def _pydantic_shape(kind: Any) -> Shape:
    reader = PartialReader(kind)
    fields = {}
    for name, info in class_of(kind).__pydantic_fields__.items():
        if name not in reader.fields:
            continue
        reset = (
            None if info.is_required() or _takes_data(info) else partial(info.get_default, call_default_factory=True)
        )
        fields[name] = Field(
            name,
            tuple(reader.fields[name]),
            Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation,
            is_nullable=_is_nullable(info.annotation),
            is_required=info.is_required(),
            reset=reset,
            is_frozen=name in reader.frozen,
        )
    return Shape(kind, fields, reader.build, unknown=reader.unknown, reader=reader)


def _takes_data(info: Any) -> bool:
    return bool(getattr(info, "default_factory_takes_validated_data", False))
