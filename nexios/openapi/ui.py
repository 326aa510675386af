"""How does a page look that shows the documentation, and what may it load?

Each of the pages is a few lines of HTML around one of the bundles of `assets/`. It holds no
script of its own: what the bundle must know stands in attributes. URLs are relative, so that a
page works below whatever prefix a mount, a root path or a proxy puts before it.

Source: W3C Content Security Policy Level 3; RFC 3986 section 4.2 for relative references.
"""

import posixpath
from collections.abc import Mapping
from html import escape
from types import MappingProxyType
from typing import Final

import msgspec

from nexios.http.url import quote_path
from nexios.openapi.bundles import Assets

__all__ = ["UIS", "UserInterface", "content_security_policy", "relative_url", "render_page"]


class UserInterface(msgspec.Struct, frozen=True):
    """One way to show a document.

    Shape: `styles`, `scripts` and `modules` are files of `assets/`, in the order they are loaded; a script of
           `preloaded` is imported by a module. `policy` is what the page needs beyond the common policy.
    """

    name: str
    scripts: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    preloaded: tuple[str, ...] = ()
    policy: Mapping[str, str] = MappingProxyType({})

    @property
    def files(self) -> tuple[str, ...]:
        """All files that it loads."""
        return (*self.styles, *self.preloaded, *self.scripts, *self.modules)


_INLINE_STYLES: Final = MappingProxyType({"style-src": "'self' 'unsafe-inline'"})
"""For bundles that make <style> elements and attributes. As no other site may be asked, styles can tell nobody."""

UIS: Final[Mapping[str, UserInterface]] = MappingProxyType(
    {
        ui.name: ui
        for ui in (
            UserInterface(
                "scalar",
                scripts=("scalar-before.js", "scalar.js", "scalar-start.js"),
                policy=_INLINE_STYLES,
            ),
            UserInterface(
                "swagger",
                styles=("swagger-ui.css",),
                scripts=("swagger-ui.js", "swagger-ui-start.js"),
            ),
            UserInterface(
                "redoc",
                preloaded=("redoc.js",),
                modules=("redoc-start.js",),
                policy=_INLINE_STYLES,
            ),
        )
    }
)
"""What `uis` may name, by name."""

_POLICY: Final = MappingProxyType(
    {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "font-src": "'self' data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
)

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
{head}
</head>
<body>
{link}<div id="docs" data-document="{document}" data-root="{root}"></div>
<noscript>This page needs JavaScript; <a href="{document}">the document itself</a> does not.</noscript>
{body}
</body>
</html>
"""

_LINK = """<p><a href="{url}">WebSockets and event streams</a></p>
"""


def render_page(
    ui: UserInterface,
    assets: Assets,
    *,
    title: str,
    page: str,
    document: str,
    folder: str,
    root: str = "/",
    console: str | None = None,
) -> str:
    """Return the HTML of a page; `page`, `document`, `folder` (that of the assets) and `root` are paths of the site.

    `root` is where the application begins. `console` is the page of WebSockets and event streams, which is linked.
    Everything is escaped: a title and a path may hold what they like.
    """

    def url(file: str) -> str:
        return escape(relative_url(page, f"{folder}/{assets[file].public_name}"))

    styles = [f'<link rel="stylesheet" href="{url(file)}">' for file in ui.styles]
    preloaded = [f'<link rel="modulepreload" href="{url(file)}">' for file in ui.preloaded]
    scripts = [f'<script src="{url(file)}"></script>' for file in ui.scripts]
    modules = [f'<script type="module" src="{url(file)}"></script>' for file in ui.modules]
    return _PAGE.format(
        title=escape(title),
        document=escape(relative_url(page, document)),
        root=escape(relative_url(page, root)),
        link="" if console is None else _LINK.format(url=escape(relative_url(page, console))),
        head="\n".join((*styles, *preloaded)),
        body="\n".join((*scripts, *modules)),
    )


def content_security_policy(ui: UserInterface) -> str:
    """Return the Content-Security-Policy of a page: our own origin, and nothing else.

    >>> content_security_policy(UIS["swagger"]).partition(";")[0]
    "default-src 'none'"
    """
    return "; ".join(f"{name} {value}" for name, value in {**_POLICY, **ui.policy}.items())


def relative_url(page: str, target: str) -> str:
    """Return the URL that leads from one path of the site to another, percent-encoded.

    >>> relative_url("/docs/swagger", "/openapi.json")
    './../openapi.json'
    >>> relative_url("/docs", "/docs/assets/a.js"), relative_url("/docs/", "/docs/assets/a.js")
    ('./docs/assets/a.js', './assets/a.js')
    """
    here, (there, _, name) = page.rpartition("/")[0] or "/", target.rpartition("/")
    return "." + quote_path(posixpath.join(posixpath.relpath(there or "/", here), name))
