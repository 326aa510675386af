"""Secrets of an app, and what they sign."""

import logging
import os
import secrets
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios.errors import ConfigurationError
from nexios.signing import BadSignature, Keyring, SignatureExpired

NEW = "xWlZ9nTfS4v1cQ0kR7b2mJ6uYhE3oAqD"
OLD = "qV8pLr2sKd0wZ5yB1nG7tFjXc4MiHeUa"
OTHER = "Jm3tYq7LsB0cXzVh9RkWf5NdPg1EaUo2"


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("value", [b"", b"ada", bytes(range(256)), b"x" * 5000])
def test_what_was_signed_comes_back(value: bytes) -> None:
    signer = Keyring(NEW).signer("session")

    assert signer.unsign(signer.sign(value), max_age=60) == value


def test_a_signed_value_fits_into_a_cookie_and_a_url() -> None:
    token = Keyring(NEW, clock=Clock()).signer("session").sign(bytes(range(256)))

    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")
    assert len(token) == 342 + 1 + 10 + 1 + 43


def test_the_signature_is_hmac_sha256_with_a_key_of_hkdf() -> None:
    """RFC 5869 without a salt, with the lengths and words of the use as info; computed once with hmac alone."""
    token = Keyring(NEW, clock=Clock()).signer("session").sign(b"ada")

    assert token == "YWRh.1700000000.ZYGcerhKkUc9Rsssuk56Cqp4XoGhXirJMv0tqg5JSPA"


@given(st.text(max_size=200))
def test_a_text_that_we_did_not_sign_is_refused(token: str) -> None:
    with pytest.raises(BadSignature):
        Keyring(NEW).signer("session").unsign(token, max_age=None)


def test_a_token_with_any_one_character_changed_or_removed_or_added_is_refused() -> None:
    signer = Keyring(NEW).signer("session")
    token = signer.sign(b"ada")
    changed = {token[:n] + other + token[n + 1 :] for n in range(len(token)) for other in "Ab0-_.= +\né"}
    longer = {token[:n] + other + token[n:] for n in range(len(token) + 1) for other in "A=.\n "}
    shorter = {token[:n] + token[n + 1 :] for n in range(len(token))} | {token[:n] for n in range(len(token))}

    for text in (changed | longer | shorter) - {token}:
        with pytest.raises(BadSignature):
            signer.unsign(text, max_age=None)


@pytest.mark.parametrize(("seconds", "is_valid"), [(0, True), (60, True), (60.9, True), (61, False), (1e9, False)])
def test_a_token_is_valid_for_its_age_in_whole_seconds(seconds: float, is_valid: bool) -> None:
    clock = Clock()
    signer = Keyring(NEW, clock=clock).signer("session")
    token = signer.sign(b"ada")
    clock.now += seconds

    if is_valid:
        assert signer.unsign(token, max_age=60) == b"ada"
    else:
        with pytest.raises(SignatureExpired):
            signer.unsign(token, max_age=60)
    assert signer.unsign(token, max_age=None) == b"ada"


@pytest.mark.parametrize(("ahead", "is_valid"), [(5, True), (6, False), (1e9, False)])
def test_a_token_from_the_future_is_refused_but_for_what_clocks_differ(ahead: float, is_valid: bool) -> None:
    clock = Clock()
    signer = Keyring(NEW, clock=clock).signer("session")
    token = signer.sign(b"ada")
    clock.now -= ahead

    if is_valid:
        assert signer.unsign(token, max_age=60) == b"ada"
    else:
        with pytest.raises(BadSignature, match="future"):
            signer.unsign(token, max_age=None)


def test_the_first_secret_signs_and_all_are_accepted() -> None:
    token = Keyring(OLD).signer("session").sign(b"ada")

    assert Keyring([NEW, OLD]).signer("session").unsign(token, max_age=60) == b"ada"
    signed_now = Keyring([NEW, OLD]).signer("session").sign(b"ada")
    assert Keyring(NEW).signer("session").unsign(signed_now, max_age=60) == b"ada"
    for without in (Keyring(OLD), Keyring([OTHER, OLD])):
        with pytest.raises(BadSignature):
            without.signer("session").unsign(signed_now, max_age=60)


def test_a_secret_may_be_bytes_or_text() -> None:
    token = Keyring(NEW).signer("session").sign(b"ada")

    assert Keyring(NEW.encode()).signer("session").unsign(token, max_age=60) == b"ada"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("session",), ("csrf",)),
        (("ab", "c"), ("a", "bc")),
        (("a", "b"), ("ab",)),
        (("a", ""), ("a",)),
        (("a", "", "b"), ("a", "b", "")),
        (("a\0b",), ("a", "b")),
        (("url", "x"), ("x",)),
    ],
)
def test_what_is_signed_for_one_use_is_worth_nothing_for_another(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    keyring = Keyring(NEW)
    token = keyring.signer(*one).sign(b"ada")

    with pytest.raises(BadSignature):
        keyring.signer(*other).unsign(token, max_age=60)


@pytest.mark.parametrize("secret", [None, "", b"", [], [NEW, ""], ()])
def test_a_missing_secret_is_an_error_with_the_command_that_makes_one(secret: str | bytes | list[str] | None) -> None:
    with pytest.raises(ConfigurationError, match="missing") as caught:
        Keyring(secret)

    assert 'python -c "import secrets; print(secrets.token_urlsafe(32))"' in str(caught.value)


def test_the_command_makes_a_secret_that_is_accepted() -> None:
    made = subprocess.run(
        [sys.executable, "-c", "import secrets; print(secrets.token_urlsafe(32))"], capture_output=True, check=True
    )

    assert repr(Keyring(made.stdout.decode().strip())) == "Keyring(1 secret)"


@pytest.mark.parametrize(
    "secret",
    [
        "secret",
        "changeme",
        "your-secret-key",
        "x" * 31,
        "x" * 64,
        "changeme" * 8,
        "abcd" * 10,
        "CHANGEME-before-you-deploy-this-application",
        "your-secret-key-goes-in-here-0123456789",
        b"\0" * 32,
    ],
)
def test_a_secret_that_can_be_guessed_is_refused_and_not_shown(secret: str | bytes) -> None:
    for several in (secret, [NEW, secret]):
        with pytest.raises(ConfigurationError, match="can be guessed") as caught:
            Keyring(several)
        shown = secret if isinstance(secret, str) else secret.decode()
        assert len(shown) < 20 or shown not in str(caught.value)
        assert "token_urlsafe" in str(caught.value)


def test_a_secret_that_can_be_guessed_is_a_warning_in_debug_mode(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "nexios"):
        keyring = Keyring("your-secret-key", debug=True)

    assert keyring.signer("session").unsign(keyring.signer("session").sign(b"ada"), max_age=60) == b"ada"
    assert [record.getMessage() for record in caplog.records] == [
        "the secret key can be guessed: it has 15 bytes, and 32 is the least; accepted in debug mode alone"
    ]


def test_an_empty_secret_is_an_error_in_debug_mode_too() -> None:
    with pytest.raises(ConfigurationError):
        Keyring("", debug=True)


@pytest.mark.parametrize(
    "make", [lambda: secrets.token_urlsafe(32), lambda: secrets.token_hex(16), lambda: os.urandom(32)]
)
def test_random_secrets_are_accepted(make: object) -> None:
    assert callable(make)
    for _ in range(200):
        Keyring(make())


def test_nothing_shows_a_secret() -> None:
    keyring = Keyring([NEW, OLD])
    signer = keyring.signer("session", "theme")

    assert repr(keyring) == "Keyring(2 secrets)"
    assert repr(Keyring(NEW)) == "Keyring(1 secret)"
    assert repr(signer) == "Signer('session', 'theme')"
    for shown in (repr(keyring), str(keyring), repr(signer), f"{signer}", repr(keyring.signatures("session"))):
        assert NEW not in shown
        assert OLD not in shown
    assert not hasattr(keyring, "__dict__")
    assert not hasattr(signer, "__dict__")


@pytest.mark.parametrize("signed", [b"", b".", b"YWRh", b"YWRh.", b"YWRh.soon", b"YWRh.1234567890123", b"Y.1700000000"])
def test_what_was_signed_by_other_code_and_is_no_value_is_refused(signed: bytes) -> None:
    keyring = Keyring(NEW)
    token = (signed + b"." + keyring.signatures("value", "session").make(signed)).decode()

    with pytest.raises(BadSignature):
        keyring.signer("session").unsign(token, max_age=None)


def test_a_secret_of_another_type_is_an_error() -> None:
    wrong: list[str] = [NEW, 5]  # type: ignore[list-item]
    with pytest.raises(ConfigurationError, match="not int"):
        Keyring(wrong)
