"""Where are the AsyncAPI document, the page that shows it, and the files that the page loads?

    /asyncapi.json                 config.asyncapi_path
    /docs/asyncapi                 the page, with a console to try WebSockets and event streams
    /docs/asyncapi/assets/{file}   what it loads, from this package

All of it is behind `config.dependencies`.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from msgspec import UNSET

from nexios._pipeline.operation import Operation, WebSocketOperation
from nexios.messages.request import Request
from nexios.openapi.asyncapi.build import build_asyncapi, with_servers
from nexios.openapi.asyncapi.channels import entries_of
from nexios.openapi.asyncapi.servers import Site
from nexios.openapi.build import document_bytes
from nexios.openapi.bundles import Assets
from nexios.openapi.config import OpenAPI
from nexios.openapi.routes import AssetFiles, Page, ServedDocument, refuse_parameters
from nexios.openapi.ui import UserInterface
from nexios.routing.registry import ConverterRegistry
from nexios.routing.router import Router

__all__ = ["CONSOLE_PAGE", "asyncapi_path", "asyncapi_routes", "console_path"]

CONSOLE_PAGE: Final = UserInterface(
    "asyncapi",
    styles=("asyncapi.css",),
    scripts=("asyncapi-view.js", "asyncapi-console.js", "asyncapi-start.js"),
)
"""The page: our own, so its policy is the common one, without inline styles."""

Operations = Callable[[], Sequence[Operation]]
WebSockets = Callable[[], Sequence[WebSocketOperation]]


def asyncapi_path(config: OpenAPI) -> str | None:
    """Return where the document is: beside that of OpenAPI unless the settings say it.

    >>> asyncapi_path(OpenAPI()), asyncapi_path(OpenAPI(path="/v1/api.json"))
    ('/asyncapi.json', '/v1/api.asyncapi.json')
    """
    if config.asyncapi_path is not UNSET:
        return config.asyncapi_path
    if config.path is None:
        return None
    folder, _, name = config.path.rpartition("/")
    if "openapi" in name:
        return f"{folder}/{name.replace('openapi', 'asyncapi')}"
    stem, dot, suffix = name.rpartition(".")
    return f"{folder}/{stem}.asyncapi.{suffix}" if dot else f"{folder}/{name}.asyncapi"


def asyncapi_routes(
    config: OpenAPI, operations: Operations, websockets: WebSockets, converters: ConverterRegistry
) -> Router:
    """Return a router with the document and its page, which are in no document themselves.

    Without a path of the document it is empty; without `config.docs_path` it has the document alone.
    The router is named after the path, as that of OpenAPI: `asyncapi:document`, `asyncapi:docs`, `asyncapi:assets`.

    Raises:
        ConfigurationError: A path has parameters.
    """
    path = asyncapi_path(config)
    if path is None:
        return Router(include_in_schema=False)
    refuse_parameters(path, config.docs_path)
    name = path.strip("/").removesuffix(".json").replace("/", "-")
    router = Router(name=name, include_in_schema=False, dependencies=config.dependencies)
    document = _Building(config, operations, websockets, converters)
    router.add_route(path, ServedDocument(document.bytes, _site_of).answer, name="document")
    if config.docs_path is not None:
        base = _page_path(config.docs_path)
        assets = Assets(CONSOLE_PAGE.files)
        router.add_route(base, Page(CONSOLE_PAGE, assets, config.title, path, f"{base}/assets").answer, name="docs")
        router.add_route(f"{base}/assets/{{file}}", AssetFiles(assets).answer, name="assets")
    return router


def console_path(config: OpenAPI, operations: Operations, websockets: WebSockets) -> str | None:
    """Return where the page is; None where there is none, or nothing that it could show."""
    if asyncapi_path(config) is None or config.docs_path is None:
        return None
    return _page_path(config.docs_path) if entries_of(operations(), websockets(), config) else None


def _page_path(docs_path: str) -> str:
    return f"{docs_path.rstrip('/')}/asyncapi"


class _Building:
    """The document, built once; the servers are those of the request."""

    def __init__(
        self, config: OpenAPI, operations: Operations, websockets: WebSockets, converters: ConverterRegistry
    ) -> None:
        self._config = config
        self._operations = operations
        self._websockets = websockets
        self._converters = converters
        self._kept: dict[str, Any] | None = None

    def bytes(self, request: Request) -> bytes:
        """Return the document as JSON."""
        if self._kept is None:
            self._kept = build_asyncapi(
                self._operations(), self._websockets(), self._config, converters=self._converters
            )
        return document_bytes(with_servers(self._kept, self._config, _site_of(request)))


def _site_of(request: Request) -> Site:
    return Site(host=str(request.host), is_secure=request.scheme == "https", root_path=request.root_path)
