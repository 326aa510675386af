"""Rows P4 and P5, and R29: what is off unless it is asked for, and what never reaches another program."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from nexios import NexiosApp, Request, Response, Settings
from nexios.testing.raw import call

Environ = dict[str, Any]


@pytest.mark.parametrize("name", [b"proxy", b"Proxy", b"PROXY"])
async def test_p4_a_proxy_header_reaches_no_wsgi_application(name: bytes) -> None:
    """CVE-2016-1000111, CVE-2016-5386: HTTP_PROXY is where programs look for the proxy of their own requests."""
    environ = await environ_with((name, b"http://evil.example:8080"))

    assert [key for key, value in environ.items() if "PROXY" in key.upper() or "evil" in str(value)] == []


@pytest.mark.parametrize(
    "name",
    [b"x_forwarded_for", b"x_real_ip", b"remote_user", b"script_name", b"x_auth", b"auth_type", b"pro_xy"],
)
async def test_p4_a_name_with_an_underscore_reaches_no_wsgi_application(name: bytes) -> None:
    """It would be that with a hyphen, which a proxy sets: nobody could tell the two apart any more."""
    environ = await environ_with((name, b"forged"), (name.replace(b"_", b"-"), b"of the proxy"))

    assert "forged" not in [str(value) for value in environ.values()]
    assert environ.get("REMOTE_USER") is None
    assert environ["SCRIPT_NAME"] == "/wsgi"


async def environ_with(*fields: tuple[bytes, bytes]) -> Environ:
    """Return what a mounted WSGI application sees of a request with such fields."""
    seen: Environ = {}

    def wsgi(environ: Environ, start_response: Callable[..., object]) -> Iterable[bytes]:
        seen.update(environ)
        start_response("200 OK", [])
        return [b"seen"]

    app = NexiosApp(openapi=None)
    app.mount("/wsgi", wsgi)
    answer = await call(app, path="/wsgi/page", headers=fields)
    assert (answer.status, answer.body) == (200, b"seen")
    return seen


def failing(**options: Any) -> NexiosApp:
    app = NexiosApp(openapi=None, **options)

    @app.get("/")
    async def fails(request: Request, response: Response) -> None:
        raise RuntimeError("canary")

    return app


@pytest.mark.parametrize("variables", [{}, {"NEXIOS_DEBUG": "0"}, {"DEBUG": "1"}, {"PYTHONDEVMODE": "1"}])
def test_p5_r29_debug_is_off_unless_it_is_asked_for(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """CVE-2022-29361 and its like: what is for one's own machine was on for everybody."""
    monkeypatch.delenv("NEXIOS_DEBUG", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert (Settings.from_environment().debug, NexiosApp().settings.debug) == (False, False)


async def test_p5_r29_the_page_of_an_error_is_there_in_debug_alone_and_says_so() -> None:
    headers = [(b"accept", b"text/html")]
    open_page, closed = await call(failing(debug=True), headers=headers), await call(failing(), headers=headers)

    assert b"Switch it off wherever strangers can reach the application." in open_page.body
    assert (closed.status, b"canary" in closed.body, b"Traceback" in closed.body) == (500, False, False)


async def test_p5_r29_the_pages_of_documentation_are_switched_off_with_one_word() -> None:
    for path in ("/docs", "/openapi.json", "/asyncapi.json", "/docs/redoc"):
        assert (await call(NexiosApp(openapi=None), path=path)).status == 404
