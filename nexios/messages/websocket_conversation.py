"""What is made of the messages of a WebSocket? Text, bytes, JSON and typed values, read from them and written as them.

A mixin without fields of its own, on top of `receive` and `send_text`.
"""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar, overload

from nexios.messages.websocket_messages import (
    Message,
    answer_to,
    read_as,
    read_bytes,
    read_json,
    read_text,
    written_as,
)
from nexios.messages.websocket_state import BadMessage
from nexios.serialization import encode_json
from nexios.settings import BadMessages, Limits

__all__ = ["Conversation"]

V = TypeVar("V")
P = ParamSpec("P")


class Conversation:
    """The helpers of a `WebSocket` that read and write values."""

    __slots__ = tuple[str, ...]()  # empty; as a call, because mypy takes a literal for all that may be assigned

    bad_messages: BadMessages
    """Whether a bad message is answered, or raised."""

    @property
    def limits(self) -> Limits:
        """The limits in force."""
        raise NotImplementedError

    @abstractmethod
    async def receive(self) -> Message:
        """Return the next message."""

    @abstractmethod
    async def send_text(self, text: str) -> None:
        """Send a text message."""

    async def receive_text(self) -> str:
        """Return the next message that is text. Raises as `receive`.

        A message that is none is told to the client, and the next one is awaited; with
        `websocket.bad_messages = "raise"` it is a `BadMessage` instead. So do all that follow.
        """
        return await self.receive_by(read_text)

    async def receive_bytes(self) -> bytes:
        """Return the next message that is binary. Bad messages are treated as by `receive_text`."""
        return await self.receive_by(read_bytes)

    async def receive_json(self) -> Any:
        """Return the value of the next message that is JSON, text or binary. Bad ones as by `receive_text`."""
        return await self.receive_by(read_json, self.limits.max_json_depth)

    @overload
    async def receive_as(self, kind: type[V]) -> V: ...
    @overload
    async def receive_as(self, kind: Any) -> Any: ...
    async def receive_as(self, kind: Any) -> Any:
        """Return the next message that is JSON of the type `kind`: a Struct, a dataclass, a model, a union of them.

        Of a union of Structs with tags, the tag of the message says which. Bad messages are treated
        as by `receive_text`; the answer says each fault and where it is.

        Raises:
            ConfigurationError: Nothing reads the type.
        """
        return await self.receive_by(read_as, self.limits.max_json_depth, kind)

    async def receive_by(self, read: Callable[Concatenate[Message, P], V], *args: P.args, **kwargs: P.kwargs) -> V:
        """Return what a function of yours makes of the next message; what it refuses by `BadMessage` is a bad one."""
        while True:
            message = await self.receive()
            try:
                return read(message, *args, **kwargs)
            except BadMessage as exc:
                refused = exc
            await self.refuse(refused)

    async def refuse(self, exc: BadMessage) -> None:
        """Tell the client of a bad message; with `bad_messages = "raise"` raise it instead."""
        if self.bad_messages == "raise":
            raise exc
        await self.send_text(answer_to(exc))

    async def send_json(self, value: object) -> None:
        """Send a value as JSON in a text message. Raises as `send_text`, and TypeError for what has no JSON form."""
        await self.send_text(encode_json(value).decode())

    async def send_as(self, value: object, kind: Any = None) -> None:
        """Send a value as JSON, with the fields that `kind` (by default its class) declares and no others.

        Raises:
            TypeError: It is no such value.
            WebSocketDisconnect: As by `send_text`.
        """
        await self.send_text(written_as(value, type(value) if kind is None else kind))
