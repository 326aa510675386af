"""The matcher: precedence, methods, converters that fail, and paths that nobody meant."""

from datetime import date
from typing import Any

import pytest

from nexios.errors import DuplicateRoute
from nexios.routing import ConverterRegistry, FunctionConverter, Matcher, compile_template
from nexios.routing.registry import DEFAULT_CONVERTERS


def matcher_of(*templates: str, registry: ConverterRegistry = DEFAULT_CONVERTERS) -> Matcher[str]:
    """A matcher whose targets are the templates themselves; "POST /x" is for POST."""
    matcher = Matcher[str]()
    for text in templates:
        method, slash, path = text.partition("/")
        matcher.add(compile_template(slash + path, registry), [method.strip() or "GET"], text)
    return matcher


def find(matcher: Matcher[str], path: str, method: str = "GET") -> tuple[str, dict[str, Any]] | None:
    return matcher.find(method, path)


def test_a_parameter_arrives_converted() -> None:
    assert find(matcher_of("/items/{id:int}"), "/items/7") == ("/items/{id:int}", {"id": 7})


def test_static_paths_are_open_to_the_engine() -> None:
    assert matcher_of("/", "/a/b").static == {"/": {"GET": "/"}, "/a/b": {"GET": "/a/b"}}


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/x/me", "/x/me"),
        ("/x/12", "/x/{v:int}"),
        ("/x/1.5", "/x/{v:float}"),
        ("/x/2024-01-31", "/x/{v:date}"),
        ("/x/v7", "/x/v{v:int}"),
        ("/x/left-right", "/x/{v:slug}"),
        ("/x/Left-right", "/x/{v}"),
        ("/x/a/b", "/x/{v:path}"),
        ("/x/", "/x/{v:path}"),
        ("/x/a/edit", "/x/{v:path}/edit"),
        ("/x", None),
    ],
)
def test_the_more_specific_template_wins_whatever_the_order(path: str, target: str | None) -> None:
    templates = [
        "/x/{v:path}", "/x/{v:path}/edit", "/x/{v}", "/x/{v:slug}", "/x/v{v:int}", "/x/{v:float}", "/x/{v:date}",
        "/x/{v:int}", "/x/me",
    ]  # fmt: skip
    for order in (templates, templates[::-1]):
        found = find(matcher_of(*order), path)
        assert (found and found[0]) == target


def test_a_branch_that_leads_nowhere_is_left_for_the_next() -> None:
    matcher = matcher_of("/a/{x:int}/one", "/a/{x}/two", "/{y}/5/three", "/{rest:path}")

    assert find(matcher, "/a/5/one") == ("/a/{x:int}/one", {"x": 5})
    assert find(matcher, "/a/5/two") == ("/a/{x}/two", {"x": "5"})
    assert find(matcher, "/a/5/three") == ("/{y}/5/three", {"y": "a"})
    assert find(matcher, "/a/5/four") == ("/{rest:path}", {"rest": "a/5/four"})


def test_a_path_that_lacks_the_method_falls_through_to_the_next_template() -> None:
    matcher = matcher_of("/users/me", "POST /users/{id:int}", "PUT /users/{name}", "DELETE /{rest:path}")

    assert find(matcher, "/users/me", "PUT") == ("PUT /users/{name}", {"name": "me"})
    assert find(matcher, "/users/5", "PUT") == ("PUT /users/{name}", {"name": "5"})
    assert find(matcher, "/users/5", "DELETE") == ("DELETE /{rest:path}", {"rest": "users/5"})
    assert find(matcher, "/users/5", "PATCH") is None


def test_allowed_lists_each_method_of_every_matching_branch_once() -> None:
    matcher = matcher_of("/users/me", "POST /users/{id:int}", "PUT /users/{name}", "/{rest:path}", "HEAD /{a}/{b}/x")

    assert matcher.allowed("/users/me") == ["GET", "PUT"]
    assert matcher.allowed("/users/5") == ["GET", "POST", "PUT"]
    assert matcher.allowed("/users/5/x") == ["GET", "HEAD"]


def test_nothing_is_allowed_where_nothing_is() -> None:
    matcher = matcher_of("/users/{id:int}", "/users/{a}/b")

    assert matcher.allowed("/users/x") == []
    assert matcher.allowed("/nope") == []


def test_routes_of_one_shape_keep_their_own_parameter_names() -> None:
    matcher = matcher_of("/a/{x}", "POST /a/{y}", "/b/{x}/c", "POST /b/{y}/c")

    assert find(matcher, "/a/1", "POST") == ("POST /a/{y}", {"y": "1"})
    assert find(matcher, "/a/1") == ("/a/{x}", {"x": "1"})
    assert find(matcher, "/b/1/c", "POST") == ("POST /b/{y}/c", {"y": "1"})


@pytest.mark.parametrize(
    "texts", [("/a", "/a"), ("/a/{x}", "/a/{y:str}"), ("/{x}/b", "/{y}/b"), ("/{p:path}", "/{q:path}")]
)
def test_one_shape_has_one_target_a_method(texts: tuple[str, str]) -> None:
    with pytest.raises(DuplicateRoute, match=r"GET /.* has a target already"):
        matcher_of(*texts)


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("/admin", "/admin\n"),
        ("/admin", "/admin\r"),
        ("/admin", "/admin\x00"),
        ("/admin", "/admin "),
        ("/admin", "/admin\t"),
        ("/admin", "/admin/"),
        ("/admin", "//admin"),
        ("/admin", "/./admin"),
        ("/admin", "/x/../admin"),
        ("/admin", "/admin;x"),
        ("/admin", "/ADMIN"),
        ("/admin", "admin"),
        ("/admin", "*"),
        ("/admin", ""),
        ("/v1.0/(x)", "/v1x0/(x)"),
        ("/v1.0/(x)", "/v1.0/x"),
        ("/a.b/{c}", "/aXb/c"),
        ("/{a}", ""),
        ("/{a}", "x"),
        ("/{a}", "*"),
        ("/{a}", "/"),
        ("/{a}", "//"),
        ("/{a}/b", "x/b"),
        ("/{a}/{b}", "//b"),
        ("/{a}/{b}", "/a/"),
        ("/{a}", "/a/b"),
        ("/x/{rest:path}", "/x"),
        ("/x/{rest:path}/y", "/x/y"),
        ("/x/{rest:path}", "/x/a\n"),
    ],
)
def test_a_path_that_is_only_similar_is_not_matched(template: str, path: str) -> None:
    matcher = matcher_of(template)

    assert find(matcher, path) is None
    assert matcher.allowed(path) == []


def test_literal_text_matches_itself() -> None:
    for path in ("/v1.0/(x)", "/a+b/[c]*$", "/á/日本", "/a b", "/."):
        assert find(matcher_of(path, "/other/{a}"), path) == (path, {})


def test_empty_segments_and_names_with_dots_are_ordinary_values() -> None:
    assert find(matcher_of("/{a}/{b}"), "/.git/...") == ("/{a}/{b}", {"a": ".git", "b": "..."})
    assert find(matcher_of("/f/{rest:path}"), "/f//..x/y..") == ("/f/{rest:path}", {"rest": "/..x/y.."})


@pytest.mark.parametrize(
    "path", ["/../b", "/a/..", "/a/.", "/./b", "/f/../x", "/f/x/../../y", "/f/.", "/f//../x", "/m/.."]
)
def test_a_path_that_proxies_rewrite_leads_to_no_parameter_and_no_mount(path: str) -> None:
    """RFC 3986 section 5.2.4: a proxy that guards /f resolves /f/../x, and lets it pass."""
    matcher = matcher_of("/{a}/{b}", "/f/{rest:path}", "/{rest:path}", "/{a}-{b}/{c}")
    matcher.add_mount(compile_template("/m"), "mounted")

    assert find(matcher, path) is None
    assert matcher.allowed(path) == []
    assert matcher.find_mount(path) is None


@pytest.mark.parametrize(
    ("template", "path", "values"),
    [
        ("/{a}-{b}", "/x-y", {"a": "x", "b": "y"}),
        ("/{a}-{b}", "/x-y-z", {"a": "x-y", "b": "z"}),
        ("/{a}-{b}", "/-x-", None),
        ("/{a}-{b}", "/--x", {"a": "-", "b": "x"}),
        ("/{a}-{b}", "/xy", None),
        ("/{a}-{b}", "/x-", None),
        ("/{name}-{id:int}", "/blue-shoe-7", {"name": "blue-shoe", "id": 7}),
        ("/{id:int}-{name}", "/7-blue-shoe", {"name": "blue-shoe", "id": 7}),
        ("/{id:int}-{name}", "/a-b", None),
        ("/{id:int}-{name}", "/7", None),
        ("/{name}-{id:int}", "/7", None),
        ("/{name}-{id:int}", "/7-x", None),
        ("/{id:int}-{name}", "/-7-x", {"name": "x", "id": -7}),
        ("/{a:int}-{name}-{b:int}", "/1-x-y-2", {"a": 1, "name": "x-y", "b": 2}),
        ("/{day}-{n:int}", "/2024-01-31", {"day": "2024-01", "n": 31}),
        ("/{n:int}-{day:date}", "/5-2024-01-31", {"day": date(2024, 1, 31), "n": 5}),
        ("/{day:date}-{n:int}", "/2024-01-31-5", {"day": date(2024, 1, 31), "n": 5}),
        ("/{a}.{b}.{c}", "/x.y.z", {"a": "x", "b": "y", "c": "z"}),
        ("/v{n:int}", "/v2", {"n": 2}),
        ("/v{n:int}", "/2", None),
        ("/{a}.html", "/x.html", {"a": "x"}),
        ("/{a}.html", "/.html", None),
        ("/aa{x}aa", "/aaa", None),
        ("/pre{a:int}post", "/pre5post", {"a": 5}),
        ("/pre{a:int}post", "/prepost", None),
        ("/x/{a}-{b}/y", "/x/1-2/y", {"a": "1", "b": "2"}),
        ("/x/{a}-{b}/y", "/x/1/y", None),
        ("/x/{p:path}/v{n:int}", "/x/a/b/v3", {"p": "a/b", "n": 3}),
        ("/x/{p:path}/y", "/x/a/b/y", {"p": "a/b"}),
        ("/x/{p:path}/y", "/x//y", {"p": ""}),
        ("/x/{p:path}/y", "/x/y/y/y", {"p": "y/y"}),
        ("/x/{a:path}/y/{b:path}/z", "/x/1/y/2/y/3/z", {"a": "1", "b": "2/y/3"}),
        ("/x/{a:path}/y/{b:path}/z", "/x/1/y/z", None),
        ("/{a:path}/{b:path}", "/1/2/3", {"a": "1", "b": "2/3"}),
        ("/{p:path}", "/", {"p": ""}),
    ],
)
def test_a_template_reads_its_values(template: str, path: str, values: dict[str, object] | None) -> None:
    assert find(matcher_of(template), path) == (None if values is None else (template, values))


@pytest.mark.parametrize("error", [ValueError, RuntimeError, KeyError, RecursionError, OverflowError])
@pytest.mark.parametrize("template", ["/x/{v:bad}", "/{v:bad}/x", "/x/{v:bad}.txt", "/x/{p:path}/{v:bad}"])
def test_an_exception_from_a_converter_is_no_match(error: type[Exception], template: str) -> None:
    def refuse(text: str) -> object:
        raise error(text)

    registry = ConverterRegistry(DEFAULT_CONVERTERS)
    registry.register("bad", convert=refuse)
    matcher = matcher_of(template, registry=registry)
    path = template.replace("{v:bad}", "v").replace("{p:path}", "p")

    assert find(matcher, path) is None
    assert matcher.allowed(path) == []


def test_converters_of_one_rank_are_asked_in_the_order_of_registration() -> None:
    registry = ConverterRegistry(DEFAULT_CONVERTERS)
    registry.register("first", FunctionConverter())
    registry.register("second", FunctionConverter())

    assert find(matcher_of("/{a:first}", "/{a:second}", registry=registry), "/x") == ("/{a:first}", {"a": "x"})
    assert find(matcher_of("/{a:second}", "/{a:first}", registry=registry), "/x") == ("/{a:second}", {"a": "x"})


def test_a_mixed_segment_asks_a_converter_a_bounded_number_of_times() -> None:
    """CVE-2024-45296 and its like: 20,000 separators cost no more tries than the converter's greatest length."""
    asked = 0

    def refuse(text: str) -> object:
        nonlocal asked
        asked += 1
        raise ValueError(text)

    registry = ConverterRegistry(DEFAULT_CONVERTERS)
    registry.register("never", convert=refuse, max_length=10)
    matcher = matcher_of("/{a:never}-{b}-{c:never}", "/{b}-{c:never}", registry=registry)

    assert find(matcher, "/" + "a-" * 20_000 + "a") is None
    assert asked <= 20


def test_a_template_may_have_a_hundred_parameters() -> None:
    names = [f"p{number}" for number in range(100)]
    for separator in ("/", "-"):
        matcher = matcher_of("/" + separator.join(f"{{{name}}}" for name in names))
        found = find(matcher, "/" + separator.join(names))
        assert found is not None
        assert found[1] == dict(zip(names, names, strict=True))
