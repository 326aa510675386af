"""What if sending fails? Answer 500 when nothing was sent, let a leaving client go, else break the connection."""

import logging
from typing import Protocol

from nexios._pipeline.errors import printable
from nexios.errors import ClientDisconnect, HTTPException
from nexios.messages.problem import problem
from nexios.messages.request import Request
from nexios.messages.send import send_response
from nexios.messages.transport import HTTPTransport

__all__ = ["SendingTransport", "send_failed"]

logger = logging.getLogger("nexios")


class SendingTransport(HTTPTransport, Protocol):
    """A transport that knows whether a response has begun."""

    started: bool


async def send_failed(transport: SendingTransport, request: Request, exc: Exception) -> None:
    """Deal with an exception that came up while a response was sent.

    An `HTTPException` before that is its answer, as a 404 for a file that a listener put into the response.
    Once a response has begun it is never ended as if it were whole: the exception goes on to
    the server, which closes the connection (RFC 9112 section 8).
    """
    if isinstance(exc, ClientDisconnect):
        logger.debug("the client left before the response was sent: %s", printable(request.path))
        return
    expected = isinstance(exc, HTTPException) and not transport.started
    if not expected:
        logger.error(
            "sending the response failed: %s %s", printable(request.method), printable(request.path), exc_info=exc
        )
    if transport.started:
        raise exc
    answer = problem(exc if isinstance(exc, HTTPException) else HTTPException(500))
    await send_response(transport, request, answer)
