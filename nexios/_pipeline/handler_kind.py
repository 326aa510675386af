"""What is an exception handler for, and what is it called with? Its parameters say it; compile looks at them once.

    (request, exc)      (request, response, exc)        for requests
    (websocket, exc)    (websocket, response, exc)      for WebSockets

What its first parameter is says whether it is for requests, for WebSockets, or for both. A `def` handler runs in a
worker thread, as those of routes do.
"""

from collections.abc import Callable, Sequence
from inspect import isawaitable
from typing import Any, Final

import msgspec

from nexios._injection.manner import is_async
from nexios._injection.signature import EMPTY, Parameter, parameters_of
from nexios._pipeline.injector import Injected, refuse_unknown_names
from nexios._pipeline.sources import REQUEST_NAMES, RESPONSE_NAMES, WEBSOCKET_NAMES
from nexios.concurrency import Threads
from nexios.errors import ConfigurationError
from nexios.messages.connection import Connection
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.messages.websocket import WebSocket
from nexios.places import name_of, place_of

__all__ = ["Normalised", "is_for_requests", "is_for_websockets", "normalised"]

_CONNECTION, _RESPONSE, _EXCEPTION = "connection", "response", "exception"
_FORMS: Final = {2: (_CONNECTION, _EXCEPTION), 3: (_CONNECTION, _RESPONSE, _EXCEPTION)}

_BY_NAME: Final = {
    **dict.fromkeys(REQUEST_NAMES | WEBSOCKET_NAMES, _CONNECTION),
    **dict.fromkeys(RESPONSE_NAMES, _RESPONSE),
    **dict.fromkeys(("exc", "exception", "error", "err", "e"), _EXCEPTION),
}
_BY_CLASS: Final = ((Connection, _CONNECTION), (Response, _RESPONSE), (BaseException, _EXCEPTION))
_BY_UNKNOWN_NAME: Final = {"Request": _CONNECTION, "WebSocket": _CONNECTION, "Response": _RESPONSE}


class Normalised(msgspec.Struct, frozen=True, eq=False):
    """An exception handler as a function of (connection, response, exc), whichever form was registered."""

    fn: Callable[..., Any]
    takes: int
    injected: Injected | None

    async def call(self, connection: Any, response: Response, exc: Exception, scopes: Any) -> Any:
        """Return what the handler returns; `scopes` gives the scopes of a connection, and is asked when needed."""
        given = (connection, response, exc) if self.takes == 3 else (connection, exc)
        if self.injected is None:
            result = self.fn(*given)
        else:
            named = {"scopes": scopes(connection), "request": connection, "response": response}
            result = self.injected.call(*given, **named)
        while isawaitable(result):  # a `def` in its thread may give what is to be awaited here
            result = await result
        return result


def normalised(handler: Callable[..., Any], injected: Injected | None, threads: Threads | None) -> Normalised:
    """Return how to call an exception handler; without `threads` a `def` handler runs where it is called.

    Raises:
        ConfigurationError: It does not take (request, exc) or (request, response, exc); the text has its place.
    """
    names = () if injected is None else injected.names
    own = [one for one in parameters_of(handler) if one.name not in names and one.default is EMPTY]
    roles = [_role_of(one) for one in own]
    form = _FORMS.get(len(own))
    if form is None or (len(own) == 3 and roles[1] != _RESPONSE):
        refuse_unknown_names(handler)
    if form is None:
        raise _refused(handler, f"takes {len(own)} arguments")
    for role, wanted, one in zip(roles, form, own, strict=True):
        if role not in (None, wanted):
            raise _refused(handler, f"is given the {_named(wanted, form)} where it takes {one.name!r}")
    fn = _called(handler, threads)
    return Normalised(fn, len(own), injected if injected is None else msgspec.structs.replace(injected, fn=fn))


def _called(handler: Callable[..., Any], threads: Threads | None) -> Callable[..., Any]:
    if threads is None or is_async(handler):
        return handler
    run = threads.run_in_thread
    return lambda *given, **named: run(handler, *given, **named)


def _role_of(parameter: Parameter) -> str | None:
    """What a parameter is for, as far as its class or its name says."""
    kind = parameter.annotation
    if isinstance(kind, type):
        for known, role in _BY_CLASS:
            if issubclass(kind, known):
                return role
    if isinstance(kind, str):
        role_said = _BY_UNKNOWN_NAME.get(kind.rpartition(".")[2])
        return role_said or _BY_NAME.get(parameter.name)
    return _BY_NAME.get(parameter.name)


def _named(role: str, form: Sequence[str]) -> str:
    place = ("first", "second", "third")[form.index(role)]
    return f"{'request' if role == _CONNECTION else role} as its {place} argument,"


def _refused(handler: Callable[..., Any], what: str) -> ConfigurationError:
    name = name_of(handler)
    is_for_sockets = not is_for_requests(handler)
    first = "websocket" if is_for_sockets else "request"
    return ConfigurationError(
        f"The exception handler {name}() {what}.\n\n  {place_of(handler)}   {name}()\n\n"
        f"Write it as:\n\n    async def {name}({first}, exc): ...\n\nor with a response to fill:\n\n"
        f"    async def {name}({first}, response, exc): ...\n"
    )


def is_for_requests(handler: Callable[..., Any]) -> bool:
    """Whether a handler can answer for a request: one that asks for a `WebSocket` cannot."""
    return _first_annotation(handler) not in (WebSocket, "WebSocket")


def is_for_websockets(handler: Callable[..., Any]) -> bool:
    """Whether a handler can answer for a WebSocket: one that asks for a `Request` cannot."""
    return _first_annotation(handler) not in (Request, "Request")


def _first_annotation(handler: Callable[..., Any]) -> object:
    try:
        parameters = parameters_of(handler)
    except (TypeError, ValueError):  # a builtin
        return None
    return parameters[0].annotation if parameters else None
