"""A start that fails because of the engine of the channels says which one it was, and no password."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios import NexiosApp
from nexios.testing import TestClient
from nexios.websockets import BackendUnavailable, Hub, MemoryBackend
from nexios.websockets.backends.base import shown


class Away(MemoryBackend):
    async def start(self, receiver: Any, *, node: str) -> None:
        raise BackendUnavailable from ConnectionError("nobody answers")

    def __repr__(self) -> str:
        return "<Engine engine:6379>"


async def test_the_start_of_an_app_says_which_engine_is_away() -> None:
    with pytest.raises(BackendUnavailable) as caught:
        async with TestClient(NexiosApp(channels=Away())):
            pass

    assert str(caught.value) == "the channels cannot reach their engine, <Engine engine:6379>: nobody answers"


async def test_redis_names_its_address_without_the_password() -> None:
    redis = pytest.importorskip("nexios.websockets.backends.redis")
    hub = Hub(redis.RedisBackend("redis://ada:secret@127.0.0.1:1/0?socket_timeout=1"))

    with pytest.raises(BackendUnavailable, match=r"<RedisBackend redis://127\.0\.0\.1:1/0>") as caught:
        await hub.start()

    assert "secret" not in str(caught.value)


async def test_nats_names_its_servers_without_the_password() -> None:
    nats = pytest.importorskip("nexios.websockets.backends.nats")
    hub = Hub(nats.NatsBackend(["nats://ada:secret@127.0.0.1:1", "127.0.0.1:2"], patience=0.5))

    with pytest.raises(BackendUnavailable, match=r"<NatsBackend nats://127\.0\.0\.1:1, 127\.0\.0\.1:2>") as caught:
        await hub.start()

    assert "secret" not in str(caught.value)


async def test_postgres_names_its_address_without_the_password() -> None:
    postgres = pytest.importorskip("nexios.websockets.backends.postgres")
    hub = Hub(postgres.PostgresBackend("postgresql://ada:secret@127.0.0.1:1/app", patience=0.5))

    with pytest.raises(BackendUnavailable, match=r"<PostgresBackend postgresql://127\.0\.0\.1:1/app>") as caught:
        await hub.start()

    assert "secret" not in str(caught.value)


def test_a_client_sees_the_status_alone() -> None:
    exc = BackendUnavailable("redis at engine:6379 is away", retry_after=5)

    assert (exc.status_code, exc.detail, exc.headers) == (503, "Service Unavailable", (("retry-after", "5"),))
    assert str(BackendUnavailable()) == "503 Service Unavailable"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://localhost:6379/0", "redis://localhost:6379/0"),
        ("redis://:secret@engine/0", "redis://engine/0"),
        ("redis://ada:sec@ret@engine", "redis://engine"),
        ("redis://:sec?ret@engine", "redis://..."),
        ("redis://:sec#ret@engine", "redis://..."),
        ("redis://:sec://ret@engine", "redis://..."),
        ("unix:///run/redis.sock?password=secret", "unix:///run/redis.sock"),
        ("postgresql://one,two/app?password=sec@ret", "postgresql://..."),
        ("engine:4222", "engine:4222"),
        ("ada:secret@engine:4222", "engine:4222"),
        ("", ""),
    ],
)
def test_urls_are_shown_without_what_is_secret(url: str, expected: str) -> None:
    assert shown(url) == expected


@given(
    scheme=st.sampled_from(["redis://", "nats://", "postgresql://", ""]),
    before=st.text(max_size=5),
    after=st.text(max_size=5),
)
def test_no_password_is_shown_whatever_is_in_it(scheme: str, before: str, after: str) -> None:
    secret = f"{before}TOPSECRET{after}"

    assert "TOPSECRET" not in shown(f"{scheme}ada:{secret}@engine:1/0")
    assert "TOPSECRET" not in shown(f"{scheme}engine:1/0?password={secret}")
