"""Under which path does the document list a route, and what are its parameters called there?

A converter is no part of the path: `/items/{id:int}` is `/items/{id}`. OpenAPI does not
let two paths differ in parameter names alone, so a later route takes over the names of
the first. Where that is not possible because both answer the same method (nexios tells
`/items/{id:int}` from `/items/{id:slug}`, OpenAPI does not), the later one's parameters
get the converter's name: `/items/{id_slug}`.

Methods: HEAD comes with GET and is not listed. 3.1 has no place for QUERY and for
methods of your own; they are under `x-oai-additionalOperations`, the name that the
OpenAPI Initiative registered for that. 3.2 has `query` and `additionalOperations`.
Source: OpenAPI 3.2.0, section 4.9; spec.openapis.org/registry/extension/x-oai-additionalOperations.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal

import msgspec

from nexios._pipeline.operation import Operation
from nexios.openapi.model import PathItem
from nexios.routing.template import Placeholder, parse_segments

__all__ = ["Listed", "address_of", "listed", "put"]

_KEYS: Final[Mapping[str, str]] = {
    method: method.lower() for method in ("GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE")
}


class Listed(msgspec.Struct, frozen=True):
    """One method of one route, and where the document has it.

    Shape: `renames` leads from the parameters of the route to those of `path`, where they differ.
    """

    operation: Operation
    method: str
    path: str
    renames: Mapping[str, str]
    is_only: bool
    """Whether the route answers this method alone."""


def listed(operations: Iterable[Operation]) -> list[Listed]:
    """Return what there is to describe, in order.

    Routes with `include_in_schema=False` are left out.
    """
    taken: dict[str, tuple[str, tuple[str, ...]]] = {}
    methods_of: dict[str, set[str]] = {}
    found: list[Listed] = []
    for operation in operations:
        if not operation.route.include_in_schema:
            continue
        methods = _methods(operation.route.methods)
        path, renames = _path(operation.route.template, methods, taken, methods_of)
        methods_of.setdefault(path, set()).update(methods)
        is_only = len(methods) == 1
        found.extend(Listed(operation, method, path, renames, is_only) for method in methods)
    return found


def address_of(template: str) -> str:
    """Return a path template without its converters.

    >>> address_of("/items/{id:int}/{rest:path}")
    '/items/{id}/{rest}'
    """
    return _written(template, [part.name for part in _parts(template) if isinstance(part, Placeholder)])


def put(item: PathItem, method: str, operation: Any, version: Literal["3.1", "3.2"]) -> None:
    """Add an operation to a path item."""
    key = _KEYS.get(method)
    if key is not None:
        item[key] = operation
    elif version == "3.1":
        item.setdefault("x-oai-additionalOperations", {})[method] = operation
    elif method == "QUERY":
        item["query"] = operation
    else:
        item.setdefault("additionalOperations", {})[method] = operation


def _methods(methods: Iterable[str]) -> tuple[str, ...]:
    methods = tuple(methods)
    return tuple(method for method in methods if method != "HEAD" or "GET" not in methods)


def _path(
    template: str,
    methods: Iterable[str],
    taken: dict[str, tuple[str, tuple[str, ...]]],
    methods_of: Mapping[str, set[str]],
) -> tuple[str, dict[str, str]]:
    """Return the path of the document, and the names there that are not those of the route."""
    holes = [part for part in _parts(template) if isinstance(part, Placeholder)]
    names = tuple(hole.name for hole in holes)
    path = _written(template, names)
    shape = _written(template, ("",) * len(names))
    first, first_names = taken.setdefault(shape, (path, names))
    if methods_of.get(first, set()).isdisjoint(methods):
        return first, {name: other for name, other in zip(names, first_names, strict=True) if name != other}
    if methods_of.get(path, set()).isdisjoint(methods):
        return path, {}
    longer = tuple(f"{hole.name}_{hole.converter}" for hole in holes)
    return _written(template, longer), dict(zip(names, longer, strict=True))


def _written(template: str, names: Iterable[str]) -> str:
    """Return the template with other names and without converters."""
    following = iter(names)
    return "".join(part if isinstance(part, str) else f"{{{next(following)}}}" for part in _parts(template))


def _parts(template: str) -> Iterator[str | Placeholder]:
    for segment in parse_segments(template):
        yield "/"
        yield from segment
