"""What must hold of the fields in the head of a message, whatever a client writes into them?"""

import math
from typing import Final

from fuzz.target import Target, claim, only, pieces, text_of
from nexios.errors import BadRequest, InvalidCookie, InvalidHeader, RangeNotSatisfiable
from nexios.http.accept import MAX_ITEMS, best_encoding, best_language, best_match, parse_accept
from nexios.http.charsets import codec_of
from nexios.http.conditional import evaluate, format_etag, if_range_allows, parse_etag, parse_etags
from nexios.http.cookies import MAX_COOKIES, format_set_cookie, parse_cookies
from nexios.http.dates import format_http_date, parse_http_date
from nexios.http.disposition import format_content_disposition, parse_content_disposition, safe_filename
from nexios.http.framing import parse_content_length, promises_more
from nexios.http.headers import Headers, MutableHeaders, check_name, check_value
from nexios.http.media_type import MediaType, parse_media_type
from nexios.http.paths import file_parts
from nexios.http.ranges import parse_ranges

__all__ = ["TARGETS"]


def cookies(data: bytes) -> None:
    """Reading never fails, and reads no more than it says; what a `Set-Cookie` says is read back."""
    values = data.decode("latin-1").split("\n")
    read = parse_cookies(values)
    claim(len(read) <= MAX_COOKIES, "cookies are counted")
    for name, value in read.items():
        claim(name and name.isascii() and name.isprintable() and not set(name) & set("=; "), "a name is one")
        claim(";" not in value and any(value in given for given in values), "a value is a part of what was sent")
        _set_and_read(name, value)


def _set_and_read(name: str, value: str) -> None:
    with only(InvalidCookie):
        written = format_set_cookie(name, value)
        claim(parse_cookies([written.partition("; ")[0]]) == {name: value}, "what is written is read back")


def set_cookies(data: bytes) -> None:
    """Whatever a program passes on, it is one legal header with this one cookie, or an error."""
    name, value, path, domain = map(text_of, pieces(data, 4))
    with only(InvalidCookie):
        written = format_set_cookie(name, value, path=path or None, domain=domain or None)
        claim(check_value(written) == written, "a cookie is a legal header")
        claim(written.count(";") == 3 + bool(path) + bool(domain), "no text becomes an attribute")
        claim(parse_cookies([written.partition("; ")[0]]) == {name: value}, "what is written is read back")


def media_types(data: bytes) -> None:
    """A type is what it says, and what is written of it is read as the same."""
    with only(BadRequest):
        read = parse_media_type(data.decode("latin-1"))
        claim(sum(len(name) + len(text) for name, text in read.parameters.items()) <= len(data), "no more than came in")
        claim(read.essence == read.essence.lower(), "types are in lower case")
        claim(parse_media_type(_written(read)) == read, "a media type that is written anew is the same")
        claim(codec_of(read.charset or "utf-8") is None or "x".encode(codec_of(read.charset or "utf-8") or ""), "coded")


def _written(media_type: MediaType) -> str:
    escaped = ((name, text.replace("\\", "\\\\").replace('"', '\\"')) for name, text in media_type.parameters.items())
    return media_type.essence + "".join(f'; {name}="{text}"' for name, text in escaped)


_OFFERS: Final = ("text/html", "application/json", "text/html; level=1")
_CODINGS: Final = ("br", "gzip", "identity")
_LANGUAGES: Final = ("en", "en-GB", "de-CH-1996")


def accept(data: bytes) -> None:
    """Nothing fails; what is chosen was offered; and what is refused by name is not chosen."""
    text = data.decode("latin-1")
    read = parse_accept(text)
    claim(len(read) <= MAX_ITEMS + 1 and all(0 <= item.quality <= 1000 for item in read), "items are counted")
    claim(best_match(text, _OFFERS) in (*_OFFERS, None), "a media type that was offered")
    claim(best_encoding(text, _CODINGS) in (*_CODINGS, None), "a coding that was offered")
    claim(best_language(text, _LANGUAGES) in (*_LANGUAGES, None), "a language that was offered")
    if text.count(",") < MAX_ITEMS - 1 and '"' not in text:
        claim(best_encoding(f"{text},gzip;q=0", ("gzip",)) is None, "a coding that is refused is not chosen")
        claim(best_match(f"{text},text/html;q=0", ("text/html",)) is None, "nor is a media type")
        claim(best_language(f"{text},en;q=0", ("en",)) is None, "nor a language")


def dates(data: bytes) -> None:
    """A date is a time or None, and a time that is written is read back."""
    seconds = parse_http_date(data.decode("latin-1"), now=1.7e9)
    if seconds is not None:
        claim(math.isfinite(seconds), "a time is finite")
        with only(ValueError):
            claim(parse_http_date(format_http_date(seconds)) == seconds, "a date that is written is read back")


_CONDITIONS: Final = ("if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range")


def conditions(data: bytes) -> None:
    """Nothing fails; a tag is read back; no write goes through against an If-Match that names no tag of ours."""
    values = [piece.decode("latin-1") for piece in pieces(data, len(_CONDITIONS))]
    headers = Headers([(name, value) for name, value in zip(_CONDITIONS, values, strict=True) if value])
    for method in ("GET", "PUT"):
        decided = evaluate(method, headers, etag='"v1"', last_modified=784111777.0)
        claim(decided in ("send", "failed", "not_modified"), "there are three ways to go on")
        claim(decided != "not_modified" or method == "GET", "a write is not answered with 304")
        if values[0] and '"v1"' not in values[0] and values[0].strip(" \t") != "*":
            claim(decided == "failed", "a write against another version is refused")
    if_range_allows(headers, '"v1"', 784111777.0, now=1.7e9)
    tags = parse_etags(values[0])
    for tag in () if tags == "*" else tags:
        claim(parse_etag(str(tag)) == tag, "a tag that is written is read back")
        claim(format_etag(tag.value, weak=tag.weak) == str(tag), "a tag that was read may be written")


def ranges(data: bytes) -> None:
    """Every range is inside of the body, and all together are no more than the body."""
    size_text, header = pieces(data, 2)
    size = int.from_bytes(size_text[:6])
    with only(RangeNotSatisfiable):
        found = parse_ranges(header.decode("latin-1"), size=size) or []
        claim(len(found) <= 10 and sum(one.length for one in found) <= size, "ranges are worth their while")
        claim(all(0 <= one.start < one.stop <= size for one in found), "a range is inside of the body")


def dispositions(data: bytes) -> None:
    """Reading refuses or has flat names; writing makes a legal header; a safe name is one plain file name."""
    with only(BadRequest):
        word, parameters = parse_content_disposition(data.decode("latin-1"))
        claim(word == word.lower() and not any("*" in name for name in parameters), "no name is extended")
    text = text_of(data)
    with only(InvalidHeader):
        written = format_content_disposition(text)
        claim(check_value(written) == written and written.isascii(), "a disposition is a legal header")
        claim(parse_content_disposition(written)[0] == "attachment", "a download stays one")
    safe = safe_filename(text)
    claim(file_parts(f"/{safe}") == (safe,), "a safe name is one file in a folder")
    claim(safe_filename(safe) == safe, "a safe name stays as it is")


def headers(data: bytes) -> None:
    """Looking up never fails; what passes the checks has nothing that ends a line."""
    fields = [line.partition(":") for line in data.decode("latin-1").split("\n")]
    read = Headers([(name.lower(), value) for name, _, value in fields])
    for name, _, value in fields:
        claim(name in read and value in read.get_all(name), "every field is found")
    written: list[tuple[str, str]] = []
    target = MutableHeaders(written)
    for name, _, value in (line.partition(":") for line in text_of(data).split("\n")):
        with only(InvalidHeader):
            target.add(name, value)
            claim(check_name(name) in target and check_value(value) in target.get_all(name), "what is added is there")
            target.add_vary(value)
    for name, value in written:
        claim(not set(name + value) & set("\r\n\0") and (name + value).encode("latin-1"), "no line ends inside of one")


def lengths(data: bytes) -> None:
    """A length is the plain number that it is written as, or refused; and both readings agree."""
    values = data.decode("latin-1").split("\n")
    with only(ValueError):
        length = parse_content_length(values)
        claim(length is not None and 0 <= length < 10**19 and values[0].isascii(), "a length is a number")
        claim(length == int(values[0]), "and the one that is written")
        for limit in (0, 41, 10**7):
            claim(promises_more(values, limit) == (length is not None and length > limit), "both readings agree")


TARGETS: Final = (
    Target(
        "cookies",
        cookies,
        (b'theme=dark; id="42"\ntheme=light', b"=__Host-x=1; a=b=c;;  c", b'a="x;csrf=e"; b="\\""', b"__Host-s=1;"),
        (b"; ", b'"', b"__Host-", b"=", b"%3D"),
    ),
    Target(
        "set-cookies",
        set_cookies,
        (b"id\n42\n/\n", b"__Host-id\nv\n/\n", b"a\nb\n/x;y\nexample.com", b"a\n\xff\n/\n.example.com"),
        (b"; Path=/", b"__Secure-", b"\r\n", b","),
    ),
    Target(
        "media-types",
        media_types,
        (
            b'Text/HTML; Charset="UTF-8"',
            b'multipart/form-data; boundary="a\\"b"; x=y',
            b"application/json",
            b"a/b;;;c=d",
        ),
        (b'"', b"\\", b";", b"charset=", b"boundary=", b"utf-16"),
    ),
    Target(
        "accept",
        accept,
        (b"text/html;q=0.5, application/json, */*;q=0", b"gzip, br;q=0.9, *;q=0", b"de-CH, en;q=0.5", b'a/b;x=",";q=1'),
        (b";q=0", b"*/*", b"q=1.000", b",", b'"'),
    ),
    Target(
        "dates",
        dates,
        (
            b"Sun, 06 Nov 1994 08:49:37 GMT",
            b"Sunday, 06-Nov-94 08:49:37 GMT",
            b"Sun Nov  6 08:49:37 1994",
            b"Fri, 31 Dec 9999 23:59:60 GMT",
        ),
        (b" GMT", b"Feb", b"29", b":60"),
    ),
    Target(
        "conditions",
        conditions,
        (
            b'"v1", W/"b,c"\n"x"\nSun, 06 Nov 1994 08:49:37 GMT\n\n"v1"',
            b"*\n*\n\nSun, 06 Nov 1994 08:49:37 GMT\nSun, 06 Nov 1994 08:49:37 GMT",
            b'"a" "b"\nW/"v1"\n\n\n',
        ),
        (b'W/"', b'"v1"', b", ", b"*"),
    ),
    Target(
        "ranges",
        ranges,
        (
            b"\x00\x0b\nbytes=0-4,-2",
            b"\x0b\nbytes=5-",
            b"\xff\nbytes=,0-0,, 9-9 ,",
            b"\x05\nBytes=-99999999999999999999999999",
        ),
        (b"bytes=", b"-", b",", b"0-0", b"9" * 30),
    ),
    Target(
        "dispositions",
        dispositions,
        (
            b'form-data; name="a"; filename="x.txt"; name*=utf-8\'\'b',
            "naïve.txt".encode(),
            b"../../etc/passwd",
            b"CON .tar.gz. ",
            b"a" * 300 + b".tar",
        ),
        (b"filename=", b"..", b"/", b"\\", b"\xe2\x80\xae", b"\xc2\xb2", b"COM", b"nul", b"\x00"),
    ),
    Target(
        "headers",
        headers,
        (
            b"Accept: text/html\naccept: text/plain\nCookie:a=1\ncookie:b=2",
            b"X-A:1\nset-cookie: a=1\nvary:*",
            b": :\n\x00:",
        ),
        (b"\r\n", b"\x85", b"\x0b", b":"),
    ),
    Target("lengths", lengths, (b"42", b"+5", b"1_0", b"5\n5", b"-1", b"9" * 19, b"\xb2"), (b"0", b" ", b",")),
)
