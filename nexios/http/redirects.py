"""Where may a redirect lead, and how is its Location written?

A target is local unless `external=True` says otherwise, and what browsers
read in another way than we do is refused instead of mended: a backslash, a
control character, a space at an end, `//host`, `http:host`.

Sources: RFC 9110 section 10.2.2; RFC 3986 section 4.2; the WHATWG URL Standard,
which drops tabs and line breaks and takes a backslash for a slash.
"""

from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

from nexios.errors import UnsafeRedirect
from nexios.http.url import DEFAULT_PORTS, URL, Host, parse_host, parse_url, quote_path, quote_query

__all__ = ["MAX_TARGET_LENGTH", "check_redirect", "format_location", "is_safe_redirect"]

MAX_TARGET_LENGTH: Final = 8 * 1024
"""Characters; it is tested before anything else looks at the target. Proxies give a header little more."""

_SAFE: Final = "!#$%&'()*+,/:;=?@[]~"
"""What may stay as it is in a URL reference (RFC 3986 section 2.2), and `%`, as escapes are kept."""
_CONTROL_ESCAPES: Final = tuple(f"%{code:02x}" for code in (*range(0x20), 0x7F))


def check_redirect(target: str, *, external: bool = False) -> str:
    r"""Return `target` as the value of a Location header, in ASCII.

    Local are a path, a relative path, `?query` and `#fragment`. With `external=True`
    an absolute http or https URL is allowed as well.

    >>> check_redirect("/caf\u00e9?next=%2F")
    '/caf%C3%A9?next=%2F'
    >>> check_redirect("https://pay.example/42", external=True)
    'https://pay.example/42'

    Raises:
        UnsafeRedirect: The target leaves this site, or a browser may think that it does.
    """
    if len(target) > MAX_TARGET_LENGTH:
        raise UnsafeRedirect(f"the target of a redirect is over {MAX_TARGET_LENGTH} characters")
    _check_characters(target)
    if _has_scheme(target):
        _check_absolute(target, external=external)
    elif target.startswith("//"):
        raise UnsafeRedirect("a redirect to '//host' takes another host; write 'https://host' and external=True")
    return _encode(target)


def is_safe_redirect(target: str, *, allowed_hosts: Iterable[str] = (), require_https: bool = False) -> bool:
    """Tell whether a target that a client gave, as `?next=`, may be followed.

    `allowed_hosts` are `name` or `name:port`; one without a port means the usual port of the scheme.

    >>> is_safe_redirect("/account"), is_safe_redirect("//evil.example")
    (True, False)
    >>> is_safe_redirect("https://shop.example/", allowed_hosts=["shop.example"])
    True
    """
    try:
        check_redirect(target, external=True)
    except UnsafeRedirect:
        return False
    if not _has_scheme(target):
        return True
    url = parse_url(target)
    if url is None or (require_https and url.scheme != "https"):
        return False
    return any(_is_host_of(url, parse_host(allowed)) for allowed in allowed_hosts)


def format_location(path: str, query: str = "") -> str:
    """Return the Location of a decoded path on this very site, whatever it holds; never another host.

    For redirects from a request's own path, as to the one with a slash at its end.

    >>> format_location("//evil.example/..", "a=1")
    '/%2Fevil.example/..?a=1'
    """
    return quote_path(path) + (f"?{quote_query(query)}" if query else "")


def _check_characters(target: str) -> None:
    if not target or target != target.strip():
        raise UnsafeRedirect("the target of a redirect is empty, or has a space at an end")
    if any(character < " " or "\x7f" <= character <= "\x9f" for character in target):
        raise UnsafeRedirect("the target of a redirect has a control character in it")
    path = _before_query(target).lower()
    if "\\" in path:
        raise UnsafeRedirect("the target of a redirect has a backslash in it, which browsers take for a slash")
    if "%" in path and any(escape in path for escape in _CONTROL_ESCAPES):
        raise UnsafeRedirect("the path of a redirect has an escaped control character in it")


def _check_absolute(target: str, *, external: bool) -> None:
    if not external:
        raise UnsafeRedirect("a redirect to another site needs external=True; to a path of this one, begin with '/'")
    url = parse_url(_before_query(target))
    if url is None or url.scheme not in ("http", "https"):
        raise UnsafeRedirect("an external redirect needs 'https://host/...' with an ASCII host and no user name")


def _before_query(target: str) -> str:
    return target.partition("#")[0].partition("?")[0]


def _has_scheme(target: str) -> bool:
    """A colon in the first segment makes it a scheme, or might (RFC 3986 section 4.2)."""
    return ":" in _before_query(target).partition("/")[0]


def _is_host_of(url: URL, allowed: Host | None) -> bool:
    if allowed is None or allowed.name != url.host:
        return False
    usual = DEFAULT_PORTS.get(url.scheme)
    return (allowed.port or usual) == (url.port or usual)


def _encode(target: str) -> str:
    try:
        return quote(target, safe=_SAFE)
    except UnicodeEncodeError as exc:
        raise UnsafeRedirect("the target of a redirect is not text that UTF-8 can hold") from exc
