"""How do WebSocket routes become plans? Their middleware, dependencies, exception handlers and limits, put together."""

import inspect
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from nexios._injection.program import Programs
from nexios._pipeline.authentication import Authentication
from nexios._pipeline.handlers import Handlers
from nexios._pipeline.install import Installed
from nexios._pipeline.middleware_order import after_sessions, check_order
from nexios._pipeline.mounted import MountedEngine
from nexios._pipeline.resources import Resources
from nexios._pipeline.special_layers import Settle
from nexios._pipeline.websocket import WebSocketPlan, WebSocketPlans
from nexios._pipeline.websocket_chain import WebSocketLayer, WebSocketLayers, compile_websocket_chain
from nexios._pipeline.websocket_errors import WebSocketErrors
from nexios._pipeline.websocket_injector import WebSocketInjector
from nexios._pipeline.websocket_origin import OriginPolicy
from nexios.errors import ConfigurationError, NotFound
from nexios.events.emitter import EventEmitter
from nexios.messages.websocket import WebSocket
from nexios.places import name_of
from nexios.routing.flatten import Flattened
from nexios.routing.registry import ConverterRegistry
from nexios.routing.route import HandlersByKey, Mount, WebSocketRoute
from nexios.routing.template import Template, compile_template
from nexios.settings import BadMessages, Limits, Settings

__all__ = ["WebSocketCompiler"]

logger = logging.getLogger("nexios")


class WebSocketCompiler:
    """One run of compile, for WebSockets. Made before anything is compiled, as its middleware says what is shared."""

    def __init__(
        self,
        flat: Flattened,
        *,
        handlers: Handlers,
        installed: Installed,
        injector: WebSocketInjector,
        authentication: Callable[[WebSocketRoute | Mount], Authentication | None],
        backends: Callable[[object], Sequence[object]],
        programs: Programs,
        resources: Resources,
        converters: ConverterRegistry,
    ) -> None:
        self._flat = flat
        self._handlers = handlers
        self._installed = installed
        self._injector = injector
        self._authentication = authentication
        self._backends = backends
        self._resources = resources
        self._converters = converters
        self._layers = WebSocketLayers(resources.websocket_layers, injector)
        self._app_layers: tuple[WebSocketLayer, ...] = ()
        self._exception_handlers: HandlersByKey = {}
        self._share = programs.share

    def begin(
        self, middleware: Sequence[object], websocket_middleware: Iterable[object], handlers: HandlersByKey
    ) -> None:
        """Take what the app has around all of its routes: its installed middleware, that of WebSockets, its handlers.

        Raises:
            ConfigurationError: Something is no middleware of WebSockets, or stands in the wrong order.
        """
        both, silent = self._layers.of_requests(middleware)
        if silent and self._flat.websockets:
            names = ", ".join(sorted({_name(layer) for layer in silent}))
            logger.warning(
                "middleware of the app does not run for WebSockets (%s): %s. Add what they need by "
                "add_websocket_middleware, and say 'handle_websocket = None' in a class that they do without",
                self._flat.websockets[0].template,
                names,
            )
        self._app_layers = (*both, *self._layers.all(websocket_middleware))
        self._exception_handlers = handlers
        check_order(self._app_layers, "The app")  # type: ignore[arg-type]
        layers = [*self._app_layers, *(layer for entries in self._entries() for layer in self._layers.all(entries))]
        for layer in layers:
            self._share(self._injector.call_of(layer).nodes)

    def plans(
        self, settings: Settings, limits: Limits, emitter: EventEmitter, settle: Settle | None = None
    ) -> WebSocketPlans:
        """Return the plans of all routes and mounts.

        Raises:
            ConfigurationError: A handler cannot be called with what there is, or a router around a
                route has middleware that WebSockets do not run.
            DuplicateRoute: Two routes have templates of the same shape.
        """
        return WebSocketPlans(
            routes=[self._route(route, limits, settings.bad_messages) for route in self._flat.websockets],
            mounts=[self._mount(mount, limits) for mount in self._flat.mounts],
            missed=self._plan((), _miss, (self._exception_handlers,), limits, "no route"),
            origins=OriginPolicy(settings.allowed_origins),
            bad_messages=settings.bad_messages,
            emitter=emitter,
            sockets=self._resources.sockets,
            settle=settle,
        )

    def _entries(self) -> Iterator[tuple[object, ...]]:
        yield from (route.websocket_middleware for route in self._flat.websockets)
        yield from (mount.websocket_middleware for mount in self._flat.mounts)

    def _route(
        self, route: WebSocketRoute, limits: Limits, bad_messages: BadMessages
    ) -> tuple[Template, WebSocketPlan]:
        template = compile_template(route.template, self._converters, route.location.registered)
        call, operation = self._handlers.compile_websocket(
            _with_function(route), template, self._backends(route.auth_backend)
        )
        both, silent = self._layers.of_requests(self._middleware(route))
        if silent:
            raise _left_out(route, silent)
        layers = (*both, *self._layers.all(route.websocket_middleware))
        where = f"WEBSOCKET {route.template}"
        plan = self._plan(layers, call, route.exception_handlers, route.limits or limits, where)
        described = msgspec.structs.replace(operation, route=route, answers_bad_messages=bad_messages == "answer")
        return template, msgspec.structs.replace(plan, route=route, operation=described)

    def _mount(self, mount: Mount, limits: Limits) -> tuple[Template, WebSocketPlan]:
        """A foreign application has no WebSockets of ours, and those of others do not reach what is below it."""
        prefix = compile_template(mount.prefix, self._converters, mount.location)
        mounted = self._resources.mounted.get(id(mount.app))
        if not isinstance(mounted, MountedEngine) or not mounted.engine.websockets.has_routes:
            return prefix, self._plan((), _miss, mount.exception_handlers, limits, "")
        both, silent = self._layers.of_requests(self._middleware(mount))
        if silent or mount.dependencies:
            raise _mount_left_out(mount, silent)
        layers = (*both, *self._layers.all(mount.websocket_middleware))
        depth = 0 if prefix.text == "/" else len(prefix.segments)
        where = f"the mount at {mount.prefix}"
        plan = self._plan(layers, _entering(mounted, depth), mount.exception_handlers, limits, where)
        return prefix, msgspec.structs.replace(plan, enters=True)

    def _middleware(self, place: WebSocketRoute | Mount) -> tuple[object, ...]:
        """What is around a place for requests, with what finds out who the client is among it."""
        return after_sessions(self._installed.all(place.middleware), self._authentication(place), place.auth_after)

    def _plan(
        self,
        layers: tuple[WebSocketLayer, ...],
        call: Callable[..., Any],
        exception_handlers: Sequence[Mapping[Any, Any]],
        limits: Limits,
        where: str,
    ) -> WebSocketPlan:
        around = (*self._app_layers, *layers)
        check_order(around, where)  # type: ignore[arg-type]
        chain = compile_websocket_chain([self._layers.injected(layer) for layer in around], call)
        errors = WebSocketErrors(exception_handlers, self._injector, self._resources.threads)
        return WebSocketPlan(chain, errors, limits, None)


async def _miss(websocket: WebSocket) -> None:
    raise NotFound


def _entering(mounted: MountedEngine, depth: int) -> Callable[[WebSocket], Any]:
    engine = mounted.engine

    async def enter(websocket: WebSocket) -> None:
        prefix = "/".join(websocket._rest.split("/", depth + 1)[: depth + 1])
        await engine.websockets.enter(websocket, engine, len(prefix))

    return enter


def _with_function(route: WebSocketRoute) -> WebSocketRoute:
    """A class that serves WebSockets has a function that makes an instance for each and lets it serve."""
    if not inspect.isclass(route.handler):
        return route
    make = getattr(route.handler, "websocket_handler", None)
    if make is None:
        raise ConfigurationError(
            f"WEBSOCKET {route.template} cannot be compiled: the class {name_of(route.handler)} does not serve "
            f"WebSockets.\n\n  {route.location.registered}\n\nDerive it from WebSocketConsumer:\n\n"
            "    from nexios.websockets import WebSocketConsumer\n\n"
            f"    class {name_of(route.handler)}(WebSocketConsumer): ...\n"
        )
    return msgspec.structs.replace(route, handler=make())


def _name(layer: object) -> str:
    named = layer if inspect.isroutine(layer) else type(layer)
    return str(getattr(named, "__qualname__", named))


def _left_out(route: WebSocketRoute, silent: Iterable[object]) -> ConfigurationError:
    """A check that is silently left out is worse than none."""
    return ConfigurationError(
        f"WEBSOCKET {route.template} cannot be compiled: its route or a router around it has middleware that is for "
        f"requests: {', '.join(map(_name, silent))}.\n\n  {route.location}\n\n"
        "Give the router what its WebSockets need:\n\n"
        "    Router(websocket_middleware=[check])        async def check(websocket, call_next): ...\n\n"
        "and say in a class of middleware that WebSockets do without it:\n\n    handle_websocket = None\n"
    )


def _mount_left_out(mount: Mount, silent: Sequence[object]) -> ConfigurationError:
    what = f"middleware that is for requests: {', '.join(map(_name, silent))}" if silent else "dependencies"
    return ConfigurationError(
        f"The mount at {mount.prefix} cannot be compiled: the app has WebSocket routes, and a router around it has "
        f"{what}.\n\n  {mount.location}\n\n"
        "Mount it elsewhere, or give that router what the WebSockets need:\n\n    websocket_middleware=[check]\n"
    )
