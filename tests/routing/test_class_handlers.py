"""Class-based handlers: a fixed table of verbs, one instance, no attribute named by a request."""

from typing import Any

import pytest

from nexios.errors import ConfigurationError
from nexios.routing import Matcher, Route, Router, compile_template, flatten


class ItemView:
    made = 0

    def __init__(self) -> None:
        type(self).made += 1

    async def get(self, request: object, response: object) -> str:
        return "get"

    async def post(self, request: object, response: object) -> str:
        return "post"

    async def dispatch(self, request: object, response: object) -> str:
        return "secret"

    trace = connect = dispatch
    _secret = dispatch


class NeedsStore:
    def __init__(self, store: object) -> None:
        self.store = store

    async def query(self, request: object, response: object) -> str:
        return "query"


def table_of(router: Router) -> dict[str, Any]:
    return {method: route.handler for route in flatten(router).routes for method in route.methods}


def test_a_class_answers_the_verbs_it_has_and_no_other() -> None:
    router = Router()
    assert router.route("/items")(ItemView) is ItemView
    table = table_of(router)

    assert sorted(table) == ["GET", "HEAD", "POST"]
    assert table["GET"].__func__ is ItemView.get
    assert table["POST"].__func__ is ItemView.post


@pytest.mark.parametrize("method", ["DISPATCH", "__INIT__", "_SECRET", "TRACE", "CONNECT", "get", "", "A" * 2**20])
def test_the_method_of_a_request_never_names_an_attribute(method: str) -> None:
    """CVE-2026-48817."""
    router = Router()
    router.add_route("/items", ItemView)
    matcher = Matcher[Route]()
    for route in flatten(router).routes:
        matcher.add(compile_template(route.template), route.methods, route)

    assert matcher.find(method, "/items") is None
    assert matcher.allowed("/items") == ["GET", "HEAD", "POST"]


def test_one_instance_is_made_and_serves_every_verb() -> None:
    router = Router()
    before = ItemView.made
    router.add_route("/items", ItemView)
    table = table_of(router)

    assert ItemView.made == before + 1
    assert table["GET"].__self__ is table["POST"].__self__


def test_an_instance_is_used_as_it_is() -> None:
    router = Router()
    view = NeedsStore("the store")
    router.add_route("/items", view)

    assert table_of(router)["QUERY"].__self__ is view


def test_methods_choose_among_the_verbs() -> None:
    router = Router()
    router.add_route("/a", ItemView, methods=["post"])
    router.get("/b")(ItemView)

    assert [(r.template, r.methods) for r in flatten(router).routes] == [("/a", ("POST",)), ("/b", ("GET", "HEAD"))]


def test_the_place_is_the_method_and_the_name_is_the_class() -> None:
    router = Router()
    router.add_route("/items", ItemView)
    get, post = flatten(router).routes

    assert get.location.handler.line == ItemView.get.__code__.co_firstlineno
    assert post.location.handler.line == ItemView.post.__code__.co_firstlineno
    assert get.name == post.name == "ItemView"


class Empty:
    pass


@pytest.mark.parametrize(
    ("view", "methods", "words"),
    [
        (ItemView, ["DELETE"], "ItemView does not answer DELETE. Give it: async def delete"),
        (ItemView, ["DISPATCH"], "ItemView does not answer DISPATCH"),
        (Empty, None, "Empty does not answer GET"),
        (Empty(), None, "cannot handle requests"),
        (NeedsStore, None, r"Register an instance: NeedsStore\(...\)"),
    ],
)
def test_a_class_that_cannot_answer_is_refused(view: object, methods: list[str] | None, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        Router().add_route("/x", view, methods)
