"""NexiosApp: where an application is put together, and the object that servers are given."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, MutableMapping
from contextlib import AbstractContextManager, asynccontextmanager
from typing import Any, Final, Self, TypeVar, Unpack, overload

from nexios._injection.depend import Depend, Dependency, DependOptions, Provider
from nexios._pipeline.compiler import Blueprint, MountedApp, compile_engine
from nexios._pipeline.engine import Engine
from nexios._pipeline.in_use import engine_in_use
from nexios._pipeline.injector import asks_for_something
from nexios._pipeline.lifespan import Hook, LifespanContext
from nexios._pipeline.mounted import MountedEngine
from nexios._pipeline.overrides import Overrides
from nexios._servers.asgi import ASGIApplication
from nexios._servers.life import Life
from nexios._servers.mounted import mounted
from nexios._servers.rsgi import RSGIApplication
from nexios.concurrency import Threads
from nexios.errors import ConfigurationError
from nexios.events.emitter import EventEmitter, Listener
from nexios.messages.state import State
from nexios.openapi.config import OpenAPI
from nexios.openapi.documents import Documents
from nexios.routing.registry import DEFAULT_CONVERTERS, ConverterRegistry
from nexios.routing.route import NOT_GIVEN, ExceptionHandlers, NotGiven
from nexios.routing.router import Router
from nexios.settings import Settings
from nexios.static.files import StaticFiles
from nexios.websockets.backends.base import ChannelBackend
from nexios.websockets.channel import Channel, ChannelGroup
from nexios.websockets.hub import Hub
from nexios.websockets.life import HubLife

__all__ = ["NexiosApp"]

H = TypeVar("H", bound=Hook)
P = TypeVar("P", bound=Provider)
T = TypeVar("T")

_DESCRIBED: Final = OpenAPI()
"""What holds for an app that says nothing about its document."""


class NexiosApp(Router, ASGIApplication, RSGIApplication):
    """An application: routes, middleware, hooks and settings; served over ASGI and RSGI.

    Everything is registered before the first request; then the app compiles, and
    registering more is a `ConfigurationError`. Apps share nothing with each other.

    >>> app = NexiosApp()
    >>> @app.get("/hello/{name}")
    ... async def hello(request, response, name):
    ...     return {"hello": name}
    >>> app.url_for("hello", name="ada")
    '/hello/ada'
    """

    def __init__(
        self,
        *,
        settings: Settings | None = None,
        lifespan: LifespanContext | Iterable[LifespanContext] | None = None,
        middleware: Iterable[object] = (),
        websocket_middleware: Iterable[object] = (),
        exception_handlers: ExceptionHandlers | None = None,
        dependencies: Iterable[object] = (),
        openapi: OpenAPI | Iterable[OpenAPI] | None = _DESCRIBED,
        channels: ChannelBackend | Hub | None = None,
        max_body_size: int | NotGiven | None = NOT_GIVEN,
        **options: Any,
    ) -> None:
        """Make an app. `options` are fields of `Settings` (debug=, slashes=, limits=, ...).

        `dependencies` run before every handler. `openapi` says how the API describes itself, or
        where its several documents are; None switches the document and its pages off.
        `channels` is the way of channels to other processes: a backend, or a whole `Hub`; without it they
        are in memory.

        Settings come from the options, then from `NEXIOS_*` in the environment, then from
        the defaults; a `settings` object is taken as it is.

        Raises:
            ConfigurationError: Options or environment hold what is no setting; all faults at once.
                Or there are both a `settings` object and options.
        """
        super().__init__(
            middleware=middleware,
            websocket_middleware=websocket_middleware,
            exception_handlers=exception_handlers or {},
            dependencies=dependencies,
        )
        self.max_body_size = max_body_size
        self.settings: Settings = _settings(settings, options)
        self._documents = Documents(openapi, title=self.settings.title, version=self.settings.version)
        self.restarting: bool = self.settings.restarting
        """Whether another process takes the place of this one when it stops; may be set until then."""
        self.state: State = State()
        self.event_emitter: EventEmitter = EventEmitter(self._call_listener)
        self.hub: Hub = channels if isinstance(channels, Hub) else Hub(channels)
        self.hub.events = self.hub.events or self.event_emitter
        self.converters: ConverterRegistry = ConverterRegistry(DEFAULT_CONVERTERS)
        contexts = () if lifespan is None else (lifespan,) if callable(lifespan) else tuple(lifespan)
        self._provided: dict[Any, Dependency] = {}
        self._overrides = Overrides(self._choose_engine)
        self._contexts: tuple[LifespanContext, ...] = (*contexts, HubLife(self.hub))
        self._startup: list[Hook] = []
        self._shutdown: list[Hook] = []
        self._base: Engine | None = None
        self._engine: Engine | None = None
        self._life: Life | None = None
        self._compiling = False

    @property
    def debug(self) -> bool:
        """Whether errors are shown to the client. Off unless asked for."""
        return self.settings.debug

    @property
    def logger(self) -> logging.Logger:
        """The logger that nexios writes to; handlers and levels are yours to set."""
        return logging.getLogger("nexios")

    @property
    def events(self) -> EventEmitter:
        """Another name for `event_emitter`."""
        return self.event_emitter

    @overload
    def on_startup(self, hook: H, /) -> H: ...
    @overload
    def on_startup(self, hook: None = None, /) -> Callable[[H], H]: ...
    def on_startup(self, hook: Any = None, /) -> Any:
        """Run a function when the app starts: `@app.on_startup`, `@app.on_startup()` or `app.on_startup(fn)`.

        Hooks run in order. One that raises stops the start, and the server is told.
        """
        return self._add_hook(self._startup, hook)

    @overload
    def on_shutdown(self, hook: H, /) -> H: ...
    @overload
    def on_shutdown(self, hook: None = None, /) -> Callable[[H], H]: ...
    def on_shutdown(self, hook: Any = None, /) -> Any:
        """Run a function when the app stops, in the same three forms.

        The last registered runs first; one that raises is logged and the others still run.
        They run after a failed start too.
        """
        return self._add_hook(self._shutdown, hook)

    def _add_hook(self, hooks: list[Hook], hook: Hook | None) -> Any:
        def register(hook: H) -> H:
            self._open_place()
            hooks.append(hook)
            return hook

        return register if hook is None else register(hook)

    def register_path_converter(self, name: str, converter: object = None, **options: Any) -> None:
        """Add a path converter for this app alone; see `nexios.routing.register_path_converter`."""
        self._open_place()
        self.converters.register(name, converter, **options)

    def url_for(self, name: str, /, **params: Any) -> str:
        """Return the path of a named route, percent-encoded. Compiles the app.

        Raises:
            NoSuchRoute: There is no such route, or the parameters do not fit it.
        """
        return self.engine.url_path_for(name, params)

    def channel(self, name: str) -> Channel:
        """Return the channel of this app called `name`, which a client may choose: it is never a pattern.

        From handlers, jobs and listeners: `await app.channel("room:1").publish({"text": "hello"})`.
        """
        return Channel(name, self.hub)

    def channels(self, pattern: str) -> ChannelGroup:
        """Return all channels whose names begin like `pattern`, which ends in `*`.

        `await app.channels("room:*").publish("closing at nine")`.
        """
        return ChannelGroup(pattern, self.hub)

    # Dependencies

    @overload
    def provide(self, kind: Any, provider: None = None, /, **options: Unpack[DependOptions]) -> Callable[[P], P]: ...
    @overload
    def provide(self, kind: Any, provider: P, /, **options: Unpack[DependOptions]) -> P: ...
    def provide(self, kind: Any, provider: Any = None, /, **options: Unpack[DependOptions]) -> Any:
        """Let `provider` fill every parameter that is annotated with the type `kind`; or decorate it.

        The options are those of `Depend`. `session: Session` in a handler, a provider, a middleware or a
        listener then suffices.

        Raises:
            ConfigurationError: The type is provided already, the provider cannot be called, or the app is compiled.

        >>> app = NexiosApp()
        >>> @app.provide(int, scope="app")
        ... def answer(): return 42
        """
        place = self._open_place()

        def register(provider: P) -> P:
            if kind in self._provided:
                raise ConfigurationError(f"{kind!r} is provided already.\n\n  {place}\n\nReplace it by an override.")
            self._provided[kind] = Depend(provider, **options)
            return provider

        return register if provider is None else register(provider)

    @property
    def dependency_overrides(self) -> MutableMapping[Any, Provider]:
        """What runs in place of a provider, or of a provided type: `app.dependency_overrides[get_db] = fake_db`.

        For tests. It holds for the whole app; `override` and `TestClient(app, overrides=...)` hold for less.
        """
        return self._overrides

    @dependency_overrides.setter
    def dependency_overrides(self, replacements: Mapping[Any, Provider]) -> None:
        self._overrides.replace(replacements)

    def override(self, replacements: Mapping[Any, Provider]) -> AbstractContextManager[None]:
        """Replace providers in a block, and in the tasks started in it: `with app.override({get_db: fake_db}):`."""
        return self._overrides.replacing(replacements)

    @overload
    async def inject(self, fn: Callable[..., Awaitable[T]], /, *args: Any, **kwargs: Any) -> T: ...
    @overload
    async def inject(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> T: ...
    async def inject(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Call a function with its dependencies, in a script or a task: `await app.inject(send_report, "march")`.

        Parameters that no dependency fills are the arguments given here. What providers opened is
        closed when the function ends; dependencies of the scope "app" stay until the app stops.

        Raises:
            ConfigurationError: A provider asks for the request, and there is none.
        """
        return await self.engine.inject(fn, args, kwargs)

    def openapi(self, path: str | None = None) -> dict[str, Any]:
        """Return the OpenAPI document that is served at `path`, or the first, as plain data: for scripts and tests.

        Raises:
            ConfigurationError: There is no such document, or a route is described wrongly.
        """
        return self._documents.build(path, self.engine.operations, self.converters)

    def asyncapi(self, path: str | None = None) -> dict[str, Any]:
        """Return the AsyncAPI document that is served at `path`, or the first; its servers are those of the settings.

        Raises:
            ConfigurationError: There is no such document, or a route is described wrongly.
        """
        engine = self.engine
        return self._documents.build_asyncapi(path, engine.operations, engine.websockets.operations, self.converters)

    def _call_listener(self, listener: Listener, args: tuple[object, ...], kwargs: Mapping[str, object]) -> Any:
        """Call a listener with what it depends on. For one that asks for nothing, the app is not compiled."""
        engine = self.engine if self._base is not None or engine_in_use(self) or asks_for_something(listener) else None
        return listener(*args, **kwargs) if engine is None else engine.inject(listener, args, kwargs)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """Start the app without a server, and stop it at the end of the block: for scripts that `inject`."""
        engine = self.engine
        await engine.start()
        try:
            yield self
        finally:
            await engine.stop()

    # Compile

    @property
    def engine(self) -> Engine:
        """The compiled app, with the overrides in force here; made on first use."""
        return self._with_overrides_of(engine_in_use(self) or self._base or self.compile())

    def _with_overrides_of(self, engine: Engine) -> Engine:
        """Return an engine of this app with the overrides that are in force here."""
        return engine.with_overrides(self._overrides.in_force(engine.own_overrides))

    def compile(self, settings: Settings | None = None, overrides: Mapping[Any, Provider] | None = None) -> Engine:
        """Compile what is registered, and refuse further registration.

        With `settings` other than the app's own, or with `overrides`, a second engine is made
        beside the app's, for a test.

        Raises:
            ConfigurationError: Something does not fit; the text names the place and the fix.
        """
        own = settings is None and overrides is None
        if own and self._base is not None:
            return self._base
        if self._compiling:
            raise ConfigurationError(f"{self!r} is mounted in itself, directly or by way of other apps.")
        self._compiling = True
        try:
            engine = compile_engine(self._blueprint(settings or self.settings, overrides or {}))
        finally:
            self._compiling = False
        self._documents.check(engine.operations, engine.websockets.operations)
        if own:
            self._base = engine
            self._choose_engine()
            self.freeze()
        return engine

    def _choose_engine(self) -> None:
        """The servers take `_engine`; where there is none they ask for `engine`, which looks at overrides."""
        self._engine = None if self._overrides or self._overrides.entered else self._base

    def _blueprint(self, settings: Settings, overrides: Mapping[Any, Provider]) -> Blueprint:
        return Blueprint(
            app=self,
            router=self,
            additions=self._documents.routers(
                lambda: self.engine.operations, lambda: self.engine.websockets.operations, self.converters
            ),
            settings=settings,
            state=self.state,
            emitter=self.event_emitter,
            converters=self.converters,
            provided=self._provided,
            overrides=overrides,
            contexts=self._contexts,
            on_startup=tuple(self._startup),
            on_shutdown=tuple(self._shutdown),
            adapt_mounted=_adapt_mounted,
        )

    def __repr__(self) -> str:
        return f"<NexiosApp {self.settings.title!r}>"


def _adapt_mounted(app: object, threads: Threads) -> MountedApp:
    """A nexios app gets an engine of its own below each parent, so that parents can live side by side."""
    if isinstance(app, StaticFiles):
        return app.mounted()
    if not isinstance(app, NexiosApp):
        return mounted(app, threads)
    engine = app.compile(app.settings)
    app.freeze()
    return MountedEngine(engine, app._with_overrides_of)


def _settings(given: Settings | None, options: dict[str, Any]) -> Settings:
    if given is None:
        return Settings.from_environment(**options)
    if options:
        raise ConfigurationError(
            f"NexiosApp got a settings object and options as well ({', '.join(sorted(options))}).\n"
            "Put them into the one:\n\n    NexiosApp(settings=Settings(debug=True))\n"
        )
    return given
