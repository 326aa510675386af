"""Which parameter of a WebSocket handler is filled from where? Decided once, when the app compiles.

the WebSocket       by name, annotation, or as the first parameter
path parameters     by name; `**kwargs` takes all that are left
the rest            must have defaults
"""

import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from nexios._pipeline.arguments import is_async
from nexios.errors import ConfigurationError
from nexios.messages.websocket import WebSocket
from nexios.routing.route import WebSocketRoute

__all__ = ["WebSocketCall", "compile_websocket_call"]

WebSocketCall = Callable[[WebSocket], Awaitable[Any]]

_NAMES = frozenset({"websocket", "ws", "socket"})


def compile_websocket_call(route: WebSocketRoute, path_names: Sequence[str]) -> WebSocketCall:
    """Return the function that calls the route's handler with what it asks for.

    Raises:
        ConfigurationError: The handler is no `async def`, takes no WebSocket, or has a parameter
            that nothing fills; the text says which and how to mend it.
    """
    handler = route.handler
    if not is_async(handler):
        raise _refusal(route, f"{_name(handler)}() is no async function, so it could neither receive nor send")
    parameters = list(inspect.signature(handler).parameters.values())
    roles = {parameter.name: _role(parameter, index, path_names) for index, parameter in enumerate(parameters)}
    for name, role in roles.items():
        if role == "unfilled":
            raise _nothing_fills(route, name, path_names)
    sockets = [name for name, role in roles.items() if role == "websocket"]
    if len(sockets) != 1:
        takes = f"takes two WebSockets, {sockets[0]!r} and {sockets[1]!r}" if sockets else "takes no WebSocket"
        raise _refusal(route, f"{_name(handler)}() {takes}")
    leads = parameters[0].name == sockets[0] and parameters[0].kind is not inspect.Parameter.KEYWORD_ONLY
    return _call(handler, leads, sockets[0], _path_names(roles, path_names))


def _role(parameter: inspect.Parameter, index: int, path_names: Sequence[str]) -> str:
    name, annotation = parameter.name, parameter.annotation
    if parameter.kind is parameter.VAR_KEYWORD:
        return "all"
    if parameter.kind is parameter.VAR_POSITIONAL:
        return "default"
    if name in path_names and parameter.kind is not parameter.POSITIONAL_ONLY:
        return "path"
    if annotation is WebSocket or annotation == "WebSocket" or name in _NAMES:
        return "websocket"
    if parameter.default is not parameter.empty:
        return "default"
    return "websocket" if index == 0 and parameter.kind is not parameter.KEYWORD_ONLY else "unfilled"


def _path_names(roles: dict[str, str], path_names: Sequence[str]) -> tuple[str, ...]:
    if "all" in roles.values():
        taken = {name for name, role in roles.items() if role == "websocket"}
        return tuple(name for name in path_names if name not in taken)
    return tuple(name for name, role in roles.items() if role == "path")


def _call(handler: Callable[..., Any], leads: bool, socket_name: str, names: tuple[str, ...]) -> WebSocketCall:
    if leads and not names:
        return handler

    def call(websocket: WebSocket) -> Awaitable[Any]:
        params = websocket.path_params
        values = {name: params[name] for name in names}
        if leads:
            return handler(websocket, **values)  # type: ignore[no-any-return]
        return handler(**values, **{socket_name: websocket})  # type: ignore[no-any-return]

    return call


def _name(handler: Callable[..., Any]) -> str:
    return getattr(handler, "__qualname__", type(handler).__qualname__)


def _nothing_fills(route: WebSocketRoute, name: str, path_names: Sequence[str]) -> ConfigurationError:
    handler = _name(route.handler)
    has = f"it has {', '.join(path_names)}" if path_names else "it has none"
    return ConfigurationError(
        f"WEBSOCKET {route.template} cannot be compiled: nothing fills the parameter {name!r} of {handler}().\n\n"
        f"  {route.location}   {handler}{inspect.signature(route.handler)}\n\n"
        f"A parameter after (websocket) must be a path parameter of {route.template!r} ({has}) or have a default.\n"
        f"For a query parameter, read it from the WebSocket:\n\n"
        f'    {name} = websocket.query_params.get("{name}")\n'
    )


def _refusal(route: WebSocketRoute, what: str) -> ConfigurationError:
    handler = _name(route.handler)
    return ConfigurationError(
        f"WEBSOCKET {route.template} cannot be compiled: {what}.\n\n"
        f"  {route.location}   {handler}{inspect.signature(route.handler)}\n\n"
        f"Write it as:\n\n    async def {handler}(websocket): ...\n"
    )
