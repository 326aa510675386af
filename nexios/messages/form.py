"""What did the client put into its form? Read it while it arrives, within limits, in either encoding.

Both encodings have the same limits (`nexios.settings.Limits`), counted on received
bytes and checked while reading: a body that can no longer fit is not read further.
The size of the whole body is the concern of whoever hands out the chunks.

A multipart body is parsed by the `multipart` package, in its strict mode. It sees
blocks of one fixed size, so neither the result nor the cost depends on how the bytes
were cut on their way, and what it leaves open is decided here: text is UTF-8, a part
is not again multipart, Content-Transfer-Encoding is not decoded (RFC 7578 section
4.7), the preamble is short and the epilogue is not read.

Source: RFC 7578, RFC 2046 section 5.1.1.
"""

import asyncio
import copy
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from contextlib import aclosing
from typing import Final, Protocol, cast

from multipart import (  # type: ignore[import-untyped]  # one file, which cannot carry a py.typed
    MultipartError,
    ParserLimitReached,
    PushMultipartParser,
)

from nexios.errors import BadRequest, ContentTooLarge, UnsupportedMediaType
from nexios.http.disposition import parse_content_disposition
from nexios.http.forms import FormData, Upload, parse_urlencoded
from nexios.http.headers import Headers
from nexios.http.media_type import MediaType, parse_media_type
from nexios.messages.thread_io import finish_in_thread
from nexios.messages.upload import UploadFile
from nexios.settings import Limits

__all__ = ["close_form", "no_form", "read_form"]

_BLOCK: Final = 64 * 1024
_MAX_NAME_SIZE: Final = 256
"""Bytes of a decoded field name; names are written by developers."""
_MAX_SHOWN_ESSENCE: Final = 100
"""Characters of a media type that an error repeats. It is two tokens, so it has nothing that any format escapes."""
_MAX_PREAMBLE_SIZE: Final = 8 * 1024
"""RFC 2046 allows a preamble and no form has one. Within one block, so that the first block tells."""
_MAX_BOUNDARY_SIZE: Final = 70
_BOUNDARY_CHARACTERS: Final = frozenset("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'()+_,-./:=? ")
_UTF_8: Final = frozenset({None, "utf-8", "utf8", "us-ascii"})
"""The charsets that read as UTF-8 does."""
_CONTROLS: Final = frozenset(map(chr, (*range(9), *range(10, 32), 127)))


class _Segment(Protocol):
    """The head of a part, as the parser reports it."""

    @property
    def headerlist(self) -> list[tuple[str, str]]: ...


async def read_form(chunks: AsyncIterator[bytes], media_type: MediaType, limits: Limits) -> FormData:
    """Return the fields and files of a form. Of a generator no more is taken than needed; then it is closed.

    The uploads are open, and `close_form` closes them. When this fails or is
    cancelled, they are closed and their temporary files gone.

    Raises:
        UnsupportedMediaType: Neither of the two media types of forms, or a charset other than UTF-8.
        BadRequest: Malformed (codes `malformed_form`, `malformed_disposition`, `unsupported_charset`).
        ContentTooLarge: Over a limit (codes `too_many_form_fields`, `too_many_form_files`, `form_field_too_large`,
            `form_too_large`, `form_name_too_long`, `form_headers_too_large`).
    """
    match media_type.essence:
        case "application/x-www-form-urlencoded" if media_type.charset in _UTF_8:
            return FormData(await _read_urlencoded(chunks, limits))
        case "multipart/form-data":
            return await _read_multipart(chunks, _boundary_of(media_type), limits)
        case "application/x-www-form-urlencoded":
            raise UnsupportedMediaType("An urlencoded form is read in UTF-8 alone.")
        case essence:
            raise no_form(essence)


def no_form(essence: str | None) -> UnsupportedMediaType:
    """Return the error for a body of another media type, None for one without; a very long name is not repeated."""
    if essence is None:
        arrived = "has no Content-Type"
    else:
        arrived = f"is {essence}" if len(essence) <= _MAX_SHOWN_ESSENCE else "is of another media type"
    return UnsupportedMediaType(
        f"The body {arrived}; a form is read from multipart/form-data or application/x-www-form-urlencoded."
    )


async def close_form(form: FormData) -> None:
    """Close the uploads of `form`, all of them even when this is cancelled. Closing twice is fine."""
    await _close_all(upload for _, upload in form.files.multi_items())


async def _close_all(uploads: Iterable[Upload]) -> None:
    cancelled: asyncio.CancelledError | None = None
    for upload in uploads:
        try:
            await upload.close()
        except asyncio.CancelledError as exc:
            cancelled = exc
    if cancelled is not None:
        raise cancelled


async def _in_blocks(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """The same bytes in blocks of one size, the last one shorter; others get a turn between two blocks."""
    pending = bytearray()
    try:
        async for chunk in chunks:
            rest = memoryview(chunk)
            while rest:
                room = _BLOCK - len(pending)
                pending += rest[:room]
                rest = rest[room:]
                if len(pending) == _BLOCK:
                    yield bytes(pending)
                    pending.clear()
                    await asyncio.sleep(0)
        if pending:
            yield bytes(pending)
    finally:
        close = getattr(chunks, "aclose", None)
        if close is not None:
            await close()


async def _read_urlencoded(chunks: AsyncIterator[bytes], limits: Limits) -> list[tuple[str, str]]:
    prospect = _Prospect(limits)
    parts: list[bytes] = []
    async with aclosing(_in_blocks(chunks)) as blocks:
        async for block in blocks:
            prospect.add(block)
            parts.append(block)
    body = b"".join(parts)
    parts.clear()
    if len(body) < _BLOCK:
        return _parse_urlencoded(body, limits)
    return await finish_in_thread(_parse_urlencoded, body, limits)  # millions of escapes take half a second


def _parse_urlencoded(body: bytes, limits: Limits) -> list[tuple[str, str]]:
    pairs = parse_urlencoded(
        body,
        max_fields=limits.max_form_fields,
        max_part_size=limits.max_form_part_size,
        max_text_size=limits.max_form_text_size,
    )
    for name, _ in pairs:
        _check_name(name)
    return pairs


class _Prospect:
    """Whether an urlencoded body may still fit its limits, judged by what has arrived of it.

    Never wrong when it says no: sizes are the least that the bytes can decode to.
    """

    __slots__ = ("_escapes", "_field_escapes", "_field_size", "_limits", "_separators", "_size")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._separators = self._size = self._escapes = self._field_size = self._field_escapes = 0

    def add(self, block: bytes) -> None:
        limits = self._limits
        self._separators += block.count(b"&")
        self._size += len(block)
        self._escapes += block.count(b"%")
        if self._separators > limits.max_form_fields:
            raise _too_many_fields()
        names = (self._separators + 1) * (_MAX_NAME_SIZE + len("=&"))
        if _least_decoded(self._size, self._escapes) > limits.max_form_text_size + names:
            raise _form_too_large()
        self._add_to_last_field(block)
        if _least_decoded(self._field_size, self._field_escapes) > limits.max_form_part_size + _MAX_NAME_SIZE + len(
            "="
        ):
            raise _field_too_large()

    def _add_to_last_field(self, block: bytes) -> None:
        start = block.rfind(b"&") + 1
        if start:
            self._field_size = self._field_escapes = 0
        self._field_size += len(block) - start
        self._field_escapes += block.count(b"%", start)


def _least_decoded(size: int, escapes: int) -> int:
    """Three bytes become one at most, and only where there is a `%`."""
    return max(size - 2 * escapes, size // 3)


async def _read_multipart(chunks: AsyncIterator[bytes], boundary: str, limits: Limits) -> FormData:
    parts = _Parts(limits)
    try:
        async with aclosing(_in_blocks(chunks)) as blocks:
            await _parse(blocks, boundary, limits, parts)
        return FormData(parts.pairs)
    except BaseException:
        await _close_all(value for _, value in parts.pairs if not isinstance(value, str))
        raise


async def _parse(blocks: AsyncIterator[bytes], boundary: str, limits: Limits, parts: "_Parts") -> None:
    parser = PushMultipartParser(
        boundary,
        max_header_size=limits.max_part_header_size,
        max_header_count=limits.max_part_headers,
        strict=True,
    )
    opening = f"--{boundary}".encode()
    in_preamble = True
    async for block in blocks:
        if in_preamble and block.find(opening, 0, _MAX_PREAMBLE_SIZE + len(opening)) < 0:
            raise _malformed()
        in_preamble = False
        for event in _events(parser, block):
            await parts.take(event)
        if _is_complete(parser):
            return
    raise _malformed()


def _events(parser: PushMultipartParser, block: bytes) -> Iterator[_Segment | bytes | None]:
    """The head of each part, the bytes of its body, and None where it ends."""
    try:
        yield from cast("Iterator[_Segment | bytes | None]", parser.parse(block))
    except ParserLimitReached:
        raise _headers_too_large() from None
    except MultipartError:
        raise _malformed() from None


def _is_complete(parser: PushMultipartParser) -> bool:
    """Whether the last boundary was seen. The parser tells only who closes it, so a copy is closed."""
    try:
        copy.copy(parser).close()
    except MultipartError:
        return False
    return True


def _boundary_of(media_type: MediaType) -> str:
    """RFC 2046 section 5.1.1: 1 to 70 characters of a small set, the last one not a space."""
    boundary = media_type.parameters.get("boundary", "")
    if not 1 <= len(boundary) <= _MAX_BOUNDARY_SIZE or boundary[-1] == " ":
        raise _malformed()
    if not _BOUNDARY_CHARACTERS.issuperset(boundary):
        raise _malformed()
    return boundary


class _Parts:
    """The parts of a multipart form, built from the parser's events."""

    __slots__ = ("_fields", "_files", "_limits", "_name", "_text", "_text_size", "_upload", "pairs")

    def __init__(self, limits: Limits) -> None:
        self.pairs: list[tuple[str, str | Upload]] = []
        self._limits = limits
        self._fields = self._files = self._text_size = 0
        self._name = ""
        self._text = bytearray()
        self._upload: UploadFile | None = None

    async def take(self, event: _Segment | bytes | None) -> None:
        if event is None:
            self._end_part()
        elif not isinstance(event, bytes):
            self._begin_part(event.headerlist)
        elif self._upload is not None:
            await self._upload.write(event)
        else:
            self._add_text(event)

    def _begin_part(self, lines: list[tuple[str, str]]) -> None:
        headers = _part_headers(lines, self._limits)
        self._name, filename = _names_of(headers)
        if filename is None:
            self._begin_text(headers)
        else:
            self._begin_upload(filename, headers)

    def _begin_text(self, headers: Headers) -> None:
        self._fields += 1
        if self._fields > self._limits.max_form_fields:
            raise _too_many_fields()
        if "content-type" in headers and parse_media_type(headers["content-type"]).charset not in _UTF_8:
            raise BadRequest("Text in a form must be UTF-8", code="unsupported_charset")

    def _begin_upload(self, filename: str, headers: Headers) -> None:
        self._files += 1
        if self._files > self._limits.max_form_files:
            raise ContentTooLarge("Too many files in a form", code="too_many_form_files")
        content_type = headers.get("content-type", "application/octet-stream")
        spool_size = self._limits.spool_size
        self._upload = UploadFile(filename, content_type=content_type, headers=headers, spool_size=spool_size)
        self.pairs.append((self._name, self._upload))

    def _add_text(self, data: bytes) -> None:
        self._text_size += len(data)
        if len(self._text) + len(data) > self._limits.max_form_part_size:
            raise _field_too_large()
        if self._text_size > self._limits.max_form_text_size:
            raise _form_too_large()
        self._text += data

    def _end_part(self) -> None:
        if self._upload is not None:
            self._upload = None
            return
        try:
            self.pairs.append((self._name, self._text.decode()))
        except UnicodeDecodeError:
            raise _malformed() from None
        self._text.clear()


def _part_headers(lines: list[tuple[str, str]], limits: Limits) -> Headers:
    """The parser limits one line; here all lines together, what they hold, and how often they come."""
    if sum(len(f"{name}: {value}".encode()) for name, value in lines) > limits.max_part_header_size:
        raise _headers_too_large()
    if any(not _CONTROLS.isdisjoint(value) for _, value in lines):
        raise _malformed()
    headers = Headers([(name.lower(), value.strip(" \t")) for name, value in lines])
    if len(headers.get_all("content-disposition")) != 1 or len(headers.get_all("content-type")) > 1:
        raise _malformed()
    if headers.get("content-type", "").lower().startswith("multipart/"):
        raise _malformed()
    return headers


def _names_of(headers: Headers) -> tuple[str, str | None]:
    """The field's name, and the file's, which tells files from text (RFC 7578 section 4.2)."""
    disposition, parameters = parse_content_disposition(headers["content-disposition"])
    name = parameters.get("name")
    if disposition != "form-data" or name is None:
        raise _malformed()
    _check_name(name)
    return name, parameters.get("filename")


def _check_name(name: str) -> None:
    if len(name.encode()) > _MAX_NAME_SIZE:
        raise ContentTooLarge("Form field name too long", code="form_name_too_long")


def _malformed() -> BadRequest:
    return BadRequest("Malformed form", code="malformed_form")


def _headers_too_large() -> ContentTooLarge:
    return ContentTooLarge("Headers of a form part too large", code="form_headers_too_large")


def _too_many_fields() -> ContentTooLarge:
    return ContentTooLarge("Too many form fields", code="too_many_form_fields")


def _field_too_large() -> ContentTooLarge:
    return ContentTooLarge("Form field too large", code="form_field_too_large")


def _form_too_large() -> ContentTooLarge:
    return ContentTooLarge("Form too large", code="form_too_large")
