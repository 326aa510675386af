"""Members of the example `commons` in tests: a browser of their own for each, a way in, and a picture."""

import struct
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2

from examples.commons.app import create_app
from examples.commons.options import Options
from nexios.auth import LoginThrottle, Passwords
from nexios.auth.password_hashes import Scrypt
from nexios.testing import TestClient
from tests.examples.commons_steps import FROM_HERE

__all__ = ["COOKIE", "PASSWORD", "browsing", "field_in", "member", "picture", "session_of", "sign_in", "sign_up"]

COOKIE = "__Host-commons"
PASSWORD = "correct horse battery"


def quick_passwords() -> Iterator[Passwords]:
    """Provide what hashes without taking any time."""
    passwords = Passwords(costs=Scrypt(log_n=2))
    yield passwords
    passwords.close()


@asynccontextmanager
async def browsing(folder: Path, throttle: LoginThrottle | None = None) -> AsyncIterator[TestClient]:
    """Have a browser of one's own for a block, on a process of one's own; those of one folder are one board."""
    app = create_app(Options(folder))
    overrides: dict[type, Callable[..., object]] = {Passwords: quick_passwords}
    if throttle is not None:
        overrides[LoginThrottle] = lambda: throttle
    async with TestClient(app, base_url="https://board.example", headers=FROM_HERE, overrides=overrides) as client:
        yield client


@asynccontextmanager
async def member(folder: Path, name: str) -> AsyncIterator[TestClient]:
    """Be a member who has signed in; the first one of a board is its admin."""
    async with browsing(folder) as client:
        await sign_up(client, name)
        assert (await sign_in(client, name)).status_code == 303
        yield client


async def sign_up(client: TestClient, name: str, password: str = PASSWORD) -> httpx2.Response:
    return await client.post("/sign-up", data={"name": name, "password": password})


async def sign_in(client: TestClient, name: str, password: str = PASSWORD, next: str = "/") -> httpx2.Response:
    return await client.post("/sign-in", data={"name": name, "password": password, "next": next})


def session_of(client: httpx2.Client, name: str) -> str:
    """Sign up and in at a board over plain http, and return the cookie, which only browsers send back there."""
    data = {"name": name, "password": PASSWORD}
    for path in ("/sign-up", "/sign-in"):
        response = client.post(path, data=data, headers=FROM_HERE)
        assert response.status_code == 303
    return str(response.headers["set-cookie"].partition(";")[0])


def field_in(page: str) -> str:
    """Return the token of the first form."""
    return page.partition('name="csrf_token" value="')[2].partition('"')[0]


def picture(width: int = 8, height: int = 8) -> bytes:
    """Return a PNG that is green."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"\x2f\x6f\x5e" * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
