"""No route answers this method at this path: what then? Statuses and headers after RFC 9110."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexios import NexiosApp, Request, Response
from nexios.errors import ConfigurationError
from nexios.testing.raw import call

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "TRACE", "CONNECT"]


async def echo(request: Request, response: Response) -> str:
    return f"{request.method} {request.path}"


def make_app(*routes: tuple[str, str], **options: Any) -> NexiosApp:
    """An app with routes of (methods separated by spaces, path)."""
    app = NexiosApp(**options)
    for methods, path in routes:
        app.add_route(path, echo, methods.split())
    return app


async def test_an_unknown_path_is_a_problem_document() -> None:
    """RFC 9457 section 3."""
    answer = await call(make_app(("GET", "/a")), path="/b")

    assert answer.status == 404
    assert answer.headers == [
        (b"content-type", b"application/problem+json"),
        (b"x-content-type-options", b"nosniff"),
        (b"content-length", b"95"),
    ]
    assert answer.json() == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "Not Found",
        "code": "not_found",
    }


async def test_another_method_is_405_and_tells_which_are_allowed() -> None:
    """RFC 9110 section 15.5.6."""
    answer = await call(make_app(("GET", "/a"), ("DELETE PUT", "/a")), method="POST", path="/a")

    assert (answer.status, answer.header("allow")) == (405, "DELETE, GET, HEAD, OPTIONS, PUT")
    assert answer.json()["code"] == "method_not_allowed"


async def test_allowed_are_the_methods_of_all_templates_that_match() -> None:
    app = make_app(("GET", "/items/{id:int}"), ("DELETE", "/items/{name}"), ("PUT", "/items/7"))

    assert (await call(app, method="POST", path="/items/7")).header("allow") == "DELETE, GET, HEAD, OPTIONS, PUT"
    assert (await call(app, method="POST", path="/items/x")).header("allow") == "DELETE, OPTIONS"


async def test_head_has_the_headers_of_get_and_no_body() -> None:
    """RFC 9110 section 9.3.2."""
    app = make_app(("GET", "/a"))

    @app.get("/same")
    async def same(request: Request, response: Response) -> Response:
        return response.set_header("x-a", "1").text("body")

    get, head = [await call(app, method=method, path="/same") for method in ("GET", "HEAD")]

    assert (head.status, head.body, head.headers) == (200, b"", get.headers)


async def test_a_head_of_its_own_takes_the_place_of_the_implied_one() -> None:
    app = make_app(("GET", "/a"))

    @app.head("/a")
    async def head(request: Request, response: Response) -> Response:
        return response.empty(204)

    assert (await call(app, method="HEAD", path="/a")).status == 204


async def test_a_path_without_get_has_no_head() -> None:
    assert (await call(make_app(("POST", "/a")), method="HEAD", path="/a")).status == 405


async def test_options_is_answered_for_every_known_path() -> None:
    """RFC 9110 section 9.3.7."""
    answer = await call(make_app(("GET POST", "/a")), method="OPTIONS", path="/a")

    assert (answer.status, answer.header("allow"), answer.body) == (204, "GET, HEAD, OPTIONS, POST", b"")


async def test_options_of_an_unknown_path_is_404() -> None:
    assert (await call(make_app(("GET", "/a")), method="OPTIONS", path="/b")).status == 404
    assert (await call(make_app(("GET", "/a")), method="OPTIONS", path="*")).status == 404


async def test_options_of_ones_own_wins() -> None:
    answer = await call(make_app(("GET OPTIONS", "/a")), method="OPTIONS", path="/a")

    assert (answer.status, answer.body) == (200, b"OPTIONS /a")


@pytest.mark.parametrize("path", ["/a", "/b"])
async def test_a_method_that_nobody_knows_is_501(path: str) -> None:
    """RFC 9110 section 15.6.2."""
    answer = await call(make_app(("GET", "/a")), method="BREW", path=path)

    assert (answer.status, answer.json()["title"]) == (501, "Not Implemented")


async def test_methods_are_case_sensitive() -> None:
    """RFC 9110 section 9.1."""
    assert (await call(make_app(("GET", "/a")), method="get", path="/a")).status == 501


async def test_a_method_that_the_app_uses_somewhere_is_known() -> None:
    app = make_app(("GET", "/a"), ("PURGE", "/b"))

    assert (await call(app, method="PURGE", path="/b")).body == b"PURGE /b"
    assert (await call(app, method="PURGE", path="/a")).status == 405
    assert (await call(app, method="PURGE", path="/c")).status == 404


@pytest.mark.parametrize("method", ["TRACE", "CONNECT"])
async def test_trace_and_connect_are_never_answered_by_themselves(method: str) -> None:
    app = make_app(("GET", "/a"))

    assert (await call(app, method=method, path="/a")).status == 405
    assert (await call(app, method=method, path="/b")).status == 404


@settings(max_examples=30)
@given(
    routes=st.lists(
        st.tuples(
            st.sampled_from(["/", "/a", "/a/b", "/{x}", "/a/{x:int}"]), st.sets(st.sampled_from(METHODS), min_size=1)
        ),
        max_size=5,
        unique_by=lambda route: route[0],
    ),
    path=st.sampled_from(["/", "/a", "/b", "/a/b", "/a/7", "/a/b/c"]),
    method=st.sampled_from([*METHODS, "BREW", "get"]),
)
async def test_the_status_follows_from_the_methods_of_the_path(
    routes: list[tuple[str, set[str]]], path: str, method: str
) -> None:
    """HEAD from GET, OPTIONS always, 405 with Allow, 501 for the unknown; Allow is the truth."""
    app = make_app(*((" ".join(sorted(methods)), template) for template, methods in routes), slashes="strict")

    answer = await call(app, method=method, path=path)

    allowed = (await call(app, method="OPTIONS", path=path)).header("allow")
    if method in ("BREW", "get"):
        assert answer.status == 501
    elif answer.status == 404:
        assert allowed is None
        assert all([(await call(app, method=other, path=path)).status == 404 for other in METHODS])
    elif answer.status == 405:
        assert answer.header("allow") == allowed or allowed is None
        assert method not in (answer.header("allow") or "").split(", ")
    else:
        assert answer.status in (200, 204)
        assert method == "OPTIONS" or answer.body in (f"{method} {path}".encode(), b"")


@pytest.mark.parametrize(
    ("route", "path", "query", "location"),
    [
        ("/users", "/users/", b"", "../users"),
        ("/users/", "/users", b"", "./users/"),
        ("/a/{name}", "/a/é b/", b"", "../%C3%A9%20b"),
        ("/a/{name}/", "/a/x:y", b"a=1&b=%20", "./x:y/?a=1&b=%20"),
        ("/a/{name}", "/a/x?y/", b"", "../x%3Fy"),
    ],
)
async def test_the_other_slash_is_a_relative_redirect_that_keeps_the_query(
    route: str, path: str, query: bytes, location: str
) -> None:
    """Relative, so that neither a Host header nor a proxy decides where it goes."""
    answer = await call(make_app(("GET", route)), path=path, query=query, headers=[(b"host", b"evil.example")])

    assert (answer.status, answer.header("location"), answer.body) == (308, location, b"")


async def test_the_redirect_keeps_method_and_body() -> None:
    """RFC 9110 section 15.4.9: 308 does, where 301 would not."""
    app = make_app(("POST", "/users"))

    assert (await call(app, method="POST", path="/users/", chunks=[b"x"])).status == 308
    assert (await call(app, method="GET", path="/users/")).status == 404


@pytest.mark.parametrize("path", ["//evil.example/", "/users//", "//users/", "///"])
async def test_a_double_slash_is_never_redirected(path: str) -> None:
    """`Location: //evil.example` would leave the site."""
    app = make_app(("GET", "/users"), ("GET", "/{x}"), ("GET", "/{x}/{y}"))

    answer = await call(app, path=path)

    assert (answer.status, answer.header("location")) == (404, None)


async def test_strict_slashes_are_404() -> None:
    app = make_app(("GET", "/users"), ("GET", "/items/"), slashes="strict")

    assert (await call(app, path="/users/")).status == 404
    assert (await call(app, path="/items")).status == 404


async def test_ignored_slashes_are_the_same_route() -> None:
    app = make_app(("GET", "/users"), ("GET", "/items/{id:int}/"), slashes="ignore")

    assert (await call(app, path="/users/")).body == b"GET /users/"
    assert (await call(app, path="/items/7")).body == b"GET /items/7"


def test_another_policy_for_slashes_does_not_exist() -> None:
    with pytest.raises(ConfigurationError, match="slashes: expected one of strict, redirect, ignore, got 'maybe'"):
        NexiosApp(slashes="maybe")


@pytest.mark.parametrize("character", ["\n", "\r", "\x00", "\t", "\x1f", "\x7f"])
@pytest.mark.parametrize("template", ["/admin", "/{x}", "/{x:path}", "/{x:slug}", "/admin{x:int}"])
async def test_a_control_character_in_a_path_is_a_bad_request(template: str, character: str) -> None:
    answer = await call(make_app(("GET", template)), path=f"/admin{character}")

    assert (answer.status, answer.json()["code"]) == (400, "malformed_path")


async def test_a_path_over_the_limit_is_414() -> None:
    app = make_app(("GET", "/a"), limits={"max_path_size": 100})

    assert (await call(app, path="/" + "x" * 99)).status == 404
    assert (await call(app, path="/" + "x" * 100)).status == 414


@pytest.mark.parametrize(("template", "start"), [("/{x}", "/"), ("/{x:path}", "/"), ("/{a}/{b}", "/x/")])
async def test_a_path_over_the_limit_is_414_although_a_route_would_match(template: str, start: str) -> None:
    app = make_app(("GET", template), limits={"max_path_size": 100})

    assert (await call(app, path=start.ljust(101, "x"))).status == 414


async def test_nothing_of_a_path_is_normalised() -> None:
    """So no check of a path is about another path than the one that is served."""
    app = make_app(("GET", "/admin"), ("GET", "/{a}/{b}"), ("GET", "/users/{rest:path}"))

    for path in ("//admin", "/./admin", "/x/../admin", "/admin/.", "/%61dmin", "/ADMIN", "/users/../admin"):
        assert (await call(app, path=path)).status == 404


async def test_a_static_path_wins_whatever_the_order() -> None:
    app = NexiosApp()

    @app.get("/users/{name}")
    async def by_name(request: Request, response: Response, name: str) -> str:
        return f"name {name}"

    @app.get("/users/me")
    async def me(request: Request, response: Response) -> str:
        return "me"

    assert (await call(app, path="/users/me")).body == b"me"
    assert (await call(app, path="/users/ada")).body == b"name ada"
