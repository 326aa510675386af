"""What those who come from elsewhere write, and what nexios says: the handler, the line and the fix."""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
import pytest

from nexios import Depend, Form, NexiosApp, Query, Request, Response, Router
from nexios.errors import ConfigurationError
from nexios.testing import call


def get_db() -> str:
    return "db"


async def fetch_user() -> dict[str, str]:
    return {"name": "ada"}


def refusal_of(app: NexiosApp) -> str:
    with pytest.raises(ConfigurationError) as caught:
        app.compile()
    return str(caught.value)


# Registration


def test_middleware_as_a_decorator_says_how_it_is_added() -> None:
    app = NexiosApp()

    with pytest.raises(ConfigurationError) as caught:

        @app.middleware("http")  # type: ignore[operator, untyped-decorator]
        async def timing(request: Any, call_next: Any) -> Any: ...

    assert "test_newcomers.py" in str(caught.value)
    assert "async def timing(request, response, call_next):" in str(caught.value)
    assert "app.add_middleware(timing)" in str(caught.value)


@pytest.mark.parametrize("verb", ["get", "post", "put", "patch", "delete", "head", "options", "query"])
def test_methods_of_a_decorator_that_has_its_method_say_which_one_takes_them(verb: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        getattr(Router(), verb)("/items", methods=["GET", "POST"])

    assert "@router.route('/items', methods=['GET', 'POST'])" in str(caught.value)
    assert "test_newcomers.py" in str(caught.value)


def test_a_thread_for_an_async_provider_is_refused_where_it_is_asked_for() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Depend(fetch_user, thread=True)

    assert "thread=True is for a `def` provider, and fetch_user() is async" in str(caught.value)
    assert str(caught.value).count("test_newcomers.py:") == 2


# Functions as defaults


@pytest.mark.parametrize("annotation", [None, str, str | None, dict[str, str], Any, Annotated[str, "x"]])
@pytest.mark.parametrize("provider", [get_db, fetch_user, lambda: "db"])
def test_a_function_as_a_default_is_refused_with_the_depend(annotation: Any, provider: Any) -> None:
    app = NexiosApp()

    async def index(request: Request, response: Response, db=provider): ...  # type: ignore[no-untyped-def]

    if annotation is not None:
        index.__annotations__["db"] = annotation
    app.post("/")(index)

    text = refusal_of(app)
    assert f"The default of 'db' of index() is the function {provider.__name__}, which nothing would call." in text
    assert f"= Depend({provider.__name__})" in text or f"db=Depend({provider.__name__})" in text
    assert "test_newcomers.py" in text


def test_a_function_as_a_default_of_a_provider_is_refused_too() -> None:
    app = NexiosApp()

    def get_repo(db=get_db): ...  # type: ignore[no-untyped-def]

    app.get("/", dependencies=[Depend(get_repo)])(lambda request, response: None)

    assert "The default of 'db' of get_repo() is the function get_db" in refusal_of(app)


class Clock:
    def __call__(self) -> str: ...  # type: ignore[empty-body]


@pytest.mark.parametrize("annotation", [Callable[[], str], Callable, object, Clock, Callable[[], str] | None])
async def test_a_parameter_that_is_a_function_may_have_one_as_its_default(annotation: Any) -> None:
    def get_name(make=get_db) -> str:  # type: ignore[no-untyped-def]
        return make()  # type: ignore[no-any-return]

    get_name.__annotations__["make"] = annotation
    app = NexiosApp()

    @app.get("/")
    async def index(request: Request, response: Response, name: str = Depend(get_name)) -> str:
        return name

    assert (await call(app)).body == b"db"


# Coroutines that nobody awaits


def untold():  # type: ignore[no-untyped-def]
    return fetch_user()


@pytest.mark.parametrize("thread", [False, True])
@pytest.mark.parametrize("scope", ["request", "app"])
@pytest.mark.parametrize(
    ("provider", "name"), [(untold, "untold"), (lambda: fetch_user(), "<lambda>")], ids=["def", "lambda"]
)
async def test_a_provider_that_returns_a_coroutine_is_named(
    provider: Any, name: str, scope: Any, thread: bool, caplog: pytest.LogCaptureFixture
) -> None:
    app = NexiosApp()

    @app.get("/")
    async def index(request: Request, response: Response, user: Any = Depend(provider, scope=scope, thread=thread)):  # type: ignore[no-untyped-def]
        return user

    assert (await call(app)).status == 500

    assert f"The provider {name} returned fetch_user() without awaiting it" in caplog.text
    assert "Depend(fetch_user)" in caplog.text
    assert "test_newcomers.py" in caplog.text


async def as_dict() -> object:
    return {"user": fetch_user()}


async def as_list() -> object:
    return [1, fetch_user()]


class Page(msgspec.Struct):
    user: dict[str, str]
    more: Any = None


async def as_typed_dict() -> Page:
    return {"user": fetch_user()}  # type: ignore[return-value]


async def as_typed_page() -> Page:
    return Page(user=fetch_user())  # type: ignore[arg-type]


async def as_anything_in_a_page() -> Page:
    return Page(user={}, more=fetch_user())


@pytest.mark.parametrize("handler", [as_dict, as_list, as_typed_dict, as_typed_page, as_anything_in_a_page])
async def test_a_coroutine_in_a_result_says_what_was_not_awaited(
    handler: Any, caplog: pytest.LogCaptureFixture
) -> None:
    app = NexiosApp()
    app.get("/")(handler)

    assert (await call(app)).status == 500

    assert "fetch_user() was not awaited" in caplog.text
    assert "write: await fetch_user(...)" in caplog.text


# Defaults of inputs


@pytest.mark.parametrize(
    ("default", "rule"),
    [
        (Query("", pattern="^[a-z]+$"), "must match the pattern ^[a-z]+$"),
        (Query("", min_length=1), "must have at least 1 character"),
    ],
)
def test_a_default_that_breaks_its_own_rule_says_which(default: Any, rule: str) -> None:
    app = NexiosApp()

    @app.get("/")
    async def index(q: str = default) -> None: ...

    text = refusal_of(app)
    assert f"The default '' of 'q' {rule}" in text
    assert "q: str | None = " in text


async def test_a_form_without_a_content_type_hears_that_none_came_and_what_is_read() -> None:
    app = NexiosApp()

    @app.post("/")
    async def take(name: str = Form()) -> None: ...

    answer = await call(app, method="POST", chunks=[b"name=ada"])

    assert (answer.status, answer.json()["detail"]) == (
        415,
        "The body came with no Content-Type, or with several; "
        "it must be application/x-www-form-urlencoded or multipart/form-data.",
    )
