"""A type in JSON Schema: what it says, what components are called, and how input and output differ."""

import dataclasses
import datetime
import decimal
import enum
import uuid
from typing import Annotated, Any, Generic, Literal, NamedTuple, NotRequired, TypedDict, TypeVar

import jsonschema  # type: ignore[import-untyped]
import msgspec
import pydantic
import pytest
from msgspec import Meta

from nexios.models.adapter import DEFAULT_BACKENDS, adapt
from nexios.models.backend import SchemaMode

Item = TypeVar("Item")
REF = "#/components/schemas/{name}"


def schemas_of(*kinds: Any, mode: SchemaMode = "input") -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    """Return what the msgspec backend says of some types."""
    return DEFAULT_BACKENDS[-1].schemas(kinds, mode=mode, ref_template=REF)


def ref(name: str) -> dict[str, str]:
    """Return a reference to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


class Color(enum.Enum):
    """Paint."""

    RED = "red"


class Level(enum.IntEnum):
    LOW = 1


class User(msgspec.Struct, rename="camel"):
    """Someone.

    With a second line.
    """

    user_id: Annotated[int, Meta(ge=1, description="Counted from 1.", examples=[1])]
    nick_name: str | None = None


class Admin(User):
    level: Level = Level.LOW


class Page(msgspec.Struct, Generic[Item]):
    items: list[Item]
    total: int = 0


class Cat(msgspec.Struct, tag="cat"):
    lives: int


class Dog(msgspec.Struct, tag="dog"):
    tricks: list[str] = []


class Tree(msgspec.Struct, forbid_unknown_fields=True):
    value: int
    children: list["Tree"] = []


@dataclasses.dataclass
class Point:
    x: int
    owner: User = dataclasses.field(default_factory=lambda: User(1))


class Movie(TypedDict):
    title: str
    year: NotRequired[int]


class Pair(NamedTuple):
    first: int
    second: str = ""


class Line(msgspec.Struct, array_like=True, tag="line"):
    x: int
    y: int = 0


class Patchy(msgspec.Struct, omit_defaults=True):
    a: int | msgspec.UnsetType = msgspec.UNSET
    b: int = 1


INLINE: list[tuple[Any, dict[str, Any]]] = [
    (Any, {}),
    (object, {}),
    (None, {"type": "null"}),
    (bool, {"type": "boolean"}),
    (int, {"type": "integer"}),
    (float, {"type": "number"}),
    (str, {"type": "string"}),
    (bytes, {"type": "string", "contentEncoding": "base64"}),
    (Annotated[bytes, Meta(max_length=4)], {"type": "string", "contentEncoding": "base64", "maxLength": 8}),
    (decimal.Decimal, {"anyOf": [{"type": "string", "format": "decimal"}, {"type": "number"}]}),
    (uuid.UUID, {"type": "string", "format": "uuid"}),
    (datetime.date, {"type": "string", "format": "date"}),
    (datetime.time, {"type": "string", "format": "time"}),
    (datetime.datetime, {"type": "string", "format": "date-time"}),
    (Annotated[datetime.datetime, Meta(tz=False)], {"type": "string"}),
    (datetime.timedelta, {"type": "string", "format": "duration"}),
    (
        Annotated[int, Meta(gt=1, le=9, multiple_of=2)],
        {"type": "integer", "exclusiveMinimum": 1, "maximum": 9, "multipleOf": 2},
    ),
    (
        Annotated[str, Meta(min_length=1, max_length=2, pattern="a")],
        {"type": "string", "minLength": 1, "maxLength": 2, "pattern": "a"},
    ),
    (Annotated[int, Meta(title="T", description="D")], {"type": "integer", "title": "T", "description": "D"}),
    (list[int], {"type": "array", "items": {"type": "integer"}}),
    (Annotated[list[int], Meta(min_length=1)], {"type": "array", "items": {"type": "integer"}, "minItems": 1}),
    (set[int], {"type": "array", "items": {"type": "integer"}, "uniqueItems": True}),
    (tuple[int, ...], {"type": "array", "items": {"type": "integer"}}),
    (
        tuple[int, str],
        {"type": "array", "minItems": 2, "maxItems": 2, "prefixItems": [{"type": "integer"}, {"type": "string"}]},
    ),
    (dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
    (
        Annotated[dict[Annotated[str, Meta(min_length=1)], int], Meta(max_length=2)],
        {
            "type": "object",
            "additionalProperties": {"type": "integer"},
            "propertyNames": {"type": "string", "minLength": 1},
            "maxProperties": 2,
        },
    ),
    (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
    (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
    (Literal[1, 2], {"type": "integer", "enum": [1, 2]}),
    (Literal[1, "a"], {"enum": [1, "a"]}),
]


@pytest.mark.parametrize(("kind", "schema"), INLINE, ids=lambda each: str(each)[:40])
def test_a_type_without_a_name_is_described_in_place(kind: Any, schema: dict[str, Any]) -> None:
    assert schemas_of(kind) == ([schema], {})


def test_a_model_is_a_component_with_its_names_on_the_wire() -> None:
    schemas, components = schemas_of(User, list[User])

    assert schemas == [ref("User"), {"type": "array", "items": ref("User")}]
    assert components == {
        "User": {
            "title": "User",
            "description": "Someone.\n\nWith a second line.",
            "type": "object",
            "properties": {
                "userId": {"type": "integer", "minimum": 1, "description": "Counted from 1.", "examples": [1]},
                "nickName": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
            },
            "required": ["userId"],
        }
    }


def test_only_a_docstring_of_its_own_describes_a_class() -> None:
    """Not one that is inherited, nor those that Python writes."""
    _, components = schemas_of(Admin, Point, Pair, Level, Color, Movie)

    described = {name for name, component in components.items() if "description" in component}
    assert described == {"Color", "User"}


def test_what_is_always_sent_is_required_in_output() -> None:
    (_, wanted), (_, sent) = schemas_of(User, Movie, mode="input"), schemas_of(User, Movie, mode="output")

    assert wanted["User"]["required"] == ["userId"]
    assert sent["User"]["required"] == ["userId", "nickName"]
    assert wanted["Movie"] == sent["Movie"]
    assert {**wanted["User"], "required": None} == {**sent["User"], "required": None}


def test_what_may_be_left_out_is_not_required_in_output() -> None:
    _, components = schemas_of(Patchy, mode="output")

    assert "required" not in components["Patchy"]
    assert components["Patchy"]["properties"] == {"a": {"type": "integer"}, "b": {"type": "integer", "default": 1}}


def test_a_union_of_tagged_models_has_a_discriminator() -> None:
    (schema,), components = schemas_of(Cat | Dog)

    assert schema == {
        "anyOf": [ref("Cat"), ref("Dog")],
        "discriminator": {
            "propertyName": "type",
            "mapping": {"cat": "#/components/schemas/Cat", "dog": "#/components/schemas/Dog"},
        },
    }
    assert components["Cat"]["properties"]["type"] == {"const": "cat"}
    assert components["Cat"]["required"] == ["type", "lives"]


def test_a_model_may_hold_itself() -> None:
    _, components = schemas_of(Tree)

    assert components["Tree"]["properties"]["children"] == {"type": "array", "items": ref("Tree"), "default": []}
    assert components["Tree"]["additionalProperties"] is False
    assert "additionalProperties" not in schemas_of(Tree, mode="output")[1]["Tree"]


def test_arrays_with_names_are_described_item_by_item() -> None:
    _, components = schemas_of(Pair, Line)

    assert components["Pair"] == {
        "title": "Pair",
        "type": "array",
        "minItems": 1,
        "maxItems": 2,
        "prefixItems": [{"type": "integer"}, {"type": "string", "default": ""}],
    }
    assert components["Line"]["prefixItems"][0] == {"const": "line"}
    assert components["Line"]["minItems"] == 2


def test_a_default_that_json_cannot_show_is_left_out() -> None:
    class Odd(msgspec.Struct):
        ratio: float = float("nan")
        level: Level = Level.LOW
        made: list[int] = msgspec.field(default_factory=lambda: [1])
        table: dict[str, int] = {}

    assert schemas_of(Odd)[1]["Odd"]["properties"] == {
        "ratio": {"type": "number"},
        "level": {**ref("Level"), "default": 1},
        "made": {"type": "array", "items": {"type": "integer"}},
        "table": {"type": "object", "additionalProperties": {"type": "integer"}, "default": {}},
    }


def test_a_generic_model_is_named_after_its_arguments() -> None:
    schemas, components = schemas_of(Page[User], Page[list[int]])

    assert schemas == [ref("Page_User"), ref("Page_list_int")]
    assert components["Page_User"]["title"] == "Page[User]"


def made(module: str, name: str = "User") -> Any:
    """Return a class that says it is of some module."""
    return msgspec.defstruct(name, [("id", int)], module=module)


def test_classes_of_one_name_get_their_modules_before_it() -> None:
    first, second = made("app.people"), made("app.billing")

    generic: Any = Page
    pages = [generic[each] for each in (first, second)]

    schemas, components = schemas_of(first, second, *pages)

    assert schemas[:2] == [ref("app.people.User"), ref("app.billing.User")]
    assert schemas[2:] == [
        ref(f"{Page.__module__}.Page_app.people.User"),
        ref(f"{Page.__module__}.Page_app.billing.User"),
    ]
    assert len(components) == 4


def test_classes_that_share_even_their_full_name_are_numbered() -> None:
    schemas, _ = schemas_of(made("app"), made("app"))

    assert schemas == [ref("app.User"), ref("app.User_2")]


def test_names_do_not_depend_on_the_run() -> None:
    first, second = made("a"), made("b")

    assert schemas_of(first, second)[1].keys() == schemas_of(second, first)[1].keys()


def test_pydantic_models_inside_are_components_too() -> None:
    class Owner(pydantic.BaseModel):
        id: int

    account = msgspec.defstruct("Account", [("owner", Owner)])

    _, components = schemas_of(account)

    assert components["Account"]["properties"] == {"owner": ref("Owner")}
    assert components["Owner"]["properties"]["id"]["type"] == "integer"


@pytest.mark.parametrize("mode", ["input", "output"])
def test_every_schema_is_valid_json_schema(mode: SchemaMode) -> None:
    kinds = [kind for kind, _ in INLINE] + [User, Admin, Page[User], Cat | Dog, Tree, Point, Movie, Pair, Line, Patchy]

    schemas, components = schemas_of(*kinds, mode=mode)

    for schema in schemas:
        jsonschema.Draft202012Validator.check_schema({**schema, "components": {"schemas": components}})


@pytest.mark.parametrize(
    "value",
    [User(1), Admin(2), Page([User(1)]), Dog(["sit"]), Tree(1, [Tree(2)]), Point(1), Pair(1), Line(1)],
    ids=repr,
)
def test_what_is_written_is_what_the_schema_says(value: Any) -> None:
    kind = Page[User] if isinstance(value, Page) else type(value)
    adapter = adapt(kind)
    schema, components = adapter.schema(mode="output", ref_template=REF)

    document = {**schema, "components": {"schemas": components}}
    assert jsonschema.Draft202012Validator(document).is_valid(msgspec.json.decode(adapter.to_json(value)))
