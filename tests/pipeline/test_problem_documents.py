"""What the client and the log are told of an error that no handler answers."""

import logging
from collections.abc import Mapping
from typing import Any

import pytest

from nexios import HTTPException, NexiosApp, Request, Response
from nexios.routing.route import Handler
from nexios.testing.raw import RawAnswer, call

CONSTANT_500 = {
    "type": "about:blank",
    "title": "Internal Server Error",
    "status": 500,
    "detail": "Internal Server Error",
    "code": "internal_server_error",
}


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
        401,
        headers=[("www-authenticate", "Basic"), ("www-authenticate", "Bearer")],
        extra={"realm": "shop", "tries": 3},
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
    assert (vars(record)["method"], vars(record)["route"], vars(record)["request_id"]) == (
        "GET",
        "/items/{id}",
        "abc-1",
    )


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


@pytest.mark.parametrize(
    "error",
    [
        HTTPException(400, extra={"bad": object()}),
        HTTPException(400, headers={"x-a": "b\r\nset-cookie: evil=1"}),
        HTTPException(400, headers={"bad name": "1"}),
    ],
)
async def test_an_http_exception_that_cannot_be_sent_is_a_constant_500(
    error: HTTPException, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await answer_to(error)

    assert (answer.status, answer.json(), answer.error, answer.header("set-cookie")) == (500, CONSTANT_500, None, None)
    assert [record.getMessage().split(":")[0] for record in caplog.records] == ["answering an error failed"]


@pytest.mark.parametrize("status", [99, 200, 399, 600, "not found", True])
def test_an_http_exception_of_no_error_status_is_a_mistake_that_is_shown_at_once(status: Any) -> None:
    with pytest.raises(TypeError, match="takes a status from 400 to 599 first"):
        HTTPException(status)


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


async def test_an_error_in_debug_shows_where_it_came_from_and_otherwise_nothing() -> None:
    shown = await answer_to(ValueError("inside"), debug=True)
    hidden = await answer_to(ValueError("inside"))

    assert (shown.status, b"inside" in shown.body) == (500, True)
    assert (hidden.status, b"inside" in hidden.body) == (500, False)
