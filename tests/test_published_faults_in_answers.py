"""Faults that a published framework of this name had in what it read and answered, each as what we do instead."""

from typing import Any

import pytest

from nexios import HTTPException, NexiosApp, Request, Response, Settings, State
from nexios.testing.raw import call


async def test_a_query_string_that_is_no_utf_8_is_no_error_of_ours() -> None:
    """It was a 500."""
    app = NexiosApp()
    app.add_route("/", lambda request, response: request.query_params["a"])

    answer = await call(app, query=b"a=%ff&b=\xff")

    assert (answer.status, answer.body.decode()) == (200, "\ufffd")


async def test_the_content_type_is_text() -> None:
    """It was bytes."""
    app = NexiosApp()

    @app.post("/")
    async def handler(request: Request, response: Response) -> list[Any]:
        assert request.media_type is not None
        return [request.headers["content-type"], request.media_type.essence]

    answer = await call(app, method="POST", headers=[(b"content-type", b"text/plain")])

    assert answer.json() == ["text/plain", "text/plain"]


def test_a_name_that_state_does_not_have_is_an_error() -> None:
    """It was None, which hid typing mistakes."""
    with pytest.raises(AttributeError):
        _ = State(user="ada").usr


async def test_defaults_are_not_shared_between_exceptions_redirects_and_builders() -> None:
    """`headers={}` in a signature is one dict for all calls: a redirect's Location went into every other."""
    app = NexiosApp()

    @app.get("/redirect")
    async def redirect(request: Request, response: Response) -> Response:
        return response.redirect("/elsewhere").set_cookie("a", "1")

    @app.get("/error")
    async def error(request: Request, response: Response) -> None:
        raise HTTPException(400)

    app.add_route("/plain", lambda: "x")
    assert (await call(app, path="/redirect")).header("location") == "/elsewhere"

    for path in ("/error", "/plain"):
        answer = await call(app, path=path)
        assert (answer.header("location"), answer.header("set-cookie")) == (None, None)
    assert Response().headers.pairs == []


@pytest.mark.parametrize("value", [{"a": object()}, {1, 2}, lambda: 0, object(), {"model": Settings}])
async def test_a_value_without_a_json_form_is_an_error_and_its_repr_goes_nowhere(value: object) -> None:
    """`default=str` sent the repr of whatever object there was."""
    app = NexiosApp()
    app.add_route("/", lambda request, response: value)

    answer = await call(app)

    assert (answer.status, b"object" in answer.body, b"0x" in answer.body) == (500, False, False)


async def test_nan_none_tuples_and_bytes_are_answers() -> None:
    """NaN was a 500; None an empty 200, or a 500; tuples and bytes were ignored."""
    values: list[Any] = [[float("nan")], None, ({"a": 1}, 201), b"bytes"]
    app = NexiosApp()
    app.add_route("/{n:int}", lambda request, response, n: values[n])

    answers = [await call(app, path=f"/{number}") for number in range(4)]

    assert [(answer.status, answer.body) for answer in answers] == [
        (200, b"[null]"), (204, b""), (201, b'{"a":1}'), (200, b"bytes"),
    ]  # fmt: skip


async def test_cookies_are_read_and_a_deleted_one_matches_the_one_that_was_set() -> None:
    """`cookies` was always empty, and a deletion without the attributes is one that browsers ignore."""
    app = NexiosApp()

    @app.get("/")
    async def handler(request: Request, response: Response) -> Response:
        return response.set_cookie("a", "1").delete_cookie("a").json(dict(request.cookies))

    answer = await call(app, headers=[(b"cookie", b"session=abc; theme=dark")])

    assert answer.json() == {"session": "abc", "theme": "dark"}
    made, deleted = answer.header_all("set-cookie")
    assert made == "a=1; Path=/; Secure; HttpOnly; SameSite=Lax"
    assert {"Path=/", "Secure"} <= set(deleted.split("; "))


async def test_a_status_before_the_content_stays_and_headers_may_come_first() -> None:
    """`.status(404).json()` was a 200, and `.set_header()` before a body a 500."""
    app = NexiosApp()
    app.add_route("/", lambda request, response: response.set_header("x-a", "1").status(404).json({"error": "gone"}))

    answer = await call(app)

    assert (answer.status, answer.header("x-a"), answer.json()) == (404, "1", {"error": "gone"})
