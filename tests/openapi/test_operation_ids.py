"""Ids of operations are names of handlers, and no two are the same."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios.errors import ConfigurationError
from nexios.openapi.operation_ids import operation_ids
from nexios.openapi.paths import listed
from nexios.routing.router import Router
from tests.openapi.documents import document_of, operations_of


def ids_of(router: Router, choose: Callable[[Any], str] | None = None) -> list[str]:
    return operation_ids(listed(operations_of(router)), choose)


def named(name: str) -> Any:
    async def handler(request: Any, response: Any) -> None: ...

    handler.__name__ = name
    return handler


def test_an_id_is_the_name_of_the_handler() -> None:
    router = Router()
    router.add_route("/users", named("list_users"), name="users")

    assert ids_of(router) == ["list_users"]


def test_handlers_of_one_name_get_the_names_of_their_routers() -> None:
    users, orders = Router(prefix="/users", name="users"), Router(prefix="/orders", name="orders")
    router = Router()
    for inner in (users, orders):
        inner.add_route("/", named("show"))
        router.include_router(inner)
    router.add_route("/", named("show"))

    assert ids_of(router) == ["users_show", "orders_show", "show"]


def test_without_names_of_routers_the_first_tag_tells_them_apart() -> None:
    router = Router()
    router.add_route("/users", named("show"), tags=["Users & more"])
    router.add_route("/orders", named("show"), tags=["orders"])

    assert ids_of(router) == ["Users_more_show", "orders_show"]


def test_at_last_method_and_path_tell_them_apart() -> None:
    router = Router()
    router.add_route("/users/{id:int}", named("show"))
    router.add_route("/orders-of/{id:int}", named("show"))

    assert ids_of(router) == ["show_get_users_id", "show_get_orders_of_id"]


def test_paths_that_differ_in_signs_alone_are_numbered() -> None:
    router = Router()
    router.add_route("/a-b", named("show"))
    router.add_route("/a_b", named("show"))
    router.add_route("/a.b", named("show"))

    assert ids_of(router) == ["show_get_a_b", "show_get_a_b_2", "show_get_a_b_3"]


def test_a_route_for_several_methods_has_one_id_for_each() -> None:
    router = Router()
    router.add_route("/items", named("items"), methods=["GET", "POST"])
    router.add_route("/things", named("things"), methods=["GET", "POST"], operation_id="given")

    assert ids_of(router) == ["items_get", "items_post", "given_get", "given_post"]


def test_the_functions_of_a_class_have_its_name_before_theirs() -> None:
    class ItemView:
        async def get(self, request: Any, response: Any) -> None: ...

        async def delete(self, request: Any, response: Any) -> None: ...

    router = Router()
    router.add_route("/items", ItemView)

    assert ids_of(router) == ["ItemView_get", "ItemView_delete"]


def test_a_lambda_is_called_by_what_it_is() -> None:
    router = Router()
    router.add_route("/a", lambda request, response: None)
    router.add_route("/b", lambda request, response: None)

    assert ids_of(router) == ["lambda_get_a", "lambda_get_b"]


def test_an_id_that_was_given_is_not_changed_and_not_taken_by_others() -> None:
    router = Router()
    router.add_route("/a", named("show"))
    router.add_route("/b", named("other"), operation_id="show")

    assert ids_of(router) == ["show_get_a", "show"]


def test_an_id_given_twice_is_an_error_that_names_both_places() -> None:
    router = Router()
    router.add_route("/a", named("one"), operation_id="same")
    router.add_route("/b", named("two"), operation_id="same")

    with pytest.raises(ConfigurationError) as caught:
        ids_of(router)

    text = str(caught.value)
    assert "'same' was given to two operations" in text
    assert text.count("test_operation_ids.py:") == 2
    assert "GET /a" in text
    assert "GET /b" in text


def test_the_settings_may_choose_all_ids() -> None:
    router = Router()
    router.add_route("/a", named("show"), name="first")
    router.add_route("/b", named("show"), name="second")

    assert ids_of(router, lambda operation: f"api.{operation.route.name}") == ["api.first", "api.second"]


def test_an_id_does_not_depend_on_the_order_of_registration() -> None:
    there, back = Router(), Router()
    for router, paths in ((there, ("/a", "/b")), (back, ("/b", "/a"))):
        for path in paths:
            router.add_route(path, named("show"))

    assert ids_of(there) == ids_of(back)[::-1]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["show", "list", "a_show"]),
            st.sampled_from(["/a", "/b", "/a-b", "/a_b", "/{x}"]),
            st.sampled_from(["GET", "POST", "PURGE"]),
            st.sampled_from([(), ("a",), ("b", "a")]),
        ),
        max_size=12,
        unique_by=lambda one: one[1:3],
    )
)
def test_ids_are_unique_and_words_whatever_the_routes(routes: list[tuple[str, str, str, tuple[str, ...]]]) -> None:
    router = Router()
    for name, path, method, tags in routes:
        router.add_route(path, named(name), methods=[method], tags=tags)

    ids = ids_of(router)

    assert len(set(ids)) == len(routes)
    assert all(one.isidentifier() for one in ids)


def test_the_document_has_the_ids() -> None:
    router = Router()
    router.add_route("/users", named("list_users"))

    assert document_of(router)["paths"]["/users"]["get"]["operationId"] == "list_users"
