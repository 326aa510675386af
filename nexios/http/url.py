"""What is the URL of a request, and is this text a host?

One reading of Host and one writing of URLs, shared by everything that compares
or prints them. A URL is made of parts and never of joined text, so that no
Host and no path can move the authority or change which path was routed.

Sources: RFC 3986 sections 3.2.2 and 3.3; RFC 9110 section 7.2; the WHATWG URL
Standard for a name that ends in a number, which browsers read as IPv4.
"""

from collections.abc import Mapping
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from string import ascii_letters, digits, hexdigits
from types import MappingProxyType
from typing import Final, Self, TypedDict, Unpack
from urllib.parse import quote, unquote

import msgspec

__all__ = [
    "DEFAULT_PORTS",
    "URL",
    "Host",
    "parse_host",
    "parse_ip",
    "parse_port",
    "parse_url",
    "quote_path",
    "quote_query",
    "quote_segment",
]

DEFAULT_PORTS: Final[Mapping[str, int]] = MappingProxyType({"http": 80, "https": 443, "ws": 80, "wss": 443})

_SEGMENT_SAFE: Final = "!$&'()*+,;=:@"
"""`pchar` of RFC 3986 without what `quote` keeps anyway and without `%`, which is always encoded."""
_QUERY_SAFE: Final = _SEGMENT_SAFE + "/?%"
_NAME_CHARACTERS: Final = frozenset(ascii_letters + digits + "-._")
_SCHEME_CHARACTERS: Final = frozenset(ascii_letters + digits + "+-.")
_LONGEST_NAME: Final = 253
_LONGEST_LABEL: Final = 63
_LONGEST_AUTHORITY: Final = _LONGEST_NAME + len(".:65535")


class Host(msgspec.Struct, frozen=True):
    """A host, and a port if one was written.

    Shape:  `name` is a lower-case ASCII name without a final dot, an IPv4 address, or an IPv6 address
            without brackets; 1 <= port <= 65535.

    >>> str(Host("::1", 8000))
    '[::1]:8000'
    """

    name: str
    port: int | None = None

    def __str__(self) -> str:
        name = f"[{self.name}]" if ":" in self.name else self.name
        return name if self.port is None else f"{name}:{self.port}"


def parse_host(text: str) -> Host | None:
    """Return what a Host header or an authority says, or None when it is no host.

    Refused are user names, paths, spaces, zones, non-ASCII, empty ports and
    numbers that are not a dotted IPv4 address, as `1` and `010.0.0.1`.

    >>> parse_host("Example.COM:8080")
    Host(name='example.com', port=8080)
    >>> parse_host("good.com@evil.com") is None
    True
    """
    if len(text) > _LONGEST_AUTHORITY or not text.isascii():
        return None
    if text.startswith("["):
        address, bracket, rest = text[1:].partition("]")
        name = parse_ip(address) if bracket and ":" in address else None
    else:
        name_text, colon, rest = text.partition(":")
        name, rest = _parse_name(name_text), colon + rest
    if name is None or not rest:
        return None if name is None else Host(name)
    port = parse_port(rest[1:]) if rest.startswith(":") else None
    return None if port is None else Host(name, port)


def parse_ip(text: str) -> str | None:
    """Return an IP address in its one spelling, or None; an IPv4 address inside IPv6 comes out as IPv4.

    >>> parse_ip("::ffff:10.0.0.1"), parse_ip("2001:DB8:0::1"), parse_ip("fe80::1%eth0")
    ('10.0.0.1', '2001:db8::1', None)
    """
    if "%" in text or "/" in text:
        return None
    try:
        if ":" not in text:
            return str(IPv4Address(text))
        address = IPv6Address(text)
    except AddressValueError:
        return None
    return str(address if address.ipv4_mapped is None else address.ipv4_mapped)


def parse_port(text: str) -> int | None:
    """Return a port from 1 to 65535 in plain ASCII digits, or None."""
    if not 1 <= len(text) <= 5 or not (text.isascii() and text.isdigit()) or text[0] == "0":
        return None
    port = int(text)
    return port if port <= 65535 else None


def _parse_name(text: str) -> str | None:
    name = text.removesuffix(".").lower()
    if not name or len(name) > _LONGEST_NAME or not _NAME_CHARACTERS.issuperset(name):
        return None
    labels = name.split(".")
    if not all(0 < len(label) <= _LONGEST_LABEL for label in labels):
        return None
    return parse_ip(name) if _is_number(labels[-1]) else name


def _is_number(label: str) -> bool:
    return label.isdigit() or (label.startswith("0x") and set(hexdigits).issuperset(label[2:]))


class _Parts(TypedDict, total=False):
    """The parts of a URL that `URL.replace` may be given."""

    scheme: str
    host: str
    port: int | None
    path: str
    query: str


class URL(msgspec.Struct, frozen=True, kw_only=True):
    """An absolute URL as a server sees one: no user name and no fragment.

    Shape:  `path` is decoded and stays exactly what it was given as, even where it is no path;
            `query` is as it was sent, without `?`; `port` is None where none was written.

    >>> url = URL(scheme="https", host="shop.example", path="/caf\u00e9", query="q=1")
    >>> str(url), url.origin
    ('https://shop.example/caf%C3%A9?q=1', 'https://shop.example')

    Raises:
        ValueError: `scheme`, `host` or `port` is none.
    """

    scheme: str
    host: str
    port: int | None = None
    path: str = "/"
    query: str = ""

    def __post_init__(self) -> None:
        if not _is_scheme(self.scheme):
            raise ValueError("the scheme of a URL must be a lower-case name such as 'https'")
        if parse_host(str(Host(self.host, self.port))) != Host(self.host, self.port):
            raise ValueError("a URL needs a host as parse_host() returns it, and a port from 1 to 65535 or None")

    @property
    def hostname(self) -> str:
        """The same as `host`, under the name that `urllib.parse` has for it."""
        return self.host

    @property
    def netloc(self) -> str:
        """Host and port; a port that the scheme implies is left out."""
        return str(Host(self.host, None if self.port == DEFAULT_PORTS.get(self.scheme) else self.port))

    @property
    def origin(self) -> str:
        """Scheme, host and port as browsers send them in Origin (RFC 6454 section 6.2)."""
        return f"{self.scheme}://{self.netloc}"

    @property
    def target(self) -> str:
        """Path and query, encoded; begins with exactly one slash, so it is safe in a Location of its own."""
        return quote_path(self.path) + _with_mark(self.query)

    def replace(self, **changes: Unpack[_Parts]) -> Self:
        """Return a URL with other parts.

        >>> str(URL(scheme="http", host="a.example", port=8000).replace(scheme="https", port=None))
        'https://a.example/'
        """
        return msgspec.structs.replace(self, **changes)

    def __str__(self) -> str:
        slash = "" if self.path.startswith("/") else "/"
        return self.origin + slash + _quote(self.path, _SEGMENT_SAFE + "/") + _with_mark(self.query)


def parse_url(text: str) -> URL | None:
    r"""Return an absolute URL with an authority, or None; a fragment is read and dropped.

    Stricter than browsers, so that both agree on the host: no user name, no
    backslash, no space, no control character, no non-ASCII host.

    >>> parse_url("https://shop.example:8443/a%20b?q#top")
    URL(scheme='https', host='shop.example', port=8443, path='/a b', query='q')
    >>> parse_url("http:evil.example"), parse_url("http://good.example\\@evil.example")
    (None, None)
    """
    if any(character <= " " or character in "\\\x7f" for character in text):
        return None
    scheme, separator, rest = text.partition("://")
    scheme = scheme.lower()
    if not separator or not _is_scheme(scheme):
        return None
    rest = rest.partition("#")[0]
    before_query, _, query = rest.partition("?")
    authority, slash, path = before_query.partition("/")
    host = parse_host(authority)
    if host is None:
        return None
    return URL(scheme=scheme, host=host.name, port=host.port, path=unquote(slash + path) or "/", query=query)


def quote_path(path: str) -> str:
    """Return a decoded path encoded for a URL, beginning with exactly one slash.

    A path that begins with two would be read as a host; the second one is
    encoded, which servers decode again. Nothing is taken for an escape already.

    >>> quote_path("/a b/100%41"), quote_path("//evil.example"), quote_path("")
    ('/a%20b/100%2541', '/%2Fevil.example', '/')
    """
    quoted = _quote(path, _SEGMENT_SAFE + "/")
    if not quoted.startswith("/"):
        return "/" + quoted
    return "/%2F" + quoted[2:] if quoted.startswith("//") else quoted


def quote_segment(text: str) -> str:
    """Return one segment of a path, encoded; a slash in it is encoded too.

    >>> quote_segment("../x?y")
    '..%2Fx%3Fy'
    """
    return _quote(text, _SEGMENT_SAFE)


def quote_query(query: str) -> str:
    """Return a query string in ASCII; escapes that it has stay as they are.

    >>> quote_query("q=caf\u00e9%20au lait#x")
    'q=caf%C3%A9%20au%20lait%23x'
    """
    return _quote(query, _QUERY_SAFE)


def _with_mark(query: str) -> str:
    return "?" + quote_query(query) if query else ""


def _quote(text: str, safe: str) -> str:
    """Some servers decode invalid UTF-8 to lone surrogates; they become the bytes they were, if they were bytes."""
    try:
        return quote(text.encode("utf-8", "surrogateescape"), safe=safe)
    except UnicodeEncodeError:
        return quote(text.encode("utf-8", "replace"), safe=safe)


def _is_scheme(text: str) -> bool:
    return text[:1].isalpha() and text.islower() and _SCHEME_CHARACTERS.issuperset(text)
