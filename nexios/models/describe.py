"""What is a type in JSON Schema 2020-12? One schema a type, and named components for models and enums.

In the mode "output" a field with a default is required, for it is always sent; the rest is the same
in both modes, so whoever compares the components of the two sees whether one is enough.
"""

import inspect as python
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import inspect

from nexios.models.backend import SchemaMode
from nexios.models.names import component_names, title_of
from nexios.models.shape import Fields, Model, Node, class_of, nodes_below, plain
from nexios.models.words import values_of

__all__ = ["Schema", "describe"]

Schema: TypeAlias = dict[str, Any]

_FIXED: Final[Mapping[type[Node], Schema]] = {
    inspect.AnyType: {},
    inspect.RawType: {},
    inspect.ExtType: {},
    inspect.NoneType: {"type": "null"},
    inspect.BoolType: {"type": "boolean"},
    inspect.DateType: {"type": "string", "format": "date"},
    inspect.TimeDeltaType: {"type": "string", "format": "duration"},
    inspect.UUIDType: {"type": "string", "format": "uuid"},
    inspect.DecimalType: {"anyOf": [{"type": "string", "format": "decimal"}, {"type": "number"}]},
}
_NUMBER_WORDS: Final = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
    "multiple_of": "multipleOf",
}


def describe(
    nodes: Sequence[Node],
    *,
    mode: SchemaMode,
    ref_template: str,
    foreign: Callable[[Sequence[Any]], tuple[list[Schema], dict[str, Schema]]],
) -> tuple[list[Schema], dict[str, Schema]]:
    """Return a schema for each node, and the components; `foreign` describes classes of other backends."""
    below = {id(each): each for node in nodes for each in nodes_below(node)}
    strangers = [each.cls for each in below.values() if isinstance(each, inspect.CustomType) and each.cls is not object]
    strangers = list(dict.fromkeys(strangers))
    schemas, components = foreign(strangers) if strangers else ([], {})
    named = [each for each in below.values() if isinstance(each, Model | inspect.EnumType)]
    classes = list(dict.fromkeys(each.cls for each in named))
    names = dict(zip(classes, component_names(classes, components), strict=True))
    describer = _Describer(mode, ref_template, names, dict(zip(strangers, schemas, strict=True)))
    for each in named:
        components[describer.name_of(each)] = describer.component(each)
    return [describer.schema(node) for node in nodes], dict(sorted(components.items()))


class _Describer:
    def __init__(
        self, mode: SchemaMode, ref_template: str, names: Mapping[Any, str], strangers: Mapping[Any, Schema]
    ) -> None:
        self._mode = mode
        self._ref_template = ref_template
        self._names = names
        self._strangers = strangers

    def name_of(self, node: Model | inspect.EnumType) -> str:
        return self._names[node.cls]

    def schema(self, node: Node) -> Schema:
        """Return the schema of a node where it is used: a reference, for a component."""
        if isinstance(node, inspect.Metadata):
            return self.schema(node.type) | (node.extra_json_schema or {})
        fixed = _FIXED.get(type(node))
        if fixed is not None:
            return dict(fixed)
        if isinstance(node, Model | inspect.EnumType):
            return {"$ref": self._ref_template.format(name=self.name_of(node))}
        if isinstance(node, inspect.CustomType):
            return dict(self._strangers.get(node.cls, {}))
        if isinstance(node, inspect.UnionType):
            return self._union(node)
        if isinstance(node, inspect.LiteralType):
            return _choice(values_of(node))
        return _scalar(node) or self._container(node)

    def _union(self, node: inspect.UnionType) -> Schema:
        schema: Schema = {"anyOf": [self.schema(each) for each in node.types]}
        tagged = [each for each in map(plain, node.types) if isinstance(each, inspect.StructType) and each.tag_field]
        if len(tagged) > 1 and not any(each.array_like for each in tagged):
            mapping = {str(each.tag): self.schema(each)["$ref"] for each in tagged}
            schema["discriminator"] = {"propertyName": tagged[0].tag_field, "mapping": mapping}
        return schema

    def _container(self, node: Any) -> Schema:
        if isinstance(node, inspect.TupleType):
            return _fixed_list([self.schema(each) for each in node.item_types], len(node.item_types))
        if isinstance(node, inspect.DictType):
            schema: Schema = {"type": "object", "additionalProperties": self.schema(node.value_type)}
            if "pattern" in (key := self.schema(node.key_type)) or "minLength" in key or "maxLength" in key:
                schema["propertyNames"] = key
            return schema | _sizes(node, "Properties")
        listed: Schema = {"type": "array", "items": self.schema(node.item_type)} | _sizes(node, "Items")
        if isinstance(node, inspect.SetType | inspect.FrozenSetType):
            listed["uniqueItems"] = True
        return listed

    def component(self, node: Model | inspect.EnumType) -> Schema:
        """Return what the name of a model or an enum stands for."""
        schema: Schema = {"title": title_of(node.cls)}
        if (description := _own_docstring(node)) is not None:
            schema["description"] = description
        if isinstance(node, inspect.EnumType):
            return schema | _choice(values_of(node))
        if isinstance(node, inspect.NamedTupleType) or (isinstance(node, inspect.StructType) and node.array_like):
            return schema | self._array(node)
        return schema | self._object(node)

    def _array(self, node: Model) -> Schema:
        items = [self._field(field) for field in node.fields]
        required = sum(self._is_required(node, field) for field in node.fields)
        if isinstance(node, inspect.StructType) and node.tag_field is not None:
            items, required = [{"const": node.tag}, *items], required + 1
        return _fixed_list(items, required)

    def _object(self, node: Fields) -> Schema:
        properties = {field.encode_name: self._field(field) for field in node.fields}
        required = [field.encode_name for field in node.fields if self._is_required(node, field)]
        schema: Schema = {"type": "object"}
        if isinstance(node, inspect.StructType) and node.tag_field is not None:
            properties = {node.tag_field: {"const": node.tag}} | properties
            required = [node.tag_field, *required]
        schema["properties"] = properties
        if required:
            schema["required"] = required
        if isinstance(node, inspect.StructType) and node.forbid_unknown_fields and self._mode == "input":
            schema["additionalProperties"] = False
        return schema

    def _field(self, field: inspect.Field) -> Schema:
        schema = self.schema(field.type)
        default = _default_of(field)
        return schema if default is msgspec.UNSET else schema | {"default": default}

    def _is_required(self, node: Model, field: inspect.Field) -> bool:
        if field.required or self._mode == "input":
            return field.required
        has_default = not (field.default is field.default_factory is msgspec.NODEFAULT)
        omits = isinstance(node, inspect.StructType) and class_of(node).__struct_config__.omit_defaults
        return has_default and not omits


def _scalar(node: Any) -> Schema | None:
    if isinstance(node, inspect.IntType | inspect.FloatType):
        schema: Schema = {"type": "integer" if isinstance(node, inspect.IntType) else "number"}
        limits = {word: getattr(node, name) for name, word in _NUMBER_WORDS.items()}
        return schema | {word: limit for word, limit in limits.items() if limit is not None}
    if isinstance(node, inspect.StrType):
        pattern = {} if node.pattern is None else {"pattern": node.pattern}
        return {"type": "string"} | _sizes(node, "Length") | pattern
    if isinstance(node, inspect.BytesType | inspect.ByteArrayType | inspect.MemoryViewType):
        return {"type": "string", "contentEncoding": "base64"} | _base64_sizes(node)
    if isinstance(node, inspect.DateTimeType | inspect.TimeType):
        word = "date-time" if isinstance(node, inspect.DateTimeType) else "time"
        return {"type": "string"} if node.tz is False else {"type": "string", "format": word}
    return None


def _sizes(node: Any, what: str) -> Schema:
    found = {f"min{what}": node.min_length, f"max{what}": node.max_length}
    return {word: size for word, size in found.items() if size is not None}


def _base64_sizes(node: Any) -> Schema:
    """Three bytes are four characters."""
    return {word: 4 * math.ceil(size / 3) for word, size in _sizes(node, "Length").items()}


def _fixed_list(items: list[Schema], required: int) -> Schema:
    schema: Schema = {"type": "array", "minItems": required, "maxItems": len(items)}
    return schema | {"prefixItems": items} if items else schema


def _choice(values: list[Any]) -> Schema:
    schema: Schema = {"enum": values}
    if all(isinstance(each, str) for each in values):
        return {"type": "string"} | schema
    if all(isinstance(each, int) and not isinstance(each, bool) for each in values):
        return {"type": "integer"} | schema
    return schema


def _own_docstring(node: Model | inspect.EnumType) -> str | None:
    """Not an inherited one, nor what Python writes for dataclasses, named tuples and enums."""
    cls = class_of(node) if isinstance(node, Model) else node.cls
    written = cls.__dict__.get("__doc__")
    if not isinstance(written, str) or written.startswith(f"{cls.__name__}(") or written == "An enumeration.":
        return None
    return python.cleandoc(written) or None


def _default_of(field: inspect.Field) -> Any:
    """UNSET when there is none, or none that JSON could show."""
    if field.default_factory in (list, set, frozenset, tuple):
        return []
    if field.default_factory is dict:
        return {}
    if field.default is msgspec.NODEFAULT or (isinstance(field.default, float) and not math.isfinite(field.default)):
        return msgspec.UNSET
    try:
        return msgspec.to_builtins(field.default, str_keys=True)
    except TypeError:
        return msgspec.UNSET
