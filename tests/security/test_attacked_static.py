"""Static files that were attacked: what another part of the app answers is never replaced by a page."""

from pathlib import Path

import pytest

from nexios import NexiosApp, Request, Response
from nexios.static import StaticFiles
from nexios.testing.raw import call

NAVIGATES = [(b"accept", b"text/html"), (b"sec-fetch-mode", b"navigate")]


def _app(folder: Path) -> NexiosApp:
    (folder / "index.html").write_text("<p>page</p>")
    app, api = NexiosApp(openapi=None), NexiosApp(openapi=None)
    app.add_middleware(StaticFiles, directory=folder, fallback="index.html")

    @api.get("/users/{number:int}")
    async def user(request: Request, response: Response, number: int) -> tuple[dict[str, str], int]:
        return {"error": "no such user"}, 404

    app.mount("/api", api)
    return app


@pytest.mark.parametrize("path", ["/api/users/7", "/api/users", "/api/users/x", "/api/", "/api"])
async def test_a_404_of_a_mounted_app_is_no_address_of_a_page(tmp_path: Path, path: str) -> None:
    """It became a 200 with the page of the single-page application, as if the address were one of its own."""
    answer = await call(_app(tmp_path), path=path, headers=NAVIGATES)

    assert (answer.status, b"page" in answer.body) == (404, False)


@pytest.mark.parametrize("path", ["/users/7", "/apix", "/api.html"])
async def test_what_is_below_no_mount_is_an_address_of_a_page(tmp_path: Path, path: str) -> None:
    answer = await call(_app(tmp_path), path=path, headers=NAVIGATES)

    assert (answer.status, answer.body) == (200, b"<p>page</p>")
