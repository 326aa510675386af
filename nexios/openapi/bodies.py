"""What may a client send in the body: in which media types, and of which shape?

    a model                 application/json, application/msgpack
    Patch[Model]            application/merge-patch+json, application/json
    form fields             application/x-www-form-urlencoded, multipart/form-data
    files among them        multipart/form-data
    bytes                   anything
    Body(media_type=...)    that one

With `Body(embed=True)` a body is one key of an object. That object has no name of its
own, so none can change.
Source: OpenAPI 3.1.1, sections 4.8.13 to 4.8.15, "Considerations for File Uploads".
"""

from collections.abc import Mapping, Sequence
from typing import Final, get_origin

from nexios._pipeline.inputs.input import Input
from nexios._pipeline.inputs.kinds import bare, is_many
from nexios._pipeline.operation import Operation
from nexios.models.patch import Patch
from nexios.openapi.model import Encoding, MediaTypeObject, RequestBodyObject, Schema
from nexios.openapi.parameters import documented, input_schema
from nexios.openapi.schemas import Schemas

__all__ = ["carries_body", "reads_body", "request_body"]

_BODILESS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "CONNECT"})
"""RFC 9110 section 9.3: a body has no meaning here, and OpenAPI tools refuse or ignore one."""

_FROM_BODY: Final = frozenset({"body", "form", "file"})
_MODEL_TYPES: Final = ("application/json", "application/msgpack")
_PATCH_TYPES: Final = ("application/merge-patch+json", "application/json")
_FORM_TYPES: Final = ("application/x-www-form-urlencoded", "multipart/form-data")
_FILE_TYPES: Final = ("multipart/form-data",)


def reads_body(operation: Operation) -> bool:
    """Return whether an input comes from the body."""
    return any(given.source in _FROM_BODY for given in operation.inputs)


def carries_body(method: str) -> bool:
    """Return whether a request of the method has a body that means something."""
    return method not in _BODILESS


def request_body(operation: Operation, schemas: Schemas) -> RequestBodyObject | None:
    """Return the body of an operation; None when it reads none."""
    inputs = [given for given in operation.inputs if given.source in _FROM_BODY and documented(given)]
    if not inputs:
        return None
    required = any(given.required for given in inputs)
    bodies = [given for given in inputs if given.source == "body"]
    if not bodies:
        return RequestBodyObject(content=_form(inputs, schemas), required=required)
    description = _description(bodies[0]) if len(bodies) == 1 and bodies[0].whole else None
    return RequestBodyObject(description=description, content=_content(bodies, schemas), required=required)


def _content(bodies: Sequence[Input], schemas: Schemas) -> dict[str, MediaTypeObject]:
    """Several functions may each read the whole body; a key among them makes keys of all."""
    media_types = _media_types(bodies)
    if bare(bodies[0].kind) is bytes:
        return {media_type: MediaTypeObject() for media_type in media_types}
    if all(given.whole for given in bodies):
        schema = _all_of([input_schema(given, schemas) for given in bodies])
    else:
        schema = _object(bodies, [_property(given, input_schema(given, schemas)) for given in bodies])
    return {media_type: MediaTypeObject(schema=schema) for media_type in media_types}


def _all_of(schemas: Sequence[Schema]) -> Schema:
    different = [schema for number, schema in enumerate(schemas) if schema not in schemas[:number]]
    return different[0] if len(different) == 1 else {"allOf": different}


def _media_types(bodies: Sequence[Input]) -> tuple[str, ...]:
    named = [given.marker.media_type for given in bodies if given.marker is not None and given.marker.media_type]
    if named:
        return (named[0],)
    if bare(bodies[0].kind) is bytes:
        return ("*/*",)
    return _PATCH_TYPES if get_origin(bare(bodies[0].kind)) is Patch else _MODEL_TYPES


def _form(inputs: Sequence[Input], schemas: Schemas) -> dict[str, MediaTypeObject]:
    whole = [input_schema(given, schemas) for given in inputs if given.whole]
    single = [given for given in inputs if not given.whole]
    fields = _object(single, [_field(given, schemas) for given in single])
    parts = [*whole, fields] if single else whole
    schema = _all_of(parts)
    encoding = {given.name: _encoding(given) for given in single if given.source == "file"}
    if not encoding:
        return {media_type: MediaTypeObject(schema=schema) for media_type in _FORM_TYPES}
    return {media_type: MediaTypeObject(schema=schema, encoding=encoding) for media_type in _FILE_TYPES}


def _object(inputs: Sequence[Input], properties: Sequence[Schema]) -> Schema:
    schema: Schema = {
        "type": "object",
        "properties": {given.name: field for given, field in zip(inputs, properties, strict=True)},
    }
    required = [given.name for given in inputs if given.required]
    return {**schema, "required": required} if required else schema


def _field(given: Input, schemas: Schemas) -> Schema:
    return _property(given, _file(given) if given.source == "file" else _without_null(input_schema(given, schemas)))


def _without_null(schema: Schema) -> Schema:
    """A form has texts and no null: a field that may be None is left out for it."""
    choices = [choice for choice in schema.get("anyOf", ()) if choice.get("type") != "null"]
    if not choices:
        return schema
    others = {name: value for name, value in schema.items() if name != "anyOf"}
    return {**choices[0], **others} if len(choices) == 1 else {**others, "anyOf": choices}


def _property(given: Input, schema: Schema) -> Schema:
    description = _description(given)
    if description is not None:
        schema["description"] = description
    if given.marker is not None and given.marker.deprecated:
        schema["deprecated"] = True
    return schema


def _description(given: Input) -> str | None:
    return None if given.marker is None else given.marker.description


def _file(given: Input) -> Schema:
    """The length of binary content is in bytes; `format` is for generators that knew OpenAPI 3.0 first."""
    one: Schema = {"type": "string", "format": "binary", "contentMediaType": "application/octet-stream"}
    marker = given.marker
    if marker is not None and marker.max_size is not None:
        one["maxLength"] = marker.max_size
    if not is_many(given.kind):
        return one
    many: Schema = {"type": "array", "items": one}
    counts: Mapping[str, int | None] = (
        {} if marker is None else {"minItems": marker.min_length, "maxItems": marker.max_length}
    )
    return {**many, **{name: count for name, count in counts.items() if count is not None}}


def _encoding(given: Input) -> Encoding:
    allowed = () if given.marker is None else given.marker.content_types
    return Encoding(content_type=", ".join(allowed) or "application/octet-stream")
