"""A Response that is made once and returned for many requests: each request gets one of its own."""

from pathlib import Path
from typing import Any

from nexios import NexiosApp, Request, Response, Router
from nexios._pipeline.middleware import CallNext
from nexios.testing import call


class CountingCookies:
    """Sets another cookie on each answer."""

    count = 0

    async def __call__(self, request: Request, response: Response, call_next: CallNext) -> Response:
        self.count += 1
        answer = await call_next()
        return answer.set_cookie("sid", str(self.count), path=None, secure=False, http_only=False, same_site=None)


def returning(answer: Any, **options: Any) -> NexiosApp:
    """An app that answers everything with the one `answer`."""
    app = NexiosApp(**options)

    @app.get("/")
    async def handler(request: Request, response: Response) -> Any:
        return answer

    return app


async def cookies_of_two(app: NexiosApp) -> list[list[str]]:
    return [(await call(app)).header_all("set-cookie") for _ in range(2)]


async def test_the_range_of_one_client_is_not_that_of_the_next(tmp_path: Path) -> None:
    (tmp_path / "page.txt").write_text("hello world")
    app = returning(Response().file(tmp_path / "page.txt"))

    part = await call(app, headers=[(b"range", b"bytes=0-3")])
    whole = await call(app)

    assert (part.status, part.body) == (206, b"hell")
    assert (whole.status, whole.body, whole.header("content-range")) == (200, b"hello world", None)


async def test_a_file_that_changes_is_looked_at_again(tmp_path: Path) -> None:
    (tmp_path / "page.txt").write_text("old")
    app = returning(Response().file(tmp_path / "page.txt"))
    await call(app)
    (tmp_path / "page.txt").write_text("new and longer")

    assert (await call(app)).body == b"new and longer"


async def test_the_cookies_of_one_client_are_not_sent_to_the_next() -> None:
    app = returning(Response("hi"), middleware=[CountingCookies()])

    assert await cookies_of_two(app) == [["sid=1"], ["sid=2"]]


async def test_nor_by_the_middleware_of_a_router() -> None:
    kept = Response("hi", headers={"x-a": "1"})
    app, router = NexiosApp(), Router(middleware=[CountingCookies()])

    @router.get("/")
    async def handler(request: Request, response: Response) -> Response:
        return kept

    app.include_router(router)

    assert await cookies_of_two(app) == [["sid=1"], ["sid=2"]]


async def test_nor_when_it_is_the_first_of_a_tuple() -> None:
    app = returning((Response("hi"), 201, {"x-a": "1"}), middleware=[CountingCookies()])

    assert await cookies_of_two(app) == [["sid=1"], ["sid=2"]]


async def test_nor_below_a_mount() -> None:
    app = NexiosApp(middleware=[CountingCookies()])
    app.mount("/", returning(Response("hi")))

    assert await cookies_of_two(app) == [["sid=1"], ["sid=2"]]


async def test_the_tasks_that_middleware_adds_run_once() -> None:
    ran: list[str] = []

    async def add(request: Request, response: Response, call_next: CallNext) -> Response:
        return (await call_next()).add_background(ran.append, request.query_params["who"])

    app = returning(Response("hi").add_background(ran.append, "always"), middleware=[add])
    await call(app, query=b"who=first")
    await call(app, query=b"who=second")

    assert ran == ["always", "first", "always", "second"]


async def test_the_answer_of_an_exception_handler_carries_the_error_of_its_request() -> None:
    gone, errors = Response("gone", 410), list[str]()

    async def note(request: Request, response: Response, call_next: CallNext) -> Response:
        answer = await call_next()
        errors.append(str(answer.error))
        return answer

    app = NexiosApp(middleware=[note], exception_handlers={LookupError: lambda request, exc: gone})

    @app.get("/{name}")
    async def handler(request: Request, response: Response, name: str) -> None:
        raise LookupError(name)

    await call(app, path="/first")
    await call(app, path="/second")

    assert errors == ["first", "second"]


async def test_the_cookies_on_an_answer_to_an_error_are_not_sent_to_the_next() -> None:
    gone = Response("gone", 410)
    app = NexiosApp(middleware=[CountingCookies()], exception_handlers={404: lambda request, exc: gone})

    assert await cookies_of_two(app) == [["sid=1"], ["sid=2"]]


async def test_the_cookies_on_an_answer_that_a_middleware_keeps_are_not_sent_to_the_next() -> None:
    denied = Response("no", 403)

    async def guard(request: Request, response: Response, call_next: CallNext) -> Response:
        return denied

    app = NexiosApp(middleware=[CountingCookies(), guard])

    assert await cookies_of_two(app) == [["sid=1"], ["sid=2"]]


async def test_the_range_of_one_client_is_not_that_of_the_next_when_a_middleware_keeps_the_file(tmp_path: Path) -> None:
    (tmp_path / "page.txt").write_text("hello world")
    kept = Response().file(tmp_path / "page.txt")

    async def page(request: Request, response: Response, call_next: CallNext) -> Response:
        return kept

    app = NexiosApp(middleware=[page])
    part = await call(app, headers=[(b"range", b"bytes=0-3")])
    whole = await call(app)

    assert (part.status, part.body) == (206, b"hell")
    assert (whole.status, whole.body) == (200, b"hello world")


async def test_the_one_that_was_kept_stays_as_it_was() -> None:
    kept = Response("hi", headers={"x-a": "1"})
    await call(returning(kept, middleware=[CountingCookies()]))

    assert (kept.status_code, kept.content, kept.error) == (200, b"hi", None)
    assert list(kept.headers.pairs) == [("content-type", "text/plain; charset=utf-8"), ("x-a", "1")]


async def test_a_class_of_responses_is_copied_with_what_it_adds() -> None:
    class Page(Response):
        def __init__(self, title: str) -> None:
            super().__init__(f"<h1>{title}</h1>", media_type="text/html")
            self.title = title

    seen: list[object] = []
    kept = Page("home")

    async def look(request: Request, response: Response, call_next: CallNext) -> Response:
        answer = await call_next()
        seen.append((type(answer), getattr(answer, "title", None), answer is kept))
        return answer

    await call(returning(kept, middleware=[look]))

    assert seen == [(Page, "home", False)]


def test_a_copy_of_a_response_shares_nothing_that_can_be_changed() -> None:
    first = Response("hi", 201, headers={"x-a": "1"}).add_background(print, "x")
    second = first.copy()
    second.status(404).set_header("x-a", "2").add_background(print, "y")

    assert (first.status_code, first.headers["x-a"], len(first.background or ())) == (201, "1", 1)
    assert (second.status_code, second.headers["x-a"], len(second.background or ())) == (404, "2", 2)
