"""What do we answer? A Response: a status, headers, cookies, and one of four kinds of content.

A handler is given one to fill (`response.json(...)`) or makes its own. It is a value:
nothing is sent until the chain has returned it.
"""

from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from copy import copy
from datetime import datetime
from os import PathLike, fspath
from typing import Any, Literal, Self

from nexios.http.cookies import format_delete_cookie, format_set_cookie
from nexios.http.headers import MutableHeaders
from nexios.http.redirects import check_redirect
from nexios.messages.content import Content, FileContent, StreamContent, as_bytes
from nexios.messages.json_lines import JSON_LINES, lines_content
from nexios.messages.sse import event_content
from nexios.serialization import encode_json

__all__ = ["BackgroundTask", "Builder", "Response"]

BackgroundTask = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]
HeaderFields = Mapping[str, str] | Iterable[tuple[str, str]]
SameSite = Literal["lax", "strict", "none"]

_JSON = ("content-type", "application/json")
_TEXT = ("content-type", "text/plain; charset=utf-8")
_HTML = ("content-type", "text/html; charset=utf-8")
_BYTES = ("content-type", "application/octet-stream")


class Response:
    """One response; as the handler's builder every method fills it and returns it.

    `Response("text", status_code=201)` makes one that stands alone: str is text,
    bytes are bytes, None is an empty body. Headers are checked when they are set, so
    that no value can break out of its line (`InvalidHeader`).

    >>> Response().status(404).json({"error": "gone"}).status_code
    404
    """

    __slots__ = ("_media", "_pairs", "background", "content", "error", "status_code")

    content: Content
    status_code: int
    error: BaseException | None
    """The exception that this response answers, for middleware that must know."""
    background: list[BackgroundTask] | None
    """Calls to make once the response is sent, in order."""
    _media: tuple[str, str] | None
    _pairs: list[tuple[str, str]] | tuple[tuple[str, str], ...] | None
    """A tuple holds constants of the application alone, and so is the key to what they are on the wire."""

    def __init__(
        self,
        content: str | bytes | None = None,
        status_code: int = 200,
        *,
        headers: HeaderFields | None = None,
        media_type: str | None = None,
    ) -> None:
        self.status_code = status_code
        self.content = b""
        self._media = None
        self._pairs = None
        self.background = None
        self.error = None
        if content is not None or media_type is not None or headers is not None:
            self._take(content, media_type, headers)
        if status_code != 200:
            self.status(status_code)

    def _take(self, content: str | bytes | None, media_type: str | None, headers: HeaderFields | None) -> None:
        if content is not None:
            self._fill(*((content.encode(), _TEXT) if isinstance(content, str) else (as_bytes(content), _BYTES)))
        if media_type is not None:
            self.headers["content-type"] = media_type
        if headers is not None:
            self.set_headers(headers)

    @property
    def headers(self) -> MutableHeaders:
        """The header fields, to read and to change. Content-Length is the sender's business."""
        pairs = self._pairs
        if type(pairs) is not list:
            media = () if self._media is None else (self._media,)
            pairs = self._pairs = [*media, *(pairs or ())]
            self._media = None
        return MutableHeaders(pairs)

    def _fill(self, content: Content, media: tuple[str, str]) -> Self:
        self.content = content
        if self._pairs is None:
            self._media = media
        else:
            self.headers["content-type"] = media[1]
        return self

    def json(self, data: Any, status_code: int | None = None) -> Self:
        """Answer with JSON. Raises TypeError for a value that has no JSON form."""
        if status_code is not None:
            self.status(status_code)
        if self._pairs is not None:
            return self._fill(encode_json(data), _JSON)
        self.content = encode_json(data)
        self._media = _JSON
        return self

    def text(self, text: str, status_code: int | None = None) -> Self:
        """Answer with plain text in UTF-8."""
        if status_code is not None:
            self.status(status_code)
        if self._pairs is not None:
            return self._fill(text.encode(), _TEXT)
        self.content = text.encode()
        self._media = _TEXT
        return self

    def html(self, html: str, status_code: int | None = None) -> Self:
        """Answer with an HTML page in UTF-8. The text is sent as it is: escape what comes from people."""
        if status_code is not None:
            self.status(status_code)
        return self._fill(html.encode(), _HTML)

    def binary(self, body: bytes, media_type: str = "application/octet-stream", status_code: int | None = None) -> Self:
        """Answer with bytes of a media type of your own."""
        if status_code is not None:
            self.status(status_code)
        self._fill(as_bytes(body), _BYTES)
        self.headers["content-type"] = media_type
        return self

    def redirect(self, to: str, status_code: int = 307, *, external: bool = False) -> Self:
        """Send the client elsewhere on this site; `external=True` allows another one.

        Raises:
            UnsafeRedirect: `to` leaves the site without `external`, or is no URL for a browser.
        """
        if status_code not in (301, 302, 303, 307, 308):
            raise ValueError(f"{status_code} is not a redirect; use 301, 302, 303, 307 or 308")
        location = check_redirect(to, external=external)
        self.empty(status_code)
        self.headers["location"] = location
        return self

    def file(
        self,
        path: str | PathLike[str],
        *,
        filename: str | None = None,
        inline: bool = False,
        media_type: str | None = None,
    ) -> Self:
        """Answer with a file: ETag, Last-Modified, conditional and Range requests included.

        Nothing is read until the response is sent, and never on the event loop. With
        `filename` it is a download of that name; `inline` lets the browser show it.
        `path` must not come from the client as it is. A missing file is a 404.
        """
        self.content = FileContent(fspath(path), filename, inline)
        if media_type is not None:
            self.headers["content-type"] = media_type
        elif self._pairs is None:
            self._media = None
        return self

    def stream(
        self,
        chunks: AsyncIterable[str | bytes] | Iterable[str | bytes],
        media_type: str = "application/octet-stream",
        status_code: int | None = None,
    ) -> Self:
        """Answer with chunks as they are made. The iterator is closed when the client leaves."""
        if isinstance(chunks, str | bytes) or not isinstance(chunks, AsyncIterable | Iterable):
            hint = (
                "call it: stream(chunks())" if callable(chunks) else "a whole text or body goes to text() or binary()"
            )
            raise TypeError(f"stream() takes an iterable of chunks, not {type(chunks).__name__}; {hint}")
        if status_code is not None:
            self.status(status_code)
        self.content = StreamContent(chunks)
        self.headers["content-type"] = media_type
        return self

    def sse(
        self,
        events: AsyncIterable[Any] | Iterable[Any],
        *,
        keep_alive: float | None = 15.0,
        retry: int | None = None,
    ) -> Self:
        """Answer with server-sent events, for an EventSource: each item as soon as it is there.

        An item is an `Event`, a text, or a value that is sent as JSON; a Struct with a tag is an event of that type.
        The iterator is closed when the client leaves, and when the app stops. `keep_alive` is in seconds: when nothing
        was sent for so long, a comment is. `retry` is in milliseconds: how long a client waits before it comes back.

        Raises:
            ValueError: `keep_alive` or `retry` is no such time.
        """
        _check_source("sse", events)
        self.content = event_content(events, keep_alive=keep_alive, retry=retry)
        headers = self.headers
        headers["content-type"] = "text/event-stream"
        headers["x-accel-buffering"] = "no"  # nginx would hold events back
        if "cache-control" not in headers:
            headers["cache-control"] = "no-store"
        return self

    def json_lines(self, items: AsyncIterable[Any] | Iterable[Any], status_code: int | None = None) -> Self:
        """Answer with JSON Lines: each item as JSON, on a line of its own, as soon as it is there.

        The iterator is closed when the client leaves. When the app stops it has some seconds to end; then the
        response is broken off, so that nobody takes a part for the whole.
        """
        _check_source("json_lines", items)
        if status_code is not None:
            self.status(status_code)
        self.content = lines_content(items)
        self.headers["content-type"] = JSON_LINES
        self.headers["x-accel-buffering"] = "no"
        return self

    def empty(self, status_code: int = 204) -> Self:
        """Answer without a body."""
        self.status(status_code)
        self.content = b""
        self._media = None
        if self._pairs is not None and "content-type" in (headers := self.headers):
            del headers["content-type"]
        return self

    def status(self, status_code: int) -> Self:
        """Set the status; it stays when the content is filled in later."""
        if not 200 <= status_code <= 599:
            raise ValueError(f"{status_code} is not a final status code (200-599)")
        self.status_code = status_code
        return self

    def set_header(self, name: str, value: str, *, append: bool = False) -> Self:
        """Set a header, or with `append` add one more of the name. Raises `InvalidHeader`."""
        if append:
            self.headers.add(name, value)
        else:
            self.headers[name] = value
        return self

    def set_headers(self, headers: HeaderFields) -> Self:
        """Set several headers; pairs of one name are all kept."""
        seen: set[str] = set()
        for name, value in headers.items() if isinstance(headers, Mapping) else headers:
            self.set_header(name, value, append=name.lower() in seen)
            seen.add(name.lower())
        return self

    def set_cookie(
        self,
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
    ) -> Self:
        """Set a cookie: Secure, HttpOnly and SameSite=Lax unless you say otherwise. Raises `InvalidCookie`."""
        cookie = format_set_cookie(
            name,
            value,
            max_age=max_age,
            expires=expires,
            path=path,
            domain=domain,
            secure=secure,
            http_only=http_only,
            same_site=same_site,
            partitioned=partitioned,
        )
        return self.set_header("set-cookie", cookie, append=True)

    def delete_cookie(
        self, name: str, *, path: str | None = "/", domain: str | None = None, secure: bool = True
    ) -> Self:
        """Make the browser forget a cookie; path and domain must be those it was set with."""
        return self.set_header(
            "set-cookie", format_delete_cookie(name, path=path, domain=domain, secure=secure), append=True
        )

    def add_background(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Self:
        """Call `fn` when the response is sent; a sync `fn` runs in a worker thread.

        A failing call is logged and the next one still runs. Shutdown waits for them.
        """
        if not callable(fn):
            raise TypeError(
                f"add_background() takes a function and its arguments, not {type(fn).__name__}; "
                "write: response.add_background(send, 7)"
            )
        if self.background is None:
            self.background = []
        self.background.append((fn, args, kwargs))
        return self

    def copy(self) -> Self:
        """Return a response of its own with the same status, headers, content and background calls."""
        kind = type(self)
        if kind is Response:  # on the way of many requests, so by hand: ten times faster than copy()
            other = kind.__new__(kind)
            other.status_code, other.content, other.error = self.status_code, self.content, self.error
            other._media = self._media
        else:
            other = copy(self)
        pairs = self._pairs
        other._pairs = list(pairs) if type(pairs) is list else pairs
        other.background = None if self.background is None else list(self.background)
        return other

    def __repr__(self) -> str:
        return f"<Response {self.status_code}>"


def _check_source(name: str, items: object) -> None:
    """Raise TypeError unless it can be iterated; a text or a mapping is one item, and no source of them."""
    if isinstance(items, str | bytes | Mapping) or not isinstance(items, AsyncIterable | Iterable):
        hint = f"call it: {name}(items())" if callable(items) else "write an async generator that yields it"
        raise TypeError(f"{name}() takes an iterable of items, not {type(items).__name__}; {hint}")


class Builder(Response):
    """The response that a handler is given to fill: an empty 200, made without looking at arguments."""

    __slots__ = ()

    def __init__(self) -> None:
        self.status_code: int = 200
        self.content: Content = b""
        self._media = None
        self._pairs = None
        self.background: list[BackgroundTask] | None = None
        self.error: BaseException | None = None
