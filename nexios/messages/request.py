"""What does the client ask? One Request for the whole chain, each part read on first touch."""

from collections.abc import AsyncIterator, Coroutine, Mapping
from typing import Any, Protocol

import msgspec

from nexios.concurrency import Threads
from nexios.errors import BadRequest, UnsupportedMediaType
from nexios.http.charsets import codec_of
from nexios.http.forms import FormData, Upload
from nexios.http.headers import Headers
from nexios.http.media_type import MediaType, parse_media_type
from nexios.http.multidict import MultiDict
from nexios.http.query import QueryParams
from nexios.http.url import URL, quote_path
from nexios.messages.body import Body, open_body
from nexios.messages.connection import Connection, Outside
from nexios.messages.form import close_form, no_form, read_form
from nexios.messages.identity import ANONYMOUS, Identity
from nexios.messages.live import Streams
from nexios.messages.response import Builder
from nexios.messages.session import Session, SessionOpener
from nexios.messages.state import PathParams, State
from nexios.messages.transport import HTTPTransport
from nexios.serialization import decode_json
from nexios.settings import Limits

__all__ = ["MatchedRoute", "Request", "RequestContext"]


class MatchedRoute(Protocol):
    """What a request may know of the route that it matched."""

    @property
    def template(self) -> str:
        """The path template, as in "/items/{item_id:int}"."""

    @property
    def name(self) -> str:
        """The route's name, with the names of its routers before it."""

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What was said of the route at registration."""


class RequestContext(Protocol):
    """What a request asks of the application that serves it."""

    @property
    def app(self) -> Any:
        """The application, as in `request.app`."""

    @property
    def threads(self) -> Threads:
        """The app's worker threads."""

    @property
    def streams(self) -> Streams:
        """The live streams that are open."""

    def route_of(self, request: "Request") -> MatchedRoute | None:
        """The route that the request matches, found once; None for a 404 or 405."""

    def preflights_of(self, request: "Request") -> Any:
        """Who answers a preflight in place of the app; None for nobody."""

    def limits_of(self, request: "Request") -> Limits:
        """The limits of the matched route, or the app's."""

    def url_path_for(self, name: str, params: Mapping[str, Any]) -> str:
        """The path of a named route."""


class Request(Connection[HTTPTransport], msgspec.Struct, eq=False, weakref=True):
    """One HTTP request; made by the server adapter, shared by middleware, dependencies and handler.

    Lives until the response is sent and its background tasks have run. Parts are parsed
    when first read and kept. A `Struct` because that is the cheapest object to make.
    """

    _transport: HTTPTransport
    _context: RequestContext
    method: str
    path: str
    """The whole path, decoded once by the server; inside a mounted app too."""
    _rest: str
    """What of `path` is still to be matched: all but `root_path`."""
    root_path: str = ""
    """The part of `path` that the server, or a mount, already used up."""

    _target: Any = None
    _builder: Any = msgspec.field(default_factory=Builder)
    """The response that the handler is given; the chain carries it here."""
    _path_params: dict[str, Any] | None = None
    _headers: Headers | None = None
    _cookies: dict[str, str] | None = None
    _query: QueryParams | None = None
    _url: URL | None = None
    _state: State | None = None
    _body: Body | None = None
    _form: FormData | None = None
    _id: str | None = None
    _scopes: Any = None
    """What providers made and opened for this request."""
    _outside: Outside | None = None
    _session: Session | None = None
    _session_opener: SessionOpener | None = None
    _identity: Identity | None = None

    def enter(self, root_path: str) -> None:
        """Go on below `root_path`, when the path really is below it: the prefix ends where a segment ends."""
        path = self.path
        if path == root_path:
            self.root_path, self._rest = root_path, "/"
        elif path.startswith(f"{root_path}/"):
            self.root_path, self._rest = root_path, path[len(root_path) :]

    @property
    def app(self) -> Any:
        """The application that serves the request: inside a mounted app, that one."""
        return self._context.app

    @property
    def route(self) -> MatchedRoute | None:
        """The matched route, or None when the answer will be 404 or 405. Matching happens once."""
        return self._context.route_of(self)

    @property
    def limits(self) -> Limits:
        """The limits in force: the route's, its router's or the app's."""
        return self._context.limits_of(self)

    @property
    def path_params(self) -> PathParams:
        """The converted path parameters, as attributes and items."""
        self._context.route_of(self)
        params = self._path_params
        if type(params) is not PathParams:
            params = self._path_params = PathParams(params or ())
        return params

    @property
    def media_type(self) -> MediaType | None:
        """The parsed Content-Type, or None when there is none.

        Raises:
            UnsupportedMediaType: It is malformed, or there are two (RFC 9110 section 8.3).
        """
        values = self._transport.header_values("content-type")
        if not values:
            return None
        if len(values) > 1:
            raise UnsupportedMediaType("The request has more than one Content-Type header.")
        try:
            return parse_media_type(values[0])
        except BadRequest:
            raise UnsupportedMediaType("The Content-Type header is malformed.") from None

    def stream(self) -> AsyncIterator[bytes]:
        """The body in chunks, as it arrives; after `body()` the kept body.

        Raises:
            BodyConsumed: It was streamed before.
            ClientDisconnect: The client left before the end.
            ContentTooLarge: More arrived than `limits.max_body_size`.
            RequestTimeout: Nothing arrived for `limits.body_read_timeout` seconds.
        """
        return self._whole_body().stream()

    async def body(self) -> bytes:
        """The whole body, read once and kept. Raises as `stream`."""
        return await self._whole_body().read()

    async def text(self) -> str:
        """The body as text, in the charset of its media type (UTF-8 when it names none)."""
        body = await self.body()
        media_type = self.media_type
        codec = codec_of((media_type.charset if media_type is not None else None) or "utf-8")
        if codec is None:
            raise UnsupportedMediaType("The charset of the body is not read here.")
        try:
            return body.decode(codec)
        except UnicodeError:
            raise BadRequest("The body is not text in its charset.", code="malformed_text") from None

    async def json(self) -> Any:
        """The body as JSON; a new value each time, so that no two readers share it.

        Raises:
            BadRequest: The body is not JSON or nests deeper than `limits.max_json_depth`.
        """
        return decode_json(await self.body(), max_depth=self.limits.max_json_depth)

    async def form(self) -> FormData:
        """The fields and files of a form, urlencoded or multipart, read once and kept.

        Uploads live until the response is sent.

        Raises:
            BadRequest: The form is malformed.
            ContentTooLarge: A limit is passed.
            UnsupportedMediaType: The body is no form; the text says what it is and what is read.
        """
        if self._form is None:
            media_type = self.media_type
            if media_type is None:
                raise no_form(None)
            self._whole_body().refuse_compressed()
            self._form = await read_form(self.stream(), media_type, self.limits)
        return self._form

    @property
    def files(self) -> Coroutine[Any, Any, MultiDict[Upload]]:
        """The uploads of the form alone: `files = await request.files`, then `files["avatar"]`. Raises as `form`."""
        return self._files()

    async def _files(self) -> MultiDict[Upload]:
        return (await self.form()).files

    @property
    def last_event_id(self) -> str | None:
        """The id of the last event that an EventSource got before it came back (WHATWG HTML section 9.2.4)."""
        value = next(iter(self._transport.header_values("last-event-id")), "")
        try:
            return value.encode("latin-1").decode() or None
        except UnicodeError:
            return value

    async def is_disconnected(self) -> bool:
        """Whether the client has gone already. Does not wait."""
        return await self._whole_body().is_disconnected()

    def url_for(self, name: str, /, **params: Any) -> str:
        """Return the path of the route called `name`, percent-encoded, below `root_path`: it leads back to this app.

        Raises:
            NoSuchRoute: There is none, or the parameters do not fit.
        """
        return quote_path(self.root_path).removesuffix("/") + self._context.url_path_for(name, params)

    def _known(self) -> Identity:
        """Nobody is asked who the client is where no route matched: the answer is 404 or 405 for all."""
        if self._identity is None and self.route is None and isinstance(self._target, Exception):
            return ANONYMOUS
        return super()._known()

    async def close(self) -> None:
        """Let go of what the request holds (uploads). The adapter calls it when the exchange is over."""
        try:
            if self._form is not None:
                await close_form(self._form)
        finally:
            if self._body is not None:
                self._body.close()

    def _whole_body(self) -> Body:
        if self._body is None:
            self._body = open_body(self._transport, self.limits)
        elif self._body.limits is not (limits := self.limits):
            self._body.move_to(limits)
        return self._body

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.path!r}>"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """As `repr`: else rich shows every field, and cookies are among them."""
        return [("method", self.method), ("path", self.path)]
