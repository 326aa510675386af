"""Which backend has a type, and what is a developer told when none has?"""

import dataclasses
import enum
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypedDict, TypeVar

import attrs
import msgspec
import pydantic
import pytest

from nexios.errors import ConfigurationError
from nexios.models.adapter import DEFAULT_BACKENDS, adapt, holds_model, is_model
from nexios.models.backend import SchemaMode, TypeBackend
from nexios.models.msgspec_backend import MsgspecBackend
from nexios.models.problems import Invalid, Problem

Item = TypeVar("Item")


class Struct(msgspec.Struct):
    id: int


class Box(msgspec.Struct, Generic[Item]):
    item: Item


@dataclasses.dataclass
class Data:
    id: int


class Typed(TypedDict):
    id: int


@attrs.define
class Attrs:
    id: int


class Model(pydantic.BaseModel):
    id: int


class Tuple(NamedTuple):
    id: int


class Strange:
    pass


@pytest.mark.parametrize("kind", [Struct, Box[int], Data, Typed, Attrs, Model, Annotated[Struct, "x"]], ids=str)
def test_a_class_with_declared_fields_is_a_model(kind: Any) -> None:
    assert is_model(kind)
    assert holds_model(list[kind])
    assert holds_model(kind | None)
    assert holds_model(dict[str, list[kind]])


@pytest.mark.parametrize(
    "kind", [int, dict, dict[str, int], Tuple, Literal["a"], None, Any, Strange, "Struct"], ids=str
)
def test_other_types_are_no_models(kind: Any) -> None:
    assert not is_model(kind)
    assert not holds_model(kind)


def test_a_type_is_adapted_once() -> None:
    assert adapt(list[Struct]) is adapt(list[Struct])
    assert adapt(Struct).decode_json is adapt(Struct).decode_json


def test_a_type_that_cannot_be_hashed_is_adapted_too() -> None:
    kind = Annotated[int, ["a list"]]

    assert adapt(kind).decode_json(b"1") == 1


def test_pydantic_has_its_own_models_and_msgspec_the_rest() -> None:
    assert adapt(Model).backend.name == "pydantic"
    assert adapt(list[Struct]).backend.name == "msgspec"


class Mixed(enum.Enum):
    A = 1
    B = "b"


class Holder(msgspec.Struct):
    strange: list[Strange]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Strange, "test_adapter.Strange is no type that is known here"),
        (list[Strange], "test_adapter.Strange is no type that is known here"),
        (Holder, "test_adapter.Strange is no type that is known here"),
        (complex, "builtins.complex is no type that is known here"),
        (Mixed, "Enums must contain either all str or all int values"),
        (Struct | Data, "more than one dict-like type"),
    ],
    ids=str,
)
def test_a_type_that_nobody_handles_is_named_with_what_can_be_used(kind: Any, words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        adapt(kind)

    text = str(caught.value)
    assert words in text
    assert "no type backend handles" in text
    assert "Use a msgspec.Struct, dataclass" in text


class Celsius:
    """A class that a project has a backend for."""

    def __init__(self, degrees: float) -> None:
        self.degrees = degrees


class CelsiusBackend:
    """The least that a backend is: everything by way of one number."""

    name = "celsius"

    def handles(self, kind: Any) -> bool:
        return kind is Celsius

    def json_decoder(self, kind: Any) -> Callable[[bytes], Any]:
        return lambda body: self._made(msgspec.json.decode(body))

    def msgpack_decoder(self, kind: Any) -> Callable[[bytes], Any]:
        return lambda body: self._made(msgspec.msgpack.decode(body))

    def converter(self, kind: Any, *, from_text: bool) -> Callable[[Any], Any]:
        return self._made

    def to_json(self, kind: Any) -> Callable[[Any], bytes]:
        return lambda value: msgspec.json.encode(value.degrees)

    def to_msgpack(self, kind: Any) -> Callable[[Any], bytes]:
        return lambda value: msgspec.msgpack.encode(value.degrees)

    def schemas(
        self, kinds: Sequence[Any], *, mode: SchemaMode, ref_template: str
    ) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
        return [{"$ref": ref_template.format(name="Celsius")} for _ in kinds], {"Celsius": {"type": "number"}}

    def _made(self, value: object) -> Celsius:
        if not isinstance(value, int | float):
            raise Invalid([Problem("", "type", "must be a temperature")])
        return Celsius(value)


class Weather(msgspec.Struct):
    low: Celsius
    days: list[Celsius] = []
    best: Celsius | None = None


CELSIUS = CelsiusBackend()
BACKENDS: tuple[TypeBackend, ...] = (CELSIUS, MsgspecBackend((CELSIUS,)), *DEFAULT_BACKENDS)


def test_a_backend_of_a_project_has_its_classes_alone_and_inside_models() -> None:
    assert adapt(Celsius, BACKENDS).decode_json(b"5").degrees == 5
    weather = adapt(Weather, BACKENDS)

    read = weather.decode_json(b'{"low":1,"days":[2,3]}')

    assert (read.low.degrees, [day.degrees for day in read.days]) == (1, [2, 3])
    assert weather.to_json(read) == b'{"low":1,"days":[2,3],"best":null}'
    assert weather.decode_msgpack(weather.to_msgpack(read)).low.degrees == 1
    assert weather.convert({"low": Celsius(4)}).low.degrees == 4


def test_the_problems_of_another_backend_are_placed_where_they_are() -> None:
    with pytest.raises(Invalid) as caught:
        adapt(Weather, BACKENDS).decode_json(b'{"low":"x","days":[1,null],"best":"y"}')

    assert [(problem.pointer, problem.detail) for problem in caught.value.problems] == [
        ("/low", "must be a temperature"),
        ("/days/1", "must be a temperature"),
        ("/best", "must be a temperature"),
    ]


def test_the_schemas_of_another_backend_are_components_beside_ours() -> None:
    schema, components = adapt(Weather, BACKENDS).schema(mode="input", ref_template="#/{name}")

    assert schema == {"$ref": "#/Weather"}
    assert components["Celsius"] == {"type": "number"}
    assert components["Weather"]["properties"]["low"] == {"$ref": "#/Celsius"}


class Account(msgspec.Struct):
    owner: Model
    others: list[Model] = []


class Secret(Model):
    password: str = "secret"


def test_pydantic_models_may_be_fields_of_structs() -> None:
    account = adapt(Account)

    assert account.decode_json(b'{"owner":{"id":1}}') == Account(Model(id=1))
    assert account.to_json(Account(Secret(id=1), [Secret(id=2)])) == b'{"owner":{"id":1},"others":[{"id":2}]}'
    with pytest.raises(Invalid) as caught:
        account.decode_json(b'{"owner":{"id":"x"},"others":[{}]}')
    assert [problem.pointer for problem in caught.value.problems] == ["/owner/id", "/others/0/id"]
