"""How does a class serve a WebSocket? One instance for each: it connects, receives, and is told of the end.

    @app.websocket("/ws/{room}")
    class Chat(WebSocketConsumer):
        async def on_connect(self, websocket: WebSocket, room: str, user: User = Depend(get_user)):
            self.room = room

        @on("chat.message")
        async def message(self, websocket: WebSocket, message: ChatMessage): ...

        async def on_disconnect(self, websocket: WebSocket, code: int): ...

`on_connect` asks for path parameters, dependencies and typed inputs as a handler does. A bad message is answered,
and the next one awaited.
"""

import inspect
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from nexios._injection.signature import parameters_of
from nexios.errors import ConfigurationError
from nexios.messages.websocket import WebSocket, WebSocketDisconnect
from nexios.messages.websocket_messages import Message, read_as, read_bytes, read_json, read_text
from nexios.messages.websocket_state import GOING_AWAY, INTERNAL_ERROR, SocketState
from nexios.websockets.consumer_check import TAGS, check_consumer
from nexios.websockets.listeners import Listeners, answering

__all__ = ["WebSocketConsumer", "on"]

M = TypeVar("M", bound=Callable[..., Awaitable[Any]])


def on(tag: str) -> Callable[[M], M]:
    """Let a method of a `WebSocketConsumer` have the messages with this tag; it can have several."""
    if not isinstance(tag, str) or not tag:
        raise ConfigurationError(f"on() takes the tag of a message, as @on('chat.message'), not {tag!r}.")

    def mark(method: M) -> M:
        """Note the tag on the method; `__init_subclass__` finds it there."""
        setattr(method, TAGS, (*getattr(method, TAGS, ()), tag))
        return method

    return mark


class WebSocketConsumer:
    """One WebSocket, served by an instance of its own: what it keeps on `self` is this client's alone.

    Messages with a listener (`@on("chat.message")`) go there; in a class without listeners, all go to
    `on_receive`, as `encoding` says: the value of their JSON, of the type `message` if there is one, text, or bytes.

    >>> class Echo(WebSocketConsumer):
    ...     async def on_receive(self, websocket, message):
    ...         await websocket.send_json(message)
    >>> list(Echo.listeners.messages)
    []
    """

    encoding: ClassVar[Literal["json", "text", "bytes"]] = "json"
    message: ClassVar[Any] = None
    """The type of the messages of `on_receive`, as for `receive_as`; None is any JSON."""
    tag_field: ClassVar[str] = "type"
    """Where a message has its tag."""
    listeners: ClassVar[Listeners] = Listeners()

    def __init_subclass__(cls, **options: Any) -> None:
        """Collect the listeners, those of the base classes too. Raises `ConfigurationError` as `Listeners.on`."""
        super().__init_subclass__(**options)
        cls.listeners = Listeners(tag_field=cls.tag_field)
        for name in dir(cls):
            method = inspect.getattr_static(cls, name)
            for tag in getattr(method, TAGS, ()):
                cls.listeners.add(tag, method, before=("self",))

    async def on_connect(self, websocket: WebSocket, *args: Any, **kwargs: Any) -> None:
        """Let the client in: it is accepted when this returns, unless it was here already.

        Deny it, or raise an `HTTPException`, to keep it out. More parameters are filled as those of a handler.
        """

    async def on_receive(self, websocket: WebSocket, message: Any) -> None:
        """Take a message. Without listeners and without this, messages are read and dropped.

        A class that only sends does without; then its other methods are private, as `_greet`.
        """

    async def on_disconnect(self, websocket: WebSocket, code: int) -> None:
        """Clean up: called once for each client that was let in, however it ends; `code` is the close code."""

    @classmethod
    def websocket_handler(cls) -> Callable[..., Awaitable[None]]:
        """Return the handler that makes an instance for each WebSocket; it asks for what `on_connect` asks for.

        Raises:
            ConfigurationError: The class cannot be made without arguments, or a method is not async, does not take
                what it is called with, or has a name that nobody calls.
        """
        check_consumer(cls, WebSocketConsumer)
        signature = _signature_of(cls)
        first = next(iter(signature.parameters))

        async def serve(*args: Any, **kwargs: Any) -> None:
            arguments = signature.bind(*args, **kwargs)
            websocket: WebSocket = arguments.arguments[first]
            await _serve(cls(), websocket, arguments)

        serve.__name__, serve.__qualname__, serve.__module__ = cls.__name__, cls.__qualname__, cls.__module__
        serve.__doc__ = cls.__doc__
        serve.__annotations__ = {name: one.annotation for name, one in signature.parameters.items()}
        serve.__signature__ = signature  # type: ignore[attr-defined]
        return serve


async def _serve(consumer: WebSocketConsumer, websocket: WebSocket, arguments: inspect.BoundArguments) -> None:
    """Take one client from `on_connect` to `on_disconnect`."""
    await consumer.on_connect(*arguments.args, **arguments.kwargs)
    if websocket.connection_state is SocketState.CONNECTING:
        await websocket.accept()
    if not websocket.has_opened:
        return
    code = GOING_AWAY
    try:
        await _converse(consumer, websocket)
    except WebSocketDisconnect:
        if websocket.connection_state is SocketState.OPEN:
            code = INTERNAL_ERROR
            raise  # that of another one
    except Exception:
        code = INTERNAL_ERROR
        raise
    finally:
        await consumer.on_disconnect(websocket, websocket.close_code or code)


async def _converse(consumer: WebSocketConsumer, websocket: WebSocket) -> None:
    """Read until there is no more; it ends with a `WebSocketDisconnect`."""
    depth, read = websocket.limits.max_json_depth, consumer.listeners.find
    if consumer.listeners.messages:
        while True:
            listener, message = await websocket.receive_by(read, depth)
            await answering(websocket, listener(consumer, websocket, message))
    while True:
        message = await websocket.receive_by(_read, depth, consumer)
        await answering(websocket, consumer.on_receive(websocket, message))


def _read(message: Message, max_depth: int, consumer: WebSocketConsumer) -> Any:
    """Read a message as the class of the consumer says."""
    if consumer.encoding == "text":
        return read_text(message)
    if consumer.encoding == "bytes":
        return read_bytes(message)
    return read_json(message, max_depth) if consumer.message is None else read_as(message, max_depth, consumer.message)


def _signature_of(cls: type[WebSocketConsumer]) -> inspect.Signature:
    """That of `on_connect` without `self`, its annotations resolved."""
    own = [
        inspect.Parameter(
            one.name,
            one.kind,
            default=one.default,
            annotation=Annotated[one.annotation, *one.metadata] if one.metadata else one.annotation,
        )
        for one in parameters_of(cls.on_connect)[1:]
    ]
    return inspect.Signature(own)
