"""What does a thief of the database lack, so that no password can be guessed from it? A secret that is not in it.

Each password goes through HMAC-SHA-256 with a key of the secret before it is hashed, and what is kept says with which
key: so another secret can come, and the old one stays for as long as there are hashes of it.

    $pepper$k3J9xq2LVw4$argon2id$v=19$m=65536,t=3,p=4$<salt>$<hash>
"""

import hmac
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Final

from nexios.signing.keyring import Keyring

__all__ = ["Pepper", "split_pepper"]

_HEAD: Final = "$pepper$"
_ID_BYTES: Final = 8
"""Of a hash of the key: enough to tell keys from each other."""


class Pepper:
    """The keys of one `Passwords`, by their ids; the first is for new passwords. Shows none."""

    __slots__ = ("_keys", "current")

    def __init__(self, keyring: Keyring) -> None:
        self._keys = {_id_of(key): key for key in keyring.keys("password pepper")}
        self.current: str = next(iter(self._keys))
        """The id of the key for new passwords."""

    def apply(self, password: bytes, key_id: str) -> bytes | None:
        """Return what is hashed in place of the password, 32 bytes; None where the key is not there any more."""
        key = self._keys.get(key_id)
        return None if key is None else hmac.digest(key, password, "sha256")

    def marked(self, kept: str) -> str:
        """Return what is to be kept, with the id of the key for new passwords."""
        return f"{_HEAD}{self.current}{kept}"


def split_pepper(kept: str) -> tuple[str, str]:
    """Return the id of the key, "" where there is none, and what else was kept.

    >>> split_pepper("$pepper$k3J9xq2LVw4$scrypt$ln=17,r=8,p=1$MDE$MDE")
    ('k3J9xq2LVw4', '$scrypt$ln=17,r=8,p=1$MDE$MDE')
    >>> split_pepper("$scrypt$ln=17,r=8,p=1$MDE$MDE")
    ('', '$scrypt$ln=17,r=8,p=1$MDE$MDE')
    """
    if not kept.startswith(_HEAD):
        return "", kept
    key_id, _, rest = kept.removeprefix(_HEAD).partition("$")
    return key_id, f"${rest}"


def _id_of(key: bytes) -> str:
    """Tells nothing of the key, which is 32 bytes of HKDF."""
    return urlsafe_b64encode(sha256(key).digest()[:_ID_BYTES]).decode("ascii").rstrip("=")
