"""Which provider needs which? A graph of nodes, built once; what cannot work is an error with its place.

    handler ─► get_repo ─► get_session ─► get_pool (app)
                      └──► settings

A parameter is filled by `Depend`, by a leaf (what the caller of the graph knows: the request, a
path parameter, a typed input), by a provider registered for its type, or by its default.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from types import FunctionType, MethodType, NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin

import msgspec

from nexios._injection.depend import GUARDS, Depend, Dependency, Provider, ScopeName
from nexios._injection.manner import Manner, manner_of, yields_twice
from nexios._injection.signature import EMPTY, Parameter, signature_of
from nexios.errors import ConfigurationError
from nexios.places import name_of, place_of

__all__ = [
    "Argument",
    "Call",
    "Graph",
    "Leaf",
    "LeafOf",
    "Likeness",
    "Node",
    "dependency_of",
    "identity_of",
    "unknown_name",
]

_FUNCTIONS: Final = (FunctionType, MethodType)

_LIFE: Final[Mapping[ScopeName, int]] = {"handler": 0, "request": 1, "app": 2}
"""How long a value lives; one may lean only on those that live at least as long."""


class Leaf(msgspec.Struct, frozen=True):
    """A value that no provider makes. `key` says to the caller what it is; leaves of one key are one.

    A leaf that is there for the whole life of the app has the scope "app".
    """

    key: Hashable
    scope: ScopeName = "request"


LeafOf = Callable[[Parameter], Leaf | None]
"""Says which leaf fills a parameter, if one does."""


class Likeness(msgspec.Struct, frozen=True, cache_hash=True):
    """What two nodes have in common that would make the same value. Its hash is kept, as likenesses hold others."""

    owner: int
    """The id of the app whose value it is."""
    provider: Hashable
    options: Dependency
    sources: tuple[tuple[str, Hashable], ...]
    """What fills each parameter: the likeness of a node, or the key of a leaf."""


class Node(msgspec.Struct, frozen=True, eq=False):
    """A provider in its place: one value per scope, or per asker where it is not cached.

    `key` is the same for two nodes that share one value.
    """

    call: "Call"
    options: Dependency
    manner: Manner
    likeness: Likeness
    key: Hashable

    @property
    def scope(self) -> ScopeName:
        """How long its value lives."""
        return self.options.scope

    @property
    def is_context(self) -> bool:
        """Whether there is something to close."""
        return self.manner in (Manner.CONTEXT, Manner.ASYNC_CONTEXT) or self.options.limit is not None


class Argument(msgspec.Struct, frozen=True, eq=False):
    """What fills one parameter. After one that is left to its default, the others are given by name."""

    parameter: Parameter
    source: Node | Leaf
    by_name: bool


class Call(msgspec.Struct, frozen=True, eq=False):
    """A function, and what fills those of its parameters that are filled."""

    fn: Callable[..., Any]
    arguments: tuple[Argument, ...]

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The providers that it asks for itself."""
        return tuple(argument.source for argument in self.arguments if isinstance(argument.source, Node))


class _Walk(msgspec.Struct, frozen=True, eq=False):
    """One way into the graph: who knows its leaves, and the shared nodes that were met on it."""

    leaf_of: LeafOf
    met: dict[Hashable, Node]


class Graph:
    """The providers of one app, with overrides taken into account. Built and thrown away by compile.

    Raises:
        ConfigurationError: A cycle, a value that would outlive what it leans on, a parameter that
            nothing fills, or a generator that yields twice; with the place and the way to it.
    """

    def __init__(
        self,
        *,
        provided: Mapping[Any, Dependency] | None = None,
        overrides: Mapping[Any, Provider] | None = None,
        owner: object = None,
    ) -> None:
        """`owner` is whose values the nodes are: nodes of two owners are never the same."""
        self._owner = id(owner)
        self._provided = provided or {}
        self._overrides = overrides or {}
        self._nodes: dict[Hashable, Node] = {}
        self._signatures: dict[int, tuple[Provider, tuple[Parameter, ...], Any]] = {}
        self._manners: dict[int, tuple[Provider, Manner]] = {}

    def call(self, fn: Callable[..., Any], leaf_of: LeafOf, parameters: Sequence[Parameter] | None = None) -> Call:
        """Return how to call `fn`, whose parameters may be asked for in part (`parameters`)."""
        asked = self.parameters(fn) if parameters is None else parameters
        return self._call(fn, asked, _Walk(leaf_of, {}), ())

    def node(self, dependency: Dependency, leaf_of: LeafOf) -> Node:
        """Return the node of a dependency that no parameter asks for: a guard."""
        return self._node(dependency, _Walk(leaf_of, {}), ())

    def parameters(self, fn: Callable[..., Any]) -> tuple[Parameter, ...]:
        """Return the parameters of a function, read once and then the same objects."""
        return self._signature(fn)[1]

    def returns(self, fn: Callable[..., Any]) -> Any:
        """Return the annotation of what a function returns, as `returns_of` does; read with the parameters."""
        return self._signature(fn)[2]

    def _signature(self, fn: Callable[..., Any]) -> tuple[Provider, tuple[Parameter, ...], Any]:
        kept = self._signatures.get(id(fn))
        if kept is None:
            kept = self._signatures[id(fn)] = (fn, *signature_of(fn))
        return kept

    def forget(self) -> None:
        """Let go of what was read of functions; nodes that are made later equal those that were made before."""
        self._signatures.clear()
        self._manners.clear()
        self._nodes.clear()

    def is_provided(self, annotation: Any) -> bool:
        """Whether a provider is registered for the type."""
        return self._provided_for(annotation) is not None

    def _call(
        self, fn: Callable[..., Any], parameters: Sequence[Parameter], walk: _Walk, way: tuple[Provider, ...]
    ) -> Call:
        arguments: list[Argument] = []
        by_name = False
        for parameter in parameters:
            if type(parameter.default) in _FUNCTIONS and not _takes_a_function(parameter.annotation):
                raise _bare_provider(fn, parameter, way)
            if any(type(entry) in _FUNCTIONS for entry in parameter.metadata):
                raise _bare_metadata(fn, parameter, way)
            source = None if parameter.is_variadic else self._source(parameter, walk, way)
            by_name = by_name or source is None or parameter.is_keyword_only
            if source is not None:
                arguments.append(Argument(parameter, source, by_name))
            elif isinstance(parameter.annotation, str) and not parameter.is_variadic:
                raise unknown_name(fn, parameter, way)
            elif parameter.default is EMPTY and not parameter.is_variadic:
                raise _unfilled(fn, parameter, way)
        return Call(fn, tuple(arguments))

    def _source(self, parameter: Parameter, walk: _Walk, way: tuple[Provider, ...]) -> Node | Leaf | None:
        dependency = dependency_of(parameter)
        if dependency is not None:
            return self._node(dependency, walk, way)
        leaf = walk.leaf_of(parameter)
        if leaf is not None:
            return leaf
        provided = self._provided_for(parameter.annotation)
        return None if provided is None else self._node(provided, walk, way)

    def _provided_for(self, annotation: Any) -> Dependency | None:
        """Return the dependency that a type stands for; `T | None` stands for that of `T`."""
        for kind in (annotation, *_without_none(annotation)):
            try:
                provided = self._provided.get(kind)
            except TypeError:  # an annotation that cannot be a key
                continue
            if provided is not None:
                override = self._overrides.get(kind)
                return provided if override is None else msgspec.structs.replace(provided, provider=override)
        return None

    def _node(self, dependency: Dependency, walk: _Walk, way: tuple[Provider, ...]) -> Node:
        asked: Any = dependency.provider
        provider = self._overridden(asked)
        identity = identity_of(provider)
        if identity in map(identity_of, way):
            raise _cycle((*way, provider))
        options = msgspec.structs.replace(dependency, provider=None)
        met = (identity, options)
        node = walk.met.get(met)
        if node is None:
            node = self._new_node(provider, options, walk, way)
            if dependency.cache:
                walk.met[met] = node
        return node

    def _new_node(self, provider: Provider, options: Dependency, walk: _Walk, way: tuple[Provider, ...]) -> Node:
        manner = self._manner(provider)
        asked = self._asked(provider, way)
        if asked and _is_dependency(self.returns(provider)):
            raise _not_called(provider, way)
        if isinstance(getattr(provider, GUARDS, None), tuple):
            raise _guarded(provider, way)
        call = self._call(provider, asked, walk, (*way, provider))
        _check_positions(call)
        _check_lives(provider, options.scope, call, way)
        likeness = Likeness(self._owner, identity_of(provider), options, tuple(map(_source_of, call.arguments)))
        if not options.cache:
            return Node(call, options, manner, likeness, object())
        return self._nodes.setdefault(likeness, Node(call, options, manner, likeness, likeness))

    def _manner(self, provider: Provider) -> Manner:
        """Told once: looking for a second yield reads the source."""
        kept = self._manners.get(id(provider))
        if kept is None:
            kept = self._manners[id(provider)] = (provider, manner_of(provider))
            if kept[1] in (Manner.CONTEXT, Manner.ASYNC_CONTEXT) and yields_twice(provider):
                raise _twice(provider)
        return kept[1]

    def _asked(self, provider: Provider, way: tuple[Provider, ...]) -> tuple[Parameter, ...]:
        try:
            return self.parameters(provider)
        except ValueError:  # a builtin: called with nothing
            return ()
        except TypeError as exc:
            raise ConfigurationError(f"{provider!r} cannot be a provider: {exc}.{_asked_by(way)}") from None

    def _overridden(self, provider: Provider) -> Provider:
        try:
            return self._overrides.get(provider, provider)
        except TypeError:  # a callable object that is not hashable cannot be overridden
            return provider


def _without_none(annotation: Any) -> tuple[Any, ...]:
    parts = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else ()
    others = tuple(part for part in parts if part is not NoneType)
    return others if len(others) == 1 and len(parts) == 2 else ()


def dependency_of(parameter: Parameter) -> Dependency | None:
    """Return what `Depend` said of a parameter, as its default or in `Annotated`; None when it says nothing."""
    for entry in (parameter.default, *parameter.metadata):
        if entry is Depend:
            raise ConfigurationError(
                f"Depend of the parameter {parameter.name!r} is a function; call it:\n\n    Depend(provider)"
            )
    given = parameter.default if isinstance(parameter.default, Dependency) else None
    for item in parameter.metadata:
        given = given or (item if isinstance(item, Dependency) else None)
    if given is None or given.provider is not None:
        return given
    if not callable(parameter.annotation) or parameter.annotation is EMPTY:
        raise ConfigurationError(
            f"Depend() of the parameter {parameter.name!r} names no provider, and its annotation is no class.\n"
            f"Write {parameter.name}=Depend(provider)."
        )
    return msgspec.structs.replace(given, provider=parameter.annotation)


def _takes_a_function(annotation: Any) -> bool:
    """Whether a function may be a value of the type; what is no class says too little to deny it."""
    if get_origin(annotation) in (Union, UnionType):
        return any(map(_takes_a_function, get_args(annotation)))
    kind = get_origin(annotation) or annotation
    if not isinstance(kind, type):
        return True
    return kind is object or any("__call__" in vars(base) for base in kind.__mro__)


def identity_of(provider: Provider) -> Hashable:
    """Return what tells a provider from others, as a key: itself, or what stands for an object that cannot be one."""
    try:
        hash(provider)
    except TypeError:
        return "unhashable", id(provider)
    return provider


def _source_of(argument: Argument) -> tuple[str, Hashable]:
    source = argument.source
    return argument.parameter.name, source.likeness if isinstance(source, Node) else source.key


def _check_positions(call: Call) -> None:
    for argument in call.arguments:
        if argument.by_name and argument.parameter.kind is argument.parameter.kind.POSITIONAL_ONLY:
            raise ConfigurationError(
                f"The parameter {argument.parameter.name!r} of {name_of(call.fn)}() is positional-only, and one "
                f"before it is left to its default.\n\n{_line(call.fn)}\n\nTake the '/' out of it."
            )


def _check_lives(provider: Provider, scope: ScopeName, call: Call, way: tuple[Provider, ...]) -> None:
    for argument in call.arguments:
        if _LIFE[argument.source.scope] < _LIFE[scope]:
            raise _leak(provider, scope, argument, way)


def _line(provider: Provider) -> str:
    return f"  {place_of(provider)}   {name_of(provider)}()"


def _asked_by(way: Sequence[Provider]) -> str:
    return "\n\nIt is asked for by:\n" + "\n".join(map(_line, reversed(way))) if way else ""


def _cycle(way: Sequence[Provider]) -> ConfigurationError:
    circle = way[[identity_of(provider) for provider in way].index(identity_of(way[-1])) :]
    names = " -> ".join(name_of(provider) for provider in circle)
    lines = "\n".join(map(_line, circle[:-1]))
    return ConfigurationError(
        f"Dependencies go in a circle: {names}.\n\n{lines}\n\n"
        "Take one of them out, or move what both need into a provider of its own."
    )


def _twice(provider: Provider) -> ConfigurationError:
    return ConfigurationError(
        f"{name_of(provider)}() yields twice, and a provider yields its value once.\n\n{_line(provider)}\n\n"
        "What follows the one yield is the cleanup:\n\n    try:\n        yield value\n    finally:\n        ..."
    )


def _leak(provider: Provider, scope: ScopeName, argument: Argument, way: Sequence[Provider]) -> ConfigurationError:
    source, name = argument.source, argument.parameter.name
    what = f"{name_of(source.call.fn)}()" if isinstance(source, Node) else f"{name!r}"
    lines = [_line(provider), *([_line(source.call.fn)] if isinstance(source, Node) else [])]
    return ConfigurationError(
        f"{name_of(provider)}() lives as long as its {scope!r} scope, and needs {what}, which lives for one "
        f"{source.scope!r} only.\n\n" + "\n".join(lines) + f"{_asked_by(way)}\n\n"
        f"Give {name_of(provider)} the scope {source.scope!r}, or let it do without {what}."
    )


def unknown_name(fn: Callable[..., Any], parameter: Parameter, way: Sequence[Provider] = ()) -> ConfigurationError:
    """Return the error for an annotation that was not resolved.

    Passed over, it could be a guard that never runs: an alias of `Annotated[..., Depend(guard)]`.
    """
    return ConfigurationError(
        f"The annotation {parameter.annotation!r} of {parameter.name!r} names something that the module of "
        f"{name_of(fn)}() does not have.\n\n{_line(fn)}{_asked_by(way[:-1])}\n\n"
        "Import it outside of `if TYPE_CHECKING:`, and define it in the module and not inside a function "
        "(or leave out `from __future__ import annotations`)."
    )


def _bare_provider(fn: Callable[..., Any], parameter: Parameter, way: Sequence[Provider]) -> ConfigurationError:
    name, provider = parameter.name, name_of(parameter.default)
    depend = f"{name}=Depend({provider})" if parameter.annotation is EMPTY else f"{name}: ... = Depend({provider})"
    return ConfigurationError(
        f"The default of {name!r} of {name_of(fn)}() is the function {provider}, which nothing would call.\n\n"
        f"{_line(fn)}{_asked_by(way[:-1])}\n\n"
        f"To have what it makes, write:\n\n    {depend}\n\n"
        f"To have the function itself, say so:\n\n    {name}: Callable[..., Any] = {provider}"
    )


def _bare_metadata(fn: Callable[..., Any], parameter: Parameter, way: Sequence[Provider]) -> ConfigurationError:
    """Passed over, the client would say what the provider should: `user: Annotated[User, current_user]`."""
    name, provider = parameter.name, next(entry for entry in parameter.metadata if type(entry) in _FUNCTIONS)
    return ConfigurationError(
        f"The annotation of {name!r} of {name_of(fn)}() holds the function {name_of(provider)}, which nothing would "
        f"call.\n\n{_line(fn)}{_asked_by(way[:-1])}\n\n"
        f"To have what it makes, write:\n\n    {name}: Annotated[..., Depend({name_of(provider)})]"
    )


def _is_dependency(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Dependency)


def _not_called(provider: Provider, way: Sequence[Provider]) -> ConfigurationError:
    name = name_of(provider)
    return ConfigurationError(
        f"{name} makes a dependency when it is called, and is none itself.{_asked_by(way)}\n\n"
        f"Call it:\n\n    dependencies=[{name}()]"
    )


def _guarded(provider: Provider, way: Sequence[Provider]) -> ConfigurationError:
    return ConfigurationError(
        f"{name_of(provider)}() is a provider, and the guards that decorate it are for handlers: nothing would ask "
        f"them.\n\n{_line(provider)}{_asked_by(way)}\n\n"
        "Let it depend on the guard:\n\n"
        f"    async def {name_of(provider)}(..., user=Depend(requires(...))): ..."
    )


def _unfilled(fn: Callable[..., Any], parameter: Parameter, way: Sequence[Provider]) -> ConfigurationError:
    asked = _asked_by(way[:-1])
    return ConfigurationError(
        f"Nothing fills the parameter {parameter.name!r} of {name_of(fn)}().\n\n{_line(fn)}{asked}\n\n"
        f"Give it a provider, {parameter.name}=Depend(...), an annotation that says what it is, or a default."
    )
