"""Routes: what did the user register, as plain data?

A router keeps these records with the paths as they were written; `flatten` returns
copies of them with full paths, names, middleware and limits. Nothing here runs.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, Final, Literal, Protocol, TypedDict

import msgspec

from nexios.errors import ConfigurationError
from nexios.places import Location, Place, name_of
from nexios.settings import Limits

__all__ = [
    "NOT_GIVEN",
    "CommonOptions",
    "Documentation",
    "ExceptionHandlers",
    "ExceptionKey",
    "Handler",
    "HandlersByKey",
    "MiddlewareEntry",
    "Mount",
    "NotGiven",
    "Route",
    "RouteOptions",
    "WebSocketOptions",
    "WebSocketRoute",
    "check_exception_keys",
    "method_names",
]

Handler = Callable[..., object]
ExceptionKey = type[Exception] | int
"""What an exception handler is for: a class of exceptions, or a status code."""
HandlersByKey = Mapping[ExceptionKey, Handler]
"""Exception handlers whose keys have been checked."""


class ExceptionHandlers(Protocol):
    """What `exception_handlers=` takes: a dict from exception classes, statuses or both to handlers.

    It is named by `items` alone because the keys of a Mapping are invariant: a
    `dict[type[KeyError], Handler]` is no `Mapping[ExceptionKey, Handler]` to a type checker.
    """

    def items(self) -> Iterable[tuple[ExceptionKey, Handler]]:
        """Each key with its handler."""


class NotGiven(Enum):
    """The type of `NOT_GIVEN`."""

    NOT_GIVEN = "not given"


NOT_GIVEN: Final = NotGiven.NOT_GIVEN
"""For `max_body_size`, where None already means "no limit"."""

_OTHER_TOKEN_LETTERS: Final = frozenset("!#$%&'*+-.^_`|~")


class MiddlewareEntry(msgspec.Struct, frozen=True):
    """A middleware as `add_middleware` was given it; compile makes the instance.

    `location` is the line that added it.
    """

    middleware: object
    args: tuple[object, ...]
    options: Mapping[str, object]
    location: Place

    def __repr__(self) -> str:
        """Without the values of its options: a secret key may be one."""
        return f"MiddlewareEntry({name_of(self.middleware)}, {self.location})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """As `repr`."""
        return [("middleware", self.middleware), ("location", self.location)]


class Documentation(msgspec.Struct, frozen=True):
    """What was said of a route for those who read about it; the rest of its description is found in its code.

    Shape:  `responses` has statuses, or "default", with a type, or a mapping of "model", "description" and "content".
            `callbacks` has names with mappings as OpenAPI writes them. `security` is None where the app's own holds.
            `extra` goes into the operation as it is, last.
    """

    summary: str | None = None
    description: str | None = None
    operation_id: str | None = None
    deprecated: bool = False
    responses: Mapping[int | str, object] = msgspec.field(default_factory=dict[int | str, object])
    callbacks: Mapping[str, object] = msgspec.field(default_factory=dict[str, object])
    external_docs: Mapping[str, str] | None = None
    security: Sequence[Mapping[str, Sequence[str]]] | None = None
    extra: Mapping[str, object] = msgspec.field(default_factory=dict[str, object])


class Route(msgspec.Struct, frozen=True, eq=False):
    """A handler, and the methods and the path template that lead to it.

    Shape:  `methods` are upper-case, in the order given. `middleware` is outermost first: router by router, then the
            route's own. `exception_handlers` and `limits` are nearest first, and the nearest wins.
            `name` is the handler's name unless the user gave one (`is_named`).
            `auth_backend` is the nearest that was given, NOT_GIVEN where none was; `auth_after` is how many of
            `middleware` are around what it was given to: the sessions among them are those that it sees.
            Two routes are equal only if they are one, so that a route can be the key of a dict.
    Units:  `max_body_size` in bytes, None for no limit, NOT_GIVEN to leave it to `limits`.
    """

    methods: tuple[str, ...]
    template: str
    handler: Handler
    name: str
    location: Location
    is_named: bool = False
    middleware: tuple[object, ...] = ()
    exception_handlers: tuple[HandlersByKey, ...] = ()
    limits: Limits | None = None
    max_body_size: int | NotGiven | None = NOT_GIVEN
    on_disconnect: Literal["finish", "cancel"] = "finish"
    status_code: int | None = None
    response_model: object = NOT_GIVEN
    dependencies: tuple[object, ...] = ()
    tags: tuple[str, ...] = ()
    include_in_schema: bool = True
    metadata: Mapping[str, object] = msgspec.field(default_factory=dict[str, object])
    documentation: Documentation = Documentation()
    sends: object = None
    auth_backend: object = NOT_GIVEN
    auth_after: int = 0


class WebSocketRoute(msgspec.Struct, frozen=True, eq=False):
    """A WebSocket handler and the path template that leads to it; the fields are those of `Route`.

    Shape:  `middleware` is that of the routers around it, for requests; `websocket_middleware` is theirs for
            WebSockets, then the route's own. `handler` may be a class that serves one WebSocket with each instance.
    """

    template: str
    handler: Handler
    name: str
    location: Location
    is_named: bool = False
    middleware: tuple[object, ...] = ()
    websocket_middleware: tuple[object, ...] = ()
    exception_handlers: tuple[HandlersByKey, ...] = ()
    limits: Limits | None = None
    dependencies: tuple[object, ...] = ()
    tags: tuple[str, ...] = ()
    include_in_schema: bool = True
    metadata: Mapping[str, object] = msgspec.field(default_factory=dict[str, object])
    sends: object = None
    receives: object = None
    auth_backend: object = NOT_GIVEN
    auth_after: int = 0


class Mount(msgspec.Struct, frozen=True, eq=False):
    """A foreign application, and the prefix below which it answers everything that no route answers.

    Shape:  `prefix` is a valid template: "/" or "/api", never with a slash at its end.
            `middleware` and `exception_handlers` are those of the routers around it, in the order of `Route`.
    """

    prefix: str
    app: object
    name: str | None
    location: Place
    middleware: tuple[object, ...] = ()
    websocket_middleware: tuple[object, ...] = ()
    exception_handlers: tuple[HandlersByKey, ...] = ()
    dependencies: tuple[object, ...] = ()
    limits: Limits | None = None
    max_body_size: int | NotGiven | None = NOT_GIVEN
    auth_backend: object = NOT_GIVEN
    auth_after: int = 0


class CommonOptions(TypedDict, total=False):
    """What every route takes besides the path.

    `sends` says for the AsyncAPI document which messages, or events of a stream, the handler sends: a type, a list or
    a union of types, or a dict that leads from names to types. `auth_backend` says who the clients of this route are,
    in place of the backend of the router or the app; with None nobody is asked.
    """

    name: str
    middleware: Iterable[object]
    dependencies: Iterable[object]
    exception_handlers: ExceptionHandlers
    limits: Limits | None
    tags: Iterable[str]
    include_in_schema: bool
    metadata: Mapping[str, object]
    sends: object
    auth_backend: object


class WebSocketOptions(CommonOptions, total=False):
    """What `router.websocket(path, ...)` takes besides the path; its `middleware` is that of WebSockets.

    `receives` says which messages the handler takes, as `sends` does; `Listeners` and a `WebSocketConsumer` say it.
    """

    receives: object


class RouteOptions(CommonOptions, total=False):
    """What `router.get(path, ...)` and its like take besides the path.

    `max_body_size` is in bytes, None for no limit. With `on_disconnect="cancel"` the
    handler is cancelled when the client goes away; otherwise it finishes.

    `status_code` is the status when the handler says no other. `response_model` is the type that
    the handler's result is checked against and written as, where the annotation of what it returns
    is not it; None switches that off. The others describe the route in the OpenAPI document
    (`Documentation`); summary and description are otherwise taken from the handler's docstring.
    """

    max_body_size: int | None
    on_disconnect: Literal["finish", "cancel"]
    status_code: int
    response_model: object
    summary: str
    description: str
    operation_id: str
    deprecated: bool
    responses: Mapping[int | str, object]
    callbacks: Mapping[str, object]
    external_docs: Mapping[str, str]
    security: Sequence[Mapping[str, Sequence[str]]]
    openapi_extra: Mapping[str, object]


def method_names(methods: Iterable[str]) -> tuple[str, ...]:
    """Return the methods in upper case, each once.

    Raises:
        ConfigurationError: There is none, or one is not a token (RFC 9110 section 9.1).

    >>> method_names(["get", "PURGE"])
    ('GET', 'PURGE')
    """
    if isinstance(methods, str):
        raise ConfigurationError(f"'methods' must be a list: write methods=[{methods!r}].")
    names = tuple(dict.fromkeys(method.upper() for method in methods))
    if not names:
        raise ConfigurationError("'methods' is empty, so nothing would ever lead to this handler.")
    for name in names:
        if not name or not all((c.isascii() and c.isalnum()) or c in _OTHER_TOKEN_LETTERS for c in name):
            raise ConfigurationError(f"{name!r} is not the name of a method.")
    return names


def check_exception_keys(handlers: ExceptionHandlers) -> dict[ExceptionKey, Handler]:
    """Return a copy of the handlers.

    Raises:
        ConfigurationError: A key is neither a subclass of Exception nor a status from 400 to 599.
    """
    checked: dict[ExceptionKey, Handler] = {}
    for key, handler in handlers.items():
        is_class = isinstance(key, type) and issubclass(key, Exception)
        if not is_class and not (isinstance(key, int) and 400 <= key <= 599):
            raise ConfigurationError(
                f"An exception handler is for an Exception class or a status 400-599, not {key!r}."
            )
        checked[key] = handler
    return checked
