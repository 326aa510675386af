"""Is this the password of that account? Asked so that an attacker learns nothing, and the event loop does not wait.

Each attempt costs one run of the function, whether the account is there, has a password, or not: how long the answer
takes does not tell which accounts there are. A password is taken as it is, without trimming and folding.
"""

import logging
import os
from functools import partial
from typing import Final

from nexios.auth.password_hashes import HAS_ARGON2, Argon2id, Costs, Kept, Scrypt, parse_kept
from nexios.concurrency import Threads

__all__ = ["PasswordRefused", "Passwords"]

_MOST_BYTES: Final = 1024
_logger = logging.getLogger("nexios")


class PasswordRefused(ValueError):
    """A password that may not be chosen: too short, or longer than 1024 bytes. The text may be shown to the user."""


class Passwords:
    """Hashes and checks passwords, in threads of its own. One per app, shared by all requests.

    Units:  `minimum` is how many characters a new password has at least; `threads` is how many are hashed at once, by
            default as many as there are processors. Each takes 64 MiB with Argon2id, and 128 MiB with scrypt.

    `costs` is an `Argon2id` or a `Scrypt`; by default the first, and the second without the extra `passwords`.
    """

    def __init__(self, *, minimum: int = 8, threads: int | None = None, costs: Costs | None = None) -> None:
        usual: Costs = Argon2id() if HAS_ARGON2 else Scrypt()
        self._costs = usual if costs is None else costs
        self._minimum = minimum
        self._threads = Threads(threads or os.cpu_count() or 1)
        self._nobody = Kept.of_nobody(self._costs)

    async def hash(self, password: str) -> str:
        """Return what is to be kept of a new password: about 100 ASCII characters.

        Raises:
            PasswordRefused: It is too short or too long.
        """
        if len(password) < self._minimum:
            raise PasswordRefused(f"A password has at least {self._minimum} characters.")
        content = _bytes_of(password)
        if len(content) > _MOST_BYTES:
            raise PasswordRefused(f"A password has at most {_MOST_BYTES} bytes.")
        return str(await self._threads.begin(partial(Kept.of, content, self._costs)))

    async def verify(self, password: str, kept: str | None) -> bool:
        """Whether `kept` was made of this password; None, where there is no account or no password, fits none.

        One that is longer than any password may be fits none, and is not hashed, whatever the account.

        Raises:
            ConfigurationError: It was made with Argon2, and the extra is not installed.
        """
        content = _bytes_of(password)
        if len(content) > _MOST_BYTES:
            return False
        found = None if not kept else parse_kept(kept)
        if kept and found is None:
            _logger.warning("what is kept of a password cannot be read, or would cost too much to check; it fits none")
        return await self._threads.begin(partial((found or self._nobody).fits, content))

    def needs_rehash(self, kept: str) -> bool:
        """Whether it was made with other costs than now: after a login, keep `await hash(password)` instead."""
        found = parse_kept(kept)
        return found is None or found.costs != self._costs

    def close(self) -> None:
        """Let the threads end; a later call starts new ones."""
        self._threads.close()


def _bytes_of(password: str) -> bytes:
    """A password that no UTF-8 can hold is one all the same."""
    return password.encode("utf-8", "surrogatepass")
