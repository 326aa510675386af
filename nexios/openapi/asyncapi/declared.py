"""Which messages does a handler receive, and which does it send? Read from what was declared of its route.

    receives=Said | Typing              a type, or a union, of which each is a message
    sends=[Said, Left]                  a list
    sends={"said": Said, "left": Left}  names, or the events of a stream, and their types
    receives=chat                       Listeners: a message for each tag
    sends=ChannelMessages("room:{id}", {"said": Said})   what comes from a channel, by event

A `WebSocketConsumer` says itself what it receives.
"""

import types
from collections.abc import Iterable, Iterator, Mapping
from inspect import isclass
from typing import Any, Final, Protocol, Union, get_args, get_origin, runtime_checkable

import msgspec

from nexios.errors import ConfigurationError
from nexios.models.adapter import adapt
from nexios.places import name_of
from nexios.routing.route import Route, WebSocketRoute

__all__ = ["ChannelMessages", "Declared", "Listens", "check_declared", "read_declared", "received_by", "sent_by"]

_ANYTHING: Final = (Any, object)
_NAMES: Final[Mapping[Any, str]] = {str: "text", bytes: "binary", Any: "message", object: "message"}


class ChannelMessages(msgspec.Struct, frozen=True):
    """What is published on the channels of one kind, for the AsyncAPI document.

    Shape:  `channel` is the name of the channels, with `{parameters}` where names differ. `events` leads from events
            to types; the event "" is what is published without one. `envelope` tells whether the WebSockets of the
            route get messages in their envelope.

    >>> ChannelMessages("room:{room_id}", {"said": str}).envelope
    False
    """

    channel: str
    events: Mapping[str, Any]
    envelope: bool = False


@runtime_checkable
class Listens(Protocol):
    """What `Listeners` say of themselves."""

    @property
    def tag_field(self) -> str:
        """Where a message has its tag."""
        ...

    @property
    def messages(self) -> Mapping[str, Any]:
        """The type of the messages of each tag; Any for any."""
        ...


class Declared(msgspec.Struct, frozen=True):
    """One message.

    Shape:  `name` is its tag, its event, or the name of its type. `tag_field` is where it has its name, "" where that
            is left to the type. `event` is that of a stream or of a channel. `channel` is where it comes from.
    """

    name: str
    kind: Any
    tag_field: str = ""
    event: str = ""
    channel: ChannelMessages | None = None


def received_by(route: WebSocketRoute) -> list[Declared] | None:
    """Return the messages that a handler receives; None where nothing says which."""
    if route.receives is not None:
        return read_declared(route.receives)
    listeners = getattr(route.handler, "listeners", None)
    if not isclass(route.handler) or not isinstance(listeners, Listens):
        return None
    if listeners.messages:
        return read_declared(listeners)
    return read_declared(_kind_of_consumer(route.handler))


def sent_by(route: Route | WebSocketRoute) -> list[Declared] | None:
    """Return the messages that a handler sends; None where nothing says which."""
    return None if route.sends is None else read_declared(route.sends)


def read_declared(given: object) -> list[Declared]:
    """Return the messages that `receives=` or `sends=` means.

    Raises:
        ConfigurationError: There is something else than a type in it.
    """
    return list(_read(given))


def check_declared(route: Route | WebSocketRoute) -> None:
    """Look at what was declared when the app compiles.

    Raises:
        ConfigurationError: Something is no type of a message; the text names the route and the place.
    """
    given = [("sends", route.sends), ("receives", getattr(route, "receives", None))]
    for option, value in given:
        try:
            for declared in () if value is None else read_declared(value):
                if declared.kind not in (str, bytes, *_ANYTHING):
                    adapt(declared.kind)
        except (ConfigurationError, TypeError) as exc:
            raise ConfigurationError(_not_a_message(route, option, str(exc))) from None


def _read(given: Any) -> Iterator[Declared]:
    """Yield message after message."""
    if isinstance(given, ChannelMessages):
        for event, kind in given.events.items():
            yield Declared(event or _name(kind), kind, event=event, channel=given)
    elif isinstance(given, Listens) and not isclass(given):
        for tag, kind in given.messages.items():
            yield Declared(tag, kind, tag_field=given.tag_field)
    elif isinstance(given, Mapping):
        for event, kind in given.items():
            yield Declared(str(event), kind, event=str(event))
    elif get_origin(given) in (Union, types.UnionType):
        for kind in get_args(given):
            yield from _read(kind)
    elif isinstance(given, Iterable) and not isinstance(given, str | type) and get_origin(given) is None:
        for kind in given:
            yield from _read(kind)
    else:
        yield Declared(_name(given), _checked(given))


def _checked(kind: Any) -> Any:
    if isinstance(kind, str | bytes | int | float):
        raise ConfigurationError(f"{kind!r} is no type")
    return kind


def _name(kind: Any) -> str:
    """Return the tag of a tagged Struct, otherwise the name of the type."""
    known = _NAMES.get(kind) if isinstance(kind, type) or kind is Any else None
    config = getattr(kind, "__struct_config__", None)
    tag = None if config is None else config.tag
    if known is not None or tag is not None:
        return str(known or tag)
    name = str(getattr(kind, "__name__", kind))
    return f"{name} of {', '.join(map(_name, get_args(kind)))}" if get_args(kind) else name


def _kind_of_consumer(handler: Any) -> Any:
    """Return what a consumer without listeners takes, as its class says."""
    encoding, kind = getattr(handler, "encoding", "json"), getattr(handler, "message", None)
    if encoding != "json":
        return str if encoding == "text" else bytes
    return Any if kind is None else kind


def _not_a_message(route: Route | WebSocketRoute, option: str, why: str) -> str:
    return (
        f"{option}= of {route.template} cannot be described: {why}.\n\n"
        f"  {route.location}   {name_of(route.handler)}()\n\n"
        f"Write the type of the messages, or several:\n\n    {option}=Said | Typing\n"
        f'    {option}={{"said": Said}}\n'
    )
