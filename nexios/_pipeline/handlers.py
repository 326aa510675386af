"""How does a route's handler become one function of request and response, and what is known of it then?"""

import logging
from collections.abc import Sequence
from typing import Any

from nexios._injection.depend import Dependency
from nexios._injection.graph import Call, Graph, LeafOf, Node
from nexios._injection.program import Program, Programs
from nexios._pipeline.arguments import compile_arguments, line_of, name_of_route
from nexios._pipeline.call import compile_call
from nexios._pipeline.declared import declared_on
from nexios._pipeline.inputs.input import Input
from nexios._pipeline.middleware import Call as Handle
from nexios._pipeline.operation import Operation, WebSocketOperation, asked_of_clients
from nexios._pipeline.reading import reading_of
from nexios._pipeline.replies import compile_reply, type_of_result
from nexios._pipeline.sources import REQUEST, RESPONSE, WEBSOCKET, Offer, Sources, is_body
from nexios._pipeline.websocket_arguments import (
    Offering,
    WebSocketCall,
    compile_websocket_arguments,
    compile_websocket_call,
)
from nexios.concurrency import Threads
from nexios.errors import ConfigurationError
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.routing.route import Mount, Route, WebSocketRoute
from nexios.routing.template import Placeholder, Template

__all__ = ["Handlers"]

logger = logging.getLogger("nexios")


class Handlers:
    """Compiles the handlers of one app, with the providers that they share."""

    def __init__(self, app: object, graph: Graph, programs: Programs, sources: Sources, threads: Threads) -> None:
        self._app = app
        self._graph = graph
        self._programs = programs
        self._sources = sources
        self._threads = threads

    def compile(self, route: Route, template: Template, backends: Sequence[object] = ()) -> tuple[Handle, Operation]:
        """Return the handler with all that it asks for, and its description. `backends` authenticate its clients.

        Raises:
            ConfigurationError: Something that the handler, a guard or a provider asks for cannot be; the text
                names the route, the place and the fix.
        """
        offer = self._sources.offer(template.converters, route.methods)
        try:
            call = compile_arguments(route, template.parameters, self._graph, offer)
            guards = self.guards((*route.dependencies, *declared_on(route.handler)), offer)
            return self._compiled(route, template, call, guards, backends)
        except ConfigurationError as exc:
            if str(exc).startswith(name_of_route(route)):
                raise
            raise ConfigurationError(
                f"{name_of_route(route)} cannot be compiled: {exc}\n\n{line_of(route)}\n"
            ) from None

    def compile_websocket(
        self, route: WebSocketRoute, template: Template, backends: Sequence[object] = ()
    ) -> tuple[WebSocketCall, WebSocketOperation]:
        """Return the handler of a WebSocket with all that it asks for, and its description. Raises as `compile`."""
        offer = Offering(self._sources.offer_of_websocket(template.converters))
        try:
            call = compile_websocket_arguments(route, template.parameters, self._graph, offer)
            guards = self.guards((*route.dependencies, *declared_on(route.handler)), offer)
            program = self._programs.compile(call, guards=guards, first=(WEBSOCKET,), is_late=is_body)
            reading, inputs = reading_of(program, self._app)
        except ConfigurationError as exc:
            if str(exc).startswith("WEBSOCKET"):
                raise
            raise offer.refusal(route, str(exc)) from None
        asked = asked_of_clients(program, backends)
        operation = WebSocketOperation(route, _path_of(template), inputs, security=asked)
        return compile_websocket_call(call, program, reading), operation

    def guards(self, dependencies: Sequence[object], offer: LeafOf) -> list[Node]:
        """Return the nodes of what runs for its effect. A bare function is its own provider."""
        return [self._graph.node(_dependency(given), offer) for given in dependencies]

    def offer(self, template: Template, methods: Sequence[str]) -> Offer:
        """Return what requests of a template offer to guards and middleware."""
        return self._sources.offer(template.converters, methods)

    def guarded(self, mount: Mount, prefix: Template, inner: Handle) -> Handle:
        """Return `inner`, what is mounted, behind the guards around the mount."""
        if not mount.dependencies:
            return inner
        offer = self._sources.offer(prefix.converters, ())

        async def mounted(request: Request, response: Response) -> Any:
            return await inner(request, response)

        call = self._graph.call(mounted, offer)
        program = self._program(call, self.guards(mount.dependencies, offer))
        reading, _ = reading_of(program, self._app)
        return compile_call(call, program, reading, reply=None, path_names=(), threads=self._threads)

    def _compiled(
        self, route: Route, template: Template, call: Call, guards: Sequence[Node], backends: Sequence[object]
    ) -> tuple[Handle, Operation]:
        program = self._program(call, guards)
        reading, inputs = reading_of(program, self._app)
        _warn_of_unused(route, template, program, call)
        returns = type_of_result(route, self._graph.returns(route.handler))
        reply = compile_reply(route, returns)
        handle = compile_call(
            call, program, reading, reply=reply, path_names=template.parameters, threads=self._threads
        )
        operation = Operation(
            route=route,
            path=_path_of(template),
            inputs=inputs,
            returns=returns,
            status_code=route.status_code or 200,
            security=asked_of_clients(program, backends),
        )
        return handle if route.status_code is None else _with_status(handle, route.status_code), operation

    def _program(self, call: Call, guards: Sequence[Node]) -> Program:
        return self._programs.compile(call, guards=guards, first=(REQUEST, RESPONSE), is_late=is_body)


def _warn_of_unused(route: Route, template: Template, program: Program, call: Call) -> None:
    """A misspelt path parameter would be taken for one of the query without a word."""
    asked = {leaf.key for leaf in program.leaves if leaf not in (REQUEST, RESPONSE)}
    sees_request = any(argument.source == REQUEST for argument in call.arguments) or program.early or program.late
    named = {key[1] for key in asked if isinstance(key, tuple)}
    named |= {key.name for key in asked if isinstance(key, Input) and key.source == "path"}
    others = [key.name for key in asked if isinstance(key, Input) and key.source == "query"]
    unused = [name for name in template.parameters if name not in named]
    if unused and others and not sees_request:
        logger.warning(
            "%s: nothing takes the path parameter %s; is it meant by the query parameter %s?\n  %s",
            name_of_route(route),
            ", ".join(map(repr, unused)),
            ", ".join(map(repr, others)),
            route.location,
        )


def _path_of(template: Template) -> tuple[tuple[str, str], ...]:
    parts = (part for segment in template.segments for part in segment)
    return tuple((part.name, part.converter) for part in parts if isinstance(part, Placeholder))


def _dependency(given: object) -> Dependency:
    if isinstance(given, Dependency) and given.provider is not None:
        return given
    if callable(given):
        return Dependency(given)
    raise ConfigurationError(f"dependencies=[...] takes Depend(provider) or a provider, not {given!r}.")


def _with_status(handle: Handle, status_code: int) -> Handle:
    def run(request, response):  # type: ignore[no-untyped-def]  # annotations cost time on each request
        response.status_code = status_code
        return handle(request, response)

    return run
