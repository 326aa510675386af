"""What does a route take and give? Found at compile, for whoever describes it."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from nexios._injection.program import Program
from nexios._pipeline.inputs.input import Input
from nexios.routing.route import Route, WebSocketRoute

__all__ = ["Operation", "Shown", "WebSocketOperation", "asked_of_clients"]


class Shown(msgspec.Struct, frozen=True, eq=False):
    """What a client has to show, by one of several schemes, where an auth backend takes it and a guard asks for it.

    Shape:  `schemes` are the names of the schemes with each of them as the OpenAPI document has it.
    """

    schemes: tuple[tuple[str, Mapping[str, Any]], ...]
    scopes: tuple[str, ...]


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


def asked_of_clients(program: Program, backends: Sequence[object]) -> tuple[Shown, ...]:
    """Return what a client must show for the guards of a program, at first or second hand, to let it in.

    A guard says so by `required_scopes`, a backend what it takes by `openapi_scheme()`.
    """
    steps = (*program.early, *program.late)
    guards = [step.node.call.fn for step in steps if hasattr(step.node.call.fn, "required_scopes")]
    schemes = tuple(backend.openapi_scheme() for backend in backends if hasattr(backend, "openapi_scheme"))
    if not guards or not schemes:
        return ()
    scopes = dict.fromkeys(scope for guard in guards for scope in guard.required_scopes)
    return (Shown(schemes, tuple(scopes)),)
