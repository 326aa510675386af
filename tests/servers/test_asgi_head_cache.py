"""What is kept of the heads that were sent? Short header fields that come again; nothing that belongs to one client."""

from nexios import NexiosApp, Request, Response
from nexios._servers import asgi
from nexios.testing import call


async def names_kept_of(response: Response) -> set[str]:
    """Send `response`; return the names of the header fields that are kept encoded then."""
    asgi._encoded.clear()
    app = NexiosApp()

    @app.get("/")
    async def handler(request: Request, _: Response) -> Response:
        return response

    await call(app)
    return {name for name, _ in asgi._encoded}


async def test_a_header_field_is_kept() -> None:
    assert "x-version" in await names_kept_of(Response("x", headers={"x-version": "7"}))


async def test_a_cookie_is_not_kept() -> None:
    """Short as it may be: it can be somebody's session."""
    kept = await names_kept_of(Response("x", headers={"x-version": "7"}).set_cookie("sid", "s3cr3t", path=None))

    assert "x-version" in kept
    assert "set-cookie" not in kept


async def test_a_long_header_field_is_not_kept() -> None:
    assert "x-long" not in await names_kept_of(Response("x", headers={"x-long": "7" * 65}))
