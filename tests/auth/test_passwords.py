"""Passwords: section K of the published flaws, and what is kept."""

import asyncio
import logging
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios.auth import password_hashes
from nexios.auth.password_hashes import HAS_ARGON2, Argon2id, Costs, Kept, Scrypt, parse_kept
from nexios.auth.passwords import PasswordRefused, Passwords
from nexios.errors import ConfigurationError

CHEAP = Scrypt(log_n=2)
SALT = "MDEyMzQ1Njc4OWFiY2RlZg"
needs_argon2 = pytest.mark.skipif(not HAS_ARGON2, reason="the extra passwords is not installed")


class Counted:
    """Costs nothing, and counts what it is asked."""

    head = "$scrypt$ln=2,r=8,p=1"

    def __init__(self) -> None:
        self.runs: list[tuple[bytes, int]] = []

    def run(self, password: bytes, salt: bytes, size: int) -> bytes:
        self.runs.append((password, len(salt)))
        return bytes(size)


@pytest.mark.parametrize("costs", [CHEAP, pytest.param(Argon2id(64, 1, 1), marks=needs_argon2)])
@pytest.mark.parametrize(
    "password", ["correct horse", "  spaces  ", "pass\0word", "ſecret-ß", "x" * 1024, "\ud800" * 8]
)
async def test_a_password_fits_what_was_made_of_it_and_nothing_else(costs: Costs, password: str) -> None:
    passwords = Passwords(costs=costs)
    kept = await passwords.hash(password)

    assert await passwords.verify(password, kept)
    for other in (
        password[:-1],
        password + "x",
        password.upper() + "!",
        password.strip() + " ",
        "",
        password[:72] + "?",
    ):
        assert not await passwords.verify(other, kept)
    assert kept.isascii()
    assert password not in kept


async def test_the_same_password_is_never_kept_alike() -> None:
    passwords = Passwords(costs=CHEAP)

    assert await passwords.hash("correct horse") != await passwords.hash("correct horse")


async def test_passwords_that_look_alike_are_different() -> None:
    """K3 and ASVS 6.2.8: nothing is folded, normalised or trimmed."""
    passwords = Passwords(costs=CHEAP)
    kept = await passwords.hash("mike\u00e9 pass")

    for other in ("mikee\u0301 pass", "MIKE\u00c9 PASS", " mike\u00e9 pass", "mike\u00e9 pass "):
        assert not await passwords.verify(other, kept)


@pytest.mark.parametrize("password", ["", "1234567", "x" * 1025, "ä" * 513])
async def test_a_new_password_has_a_length(password: str) -> None:
    with pytest.raises(PasswordRefused, match="A password has at"):
        await Passwords(costs=CHEAP).hash(password)


@pytest.mark.parametrize(
    "kept",
    [None, "", "!", "*", "plain text", "$scrypt$ln=2,r=8,p=1$x$y", "$2b$12$" + "x" * 53],
)
@pytest.mark.parametrize("password", ["", "correct horse", "x" * 1024])
async def test_k1_an_attempt_costs_one_run_whatever_the_account(kept: str | None, password: str) -> None:
    counted = Counted()

    assert await Passwords(costs=counted).verify(password, kept) is False

    assert counted.runs == [(password.encode(), 16)]


async def test_k1_a_right_and_a_wrong_password_cost_one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords = Passwords(costs=CHEAP)
    kept, old = await passwords.hash("correct horse"), await Passwords(costs=Scrypt(log_n=3)).hash("correct horse")
    runs: list[Scrypt] = []
    run = Scrypt.run

    def counting(self: Scrypt, password: bytes, salt: bytes, size: int) -> bytes:
        runs.append(self)
        return run(self, password, salt, size)

    monkeypatch.setattr(Scrypt, "run", counting)
    answers = [await passwords.verify(*case) for case in (("correct horse", kept), ("wrong", kept), ("wrong", None))]
    answers.append(await passwords.verify("correct horse", old))

    assert answers == [True, False, False, True]
    assert runs == [CHEAP, CHEAP, CHEAP, Scrypt(log_n=3)]


@pytest.mark.parametrize("kept", [None, "$scrypt$ln=2,r=8,p=1$" + SALT + "$" + SALT])
async def test_k4_a_password_that_is_too_long_is_not_hashed(kept: str | None) -> None:
    counted = Counted()
    started = time.process_time()

    assert await Passwords(costs=counted).verify("x" * 1024 * 1024, kept) is False

    assert counted.runs == []
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize(
    "head",
    [
        "$argon2id$v=19$m=4194304,t=3,p=4",
        "$argon2id$v=19$m=65536,t=11,p=4",
        "$argon2id$v=19$m=65536,t=3,p=9",
        "$argon2id$v=19$m=8,t=3,p=4",
        "$argon2id$v=19$m=65536,t=0,p=4",
        "$argon2id$v=16$m=65536,t=3,p=4",
        "$argon2i$v=19$m=65536,t=3,p=4",
        "$argon2id$v=19$m=99999999999999999999,t=3,p=4",
        "$argon2id$v=19$t=3,m=65536,p=4",
        "$argon2id$v=19$m=65536,t=3,p=4,x=1",
        "$argon2id$v=19$m=+65536,t=3,p=4",
        "$argon2id$v=19$m=６５５３６,t=3,p=4",
        "$argon2id$m=65536,t=3,p=4",
        "$scrypt$ln=0,r=8,p=1",
        "$scrypt$ln=18,r=16,p=1",
        "$scrypt$ln=63,r=8,p=1",
        "$scrypt$ln=17,r=8,p=9",
        "$scrypt$ln=17,r=0,p=1",
        "$scrypt$ln=17,r=8",
        "scrypt$ln=17,r=8,p=1",
    ],
)
async def test_k5_costs_beyond_all_bounds_are_refused_without_a_run(
    head: str, caplog: pytest.LogCaptureFixture
) -> None:
    counted = Counted()
    with caplog.at_level(logging.WARNING, "nexios"):
        assert await Passwords(costs=counted).verify("correct horse", f"{head}${SALT}${SALT}") is False

    assert len(counted.runs) == 1
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert SALT not in caplog.text


@pytest.mark.parametrize(
    "rest",
    [
        "",
        "$",
        f"${SALT}",
        f"${SALT}$",
        f"$${SALT}",
        f"${SALT}$short",
        f"${SALT}=${SALT}",
        f"${SALT}${SALT}==",
        f"${SALT}${SALT}$x",
        f"${SALT[:-1]}h${SALT}",
        f"${SALT} ${SALT}",
        f"${SALT}${'A' * 1000}",
        f"$é${SALT}",
        f"$c2hvcnQ${SALT}",
    ],
)
def test_what_is_not_spelt_as_it_is_written_is_nothing(rest: str) -> None:
    assert parse_kept("$scrypt$ln=17,r=8,p=1" + rest) is None


@given(st.text(alphabet="$argon2idscryptv=19m,tplnr0123456789ABC+/\x00é", max_size=120))
def test_reading_what_is_kept_never_fails(text: str) -> None:
    kept = parse_kept(text)

    assert kept is None or str(kept) == text


@given(st.binary(min_size=8, max_size=64), st.binary(min_size=16, max_size=64))
def test_what_is_kept_is_read_as_it_was_written(salt: bytes, hashed: bytes) -> None:
    for costs in (Scrypt(), Argon2id()):
        assert parse_kept(str(Kept(costs, salt, hashed))) == Kept(costs, salt, hashed)


async def test_k6_passwords_are_hashed_in_a_few_threads_beside_the_event_loop() -> None:
    """All threads are busy until the event loop, which must not wait for them, lets them go on."""
    go_on, most, running = threading.Event(), 0, 0
    lock = threading.Lock()

    class Slow(Counted):
        def run(self, password: bytes, salt: bytes, size: int) -> bytes:
            nonlocal most, running
            with lock:
                running += 1
                most = max(most, running)
            go_on.wait(30)
            with lock:
                running -= 1
            return bytes(size)

    passwords = Passwords(costs=Slow(), threads=2)
    attempts = [asyncio.ensure_future(passwords.verify("correct horse", None)) for _ in range(50)]
    for _ in range(20):
        await asyncio.sleep(0)
    assert not any(attempt.done() for attempt in attempts)
    go_on.set()

    assert await asyncio.gather(*attempts) == [False] * 50
    assert most <= 2
    passwords.close()


async def test_an_attempt_that_is_given_up_leaves_the_others_alone() -> None:
    passwords = Passwords(costs=CHEAP, threads=1)
    kept = await passwords.hash("correct horse")
    attempts = [asyncio.ensure_future(passwords.verify("correct horse", kept)) for _ in range(5)]
    await asyncio.sleep(0)
    attempts[1].cancel()
    attempts[4].cancel()

    answers = await asyncio.gather(*attempts, return_exceptions=True)

    assert [answer is True for answer in answers] == [True, False, True, True, False]


async def test_what_was_made_with_other_costs_needs_a_new_hash() -> None:
    now, before = Passwords(costs=CHEAP), Passwords(costs=Scrypt(log_n=3))
    kept = await before.hash("correct horse")

    assert await now.verify("correct horse", kept)
    assert now.needs_rehash(kept)
    assert not now.needs_rehash(await now.hash("correct horse"))
    assert now.needs_rehash("!")


@needs_argon2
async def test_argon2_is_used_where_it_is_installed() -> None:
    kept = await Passwords().hash("correct horse")

    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert await Passwords().verify("correct horse", kept)


@needs_argon2
def test_what_argon2_made_elsewhere_is_read() -> None:
    from argon2 import PasswordHasher

    hasher = PasswordHasher(time_cost=2, memory_cost=64, parallelism=1)
    kept = parse_kept(hasher.hash("correct horse"))

    assert kept is not None
    assert kept.fits(b"correct horse")
    assert not kept.fits(b"wrong")
    assert hasher.verify(str(Kept.of(b"correct horse", Argon2id(64, 2, 1))), "correct horse")


def test_scrypt_is_that_of_its_rfc() -> None:
    """RFC 7914 section 12, the second and third vector."""
    assert Scrypt(10, 8, 16).run(b"password", b"NaCl", 64).hex().startswith("fdbabe1c9d3472007856e7190d01e9fe7c6ad7cb")
    assert (
        Scrypt(14, 8, 1)
        .run(b"pleaseletmein", b"SodiumChloride", 64)
        .hex()
        .startswith("7023bdcb3afd7348461c06cd81fd38eb")
    )


async def test_without_argon2_scrypt_is_used_and_old_hashes_say_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(password_hashes, "HAS_ARGON2", False)
    monkeypatch.setattr("nexios.auth.passwords.HAS_ARGON2", False)
    passwords = Passwords()

    assert await passwords.verify("correct horse", await passwords.hash("correct horse"))
    with pytest.raises(ConfigurationError, match="nexios\\[passwords\\]"):
        await passwords.verify("correct horse", f"$argon2id$v=19$m=65536,t=3,p=4${SALT}${SALT}")
