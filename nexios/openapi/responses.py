"""What may an operation answer? Its result, the responses that it declares, and the errors it can give.

A declared response, `responses={status: ...}`, is one of

    None                    no content
    a type                  a model, as JSON; or text, or bytes
    an HTTPException class  a problem document
    a text                  what there already is, with this description
    a mapping               any of model, description, media_type, content, headers, links

where `content` leads from media types to types, schemas, or mappings of schema,
item_schema, example and examples. A declared error that nexios itself can give too, such
as 404 for a path that does not fit, is both: the model, or a problem document. Errors are
listed where the route can give them, and `default` stands for those of any server.
Source: OpenAPI 3.1.1, sections 4.8.16 and 4.8.17.
"""

import inspect
from collections.abc import Iterator, Mapping
from types import NoneType
from typing import Any, Final, TypeGuard, get_args, get_origin

import msgspec

from nexios._injection.signature import EMPTY
from nexios._pipeline.operation import Operation
from nexios.errors import ConfigurationError, HTTPException, InvalidInput
from nexios.openapi.bodies import carries_body, reads_body
from nexios.openapi.event_stream import event_stream_of
from nexios.openapi.model import MediaTypeObject, Reference, ResponseObject, Schema
from nexios.openapi.problems import PROBLEM_TYPE, phrase_of, problem_content, problem_response, schema_for
from nexios.openapi.schemas import Mode, Schemas
from nexios.routing.route import NOT_GIVEN

__all__ = ["declared_response", "media_types_of", "responses_of"]

_WORDS: Final = frozenset({"model", "description", "media_type", "content", "headers", "links"})
_BINARY: Final = (bytes, bytearray, memoryview)
_PLAIN: Final = (Any, object, dict, list, tuple, int, float, bool)
_MEDIA_WORDS: Final = {
    "schema": "schema",
    "item_schema": "item_schema",
    "itemSchema": "item_schema",
    "example": "example",
    "examples": "examples",
    "encoding": "encoding",
}


def responses_of(operation: Operation, method: str, schemas: Schemas, *, secured: bool) -> dict[str, Any]:
    """Return the responses by status: the success first, then the others in order, `default` last."""
    success = _success_status(operation)
    found: dict[str, ResponseObject | Reference] = {success: _success(operation, success, schemas)}
    for error in _errors(operation, method, secured=secured):
        found[error] = problem_response(error)
    for status, declared in operation.route.documentation.responses.items():
        key = _status(status, operation)
        response = declared_response(declared, key, schemas, found.get(key))
        is_ours_too = isinstance(found.get(key), Reference) and key != "default" and not _is_whole(declared)
        found[key] = _with_problem(response, schemas, key) if is_ours_too else response
    return {key: found[key] for key in sorted(found, key=lambda key: (key != success, key))}


def declared_response(
    declared: Any, status: str, schemas: Schemas, otherwise: ResponseObject | Reference | None, mode: Mode = "output"
) -> ResponseObject:
    """Return what one entry of `responses=` says; `otherwise` is what there is without it."""
    known = otherwise if isinstance(otherwise, ResponseObject) else None
    description = phrase_of(status) if known is None else known.description
    if isinstance(declared, ResponseObject):
        return declared
    if declared is None or declared is NoneType:
        return ResponseObject(description=description)
    if isinstance(declared, str):
        if known is not None or otherwise is None:
            content = None if known is None else known.content
        else:
            content = problem_content(schemas, schema_for(status))
        return ResponseObject(description=declared, content=content)
    if isinstance(declared, Mapping):
        return _from_mapping(declared, description, schemas, known, mode)
    if _is_error(declared):
        return ResponseObject(
            description=_first_line(declared) or description, content=problem_content(schemas, _problem_of(declared))
        )
    return ResponseObject(description=description, content=_content_of(declared, None, schemas, mode))


def media_types_of(kind: Any) -> tuple[str, ...]:
    """Return the media types that a result of this type is sent in; a model may be asked for as MessagePack.

    >>> media_types_of(str), media_types_of(list[int])
    (('text/plain',), ('application/json', 'application/msgpack'))
    """
    if kind is str:
        return ("text/plain",)
    if kind in _BINARY:
        return ("application/octet-stream",)
    return ("application/json",) if _says_nothing(kind) else ("application/json", "application/msgpack")


def _says_nothing(kind: Any) -> bool:
    """Such a result is sent as it is; the pipeline offers MessagePack for declared types alone."""
    return any(kind is plain for plain in _PLAIN) or (
        get_origin(kind) in (dict, list) and get_args(kind)[-1] in (Any, object)
    )


def _success_status(operation: Operation) -> str:
    """A handler that returns nothing answers 204 where it would be 200."""
    nothing = operation.returns is None or operation.returns is NoneType
    return "204" if nothing and operation.status_code == 200 else str(operation.status_code)


def _success(operation: Operation, status: str, schemas: Schemas) -> ResponseObject:
    kind = operation.returns
    is_checked = operation.route.response_model is not NOT_GIVEN
    described = operation.route.documentation.responses
    replaced = described.get(int(status), described.get(status))
    if operation.route.sends is not None:
        events = event_stream_of(operation.route, schemas)
        return ResponseObject(description=phrase_of(status), content={"text/event-stream": events})
    if kind is EMPTY or kind is None or kind is NoneType or status in ("204", "304"):
        return ResponseObject(description=phrase_of(status))
    if replaced is not None and not isinstance(replaced, Mapping | str):
        return ResponseObject(description=phrase_of(status))
    return ResponseObject(description=phrase_of(status), content=_result(kind, schemas, is_checked=is_checked))


def _result(kind: Any, schemas: Schemas, *, is_checked: bool) -> dict[str, MediaTypeObject] | None:
    """An annotation may be for readers alone, of something that only the handler knows how to send."""
    media_types = media_types_of(kind)
    if kind in _BINARY:
        return {media_type: MediaTypeObject() for media_type in media_types}
    schema = schemas.of(kind, "output", lenient=not is_checked)
    return {media_type: MediaTypeObject(schema=schema) for media_type in media_types} if schema or is_checked else None


def _errors(operation: Operation, method: str, *, secured: bool) -> Iterator[str]:
    if reads_body(operation) and carries_body(method):
        yield from ("400", "413", "415")
    if secured:
        yield from ("401", "403")
    if operation.path:
        yield "404"
    if operation.inputs:
        yield "422"
    yield "default"


def _status(status: int | str, operation: Operation) -> str:
    """Return the key of a response: three digits, 2XX and its like, or default."""
    key = str(status)
    digits = key[:1] in "12345" and (key[1:] == "XX" or (key[1:].isascii() and key[1:].isdecimal()))
    if key == "default" or (len(key) == 3 and digits):
        return key
    raise ConfigurationError(
        f"responses= has {status!r}, which is no status: write a number from 100 to 599, '4XX' or 'default'.\n\n"
        f"  {operation.route.location.registered}"
    )


def _is_whole(declared: object) -> bool:
    """Whether the developer said all of it, or that there is nothing."""
    return isinstance(declared, ResponseObject) or declared is None or declared is NoneType


def _with_problem(response: ResponseObject, schemas: Schemas, status: str) -> ResponseObject:
    """A handler's own 404 is a model, and that of a path which does not fit is still a problem document."""
    content = {**(response.content or {})}
    content.setdefault(PROBLEM_TYPE, problem_content(schemas, schema_for(status))[PROBLEM_TYPE])
    return msgspec.structs.replace(response, content=content)


def _from_mapping(
    declared: Mapping[str, Any], description: str, schemas: Schemas, known: ResponseObject | None, mode: Mode
) -> ResponseObject:
    unknown = sorted(word for word in declared if word not in _WORDS)
    if unknown:
        raise ConfigurationError(
            f"A response in responses= has {', '.join(map(repr, unknown))}; it may have {', '.join(sorted(_WORDS))}."
        )
    content: Mapping[str, MediaTypeObject] | None = None if known is None else known.content
    if declared.get("model") is not None:
        model = declared["model"]
        content = (
            problem_content(schemas, _problem_of(model))
            if _is_error(model)
            else _content_of(model, declared.get("media_type"), schemas, mode)
        )
    if "content" in declared:
        content = {
            **(content or {}),
            **{media: _media(given, schemas, mode) for media, given in declared["content"].items()},
        }
    return ResponseObject(
        description=declared.get("description", description),
        headers=declared.get("headers"),
        content=content or None,
        links=declared.get("links"),
    )


def _content_of(kind: Any, media_type: str | None, schemas: Schemas, mode: Mode) -> dict[str, MediaTypeObject]:
    """Binary content has no schema: JSON Schema speaks of JSON (OpenAPI 3.1.1, section 4.8.14.3)."""
    chosen = media_types_of(kind)[:1] if media_type is None else (media_type,)
    if kind in _BINARY:
        return {name: MediaTypeObject() for name in chosen}
    return {name: MediaTypeObject(schema=schemas.of(kind, mode)) for name in chosen}


def _media(given: Any, schemas: Schemas, mode: Mode) -> MediaTypeObject:
    if isinstance(given, MediaTypeObject):
        return given
    if not isinstance(given, Mapping):
        return MediaTypeObject() if given in _BINARY else MediaTypeObject(schema=schemas.of(given, mode))
    unknown = sorted(word for word in given if word not in _MEDIA_WORDS)
    if unknown:
        raise ConfigurationError(
            f"A media type in responses= has {', '.join(map(repr, unknown))}; it may have "
            f"{', '.join(sorted({*_MEDIA_WORDS.values()}))}."
        )
    fields: dict[str, Any] = {_MEDIA_WORDS[word]: value for word, value in given.items()}
    for word in ("schema", "item_schema"):
        if word in fields:
            fields[word] = _schema(fields[word], schemas, mode)
    return MediaTypeObject(**fields)


def _schema(given: Any, schemas: Schemas, mode: Mode) -> Schema:
    return dict(given) if isinstance(given, Mapping) else schemas.of(given, mode)


def _is_error(declared: Any) -> TypeGuard[type[HTTPException]]:
    return isinstance(declared, type) and issubclass(declared, HTTPException)


def _problem_of(error: type[HTTPException]) -> str:
    return "ValidationProblem" if issubclass(error, InvalidInput) else "Problem"


def _first_line(error: type[HTTPException]) -> str:
    """An exception class of the app's own says what it is for; those of nexios speak of themselves."""
    own = error.__doc__ if not error.__module__.startswith("nexios.") else None
    return inspect.cleandoc(own).partition("\n")[0] if own else ""
