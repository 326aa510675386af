"""What a handler's result is written as: declared fields, and no others, whatever the result is made of."""

import dataclasses
import datetime
import decimal
import enum
from collections import OrderedDict
from types import MappingProxyType
from typing import Annotated, Any, Generic, NamedTuple, NotRequired, TypedDict, TypeVar

import attrs
import msgspec
import pytest

from nexios.models.adapter import adapt
from nexios.models.problems import Invalid

Item = TypeVar("Item")


class User(msgspec.Struct):
    id: int
    name: str = "Ann"


class UserInDatabase(User):
    password: str = "secret"


class Team(msgspec.Struct):
    lead: User
    members: list[User] = []
    by_name: dict[str, User] = {}
    deputy: User | None = None


class Page(msgspec.Struct, Generic[Item]):
    items: list[Item]


class Tree(msgspec.Struct):
    value: int
    children: list["Tree"] = []


class BigTree(Tree):
    password: str = "secret"


class Cat(msgspec.Struct, tag="cat"):
    lives: int = 9


class Dog(msgspec.Struct, tag="dog"):
    tricks: int = 0


class SecretDog(Dog, tag="dog"):
    password: str = "secret"


class Movie(TypedDict):
    title: str
    year: NotRequired[int]


@dataclasses.dataclass
class Point:
    x: int
    owner: User | None = None


@dataclasses.dataclass
class SecretPoint(Point):
    password: str = "secret"


@attrs.define(slots=False)
class Car:
    doors: int


class Pair(NamedTuple):
    user: User
    number: int


class Row:
    """An object of an ORM: attributes, and more of them than are shown."""

    def __init__(self, **values: object) -> None:
        self.__dict__.update(values)
        self.password = "secret"


class Maybe(msgspec.Struct):
    age: int | msgspec.UnsetType = msgspec.UNSET


class MoreMaybe(Maybe):
    password: str = "secret"


SECRET = UserInDatabase(1)

WRITTEN: list[tuple[Any, object, bytes]] = [
    (User, User(1), b'{"id":1,"name":"Ann"}'),
    (User, SECRET, b'{"id":1,"name":"Ann"}'),
    (User, {"id": 1, "password": "secret"}, b'{"id":1,"name":"Ann"}'),
    (User, OrderedDict(id=1, password="secret"), b'{"id":1,"name":"Ann"}'),
    (User, MappingProxyType({"id": 1}), b'{"id":1,"name":"Ann"}'),
    (User, Row(id=1), b'{"id":1,"name":"Ann"}'),
    (User | None, SECRET, b'{"id":1,"name":"Ann"}'),
    (User | None, None, b"null"),
    (list[User], [User(1), SECRET], b'[{"id":1,"name":"Ann"},{"id":1,"name":"Ann"}]'),
    (list[User], (User(1),), b'[{"id":1,"name":"Ann"}]'),
    (list[User], [{"id": 1}, Row(id=2)], b'[{"id":1,"name":"Ann"},{"id":2,"name":"Ann"}]'),
    (dict[str, User], {"a": SECRET}, b'{"a":{"id":1,"name":"Ann"}}'),
    (tuple[User, int], (SECRET, 1), b'[{"id":1,"name":"Ann"},1]'),
    (Pair, Pair(SECRET, 1), b'[{"id":1,"name":"Ann"},1]'),
    (Team, Team(SECRET), b'{"lead":{"id":1,"name":"Ann"},"members":[],"by_name":{},"deputy":null}'),
    (
        Team,
        Team(User(2), [SECRET], {"a": SECRET}, SECRET),
        b'{"lead":{"id":2,"name":"Ann"},"members":[{"id":1,"name":"Ann"}],"by_name":{"a":{"id":1,"name":"Ann"}},'
        b'"deputy":{"id":1,"name":"Ann"}}',
    ),
    (
        Team,
        {"lead": SECRET, "members": [Row(id=3)]},
        b'{"lead":{"id":1,"name":"Ann"},"members":[{"id":3,"name":"Ann"}],"by_name":{},"deputy":null}',
    ),
    (Page[User], Page([SECRET]), b'{"items":[{"id":1,"name":"Ann"}]}'),
    (Tree, Tree(1, [Tree(2)]), b'{"value":1,"children":[{"value":2,"children":[]}]}'),
    (Tree, Tree(1, [BigTree(2)]), b'{"value":1,"children":[{"value":2,"children":[]}]}'),
    (Cat | Dog, Dog(), b'{"type":"dog","tricks":0}'),
    (Cat | Dog, SecretDog(), b'{"type":"dog","tricks":0}'),
    (
        list[Cat | Dog],
        [Cat(), SecretDog(), {"type": "cat"}],
        b'[{"type":"cat","lives":9},{"type":"dog","tricks":0},{"type":"cat","lives":9}]',
    ),
    (Movie, {"title": "M", "password": "secret"}, b'{"title":"M"}'),
    (list[Movie], [{"title": "M", "year": 1931, "x": 1}], b'[{"title":"M","year":1931}]'),
    (Movie, Row(title="M"), b'{"title":"M"}'),
    (Point, Point(1), b'{"x":1,"owner":null}'),
    (Point, SecretPoint(1), b'{"x":1,"owner":null}'),
    (Point, Point(1, SECRET), b'{"x":1,"owner":{"id":1,"name":"Ann"}}'),
    (Maybe, Maybe(), b"{}"),
    (Maybe, MoreMaybe(), b"{}"),
    (Maybe, MoreMaybe(5), b'{"age":5}'),
    (list[float], [float("nan"), float("inf"), 1], b"[null,null,1.0]"),
    (dict[str, Any], {"a": User(1), "b": MappingProxyType({"c": 1})}, b'{"a":{"id":1,"name":"Ann"},"b":{"c":1}}'),
    (Any, [1], b"[1]"),
    (object, {"a": 1}, b'{"a":1}'),
    (int, 1, b"1"),
    (set[int], {1}, b"[1]"),
    (decimal.Decimal, decimal.Decimal("1.10"), b'"1.10"'),
    (datetime.date, datetime.date(2026, 1, 31), b'"2026-01-31"'),
    (bytes, b"hi", b'"aGk="'),
]


@pytest.mark.parametrize(("kind", "result", "body"), WRITTEN, ids=lambda each: str(each)[:30])
def test_a_result_is_written_with_the_declared_fields(kind: Any, result: object, body: bytes) -> None:
    adapter = adapt(kind)

    assert adapter.to_json(result) == body
    assert b"secret" not in adapter.to_msgpack(result)


def test_an_attribute_that_was_added_to_an_instance_is_not_written() -> None:
    car = Car(5)
    car.password = "secret"  # type: ignore[attr-defined]

    assert adapt(Car).to_json(car) == b'{"doors":5}'


@pytest.mark.parametrize(
    ("kind", "result"),
    [
        (User, None),
        (User, 5),
        (User, {"name": "Ann"}),
        (User, {"id": "1"}),
        (User, Row(name="Ann")),
        (User, Row(id="x")),
        (list[User], User(1)),
        (list[User], [None]),
        (int, "1"),
        (list[int], [1, "x"]),
        (Cat | Dog, User(1)),
        (Annotated[int, msgspec.Meta(ge=1)], 0),
        (None, 1),
    ],
    ids=lambda each: str(each)[:30],
)
def test_a_result_that_does_not_fit_is_invalid(kind: Any, result: object) -> None:
    with pytest.raises(Invalid):
        adapt(kind).to_json(result)
    with pytest.raises(Invalid):
        adapt(kind).to_msgpack(result)


def test_what_does_not_fit_is_told_to_the_developer() -> None:
    with pytest.raises(Invalid, match=r"/members/1/id must be an integer"):
        adapt(Team).to_json({"lead": {"id": 1}, "members": [{"id": 1}, {"id": "x"}]})
    with pytest.raises(Invalid, match="Object missing required field `id`"):
        adapt(User).to_json(Row())


def test_a_value_that_holds_itself_is_invalid() -> None:
    tree = Tree(1)
    tree.children = [tree]

    with pytest.raises(Invalid, match="holds itself"):
        adapt(Tree).to_json(tree)


def test_names_and_defaults_of_a_struct_are_kept_for_what_is_not_its_instance() -> None:
    class Small(msgspec.Struct, rename="camel", omit_defaults=True, tag="small"):
        item_id: int
        with_default: int = 5
        many: list[int] = []

    class Large(Small, tag="small"):
        password: str = "secret"

    assert adapt(Small).to_json(Small(1)) == adapt(Small).to_json(Large(1)) == b'{"type":"small","itemId":1}'
    assert adapt(Small).to_json({"itemId": 1, "withDefault": 6}) == b'{"type":"small","itemId":1,"withDefault":6}'


def test_an_array_like_struct_stays_an_array() -> None:
    class Line(msgspec.Struct, array_like=True):
        x: int
        y: int = 0

    class LongLine(Line):
        password: str = "secret"

    assert adapt(list[Line]).to_json([Line(1), LongLine(2)]) == b"[[1,0],[2,0]]"


def test_keys_that_are_no_names_can_be_declared() -> None:
    odd = TypedDict("odd", {"a-b": int, "class": int})

    assert adapt(odd).to_json({"a-b": 1, "class": 2, "x": 3}) == b'{"a-b":1,"class":2}'


def test_a_mutable_default_is_written() -> None:
    class Holder(msgspec.Struct):
        user: User = msgspec.field(default_factory=lambda: User(7))

    assert adapt(Holder).to_json({}) == b'{"user":{"id":7,"name":"Ann"}}'


def test_an_enum_is_written_by_value() -> None:
    class Color(enum.Enum):
        RED = "red"

    class Shirt(msgspec.Struct):
        color: Color

    assert adapt(Shirt).to_json({"color": Color.RED}) == adapt(Shirt).to_json(Shirt(Color.RED)) == b'{"color":"red"}'


def test_a_mutable_default_of_attrs_is_written() -> None:
    @attrs.define
    class Holder:
        names: list[str] = ["a"]  # noqa: RUF008 - it is what the test is about
        table: Any = attrs.field(default={"a": [1]})

    assert adapt(Holder).to_json({}) == b'{"names":["a"],"table":{"a":[1]}}'


def test_a_union_of_models_and_lists_takes_either() -> None:
    kind: Any = User | list[User] | None

    assert adapt(kind).to_json([SECRET]) == b'[{"id":1,"name":"Ann"}]'
    assert adapt(kind).to_json(SECRET) == b'{"id":1,"name":"Ann"}'
    assert adapt(tuple[User, ...]).to_json((User(1),)) == b'[{"id":1,"name":"Ann"}]'
    assert adapt(dict[str, User]).to_json({"a": User(1)}) == b'{"a":{"id":1,"name":"Ann"}}'
    with pytest.raises(Invalid):
        adapt(kind).to_json("x")
