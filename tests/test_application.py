"""An application: how it is put together, what is refused, and that two of them share nothing."""

import asyncio
import logging
from typing import Any

import pytest

from nexios import HTTPException, Limits, NexiosApp, Request, Response, Router, Settings
from nexios.errors import ConfigurationError, DuplicateRoute, NoSuchRoute
from nexios.routing.converters import Converter
from nexios.testing.raw import call


async def handle(request: Request, response: Response) -> str:
    return "handled"


class Upper(Converter[str]):
    """Upper-case letters."""

    def convert(self, text: str) -> str:
        if not text.isupper():
            raise ValueError
        return text

    def format(self, value: str) -> str:
        return value


class Lower(Upper):
    """Lower-case letters."""

    def convert(self, text: str) -> str:
        if not text.islower():
            raise ValueError
        return text


async def test_an_app_without_routes_answers_404() -> None:
    assert (await call(NexiosApp())).status == 404


async def test_two_apps_share_nothing() -> None:
    one = NexiosApp(
        title="one", debug=True, limits={"max_body_size": 5}, exception_handlers={404: lambda request, exc: "one 404"}
    )
    two = NexiosApp(title="two")
    one.state.name = "one"
    one.register_path_converter("letters", Upper)
    two.register_path_converter("letters", Lower)
    one.event_emitter.on("request.started", lambda request: pytest.fail("not mine") if request.app is two else None)
    one.on_startup(lambda: None)

    async def mark(request: Request, response: Response, call_next: Any) -> Any:
        answer = await call_next()
        return answer.set_header("x-one", "1")

    one.add_middleware(mark)
    for app in (one, two):
        app.add_route("/{x:letters}", handle)

    assert [(await call(one, path=path)).body for path in ("/AB", "/ab")] == [b"handled", b"one 404"]
    assert [(await call(two, path=path)).status for path in ("/AB", "/ab")] == [404, 200]
    assert ((await call(one)).header("x-one"), (await call(two)).header("x-one")) == ("1", None)
    assert (len(one.state), len(two.state)) == (1, 0)
    assert (one.settings.title, two.settings.title, one.debug, two.debug) == ("one", "two", True, False)
    assert (one.settings.limits.max_body_size, two.settings.limits.max_body_size) == (5, 10 * 1024 * 1024)
    assert one.event_emitter is not two.event_emitter
    assert one.exception_handlers is not two.exception_handlers
    assert (one.middleware is not two.middleware, two.middleware) == (True, [])


async def test_two_apps_run_side_by_side() -> None:
    apps = [NexiosApp() for _ in range(2)]
    both = asyncio.Barrier(2)
    for number, app in enumerate(apps):

        @app.get("/")
        async def handler(request: Request, response: Response, number: int = number) -> list[Any]:
            await both.wait()
            return [number, request.app is apps[number]]

    answers = await asyncio.gather(*(call(app) for app in apps))

    assert [answer.json() for answer in answers] == [[0, True], [1, True]]


@pytest.mark.parametrize(
    "register",
    [
        lambda app: app.add_route("/late", handle),
        lambda app: app.get("/late")(handle),
        lambda app: app.add_websocket("/late", handle),
        lambda app: app.add_middleware(handle),
        lambda app: app.add_exception_handler(404, handle),
        lambda app: app.include_router(Router()),
        lambda app: app.mount("/late", NexiosApp()),
        lambda app: app.group("/late"),
        lambda app: app.on_startup(handle),
        lambda app: app.on_startup()(handle),
        lambda app: app.on_shutdown(handle),
        lambda app: app.register_path_converter("word", regex="[a-z]+", convert=str),
    ],
)
async def test_nothing_is_registered_once_the_app_is_compiled(register: Any) -> None:
    app = NexiosApp()
    await call(app)

    with pytest.raises(ConfigurationError) as caught:
        register(app)

    text = str(caught.value)
    assert text.startswith(
        "The application is compiled, so nothing can be registered any more. Do it before the first request.\n\n  "
    )
    assert f"{__file__}:" in text


async def test_an_included_router_is_frozen_with_the_app() -> None:
    app, router = NexiosApp(), Router("/r")
    app.include_router(router)
    router.add_route("/before", handle)
    await call(app)

    with pytest.raises(ConfigurationError, match="compiled"):
        router.add_route("/after", handle)


def test_an_app_that_cannot_be_compiled_may_be_mended() -> None:
    app = NexiosApp()
    app.middleware.append("wrong")
    with pytest.raises(ConfigurationError):
        app.compile()

    app.middleware.clear()
    app.add_route("/", handle)

    assert app.compile() is app.engine


def test_the_engine_is_compiled_once() -> None:
    app = NexiosApp()

    assert app.engine is app.engine
    assert app.compile() is app.engine


async def test_a_second_engine_with_other_settings_stands_beside_the_first() -> None:
    app = NexiosApp()

    @app.get("/")
    async def boom(request: Request, response: Response) -> None:
        raise ValueError("inside")

    other = app.compile(Settings(debug=True))

    assert other is not app.engine
    assert b"inside" not in (await call(app)).body


def test_the_same_route_twice_is_refused() -> None:
    app = NexiosApp()
    app.add_route("/items/{id}", handle)

    with pytest.raises(DuplicateRoute, match="registered twice"):
        app.add_route("/items/{name}", handle)


def test_the_same_route_by_way_of_a_router_is_refused_when_the_app_compiles() -> None:
    app, router = NexiosApp(), Router("/a")
    app.add_route("/a/b", handle)
    router.add_route("/b", handle)
    app.include_router(router)

    with pytest.raises(DuplicateRoute, match=r"GET /a/b is registered twice\."):
        app.compile()


def test_a_converter_nobody_registered_is_refused_with_the_place() -> None:
    app = NexiosApp()
    app.add_route("/{x:letters}", handle)

    with pytest.raises(ConfigurationError) as caught:
        app.compile()

    assert "The path converter 'letters' is not known." in str(caught.value)
    assert f"{__file__}:" in str(caught.value)


def test_a_hidden_route_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    app = NexiosApp()
    app.add_route("/{rest:path}", handle)
    app.mount("/api", NexiosApp())

    app.compile()

    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "/api (mounted) is never reached: /{rest:path} matches the same paths and is asked first." in caplog.text


def test_an_unknown_option_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(ConfigurationError) as caught:
        NexiosApp(debg=True, limits={"max_bdy_size": 1}, thread_limit=0)

    assert str(caught.value) == (
        "Settings cannot be made:\n"
        "\n"
        "  debg: no such setting; did you mean debug?\n"
        "  thread_limit: expected an int of 1 or more, got 0\n"
        "  limits.max_bdy_size: no such setting; did you mean max_body_size?"
    )


def test_settings_and_options_together_are_refused() -> None:
    """One of the two would be ignored."""
    with pytest.raises(ConfigurationError) as caught:
        NexiosApp(settings=Settings(), debug=True, title="shop")

    assert str(caught.value).startswith("NexiosApp got a settings object and options as well (debug, title).")


def test_settings_come_from_the_environment_unless_they_are_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEXIOS_TITLE", "from outside")
    monkeypatch.setenv("NEXIOS_LIMITS__MAX_BODY_SIZE", "7")

    assert NexiosApp().settings.title == "from outside"
    assert NexiosApp().settings.limits == Limits(max_body_size=7)
    assert NexiosApp(title="given").settings.title == "given"
    assert NexiosApp(settings=Settings()).settings.title == "nexios"


def test_debug_is_off_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert NexiosApp().debug is False
    for value in ("", "maybe", "2"):
        monkeypatch.setenv("NEXIOS_DEBUG", value)
        with pytest.raises(ConfigurationError, match="NEXIOS_DEBUG"):
            NexiosApp()


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        NexiosApp().settings.debug = True  # type: ignore[misc]


def test_no_file_in_the_working_directory_is_read(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nexios.config.py").write_text("raise SystemExit('executed')")
    (tmp_path / ".env").write_text("NEXIOS_DEBUG=true")
    monkeypatch.chdir(tmp_path)

    assert NexiosApp().debug is False


def test_url_for_compiles_the_app_and_names_what_is_missing() -> None:
    app = NexiosApp()
    app.add_route("/users/{name}/{id:int}", handle, name="user")

    assert app.url_for("user", name="é x", id=7) == "/users/%C3%A9%20x/7"
    with pytest.raises(NoSuchRoute, match=r"No route has the name 'usr'\. Did you mean 'user'\?"):
        app.url_for("usr")
    with pytest.raises(NoSuchRoute, match=r"The route 'user' \(/users/\{name\}/\{id:int\}\) lacks 'id'"):
        app.url_for("user", name="x")


def test_the_logger_is_ours_and_untouched() -> None:
    app = NexiosApp()

    assert app.logger is logging.getLogger("nexios")
    assert app.logger.handlers == []


def test_the_repr_is_its_title() -> None:
    assert repr(NexiosApp(title="shop", secret_key="s3cret-s3cret-s3cret-s3cret-s3cret")) == "<NexiosApp 'shop'>"


async def test_another_kind_of_connection_is_refused() -> None:
    app = NexiosApp()

    with pytest.raises(ValueError, match="nexios does not serve ASGI connections of type 'smtp'"):
        await app({"type": "smtp"}, call, call)  # type: ignore[arg-type]


async def test_an_app_is_made_of_everything_at_once() -> None:
    """The parts of one small app: middleware, router, group, mount, handlers and a converter of its own."""
    app = NexiosApp(exception_handlers={PermissionError: lambda request, exc: ({"error": "no"}, 403)})
    app.register_path_converter("letters", Upper)

    @app.get("/items/{item_id:int}")
    async def get_item(request: Request, response: Response) -> Response:
        return response.json({"id": request.path_params.item_id})

    router = Router("/api", name="api")

    @router.post("/orders")
    async def order(request: Request, response: Response) -> tuple[Any, int]:
        if (await request.json())["amount"] > 100:
            raise PermissionError
        return {"ordered": True}, 201

    with router.group("/admin") as admin:

        @admin.delete("/{x:letters}")
        async def delete(request: Request, response: Response, x: str) -> None:
            raise HTTPException(410, f"{x} is gone")

    app.include_router(router)

    assert (await call(app, path="/items/7")).json() == {"id": 7}
    assert (await call(app, method="POST", path="/api/orders", chunks=[b'{"amount":1}'])).status == 201
    assert (await call(app, method="POST", path="/api/orders", chunks=[b'{"amount":101}'])).status == 403
    assert (await call(app, method="DELETE", path="/api/admin/ABC")).json()["detail"] == "ABC is gone"
