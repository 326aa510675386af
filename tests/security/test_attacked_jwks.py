"""A key server that was attacked, or attacks: what it sends, and how, takes no login away that held before."""

import asyncio
import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from nexios.auth.fetch import fetch_document
from nexios.auth.jwks import JWKS
from nexios.auth.jwt import JWT, InvalidToken
from nexios.errors import BadRequest, ServiceUnavailable
from tests.security.kit import until

joserfc = pytest.importorskip("joserfc")
from joserfc.jwk import RSAKey  # noqa: E402

RSA = RSAKey.generate_key(2048, private=True)
ALGORITHMS = frozenset({"RS256"})
GOOD = {**RSA.as_dict(private=False), "kid": "good"}


class Server:
    """Answers one after the other, when it is told to; `now` is the time."""

    def __init__(self, *answers: Any, waits: bool = False) -> None:
        self.answers = list(answers)
        self.fetches = 0
        self.now = 0.0
        self.turn = asyncio.Event()
        if not waits:
            self.turn.set()
        self.keys = JWKS("https://login.example/keys", fetch=self.fetch, clock=lambda: self.now)

    async def fetch(self, url: str) -> bytes:
        self.fetches += 1
        await self.turn.wait()
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, bytes) else json.dumps({"keys": answer}).encode()

    async def find(self, key_id: str = "good") -> bool:
        return await self.keys.find_key(key_id, ALGORITHMS) is not None


async def test_j6_one_fetch_serves_all_who_come_meanwhile() -> None:
    """J6: all but the first got 503, for as long as the first fetch took."""
    server = Server([GOOD], waits=True)
    waiting = [asyncio.create_task(server.find()) for _ in range(50)]
    await until(lambda: server.fetches)

    server.turn.set()

    assert await asyncio.gather(*waiting) == [True] * 50
    assert server.fetches == 1


async def test_j6_clients_that_leave_lead_to_no_further_fetches() -> None:
    """J6: each that broke off its request began another fetch, and another thread, without any pause."""
    server = Server([GOOD], waits=True)
    for _ in range(20):
        leaving = asyncio.create_task(server.find())
        await until(lambda: server.fetches)
        leaving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await leaving

    server.turn.set()

    assert await server.find()
    assert server.fetches == 1


async def test_who_has_a_key_that_is_known_waits_for_nobody() -> None:
    """While the keys are fetched anew because of a key id that somebody made up."""
    server = Server([GOOD], [GOOD])
    await server.find()
    server.now, server.turn = 100.0, asyncio.Event()
    waiting = asyncio.create_task(server.find("made-up"))
    await until(lambda: server.fetches == 2)

    assert await server.find()

    server.turn.set()
    assert not await waiting


BROKEN: dict[str, Any] = {
    "no HTTP": http.client.BadStatusLine("SSH-2.0"),
    "an error of a client": RuntimeError("connection pool"),
    "a timeout": TimeoutError(),
    "a status": BadRequest("x"),
    "no JSON": b"{",
    "a list": b"[]",
    "no keys": b"{}",
    "deep": b'{"keys":' + b"[" * 5000 + b"]" * 5000 + b"}",
    "no list": b'{"keys":{}}',
    "too many": [GOOD] * 101,
}


@pytest.mark.parametrize("what", BROKEN)
async def test_keys_that_cannot_be_fetched_anew_leave_those_that_are_known(what: str) -> None:
    """Some errors were not foreseen, and were those of the request then: 503 once a minute."""
    server = Server([GOOD], BROKEN[what])
    await server.find()
    server.now = 4000.0

    assert await server.find()
    assert server.fetches == 2


MALFORMED: list[Any] = [
    *({"kty": "RSA", "alg": []}, {"kty": "RSA", "alg": {}}, {"kty": []}, {"kty": "RSA", "key_ops": 5}, {"kty": None}),
    *(
        {"kty": "RSA", "n": [], "e": {}},
        {"kty": "RSA", "n": 5},
        {"kty": "RSA", "n": "A" * 9000, "e": "é"},
        {"kty": "RSA"},
    ),
    *(
        {"kty": "RSA", "use": []},
        {"kty": "RSA", "n": GOOD["n"], "e": "A" * 5000},
        {**GOOD, "kid": []},
        {**GOOD, "kid": {}},
    ),
    *({**GOOD, "kid": "x", "e": "AA"}, {**GOOD, "kid": "x", "e": "AQ"}, {**GOOD, "kid": "x", "d": 5}, 5, None, [], "x"),
]


@pytest.mark.parametrize("number", range(len(MALFORMED)))
async def test_a_key_that_is_malformed_takes_no_other_away(number: int) -> None:
    """One with a list for its algorithm made every request fail, until the next fetch."""
    server = Server([MALFORMED[number], GOOD])

    assert await server.find()


async def test_keys_that_were_never_there_are_no_reason_to_take_a_token() -> None:
    server = Server(OSError())
    tokens = JWT(server.keys, algorithms=["RS256"], issuer="https://a", audience="b")

    with pytest.raises(InvalidToken):
        await tokens.verify("a.b.c")
    with pytest.raises(ServiceUnavailable):
        await server.find()


# The server at the other end


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the environment says."""
    monkeypatch.setenv("no_proxy", "*")


@contextlib.contextmanager
def serving(*parts: bytes, endless: bytes = b"") -> Iterator[str]:
    """A server that says the parts, and then again and again the last, until the client is gone."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                connection.recv(65536)
                for part in parts:
                    connection.sendall(part)
                while endless:
                    connection.sendall(endless)
                    if stopped.wait(0.02):
                        return

        stopped = threading.Event()
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/keys"
        finally:
            stopped.set()
            thread.join(5)
            assert not thread.is_alive()


HEAD = b"HTTP/1.1 200 OK\r\n"


async def test_keys_are_fetched() -> None:
    with serving(HEAD + b"content-length: 2\r\n\r\n{}") as url:
        assert await fetch_document(url) == b"{}"


@pytest.mark.parametrize(
    ("parts", "endless"),
    [((), b"H"), ((HEAD,), b"x: y\r\n"), ((HEAD, b"x: "), b"y"), ((HEAD, b"content-length: 500000\r\n\r\n"), b" ")],
    ids=["status", "headers", "header", "body"],
)
async def test_a_server_that_sends_a_byte_now_and_then_is_left(parts: tuple[bytes, ...], endless: bytes) -> None:
    """Each byte began the timeout anew, and held a thread that all of the app shares."""
    with serving(*parts, endless=endless) as url, pytest.raises((OSError, http.client.HTTPException)):
        await fetch_document(url, timeout=0.2)


async def test_an_answer_that_is_too_large_is_none() -> None:
    with serving(HEAD + b"\r\n", b" " * (1024 * 1024 + 1)) as url, pytest.raises(ValueError, match="over 1 MiB"):
        await fetch_document(url)


@pytest.mark.parametrize("status", [b"301", b"302", b"303", b"307", b"308"])
@pytest.mark.parametrize(
    "target", [b"file:///etc/passwd", b"http://127.0.0.1:1/", b"ftp://127.0.0.1/", b"//evil.example/"]
)
async def test_a_redirect_is_not_followed(status: bytes, target: bytes) -> None:
    answer = b"HTTP/1.1 " + status + b" Moved\r\nlocation: " + target + b"\r\ncontent-length: 0\r\n\r\n"
    with serving(answer) as url, pytest.raises(OSError, match=status.decode()):
        await fetch_document(url)
