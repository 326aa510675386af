"""What does a handler with these parameters get from this request? Read without an app around it."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from nexios._injection.signature import parameters_of
from nexios._pipeline.inputs.compile import CompiledInputs, compile_inputs
from nexios._pipeline.inputs.input import Input, input_of
from nexios._pipeline.inputs.located import Located, joined
from nexios.messages.request import Request, RequestContext
from nexios.settings import Limits
from nexios.testing.transport import MemoryTransport

Pairs = Iterable[tuple[str, str]]


class Context:
    """An application that knows nothing but its limits."""

    app = None
    threads = None

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def route_of(self, request: Request) -> None:
        """No route: the limits are the app's."""

    def limits_of(self, request: Request) -> Limits:
        """The limits of the test."""
        return self._limits


def compiled(handler: Callable[..., Any], path: Iterable[str], methods: Sequence[str]) -> CompiledInputs:
    """The readers of all parameters of `handler` that are inputs."""
    found = [input_of(one, path_names=tuple(path), methods=methods) for one in parameters_of(handler)]
    return compile_inputs([item for item in found if item is not None])


def request_of(
    path: Mapping[str, object],
    limits: Limits,
    *,
    query: str = "",
    headers: Pairs = (),
    body: bytes = b"",
    content_type: str | None = None,
) -> Request:
    """A request as a server would make it, its path matched."""
    pairs = [*headers, *([("content-type", content_type)] if content_type is not None else [])]
    transport = MemoryTransport("POST", "/", headers=pairs, query_string=query, body=[body])
    request = Request(transport, cast("RequestContext", Context(limits)), "POST", "/", "/")
    request._target = SimpleNamespace(limits=limits)
    request._path_params = dict(path)
    return request


async def read_all(inputs: CompiledInputs, request: Request) -> dict[str, Any]:
    """The values by parameter. Raises Located with everything that is wrong."""
    values: list[Any] = []
    wrong: list[Located] = []
    for reader in inputs.head:
        try:
            values.append(reader(request))
        except Located as exc:
            wrong.append(exc)
    if inputs.body is not None:
        try:
            values += await inputs.body(request)
        except Located as exc:
            wrong.append(exc)
    if wrong:
        raise joined(wrong)
    names = [inputs.inputs[index].parameter for index in inputs.order]
    return dict(zip(names, values, strict=True))


async def _read(
    handler: Callable[..., Any],
    *,
    path: Mapping[str, object] | None = None,
    methods: Sequence[str] = ("POST",),
    limits: Limits | None = None,
    **sent: Any,
) -> Any:
    request = request_of(path or {}, limits or Limits(), **sent)
    values = await read_all(compiled(handler, path or {}, methods), request)
    return next(iter(values.values())) if len(values) == 1 else values


async def _refused(handler: Callable[..., Any], **sent: Any) -> list[tuple[str, str, str]]:
    with pytest.raises(Located) as caught:
        await _read(handler, **sent)
    return [(error["in"], error["pointer"], error["code"]) for error in caught.value.errors]


def _classify(
    handler: Callable[..., Any], *, path_names: Sequence[str] = (), methods: Sequence[str] = ("POST",)
) -> Input | None:
    (parameter,) = parameters_of(handler)
    return input_of(parameter, path_names=path_names, methods=methods)


@pytest.fixture
def read() -> Callable[..., Awaitable[Any]]:
    """Read the inputs of a handler: the value of the only one, or all by name."""
    return _read


@pytest.fixture
def refused() -> Callable[..., Awaitable[list[tuple[str, str, str]]]]:
    """Read the inputs of a handler that do not fit: (in, pointer, code) of each error."""
    return _refused


@pytest.fixture
def classify() -> Callable[..., Input | None]:
    """Say what the only parameter of a handler is."""
    return _classify


@pytest.fixture
def compiled_inputs() -> Callable[..., CompiledInputs]:
    """Compile the inputs of a handler."""
    return compiled


@pytest.fixture
def read_compiled() -> Callable[..., Awaitable[dict[str, Any]]]:
    """Read what was compiled before from a request."""

    async def run(inputs: CompiledInputs, **sent: Any) -> dict[str, Any]:
        return await read_all(inputs, request_of(sent.pop("path", {}), sent.pop("limits", Limits()), **sent))

    return run
