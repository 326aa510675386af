"""How are the fields and files of a form read into typed values? All of them, so that all errors are told at once.

A field that was left empty counts as not given, unless its type takes text: browsers
send `age=` for it. A file input that was left empty is not given either: it has neither
name nor bytes. What a client says of a file (its name, its type) may be a lie.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from nexios._pipeline.inputs.absent import absent_of
from nexios._pipeline.inputs.body import BodyReader
from nexios._pipeline.inputs.formats import is_in_range, unsupported, untyped
from nexios._pipeline.inputs.head import convert_text, convert_whole, converted_whole
from nexios._pipeline.inputs.input import Input
from nexios._pipeline.inputs.kinds import is_many, is_upload, takes_text
from nexios._pipeline.inputs.located import Located, joined, located, one_error
from nexios._pipeline.inputs.stripping import stripped, strips
from nexios._pipeline.inputs.whole import GIVEN_ONCE, fields_of, gather
from nexios.errors import BadRequest, ConfigurationError
from nexios.http.forms import FormData, Upload
from nexios.http.media_type import parse_media_type
from nexios.messages.request import Request
from nexios.models.adapter import adapt
from nexios.models.problems import Invalid, Problem, pointer_of

__all__ = ["FORM_TYPES", "form_reader"]

FORM_TYPES: Final = "application/x-www-form-urlencoded or multipart/form-data"

_URLENCODED: Final = "application/x-www-form-urlencoded"
_MULTIPART: Final = "multipart/form-data"
_NO_FORM: Final = FormData()

_Read = Callable[[FormData], Any]
"""Reads one input from a form. Raises Located."""


class _Part(msgspec.Struct, frozen=True):
    """One input of a form; `loads` reads the bytes of its files when all inputs are right."""

    read: _Read
    loads: bool


def form_reader(inputs: Sequence[Input]) -> BodyReader:
    """Return the reader of the inputs with the source "form" or "file", at least one.

    Raises:
        ConfigurationError: Nothing knows a type.
    """
    parts = tuple(_part(item) for item in inputs)

    async def read(request: Request) -> tuple[Any, ...]:
        form = await _form_of(request)
        values: list[Any] = []
        wrong: list[Located] = []
        for part in parts:
            try:
                values.append(part.read(form))
            except Located as exc:
                wrong.append(exc)
        if wrong:
            raise joined(wrong)
        return tuple([await _loaded(value) if part.loads else value for part, value in zip(parts, values, strict=True)])

    return read


async def _form_of(request: Request) -> FormData:
    """A request without a body and a Content-Type is a form without fields."""
    media_type = request.media_type
    if media_type is None:
        if await request.body():
            raise untyped(FORM_TYPES)
        return _NO_FORM
    if media_type.essence not in (_URLENCODED, _MULTIPART):
        raise unsupported(FORM_TYPES)
    return await request.form()


async def _loaded(value: Any) -> Any:
    if isinstance(value, list):
        return [await upload.read() for upload in value]
    return value if value is None or isinstance(value, bytes) else await value.read()


def _part(item: Input) -> _Part:
    if item.source == "file":
        return _Part(_files(item), loads=not is_upload(item.kind))
    if item.whole:
        return _Part(_whole(item), loads=False)
    return _Part(_texts(item) if is_many(item.kind) else _text(item), loads=False)


def _given_texts(item: Input) -> Callable[[FormData], list[str]]:
    """The texts of one name, empty ones where they are values. Raises Located for a file."""
    name, keeps_empty, is_stripped = item.name, takes_text(item.kind), strips(item)

    def texts_of(form: FormData) -> list[str]:
        values = form.get_all(name)
        texts = [value for value in values if isinstance(value, str)]
        if len(texts) != len(values):
            raise one_error("form", name, "type", "must be text, not a file")
        texts = stripped(texts) if is_stripped else texts
        return texts if keeps_empty else [text for text in texts if text]

    return texts_of


def _text(item: Input) -> _Read:
    texts_of, absent, convert = _given_texts(item), absent_of(item), convert_text(item)

    def read(form: FormData) -> Any:
        texts = texts_of(form)
        if not texts:
            return absent()
        if len(texts) > 1:
            raise one_error("form", item.name, "type", GIVEN_ONCE)
        try:
            return texts[0] if convert is None else convert(texts[0])
        except Invalid as exc:
            raise located("form", pointer_of([item.name]), exc.problems) from None

    return read


def _texts(item: Input) -> _Read:
    texts_of, absent, convert = _given_texts(item), absent_of(item), convert_text(item)

    def read(form: FormData) -> Any:
        texts = texts_of(form)
        if not texts:
            return absent()
        try:
            return texts if convert is None else convert(texts)
        except Invalid as exc:
            raise located("form", pointer_of([item.name]), exc.problems) from None

    return read


def _whole(item: Input) -> _Read:
    adapter = adapt(item.kind)
    convert, fields, is_stripped = convert_whole(item), fields_of(adapter), strips(item)
    absent = None if item.required else absent_of(item)

    def read(form: FormData) -> Any:
        texts = form.fields
        if absent is not None and not texts:
            return absent()
        values = {name: texts.get_all(name) for name in texts}
        values = stripped(values) if is_stripped else values
        found, problems = gather(values.items(), fields, drop_empty=True)
        problems += [
            Problem(pointer_of([name]), "type", "must be text, not a file")
            for name in form.files
            if name in fields.known
        ]
        return converted_whole("form", convert, found, problems)

    return read


def _files(item: Input) -> _Read:
    absent, check, many = absent_of(item), _file_check(item), is_many(item.kind)

    def read(form: FormData) -> Any:
        uploads: list[Upload] = []
        for value in form.get_all(item.name):
            if isinstance(value, str):
                if value:
                    raise one_error("file", item.name, "type", "must be a file")
            elif value.filename or value.size:
                uploads.append(value)
        if not uploads:
            return absent()
        if len(uploads) > 1 and not many:
            raise one_error("file", item.name, "type", GIVEN_ONCE)
        check(uploads)
        return uploads if many else uploads[0]

    return read


def _file_check(item: Input) -> Callable[[list[Upload]], None]:
    """What the marker asks of each file, and of their number. The check raises Located with every fault."""
    marker, many = item.marker, is_many(item.kind)
    if marker is None:
        return _accept_all
    if marker.content_types:
        _check_ranges(item, marker.content_types)

    def check(uploads: list[Upload]) -> None:
        problems: list[Problem] = []
        if many and marker.min_length is not None and len(uploads) < marker.min_length:
            problems.append(Problem("", "too_short", f"must have at least {marker.min_length} files"))
        if many and marker.max_length is not None and len(uploads) > marker.max_length:
            problems.append(Problem("", "too_long", f"must have at most {marker.max_length} files"))
        for index, upload in enumerate(uploads):
            place = f"/{index}" if many else ""
            if marker.max_size is not None and upload.size > marker.max_size:
                problems.append(Problem(place, "too_large", f"must be at most {marker.max_size} bytes"))
            if marker.content_types and not _is_accepted(upload.content_type, marker.content_types):
                problems.append(Problem(place, "type", f"must be of the type {' or '.join(marker.content_types)}"))
        if problems:
            raise located("file", pointer_of([item.name]), problems)

    return check


def _accept_all(uploads: list[Upload]) -> None:
    """No marker, no rule."""


def _check_ranges(item: Input, ranges: Sequence[str]) -> None:
    for accepted in ranges:
        if accepted.count("/") != 1 or accepted.startswith("/") or accepted.endswith("/"):
            raise ConfigurationError(
                f"{accepted!r} in the content_types of {item.parameter!r} is no media type;"
                " write one such as 'image/png' or 'image/*'."
            )


def _is_accepted(content_type: str, ranges: Sequence[str]) -> bool:
    try:
        media_type = parse_media_type(content_type)
    except BadRequest:
        return False
    return any(is_in_range(media_type, accepted) for accepted in ranges)
