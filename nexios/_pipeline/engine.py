"""How is a request answered? Match, run the plan, turn what comes back into a Response.

An Engine is what an app becomes when registration ends. It serves all requests of one
app, from any task of one event loop, and keeps nothing of a request.
"""

import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from nexios._injection.depend import Provider
from nexios._injection.graph import Node
from nexios._injection.manner import is_async
from nexios._pipeline.errors import ErrorResponder
from nexios._pipeline.injector import Injector, call_alone
from nexios._pipeline.lifespan import Lifespan
from nexios._pipeline.middleware import Link, Middleware, compile_chain
from nexios._pipeline.misses import Misses
from nexios._pipeline.operation import Operation
from nexios._pipeline.plan import Plan
from nexios._pipeline.reading import note_failure
from nexios._pipeline.resources import Resources
from nexios._pipeline.returns import to_response
from nexios._pipeline.special_layers import AnswersPreflights, Settle
from nexios._pipeline.stream_registry import OpenStreams
from nexios._pipeline.websocket import WebSocketPlans
from nexios.concurrency import BackgroundTasks, Threads
from nexios.errors import HTTPException, URITooLong
from nexios.events.emitter import EventEmitter
from nexios.events.names import REQUEST_FAILED, REQUEST_FINISHED, REQUEST_STARTED
from nexios.messages.content import FileContent, LiveContent
from nexios.messages.request import MatchedRoute, Request
from nexios.messages.response import BackgroundTask, Response
from nexios.messages.send import admit_stream, find_file
from nexios.places import name_of
from nexios.routing.matcher import Matcher
from nexios.routing.reverse import ReverseIndex
from nexios.settings import Limits

__all__ = ["Engine"]

logger = logging.getLogger("nexios")

_MAX_VARIANTS = 16
"""Engines with overrides that are kept for the next time."""

REQUEST_EVENTS = (REQUEST_STARTED, REQUEST_FINISHED, REQUEST_FAILED)


class Engine:
    """The compiled app: `handle(request)` gives a Response and never raises an Exception."""

    __slots__ = (
        "__weakref__",
        "_chain",
        "_errors",
        "_find",
        "_limits",
        "_make_variant",
        "_max_path_size",
        "_misses",
        "_of_app",
        "_overrides",
        "_reverse",
        "_settle",
        "_static",
        "_variants",
        "answers_preflights",
        "app",
        "background",
        "emitter",
        "handle",
        "injector",
        "lifespan",
        "operations",
        "resources",
        "streams",
        "threads",
        "websockets",
    )

    handle: Callable[[Request], Awaitable[Response]]
    """Answer one request; the shortest way through what this app has, chosen at compile."""

    def __init__(
        self,
        *,
        app: Any,
        matcher: Matcher[Plan],
        misses: Misses,
        middleware: Sequence[Middleware],
        settle: Settle | None,
        answers_preflights: bool,
        errors: ErrorResponder,
        limits: Limits,
        reverse: ReverseIndex,
        lifespan: Lifespan,
        emitter: EventEmitter,
        resources: Resources,
        websockets: WebSocketPlans,
        operations: Sequence[Operation],
        injector: Injector,
        of_app: Sequence[Node],
        overrides: Mapping[Any, Provider],
        variant: Callable[["Engine", Mapping[Any, Provider]], "Engine"],
    ) -> None:
        self.app: Any = app
        self.injector: Injector = injector
        self.operations: Sequence[Operation] = operations
        self.lifespan: Lifespan = lifespan
        self.emitter: EventEmitter = emitter
        self.resources: Resources = resources
        self.threads: Threads = resources.threads
        self.streams: OpenStreams = resources.streams
        self.background: BackgroundTasks = resources.background
        self.websockets: WebSocketPlans = websockets
        self._static = matcher.static
        self._find = matcher.find_dynamic
        self._misses = misses
        self._errors = errors
        self._limits = limits
        self._max_path_size = limits.max_path_size
        self._reverse = reverse
        self._chain: Link | None = compile_chain(middleware, self._innermost(), errors) if middleware else None
        self._settle = settle
        self.answers_preflights: bool = answers_preflights
        """Whether middleware of the app answers preflights, for all of its routes."""
        self._of_app = of_app
        self._overrides = dict(overrides)
        self._make_variant = variant
        self._variants: list[Engine] = []
        self._choose_handle()
        emitter.on_change(self._choose_handle)

    def _choose_handle(self) -> None:
        """Events are paid for where somebody listens, so the way is chosen anew when that changes."""
        handle = self._chain or self._handle_directly
        observed = any(self.emitter.has_listeners(name) for name in REQUEST_EVENTS)
        handle = self._handle_observed(handle) if observed else handle
        self.handle = handle if self._settle is None else self._handle_settled(handle, self._settle)

    async def _handle_directly(self, request: Request) -> Response:
        """No middleware: `_innermost` without the chain. Both hold the lines of `_match`, to save its call."""
        try:
            methods = self._static.get(request._rest)
            plan = methods.get(request.method) if methods is not None else None
            if plan is None:
                plan, request._path_params = self._further(request)
            request._target = plan
            response: Response = request._builder
            result: object = await plan.run(request, response)
            if result is response and type(response.content) is bytes:
                return response
            return await self._complete(request, response, result)
        except Exception as exc:
            return await self._respond(request, exc)

    def _innermost(self) -> Link:
        """Return the end of the chain: a miss becomes a Response here too, so all middleware sees it."""
        static, further, complete, respond = self._static, self._further, self._complete, self._respond

        async def answer(request: Request, *_: object) -> Response:
            response: Response = request._builder
            try:
                plan = request._target
                if plan is None:
                    methods = static.get(request._rest)
                    plan = methods.get(request.method) if methods is not None else None
                    if plan is None:
                        plan, request._path_params = further(request)
                    request._target = plan
                elif type(plan) is not Plan:
                    raise plan
                result: object = await plan.run(request, response)
                if result is response and type(response.content) is bytes:
                    return response
                return await complete(request, response, result)
            except Exception as exc:
                return await respond(request, exc)

        return answer

    def _match(self, request: Request) -> Plan:
        """Return the plan for the request: static paths by dict, the rest by the tree.

        Raises:
            HTTPException: 404, 405, 501 and their like.
        """
        methods = self._static.get(request._rest)
        plan = methods.get(request.method) if methods is not None else None
        if plan is None:
            plan, request._path_params = self._further(request)
        request._target = plan
        return plan

    def _further(self, request: Request) -> tuple[Plan, dict[str, Any]]:
        """Beyond the static paths: the tree, then what `Misses` knows."""
        path = request._rest
        if len(path) > self._max_path_size:
            raise URITooLong
        return self._find(request.method, path) or self._misses.resolve(request, path)

    async def _complete(self, request: Request, response: Response, result: Any) -> Response:
        try:
            answer = to_response(result, response)
            if answer is not response and answer.error is None:
                self._misses.note_discarded(request, response)
            if type(answer.content) is FileContent:
                await find_file(request, answer, answer.content)
            elif type(answer.content) is LiveContent:
                await admit_stream(request, answer.content)
            return answer
        except Exception as exc:
            plan = request._target
            if isinstance(exc, TypeError | ValueError) and type(plan) is Plan and plan.route is not None:
                exc.add_note(f"\n  {plan.route.location}   {name_of(plan.route.handler)}()")
            note_failure(request, exc)
            raise

    async def _respond(self, request: Request, exc: Exception) -> Response:
        target = request._target
        errors = target.errors if type(target) is Plan else self._errors
        return await errors.respond(request, exc)

    def _handle_observed(
        self, handle: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        emit = self.emitter.emit

        async def observed(request: Request) -> Response:
            try:
                await emit(REQUEST_STARTED, request)
                response = await handle(request)
                failed = response.error is not None and not isinstance(response.error, HTTPException)
                await emit(REQUEST_FAILED if failed else REQUEST_FINISHED, request, response)
            except Exception as exc:
                return await self._respond(request, exc)
            return response

        return observed

    def _handle_settled(
        self, handle: Callable[[Request], Awaitable[Response]], settle: Settle
    ) -> Callable[[Request], Awaitable[Response]]:
        respond = self._respond

        def settled(request: Request) -> Awaitable[Response]:
            try:
                settle(request)
            except Exception as exc:
                return respond(request, exc)
            return handle(request)

        return settled

    # What a request asks of its application (RequestContext)

    def route_of(self, request: Request) -> MatchedRoute | None:
        """Match now when nothing did before; a miss is kept and raised at the innermost link."""
        if request._target is None:
            try:
                self._match(request)
            except Exception as miss:
                request._target = miss
        target = request._target
        return target.route if type(target) is Plan else None

    def limits_of(self, request: Request) -> Limits:
        """The limits of the matched route, or the app's."""
        target = request._target
        if type(target) is not Plan:
            self.route_of(request)
            target = request._target
        return target.limits if type(target) is Plan else self._limits

    def preflights_of(self, request: Request) -> AnswersPreflights | None:
        """Who answers a preflight in place of the app: the middleware of the route that it asks for."""
        return self._misses.preflights(request)

    def url_path_for(self, name: str, params: Mapping[str, Any]) -> str:
        """The path of a named route of this app."""
        return self._reverse.path_for(name, **params)

    @property
    def own_overrides(self) -> Mapping[Any, Provider]:
        """What is replaced in this engine from its beginning: the overrides of a test client."""
        return self._overrides

    def with_overrides(self, overrides: Mapping[Any, Provider]) -> "Engine":
        """Return the engine in which these providers, and only these, are replaced; it shares the life of this one."""
        if overrides == self._overrides:
            return self
        for variant in self._variants:
            if variant._overrides == overrides:
                return variant
        variant = self._make_variant(self, overrides)
        self._variants = [variant, *self._variants][:_MAX_VARIANTS]
        return variant

    async def inject(self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Call `fn` with what it depends on; what was opened is closed when it ends. A request may be among `args`."""
        injected = self.injector.of(fn)
        if injected is None:
            result = fn(*args, **kwargs)
            return await result if inspect.isawaitable(result) else result
        request = next((given for given in args if isinstance(given, Request)), None)
        return await call_alone(injected, args, kwargs, request)

    # The life of the application

    async def start(self) -> None:
        """Run the app's startup; what had started is unwound when it fails."""
        await self.lifespan.start(self._of_app)

    async def stop(self) -> None:
        """Run the app's shutdown: streams, WebSockets and background tasks first, then hooks in reverse."""
        resources = self.resources
        resources.leave()
        try:
            await resources.sockets.close_all()
            await resources.streams.end_all()
        finally:
            resources.signals.forget()
        await self.lifespan.stop()

    async def finish(self, request: Request, response: Response | None, exc: BaseException | None = None) -> None:
        """After the exchange: close what providers opened, then run the background tasks, then let go of uploads.

        `response` is None when the exchange was cancelled before there was one; `exc` is what broke off the sending.
        """
        try:
            if request._scopes is not None:
                await request._scopes.finish(exc)
        finally:
            tasks = response.background if response is not None else None
            if tasks:
                self.background.spawn(self._run_background(request, tasks), name="response background tasks")
            else:
                await request.close()

    async def _run_background(self, request: Request, tasks: Sequence[BackgroundTask]) -> None:
        """In order; one that fails is logged, and the next still runs."""
        try:
            for fn, args, kwargs in tasks:
                try:
                    if is_async(fn):
                        await fn(*args, **kwargs)
                    else:
                        result = await self.threads.run_in_thread(fn, *args, **kwargs)
                        if inspect.isawaitable(result):  # a lambda around an async function
                            await result
                except Exception:
                    logger.exception("background task %s failed", getattr(fn, "__qualname__", fn))
        finally:
            await request.close()
