"""Can this class serve WebSockets? A method that nobody would call is found when the app is compiled.

Elsewhere the methods of such classes have other names: `connect`, `receive` and `disconnect` in Django Channels,
`receive_json` in its JSON consumers, `on_message` in browsers. A class that has one of these, and nothing that
receives, would swallow every message.
"""

import inspect
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Any, Final

from nexios._injection.manner import is_async
from nexios._injection.signature import parameters_of
from nexios.errors import ConfigurationError
from nexios.places import name_of, place_of

__all__ = ["TAGS", "check_consumer"]

TAGS: Final = "__websocket_tags__"
"""The attribute of a method that holds the tags of its messages."""

_CALLS: Final = {
    "on_connect": "on_connect(self, websocket: WebSocket)",
    "on_receive": "on_receive(self, websocket: WebSocket, message: Any)",
    "on_disconnect": "on_disconnect(self, websocket: WebSocket, code: int)",
}
"""What we call, and how it is written."""

_ELSEWHERE: Final = {
    "connect": "on_connect",
    "websocket_connect": "on_connect",
    "on_open": "on_connect",
    "disconnect": "on_disconnect",
    "websocket_disconnect": "on_disconnect",
    "on_close": "on_disconnect",
    "receive": "on_receive",
    "receive_json": "on_receive",
    "receive_text": "on_receive",
    "receive_bytes": "on_receive",
    "websocket_receive": "on_receive",
    "on_message": "on_receive",
}
"""What it is called by others."""


def check_consumer(cls: type[Any], base: type[Any]) -> None:
    """Look at a class that serves WebSockets, derived from `base`.

    Raises:
        ConfigurationError: It cannot be made without arguments, a method is not async or does not take what it is
            called with, or has a name that nobody calls.
    """
    try:
        inspect.signature(cls).bind()
    except TypeError as exc:
        raise _refusal(cls, cls.__init__, f"it cannot be made without arguments: {exc}") from None
    for name in _CALLS:
        _check_call(cls, name)
    _check_names(cls, base)


def _check_call(cls: type[Any], name: str) -> None:
    method: Callable[..., Any] = getattr(cls, name)
    if not is_async(method):
        raise _refusal(cls, method, f"{name}() is no async function", name)
    if name == "on_connect":
        if len(parameters_of(method)) < 2:
            raise _refusal(cls, method, "on_connect() takes no WebSocket")
        return
    second = "code" if name == "on_disconnect" else "message"
    try:
        inspect.signature(method).bind(None, None, None)
    except TypeError:
        raise _refusal(cls, method, f"{name}() does not take (websocket, {second})", name) from None


def _check_names(cls: type[Any], base: type[Any]) -> None:
    """A name that means one of ours, where there is none; and without a receiver any name that is not private."""
    has_own = {name: getattr(cls, name) is not getattr(base, name) for name in _CALLS}
    has_own["on_receive"] |= bool(cls.listeners.messages)
    for name, method in _own(cls, base):
        near = _ELSEWHERE.get(name) or next(iter(get_close_matches(name, _CALLS, n=1, cutoff=0.85)), "")
        if near and not has_own[near]:
            raise _refusal(cls, method, f"nobody calls {name}(). Did you mean {near}()?", near)
    if not has_own["on_receive"]:
        for name, method in _own(cls, base):
            why = (
                f"nobody calls {name}(), and no method takes the messages. Decorate it with @on('the tag of a message')"
            )
            raise _refusal(cls, method, f"{why}, or call it _{name}() if you call it yourself", "on_receive")


def _own(cls: type[Any], base: type[Any]) -> Iterator[tuple[str, Callable[..., Any]]]:
    """The public functions of a class, and of those between it and `base`, that are neither ours nor listeners."""
    for kind in cls.__mro__:
        if issubclass(kind, base) and kind is not base:
            for name, method in vars(kind).items():
                is_ours = name in _CALLS or name.startswith("_") or hasattr(method, TAGS)
                if inspect.isfunction(method) and not is_ours:
                    yield name, method


def _refusal(cls: type, method: Callable[..., Any], why: str, call: str = "on_connect") -> ConfigurationError:
    """Make the error that tells what is wrong with a class, and how to write it."""
    end = "" if why.endswith("?") else "."
    return ConfigurationError(
        f"{cls.__name__} cannot serve WebSockets: {why}{end}\n\n  {place_of(method)}   {name_of(method)}()\n\n"
        f"Write it as:\n\n    class {cls.__name__}(WebSocketConsumer):\n"
        f"        async def {_CALLS[call]}: ...\n"
    )
