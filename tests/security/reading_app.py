"""An app that reads a body in each way there is, and keeps what it read: nothing, when a read was refused."""

from typing import Any

from nexios.application import NexiosApp
from nexios.http.forms import FormData, Upload
from nexios.http.multidict import MultiDict
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.settings import Limits

__all__ = ["END", "MULTIPART", "READERS", "URLENCODED", "ReadingApp", "field", "part", "text_body", "upload"]

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"
END = b"--b--\r\n"

READERS = ("body", "json", "text", "form", "files", "stream")


def part(*lines: str | bytes, body: bytes = b"1") -> bytes:
    """Return one part with these header lines."""
    encoded = [line.encode() if isinstance(line, str) else line for line in lines]
    return b"--b\r\n" + b"".join(line + b"\r\n" for line in encoded) + b"\r\n" + body + b"\r\n"


def field(name: str = "a", body: bytes = b"1") -> bytes:
    """Return one text part."""
    return part(f'Content-Disposition: form-data; name="{name}"', body=body)


def upload(filename: str = "x.txt", body: bytes = b"1", name: str = "f") -> bytes:
    """Return one part with a file."""
    return part(f'Content-Disposition: form-data; name="{name}"; filename="{filename}"', body=body)


def text_body(content_type: str, *values: bytes) -> bytes:
    """Return a form of fields called "a", in either encoding."""
    if content_type == URLENCODED:
        return b"&".join(b"a=" + value for value in values)
    return b"".join(field(body=value) for value in values) + END


class ReadingApp(NexiosApp):
    """Reads at /body, /json and so on. `read` holds what the handlers went on with."""

    def __init__(self, limits: Limits | None = None, **options: Any) -> None:
        super().__init__(limits=Limits() if limits is None else limits, **options)
        self.read: list[Any] = []
        for name in READERS:
            self.add_reader(f"/{name}", name)
        self.add_reader("/", "form")

    def add_reader(self, path: str, name: str, **options: Any) -> None:
        """Read in the way called `name` what is sent to `path`."""

        async def handler(request: Request, response: Response) -> Response:
            self.read.append(await _readers[name](request))
            return response.json({"status": "read"})

        self.post(path, name=path, **options)(handler)

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The text fields of the only form that was read."""
        [form] = self.read
        return [(name, value) for name, value in form.multi_items() if isinstance(value, str)]


async def _body(request: Request) -> bytes:
    return await request.body()


async def _json(request: Request) -> object:
    return await request.json()


async def _text(request: Request) -> str:
    return await request.text()


async def _form(request: Request) -> FormData:
    return await request.form()


async def _files(request: Request) -> MultiDict[Upload]:
    return await request.files


async def _stream(request: Request) -> int:
    return sum([len(chunk) async for chunk in request.stream()])


_readers = {"body": _body, "json": _json, "text": _text, "form": _form, "files": _files, "stream": _stream}
