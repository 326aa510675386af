"""How does an app become an engine? Everything that can be decided before a request is decided here."""

import gc
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import msgspec

from nexios._injection.depend import Dependency, Provider
from nexios._injection.graph import Graph
from nexios._injection.program import Programs
from nexios._pipeline.authentication import Authentication, Authentications, placed
from nexios._pipeline.declared import notes_on
from nexios._pipeline.engine import Engine
from nexios._pipeline.errors import ErrorResponder
from nexios._pipeline.handlers import Handlers
from nexios._pipeline.injector import Injector, inject_hook
from nexios._pipeline.install import Installed
from nexios._pipeline.lifespan import Hook, Lifespan, LifespanContext
from nexios._pipeline.middleware import Call, Link, Middleware, compile_chain, inject_middleware
from nexios._pipeline.middleware_order import after_sessions, check_order, check_sessions
from nexios._pipeline.misses import Misses
from nexios._pipeline.mounted import MountedEngine
from nexios._pipeline.operation import Operation
from nexios._pipeline.plan import Plan
from nexios._pipeline.reading import note_failure
from nexios._pipeline.resources import MountedApp, Resources
from nexios._pipeline.returns import to_response
from nexios._pipeline.sources import Sources
from nexios._pipeline.special_layers import in_the_chain, lives, nearest_preflights, on_a_route, settling
from nexios._pipeline.websocket import WebSocketPlans
from nexios._pipeline.websocket_compile import WebSocketCompiler
from nexios._pipeline.websocket_injector import WebSocketInjector
from nexios.concurrency import Threads
from nexios.events.emitter import EventEmitter
from nexios.events.names import ERROR
from nexios.messages.content import FileContent
from nexios.messages.disconnect import cancel_on_disconnect
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.messages.send import find_file
from nexios.messages.state import State
from nexios.places import Place
from nexios.routing.flatten import Flattened, flatten
from nexios.routing.matcher import Matcher
from nexios.routing.registry import ConverterRegistry
from nexios.routing.reverse import ReverseIndex
from nexios.routing.route import NOT_GIVEN, Mount, Route, WebSocketRoute
from nexios.routing.router import Router
from nexios.routing.shadow import shadowed
from nexios.routing.template import Template, Templates, shape_of
from nexios.settings import Limits, Settings

__all__ = ["Blueprint", "MountedApp", "compile_engine"]

logger = logging.getLogger("nexios")


class Blueprint(msgspec.Struct, frozen=True):
    """What was registered: the input of compile."""

    app: Any
    router: Router
    additions: Sequence[Router]
    """Routes of nexios itself, each of which gives way to one of the user's."""
    settings: Settings
    state: State
    emitter: EventEmitter
    converters: ConverterRegistry
    provided: Mapping[Any, Dependency]
    """Providers by the type they provide."""
    overrides: Mapping[Any, Provider]
    """What runs in place of a provider, or of the provider of a type."""
    contexts: Sequence[LifespanContext]
    on_startup: Sequence[Hook]
    on_shutdown: Sequence[Hook]
    adapt_mounted: Callable[[object, Threads], MountedApp]
    """Makes a foreign ASGI or WSGI app, or a nexios app, answer requests of ours."""


def compile_engine(blueprint: Blueprint, beside: Engine | None = None) -> Engine:
    """Return the engine for what was registered; `beside` another one it shares the life of the app with it.

    Raises:
        ConfigurationError: Something does not fit; the text names the place and the fix.
    """
    with _without_collecting():
        return _Compiler(blueprint, beside).engine()


@contextmanager
def _without_collecting() -> Iterator[None]:
    """What compile makes is there to stay: to look through it for rubbish, again and again, takes half of its time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class _Compiler:
    """One run of compile; its parts share the matcher, the providers and the installed middleware."""

    def __init__(self, blueprint: Blueprint, beside: Engine | None) -> None:
        self.blueprint = blueprint
        self.settings = blueprint.settings
        self.beside = beside
        self.resources = Resources(blueprint.app, self.settings.thread_limit) if beside is None else beside.resources
        app_values, threads = self.resources.app_values, self.resources.threads
        self.programs = Programs(self.resources.workers, app_values)
        graph = Graph(provided=blueprint.provided, overrides=blueprint.overrides, owner=blueprint.app)
        sources = Sources(blueprint.app, graph)
        self.handlers = Handlers(blueprint.app, graph, self.programs, sources, threads)
        self.injector = Injector(blueprint.app, graph, self.programs, sources)
        self.installed = Installed(self.resources.layers, self.injector.names_of, self.settings)
        self.templates = Templates(blueprint.converters)
        self.operations: list[Operation] = []
        self.matcher: Matcher[Plan] = Matcher()
        self.mounted: dict[int, MountedApp] = self.resources.mounted
        self.flat = _with_notes(flatten(blueprint.router, own_middleware=False))
        self.errors = self._responder((blueprint.router.exception_handlers,))
        sockets = WebSocketInjector(blueprint.app, self.injector, self.programs, sources)
        self.authentications = Authentications(self.resources.auth_backends, self.injector, sockets)
        self.app_middleware = self._with_authentication(self.installed.all(blueprint.router.middleware))
        check_order(self.app_middleware, "The app")
        check_sessions(self.app_middleware)
        self.settle = settling(self.app_middleware)
        self.websockets = WebSocketCompiler(
            self.flat,
            handlers=self.handlers,
            installed=self.installed,
            injector=sockets,
            authentication=self._authentication,
            backends=self.authentications.backends,
            programs=self.programs,
            resources=self.resources,
            converters=blueprint.converters,
        )
        self._share_what_middleware_asks_for()

    def engine(self) -> Engine:
        for route in self.flat.routes:
            template = self._template(route.template, route.location.registered)
            self.matcher.add(template, route.methods, self._plan(route, template))
        for mount in self.flat.mounts:
            prefix = self._template(mount.prefix, mount.location)
            self.matcher.add_mount(prefix, self._mount_plan(mount, prefix))
        own = self._own_routes()
        for route in own:
            template = self._template(route.template, route.location.registered)
            self.matcher.add(template, route.methods, self._plan(route, template))
        self._report_shadowed()
        for listener in self.blueprint.emitter.listeners:
            self.injector.of(listener)  # what it asks for and cannot have is said now, not at the first event
        methods = frozenset(method for route in self.flat.routes for method in route.methods)
        return Engine(
            app=self.blueprint.app,
            matcher=self.matcher,
            misses=Misses(self.matcher, self.settings, self.errors, methods),
            middleware=self._injected(in_the_chain(self.app_middleware)),
            settle=self.settle,
            answers_preflights=nearest_preflights(self.app_middleware) is not None,
            errors=self.errors,
            limits=self._limits(None, self.blueprint.router.max_body_size),
            reverse=self._reverse(own),
            lifespan=self._lifespan() if self.beside is None else self.beside.lifespan,
            emitter=self.blueprint.emitter,
            resources=self.resources,
            websockets=self._websockets(),
            operations=tuple(self.operations),
            injector=self.injector,
            of_app=self.programs.of_app,
            overrides=self.blueprint.overrides,
            variant=self._variant,
        )

    def _reverse(self, own: Sequence[Route]) -> ReverseIndex:
        flat = self.flat
        return ReverseIndex((*flat.routes, *own), flat.websockets, flat.mounts, templates=self.templates)

    def _variant(self, engine: Engine, overrides: Mapping[Any, Provider]) -> Engine:
        return compile_engine(msgspec.structs.replace(self.blueprint, overrides=overrides), beside=engine)

    def _own_routes(self) -> list[Route]:
        """They are outside of the app's guards, and inside of its exception handlers."""
        taken = {self._template(route.template, route.location.registered).shape for route in self.flat.routes}
        handlers = (self.blueprint.router.exception_handlers,)
        outer = Router()
        for router in self.blueprint.additions:
            outer.include_router(router)
        return [
            msgspec.structs.replace(
                route,
                exception_handlers=handlers,
                auth_backend=self.blueprint.router.auth_backend if route.dependencies else None,
            )
            for route in flatten(outer).routes
            if shape_of(route.template) not in taken
        ]

    def _template(self, text: str, place: Place) -> Template:
        return self.templates.compile(text, place)

    def _plan(self, route: Route, template: Template) -> Plan:
        backends = self.authentications.backends(route.auth_backend)
        call, operation = self.handlers.compile(route, template, backends)
        self.operations.append(operation)
        if route.on_disconnect == "cancel":
            call = _cancelled_on_disconnect(call)
        errors = self._responder(route.exception_handlers)
        name = f"{'/'.join(route.methods)} {route.template}"
        middleware = after_sessions(self.installed.all(route.middleware), self._authentication(route), route.auth_after)
        run = self._chain(middleware, call, errors, name)
        limits = self._limits(route.limits, route.max_body_size)
        preflights = nearest_preflights(self.installed.all(route.middleware))
        return Plan(run=run, errors=errors, limits=limits, route=route, preflights=preflights)

    def _mount_plan(self, mount: Mount, prefix: Template) -> Plan:
        """An app that is mounted at two places is one app, started once."""
        mounted = self.mounted.get(id(mount.app)) or self.blueprint.adapt_mounted(mount.app, self.resources.threads)
        self.mounted[id(mount.app)] = mounted
        errors = self._responder(mount.exception_handlers)
        below = _below(0 if prefix.text == "/" else len(prefix.segments), mounted)
        guarded = self.handlers.guarded(mount, prefix, below)
        looks = mount.dependencies or mount.middleware or isinstance(mounted, MountedEngine)
        authentication = self._authentication(mount) if looks else None
        middleware = after_sessions(self.installed.all(mount.middleware), authentication, mount.auth_after)
        run = self._chain(middleware, guarded, errors, f"the mount at {mount.prefix}")
        limits = self._limits(mount.limits, mount.max_body_size)
        preflights = nearest_preflights(self.installed.all(mount.middleware))
        if isinstance(mounted, MountedEngine) and mounted.engine.answers_preflights:
            preflights = _Inside(run)
        return Plan(run=run, errors=errors, limits=limits, route=None, preflights=preflights)

    def _chain(self, middleware: Sequence[Middleware], call: Call, errors: ErrorResponder, where: str) -> Call:
        if not middleware:
            return call
        check_order((*self.app_middleware, *middleware), where)
        return compile_chain(self._injected(on_a_route(middleware, where)), _answering(call, errors), errors)

    def _authentication(self, place: Route | WebSocketRoute | Mount) -> Authentication | None:
        """What asks who the client is at a place; None where it was asked around all routes already."""
        authentication = self.authentications.of(place.auth_backend)
        return None if authentication in self.app_middleware else authentication

    def _with_authentication(self, middleware: Sequence[Middleware]) -> tuple[Middleware, ...]:
        """Put the backends of the app where they have a place among its middleware."""
        given = [self.blueprint.router.auth_backend, *(route.auth_backend for route in self.flat.routes)]
        given += [route.auth_backend for route in self.flat.websockets]
        given += [mount.auth_backend for mount in self.flat.mounts]
        for backend in given:
            self.programs.share(self.authentications.nodes(backend))
        return placed(middleware, self.authentications.of(self.blueprint.router.auth_backend))

    def _injected(self, middleware: Sequence[Middleware]) -> list[Middleware]:
        return [inject_middleware(layer, self.injector.of(layer)) for layer in middleware]

    def _share_what_middleware_asks_for(self) -> None:
        """A session that a middleware opened is the handler's session."""
        entries = [entry for route in self.flat.routes for entry in route.middleware]
        entries += [entry for mount in self.flat.mounts for entry in mount.middleware]
        layers = {id(layer): layer for layer in (*self.app_middleware, *self.installed.all(entries))}
        for layer in layers.values():
            self.programs.share(self.injector.call_of(layer).nodes)
        router = self.blueprint.router
        self.websockets.begin(self.app_middleware, router.websocket_middleware, router.exception_handlers)

    def _responder(self, levels: Sequence[Mapping[Any, Any]]) -> ErrorResponder:
        return ErrorResponder(
            levels,
            debug=self.settings.debug,
            observer=_observer(self.blueprint.emitter),
            injector=self.injector,
            threads=self.resources.threads,
        )

    def _limits(self, given: Limits | None, max_body_size: Any) -> Limits:
        limits = self.settings.limits if given is None else given
        return limits if max_body_size is NOT_GIVEN else replace(limits, max_body_size=max_body_size)

    def _lifespan(self) -> Lifespan:
        blueprint, settings = self.blueprint, self.settings
        return Lifespan(
            app=blueprint.app,
            state=blueprint.state,
            contexts=(*blueprint.contexts, *lives(layer for _, layer in self.resources.layers.values())),
            mounted=tuple(self.mounted.values()),
            on_startup=[inject_hook(hook, self.injector.of(hook)) for hook in blueprint.on_startup],
            on_shutdown=[inject_hook(hook, self.injector.of(hook)) for hook in blueprint.on_shutdown],
            emitter=blueprint.emitter,
            background=self.resources.background,
            threads=self.resources.threads,
            app_values=self.resources.app_values,
            startup_timeout=settings.startup_timeout,
            shutdown_grace=settings.shutdown_grace,
        )

    def _websockets(self) -> WebSocketPlans:
        return self.websockets.plans(self.settings, self._limits(None, NOT_GIVEN), self.blueprint.emitter, self.settle)

    def _report_shadowed(self) -> None:
        for shadow in _shadows(self.flat, self.templates):
            logger.warning("%s", shadow)


def _with_notes(flat: Flattened) -> Flattened:
    """What is mounted may be decorated, as `requires()(StaticFiles(...))`."""
    mounts = (
        msgspec.structs.replace(mount, dependencies=(*mount.dependencies, *notes_on(mount.app)))
        for mount in flat.mounts
    )
    return msgspec.structs.replace(flat, mounts=tuple(mounts))


def _shadows(flat: Flattened, templates: Templates) -> Iterator[str]:
    for shadow in shadowed(flat.routes, flat.mounts, templates=templates):
        yield str(shadow)


def _cancelled_on_disconnect(call: Call) -> Call:
    async def run(request: Request, response: Response) -> Any:
        async with cancel_on_disconnect(request._transport):
            return await call(request, response)

    return run


def _below(depth: int, mounted: MountedApp) -> Call:
    """What is mounted sees the path below its prefix of `depth` segments; the middleware around it, the whole."""

    async def run(request: Request, response: Response) -> Response:
        outer = request.root_path, request._rest
        prefix = request._rest.split("/", depth + 1)[: depth + 1]
        request.enter(request.root_path + "/".join(prefix))
        try:
            return await mounted(request, response)
        finally:
            request.root_path, request._rest = outer

    return run


class _Inside:
    """A mounted app that answers preflights itself."""

    def __init__(self, run: Call) -> None:
        self._run = run

    async def answer_preflight(self, request: Request, response: Response) -> Response:
        answer: Response = await self._run(request, response)
        return answer


def _answering(call: Call, errors: ErrorResponder) -> Link:
    """End a route's chain: what the handler returns, or raises, is a Response for the middleware around it."""

    async def answer(request: Request, *_: object) -> Response:
        response: Response = request._builder
        try:
            result = await call(request, response)
            try:
                answer = to_response(result, response)
                if type(answer.content) is FileContent:
                    await find_file(request, answer, answer.content)
                return answer
            except Exception as exc:
                note_failure(request, exc)
                raise
        except Exception as exc:
            return await errors.respond(request, exc)

    return answer


def _observer(emitter: EventEmitter) -> Callable[[Request, Exception], Awaitable[None]]:
    async def observe(request: Request, exc: Exception) -> None:
        await emitter.emit(ERROR, request, exc)

    return observe
