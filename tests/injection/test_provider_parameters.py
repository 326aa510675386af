"""What fills the parameters of a provider? The same that fills a handler's, and other providers, to any depth."""

import functools
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
import pytest

from nexios import (
    Body,
    Cookie,
    Depend,
    File,
    Form,
    Header,
    NexiosApp,
    Query,
    Request,
    Response,
    UploadFile,
)
from nexios.errors import ConfigurationError
from tests.injection.injection_kit import ask, one_route, result_of

JSON = [(b"content-type", b"application/json")]


class Item(msgspec.Struct):
    """A body."""

    name: str
    price: int = 0


async def test_a_provider_is_given_the_request_by_name_and_by_type() -> None:
    def by_name(request):  # type: ignore[no-untyped-def]
        return request.path

    def by_type(whatever: Request) -> str:
        return whatever.method

    async def handler(path: str = Depend(by_name), method: str = Depend(by_type)) -> list[str]:
        return [path, method]

    assert await result_of(handler) == ["/", "GET"]


async def test_a_provider_is_given_the_response_that_the_handler_fills() -> None:
    def by_name(response):  # type: ignore[no-untyped-def]
        response.set_header("x-by-name", "1")

    async def by_type(builder: Response) -> None:
        builder.set_header("x-by-type", "2")

    async def handler(
        request: Request, response: Response, one: None = Depend(by_name), two: None = Depend(by_type)
    ) -> Response:
        return response.text("whole")

    answer = await ask(one_route(handler))

    assert (answer.header("x-by-name"), answer.header("x-by-type"), answer.body) == ("1", "2", b"whole")


async def test_a_provider_is_given_the_app_by_name_and_by_type() -> None:
    def by_name(app):  # type: ignore[no-untyped-def]
        return app

    def by_type(whose: NexiosApp) -> NexiosApp:
        return whose

    async def handler(one: NexiosApp = Depend(by_name), two: NexiosApp = Depend(by_type)) -> bool:
        return one is app and two is app

    app = one_route(handler)

    assert (await ask(app)).json() is True


async def test_a_provider_is_given_a_path_parameter_as_it_was_converted() -> None:
    def find(id: int) -> dict[str, int]:
        return {"id": id, "next": id + 1}

    async def handler(item: dict[str, int] = Depend(find)) -> dict[str, int]:
        return item

    app = NexiosApp()
    app.get("/items/{id:int}")(handler)

    assert (await ask(app, "/items/41")).json() == {"id": 41, "next": 42}


async def test_the_same_parameter_is_of_the_query_where_the_path_does_not_have_it() -> None:
    def find(id: int) -> int:
        return id

    async def handler(found: int = Depend(find)) -> int:
        return found

    app = NexiosApp()
    app.get("/items/{id:int}")(handler)
    app.get("/search")(handler)

    assert (await ask(app, "/items/1", query=b"id=2")).json() == 1
    assert (await ask(app, "/search", query=b"id=2")).json() == 2
    assert (await ask(app, "/search")).status == 422


async def test_a_provider_takes_typed_inputs_of_every_part_of_the_head() -> None:
    def collect(
        limit: int,
        words: Annotated[list[str], Query(alias="word")],
        x_trace: Annotated[str, Header()],
        theme: str = Cookie("light"),
    ) -> list[Any]:
        return [limit, words, x_trace, theme]

    async def handler(collected: list[Any] = Depend(collect)) -> list[Any]:
        return collected

    answer = await ask(
        one_route(handler),
        query=b"limit=5&word=a&word=b",
        headers=[(b"x-trace", b"t1"), (b"cookie", b"theme=dark")],
    )

    assert answer.json() == [5, ["a", "b"], "t1", "dark"]


async def test_a_provider_takes_the_body_as_a_model_and_so_may_the_handler() -> None:
    def total(item: Item) -> int:
        return item.price * 2

    async def handler(item: Item, doubled: int = Depend(total)) -> list[Any]:
        return [item.name, doubled]

    app = one_route(handler, methods=["POST"])
    answer = await ask(app, method="POST", headers=JSON, chunks=[b'{"name":"tea","price":4}'])

    assert answer.json() == ["tea", 8]


async def test_a_provider_takes_fields_and_files_of_a_form() -> None:
    async def sizes(title: Annotated[str, Form()], file: UploadFile = File()) -> list[Any]:
        return [title, len(await file.read())]

    async def handler(got: list[Any] = Depend(sizes)) -> list[Any]:
        return got

    body = (
        b'--b\r\nContent-Disposition: form-data; name="title"\r\n\r\nreport\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n12345\r\n--b--\r\n'
    )
    app = one_route(handler, methods=["POST"])
    answer = await ask(
        app, method="POST", headers=[(b"content-type", b"multipart/form-data; boundary=b")], chunks=[body]
    )

    assert answer.json() == ["report", 5]


async def test_providers_are_nested_to_any_depth() -> None:
    def deeper(inner: Callable[..., int]) -> Callable[..., int]:
        def provider(below: int = Depend(inner)) -> int:
            return below + 1

        return provider

    provider = functools.reduce(lambda inner, _: deeper(inner), range(100), lambda: 0)

    async def handler(depth: int = Depend(provider)) -> int:
        return depth

    assert await result_of(handler) == 100


async def test_a_ladder_of_diamonds_compiles_in_as_many_steps_as_it_has_rungs() -> None:
    """Each rung asks twice for the one below: 2 to the power of 60 ways lead to the ground."""

    def above(below: Callable[..., int]) -> Callable[..., int]:
        def rung(left: int = Depend(below), right: int = Depend(below)) -> int:
            return max(left, right) + 1

        return rung

    top = functools.reduce(lambda below, _: above(below), range(60), lambda: 0)

    async def handler(height: int = Depend(top), again: int = Depend(top)) -> int:
        return height

    assert await result_of(handler) == 60


async def test_keyword_only_and_positional_only_parameters_are_filled() -> None:
    def one() -> int:
        return 1

    def provider(first: int = Depend(one), /, second: int = Depend(one), *, third: int = Depend(one)) -> list[int]:
        return [first, second, third]

    async def handler(*, numbers: list[int] = Depend(provider)) -> list[int]:
        return numbers

    assert await result_of(handler) == [1, 1, 1]


async def test_a_parameter_that_nothing_fills_keeps_its_default() -> None:
    def one() -> int:
        return 1

    def provider(before=2, number: int = Depend(one), *more, after=3, **others):  # type: ignore[no-untyped-def]
        return [before, number, list(more), after, others]

    async def handler(got: list[Any] = Depend(provider)) -> list[Any]:
        return got

    assert await result_of(handler, query=b"before=9&after=9&more=9&others=9") == [2, 1, [], 3, {}]


async def test_annotated_variadic_parameters_are_no_inputs() -> None:
    def provider(*numbers: int, **texts: str) -> list[Any]:
        return [list(numbers), texts]

    async def handler(got: list[Any] = Depend(provider)) -> list[Any]:
        return got

    assert await result_of(handler, query=b"numbers=1&texts=x") == [[], {}]


@pytest.mark.parametrize("bound", ["by name", "by position", "twice"])
async def test_what_a_partial_has_bound_no_client_can_change(bound: str) -> None:
    """A guard that is made with a role must not take another one from the query."""

    def require(role: str, area: str = "all") -> list[str]:
        return [role, area]

    guards: dict[str, Callable[..., list[str]]] = {
        "by name": functools.partial(require, role="admin"),
        "by position": functools.partial(require, "admin"),
        "twice": functools.partial(functools.partial(require, role="guest"), role="admin"),
    }

    async def handler(got: list[str] = Depend(guards[bound])) -> list[str]:
        return got

    assert await result_of(handler, query=b"role=guest&area=own") == ["admin", "own"]


async def test_a_class_is_made_from_the_query() -> None:
    class Paging:
        def __init__(self, page: int = 1, size: Annotated[int, Query(le=100)] = 20) -> None:
            self.start = (page - 1) * size

    async def handler(paging: Annotated[Paging, Depend()]) -> int:
        return paging.start

    assert await result_of(handler, query=b"page=3&size=10") == 20
    assert (await ask(one_route(handler), query=b"size=101")).status == 422


async def test_a_callable_object_has_its_settings_from_the_developer_and_its_arguments_from_the_request() -> None:
    class AtMost:
        def __init__(self, most: int) -> None:
            self.most = most

        def __call__(self, limit: int = 1000) -> int:
            return min(limit, self.most)

    async def handler(few: int = Depend(AtMost(10)), many: int = Depend(AtMost(100))) -> list[int]:
        return [few, many]

    assert await result_of(handler, query=b"limit=50") == [10, 50]


def test_a_positional_only_parameter_after_one_that_is_left_out_is_an_error_of_compile() -> None:
    def one() -> int:
        return 1

    def provider(unknown=2, number: int = Depend(one), /):  # type: ignore[no-untyped-def]
        return unknown + number

    async def handler(got: int = Depend(provider)) -> int:
        return got

    with pytest.raises(ConfigurationError, match=r"'number' of provider\(\) is positional-only") as caught:
        one_route(handler).compile()
    assert f"{__file__}:{provider.__code__.co_firstlineno}" in str(caught.value)


async def test_a_body_field_of_a_provider_and_one_of_the_handler_are_of_one_body() -> None:
    def name_of(name: str = Body()) -> str:
        return name.upper()

    async def handler(price: int = Body(), name: str = Depend(name_of)) -> list[Any]:
        return [price, name]

    answer = await ask(
        one_route(handler, methods=["POST"]),
        method="POST",
        headers=JSON,
        chunks=[b'{"price":4,"name":"tea"}'],
    )

    assert answer.json() == [4, "TEA"]
