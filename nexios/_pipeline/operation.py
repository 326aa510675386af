"""What does a route take and give? Found at compile, for whoever describes it."""

from typing import Any

import msgspec

from nexios._pipeline.inputs.input import Input
from nexios.routing.route import Route, WebSocketRoute

__all__ = ["Operation", "WebSocketOperation"]


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


class WebSocketOperation(msgspec.Struct, frozen=True, eq=False):
    """One WebSocket route, as the AsyncAPI document needs it; the fields are those of `Operation`.

    Shape:  `answers_bad_messages` tells whether a client is told of a message that does not fit.
    """

    route: WebSocketRoute
    path: tuple[tuple[str, str], ...]
    inputs: tuple[Input, ...]
    answers_bad_messages: bool = True
    security: tuple[Any, ...] = ()
