"""A patch holds what was given and nothing else; null, absent and nested are three things."""

import dataclasses
import datetime
import json
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from types import GenericAlias
from typing import Annotated, Any, Generic, NotRequired, Optional, Required, TypedDict, TypeVar

import attrs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import (
    AliasChoices,
    AliasPath,
    BaseModel,
    ConfigDict,
    Field,
    RootModel,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.dataclasses import dataclass as pydantic_dataclass

from nexios.errors import ConfigurationError, InvalidInput
from nexios.models.backend import Malformed
from nexios.models.msgspec_backend import MsgspecBackend
from nexios.models.patch import Patch, merge
from nexios.models.patch_backend import PatchBackend
from nexios.models.problems import MAX_PROBLEMS, Invalid
from nexios.models.pydantic_backend import PydanticBackend

PYDANTIC = PydanticBackend()
BACKEND = PatchBackend((PYDANTIC, MsgspecBackend((PYDANTIC,))))
T = TypeVar("T")


class Address(msgspec.Struct):
    city: Annotated[str, msgspec.Meta(min_length=2)]
    postcode: str | None = None


class User(msgspec.Struct, rename="camel"):
    full_name: Annotated[str, msgspec.Meta(min_length=2)]
    age: int = 18
    nick: str | None = None
    address: Address | None = None
    tags: list[str] = []
    labels: dict[str, int] = {}
    homes: dict[str, Address] = {}
    price: Decimal = Decimal(0)
    anything: Any = None
    boss: Optional["User"] = None

    def __post_init__(self) -> None:
        if self.age == 13 and self.nick is not None:
            raise ValueError("has no nick at that age")


class Admin(User):
    rights: list[str] = []


@cache
def decoder(kind: Any) -> Callable[[bytes], Any]:
    return BACKEND.json_decoder(kind)


def read(kind: Any, document: object) -> Any:
    return decoder(kind)(json.dumps(document).encode())


def told(kind: Any, document: object) -> list[tuple[str, str, str]]:
    """What a client is told of a document."""
    with pytest.raises(Invalid) as caught:
        read(kind, document)
    return [(each.pointer, each.code, each.detail) for each in caught.value.problems]


def refused(patch: Any, target: object) -> list[dict[str, str]]:
    """What a client is told when the whole does not fit."""
    with pytest.raises(InvalidInput) as caught:
        patch.apply(target)
    return [dict(error) for error in caught.value.errors]


class Row:
    """An object of an ORM, as far as we know it."""

    def __init__(self, **columns: Any) -> None:
        self.__dict__.update(columns)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


# What is given


def test_a_patch_knows_what_was_given() -> None:
    patch = read(Patch[User], {"fullName": "Ada", "nick": None})

    assert dict(patch.fields) == {"full_name": "Ada", "nick": None}
    assert "nick" in patch
    assert "age" not in patch
    assert (patch.get("nick", "x"), patch.get("age"), patch.get("age", 3)) == (None, None, 3)
    assert (list(patch), len(patch), bool(patch)) == (["full_name", "nick"], 2, True)


def test_an_empty_patch_is_false_and_changes_nothing() -> None:
    patch = read(Patch[User], {})
    user = User("Ada")

    assert not patch
    assert patch.apply(user) == user
    assert patch.apply(user) is not user


def test_fields_cannot_be_changed_from_outside() -> None:
    patch = read(Patch[User], {"age": 3})

    with pytest.raises(TypeError):
        patch.fields["age"] = 4


def test_the_text_of_a_patch_has_names_and_no_values() -> None:
    assert repr(read(Patch[User], {"fullName": "s3cret", "age": 3})) == "<Patch of User: full_name, age>"
    assert repr(read(Patch[User], {})) == "<Patch of User: nothing>"


def test_patches_are_equal_when_they_change_the_same() -> None:
    assert read(Patch[User], {"age": 3}) == read(Patch[User], {"age": 3})
    assert read(Patch[User], {"age": 3}) != read(Patch[User], {"age": 4})
    assert read(Patch[User], {}) != 3


# Null


def test_null_is_kept_where_the_field_may_be_none() -> None:
    patch = read(Patch[User], {"nick": None, "address": None, "anything": None})

    assert dict(patch.fields) == {"nick": None, "address": None, "anything": None}
    assert patch.apply(User("Ada", nick="a", address=Address("Rome"))) == User("Ada")


def test_null_puts_a_field_back_to_its_default() -> None:
    patch = read(Patch[User], {"age": None, "tags": None})

    assert patch.apply(User("Ada", age=5, tags=["a"])) == User("Ada", age=18, tags=[])


def test_a_default_is_made_anew_for_each_patch() -> None:
    decode = BACKEND.json_decoder(Patch[User])

    assert decode(b'{"tags": null}').get("tags") is not decode(b'{"tags": null}').get("tags")


def test_null_is_a_fault_where_there_is_neither_none_nor_default() -> None:
    assert told(Patch[User], {"fullName": None}) == [("/fullName", "type", "must be a string")]


# Problems


def test_all_problems_are_told_at_once_with_names_on_the_wire() -> None:
    document = {
        "fullName": "A",
        "age": "x",
        "address": {"city": "R", "postcode": 3},
        "tags": [1],
        "labels": {"a": None, "b": "x"},
        "homes": {"h/1": {"city": 3}},
        "boss": {"boss": {"age": "x"}},
    }

    assert sorted(told(Patch[User], document)) == [
        ("/address/city", "too_short", "must have at least 2 characters"),
        ("/address/postcode", "type", "must be a string or null"),
        ("/age", "type", "must be an integer"),
        ("/boss/boss/age", "type", "must be an integer"),
        ("/fullName", "too_short", "must have at least 2 characters"),
        ("/homes/h~11/city", "type", "must be a string"),
        ("/labels/b", "type", "must be an integer"),
        ("/tags/0", "type", "must be a string"),
    ]


@pytest.mark.parametrize("document", [[], None, 3, "x"])
def test_a_patch_is_an_object(document: object) -> None:
    assert told(Patch[User], document) == [("", "type", "must be an object")]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[1,", b'{"age": 1e999}', b'{"age": 1,}', b'{"tags": ["\xff"]}', b'{"address": {"city"}}']
)
def test_what_is_not_json_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed) as caught:
        BACKEND.json_decoder(Patch[User])(body)

    assert caught.value.code == "malformed_json"


def test_at_most_a_hundred_problems_are_told() -> None:
    class Strict(msgspec.Struct, forbid_unknown_fields=True):
        homes: dict[str, Address] = {}

    assert len(told(Patch[Strict], {str(number): 1 for number in range(500)})) == MAX_PROBLEMS
    assert len(told(Patch[Strict], {"homes": {str(number): 1 for number in range(500)}})) == MAX_PROBLEMS


def test_unknown_fields_follow_the_rule_of_the_model() -> None:
    class Strict(msgspec.Struct, forbid_unknown_fields=True, tag_field="kind", tag="strict"):
        size: int = 0

    assert read(Patch[User], {"surplus": 1, "__class__": 1, "__post_init__": 1}).fields == {}
    assert told(Patch[Strict], {"surplus": 1}) == [("/surplus", "unknown_field", "is not a known field")]
    assert read(Patch[Strict], {"kind": "strict", "size": 3}).fields == {"size": 3}
    assert told(Patch[Strict], {"kind": "other"}) == [("/kind", "unknown_tag", "must be 'strict'")]


# Applying


def test_models_inside_are_patched_and_lists_are_replaced() -> None:
    user = User("Ada", address=Address("Rome", "1"), tags=["a", "b"], price=Decimal("0.1"))
    body = b'{"address": {"postcode": "2"}, "tags": ["c"], "price": 1.10}'

    changed = BACKEND.json_decoder(Patch[User])(body).apply(user)

    assert changed == User("Ada", address=Address("Rome", "2"), tags=["c"], price=Decimal("1.10"))
    assert user.address == Address("Rome", "1")


def test_keys_of_a_dict_are_set_and_removed() -> None:
    patch = read(Patch[User], {"labels": {"a": None, "b": 2}, "homes": {"x": {"postcode": "9"}, "y": {"city": "Oslo"}}})
    user = User("Ada", labels={"a": 1, "c": 3}, homes={"x": Address("Rome")})

    changed = patch.apply(user)

    assert changed.labels == {"b": 2, "c": 3}
    assert changed.homes == {"x": Address("Rome", "9"), "y": Address("Oslo")}
    assert user.labels == {"a": 1, "c": 3}


def test_dicts_in_dicts_are_merged_too() -> None:
    class Settings(msgspec.Struct):
        of: dict[str, dict[str, int]] = {}
        loose: dict[str, Any] = {}

    patch = read(
        Patch[Settings], {"of": {"a": {"x": None, "y": 1}, "b": {"z": 2}}, "loose": {"a": {"b": None, "c": 1}}}
    )

    assert patch.apply(Settings({"a": {"x": 1}}, {"a": {"b": 1}})) == Settings(
        {"a": {"y": 1}, "b": {"z": 2}}, {"a": {"c": 1}}
    )


def test_a_model_that_is_not_there_is_made_from_the_patch() -> None:
    assert read(Patch[User], {"address": {"city": "Rome"}}).apply(User("Ada")).address == Address("Rome")
    assert refused(read(Patch[User], {"address": {"postcode": "1"}, "homes": {"h": {}}}), User("Ada")) == [
        {"in": "body", "pointer": "/address/city", "code": "missing", "detail": "is required"},
        {"in": "body", "pointer": "/homes/h/city", "code": "missing", "detail": "is required"},
    ]


def test_the_whole_is_validated_again() -> None:
    patch = read(Patch[User], {"age": 13})

    assert patch.apply(User("Ada")).age == 13
    assert refused(patch, User("Ada", nick="a")) == [
        {"in": "body", "pointer": "", "code": "invalid", "detail": "has no nick at that age"}
    ]


def test_what_validates_a_model_inside_points_to_it() -> None:
    patch = read(Patch[User], {"boss": {"age": 13}})

    (error,) = refused(patch, User("Ada", boss=User("Bob", nick="b")))

    assert error["pointer"] == "/boss"


def test_a_dict_is_measured_after_the_merge() -> None:
    class Few(msgspec.Struct):
        of: Annotated[dict[str, int], msgspec.Meta(max_length=2)] = {}
        homes: Annotated[dict[str, Address], msgspec.Meta(max_length=1)] = {}

    patch = read(Patch[Few], {"of": {"c": 3}})

    assert patch.apply(Few({"a": 1})).of == {"a": 1, "c": 3}
    assert refused(patch, Few({"a": 1, "b": 2}))[0]["pointer"] == "/of"
    assert refused(read(Patch[Few], {"homes": {"b": {"city": "Rome"}}}), Few(homes={"a": Address("Oslo")}))[0][
        "code"
    ] == ("too_long")


def test_a_subclass_stays_one() -> None:
    changed = read(Patch[User], {"age": 3}).apply(Admin("Ada", rights=["some"]))

    assert changed == Admin("Ada", age=3, rights=["some"])


def test_a_dict_or_a_row_may_be_made_into_the_model() -> None:
    patch = read(Patch[User], {"age": 3})

    assert patch.apply({"full_name": "Ada", "password": "x"}) == User("Ada", age=3)
    assert patch.apply(Row(full_name="Ada", password="x")) == User("Ada", age=3)
    assert refused(patch, {})[0]["pointer"] == "/fullName"


def test_unions_of_several_models_are_replaced() -> None:
    class Cat(msgspec.Struct, tag=True):
        lives: int
        name: str = ""

    class Dog(msgspec.Struct, tag=True):
        age: int

    class Owner(msgspec.Struct):
        pet: Cat | Dog

    patch = read(Patch[Owner], {"pet": {"type": "Cat", "lives": 3}})

    assert patch.get("pet") == Cat(3)
    assert patch.apply(Owner(Cat(9, "Tom"))) == Owner(Cat(3))
    assert told(Patch[Owner], {"pet": {"type": "Cat"}}) == [("/pet/lives", "missing", "is required")]


# Objects of others


def test_a_row_gets_the_declared_fields_and_no_others() -> None:
    """ASVS 15.3.3: mass assignment."""
    row = Row(full_name="Ada", is_admin=False)

    read(Patch[User], {"fullName": "Bob", "is_admin": True, "isAdmin": True, "__class__": 1, "__dict__": {}}).apply_to(
        row
    )

    assert row.__dict__ == {"full_name": "Bob", "is_admin": False}


def test_objects_in_a_row_are_changed_in_place() -> None:
    address = Row(city="Rome", secret="s")
    row = Row(address=address, labels={"a": 1}, anything={"x": {"y": 1}}, nick="a")

    patch = {"address": {"postcode": "1"}, "labels": {"b": 2}, "anything": {"x": {"z": 2}}, "nick": None}
    read(Patch[User], patch).apply_to(row)

    assert row.address is address
    assert address.__dict__ == {"city": "Rome", "secret": "s", "postcode": "1"}
    assert (row.labels, row.anything, row.nick) == ({"a": 1, "b": 2}, {"x": {"y": 1, "z": 2}}, None)


def test_a_column_of_json_gets_a_new_dict() -> None:
    column = {"city": "Rome", "other": 1}
    row = Row(address=column, boss={"address": {"city": "Oslo"}})

    read(Patch[User], {"address": {"city": "Bonn"}, "boss": {"address": {"city": "Kiel"}}}).apply_to(row)

    assert row.address == {"city": "Bonn", "other": 1}
    assert column == {"city": "Rome", "other": 1}
    assert row.boss == {"address": {"city": "Kiel"}}


def test_a_dict_may_be_changed_in_place() -> None:
    record: dict[str, Any] = {"full_name": "Ada", "more": 1}

    read(Patch[User], {"fullName": "Bob", "age": None}).apply_to(record)

    assert record == {"full_name": "Bob", "age": 18, "more": 1}


def test_nothing_is_set_when_something_does_not_fit() -> None:
    row = Row(full_name="Ada", boss=Row(full_name="Bob"))
    patch = read(Patch[User], {"fullName": "Cid", "boss": {"fullName": "Dan", "address": {"postcode": "1"}}})

    with pytest.raises(InvalidInput) as caught:
        patch.apply_to(row)

    assert caught.value.errors[0]["pointer"] == "/boss/address/city"
    assert (row.full_name, row.boss.full_name) == ("Ada", "Bob")


def test_what_cannot_change_is_replaced() -> None:
    class Fixed(msgspec.Struct, frozen=True):
        x: int = 0
        y: int = 0

    class Holder(msgspec.Struct):
        fixed: Fixed

    row = Row(fixed=Fixed(1, 2))
    read(Patch[Holder], {"fixed": {"x": 5}}).apply_to(row)

    assert row.fixed == Fixed(5, 2)


# Other kinds of models


@dataclasses.dataclass
class Item(Generic[T]):
    id: int
    value: T
    tags: list[T] = dataclasses.field(default_factory=list)
    double: int = dataclasses.field(init=False, default=0)

    def __post_init__(self) -> None:
        self.double = self.id * 2


def test_a_dataclass_is_patched() -> None:
    patch = read(Patch[Item[str]], {"id": 4, "double": 9, "tags": ["a"]})

    assert dict(patch.fields) == {"id": 4, "tags": ["a"]}
    assert patch.apply(Item(1, "x")).double == 8
    assert patch.apply({"id": 1, "value": "x"}) == Item(4, "x", ["a"])
    assert told(Patch[Item[str]], {"value": 3}) == [("/value", "type", "must be a string")]


@attrs.define
class Part:
    size: int = attrs.field(validator=attrs.validators.ge(1))
    _weight: int = attrs.field(default=3)
    names: list[str] = attrs.Factory(list)
    copies: int = attrs.field(default=attrs.Factory(lambda self: self.size, takes_self=True))

    @_weight.validator
    def _is_light(self, attribute: object, value: int) -> None:
        if value > self.size:
            raise ValueError("is too heavy")


def test_an_attrs_class_is_patched_and_its_validators_run() -> None:
    patch = read(Patch[Part], {"size": 4, "_weight": 4, "names": None})

    assert patch.apply(Part(9, 2, ["a"])) == Part(4, 4, [], 9)
    assert patch.apply({}) == Part(4, 4)
    assert told(Patch[Part], {"size": 0}) == [("/size", "invalid", "is invalid")]
    assert refused(read(Patch[Part], {"_weight": 5}), Part(4))[0]["detail"] == "is too heavy"
    assert told(Patch[Part], {"copies": None}) == [("/copies", "type", "must be an integer")]


class Record(TypedDict):
    id: Required[int]
    name: NotRequired[Annotated[str, msgspec.Meta(max_length=3)]]
    address: NotRequired[Address]


def test_a_typed_dict_is_patched_into_a_new_one() -> None:
    record: Record = {"id": 1, "name": "a"}

    assert read(Patch[Record], {"name": "b", "address": {"city": "Rome"}}).apply(record) == {
        "id": 1,
        "name": "b",
        "address": Address("Rome"),
    }
    assert read(Patch[Record], {"name": None}).apply(record) == {"id": 1}
    assert record == {"id": 1, "name": "a"}
    assert refused(read(Patch[Record], {"name": "b"}), {})[0]["pointer"] == "/id"
    assert [code for _, code, _ in told(Patch[Record], {"name": "long", "id": None})] == ["too_long", "type"]


def test_a_removed_key_is_none_on_a_row_and_gone_from_a_dict() -> None:
    patch = read(Patch[Record], {"name": None})
    row, record = Row(name="a"), {"name": "a"}

    patch.apply_to(row)
    patch.apply_to(record)

    assert (row.name, record) == (None, {})


# Pydantic


class Place(BaseModel):
    city: Annotated[str, Field(min_length=2)]
    postcode: str | None = None


class Person(BaseModel):
    id: int = Field(default=0, frozen=True)
    name: str = Field(alias="fullName")
    email: str = "a@b"
    age: int = 18
    born: datetime.datetime = Field(default_factory=lambda: datetime.datetime(2000, 1, 1))
    place: Place | None = None
    labels: Annotated[dict[str, int], Field(max_length=2)] = {}
    friends: list["Person"] = []
    boss: Optional["Person"] = None

    @field_validator("email")
    @classmethod
    def has_an_at(cls, value: str) -> str:
        if "@" not in value:
            raise ValueError("needs an @")
        return value.lower()

    @model_validator(mode="after")
    def has_luck(self) -> "Person":
        if self.age == 13:
            raise ValueError("is unlucky")
        return self


def person(**values: Any) -> Person:
    return Person.model_validate({"fullName": "Ada", **values})


def test_a_pydantic_model_is_patched() -> None:
    before = person(email="x@y", age=4, place={"city": "Rome"}, labels={"a": 1})
    document = {
        "fullName": "Bob",
        "email": "Q@R",
        "age": None,
        "place": {"postcode": "1"},
        "labels": {"a": None, "b": 2},
    }

    patch = read(Patch[Person], {**document, "friends": [{"fullName": "Cid"}], "born": None, "surplus": 1})

    assert patch.get("email") == "q@r"
    assert "surplus" not in patch
    assert patch.apply(before) == person(
        fullName="Bob",
        email="q@r",
        place={"city": "Rome", "postcode": "1"},
        labels={"b": 2},
        friends=[{"fullName": "Cid"}],
    )


def test_all_problems_of_a_pydantic_model_are_told() -> None:
    document: dict[str, Any] = {
        "id": 1,
        "fullName": None,
        "email": "x",
        "age": "x",
        "place": {"city": "x"},
        "labels": {"a": "x"},
        "friends": [{}],
        "boss": {"boss": {"age": "x"}, "place": 3},
    }

    assert sorted(told(Patch[Person], document)) == [
        ("/age", "type", "must be an integer"),
        ("/boss/boss/age", "type", "must be an integer"),
        ("/boss/place", "type", "must be an object"),
        ("/email", "invalid", "needs an @"),
        ("/friends/0/fullName", "missing", "is required"),
        ("/fullName", "type", "must be a string"),
        ("/id", "invalid", "cannot be changed"),
        ("/labels/a", "type", "must be an integer"),
        ("/place/city", "too_short", "must have at least 2 characters"),
    ]


def test_validators_of_a_pydantic_model_see_the_whole() -> None:
    patch = read(Patch[Person], {"age": 13, "boss": {"age": 13}})

    assert [error["pointer"] for error in refused(patch, person(boss={"fullName": "Bob"}))] == ["/boss"]
    assert refused(read(Patch[Person], {"age": 13}), person())[0]["detail"] == "is unlucky"
    assert refused(read(Patch[Person], {"boss": {"age": 3}}), person())[0]["pointer"] == "/boss/fullName"
    assert (
        refused(read(Patch[Person], {"labels": {"c": 1}}), person(labels={"a": 1, "b": 1}))[0]["pointer"] == "/labels"
    )


def test_what_was_never_set_stays_so() -> None:
    changed = read(Patch[Person], {"age": 3}).apply(person(email="x@y"))

    assert changed.model_dump(exclude_unset=True, by_alias=True) == {"fullName": "Ada", "email": "x@y", "age": 3}


def test_a_subclass_of_a_pydantic_model_stays_one() -> None:
    class Chief(Person):
        rank: int = 1

    chief = Chief.model_validate({"fullName": "Ada", "rank": 5})
    changed = read(Patch[Person], {"age": 3, "rank": 9}).apply(chief)

    assert (type(changed), changed.age, changed.rank) == (Chief, 3, 5)


def test_extra_fields_are_taken_where_a_pydantic_model_allows_them_but_never_set_on_a_row() -> None:
    class Open(BaseModel):
        model_config = ConfigDict(extra="allow")
        size: int = 0

    patch = read(Patch[Open], {"size": 1, "more": 2})
    row = Row(size=0)
    patch.apply_to(row)

    assert patch.apply(Open.model_validate({"old": 1})).model_dump() == {"size": 1, "old": 1, "more": 2}
    assert row.__dict__ == {"size": 1}
    assert bool(read(Patch[Open], {"more": 2}))


def test_extra_fields_are_a_fault_where_a_pydantic_model_forbids_them() -> None:
    class Closed(BaseModel):
        model_config = ConfigDict(extra="forbid", strict=True)
        day: datetime.date | None = None

    assert told(Patch[Closed], {"more": 2}) == [("/more", "unknown_field", "is not a known field")]
    assert read(Patch[Closed], {"day": "2026-01-02"}).get("day") == datetime.date(2026, 1, 2)


def test_a_field_validator_sees_the_fields_that_were_given() -> None:
    class Form(BaseModel):
        password: str
        again: str

        @field_validator("again")
        @classmethod
        def is_the_same(cls, value: str, info: ValidationInfo) -> str:
            if info.data["password"] != value:
                raise ValueError("is not the same")
            return value

    assert read(Patch[Form], {"password": "a", "again": "a"}).fields == {"password": "a", "again": "a"}
    assert told(Patch[Form], {"password": "a", "again": "b"}) == [("/again", "invalid", "is not the same")]
    assert told(Patch[Form], {"again": "b"}) == [("", "invalid", "lacks a field that another one is checked with")]


def test_a_field_of_several_names_takes_any_of_them() -> None:
    class Model(BaseModel):
        size: int = Field(default=0, validation_alias=AliasChoices("size", "sz", AliasPath("deep", "size")))

    assert read(Patch[Model], {"sz": 3}).apply(Model()).size == 3


def test_a_dataclass_of_pydantic_is_patched() -> None:
    @pydantic_dataclass
    class Point:
        x: int
        y: Annotated[int, Field(ge=0)] = 0

    patch = read(Patch[Point], {"y": 3})

    assert patch.apply(Point(1)) == Point(1, 3)
    assert told(Patch[Point], {"y": -1}) == [("/y", "too_small", "must be at least 0")]
    assert refused(patch, {})[0]["pointer"] == "/x"


def test_a_pydantic_model_in_a_struct_is_patched_and_the_reverse_is_not_needed() -> None:
    class Holder(msgspec.Struct):
        place: Place

    assert read(Patch[Holder], {"place": {"postcode": "1"}}).apply(Holder(Place(city="Rome"))) == Holder(
        Place(city="Rome", postcode="1")
    )


@pytest.mark.parametrize("body", [b'{"age": 1e999}', b'{"age": NaN}', b'{"surplus": 1e999, "age": 1', b"["])
def test_what_is_not_json_is_malformed_for_pydantic_too(body: bytes) -> None:
    with pytest.raises(Malformed):
        BACKEND.json_decoder(Patch[Person])(body)


# Forms of a document


@pytest.mark.parametrize("model", [User, Person])
def test_messagepack_and_builtins_are_read_as_json_is(model: Any) -> None:
    document = {"fullName": "Ada", "age": None, "labels": {"a": None, "b": 1}, "boss": {"age": 3}}
    expected = read(Patch[model], document)

    assert BACKEND.msgpack_decoder(Patch[model])(msgspec.msgpack.encode(document)) == expected
    assert BACKEND.converter(Patch[model], from_text=False)(document) == expected
    with pytest.raises(Malformed) as caught:
        BACKEND.msgpack_decoder(Patch[model])(b"\x81")
    assert caught.value.code == "malformed_msgpack"


@pytest.mark.parametrize("model", [User, Person])
def test_text_is_read_as_in_a_form(model: Any) -> None:
    patch = BACKEND.converter(Patch[model], from_text=True)({"age": "5"})

    assert patch.fields == {"age": 5}
    with pytest.raises(Invalid):
        BACKEND.converter(Patch[model], from_text=True)({"age": " 5"})


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("abc", max_size=2), inner, max_size=3),
    max_leaves=8,
)
_NAMES = ["fullName", "age", "nick", "address", "tags", "labels", "homes", "anything", "boss", "place", "city", "x"]
_DOCUMENTS = st.recursive(
    _JSON, lambda inner: st.dictionaries(st.sampled_from(_NAMES), inner, max_size=4), max_leaves=6
)


@pytest.mark.parametrize("model", [User, Person, Record, Item[int], Part])
@given(document=_DOCUMENTS)
def test_any_document_is_read_or_refused(model: Any, document: object) -> None:
    try:
        patch = read(Patch[model], document)
    except Invalid as refusal:
        assert refusal.problems
    else:
        assert isinstance(document, dict)
        assert len(patch) <= len(document)


@given(st.binary(max_size=30))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    for decode in (BACKEND.json_decoder(Patch[User]), BACKEND.msgpack_decoder(Patch[User])):
        try:
            patch = decode(body)
        except (Malformed, Invalid) as refusal:
            assert isinstance(refusal, Malformed) or refusal.problems
        else:
            assert isinstance(patch, Patch)


@given(
    before=st.dictionaries(st.text("abc", max_size=2), _JSON), change=st.dictionaries(st.text("abc", max_size=2), _JSON)
)
def test_a_patch_of_anything_does_what_the_rfc_does(before: dict[str, Any], change: dict[str, Any]) -> None:
    changed = read(Patch[Box], {"value": change}).apply(Box(before))

    assert changed.value == merge(before, change)


class Box(msgspec.Struct):
    value: dict[str, Any]


RFC_7396_APPENDIX_A: list[tuple[Any, Any, Any]] = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


@pytest.mark.parametrize(("original", "change", "result"), RFC_7396_APPENDIX_A)
def test_the_examples_of_rfc_7396_come_out(original: Any, change: Any, result: Any) -> None:
    class Open(msgspec.Struct):
        value: Any = None

    patch = read(Patch[Open], {"value": change})

    assert merge(original, change) == result
    assert patch.apply(Open(original)) == Open(result)


# The backend


def test_only_patches_are_handled() -> None:
    assert BACKEND.handles(Patch[User])
    assert BACKEND.handles(Patch)
    assert BACKEND.handles(Annotated[Patch[User], "x"])
    assert not BACKEND.handles(User)
    assert not BACKEND.handles(Annotated[User, "x"])


class Pair(msgspec.Struct, array_like=True):
    left: int


class Paths(BaseModel):
    deep: int = Field(validation_alias=AliasPath("a", "b"))


class Socket:
    pass


class Odd(msgspec.Struct):
    socket: Socket


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Patch, "Write Patch"),
        (Patch[int], "takes one model"),
        (Patch[User | Address], "takes one model"),
        (Patch[RootModel[list[int]]], "takes one model"),
        (Patch[Pair], "takes one model"),
        (Patch[Paths], "its alias is a path"),
        (Patch[Odd], "no type backend handles"),
        (Patch[Socket], "takes one model"),
    ],
)
def test_a_patch_of_what_cannot_be_patched_is_a_mistake_of_the_developer(kind: Any, text: str) -> None:
    with pytest.raises(ConfigurationError, match=text):
        BACKEND.json_decoder(kind)


def test_a_patch_is_no_answer() -> None:
    for write in (BACKEND.to_json(Patch[User]), BACKEND.to_msgpack(Patch[User])):
        with pytest.raises(ConfigurationError, match="cannot be sent"):
            write(read(Patch[User], {}))


def test_a_constraint_around_a_patch_is_passed_over() -> None:
    assert read(Annotated[Patch[User], msgspec.Meta(description="x")], {"age": 3}).fields == {"age": 3}


# Its schema


def schema_of(*models: Any) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    kinds: list[Any] = [GenericAlias(Patch, (model,)) for model in models]
    return BACKEND.schemas(kinds, mode="input", ref_template="#/components/schemas/{name}")


@pytest.mark.parametrize(("model", "patched"), [(User, "AddressPatch"), (Person, "PlacePatch")])
def test_nothing_is_required_and_nothing_has_a_default(model: Any, patched: str) -> None:
    (schema,), components = schema_of(model)
    whole = components[f"{model.__name__}Patch"]

    assert schema == {"$ref": f"#/components/schemas/{model.__name__}Patch"}
    assert patched in components
    for component in (whole, components[patched]):
        assert "required" not in component
        assert not any("default" in each for each in component["properties"].values())


def test_null_is_described_where_it_is_taken() -> None:
    _, components = schema_of(User)
    fields = components["UserPatch"]["properties"]

    assert fields["fullName"] == {"type": "string", "minLength": 2}
    assert fields["age"] == {"anyOf": [{"type": "integer"}, {"type": "null"}]}
    assert fields["nick"] == {"anyOf": [{"type": "string"}, {"type": "null"}]}
    assert fields["address"] == {"anyOf": [{"$ref": "#/components/schemas/AddressPatch"}, {"type": "null"}]}
    assert fields["boss"] == {"anyOf": [{"$ref": "#/components/schemas/UserPatch"}, {"type": "null"}]}
    assert fields["labels"]["anyOf"][0]["additionalProperties"] == {"anyOf": [{"type": "integer"}, {"type": "null"}]}
    assert set(components) == {"UserPatch", "AddressPatch"}


def test_what_is_whole_in_a_list_stays_so() -> None:
    _, components = schema_of(Person)
    friends = components["PersonPatch"]["properties"]["friends"]

    assert friends["anyOf"][0] == {"type": "array", "items": {"$ref": "#/components/schemas/Person"}}
    assert components["Person"]["required"] == ["fullName"]
    assert "id" not in components["PersonPatch"]["properties"]


def test_several_patches_are_described_at_once() -> None:
    schemas, components = schema_of(Person, User, Item[int])

    assert [schema["$ref"].rsplit("/", 1)[1] for schema in schemas] == ["PersonPatch", "UserPatch", "Item_intPatch"]
    assert "double" not in components["Item_intPatch"]["properties"]


def test_a_class_that_is_called_as_a_patch_keeps_its_name() -> None:
    class AddressPatch(msgspec.Struct):
        x: int

    class Holder(msgspec.Struct):
        address: Address
        patches: list[AddressPatch]

    _, components = schema_of(Holder)

    assert set(components) == {"HolderPatch", "AddressPatch", "AddressPatch_2"}


def test_a_tag_is_described_and_not_required() -> None:
    class Cat(msgspec.Struct, tag="cat"):
        lives: int

    _, components = schema_of(Cat)

    assert list(components["CatPatch"]["properties"]) == ["type", "lives"]
