"""Which documents does an application have, and how are they made of what it compiled?"""

from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from typing import Any

import msgspec

from nexios._pipeline.operation import Operation, WebSocketOperation
from nexios.errors import ConfigurationError
from nexios.messages.request import Request
from nexios.openapi.asyncapi.build import build_asyncapi, with_servers
from nexios.openapi.asyncapi.declared import check_declared
from nexios.openapi.asyncapi.routes import asyncapi_path, asyncapi_routes, console_path
from nexios.openapi.asyncapi.servers import Site
from nexios.openapi.build import DocumentParts, build_document
from nexios.openapi.config import OpenAPI
from nexios.openapi.operation_ids import operation_ids
from nexios.openapi.paths import listed
from nexios.openapi.routes import document_routes
from nexios.routing.registry import ConverterRegistry
from nexios.routing.route import Route, WebSocketRoute
from nexios.routing.router import Router

__all__ = ["Documents"]

_UNNAMED = OpenAPI()


class Documents:
    """The documents of one application. Nothing is built before somebody asks for it."""

    def __init__(self, given: OpenAPI | Iterable[OpenAPI] | None, *, title: str, version: str) -> None:
        """Take the settings of one document, of several, or of none; title and version are for those without."""
        configs = () if given is None else (given,) if isinstance(given, OpenAPI) else tuple(given)
        self._configs = tuple(_named(config, title, version) for config in configs)

    def routers(
        self,
        operations: Callable[[], Sequence[Operation]],
        websockets: Callable[[], Sequence[WebSocketOperation]],
        converters: ConverterRegistry,
    ) -> list[Router]:
        """Return the routes of the documents and their pages."""
        found: list[Router] = []
        for config in self._configs:
            console = cache(partial(console_path, config, operations, websockets))
            found.append(document_routes(config, _bytes_of(config, operations, converters), console))
            found.append(asyncapi_routes(config, operations, websockets, converters))
        return found

    def check(self, operations: Sequence[Operation], websockets: Sequence[WebSocketOperation] = ()) -> None:
        """Refuse two routes that were given one `operation_id`, at start and not when the document is asked for.

        Raises:
            ConfigurationError: There are two; both places are named. Or `sends=` or `receives=` has something else
                than types.
        """
        if self._configs:
            routes: list[Route | WebSocketRoute] = [one.route for one in operations]
            for route in (*routes, *(one.route for one in websockets)):
                check_declared(route)
        if any(operation.route.documentation.operation_id is not None for operation in operations):
            for config in self._configs:
                chosen = [one for one in operations if config.include is None or config.include(one)]
                operation_ids(listed(chosen), config.operation_id)

    def build(self, path: str | None, operations: Sequence[Operation], converters: ConverterRegistry) -> dict[str, Any]:
        """Return the document that is served at `path`, or the first.

        Raises:
            ConfigurationError: There is none, or it cannot be built.
        """
        for config in self._configs:
            if path is None or config.path == path:
                return build_document(operations, config, converters=converters)
        paths = ", ".join(str(config.path) for config in self._configs) or "none at all"
        raise ConfigurationError(f"There is no OpenAPI document at {path!r}; there is: {paths}.")

    def build_asyncapi(
        self,
        path: str | None,
        operations: Sequence[Operation],
        websockets: Sequence[WebSocketOperation],
        converters: ConverterRegistry,
    ) -> dict[str, Any]:
        """Return the AsyncAPI document that is served at `path`, or the first. Raises as `build`."""
        for config in self._configs:
            if path is None or asyncapi_path(config) == path:
                document = build_asyncapi(operations, websockets, config, converters=converters)
                return with_servers(document, config, Site())
        paths = ", ".join(str(asyncapi_path(config)) for config in self._configs) or "none at all"
        raise ConfigurationError(f"There is no AsyncAPI document at {path!r}; there is: {paths}.")


def _named(config: OpenAPI, title: str, version: str) -> OpenAPI:
    return msgspec.structs.replace(
        config,
        title=title if config.title == _UNNAMED.title else config.title,
        version=version if config.version == _UNNAMED.version else config.version,
    )


def _bytes_of(
    config: OpenAPI, operations: Callable[[], Sequence[Operation]], converters: ConverterRegistry
) -> Callable[[Request], bytes]:
    """Return what makes the bytes for a request. They are built once: a root path may be of the client's choosing
    (below a mount at `/{tenant}`), so one more of them costs no more than to put its server between the parts."""
    made: list[DocumentParts] = []

    def build(request: Request) -> bytes:
        if not made:
            made.append(DocumentParts(build_document(operations(), config, converters=converters)))
        return made[0].below(request.root_path)

    return build
