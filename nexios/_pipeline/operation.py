"""What does a route take and give? Found at compile, for whoever describes it."""

from typing import Any

import msgspec

from nexios._pipeline.inputs.input import Input
from nexios.routing.route import Route

__all__ = ["Operation"]


class Operation(msgspec.Struct, frozen=True, eq=False):
    """One route, as the OpenAPI document needs it.

    Shape:  `path` has the path parameters with the names of their converters, in the order of the template.
            `inputs` are those of the handler, of its dependencies and of its guards, each once.
            `returns` is the type that a result is written as, EMPTY when nothing is known of it.
            `status_code` is that of a result which names no other.
            `security` is for what guards say of themselves.
    """

    route: Route
    path: tuple[tuple[str, str], ...]
    inputs: tuple[Input, ...]
    returns: Any
    status_code: int
    security: tuple[Any, ...] = ()
