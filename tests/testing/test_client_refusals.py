"""What a client does not send, and where it does not go."""

from typing import Any

import httpx2
import pytest

from nexios.testing import TestClient
from tests.testing.client_site import make_app


@pytest.mark.parametrize("bad", ["a\r\nb", "a\nb", "a\rb", "a\x00b"])
async def test_line_breaks_are_refused_wherever_they_would_end_a_line(bad: str) -> None:
    async with TestClient(make_app()) as client:
        attempts: list[tuple[str, str, dict[str, Any]]] = [
            (bad, "/", {}),
            ("GET", f"/{bad}", {}),
            ("GET", "/", {"headers": {"x-a": bad}}),
            ("GET", "/", {"headers": {bad: "a"}}),
            ("GET", "/", {"cookies": {"a": bad}}),
            ("GET", "/", {"cookies": {bad: "a"}}),
            ("POST", "/echo", {"data": {bad: "a"}}),
            ("POST", "/echo", {"data": {bad: "a"}, "files": {"f": b"x"}}),
            ("POST", "/echo", {"files": {bad: b"x"}}),
            ("POST", "/echo", {"files": {"f": (bad, b"x")}}),
            ("POST", "/echo", {"files": [("f", (bad, b"x"))]}),
            ("POST", "/echo", {"files": {"f": ("a.txt", b"x", bad)}}),
        ]
        for method, url, options in attempts:
            with pytest.raises(ValueError):
                await client.request(method, url, **options)


async def test_line_breaks_are_refused_in_what_the_client_keeps() -> None:
    async with TestClient(make_app()) as client:
        client.cookies["a"] = "b\r\nx: y"
        with pytest.raises(ValueError):
            await client.get("/")
    async with TestClient(make_app(), headers={"x-a": "b\r\nx: y"}) as client:
        with pytest.raises(ValueError):
            await client.get("/")


async def test_a_malformed_url_is_a_value_error() -> None:
    async with TestClient(make_app()) as client:
        with pytest.raises(ValueError):
            await client.get("https://[::1")


@pytest.mark.parametrize("url", ["https://evil.example/", "http://testserver.evil/", "https://testserver:444/"])
async def test_a_request_for_another_host_never_leaves(url: str) -> None:
    async with TestClient(make_app()) as client:
        with pytest.raises(httpx2.ConnectError, match="not the app under test"):
            await client.get(url)


async def test_a_redirect_to_another_host_takes_no_secrets_along_and_is_refused() -> None:
    async with TestClient(make_app(), follow_redirects=True, cookies={"session": "ada"}) as client:
        with pytest.raises(httpx2.ConnectError) as caught:
            await client.get("/away", headers={"authorization": "Bearer secret"})
        request = caught.value.request
        assert request.url.host == "evil.example"
        assert "authorization" not in request.headers
        assert "cookie" not in request.headers


async def test_another_scheme_of_the_same_host_is_the_same_app() -> None:
    async with TestClient(make_app()) as client:
        assert (await client.get("http://testserver/users/a")).text == "http://testserver/users/a a"
