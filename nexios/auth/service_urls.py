"""May a login service be at this URL? Over https; on this machine, and in debug mode alone, over plain http as well.

Source: RFC 6749 sections 3.1 and 3.2, RFC 8252 section 8.3, OpenID Connect Discovery 1.0 section 4.
"""

from typing import Any, Final, Protocol
from urllib.parse import SplitResult, urlsplit

from nexios.errors import ConfigurationError, UnsafeRedirect
from nexios.http.redirects import check_redirect

__all__ = ["check_debug", "checked_url", "is_plain", "shown_url", "url_problem"]

_LONGEST: Final = 2048
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class Served(Protocol):
    """A Request or a WebSocket."""

    @property
    def app(self) -> Any:
        """The app that serves it."""


def checked_url(url: str, name: str, *, query: bool = True) -> str:
    """Return a URL of the settings.

    Raises:
        ConfigurationError: It is none that may be asked.
    """
    if problem := url_problem(url, query=query):
        raise ConfigurationError(f"{name}={shown_url(url)!r} {problem}.")
    return url


def shown_url(url: object) -> str:
    """Return a URL as texts and logs may show it: without user, password, query and fragment.

    >>> shown_url("https://ada:secret@login.example/keys?key=secret")
    'https://login.example/keys'
    """
    scheme, divider, rest = str(url).partition("://")
    before, _, place = rest.rpartition("@")
    if not divider or set(before) & set("/?#"):  # in doubt, what stands before may be part of a password
        return f"{scheme[:10]}..."
    return f"{scheme}://{place.partition('?')[0].partition('#')[0]}"


def url_problem(url: object, *, loopback: bool = True, query: bool = True) -> str:
    """Return why a URL may not be asked; "" for one that may.

    >>> url_problem("https://login.example/token"), url_problem("http://login.example/token")
    ('', 'is not https')
    """
    if not isinstance(url, str) or not 0 < len(url) <= _LONGEST or not url.isascii() or not url.isprintable():
        return "is no URL in plain ASCII"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is no URL"
    if not host or " " in url or "\\" in url:
        return "is no URL of a host"
    if parts.username is not None or parts.fragment or url.endswith("#") or (parts.query and not query):
        return "has a part that does not belong there: a user name, a fragment or a query"
    if parts.scheme != "https" and not (loopback and _is_loopback(parts)):
        return "is not https"
    return "" if _is_read_alike(url) else "is no URL of a host"


def is_plain(url: str) -> bool:
    """Whether a URL is one of plain http on this machine."""
    return _is_loopback(urlsplit(url))


def check_debug(connection: Served, *urls: str) -> None:
    """Raise `ConfigurationError` where one is plain http and the app is not in debug mode."""
    if any(is_plain(url) for url in urls) and not connection.app.settings.debug:
        raise ConfigurationError(
            "A login over plain http, to this machine, is for debug mode alone: NexiosApp(debug=True). "
            "Elsewhere its URLs begin with https://."
        )


def _is_loopback(parts: SplitResult) -> bool:
    return parts.scheme == "http" and parts.hostname in _LOOPBACK


def _is_read_alike(url: str) -> bool:
    """Whether browsers and we read the same host: no "127.1", no "h%2e", no port that is not one."""
    try:
        check_redirect(url, external=True)
    except UnsafeRedirect:
        return False
    return True
