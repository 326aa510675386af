"""Which handler parameter is filled from where? Decided once, when the app compiles.

    request, response   by position, name or annotation
    path parameters     by name; `**kwargs` takes all that are left
    the rest            must have defaults

The plainest handler, async and (request, response), is its own plan: nothing is put in front of it.
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from nexios._pipeline.middleware import Link
from nexios.concurrency import Threads
from nexios.errors import ConfigurationError
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.routing.route import Route

__all__ = ["Arguments", "compile_arguments", "compile_call", "is_async"]

_REQUEST_NAMES = frozenset({"request", "req"})
_RESPONSE_NAMES = frozenset({"response", "res"})


@dataclass(frozen=True, slots=True)
class Arguments:
    """Where the arguments of one handler come from; names of parameters, in their order."""

    request: str | None
    response: str | None
    path: tuple[str, ...]
    takes_all: bool
    """The handler has `**kwargs`, which take the path parameters it does not name."""
    plain: bool
    """Called as handler(request, response), with nothing else."""


def compile_arguments(route: Route, path_names: Sequence[str]) -> Arguments:
    """Return where the parameters of the route's handler come from.

    Raises:
        ConfigurationError: Nothing fills a parameter; the text says which and how to mend it.
    """
    parameters = list(inspect.signature(route.handler).parameters.values())
    roles = {parameter.name: _role(parameter, index, path_names) for index, parameter in enumerate(parameters)}
    for parameter in parameters:
        if roles[parameter.name] == "unfilled":
            raise _nothing_fills(route, parameter.name, path_names)
    by_role = {role: tuple(name for name, has in roles.items() if has == role) for role in set(roles.values())}
    positional = all(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)
    return Arguments(
        request=next(iter(by_role.get("request", ())), None),
        response=next(iter(by_role.get("response", ())), None),
        path=by_role.get("path", ()),
        takes_all="all" in by_role,
        plain=positional
        and list(roles.values())[:2] == ["request", "response"]
        and not by_role.keys() & {"path", "all"},
    )


def _role(parameter: inspect.Parameter, index: int, path_names: Sequence[str]) -> str:
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
    if parameter.default is not parameter.empty:
        return "default"
    return ("request", "response")[index] if index < 2 and parameter.kind is not parameter.KEYWORD_ONLY else "unfilled"


def _nothing_fills(route: Route, name: str, path_names: Sequence[str]) -> ConfigurationError:
    handler = getattr(route.handler, "__qualname__", type(route.handler).__qualname__)
    has = f"it has {', '.join(path_names)}" if path_names else "it has none"
    return ConfigurationError(
        f"{'/'.join(sorted(route.methods))} {route.template} cannot be compiled: "
        f"nothing fills the parameter {name!r} of {handler}().\n\n"
        f"  {route.location}   {handler}{inspect.signature(route.handler)}\n\n"
        f"A parameter after (request, response) must be a path parameter of {route.template!r} ({has}), "
        "or have a default.\n"
        f"For a query parameter, read it from the request:\n\n"
        f'    {name} = request.query_params.get("{name}")\n'
    )


def compile_call(
    handler: Callable[..., Any], arguments: Arguments, path_names: Sequence[str], threads: Threads
) -> Link:
    """Return the link that calls `handler` with what it asks for."""
    asynchronous = is_async(handler)
    if arguments.plain and asynchronous:
        return handler
    if asynchronous and (arguments.request, arguments.response) == ("request", "response"):
        if path_names and (arguments.takes_all or set(arguments.path) == set(path_names)):
            return _with_path_params(handler)
    fill = _filler(arguments)
    if asynchronous:
        return lambda request, response: handler(**fill(request, response))

    async def in_thread(request: Request, response: Response) -> Any:
        return await threads.run_in_thread(handler, **fill(request, response))

    return in_thread


def is_async(handler: Callable[..., Any]) -> bool:
    """Whether calling `handler` gives a coroutine: an async function, or an object whose `__call__` is one."""
    target = inspect.unwrap(handler)
    return inspect.iscoroutinefunction(target) or inspect.iscoroutinefunction(getattr(target, "__call__", None))  # noqa: B004


def _with_path_params(handler: Callable[..., Any]) -> Link:
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
