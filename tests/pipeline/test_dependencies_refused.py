"""Dependencies that nothing runs yet: what has them does not compile, so that no guard is only written down."""

from typing import Any

import pytest

from nexios import NexiosApp, Request, Response, Router
from nexios.errors import ConfigurationError


def admins_only(request: Request) -> None:
    raise PermissionError


async def secret(request: Request, response: Response) -> str:
    return "secret"


async def asgi(scope: Any, receive: Any, send: Any) -> None: ...


def wsgi(environ: Any, start_response: Any) -> list[bytes]:
    return []


def nexios_app() -> NexiosApp:
    app = NexiosApp()
    app.add_route("/x", secret)
    return app


def refusal_of(router: Router) -> str:
    app = NexiosApp()
    app.include_router(router)
    with pytest.raises(ConfigurationError) as caught:
        app.compile()
    return str(caught.value)


@pytest.mark.parametrize("mounted", [asgi, wsgi, nexios_app()], ids=["asgi", "wsgi", "nexios"])
def test_a_mount_below_a_router_with_dependencies_is_refused(mounted: Any) -> None:
    guarded = Router("/admin", dependencies=[admins_only])
    guarded.mount("/tools", mounted)

    text = refusal_of(guarded)

    assert text.startswith("The mount at /admin/tools has dependencies, which nothing runs yet; ")
    assert f"{__file__}:" in text


def test_a_mount_is_refused_for_the_dependencies_of_a_router_further_out() -> None:
    guarded, inner = Router("/admin", dependencies=[admins_only]), Router("/inner")
    inner.mount("/tools", asgi)
    guarded.include_router(inner)

    assert refusal_of(guarded).startswith("The mount at /admin/inner/tools has dependencies")


def test_a_route_below_a_router_with_dependencies_is_refused() -> None:
    guarded = Router("/admin", dependencies=[admins_only])
    guarded.add_route("/x", secret)

    text = refusal_of(guarded)

    assert text.startswith("/admin/x has dependencies, which nothing runs yet; ")
    assert f"{__file__}:" in text
