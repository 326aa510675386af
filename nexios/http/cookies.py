"""Which cookies did the browser send, and how is one set or deleted?

Reading follows browsers: pairs are split on `;` and nothing else, names are taken
raw, so nothing that a browser would store under another name can pose as a
`__Host-` cookie. Writing refuses what browsers would drop, cut or misread.

Source: RFC 6265bis (draft-ietf-httpbis-rfc6265bis) sections 4.1, 4.2 and 5.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from nexios.errors import InvalidCookie
from nexios.http.dates import format_http_date
from nexios.http.headers import is_token

__all__ = ["MAX_COOKIES", "SameSite", "format_delete_cookie", "format_set_cookie", "parse_cookies"]

SameSite = Literal["lax", "strict", "none"]

MAX_COOKIES = 180
"""Pairs read from one request; what browsers keep for one site (RFC 6265bis section 6.1 asks for 50 at least)."""

_MAX_COOKIE_SIZE = 4096
"""Bytes of name and value together; browsers drop a larger cookie (RFC 6265bis section 5.6)."""

_MAX_ATTRIBUTE_SIZE = 1024
"""Bytes of one attribute value; browsers ignore a longer one (RFC 6265bis section 5.6)."""

_is_value = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*").fullmatch
_is_path = re.compile(r"/[\x21-\x2b\x2d-\x3a\x3c-\x7e]*").fullmatch
_is_label = re.compile(r"[0-9A-Za-z_-]{1,63}").fullmatch

_SAME_SITE_WORDS = {"lax": "Lax", "strict": "Strict", "none": "None"}


def parse_cookies(values: Iterable[str]) -> dict[str, str]:
    """Return the cookies of all `Cookie` fields, in order; of two with one name the first is kept.

    Pairs stand apart by `;` and at most one space, as browsers write them. A pair
    is ignored when it has no name, a name with a space, control or non-ASCII
    character, or an odd number of quotes: then it is one half of a quoted string
    with a `;` inside. One pair of quotes around a value is removed; nothing is
    unescaped or percent-decoded. Pairs after the first `MAX_COOKIES` are ignored.
    Never fails.

    >>> parse_cookies(['theme=dark; id="42"', "theme=light"])
    {'theme': 'dark', 'id': '42'}
    """
    cookies: dict[str, str] = {}
    remaining = MAX_COOKIES
    for value in values:
        first, *others = value.split(";", remaining)
        pairs = [first, *(pair.removeprefix(" ") for pair in others)]
        for pair in pairs[:remaining]:
            name, separator, text = pair.partition("=")
            if separator and name not in cookies and _is_readable_name(name):
                text = text.strip(" \t")
                if '"' not in text:
                    cookies[name] = text
                elif text.count('"') % 2 == 0:
                    cookies[name] = _unquote(text)
        remaining -= min(remaining, len(pairs))
        if not remaining:
            break
    return cookies


def _is_readable_name(name: str) -> bool:
    return bool(name) and name.isascii() and name.isprintable() and " " not in name


def _unquote(text: str) -> str:
    return text[1:-1] if text[0] == '"' == text[-1] else text


def format_set_cookie(
    name: str,
    value: str = "",
    *,
    max_age: int | None = None,
    expires: datetime | None = None,
    path: str | None = "/",
    domain: str | None = None,
    secure: bool = True,
    http_only: bool = True,
    same_site: SameSite | None = "lax",
    partitioned: bool = False,
) -> str:
    """Return the value of a `Set-Cookie` field.

    `max_age` is in seconds; zero or less deletes the cookie. `expires` is an aware
    datetime. Without either the cookie ends with the browser session. The defaults
    are the safe ones: `HttpOnly`, `Secure`, `SameSite=Lax`.

    Raises:
        InvalidCookie: A browser would refuse or misread it: an illegal character in
            name, value, path or domain (encode such text, for example with
            urllib.parse.quote), name and value over 4096 bytes, `SameSite=None` or
            `Partitioned` without `Secure`, or a `__Host-`, `__Secure-`, `__Http-`
            name whose promise the attributes break.

    >>> format_set_cookie("id", "42", max_age=60)
    'id=42; Max-Age=60; Path=/; Secure; HttpOnly; SameSite=Lax'
    """
    _check_pair(name, value)
    _check_prefix(name, path=path, domain=domain, secure=secure, http_only=http_only)
    parts = [f"{name}={value}"]
    if expires is not None:
        parts.append(f"Expires={_http_date(expires)}")
    if max_age is not None:
        parts.append(f"Max-Age={_seconds(max_age)}")
    if domain is not None:
        parts.append(f"Domain={_checked_domain(domain)}")
    if path is not None:
        parts.append(f"Path={_checked_path(path)}")
    if secure:
        parts.append("Secure")
    if http_only:
        parts.append("HttpOnly")
    if same_site is not None:
        parts.append(f"SameSite={_same_site_word(same_site, secure)}")
    if partitioned:
        if not secure:
            raise InvalidCookie("Browsers refuse a Partitioned cookie without Secure: pass secure=True.")
        parts.append("Partitioned")
    return "; ".join(parts)


def format_delete_cookie(
    name: str,
    *,
    path: str | None = "/",
    domain: str | None = None,
    secure: bool = True,
    http_only: bool = True,
    same_site: SameSite | None = "lax",
    partitioned: bool = False,
) -> str:
    """Return the value of a `Set-Cookie` field that makes the browser forget the cookie.

    Give the attributes it was set with: browsers match path, domain and
    partition, and refuse to touch a `__Host-` cookie without `Secure`.

    Raises:
        InvalidCookie: As `format_set_cookie`.

    >>> format_delete_cookie("id")
    'id=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax'
    """
    first, attributes = format_set_cookie(
        name,
        max_age=0,
        path=path,
        domain=domain,
        secure=secure,
        http_only=http_only,
        same_site=same_site,
        partitioned=partitioned,
    ).split("; ", 1)
    return f"{first}; Expires=Thu, 01 Jan 1970 00:00:00 GMT; {attributes}"


def _check_pair(name: str, value: str) -> None:
    if not isinstance(name, str) or not is_token(name):
        raise InvalidCookie(f"{name!r} is not a cookie name: use letters, digits, '-' and '_'.")
    if not isinstance(value, str) or _is_value(value) is None:
        raise InvalidCookie(
            f"The value of cookie {name!r} must be visible ASCII text without quotes, commas, semicolons, backslashes "
            "and spaces. Encode it first, for example with urllib.parse.quote()."
        )
    if len(name) + len(value) > _MAX_COOKIE_SIZE:
        raise InvalidCookie(
            f"Cookie {name!r} is over {_MAX_COOKIE_SIZE} bytes, name and value together: browsers drop it."
        )


def _check_prefix(name: str, *, path: str | None, domain: str | None, secure: bool, http_only: bool) -> None:
    """RFC 6265bis section 4.1.3; browsers compare the prefix in any case."""
    lowered = name.lower()
    if lowered.startswith(("__host-", "__secure-", "__http-")) and not secure:
        raise InvalidCookie(f"Browsers refuse cookie {name!r} without Secure: pass secure=True.")
    if lowered.startswith("__host-") and (domain is not None or path != "/"):
        raise InvalidCookie(
            f"Browsers refuse cookie {name!r} with a domain or another path: pass path='/', domain=None."
        )
    if lowered.startswith(("__http-", "__host-http-")) and not http_only:
        raise InvalidCookie(f"Browsers refuse cookie {name!r} without HttpOnly: pass http_only=True.")


def _http_date(expires: datetime) -> str:
    if not isinstance(expires, datetime) or expires.tzinfo is None or expires.utcoffset() is None:
        raise InvalidCookie("expires must be an aware datetime, as in datetime.now(timezone.utc) + timedelta(days=1).")
    if not 1601 < expires.year < 9999:  # the years of RFC 6265bis section 5.1.1, a day of time zone inside them
        raise InvalidCookie("expires must lie between the years 1602 and 9998.")
    return format_http_date(expires.timestamp())


def _seconds(max_age: int) -> int:
    if not isinstance(max_age, int) or isinstance(max_age, bool):
        raise InvalidCookie(f"max_age is a whole number of seconds, not {type(max_age).__name__}.")
    return max_age


def _checked_domain(domain: str) -> str:
    """A host name in ASCII, with or without the leading dot that browsers ignore."""
    labels = domain.removeprefix(".").split(".") if isinstance(domain, str) and len(domain) <= 253 else [""]
    if not all(_is_label(label) for label in labels):
        raise InvalidCookie(f"{domain!r} is not a cookie domain: give a host name in ASCII, as in 'example.com'.")
    return domain


def _checked_path(path: str) -> str:
    if not isinstance(path, str) or len(path) > _MAX_ATTRIBUTE_SIZE or _is_path(path) is None:
        raise InvalidCookie(
            f"{path!r} is not a cookie path: it starts with '/' and is ASCII without spaces, commas and semicolons."
        )
    return path


def _same_site_word(same_site: SameSite, secure: bool) -> str:
    word = _SAME_SITE_WORDS.get(same_site.lower()) if isinstance(same_site, str) else None
    if word is None:
        raise InvalidCookie(f"same_site is 'lax', 'strict', 'none' or None, not {same_site!r}.")
    if word == "None" and not secure:
        raise InvalidCookie("Browsers refuse SameSite=None without Secure: pass secure=True.")
    return word
