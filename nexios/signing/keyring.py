"""Which key signs what? One secret of the app gives a key to every use of it, and a new secret can replace an old one.

The key of a use is HKDF-SHA-256 of the secret (RFC 5869) with the words of the use as `info`, each with its length:
so what is signed for one use is worth nothing for another, and ("ab", "c") is another use than ("a", "bc").
"""

import hmac
import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from nexios.errors import ConfigurationError
from nexios.signing.signer import Signatures, Signer
from nexios.signing.strength import HOW_TO_MAKE_ONE, weakness

__all__ = ["Keyring", "Secrets"]

Secrets = str | bytes | Sequence[str | bytes]
"""One secret, or several: the newest first."""

_VERSION: Final = b"nexios|v1"
"""Changes when keys are made in another way."""

_logger = logging.getLogger("nexios")


class Keyring:
    """The secrets of an app. The first one signs; what any of them signed is accepted. Safe to share.

    To change a secret, put the new one first; take the old one out when all that it signed has expired.

    >>> keyring = Keyring(["xWlZ9nTfS4v1cQ0kR7b2mJ6uYhE3oAqD", "qV8pLr2sKd0wZ5yB1nG7tFjXc4MiHeUa"])
    >>> keyring
    Keyring(2 secrets)
    >>> keyring.signer("session").unsign(keyring.signer("session").sign(b"ada"), max_age=60)
    b'ada'

    Raises:
        ConfigurationError: A secret is missing or can be guessed. With `debug`, one that can be guessed is
            accepted, with a warning in the log.
    """

    __slots__ = ("_clock", "_secrets")

    def __init__(self, secrets: Secrets | None, *, debug: bool = False, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._secrets = tuple(_extracted(secret) for secret in _checked(secrets, debug=debug))

    @property
    def clock(self) -> Callable[[], float]:
        """What tells the time in seconds since 1970, for all that is signed."""
        return self._clock

    def signer(self, purpose: str, *names: str) -> Signer:
        """Return what signs for one use: `purpose` is a constant of the program, `names` may be anything.

        >>> Keyring("xWlZ9nTfS4v1cQ0kR7b2mJ6uYhE3oAqD").signer("cookie", "theme")
        Signer('cookie', 'theme')
        """
        return Signer(self.signatures("value", purpose, *names), purpose, *names, clock=self._clock)

    def signatures(self, kind: str, *words: str) -> Signatures:
        """Return what makes bare signatures; `kind` keeps apart what different code signs."""
        return Signatures([_expanded(secret, kind, *words) for secret in self._secrets])

    def keys(self, purpose: str, *names: str) -> tuple[bytes, ...]:
        """Return a key of 32 bytes for one use, of each secret, the newest first: for what is no signature.

        >>> [len(key) for key in Keyring("xWlZ9nTfS4v1cQ0kR7b2mJ6uYhE3oAqD").keys("pepper")]
        [32]
        """
        return tuple(_expanded(secret, "key", purpose, *names) for secret in self._secrets)

    def __repr__(self) -> str:
        return f"Keyring({len(self._secrets)} secret{'s' if len(self._secrets) > 1 else ''})"


def _checked(secrets: Secrets | None, *, debug: bool) -> list[bytes]:
    several = [] if secrets is None else [secrets] if isinstance(secrets, str | bytes) else list(secrets)
    found = [_bytes_of(secret) for secret in several]
    if not found or not all(found):
        raise ConfigurationError(f"A secret key is missing.\n\n{HOW_TO_MAKE_ONE}")
    for number, secret in enumerate(found, start=1):
        fault = weakness(secret)
        which = "" if len(found) == 1 else f" number {number}"
        if fault is not None and not debug:
            raise ConfigurationError(f"The secret key{which} can be guessed: {fault}.\n\n{HOW_TO_MAKE_ONE}")
        if fault is not None:
            _logger.warning("the secret key%s can be guessed: %s; accepted in debug mode alone", which, fault)
    return found


def _bytes_of(secret: object) -> bytes:
    """The environment may hold bytes that are no UTF-8; then Python gives lone surrogates for them."""
    if isinstance(secret, str):
        return secret.encode("utf-8", "surrogatepass")
    if isinstance(secret, bytes):
        return secret
    raise ConfigurationError(f"A secret key is a str or bytes, not {type(secret).__name__}.\n\n{HOW_TO_MAKE_ONE}")


def _extracted(secret: bytes) -> bytes:
    """RFC 5869 section 2.2, without a salt."""
    return hmac.digest(bytes(32), secret, "sha256")


def _expanded(key: bytes, *words: str) -> bytes:
    """RFC 5869 section 2.3, for 32 bytes."""
    encoded = (word.encode("utf-8", "surrogatepass") for word in words)
    info = _VERSION + b"".join(len(word).to_bytes(4) + word for word in encoded)
    return hmac.digest(key, info + b"\x01", "sha256")
