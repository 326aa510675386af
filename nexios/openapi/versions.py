"""What becomes of an object of OpenAPI 3.2 in a document of 3.1?

The fields that 3.1 does not know get the prefix `x-oai-`, under which the OpenAPI
Initiative registered them for older documents.
Source: spec.openapis.org/registry/extension.
"""

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["SPECIFICATION_VERSIONS", "older_operation", "older_scheme", "older_server", "older_tag"]

SPECIFICATION_VERSIONS: Final = {"3.1": "3.1.1", "3.2": "3.2.0"}
"""What a document says it follows."""

_PREFIX: Final = "x-oai-"


def older_tag(tag: Mapping[str, Any]) -> dict[str, Any]:
    """Return a tag as 3.1 has it.

    >>> older_tag({"name": "users", "parent": "people"})
    {'name': 'users', 'x-oai-parent': 'people'}
    """
    return _prefixed(tag, {"summary", "parent", "kind"})


def older_server(server: Mapping[str, Any]) -> dict[str, Any]:
    """Return a server as 3.1 has it."""
    return _prefixed(server, {"name"})


def older_operation(operation: Mapping[str, Any]) -> dict[str, Any]:
    """Return an operation as 3.1 has it: no schema for the items of a stream, no slashes in path parameters."""
    older = dict(operation)
    if "parameters" in older:
        older["parameters"] = [_older_parameter(parameter) for parameter in older["parameters"]]
    if "requestBody" in older:
        older["requestBody"] = _older_content(older["requestBody"])
    older["responses"] = {status: _older_content(response) for status, response in older["responses"].items()}
    return older


def _older_parameter(parameter: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parameter.items() if parameter["in"] != "path" or name != "allowReserved"}


def _older_content(body: Mapping[str, Any]) -> dict[str, Any]:
    older = dict(body)
    if "content" in older:
        older["content"] = {name: _prefixed(media, {"itemSchema"}) for name, media in older["content"].items()}
    return older


def older_scheme(scheme: Mapping[str, Any]) -> dict[str, Any]:
    """Return a security scheme as 3.1 has it."""
    older = _prefixed(scheme, {"deprecated", "oauth2MetadataUrl"})
    if "flows" in older:
        older["flows"] = {
            (f"{_PREFIX}{name}" if name == "deviceAuthorization" else name): _prefixed(flow, {"deviceAuthorizationUrl"})
            for name, flow in older["flows"].items()
        }
    return older


def _prefixed(plain: Mapping[str, Any], newer: set[str]) -> dict[str, Any]:
    return {(f"{_PREFIX}{name}" if name in newer else name): value for name, value in plain.items()}
