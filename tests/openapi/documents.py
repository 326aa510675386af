"""Documents of routers, without an application around them."""

from collections.abc import Sequence
from typing import Any

from nexios._injection.signature import parameters_of, returns_of
from nexios._pipeline.inputs.compile import settled
from nexios._pipeline.inputs.input import input_of
from nexios._pipeline.operation import Operation
from nexios._pipeline.replies import type_of_result
from nexios.openapi.build import build_document
from nexios.openapi.config import OpenAPI
from nexios.routing.flatten import flatten
from nexios.routing.registry import DEFAULT_CONVERTERS, ConverterRegistry
from nexios.routing.route import Route
from nexios.routing.router import Router
from nexios.routing.template import Placeholder, parse_segments

__all__ = ["document_of", "only_operation", "operations_of"]

NOT_INPUTS = ("request", "response")


def operations_of(router: Router, security: Sequence[Any] = ()) -> list[Operation]:
    """Return what the pipeline would know of the routes."""
    return [_operation(route, tuple(security)) for route in flatten(router).routes]


def document_of(
    router: Router,
    converters: ConverterRegistry = DEFAULT_CONVERTERS,
    root_path: str = "",
    **settings: Any,
) -> dict[str, Any]:
    """Return the document of a router."""
    operations = operations_of(router)
    return build_document(operations, OpenAPI(**settings), converters=converters, root_path=root_path)


def only_operation(router: Router, **settings: Any) -> Any:
    """Return the one operation of a router that has one route of one method."""
    (item,) = document_of(router, **settings)["paths"].values()
    (operation,) = item.values()
    return operation


def _operation(route: Route, security: tuple[Any, ...]) -> Operation:
    holes = [part for segment in parse_segments(route.template) for part in segment if isinstance(part, Placeholder)]
    names = [hole.name for hole in holes]
    given = [parameter for parameter in parameters_of(route.handler) if parameter.name not in NOT_INPUTS]
    inputs = [input_of(parameter, path_names=names, methods=route.methods) for parameter in given]
    return Operation(
        route=route,
        path=tuple((hole.name, hole.converter) for hole in holes),
        inputs=settled([one for one in inputs if one is not None]),
        returns=type_of_result(route, returns_of(route.handler)),
        status_code=route.status_code or 200,
        security=security,
    )
