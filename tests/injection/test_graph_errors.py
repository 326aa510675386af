"""What cannot work is said when the app compiles, with the place, the way to it, and what to do."""

from collections.abc import Callable, Iterator
from typing import Annotated, Any

import msgspec
import pytest

from nexios import Body, Depend, NexiosApp, Request, Response
from nexios.errors import ConfigurationError
from tests.injection.injection_kit import one_route


def refusal(app: NexiosApp) -> str:
    with pytest.raises(ConfigurationError) as caught:
        app.compile()
    return str(caught.value)


def place(fn: Any, name: str | None = None) -> str:
    return f"{fn.__code__.co_filename}:{fn.__code__.co_firstlineno}   {name or fn.__name__}()"


# Circles


def chicken(egg: str = Depend(lambda: "")) -> str:
    return egg


def egg(chicken: str = Depend(chicken)) -> str:
    return chicken


def farm(eggs: str = Depend(egg)) -> str:
    return eggs


async def on_the_farm(request: Request, response: Response, eggs: str = Depend(farm)) -> str:
    return eggs


def test_providers_that_need_each_other_are_named_in_their_circle() -> None:
    app = one_route(on_the_farm)

    def hen(egg: str = Depend(egg)) -> str:
        return egg

    app.dependency_overrides[chicken] = hen
    with pytest.raises(ConfigurationError) as caught:
        assert app.engine
    text = str(caught.value)

    assert "Dependencies go in a circle: egg -> hen -> egg." in text
    assert text.startswith("GET / cannot be compiled")
    assert place(egg) in text
    assert place(hen) in text
    assert "farm()" not in text.partition("Take one of them out")[0]
    assert "move what both need into a provider of its own" in text


def test_a_provider_that_needs_itself_is_a_circle_of_one() -> None:
    class Node:
        def __init__(self, parent: "Annotated[Node, Depend()]") -> None: ...

    Node.__init__.__annotations__["parent"] = Annotated[Node, Depend()]

    async def handler(node: Node = Depend(Node)) -> None: ...

    assert "Dependencies go in a circle: Node -> Node." in refusal(one_route(handler))


# Lives


def get_path(request: Request) -> str:
    return request.path


async def get_pool(path: str = Depend(get_path)) -> str:
    return path


def test_what_lives_with_the_app_may_not_lean_on_what_lives_with_a_request() -> None:
    def repository(pool: str = Depend(get_pool, scope="app")) -> str:
        return pool

    async def handler(repository: str = Depend(repository)) -> str:
        return repository

    text = refusal(one_route(handler))

    assert (
        "get_pool() lives as long as its 'app' scope, and needs get_path(), which lives for one 'request' only." in text
    )
    assert place(get_pool) in text
    assert place(get_path) in text
    assert f"It is asked for by:\n  {place(repository)}" in text
    assert "Give get_pool the scope 'request', or let it do without get_path()." in text


@pytest.mark.parametrize("needs", ["request", "response", "id", "q"])
def test_what_lives_with_the_app_may_not_lean_on_a_request(needs: str) -> None:
    def of_request(request: Request) -> None: ...
    def of_response(response: Response) -> None: ...
    def of_id(id: int) -> None: ...
    def of_q(q: str = "") -> None: ...

    providers: dict[str, Callable[..., None]] = {
        "request": of_request,
        "response": of_response,
        "id": of_id,
        "q": of_q,
    }
    provider = providers[needs]

    async def handler(pool: None = Depend(provider, scope="app")) -> None: ...

    app = NexiosApp()
    app.get("/{id:int}")(handler)
    text = refusal(app)

    assert f"{provider.__name__}() lives as long as its 'app' scope, and needs {needs!r}" in text
    assert place(provider) in text


def test_what_lives_with_the_request_may_not_lean_on_what_lives_with_the_handler() -> None:
    def transaction() -> Iterator[None]:
        yield

    def repository(transaction: None = Depend(transaction, scope="handler")) -> None: ...

    async def handler(repository: None = Depend(repository)) -> None: ...

    text = refusal(one_route(handler))

    assert "repository() lives as long as its 'request' scope, and needs transaction(), which lives for one" in text
    assert "Give repository the scope 'handler'" in text


def test_an_override_may_not_lean_on_what_ends_earlier() -> None:
    def get_pool() -> str:
        return "pool"

    async def handler(pool: str = Depend(get_pool, scope="app")) -> str:
        return pool

    app = one_route(handler)
    with app.override({get_pool: get_path}), pytest.raises(ConfigurationError, match=r"get_path\(\) lives as long as"):
        assert app.engine


# What nothing fills


class Session:
    """Provided by nobody."""


def test_a_parameter_of_a_provider_that_nothing_fills_is_named_with_the_way_to_it() -> None:
    def repository(session: Session, limit=10) -> None: ...  # type: ignore[no-untyped-def]

    def service(repository: None = Depend(repository)) -> None: ...

    async def handler(service: None = Depend(service)) -> None: ...

    text = refusal(one_route(handler))

    assert "Nothing fills the parameter 'session' of repository()." in text
    assert f"\n\n  {place(repository)}\n\nIt is asked for by:\n  {place(service)}" in text
    assert "session=Depend(...)" in text
    assert place(handler).partition("   ")[0] in text


@pytest.mark.parametrize("where", ["middleware", "exception handler", "guard", "mount"])
def test_it_is_named_wherever_it_is_asked_for(where: str) -> None:
    def repository(session: Session) -> None: ...

    async def middleware(
        request: Request, response: Response, call_next: Any, r: None = Depend(repository)
    ) -> None: ...
    async def on_error(request: Request, response: Response, exc: Exception, r: None = Depend(repository)) -> None: ...
    async def handler(request: Request, response: Response) -> None: ...

    app = NexiosApp()
    app.get("/", dependencies=[Depend(repository)] if where == "guard" else [])(handler)
    if where == "middleware":
        app.add_middleware(middleware)
    if where == "exception handler":
        app.add_exception_handler(KeyError, on_error)
    if where == "mount":
        app = NexiosApp(dependencies=[Depend(repository)])
        app.mount("/below", NexiosApp())
    text = refusal(app)

    assert "Nothing fills the parameter 'session' of repository()" in text
    assert place(repository) in text


def test_an_annotation_that_is_no_class_cannot_be_its_own_provider() -> None:
    async def handler(item: Annotated[int | None, Depend()]) -> None: ...

    text = refusal(one_route(handler))

    assert "Depend() of the parameter 'item' names no provider, and its annotation is no class." in text
    assert "item=Depend(provider)" in text


@pytest.mark.parametrize("given", [3, "get_db", None])
def test_what_cannot_be_called_is_no_guard(given: object) -> None:
    async def handler(request: Request, response: Response) -> None: ...

    with pytest.raises(ConfigurationError, match="takes Depend"):
        one_route(handler, dependencies=[given]).compile()


# Options


@pytest.mark.parametrize("provider", [3, "get_db", ("a",)])
def test_depend_takes_what_can_be_called(provider: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Depend(provider)
    assert f"takes a function or class to call, not {provider!r}" in str(caught.value)
    assert f"{__file__}:" in str(caught.value)


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("scope", "session", "one of 'handler', 'request', 'app', not 'session'"),
        ("scope", None, "one of 'handler', 'request', 'app', not None"),
        ("limit", 0, "would never let"),
        ("limit", -1, "would never let"),
        ("limit", "2", "limit='2' is a number of values at once"),
        ("limit", 1.5, "limit=1.5 is a number of values at once"),
        ("limit", True, "limit=True is a number of values at once"),
        ("wait", -0.1, "wait=-0.1 is in seconds"),
        ("wait", None, "wait=None is in seconds"),
        ("wait", float("nan"), "wait=nan is in seconds"),
    ],
)
def test_an_option_that_is_not_right_is_refused_where_it_stands(option: str, value: Any, says: str) -> None:
    options: dict[str, Any] = {option: value}
    with pytest.raises(ConfigurationError) as caught:
        Depend(get_path, **options)
    assert says in str(caught.value)
    assert f"{__file__}:" in str(caught.value)

    with pytest.raises(ConfigurationError, match=r".") as caught:
        NexiosApp().provide(Session, get_path, **options)
    assert says in str(caught.value)


def test_a_type_is_provided_once() -> None:
    app = NexiosApp()
    app.provide(Session, Session)

    with pytest.raises(ConfigurationError) as caught:
        app.provide(Session, Session)
    assert "is provided already" in str(caught.value)
    assert f"{__file__}:" in str(caught.value)
    assert "override" in str(caught.value)


def test_nothing_is_provided_after_the_app_has_compiled() -> None:
    app = NexiosApp()
    app.compile()

    with pytest.raises(ConfigurationError):
        app.provide(Session, Session)


@pytest.mark.parametrize("way", ["item", "block"])
def test_an_override_has_to_be_callable_and_the_text_shows_how_to_give_a_value(way: str) -> None:
    app = NexiosApp()
    fake: Any = {"fake": True}

    def override() -> None:
        if way == "item":
            app.dependency_overrides[get_path] = fake
        else:
            with app.override({get_path: fake}):
                raise AssertionError("it was taken")

    with pytest.raises(ConfigurationError) as caught:
        override()
    assert "cannot be called" in str(caught.value)
    assert "lambda: {'fake': True}" in str(caught.value)
    assert f"{__file__}:" in str(caught.value)
    assert (len(app.dependency_overrides), app.compile() is app.engine) == (0, True)


# The body


class Item(msgspec.Struct):
    """A body."""

    name: str


def test_a_middleware_cannot_ask_for_the_body() -> None:
    def get_name(name: str = Body()) -> str:
        return name

    async def middleware(
        request: Request, response: Response, call_next: Any, name: str = Depend(get_name)
    ) -> None: ...

    app = NexiosApp()
    app.add_middleware(middleware)
    text = refusal(app)

    assert "middleware() asks for the body, which belongs to handlers." in text
    assert place(middleware) in text
    assert "await request.json()" in text


def test_an_exception_handler_cannot_ask_for_the_body() -> None:
    async def on_error(request: Request, exc: Exception, name: str = Body()) -> None: ...

    app = NexiosApp(exception_handlers={KeyError: on_error})

    assert "on_error() asks for the body" in refusal(app)


def test_a_provider_of_a_route_without_a_body_cannot_ask_for_one() -> None:
    def get_item(item: Item) -> Item:
        return item

    async def handler(request: Request, response: Response, item: Item = Depend(get_item)) -> None: ...

    text = refusal(one_route(handler))

    assert text.startswith("GET / cannot be compiled")
    assert "item" in text
    assert f"{__file__}:{handler.__code__.co_firstlineno}" in text
