"""What must hold of hosts, URLs, origins, proxies and targets of redirects, so that no text names another site?"""

import os.path
from collections.abc import Sequence
from pathlib import PureWindowsPath
from typing import Final
from urllib.parse import urljoin, urlsplit

from fuzz.target import Target, claim, only, pieces, text_of
from nexios.errors import BadRequest, UnsafeRedirect
from nexios.http.forwarded import parse_forwarded, parse_node
from nexios.http.headers import check_value
from nexios.http.origins import parse_origin
from nexios.http.paths import file_parts
from nexios.http.proxies import TrustedProxies, forwarded_claim, x_forwarded_claim
from nexios.http.redirects import check_redirect, format_location, is_safe_redirect
from nexios.http.url import Host, parse_host, parse_ip, parse_url
from nexios.middleware.csrf_decision import Evidence, decide

__all__ = ["TARGETS"]

_OWN: Final = "https://own.example"


def hosts(data: bytes) -> None:
    """A host is one spelling of one name, and nothing of a URL is in it."""
    text = data.decode("latin-1")
    host = parse_host(text)
    if host is not None:
        claim(parse_host(str(host)) == host, "a host that is written is read back")
        claim(not set(host.name) & set("/?#@\\ %[]") and host.name == host.name.lower(), "plain")
        claim(urlsplit(f"//{host}").hostname == host.name, "others read the same host")
    address = parse_ip(text)
    claim(address is None or parse_ip(address) == address, "an address has one spelling")


def urls(data: bytes) -> None:
    """A URL that is written is read as the same, and others find the same host in it."""
    url = parse_url(data.decode("utf-8", "replace"))
    if url is None:
        return
    again = parse_url(str(url))
    claim(again is not None, "a URL that is written is one")
    claim(again is not None and (again.origin, again.target) == (url.origin, url.target), "and the same")
    claim(urlsplit(str(url)).hostname == url.host, "others read the same host")
    claim(url.target.startswith("/") and not url.target.startswith("//"), "a target is on this site")
    claim(str(url).isascii() and str(url).isprintable(), "a URL is plain text")


def origins(data: bytes) -> None:
    """An origin has one spelling, and no page of another one passes as ours."""
    site, text, referer = (piece.decode("latin-1") for piece in pieces(data, 3))
    read = parse_origin(text)
    if read is not None:
        claim(parse_origin(read.origin) is not None, "the spelling of browsers is an origin")
        claim(parse_url(read.origin) == parse_url(f"{read.origin}/"), "without a path")
    evidence = Evidence(
        sites=(site,) if site else (), origins=(text,) if text else (), referers=(referer,) if referer else (), own=_OWN
    )
    verdict = decide("POST", evidence)
    if verdict.passes:
        claim(site in ("same-origin", "none") or (not site and text == _OWN), "only a page of ours passes")


def _browser_host(target: str) -> str | None:
    """Where a browser goes from a page of ours; it drops tabs and line breaks, and takes a backslash for a slash.

    A name with a final dot is the same host.
    """
    plain = target.strip("".join(map(chr, range(33)))).translate({9: None, 10: None, 13: None}).replace("\\", "/")
    host = urlsplit(urljoin(f"{_OWN}/folder/page", plain)).hostname
    return None if host is None else host.removesuffix(".")


def redirects(data: bytes) -> None:
    """A target that passes stays on this site, as browsers read it; and a path of a request never leaves it."""
    text = text_of(data)
    with only(UnsafeRedirect):
        location = check_redirect(text)
        claim(check_value(location) == location and location.isascii(), "a location is a legal header")
        claim(_browser_host(location) == _browser_host(text) == "own.example", "a redirect stays on this site")
    if is_safe_redirect(text):
        claim(_browser_host(text) == "own.example", "what is safe stays on this site")
    if is_safe_redirect(text, allowed_hosts=["shop.example"]):
        claim(_browser_host(text) in ("own.example", "shop.example"), "what is safe leads to whom is allowed")
    path, _, query = text.partition("?")
    claim(_browser_host(format_location(path, query)) == "own.example", "a path of this site is on this site")


def file_paths(data: bytes) -> None:
    """What names a file names one below the folder, on every system."""
    parts = file_parts(text_of(data))
    if parts is None:
        return
    below = os.path.normpath(os.path.join("/srv/files", *parts))
    claim(below == "/srv/files" or below.startswith("/srv/files/"), "a file is below its folder")
    windows = PureWindowsPath("C:\\files", *parts)
    claim(windows.drive == "C:" and windows.parts[1] == "files" and ".." not in windows.parts, "on Windows too")
    claim(len(windows.parts) == 2 + len([part for part in parts if part]), "a part is one name")
    claim(all(len(part.encode()) < 256 for part in parts), "a file system can hold it")


def forwarded(data: bytes) -> None:
    """Nothing fails; what is read and written is read as the same; a node is an address in one spelling."""
    text = data.decode("latin-1")
    elements = parse_forwarded(text)
    claim(sum(len(name) + len(value) for each in elements for name, value in each.items()) <= len(text), "no more")
    written = ", ".join(";".join(f"{name}={_quoted(value)}" for name, value in each.items()) for each in elements)
    claim(parse_forwarded(written) == elements, "what is written is read back")
    node = parse_node(text)
    claim(node is None or parse_node(str(node)) == node, "an address that is written is read back")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


_PROXIES: Final = TrustedProxies(["10.0.0.0/8", "2001:db8::/32", "unix"], hops=2)
_FOR, _PROTO, _HOST, _PREFIX = "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-prefix"
_ALL: Final = frozenset({"for", "proto", "host", "prefix"})


def proxies(data: bytes) -> None:
    """Whatever stands further left than the trusted proxies can have written changes nothing."""
    given = [piece.decode("latin-1") for piece in pieces(data, 5)]
    said = dict(zip((_FOR, _PROTO, _HOST, _PREFIX, "forwarded"), given, strict=True))

    def values(name: str) -> Sequence[str]:
        return [said[name]] if said.get(name) else []

    with only(BadRequest):
        claimed = x_forwarded_claim(values, _PROXIES, _ALL)
        _check_host(claimed.client)
        _check_host(claimed.host)
        claim(claimed.prefix == "" or claimed.prefix[0] == "/" != claimed.prefix[-1], "a prefix is a path")
        if said[_FOR].count(",") >= _PROXIES.hops:
            said[_FOR] = f"192.0.2.66, {said[_FOR]}"
            claim(x_forwarded_claim(values, _PROXIES, _ALL).client == claimed.client, "a client cannot add in front")
    with only(BadRequest):
        _check_host(forwarded_claim(values, _PROXIES, _ALL).client)


def _check_host(host: Host | None) -> None:
    claim(host is None or parse_host(str(host)) == host, "what a proxy says of a host is one")


TARGETS: Final = (
    Target(
        "hosts",
        hosts,
        (
            b"Example.COM:8080",
            b"[::1]:80",
            b"010.0.0.1",
            b"::ffff:10.0.0.1",
            b"a.b.",
            b"1",
            b"0x7f.1",
            b"a@b",
            b"x:99999",
        ),
        (b":", b"[", b"]", b".", b"::", b"%25", b"@"),
    ),
    Target(
        "urls",
        urls,
        (
            b"https://shop.example:8443/a%20b?q#top",
            b"http://good.example\\@evil.example",
            b"HTTP://a:80//b/../c?\xc3\xa9",
        ),
        (b"://", b"@", b"//", b"%2F", b"?", b"#", b"\\", b"[::1]"),
    ),
    Target(
        "origins",
        origins,
        (
            b"\nhttps://own.example\n",
            b"same-origin\nnull\n",
            b"\n\nhttps://own.example/page",
            b"\nHTTPS://own.example:443",
        ),
        (b"https://own.example", b"null", b"cross-site", b"none", b".evil", b":443"),
    ),
    Target(
        "redirects",
        redirects,
        (
            b"/caf\xc3\xa9?next=%2F",
            b"//evil.example",
            b"/\\evil.example",
            b"https:evil.example",
            b"?a=http://x",
            b"https://shop.example.",
            b"a/b:c",
        ),
        (b"//", b"/\t/", b"\\", b"http:", b"https://shop.example", b"%0d%0a", b"\x0b", b"\xe3\x80\x80"),
    ),
    Target(
        "file-paths",
        file_paths,
        (
            b"/css/site.css",
            b"/guide/",
            b"/../etc/passwd",
            b"//server/share",
            b"/nul.txt",
            b"/C:x",
            b"/a\xff",
            b"/com\xc2\xb2",
        ),
        (b"/", b"..", b"\\", b"con", b":", b".", b" ", b"::$DATA"),
    ),
    Target(
        "forwarded",
        forwarded,
        (
            b'for=192.0.2.1;proto=https, for="[2001:db8::1]:80"',
            b'for="127.0.0.1;host=evil.com"',
            b"192.0.2.1:4711",
            b"[::1]",
        ),
        (b"for=", b'"', b"\\", b";", b",", b"_hidden", b"unknown"),
    ),
    Target(
        "proxies",
        proxies,
        (
            b"192.0.2.9, 10.1.2.3\nhttps\nshop.example\n/shop\nfor=192.0.2.9;proto=https;host=a.example",
            b"1.1.1.1,2.2.2.2,10.0.0.2,10.0.0.3\nhttp,https\na,b\n/../x\nfor=10.0.0.2, for=unknown",
        ),
        (b"10.0.0.1", b"unknown", b",", b"https", b"for=", b"\n"),
    ),
)
