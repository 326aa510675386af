"""Under which name, and with which attributes, does a browser hold its session?

`__Host-` before the name, Secure, HttpOnly, SameSite=Lax and no Domain: no other site, no subdomain, no script and no
plain connection can set or read it (RFC 6265bis section 4.1.3). In debug mode, over plain http, browsers would not
send that back; then the cookie is a plain one, with a warning.
"""

import copy
import logging
from typing import Any, Final, Self

from nexios.errors import ConfigurationError, InvalidCookie
from nexios.http.cookies import SameSite, format_delete_cookie, format_set_cookie
from nexios.messages.connection import Connection
from nexios.messages.response import Response

__all__ = ["SessionCookie"]

logger: logging.Logger = logging.getLogger("nexios")

_PLAIN: Final = ("http", "ws")
_PREFIXES: Final = ("__host-", "__secure-", "__http-")


class SessionCookie:
    """The cookie of one app's sessions; shared by all requests."""

    __slots__ = ("_debug", "_domain", "_has_prefix", "_path", "_plain_name", "_same_site", "_warned", "name")

    def __init__(self, name: str, *, path: str, domain: str | None, same_site: SameSite) -> None:
        """Raises `ConfigurationError` for a name or an attribute that no browser takes."""
        prefix = "__Host-" if path == "/" and domain is None else "__Secure-"
        self._has_prefix = name.lower().startswith(_PREFIXES)
        self.name: str = name if self._has_prefix else prefix + name
        self._plain_name = name
        self._path = path
        self._domain = domain
        self._same_site: SameSite = same_site
        self._debug = False
        self._warned = False
        try:
            self._formatted("", 1, secure=True)
        except InvalidCookie as exc:
            raise ConfigurationError(f"The cookie of the sessions is wrong: {exc}") from exc

    def for_debug(self, debug: bool) -> Self:
        """Return the cookie of an app that is in debug mode, or not."""
        own = copy.copy(self)
        own._debug = debug and not self._has_prefix and self._same_site != "none"
        return own

    def read(self, connection: Connection[Any]) -> str | None:
        """Return what the browser sent."""
        return connection.cookies.get(self._plain_name if self._is_plain(connection) else self.name)

    def set(self, connection: Connection[Any], answer: Response, value: str, max_age: int) -> None:
        """Set it, for `max_age` seconds."""
        plain = self._is_plain(connection)
        if plain and not self._warned:
            self._warned = True
            logger.warning(
                "debug mode over plain http: the session cookie %r is not Secure, and has no %r before its name",
                self._plain_name,
                self.name.removesuffix(self._plain_name),
            )
        elif not self._warned and not plain and connection.scheme in _PLAIN:
            self._warned = True
            logger.warning(
                "the session cookie %r is Secure, and the request came over plain http: browsers keep no such cookie. "
                "On your own machine set NEXIOS_DEBUG=1; behind a proxy that ends https add ProxyHeaders",
                self.name,
            )
        answer.headers.add("set-cookie", self._formatted(value, max_age, secure=not plain))

    def delete(self, connection: Connection[Any], answer: Response) -> None:
        """Make the browser forget it."""
        plain = self._is_plain(connection)
        name = self._plain_name if plain else self.name
        cookie = format_delete_cookie(
            name, path=self._path, domain=self._domain, same_site=self._same_site, secure=not plain
        )
        answer.headers.add("set-cookie", cookie)

    def _is_plain(self, connection: Connection[Any]) -> bool:
        return self._debug and connection.scheme in _PLAIN

    def _formatted(self, value: str, max_age: int, *, secure: bool) -> str:
        return format_set_cookie(
            self.name if secure else self._plain_name,
            value,
            max_age=max_age,
            path=self._path,
            domain=self._domain,
            secure=secure,
            same_site=self._same_site,
        )
