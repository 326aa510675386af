"""NexiosApp: where an application is put together, and the object that servers are given."""

import logging
from collections.abc import Callable, Iterable
from typing import Any, TypeVar, overload

from nexios._pipeline.compiler import Blueprint, MountedApp, compile_engine
from nexios._pipeline.engine import Engine
from nexios._pipeline.lifespan import Hook, LifespanContext
from nexios._pipeline.mounted import MountedEngine
from nexios._servers.asgi import ASGIApplication
from nexios._servers.life import Life
from nexios._servers.mounted import mounted
from nexios._servers.rsgi import RSGIApplication
from nexios.concurrency import Threads
from nexios.errors import ConfigurationError
from nexios.events.emitter import EventEmitter
from nexios.messages.state import State
from nexios.routing.flatten import flatten
from nexios.routing.registry import DEFAULT_CONVERTERS, ConverterRegistry
from nexios.routing.route import NOT_GIVEN, ExceptionHandlers, NotGiven
from nexios.routing.router import Router
from nexios.settings import Settings

__all__ = ["NexiosApp"]

H = TypeVar("H", bound=Hook)


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
        exception_handlers: ExceptionHandlers | None = None,
        max_body_size: int | NotGiven | None = NOT_GIVEN,
        **options: Any,
    ) -> None:
        """Make an app. `options` are fields of `Settings` (debug=, slashes=, limits=, ...).

        Settings come from the options, then from `NEXIOS_*` in the environment, then from
        the defaults; a `settings` object is taken as it is.

        Raises:
            ConfigurationError: Options or environment hold what is no setting; all faults at once.
                Or there are both a `settings` object and options.
        """
        super().__init__(middleware=middleware, exception_handlers=exception_handlers or {})
        self.max_body_size = max_body_size
        self.settings: Settings = _settings(settings, options)
        self.state: State = State()
        self.event_emitter: EventEmitter = EventEmitter()
        self.converters: ConverterRegistry = ConverterRegistry(DEFAULT_CONVERTERS)
        contexts = () if lifespan is None else (lifespan,) if callable(lifespan) else tuple(lifespan)
        self._contexts: tuple[LifespanContext, ...] = contexts
        self._startup: list[Hook] = []
        self._shutdown: list[Hook] = []
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

    @property
    def engine(self) -> Engine:
        """The compiled app; made on first use."""
        return self._engine or self.compile()

    def compile(self, settings: Settings | None = None) -> Engine:
        """Compile what is registered, and refuse further registration.

        With `settings` other than the app's own, a second engine is made beside the app's,
        for a test.

        Raises:
            ConfigurationError: Something does not fit; the text names the place and the fix.
        """
        if settings is None and self._engine is not None:
            return self._engine
        if self._compiling:
            raise ConfigurationError(f"{self!r} is mounted in itself, directly or by way of other apps.")
        self._compiling = True
        try:
            engine = compile_engine(self._blueprint(settings or self.settings))
        finally:
            self._compiling = False
        if settings is None:
            self._engine = engine
            self.freeze()
        return engine

    def _blueprint(self, settings: Settings) -> Blueprint:
        return Blueprint(
            app=self,
            router=self,
            settings=settings,
            state=self.state,
            emitter=self.event_emitter,
            converters=self.converters,
            contexts=self._contexts,
            on_startup=tuple(self._startup),
            on_shutdown=tuple(self._shutdown),
            adapt_mounted=_adapt_mounted,
        )

    def __repr__(self) -> str:
        return f"<NexiosApp {self.settings.title!r}>"


def _adapt_mounted(app: object, threads: Threads) -> MountedApp:
    """A nexios app gets an engine of its own below each parent, so that parents can live side by side."""
    if not isinstance(app, NexiosApp):
        return mounted(app, threads)
    if flatten(app).websockets:
        raise ConfigurationError(
            f"{app!r} has WebSocket routes, which are not served below a mount.\n"
            'Put its routes into a Router, and include that:\n\n    app.include_router(router, "/prefix")\n'
        )
    engine = app.compile(app.settings)
    app.freeze()
    return MountedEngine(engine)


def _settings(given: Settings | None, options: dict[str, Any]) -> Settings:
    if given is None:
        return Settings.from_environment(**options)
    if options:
        raise ConfigurationError(
            f"NexiosApp got a settings object and options as well ({', '.join(sorted(options))}).\n"
            "Put them into the one:\n\n    NexiosApp(settings=Settings(debug=True))\n"
        )
    return given
