"""Sections K, C and I: who is let in, and what an attacker learns by trying."""

import asyncio
import base64
import hmac
from typing import Any

import pytest

from nexios import NexiosApp
from nexios.auth import APIKeyAuth, APIKeys, AuthBackend, BasicAuth, BearerAuth, requires
from nexios.errors import ConfigurationError
from nexios.stores.base import StoreUnavailable
from nexios.stores.memory import MemoryStore
from nexios.testing.raw import call


def guarded(backend: object, ran: list[Any] | None = None) -> NexiosApp:
    app = NexiosApp(dependencies=[requires()])
    app.auth_backend = backend

    @app.get("/")
    async def home(request: Any, response: Any) -> Any:
        if ran is not None:
            ran.append(request.user)
        return str(request.user)

    return app


async def ask(app: NexiosApp, *values: bytes, name: bytes = b"authorization") -> Any:
    return await call(app, headers=[(name, value) for value in values])


async def check(name: str, password: str) -> str | None:
    return name if hmac.compare_digest(password.encode(), b"pa:ss") else None


def basic(text: bytes) -> bytes:
    return b"Basic " + base64.b64encode(text)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"Basic",
        b"Basic ",
        b"Basic  " + base64.b64encode(b"ada:pa:ss"),
        b"Basic !!!!",
        b"Basic YWRhOnBhOnN",
        b"Basic YWRhOnBhOnNz=",
        b"Basic YWRh OnBhOnNz",
        b"Basic \xff\xfe",
        b"Basic " + b"A" * 20_000,
        basic(b"no colon"),
        basic(b""),
        basic(b"\xff\xfe:x"),
        basic(b"ada\x00:pa:ss"),
        basic(b"ada:pa:ss\x00"),
        basic(b"ada:pa:ss\n"),
        basic(b"ada:wrong"),
        b"Bearer " + base64.b64encode(b"ada:pa:ss"),
    ],
)
async def test_k10_what_is_malformed_gets_a_challenge(value: Any) -> None:
    """K10."""
    answer = await ask(guarded(BasicAuth(check)), value)

    assert answer.status in (401, 431)
    assert answer.status == 431 or answer.header("www-authenticate") == 'Basic realm="app", charset="UTF-8"'


async def test_k10_the_first_colon_ends_the_name() -> None:
    """K10, fault 31 of the published project."""
    assert (await ask(guarded(BasicAuth(check)), basic(b"ada:pa:ss"))).body == b"ada"
    assert (await ask(guarded(BasicAuth(check)), basic(b"ada:pa:ss").replace(b"Basic", b"bASIC"))).body == b"ada"


def test_k11_one_name_is_not_its_letters_and_no_name_is_an_error() -> None:
    """K11."""
    assert repr(requires("ab")) == "requires('ab')"
    with pytest.raises(ConfigurationError):
        requires(scopes=[])


class Failing(AuthBackend):
    def __init__(self, exc: BaseException) -> None:
        self.exc = exc

    async def authenticate(self, request: Any) -> Any:
        raise self.exc


@pytest.mark.parametrize("failure", [Exception("x"), KeyError("x"), TimeoutError(), StoreUnavailable()], ids=repr)
async def test_k12_a_backend_that_fails_lets_nobody_in(failure: Any) -> None:
    """K12."""
    ran: list[Any] = []
    answer = await ask(guarded([Failing(failure), BasicAuth(check)], ran), basic(b"ada:pa:ss"))

    assert (answer.status, ran) == (503, [])


async def test_k12_a_backend_that_is_cancelled_lets_nobody_in() -> None:
    """K12."""
    ran: list[Any] = []
    answer = await ask(guarded([Failing(asyncio.CancelledError()), BasicAuth(check)], ran), basic(b"ada:pa:ss"))
    assert (answer.status in (0, 500), ran) == (True, [])


async def test_c14_credentials_are_looked_at_for_each_request_and_never_mixed() -> None:
    """C14: nobody acts as the user of one way in with the credentials of another."""

    class Cookie(AuthBackend):
        async def authenticate(self, request: Any) -> Any:
            return request.cookies.get("user")

    app = guarded([BasicAuth(check), Cookie()])
    ada = (b"cookie", b"user=ada")
    assert (await call(app, headers=[ada])).body == b"ada"
    assert (await call(app, headers=[ada, (b"authorization", basic(b"bob:pa:ss"))])).body == b"bob"
    assert (await call(app, headers=[ada, (b"authorization", basic(b"bob:wrong"))])).status == 401
    assert (await call(app)).status == 401


@pytest.mark.parametrize("value", [b"Basic abc", b"Token abc", b"Bearerabc", b"Bearer  abc", b"Bearer a b", b"abc"])
async def test_c15_another_scheme_is_no_bearer_token(value: Any) -> None:
    """C15."""
    asked = []

    async def find(token: str) -> str:
        asked.append(token)
        return "ada"

    app = guarded(BearerAuth(find))
    assert (await ask(app, value)).status == 401
    assert (await ask(app, b"Bearer abc", b"Bearer abc")).status == 401
    assert asked == []
    assert (await ask(app, b"bEARER abc")).status == 200


@pytest.fixture
async def keys() -> Any:
    store = MemoryStore()
    await store.start()
    yield APIKeys(store, clock=lambda: 1000.0)
    await store.stop()


async def test_k7_a_key_is_shown_once_and_kept_as_a_hash(keys: Any) -> None:
    """K7: whoever reads the store can use nothing of it."""
    new = await keys.issue("build", scopes=["deploy"])
    secret = new.text.split("_", 2)[2]
    kept = await keys._store.get(f"api-key:{new.key.id}")

    assert secret.encode() not in kept
    assert secret not in repr(new)
    assert len(secret) == 43
    assert new.text.startswith(f"nxs_{new.key.id}_")


async def test_i2_k7_secrets_are_compared_in_constant_time(keys: Any, monkeypatch: Any) -> None:
    """I2, K7: also for a key that was never issued."""
    compared = []
    real = hmac.compare_digest

    def digest(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return real(one, other)

    monkeypatch.setattr(hmac, "compare_digest", digest)
    new = await keys.issue("build")
    assert await keys.find(new.text) == new.key
    assert await keys.find(new.text[:-1] + "~") is None
    assert await keys.find("nxs_AAAAAAAA_secret") is None
    assert compared == [(32, 32)] * 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nxs",
        "nxs_",
        "nxs__",
        "nxs_AAAAAAAA",
        "nxs_AAAAAAAA_",
        "nxs_../../xx_s",
        "x" * 10_000,
        "nxs_ключключ_s",
        "_",
    ],
)
async def test_k7_what_is_no_key_is_refused(keys: Any, text: Any) -> None:
    """K7, fault 12 of the published project: any text was a key."""
    assert await keys.find(text) is None


async def test_k7_a_key_that_was_revoked_or_has_expired_is_refused(keys: Any) -> None:
    """K7."""
    new, short = await keys.issue("build"), await keys.issue("build", expires_in=10)
    assert await keys.find(short.text) is not None
    keys._clock = lambda: 1010.0
    assert await keys.find(short.text) is None
    assert await keys.revoke(new.key.id) is True
    assert await keys.revoke(new.key.id) is False
    assert await keys.find(new.text) is None


async def test_a_key_of_another_kind_or_read_wrongly_fits_none(keys: Any, caplog: Any) -> None:
    new = await keys.issue("build")
    await keys._store.set(f"api-key:{new.key.id}", b"\xc1")
    assert await keys.find(new.text) is None
    assert "cannot be read" in caplog.text
    with pytest.raises(TypeError):
        await keys.issue("build", scopes="deploy")
    with pytest.raises(ValueError):
        APIKeys(MemoryStore(), prefix="a_b")


async def test_a_key_lets_a_program_in_with_its_scopes(keys: Any) -> None:
    app = NexiosApp(dependencies=[requires("deploy")])
    app.auth_backend = APIKeyAuth(keys)

    @app.get("/")
    async def home(request: Any, response: Any) -> Any:
        return request.user.owner

    good, weak = await keys.issue("build", scopes=["deploy"]), await keys.issue("build")
    answers = [
        await ask(app, good.text.encode(), name=b"x-api-key"),
        await ask(app, weak.text.encode(), name=b"x-api-key"),
        await ask(app, b"nxs_AAAAAAAA_x", name=b"x-api-key"),
        await ask(app, good.text.encode(), good.text.encode(), name=b"x-api-key"),
        await ask(app),
    ]
    assert [answer.status for answer in answers] == [200, 403, 401, 401, 401]
    assert answers[4].header("www-authenticate") == 'ApiKey header="X-API-Key"'
    assert app.openapi()["components"]["securitySchemes"] == {
        "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"}
    }


async def test_a_key_whose_user_left_is_refused(keys: Any) -> None:
    async def find_user(key: Any) -> Any:
        return None if key.owner == "gone" else {"name": key.owner}

    app = guarded(APIKeyAuth(keys, find_user=find_user))
    gone, there = await keys.issue("gone"), await keys.issue("there")
    assert (await ask(app, gone.text.encode(), name=b"x-api-key")).status == 401
    assert (await ask(app, there.text.encode(), name=b"x-api-key")).status == 200
