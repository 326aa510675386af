"""Common mistakes with channels are told where they are made, with the line to write."""

from collections.abc import Callable
from typing import Any

import pytest

from nexios import NexiosApp, Request, Response
from nexios.errors import BadRequest, ConfigurationError
from nexios.messages.sse import format_event
from nexios.testing import TestClient
from nexios.websockets import Hub, MemoryBackend
from tests.websockets.channels.room_kit import Site


class Plain:
    """Nothing that JSON can write."""


def refusal_of(make: Callable[[], Any]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        make()
    return str(caught.value)


# Rules


def test_a_guard_without_parentheses_is_refused_and_not_dropped() -> None:
    hub = Hub()

    async def staff(websocket: Any, channel: str) -> bool:
        return False

    text = refusal_of(lambda: hub.guard(staff))  # type: ignore[arg-type]

    assert text.startswith("guard() takes a pattern, not the function staff().")
    assert f"{__file__}:" in text
    assert '    @app.hub.guard("staff:*")\n' in text


def test_a_guard_is_asked_for_its_parameters_when_it_is_registered() -> None:
    async def may_join(websocket: Any) -> bool:
        return True

    text = refusal_of(lambda: Hub().guard("staff:*")(may_join))  # type: ignore[type-var]

    assert text.startswith("may_join() cannot guard 'staff:*': it does not take (websocket, channel).")
    assert f"{__file__}:" in text
    assert '@app.hub.guard("staff:*")\n    async def may_join(websocket, channel): ...' in text


def test_keep_takes_limits() -> None:
    app = NexiosApp()

    text = refusal_of(lambda: app.hub.keep("room:*", 50))  # type: ignore[arg-type]

    assert text.startswith("keep() takes a pattern and HistoryLimits, not ('room:*', 50).")
    assert f"{__file__}:" in text
    assert '    app.hub.keep("room:*", HistoryLimits(count=50))\n' in text


def test_a_group_is_named_by_a_text() -> None:
    app = NexiosApp()

    assert "as app.channels('room:*'), not 5." in refusal_of(lambda: app.channels(5))  # type: ignore[arg-type]
    assert "HistoryLimits(count=1000)" in refusal_of(lambda: app.hub.keep(len, None))  # type: ignore[arg-type]


# Engines


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("redis://ada:secret@engine:6379", ["no URL as 'redis://engine:6379'", 'channels=RedisBackend("redis://']),
        ("nats://engine", ["import NatsBackend", 'channels=NatsBackend("nats://']),
        ("postgresql://engine/app", ["import PostgresBackend", 'channels=PostgresBackend("postgresql://']),
        ("", ["no URL as ''", "channels=RedisBackend("]),
        (MemoryBackend, ["not the class MemoryBackend. Call it:", "channels=MemoryBackend(...)"]),
        (Hub, ["not the class Hub. Call it:", "channels=Hub(...)"]),
        (Plain(), ["Plain is none: it has no start()", "channels=MemoryBackend()"]),
        (False, ["bool is none"]),
    ],
)
def test_channels_take_a_backend(given: Any, words: list[str]) -> None:
    for make in (lambda: NexiosApp(channels=given), lambda: Hub(given)):
        text = refusal_of(make)
        assert [word for word in words if word not in text] == []
        assert "secret" not in text


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, "takes a URL, not None"),
        (5, "takes a URL, not int"),
        ("", "redis://, rediss://, unix://; not ''"),
        ("localhost:6379", "redis://, rediss://, unix://; not 'localhost:6379'"),
        ("postgres://ada:secret@x", "not 'postgres://x'"),
        ("redis://ada:secret@localhost:notaport/0", "port is a number up to 65535; not 'redis://localhost:notaport/0'"),
        ("redis://ada:secret@localhost:70000/0", "port is a number up to 65535"),
        ("redis://:secret@localhost?db=x", "its client reads, not 'redis://localhost'"),
        ("redis://:secret@localhost?colour=1", "takes no option 'colour'"),
    ],
)
def test_redis_is_given_a_url_of_redis(given: Any, words: str) -> None:
    redis = pytest.importorskip("nexios.websockets.backends.redis")

    text = refusal_of(lambda: redis.RedisBackend(given))

    assert text.startswith("RedisBackend ")
    assert words in text
    assert '    RedisBackend("redis://localhost:6379/0")\n' in text
    assert "secret" not in text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"colour": "secret"}, "takes no option 'colour', and neither does its client"),
        ({"pasword": "secret"}, "did you mean 'password'?"),
        ({"host": "localhost", "port": 1}, "takes no option 'host': its URL says it"),
        ({"port": 1}, "takes no option 'port': its URL says it"),
    ],
)
def test_redis_is_given_options_that_its_client_takes(options: dict[str, Any], words: str) -> None:
    redis = pytest.importorskip("nexios.websockets.backends.redis")

    text = refusal_of(lambda: redis.RedisBackend(**options))

    assert words in text
    assert "secret" not in text


def test_redis_takes_the_options_and_urls_of_its_client() -> None:
    redis = pytest.importorskip("nexios.websockets.backends.redis")

    backends = [
        redis.RedisBackend("redis://localhost", password="p", db=2, max_connections=5, health_check_interval=3),
        redis.RedisBackend("rediss://[::1]:6379/0?health_check_interval=2", ssl_ca_certs="ca.pem"),
        redis.RedisBackend("unix:///run/valkey.sock?db=1", username="ada"),
    ]

    assert [repr(backend) for backend in backends] == [
        "<RedisBackend redis://localhost>",
        "<RedisBackend rediss://[::1]:6379/0>",
        "<RedisBackend unix:///run/valkey.sock>",
    ]


@pytest.mark.parametrize("given", [None, "", [], [None], "redis://ada:secret@x", "nats://ada:secret@x:notaport", "x:y"])
def test_nats_is_given_servers_of_nats(given: Any) -> None:
    nats = pytest.importorskip("nexios.websockets.backends.nats")

    text = refusal_of(lambda: nats.NatsBackend(given))

    assert text.startswith("NatsBackend takes a URL")
    assert '    NatsBackend("nats://localhost:4222")\n' in text
    assert "secret" not in text


@pytest.mark.parametrize(
    "given", [None, "", "localhost/app", "redis://ada:secret@x", "postgres://one,two:notaport/app"]
)
def test_postgres_is_given_a_url_of_postgres(given: Any) -> None:
    postgres = pytest.importorskip("nexios.websockets.backends.postgres")

    text = refusal_of(lambda: postgres.PostgresBackend(given))

    assert text.startswith("PostgresBackend takes a URL")
    assert '    PostgresBackend("postgresql://localhost/app")\n' in text
    assert "secret" not in text


def test_the_others_are_given_options_that_their_clients_take() -> None:
    nats = pytest.importorskip("nexios.websockets.backends.nats")
    postgres = pytest.importorskip("nexios.websockets.backends.postgres")

    assert "NatsBackend takes no option 'colour'" in refusal_of(lambda: nats.NatsBackend(colour=1))
    assert "did you mean 'ssl'?" in refusal_of(lambda: postgres.PostgresBackend(sll=True))
    assert "'dsn': its URL says it" in refusal_of(lambda: postgres.PostgresBackend(dsn="postgresql://x"))
    nats.NatsBackend(["nats://one:4222", "127.0.0.1:2"], user_credentials="x")
    postgres.PostgresBackend("postgresql://one:1,[::1]:2/app", ssl=True, user="ada")


# Arguments


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"metadata": "x"}, 'metadata is a mapping, as metadata={"name": "Ada"}, not str'),
        ({"metadata": {"a": Plain()}}, "metadata has no JSON form, in which others get it: "),
        ({"metadata": {1: {2: Plain()}}}, "metadata has no JSON form"),
        ({"outbox": {"count": 1}}, "outbox takes OutboxLimits, as outbox=OutboxLimits(count=100), not {'count': 1}"),
        ({"outbox": {}}, "outbox takes OutboxLimits"),
    ],
)
async def test_what_a_member_cannot_have_is_told_before_its_client_is_accepted(
    options: dict[str, Any], words: str
) -> None:
    site = Site()
    websocket, client = site.socket()

    with pytest.raises(TypeError) as caught:
        await site.channel().connect(websocket, **options)

    assert words in str(caught.value)
    assert (client.sent, site.hub.channels) == ([], ())


async def test_limits_of_a_hub_and_of_a_feed_are_limits() -> None:
    for options in ({"history": 50}, {"outbox": {"count": 1}}):
        with pytest.raises(TypeError, match=f"^{next(iter(options))} takes "):
            Hub(**options)
    with pytest.raises(TypeError, match=r"^outbox takes OutboxLimits"):
        Site().channel().listen(outbox={"count": 1})  # type: ignore[arg-type]


async def test_metadata_is_looked_at_when_it_changes_too() -> None:
    site = Site()
    websocket, _, member = await site.join(metadata={"name": "Ada"})

    with pytest.raises(TypeError, match=r"^metadata has no JSON form"):
        await site.channel().update(websocket, {"a": Plain()})

    assert member.metadata == {"name": "Ada"}


@pytest.mark.parametrize(("exclude", "named"), [(None, "None"), (5, "int"), ([None], "None"), (["ada", 5], "int")])
async def test_who_is_excluded_is_somebody(exclude: Any, named: str) -> None:
    site = Site()
    for publish in (site.channel().publish, site.channel().broadcast):
        with pytest.raises(TypeError, match=f"^exclude takes a WebSocket, .* not {named}$"):
            await publish("x", exclude=exclude)


async def test_what_is_for_nobody_in_particular_does_not_go_to_all() -> None:
    site = Site()
    _, client, _ = await site.join()

    for recipient in (None, 5):
        with pytest.raises(TypeError, match=r"^recipient takes a WebSocket"):
            await site.channel().send_to(recipient, "a secret")  # type: ignore[arg-type]
        with pytest.raises(TypeError, match=r"^recipient takes a WebSocket"):
            await site.channel().expel(recipient)  # type: ignore[arg-type]

    assert client.got == []


@pytest.mark.parametrize("event", ["a\nb", "a\rb", "a\0b"])
async def test_the_name_of_an_event_has_no_line_breaks(event: str) -> None:
    with pytest.raises(BadRequest, match="without line breaks") as caught:
        await Site().channel().publish("x", event=event)

    assert caught.value.code == "bad_event_name"


async def test_the_name_of_an_event_is_a_text() -> None:
    with pytest.raises(TypeError, match=r"^event is the name of an event, as event='said', not 5"):
        await Site().channel().publish("x", event=5)  # type: ignore[arg-type]


# Streams


async def test_a_feed_is_a_source_of_server_sent_events() -> None:
    app = NexiosApp()

    @app.get("/news")
    async def news(request: Request, response: Response) -> Response:
        return response.sse(app.channel("news").listen(last_seen=0))

    async with TestClient(app) as client:
        number = await app.channel("news").publish({"text": "hello"}, event="said")
        async with client.stream_events("GET", "/news") as events:
            found = await events.next()
        [message] = await app.channel("news").history()

    assert (found.event, found.data, found.id) == ("said", '{"text":"hello"}', str(number))
    assert format_event(message) == message.as_event.wire
    assert app.hub.channels == ()
