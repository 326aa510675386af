"""What a user declares by annotation arrives: dependencies and inputs, without a cast."""

import pytest

from tests.typing import user_injection, user_inputs


def test_dependencies_arrive_by_annotation_and_as_defaults() -> None:
    assert user_injection.visit(user_injection.create_app()) == {
        "rows": ["one"],
        "refused": 422,
        "added": {"by": "Ada"},
        "greet": {"word": "Hello, Ada", "again": "Hello, Ada", "lines": 2},
        "blocking": ["one", "two", "1700000000"],
        "page": {"page": 1, "started": 1_700_000_000},
        "time": "1700000000",
    }


def test_a_provider_that_yields_is_closed_when_the_request_is_over() -> None:
    user_injection.closed.clear()
    user_injection.visit(user_injection.create_app())

    assert user_injection.closed.count("lines") == 1
    assert user_injection.closed.count("database") >= 3


def test_a_dependency_is_overridden_on_the_app_for_a_while_or_for_one_client() -> None:
    assert user_injection.visit_with_overrides(user_injection.create_app()) == {
        "fixed": {"now": 7},
        "overridden": {"word": "Hello, anybody", "again": "Hello, anybody", "lines": 2},
        "one client": {"word": "Hello, anybody", "again": "Hello, anybody", "lines": 2},
    }


async def test_a_function_is_called_with_its_dependencies_outside_of_a_request() -> None:
    assert await user_injection.visit_without_a_request(user_injection.create_app()) == 2 * 1_700_000_000 + 2


@pytest.fixture(scope="module")
def answers() -> dict[str, object]:
    return user_inputs.visit(user_inputs.create_app())


@pytest.mark.parametrize(
    ("what", "answer"),
    [
        ("show", {"name": "item 7", "price": 1.5, "tags": ["a", "b"]}),
        ("refused", 422),
        (
            "search",
            {
                "q": "x",
                "limit": 10,
                "colour": None,
                "since": "2024-01-31",
                "price": "0",
                "sort": "name",
                "tags": ["a"],
            },
        ),
        ("find", {"items": [{"name": "x", "price": 1.0, "tags": []}], "total": 10}),
        ("whole", {"limit": 5, "id": "r1", "theme": "light"}),
        ("login", "Ada"),
        ("upload", {"size": 3, "title": "t", "raw": 0, "more": 0, "copies": 1}),
        ("created", 201),
        ("many", [{"name": "n", "price": 2.0, "tags": []}]),
        ("address", {"street": "s", "city": "PARIS"}),
        ("person", {"name": "Ada", "age": 0}),
        ("parcel", 202),
        ("account", {"email": "a@b", "age": 3}),
        ("either", {"given": False, "noted": True}),
        ("text", "ABC"),
        ("patched", {"name": "item 7", "price": 3.0, "tags": []}),
    ],
)
def test_an_input_arrives_as_its_annotation_says(answers: dict[str, object], what: str, answer: object) -> None:
    assert answers[what] == answer


def test_a_path_header_and_cookie_arrive_together(answers: dict[str, object]) -> None:
    key = answers["key"]

    assert isinstance(key, dict)
    assert (key["key"], key["session"], key["theme"]) == (f"{7:032x}", "1", "dark")


def test_the_document_is_a_dict() -> None:
    assert user_inputs.described(user_inputs.create_app()) == ["openapi", "info", "paths"]
