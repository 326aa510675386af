"""When is an exchange freed? At its end, by counting references, and not when garbage is collected at some time.

A refusal holds the frames that it went through, and they hold the request and the response that holds the refusal.
Granian keeps a connection whose request is not whole for as long as anybody may read from it.
"""

from nexios.errors import HTTPException
from nexios.messages.response import Response

__all__ = ["forget_frames"]


def forget_frames(response: Response | None) -> None:
    """Take the frames from the error of a response that was sent; what is no `HTTPException` keeps them for a log."""
    error = None if response is None else response.error
    if isinstance(error, HTTPException):
        while error is not None and error.__traceback__ is not None:
            error.__traceback__ = None
            error = error.__cause__ or error.__context__
