"""How is a result of a declared type written? Checked, without undeclared fields, in the client's format.

The type is `response_model`, or what the handler's annotation says it returns. JSON is
written unless the client asks for MessagePack (RFC 9110 section 12.5.1); either answer says that it
depends on it, for caches (section 12.5.5). A result that does not fit is the developer's error: a
500, logged with the place.
"""

import logging
import types
from collections.abc import Callable
from inspect import isawaitable
from typing import Any, Final, Union, get_args, get_origin

from nexios._injection.signature import EMPTY
from nexios._pipeline.returns import to_response
from nexios.errors import ConfigurationError
from nexios.http.accept import best_match
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.models.adapter import adapt, holds_model
from nexios.models.problems import Invalid
from nexios.places import name_of, place_of
from nexios.routing.route import NOT_GIVEN, Route

__all__ = ["Reply", "compile_reply", "type_of_result"]

logger = logging.getLogger("nexios")

Reply = Callable[[Any, Request, Response], Response]
"""Fills the builder from what a handler returned."""

_VARY: Final = ("vary", "accept")
_JSON: Final = (("content-type", "application/json"), _VARY)
_MSGPACK: Final = (("content-type", "application/msgpack"), _VARY)
_OFFERED: Final = ("application/json", "application/msgpack")

_HARMLESS: Final = frozenset({"Response", "nexios.Response", "None"})
"""Results of a name that was not resolved, which need no check."""

_AS_THEY_ARE: Final = (EMPTY, Any, object, None, type(None), str, bytes, bytearray, dict, list, tuple, int, float, bool)
"""Results whose annotation says nothing that their value does not."""


def type_of_result(route: Route, annotation: Any) -> Any:
    """Return the type that a route's results are written as; EMPTY when none is declared.

    >>> type_of_result(Route(("GET",), "/", print, "x", None), int | Response)
    <class 'int'>
    """
    if route.response_model is None:
        return EMPTY
    if route.response_model is not NOT_GIVEN:
        return route.response_model
    if isinstance(annotation, str) and not _HARMLESS.issuperset(map(str.strip, annotation.split("|"))):
        raise ConfigurationError(
            f"{name_of(route.handler)}() returns {annotation!r}, a name that its module does not have, so nothing "
            f"could check its results.\n\n  {route.location}   {name_of(route.handler)}()\n\n"
            "Import it outside of `if TYPE_CHECKING:`, define it in the module and not inside a function, or write\n\n"
            "    response_model=None"
        )
    return _without_responses(annotation)


def _without_responses(annotation: Any) -> Any:
    """Of `Item | Response` the item, of `tuple[Item, int]` (body and status) the body."""
    if get_origin(annotation) is tuple:
        parts = get_args(annotation)
        is_answer = len(parts) in (2, 3) and parts[1] is int
        return _without_responses(parts[0]) if is_answer else EMPTY
    if get_origin(annotation) in (Union, types.UnionType):
        parts = tuple(part for part in map(_without_responses, get_args(annotation)) if part is not EMPTY)
        return Union[parts] if parts else EMPTY  # noqa: UP007  (made at run time)
    if isinstance(annotation, type) and issubclass(annotation, Response):
        return EMPTY
    return EMPTY if isinstance(annotation, str) else annotation


def compile_reply(route: Route, kind: Any) -> Reply | None:
    """Return what writes the results of a route as `kind`; None when they are written as they are.

    Raises:
        ConfigurationError: `response_model` is no type that can be written.
    """
    if any(kind is plain for plain in _AS_THEY_ARE) or _holds_anything(kind):
        return None
    try:
        adapter = adapt(kind)
    except ConfigurationError as exc:
        where = f"\n\n  {route.location}   {name_of(route.handler)}()"
        if route.response_model is not NOT_GIVEN or holds_model(kind):
            hint = "\n\nresponse_model=None lets the results go out unchecked."
            raise ConfigurationError(f"{exc}{hint}{where}") from None
        logger.warning("%s() returns %s, which nothing checks.\n  %s", name_of(route.handler), kind, route.location)
        return None
    return _reply(route, kind, adapter.to_json, adapter.to_msgpack)


def _holds_anything(kind: Any) -> bool:
    """Whether it is a dict or list of anything."""
    return (
        get_origin(kind) in (dict, list)
        and all(part in (str, Any, object) for part in get_args(kind))
        and (get_args(kind)[-1] in (Any, object))
    )


def _reply(route: Route, kind: Any, to_json: Callable[[Any], bytes], to_msgpack: Callable[[Any], bytes]) -> Reply:
    def reply(result, request, response):  # type: ignore[no-untyped-def]  # annotations cost time on each request
        headers = None
        if type(result) is not kind:  # mostly it is just that, and nothing else has to be asked
            if isinstance(result, Response):
                return result
            if type(result) is tuple and len(result) in (2, 3) and type(result[1]) is int:
                response.status(result[1])
                headers = result[2] if len(result) == 3 else None
                result = result[0]
        accept = request._transport.header_values("accept")
        try:
            if accept and "msgpack" in accept[0] and best_match(accept[0], _OFFERED) == _OFFERED[1]:
                content, head = to_msgpack(result), _MSGPACK
            else:
                content, head = to_json(result), _JSON
        except Invalid as exc:
            if isawaitable(result):
                return to_response(result, response)  # which says that it was not awaited
            raise _does_not_fit(route, result, exc) from None
        if response._pairs is None:  # nothing was set before, as mostly
            response.content, response._media, response._pairs = content, None, head
        else:
            response._fill(content, head[0]).headers.add_vary("accept")
        return response if headers is None else response.set_headers(headers)

    return reply


def _does_not_fit(route: Route, result: object, exc: Invalid) -> TypeError:
    faults = "\n".join(f"    {problem.pointer or '(the whole)'} {problem.detail}" for problem in exc.problems[:10])
    return TypeError(
        f"{name_of(route.handler)}() returned {type(result).__qualname__}, which does not fit what it declares:\n\n"
        f"{faults}\n\n  {place_of(route.handler)}   {name_of(route.handler)}()"
    )
