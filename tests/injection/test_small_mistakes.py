"""What a newcomer to dependencies gets wrong, and what nexios says."""

import logging
from typing import Any

import pytest

from nexios import Body, Depend, Header, HTTPException, Limits, NexiosApp, OpenAPI, Request, Response
from nexios.errors import ConfigurationError
from nexios.testing import TestClient


class Session:
    """Something that is provided."""


def test_depend_that_was_not_called_is_refused_with_the_call() -> None:
    app = NexiosApp()

    @app.get("/")
    async def index(session: Any = Depend) -> None: ...

    with pytest.raises(ConfigurationError, match=r"call it:\n\n    Depend\(provider\)"):
        app.compile()


async def test_an_optional_type_is_filled_by_its_provider() -> None:
    app = NexiosApp()
    app.provide(Session, Session)

    @app.get("/")
    async def index(session: Session | None = None) -> bool:
        return session is not None

    async with TestClient(app) as client:
        assert (await client.get("/")).json() is True


async def test_a_startup_hook_gets_its_dependencies() -> None:
    seen: list[str] = []
    app = NexiosApp()

    def get_pool() -> str:
        return "pool"

    @app.on_startup
    async def begin(pool: str = Depend(get_pool, scope="app")) -> None:
        seen.append(pool)

    async with TestClient(app):
        pass

    assert seen == ["pool"]


async def test_arguments_fill_what_is_not_injected_wherever_that_stands() -> None:
    app = NexiosApp()
    app.provide(Session, Session)

    async def report(session: Session, month: str, *, year: int = 2026) -> str:
        return f"{type(session).__name__} {month} {year}"

    async with app.running():
        assert await app.inject(report, "march", year=2027) == "Session march 2027"


async def test_a_script_opens_what_lives_as_long_as_the_app_and_closes_it() -> None:
    seen: list[str] = []
    app = NexiosApp()

    @app.provide(Session, scope="app")
    async def get_session() -> Any:
        seen.append("open")
        yield Session()
        seen.append("closed")

    async def use(session: Session) -> None:
        seen.append("used")

    async with app.running():
        await app.inject(use)

    assert seen == ["open", "used", "closed"]


def test_a_path_parameter_that_nothing_takes_beside_one_of_the_query_is_warned_of(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = NexiosApp()

    @app.get("/items/{id}")
    async def show(item_id: int) -> None: ...

    with caplog.at_level(logging.WARNING, "nexios"):
        app.compile()

    assert "nothing takes the path parameter 'id'; is it meant by the query parameter 'item_id'?" in caplog.text


async def test_the_body_is_not_read_while_a_guard_cannot_be_asked() -> None:
    app = NexiosApp()

    def guard(x_key: str = Header()) -> None:
        raise HTTPException(401)

    @app.post("/", dependencies=[Depend(guard)])
    async def create(name: dict[str, int]) -> None: ...

    async with TestClient(app) as client:
        answer = await client.post("/", json={"a": "x"})

    assert [(error["in"], error["code"]) for error in answer.json()["errors"]] == [("header", "missing")]


async def test_an_app_may_have_several_documents_and_routes_of_the_same_names() -> None:
    app = NexiosApp(openapi=[OpenAPI(), OpenAPI(path="/admin/openapi.json", docs_path="/admin/docs")])

    @app.get("/files", name="assets")
    async def files() -> list[str]:
        return []

    async with TestClient(app) as client:
        paths = ["/openapi.json", "/admin/openapi.json", "/docs", "/admin/docs"]
        assert [(await client.get(path)).status_code for path in paths] == [200, 200, 200, 200]
        assert client.url_for("openapi:document") == "/openapi.json"


def test_a_document_that_is_not_served_can_be_built() -> None:
    assert NexiosApp(openapi=OpenAPI(path=None, title="Shop")).openapi()["info"]["title"] == "Shop"


def test_a_client_refuses_a_replacement_that_cannot_be_called() -> None:
    with pytest.raises(ConfigurationError, match="lambda: 5"):
        TestClient(NexiosApp(), overrides={Session: 5})  # type: ignore[dict-item]


def test_an_annotation_that_names_nothing_is_refused_and_never_passed_over() -> None:
    """It could be an alias that holds a guard."""
    app = NexiosApp()

    @app.get("/secret")
    async def secret(request: Any, response: Any, user: "Nowhere | None" = None) -> str:  # type: ignore[name-defined]  # noqa: F821
        return "secret"

    with pytest.raises(ConfigurationError, match=r"The annotation 'Nowhere \| None' of 'user' names something"):
        app.compile()


@pytest.mark.parametrize("kind", ["Nowhere", "list[Nowhere]", "Response | Nowhere"])
def test_a_result_whose_type_names_nothing_is_refused(kind: str) -> None:
    app = NexiosApp()

    async def handler() -> object: ...

    handler.__annotations__["return"] = kind
    app.get("/")(handler)

    with pytest.raises(ConfigurationError, match="nothing could check its results"):
        app.compile()


def test_a_class_that_nobody_provides_is_not_given_the_request() -> None:
    app = NexiosApp()

    @app.get("/")
    async def index(session: Session) -> None: ...

    with pytest.raises(ConfigurationError, match="nothing fills the parameter 'session'"):
        app.compile()


def test_overrides_are_taken_away_by_assigning_none() -> None:
    app = NexiosApp()
    app.dependency_overrides[Session] = object
    app.dependency_overrides = {}

    assert len(app.dependency_overrides) == 0


def test_one_guard_without_its_list_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="'dependencies' is a list"):
        NexiosApp(dependencies=Depend(Session))


async def test_the_limits_of_a_mounted_app_hold_for_a_body_that_was_opened_outside() -> None:
    async def watching(request: Request, response: Response, call_next: Any) -> Any:
        await request.is_disconnected()
        return await call_next()

    async def parsed(x: object = Body()) -> object:
        return x

    async def raw(request: Request, response: Response) -> int:
        return len(await request.body())

    inner = NexiosApp(limits=Limits(max_body_size=10, max_json_depth=2))
    inner.post("/parsed")(parsed)
    inner.post("/raw")(raw)
    app = NexiosApp(middleware=[watching])
    app.mount("/inner", inner)

    async with TestClient(app) as client:
        deep = await client.post("/inner/parsed", json=[[[1]]])
        long = await client.post("/inner/raw", content=b"x" * 50)

    assert (deep.status_code, long.status_code) == (400, 413)
