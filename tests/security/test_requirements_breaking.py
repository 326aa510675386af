"""Promises about what fails half way: a stream after its head, a generator around its yield (R15, R16).

On the wire, and under every server, `tests/contract/test_http_stream_contract.py` sees the same streams end.
"""

import logging
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Final, Literal

import httpx2
import pytest

from nexios._injection.depend import Depend
from nexios.application import NexiosApp
from nexios.errors import HTTPException
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.testing.client import TestClient
from nexios.testing.raw import RawAnswer, call
from tests.security.kit import MIB, Peer, http_scope

# R15: an answer that breaks off


class Broken(Exception):
    """What a source raises."""


async def asynchronous(whole: int) -> AsyncIterator[str]:
    for _ in range(whole):
        yield "x"
    raise Broken


def synchronous(whole: int) -> Iterator[str]:
    for _ in range(whole):
        yield "x"
    raise Broken


def wrong_kind(whole: int) -> Iterator[Any]:
    yield from ["x"] * whole
    yield object()


def unwritable(whole: int) -> Iterator[Any]:
    yield from ["x"] * whole
    yield {"a": object()}


def unsendable(whole: int) -> Iterator[str]:
    yield from ["x"] * whole
    yield "\ud800"


STREAMS: Final[dict[str, Callable[[Response, int], Response]]] = {
    "async source": lambda response, whole: response.stream(asynchronous(whole)),
    "sync source": lambda response, whole: response.stream(synchronous(whole)),
    "a chunk of no kind": lambda response, whole: response.stream(wrong_kind(whole)),
    "a chunk that is no text": lambda response, whole: response.stream(unsendable(whole)),
    "a promised length": lambda response, whole: response.stream(synchronous(whole)).set_header("content-length", "9"),
    "events": lambda response, whole: response.sse(asynchronous(whole)),
    "lines": lambda response, whole: response.json_lines(asynchronous(whole)),
    "a line that is no JSON": lambda response, whole: response.json_lines(unwritable(whole)),
}


def streaming(kind: str, whole: int) -> NexiosApp:
    app = NexiosApp()
    app.get("/")(lambda request, response: STREAMS[kind](response, whole))
    return app


@pytest.mark.parametrize("kind", STREAMS)
@pytest.mark.parametrize("whole", [0, 1, 3])
async def test_r15_an_answer_that_fails_after_its_head_is_broken_off(
    kind: str, whole: int, caplog: pytest.LogCaptureFixture
) -> None:
    """No second start, no last message that would end it as if it were whole, and the server gets the exception.

    A stream of events begins with an empty comment, so that the client knows that it is open.
    """
    answer = await call(streaming(kind, whole))

    start, *chunks = answer.messages
    assert start["type"] == "http.response.start"
    assert [chunk["type"] for chunk in chunks] == ["http.response.body"] * (whole + (kind == "events"))
    assert all(chunk["more_body"] is True for chunk in chunks)
    assert (answer.status, answer.complete, answer.error is None) == (200, False, False)
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


@pytest.mark.parametrize("kind", STREAMS)
def test_r15_the_client_sees_that_something_is_missing(kind: str) -> None:
    with (
        TestClient(streaming(kind, 1), raise_app_exceptions=False) as client,
        pytest.raises(httpx2.RemoteProtocolError),
    ):
        client.get("/")


async def test_r15_a_file_that_shrinks_while_it_is_sent_is_broken_off(tmp_path: Path) -> None:
    """Its Content-Length was promised, so what is left of it is never the end."""
    path = tmp_path / "large"
    path.write_bytes(b"x" * 4 * MIB)
    app = NexiosApp()
    app.get("/")(lambda request, response: response.file(path))
    client = Peer()

    async def send(message: Any) -> None:
        await client.send(message)
        if client.size:
            path.write_bytes(b"x")

    with pytest.raises(Exception, match="large"):
        await app(http_scope(), client.receive, send)

    assert (client.status, client.complete, client.size < 4 * MIB) == (200, False, True)


@pytest.mark.parametrize("kind", ["async source", "events", "lines"])
async def test_r15_an_error_handler_does_not_answer_a_second_time(kind: str) -> None:
    """Not even one for every exception."""
    answered: list[Exception] = []

    async def handler(request: Request, response: Response, exc: Exception) -> Response:
        answered.append(exc)
        return response.text("in its place")

    app = NexiosApp(exception_handlers={Broken: handler, Exception: handler})
    app.get("/")(lambda request, response: STREAMS[kind](response, 1))

    answer = await call(app)

    assert (answered, answer.complete, type(answer.error)) == ([], False, Broken)


# R16: generators

TOKEN: ContextVar[str] = ContextVar("token", default="unset")

Steps = tuple[str, ...]

GENERATORS: Final[dict[str, tuple[Steps, str, dict[str, tuple[int, int]], Steps]]] = {
    # name: (what it does, what the handler does, {scope: (status, records)}, what it saw)
    "yields once": (
        ("yield",), "answers", {"handler": (200, 0), "request": (200, 0)}, ("went on",),
    ),
    "yields never": (
        (), "answers", {"handler": (500, 1), "request": (500, 1)}, (),
    ),
    "yields twice": (
        ("yield", "yield"), "answers", {"handler": (500, 1), "request": (200, 1)}, ("went on",),
    ),
    "refuses before": (
        ("refuse", "yield"), "answers", {"handler": (403, 0), "request": (403, 0)}, (),
    ),
    "fails before": (
        ("fail", "yield"), "answers", {"handler": (500, 1), "request": (500, 1)}, (),
    ),
    "refuses after": (
        ("yield", "refuse"), "answers", {"handler": (403, 0), "request": (200, 1)}, ("went on",),
    ),
    "fails after": (
        ("yield", "fail"), "answers", {"handler": (500, 1), "request": (200, 1)}, ("went on",),
    ),
    "lets an error through": (
        ("yield",), "fails", {"handler": (500, 1), "request": (500, 1)}, ("saw KeyError",),
    ),
    "lets a refusal through": (
        ("yield",), "refuses", {"handler": (409, 0), "request": (409, 0)}, ("saw HTTPException",),
    ),
    "swallows an error": (
        ("yield and swallow",), "fails", {"handler": (500, 1), "request": (500, 1)}, ("saw KeyError", "went on"),
    ),
    "swallows a refusal": (
        ("yield and swallow",), "refuses", {"handler": (409, 0), "request": (409, 0)}, ("saw HTTPException", "went on"),
    ),
    "refuses in place of an error": (
        ("yield and swallow", "refuse"), "fails", {"handler": (403, 0), "request": (403, 0)},
        ("saw KeyError", "went on"),
    ),
    "yields again after an error": (
        ("yield and swallow", "yield"), "fails", {"handler": (500, 1), "request": (500, 1)},
        ("saw KeyError", "went on"),
    ),
}  # fmt: skip

ANSWERS: Final[dict[str, Callable[[], BaseException | None]]] = {
    "answers": lambda: None,
    "fails": lambda: KeyError("in the handler"),
    "refuses": lambda: HTTPException(409),
}


def generator(steps: Steps, seen: list[str]) -> Callable[[], Generator[str, None, None]]:
    """A provider that takes these steps; what it sees at its first yield is noted, and the context it runs in."""

    def provider() -> Generator[str, None, None]:
        TOKEN.set("of the provider")
        for step in steps:
            if step == "refuse":
                raise HTTPException(403)
            if step == "fail":
                raise RuntimeError("in the provider")
            try:
                yield TOKEN.get()
            except GeneratorExit:
                raise
            except BaseException as exc:
                seen.append(f"saw {type(exc).__name__}")
                if step != "yield and swallow":
                    raise
            if "went on" not in seen:
                seen.append("went on")
            if TOKEN.get() != "of the provider":
                seen.append("in another context")

    return provider


def in_manner(manner: str, provider: Callable[[], Generator[str, None, None]], **options: Any) -> Any:
    """The same steps as an async generator, a sync one, or one in worker threads."""

    async def asynchronous_provider() -> AsyncIterator[str]:
        steps = provider()
        for value in steps:
            try:
                yield value
            except BaseException as exc:
                try:
                    yield steps.throw(exc)
                except StopIteration:
                    return

    if manner == "async":
        return Depend(asynchronous_provider, **options)
    return Depend(provider, thread=manner == "thread", **options)


@pytest.mark.parametrize("manner", ["async", "sync", "thread"])
@pytest.mark.parametrize("scope", ["handler", "request"])
@pytest.mark.parametrize("name", GENERATORS)
async def test_r16_a_generator_has_the_outcome_of_the_table(
    name: str, scope: Literal["handler", "request"], manner: str, caplog: pytest.LogCaptureFixture
) -> None:
    steps, handler_does, outcomes, sees = GENERATORS[name]
    seen: list[str] = []
    dependency = in_manner(manner, generator(steps, seen), scope=scope)

    async def handler(request: Request, response: Response, value: str = dependency) -> str:
        if (exc := ANSWERS[handler_does]()) is not None:
            raise exc
        return value

    answer = await answer_of(handler)

    assert ((answer.status, len(caplog.records)), tuple(seen)) == (outcomes[scope], sees)
    if answer.status == 200:
        assert answer.json() == "of the provider" if answer.body.startswith(b'"') else answer.body == b"of the provider"


async def answer_of(handler: Callable[..., Any]) -> RawAnswer:
    app = NexiosApp()
    app.add_route("/", handler)
    return await call(app)


@pytest.mark.parametrize("manner", ["async", "sync", "thread"])
async def test_r16_three_that_are_nested_and_all_fail_are_all_closed_and_logged_as_one(
    manner: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The last opened first, and each three times asked for is opened once."""
    seen: list[str] = []

    def named(name: str, below: Any) -> Any:
        def provider(inner: str = below) -> Iterator[str]:
            seen.append(f"open {name}")
            try:
                yield name
            finally:
                seen.append(f"close {name}")
                raise RuntimeError(name)

        async def asynchronous_provider(inner: str = below) -> AsyncIterator[str]:
            seen.append(f"open {name}")
            try:
                yield name
            finally:
                seen.append(f"close {name}")
                raise RuntimeError(name)

        return Depend(asynchronous_provider) if manner == "async" else Depend(provider, thread=manner == "thread")

    first = named("first", Depend(lambda: "nothing"))
    second = named("second", first)
    third = named("third", second)

    async def handler(
        request: Request,
        response: Response,
        one: str = first,
        two: str = second,
        three: str = third,
        again: str = third,
    ) -> list[str]:
        return [one, two, three, again]

    answer = await answer_of(handler)

    assert answer.json() == ["first", "second", "third", "third"]
    assert seen == ["open first", "open second", "open third", "close third", "close second", "close first"]
    [record] = caplog.records
    group = record.exc_info[1] if record.exc_info else None
    assert isinstance(group, ExceptionGroup)
    assert sorted(map(str, group.exceptions)) == ["first", "second", "third"]
