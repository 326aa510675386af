"""What does a request offer to a parameter, besides what providers make? Its leaves, by name and by type.

request, response, app    by name, or by annotation
path parameters           by name; converted once more only where the annotation asks for more
typed inputs              as `inputs.input` says
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Final, get_args, get_origin

from nexios._injection.graph import Graph, Leaf
from nexios._injection.signature import EMPTY, Parameter
from nexios._pipeline.inputs.input import Input, input_of
from nexios._pipeline.inputs.markers import Marker
from nexios.messages.connection import Connection
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.messages.websocket import WebSocket
from nexios.routing.converters import Converter

__all__ = [
    "APP",
    "REQUEST",
    "REQUEST_NAMES",
    "RESPONSE",
    "RESPONSE_NAMES",
    "WEBSOCKET",
    "WEBSOCKET_NAMES",
    "Offer",
    "Sources",
    "is_body",
    "path_leaf",
]

REQUEST: Final = Leaf("request")
RESPONSE: Final = Leaf("response")
WEBSOCKET: Final = Leaf("websocket")
APP: Final = Leaf("app", scope="app")

REQUEST_NAMES: Final = frozenset({"request", "req"})
RESPONSE_NAMES: Final = frozenset({"response", "res"})
WEBSOCKET_NAMES: Final = frozenset({"websocket", "ws", "socket"})

_HTTP: Final[Mapping[Any, Leaf]] = {
    Request: REQUEST,
    "Request": REQUEST,
    Connection: REQUEST,
    Connection[Any]: REQUEST,
    **dict.fromkeys(REQUEST_NAMES, REQUEST),
    Response: RESPONSE,
    "Response": RESPONSE,
    **dict.fromkeys(RESPONSE_NAMES, RESPONSE),
}
_WEBSOCKET: Final[Mapping[Any, Leaf]] = {
    WebSocket: WEBSOCKET,
    "WebSocket": WEBSOCKET,
    Connection: WEBSOCKET,
    Connection[Any]: WEBSOCKET,
    **dict.fromkeys(WEBSOCKET_NAMES, WEBSOCKET),
}
"""By annotation; by name where there is no annotation."""

_FROM_BODY: Final = frozenset({"body", "form", "file"})


class Sources:
    """The leaves of one app. A parameter that many routes ask for, by way of a provider, is one leaf for all."""

    def __init__(self, app: object, graph: Graph) -> None:
        self._app = app
        self._graph = graph
        self._inputs: dict[Hashable, tuple[Parameter, Leaf | None]] = {}

    def offer(self, converters: Mapping[str, Converter[Any]], methods: Sequence[str]) -> "Offer":
        """Return what the requests of one route offer."""
        return Offer(self, converters, methods, _HTTP)

    def offer_of_websocket(self, converters: Mapping[str, Converter[Any]]) -> "Offer":
        """Return what the WebSockets of one route offer."""
        return Offer(self, converters, (), _WEBSOCKET)

    def is_app(self, annotation: object) -> bool:
        """Whether an annotation means the application."""
        return isinstance(annotation, type) and annotation is type(self._app)

    def input(self, parameter: Parameter, path_names: Sequence[str], methods: Sequence[str]) -> Leaf | None:
        """Return the leaf of a typed input; None when the parameter is none, or a provider is there for its type."""
        key = (id(parameter), parameter.name in path_names, tuple(methods))
        kept = self._inputs.get(key)
        if kept is None:
            provided = self._graph.is_provided(parameter.annotation) and not _is_marked(parameter)
            found = None if provided else input_of(parameter, path_names=path_names, methods=methods)
            kept = self._inputs[key] = (parameter, None if found is None else Leaf(found))  # kept, so its id is its own
        return kept[1]


class Offer:
    """Says which leaf of one route fills a parameter: a `LeafOf`."""

    def __init__(
        self,
        sources: Sources,
        converters: Mapping[str, Converter[Any]],
        methods: Sequence[str],
        connection: Mapping[Any, Leaf],
    ) -> None:
        self._sources = sources
        self._converters = converters
        self._names = tuple(converters)
        self._methods = methods
        self._connection = connection

    def __call__(self, parameter: Parameter) -> Leaf | None:
        name, annotation = parameter.name, parameter.annotation
        if name in self._converters and _agrees(parameter, self._converters[name]):
            return path_leaf(name)
        found = _found(self._connection, name if annotation is EMPTY else _last_word(annotation))
        if found is not None:
            return found
        if self._sources.is_app(annotation) or (name == "app" and annotation is EMPTY):
            return APP
        return self._sources.input(parameter, self._names, self._methods)


def path_leaf(name: str) -> Leaf:
    """Return the leaf of a path parameter, as its converter made it."""
    return Leaf(("path", name))


def is_body(leaf: Leaf) -> bool:
    """Whether the leaf is read from the body, and so after everything else."""
    return isinstance(leaf.key, Input) and leaf.key.source in _FROM_BODY


def _found(leaves: Mapping[Any, Leaf], key: object) -> Leaf | None:
    try:
        return leaves.get(key)
    except TypeError:
        return None


def _last_word(annotation: object) -> object:
    """Of an annotation that was not resolved, as "nexios.Request", the name."""
    return annotation.rpartition(".")[2] if isinstance(annotation, str) else annotation


def _is_marked(parameter: Parameter) -> bool:
    return any(isinstance(given, Marker) for given in (parameter.default, *parameter.metadata))


def _agrees(parameter: Parameter, converter: Converter[Any]) -> bool:
    """Whether what the converter makes is what the parameter wants, with nothing left to check."""
    if parameter.metadata or isinstance(parameter.default, Marker):
        return False
    annotation = parameter.annotation
    return annotation in (EMPTY, Any, object) or annotation is made_by(converter)


def made_by(converter: Converter[Any]) -> object:
    """Return the type of what a converter makes, as its class declares it; Any when it does not."""
    for kind in type(converter).__mro__:
        for base in getattr(kind, "__orig_bases__", ()):
            if get_origin(base) is Converter:
                return get_args(base)[0]
    return Any
