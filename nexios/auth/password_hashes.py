"""How is a password made into something that is of no use to a thief?

By a function that costs time and memory, with a salt: Argon2id (RFC 9106) where the extra `passwords` is installed, and
scrypt (RFC 7914) where it is not. What is kept is a text that says how it was made, in the PHC string format
(https://github.com/P-H-C/phc-string-format): `$argon2id$v=19$m=65536,t=3,p=4$<salt>$<hash>`.
"""

import binascii
import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Final, Protocol, Self

from nexios.errors import ConfigurationError

try:
    from argon2.low_level import Type, hash_secret_raw
except ModuleNotFoundError:
    HAS_ARGON2 = False
else:
    HAS_ARGON2 = True

__all__ = ["HAS_ARGON2", "Argon2id", "Costs", "Kept", "Scrypt", "parse_kept"]

_SALT_SIZE: Final = 16
_HASH_SIZE: Final = 32
_MOST_MEMORY: Final = 256 * 1024 * 1024
"""Bytes that a hash may cost that comes from elsewhere: an imported one could ask for all there are."""
_MOST_ROUNDS: Final = 10
_MOST_LANES: Final = 8
_MOST_DIGITS: Final = 9


class Costs(Protocol):
    """A function and what it costs."""

    @property
    def head(self) -> str:
        """The beginning of what is kept: the name of the function, and the costs."""

    def run(self, password: bytes, salt: bytes, size: int) -> bytes:
        """Return the hash, `size` bytes long. Takes long; lets other threads run meanwhile."""
        ...


@dataclass(frozen=True, slots=True)
class Argon2id:
    """Argon2id, with the second recommended option of RFC 9106 section 4: for where memory is not plenty.

    Units:  `memory` in KiB.
    """

    memory: int = 65_536
    rounds: int = 3
    lanes: int = 4

    @property
    def head(self) -> str:
        """The beginning of what is kept."""
        return f"$argon2id$v=19$m={self.memory},t={self.rounds},p={self.lanes}"

    @property
    def is_bearable(self) -> bool:
        """Whether it can be computed at all, and costs no more than is ever asked for."""
        return (
            8 * self.lanes <= self.memory <= _MOST_MEMORY // 1024
            and 1 <= self.rounds <= _MOST_ROUNDS
            and 1 <= self.lanes <= _MOST_LANES
        )

    def run(self, password: bytes, salt: bytes, size: int) -> bytes:
        """Return the hash.

        Raises:
            ConfigurationError: The extra is not installed.
        """
        if not HAS_ARGON2:
            raise ConfigurationError(
                'These passwords were hashed with Argon2:\n\n    pip install "nexios[passwords]"\n'
            )
        return hash_secret_raw(password, salt, self.rounds, self.memory, self.lanes, size, Type.ID)


@dataclass(frozen=True, slots=True)
class Scrypt:
    """scrypt, with the costs that OWASP recommends: 128 MiB.

    Shape:  `log_n` is the logarithm of N to the base 2.
    """

    log_n: int = 17
    r: int = 8
    p: int = 1

    @property
    def head(self) -> str:
        """The beginning of what is kept."""
        return f"$scrypt$ln={self.log_n},r={self.r},p={self.p}"

    @property
    def is_bearable(self) -> bool:
        """Whether it can be computed at all, and costs no more than is ever asked for."""
        return (
            1 <= self.log_n <= 21
            and 1 <= self.r <= 32
            and 1 <= self.p <= _MOST_LANES
            and 128 * self.r * 2**self.log_n <= _MOST_MEMORY
        )

    def run(self, password: bytes, salt: bytes, size: int) -> bytes:
        """Return the hash."""
        memory = 128 * self.r * (2**self.log_n + self.p + 2)
        return hashlib.scrypt(password, salt=salt, n=2**self.log_n, r=self.r, p=self.p, maxmem=memory, dklen=size)


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a password."""

    costs: Costs
    salt: bytes
    hash: bytes

    @classmethod
    def of(cls, password: bytes, costs: Costs) -> Self:
        """Hash a password with a new salt."""
        salt = secrets.token_bytes(_SALT_SIZE)
        return cls(costs, salt, costs.run(password, salt, _HASH_SIZE))

    @classmethod
    def of_nobody(cls, costs: Costs) -> Self:
        """What no password fits, and what costs as much to find out."""
        return cls(costs, secrets.token_bytes(_SALT_SIZE), secrets.token_bytes(_HASH_SIZE))

    def fits(self, password: bytes) -> bool:
        """Whether it was made of this password: always one run of the function."""
        return hmac.compare_digest(self.costs.run(password, self.salt, len(self.hash)), self.hash)

    def __str__(self) -> str:
        return f"{self.costs.head}${_encoded(self.salt)}${_encoded(self.hash)}"


def parse_kept(text: str) -> Kept | None:
    """Return what a text says that was kept, or None: for what is no such text, and for costs beyond all bounds.

    >>> parse_kept("$scrypt$ln=17,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$MDEyMzQ1Njc4OWFiY2RlZg").costs
    Scrypt(log_n=17, r=8, p=1)
    >>> parse_kept("$scrypt$ln=63,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$MDEyMzQ1Njc4OWFiY2RlZg") is None
    True
    """
    parts = text.split("$") if len(text) <= 512 else []
    costs: Argon2id | Scrypt | None = None
    match parts:
        case ["", "argon2id", "v=19", written, salt, hashed] if numbers := _numbers(written, ("m", "t", "p")):
            costs = Argon2id(*numbers)
        case ["", "scrypt", written, salt, hashed] if numbers := _numbers(written, ("ln", "r", "p")):
            costs = Scrypt(*numbers)
        case _:
            return None
    decoded_salt, decoded_hash = _decoded(salt), _decoded(hashed)
    if not costs.is_bearable or not 8 <= len(decoded_salt) <= 64 or not 16 <= len(decoded_hash) <= 64:
        return None
    return Kept(costs, decoded_salt, decoded_hash)


def _numbers(written: str, names: tuple[str, str, str]) -> list[int]:
    """`m=1,t=2,p=3` to 1, 2 and 3; nothing for anything else."""
    pairs = [part.partition("=") for part in written.split(",")]
    if tuple(name for name, _, _ in pairs) != names:
        return []
    if not all(value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS for _, _, value in pairs):
        return []
    return [int(value) for _, _, value in pairs]


def _encoded(content: bytes) -> str:
    return b64encode(content).decode("ascii").rstrip("=")


def _decoded(text: str) -> bytes:
    """Nothing for what is no base64 without padding, in its one spelling."""
    try:
        content = b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""
    return content if _encoded(content) == text else b""
