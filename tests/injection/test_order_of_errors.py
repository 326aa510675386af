"""What is said first when several things are wrong? The guard's no, then all that does not fit, at once."""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
import pytest

from nexios import Depend, Form, Header, HTTPException, NexiosApp, Query, Request, Response
from tests.injection.injection_kit import Trace, ask, one_route

JSON = (b"content-type", b"application/json")


class Item(msgspec.Struct):
    """A body."""

    name: Annotated[str, msgspec.Meta(min_length=2)]
    price: int


async def require_token(token: Annotated[str | None, Header()] = None) -> str:
    if token is None:
        raise HTTPException(401)
    return token


def wheres(answer: Any) -> list[tuple[str, str]]:
    return sorted((error["in"], error["pointer"]) for error in answer.json()["errors"])


@pytest.mark.parametrize("where", ["app", "route", "parameter", "parameter after the inputs"])
async def test_a_guard_says_no_before_the_head_is_found_wrong(where: str) -> None:
    async def before(token: str = Depend(require_token), *, page: int) -> None: ...
    async def after(page: int, token: str = Depend(require_token)) -> None: ...
    async def without(page: int) -> None: ...

    handlers: dict[str, Callable[..., Any]] = {"parameter": before, "parameter after the inputs": after}
    handler = handlers.get(where, without)
    guards = [Depend(require_token)]
    app = NexiosApp(dependencies=guards if where == "app" else [])
    app.get("/", dependencies=guards if where == "route" else [])(handler)

    assert (await ask(app, query=b"page=x")).status == 401
    answer = await ask(app, query=b"page=x", headers=[(b"token", b"t")])
    assert (answer.status, wheres(answer)) == (422, [("query", "/page")])


@pytest.mark.parametrize("body", [b'{"name":', b'{"name":"x"}', b'{"name":"tea","price":1}'])
async def test_a_guard_says_no_before_the_body_is_read(body: bytes) -> None:
    """Who may not write is told so at once, and does not make us read 10 MiB."""

    async def handler(item: Item, token: str = Depend(require_token)) -> None: ...

    answer = await ask(one_route(handler, methods=["POST"]), method="POST", headers=[JSON], chunks=[body])

    assert (answer.status, answer.received) == (401, 0)


@pytest.mark.parametrize("body", [b'{"name":', b'{"name":"x"}'])
async def test_a_guard_says_no_where_head_and_body_are_wrong(body: bytes) -> None:
    async def handler(item: Item, page: int, token: str = Depend(require_token)) -> None: ...

    answer = await ask(
        one_route(handler, methods=["POST"]), method="POST", query=b"page=x", headers=[JSON], chunks=[body]
    )

    assert (answer.status, answer.received) == (401, 0)


async def test_all_that_does_not_fit_in_head_and_body_is_said_at_once() -> None:
    def checks(item: Item) -> None: ...
    def user(name: str = "ada") -> str:
        return name

    async def handler(
        id: Annotated[int, Query()],
        size: Annotated[int, Query(le=100)],
        x_page: Annotated[int, Header()],
        item: Item,
        who: str = Depend(user),
        checked: None = Depend(checks),
    ) -> None: ...

    answer = await ask(
        one_route(handler, methods=["POST"]),
        method="POST",
        query=b"size=101",
        headers=[JSON, (b"x-page", b"y")],
        chunks=[b'{"name":"x","price":"y"}'],
    )

    assert answer.status == 422
    assert wheres(answer) == [
        *(("body", "/name"), ("body", "/price"), ("header", "/x-page"), ("query", "/id"), ("query", "/size"))
    ]


async def test_where_a_provider_could_not_be_asked_the_body_stays_unread() -> None:
    """It may be a guard, whose no would have come before the body."""

    def only_for(tenant: int) -> None: ...

    async def handler(item: Item, checked: None = Depend(only_for)) -> None: ...

    answer = await ask(
        one_route(handler, methods=["POST"]), method="POST", query=b"tenant=x", headers=[JSON], chunks=[b'{"name":"x"}']
    )

    assert (answer.status, wheres(answer), answer.received) == (422, [("query", "/tenant")], 0)


async def test_a_form_that_does_not_fit_is_said_together_with_the_query() -> None:
    async def handler(id: int, title: Annotated[str, Form(min_length=5)]) -> None: ...

    answer = await ask(
        one_route(handler, methods=["POST"]),
        method="POST",
        query=b"id=x",
        headers=[(b"content-type", b"application/x-www-form-urlencoded")],
        chunks=[b"title=abc"],
    )

    assert (answer.status, wheres(answer)) == (422, [("form", "/title"), ("query", "/id")])


@pytest.mark.parametrize("opens", [False, True])
async def test_providers_that_depend_on_what_does_not_fit_do_not_run_and_the_others_do(opens: bool) -> None:
    trace: Trace = []

    def page_of(page: int) -> int:
        trace.append("page_of")
        return page

    def rows_of(page: int = Depend(page_of)) -> list[int]:
        trace.append("rows_of")
        return [page]

    def user() -> Any:
        trace.append("user")
        yield "user"
        trace.append("closed")  # only when nothing was thrown in

    def user_value() -> str:
        trace.append("user")
        return "user"

    async def handler(
        rows: list[int] = Depend(rows_of), who: str = Depend(user if opens else user_value), size: int = 20
    ) -> None:
        trace.append("handler")

    answer = await ask(one_route(handler), query=b"page=x&size=y")

    assert (answer.status, wheres(answer)) == (422, [("query", "/page"), ("query", "/size")])
    assert trace == ["user"]


async def test_a_provider_that_needs_the_body_runs_after_those_that_do_not() -> None:
    trace: Trace = []

    def of_body(item: Item) -> None:
        trace.append("of the body")

    def on_top(first: None = Depend(of_body)) -> None:
        trace.append("on top of it")

    def of_head(q: int = 1) -> None:
        trace.append("of the head")

    async def handler(one: None = Depend(on_top), two: None = Depend(of_head)) -> str:
        return "whole"

    app = one_route(handler, methods=["POST"])
    answer = await ask(app, method="POST", headers=[JSON], chunks=[b'{"name":"tea","price":1}'])
    assert (answer.status, trace) == (200, ["of the head", "of the body", "on top of it"])

    trace.clear()
    answer = await ask(app, method="POST", headers=[JSON], chunks=[b'{"name":"x","price":1}'])
    assert (answer.status, trace) == (422, ["of the head"])


async def test_a_guard_that_needs_the_body_is_asked_when_the_body_fits() -> None:
    def only_cheap(item: Item) -> None:
        if item.price > 10:
            raise HTTPException(403)

    async def handler(item: Item) -> str:
        return item.name

    app = one_route(handler, methods=["POST"], dependencies=[Depend(only_cheap)])
    bodies = [b'{"name":"tea","price":1}', b'{"name":"tea","price":11}', b'{"name":"tea"}']

    statuses = [(await ask(app, method="POST", headers=[JSON], chunks=[body])).status for body in bodies]
    assert statuses == [200, 403, 422]


async def test_guards_refuse_in_their_order_and_the_next_one_is_not_asked() -> None:
    trace: Trace = []

    def guard(name: str, status: int | None) -> Any:
        def check() -> None:
            trace.append(name)
            if status is not None:
                raise HTTPException(status)

        return Depend(check)

    async def handler(request: Request, response: Response) -> None: ...

    app = one_route(handler, dependencies=[guard("first", None), guard("second", 403), guard("third", 401)])

    assert (await ask(app)).status == 403
    assert trace == ["first", "second"]


async def test_a_malformed_body_is_a_400_also_where_the_head_does_not_fit() -> None:
    async def handler(item: Item, page: int) -> None: ...

    answer = await ask(
        one_route(handler, methods=["POST"]), method="POST", query=b"page=x", headers=[JSON], chunks=[b'{"name":']
    )

    assert answer.status in (400, 422)
    assert answer.json()["code"] in ("malformed_json", "invalid_input")


async def test_a_path_parameter_that_does_not_fit_is_told_with_the_others() -> None:
    def find(id: Annotated[int, Query(ge=1)]) -> int:
        return id

    async def handler(id: int, found: int = Depend(find), *, page: int) -> None: ...

    app = NexiosApp()
    app.get("/{name}")(handler)
    answer = await ask(app, "/x", query=b"id=0&page=y")

    assert answer.status == 422
    assert ("query", "/page") in wheres(answer)


async def test_a_wrong_method_and_an_unknown_path_are_said_before_any_guard() -> None:
    trace: Trace = []

    def guard() -> None:
        trace.append("guard")

    async def handler(request: Request, response: Response) -> None: ...

    app = one_route(handler, dependencies=[Depend(guard)])

    assert [(await ask(app, method="DELETE")).status, (await ask(app, "/other")).status] == [405, 404]
    assert trace == []
