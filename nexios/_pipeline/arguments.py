"""Which handler parameter is filled from where? Decided once, when the app compiles.

request, response   by position, name or annotation
path parameters     by name; `**kwargs` takes all that are left
dependencies        by `Depend`, or by their type
typed inputs        by a marker, or by their annotation
the rest            must have defaults
"""

import inspect
from collections.abc import Sequence
from typing import Any, Final

from nexios._injection.graph import Call, Graph, Leaf, dependency_of
from nexios._injection.manner import is_async
from nexios._injection.signature import EMPTY, Parameter
from nexios._pipeline.sources import REQUEST, REQUEST_NAMES, RESPONSE, RESPONSE_NAMES, Offer
from nexios.errors import ConfigurationError
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.places import name_of
from nexios.routing.route import Route

__all__ = ["compile_arguments", "line_of", "name_of_route", "with_path_params"]

_OURS: Final = (Request, Response)


def compile_arguments(route: Route, path_names: Sequence[str], graph: Graph, offer: Offer) -> Call:
    """Return what fills the parameters of the route's handler.

    Raises:
        ConfigurationError: Nothing fills a parameter, or what should fill it does not work; the text says
            which and how to mend it.
    """
    _refuse_generator(route)
    parameters = graph.parameters(route.handler)
    _refuse_clash(route, parameters, path_names)
    positional = _by_position(parameters, path_names, graph, offer)
    expanded = with_path_params(parameters, path_names)

    def leaf_of(parameter: Parameter) -> Leaf | None:
        return positional.get(parameter.name) or offer(parameter)

    for parameter in expanded:
        if not _is_filled(parameter, positional, graph, offer):
            raise _nothing_fills(route, parameter.name, path_names)
    call = graph.call(route.handler, leaf_of, expanded)
    for argument in call.arguments:
        if argument.by_name and argument.parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
            raise _positional_only(route, argument.parameter.name)
    return call


def _by_position(
    parameters: Sequence[Parameter], path_names: Sequence[str], graph: Graph, offer: Offer
) -> dict[str, Leaf]:
    """The first two may have any name, where no other parameter is the request or the response."""
    named = {_leaf_by_name(parameter) for parameter in parameters if parameter.name not in path_names}
    found: dict[str, Leaf] = {}
    for leaf, parameter in zip((REQUEST, RESPONSE), parameters, strict=False):
        if leaf not in named and _may_be_either(parameter) and not _is_filled(parameter, {}, graph, offer):
            found[parameter.name] = leaf
    by_name = {parameter.name: _leaf_by_name(parameter) for parameter in parameters}
    return found | {name: leaf for name, leaf in by_name.items() if leaf is not None and name not in path_names}


def _leaf_by_name(parameter: Parameter) -> Leaf | None:
    """`request` and `response` of a handler are what they are called, whatever their annotation says."""
    if dependency_of(parameter) is not None:
        return None
    return REQUEST if parameter.name in REQUEST_NAMES else RESPONSE if parameter.name in RESPONSE_NAMES else None


def _may_be_either(parameter: Parameter) -> bool:
    """A parameter annotated with another class waits for a body or a provider, and must not be given the Request."""
    positional = parameter.kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    kind = parameter.annotation
    if kind is EMPTY or kind in (Any, object):
        return positional
    is_ours = isinstance(kind, type) and (issubclass(kind, _OURS) or getattr(kind, "_is_protocol", False))
    return positional and is_ours


def _is_filled(parameter: Parameter, given: dict[str, Leaf], graph: Graph, offer: Offer) -> bool:
    return (
        parameter.name in given
        or parameter.is_variadic
        or parameter.default is not EMPTY
        or dependency_of(parameter) is not None
        or offer(parameter) is not None
        or graph.is_provided(parameter.annotation)
    )


def with_path_params(parameters: Sequence[Parameter], path_names: Sequence[str]) -> tuple[Parameter, ...]:
    """Let `**kwargs` stand for the path parameters that have no parameter of their own."""
    if not any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters):
        return tuple(parameters)
    named = {parameter.name for parameter in parameters}
    others = (Parameter(name, EMPTY, (), EMPTY, inspect.Parameter.KEYWORD_ONLY) for name in path_names)
    return (*parameters, *(parameter for parameter in others if parameter.name not in named))


def _refuse_generator(route: Route) -> None:
    if inspect.isasyncgenfunction(route.handler) or inspect.isgeneratorfunction(route.handler):
        name = name_of(route.handler)
        raise ConfigurationError(
            f"{name_of_route(route)} cannot be compiled: {name}() is a generator, which is no response.\n\n"
            f"  {route.location}   {name}{inspect.signature(route.handler)}\n\n"
            f"Stream what it makes:\n\n    return response.stream({name}())\n"
        )


def _refuse_clash(route: Route, parameters: Sequence[Parameter], path_names: Sequence[str]) -> None:
    """`request` would be a text where everybody expects the Request."""
    for name in (parameter.name for parameter in parameters):
        if name in path_names and name in REQUEST_NAMES | RESPONSE_NAMES:
            raise ConfigurationError(
                f"{name_of_route(route)} cannot be compiled: {name!r} is a path parameter of {route.template!r} and "
                f"what {name_of(route.handler)}() calls the {name}.\n\n{line_of(route)}\n\n"
                f"Give the path parameter another name:\n\n    {{{name}_id}}\n"
            )


def _nothing_fills(route: Route, name: str, path_names: Sequence[str]) -> ConfigurationError:
    has = f"it has {', '.join(path_names)}" if path_names else "it has none"
    return ConfigurationError(
        f"{name_of_route(route)} cannot be compiled: "
        f"nothing fills the parameter {name!r} of {name_of(route.handler)}().\n\n{line_of(route)}\n\n"
        f"A parameter after (request, response) is a path parameter of {route.template!r} ({has}), "
        "has a default, or says where it comes from:\n\n"
        f"    {name}: int                  the query parameter {name!r}\n"
        f"    {name}: Model                the body, where Model is a Struct, dataclass or pydantic model\n"
        f"    {name}=Depend(get_{name})    what a provider makes\n"
    )


def _positional_only(route: Route, name: str) -> ConfigurationError:
    return ConfigurationError(
        f"{name_of_route(route)} cannot be compiled: the parameter {name!r} of {name_of(route.handler)}() "
        f"is positional-only, and one before it is left to its default.\n\n{line_of(route)}\n\n"
        "Take the '/' out of it.\n"
    )


def name_of_route(route: Route) -> str:
    """Return methods and template; the HEAD that a GET implies goes without saying."""
    methods = [method for method in route.methods if method != "HEAD" or "GET" not in route.methods]
    return f"{'/'.join(methods)} {route.template}"


def line_of(route: Route) -> str:
    """Return the line where the handler is written, and what it takes."""
    function = "async def" if is_async(route.handler) else "def"
    return f"  {route.location}   {function} {name_of(route.handler)}{inspect.signature(route.handler)}"
