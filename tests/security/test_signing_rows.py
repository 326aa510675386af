"""Signing, secrets and stores: rows F7, F9, F11, F12, F15, F17, F18, Q2 and Q3, as far as they need no session."""

import ast
import asyncio
import base64
import hmac
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from nexios.errors import ConfigurationError
from nexios.signing.keyring import Keyring
from nexios.signing.signer import BadSignature, SignatureExpired
from nexios.signing.urls import sign_url, verify_url
from nexios.stores.base import Store
from nexios.stores.memory import MemoryStore
from nexios.stores.sqlite import SQLiteStore
from tests.security.kit import linear

PACKAGE = Path(__file__).parents[2] / "nexios"
NEW = "xWlZ9nTfS4v1cQ0kR7b2mJ6uYhE3oAqD"
OLD = "qV8pLr2sKd0wZ5yB1nG7tFjXc4MiHeUa"

SECRET_WORDS = {"csrf", "digest", "mac", "nonce", "password", "secret", "sig", "token", "verifier"}
"""Words in the name of what is compared in constant time; a `signature` may be one of a function too."""
UNSAFE_MODULES = {"dill", "jsonpickle", "marshal", "pickle", "shelve", "yaml"}
RUNNING_TEXT = {"__import__", "compile", "eval", "exec"}
GUESSABLE = {"random", "uuid1", "uuid4"}
NO_SECRETS = {"messages/connection.py", "websockets/backends/backoff.py"}
"""Where chance is no secret: the id of a request in the log, and how long to wait before connecting again."""


def sources() -> Iterator[tuple[str, ast.Module]]:
    """Yield every file of the package."""
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE).as_posix(), ast.parse(path.read_text("utf-8"))


def imported(tree: ast.Module) -> set[str]:
    """Return the first words of what a file imports."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0:
            names.add(node.module.partition(".")[0])
    return names


def named(tree: ast.Module) -> list[ast.expr]:
    """Return every name and attribute of a file."""
    return [node for node in ast.walk(tree) if isinstance(node, ast.Name | ast.Attribute)]


def name_of(node: ast.expr) -> str:
    """Return the last word of what is compared."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


@pytest.mark.parametrize("debug", [False, True])
def test_f7_what_is_unsigned_or_signed_otherwise_is_refused(debug: bool) -> None:
    """No way leads from a failed signature to a plain value."""
    signer = Keyring(NEW, debug=debug).signer("session")
    plain = base64.urlsafe_b64encode(json.dumps({"user": 1}).encode()).decode().rstrip("=")
    token = signer.sign(b'{"user":1}')
    value, time, signature = token.split(".")
    sha1 = hmac.digest(NEW.encode(), f"{value}.{time}".encode(), "sha1")

    forged = [
        plain,
        f"{plain}.",
        f"{plain}..",
        f"{plain}.{time}.",
        f"{plain}.{time}.{signature}",
        f"{value}.{time}",
        f"{value}.{time}.{signature[:-1]}",
        f"{value}.{time}.{base64.urlsafe_b64encode(sha1).decode().rstrip('=')}",
        f"{value}.{int(time) + 60}.{signature}",
        f"{value}.{signature}",
        f"v0.{token}",
        token + "=",
        token.replace("-", "+").replace("_", "/") + " ",
        Keyring(OLD).signer("session").sign(b'{"user":1}'),
    ]
    for text in forged:
        with pytest.raises(BadSignature) as caught:
            signer.unsign(text, max_age=None)
        assert not isinstance(caught.value, SignatureExpired)
        assert value not in str(caught.value)


def test_f9_secrets_are_compared_in_constant_time() -> None:
    found = []
    for file, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Compare) and any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops):
                names = {name_of(part) for part in (node.left, *node.comparators)}
                if any(SECRET_WORDS & set(name.split("_")) for name in names):
                    found.append(f"{file}:{node.lineno}")

    assert found == []


@pytest.mark.parametrize("text", ["é", "\ud800", "YWRh.1700000000.é" + "A" * 42, "\0", "٣.٣.٣"], ids=ascii)
def test_f9_what_is_not_ascii_is_a_bad_signature_and_no_error(text: str) -> None:
    with pytest.raises(BadSignature):
        Keyring(NEW).signer("session").unsign(text, max_age=60)
    with pytest.raises(BadSignature):
        verify_url(Keyring(NEW), f"/x?signature={text}")


def test_f11_the_first_secret_signs_and_a_removed_one_is_refused() -> None:
    before, both, after = Keyring(OLD), Keyring([NEW, OLD]), Keyring([NEW])
    old_token = before.signer("session").sign(b"ada")
    new_token = both.signer("session").sign(b"ada")

    assert both.signer("session").unsign(old_token, max_age=60) == b"ada"
    assert after.signer("session").unsign(new_token, max_age=60) == b"ada"
    with pytest.raises(BadSignature):
        after.signer("session").unsign(old_token, max_age=60)
    with pytest.raises(BadSignature):
        before.signer("session").unsign(new_token, max_age=60)


def test_f12_the_words_of_a_use_do_not_run_into_each_other() -> None:
    keyring = Keyring(NEW)
    uses = [("ab", "c"), ("a", "bc"), ("abc",), ("a", "b", "c"), ("session",), ("csrf",), ("flash",), ("url",)]
    for use in uses:
        token = keyring.signer(*use).sign(b"ada")
        for other in uses:
            if other != use:
                with pytest.raises(BadSignature):
                    keyring.signer(*other).unsign(token, max_age=60)


def test_f12_a_link_is_no_session_and_a_session_no_link() -> None:
    keyring = Keyring(NEW)
    signature = sign_url(keyring, "/x", expires_in=None).rpartition("=")[2]
    for use in (("url",), ("url", "url"), ("session",)):
        with pytest.raises(BadSignature):
            keyring.signer(*use).unsign(f"L3g.1700000000.{signature}", max_age=None)
        token = keyring.signer(*use).sign(b"/x")
        with pytest.raises(BadSignature):
            verify_url(keyring, f"/x?signature={token.rpartition('.')[2]}")


def test_f15_nothing_is_read_that_could_be_code() -> None:
    found = [file for file, tree in sources() if imported(tree) & UNSAFE_MODULES]
    called = [file for file, tree in sources() for node in ast.walk(tree) if _runs_text(node)]

    assert found == []
    assert called == []


def _runs_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RUNNING_TEXT


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_f17_m5_keys_that_look_alike_are_different(kind: str, tmp_path: Path) -> None:
    """The servers' stores do the same in tests/contract/stores."""
    store: Store = MemoryStore() if kind == "memory" else SQLiteStore(tmp_path / "store.db")
    await store.start()
    keys = ("a", "ａ", "A", "K", "\u212a", "1-2", "12", "\u00e9", "e\u0301", "../a", "a/", "a ", "x" * 5000)
    for key in keys:
        assert await store.add(key, key.encode())

    assert [await store.get(key) for key in keys] == [key.encode() for key in keys]
    await store.stop()


def test_f18_no_secret_is_made_of_what_can_be_guessed() -> None:
    found = {file for file, tree in sources() if (imported(tree) | set(map(name_of, named(tree)))) & GUESSABLE}

    assert found <= NO_SECRETS


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("secret", [None, "", b"", []])
def test_f18_without_a_secret_nothing_is_signed(secret: str | bytes | list[str] | None, debug: bool) -> None:
    with pytest.raises(ConfigurationError, match="A secret key is missing"):
        Keyring(secret, debug=debug)


def test_j17_a_signature_has_one_spelling() -> None:
    signer = Keyring(NEW).signer("session")
    token = signer.sign(b"ada")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/="

    accepted = [letter for letter in letters if _is_accepted(signer.unsign, token[:-1] + letter)]

    assert accepted == [token[-1]]


def _is_accepted(unsign: object, token: str) -> bool:
    assert callable(unsign)
    try:
        unsign(token, max_age=None)
    except BadSignature:
        return False
    return True


@pytest.mark.skipif(os.name == "nt", reason="there are no such rights")
async def test_q2_a_file_of_a_store_is_for_its_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        stores = [SQLiteStore(tmp_path / "data" / "store.db") for _ in range(2)]
        await asyncio.gather(*(store.start() for store in stores))
        rights = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data").iterdir()}
    finally:
        os.umask(before)
    for store in stores:
        await store.stop()

    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert set(rights.values()) == {0o600}


@pytest.mark.parametrize("secret", ["changeme", "secret", "x" * 31, "your-secret-key", "changeme" * 4, "0" * 64])
def test_q3_a_secret_that_can_be_guessed_is_refused(secret: str) -> None:
    with pytest.raises(ConfigurationError, match="can be guessed") as caught:
        Keyring(secret)

    assert "secrets.token_urlsafe(32)" in str(caught.value)


def test_long_tokens_and_links_are_refused_in_linear_time() -> None:
    keyring = Keyring(NEW)
    signer = keyring.signer("session")

    assert linear(lambda n: _is_accepted(signer.unsign, "." * n + "A" * 43), 20_000)
    assert linear(lambda n: _is_accepted(signer.unsign, "A" * n + ".1700000000." + "A" * 43), 20_000)
    assert linear(lambda n: _refused(keyring, "/x?" + "a=1&" * n), 10_000)
    assert linear(lambda n: _refused(keyring, "/x?signature=" + "A" * 43 + "&%41=+" * n), 10_000)


def _refused(keyring: Keyring, url: str) -> None:
    with pytest.raises(BadSignature):
        verify_url(keyring, url)
