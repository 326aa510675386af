"""Who answers an exception? The nearest handler that knows it; and when that fails, constant words."""

import logging
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
    handlers: Mapping[ExceptionKey, Handler] | None = None,
    route_handlers: Mapping[ExceptionKey, Handler] | None = None,
    **options: Any,
) -> RawAnswer:
    app = NexiosApp(exception_handlers=handlers or {}, **options)

    @app.get("/", exception_handlers=route_handlers or {})
    async def handler(request: Request, response: Response) -> None:
        raise error

    return await call(app)


async def test_an_http_exception_is_a_problem_document() -> None:
    answer = await answer_to(HTTPException(404, "No such user.", code="no_user"))

    assert (answer.status, answer.header("content-type")) == (404, "application/problem+json")
    assert answer.header("x-content-type-options") == "nosniff"
    assert answer.json() == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "No such user.",
        "code": "no_user",
    }


@pytest.mark.parametrize(
    ("status", "title", "code"),
    [
        (400, "Bad Request", "bad_request"),
        (401, "Unauthorized", "unauthorized"),
        (413, "Content Too Large", "content_too_large"),
        (418, "I'm a Teapot", "im_a_teapot"),
        (422, "Unprocessable Content", "unprocessable_content"),
        (503, "Service Unavailable", "service_unavailable"),
        (599, "Error", "error"),
    ],
)
async def test_title_detail_and_code_follow_from_the_status(status: int, title: str, code: str) -> None:
    answer = await answer_to(HTTPException(status))

    assert answer.json() == {"type": "about:blank", "title": title, "status": status, "detail": title, "code": code}


async def test_headers_and_further_members_of_an_http_exception_are_sent() -> None:
    error = HTTPException(
        401, headers=[("www-authenticate", "Basic"), ("www-authenticate", "Bearer")], extra={"realm": "shop", "tries": 3}
    )

    answer = await answer_to(error)

    assert answer.header_all("www-authenticate") == ["Basic", "Bearer"]
    assert (answer.json()["realm"], answer.json()["tries"]) == ("shop", 3)


async def test_two_http_exceptions_share_no_headers() -> None:
    first, second = HTTPException(400), HTTPException(400)

    assert (first.headers, second.headers) == ((), ())
    assert first.extra is not second.extra


async def test_an_http_exception_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    await answer_to(HTTPException(400))
    await answer_to(HTTPException(503))

    assert caplog.records == []


async def test_anything_else_is_a_constant_500_that_tells_the_client_nothing() -> None:
    answer = await answer_to(ValueError("the password is 1234"))

    assert (answer.status, answer.json()) == (500, CONSTANT_500)


async def test_an_unhandled_error_is_logged_once_with_its_route_and_request(caplog: pytest.LogCaptureFixture) -> None:
    app = NexiosApp()
    error = ValueError("inside")

    @app.get("/items/{id}")
    async def handler(request: Request, response: Response) -> None:
        raise error

    await call(app, path="/items/7\u2028x", headers=[(b"x-request-id", b"abc-1")])

    (record,) = caplog.records
    assert (record.name, record.levelno) == ("nexios", logging.ERROR)
    assert record.getMessage() == "unhandled error: GET /items/{id} (request abc-1)"
    assert record.exc_info is not None
    assert record.exc_info[1] is error
    assert (vars(record)["method"], vars(record)["route"], vars(record)["request_id"]) == ("GET", "/items/{id}", "abc-1")


async def test_what_the_client_wrote_cannot_break_a_log_line(caplog: pytest.LogCaptureFixture) -> None:
    app = NexiosApp()
    app.add_middleware(raises_value_error)

    await call(app, method="GET\nX: \x1b[31m" + "y" * 500, headers=[(b"x-request-id", b"a\nb")])

    (message,) = caplog.messages
    assert message.isprintable()
    assert message.startswith("unhandled error: GET\\nX: \\x1b[31myyy")
    assert len(message) < 400


async def raises_value_error(request: Request, response: Response, call_next: object) -> Response:
    raise ValueError


async def test_the_error_is_logged_on_our_logger_and_nothing_else_is_touched() -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers))

    await answer_to(ValueError())

    assert (root.level, list(root.handlers)) == before
    assert (logging.getLogger("nexios").level, logging.getLogger("nexios").handlers) == (logging.NOTSET, [])


async def test_a_server_sees_no_exception_of_a_handler() -> None:
    """It was logged and answered already; raised again, it would be logged twice."""
    answer = await answer_to(ValueError())

    assert (answer.status, answer.error) == (500, None)


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
    app = NexiosApp(exception_handlers={KeyError: says("app"), ValueError: says("app"), TypeError: says("app"), OSError: says("app")})
    parent = Router("/p", exception_handlers={KeyError: says("parent"), ValueError: says("parent"), TypeError: says("parent")})
    router = parent.group("/r", exception_handlers={KeyError: says("router"), ValueError: says("router")})

    for kind in (KeyError, ValueError, TypeError, OSError, RuntimeError):

        @router.get(f"/{kind.__name__}", exception_handlers={KeyError: says("route")})
        async def handler(request: Request, response: Response, kind: type[Exception] = kind) -> None:
            raise kind

    app.include_router(parent)

    async def said(kind: type[Exception]) -> bytes:
        return (await call(app, path=f"/p/r/{kind.__name__}")).body

    assert [await said(kind) for kind in (KeyError, ValueError, TypeError, OSError)] == [b"route", b"router", b"parent", b"app"]
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
        "handler takes 1 arguments.\nWrite it as:\n\n    async def handler(request, response, exc): ...\n"
    )


async def raises(request: Request, response: Response, exc: Exception) -> None:
    raise RuntimeError("the handler is wrong")


async def returns_nothing(request: Request, response: Response, exc: Exception) -> None: ...


async def returns_garbage(request: Request, response: Response, exc: Exception) -> object:
    return object()


async def raises_http(request: Request, response: Response, exc: Exception) -> None:
    raise HTTPException(403)


@pytest.mark.parametrize("handler", [raises, returns_nothing, returns_garbage, raises_http])
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


@pytest.mark.parametrize(
    "error",
    [
        HTTPException(400, extra={"bad": object()}),
        HTTPException(400, headers={"x-a": "b\r\nset-cookie: evil=1"}),
        HTTPException(400, headers={"bad name": "1"}),
        HTTPException(99),
        HTTPException(600),
    ],
)
async def test_an_http_exception_that_cannot_be_sent_is_a_constant_500(
    error: HTTPException, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await answer_to(error)

    assert (answer.status, answer.json(), answer.error, answer.header("set-cookie")) == (500, CONSTANT_500, None, None)
    assert [record.getMessage().split(":")[0] for record in caplog.records] == ["answering an error failed"]


async def test_a_handler_may_answer_with_a_file(tmp_path: Path) -> None:
    (tmp_path / "404.html").write_text("<h1>nothing here</h1>")

    async def page(request: Request, response: Response, exc: Exception) -> Response:
        return response.file(tmp_path / "404.html", inline=True)

    answer = await answer_to(NotFound(), {404: page})

    assert (answer.status, answer.body) == (404, b"<h1>nothing here</h1>")
    assert answer.header("content-type") == "text/html; charset=utf-8"


async def test_a_handler_whose_file_is_missing_fails(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def page(request: Request, response: Response, exc: Exception) -> Response:
        return response.file(tmp_path / "none.html")

    assert (await answer_to(NotFound(), {404: page})).json() == CONSTANT_500
    assert len(caplog.records) == 2


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


async def test_an_error_while_headers_are_over_the_limit_is_still_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The request's id is in a header, and reading it fails."""
    app = NexiosApp(limits={"max_headers": 1})

    @app.get("/")
    async def handler(request: Request, response: Response) -> None:
        raise ValueError

    answer = await call(app, headers=[(b"a", b"1"), (b"b", b"2")])

    assert answer.status == 500
    assert caplog.messages == ["unhandled error: GET - (request -)"]


async def test_a_group_of_exceptions_is_one_error(caplog: pytest.LogCaptureFixture) -> None:
    answer = await answer_to(ExceptionGroup("several", [ValueError(1), KeyError(2)]))

    assert (answer.status, len(caplog.records)) == (500, 1)


async def test_a_client_that_left_is_nobodys_error(caplog: pytest.LogCaptureFixture) -> None:
    """Neither a log record, nor a call of the handler that reports failures."""
    answer = await answer_to(ClientDisconnect(), {Exception: raises, 500: raises})

    assert (answer.status, caplog.records) == (400, [])


async def test_a_handler_for_the_client_that_left_is_called() -> None:
    assert (await answer_to(ClientDisconnect(), {ClientDisconnect: says("bye")})).body == b"bye"


async def test_an_error_in_debug_shows_where_it_came_from_and_otherwise_nothing() -> None:
    shown = await answer_to(ValueError("inside"), debug=True)
    hidden = await answer_to(ValueError("inside"))

    assert (shown.status, b"inside" in shown.body) == (500, True)
    assert (hidden.status, b"inside" in hidden.body) == (500, False)
