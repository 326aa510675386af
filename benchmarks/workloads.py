"""What is asked of every framework, and which answer counts as having done it?

A workload is one request with the answer that a correct application gives. It
holds values only, and only the standard library, because the measuring process
also runs in an environment that has nothing of this repository.
"""

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlencode

from benchmarks.orders import ORDER, RECEIPT, WRONG_ORDER

__all__ = [
    "AUDIENCE",
    "DEPENDENCIES",
    "FEW_ROUTES",
    "FILE_NAME",
    "FILE_SIZE",
    "ISSUER",
    "JSON_MESSAGE",
    "MANY_ROUTES",
    "MIDDLEWARES",
    "ORIGIN",
    "SECRET",
    "SESSION",
    "SIGNED_AT",
    "SUBJECT",
    "TEXT",
    "TOKEN",
    "WORKLOADS",
    "Workload",
    "file_path",
    "route_template",
    "typed_template",
]

TEXT: Final = "Hello, world!"
JSON_MESSAGE: Final = {"message": "Hello, world!"}
MIDDLEWARES: Final = 5
DEPENDENCIES: Final = 10
ORIGIN: Final = "https://app.example"
SECRET: Final = "xWlZ9nTfS4v1cQ0kR7b2mJ6uYhE3oAqD"
SIGNED_AT: Final = 1700000000.0
SESSION: Final = (
    "__Host-session=eyJjIjoxNzAwMDAwMDAwLjAsIm4iOjE3MDAwMDAwMDAuMCwiaSI6ImtxMGIyVm42bVU5eEp0M0x"
    "oWXc4WnNQYzVSZkRnMUVhVGk0b1hlUXZON00iLCJ2Ijp7InRleHQiOiJIZWxsbywgd29ybGQhIn19.1700000000.Y"
    "eE11iZU4OrZ5aOLaEO03hYeQcDotCpZtsJ8ZLHmJLI"
)
"""A cookie that nexios signed at `SIGNED_AT`: a session with the value `text`."""
ISSUER: Final = "https://books.example"
AUDIENCE: Final = "books"
SUBJECT: Final = "ada"
TOKEN: Final = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJpc3MiOiJodHRwczovL2Jvb2tzLmV4YW1wbGUiLCJhdWQiOiJib29rcyI"
    "sInN1YiI6ImFkYSIsImlhdCI6MTcwMDAwMDAwMCwiZXhwIjo0MTAyNDQ0ODAwLCJzY29wZSI6InJlYWQifQ.ejyAIlpq-m8nXGAa"
    "dAUYo21I1w_2UbQa_OXrDvoXq6w"
)
"""A JSON Web Token that `SECRET` signed with HS256: of `ISSUER`, for `AUDIENCE`, about `SUBJECT`, until 2100."""
FEW_ROUTES: Final = 3
MANY_ROUTES: Final = 2_000
FILE_SIZE: Final = 64 * 1024
FILE_NAME: Final = "payload.bin"

_ORDER: Final = {"name": "Ada Lovelace", "quantity": 3, "price": 12.5, "tags": ["new", "gift"], "paid": True}
_THING: Final = {"name": "Oil can", "price": 19.0, "tags": ["new"], "address": None}
_FIELDS: Final = {"name": "Ada Lovelace", "email": "ada@example.com", "quantity": "3", "note": "leave at the door"}


@dataclass(frozen=True, slots=True)
class Workload:
    """One request, and the test of its answer.

    `requests` is how many of them a round holds at most. `adds` says that the request is the plain one and something
    on top, whose cost is told alone. `accepts` is given the
    body of a 200 answer. `wrong_body` and `wrong_query`, where there is one, take the
    place of body and query in a request that must be answered with 400 or 422.
    """

    name: str
    title: str
    method: str
    path: str
    accepts: Callable[[bytes], bool]
    body: bytes = b""
    content_type: str | None = None
    requests: int = 20_000
    query: str = ""
    wrong_body: bytes | None = None
    wrong_query: str | None = None
    headers: tuple[tuple[bytes, bytes], ...] = ()
    adds: bool = False

    def as_wrong(self) -> Self | None:
        """Return the same request with its mistake; None when it has none."""
        if self.wrong_body is None and self.wrong_query is None:
            return None
        body = self.body if self.wrong_body is None else self.wrong_body
        return replace(self, body=body, query=self.query if self.wrong_query is None else self.wrong_query)


def file_path() -> Path:
    """Return the file that the `file` workload sends, written when it is not there.

    Every measuring process finds the same file.
    """
    path = Path(tempfile.gettempdir()) / "nexios-benchmarks" / FILE_NAME
    if not path.exists() or path.stat().st_size != FILE_SIZE:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(range(256)) * (FILE_SIZE // 256))
    return path


def route_template(index: int, parameter: str = "{item_id:int}") -> str:
    """Return the path of route number `index` of the routing workloads.

    >>> route_template(7)
    '/group7/things/{item_id:int}'
    """
    return f"/group{index}/things/{parameter}"


def typed_template(index: int, parameter: str = "{thing_id:int}") -> str:
    """Return the path of typed route number `index`, which takes a query parameter and a body too.

    >>> typed_template(7)
    '/shop7/things/{thing_id:int}'
    """
    return f"/shop{index}/things/{parameter}"


def _is_text(body: bytes) -> bool:
    return body == TEXT.encode()


def _is_json(expected: object) -> Callable[[bytes], bool]:
    def accepts(body: bytes) -> bool:
        return bool(json.loads(body) == expected)

    return accepts


def _is_subject(body: bytes) -> bool:
    return body == SUBJECT.encode()


def _is_file(body: bytes) -> bool:
    return len(body) == FILE_SIZE


_ALL: Final = (
    Workload("plain", "plain text", "GET", "/", _is_text),
    Workload("json", "JSON", "GET", "/json", _is_json(JSON_MESSAGE)),
    Workload("path", "path parameter to JSON", "GET", "/items/42", _is_json({"id": 42})),
    Workload("middleware", f"plain text, {MIDDLEWARES} middlewares", "GET", "/", _is_text, adds=True),
    Workload("cors", "plain text behind CORS, no Origin", "GET", "/", _is_text, adds=True),
    Workload(
        "cors_origin",
        "plain text behind CORS, for an Origin",
        "GET",
        "/",
        _is_text,
        headers=((b"origin", ORIGIN.encode()),),
        adds=True,
    ),
    Workload("session", "plain text behind sessions, untouched", "GET", "/", _is_text, adds=True),
    Workload(
        "session_read", "a value of a signed cookie", "GET", "/", _is_text, headers=((b"cookie", SESSION.encode()),)
    ),
    Workload(
        "jwt",
        "who a checked JSON Web Token speaks of",
        "GET",
        "/",
        _is_subject,
        headers=((b"authorization", f"Bearer {TOKEN}".encode()),),
    ),
    Workload("dependency", "plain text, one async dependency", "GET", "/", _is_text, adds=True),
    Workload(
        "dependencies", f"plain text, a chain of {DEPENDENCIES} async dependencies", "GET", "/", _is_text, adds=True
    ),
    Workload(
        "routes_few",
        f"one of {FEW_ROUTES} routes",
        "GET",
        route_template(FEW_ROUTES // 2, "42"),
        _is_json({"id": 42}),
    ),
    Workload(
        "routes_many",
        f"one of {MANY_ROUTES} routes",
        "GET",
        route_template(MANY_ROUTES // 2, "42"),
        _is_json({"id": 42}),
    ),
    Workload(
        "json_in",
        "JSON in, JSON out",
        "POST",
        "/echo",
        _is_json(_ORDER),
        body=json.dumps(_ORDER).encode(),
        content_type="application/json",
    ),
    Workload(
        "form_in",
        "form in, JSON out",
        "POST",
        "/form",
        _is_json(_FIELDS),
        body=urlencode(_FIELDS).encode(),
        content_type="application/x-www-form-urlencoded",
    ),
    Workload(
        "query",
        "two typed query parameters to JSON",
        "GET",
        "/search",
        _is_json({"term": "gear", "limit": 25}),
        query="term=gear&limit=25",
        wrong_query="term=gear&limit=many",
    ),
    Workload(
        "validated",
        "JSON into a model of 20 fields, model out",
        "POST",
        "/orders",
        _is_json(RECEIPT),
        body=json.dumps(ORDER).encode(),
        content_type="application/json",
        wrong_body=json.dumps(WRONG_ORDER).encode(),
    ),
    Workload(
        "typed_many",
        f"one of {MANY_ROUTES} typed routes",
        "PUT",
        typed_template(MANY_ROUTES // 2, "42"),
        _is_json(_THING),
        body=json.dumps(_THING).encode(),
        content_type="application/json",
        query="notify=true",
        wrong_body=json.dumps({**_THING, "price": -1}).encode(),
    ),
    Workload("file", "file of 64 KiB", "GET", "/file", _is_file, requests=4_000),
    Workload("static", "file of 64 KiB from a folder", "GET", f"/static/{FILE_NAME}", _is_file, requests=4_000),
)

WORKLOADS: Final = {workload.name: workload for workload in _ALL}
