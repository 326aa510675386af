"""What may be done with a WebSocket now? Its states, and the legal steps between them, as one table.

    CONNECTING --accept--> OPEN --close--> CLOSED
        |                   |
        deny, close         the client closes, or is gone
        v                   v
      DENIED               LEFT

Source: RFC 6455 sections 4 and 7; for close codes section 7.4 and the registry of IANA.
"""

from collections.abc import Iterable, Mapping
from enum import Enum, auto
from types import MappingProxyType
from typing import Final, Literal

from nexios.errors import NexiosError

__all__ = [
    "ABNORMAL",
    "GOING_AWAY",
    "INTERNAL_ERROR",
    "INVALID_DATA",
    "NORMAL",
    "NO_STATUS",
    "POLICY_VIOLATION",
    "SERVICE_RESTART",
    "TIMEOUT",
    "TOO_BIG",
    "UNAUTHORIZED",
    "UNSUPPORTED_DATA",
    "Action",
    "BadMessage",
    "Effect",
    "InvalidMessage",
    "SocketState",
    "WebSocketDisconnect",
    "WebSocketStateError",
    "check_close",
    "cut_reason",
    "effect_of",
]

NORMAL: Final = 1000
GOING_AWAY: Final = 1001
UNSUPPORTED_DATA: Final = 1003
NO_STATUS: Final = 1005
ABNORMAL: Final = 1006
INVALID_DATA: Final = 1007
POLICY_VIOLATION: Final = 1008
TOO_BIG: Final = 1009
INTERNAL_ERROR: Final = 1011
SERVICE_RESTART: Final = 1012
TIMEOUT: Final = 3008
"""Close codes of RFC 6455 section 7.4.1, and of the registry of IANA; 1005 and 1006 never travel.

1008 says that a client may not do what it did, 3008 only that nothing was heard of it: it should come back.
"""

UNAUTHORIZED: Final = 4401
"""Of those for private use: what the client came with holds no more. It may come back with what it has now."""

Action = Literal["accept", "deny", "receive", "send", "close"]


class SocketState(Enum):
    """Where a WebSocket is between handshake and end."""

    CONNECTING = "connecting"
    """The client asked; nobody has answered."""
    OPEN = "open"
    """The handshake is done; messages may go both ways."""
    DENIED = "denied"
    """The handshake was answered with an HTTP error."""
    CLOSED = "closed"
    """We closed."""
    LEFT = "left"
    """The client closed, or the connection broke."""


class Effect(Enum):
    """What an action does in a state, when it is no error."""

    GO = auto()
    """It is done."""
    DENY = auto()
    """The handshake is denied with 403, which is what closing before it means."""
    NOTHING = auto()
    """It was done before, or there is nobody left to do it to."""
    DISCONNECT = auto()
    """It raises `WebSocketDisconnect`: the conversation is over."""


class WebSocketStateError(NexiosError, RuntimeError):
    """A WebSocket was used in a way that its state does not allow; the text says what to do instead."""


class WebSocketDisconnect(NexiosError):
    """The conversation is over: the client closed or is gone, or we closed.

    `code` and `reason` are those of the close frame; 1005 when it had none, 1006 when
    the connection broke without one. `initiator` is who ended it.
    """

    def __init__(
        self, code: int = NO_STATUS, reason: str = "", *, initiator: Literal["client", "server"] = "client"
    ) -> None:
        self.code = code
        self.reason = reason
        self.initiator = initiator
        shown = reason if reason.isprintable() else ascii(reason)  # a client wrote it, and it may be logged
        super().__init__(f"the {initiator} closed the WebSocket: {code} {shown}".rstrip())


class BadMessage(NexiosError, ValueError):
    """A message that is not what the handler asked for. The WebSocket stays open.

    By default the client gets it as an answer and the next message is awaited, so a handler meets it
    only with `websocket.bad_messages = "raise"`. One that lets it pass then has the WebSocket closed with `code`:
    1003 for text where bytes were asked for or the reverse, 1007 for text that is not JSON.

    `error` is a stable word for clients: `wrong_kind`, `malformed_json`, `json_too_deep`, `invalid_message`.
    `errors` says each fault of a message that has been read: a JSON Pointer, a code, and a detail.
    """

    errors: tuple[Mapping[str, str], ...]

    def __init__(
        self,
        detail: str,
        *,
        code: int = INVALID_DATA,
        error: str = "bad_message",
        errors: Iterable[Mapping[str, str]] = (),
    ) -> None:
        self.code = code
        self.error = error
        self.errors = tuple(errors)
        super().__init__(detail)


class InvalidMessage(BadMessage):
    """A message that is JSON, and not of the type that was asked for; `errors` says where."""

    def __init__(self, errors: Iterable[Mapping[str, str]] = ()) -> None:
        super().__init__("The message is not valid.", error="invalid_message", errors=errors)


_ACCEPT_FIRST: Final = "this WebSocket is not open yet; call 'await websocket.accept()' first"
_ACCEPTED: Final = "this WebSocket was accepted already; accept it once"
_TOO_LATE_TO_DENY: Final = "this WebSocket was accepted already; end it with 'await websocket.close(code)'"
_DENIED: Final = "this WebSocket was denied; nothing can be sent or received any more, so return"
_CLOSED: Final = "this WebSocket was closed; a client that wants another has to connect again"

_TABLE: Final[Mapping[SocketState, Mapping[Action, Effect | str]]] = MappingProxyType(
    {
        SocketState.CONNECTING: {
            "accept": Effect.GO,
            "deny": Effect.GO,
            "receive": _ACCEPT_FIRST,
            "send": _ACCEPT_FIRST,
            "close": Effect.DENY,
        },
        SocketState.OPEN: {
            "accept": _ACCEPTED,
            "deny": _TOO_LATE_TO_DENY,
            "receive": Effect.GO,
            "send": Effect.GO,
            "close": Effect.GO,
        },
        SocketState.DENIED: {
            "accept": _DENIED,
            "deny": Effect.NOTHING,
            "receive": _DENIED,
            "send": _DENIED,
            "close": Effect.NOTHING,
        },
        SocketState.CLOSED: {
            "accept": _CLOSED,
            "deny": _CLOSED,
            "receive": Effect.DISCONNECT,
            "send": Effect.DISCONNECT,
            "close": Effect.NOTHING,
        },
        SocketState.LEFT: {
            "accept": Effect.DISCONNECT,
            "deny": Effect.NOTHING,
            "receive": Effect.DISCONNECT,
            "send": Effect.DISCONNECT,
            "close": Effect.NOTHING,
        },
    }
)


def effect_of(action: Action, state: SocketState) -> Effect:
    """Return what `action` does to a WebSocket in `state`.

    Raises:
        WebSocketStateError: It is a mistake there.

    >>> effect_of("close", SocketState.LEFT)
    <Effect.NOTHING: 3>
    """
    effect = _TABLE[state][action]
    if isinstance(effect, str):
        raise WebSocketStateError(f"{action}: {effect}")
    return effect


_MAX_REASON: Final = 123
"""Bytes of UTF-8: a control frame has 125, and the code takes two (RFC 6455 section 5.5)."""


def check_close(code: int, reason: str) -> None:
    """Refuse a code or a reason that may not be written into a close frame.

    Raises:
        ValueError: The code is reserved or unknown, or the reason has more than 123 bytes of UTF-8.

    >>> check_close(4001, "the session ended")
    """
    if not (1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999):
        raise ValueError(
            f"{code} is no code to close a WebSocket with: use 1000-1003 or 1007-1014, "
            "and for meanings of your own 4000-4999 (RFC 6455 section 7.4)"
        )
    if len(reason) > _MAX_REASON or len(reason.encode("utf-8")) > _MAX_REASON:
        raise ValueError(f"the reason to close a WebSocket with has at most {_MAX_REASON} bytes of UTF-8")


def cut_reason(reason: str) -> str:
    """Return as much of `reason` as a close frame holds, in whole characters.

    >>> len(cut_reason("\u00e9" * 200))
    61
    """
    return reason[:_MAX_REASON].encode("utf-8", "replace")[:_MAX_REASON].decode("utf-8", "ignore")
