"""Where are the document, the pages that show it, and the files that those load?

    /openapi.json                  config.path
    /docs                          config.docs_path: the first of config.uis
    /docs/scalar, /docs/redoc ...  each of config.uis
    /docs/assets/{file}            what they load, from this package

All of it is behind `config.dependencies`.
Source: RFC 9110 sections 8.8.3 and 12.5.3; RFC 8246 for `immutable`.
"""

import hashlib
from collections.abc import Awaitable, Callable, Hashable
from inspect import isawaitable
from typing import Final

from nexios.errors import ConfigurationError, HTTPException, NotFound
from nexios.http.conditional import evaluate, format_etag
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.openapi.bundles import Assets, choose_coding
from nexios.openapi.config import OpenAPI
from nexios.openapi.ui import UIS, UserInterface, content_security_policy, render_page
from nexios.routing.router import Router

__all__ = ["AssetFiles", "BuildDocument", "Page", "ServedDocument", "document_routes", "refuse_parameters"]

BuildDocument = Callable[[Request], Awaitable[bytes] | bytes]
"""Makes the document as JSON. It is asked once for each root path that requests come by."""

CacheKey = Callable[[Request], Hashable]
"""What of a request the document depends on."""

FindConsole = Callable[[], str | None]
"""Says where the page of WebSockets and event streams is; None where the application has none of them."""

_MAX_KEPT: Final = 32
"""Documents kept; there is one for each root path, of which an app has one or two."""

_JSON: Final = "application/json"
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_ASK_AGAIN: Final = "no-cache"


def document_routes(config: OpenAPI, document: BuildDocument, console: FindConsole = lambda: None) -> Router:
    """Return a router with the document and its pages, which are in no document themselves.

    Without `config.path` it is empty; without `config.docs_path`, or with no `uis`, it has the document alone.
    The router is named after the path of the document, so that an app may have several: the routes of
    "/openapi.json" are `openapi:document`, `openapi:docs`, `openapi:swagger`, ..., `openapi:assets`; those of
    "/admin/openapi.json" are `admin-openapi:document`, ...

    Raises:
        ConfigurationError: `config.uis` names something that there is not, or a path has parameters.
    """
    if config.path is None:
        return Router(include_in_schema=False)
    refuse_parameters(config.path, config.docs_path)
    name = config.path.strip("/").removesuffix(".json").replace("/", "-")
    router = Router(name=name, include_in_schema=False, dependencies=config.dependencies)
    router.add_route(config.path, ServedDocument(document).answer, name="document")
    if config.docs_path is not None and config.uis:
        _add_pages(router, config, config.path, config.docs_path.rstrip("/"), console)
    return router


def _add_pages(router: Router, config: OpenAPI, document: str, base: str, console: FindConsole) -> None:
    interfaces = [_interface(name) for name in config.uis]
    assets = Assets(file for ui in interfaces for file in ui.files)
    pages = [Page(ui, assets, config.title, document, f"{base}/assets", console) for ui in interfaces]
    router.add_route(base or "/", pages[0].answer, name="docs")
    for page in pages:
        router.add_route(f"{base}/{page.ui.name}", page.answer, name=page.ui.name)
    router.add_route(f"{base}/assets/{{file}}", AssetFiles(assets).answer, name="assets")


def _interface(name: str) -> UserInterface:
    if name not in UIS:
        raise ConfigurationError(f"There is no documentation page {name!r}; there are: {', '.join(UIS)}.")
    return UIS[name]


def refuse_parameters(*paths: str | None) -> None:
    """A page finds the document by a relative URL, which is made of the paths as they are configured."""
    for path in paths:
        if path is not None and "{" in path:
            raise ConfigurationError(f"A document and its pages have fixed paths; {path!r} has a parameter.")


class ServedDocument:
    """The document, built when it is first asked for, as what it is built from does not change any more."""

    def __init__(self, build: BuildDocument, key: CacheKey = lambda request: request.root_path) -> None:
        self._build = build
        self._key = key
        self._kept: dict[Hashable, tuple[bytes, str]] = {}

    async def answer(self, request: Request, response: Response) -> Response:
        """Send it."""
        kept = self._kept.get(self._key(request))
        if kept is None:
            kept = await self._made(request)
        if _is_known(request, response, etag=kept[1], cache=_ASK_AGAIN):
            return response.empty(304)
        return response.binary(kept[0], _JSON)

    async def _made(self, request: Request) -> tuple[bytes, str]:
        made = self._build(request)
        body = await made if isawaitable(made) else made
        if len(self._kept) >= _MAX_KEPT:
            self._kept.clear()
        kept = self._kept[self._key(request)] = body, _etag_of(body)
        return kept


class Page:
    """One page; its URLs depend on the path that it is asked for by."""

    def __init__(
        self,
        ui: UserInterface,
        assets: Assets,
        title: str,
        document: str,
        folder: str,
        console: FindConsole = lambda: None,
    ) -> None:
        self.ui = ui
        self._assets = assets
        self._title = title
        self._document = document
        self._folder = folder
        self._console = console
        self._policy = content_security_policy(ui)

    async def answer(self, request: Request, response: Response) -> Response:
        """Send it."""
        console = self._console()
        html = render_page(
            self.ui,
            self._assets,
            title=self._title,
            page=request.path,
            document=request.root_path + self._document,
            folder=request.root_path + self._folder,
            root=f"{request.root_path}/",
            console=None if console is None else request.root_path + console,
        )
        response.set_headers({"content-security-policy": self._policy, "referrer-policy": "same-origin"})
        if _is_known(request, response, etag=_etag_of(html.encode()), cache=_ASK_AGAIN):
            return response.empty(304)
        return response.html(html)


class AssetFiles:
    """The files that the pages load."""

    def __init__(self, assets: Assets) -> None:
        self._assets = assets

    async def answer(self, request: Request, response: Response, file: str) -> Response:
        """Send the one that is called `file`."""
        asset = self._assets.find(file)
        if asset is None:
            raise NotFound
        coding = choose_coding(asset, ", ".join(request.headers.get_all("accept-encoding")) or None)
        if asset.packed:
            response.set_header("vary", "accept-encoding")
        if _is_known(request, response, etag=asset.etag(coding), cache=_FOR_EVER):
            return response.empty(304)
        if coding != "identity":
            response.set_header("content-encoding", coding)
        return response.binary(await self._assets.content(asset, coding), asset.media_type)


def _is_known(request: Request, response: Response, *, etag: str, cache: str) -> bool:
    """Add the headers that all of them have, and tell whether the client has this version already.

    Raises:
        HTTPException: 412, as the client asks for another version than there is.
    """
    response.set_headers({"etag": etag, "cache-control": cache, "x-content-type-options": "nosniff"})
    condition = evaluate(request.method, request.headers, etag=etag, last_modified=None)
    if condition == "failed":
        raise HTTPException(412)
    return condition == "not_modified"


def _etag_of(body: bytes) -> str:
    return format_etag(hashlib.sha256(body).hexdigest()[:32])
