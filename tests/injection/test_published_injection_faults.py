"""Faults 38 to 41 of the published nexios, as its users met them; `test_sharing` and `test_cleanup` have more."""

import asyncio
import inspect
from typing import Annotated, Any

import pytest

from nexios import Depend, Header, NexiosApp, Query, Request, Response
from nexios.errors import ConfigurationError
from tests.injection.injection_kit import Trace, ask, one_route, result_of


async def test_38_a_shared_provider_runs_once_however_many_ask() -> None:
    trace: Trace = []

    def provider() -> str:
        trace.append("run")
        return "value"

    def one(value: str = Depend(provider)) -> str:
        return value

    def two(value: str = Depend(provider), other: str = Depend(one)) -> str:
        return value + other

    app = NexiosApp(dependencies=[Depend(provider)])
    app.get("/", dependencies=[Depend(two)])(two)

    assert (await ask(app)).body == b"valuevalue"
    assert trace == ["run"]


async def test_39_a_rollback_in_an_except_clause_runs_and_a_commit_after_the_yield_too() -> None:
    trace: Trace = []

    async def session() -> Any:
        try:
            yield "session"
            trace.append("commit")
        except Exception:
            trace.append("rollback")
            raise
        finally:
            trace.append("close")

    async def handler(fails: bool, session: str = Depend(session)) -> str:
        if fails:
            raise ValueError
        return session

    app = one_route(handler)
    await ask(app, query=b"fails=0")
    await ask(app, query=b"fails=1")

    assert trace == ["commit", "close", "rollback", "close"]


async def test_40_an_async_call_of_an_object_is_awaited() -> None:
    class Provider:
        async def __call__(self) -> str:
            await asyncio.sleep(0)
            return "value"

    async def handler(value: str = Depend(Provider())) -> str:
        return value

    assert await result_of(handler) == "value"


async def test_40_a_dependency_may_stand_in_the_annotation() -> None:
    async def handler(value: Annotated[str, Depend(lambda: "value")]) -> str:
        return value

    assert await result_of(handler) == "value"


async def test_40_no_signature_is_read_while_a_request_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    def deeper(value: str = Depend(lambda: "value")) -> str:
        return value

    async def handler(request: Request, response: Response, value: str = Depend(deeper), q: int = 1) -> str:
        return value

    app = one_route(handler)
    app.compile()

    def refuse(*args: object, **kwargs: object) -> Any:
        raise AssertionError("a signature was read")

    monkeypatch.setattr(inspect, "signature", refuse)

    assert (await ask(app)).body == b"value"


async def test_40_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    async def handler(value: str = Depend(lambda: "value")) -> str:
        return value

    await result_of(handler)

    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("query", [b"", b"page=x", b"page=", b"page=1.5"])
async def test_41_what_is_missing_or_of_the_wrong_type_is_the_clients_error(query: bytes) -> None:
    def paging(page: int) -> int:
        return page

    async def handler(page: int = Depend(paging)) -> int:
        return page

    answer = await ask(one_route(handler), query=query)

    assert answer.status == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/page"]


async def test_41_repeated_values_are_kept() -> None:
    def words(word: list[str] = Query()) -> list[str]:
        return word

    async def handler(words: list[str] = Depend(words)) -> list[str]:
        return words

    assert await result_of(handler, query=b"word=a&word=b") == ["a", "b"]


async def test_41_a_marker_that_two_share_is_not_changed_by_either() -> None:
    shared = Query(ge=1)

    async def one(page: int = shared) -> int:
        return page

    async def two(size: Annotated[float, shared], page: Annotated[str, Header()]) -> list[Any]:
        return [size, page]

    app = NexiosApp()
    app.get("/one")(one)
    app.get("/two")(two)

    assert (await ask(app, "/one", query=b"page=2")).json() == 2
    assert (await ask(app, "/two", query=b"size=2.5", headers=[(b"page", b"x")])).json() == [2.5, "x"]
    assert (await ask(app, "/one", query=b"page=0")).status == 422


async def test_41_a_default_that_is_not_what_the_annotation_says_is_refused_at_compile() -> None:
    async def handler(page: int = Query("7")) -> int:
        return page

    with pytest.raises(ConfigurationError, match="page"):
        one_route(handler).compile()
