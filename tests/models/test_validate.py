"""Outside of a request a value is checked as a body would be, and told the same."""

import msgspec
import pytest
from pydantic import BaseModel

from nexios import NexiosApp
from nexios.errors import InvalidInput
from nexios.models import validate
from nexios.testing import TestClient


class Line(msgspec.Struct):
    name: str
    count: int = 1


class Order(msgspec.Struct):
    lines: list[Line]


class Person(BaseModel):
    age: int


def test_a_value_that_fits_is_made_of_the_type() -> None:
    assert validate(Order, {"lines": [{"name": "pen"}]}) == Order([Line("pen")])
    assert validate(int | None, None) is None
    assert validate(Person, {"age": 3}) == Person(age=3)


def test_an_object_of_the_type_is_returned_as_it_is() -> None:
    order, person = Order([]), Person(age=3)

    assert validate(Order, order) is order
    assert validate(Person, person) is person


def test_text_is_no_number() -> None:
    with pytest.raises(InvalidInput):
        validate(int, "5")


async def test_the_errors_are_those_that_a_client_would_get() -> None:
    wrong = {"lines": [{"count": "x"}, {"name": 5}]}
    app = NexiosApp()

    @app.post("/")
    async def create(order: Order) -> None: ...

    async with TestClient(app) as client:
        told = (await client.post("/", json=wrong)).json()["errors"]
    with pytest.raises(InvalidInput) as caught:
        validate(Order, wrong)

    assert list(caught.value.errors) == told
    assert [error["pointer"] for error in told] == ["/lines/0/name", "/lines/0/count", "/lines/1/name"]
    assert caught.value.__notes__[0] == "/lines/0/name is required"


async def test_in_a_handler_it_answers_for_itself() -> None:
    app = NexiosApp()

    @app.get("/")
    async def index() -> None:
        validate(Person, {"age": "x"})

    async with TestClient(app) as client:
        answer = await client.get("/")

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/age")


def test_the_whole_is_called_so_in_a_traceback() -> None:
    with pytest.raises(InvalidInput) as caught:
        validate(Order, [])

    assert caught.value.__notes__ == ["(the whole) must be an object"]
