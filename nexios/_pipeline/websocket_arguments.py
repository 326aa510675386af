"""Which parameter of a WebSocket handler is filled from where? Decided once, when the app compiles.

the WebSocket       by name, annotation, or as the first parameter
path parameters     by name; `**kwargs` takes all that are left
dependencies        by `Depend`, or by their type; closed when the WebSocket is over
typed inputs        of query, headers and cookies
the rest            must have defaults
"""

import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from nexios._injection.graph import Call, Graph, Leaf, dependency_of
from nexios._injection.manner import is_async
from nexios._injection.program import Program
from nexios._injection.run import run
from nexios._injection.signature import EMPTY, Parameter
from nexios._pipeline.arguments import with_path_params
from nexios._pipeline.reading import Reading, read_head
from nexios._pipeline.sources import REQUEST_NAMES, RESPONSE_NAMES, WEBSOCKET, WEBSOCKET_NAMES, Offer
from nexios._pipeline.websocket_injector import scopes_of
from nexios.errors import ConfigurationError
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.messages.websocket import WebSocket
from nexios.places import name_of
from nexios.routing.route import WebSocketRoute

__all__ = ["Offering", "WebSocketCall", "compile_websocket_arguments", "compile_websocket_call"]

WebSocketCall = Callable[[WebSocket], Awaitable[Any]]


def compile_websocket_arguments(
    route: WebSocketRoute, path_names: Sequence[str], graph: Graph, offer: "Offering"
) -> Call:
    """Return what fills the parameters of the route's handler.

    Raises:
        ConfigurationError: The handler is no `async def`, takes no WebSocket, or has a parameter
            that nothing fills; the text says which and how to mend it.
    """
    handler = route.handler
    if not is_async(handler):
        raise refusal(route, f"{name_of(handler)}() is no async function, so it could neither receive nor send")
    parameters = graph.parameters(handler)
    own = _sockets(parameters, path_names, graph, offer)
    if len(own) == 1 and _is_annotated_as_request(parameters, own[0]):
        raise _no_request(route, own[0])
    if len(own) != 1:
        takes = f"takes two WebSockets, {own[0]!r} and {own[1]!r}" if own else "takes no WebSocket"
        raise refusal(route, f"{name_of(handler)}() {takes}")

    def leaf_of(parameter: Parameter) -> Leaf | None:
        return WEBSOCKET if parameter.name == own[0] else offer(parameter)

    expanded = with_path_params(parameters, path_names)
    for parameter in expanded:
        if not (parameter.name in own or _is_filled(parameter, graph, offer)):
            raise _nothing_fills(route, parameter, path_names)
    return graph.call(handler, leaf_of, expanded)


def _sockets(parameters: Sequence[Parameter], path_names: Sequence[str], graph: Graph, offer: "Offering") -> list[str]:
    """The parameters that are the WebSocket; where none is by name or annotation, the first that nothing fills."""
    asked = [
        parameter.name
        for parameter in parameters
        if parameter.annotation in (WebSocket, "WebSocket")
        or (parameter.name in WEBSOCKET_NAMES and parameter.name not in path_names and dependency_of(parameter) is None)
    ]
    first = parameters[0] if parameters else None
    if asked or first is None or first.is_keyword_only or _is_filled(first, graph, offer):
        return asked
    return [first.name]


def _is_filled(parameter: Parameter, graph: Graph, offer: "Offering") -> bool:
    return (
        parameter.is_variadic
        or parameter.default is not EMPTY
        or dependency_of(parameter) is not None
        or offer(parameter) is not None
        or graph.is_provided(parameter.annotation)
    )


def compile_websocket_call(call: Call, program: Program, reading: Reading) -> WebSocketCall:
    """Return the handler as a function of the WebSocket."""
    if [argument.source for argument in call.arguments] == [WEBSOCKET] and not (program.early or program.late):
        if not call.arguments[0].by_name:
            return call.fn

    async def serve(websocket: WebSocket) -> Any:
        values = program.blank.copy()
        values[0] = websocket
        read_head(reading, values)
        return await run(program, values, scopes_of(websocket), program.call)

    return serve


def _nothing_fills(route: WebSocketRoute, parameter: Parameter, path_names: Sequence[str]) -> ConfigurationError:
    if _is_of_request(parameter):
        return _no_request(route, parameter.name)
    name = parameter.name
    has = f"it has {', '.join(path_names)}" if path_names else "it has none"
    ways = [
        (f"{name}: int", f"the query parameter {name!r}"),
        (f"{name}=Depend(get_{name})", "what a provider makes"),
    ]
    width = max(len(way) for way, _ in ways) + 4
    lines = "".join(f"    {way:{width}}{what}\n" for way, what in ways)
    return ConfigurationError(
        f"WEBSOCKET {route.template} cannot be compiled: nothing fills the parameter {name!r} of "
        f"{name_of(route.handler)}().\n\n{_line_of(route)}\n\n"
        f"A parameter after (websocket) is a path parameter of {route.template!r} ({has}), has a default, "
        f"or says where it comes from:\n\n{lines}"
    )


def _no_request(route: WebSocketRoute, name: str) -> ConfigurationError:
    """The words for a handler that was written as one of HTTP."""
    handler = name_of(route.handler)
    return ConfigurationError(
        f"WEBSOCKET {route.template} cannot be compiled: {handler}() asks for {name!r}, and a WebSocket has no request "
        f"and no response.\n\n{_line_of(route)}\n\n"
        "The WebSocket itself has what came with the handshake: websocket.headers, websocket.cookies,\n"
        "websocket.query_params, websocket.client, websocket.state and websocket.app. Write it as:\n\n"
        f"    async def {handler}(websocket): ...\n"
    )


def _is_annotated_as_request(parameters: Sequence[Parameter], name: str) -> bool:
    """By its name alone a first parameter may be called anything; its annotation is a promise."""
    return any(one.name == name and one.annotation is not EMPTY and _is_of_request(one) for one in parameters)


def _line_of(route: WebSocketRoute) -> str:
    return f"  {route.location}   {name_of(route.handler)}{inspect.signature(route.handler)}"


class Offering:
    """An offer that remembers whether somebody asked it for a request or a response, which a WebSocket has not."""

    def __init__(self, offer: Offer) -> None:
        self._offer = offer
        self.asked_for_request = False

    def __call__(self, parameter: Parameter) -> Leaf | None:
        leaf = self._offer(parameter)
        if leaf is None and parameter.default is EMPTY:
            self.asked_for_request = self.asked_for_request or _is_of_request(parameter)
        return leaf

    def refusal(self, route: WebSocketRoute, what: str) -> ConfigurationError:
        """Return the words for what could not be filled."""
        if not self.asked_for_request:
            return refusal(route, what)
        told = what.partition("\n\nGive it ")[0]
        return ConfigurationError(
            f"WEBSOCKET {route.template} cannot be compiled: {told}\n\n{_line_of(route)}\n\n"
            "A WebSocket has no request and no response. Let what asks for them take the WebSocket, or what a request\n"
            "and a WebSocket have in common (headers, cookies, query_params, client, state):\n\n"
            "    async def guard(websocket: WebSocket): ...\n"
            "    async def guard(connection: Connection): ...\n\n"
            "Or put it where HTTP routes are alone:\n\n"
            "    api = Router(dependencies=[Depend(guard)])\n"
        )


def _is_of_request(parameter: Parameter) -> bool:
    if parameter.annotation is EMPTY:
        return parameter.name in REQUEST_NAMES or parameter.name in RESPONSE_NAMES
    return parameter.annotation in (Request, Response, "Request", "Response")


def refusal(route: WebSocketRoute, what: str) -> ConfigurationError:
    """Return the words for a handler that cannot serve WebSockets."""
    says_how = what.endswith((".", "\n")) or what.rpartition("\n")[2].startswith("    ")
    told = what.rstrip() if says_how else f"{what}."
    hint = "" if says_how else f"\nWrite it as:\n\n    async def {name_of(route.handler)}(websocket): ...\n"
    return ConfigurationError(f"WEBSOCKET {route.template} cannot be compiled: {told}\n\n{_line_of(route)}\n{hint}")
