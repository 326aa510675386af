"""Which function is a message for? The one that listens to its tag.

    chat = Listeners()

    @chat.on("chat.message")
    async def message(websocket: WebSocket, message: ChatMessage): ...

    @app.websocket("/ws")
    async def ws(websocket: WebSocket):
        await websocket.accept()
        await chat.listen(websocket)

A message is JSON: `{"type": "chat.message", ...}`. It is read as the type that the function asks for, a Struct with
that tag for one; a function without an annotation gets a dict. What nobody listens to, or does not fit, is a bad
message, and answered like any other.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar

import msgspec

from nexios._injection.manner import is_async
from nexios._injection.signature import EMPTY, parameters_of
from nexios.errors import ConfigurationError
from nexios.messages.websocket import WebSocket, WebSocketDisconnect
from nexios.messages.websocket_messages import Message, read_as, read_json
from nexios.messages.websocket_state import BadMessage, InvalidMessage, SocketState
from nexios.models.adapter import adapt
from nexios.places import name_of, place_of

__all__ = ["Listener", "Listeners"]

Listener = Callable[..., Awaitable[Any]]
"""async (websocket, message)"""

L = TypeVar("L", bound=Listener)

_ANYTHING: Final = (EMPTY, Any, object, dict, dict[str, Any])
_MAX_SHOWN: Final = 20
"""Tags that a client is told of when it sends another."""


class Listeners:
    """Functions by the tag of the messages that they are for. Made once, shared by all WebSockets.

    >>> chat = Listeners()
    >>> @chat.on("chat.typing")
    ... async def typing(websocket, message): ...
    >>> list(chat.messages)
    ['chat.typing']
    """

    def __init__(self, *, tag_field: str = "type") -> None:
        self.tag_field: str = tag_field
        self._listeners: dict[str, Listener] = {}
        self._kinds: dict[str, Any] = {}
        self._envelope = msgspec.defstruct("Envelope", [("tag", str)], rename={"tag": tag_field})

    @property
    def messages(self) -> Mapping[str, Any]:
        """The type of the messages of each tag; Any where a function takes any."""
        return self._kinds

    def on(self, tag: str) -> Callable[[L], L]:
        """Let a function have the messages with this tag.

        Raises:
            ConfigurationError: The tag has a function already, the function is not async or does not take
                (websocket, message), or the type of its message has another tag, or nothing reads it.
        """
        if not isinstance(tag, str) or not tag:
            raise ConfigurationError(f"on() takes the tag of a message, as on('chat.message'), not {tag!r}.")

        def register(listener: L) -> L:
            """Add the listener, and leave the function as it is."""
            self.add(tag, listener, before=())
            return listener

        return register

    def add(self, tag: str, listener: Listener, *, before: tuple[str, ...]) -> None:
        """Register a listener that takes the parameters `before` and then (websocket, message)."""
        if tag in self._listeners:
            raise _refusal(tag, listener, f"the tag is that of {name_of(self._listeners[tag])}() already")
        if not is_async(listener):
            raise _refusal(tag, listener, "it is no async function")
        self._kinds[tag] = self._kind_of(tag, listener, len(before) + 2)
        self._listeners[tag] = listener

    def find(self, message: Message, max_depth: int) -> tuple[Listener, Any]:
        """Return who listens to a message, and the message as it asks for it. Raises `BadMessage`."""
        tag: str = read_as(message, max_depth, self._envelope).tag
        listener = self._listeners.get(tag)
        if listener is None:
            known = ", ".join(repr(name) for name in list(self._listeners)[:_MAX_SHOWN])
            detail = f"must be one of {known}" if known else "nothing is listened to"
            raise InvalidMessage([{"pointer": f"/{self.tag_field}", "code": "unknown_tag", "detail": detail}])
        kind = self._kinds[tag]
        return listener, read_json(message, max_depth) if kind is Any else read_as(message, max_depth, kind)

    async def listen(self, websocket: WebSocket) -> None:
        """Give each message to its listener, one after the other, until the WebSocket is closed.

        A listener may raise `BadMessage` too: the client is told, and the next message is awaited.
        """
        while True:
            try:
                listener, message = await websocket.receive_by(self.find, websocket.limits.max_json_depth)
                await answering(websocket, listener(websocket, message))
            except WebSocketDisconnect:
                if websocket.connection_state is SocketState.OPEN:
                    raise  # that of another one
                return

    def _kind_of(self, tag: str, listener: Listener, takes: int) -> Any:
        """Return the type that a listener wants its message as, Any where it takes any. Raises `ConfigurationError`."""
        parameters = parameters_of(listener)
        try:
            inspect.signature(listener).bind(*[None] * takes)
        except TypeError:
            raise _refusal(tag, listener, "it does not take (websocket, message)") from None
        kind = parameters[takes - 1].annotation if len(parameters) >= takes else Any
        if any(kind is one or kind == one for one in _ANYTHING):
            return Any
        adapt(kind)
        config = getattr(kind, "__struct_config__", None)
        if config is not None and (config.tag is not None and (config.tag_field, config.tag) != (self.tag_field, tag)):
            raise _refusal(tag, listener, f"{kind.__name__} is tagged {config.tag_field}={config.tag!r}")
        if config is not None and config.tag is None and config.forbid_unknown_fields:
            raise _refusal(tag, listener, f"{kind.__name__} has no tag and forbids other fields; write tag={tag!r}")
        return kind


async def answering(websocket: WebSocket, handling: Awaitable[Any]) -> None:
    """Await what handles a message; a `BadMessage` that it raises is told as the WebSocket's own would be."""
    try:
        await handling
    except BadMessage as exc:
        await websocket.refuse(exc)


def _refusal(tag: str, listener: Listener, why: str) -> ConfigurationError:
    """Make the error that tells what is wrong with a listener, and how to write it."""
    name = name_of(listener)
    return ConfigurationError(
        f"{name}() cannot listen to {tag!r}: {why}.\n\n  {place_of(listener)}   {name}()\n\n"
        f"Write it as:\n\n    @on({tag!r})\n    async def {name}(websocket: WebSocket, message: Message): ...\n"
    )
