"""The yardstick of Granian's own interface: the basic routes in RSGI by hand.

Source: the RSGI specification 1.6, HTTP protocol.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec

from benchmarks.workloads import JSON_MESSAGE, TEXT

__all__ = ["NAME", "PACKAGE", "build"]

NAME = "raw RSGI"
PACKAGE = ""

_PREFIX = len("/items/")


class RsgiScope(Protocol):
    """What of an RSGI scope is read here."""

    proto: str
    method: str
    path: str


class RsgiHttp(Protocol):
    """What of an RSGI HTTP protocol object is used here."""

    def response_str(self, status: int, headers: list[tuple[str, str]], body: str) -> None: ...
    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None: ...


def build(workload: str) -> Callable[[RsgiScope, RsgiHttp], Awaitable[None]] | None:
    """Return the hand-written RSGI application of the basic workloads."""
    return _basic if workload in ("plain", "json", "path") else None


async def _basic(scope: RsgiScope, protocol: RsgiHttp) -> None:
    path = scope.path
    if scope.method != "GET":
        protocol.response_str(405, [("content-length", "0")], "")
    elif path == "/":
        headers = [("content-type", "text/plain; charset=utf-8"), ("content-length", str(len(TEXT)))]
        protocol.response_str(200, headers, TEXT)
    elif path == "/json":
        _answer_json(protocol, JSON_MESSAGE)
    elif path.startswith("/items/"):
        _answer_json(protocol, {"id": int(path[_PREFIX:])})
    else:
        protocol.response_str(404, [("content-length", "0")], "")


def _answer_json(protocol: RsgiHttp, value: object) -> None:
    body = msgspec.json.encode(value)
    headers = [("content-type", "application/json"), ("content-length", str(len(body)))]
    protocol.response_bytes(200, headers, body)
