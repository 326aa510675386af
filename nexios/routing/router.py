"""The router: where routes are registered, and where routers are put together.

    api = Router(prefix="/api", name="api")

    @api.get("/users/{id:int}")
    async def user(request, response): ...

    app.include_router(api)

Routers are referenced, not copied: what is added to `api` after it was included is
there as well, until compile freezes them all. Nothing is decided here that depends
on where the router will hang; `flatten` does that.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from types import MappingProxyType, TracebackType
from typing import NoReturn, Self, TypedDict, TypeVar, Unpack

import msgspec

from nexios.errors import ConfigurationError, DuplicateRoute
from nexios.places import Location, Place, calling_place, name_of, place_of
from nexios.routing.route import (
    NOT_GIVEN,
    CommonOptions,
    Documentation,
    ExceptionHandlers,
    ExceptionKey,
    Handler,
    HandlersByKey,
    MiddlewareEntry,
    Mount,
    NotGiven,
    Route,
    RouteOptions,
    WebSocketOptions,
    WebSocketRoute,
    check_exception_keys,
)
from nexios.routing.template import check_prefix, parse_segments, segment_shape
from nexios.routing.verbs import Verbs
from nexios.routing.views import handlers_by_methods
from nexios.settings import Limits

__all__ = ["Inclusion", "Router", "RouterOptions"]

R = TypeVar("R")

_WEBSOCKET = "WEBSOCKET"


class RouterOptions(TypedDict, total=False):
    """What a router or group takes besides prefix and name; each is for all routes below it."""

    middleware: Iterable[object]
    websocket_middleware: Iterable[object]
    dependencies: Iterable[object]
    exception_handlers: ExceptionHandlers
    limits: Limits | None
    max_body_size: int | None
    tags: Iterable[str]
    include_in_schema: bool
    metadata: Mapping[str, object]
    auth_backend: object


class Router(Verbs):
    """A list of routes, and what they have in common.

    Lifetime: filled while the application is put together, frozen by compile.
    Errors:   everything that registers raises ConfigurationError, with the line that registered, when the
              path, the handler or an option is not right; DuplicateRoute, which is one of them, when method
              and path are taken.

    >>> router = Router(prefix="/items")
    >>> @router.get("/{id:int}")
    ... async def show_item(request, response, id): ...
    >>> [route.template for route in router.items]
    ['/{id:int}']
    """

    def __init__(self, prefix: str = "", *, name: str | None = None, **options: Unpack[RouterOptions]) -> None:
        place = calling_place()
        _check_known(options, RouterOptions, place)
        self.prefix: str = _at(place, lambda: check_prefix(prefix))
        self.name: str | None = name
        self.middleware: list[object] = _MiddlewareList(options.get("middleware", ()))
        self.websocket_middleware: list[object] = list(options.get("websocket_middleware", ()))
        self.dependencies: list[object] = list(options.get("dependencies", ()))
        handlers = options.get("exception_handlers") or {}
        self.exception_handlers: dict[ExceptionKey, Handler] = _at(place, lambda: check_exception_keys(handlers))
        self.limits: Limits | None = options.get("limits")
        self.max_body_size: int | NotGiven | None = options.get("max_body_size", NOT_GIVEN)
        self.tags: list[str] = list(options.get("tags", ()))
        self.include_in_schema: bool = options.get("include_in_schema", True)
        self.metadata: dict[str, object] = dict(options.get("metadata", {}))
        self._auth_backend: object = options.get("auth_backend", NOT_GIVEN)
        self._items: list[Route | WebSocketRoute | Mount | Inclusion] = []
        self._taken: dict[tuple[str, str], Place] = {}
        self._frozen = False

    @property
    def items(self) -> tuple["Route | WebSocketRoute | Mount | Inclusion", ...]:
        """What was registered here, in order, with the paths as they were written."""
        return tuple(self._items)

    @property
    def auth_backend(self) -> object:
        """Who says which user a client is: a backend, a class of backends, or several in a list.

        Of several the first that answers wins. It holds for all routes below that have no nearer one; None means
        that nobody is asked. Can be set until the app compiles.
        """
        return None if self._auth_backend is NOT_GIVEN else self._auth_backend

    @auth_backend.setter
    def auth_backend(self, backend: object) -> None:
        self._open_place()
        self._auth_backend = backend

    @property
    def frozen(self) -> bool:
        """Whether compile has been; nothing can be registered after it."""
        return self._frozen

    def freeze(self) -> None:
        """Refuse further registration, here and in every router included here."""
        for router in _with_descendants(self):
            router._frozen = True

    def add_route(
        self, path: str, handler: object, methods: Iterable[str] | None = None, **options: Unpack[RouteOptions]
    ) -> None:
        """Let `handler` answer `methods` (GET unless given) at `path`, which may be "" below a prefix.

        A class, or an instance of one, with get(), post(), ... answers those; `methods` can leave some out.
        """
        place = self._open_place()
        _check_known(options, RouteOptions, place)
        shape = _shape(path, place, handler)
        for names, function in _at(place, lambda: handlers_by_methods(handler, methods), handler):
            for method in names:
                self._take(method, path, shape, place)
            self._items.append(_make_route(path, names, function, name_of(handler), place, options))

    def add_websocket(self, path: str, handler: Handler, **options: Unpack[WebSocketOptions]) -> None:
        """Let `handler`, a function or a `WebSocketConsumer`, serve WebSockets at `path`; `middleware` is around it."""
        place = self._open_place()
        _check_known(options, WebSocketOptions, place)
        shape = _shape(path, place, handler)
        self._take(_WEBSOCKET, path, shape, place)
        name, is_named = options.get("name") or name_of(handler), bool(options.get("name"))
        location = Location(place_of(handler), place)
        common = _common(options, place)
        route = WebSocketRoute(path, handler, name, location, is_named, **common, receives=options.get("receives"))
        own = msgspec.structs.replace(route, middleware=(), websocket_middleware=route.middleware)
        self._items.append(own)

    def mount(self, prefix: str, app: object, name: str | None = None) -> None:
        """Let `app` answer what is below `prefix` and has no route of its own."""
        place = self._open_place()
        checked = _at(place, lambda: check_prefix(prefix))
        self._take("mount", prefix, checked, place)
        self._items.append(Mount(checked, app, name, place))

    def include_router(self, router: "Router", prefix: str = "", *, name: str | None = None) -> None:
        """Put the routes of `router` below `prefix` (and below its own).

        `name` stands for the router's own in the names of its routes, `name:route`.

        Raises:
            ConfigurationError: The router would contain itself, or is at this prefix already.
        """
        place = self._open_place()
        checked = _at(place, lambda: check_prefix(prefix))
        if not isinstance(router, Router):
            raise ConfigurationError(
                f"{router!r} is not a Router; an application is put below a path by mount().\n\n  {place}"
            )
        if any(inner is self for inner in _with_descendants(router)):
            raise ConfigurationError(
                f"A router cannot include itself, neither directly nor by way of others.\n\n  {place}"
            )
        for item in self._items:
            if isinstance(item, Inclusion) and item.router is router and item.prefix == checked:
                raise DuplicateRoute(
                    f"A router is included twice at {checked or '/'!r}.\n\n  {item.location}\n  {place}"
                )
        self._items.append(Inclusion(router, checked, name, place))

    def mount_router(self, router: "Router | str", path: "Router | str | None" = None) -> None:
        """Include `router`, below `path` if given; the two may come in either order."""
        inner, prefix = (path, router) if isinstance(router, str) else (router, path or "")
        if not isinstance(inner, Router) or not isinstance(prefix, str):
            raise ConfigurationError(
                f"Write mount_router(router) or mount_router(router, '/path').\n\n  {calling_place()}"
            )
        self.include_router(inner, prefix)

    def group(self, prefix: str = "", *, name: str | None = None, **options: Unpack[RouterOptions]) -> "Router":
        """Return a new router that is included here. It can be used as `with router.group("/admin") as admin:`."""
        self._open_place()
        inner = Router(prefix, name=name, **options)
        self.include_router(inner)
        return inner

    def add_middleware(self, middleware: object, *args: object, **options: object) -> None:
        """Append a middleware: an instance, a function, or a class and what to make it with. First added, outermost."""
        place = self._open_place()
        self.middleware.append(MiddlewareEntry(middleware, args, MappingProxyType(options), place))

    def add_websocket_middleware(self, middleware: object, *args: object, **options: object) -> None:
        """Append a middleware that is around WebSockets: `async def middleware(websocket, call_next)`, or a class."""
        place = self._open_place()
        self.websocket_middleware.append(MiddlewareEntry(middleware, args, MappingProxyType(options), place))

    def add_exception_handler(self, key: ExceptionKey, handler: Handler) -> None:
        """Let `handler` answer exceptions of a class, or errors of a status; it takes the place of an earlier one."""
        place = self._open_place()
        self.exception_handlers.update(_at(place, lambda: check_exception_keys({key: handler}), handler))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        return None

    def _open_place(self) -> Place:
        place = calling_place()
        if self._frozen:
            raise ConfigurationError(
                "The application is compiled, so nothing can be registered any more. "
                f"Do it before the first request.\n\n  {place}"
            )
        return place

    def _take(self, method: str, path: str, shape: str, place: Place) -> None:
        earlier = self._taken.setdefault((method, shape), place)
        if earlier is not place:
            raise DuplicateRoute(duplicate_text(f"{method} {self.prefix}{path}", earlier, place))


class _MiddlewareList(list[object]):
    """The middleware of a router; it is no decorator, as it is elsewhere."""

    def __call__(self, *given: object, **options: object) -> NoReturn:
        """Say how middleware is added."""
        raise ConfigurationError(
            f"'middleware' is the list of what was added, and decorates nothing.\n\n  {calling_place()}\n\n"
            "Write a function of three arguments, and add it:\n\n"
            "    async def timing(request, response, call_next):\n        return await call_next()\n\n"
            "    app.add_middleware(timing)"
        )


class Inclusion(msgspec.Struct, frozen=True):
    """A router within a router. `name`, if given, stands for the inner router's name."""

    router: Router
    prefix: str
    name: str | None
    location: Place


def duplicate_text(what: str, first: Place, second: Place) -> str:
    """Return the words for two registrations of the same thing."""
    return (
        f"{what} is registered twice.\n\n  {first}\n  {second}\n\n"
        "Paths that differ in parameter names alone are the same. Give one another path or method, or remove it."
    )


def _with_descendants(router: Router) -> Iterator[Router]:
    yield router
    for item in router.items:
        if isinstance(item, Inclusion):
            yield from _with_descendants(item.router)


def _make_route(
    path: str, methods: tuple[str, ...], handler: Handler, default_name: str, place: Place, options: RouteOptions
) -> Route:
    on_disconnect = options.get("on_disconnect", "finish")
    if on_disconnect not in ("finish", "cancel"):
        raise ConfigurationError(f"on_disconnect must be 'finish' or 'cancel', not {on_disconnect!r}.\n\n  {place}")
    return Route(
        methods,
        path,
        handler,
        options.get("name") or default_name,
        Location(place_of(handler), place),
        bool(options.get("name")),
        max_body_size=options.get("max_body_size", NOT_GIVEN),
        on_disconnect=on_disconnect,
        status_code=_status_code(options, place),
        response_model=options.get("response_model", NOT_GIVEN),
        documentation=_documentation(options),
        **_common(options, place),
    )


def _status_code(options: RouteOptions, place: Place) -> int | None:
    status_code = options.get("status_code")
    if status_code is not None and not (type(status_code) is int and 200 <= status_code <= 599):
        raise ConfigurationError(f"status_code is a status from 200 to 599, not {status_code!r}.\n\n  {place}")
    return status_code


def _documentation(options: RouteOptions) -> Documentation:
    return Documentation(
        summary=options.get("summary"),
        description=options.get("description"),
        operation_id=options.get("operation_id"),
        deprecated=options.get("deprecated", False),
        responses=MappingProxyType(dict(options.get("responses", {}))),
        callbacks=MappingProxyType(dict(options.get("callbacks", {}))),
        external_docs=options.get("external_docs"),
        security=options.get("security"),
        extra=MappingProxyType(dict(options.get("openapi_extra", {}))),
    )


class _Common(TypedDict):
    middleware: tuple[object, ...]
    exception_handlers: tuple[HandlersByKey, ...]
    limits: Limits | None
    dependencies: tuple[object, ...]
    tags: tuple[str, ...]
    include_in_schema: bool
    metadata: Mapping[str, object]
    sends: object
    auth_backend: object


def _common(options: CommonOptions, place: Place) -> _Common:
    handlers = options.get("exception_handlers") or {}
    checked = _at(place, lambda: check_exception_keys(handlers))
    return _Common(
        middleware=tuple(options.get("middleware", ())),
        exception_handlers=(MappingProxyType(checked),) if checked else (),
        limits=options.get("limits"),
        dependencies=tuple(options.get("dependencies", ())),
        tags=tuple(options.get("tags", ())),
        include_in_schema=options.get("include_in_schema", True),
        metadata=MappingProxyType(dict(options.get("metadata", {}))),
        sends=options.get("sends"),
        auth_backend=options.get("auth_backend", NOT_GIVEN),
    )


def _shape(path: str, place: Place, handler: object) -> str:
    segments = () if path == "" else _at(place, lambda: parse_segments(path), handler)
    return "".join(f"/{segment_shape(segment)}" for segment in segments)


def _at(place: Place, step: Callable[[], R], handler: object = None) -> R:
    """Run `step`, and add the place to its complaint."""
    try:
        return step()
    except ConfigurationError as exc:
        written = place_of(handler)
        lines = [f"{written}   {name_of(handler)}()", str(place)] if written.line else [str(place)]
        raise type(exc)("\n  ".join((f"{exc}\n", *dict.fromkeys(lines)))) from None


def _check_known(options: Mapping[str, object], kind: type, place: Place) -> None:
    limits, middleware = options.get("limits"), options.get("middleware", ())
    if limits is not None and not isinstance(limits, Limits):
        raise ConfigurationError(
            f"'limits' of a router or route is a Limits, not {type(limits).__name__}.\n"
            f"Write limits=Limits(max_body_size=...).\n\n  {place}"
        )
    if not isinstance(middleware, Iterable):
        raise ConfigurationError(f"'middleware' is a list: write middleware=[...].\n\n  {place}")
    if not isinstance(options.get("dependencies", ()), Iterable):
        raise ConfigurationError(f"'dependencies' is a list: write dependencies=[...].\n\n  {place}")
    known = sorted(kind.__annotations__)
    for name in options:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ConfigurationError(
                f"The option {name!r} is not known.{hint} Known are: {', '.join(known)}.\n\n  {place}"
            )
