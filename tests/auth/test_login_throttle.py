"""LoginThrottle: who guesses passwords has to wait, and who knows his own does not."""

import asyncio
import logging
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from nexios import HTTPException, NexiosApp, Request, Response
from nexios.auth import BasicAuth, LoginThrottle, requires
from nexios.errors import ConfigurationError, TooManyRequests
from nexios.stores import MemoryStore
from nexios.stores.base import Store, StoreUnavailable
from nexios.stores.sqlite import SQLiteStore
from nexios.testing import TestClient
from nexios.testing.raw import RawAnswer, call

HOME, ELSEWHERE = "203.0.113.9", "198.51.100.7"


class Clock:
    """Seconds since 1970, which pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


class Peer:
    """What a throttle looks at of a request."""

    def __init__(self, host: str | None) -> None:
        self.client = None if host is None else _Address(host)


class _Address:
    def __init__(self, host: str) -> None:
        self.host = host
        self.port = 1


async def waits(throttle: LoginThrottle, name: str, *, host: str | None = HOME) -> int:
    """An attempt that fails: 0 when it was allowed, else for how many seconds it has to wait."""
    try:
        await throttle.attempt(Peer(host), name)  # type: ignore[arg-type]
    except TooManyRequests as exc:
        return int(dict(exc.headers)["retry-after"])
    return 0


async def signs_in(throttle: LoginThrottle, name: str, *, host: str | None = HOME) -> None:
    await throttle.succeeded(await throttle.attempt(Peer(host), name))  # type: ignore[arg-type]


async def test_five_attempts_are_free_and_each_further_one_takes_twice_as_long() -> None:
    clock = Clock()
    throttle = LoginThrottle(clock=clock)

    found = [await waits(throttle, "ada") for _ in range(6)]
    assert found == [0, 0, 0, 0, 0, 30]

    for delay in (30, 60, 120, 240, 480, 900, 900):
        clock.now += delay - 1
        assert await waits(throttle, "ada") == 1
        clock.now += 1
        assert await waits(throttle, "ada") == 0


async def test_nobody_is_locked_out_for_longer_than_the_window() -> None:
    clock = Clock()
    throttle = LoginThrottle(per_address=10**6, in_total=10**6, clock=clock)
    for _ in range(200):
        clock.now += await waits(throttle, "ada")

    assert await waits(throttle, "ada") <= 900
    clock.now += 1800
    assert [await waits(throttle, "ada") for _ in range(6)] == [0, 0, 0, 0, 0, 30]


async def test_attempts_that_wait_for_their_password_to_be_checked_count() -> None:
    """Many at once are no way around it."""
    throttle = LoginThrottle(clock=Clock())

    found = await asyncio.gather(*(waits(throttle, "ada") for _ in range(40)))

    assert sorted(found) == [0] * 5 + [30] * 35


async def test_one_that_succeeds_frees_the_name() -> None:
    throttle = LoginThrottle(clock=Clock())
    for _ in range(4):
        await waits(throttle, "ada")

    await signs_in(throttle, "ada")

    assert [await waits(throttle, "ada") for _ in range(6)] == [0, 0, 0, 0, 0, 30]


async def test_who_signs_in_again_and_again_never_waits() -> None:
    throttle = LoginThrottle(per_address=3, in_total=3)

    for _ in range(20):
        await signs_in(throttle, "ada")

    assert await waits(throttle, "ada") == 0


@pytest.mark.parametrize(
    ("hosts", "waiting"),
    [
        ([HOME], True),
        (["2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::1"], True),
        ([None], True),
        ([f"203.0.113.{n}" for n in range(60)], False),
        ([f"2001:db8:0:{n}::1" for n in range(60)], False),
    ],
    ids=["one", "one-network", "none", "many", "many-networks"],
)
async def test_one_address_has_fifty_attempts_for_all_names(hosts: list[str | None], waiting: bool) -> None:
    clock = Clock()
    throttle = LoginThrottle(clock=clock)

    found = [await waits(throttle, f"user {n}", host=hosts[n % len(hosts)]) for n in range(51)]

    assert found == [0] * 50 + [900 if waiting else 0]
    clock.now += 900
    assert await waits(throttle, "ada", host=hosts[0]) == 0


async def test_a_password_of_ones_own_gives_an_address_no_further_attempts() -> None:
    throttle = LoginThrottle(clock=Clock())
    for n in range(49):
        await waits(throttle, f"user {n}")

    await signs_in(throttle, "mallory")

    assert [await waits(throttle, "ada"), await waits(throttle, "bob")] == [0, 900]


async def test_all_addresses_together_have_a_limit() -> None:
    throttle = LoginThrottle(in_total=100, clock=Clock())

    found = [await waits(throttle, f"user {n}", host=f"10.0.{n}.1") for n in range(101)]

    assert found == [0] * 100 + [900]


async def test_where_a_user_signed_in_before_others_do_not_hold_it_up() -> None:
    throttle = LoginThrottle(in_total=8, clock=Clock())
    await signs_in(throttle, "ada", host=HOME)
    for _ in range(8):
        await waits(throttle, "ada", host=ELSEWHERE)
    for n in range(8):
        await waits(throttle, f"user {n}", host=f"10.0.{n}.1")

    assert await waits(throttle, "ada", host="192.0.2.1") == 900
    assert [await waits(throttle, "ada", host=HOME) for _ in range(6)] == [0, 0, 0, 0, 0, 30]


async def test_an_address_that_waits_does_not_slow_down_the_names_it_asks_for() -> None:
    throttle = LoginThrottle(per_address=2, clock=Clock())
    for n in range(2):
        await waits(throttle, f"user {n}", host=ELSEWHERE)
    for _ in range(10):
        assert await waits(throttle, "ada", host=ELSEWHERE) == 900

    assert [await waits(throttle, "ada") for _ in range(2)] == [0, 0]


@pytest.mark.parametrize("spelling", ["ADA", " ada ", "Ａｄａ", "aDa\n"])
async def test_spellings_of_a_name_are_one(spelling: str) -> None:
    throttle = LoginThrottle(clock=Clock())
    for _ in range(5):
        await waits(throttle, "ada")

    assert await waits(throttle, spelling) == 30


@pytest.mark.parametrize("name", ["", "\x00", "\ud800", "a" * 100_000])
async def test_any_text_may_be_a_name(name: str) -> None:
    throttle = LoginThrottle(clock=Clock())

    assert [await waits(throttle, name) for _ in range(6)] == [0, 0, 0, 0, 0, 30]


async def test_a_name_and_an_address_are_never_taken_for_each_other() -> None:
    throttle = LoginThrottle(clock=Clock())
    for _ in range(5):
        await waits(throttle, HOME, host=ELSEWHERE)

    assert await waits(throttle, "ada", host=HOME) == 0


async def test_the_log_tells_once_and_names_nobody(caplog: pytest.LogCaptureFixture) -> None:
    throttle = LoginThrottle(per_address=7, clock=Clock())

    with caplog.at_level(logging.DEBUG, "nexios"):
        for n in range(20):
            await waits(throttle, "ada" if n < 10 else f"user {n}")

    assert [record.message for record in caplog.records] == [
        "5 attempts to sign in, for one name, did not succeed: more have to wait",
        "7 attempts to sign in, from one address, did not succeed: more have to wait",
    ]


class Slow(MemoryStore):
    """A store that lets others go first."""

    async def get(self, key: str) -> bytes | None:
        found = await super().get(key)
        await asyncio.sleep(0)
        return found


async def test_attempts_that_change_one_count_at_once_are_all_counted_or_refused() -> None:
    throttle = LoginThrottle(Slow(), per_name=1000, in_total=1000, clock=Clock())

    found = await asyncio.gather(*(waits(throttle, f"user {n}") for n in range(80)))

    assert found.count(0) <= 50
    assert set(found) <= {0, 1, 900}


async def test_attempts_that_succeed_at_once_are_all_taken_back() -> None:
    throttle = LoginThrottle(Slow(), per_address=8, clock=Clock())

    await asyncio.gather(*(signs_in(throttle, f"user {n}") for n in range(4)))

    assert [await waits(throttle, f"user {n}") for n in range(10, 19)] == [0] * 8 + [900]


async def test_processes_with_one_store_count_together(tmp_path: Path) -> None:
    first, second = SQLiteStore(tmp_path / "store.db"), SQLiteStore(tmp_path / "store.db")
    clock = Clock()
    one, other = LoginThrottle(first, clock=clock), LoginThrottle(second, clock=clock)

    async with one.lifespan(None), other.lifespan(None):
        found = [await waits(throttle, "ada") for throttle in (one, other, one, other, one, other, one)]

    assert found == [0, 0, 0, 0, 0, 30, 30]


async def test_a_store_that_is_away_refuses() -> None:
    class Away(MemoryStore):
        async def get(self, key: str) -> bytes | None:
            raise StoreUnavailable

    with pytest.raises(StoreUnavailable):
        await waits(LoginThrottle(Away()), "ada")


async def test_a_count_that_cannot_be_read_begins_anew(caplog: pytest.LogCaptureFixture) -> None:
    class Rotten(MemoryStore):
        async def add(self, key: str, value: bytes, *, expires_in: float | None = None) -> bool:
            return await super().add(key, b"\xc1", expires_in=expires_in)

    throttle = LoginThrottle(Rotten(), clock=Clock())

    assert [await waits(throttle, "ada") for _ in range(7)] == [0, 0, 0, 0, 0, 0, 30]
    assert "begins anew" in caplog.records[0].message


def test_a_class_is_no_store() -> None:
    with pytest.raises(ConfigurationError, match="LoginThrottle"):
        LoginThrottle(MemoryStore)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "options",
    [
        *({"per_name": 0}, {"per_address": 1.5}, {"in_total": -1}, {"per_name": True}),
        *({"window": 0}, {"window": float("inf")}, {"first_delay": 0}, {"first_delay": 901}, {"window": float("nan")}),
    ],
    ids=str,
)
def test_a_wrong_number_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        LoginThrottle(**options)


# In an app

PASSWORDS = {"ada": "correct horse"}


def app_with(throttle: LoginThrottle) -> NexiosApp:
    app = NexiosApp(openapi=None, lifespan=throttle.lifespan)

    @app.post("/sign-in")
    async def sign_in(request: Request, response: Response) -> str:
        form = await request.json()
        attempt = await throttle.attempt(request, form["name"])
        if PASSWORDS.get(form["name"]) != form["password"]:
            raise HTTPException(401, "Name or password is wrong.")
        await throttle.succeeded(attempt)
        return "hello"

    return app


@pytest.mark.parametrize("name", ["ada", "nobody"])
def test_the_answer_is_the_same_whether_there_is_an_account_or_not(name: str) -> None:
    with TestClient(app_with(LoginThrottle(clock=Clock()))) as client:
        answers = [client.post("/sign-in", json={"name": name, "password": "guess"}) for _ in range(6)]

    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert answers[5].headers["retry-after"] == "30"
    assert answers[5].json() == {
        "type": "about:blank",
        "title": "Too Many Requests",
        "status": 429,
        "detail": "Too many attempts to sign in. Try again later.",
        "code": "too_many_attempts",
    }


def test_the_right_password_is_not_looked_at_while_one_has_to_wait() -> None:
    clock = Clock()
    with TestClient(app_with(LoginThrottle(clock=clock))) as client:
        for _ in range(5):
            client.post("/sign-in", json={"name": "ada", "password": "guess"})
        right = {"name": "ada", "password": "correct horse"}

        assert client.post("/sign-in", json=right).status_code == 429
        clock.now += 30
        assert client.post("/sign-in", json=right).status_code == 200


class Checked:
    """Counts how many passwords are checked, and how many at once."""

    def __init__(self) -> None:
        self.all = self.now = self.most = 0

    async def __call__(self, name: str, password: str) -> str | None:
        self.all += 1
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0)
        self.now -= 1
        return name if PASSWORDS.get(name) == password else None


async def basic(app: NexiosApp, name: str, password: str) -> RawAnswer:
    credentials = b64encode(f"{name}:{password}".encode())
    return await call(app, headers=[(b"authorization", b"Basic " + credentials)])


def basic_app(check: Checked, throttle: LoginThrottle | None) -> NexiosApp:
    app = NexiosApp(openapi=None, dependencies=[requires()])
    app.auth_backend = BasicAuth(check, throttle=throttle)
    app.get("/")(lambda request, response: str(request.user))
    return app


async def test_basic_credentials_that_are_guessed_are_throttled() -> None:
    check = Checked()
    app = basic_app(check, LoginThrottle(clock=Clock()))

    found = [(await basic(app, "ada", f"guess {n}")).status for n in range(7)]

    assert (found, check.all) == ([401] * 5 + [429] * 2, 5)
    assert (await basic(app, "ada", "correct horse")).header("retry-after") == "30"


async def test_basic_requests_with_the_right_password_are_never_throttled() -> None:
    check = Checked()
    app = basic_app(check, LoginThrottle(per_name=1, per_address=1, in_total=1))

    answers = await asyncio.gather(*(basic(app, "ada", "correct horse") for _ in range(20)))

    assert {answer.status for answer in answers} == {200}
    assert (check.all, check.most) == (20, 1)


async def test_basic_without_a_throttle_is_as_it_was() -> None:
    check = Checked()
    app = basic_app(check, None)

    assert {(await basic(app, "ada", "guess")).status for _ in range(9)} == {401}


def test_the_store_is_open_while_the_app_runs() -> None:
    opened: list[str] = []

    class Watched(MemoryStore):
        async def start(self) -> None:
            opened.append("start")

        async def stop(self) -> None:
            opened.append("stop")

    store: Store = Watched()
    with TestClient(app_with(LoginThrottle(store))):
        assert opened == ["start"]
    assert opened == ["start", "stop"]
