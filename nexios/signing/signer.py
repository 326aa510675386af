"""How is a value given to a client so that it comes back unchanged, or not at all?

A signed value is `<value>.<seconds>.<signature>`, in the characters of URL-safe base64 (RFC 4648 section 5) without
padding and of decimal numbers: it fits into a cookie, a URL and a header. The signature is HMAC-SHA-256, made and
compared in constant time by itsdangerous. Everyone can read the value: it is signed, not encrypted.
"""

import binascii
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Final

import itsdangerous

from nexios.errors import NexiosError

__all__ = ["BadSignature", "SignatureExpired", "Signatures", "Signer"]

_SKEW: Final = 5
"""Seconds that the clock of the machine that signed may be ahead of ours."""
_LONGEST_NUMBER: Final = 12
"""Digits of a time in seconds, for some ten thousand years."""
_SIGNATURE_SIZE: Final = 43
"""Characters of 32 bytes."""
_LAST: Final = b"AEIMQUYcgkosw048"
"""What ends one: 4 bits, and two that are 0."""


class BadSignature(NexiosError, ValueError):
    """What is signed was changed, or signed for another use, with another key, or not at all."""

    def __init__(self, what: str = "the signature does not fit") -> None:
        super().__init__(what)


class SignatureExpired(BadSignature):
    """The signature is right, and too old."""

    def __init__(self, what: str = "the signature has expired") -> None:
        super().__init__(what)


class Signatures:
    """Makes and checks signatures of one use: with the first key, and by any. Holds keys; shows none."""

    __slots__ = ("_signer",)

    def __init__(self, keys: Sequence[bytes]) -> None:
        oldest_first = list(reversed(keys))
        self._signer = itsdangerous.Signer(oldest_first, key_derivation="none", digest_method=sha256)

    def make(self, value: bytes) -> bytes:
        """Return 43 characters."""
        return self._signer.get_signature(value)

    def fits(self, value: bytes, signature: bytes) -> bool:
        """Whether one of the keys made it, and it is spelt as we do: base64 has several ways for its last bits."""
        if len(signature) != _SIGNATURE_SIZE or signature[-1] not in _LAST or b"+" in signature or b"/" in signature:
            return False
        return bool(self._signer.verify_signature(value, signature))


class Signer:
    """Signs values for one use, with the time. Made by `Keyring.signer`; safe to share.

    >>> signer = Signer(Signatures([b"a key of 32 bytes, and only here"]), "session", clock=lambda: 1700000000.5)
    >>> token = signer.sign(b"ada")
    >>> token.split(".")[:2]
    ['YWRh', '1700000000']
    >>> signer.unsign(token, max_age=3600)
    b'ada'
    >>> signer
    Signer('session')
    """

    __slots__ = ("_clock", "_purpose", "_signatures")

    def __init__(self, signatures: Signatures, *purpose: str, clock: Callable[[], float] = time.time) -> None:
        self._signatures = signatures
        self._purpose = purpose
        self._clock = clock

    def sign(self, value: bytes) -> str:
        """Return a value with the time and a signature, in ASCII; about 4 characters for 3 bytes, and 55 more."""
        signed = b"%b.%d" % (urlsafe_b64encode(value).rstrip(b"="), int(self._clock()))
        return (signed + b"." + self._signatures.make(signed)).decode("ascii")

    def unsign(self, token: str, *, max_age: float | None) -> bytes:
        """Return the value that was signed, at most `max_age` seconds ago; None is however long ago.

        Times are whole seconds. One that is to come is refused, but for the little by which clocks differ.

        Raises:
            SignatureExpired: It was signed earlier.
            BadSignature: It was not signed here, not for this use, or changed.
        """
        try:
            signed, _, signature = token.encode("ascii").rpartition(b".")
        except UnicodeEncodeError:
            raise BadSignature from None
        if not self._signatures.fits(signed, signature):
            raise BadSignature
        value, _, seconds = signed.rpartition(b".")
        self._check_age(seconds, max_age)
        try:
            return urlsafe_b64decode(value + b"=" * (-len(value) % 4))
        except binascii.Error:
            raise BadSignature from None

    def __repr__(self) -> str:
        return f"Signer({', '.join(map(repr, self._purpose))})"

    def _check_age(self, seconds: bytes, max_age: float | None) -> None:
        if not seconds.isdigit() or len(seconds) > _LONGEST_NUMBER:
            raise BadSignature
        age = int(self._clock()) - int(seconds)
        if age < -_SKEW:
            raise BadSignature("the signature is from the future")
        if max_age is not None and age > max_age:
            raise SignatureExpired
