"""Who answers an exception? The nearest handler that knows it; and when that fails, constant words."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from nexios import HTTPException, NexiosApp, Request, Response, Router
from nexios.errors import BadRequest, ClientDisconnect, ConfigurationError, NexiosError, NotFound
from nexios.routing.route import ExceptionKey, Handler
from nexios.testing.raw import RawAnswer, call

CONSTANT_500 = {
    "type": "about:blank",
    "title": "Internal Server Error",
    "status": 500,
    "detail": "Internal Server Error",
    "code": "internal_server_error",
}


class Refused(Exception):
    """Of the application."""


class TooPoor(Refused):
    """A kind of it."""


def says(text: str) -> Handler:
    async def handler(request: Request, response: Response, exc: Exception) -> str:
        return text

    return handler


async def answer_to(
    error: BaseException,
    handlers: Mapping[Any, Handler] | None = None,
    route_handlers: Mapping[Any, Handler] | None = None,
    **options: Any,
) -> RawAnswer:
    app = NexiosApp(exception_handlers=handlers or {}, **options)

    @app.get("/", exception_handlers=route_handlers or {})
    async def handler(request: Request, response: Response) -> None:
        raise error

    return await call(app)


async def test_a_handler_answers_its_class_and_the_classes_below_it() -> None:
    handlers = {Refused: says("refused")}

    assert (await answer_to(Refused(), handlers)).body == b"refused"
    assert (await answer_to(TooPoor(), handlers)).body == b"refused"
    assert (await answer_to(ValueError(), handlers)).json() == CONSTANT_500


async def test_the_class_itself_comes_before_its_bases_whatever_the_order() -> None:
    handlers = {Exception: says("any"), Refused: says("refused"), TooPoor: says("too poor")}

    assert (await answer_to(TooPoor(), handlers)).body == b"too poor"
    assert (await answer_to(Refused(), handlers)).body == b"refused"
    assert (await answer_to(KeyError(), handlers)).body == b"any"


async def test_a_status_says_more_than_the_bases_that_all_errors_have() -> None:
    handlers = {404: says("404"), HTTPException: says("http"), NexiosError: says("nexios"), Exception: says("any")}

    assert (await answer_to(HTTPException(404), handlers)).body == b"404"
    assert (await answer_to(NotFound(), handlers)).body == b"404"
    assert (await answer_to(HTTPException(403), handlers)).body == b"http"
    assert (await answer_to(ConfigurationError(), handlers)).body == b"nexios"


async def test_a_class_of_ones_own_says_more_than_its_status() -> None:
    class NoUser(HTTPException): ...

    handlers = {404: says("404"), NoUser: says("no user"), BadRequest: says("bad")}

    assert (await answer_to(NoUser(404), handlers)).body == b"no user"
    assert (await answer_to(BadRequest(), handlers)).body == b"bad"


async def test_500_answers_every_error_that_is_not_expected() -> None:
    handlers = {500: says("sorry")}

    assert (await answer_to(ValueError(), handlers)).body == b"sorry"
    assert (await answer_to(HTTPException(500), handlers)).body == b"sorry"
    assert (await answer_to(HTTPException(503), handlers)).status == 503


@pytest.mark.parametrize("key", [500, Exception])
async def test_a_handler_for_everything_gives_other_words_and_the_error_is_logged_all_the_same(
    key: ExceptionKey, caplog: pytest.LogCaptureFixture
) -> None:
    """A nicer page for the user must not hide the failure from the operator."""
    answer = await answer_to(ValueError("inside"), {key: says("sorry")})

    assert (answer.status, answer.body) == (500, b"sorry")
    assert [record.getMessage().split(":")[0] for record in caplog.records] == ["unhandled error"]


async def test_a_handler_that_expected_the_error_is_all_there_is_to_say(caplog: pytest.LogCaptureFixture) -> None:
    await answer_to(Refused(), {Refused: says("refused")})
    await answer_to(HTTPException(500), {500: says("sorry")})
    await answer_to(HTTPException(404), {Exception: says("any")})

    assert caplog.records == []


async def test_the_nearest_handler_answers_route_router_parent_app() -> None:
    app = NexiosApp(
        exception_handlers={
            KeyError: says("app"),
            ValueError: says("app"),
            TypeError: says("app"),
            OSError: says("app"),
        }
    )
    parent = Router(
        "/p", exception_handlers={KeyError: says("parent"), ValueError: says("parent"), TypeError: says("parent")}
    )
    router = parent.group("/r", exception_handlers={KeyError: says("router"), ValueError: says("router")})

    for kind in (KeyError, ValueError, TypeError, OSError, RuntimeError):

        @router.get(f"/{kind.__name__}", exception_handlers={KeyError: says("route")})
        async def handler(request: Request, response: Response, kind: type[Exception] = kind) -> None:
            raise kind

    app.include_router(parent)

    async def said(kind: type[Exception]) -> bytes:
        return (await call(app, path=f"/p/r/{kind.__name__}")).body

    assert [await said(kind) for kind in (KeyError, ValueError, TypeError, OSError)] == [
        b"route",
        b"router",
        b"parent",
        b"app",
    ]
    assert b"internal_server_error" in await said(RuntimeError)


async def test_near_and_general_comes_before_far_and_special() -> None:
    answer = await answer_to(TooPoor(), {TooPoor: says("app")}, {Exception: says("route")})

    assert answer.body == b"route"


async def test_a_miss_is_answered_by_the_handlers_of_the_app() -> None:
    app = NexiosApp(exception_handlers={404: says("nothing here"), 405: says("not so")})

    @app.get("/a", exception_handlers={405: says("route")})
    async def handler(request: Request, response: Response) -> str:
        return "a"

    assert (await call(app, path="/b")).status == 404
    assert (await call(app, path="/b")).body == b"nothing here"
    assert (await call(app, method="PUT", path="/a")).body == b"not so"


async def test_the_status_of_the_exception_is_that_of_the_builder() -> None:
    answer = await answer_to(HTTPException(410), {410: says("gone")})

    assert (answer.status, answer.body) == (410, b"gone")


async def test_a_handler_may_be_plain_take_two_arguments_or_be_an_object() -> None:
    class Teapot:
        async def __call__(self, request: Request, response: Response, exc: Exception) -> object:
            return response.status(418).json({"object": str(exc)})

    def plain(request: Request, exc: Exception) -> object:
        return {"plain": str(exc)}, 418

    async def two(request: Request, exc: Exception, *, extra: int = 0) -> object:
        return {"two": str(exc)}, 418

    for handler in (Teapot(), plain, two):
        answer = await answer_to(Refused("no"), {Refused: handler})
        assert (answer.status, list(answer.json().values())) == (418, ["no"])


async def test_handlers_are_registered_in_three_ways() -> None:
    app = NexiosApp(exception_handlers={KeyError: says("option")})
    app.add_exception_handler(ValueError, says("call"))

    @app.exception_handler(TypeError)
    async def decorated(request: Request, response: Response, exc: Exception) -> str:
        return "decorator"

    for kind in (KeyError, ValueError, TypeError):

        @app.get(f"/{kind.__name__}")
        async def handler(request: Request, response: Response, kind: type[Exception] = kind) -> None:
            raise kind

    bodies = [(await call(app, path=f"/{kind.__name__}")).body for kind in (KeyError, ValueError, TypeError)]
    assert bodies == [b"option", b"call", b"decorator"]


@pytest.mark.parametrize("key", [BaseException, KeyboardInterrupt, SystemExit, 200, 399, 600, "404", None, int])
def test_a_handler_is_for_an_exception_or_an_error_status(key: Any) -> None:
    with pytest.raises(ConfigurationError, match="is for an Exception class or a status 400-599"):
        NexiosApp(exception_handlers={key: says("x")})


def test_a_handler_of_another_shape_is_refused_when_the_app_compiles() -> None:
    def handler(exc: Exception) -> None: ...

    app = NexiosApp(exception_handlers={ValueError: handler})

    with pytest.raises(ConfigurationError) as caught:
        app.compile()

    assert str(caught.value).endswith(
        "handler()\n\nWrite it as:\n\n    async def handler(request, exc): ...\n\n"
        "or with a response to fill:\n\n    async def handler(request, response, exc): ...\n"
    )


async def raises(request: Request, response: Response, exc: Exception) -> None:
    raise RuntimeError("the handler is wrong")


async def returns_nothing(request: Request, response: Response, exc: Exception) -> None: ...


async def returns_garbage(request: Request, response: Response, exc: Exception) -> object:
    return object()


@pytest.mark.parametrize("handler", [raises, returns_nothing, returns_garbage])
async def test_a_handler_that_fails_is_a_constant_500_and_both_errors_are_logged(
    handler: Handler, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await answer_to(Refused("first"), {Refused: handler})

    assert (answer.status, answer.json(), answer.error) == (500, CONSTANT_500, None)
    assert [record.getMessage().split(":")[0] for record in caplog.records] == [
        "unhandled error",
        "the exception handler failed",
    ]


async def test_a_failing_handler_for_everything_logs_each_error_once(caplog: pytest.LogCaptureFixture) -> None:
    await answer_to(ValueError("first"), {Exception: raises})

    assert len(caplog.records) == 2


async def test_a_handler_may_answer_with_a_file(tmp_path: Path) -> None:
    (tmp_path / "404.html").write_text("<h1>nothing here</h1>")

    async def page(request: Request, response: Response, exc: Exception) -> Response:
        return response.file(tmp_path / "404.html", inline=True)

    answer = await answer_to(NotFound(), {404: page})

    assert (answer.status, answer.body) == (404, b"<h1>nothing here</h1>")
    assert answer.header("content-type") == "text/html; charset=utf-8"


async def test_a_handler_may_raise_an_answer(caplog: pytest.LogCaptureFixture) -> None:
    """To say it in other words, or to leave it to the default answer."""

    async def forbids(request: Request, response: Response, exc: Exception) -> None:
        raise HTTPException(403)

    async def passes_on(request: Request, response: Response, exc: Exception) -> None:
        raise exc

    assert (await answer_to(Refused(), {Refused: forbids})).json()["code"] == "forbidden"
    assert (await answer_to(NotFound(), {404: passes_on})).json()["code"] == "not_found"
    assert caplog.records == []


async def test_a_handler_that_raises_an_answer_that_cannot_be_sent_fails(caplog: pytest.LogCaptureFixture) -> None:
    async def wrong(request: Request, response: Response, exc: Exception) -> None:
        raise HTTPException(400, extra={"bad": object()})

    assert (await answer_to(Refused(), {Refused: wrong})).json() == CONSTANT_500
    assert len(caplog.records) == 1


async def test_a_handler_whose_file_is_missing_is_404(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def page(request: Request, response: Response, exc: Exception) -> Response:
        return response.file(tmp_path / "none.html")

    assert (await answer_to(Refused(), {Refused: page})).json()["code"] == "not_found"
    assert caplog.records == []


async def test_a_handler_may_stream(tmp_path: Path) -> None:
    async def page(request: Request, response: Response, exc: Exception) -> Response:
        return response.stream(["so", "rry"], "text/plain")

    answer = await answer_to(NotFound(), {404: page})

    assert (answer.status, answer.body) == (404, b"sorry")


async def test_a_handler_may_set_headers_and_cookies_and_read_the_request() -> None:
    async def page(request: Request, response: Response, exc: Exception) -> object:
        response.set_header("x-path", request.path).delete_cookie("session")
        return {"method": request.method}

    answer = await answer_to(NotFound(), {404: page})

    assert (answer.header("x-path"), answer.json()) == ("/", {"method": "GET"})
    assert (answer.header("set-cookie") or "").startswith("session=")


async def test_a_client_that_left_is_nobodys_error(caplog: pytest.LogCaptureFixture) -> None:
    """Neither a log record, nor a call of the handler that reports failures."""
    answer = await answer_to(ClientDisconnect(), {Exception: raises, 500: raises})

    assert (answer.status, caplog.records) == (400, [])


async def test_a_handler_for_the_client_that_left_is_called() -> None:
    assert (await answer_to(ClientDisconnect(), {ClientDisconnect: says("bye")})).body == b"bye"
