"""Is this the password of that account? Asked so that an attacker learns nothing, and the event loop does not wait.

Each attempt costs one run of the function, whether the account is there, has a password, or not: how long the answer
takes does not tell which accounts there are. A password is taken as it is, without trimming and folding.
"""

import logging
import os
from collections.abc import Coroutine, Generator
from functools import partial
from typing import Any, Final

from nexios.auth.password_hashes import HAS_ARGON2, Argon2id, Costs, Kept, Scrypt, parse_kept
from nexios.auth.pepper import Pepper, split_pepper
from nexios.concurrency import Threads
from nexios.signing.keyring import Keyring

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
    `pepper` is a secret without which nothing that is kept is of use to a thief, nor to you: keep it well, and apart.
    """

    def __init__(
        self,
        *,
        minimum: int = 8,
        threads: int | None = None,
        costs: Costs | None = None,
        pepper: Keyring | None = None,
    ) -> None:
        usual: Costs = Argon2id() if HAS_ARGON2 else Scrypt()
        self._costs = usual if costs is None else costs
        self._minimum = minimum
        self._threads = Threads(threads or os.cpu_count() or 1)
        self._nobody = Kept.of_nobody(self._costs)
        self._pepper = None if pepper is None else Pepper(pepper)

    async def hash(self, password: str) -> str:
        """Return what is to be kept of a new password: 100 to 150 ASCII characters.

        Raises:
            PasswordRefused: It is too short or too long.
        """
        if len(password) < self._minimum:
            raise PasswordRefused(f"A password has at least {self._minimum} characters.")
        content = _bytes_of(password)
        if len(content) > _MOST_BYTES:
            raise PasswordRefused(f"A password has at most {_MOST_BYTES} bytes.")
        if self._pepper is None:
            return str(await self._threads.begin(partial(Kept.of, content, self._costs)))
        seasoned = self._pepper.apply(content, self._pepper.current) or b""
        return self._pepper.marked(str(await self._threads.begin(partial(Kept.of, seasoned, self._costs))))

    def verify(self, password: str, kept: str | None) -> Coroutine[Any, Any, bool]:
        """Whether `kept` was made of this password; None, where there is no account or no password, fits none.

        One that is longer than any password may be fits none, and is not hashed, whatever the account.
        Await it: what is not awaited is neither true nor false.

        Raises:
            ConfigurationError: It was made with Argon2, and the extra is not installed.
            TypeError: It is taken for true or false without `await`.
        """
        return _Verification(self._verify(password, kept))

    async def _verify(self, password: str, kept: str | None) -> bool:
        content = _bytes_of(password)
        if len(content) > _MOST_BYTES:
            return False
        key_id, rest = split_pepper(kept or "")
        found, seasoned = parse_kept(rest), self._seasoned(content, key_id)
        if kept and (found is None or seasoned is None):
            _logger.warning(
                "what is kept of a password cannot be read, would cost too much to check, or is of a pepper that is "
                "not there; it fits none"
            )
        if found is None or seasoned is None:
            found, seasoned = self._nobody, content
        return await self._threads.begin(partial(found.fits, seasoned))

    def needs_rehash(self, kept: str) -> bool:
        """Whether it was made with other costs or another pepper than now.

        After a login, keep `await hash(password)` instead.
        """
        key_id, rest = split_pepper(kept)
        found = parse_kept(rest)
        current = "" if self._pepper is None else self._pepper.current
        return found is None or found.costs != self._costs or key_id != current

    def _seasoned(self, content: bytes, key_id: str) -> bytes | None:
        """What is hashed: the password itself, where what is kept was made without a pepper."""
        if key_id == "":
            return content
        return None if self._pepper is None else self._pepper.apply(content, key_id)

    def close(self) -> None:
        """Let the threads end; a later call starts new ones."""
        self._threads.close()


class _Verification(Coroutine[Any, Any, bool]):
    """A coroutine that is no answer before it is awaited: a plain one is true, and would let everybody in."""

    __slots__ = ("_running",)

    def __init__(self, running: Coroutine[Any, Any, bool]) -> None:
        self._running = running

    def __bool__(self) -> bool:
        self._running.close()
        raise TypeError("the password is not checked yet. Write:\n\n    await passwords.verify(password, kept)\n")

    def __await__(self) -> Generator[Any, Any, bool]:
        return self._running.__await__()

    def send(self, value: Any) -> Any:
        return self._running.send(value)

    def throw(self, typ: Any, val: Any = None, tb: Any = None) -> Any:
        return self._running.throw(typ) if val is None and tb is None else self._running.throw(typ, val, tb)

    def close(self) -> None:
        self._running.close()


def _bytes_of(password: str) -> bytes:
    """A password that no UTF-8 can hold is one all the same."""
    return password.encode("utf-8", "surrogatepass")
