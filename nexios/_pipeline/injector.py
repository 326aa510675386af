"""How do middleware, listeners, exception handlers and scripts get dependencies? Beside what their caller gives them.

A parameter with `Depend` or a marker, or of a type that is provided, is injected, by name; the
others are the caller's business. An annotation that names nothing may be an alias that hides a
`Depend`, so it is refused wherever it would be passed over without a word.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import msgspec

from nexios._injection.graph import Argument, Call, Graph, Leaf, dependency_of, unknown_name
from nexios._injection.program import Program, Programs, in_order
from nexios._injection.run import run
from nexios._injection.scopes import Scopes
from nexios._injection.signature import EMPTY, Parameter, parameters_of
from nexios._pipeline.inputs.markers import Marker
from nexios._pipeline.reading import Reading, read_head, reading_of
from nexios._pipeline.sources import REQUEST, RESPONSE, Offer, Sources
from nexios.errors import ConfigurationError
from nexios.places import name_of, place_of

_MAX_KEPT: Final = 4096
"""Functions whose needs are kept: those of an app, and some that are made on the way."""

_NONE: Final[Mapping[str, Any]] = MappingProxyType({})

_KNOWN_NAMES: Final = frozenset({"Request", "Response", "WebSocket", "CallNext", "WebSocketCallNext"})
"""What a caller gives, and hides no provider, though it may be imported for type checkers alone."""

__all__ = ["Injected", "Injector", "asks_for_something", "call_alone", "inject_hook", "refuse_unknown_names"]


class Injected(msgspec.Struct, frozen=True, eq=False):
    """A function, and what it is given besides its caller's arguments."""

    fn: Callable[..., Any]
    names: tuple[str, ...]
    program: Program
    reading: Reading
    asks_request: bool
    own: tuple[str, ...] = ()
    """The names of the caller's arguments, where an injected one stands before them; else they go by position."""

    async def call(
        self, *given: Any, scopes: Scopes, request: Any = None, response: Any = None, named: Mapping[str, Any] = _NONE
    ) -> Any:
        """Call the function, awaited if it is async.

        Raises:
            InvalidInput: A typed input does not fit.
            ConfigurationError: A provider asks for the request, and there is none.
        """
        if request is None and self.asks_request:
            raise ConfigurationError(
                f"{name_of(self.fn)}() needs a provider that asks for the request, and is called outside of one.\n\n"
                f"  {place_of(self.fn)}   {name_of(self.fn)}()"
            )
        values = self.program.blank.copy()
        values[:2] = request, response
        read_head(self.reading, values)
        names = self.names
        if self.own:
            given, named = given[len(self.own) :], {**dict(zip(self.own, given, strict=False)), **named}

        def call(*injected: Any) -> Any:
            return self.fn(*given, **{**named, **dict(zip(names, injected, strict=True))})

        return await run(self.program, values, scopes, call)


class Injector:
    """Says what the functions of one compiled app are injected with. What it finds is kept."""

    def __init__(self, app: object, graph: Graph, programs: Programs, sources: Sources) -> None:
        self._app = app
        self._graph = graph
        self._programs = programs
        self._offer = sources.offer({}, ("POST",))  # a body is found out, to be refused with the reason
        self._kept: dict[int, tuple[object, Injected | None]] = {}

    def of(self, fn: Callable[..., Any]) -> Injected | None:
        """Return what `fn` is injected with; None for a function that asks for nothing.

        Raises:
            ConfigurationError: What it asks for cannot be.
        """
        whole: Any = getattr(fn, "__func__", fn)  # a bound method is made anew for each object
        kept = self._kept.get(id(whole))
        if kept is None:
            if len(self._kept) >= _MAX_KEPT:
                self._kept.clear()
            kept = self._kept[id(whole)] = (whole, self._injected(fn))
        injected = kept[1]
        return injected if injected is None or injected.fn is fn else msgspec.structs.replace(injected, fn=fn)

    def names_of(self, fn: Callable[..., Any]) -> frozenset[str]:
        """Return the names of the parameters that are injected."""
        return frozenset(parameter.name for parameter in _parameters_of(fn) if self._is_injected(parameter))

    def call_of(self, fn: Callable[..., Any], offer: Offer | None = None) -> Call:
        """Return what fills the injected parameters of `fn`, those alone."""
        parameters = _parameters_of(fn)
        for parameter in parameters:
            if _is_unknown(parameter) and parameter.default is not EMPTY:  # without one its caller has to give it
                raise unknown_name(fn, parameter)
        asked = [parameter for parameter in parameters if self._is_injected(parameter)]
        return self._graph.call(fn, offer or self._offer, asked)

    def compiled(self, call: Call) -> Injected | None:
        """Return the program of what `call_of` found."""
        if not call.arguments:
            return None
        program = self._programs.compile(call, first=(REQUEST, RESPONSE))
        reading, _ = reading_of(program, self._app)
        if reading.body is not None:
            raise ConfigurationError(
                f"{name_of(call.fn)}() asks for the body, which belongs to handlers.\n\n"
                f"  {place_of(call.fn)}   {name_of(call.fn)}()\n\n"
                "Take the request, and read it:\n\n    await request.json()"
            )
        names = tuple(argument.parameter.name for argument in call.arguments)
        own = _own_after_injected(_parameters_of(call.fn), names)
        return Injected(call.fn, names, program, reading, _asks_request(call), own)

    def _injected(self, fn: Callable[..., Any]) -> Injected | None:
        return self.compiled(self.call_of(fn))

    def _is_injected(self, parameter: Parameter) -> bool:
        marked = any(isinstance(given, Marker) for given in (parameter.default, *parameter.metadata))
        return marked or dependency_of(parameter) is not None or self._graph.is_provided(parameter.annotation)


def inject_hook(hook: Callable[[], Any], injected: Injected | None) -> Callable[[], Any]:
    """Return a hook of the app's life as a function without arguments; what it opened is closed when it ends."""
    if injected is None:
        return hook
    if any(one.default is EMPTY and not one.is_variadic for one in _others(hook, injected)):
        refuse_unknown_names(hook)

    async def with_dependencies() -> Any:
        return await call_alone(injected, (), {})

    with_dependencies.__qualname__ = getattr(hook, "__qualname__", type(hook).__qualname__)
    return with_dependencies


async def call_alone(
    injected: Injected, args: tuple[Any, ...], kwargs: Mapping[str, Any], request: object = None
) -> Any:
    """Call a function in scopes of its own, which are closed when it ends."""
    scopes = Scopes()
    try:
        result = await injected.call(*args, scopes=scopes, request=request, named=kwargs)
    except BaseException as exc:
        await scopes.finish(exc)
        raise
    await scopes.close()
    return result


def _others(fn: Callable[..., Any], injected: Injected) -> list[Parameter]:
    return [one for one in _parameters_of(fn) if one.name not in injected.names]


def _own_after_injected(parameters: Sequence[Parameter], names: Sequence[str]) -> tuple[str, ...]:
    by_position = [one.name for one in parameters if not one.is_variadic and not one.is_keyword_only]
    own = tuple(name for name in by_position if name not in names)
    return () if tuple(by_position[: len(own)]) == own else own


def asks_for_something(fn: Callable[..., Any]) -> bool:
    """Whether a function has a parameter with `Depend`, or with an annotation that may hide one."""
    return any(_is_unknown(one) or dependency_of(one) is not None for one in _parameters_of(fn))


def refuse_unknown_names(fn: Callable[..., Any]) -> None:
    """Refuse annotations that name nothing, in a function that asks for more than its caller gives.

    Raises:
        ConfigurationError: There is one; the text has its place.
    """
    for parameter in _parameters_of(fn):
        if _is_unknown(parameter):
            raise unknown_name(fn, parameter)


def _parameters_of(fn: Callable[..., Any]) -> tuple[Parameter, ...]:
    try:
        return parameters_of(fn)
    except (TypeError, ValueError):  # a builtin
        return ()


def _is_unknown(parameter: Parameter) -> bool:
    """Whether the annotation could not be resolved; of `nexios.Request | None` the last words are looked at."""
    if not isinstance(parameter.annotation, str) or parameter.is_variadic:
        return False
    words = (word.strip().rpartition(".")[2] for word in parameter.annotation.split("|"))
    return not _KNOWN_NAMES.union(("None",)).issuperset(words)


def _asks_request(call: Call) -> bool:
    """Whether a provider, at first or second hand, leans on something that a request alone has."""
    calls = [call, *(node.call for node in in_order(call.nodes) if node.scope != "app")]
    return any(_is_of_request(argument) for one in calls for argument in one.arguments)


def _is_of_request(argument: Argument) -> bool:
    return isinstance(argument.source, Leaf) and argument.source.scope != "app"
