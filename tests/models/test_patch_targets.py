"""A patch of a model can be applied to whatever has its fields, and makes the model of it."""

import dataclasses
from typing import Any, NotRequired, TypedDict

import attrs
import msgspec
import pytest
from pydantic import BaseModel

from nexios.errors import InvalidInput
from nexios.models.adapter import adapt
from nexios.models.patch import Patch


class AddressStruct(msgspec.Struct, rename="camel"):
    city_name: str


class Struct(msgspec.Struct, rename="camel"):
    full_name: str
    age: int = 1
    home: AddressStruct | None = None
    others: list[AddressStruct] = []
    named: dict[str, AddressStruct] = {}


@dataclasses.dataclass
class AddressDataclass:
    city_name: str


@dataclasses.dataclass
class Dataclass:
    full_name: str
    age: int = 1
    home: AddressDataclass | None = None
    others: list[AddressDataclass] = dataclasses.field(default_factory=list)
    named: dict[str, AddressDataclass] = dataclasses.field(default_factory=dict)


@attrs.define
class AddressAttrs:
    city_name: str


@attrs.define
class Attrs:
    full_name: str
    age: int = 1
    home: AddressAttrs | None = None
    others: list[AddressAttrs] = attrs.Factory(list[AddressAttrs])
    named: dict[str, AddressAttrs] = attrs.Factory(dict[str, AddressAttrs])


class AddressPydantic(BaseModel):
    city_name: str


class Pydantic(BaseModel):
    full_name: str
    age: int = 1
    home: AddressPydantic | None = None
    others: list[AddressPydantic] = []
    named: dict[str, AddressPydantic] = {}


class AddressTypedDict(TypedDict):
    city_name: str


class Typed(TypedDict):
    full_name: str
    age: NotRequired[int]
    home: NotRequired[AddressTypedDict | None]
    others: NotRequired[list[AddressTypedDict]]
    named: NotRequired[dict[str, AddressTypedDict]]


PAIRS: list[tuple[Any, Any]] = [
    (Struct, AddressStruct),
    (Dataclass, AddressDataclass),
    (Attrs, AddressAttrs),
    (Pydantic, AddressPydantic),
    (Typed, AddressTypedDict),
]


def made(model: Any, address: Any, age: int) -> Any:
    one = address(city_name="Rome")
    return model(full_name="Ada", age=age, home=one, others=[one], named={"a": one})


@pytest.mark.parametrize("other", PAIRS, ids=lambda pair: pair[0].__name__)
@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair[0].__name__)
def test_each_kind_of_model_can_be_made_of_each_other(pair: Any, other: Any) -> None:
    patch = adapt(Patch[pair[0]]).decode_json(b'{"age": 3}')

    assert patch.apply(made(other[0], other[1], 1)) == made(pair[0], pair[1], 3)


@pytest.mark.parametrize("other", PAIRS, ids=lambda pair: pair[0].__name__)
def test_a_model_inside_is_patched_in_its_place(other: Any) -> None:
    patch = adapt(Patch[Struct]).decode_json(b'{"home": {"cityName": "Oslo"}}')

    assert patch.apply(made(other[0], other[1], 1)).home == AddressStruct("Oslo")


@pytest.mark.parametrize("kind", [model for model, _ in PAIRS])
@pytest.mark.parametrize(
    "target", [None, 5, "ada", object(), ["ada"], AddressStruct("Rome")], ids=lambda target: type(target).__name__
)
def test_what_has_not_the_fields_is_the_developers_mistake_and_not_the_clients(kind: Any, target: Any) -> None:
    patch = adapt(Patch[kind]).decode_json(b'{"age": 3}')

    with pytest.raises(TypeError) as caught:
        patch.apply(target)

    name = "None" if target is None else f"a {type(target).__name__}"
    assert (
        f"Patch[{kind.__name__}].apply() takes a {kind.__name__}, or a dict or an object with its fields, not {name}"
        in (str(caught.value))
    )


def test_an_object_that_lacks_a_field_is_enough_when_the_patch_has_it() -> None:
    class Row:
        age = 7

    patch: Patch[Struct] = adapt(Patch[Struct]).decode_json(b'{"fullName": "Ada"}')

    assert patch.apply(Row()) == Struct("Ada", 7)  # type: ignore[arg-type]  # a row of an ORM


def test_a_dict_is_what_a_client_began_to_fill_so_what_is_missing_is_told_to_it() -> None:
    patch = adapt(Patch[Struct]).decode_json(b'{"age": 3}')

    with pytest.raises(InvalidInput) as caught:
        patch.apply({"home": None})

    assert [error["pointer"] for error in caught.value.errors] == ["/fullName"]
