"""Typed input and output under attack: rows O1 to O8, where a type is declared."""

import dataclasses
import datetime
import decimal
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any, TypedDict

import attrs
import msgspec
import pydantic
import pytest

import nexios.errors
from nexios import NexiosApp
from nexios.models.adapter import adapt
from nexios.models.backend import Malformed
from nexios.models.problems import Invalid, Problem
from nexios.serialization import encode_json
from nexios.testing.raw import call
from tests.security.json_cases import INVALID, OPEN, VALID
from tests.security.kit import KIB, cpu_time, linear

ROOT = Path(nexios.errors.__file__).parent.parent


class Node(msgspec.Struct):
    value: int = 0
    child: "Node | None" = None
    children: list["Node"] = []


class Item(msgspec.Struct):
    name: Annotated[str, msgspec.Meta(max_length=10)]
    price: Annotated[float, msgspec.Meta(ge=0)]


class Anything(msgspec.Struct):
    known: int = 0


DEEP = """
import faulthandler
import msgspec
from nexios.models.adapter import adapt
from nexios.models.backend import Malformed
from nexios.models.problems import Invalid

faulthandler.enable()

class Node(msgspec.Struct):
    value: int = 0
    child: "Node | None" = None
    children: list["Node"] = []

class Text(msgspec.Struct):
    text: str

for opening, closing in ((b"[", b"]"), (b'{"child":', b"}"), (b'{"children":[', b"]}"), (b'{"unknown":', b"}")):
    for depth in (90, 400, 900, 10_000, 100_000):
        for body in (opening * depth, opening * depth + b'"x"' + closing * depth):
            for kind in (Node, list[Node], Text, dict[str, Node], list[int]):
                try:
                    adapt(kind).decode_json(body)
                except (Malformed, Invalid) as error:
                    pass
for depth in (400, 10_000, 100_000):
    for body in (b"\\x91" * depth, b"\\x81\\xa5child" * depth, b"\\x81\\xa5child" * depth + b"\\xa1x"):
        try:
            adapt(Node).decode_msgpack(body)
        except (Malformed, Invalid) as error:
            pass
deep = Node()
for _ in range(100_000):
    deep = Node(child=deep)
itself = Node()
itself.child = itself
for wrong in (deep, itself):
    for write in (adapt(Node).to_json, adapt(Node).to_msgpack):
        try:
            write(wrong)
        except Invalid as error:
            print(error.problems[0].detail)
print("alive")
"""


def test_o1_depth_does_not_end_the_process() -> None:
    ran = subprocess.run([sys.executable, "-c", DEEP], capture_output=True, text=True, timeout=50, cwd=ROOT)

    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines() == ["is nested too deeply, or holds itself"] * 4 + ["alive"]


@pytest.mark.parametrize("document", INVALID, ids=lambda document: str(document[:20]))
def test_o2_what_is_no_json_is_malformed_for_a_typed_body_too(document: bytes) -> None:
    for kind in (int, list[int], Any, dict[str, object]):
        with pytest.raises(Malformed):
            adapt(kind).decode_json(document)


class OfMsgspec(msgspec.Struct):
    value: object


@dataclasses.dataclass
class OfPython:
    value: object


class OfKeys(TypedDict):
    value: object


@attrs.define
class OfAttrs:
    value: object


class OfPydantic(pydantic.BaseModel):
    value: Any


MODELS: list[Any] = [OfMsgspec, OfPython, OfKeys, OfAttrs, OfPydantic]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_o2_every_kind_of_model_reads_the_same_json(model: Any) -> None:
    """CVE-2014-10064: two readers that differ let one check what the other does not see."""
    adapter = adapt(model)
    for document, value in VALID:
        read = adapter.decode_json(b'{"value":' + document + b"}")
        found = read["value"] if isinstance(read, dict) else read.value
        assert (found, type(found)) == (value, type(value))
    for document in INVALID:
        with pytest.raises(Malformed):
            adapter.decode_json(document)


@pytest.mark.parametrize(("document", "value"), VALID, ids=lambda each: str(each)[:20])
def test_o2_what_is_json_is_read_or_invalid_never_malformed(document: bytes, value: object) -> None:
    assert adapt(object).decode_json(document) == value
    try:
        adapt(Item).decode_json(document)
    except Invalid as error:
        assert error.problems


def refusal_of(kind: Any, body: bytes) -> type[Exception] | None:
    """Return what a body is refused with."""
    try:
        adapt(kind).decode_json(body)
    except Exception as error:
        return type(error)
    return None


@pytest.mark.parametrize("document", OPEN, ids=lambda document: str(document[:20]))
def test_o2_what_is_left_open_is_a_value_or_a_clean_refusal(document: bytes) -> None:
    for kind in (object, Item, list[float], str, Anything):
        assert refusal_of(kind, document) in (None, Malformed, Invalid)


@pytest.mark.parametrize(
    "number", [b"1e400", b"-1e400", b"9" * 5000, b"1" + b"0" * 10_000], ids=lambda each: str(each[:6])
)
@pytest.mark.parametrize("kind", [int, float, object, list[int], Item], ids=str)
def test_o2_a_number_out_of_range_is_malformed(kind: Any, number: bytes) -> None:
    for body in (number, b"[" + number + b"]", b'{"name":"a","price":' + number + b"}"):
        with pytest.raises((Malformed, Invalid)) as caught:
            adapt(kind).decode_json(body)
        assert caught.type is Malformed


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_o2_nan_never_leaves(value: float) -> None:
    class Reading(msgspec.Struct):
        value: float

    class MoreReading(Reading):
        more: int = 0

    for result in (Reading(value), MoreReading(value), {"value": value}):
        assert adapt(Reading).to_json(result) == b'{"value":null}'


def invalid_items(count: int) -> bytes:
    """Return a list of items of which each has two faults."""
    return b"[" + b",".join([b'{"name":"far too long a name","price":-1}'] * count) + b"]"


def problems_of(kind: Any, body: bytes) -> tuple[Problem, ...]:
    """Return what is wrong with a body."""
    with pytest.raises(Invalid) as caught:
        adapt(kind).decode_json(body)
    return caught.value.problems


def test_o3_an_answer_is_small_however_much_is_wrong() -> None:
    """CVE-2020-8192: all errors of 100,000 items would be an answer larger than the question."""
    body = invalid_items(100_000)

    with cpu_time() as spent:
        problems = problems_of(list[Item], body)

    assert len(problems) == 100
    assert len(encode_json(problems)) < 64 * KIB
    assert spent.seconds < 0.5


async def test_o3_the_answer_of_an_app_is_small_too() -> None:
    """CVE-2020-8192: a hundred problems and nothing of the input."""
    app = NexiosApp()

    @app.post("/")
    async def items(items: list[Item]) -> int:
        return len(items)

    headers = [(b"content-type", b"application/json")]

    answer = await call(app, method="POST", headers=headers, chunks=[invalid_items(100_000)])

    assert (answer.status, len(answer.json()["errors"])) == (422, 100)
    assert len(answer.body) < 64 * KIB
    assert b"far too long a name" not in answer.body


@pytest.mark.parametrize(
    ("kind", "document"),
    [
        (dict[str, int], {"\0" * 200 + str(number): "x" for number in range(200)}),
        (dict[str, int], {"é" * 300 + str(number): "x" for number in range(200)}),
        (dict[str, dict[str, int]], {"a" * 399: {"b" * 399 + str(number): "x" for number in range(200)}}),
    ],
    ids=["controls", "letters", "nested"],
)
def test_o3_long_names_do_not_make_a_long_answer(kind: Any, document: object) -> None:
    assert len(encode_json(problems_of(kind, msgspec.json.encode(document)))) < 64 * KIB


@pytest.mark.slow
def test_o3_the_search_for_problems_takes_linear_time() -> None:
    def last_is_wrong(count: int) -> None:
        problems_of(list[Item], b"[" + b'{"name":"a","price":1},' * count + b"0]")

    def nothing_is_right(count: int) -> None:
        problems_of(list[Node], b"[" + b'{"child":{"value":"x"}},' * count + b"0]")

    assert linear(last_is_wrong, 20_000)
    assert linear(nothing_is_right, 20_000)


def test_o3_the_search_gives_up_before_it_keeps_others_waiting() -> None:
    """A type that nests in itself cannot be passed in C; past 100,000 values no more is looked at."""
    body = b"[" + b"{}," * 300_000 + b'{"value":"x"}]'

    assert problems_of(list[Node], body) == (Problem("", "invalid", "is invalid"),)


@pytest.mark.parametrize("text", ["infinity", "1e20", "NaN", "99999999999999999999", "-1", "0000-00-00"])
def test_o4_strange_dates_are_invalid(text: str) -> None:
    for kind in (datetime.date, datetime.datetime, datetime.time, datetime.timedelta):
        with pytest.raises(Invalid):
            adapt(kind).decode_json(msgspec.json.encode(text))
        with pytest.raises(Invalid):
            adapt(kind).convert_text(text)


@pytest.mark.parametrize("written", ["{}", '"{}"'], ids=["number", "text"])
@pytest.mark.parametrize("text", ["infinity", "-inf", "1e20", "NaN", "1e400", "99999999999999999999", "9" * 5000])
@pytest.mark.parametrize("kind", [datetime.date, datetime.datetime, datetime.timedelta], ids=lambda kind: kind.__name__)
def test_o4_pydantic_is_not_asked_for_the_end_of_time(kind: Any, text: str, written: str) -> None:
    """CVE-2021-29510: a date of `infinity` was looked for in a loop without end."""
    model = pydantic.create_model("Moment", at=(kind, ...))

    with pytest.raises((Malformed, Invalid)):
        adapt(model).decode_json(b'{"at":' + written.format(text).encode() + b"}")


def test_o4_a_decimal_that_would_fill_the_memory_is_refused() -> None:
    with pytest.raises(Malformed):
        adapt(decimal.Decimal).decode_json(b"1e999999999")
    with pytest.raises(Invalid):
        adapt(decimal.Decimal).decode_json(b'"1e999999999"')


@pytest.mark.parametrize("kind", [int, float, bool, decimal.Decimal, datetime.date], ids=str)
@pytest.mark.parametrize("text", ["1\n", "\n1", "1\0", "1\u2028", "true\n", "2026-01-31\n"])
def test_o5_text_with_a_line_break_is_no_value(kind: Any, text: str) -> None:
    with pytest.raises(Invalid):
        adapt(kind).convert_text(text)


@pytest.mark.parametrize("kind", [int, float, bool, Item, list[int], datetime.date, decimal.Decimal, None], ids=str)
def test_o6_the_value_of_the_client_is_never_repeated(kind: Any) -> None:
    for problem in problems_of(kind, b'"<script>alert(1)</script>"'):
        assert "script" not in f"{problem}"


def test_o7_what_is_not_declared_is_never_set() -> None:
    class Profile(msgspec.Struct):
        name: str

    @dataclasses.dataclass
    class Data:
        name: str

    class Typed(TypedDict):
        name: str

    body = b'{"name":"Ann","is_admin":true,"__class__":"X","__dict__":{},"__init__":1}'

    assert adapt(Profile).decode_json(body) == Profile("Ann")
    assert vars(adapt(Data).decode_json(body)) == {"name": "Ann"}
    assert adapt(Typed).decode_json(body) == {"name": "Ann"}
    assert adapt(Data).convert_text({"name": "Ann", "is_admin": "1", "__class__": "X"}) == Data("Ann")


def test_o8_a_password_does_not_leave_whatever_the_handler_returned() -> None:
    class Public(msgspec.Struct):
        name: str

    class Stored(Public):
        password: str = "secret"

    class Row:
        name = "Ann"
        password = "secret"

    class Team(msgspec.Struct):
        lead: Public
        others: list[Public] = []

    stored, as_dict = Stored("Ann"), {"name": "Ann", "password": "secret"}
    for result in (stored, as_dict, Row()):
        assert adapt(Public).to_json(result) == b'{"name":"Ann"}'
        assert adapt(list[Public]).to_json([result, Public("Bob")]) == b'[{"name":"Ann"},{"name":"Bob"}]'
        assert b"secret" not in adapt(dict[str, Public | None]).to_json({"a": result})
        assert b"secret" not in adapt(Team).to_json({"lead": result, "others": [result]})
    assert b"secret" not in adapt(Team).to_json(Team(stored, [stored]))
    assert b"secret" not in adapt(Team).to_msgpack(Team(stored, [stored]))
