"""Where do the values of one request live, and when do they go? Made when a provider first needs it."""

import logging
from collections.abc import Hashable
from typing import Any

from nexios._injection.exits import Exits

__all__ = ["Scopes"]

logger = logging.getLogger("nexios")


class Scopes:
    """What the providers of one request (connection, event, script) have made and opened."""

    __slots__ = ("exits", "failed", "is_lent", "values")

    def __init__(self) -> None:
        self.exits: Exits = Exits()
        """What is open until the request is over."""
        self.values: dict[Hashable, Any] = {}
        """Values that several askers of one request share, a middleware and the handler for one."""
        self.is_lent: bool = False
        """Whether somebody was given a value that another had made."""
        self.failed: BaseException | None = None
        """What went wrong for somebody who had borrowed: it is told to what is still open, or a session that a
        middleware opened would commit the half of what the handler meant to do."""

    async def unwind(self, inner: Exits, keep: int, exc: BaseException) -> BaseException:
        """Close what was opened since there were `keep` exits, and return the exception that goes on.

        An exit may raise another exception in place of `exc`; it cannot swallow it. Who asks
        afterwards, an exception handler for one, is given new values.
        """
        self.values.clear()
        for exits, kept in ((inner, 0), (self.exits, keep)):
            failures = await exits.close(exc, keep=kept)
            exc = failures[-1] if failures else exc
        if self.is_lent:
            self.failed = exc
        return exc

    async def close(self) -> None:
        """Close what is left where somebody waits for the end; raises what fails."""
        failures = await self.exits.close(self.failed)
        if failures:
            raise _joined(failures)

    async def finish(self, exc: BaseException | None) -> None:
        """Close what is left, when the response is out: what fails now can only be logged."""
        failures = await self.exits.close(exc or self.failed)
        if failures:
            logger.error("closing a dependency failed after the response was sent", exc_info=_joined(failures))


def _joined(failures: list[Exception]) -> Exception:
    return failures[0] if len(failures) == 1 else ExceptionGroup("several dependencies failed", failures)
