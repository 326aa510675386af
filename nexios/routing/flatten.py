"""Flattening: what do all the routers together serve, and under which full paths?

From the outermost router inwards, each level adds its prefix, its name, its
middleware, dependencies and tags; of limits and exception handlers the innermost
wins. GET implies HEAD here: `methods` of a GET route hold HEAD as well, unless
another route of the same shape answers HEAD itself.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TypeVar

import msgspec

from nexios.errors import ConfigurationError, DuplicateRoute
from nexios.places import Place
from nexios.routing.route import NOT_GIVEN, HandlersByKey, Mount, NotGiven, Route, WebSocketRoute
from nexios.routing.router import Inclusion, Router, duplicate_text
from nexios.routing.template import check_prefix, shape_of
from nexios.settings import Limits

__all__ = ["Flattened", "flatten"]

_R = TypeVar("_R", Route, WebSocketRoute)


class Flattened(msgspec.Struct, frozen=True):
    """Everything below one router, with full paths, in the order of registration."""

    routes: tuple[Route, ...]
    websockets: tuple[WebSocketRoute, ...]
    mounts: tuple[Mount, ...]


def flatten(router: Router, *, own_middleware: bool = True) -> Flattened:
    """Return what `router` and the routers below it serve.

    With `own_middleware=False` the middleware of `router` itself is left out: an
    application runs its own around the matching, for a 404 too. The name of `router`
    is never part of the names.

    Raises:
        DuplicateRoute: Two routes of one method, two WebSocket routes, or two mounts have the same path.
        ConfigurationError: A full path is empty, or has a parameter twice.

    >>> api = Router(prefix="/api", name="api")
    >>> @api.get("/users")
    ... async def users(request, response): ...
    >>> main = Router()
    >>> main.include_router(api)
    >>> [(route.template, route.name, route.methods) for route in flatten(main).routes]
    [('/api/users', 'api:users', ('GET', 'HEAD'))]
    """
    outermost = _Level().enter(router, router.prefix, None)
    if not own_middleware:
        outermost = msgspec.structs.replace(outermost, middleware=(), websocket_middleware=(), auth_after=0)
    found = tuple(_walk(router, outermost))
    routes = tuple(item for item in found if isinstance(item, Route))
    websockets = tuple(item for item in found if isinstance(item, WebSocketRoute))
    mounts = tuple(item for item in found if isinstance(item, Mount))
    taken: dict[tuple[str, str], Place] = {}
    shapes = [shape_of(route.template) for route in routes]
    for route, shape in zip(routes, shapes, strict=True):
        _take(taken, route.methods, route.template, shape, route.location.registered)
    for websocket in websockets:
        shape = shape_of(websocket.template)
        _take(taken, ("WEBSOCKET",), websocket.template, shape, websocket.location.registered)
    for mount in mounts:
        _take(taken, ("mount",), mount.prefix, shape_of(mount.prefix), mount.location)
    with_head = tuple(_with_head(route, shape, taken) for route, shape in zip(routes, shapes, strict=True))
    return Flattened(with_head, websockets, mounts)


class _Level(msgspec.Struct, frozen=True):
    """What the routers around a place have in common, outermost first unless said otherwise."""

    prefix: str = ""
    names: tuple[str, ...] = ()
    middleware: tuple[object, ...] = ()
    websocket_middleware: tuple[object, ...] = ()
    dependencies: tuple[object, ...] = ()
    exception_handlers: tuple[HandlersByKey, ...] = ()
    """Nearest first."""
    limits: Limits | None = None
    max_body_size: int | NotGiven | None = NOT_GIVEN
    tags: tuple[str, ...] = ()
    include_in_schema: bool = True
    metadata: Mapping[str, object] = msgspec.field(default_factory=dict[str, object])
    auth_backend: object = NOT_GIVEN
    auth_after: int = 0

    def enter(self, router: Router, prefix: str, name: str | None) -> "_Level":
        handlers = (MappingProxyType(dict(router.exception_handlers)),) if router.exception_handlers else ()
        limits, max_body_size = self._nearest(router.limits, router.max_body_size)
        middleware = (*self.middleware, *router.middleware)
        has_backend = router._auth_backend is not NOT_GIVEN
        return _Level(
            self.prefix + prefix,
            self.names if name is None else (*self.names, name),
            middleware,
            (*self.websocket_middleware, *router.websocket_middleware),
            (*self.dependencies, *router.dependencies),
            (*handlers, *self.exception_handlers),
            limits,
            max_body_size,
            (*self.tags, *router.tags),
            self.include_in_schema and router.include_in_schema,
            {**self.metadata, **router.metadata},
            router._auth_backend if has_backend else self.auth_backend,
            len(middleware) if has_backend else self.auth_after,
        )

    def route(self, route: Route) -> Route:
        limits, max_body_size = self._nearest(route.limits, route.max_body_size)
        return self._placed(route, limits=limits, max_body_size=max_body_size)

    def websocket(self, route: WebSocketRoute) -> WebSocketRoute:
        return self._placed(
            route,
            limits=self.limits if route.limits is None else route.limits,
            websocket_middleware=(*self.websocket_middleware, *route.websocket_middleware),
        )

    def _placed(self, route: _R, **own: object) -> _R:
        """What both kinds of routes take over from the routers around them."""
        middleware = (*self.middleware, *route.middleware)
        has_backend = route.auth_backend is not NOT_GIVEN
        return msgspec.structs.replace(
            route,
            template=self.path(route.template, route.location.registered),
            name=":".join((*self.names, route.name)),
            middleware=middleware,
            exception_handlers=(*route.exception_handlers, *self.exception_handlers),
            dependencies=(*self.dependencies, *route.dependencies),
            tags=tuple(dict.fromkeys((*self.tags, *route.tags))),
            include_in_schema=self.include_in_schema and route.include_in_schema,
            metadata=MappingProxyType({**self.metadata, **route.metadata}),
            auth_backend=route.auth_backend if has_backend else self.auth_backend,
            auth_after=len(middleware) if has_backend else self.auth_after,
            **own,
        )

    def mount(self, mount: Mount) -> Mount:
        return msgspec.structs.replace(
            mount,
            prefix=check_prefix(self.path(mount.prefix or "/", mount.location)) or "/",
            name=mount.name if mount.name is None else ":".join((*self.names, mount.name)),
            middleware=self.middleware,
            websocket_middleware=self.websocket_middleware,
            exception_handlers=self.exception_handlers,
            dependencies=self.dependencies,
            limits=self.limits,
            max_body_size=self.max_body_size,
            auth_backend=self.auth_backend,
            auth_after=self.auth_after,
        )

    def path(self, path: str, place: Place) -> str:
        """Return the full path; that its parts are well formed was seen when they were registered."""
        full = self.prefix + path
        if not full:
            raise ConfigurationError(f"The path '' needs a router with a prefix; for the root, write '/'.\n\n  {place}")
        if not self.prefix:
            return full
        try:
            shape_of(full)
        except ConfigurationError as exc:
            raise ConfigurationError(f"{exc}\n\n  {place}") from None
        return full

    def _nearest(
        self, limits: Limits | None, max_body_size: int | NotGiven | None
    ) -> tuple[Limits | None, int | NotGiven | None]:
        """A level that has limits of its own is not held to the body size of one further out."""
        if limits is not None:
            return limits, max_body_size
        return self.limits, self.max_body_size if max_body_size is NOT_GIVEN else max_body_size


def _walk(router: Router, level: _Level) -> Iterator[Route | WebSocketRoute | Mount]:
    for item in router.items:
        if isinstance(item, Inclusion):
            inner = item.router
            yield from _walk(inner, level.enter(inner, item.prefix + inner.prefix, item.name or inner.name))
        elif isinstance(item, Route):
            yield level.route(item)
        elif isinstance(item, WebSocketRoute):
            yield level.websocket(item)
        else:
            yield level.mount(item)


def _take(
    taken: dict[tuple[str, str], Place], methods: tuple[str, ...], template: str, shape: str, place: Place
) -> None:
    for method in methods:
        earlier = taken.get((method, shape))
        if earlier is not None:
            raise DuplicateRoute(duplicate_text(f"{method} {template}", earlier, place))
        taken[method, shape] = place


def _with_head(route: Route, shape: str, taken: Mapping[tuple[str, str], Place]) -> Route:
    if "GET" not in route.methods or ("HEAD", shape) in taken:
        return route
    return msgspec.structs.replace(route, methods=(*route.methods, "HEAD"))
