"""How does a Response reach the wire? By one of four verbs of the transport, chosen here and nowhere else.

Keeps the rules of RFC 9110: no content for HEAD, 204, 205 and 304 (sections 9.3.2, 15.3.5,
15.4.5), and a Content-Length that is the number of bytes sent (section 8.6).

A long body goes out in pieces where the transport waits for the client, so that `send_timeout` holds for it too.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable

from nexios.errors import ClientDisconnect, HTTPException, RangeNotSatisfiable
from nexios.http.disposition import format_content_disposition
from nexios.http.framing import NO_CONTENT
from nexios.http.headers import Headers
from nexios.http.ranges import ByteRange
from nexios.messages.content import FileContent, FileParts, LiveContent, StreamContent, as_chunks, close_source
from nexios.messages.disconnect import cancel_on_disconnect
from nexios.messages.file import answer_file, guess_media_type, open_source, read_range
from nexios.messages.live import LiveStream
from nexios.messages.problem import problem
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.messages.transport import HTTPTransport, Pairs, PatientTransport

__all__ = ["admit_stream", "find_file", "send_response"]

_LENGTHS = tuple(("content-length", str(length)) for length in range(2048))
_AT_ONCE = 256 * 1024
"""Bytes that a client may be given whole: no more than the buffers of a server and a socket usually hold."""
_PIECE = 128 * 1024


def send_response(transport: HTTPTransport, request: Request, response: Response) -> Awaitable[None]:
    """Return the awaitable that sends `response`: the plain case is one call of one verb."""
    body = response.content
    if type(body) is bytes and body and request.method != "HEAD" and response.status_code not in NO_CONTENT:
        length = len(body)
        if length < 2048:
            size = _LENGTHS[length]
        elif length > _AT_ONCE and isinstance(transport, PatientTransport):
            return _send_long(transport, request, response, body)
        else:
            size = ("content-length", str(length))
        if response._pairs is None:
            media = response._media
            return transport.send_bytes(response.status_code, (media, size) if media else (size,), body)
        if type(response._pairs) is tuple:
            pairs = response._pairs + (size,)  # noqa: RUF005  (no list is made on the way)
            return transport.send_bytes(response.status_code, pairs, body)
        return transport.send_bytes(response.status_code, [*_without_length(response._pairs), size], body)
    if isinstance(body, StreamContent):
        headers = _without_length(response.headers.pairs)
        if body.length is not None and response.status_code not in NO_CONTENT:
            headers.append(("content-length", str(body.length)))
        if request.method == "HEAD" or response.status_code in NO_CONTENT:
            return _send_unread(transport, response.status_code, headers, body.chunks)
        return _send_made(transport, request, response.status_code, headers, body)
    if isinstance(body, LiveContent):
        headers = _without_length(response.headers.pairs)
        if request.method == "HEAD" or response.status_code in NO_CONTENT:
            return _send_unread(transport, response.status_code, headers, body.source)
        return _send_live(transport, request, response.status_code, headers, body)
    if isinstance(body, FileParts):
        return _send_file(transport, request, response, body)
    if isinstance(body, FileContent):
        return _find_and_send_file(transport, request, response, body)
    return _send_without_content(transport, response)


def _without_length(pairs: Pairs) -> list[tuple[str, str]]:
    return [pair for pair in pairs if pair[0] not in ("content-length", "transfer-encoding")]


async def _send_long(transport: HTTPTransport, request: Request, response: Response, body: bytes) -> None:
    headers = [*_without_length(response.headers.pairs), ("content-length", str(len(body)))]
    await _send_chunks(transport, request, response.status_code, headers, _pieces(body))


async def _pieces(body: bytes) -> AsyncGenerator[bytes, None]:
    for start in range(0, len(body), _PIECE):
        yield body[start : start + _PIECE]


async def _send_without_content(transport: HTTPTransport, response: Response) -> None:
    """HEAD says what GET would have sent; 204 and 304 have no length at all, an empty 200 has length 0."""
    headers = _without_length(response.headers.pairs)
    if response.status_code == 205:
        headers.append(("content-length", "0"))
    elif response.status_code not in NO_CONTENT and type(response.content) is bytes:
        headers.append(("content-length", str(len(response.content))))
    await transport.send_empty(response.status_code, headers)


async def _send_unread(transport: HTTPTransport, status: int, headers: Pairs, source: object) -> None:
    """A stream that nobody may read is closed all the same: it may hold a connection of its own."""
    try:
        await transport.send_empty(status, headers)
    finally:
        await close_source(source)


async def admit_stream(request: Request, content: LiveContent) -> None:
    """Settle whether this request gets the stream, while the answer can still be an error.

    Raises:
        HTTPException: 503 when there are too many streams already or the app stops, or what the source raises.
    """
    try:
        request._context.streams.check(request.limits.max_streams)
        await content.admit()
    except BaseException:
        await close_source(content.source)
        raise


async def _send_live(
    transport: HTTPTransport, request: Request, status: int, headers: Pairs, content: LiveContent
) -> None:
    """Send a stream, counted while it is open. Admitted again for one that came into the response after the chain."""
    streams = request._context.streams
    await admit_stream(request, content)
    stream = LiveStream(content)
    try:
        streams.add(stream, request.limits.max_streams)
        chunks = stream.chunks(request._context.threads, streams.clock)
        await _send_chunks(transport, request, status, headers, chunks)
    finally:
        streams.remove(stream)
        await stream.close()


async def _send_made(
    transport: HTTPTransport, request: Request, status: int, headers: Pairs, content: StreamContent
) -> None:
    """Send a stream; its source is closed even when the client left before the first chunk was asked for."""
    try:
        await _send_chunks(transport, request, status, headers, as_chunks(content.chunks, request._context.threads))
    finally:
        await close_source(content.chunks)


async def _send_chunks(
    transport: HTTPTransport, request: Request, status: int, headers: Pairs, chunks: AsyncGenerator[bytes, None]
) -> None:
    try:
        seconds = request.limits.send_timeout
        async with cancel_on_disconnect(transport), asyncio.timeout(seconds) as stall:
            await transport.send_stream(status, headers, _paced(chunks, stall, seconds))
    except TimeoutError as exc:
        raise ClientDisconnect("the client stopped reading the response") from exc
    finally:
        transport.stop_reading()
        await chunks.aclose()


async def _paced(
    chunks: AsyncGenerator[bytes, None], stall: asyncio.Timeout, seconds: float | None
) -> AsyncGenerator[bytes, None]:
    """Let the head, each chunk and the end take `seconds` to be sent; the time to make a chunk does not count."""
    clock = asyncio.get_running_loop().time
    stall.reschedule(None)
    try:
        async for chunk in chunks:
            stall.reschedule(clock() + seconds if seconds is not None else None)
            yield chunk
            stall.reschedule(None)
        stall.reschedule(clock() + seconds if seconds is not None else None)
    except TimeoutError as exc:
        raise RuntimeError("the response stream timed out by itself") from exc


async def find_file(request: Request, response: Response, content: FileContent) -> None:
    """Look at the file and settle what of it this request gets: status, headers and parts.

    Conditions and ranges are for a 200; under another status the whole file is sent.
    A 412 or 416 is a problem document, in which nothing is left of what was said of the file.

    Raises:
        NotFound: There is no such file.
    """
    source = await open_source(content.path)
    headers = response.headers
    plain = response.status_code == 200 and request.method in ("GET", "HEAD")
    answer = answer_file(
        source,
        method=request.method,
        headers=request.headers if plain else Headers(()),
        media_type=headers.get("content-type") or guess_media_type(content.filename or content.path),
        max_ranges=request.limits.max_ranges,
    )
    if answer.status in (412, 416):
        _refuse(
            response, HTTPException(412) if answer.status == 412 else RangeNotSatisfiable(source.size), answer.headers
        )
        return
    if plain:
        response.status_code = answer.status
    for name, value in answer.headers:
        headers[name] = value
    if content.filename is not None:
        headers["content-disposition"] = format_content_disposition(content.filename, inline=content.inline)
    response.content = FileParts(source, tuple(answer.parts))


def _refuse(response: Response, exc: HTTPException, about: Pairs) -> None:
    """Turn the response into that of an error.

    Its background calls stay, since one may remove the file. Its headers go: a Cache-Control
    that was meant for the file would let a cache give the error to others.
    """
    answer = problem(exc).set_headers(about)
    response.status_code, response.content = answer.status_code, answer.content
    response._media, response._pairs = None, list(answer.headers.pairs)
    response.error = exc


async def _find_and_send_file(
    transport: HTTPTransport, request: Request, response: Response, content: FileContent
) -> None:
    """A file that was put into the response after the chain, as by a listener; all others are looked at inside it."""
    await find_file(request, response, content)
    await send_response(transport, request, response)


async def _send_file(transport: HTTPTransport, request: Request, response: Response, content: FileParts) -> None:
    if response.status_code in NO_CONTENT:
        await _send_without_content(transport, response)
        return
    headers = [pair for pair in response.headers.pairs if pair[0] != "transfer-encoding"]
    if request.method == "HEAD" or not content.parts:
        await transport.send_empty(response.status_code, headers)
        return
    part = content.parts[0]
    if len(content.parts) == 1 and isinstance(part, ByteRange):
        path, whole = content.source.path, part.start == 0 and part.stop == content.source.size
        if await transport.send_file(response.status_code, headers, path, part.start, part.stop, whole=whole):
            return
    await _send_chunks(transport, request, response.status_code, headers, _read_parts(content))


async def _read_parts(content: FileParts) -> AsyncGenerator[bytes, None]:
    for part in content.parts:
        if isinstance(part, bytes):
            yield part
        else:
            chunks = read_range(content.source.path, part.start, part.stop, expected=content.source)
            try:
                async for chunk in chunks:
                    yield chunk
            finally:
                await chunks.aclose()
