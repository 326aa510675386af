"""Forms: fields and files, in both encodings."""

# ruff: noqa: B008  (a marker is meant to be a default)

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nexios._pipeline.inputs.compile import Located
from nexios._pipeline.inputs.markers import File, Form
from nexios.errors import HTTPException, UnsupportedMediaType
from nexios.messages.upload import UploadFile

Read = Callable[..., Awaitable[Any]]
Refused = Callable[..., Awaitable[list[tuple[str, str, str]]]]

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"


class Login(msgspec.Struct):
    name: str
    age: int | None = None
    tags: list[str] = []


def part(name: str, content: str, *, filename: str | None = None, content_type: str | None = None) -> str:
    """One part of a multipart body."""
    file = f'; filename="{filename}"' if filename is not None else ""
    kind = f"Content-Type: {content_type}\r\n" if content_type is not None else ""
    return f'--b\r\nContent-Disposition: form-data; name="{name}"{file}\r\n{kind}\r\n{content}\r\n'


def multipart(*parts: str) -> dict[str, Any]:
    """A multipart form, as it is sent."""
    return {"body": f"{''.join(parts)}--b--\r\n".encode(), "content_type": MULTIPART}


def urlencoded(text: str) -> dict[str, Any]:
    """An urlencoded form, as it is sent."""
    return {"body": text.encode(), "content_type": URLENCODED}


async def test_fields_are_read_in_both_encodings(read: Read) -> None:
    async def handler(name: str = Form(), tags: list[int] = Form([], alias="tag")) -> None: ...

    value = {"name": "Ada L", "tags": [1, 2]}

    assert await read(handler, **urlencoded("name=Ada+L&tag=1&tag=2")) == value
    assert await read(handler, **multipart(part("name", "Ada L"), part("tag", "1"), part("tag", "2"))) == value


async def test_all_errors_of_a_form_are_told_at_once(refused: Refused) -> None:
    async def handler(
        name: str = Form(min_length=2), age: int = Form(), city: str = Form(), photo: UploadFile = File()
    ) -> None: ...

    assert await refused(handler, **multipart(part("name", "A"), part("age", "x"), part("photo", "text"))) == [
        ("form", "/name", "too_short"),
        ("form", "/age", "type"),
        ("form", "/city", "missing"),
        ("form", "/photo", "type"),
    ]


async def test_a_field_that_is_given_twice_is_an_error(refused: Refused) -> None:
    async def handler(role: str = Form()) -> None: ...

    assert await refused(handler, **urlencoded("role=a&role=b")) == [("form", "/role", "type")]


async def test_a_field_left_empty_is_text_or_not_given(read: Read, refused: Refused) -> None:
    """Browsers send `age=` for what was left empty."""

    async def handler(name: str = Form(), age: int | None = Form(None), ids: list[int] = Form([])) -> None: ...
    async def required(age: int = Form()) -> None: ...

    assert await read(handler, **urlencoded("name=&age=&ids=")) == {"name": "", "age": None, "ids": []}
    assert await refused(required, **urlencoded("age=")) == [("form", "/age", "missing")]


async def test_a_model_reads_the_whole_form(read: Read, refused: Refused) -> None:
    async def handler(login: Annotated[Login, Form()]) -> None: ...

    assert await read(handler, **urlencoded("name=Ada&age=&tags=a&tags=b&x=1")) == Login("Ada", None, ["a", "b"])
    assert sorted(await refused(handler, **urlencoded("age=x&age=2"))) == [
        ("form", "/age", "type"),
        ("form", "/age", "type"),
        ("form", "/name", "missing"),
    ]


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", None])
async def test_another_media_type_is_no_form(read: Read, content_type: str | None) -> None:
    async def handler(name: str = Form("x")) -> None: ...

    with pytest.raises(UnsupportedMediaType) as caught:
        await read(handler, body=b"name=a", content_type=content_type)

    assert "application/x-www-form-urlencoded or multipart/form-data" in caught.value.detail


async def test_no_body_is_a_form_without_fields(read: Read, refused: Refused) -> None:
    async def optional(name: str = Form("x")) -> None: ...
    async def required(name: str = Form()) -> None: ...

    assert await read(optional) == "x"
    assert await refused(required) == [("form", "/name", "missing")]


async def test_a_file_is_an_upload_a_list_of_them_or_bytes(read: Read) -> None:
    async def upload(photo: UploadFile) -> None: ...
    async def uploads(photo: list[UploadFile]) -> None: ...
    async def data(photo: bytes = File()) -> None: ...
    async def datas(photo: list[bytes] = File()) -> None: ...
    async def optional(photo: UploadFile | None = None) -> None: ...

    sent = multipart(part("photo", "abc", filename="a.png"))

    assert await (await read(upload, **sent)).read() == b"abc"
    assert [file.filename for file in await read(uploads, **sent)] == ["a.png"]
    assert await read(data, **sent) == b"abc"
    assert await read(datas, **sent) == [b"abc"]
    assert await read(optional, **multipart(part("x", "1"))) is None


async def test_a_file_input_left_empty_is_not_given(read: Read, refused: Refused) -> None:
    async def optional(photo: UploadFile | None = File(None)) -> None: ...
    async def required(photo: UploadFile) -> None: ...

    sent = multipart(part("photo", "", filename="", content_type="application/octet-stream"))

    assert await read(optional, **sent) is None
    assert await refused(required, **sent) == [("form", "/photo", "missing")]


async def test_two_files_for_one_parameter_are_an_error(refused: Refused) -> None:
    """CVE-2023-31047: only the last of them was looked at."""

    async def handler(photo: UploadFile) -> None: ...

    sent = multipart(part("photo", "a", filename="a.png"), part("photo", "b", filename="b.exe"))

    assert await refused(handler, **sent) == [("form", "/photo", "type")]


async def test_each_file_of_a_list_is_looked_at(refused: Refused) -> None:
    async def handler(
        photos: list[UploadFile] = File(max_size=2, content_types=["image/*", "text/plain"], max_length=2),
    ) -> None: ...

    sent = multipart(
        part("photos", "ab", filename="a.png", content_type="image/png"),
        part("photos", "abc", filename="b.txt", content_type="text/plain"),
        part("photos", "a", filename="c.exe", content_type="application/x-dosexec"),
    )

    assert await refused(handler, **sent) == [
        ("form", "/photos", "too_long"),
        ("form", "/photos/1", "too_large"),
        ("form", "/photos/2", "type"),
    ]


async def test_text_is_no_file_and_a_file_no_text(refused: Refused) -> None:
    async def handler(name: str = Form(), photo: bytes | None = File(None)) -> None: ...
    async def model(login: Annotated[Login, Form()]) -> None: ...

    sent = multipart(part("name", "a", filename="a"), part("photo", "text"))

    assert await refused(handler, **sent) == [("form", "/name", "type"), ("form", "/photo", "type")]
    assert ("form", "/name", "type") in await refused(model, **sent)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.text("ab=&%2+;\n-", max_size=40) | st.just("name=" + "9" * 5000),
    content_type=st.sampled_from([URLENCODED, MULTIPART, "multipart/form-data", "text/plain"]),
)
async def test_no_form_raises_anything_else(read: Read, body: str, content_type: str) -> None:
    async def handler(a: int = Form(), b: list[float] = Form([]), c: UploadFile | None = File(None)) -> None: ...
    async def model(login: Annotated[Login, Form()]) -> None: ...

    for one in (handler, model):
        try:
            await read(one, body=body.encode(), content_type=content_type)
        except Located as exc:
            assert all(set(error) == {"in", "pointer", "code", "detail"} for error in exc.errors)
        except HTTPException as exc:
            assert exc.status_code in (400, 413, 415)


async def test_each_value_of_a_list_is_converted(refused: Refused) -> None:
    async def handler(ids: list[int] = Form()) -> None: ...

    assert await refused(handler, **urlencoded("ids=1&ids=x")) == [("form", "/ids/1", "type")]


async def test_the_default_of_a_model_is_for_an_empty_form(read: Read) -> None:
    async def handler(login: Annotated[Login | None, Form()] = None) -> None: ...

    assert await read(handler) is None
    assert await read(handler, **urlencoded("name=a")) == Login("a")


async def test_files_are_counted(refused: Refused) -> None:
    async def handler(photos: list[UploadFile] = File(min_length=2)) -> None: ...

    assert await refused(handler, **multipart(part("photos", "a", filename="a"))) == [("form", "/photos", "too_short")]


@pytest.mark.parametrize("content_type", ["image", "image/svg+xml", "image/png; a", "text/html; x=image/png"])
async def test_a_file_of_another_or_no_media_type_is_refused(refused: Refused, content_type: str) -> None:
    async def handler(photo: UploadFile = File(content_types=["image/png", "image/gif"])) -> None: ...

    sent = multipart(part("photo", "a", filename="a.png", content_type=content_type))

    assert await refused(handler, **sent) == [("form", "/photo", "type")]
