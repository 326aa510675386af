"""What must hold of bodies and queries, whatever is in them and however they are cut on their way?"""

import json
from collections.abc import AsyncIterator
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import msgspec

from fuzz.target import Target, claim, drive, only, pieces
from nexios.errors import BadRequest, ContentTooLarge, HTTPException, UnsupportedMediaType, URITooLong
from nexios.http.forms import FormData, Upload, parse_urlencoded
from nexios.http.media_type import parse_media_type
from nexios.http.query import parse_query
from nexios.messages.form import close_form, read_form
from nexios.serialization import decode_json, decode_msgpack, encode_json, encode_msgpack
from nexios.settings import Limits

__all__ = ["TARGETS"]

_LIMITS: Final = Limits(max_form_fields=20, max_form_files=5, max_form_part_size=1024, max_form_text_size=2048)
_DEPTH: Final = 20
_REPLACEMENT: Final = 3
"""Bytes of U+FFFD, which one byte may become."""


def queries(data: bytes) -> None:
    """The same pairs that the standard library reads; what is written is read back; never much more than came in."""
    with only(BadRequest, URITooLong):
        read = parse_query(data, max_params=100).multi_items()
        size = sum(len(name.encode()) + len(value.encode()) for name, value in read)
        claim(size <= _REPLACEMENT * len(data), "decoding makes little of much, not much of little")
        if data.isascii():
            claim(parse_query(data.decode(), max_params=100).multi_items() == read, "as bytes and as text")
            claim(parse_qsl(data.decode(), keep_blank_values=True) == read, "others read the same pairs")
        claim(parse_query(urlencode(read), max_params=100).multi_items() == read, "what is written is read back")


def urlencoded(data: bytes) -> None:
    """Within the limits, what is strict reads what a query reads; both ways to read a form agree."""
    outcome = _outcome(data, "application/x-www-form-urlencoded", len(data) or 1)
    claim(outcome == _outcome(data, "application/x-www-form-urlencoded", 3), "how a body is cut changes nothing")
    with only(BadRequest, ContentTooLarge):
        pairs = parse_urlencoded(data, max_fields=20, max_part_size=1024, max_text_size=2048)
        claim(pairs == parse_query(data, max_params=20).multi_items(), "a form is read as a query is")
        claim(all(len(value.encode()) <= 1024 for _, value in pairs), "fields are measured")


def multipart(data: bytes) -> None:
    """Only the documented errors; how a body is cut changes nothing; nothing is open afterwards."""
    head, body = pieces(data, 2)
    size = 1 + (head[0] if head else 0) % 64
    kind = 'multipart/form-data; boundary="b"'
    claim(_outcome(body, kind, len(body) or 1) == _outcome(body, kind, size), "how a body is cut changes nothing")
    written = b"".join(
        b'--limit-7\r\ncontent-disposition: form-data; name="%d"\r\n\r\n%b\r\n' % (number, value)
        for number, value in enumerate(body.split(b"--")[:9])
    )
    fields = [(str(number), value) for number, value in enumerate(body.split(b"--")[:9])]
    with only(BadRequest, ContentTooLarge):
        form = _read(written + b"--limit-7--\r\n", "multipart/form-data; boundary=limit-7", 4096)
        claim(
            [(name, str(text).encode()) for name, text in form.multi_items()] == fields, "what is written is read back"
        )


def _outcome(body: bytes, kind: str, size: int) -> object:
    """What is read, or why it is not."""
    try:
        form = _read(body, kind, size)
    except (BadRequest, ContentTooLarge, UnsupportedMediaType) as exc:
        _check_told(exc)
        return exc.status_code, exc.code
    uploads = [value for _, value in form.files.multi_items()]
    read = [(name, drive(_content(value))) for name, value in form.multi_items()]
    drive(close_form(form))
    claim(all(getattr(upload, "closed", True) for upload in uploads), "uploads are closed")
    claim(len(form.fields) <= 20 and len(uploads) <= 5, "parts are counted")
    return read


def _check_told(exc: HTTPException) -> None:
    with only(HTTPException):
        raise exc


def _read(body: bytes, kind: str, size: int) -> FormData:
    return drive(read_form(_cut(body, size), parse_media_type(kind), _LIMITS))


async def _content(value: str | Upload) -> object:
    return value if isinstance(value, str) else (value.filename, value.content_type, await value.read())


async def _cut(body: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


def json_bodies(data: bytes) -> None:
    """What is read is what the standard library reads, no deeper than allowed, and can be written and read again."""
    with only(BadRequest):
        value = decode_json(data, max_depth=_DEPTH)
        claim(_depth(value) <= _DEPTH, "depth is limited")
        claim(decode_json(encode_json(value), max_depth=_DEPTH) == value, "what is written is read back")
        claim(_is_same(json.loads(data), value), "others read the same value")


def _depth(value: object) -> int:
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if members is None else 1 + max(map(_depth, members), default=0)


def _is_same(theirs: Any, ours: Any) -> bool:
    if isinstance(theirs, dict):
        return theirs.keys() == ours.keys() and all(_is_same(theirs[name], ours[name]) for name in theirs)
    if isinstance(theirs, list):
        return len(theirs) == len(ours) and all(map(_is_same, theirs, ours))
    return bool(theirs == ours)


def msgpack_bodies(data: bytes) -> None:
    """Only the documented error, and nothing that has no JSON form comes out of an extension."""
    with only(BadRequest):
        value = decode_msgpack(data, max_depth=_DEPTH)
        with only(TypeError, ValueError, OverflowError):
            again = decode_msgpack(encode_msgpack(value), max_depth=_DEPTH)
            claim(encode_msgpack(again) == encode_msgpack(value), "what is written is read back")
        claim(not isinstance(value, msgspec.msgpack.Ext), "no extension is taken")


_PART: Final = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
_FILE: Final = (
    b'--b\r\ncontent-disposition: form-data; name="f"; filename="x.txt"\r\ncontent-type: text/plain\r\n\r\nhello\r\n'
)

TARGETS: Final = (
    Target(
        "queries",
        queries,
        (b"q=caf%C3%A9+noir&flag", b"a=1;b=2&c=%2541", b"&&a=&=b&%zz=%", b"a=%ff%fe&\xff=1"),
        (b"&", b"=", b"%", b"+", b";", b"%00", b"%F0%9F"),
    ),
    Target(
        "urlencoded-forms",
        urlencoded,
        (b"name=Ada+L%C3%B8velace&news", b"a=%ff", b"a=" + b"x" * 1025, b"&".join([b"a"] * 21), b"x" * 300 + b"=1"),
        (b"&", b"=", b"%", b"+", b"%ff"),
    ),
    Target(
        "multipart-forms",
        multipart,
        (
            b"\x00\n" + _PART + _FILE + b"--b--\r\n",
            b"\x06\npreamble\r\n" + _PART + b"--b--\r\nepilogue",
            b"\x02\n" + _FILE * 6 + b"--b--",
            b"\x1f\n--b\r\nContent-Disposition: form-data; name=\"a\"; name*=utf-8''b\r\nX: \xff\r\n\r\n\xff\r\n--b--",
            b"\x01\n--b\r\ncontent-type: multipart/mixed\r\ncontent-disposition: form-data; name=a\r\n\r\n--b--",
        ),
        (b"--b", b"--b--", b"\r\n", b"\r\n\r\n", b"filename=", b"content-type: ", b'name="', b"\xff", b"\x00", b";"),
    ),
    Target(
        "json",
        json_bodies,
        (
            b'{"a": [1, -2.5e3, null, true, "\\ud83d\\ude00"]}',
            b"[" * 20 + b"]" * 20,
            b'{"a":1,"a":2}',
            b'"\\ud800"',
            b"1e400",
        ),
        (b"[", b"{", b'"', b"\\u", b"NaN", b"1e9", b"\xef\xbb\xbf", b"\xff"),
    ),
    Target(
        "msgpack",
        msgpack_bodies,
        (
            b"\x82\xa1a\x93\x01\x02\x03\xa1b\xc0",
            b"\xde\x08\x00" + b"\x90\x01" * 9,
            b"\xd6\xff\x00\x00\x00\x01",
            b"\xc7\x01\x05x",
        ),
        (b"\xdf\xff\xff\xff\xff", b"\xdd\x00\x00\x00\x01", b"\xd6\xff", b"\xc7\x0c\xff", b"\x90", b"\x80"),
    ),
)
