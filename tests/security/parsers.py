"""Everything that reads input from outside, in one table: what calls it, and what its worst inputs begin with."""

import time
from collections.abc import Callable, Coroutine, Iterator
from types import SimpleNamespace
from typing import Any, Final

from nexios.auth.api_keys import APIKeys
from nexios.auth.authorization import credentials_of, parse_basic
from nexios.auth.jwt import JWT
from nexios.auth.password_hashes import parse_kept
from nexios.auth.tokens import format_segment, parse_token
from nexios.http.accept import best_encoding, best_language, best_match, parse_accept, split_items
from nexios.http.charsets import codec_of
from nexios.http.conditional import evaluate, format_etag, if_range_allows, parse_etag, parse_etags
from nexios.http.cookies import format_set_cookie, parse_cookies
from nexios.http.dates import parse_http_date
from nexios.http.disposition import format_content_disposition, parse_content_disposition, safe_filename
from nexios.http.forms import parse_urlencoded
from nexios.http.forwarded import parse_forwarded, parse_node
from nexios.http.framing import parse_content_length, promises_more
from nexios.http.headers import Headers, MutableHeaders, check_name, check_value, is_token
from nexios.http.media_type import is_json, parse_media_type, parse_parameters
from nexios.http.origins import parse_origin
from nexios.http.paths import file_parts, is_device_name
from nexios.http.proxies import TrustedProxies, forwarded_claim, x_forwarded_claim
from nexios.http.query import decode_component, decode_pairs, parse_pairs, parse_query, unescape
from nexios.http.ranges import parse_ranges
from nexios.http.redirects import check_redirect, format_location, is_safe_redirect
from nexios.http.secret_names import is_secret_name
from nexios.http.url import parse_host, parse_ip, parse_port, parse_url, quote_path, quote_query, quote_segment
from nexios.messages.request import Request
from nexios.messages.sse import format_event
from nexios.messages.websocket_messages import read_as, read_json
from nexios.middleware.cors_policy import header_names
from nexios.middleware.csrf_decision import Evidence, decide
from nexios.middleware.csrf_tokens import token_fits
from nexios.middleware.trusted_hosts import TrustedHosts
from nexios.models.text import parse_bool, parse_decimal, parse_float, parse_int
from nexios.routing.registry import ConverterRegistry
from nexios.serialization import check_depth, decode_json, decode_msgpack
from nexios.session.record import decode_record
from nexios.session.signed import SignedSessions
from nexios.session.times import Times
from nexios.signing.keyring import Keyring
from nexios.signing.urls import verify_url
from nexios.static.navigation import is_navigation
from nexios.stores.memory import MemoryStore
from nexios.testing.transport import MemoryTransport
from nexios.websockets.history import parse_last_seen
from nexios.websockets.message import check_event, read_body
from nexios.websockets.message import check_name as check_channel_name

Parse = Callable[[str], object]

KEYRING: Final = Keyring("xWlZ9nTfS4v1cQ0kR7b2mJ6uYhE3oAqD")
SIGNER: Final = KEYRING.signer("test")
TOKENS: Final = JWT("x" * 8 + "WlZ9nTfS4v1cQ0kR7b2mJ6uYhE3", algorithms=["HS256"], issuer="i", audience="a")
NO_CLAIMS: Final = format_segment(b"{}")
SIGNED_HEAD: Final = format_segment(b'{"alg":"HS256"}')
KEYS: Final = APIKeys(MemoryStore())
PROXIES: Final = TrustedProxies(["10.0.0.0/8"], hops=5)
HOSTS: Final = TrustedHosts(["*.good.com"])
CLAIMS: Final = frozenset({"for", "proto", "host", "prefix"})
SESSIONS: Final = SignedSessions(KEYRING, "s", Times(idle=3600.0, absolute=86400.0), time.time, has_old_keys=True)
NO_LIMIT: Final = 10**9


def raw(parse: Callable[[bytes], object]) -> Parse:
    return lambda text: parse(text.encode("latin-1", "replace"))


def headed(name: str, read: Callable[[Headers], object]) -> Parse:
    """The text as a header, and in as many headers as it has commas."""

    def parse(text: str) -> None:
        read(Headers([(name, text)]))
        read(Headers([(name, part) for part in text.split(",")]))

    return parse


def driven(call: Callable[[str], Coroutine[Any, Any, object]]) -> Parse:
    """A coroutine that never waits."""

    def parse(text: str) -> None:
        call(text).send(None)

    return parse


def of_connection(text: str) -> Any:
    return SimpleNamespace(headers=Headers([("authorization", text)]))


def last_event_id(text: str) -> object:
    return Request(MemoryTransport(headers=[("last-event-id", text)]), None, "GET", "/", "/").last_event_id  # type: ignore[arg-type]


def varied(text: str) -> None:
    MutableHeaders().add_vary(*text.split(","))


def claimed(claim: Callable[..., object], *names: str) -> Parse:
    return lambda text: claim(lambda name: [text] if name in names else [], PROXIES, CLAIMS)


OF_HTTP: Final[dict[str, tuple[Parse, tuple[str, ...]]]] = {
    # name in nexios.http: (call, what its worst inputs begin with)
    "parse_accept": (lambda text: parse_accept(text, max_items=NO_LIMIT), ("text/html;", "*/*;q=0.", 'a/b;c="')),
    "best_match": (lambda text: best_match(text, ["text/html", "a/b;c=d"]), ("text/html;", 'a/b;c="')),
    "best_encoding": (lambda text: best_encoding(text, ["gzip", "br"]), ("gzip;q=", "*;")),
    "best_language": (lambda text: best_language(text, ["en-GB", "de"]), ("en-", "de;q=0.")),
    "split_items": (lambda text: split_items(text, NO_LIMIT), ('"', 'a="')),
    "codec_of": (codec_of, ("utf", "iso-8859-")),
    "parse_etag": (parse_etag, ('"', 'W/"')),
    "parse_etags": (parse_etags, ('"', 'W/"', '"a",')),
    "format_etag": (format_etag, ("a",)),
    "evaluate": (headed("if-none-match", lambda h: evaluate("GET", h, etag='"a"', last_modified=0.0)), ('"', 'W/"')),
    "if_range_allows": (headed("if-range", lambda h: if_range_allows(h, '"a"', 0.0, now=1.0)), ('"', "Sun, 06 Nov 1")),
    "parse_cookies": (lambda text: parse_cookies([text, *text.split(",")]), ("a=", 'a="', "__Host-", "a=%")),
    "parse_http_date": (parse_http_date, ("Sun, 06 Nov 1994 ", "Sunday, 06-Nov-94 ", "Sun Nov  6 ")),
    "parse_content_disposition": (parse_content_disposition, ('form-data; name="', "form-data; filename*=utf-8''")),
    "format_content_disposition": (format_content_disposition, ("a",)),
    "safe_filename": (safe_filename, ("a/", "..", "con.")),
    "parse_urlencoded": (raw(lambda body: parse_urlencoded(body, max_fields=NO_LIMIT)), ("a=", "a=%")),
    "parse_forwarded": (parse_forwarded, ("for=", 'for="', "for=a;by=")),
    "parse_node": (parse_node, ("[", "1.", "_")),
    "parse_content_length": (lambda text: parse_content_length([text, *text.split(",")]), ("0", "1,")),
    "promises_more": (lambda text: promises_more([text], 10), ("0", "1,")),
    "is_token": (is_token, ("a",)),
    "check_name": (check_name, ("a",)),
    "check_value": (check_value, ("a",)),
    "parse_media_type": (parse_media_type, ("a/b;", 'a/b;c="', "a/b; c=d", "multipart/form-data; boundary=")),
    "is_json": (lambda text: is_json(parse_media_type(text)), ("application/", "application/a+json;")),
    "parse_parameters": (parse_parameters, (";", 'a="', "; ")),
    "parse_origin": (parse_origin, ("http://", "https://[", "https://a.")),
    "file_parts": (file_parts, ("/", "a/", "con.")),
    "is_device_name": (is_device_name, ("con", "com1.")),
    "x_forwarded_claim": (claimed(x_forwarded_claim, "x-forwarded-for", "x-forwarded-prefix"), ("10.0.0.1,", "[", "/")),
    "forwarded_claim": (claimed(forwarded_claim, "forwarded"), ("for=10.0.0.1,", 'for="[')),
    "TrustedProxies": (lambda text: PROXIES.last_of(text.split(",")), ("10.0.0.1,", "[", "10.")),
    "parse_query": (lambda text: parse_query(text, max_params=NO_LIMIT, max_size=NO_LIMIT), ("a=", "%")),
    "parse_pairs": (lambda text: parse_pairs(text, max_fields=NO_LIMIT), ("a=", "%")),
    "decode_pairs": (raw(lambda body: decode_pairs(body, "replace")), ("a=", "%")),
    "decode_component": (raw(decode_component), ("%", "%C3")),
    "unescape": (raw(unescape), ("%", "%4")),
    "parse_ranges": (lambda text: parse_ranges(text, size=10, max_ranges=NO_LIMIT), ("bytes=", "bytes=0-,", "bytes=-")),
    "check_redirect": (lambda text: check_redirect(text, external=True), ("/", "https://", "//")),
    "is_safe_redirect": (
        lambda text: is_safe_redirect(text, allowed_hosts=["good.com"]),
        ("/", "https://good.com", "/\\"),
    ),
    "format_location": (lambda text: format_location(text, text), ("/",)),
    "parse_host": (parse_host, ("[", "a.", "1.", "xn--", "a:")),
    "parse_ip": (parse_ip, ("[", "1.", "::", "fe80::1%")),
    "parse_port": (parse_port, ("1", "0")),
    "parse_url": (parse_url, ("http://", "http://a@", "http://[", "http://a/", "a:")),
    "quote_path": (quote_path, ("/",)),
    "quote_segment": (quote_segment, ("a",)),
    "quote_query": (quote_query, ("a=",)),
    "is_secret_name": (is_secret_name, ("x-", "aut")),
}

NOT_READ: Final = {
    "MAX_COOKIES": "a number",
    "MAX_ITEMS": "a number",
    "MAX_TARGET_LENGTH": "a number",
    "DEFAULT_PORTS": "a table",
    "NO_CONTENT": "a table",
    "UNIX": "a word",
    "Accepted": "what parse_accept returns",
    "ByteRange": "what parse_ranges returns",
    "Claim": "what the claims return",
    "ETag": "what parse_etag returns",
    "Host": "what parse_host returns",
    "MediaType": "what parse_media_type returns",
    "QueryParams": "what parse_query returns",
    "URL": "what parse_url returns",
    "Precondition": "an answer",
    "FormData": "holds what was read",
    "Headers": "holds what a server has read; in the second table",
    "MutableHeaders": "holds what is written; in the second table",
    "MultiDict": "holds what was read",
    "Upload": "holds what was read",
    "Pairs": "a type",
    "SameSite": "a type",
    "network_of": "reads the address that a server gives",
    "configured_origins": "reads what a developer writes",
    "format_delete_cookie": "writes what a developer names",
    "format_http_date": "writes a number",
    "format_set_cookie": "in the second table",
}
"""Public names of nexios.http that read nothing from outside, and what they are instead."""

CONVERTERS: Final = ConverterRegistry()

ELSEWHERE: Final[dict[str, tuple[Parse, tuple[str, ...]]]] = {
    "headers": (headed("a", lambda headers: (headers.get("a"), dict(headers), headers.get_all("A"))), ("a",)),
    "vary": (varied, ("a",)),
    "a cookie that is set": (lambda text: format_set_cookie("a", text), ("a",)),
    "csrf token": (lambda text: token_fits(text, b"x" * 32), ("A" * 80, "=")),
    "csrf origin": (lambda text: decide("POST", Evidence(origins=(text,), own="https://a")), ("https://", "http://[")),
    "csrf referer": (lambda text: decide("POST", Evidence(referers=(text,), own="https://a")), ("https://a/", "h:")),
    "cors names": (lambda text: header_names([text, *text.split(",")]), ("x-", "a,")),
    "trusted host": (HOSTS._trusts, ("good.com", "a.", "[", ".good.com")),
    "signed value": (lambda text: SIGNER.unsign(text, max_age=10), ("a.", "A" * 43, ".1700000000.")),
    "signed link": (lambda text: verify_url(KEYRING, text), ("/x?", "/x?signature=", "/x?expires=1&")),
    "signed session": (SESSIONS.open, ("a.", "A" * 43)),
    "session record": (raw(decode_record), ('{"v":{"', '{"v":[[[', "{")),
    "JWT": (parse_token, ("a.", f"{NO_CLAIMS}.", "eyJ")),
    "JWT that is verified": (driven(TOKENS.verify), ("a.", f"{SIGNED_HEAD}.e30.")),
    "API key": (driven(KEYS.find), ("nxs_", "nxs_aaaaaaaa_", "_")),
    "Basic": (parse_basic, ("YQ", "Og", "=")),
    "Authorization": (lambda text: credentials_of(of_connection(text), "bearer"), ("Bearer ", "Bearer  ", "a")),
    "kept password": (parse_kept, ("$argon2id$", "$scrypt$", "$")),
    "navigation": (headed("accept", is_navigation), ("text/html;", 'text/html;a="')),
    "JSON": (raw(lambda body: decode_json(body, max_depth=100)), ("[", '{"a":', '"', "1")),
    "depth of one peak": (lambda text: check_depth(b"[" * len(text) + b"]" * len(text), NO_LIMIT), ("",)),
    "depth of many peaks": (lambda text: check_depth(b"[" + b"[[[]]]," * len(text) + b"1]", NO_LIMIT), ("",)),
    "depth of strings": (lambda text: check_depth(b"[" + b'"\\"[",' * len(text) + b"1]", 1), ("",)),
    "MessagePack": (raw(lambda body: decode_msgpack(body, max_depth=100)), ("\x91", "\xdc\xff\xff", "\x81")),
    "message": (lambda text: read_json(text, 100), ("[", '{"a":', '"')),
    "typed message": (lambda text: read_as(text, 100, list[int]), ("[", "[1,")),
    "message of a backend": (raw(read_body), ("{", "[", '"')),
    "name of a channel": (check_channel_name, ("a",)),
    "name of an event": (check_event, ("a",)),
    "last seen": (parse_last_seen, ("1", "0")),
    "Last-Event-ID": (last_event_id, ("a", "\xc3")),
    "an event": (format_event, ("a", "\r\n")),
    "whole number": (parse_int, ("1", "0")),
    "number": (parse_float, ("1", "1e", "0.")),
    "decimal": (parse_decimal, ("1", "1e", "0.")),
    "truth": (parse_bool, ("t",)),
    **{f"converter {name}": (CONVERTERS.get(name).convert, ("1", "2024-01-31T", "a")) for name in CONVERTERS.names()},
}

PIECES: Final = [
    ",", ";", "=", "&", '"', "\\", " ", "\t", "/", ".", ":", "-", "%", "[", "(", "{", "0", "a", "\xe9", "\xff", "\\\"",
    "a=b;", 'a="b";', "a,", ", ", "%41", "%C3%A9", "..", "a.", "1.", "/.", '"a",', "\r\n", "=?", "''", "$", "_", "[[",
    '{"a":',
]  # fmt: skip
"""What worst inputs repeat: separators, quotes, escapes, and pairs of them that look like an end."""

PARSERS: Final = OF_HTTP | ELSEWHERE


def inputs(beginnings: tuple[str, ...], size: int) -> Iterator[tuple[str, str]]:
    """Each beginning with each piece, repeated up to the size: (what it is, the text)."""
    for beginning in ("", *beginnings):
        for piece in PIECES:
            yield f"{beginning!r} + {piece!r} * n", beginning + piece * (size // len(piece)) + "!"


def tried(parse: Parse, text: str) -> None:
    try:
        parse(text)
    except (Exception, StopIteration):
        return
