"""How does what a client sends become a value of ours? Checked against a Struct, or answered with a 422.

The problem document names the field and has the code `invalid_input`.
"""

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from nexios import HTTPException, Request
from nexios.errors import UnsupportedMediaType
from nexios.http.forms import FormData
from nexios.messages.upload import UploadFile

__all__ = ["MAX_UPLOAD", "InvalidInput", "checked", "read_form", "read_json", "read_query", "upload_of"]

T = TypeVar("T")

MAX_UPLOAD = 8 * 1024 * 1024
"""Bytes of a form with a file in it; every other body has the limit of the app."""


class InvalidInput(HTTPException):
    """422: the input is well formed, and `field` of it is not what it should be."""

    def __init__(self, detail: str, field: str | None = None) -> None:
        self.field = field
        super().__init__(422, detail, code="invalid_input", extra={"field": field} if field else {})


def checked(values: Mapping[str, object], kind: type[T], *, strict: bool = True) -> T:
    """Return `values` as a `kind`, its texts without the space around them. `strict=False` reads numbers from text."""
    try:
        return msgspec.convert({name: _stripped(value) for name, value in values.items()}, kind, strict=strict)
    except msgspec.ValidationError as exc:
        raise _invalid(exc) from None


async def read_json(request: Request, kind: type[T]) -> T:
    """Return the JSON body as a `kind`."""
    media_type = request.media_type
    if media_type is None or media_type.essence != "application/json":
        raise UnsupportedMediaType("Send application/json.")
    values = await request.json()
    if not isinstance(values, dict):
        raise InvalidInput("Expected an object.")
    return checked(values, kind)


def read_query(request: Request, kind: type[T]) -> T:
    """Return the query parameters as a `kind`."""
    return checked(request.query_params, kind, strict=False)


def read_form(form: FormData, kind: type[T]) -> T:
    """Return the text fields of a form as a `kind`; line ends become those of Python."""
    return checked({name: text.replace("\r\n", "\n") for name, text in form.fields.items()}, kind, strict=False)


def upload_of(form: FormData, field: str) -> UploadFile | None:
    """Return the file of a form; a browser sends one without a name when none was chosen."""
    upload = form.files.get(field)
    return upload if isinstance(upload, UploadFile) and upload.filename else None


def _stripped(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


def _invalid(exc: msgspec.ValidationError) -> InvalidInput:
    words, _, path = str(exc).partition(" - at `$.")
    missing = words.partition("missing required field ")[2]
    return InvalidInput(f"{words}.", field=(path or missing).strip("`") or None)
