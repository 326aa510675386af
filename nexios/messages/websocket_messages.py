"""What does a WebSocket message hold, and what is said of a bad one? Reading and writing, without the socket.

A bad message is answered with one of ours, in JSON:

    {"type": "error", "code": "invalid_message", "detail": "The message is not valid.",
     "errors": [{"pointer": "/text", "code": "missing", "detail": "is required"}]}
"""

from collections.abc import Iterable
from typing import Any, Final, TypeVar

from nexios.errors import BadRequest, InvalidHeader
from nexios.http.headers import check_name, check_value
from nexios.messages.clock import Clock
from nexios.messages.websocket_state import UNSUPPORTED_DATA, BadMessage, InvalidMessage
from nexios.models.adapter import adapt
from nexios.models.backend import Malformed
from nexios.models.problems import Invalid
from nexios.serialization import check_depth, decode_json, encode_json

__all__ = [
    "Message",
    "Pace",
    "answer_to",
    "handshake_headers",
    "read_as",
    "read_bytes",
    "read_json",
    "read_text",
    "size_of",
    "written_as",
]

Message = str | bytes
"""One message: text or binary."""

T = TypeVar("T", str, bytes)

_DETAILS: Final = {
    "malformed_json": "The message is not valid JSON.",
    "json_too_deep": "The message nests too deeply.",
}


def size_of(message: Message) -> int:
    """Return the bytes of a message on the wire.

    >>> size_of("\\u00e9")
    2
    """
    if isinstance(message, bytes) or message.isascii():
        return len(message)
    return len(message.encode("utf-8", "surrogatepass"))


def read_text(message: Message) -> str:
    """Return a text message. Raises `BadMessage`."""
    return _expect(str, message)


def read_bytes(message: Message) -> bytes:
    """Return a binary message. Raises `BadMessage`."""
    return _expect(bytes, message)


def read_json(message: Message, max_depth: int) -> Any:
    """Return the value of a message, text or binary. Raises `BadMessage`."""
    try:
        return decode_json(_data_of(message), max_depth=max_depth)
    except BadRequest as exc:
        raise _malformed(exc.code) from None


def read_as(message: Message, max_depth: int, kind: Any) -> Any:
    """Return a message as a value of the type `kind`, of which one adapter is kept.

    Raises:
        BadMessage: It is not JSON.
        InvalidMessage: It is, and not of that type.
        ConfigurationError: Nothing reads the type.
    """
    adapter, data = adapt(kind), _data_of(message)
    try:
        value = adapter.decode_json(data)
        if not adapter.has_known_depth:
            check_depth(data, max_depth)
        return value
    except Invalid as exc:
        raise InvalidMessage(
            {"pointer": problem.pointer, "code": problem.code, "detail": problem.detail} for problem in exc.problems
        ) from None
    except (Malformed, BadRequest) as exc:
        raise _malformed(exc.code) from None
    except RecursionError:
        raise _malformed("json_too_deep") from None


def written_as(value: object, kind: Any) -> str:
    """Return a value as JSON with the fields that the type `kind` declares, and no others. Raises TypeError."""
    try:
        return adapt(kind).to_json(value).decode()
    except Invalid as exc:
        raise TypeError(f"the message is no {getattr(kind, '__name__', kind)}: {exc}") from None


def answer_to(exc: BadMessage) -> str:
    """Return what the client is told of its bad message."""
    errors = [dict(error) for error in exc.errors]
    return encode_json({"type": "error", "code": exc.error, "detail": str(exc), "errors": errors}).decode()


def handshake_headers(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the headers that go with the answer to a handshake. Raises `InvalidHeader`."""
    pairs = [(check_name(name), check_value(value)) for name, value in headers]
    for name, _ in pairs:
        if name.startswith("sec-websocket-") or name in ("connection", "upgrade"):
            raise InvalidHeader(f"The header {name!r} belongs to the handshake; the server writes it.")
    return pairs


class Pace:
    """How fast messages may be read: `rate` a second, and as many at once after a silence.

    One per WebSocket that has such a limit. Units: messages per second, seconds.
    """

    __slots__ = ("_at", "_clock", "_left", "_rate")

    def __init__(self, rate: float, clock: Clock) -> None:
        self._rate = rate
        self._clock = clock
        self._left = rate
        self._at = clock.time()

    def take(self) -> float:
        """Count one message, and return the seconds to wait before it is read."""
        now = self._clock.time()
        self._left = min(self._rate, self._left + (now - self._at) * self._rate) - 1
        self._at = now
        return max(0.0, -self._left / self._rate)


def _expect(kind: type[T], message: Message) -> T:
    if not isinstance(message, kind):
        words = "text was expected, not binary" if kind is str else "binary was expected, not text"
        raise BadMessage(f"The message is of the wrong kind: {words}.", code=UNSUPPORTED_DATA, error="wrong_kind")
    return message


def _data_of(message: Message) -> bytes:
    return message.encode("utf-8", "replace") if isinstance(message, str) else message


def _malformed(code: str) -> BadMessage:
    return BadMessage(_DETAILS.get(code, "The message is malformed."), error=code)
