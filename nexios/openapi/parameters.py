"""How does each path, query, header and cookie input look in the document?

A model that is read from the whole query is as many parameters as it has fields; a
dict stays one parameter of style `form`, which stands for any number of them. A list
in a query is repeated (`tag=a&tag=b`); in a header commas separate its values (`X-Tag: a, b`).

Path parameters are as strict as the stricter of the annotation and the converter.
Source: OpenAPI 3.1.1, section 4.8.12.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from nexios._pipeline.inputs.input import Input
from nexios._pipeline.operation import Operation, WebSocketOperation
from nexios.errors import ConfigurationError
from nexios.openapi.model import ParameterObject, ParameterSource, Schema
from nexios.openapi.schemas import Schemas
from nexios.routing.registry import ConverterRegistry

__all__ = ["default_of", "documented", "input_schema", "parameters_of_operation"]

_SOURCES: Final[Mapping[str, ParameterSource]] = {
    "path": "path",
    "query": "query",
    "header": "header",
    "cookie": "cookie",
}


def parameters_of_operation(
    operation: Operation | WebSocketOperation,
    schemas: Schemas,
    converters: ConverterRegistry,
    renames: Mapping[str, str],
) -> list[ParameterObject]:
    """Return the parameters: those of the path in the order of the template, then the others as they are declared.

    `renames` are the names of path parameters that this document knows otherwise.
    """
    typed = {given.name: given for given in operation.inputs if given.source == "path" and documented(given)}
    found = [
        _path_parameter(name, converter, typed.get(name), schemas, converters, renames.get(name, name))
        for name, converter in operation.path
    ]
    for given in operation.inputs:
        if given.source in _SOURCES and given.source != "path" and documented(given):
            found.extend(_expanded(given, schemas) if given.whole else [_parameter(given, schemas)])
    return _each_once(found)


def documented(given: Input) -> bool:
    """Return whether the input is to be in the document."""
    return given.marker is None or given.marker.include_in_schema


def input_schema(given: Input, schemas: Schemas, *, lenient: bool = False) -> Schema:
    """Return the schema of one value, with its title, default and examples."""
    schema = schemas.of(given.kind, "input", lenient=lenient)
    marker = given.marker
    if marker is not None and marker.title is not None:
        schema["title"] = marker.title
    default = default_of(given)
    if default is not None:
        schema["default"] = default
    if marker is not None and marker.examples:
        schema["examples"] = [_plain(example) for example in marker.examples]
    return schema


def default_of(given: Input) -> Any:
    """Return the default as plain data; None where there is none, or none that JSON can hold."""
    if given.required or given.default is None:
        return None
    return _plain(given.default)


def _path_parameter(
    name: str,
    converter_name: str,
    given: Input | None,
    schemas: Schemas,
    converters: ConverterRegistry,
    shown_name: str,
) -> ParameterObject:
    try:
        converter = converters.get(converter_name)
        of_converter = dict(converter.schema)
        spans = converter.spans_segments
    except ConfigurationError:
        of_converter, spans = {"type": "string"}, False
    schema = of_converter if given is None else _narrowed(of_converter, input_schema(given, schemas, lenient=True))
    return ParameterObject(
        name=shown_name,
        in_="path",
        required=True,
        schema=schema,
        allow_reserved=spans,
        **_words(given),
    )


def _narrowed(of_converter: Schema, of_annotation: Schema) -> Schema:
    """The annotation says more, except where it is only `str` and the converter knows which texts."""
    kind = of_annotation.get("type")
    if kind is None and "$ref" not in of_annotation and "anyOf" not in of_annotation:
        return {**of_annotation, **of_converter}
    return {**of_converter, **of_annotation} if kind == of_converter.get("type") else of_annotation


def _parameter(given: Input, schemas: Schemas) -> ParameterObject:
    schema = input_schema(given, schemas)
    source = _SOURCES[given.source]
    return ParameterObject(
        name=given.name,
        in_=source,
        required=given.required,
        schema=schema,
        **_style(source, schema),
        **_words(given),
    )


def _words(given: Input | None) -> dict[str, Any]:
    """What people read of an input."""
    marker = None if given is None else given.marker
    description = None if marker is None else marker.description
    return {"description": description, "deprecated": marker is not None and marker.deprecated}


def _expanded(given: Input, schemas: Schemas) -> Iterable[ParameterObject]:
    """One parameter for each field of a model; a dict is one that stands for all."""
    schema = schemas.of(given.kind, "input")
    model = schemas.fields(schema)
    source = _SOURCES[given.source]
    if model is None:
        return [ParameterObject(name=given.parameter, in_=source, schema=schema, **_style(source, {"type": "object"}))]
    required = model.get("required", ()) if given.required else ()
    return [
        _field(_field_name(name, source), field, source, required=name in required)
        for name, field in model["properties"].items()
    ]


def _field(name: str, field: Schema, source: ParameterSource, *, required: bool) -> ParameterObject:
    schema = {key: value for key, value in field.items() if key not in ("description", "deprecated")}
    return ParameterObject(
        name=name,
        in_=source,
        description=field.get("description"),
        deprecated=field.get("deprecated") is True,
        required=required,
        schema=schema,
        **_style(source, schema),
    )


def _field_name(name: str, source: ParameterSource) -> str:
    return name.replace("_", "-").lower() if source == "header" else name


def _style(source: ParameterSource, schema: Schema) -> dict[str, Any]:
    """Said aloud where a value is more than one text; it is what OpenAPI takes for granted."""
    if source == "query" and (_is_list(schema) or schema.get("type") == "object"):
        return {"style": "form", "explode": True}
    if source == "header" and _is_list(schema):
        return {"style": "simple", "explode": False}
    return {}


def _is_list(schema: Schema) -> bool:
    kind = schema.get("type")
    if kind == "array" or (isinstance(kind, list) and "array" in kind):
        return True
    return any(_is_list(choice) for choice in schema.get("anyOf", ()))


def _each_once(found: Sequence[ParameterObject]) -> list[ParameterObject]:
    """A handler and its dependency may read the same; it is required if one of them needs it."""
    unique: dict[tuple[str, str], ParameterObject] = {}
    for parameter in found:
        name = parameter.name.lower() if parameter.in_ == "header" else parameter.name
        first = unique.setdefault((parameter.in_, name), parameter)
        if parameter.required and not first.required:
            unique[parameter.in_, name] = msgspec.structs.replace(first, required=True)
    return list(unique.values())


def _plain(value: Any) -> Any:
    try:
        return msgspec.to_builtins(value, order="deterministic")
    except (TypeError, ValueError, RecursionError):
        return None
