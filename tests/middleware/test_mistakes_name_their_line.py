"""A wrong option of a middleware is told with the line that added it."""

from typing import Any

import pytest

from nexios import NexiosApp, Router
from nexios.errors import ConfigurationError
from nexios.middleware import CORSMiddleware, CSRFMiddleware, ProxyHeaders, SecurityHeaders, TrustedHosts


@pytest.mark.parametrize(
    ("middleware", "options", "text"),
    [
        (TrustedHosts, {"hosts": "shop.example"}, "write hosts=['shop.example']"),
        (CORSMiddleware, {"allow_origins": "https://a.example"}, "write allow_origins=['https://a.example']"),
        (CORSMiddleware, {"allow_origins": ["*"], "allow_credentials": True}, "Name the origins"),
        (SecurityHeaders, {"content_security_policy": {"script-src": ["self"]}}, "written in quotes"),
        (ProxyHeaders, {"trusted": "10.0.0.1"}, "write trusted=['10.0.0.1']"),
        (ProxyHeaders, {"trusted": "unix"}, "write trusted=['unix']"),
        (ProxyHeaders, {"trusted": "*"}, 'trusted=["0.0.0.0/0", "::/0"]'),
    ],
    ids=["hosts", "origins", "credentials", "policy", "proxy", "socket", "every-proxy"],
)
def test_a_wrong_option_is_told_with_its_line(middleware: Any, options: dict[str, Any], text: str) -> None:
    app = NexiosApp()
    app.add_middleware(middleware, **options)

    with pytest.raises(ConfigurationError) as caught:
        app.compile()

    assert text in str(caught.value)
    assert f"\n\n  {__file__}:" in str(caught.value)
    assert str(caught.value).endswith(f"   {middleware.__name__}")


def test_a_weak_secret_of_an_instance_names_the_middleware() -> None:
    app = NexiosApp()
    router = Router(prefix="/shop", middleware=[CSRFMiddleware(secret_key="changeme")])

    @router.get("/")
    async def index(request: Any, response: Any) -> str:
        return "open"

    app.include_router(router)

    with pytest.raises(ConfigurationError) as caught:
        app.compile()

    assert str(caught.value).endswith("\n\n  of CSRFMiddleware")
