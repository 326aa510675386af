"""SecurityHeaders: what browsers are told with every answer."""

from typing import Any

import pytest

from nexios import NexiosApp, Request, Response
from nexios.errors import ConfigurationError, InvalidHeader
from nexios.middleware import NONCE, SecurityHeaders, csp_nonce
from nexios.middleware.csp import compile_policy
from nexios.testing.raw import RawAnswer, call


def make_app(**options: Any) -> NexiosApp:
    app = NexiosApp(openapi=None)
    app.add_middleware(SecurityHeaders, **options)

    @app.get("/page")
    async def page(request: Request, response: Response) -> Response:
        return response.html("<p>page")

    @app.get("/data")
    async def data(request: Request, response: Response) -> dict[str, int]:
        return {"a": 1}

    @app.get("/own")
    async def own(request: Request, response: Response) -> Response:
        response.html("<p>own").set_header("Content-Security-Policy", "default-src 'none'")
        return response.set_header("referrer-policy", "no-referrer").set_header(
            "strict-transport-security", "max-age=1"
        )

    @app.get("/nonce")
    async def nonce(request: Request, response: Response) -> Response:
        return response.html(f"{csp_nonce(request)} {request.state.csp_nonce}")

    @app.get("/broken")
    async def broken(request: Request, response: Response) -> Response:
        raise ZeroDivisionError

    return app


async def get(path: str, *, scheme: str = "https", **options: Any) -> RawAnswer:
    return await call(make_app(**options), path=path, scope_extra={"scheme": scheme})


async def test_a_page_has_the_headers_of_the_design() -> None:
    answer = await get("/page")

    assert [answer.header(name) for name in NAMES] == [
        "nosniff",
        "strict-origin-when-cross-origin",
        "same-origin",
        "frame-ancestors 'self'",
        "max-age=31536000",
    ]


NAMES = (
    "x-content-type-options",
    "referrer-policy",
    "cross-origin-opener-policy",
    "content-security-policy",
    "strict-transport-security",
)


@pytest.mark.parametrize(("path", "status"), [("/broken", 500), ("/nowhere", 404), ("/data", 200)])
async def test_errors_and_data_have_them_too_but_for_the_policy_of_pages(path: str, status: int) -> None:
    answer = await get(path)

    assert answer.status == status
    assert [answer.header(name) is not None for name in NAMES] == [True, True, True, False, True]


async def test_over_plain_http_nothing_is_said_of_https() -> None:
    assert (await get("/page", scheme="http")).header("strict-transport-security") is None


async def test_what_the_handler_says_stands() -> None:
    answer = await get("/own")

    assert [answer.header(name) for name in NAMES[1:]] == [
        "no-referrer",
        "same-origin",
        "default-src 'none'",
        "max-age=1",
    ]


async def test_each_header_can_be_switched_off_or_changed() -> None:
    off = await get("/page", content_security_policy=None, hsts=None, referrer_policy=None, opener_policy=None)
    assert [answer for answer in NAMES if off.header(answer)] == ["x-content-type-options"]

    changed = await get(
        "/page",
        hsts=63072000,
        hsts_subdomains=True,
        hsts_preload=True,
        embedder_policy="require-corp",
        resource_policy="same-site",
        permissions_policy={"camera": [], "geolocation": ["self", "https://maps.example"], "fullscreen": "*"},
        report_only="default-src 'self'",
    )
    assert changed.header("strict-transport-security") == "max-age=63072000; includeSubDomains; preload"
    assert changed.header("cross-origin-embedder-policy") == "require-corp"
    assert changed.header("cross-origin-resource-policy") == "same-site"
    assert changed.header("permissions-policy") == 'camera=(), geolocation=(self "https://maps.example"), fullscreen=*'
    assert changed.header("content-security-policy-report-only") == "default-src 'self'"


async def test_a_nonce_is_new_for_each_request_and_the_same_in_page_and_policy() -> None:
    app = make_app(content_security_policy={"script-src": ["'self'", NONCE], "style-src": [NONCE]})
    answers = [await call(app, path="/nonce") for _ in range(2)]

    nonces = [answer.body.decode().split() for answer in answers]
    for answer, (first, second) in zip(answers, nonces, strict=True):
        assert (first == second, len(first)) == (True, 22)
        expected = f"script-src 'self' 'nonce-{first}'; style-src 'nonce-{first}'"
        assert answer.header("content-security-policy") == expected
    assert nonces[0] != nonces[1]


async def test_a_nonce_that_no_policy_has_is_an_error_that_says_what_to_write() -> None:
    answer = await get("/nonce")

    assert answer.status == 500
    with pytest.raises(ConfigurationError, match="content_security_policy="):
        csp_nonce(Request(None, None, "GET", "/", "/"))  # type: ignore[arg-type]


async def test_websockets_do_without_it() -> None:
    app = make_app()

    @app.websocket("/ws")
    async def socket(websocket: Any) -> None: ...

    assert SecurityHeaders.handle_websocket is None
    assert app.compile().websockets.has_routes


@pytest.mark.parametrize(
    ("policy", "text"),
    [
        ({"default-src": ["'self'"]}, "default-src 'self'"),
        ({"default-src": "'self' https://cdn.example"}, "default-src 'self' https://cdn.example"),
        (
            {"upgrade-insecure-requests": [], "sandbox": ["allow-scripts"]},
            "upgrade-insecure-requests; sandbox allow-scripts",
        ),
        ({"require-trusted-types-for": ["'script'"]}, "require-trusted-types-for 'script'"),
        ("default-src 'self'", "default-src 'self'"),
    ],
)
def test_a_policy_is_written_as_it_is_given(policy: Any, text: str) -> None:
    assert compile_policy(policy).with_nonce("x") == text


@pytest.mark.parametrize(
    "policy",
    [
        *({}, {"script_src": []}, {"": []}, {"script-src; x": []}, {"script-src": ["self"]}, {"script-src": ["None"]}),
        *({"script-src": ["'none'", "'self'"]}, {"script-src": ["a;b"]}, {"script-src": ["a,b"]}),
        *({"script-src": ["a b"]}, {"script-src": ["é"]}, {"script-src": [""]}),
    ],
)
def test_a_policy_that_would_not_mean_what_it_says_is_refused(policy: Any) -> None:
    with pytest.raises(ConfigurationError):
        compile_policy(policy)


@pytest.mark.parametrize(
    "options",
    [
        *(
            {"hsts": -1},
            {"hsts": "1"},
            {"hsts_preload": True},
            {"hsts": 5, "hsts_subdomains": True, "hsts_preload": True},
        ),
        *({"referrer_policy": "never"}, {"permissions_policy": {"a b": []}}, {"permissions_policy": {"a": ['"']}}),
    ],
)
def test_options_are_checked(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        SecurityHeaders(**options)


@pytest.mark.parametrize("option", ["content_security_policy", "report_only", "opener_policy", "resource_policy"])
def test_e5_no_policy_breaks_out_of_its_header(option: str) -> None:
    """CVE-2020-7695."""
    options: dict[str, Any] = {option: "x\r\nset-cookie: a=b"}
    with pytest.raises((ConfigurationError, InvalidHeader)):
        SecurityHeaders(**options)
    with pytest.raises((ConfigurationError, InvalidHeader)):
        SecurityHeaders(content_security_policy={"script-src": ["x\r\ny"]})
