"""Which parameters are inputs, of which part of the request, and which mistakes are told at compile?"""

import datetime
import decimal
import enum
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, NewType, TypedDict, get_args

import msgspec
import pytest

from nexios._injection.signature import EMPTY
from nexios._pipeline.inputs.compile import CompiledInputs, compile_inputs
from nexios._pipeline.inputs.input import Input
from nexios._pipeline.inputs.kinds import at_the_very_end
from nexios._pipeline.inputs.markers import Body, Cookie, File, Form, Header, Marker, Path, Query
from nexios.errors import ConfigurationError
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.messages.upload import UploadFile

Classify = Callable[..., Input | None]
Compiled = Callable[..., CompiledInputs]

UserId = NewType("UserId", int)


class Colour(enum.Enum):
    RED = "red"


class Item(msgspec.Struct):
    name: str


class Movie(TypedDict):
    title: str


class Service:
    pass


def handler_of(kind: Any, default: Any = EMPTY) -> Callable[..., Any]:
    """A handler with one parameter `a`."""
    if default is EMPTY:

        async def required(a): ...  # type: ignore[no-untyped-def]

        handler = required
    else:

        async def optional(a=default): ...  # type: ignore[no-untyped-def]

        handler = optional
    if kind is not EMPTY:
        handler.__annotations__ = {"a": kind}
    return handler


@pytest.mark.parametrize(
    ("kind", "get", "post"),
    [
        (str, "query", "query"),
        (int | None, "query", "query"),
        (float | bool, "query", "query"),
        (decimal.Decimal, "query", "query"),
        (uuid.UUID, "query", "query"),
        (datetime.timedelta, "query", "query"),
        (Colour, "query", "query"),
        (Literal["a", "b"] | None, "query", "query"),
        (UserId, "query", "query"),
        (Annotated[int, msgspec.Meta(ge=1)], "query", "query"),
        (list[int], "query", "body"),
        (set[str] | None, "query", "body"),
        (Sequence[int], "query", "body"),
        (UploadFile, None, "file"),
        (list[UploadFile] | None, None, "file"),
        (Item, None, "body"),
        (Item | None, None, "body"),
        (list[Item], None, "body"),
        (Movie, None, "body"),
        (dict, None, "body"),
        (dict[str, int], None, "body"),
        (Mapping[str, Item], None, "body"),
        (EMPTY, None, None),
        (Any, None, None),
        (object, None, None),
        (bytes, None, None),
        (Service, None, None),
        (Request, None, None),
        (Response | None, None, None),
        ("Nowhere", None, None),
    ],
)
def test_an_annotation_says_where_a_value_comes_from(
    classify: Classify, kind: Any, get: str | None, post: str | None
) -> None:
    def source(*methods: str) -> str | None:
        found = classify(handler_of(kind), methods=methods)
        return None if found is None else found.source

    assert source("POST") == source("QUERY") == source("DELETE") == source("GET", "PATCH") == post
    if get is None and post is not None:
        with pytest.raises(ConfigurationError):
            source("GET", "HEAD")
    else:
        assert source("GET", "HEAD") == get


def test_a_name_of_the_template_is_read_from_the_path(classify: Classify) -> None:
    found = classify(handler_of(uuid.UUID), path_names=("a",))

    assert found is not None
    assert (found.source, found.name, found.required) == ("path", "a", True)
    assert classify(handler_of(EMPTY), path_names=("a",)) is None


def test_a_default_of_a_path_parameter_is_for_another_route(classify: Classify) -> None:
    found = classify(handler_of(int, 5), path_names=("a",))

    assert found is not None
    assert found.required


@pytest.mark.parametrize(
    ("marker", "source", "name"),
    [
        (Query(), "query", "a"),
        (Query(alias="b"), "query", "b"),
        (Header(), "header", "a"),
        (Header(alias="X_Y"), "header", "x_y"),
        (Cookie(), "cookie", "a"),
        (Path(), "path", "a"),
        (Body(), "body", "a"),
        (Form(), "form", "a"),
    ],
)
def test_a_marker_decides_as_a_default_and_in_annotated(
    classify: Classify, marker: Any, source: str, name: str
) -> None:
    for handler in (handler_of(int, marker), handler_of(Annotated[int, marker]), handler_of(EMPTY, marker)):
        found = classify(handler, path_names=("a",))
        assert found is not None
        assert (found.source, found.name, found.marker) == (source, name, marker)
        assert found.required


def test_a_default_stands_after_the_equals_sign_or_in_the_marker(classify: Classify) -> None:
    for handler in (handler_of(Annotated[int, Query(ge=1)], 5), handler_of(int, Query(5, ge=1))):
        found = classify(handler)
        assert found is not None
        assert (found.default, found.required) == (5, False)

    found = classify(handler_of(int, Query(...)))
    assert found is not None
    assert found.required


def test_without_an_annotation_the_default_of_the_marker_has_the_type(classify: Classify) -> None:
    def kind(default: Any) -> Any:
        found = classify(handler_of(EMPTY, default))
        assert found is not None
        return found.kind

    assert kind(Query(5)) is int
    assert kind(Query()) is str
    assert kind(File()) is UploadFile
    assert kind(Body()) is Any


def test_registration_changes_no_marker(classify: Classify) -> None:
    """One marker may serve many handlers."""
    marker: Marker = Query(5, ge=1)
    before = {name: getattr(marker, name) for name in marker.__struct_fields__}

    classify(handler_of(int, marker))
    classify(handler_of(float, marker))

    assert {name: getattr(marker, name) for name in marker.__struct_fields__} == before
    with pytest.raises(AttributeError):
        marker.default = 6  # type: ignore[misc]


def test_markers_are_not_mixed_up_by_equal_defaults() -> None:
    """typing caches what equals: 1 == True."""
    assert get_args(Annotated[int, Query(1)])[1].default is not True
    assert get_args(Annotated[int, Query(True)])[1].default is True


def test_a_header_is_named_after_its_parameter(classify: Classify) -> None:
    async def handler(user_agent: str = Header()) -> None: ...
    async def keyword(from_: str = Header()) -> None: ...

    for function, name in ((handler, "user-agent"), (keyword, "from")):
        found = classify(function)
        assert found is not None
        assert found.name == name


@pytest.mark.parametrize(
    ("kind", "default", "options", "texts"),
    [
        (
            Item,
            EMPTY,
            {"methods": ("GET",)},
            ["'a' is of the type Item", "GET has none", "a: Annotated[Item, Query()]"],
        ),
        (Item, Body(), {"methods": ("GET", "HEAD")}, ["GET has none", "Annotated[Item, Query()]"]),
        (UploadFile, EMPTY, {"methods": ("GET",)}, ["such as POST"]),
        (int, Form(), {"methods": ()}, ["a WebSocket has none"]),
        (int, Path(), {}, ["has no parameter", "/{a}"]),
        (int, Path(), {"path_names": ("id",)}, ["has id", "Path(alias=...)"]),
        (int, Path(5), {"path_names": ("a",)}, ["always there", "a: int = Path()"]),
        (int, "x", {}, ["The default 'x' of 'a' is no int", "a: str"]),
        (int, None, {}, ["a: int | None"]),
        (int, Query(0, ge=1), {}, ["The default 0"]),
        (Annotated[int, Query(5)], 6, {}, ["two defaults", "= 6"]),
        (Annotated[int, Query()], Header(), {}, ["two markers", "Query() and Header()"]),
        (Annotated[int, Query], EMPTY, {}, ["call it", "Query()"]),
        (int, Query, {}, ["call it", "Query()"]),
        (int, Header(alias="a b"), {}, ["is not a header name"]),
        (list[int], Cookie(), {}, ["holds one text"]),
        (list[Item], Query(), {}, ["holds one text"]),
        (list[int], EMPTY, {"path_names": ("a",)}, ["holds one text"]),
        (UploadFile, Form(), {}, ["a: UploadFile = File()"]),
        (int, File(), {}, ["is an UploadFile", "a: UploadFile"]),
        (Item, Query(alias="b"), {}, ["takes all names"]),
        (str, Query(ge=1), {}, ["ge says nothing of str"]),
        ("Nowhere", Query(), {}, ["'Nowhere'", "cannot be resolved"]),
    ],
)
def test_a_mistake_is_told_with_the_fix(
    classify: Classify, kind: Any, default: Any, options: dict[str, Any], texts: list[str]
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        classify(handler_of(kind, default), **options)

    for text in texts:
        assert text in str(caught.value)


@pytest.mark.parametrize(
    ("kinds", "text"),
    [
        ({"a": Annotated[bytes, Body()], "b": Item}, "as it came"),
        ({"a": Annotated[Item, Body()], "b": Annotated[str, Form()]}, "a: Annotated[..., Form()]"),
        ({"a": Annotated[UploadFile, File()], "b": Item}, "b: Annotated[..., Form()]"),
        ({"a": Annotated[Item, Body(media_type="text/csv")]}, "only bytes or str"),
        ({"a": Annotated[Item, Body(media_type="nothing")]}, "is no media type"),
        ({"a": Annotated[UploadFile, File(content_types=["png"])]}, "'image/*'"),
        ({"a": Annotated[Service, Query()]}, "Service"),
        ({"a": Annotated[Service, Path()]}, "Service"),
        ({"a": Annotated[Item, Body(media_type="a/x+json")], "b": Annotated[int, Body(media_type="a/y+json")]}, "a/y+"),
        ({"a": Annotated[dict[str, str], Header()]}, "request.headers"),
    ],
)
def test_inputs_that_cannot_be_read_are_refused(compiled_inputs: Compiled, kinds: dict[str, Any], text: str) -> None:
    async def two(a, b): ...  # type: ignore[no-untyped-def]
    async def one(a): ...  # type: ignore[no-untyped-def]

    handler: Any = two if len(kinds) == 2 else one
    handler.__annotations__ = kinds

    with pytest.raises(ConfigurationError) as caught:
        compiled_inputs(handler, ("a",) if kinds["a"].__metadata__[0].source == "path" else (), ("POST",))

    assert text in str(caught.value)


def test_the_order_says_which_value_belongs_to_which_input(compiled_inputs: Compiled) -> None:
    async def handler(item: Item, q: str, id: int) -> None: ...

    inputs = compiled_inputs(handler, ("id",), ("POST",))

    assert [inputs.inputs[index].parameter for index in inputs.order] == ["q", "id", "item"]
    assert len(inputs.head) == 2
    assert inputs.body is not None


def test_several_bodies_are_no_whole_ones_and_one_asked_for_twice_is(compiled_inputs: Compiled) -> None:
    async def several(item: Item, movie: Movie) -> None: ...
    async def single(item: Item) -> None: ...

    assert [item.whole for item in compiled_inputs(several, (), ("POST",)).inputs] == [False, False]
    (item,) = compiled_inputs(single, (), ("POST",)).inputs
    assert [item.whole for item in compile_inputs([item, item]).inputs] == [True, True]


def test_no_inputs_are_read_by_nothing() -> None:
    inputs = compile_inputs([])

    assert (inputs.head, inputs.body, inputs.order) == ((), None, ())


@pytest.mark.parametrize(
    ("pattern", "kept"),
    [
        ("^a$", "^a$(?!\\n)"),
        ("^a$|^b$", "^a$(?!\\n)|^b$(?!\\n)"),
        ("^a\\$", "^a\\$"),
        ("[$]", "[$]"),
        ("(?i)^a$", "(?i)^a$(?!\\n)"),
        ("(?m)^a$", "(?m)^a$"),
        ("(?:a$)", "(?:a$(?!\\n))"),
    ],
)
def test_the_end_of_a_pattern_is_the_end_of_the_text(pattern: str, kept: str) -> None:
    assert at_the_very_end(pattern) == kept


def test_a_marker_is_shown_as_it_is_written() -> None:
    """The text of a ConfigurationError shows the signature of the handler."""
    assert repr(Query()) == "Query()"
    assert repr(Query(None, alias="x", ge=1)) == "Query(None, ge=1, alias='x')"
    assert repr(Body(embed=True)) == "Body(embed=True)"
    assert repr(File(content_types="image/png")) == "File(content_types=('image/png',))"
