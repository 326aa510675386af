"""Pydantic models are read, written and described, in words of ours and without a field too many."""

import datetime
import inspect
import json
import subprocess
import sys
import uuid
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Any, Generic, Literal, TypedDict, TypeVar, get_args

import msgspec
import pydantic_core
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import (
    UUID4,
    AfterValidator,
    AliasChoices,
    AliasPath,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Json,
    RootModel,
    Tag,
    ValidationError,
    computed_field,
    field_validator,
    model_validator,
)
from pydantic.dataclasses import dataclass as pydantic_dataclass
from pydantic_core import PydanticCustomError, core_schema
from typing_extensions import TypeAliasType

from nexios.errors import ConfigurationError
from nexios.models.backend import Malformed
from nexios.models.problems import CODES, MAX_PROBLEMS, Invalid, Problem
from nexios.models.pydantic_backend import PydanticBackend
from nexios.models.pydantic_problems import WORDS, Wire, problems_of

BACKEND = PydanticBackend()
T = TypeVar("T")


class User(BaseModel):
    name: str
    friends: list["User"] = []


class Admin(User):
    model_config = ConfigDict(extra="allow")
    password: str = "hunter2"


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    age: int

    @model_validator(mode="after")
    def is_alive(self) -> "Dog":
        if self.age > 30:
            raise ValueError("no dog is that old")
        return self


class Page(BaseModel, Generic[T]):
    items: list[T]


class Ids(RootModel[list[int]]):
    pass


@pydantic_dataclass
class Point:
    x: int
    y: int = 0


class Struct(msgspec.Struct):
    name: str


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


def told(kind: Any, document: object) -> list[tuple[str, str, str]]:
    """What a client is told of a JSON document."""
    with pytest.raises(Invalid) as caught:
        BACKEND.json_decoder(kind)(json.dumps(document).encode())
    return [(each.pointer, each.code, each.detail) for each in caught.value.problems]


def read(kind: Any, document: object) -> Any:
    return BACKEND.json_decoder(kind)(json.dumps(document).encode())


READ_USER = BACKEND.json_decoder(User)


def written(kind: Any, value: object) -> Any:
    return json.loads(BACKEND.to_json(kind)(value))


# Which types are pydantic's


@pytest.mark.parametrize(
    "kind",
    [
        User,
        Page[User],
        Ids,
        Point,
        list[User],
        User | None,
        Cat | Dog,
        dict[str, list[User]],
        tuple[User, ...],
        Annotated[User, "anything"],
        Annotated[Cat | Dog, Field(discriminator="kind")],
        Annotated[int, AfterValidator(abs)],
        UUID4,
        TypeAliasType("Pet", Cat | Dog),
    ],
)
def test_types_that_hold_a_pydantic_type_are_handled(kind: Any) -> None:
    assert BACKEND.handles(kind)


@pytest.mark.parametrize(
    "kind",
    [int, list[int], Struct, User | Struct, dict[str, Any], Literal["a"], Any, None, "User", TypedDict, object(), 3, T],
)
def test_other_types_are_left_to_others(kind: Any) -> None:
    assert not BACKEND.handles(kind)


def test_an_alias_that_holds_itself_is_walked_once() -> None:
    tree: Any = TypeAliasType("tree", "list[tree] | int")

    assert not BACKEND.handles(tree)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="pydantic takes those of typing from 3.12 on")
def test_a_typed_dict_that_pydantic_refuses_is_left_to_msgspec() -> None:
    class Row(TypedDict):
        id: int

    assert not BACKEND.handles(User | Row)


def test_pydantic_is_imported_by_nobody_else() -> None:
    code = (
        "import sys; from nexios.models.adapter import adapt, holds_model; adapt(list[int]).decode_json(b'[1]')\n"
        "assert 'pydantic' not in sys.modules"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_type_that_pydantic_cannot_validate_is_a_mistake_of_the_developer() -> None:
    class Socket:
        pass

    with pytest.raises(ConfigurationError, match="pydantic cannot validate"):
        BACKEND.json_decoder(list[User | Socket])


# Reading JSON


def test_json_becomes_a_model() -> None:
    user = read(User, {"name": "Ada", "friends": [{"name": "Bob"}]})

    assert user == User(name="Ada", friends=[User(name="Bob")])


def test_root_models_dataclasses_and_containers_are_read() -> None:
    assert read(Ids, [1, 2]) == Ids([1, 2])
    assert read(Point, {"x": 1}) == Point(1)
    assert read(dict[str, User], {"a": {"name": "Ada"}}) == {"a": User(name="Ada")}
    assert read(User | None, None) is None
    assert read(Annotated[Cat | Dog, Field(discriminator="kind")], {"kind": "dog", "age": 3}) == Dog(age=3)


def test_a_strict_model_takes_dates_from_json() -> None:
    class Model(BaseModel):
        model_config = ConfigDict(strict=True)
        day: datetime.date

    assert read(Model, {"day": "2026-01-02"}).day == datetime.date(2026, 1, 2)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"x": NaN}',
        b'{"x": Infinity}',
        b'{"x": 1e400}',
        b'{"other": 1e400}',
        b'{"x": 1,}',
        b'{"other": "\xff"}',
        b"\xef\xbb\xbf{}",
        b"[" * 5000,
        b"[" * 250 + b"]" * 250,
        b'{"x": ' + b"1" * 5000 + b"}",
    ],
)
def test_what_is_not_json_for_nexios_is_malformed(body: bytes) -> None:
    class Model(BaseModel):
        x: float = 0

    with pytest.raises(Malformed) as caught:
        BACKEND.json_decoder(Model)(body)

    assert caught.value.code == "malformed_json"


def test_json_inside_a_document_is_a_fault_of_the_value() -> None:
    class Model(BaseModel):
        inner: Json[list[int]]

    assert told(Model, {"inner": "["}) == [("/inner", "format", "must be JSON")]
    assert told(Model, {"inner": '["x"]'}) == [("/inner/0", "type", "must be an integer")]


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        READ_USER(body)
    except (Malformed, Invalid) as refusal:
        assert isinstance(refusal, Malformed) or refusal.problems
    else:
        assert msgspec.json.decode(body)["name"]


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "friends", "x"]), inner),
    max_leaves=8,
)


@given(_VALUES)
def test_every_problem_points_into_the_document_or_to_what_it_lacks(document: object) -> None:
    try:
        READ_USER(json.dumps(document).encode())
    except Invalid as refusal:
        for problem in refusal.problems:
            assert problem.code in CODES
            steps = problem.pointer.split("/")[1:]
            _follow(document, steps[:-1] if problem.code == "missing" else steps)
    else:
        assert isinstance(document, dict)


def _follow(value: Any, steps: list[str]) -> None:
    for step in steps:
        value = value[int(step)] if isinstance(value, list) else value[step]


# Problems


def test_every_error_type_of_pydantic_has_words() -> None:
    assert set(get_args(core_schema.ErrorType)) - set(WORDS) == set()
    assert {code for code, _ in WORDS.values()} <= set(CODES)


def test_the_words_are_these() -> None:
    class Model(BaseModel):
        model_config = ConfigDict(extra="forbid")
        name: Annotated[str, Field(min_length=2)]
        code: Annotated[str, Field(pattern="^[a-z]+$", max_length=1)]
        age: Annotated[int, Field(ge=1)]
        size: Annotated[float, Field(lt=10)]
        step: Annotated[int, Field(multiple_of=5)]
        tags: Annotated[list[str], Field(min_length=1)]
        born: datetime.date
        at: datetime.datetime
        key: uuid.UUID
        colour: Colour
        mode: Literal["a", "b", "c"]
        flag: bool
        user: User
        lost: str

    strings = dict.fromkeys(["born", "at", "key", "colour", "mode", "flag"], "x")
    document = {"name": "A", "code": "A", "age": 0, "size": 10, "step": 3, "tags": [], **strings}

    assert told(Model, {**document, "user": 3, "surplus": 1}) == [
        ("/name", "too_short", "must have at least 2 characters"),
        ("/code", "pattern", "must match the pattern ^[a-z]+$"),
        ("/age", "too_small", "must be at least 1"),
        ("/size", "too_large", "must be less than 10"),
        ("/step", "multiple_of", "must be a multiple of 5"),
        ("/tags", "too_short", "must have at least 1 item"),
        ("/born", "format", "must be a date, as in 2026-01-31"),
        ("/at", "format", "must be a date and time, as in 2026-01-31T23:59:59Z"),
        ("/key", "format", "must be a UUID"),
        ("/colour", "enum", "must be one of 'red', 'blue'"),
        ("/mode", "enum", "must be one of 'a', 'b', 'c'"),
        ("/flag", "type", "must be true or false"),
        ("/user", "type", "must be an object"),
        ("/lost", "missing", "is required"),
        ("/surplus", "unknown_field", "is not a known field"),
    ]


def test_the_words_do_not_hold_the_value() -> None:
    class Model(BaseModel):
        pet: Annotated[Cat | Dog, Field(discriminator="kind")]
        at: datetime.datetime
        size: Annotated[str, Field(max_length=3)]

    found = told(Model, {"pet": {"kind": "s3cret"}, "at": "s3cret", "size": "s3cret"})

    assert "s3cret" not in str(found)


def test_the_text_of_a_validator_is_told_and_cut() -> None:
    class Model(BaseModel):
        a: str
        b: int
        c: int

        @field_validator("a")
        @classmethod
        def check_a(cls, value: str) -> str:
            raise ValueError("is already taken")

        @field_validator("b")
        @classmethod
        def check_b(cls, value: int) -> int:
            raise AssertionError("x" * 300)

        @field_validator("c")
        @classmethod
        def check_c(cls, value: int) -> int:
            raise PydanticCustomError("too_odd", "is too odd")

    found = told(Model, {"a": "x", "b": 1, "c": 1})

    assert found[0] == ("/a", "invalid", "is already taken")
    assert found[1] == ("/b", "invalid", "x" * 199 + "…")
    assert found[2] == ("/c", "invalid", "is too odd")


def test_an_error_that_borrows_a_name_of_pydantics_keeps_its_text() -> None:
    def refuse(value: object) -> object:
        raise PydanticCustomError("greater_than", "is not enough")

    assert told(Annotated[int, AfterValidator(refuse)], 1) == [("", "too_small", "is not enough")]


def test_names_of_union_members_are_no_part_of_a_pointer() -> None:
    class Model(BaseModel):
        pet: Cat | Dog
        number: int | list[int] | None
        checked: Annotated[int, AfterValidator(abs)] | Annotated[str, AfterValidator(str.strip)]
        tree: dict[str, "Model | int"]

    found = told(Model, {"pet": {}, "number": ["x"], "checked": {}, "tree": {"a": {"pet": {"lives": 1}}}})

    assert {(pointer, code) for pointer, code, _ in found} == {
        ("/pet/lives", "missing"),
        ("/pet/age", "missing"),
        ("/number", "type"),
        ("/number/0", "type"),
        ("/checked", "type"),
        ("/tree/a", "type"),
        ("/tree/a/number", "missing"),
        ("/tree/a/checked", "missing"),
        ("/tree/a/tree", "missing"),
    }


def test_a_field_that_is_called_as_its_tag_stays_in_the_pointer() -> None:
    class Card(BaseModel):
        type: Literal["card"]
        card: dict[str, int]

    class Cash(BaseModel):
        type: Literal["cash"]

    class Payment(BaseModel):
        method: Annotated[Card | Cash, Field(discriminator="type")]

    assert told(Payment, {"method": {"type": "card"}})[0][0] == "/method/card"
    assert told(Payment, {"method": {"type": "card", "card": {"card": "x"}}})[0][0] == "/method/card/card"


def test_a_tag_is_a_field_like_any_other() -> None:
    kind = list[Annotated[Cat | Dog, Field(discriminator="kind")]]

    assert told(kind, [{"kind": "cow"}, {}]) == [
        ("/0/kind", "unknown_tag", "must be one of 'cat', 'dog'"),
        ("/1/kind", "missing", "is required"),
    ]


def test_a_discriminator_that_is_a_function_has_no_place() -> None:
    by_size = Discriminator(lambda value: value.get("size"))
    kind = Annotated[Annotated[Cat, Tag("small")] | Annotated[Dog, Tag("big")], by_size]

    assert told(kind, {"size": "huge"})[0][:2] == ("", "unknown_tag")
    assert told(kind, {"size": "big"}) == [("/age", "missing", "is required")]


def test_pointers_are_made_of_the_names_on_the_wire() -> None:
    class Model(BaseModel):
        model_config = ConfigDict(loc_by_alias=False)
        first: int = Field(alias="one/1")
        second: int = Field(validation_alias=AliasChoices("two", AliasPath("deep", "two")))
        third: int = Field(validation_alias=AliasPath("deep", "three"))

    found = told(Model, {"one/1": "x", "deep": {"three": "x"}})

    assert [pointer for pointer, _, _ in found] == ["/one~11", "/two", "/deep/three"]


def test_a_key_that_does_not_fit_is_where_it_stands() -> None:
    class Model(BaseModel):
        of: dict[int, int]

    assert told(Model, {"of": {"x": 1}}) == [("/of/x", "type", "must be an integer")]


def test_a_validator_of_a_tagged_model_speaks_of_the_model() -> None:
    kind = Annotated[Cat | Dog, Field(discriminator="kind")]

    assert told(kind, {"kind": "dog", "age": 31}) == [("", "invalid", "no dog is that old")]


def test_a_place_that_no_schema_knows_is_told_as_well_as_can_be() -> None:
    wire = Wire({"type": "any"})

    assert wire.steps(("a", "list[int]", 1, "function-after[f(), int]")) == ["a", 1]


def test_a_hundred_problems_are_told_and_of_more_than_a_thousand_one() -> None:
    assert len(told(list[User], [1] * 900)) == MAX_PROBLEMS
    assert told(list[User], [1] * 1001) == [("", "invalid", "has too many faults to tell")]


@pytest.mark.skipif(
    "fail_fast" not in inspect.signature(core_schema.dict_schema).parameters,
    reason="this pydantic cannot stop at the first fault of a dict",
)
def test_of_a_long_body_the_first_fault_of_each_list_and_dict_is_told() -> None:
    class Group(BaseModel):
        type: str = "group"
        users: list[User] = []
        labels: dict[str, int] = {}
        inner: "Group | None" = None

    wrong = {"users": [1] * 30_000, "labels": dict.fromkeys(map(str, range(3000)), "x")}

    assert told(Group, {**wrong, "inner": wrong}) == [
        ("/users/0", "type", "must be an object"),
        ("/labels/0", "type", "must be an integer"),
        ("/inner/users/0", "type", "must be an object"),
        ("/inner/labels/0", "type", "must be an integer"),
    ]
    with pytest.raises(Invalid) as caught:
        BACKEND.msgpack_decoder(list[User])(msgspec.msgpack.encode([1] * 70_000))
    assert len(caught.value.problems) == 1


def test_a_long_body_has_the_same_value_as_a_short_one() -> None:
    document = [{"name": str(number), "friends": [{"name": "x" * 100}]} for number in range(1000)]

    assert [user.model_dump(exclude_unset=True) for user in read(list[User], document)] == document


def test_an_old_pydantic_core_reads_long_bodies_as_short_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    class Old:
        SchemaError = pydantic_core.SchemaError

        @staticmethod
        def SchemaValidator(schema: Any, config: Any) -> Any:
            return pydantic_core.SchemaValidator(schema, config)

    monkeypatch.setitem(sys.modules, "pydantic_core", Old)
    decode = BACKEND.json_decoder(list[User])

    with pytest.raises(Invalid) as caught:
        decode(b"[" + b"1," * 900 + b" " * 70_000 + b"1]")
    assert len(caught.value.problems) == MAX_PROBLEMS


def test_an_older_pydantic_is_asked_to_be_newer(monkeypatch: pytest.MonkeyPatch) -> None:
    class First:
        VERSION = "1.10"

    monkeypatch.setitem(sys.modules, "pydantic", First)

    with pytest.raises(ConfigurationError, match=r"nexios works with pydantic 2.11 and newer; this is 1.10"):
        BACKEND.json_decoder(User)


def test_the_same_problem_of_two_members_is_told_once() -> None:
    assert told(list[Cat] | list[Dog], 3) == [("", "type", "must be a list")]


@given(st.lists(st.integers() | st.text(max_size=20), max_size=6))
def test_any_place_has_a_pointer(loc: list[int | str]) -> None:
    wire = Wire(User.__pydantic_core_schema__)  # it refers to itself

    (problem,) = problems_of([{"type": "missing", "loc": tuple(loc)}], wire)

    assert problem.pointer.count("/") <= len(loc)


# MessagePack, builtins, text


def test_messagepack_becomes_a_model() -> None:
    decode = BACKEND.msgpack_decoder(User)

    assert decode(msgspec.msgpack.encode({"name": "Ada"})) == User(name="Ada")
    with pytest.raises(Malformed) as malformed:
        decode(b"\xc1")
    with pytest.raises(Invalid) as invalid:
        decode(msgspec.msgpack.encode({"name": 3}))
    assert malformed.value.code == "malformed_msgpack"
    assert invalid.value.problems == (Problem("/name", "type", "must be a string"),)


def test_builtins_become_a_model() -> None:
    convert = BACKEND.converter(User, from_text=False)

    assert convert({"name": "Ada"}) == User(name="Ada")
    with pytest.raises(Invalid):
        convert({})


class Query(BaseModel):
    model_config = ConfigDict(strict=True)
    page: int = 1
    size: float = 1.0
    full: bool = False
    price: Decimal = Decimal(1)
    tags: list[str] = []
    ids: set[int] | None = None
    pair: tuple[int, str] = (1, "")
    day: datetime.date | None = None
    level: Level = Level.LOW
    mode: Literal[1, "x"] = 1
    loose: int | str = 0
    many: int | list[int] = 0
    words: Annotated[list[str], BeforeValidator(lambda text: text.split(","))] = []
    parent: "Query | None" = None


READ_QUERY = BACKEND.converter(Query, from_text=True)


def query(**texts: object) -> dict[str, Any]:
    model: Query = READ_QUERY(texts)
    return model.model_dump(exclude_unset=True)


def test_text_becomes_what_the_fields_are_even_in_a_strict_model() -> None:
    assert query(page="5", size="1e3", full="ON", price="1.10", day="2026-01-02", level="2", mode="1") == {
        "page": 5,
        "size": 1000.0,
        "full": True,
        "price": Decimal("1.10"),
        "day": datetime.date(2026, 1, 2),
        "level": Level.HIGH,
        "mode": 1,
    }


def test_one_text_is_a_list_of_one_and_of_many_the_first_is_taken() -> None:
    assert query(tags="a", ids="1", pair=["1", "b"], page=["5", "6"], day=["2026-01-02", "x"]) == {
        "tags": ["a"],
        "ids": {1},
        "pair": (1, "b"),
        "page": 5,
        "day": datetime.date(2026, 1, 2),
    }


def test_the_narrowest_member_of_a_union_takes_a_text() -> None:
    assert query(loose="5") == {"loose": 5}
    assert query(loose="abc") == {"loose": "abc"}
    assert query(many=["1", "2"]) == {"many": [1, 2]}


def test_a_validator_before_the_type_gets_the_text_as_it_came() -> None:
    assert query(words="a,b") == {"words": ["a", "b"]}


def test_a_model_in_a_model_reads_text_too() -> None:
    assert query(parent={"page": "2"}) == {"parent": {"page": 2}}


@pytest.mark.parametrize(
    ("name", "text"),
    [("page", text) for text in (" 5", "+5", "5.0", "1_000", "٣", "", "x", "1" * 5000)]
    + [("full", text) for text in ("yes", "t", "", "2")]
    + [("size", text) for text in ("nan", "inf", "", "1e999", " 1")]
    + [("price", text) for text in ("NaN", " 1", "", "1e999999999")]
    + [("level", "3"), ("mode", "2"), ("day", "x")],
)
def test_spellings_are_those_of_every_query(name: str, text: str) -> None:
    with pytest.raises(Invalid) as caught:
        query(**{name: text})

    assert {each.pointer for each in caught.value.problems} == {f"/{name}"}


def test_constraints_of_msgspec_are_kept_by_pydantic() -> None:
    kind = Annotated[list[Annotated[User | None, msgspec.Meta(title="u")]], msgspec.Meta(max_length=1)]

    assert told(kind, [{"name": "a"}, None]) == [("", "too_long", "must have at most 1 item")]


@given(st.dictionaries(st.sampled_from(list(Query.model_fields)), st.text(max_size=6) | st.lists(st.text(max_size=3))))
def test_any_text_is_read_or_refused(texts: dict[str, Any]) -> None:
    texts.pop("words", None)
    try:
        found = query(**texts)
    except Invalid as refusal:
        assert refusal.problems
    else:
        assert set(found) == set(texts)


# Writing


def test_only_declared_fields_are_written() -> None:
    admin = Admin.model_validate({"name": "Ada", "friends": [Admin(name="Bob")], "token": "t"})
    safe = {"name": "Ada", "friends": [{"name": "Bob", "friends": []}]}

    assert written(User, admin) == safe
    assert written(list[User], [admin]) == [safe]
    assert written(User | None, admin) == safe
    assert written(dict[str, User], {"a": admin}) == {"a": safe}
    assert written(Cat | User, admin) == safe
    assert written(Page[User], Page[User](items=[admin])) == {"items": [safe]}
    assert written(Page[User], Page[Admin](items=[admin])) == {"items": [safe]}


def test_a_subclass_of_a_page_loses_what_it_adds() -> None:
    class Secret(Page[User]):
        secret: str = "s3cret"

        @computed_field  # type: ignore[prop-decorator]
        @property
        def shout(self) -> str:
            return self.secret.upper()

    assert written(Page[User], Secret(items=[])) == {"items": []}


def test_a_dataclass_of_pydantic_loses_what_a_subclass_adds() -> None:
    @pydantic_dataclass
    class Secret(Point):
        secret: str = "s3cret"

    assert written(Point, Secret(1)) == {"x": 1, "y": 0}
    assert written(list[Point], [Secret(1), {"x": 2}]) == [{"x": 1, "y": 0}, {"x": 2, "y": 0}]


def test_dicts_and_objects_with_attributes_are_taken() -> None:
    class Row:
        def __init__(self, name: str, friends: list["Row"]) -> None:
            self.name, self.friends, self.password = name, friends, "hunter2"

    expected = {"name": "Ada", "friends": [{"name": "Bob", "friends": []}]}

    assert written(User, Row("Ada", [Row("Bob", [])])) == expected
    assert written(User, {"name": "Ada", "friends": [{"name": "Bob", "password": "x"}], "password": "x"}) == expected


def test_names_on_the_wire_are_written_whichever_names_a_dict_has() -> None:
    class Model(BaseModel):
        user_name: str = Field(serialization_alias="userName", validation_alias="user-name")
        hidden: str = Field(default="", exclude=True)

    assert written(Model, {"user-name": "a"}) == {"userName": "a"}
    assert written(Model, {"user_name": "a"}) == {"userName": "a"}


def test_an_object_of_the_declared_class_is_not_validated_again() -> None:
    calls = []

    class Model(BaseModel):
        @model_validator(mode="after")
        def count(self) -> "Model":
            calls.append(1)
            return self

    value = Model()
    written(Model, value)

    assert calls == [1]


def test_a_result_that_does_not_fit_is_refused() -> None:
    with pytest.raises(Invalid) as caught:
        BACKEND.to_json(User)({"friends": [{"name": 3}]})
    with pytest.raises(Invalid):
        BACKEND.to_json(User)(User.model_construct(name=3))
    with pytest.raises(Invalid):
        BACKEND.to_json(Cat | Dog)(User(name="a"))

    assert [each.pointer for each in caught.value.problems] == ["/name", "/friends/0/name"]
    assert isinstance(caught.value.__cause__, ValidationError)


def test_messagepack_has_the_same_fields_as_json() -> None:
    class Event(BaseModel):
        at: datetime.date

    data = BACKEND.to_msgpack(list[Event])([{"at": datetime.date(2026, 1, 2), "more": 1}])

    assert msgspec.msgpack.decode(data) == [{"at": "2026-01-02"}]


def test_a_number_that_messagepack_does_not_have_is_refused() -> None:
    class Big(BaseModel):
        number: int

    with pytest.raises(Invalid):
        BACKEND.to_msgpack(Big)(Big(number=2**70))


# Describing


def test_components_have_readable_names() -> None:
    schemas, components = BACKEND.schemas(
        [Page[User], list[User], Page[list[User]]], mode="input", ref_template="#/components/schemas/{name}"
    )

    assert schemas[0] == {"$ref": "#/components/schemas/Page_User"}
    assert schemas[1] == {"type": "array", "items": {"$ref": "#/components/schemas/User"}}
    assert list(components) == ["Page_User", "Page_list_User", "User"]


def test_input_and_output_are_described_apart() -> None:
    class Model(BaseModel):
        name: str = Field(validation_alias="in", serialization_alias="out")
        size: int = 3

    (_,), taken = BACKEND.schemas([Model], mode="input", ref_template="#/{name}")
    (_,), given_back = BACKEND.schemas([Model], mode="output", ref_template="#/{name}")

    assert (list(taken["Model"]["properties"]), taken["Model"]["required"]) == (["in", "size"], ["in"])
    assert (list(given_back["Model"]["properties"])) == ["out", "size"]


def test_what_has_no_schema_is_described_as_anything() -> None:
    class Model(BaseModel):
        model_config = ConfigDict(arbitrary_types_allowed=True)
        thing: Struct | None = None
        default: object = Field(default_factory=object)

    _, components = BACKEND.schemas([Model], mode="input", ref_template="#/{name}")

    assert "thing" in components["Model"]["properties"]


def test_constraints_of_msgspec_are_described() -> None:
    (schema,), _ = BACKEND.schemas(
        [Annotated[list[User], msgspec.Meta(max_length=3, title="Few")]], mode="input", ref_template="#/{name}"
    )

    assert (schema["maxItems"], schema["title"]) == (3, "Few")


def test_no_types_have_no_schemas() -> None:
    assert BACKEND.schemas([], mode="input", ref_template="#/{name}") == ([], {})
