"""A pepper is a secret beside the database: without it, nothing that was stolen can be tried (ASVS 5.0 11.4.2)."""

from typing import Any

from nexios.auth.password_hashes import Costs, Kept, Scrypt, parse_kept
from nexios.auth.passwords import Passwords
from nexios.signing import Keyring

CHEAP: Costs = Scrypt(log_n=2)
KEY = "xWlZ9nTfS4v1cQ0kR7b2mJ6uYhE3oAqD"
OLD_KEY = "qV8pLr2sKd0wZ5yB1nG7tFjXc4MiHeUa"


class Counted:
    """Costs nothing, and counts what it is asked."""

    head = "$scrypt$ln=2,r=8,p=1"

    def __init__(self) -> None:
        self.asked: list[bytes] = []

    def run(self, password: bytes, salt: bytes, size: int) -> bytes:
        self.asked.append(password)
        return bytes(size)


async def test_a_password_fits_with_its_pepper() -> None:
    passwords = Passwords(costs=CHEAP, pepper=Keyring(KEY))
    kept = await passwords.hash("pass\0word ")

    assert kept.startswith("$pepper$")
    assert KEY not in kept
    assert await passwords.verify("pass\0word ", kept)
    assert not await passwords.verify("pass\0word", kept)
    assert not await passwords.verify("pass", kept)
    assert not passwords.needs_rehash(kept)


async def test_what_was_stolen_without_the_pepper_cannot_be_tried(caplog: Any) -> None:
    """The hash is of 32 bytes that only who has the secret can make of a password."""
    kept = await Passwords(costs=CHEAP, pepper=Keyring(KEY)).hash("correct horse")
    stolen = parse_kept("$" + kept.split("$", 3)[3])

    assert isinstance(stolen, Kept)
    assert not stolen.fits(b"correct horse")
    assert not await Passwords(costs=CHEAP).verify("correct horse", kept)
    assert not await Passwords(costs=CHEAP, pepper=Keyring(OLD_KEY)).verify("correct horse", kept)
    assert "pepper that is not there" in caplog.text


async def test_a_new_pepper_comes_while_the_old_one_holds() -> None:
    old = await Passwords(costs=CHEAP, pepper=Keyring(OLD_KEY)).hash("correct horse")
    passwords = Passwords(costs=CHEAP, pepper=Keyring([KEY, OLD_KEY]))

    assert await passwords.verify("correct horse", old)
    assert passwords.needs_rehash(old)
    renewed = await passwords.hash("correct horse")
    assert not passwords.needs_rehash(renewed)
    assert await Passwords(costs=CHEAP, pepper=Keyring(KEY)).verify("correct horse", renewed)


async def test_what_was_kept_before_there_was_a_pepper_fits_and_is_to_be_hashed_anew() -> None:
    kept = await Passwords(costs=CHEAP).hash("correct horse")
    passwords = Passwords(costs=CHEAP, pepper=Keyring(KEY))

    assert await passwords.verify("correct horse", kept)
    assert passwords.needs_rehash(kept)


async def test_k1_each_attempt_is_one_run_with_a_pepper_too() -> None:
    costs = Counted()
    passwords = Passwords(costs=costs, pepper=Keyring(KEY))
    kept = await Passwords(costs=CHEAP, pepper=Keyring(KEY)).hash("correct horse")
    of_another = await Passwords(costs=CHEAP, pepper=Keyring(OLD_KEY)).hash("correct horse")

    for stored in (None, "", "garbled", of_another, "$pepper$", "$pepper$x", kept.rpartition("$")[0]):
        costs.asked.clear()
        assert not await passwords.verify("correct horse", stored)
        assert len(costs.asked) == 1
