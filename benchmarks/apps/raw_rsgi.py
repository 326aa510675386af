"""The yardstick of Granian's own interface: the basic routes and one file in RSGI by hand.

Source: the RSGI specification 1.6, HTTP protocol.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Protocol

import msgspec

from benchmarks.workloads import JSON_MESSAGE, TEXT, WORKLOADS, file_path

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
    def response_file(self, status: int, headers: list[tuple[str, str]], file: str) -> None: ...


def build(workload: str) -> Callable[[RsgiScope, RsgiHttp], Awaitable[None]] | None:
    """Return the hand-written RSGI application of the basic workloads, or of the file."""
    if workload == "static":
        return _filed(str(file_path()), WORKLOADS[workload].path)
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


def _filed(path: str, at: str) -> Callable[[RsgiScope, RsgiHttp], Awaitable[None]]:
    async def app(scope: RsgiScope, protocol: RsgiHttp) -> None:
        if scope.method != "GET" or scope.path != at:
            protocol.response_str(404, [("content-length", "0")], "")
            return
        status = await asyncio.get_running_loop().run_in_executor(None, os.stat, path)
        headers = [
            ("content-type", "application/octet-stream"),
            ("content-length", str(status.st_size)),
            ("last-modified", formatdate(status.st_mtime, usegmt=True)),
            ("etag", f'"{status.st_mtime_ns:x}-{status.st_size:x}"'),
            ("accept-ranges", "bytes"),
        ]
        protocol.response_file(200, headers, path)

    return app


def _answer_json(protocol: RsgiHttp, value: object) -> None:
    body = msgspec.json.encode(value)
    headers = [("content-type", "application/json"), ("content-length", str(len(body)))]
    protocol.response_bytes(200, headers, body)
