"""Urlencoded forms: the same limits as multipart, and a body that can't fit is not read to its end."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios.errors import BadRequest, ClientDisconnect, ContentTooLarge, HTTPException, UnsupportedMediaType
from nexios.http.forms import FormData, parse_urlencoded
from nexios.http.media_type import parse_media_type
from nexios.messages import form as form_module
from nexios.messages.form import read_form
from nexios.settings import Limits

KIB = 1024
MIB = 1024 * 1024


class Wire:
    """Chunks, and how many of them were taken."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self.taken = 0
        self.closed = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        for chunk in self._chunks:
            self.taken += 1
            return chunk
        raise StopAsyncIteration

    async def aclose(self) -> None:
        self.closed = True


async def read(
    *chunks: bytes, limits: Limits | None = None, content_type: str = "application/x-www-form-urlencoded"
) -> FormData:
    return await read_form(Wire(chunks), parse_media_type(content_type), limits or Limits())


async def refused(wire: Wire, limits: Limits | None = None) -> str:
    """The code of the 413 that the body is answered with."""
    with pytest.raises(ContentTooLarge) as caught:
        await read_form(wire, parse_media_type("application/x-www-form-urlencoded"), limits or Limits())
    assert wire.closed
    return caught.value.code


async def test_fields_are_decoded_and_in_order() -> None:
    form = await read(b"name=Ada+L%C3%B8velace&tag=x&tag=y&news")

    assert form.multi_items() == [("name", "Ada Løvelace"), ("tag", "x"), ("tag", "y"), ("news", "")]


async def test_an_empty_body_is_a_form_without_fields() -> None:
    assert len(await read()) == 0


async def test_a_form_has_no_files() -> None:
    assert len((await read(b"filename=x.txt")).files) == 0


@pytest.mark.parametrize("chunks", [(b"a=1&b=2",), (b"a=1&b=2", b""), (b"", b"a=1&", b"", b"b=2")])
async def test_empty_messages_change_nothing(chunks: tuple[bytes, ...]) -> None:
    assert (await read(*chunks)).multi_items() == [("a", "1"), ("b", "2")]


@given(st.lists(st.binary(max_size=10), max_size=10))
def test_how_the_body_is_cut_changes_nothing(chunks: list[bytes]) -> None:
    body = b"".join(chunks)
    try:
        whole: object = parse_urlencoded(body)
    except BadRequest as exc:
        whole = exc.code
    try:
        cut: object = asyncio.run(read(*chunks)).multi_items()
    except BadRequest as exc:
        cut = exc.code

    assert cut == whole


@given(st.binary(max_size=200), st.integers(0, 20), st.integers(0, 20), st.integers(0, 3))
def test_whatever_comes_is_a_form_or_a_clean_refusal(body: bytes, part: int, text: int, fields: int) -> None:
    """The early refusal never says no where the parser, which has the last word, says yes."""
    limits = Limits(max_form_fields=fields, max_form_part_size=part, max_form_text_size=text)
    try:
        expected: object = parse_urlencoded(body, max_fields=fields, max_part_size=part, max_text_size=text)
    except HTTPException as exc:
        expected = exc.status_code
    try:
        found: object = asyncio.run(read(body, limits=limits)).multi_items()
    except HTTPException as exc:
        found = exc.status_code

    assert found == expected or (found == 413 and expected == 400)


@pytest.mark.parametrize(("count", "fits"), [(999, True), (1000, True), (1001, False)])
async def test_a_form_has_a_thousand_fields_at_most(count: int, fits: bool) -> None:
    body = b"&".join([b"a=1"] * count)

    if fits:
        assert len((await read(body)).get_all("a")) == count
    else:
        assert await refused(Wire([body])) == "too_many_form_fields"


@pytest.mark.parametrize(("size", "fits"), [(MIB - 1, True), (MIB, True), (MIB + 1, False)])
async def test_a_field_has_a_mebibyte_at_most(size: int, fits: bool) -> None:
    body = b"a=" + b"x" * size

    if fits:
        assert len(str((await read(body))["a"])) == size
    else:
        assert await refused(Wire([body])) == "form_field_too_large"


@pytest.mark.parametrize(("size", "fits"), [(9, True), (10, True), (11, False)])
async def test_all_fields_together_have_a_limit(size: int, fits: bool) -> None:
    limits = Limits(max_form_text_size=20)
    body = b"a=" + b"x" * 10 + b"&b=" + b"x" * size

    if fits:
        assert len((await read(body, limits=limits)).fields) == 2
    else:
        assert await refused(Wire([body]), limits) == "form_too_large"


@pytest.mark.parametrize(("size", "fits"), [(255, True), (256, True), (257, False)])
async def test_a_name_has_256_bytes_at_most(size: int, fits: bool) -> None:
    name = b"n" * size

    if fits:
        assert (await read(name + b"=1"))[name.decode()] == "1"
    else:
        assert await refused(Wire([name + b"=1"])) == "form_name_too_long"


@pytest.mark.parametrize("value", [b"%41", b"%C3%A9", b"+", b"%2"])
async def test_sizes_are_those_of_the_decoded_bytes(value: bytes) -> None:
    [(_, decoded)] = parse_urlencoded(b"a=" + value * 1000)
    exact = Limits(max_form_part_size=len(decoded.encode()), max_form_text_size=len(decoded.encode()))
    short = Limits(max_form_part_size=len(decoded.encode()) - 1)

    assert (await read(b"a=" + value * 1000, limits=exact))["a"] == decoded
    assert await refused(Wire([b"a=" + value * 1000]), short) == "form_field_too_large"


@pytest.mark.parametrize("filling", [b"x", b"+", b"x%41"])
async def test_a_field_that_never_ends_is_not_read_to_its_end(filling: bytes) -> None:
    wire = Wire([b"a="] + [filling * (64 * KIB // len(filling))] * 1024)

    assert await refused(wire) == "form_field_too_large"
    assert wire.taken <= 1 + 2 * 16 + 2


async def test_escapes_buy_three_times_the_bytes_and_no_more() -> None:
    wire = Wire([b"a="] + [b"%" * 64 * KIB] * 1024)

    assert await refused(wire) == "form_field_too_large"
    assert wire.taken <= 1 + 3 * 16 + 2


async def test_fields_that_never_end_are_not_read_to_their_end() -> None:
    wire = Wire([b"a=1&"] * 100_000)

    assert await refused(wire) == "too_many_form_fields"
    assert wire.taken <= 64 * KIB // len("a=1&") + 1


async def test_large_fields_that_never_end_are_not_read_to_their_end() -> None:
    """Each of them is under its own limit; the sum counts."""
    wire = Wire([b"&a=" + b"x" * 900 * KIB] * 100)

    assert await refused(wire) == "form_too_large"
    assert wire.taken <= 11


async def test_one_byte_at_a_time_passes_no_limit() -> None:
    limits = Limits(max_form_part_size=1000)

    assert await refused(Wire([b"a", b"="] + [b"x"] * 1001), limits) == "form_field_too_large"


async def test_only_the_ampersand_separates() -> None:
    assert (await read(b"a=1;b=2&c=3")).multi_items() == [("a", "1;b=2"), ("c", "3")]
    assert len(await read(b";a=1" * 2000)) == 1


@pytest.mark.parametrize("name", ["a[b][c]", "a[99999999]", "a[]", "__class__", "__proto__[x]", "a[" * 100])
async def test_names_are_flat(name: str) -> None:
    assert (await read(f"{name}=1".encode())).multi_items() == [(name, "1")]


@pytest.mark.parametrize("body", [b"a=\xff", b"\xff=1", b"a=%FF", b"a=%C3", b"a=" + b"x" * 70_000 + b"%FF"])
async def test_bytes_that_are_not_utf_8_are_a_bad_request(body: bytes) -> None:
    with pytest.raises(BadRequest) as caught:
        await read(body)

    assert caught.value.code == "malformed_form"


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", "utf8", "us-ascii"])
async def test_a_charset_that_is_utf_8_is_read(charset: str) -> None:
    form = await read(b"a=%C3%A9", content_type=f"application/x-www-form-urlencoded; charset={charset}")

    assert form["a"] == "é"


@pytest.mark.parametrize(
    "content_type",
    [
        "application/x-www-form-urlencoded; charset=utf-16",
        "application/x-www-form-urlencoded; charset=latin-1",
        "application/json",
        "multipart/mixed; boundary=b",
        "text/plain",
        "*/*",
    ],
)
async def test_another_media_type_is_refused_without_reading(content_type: str) -> None:
    wire = Wire([b"a=1"])

    with pytest.raises(UnsupportedMediaType):
        await read_form(wire, parse_media_type(content_type), Limits())

    assert wire.taken == 0


async def test_a_body_that_breaks_off_is_not_taken_for_whole() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"a=1&b="
        raise ClientDisconnect

    with pytest.raises(ClientDisconnect):
        await read_form(broken(), parse_media_type("application/x-www-form-urlencoded"), Limits())


async def test_a_large_body_is_decoded_beside_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[int] = []

    def recording(body: bytes, *, max_fields: int, max_part_size: int, max_text_size: int) -> list[tuple[str, str]]:
        threads.append(threading.get_ident())
        return []

    monkeypatch.setattr(form_module, "parse_urlencoded", recording)
    await read(b"a=1")
    await read(b"a=" + b"x" * 64 * KIB)

    assert threads[0] == threading.get_ident() != threads[1]


async def test_others_get_a_turn_while_a_body_of_tiny_chunks_is_read() -> None:
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counter = asyncio.create_task(count_turns())
    await read(*[b"a"] * 256, *[b"=" + b"x" * 999] * 500)
    counter.cancel()

    assert turns >= 500_000 // (64 * KIB)


async def test_a_source_that_can_not_be_closed_is_read_too() -> None:
    class Plain:
        def __init__(self) -> None:
            self._left = [b"a=1"]

        def __aiter__(self) -> AsyncIterator[bytes]:
            return self

        async def __anext__(self) -> bytes:
            if not self._left:
                raise StopAsyncIteration
            return self._left.pop()

    form = await read_form(Plain(), parse_media_type("application/x-www-form-urlencoded"), Limits())

    assert form["a"] == "1"
