"""What a handler's parameters are filled with, and what is said when nothing fills one."""

import functools
import inspect
import threading
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

import pytest

from nexios import NexiosApp, Request, Response
from nexios.errors import ConfigurationError
from nexios.testing.raw import call

SEEN: ContextVar[str] = ContextVar("seen", default="nothing")


async def result_of(handler: Callable[..., Any], template: str = "/items/{item_id:int}", path: str = "/items/7") -> Any:
    app = NexiosApp()
    app.add_route(template, handler)
    answer = await call(app, path=path)
    assert answer.status == 200, answer.body
    return answer.json()


def refusal_of(handler: object, template: str = "/users") -> str:
    app = NexiosApp()
    app.add_route(template, handler)
    with pytest.raises(ConfigurationError) as caught:
        app.compile()
    return str(caught.value)


def kinds(*values: object) -> list[str]:
    return [type(value).__name__ if isinstance(value, Request | Response) else repr(value) for value in values]


async def test_request_and_response_come_first_whatever_their_names() -> None:
    async def handler(a: Any, b: Any) -> list[str]:
        return kinds(a, b)

    assert await result_of(handler) == ["Request", "Builder"]


async def test_a_path_parameter_comes_under_its_name_and_converted() -> None:
    async def handler(request: Request, response: Response, item_id: int) -> list[str]:
        return kinds(request, response, item_id)

    assert await result_of(handler) == ["Request", "Builder", "7"]


async def test_a_path_parameter_need_not_be_named() -> None:
    async def handler(request: Request, response: Response) -> list[Any]:
        return [request.path_params.item_id, request.path_params["item_id"]]

    assert await result_of(handler) == [7, 7]


async def test_only_the_named_ones_of_several_are_given() -> None:
    async def handler(request: Request, response: Response, b: str) -> list[Any]:
        return [b, sorted(request.path_params)]

    assert await result_of(handler, "/{a}/{b}/{c}", "/1/2/3") == ["2", ["a", "b", "c"]]


async def test_keyword_arguments_take_what_is_left() -> None:
    async def handler(request: Request, response: Response, b: str, **rest: str) -> list[Any]:
        return [b, rest]

    assert await result_of(handler, "/{a}/{b}/{c}", "/1/2/3") == ["2", {"a": "1", "c": "3"}]


async def test_keyword_arguments_are_empty_where_there_is_nothing_left() -> None:
    async def handler(request: Request, response: Response, **rest: str) -> dict[str, str]:
        return rest

    assert await result_of(handler, "/plain", "/plain") == {}


@pytest.mark.parametrize("names", ["response, request", "item_id, request, response", "response, item_id, request",
                                   "request, item_id, response", "*, item_id, response, request"])  # fmt: skip
async def test_named_parameters_come_in_any_order(names: str) -> None:
    namespace: dict[str, Any] = {"kinds": kinds}
    exec(f"async def handler({names}): return kinds(request, response)", namespace)

    assert await result_of(namespace["handler"]) == ["Request", "Builder"]


async def test_annotations_tell_request_and_response_apart() -> None:
    async def handler(answer: Response, question: Request) -> list[str]:
        return kinds(question, answer)

    assert await result_of(handler) == ["Request", "Builder"]


async def test_annotations_may_be_texts() -> None:
    async def handler(answer: "Response", question: "Request") -> list[str]:
        return kinds(question, answer)

    assert await result_of(handler) == ["Request", "Builder"]


async def test_a_handler_may_take_the_request_alone_the_response_alone_or_nothing() -> None:
    async def with_request(request: Request) -> list[str]:
        return kinds(request)

    async def with_response(response: Response) -> list[str]:
        return kinds(response)

    async def with_nothing() -> list[str]:
        return ["nothing"]

    assert await result_of(with_request) == ["Request"]
    assert await result_of(with_response) == ["Builder"]
    assert await result_of(with_nothing) == ["nothing"]


async def test_the_short_names_are_known_too() -> None:
    async def handler(res: Any, req: Any) -> list[str]:
        return kinds(req, res)

    assert await result_of(handler) == ["Request", "Builder"]


async def test_a_default_stays_where_the_path_has_no_such_parameter() -> None:
    async def handler(request: Request, response: Response, item_id: int = 1, limit: int = 20) -> list[int]:
        return [item_id, limit]

    assert await result_of(handler) == [7, 20]


async def test_extra_positional_arguments_are_never_given() -> None:
    async def handler(request: Request, response: Response, *args: object) -> list[int]:
        return [len(args)]

    assert await result_of(handler) == [0]


async def test_positional_only_request_and_response_work() -> None:
    async def handler(request: Request, response: Response, /) -> list[str]:
        return kinds(request, response)

    assert await result_of(handler) == ["Request", "Builder"]


@pytest.mark.parametrize("name", ["keys", "items", "self", "fn", "handler", "name", "args", "func"])
@pytest.mark.parametrize("prefix", ["async def", "def"])
async def test_a_path_parameter_may_have_any_name(prefix: str, name: str) -> None:
    """None of ours, nor of dict, gets in its way."""
    namespace: dict[str, Any] = {}
    exec(f"{prefix} show(request, response, {name}): return [{name}]", namespace)

    assert await result_of(namespace["show"], f"/x/{{{name}}}", "/x/value") == ["value"]


async def test_a_plain_function_runs_in_a_worker_thread() -> None:
    def handler(request: Request, response: Response, item_id: int) -> list[Any]:
        return [item_id, threading.current_thread() is threading.main_thread()]

    assert await result_of(handler) == [7, False]


async def test_a_plain_function_fills_the_same_builder() -> None:
    def handler(request: Request, response: Response) -> Response:
        return response.set_header("x-thread", "1").json(["filled"])

    assert await result_of(handler) == ["filled"]


async def test_what_a_plain_function_raises_is_an_error_like_any_other() -> None:
    app = NexiosApp(exception_handlers={KeyError: lambda request, exc: ("key", 409)})

    @app.get("/")
    def handler(request: Request, response: Response) -> None:
        raise KeyError("x")

    assert (await call(app)).status == 409


async def test_objects_and_partials_are_handlers_as_well() -> None:
    class Greeter:
        async def __call__(self, request: Request, response: Response, item_id: int) -> list[int]:
            return [item_id]

    async def add(offset: int, request: Request, response: Response, item_id: int) -> list[int]:
        return [offset + item_id]

    assert await result_of(Greeter()) == [7]
    assert await result_of(functools.partial(add, 10)) == [17]


async def test_bound_methods_are_handlers_as_well() -> None:
    class Items:
        async def show(self, request: Request, response: Response, item_id: int) -> list[int]:
            return [item_id]

        def show_in_thread(self, request: Request, response: Response, item_id: int) -> list[int]:
            return [item_id]

    assert await result_of(Items().show) == [7]
    assert await result_of(Items().show_in_thread) == [7]


async def test_a_decorated_handler_is_looked_through() -> None:
    def plain(handler: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        @functools.wraps(handler)
        def wrapper(*args: Any, **kwargs: Any) -> Awaitable[Any]:
            return handler(*args, **kwargs)

        return wrapper

    @plain
    async def handler(request: Request, response: Response, item_id: int) -> list[int]:
        return [item_id]

    assert await result_of(handler) == [7]


async def test_an_async_wrapper_around_a_plain_function_is_async() -> None:
    def checked(handler: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
        @functools.wraps(handler)
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            return handler(*args, **kwargs)

        return wrapper

    @checked
    def handler(request: Request, response: Response, item_id: int) -> list[Any]:
        return [item_id, threading.current_thread() is threading.main_thread()]

    assert await result_of(handler) == [7, True]


async def test_two_decorators_give_one_handler_two_places() -> None:
    app = NexiosApp()

    @app.get("/a")
    @app.post("/b")
    async def handler(request: Request, response: Response) -> str:
        return request.path

    assert ((await call(app, path="/a")).body, (await call(app, method="POST", path="/b")).body) == (b"/a", b"/b")


async def test_a_class_answers_each_method_with_the_function_of_that_name() -> None:
    class Item:
        async def get(self, request: Request, response: Response, item_id: int) -> list[Any]:
            return ["get", item_id]

        def delete(self, request: Request, response: Response, item_id: int) -> list[Any]:
            return ["delete", item_id]

    app = NexiosApp()
    app.add_route("/items/{item_id:int}", Item)

    assert (await call(app, path="/items/7")).json() == ["get", 7]
    assert (await call(app, method="DELETE", path="/items/7")).json() == ["delete", 7]
    assert (await call(app, method="POST", path="/items/7")).header("allow") == "DELETE, GET, HEAD, OPTIONS"


async def test_no_method_name_of_a_request_reaches_an_attribute_of_a_class() -> None:
    class Item:
        async def get(self, request: Request, response: Response) -> str:
            return "get"

        async def secret(self, request: Request, response: Response) -> str:
            return "secret"

    app = NexiosApp()
    app.add_route("/", Item)

    for method in ("SECRET", "__INIT__", "_SECRET", "DISPATCH", "get", "secret", "", "X" * 10_000):
        answer = await call(app, method=method)
        assert (answer.status, answer.json()["code"]) == (501, "not_implemented")


def test_a_parameter_that_nothing_fills_is_refused_when_the_app_compiles() -> None:
    async def list_users(request: Request, response: Response, limit) -> None: ...  # type: ignore[no-untyped-def]

    line = inspect.getsourcelines(list_users)[1]

    assert refusal_of(list_users) == (
        "GET /users cannot be compiled: nothing fills the parameter 'limit' of list_users().\n"
        "\n"
        f"  {__file__}:{line}   async def list_users"
        "(request: nexios.messages.request.Request, response: nexios.messages.response.Response, limit) -> None\n"
        "\n"
        "A parameter after (request, response) is a path parameter of '/users' (it has none), "
        "has a default, or says where it comes from:\n"
        "\n"
        "    limit: int                  the query parameter 'limit'\n"
        "    limit: Model                the body, where Model is a Struct, dataclass or pydantic model\n"
        "    limit=Depend(get_limit)    what a provider makes\n"
    )


def test_the_refusal_names_the_path_parameters_that_there_are() -> None:
    def show(request: Request, response: Response, id) -> None: ...  # type: ignore[no-untyped-def]

    text = refusal_of(show, "/users/{user_id:int}/{part}")

    assert "is a path parameter of '/users/{user_id:int}/{part}' (it has user_id, part), has a default" in text
    assert "   def show(" in text


@pytest.mark.parametrize("names", ["self, request, response", "request, response, *, limit", "a, b, c",
                                   "request, a, response", "response, limit, extra, *args"])  # fmt: skip
@pytest.mark.parametrize("prefix", ["async def", "def"])
def test_no_parameter_is_left_to_fail_at_request_time(prefix: str, names: str) -> None:
    namespace: dict[str, Any] = {}
    exec(f"{prefix} handler({names}): ...", namespace)

    assert "nothing fills the parameter" in refusal_of(namespace["handler"])


def test_a_method_registered_on_its_class_is_refused() -> None:
    class Items:
        async def show(self, request: Request, response: Response) -> None: ...

    assert "nothing fills the parameter 'self' of show()" in refusal_of(Items.show)


async def test_a_path_parameter_may_be_positional_only() -> None:
    async def show(request: Request, response: Response, item_id: int, /) -> list[Any]:
        return [*kinds(request, response), item_id]

    assert await result_of(show) == ["Request", "Builder", 7]


@pytest.mark.parametrize("name", ["request", "response", "req", "res"])
def test_a_path_parameter_cannot_take_the_place_of_request_or_response(name: str) -> None:
    namespace: dict[str, Any] = {}
    exec(f"async def show({name}, other): ...", namespace)

    text = refusal_of(namespace["show"], f"/items/{{{name}}}")

    assert f"{name!r} is a path parameter of '/items/{{{name}}}' and what show() calls the {name}." in text


async def test_a_path_parameter_may_be_called_request_where_the_handler_has_no_such_name() -> None:
    async def show(a: Any, b: Any) -> list[Any]:
        return [*kinds(a, b), a.path_params["request"]]

    assert await result_of(show, "/{request}", "/x") == ["Request", "Builder", "x"]


def test_a_generator_is_refused_with_the_line_to_write() -> None:
    async def numbers() -> Any:
        yield 1

    def more_numbers() -> Any:
        yield 1

    assert refusal_of(numbers).endswith("Stream what it makes:\n\n    return response.stream(numbers())\n")
    assert "more_numbers() is a generator, which is no response" in refusal_of(more_numbers)


def test_what_cannot_be_called_is_refused_where_it_is_registered() -> None:
    with pytest.raises(ConfigurationError, match="'text' cannot handle requests"):
        NexiosApp().add_route("/", "text")


@pytest.mark.parametrize("annotation", [dict, "dict", dict[str, int]])
def test_a_parameter_of_plain_data_is_not_given_the_response(annotation: Any) -> None:
    """Who comes from another framework expects the body in it, and would get an empty answer without a word."""

    async def create(request: Request, data: Any) -> Any:
        return data

    create.__annotations__["data"] = annotation

    assert "which is read from the body, and GET has none" in refusal_of(create)
