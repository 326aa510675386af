"""JSON that means harm, and JSON that parsers read differently: rows O1, O2, O5 and O6."""

import ast
import json
import math
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

import nexios.errors
from nexios.application import NexiosApp
from nexios.errors import BadRequest, HTTPException
from nexios.messages.websocket import WebSocket
from nexios.routing.converters import BUILT_IN_CONVERTERS
from nexios.routing.registry import FunctionConverter
from nexios.serialization import decode_json, encode_json
from nexios.settings import Limits
from nexios.testing.raw import call
from tests.security.json_cases import INVALID, OPEN, VALID
from tests.security.kit import KIB, linear, post, raw_websocket
from tests.security.reading_app import ReadingApp

PACKAGE = Path(nexios.errors.__file__).parent

DEEP = """
import faulthandler
from nexios.errors import BadRequest
from nexios.serialization import decode_json, encode_json

faulthandler.enable()
for opening, closing in ((b"[", b"]"), (b'{"a":', b"}"), (b"[[],", b"]"), (b'{"a":[', b"]}")):
    for body in (opening * 100_000, opening * 100_000 + b"1" + closing * 100_000, closing * 100_000):
        try:
            decode_json(body, max_depth=100)
        except BadRequest as exc:
            print(exc.code)
value = []
value.append(value)
deep = mapping = {}
for _ in range(100_000):
    deep["a"] = [{}]
    deep = deep["a"][0]
for wrong in (value, mapping):
    try:
        encode_json(wrong)
    except RecursionError as exc:
        print(type(exc).__name__)
print("alive")
"""


def test_o1_depth_does_not_end_the_process() -> None:
    """CVE-2024-27454, CVE-2025-67221: in a process of its own, which a crash would end."""
    ran = subprocess.run([sys.executable, "-c", DEEP], capture_output=True, text=True, timeout=30, cwd=PACKAGE.parent)

    words = ran.stdout.split()
    assert (ran.returncode, ran.stderr) == (0, "")
    assert words[-3:] == ["RecursionError", "RecursionError", "alive"]
    assert len(words) == 12 + 3
    assert set(words[:12]) <= {"malformed_json", "json_too_deep"}


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")], ids=["arrays", "objects"])
@pytest.mark.parametrize(("depth", "code"), [(500, "json_too_deep"), (100_000, "malformed_json")])
async def test_o1_json_that_nests_too_deeply_is_a_bad_request(
    opening: bytes, closing: bytes, depth: int, code: str
) -> None:
    """CVE-2024-27454: matched and unmatched."""
    app = ReadingApp()

    matched = await post(app, opening * depth + b"1" + closing * depth, "application/json", path="/json")
    unmatched = await post(app, opening * depth, "application/json", path="/json")

    assert (matched.status, matched.json()["code"]) == (400, code)
    assert (unmatched.status, unmatched.json()["code"], app.read) == (400, "malformed_json", [])


def circle() -> list[Any]:
    """A list that holds itself."""
    wrong: list[Any] = []
    wrong.append(wrong)
    return wrong


def deep() -> dict[str, Any]:
    """An object of 100,000 floors."""
    top: dict[str, Any] = {}
    floor = top
    for _ in range(100_000):
        floor["a"] = {}
        floor = floor["a"]
    return top


@pytest.mark.parametrize("wrong", [circle, deep])
@pytest.mark.parametrize("returned", [True, False], ids=["returned", "response.json"])
async def test_o1_an_answer_that_holds_itself_or_never_ends_is_a_500(wrong: Any, returned: bool) -> None:
    """CVE-2025-67221."""
    app = NexiosApp()
    app.get("/")(lambda request, response: wrong() if returned else response.json(wrong()))
    app.get("/well")(lambda request, response: "well")

    answer = await call(app)

    assert (answer.status, answer.complete) == (500, True)
    assert (await call(app, path="/well")).status == 200


@pytest.mark.parametrize("unit", [b"[[[[[]]]]]", b"[" * 98 + b"]" * 98, b'"\\\\\\"["'], ids=["five", "98", "text"])
def test_o1_the_depth_is_found_in_linear_time(unit: bytes) -> None:
    """CVE-2024-27454: the check must not cost more than what it protects.

    From a size on at which the memory for the values, which is no part of the claim, has settled to its price.
    """
    length = len(unit) + 1
    assert linear(lambda n: decode_json(b"[" + b",".join([unit] * (n // length)) + b"]", max_depth=100), 128 * KIB)


@pytest.mark.parametrize("depth", [*range(1, 12), 99, 100])
@pytest.mark.parametrize("shape", ["[{}]", '{{"a":{}}}', "[[],{},[]]", '[{{"[":{}}}]'])
def test_o1_the_depth_is_exact(depth: int, shape: str) -> None:
    """RFC 8259 section 9 lets a reader set one."""
    text = "[]"
    while _depth(shape.format(text)) <= depth:
        text = shape.format(text)
    text = "[" * (depth - _depth(text)) + text + "]" * (depth - _depth(text))

    assert decode_json(text.encode(), max_depth=depth) == json.loads(text)
    with pytest.raises(BadRequest) as caught:
        decode_json(text.encode(), max_depth=depth - 1)
    assert caught.value.code == "json_too_deep"


def _depth(text: str) -> int:
    depth = deepest = 0
    for character in text.replace('"["', ""):
        depth += (character in "[{") - (character in "]}")
        deepest = max(deepest, depth)
    return deepest


@pytest.mark.parametrize(("body", "value"), VALID, ids=repr)
async def test_o2_what_rfc_8259_calls_json_is_read(body: bytes, value: object) -> None:
    """CVE-2014-10064 and the like; the cases are of the kinds of JSONTestSuite's y_ files."""
    app = ReadingApp()

    await post(app, body, "application/json", path="/json")

    [read] = app.read
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize("body", INVALID, ids=repr)
async def test_o2_what_is_not_json_is_a_bad_request(body: bytes) -> None:
    """CVE-2014-10064 and the like; n_ files."""
    app = ReadingApp()

    answer = await post(app, body, "application/json", path="/json")

    assert (answer.status, answer.json()["code"], app.read) == (400, "malformed_json", [])


@pytest.mark.parametrize("body", OPEN, ids=lambda body: repr(body[:40]))
async def test_o2_what_is_left_open_is_a_value_or_a_bad_request(body: bytes) -> None:
    """i_ files: never a 500, and never a number that is none."""
    app = ReadingApp()

    answer = await post(app, body, "application/json", path="/json")

    assert answer.status in (200, 400)
    assert all(math.isfinite(number) for value in app.read for number in _numbers(value))


def _numbers(value: object) -> Iterator[float]:
    if isinstance(value, float):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _numbers(one)


def test_o2_the_cases_are_as_many_as_they_should_be() -> None:
    """Each once, so that a list that is cut by mistake is noticed."""
    assert len(set(INVALID)) == len(INVALID) >= 188
    assert len({body for body, _ in VALID}) == len(VALID) >= 95
    assert len(set(OPEN)) == len(OPEN) >= 35


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
async def test_o2_an_answer_never_holds_a_number_that_is_none(number: float) -> None:
    """RFC 8259 section 6."""
    app = NexiosApp()
    app.get("/")(lambda request, response: response.json({"a": [number], "b": {"c": number}}))

    assert (await call(app)).body == b'{"a":[null],"b":{"c":null}}'


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
async def test_o2_nor_does_an_event_a_line_or_a_message(number: float) -> None:
    """RFC 8259 section 6: whatever writes JSON writes the same."""
    app = NexiosApp()

    async def source() -> AsyncIterator[object]:
        yield [number]

    app.get("/events")(lambda request, response: response.sse(source()))
    app.get("/lines")(lambda request, response: response.json_lines(source()))
    app.get("/error")(_raising(HTTPException(400, extra={"why": number})))

    @app.websocket("/ws")
    async def ws(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_json([number])

    assert (await call(app, path="/events")).body.endswith(b"data: [null]\n\n")
    assert (await call(app, path="/lines")).body == b"[null]\n"
    assert (await call(app, path="/error")).json()["why"] is None
    assert (await raw_websocket(app))[1]["text"] == "[null]"


def _raising(exc: Exception) -> Any:
    def handler(request: object, response: object) -> None:
        raise exc

    return handler


@pytest.mark.parametrize("text", ["\u2028", "é", "\x7f", "\0", '"\\/', "</script>", "🎉"])
def test_o2_text_comes_back_as_it_was(text: str) -> None:
    """Any reader of JSON reads what is written."""
    assert json.loads(encode_json({text: text})) == {text: text}


def test_o5_no_pattern_ends_before_a_line_end() -> None:
    """CVE-2015-5144, CVE-2021-32052, CVE-2026-53878: `$` lets a last line end pass; fullmatch and \\Z do not.

    Wherever in a pattern it stands: `(a$|b)` as well as `a$`.
    """
    found = [
        f"{path.relative_to(PACKAGE)}: {pattern!r}"
        for path in PACKAGE.rglob("*.py")
        for pattern in _patterns(ast.parse(path.read_text("utf-8")))
        if "$" in re.sub(r"\\.|\[[^]]*\]", "", pattern)
    ]

    assert found == []


def _patterns(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("re.") and node.args:
            for part in ast.walk(node.args[0]):
                if isinstance(part, ast.Constant) and isinstance(part.value, str | bytes):
                    yield part.value if isinstance(part.value, str) else part.value.decode("latin-1")


PARAMETERS = {
    "str": "abc", "int": "1", "float": "1.5", "uuid": "12345678-1234-5678-1234-567812345678", "slug": "abc-def",
    "date": "2026-01-02", "datetime": "2026-01-02T10:00:00", "path": "a/b",
}  # fmt: skip


def test_o5_each_converter_that_there_is_is_tested() -> None:
    assert set(BUILT_IN_CONVERTERS) == set(PARAMETERS)


@pytest.mark.parametrize("name", sorted(PARAMETERS))
@pytest.mark.parametrize("ending", ["\n", "\r", "\r\n", "\x0b", "\x1c", "\x85"], ids=ascii)
async def test_o5_a_path_parameter_does_not_end_in_a_line_end(name: str, ending: str) -> None:
    """CVE-2015-5144, CVE-2021-32052, CVE-2026-53878."""
    app = NexiosApp()
    app.get(f"/{{value:{name}}}")(lambda request, response, value: response.text("ok"))

    assert (await call(app, path=f"/{PARAMETERS[name]}")).status == 200
    assert (await call(app, path=f"/{PARAMETERS[name]}{ending}")).status in (400, 404)


def test_o5_the_pattern_of_a_converter_matches_the_whole_text() -> None:
    """CVE-2015-5144: whatever its author ends it with."""
    for pattern in ("[a-z]+", "[a-z]+$", "^[a-z]+$", "(?m)[a-z]+$"):
        converter = FunctionConverter(regex=pattern)
        assert converter.convert("abc") == "abc"
        for text in ("abc\n", "abc\nd", "\nabc"):
            with pytest.raises(ValueError, match="does not match"):
                converter.convert(text)


HOSTILE = "<script>alert(1)</script>\r\nX-Injected: 1"


@pytest.mark.parametrize("reader", ["json", "form", "text"])
async def test_o6_an_error_never_repeats_the_input(reader: str) -> None:
    """A validation error that reflects its input is XSS in one reader and a false line in another's log."""
    app = ReadingApp(Limits(max_form_fields=1))
    body = f"{HOSTILE}&a=1&b=2".encode() + b"\xff"

    answer = await post(app, body, "application/x-www-form-urlencoded", path=f"/{reader}")

    assert 400 <= answer.status < 500
    assert answer.header("content-type") == "application/problem+json"
    assert answer.header("x-content-type-options") == "nosniff"
    assert b"script" not in answer.body
    assert b"Injected" not in answer.body


MAY_VARY = {
    "_pipeline/inputs/formats.py": "names the media types that the route reads, in the words of its author",
    "websockets/message.py": "names a limit of ours",
    "stores/base.py": "explains to the log what is not started; the client is told nothing but 503",
    "messages/form.py": "names the media type that arrived: two tokens of a hundred characters at most",
}
"""Where the text of a client error is no constant, and why that is safe."""


def test_o6_the_words_of_a_client_error_are_constant() -> None:
    """No subclass of HTTPException in the package is raised with an f-string."""
    trees = {path: ast.parse(path.read_text("utf-8")) for path in PACKAGE.rglob("*.py")}
    names = _client_errors(trees.values())
    found = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path, tree in trees.items()
        if path.relative_to(PACKAGE).as_posix() not in MAY_VARY
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in names
        if any(isinstance(argument, ast.JoinedStr) for argument in node.args)
    ]

    assert {"BadRequest", "InvalidInput", "StoreUnavailable"} <= names
    assert found == []


def _client_errors(trees: Iterable[ast.AST]) -> set[str]:
    """The classes that descend from HTTPException, found in the text: what is imported does not matter."""
    bases = {
        node.name: {ast.unparse(base).rpartition(".")[2] for base in node.bases}
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    names = {"HTTPException"}
    while more := {name for name, parents in bases.items() if parents & names} - names:
        names |= more
    return names
