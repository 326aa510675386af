"""What do error answers look like? The schemas of our problem documents, and the responses that hold them.

Source: RFC 9457.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from nexios.openapi.model import MediaTypeObject, Reference, ResponseObject, Schema
from nexios.openapi.references import REFERENCE
from nexios.openapi.schemas import Schemas

__all__ = [
    "OWN_SCHEMAS",
    "PROBLEM_TYPE",
    "phrase_of",
    "problem_content",
    "problem_response",
    "schema_for",
    "shared_responses",
]

PROBLEM_TYPE: Final = "application/problem+json"

_MEMBERS: Final[Mapping[str, Schema]] = {
    "type": {"type": "string", "format": "uri-reference", "description": "What kind of problem it is."},
    "title": {"type": "string", "description": "The kind of problem in words."},
    "status": {"type": "integer", "minimum": 400, "maximum": 599, "description": "The HTTP status."},
    "detail": {"type": "string", "description": "What is wrong this time."},
    "code": {"type": "string", "description": "A word that stays the same, for programs to tell problems apart."},
}

OWN_SCHEMAS: Final[Mapping[str, Schema]] = {
    "Problem": {
        "title": "Problem",
        "description": "An error (RFC 9457). It may have more members.",
        "type": "object",
        "properties": {**_MEMBERS},
        "required": ["type", "title", "status", "detail", "code"],
    },
    "ValidationProblem": {
        "title": "ValidationProblem",
        "description": "Data that is not what the operation asks for.",
        "type": "object",
        "properties": {
            **_MEMBERS,
            "errors": {"type": "array", "items": {"$ref": f"{REFERENCE}InputError"}, "maxItems": 100},
        },
        "required": ["type", "title", "status", "detail", "code", "errors"],
    },
    "InputError": {
        "title": "InputError",
        "description": "One thing that is wrong, and where it is.",
        "type": "object",
        "properties": {
            "in": {"type": "string", "enum": ["body", "query", "path", "header", "cookie", "form"]},
            "pointer": {
                "type": "string",
                "description": 'A JSON Pointer (RFC 6901), "/items/0/price" or "/limit"; "" is the whole.',
            },
            "code": {"type": "string", "description": "missing, type, too_small, too_long, pattern, format, ..."},
            "detail": {"type": "string"},
        },
        "required": ["in", "pointer", "code", "detail"],
    },
}
"""The schemas of nexios itself, by the names that they have unless a model has them."""

_SHARED: Final[Mapping[str, tuple[str, str, str]]] = {
    "400": ("BadRequest", "The request is malformed.", "Problem"),
    "401": ("Unauthorized", "The client has not said who it is, or not truly.", "Problem"),
    "403": ("Forbidden", "This client may not do this.", "Problem"),
    "404": ("NotFound", "There is nothing at this path.", "Problem"),
    "413": ("ContentTooLarge", "The body, or a part of it, is too large.", "Problem"),
    "415": ("UnsupportedMediaType", "The body is of a media type that is not read here.", "Problem"),
    "422": ("ValidationProblem", "The data is not what the operation asks for.", "ValidationProblem"),
    "default": ("Problem", "Any other error.", "Problem"),
}
"""By status: the name of the shared response, its description and its schema."""


def problem_response(status: str) -> Reference:
    """Return a reference to the shared response for a status."""
    return Reference(ref=f"#/components/responses/{_SHARED[status][0]}")


def problem_content(schemas: Schemas, schema: str = "Problem") -> dict[str, MediaTypeObject]:
    """Return the content of an error answer."""
    return {PROBLEM_TYPE: MediaTypeObject(schema=schemas.own(schema))}


def schema_for(status: str) -> str:
    """Return which of our schemas an error with this status has."""
    return _SHARED[status][2] if status in _SHARED else "Problem"


def shared_responses(schemas: Schemas) -> dict[str, ResponseObject]:
    """Return all shared responses by name."""
    return {
        name: ResponseObject(description=description, content=problem_content(schemas, schema))
        for name, description, schema in _SHARED.values()
    }


def phrase_of(status: str) -> str:
    """Return the description of an answer that has none of its own.

    >>> phrase_of("201"), phrase_of("4XX")
    ('Created', '4XX')
    """
    if status == "default":
        return "Any other answer"
    try:
        return HTTPStatus(int(status)).phrase
    except ValueError:
        return status
