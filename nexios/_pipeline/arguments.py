"""Which handler parameter is filled from where? Decided once, when the app compiles.

    request, response   by position, name or annotation
    path parameters     by name; `**kwargs` takes all that are left
    the rest            must have defaults

The plainest handler, async and (request, response), is its own plan: nothing is put in front of it.
"""

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import msgspec

from nexios._pipeline.middleware import Call
from nexios.concurrency import Threads
from nexios.errors import ConfigurationError
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.routing.place import name_of
from nexios.routing.route import Route

__all__ = ["Arguments", "compile_arguments", "compile_call", "is_async"]

_REQUEST_NAMES = frozenset({"request", "req"})
_PLAIN_DATA = (str, bytes, int, float, bool, dict, list)
_PLAIN_DATA_NAMES = tuple(kind.__name__ for kind in _PLAIN_DATA)
_RESPONSE_NAMES = frozenset({"response", "res"})


class Arguments(msgspec.Struct, frozen=True):
    """Where the arguments of one handler come from; names of parameters, in their order."""

    request: str | None
    response: str | None
    path: tuple[str, ...]
    takes_all: bool
    """The handler has `**kwargs`, which take the path parameters it does not name."""
    leads: bool
    """Request and response are its first two parameters, in this order."""
    plain: bool
    """Called as handler(request, response), with nothing else."""


def compile_arguments(route: Route, path_names: Sequence[str]) -> Arguments:
    """Return where the parameters of the route's handler come from.

    Raises:
        ConfigurationError: Nothing fills a parameter; the text says which and how to mend it.
    """
    _refuse_generator(route)
    parameters = list(inspect.signature(route.handler).parameters.values())
    _refuse_clash(route, parameters, path_names)
    roles = _roles(parameters, path_names)
    by_role = {role: tuple(name for name, has in roles.items() if has == role) for role in set(roles.values())}
    leads = all(map(_is_positional, parameters[:2])) and list(roles.values())[:2] == ["request", "response"]
    plain = leads and not by_role.keys() & {"path", "all"}
    for parameter in parameters:
        if roles[parameter.name] == "unfilled":
            raise _nothing_fills(route, parameter.name, path_names)
        if parameter.kind is parameter.POSITIONAL_ONLY and not (plain and is_async(route.handler)):
            raise _positional_only(route, parameter.name)
    return Arguments(
        request=next(iter(by_role.get("request", ())), None),
        response=next(iter(by_role.get("response", ())), None),
        path=by_role.get("path", ()),
        takes_all="all" in by_role,
        leads=leads,
        plain=plain,
    )


def _roles(parameters: Sequence[inspect.Parameter], path_names: Sequence[str]) -> dict[str, str]:
    """By name and annotation; then the first two by position, where no other parameter has that role."""
    roles = {parameter.name: _role(parameter, path_names) for parameter in parameters}
    for role, parameter in zip(("request", "response"), parameters, strict=False):
        if roles[parameter.name] == "unfilled" and role not in roles.values() and _may_be_either(parameter):
            roles[parameter.name] = role
    return roles


def _is_positional(parameter: inspect.Parameter) -> bool:
    return parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)


def _may_be_either(parameter: inspect.Parameter) -> bool:
    """A parameter annotated `dict` waits for a body, and must not be given the Response without a word."""
    is_data = parameter.annotation in _PLAIN_DATA or parameter.annotation in _PLAIN_DATA_NAMES
    return _is_positional(parameter) and not is_data


def _role(parameter: inspect.Parameter, path_names: Sequence[str]) -> str:
    name, annotation = parameter.name, parameter.annotation
    if parameter.kind is parameter.VAR_KEYWORD:
        return "all"
    if parameter.kind is parameter.VAR_POSITIONAL:
        return "default"
    if name in path_names:
        return "path"
    if annotation is Request or annotation == "Request" or name in _REQUEST_NAMES:
        return "request"
    if annotation is Response or annotation == "Response" or name in _RESPONSE_NAMES:
        return "response"
    return "unfilled" if parameter.default is parameter.empty else "default"


def _refuse_generator(route: Route) -> None:
    if inspect.isasyncgenfunction(route.handler) or inspect.isgeneratorfunction(route.handler):
        name = name_of(route.handler)
        raise ConfigurationError(
            f"{_name_of_route(route)} cannot be compiled: {name}() is a generator, which is no response.\n\n"
            f"  {route.location}   {name}{inspect.signature(route.handler)}\n\n"
            f"Stream what it makes:\n\n    return response.stream({name}())\n"
        )


def _refuse_clash(route: Route, parameters: Sequence[inspect.Parameter], path_names: Sequence[str]) -> None:
    """`request` would be a text where everybody expects the Request."""
    for name in (parameter.name for parameter in parameters):
        if name in path_names and name in _REQUEST_NAMES | _RESPONSE_NAMES:
            raise ConfigurationError(
                f"{_name_of_route(route)} cannot be compiled: {name!r} is a path parameter of {route.template!r} and "
                f"what {name_of(route.handler)}() calls the {name}.\n\n{_line_of(route)}\n\n"
                f"Give the path parameter another name:\n\n    {{{name}_id}}\n"
            )


def _nothing_fills(route: Route, name: str, path_names: Sequence[str]) -> ConfigurationError:
    has = f"it has {', '.join(path_names)}" if path_names else "it has none"
    return ConfigurationError(
        f"{_name_of_route(route)} cannot be compiled: "
        f"nothing fills the parameter {name!r} of {name_of(route.handler)}().\n\n{_line_of(route)}\n\n"
        f"A parameter after (request, response) must be a path parameter of {route.template!r} ({has}), "
        "or have a default.\n"
        f"For a query parameter, read it from the request:\n\n"
        f'    {name} = request.query_params.get("{name}")\n'
    )


def _positional_only(route: Route, name: str) -> ConfigurationError:
    return ConfigurationError(
        f"{_name_of_route(route)} cannot be compiled: the parameter {name!r} of {name_of(route.handler)}() "
        f"is positional-only, and arguments are given by name.\n\n{_line_of(route)}\n\nTake the '/' out of it.\n"
    )


def _name_of_route(route: Route) -> str:
    """The HEAD that a GET implies goes without saying."""
    methods = [method for method in route.methods if method != "HEAD" or "GET" not in route.methods]
    return f"{'/'.join(methods)} {route.template}"


def _line_of(route: Route) -> str:
    function = "async def" if is_async(route.handler) else "def"
    return f"  {route.location}   {function} {name_of(route.handler)}{inspect.signature(route.handler)}"


def compile_call(
    handler: Callable[..., Any], arguments: Arguments, path_names: Sequence[str], threads: Threads
) -> Call:
    """Return the call of `handler` with what it asks for."""
    asynchronous = is_async(handler)
    if arguments.plain and asynchronous:
        return handler
    if asynchronous and arguments.leads:
        if path_names and (arguments.takes_all or set(arguments.path) == set(path_names)):
            return _with_path_params(handler)
    fill = _filler(arguments)
    if asynchronous:
        return lambda request, response: handler(**fill(request, response))

    async def in_thread(request: Request, response: Response) -> Any:
        return await threads.run_in_thread(partial(handler, **fill(request, response)))

    return in_thread


def is_async(handler: Callable[..., Any]) -> bool:
    """Whether calling `handler` gives a coroutine: an async function, or an object whose `__call__` is one."""
    return any(map(_is_coroutine_function, (handler, inspect.unwrap(handler))))


def _is_coroutine_function(fn: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(getattr(fn, "__call__", None))  # noqa: B004


def _with_path_params(handler: Callable[..., Any]) -> Call:
    return lambda request, response: handler(request, response, **request._path_params)  # type: ignore[arg-type]


def _filler(arguments: Arguments) -> Callable[[Request, Response], dict[str, Any]]:
    def fill(request: Request, response: Response) -> dict[str, Any]:
        params = request._path_params or {}
        values = dict(params) if arguments.takes_all else {name: params[name] for name in arguments.path}
        if arguments.request is not None:
            values[arguments.request] = request
        if arguments.response is not None:
            values[arguments.response] = response
        return values

    return fill
