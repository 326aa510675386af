"""What may a test ask of a client? The options of a request, and the client as a synchronous test sees it."""

from collections.abc import AsyncIterable, Callable, Iterable, Mapping, MutableMapping, Sequence
from contextlib import AbstractContextManager
from typing import IO, Any, Protocol, TypedDict, Unpack

from nexios.application import NexiosApp
from nexios.testing.events import SyncEventStream
from nexios.testing.library import Auth, Request, Response
from nexios.testing.websocket import SyncWebSocketSession

__all__ = ["Content", "EventOptions", "Options", "SyncTestClient"]

Scalar = str | int | float | bool | None
File = bytes | str | IO[bytes]
FileField = File | tuple[str | None, File] | tuple[str | None, File, str | None]
Content = str | bytes | Iterable[bytes] | AsyncIterable[bytes]


class EventOptions(TypedDict, total=False):
    """The options of one request, as httpx2 has them, without its timeout; cookies are for this request alone."""

    params: Mapping[str, Scalar | Sequence[Scalar]] | list[tuple[str, Scalar]] | str | bytes | None
    headers: Mapping[str, str] | Sequence[tuple[str, str]] | None
    cookies: dict[str, str] | None
    content: Content | None
    data: Mapping[str, Any] | None
    files: Mapping[str, FileField] | Sequence[tuple[str, FileField]] | None
    json: Any
    auth: tuple[str | bytes, str | bytes] | Callable[[Request], Request] | Auth | None
    follow_redirects: bool
    extensions: Mapping[str, Any] | None


class Options(EventOptions, total=False):
    """The options of one request, as httpx2 has them."""

    timeout: float | None


class SyncTestClient(Protocol):
    """What `with TestClient(app) as client:` gives: each method returns its result."""

    @property
    def app(self) -> NexiosApp:
        """The app under test."""

    @property
    def cookies(self) -> MutableMapping[str, str]:
        """The client's cookies."""

    @property
    def headers(self) -> MutableMapping[str, str]:
        """Headers of every request."""

    def request(self, method: str, url: str, **options: Unpack[Options]) -> Response:
        """Send a request of any method."""

    def get(self, url: str, **options: Unpack[Options]) -> Response:
        """Send a GET request."""

    def head(self, url: str, **options: Unpack[Options]) -> Response:
        """Send a HEAD request."""

    def options(self, url: str, **options: Unpack[Options]) -> Response:
        """Send an OPTIONS request."""

    def delete(self, url: str, **options: Unpack[Options]) -> Response:
        """Send a DELETE request."""

    def post(self, url: str, **options: Unpack[Options]) -> Response:
        """Send a POST request."""

    def put(self, url: str, **options: Unpack[Options]) -> Response:
        """Send a PUT request."""

    def patch(self, url: str, **options: Unpack[Options]) -> Response:
        """Send a PATCH request."""

    def query(self, url: str, **options: Unpack[Options]) -> Response:
        """Send a QUERY request."""

    def stream(self, method: str, url: str, **options: Unpack[Options]) -> AbstractContextManager[Response]:
        """Send a request and read the response while it is made."""

    def stream_events(
        self, method: str, url: str, *, timeout: float | None = 5.0, **options: Unpack[EventOptions]
    ) -> AbstractContextManager[SyncEventStream]:
        """Follow server-sent events."""

    def disconnect_after(
        self, method: str, url: str, *, sent: int | None = None, received: int | None = None, **options: Unpack[Options]
    ) -> bytes:
        """Send a request and leave in the middle."""

    def websocket_connect(
        self,
        url: str,
        *,
        subprotocols: Sequence[str] = (),
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        cookies: dict[str, str] | None = None,
        timeout: float | None = 5.0,
    ) -> AbstractContextManager[SyncWebSocketSession]:
        """Open a WebSocket."""

    def url_for(self, name: str, /, **params: Any) -> str:
        """Return the path of a named route."""
