"""Components: one a model, unless what is read and what is written differ."""

from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec
import pydantic
import pytest
from openapi_schema_validator import OAS31Validator

from nexios.errors import ConfigurationError
from nexios.openapi.references import component_of, reachable, references, renamed
from nexios.openapi.schemas import describe
from nexios.routing.router import Router
from tests.openapi.documents import document_of

T = TypeVar("T")
Schema = dict[str, Any]


class User(msgspec.Struct):
    name: str
    tags: list[str] = []


class Page(msgspec.Struct, Generic[T]):
    items: list[T]


class Account(pydantic.BaseModel):
    name: str

    @pydantic.computed_field  # type: ignore[prop-decorator]
    @property
    def initial(self) -> str:
        return self.name[:1]


class Team(pydantic.BaseModel):
    lead: Account


class Node(msgspec.Struct):
    children: list["Node"] = []


class Backend:
    """A library that says of types what a test tells it to."""

    def __init__(
        self, name: str, handled: Any, output: dict[str, Schema], read: dict[str, Schema] | None = None
    ) -> None:
        self.name = name
        self.refused = ""
        self._handled = handled
        self._components = {"output": output, "input": output if read is None else read}

    def handles(self, kind: Any) -> bool:
        return kind in self._handled

    def schemas(
        self, kinds: Any, *, mode: Literal["input", "output"], ref_template: str
    ) -> tuple[list[Schema], dict[str, Schema]]:
        if self.refused in kinds:
            raise TypeError("refused")
        return [{"$ref": ref_template.format(name=kind)} for kind in kinds], self._components[mode]


def schemas_of(router: Router, **settings: Any) -> dict[str, Schema]:
    found: dict[str, Schema] = document_of(router, **settings)["components"]["schemas"]
    return {
        name: schema for name, schema in found.items() if name not in ("Problem", "ValidationProblem", "InputError")
    }


def echo(kind: Any) -> Router:
    async def handler(request: Any, response: Any, given: Any) -> Any: ...

    handler.__annotations__.update({"given": kind, "return": kind})
    router = Router()
    router.add_route("/", handler, methods=["POST"])
    return router


def described(*backends: Backend, asked: Any, **options: Any) -> tuple[list[Schema], dict[str, Schema]]:
    questions = [(kind, mode, False) for kind, mode in asked]
    table = describe(questions, backends, own={}, **options)  # type: ignore[arg-type]
    return [table.of(kind, mode) for kind, mode in asked], table.components


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def test_a_model_that_is_read_and_written_is_one_component() -> None:
    schemas = schemas_of(echo(User))

    assert list(schemas) == ["User"]
    assert schemas["User"]["required"] == ["name"]


def test_a_model_that_is_only_written_has_all_its_fields() -> None:
    async def show(request: Any, response: Any) -> User:
        raise NotImplementedError

    router = Router()
    router.add_route("/", show)

    assert schemas_of(router)["User"]["required"] == ["name", "tags"]


def test_defaults_make_two_components_where_it_is_asked_for() -> None:
    schemas = schemas_of(echo(User), exact_required=True)

    assert {name: schema["required"] for name, schema in schemas.items()} == {
        "User": ["name", "tags"],
        "UserInput": ["name"],
    }


def test_a_model_that_takes_no_other_fields_is_one_component() -> None:
    """Undeclared fields are never written, so the rule is true of both."""

    class Strict(msgspec.Struct, forbid_unknown_fields=True):
        name: str = ""

    schemas = schemas_of(echo(Strict))

    assert list(schemas) == ["Strict"]
    assert schemas["Strict"]["additionalProperties"] is False


def test_a_model_that_truly_differs_is_two_components_and_so_is_one_that_holds_it() -> None:
    document = document_of(echo(Team))
    operation = document["paths"]["/"]["post"]
    schemas = document["components"]["schemas"]

    assert operation["requestBody"]["content"]["application/json"]["schema"] == ref("TeamInput")
    assert operation["responses"]["200"]["content"]["application/json"]["schema"] == ref("Team")
    assert schemas["TeamInput"]["properties"]["lead"] == ref("AccountInput")
    assert schemas["Team"]["properties"]["lead"] == ref("Account")
    assert "initial" in schemas["Account"]["properties"]
    assert "initial" not in schemas["AccountInput"]["properties"]


def test_a_model_that_is_only_read_has_its_plain_name() -> None:
    async def create(request: Any, response: Any, team: Team) -> None: ...

    router = Router()
    router.add_route("/", create, methods=["POST"])

    assert list(schemas_of(router)) == ["Account", "Team"]


def test_a_name_that_is_taken_is_not_given_twice() -> None:
    own = {"UserInput": {"title": "own"}, "UserInput2": {"title": "own too"}}
    library = Backend("x", ["User", *own], {"User": {"title": "out"}, **own}, {"User": {"title": "in"}, **own})

    schemas, components = described(
        library, asked=[("User", "output"), ("User", "input"), ("UserInput", "output"), ("UserInput2", "output")]
    )

    assert schemas == [ref("User"), ref("UserInput3"), ref("UserInput"), ref("UserInput2")]
    assert components == {"User": {"title": "out"}, **own, "UserInput3": {"title": "in"}}


def test_models_of_one_name_from_two_libraries_are_told_apart() -> None:
    first = Backend("first", ["User"], {"User": {"title": "first"}})
    second = Backend("second", ["Team"], {"User": {"title": "second"}, "Team": {"items": ref("User")}})

    schemas, components = described(first, second, asked=[("User", "output"), ("Team", "output")])

    assert schemas == [ref("UserFirst"), ref("Team")]
    assert components["Team"] == {"items": ref("User")}
    assert components["UserFirst"] == {"title": "first"}


def test_the_same_model_from_two_libraries_is_one() -> None:
    """A Struct may hold a pydantic model."""
    first = Backend("first", ["User"], {"User": {"title": "same"}})
    second = Backend("second", ["Team"], {"User": {"title": "same"}, "Team": {"items": ref("User")}})

    schemas, components = described(first, second, asked=[("User", "output"), ("Team", "output")])

    assert schemas == [ref("User"), ref("Team")]
    assert sorted(components) == ["Team", "User"]


def test_letters_that_a_component_cannot_have_become_underscores() -> None:
    strange = Backend("x", ["Page[User]", "é"], {"Page[User]": {}, "é": {}})

    schemas, _ = described(strange, asked=[("Page[User]", "output"), ("é", "output")])

    assert schemas == [ref("Page_User"), ref("Model")]


def test_generic_models_have_readable_names() -> None:
    assert list(schemas_of(echo(Page[User]))) == ["Page_User", "User"]


def test_the_settings_may_choose_names_of_components() -> None:
    assert list(schemas_of(echo(Page[User]), component_name=lambda name: f"Api{name}")) == ["ApiPage_User", "ApiUser"]


def test_two_models_of_one_chosen_name_are_an_error() -> None:
    with pytest.raises(ConfigurationError, match="gives the name 'Same' to two models: 'Page_User' and 'User'"):
        schemas_of(echo(Page[User]), component_name=lambda name: "Same")


def test_a_recursive_model_refers_to_itself() -> None:
    assert schemas_of(echo(Node))["Node"]["properties"]["children"]["items"] == ref("Node")


def test_models_of_one_name_in_two_modules_get_their_modules() -> None:
    @dataclass
    class User:
        id: int

    other = User

    async def show(request: Any, response: Any, given: Any) -> Any: ...

    show.__annotations__.update({"given": other, "return": globals()["User"]})
    router = Router()
    router.add_route("/", show, methods=["POST"])

    assert len(schemas_of(router)) == 2


def test_data_that_looks_like_a_reference_stays_as_it_is() -> None:
    schema = {
        "properties": {"$ref": {"$ref": "#/components/schemas/A"}, "default": {"$ref": "#/components/schemas/B"}},
        "default": {"$ref": "#/components/schemas/C"},
        "enum": [{"$ref": "#/components/schemas/D"}],
        "discriminator": {"propertyName": "kind", "mapping": {"e": "#/components/schemas/E"}},
        "anyOf": [{"$ref": "#/components/schemas/F"}, {"$ref": "https://example.com/G"}],
    }

    assert sorted(references(schema)) == ["A", "B", "E", "F"]
    assert renamed(schema, str.lower) == {
        "properties": {"$ref": {"$ref": "#/components/schemas/a"}, "default": {"$ref": "#/components/schemas/b"}},
        "default": {"$ref": "#/components/schemas/C"},
        "enum": [{"$ref": "#/components/schemas/D"}],
        "discriminator": {"propertyName": "kind", "mapping": {"e": "#/components/schemas/e"}},
        "anyOf": [{"$ref": "#/components/schemas/f"}, {"$ref": "https://example.com/G"}],
    }


def test_what_nothing_refers_to_is_not_reached() -> None:
    components = {"A": {"items": ref("B")}, "B": {"items": ref("A")}, "C": {}}

    assert list(reachable([{"items": ref("A")}], components)) == ["A", "B"]
    assert component_of(3) is None


@pytest.mark.parametrize("kind", [User, Page[User], Team, Node, list[Account], Annotated[dict[str, User], "said"]])
@pytest.mark.parametrize("exact", [False, True])
def test_every_component_is_a_valid_schema(kind: Any, exact: bool) -> None:
    document = document_of(echo(kind), exact_required=exact)

    for schema in document["components"]["schemas"].values():
        OAS31Validator.check_schema(schema)


def test_a_type_without_a_schema_is_an_error_that_names_it_where_it_must_have_one() -> None:
    faulty = Backend("x", ["good", "bad"], {"good": {}})
    faulty.refused = "bad"

    with pytest.raises(ConfigurationError, match="The type 'bad' of a route has no JSON Schema: refused"):
        described(faulty, asked=[("good", "output"), ("bad", "output")])


def test_a_type_that_needs_no_schema_does_not_spoil_the_others() -> None:
    faulty = Backend("x", ["good", "bad"], {"good": {}})
    faulty.refused = "bad"

    table = describe([("good", "output", False), ("bad", "output", True)], [faulty], own={})  # type: ignore[list-item]

    assert table.of("good", "output") == ref("good")
    assert table.of("bad", "output", lenient=True) == {}
    with pytest.raises(KeyError):
        table.of("bad", "output")


def test_a_type_that_cannot_be_hashed_is_described_too() -> None:
    kind = Annotated[int, msgspec.Meta(ge=1, extra_json_schema={"x-unit": "m"}), []]

    async def show(request: Any, response: Any, given: Any) -> None: ...

    show.__annotations__["given"] = kind
    router = Router()
    router.add_route("/", show)

    parameter = document_of(router)["paths"]["/"]["get"]["parameters"][0]

    assert parameter["schema"] == {"type": "integer", "minimum": 1, "x-unit": "m"}


def test_a_schema_that_refers_to_no_object_has_no_fields() -> None:
    table = describe([], [], own={"Loop": ref("Loop"), "Text": {"type": "string"}})

    assert table.fields(ref("Text")) is None
    assert table.fields(ref("Loop")) is None
    assert table.fields({"anyOf": [{"properties": {}}, {"type": "null"}]}) == {"properties": {}}
