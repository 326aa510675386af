"""Which documents does an application have, and how are they made of what it compiled?"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from nexios._pipeline.operation import Operation
from nexios.errors import ConfigurationError
from nexios.messages.request import Request
from nexios.openapi.build import build_document, document_bytes
from nexios.openapi.config import OpenAPI
from nexios.openapi.operation_ids import operation_ids
from nexios.openapi.paths import listed
from nexios.openapi.routes import document_routes
from nexios.routing.registry import ConverterRegistry
from nexios.routing.router import Router

__all__ = ["Documents"]

_UNNAMED = OpenAPI()


class Documents:
    """The documents of one application. Nothing is built before somebody asks for it."""

    def __init__(self, given: OpenAPI | Iterable[OpenAPI] | None, *, title: str, version: str) -> None:
        """Take the settings of one document, of several, or of none; title and version are for those without."""
        configs = () if given is None else (given,) if isinstance(given, OpenAPI) else tuple(given)
        self._configs = tuple(_named(config, title, version) for config in configs)

    def routers(self, operations: Callable[[], Sequence[Operation]], converters: ConverterRegistry) -> list[Router]:
        """Return the routes of the documents and their pages."""
        return [document_routes(config, _bytes_of(config, operations, converters)) for config in self._configs]

    def check(self, operations: Sequence[Operation]) -> None:
        """Refuse two routes that were given one `operation_id`, at start and not when the document is asked for.

        Raises:
            ConfigurationError: There are two; both places are named.
        """
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


def _named(config: OpenAPI, title: str, version: str) -> OpenAPI:
    return msgspec.structs.replace(
        config,
        title=title if config.title == _UNNAMED.title else config.title,
        version=version if config.version == _UNNAMED.version else config.version,
    )


def _bytes_of(
    config: OpenAPI, operations: Callable[[], Sequence[Operation]], converters: ConverterRegistry
) -> Callable[[Request], bytes]:
    def build(request: Request) -> bytes:
        root_path = request.root_path
        return document_bytes(build_document(operations(), config, converters=converters, root_path=root_path))

    return build
