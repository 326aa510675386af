"""What do an HTTP request and a WebSocket handshake have in common? Their head, read part by part on first touch.

A mixin without fields of its own: whoever uses it decides where the parts are kept.
"""

import uuid
from typing import Any, Generic, TypeVar

import msgspec

from nexios.errors import BadRequest, HeadersTooLarge
from nexios.http.cookies import parse_cookies
from nexios.http.headers import Headers
from nexios.http.query import QueryParams, parse_query
from nexios.http.url import URL, Host, parse_host
from nexios.messages.identity import Identity, not_authenticated
from nexios.messages.session import Session, SessionOpener, no_session
from nexios.messages.state import State
from nexios.messages.transport import Address, ConnectionHead, Pairs
from nexios.settings import Limits

__all__ = ["Connection", "Outside"]

HeadT = TypeVar("HeadT", bound=ConnectionHead)

_ID_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


class Outside(msgspec.Struct, frozen=True):
    """What trusted proxies say of the outside, in place of what the server sees; `host` is None where Host stands."""

    client: Address | None
    scheme: str
    host: Host | None


class Connection(Generic[HeadT]):
    """The head of a `Request` or a `WebSocket`; each part is parsed when first read, and kept."""

    __slots__ = tuple[str, ...]()  # empty; as a call, because mypy takes a literal for all that may be assigned

    path: str
    """The whole path, decoded once by the server; inside a mounted app too."""
    root_path: str
    """The part of `path` that the server, or a mount, already used up."""
    _transport: HeadT
    _headers: Headers | None
    _cookies: dict[str, str] | None
    _query: QueryParams | None
    _url: URL | None
    _state: State | None
    _id: str | None
    _outside: Outside | None
    _session: Session | None
    _session_opener: SessionOpener | None
    _identity: Identity | None

    @property
    def limits(self) -> Limits:
        """The limits in force: the route's, its router's or the app's."""
        raise NotImplementedError

    @property
    def headers(self) -> Headers:
        """The header fields. Raises `HeadersTooLarge` (431) over the limits."""
        if self._headers is None:
            pairs = self._transport.headers()
            limits = self.limits
            if len(pairs) > limits.max_headers:
                raise HeadersTooLarge
            if sum(len(name) + len(value) for name, value in pairs) > limits.max_header_size:
                raise HeadersTooLarge
            if self._outside is not None and self._outside.host is not None:
                pairs = _with_host(pairs, str(self._outside.host))
            self._headers = Headers(pairs)
        return self._headers

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies; of two with one name the first, which is the more specific (RFC 6265 section 5.4)."""
        if self._cookies is None:
            self._cookies = parse_cookies(self.headers.get_all("cookie"))
        return self._cookies

    @property
    def query_params(self) -> QueryParams:
        """The query parameters, decoded once. Raises 400 or 414 over the limits."""
        if self._query is None:
            limits = self.limits
            self._query = parse_query(
                self._transport.query_string, max_params=limits.max_query_params, max_size=limits.max_query_size
            )
        return self._query

    @property
    def query_string(self) -> str:
        """The raw text after "?"."""
        return self._transport.query_string

    @property
    def url(self) -> URL:
        """The URL asked for. Its path is always `path`; a Host header that is no host is not believed."""
        if self._url is None:
            host = self.host
            self._url = URL(
                scheme=self.scheme,
                host=host.name,
                port=host.port,
                path=self.path,
                query=self._transport.query_string,
            )
        return self._url

    @property
    def host(self) -> Host:
        """The host of the Host header when it is valid, else the server's own address.

        Raises:
            BadRequest: There are two Host headers (RFC 9110 section 7.2).
        """
        values = self.headers.get_all("host")
        if len(values) > 1:
            raise BadRequest("The request has more than one Host header.", code="duplicate_host")
        host = parse_host(values[0]) if values else None
        if host is not None:
            return host
        server = self._transport.server
        own = parse_host(str(Host(server.host, server.port))) if server is not None else None
        return own if own is not None else Host("localhost")

    @property
    def client(self) -> Address | None:
        """The peer's address as the server sees it; no header is believed, unless `ProxyHeaders` trusts the peer."""
        return self._transport.client if self._outside is None else self._outside.client

    @property
    def scheme(self) -> str:
        """http or https, for a WebSocket ws or wss; as the server saw it, or as a proxy that is trusted says."""
        return self._transport.scheme if self._outside is None else self._outside.scheme

    @property
    def http_version(self) -> str:
        """1.0, 1.1, 2 or 3."""
        return self._transport.http_version

    @property
    def state(self) -> State:
        """A place for middleware and handlers to leave values for each other."""
        if self._state is None:
            self._state = State()
        return self._state

    @property
    def session(self) -> Session:
        """What the app remembers of this client. The first touch opens it, and the answer then varies by Cookie.

        Raises:
            ConfigurationError: No `SessionMiddleware` is around this.
        """
        session = self._session
        if session is None:
            if self._session_opener is None:
                raise no_session(self)
            session = self._session = self._session_opener(self)
        return session

    @property
    def user(self) -> Any:
        """Who the client is, as the auth backend says; None for one that is anonymous.

        Raises:
            ConfigurationError: There is no auth backend, or this is asked before it was.
        """
        return self._known().user

    @property
    def auth(self) -> frozenset[str]:
        """The scopes that the client's credentials grant; none for one that is anonymous. Raises as `user`."""
        return self._known().scopes

    def _known(self) -> Identity:
        identity = self._identity
        if identity is None:
            raise not_authenticated(self)
        return identity

    @property
    def has_session(self) -> bool:
        """Whether a `SessionMiddleware` is around this; looking opens nothing."""
        return self._session_opener is not None

    @property
    def id(self) -> str:
        """The id of the exchange: the X-Request-ID header when it is plain and short, else a new one."""
        if self._id is None:
            given = self.headers.get("x-request-id", "")
            plain = 0 < len(given) <= 128 and _ID_CHARACTERS.issuperset(given)
            self._id = given if plain else uuid.uuid4().hex
        return self._id


def _with_host(pairs: Pairs, host: str) -> Pairs:
    """One Host for all who read it. Two of them stay, which is an error to whoever does."""
    others = [pair for pair in pairs if pair[0] != "host"]
    return pairs if len(pairs) - len(others) > 1 else [("host", host), *others]
