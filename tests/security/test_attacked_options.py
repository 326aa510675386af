"""Options that were misspelt: whatever would weaken the app without a word is an error where it is given."""

from typing import Any

import pytest

from nexios import NexiosApp
from nexios.errors import ConfigurationError
from nexios.middleware import CORSMiddleware, SecurityHeaders
from nexios.testing.raw import call


@pytest.mark.parametrize(
    "pattern", [".*", ".+", r"https?://.*", r"https://[^/]+", r"(?i)https://[a-z0-9.-]+", r"https://a\.example|.*"]
)
def test_h2_a_pattern_for_every_origin_is_refused_with_credentials(pattern: str) -> None:
    """H2: the wildcard was refused, and a pattern that says the same was not."""
    with pytest.raises(ConfigurationError, match="matches every site"):
        CORSMiddleware(allow_origin_regex=pattern, allow_credentials=True)
    CORSMiddleware(allow_origin_regex=pattern)


def test_h2_a_pattern_that_names_hosts_is_taken_with_credentials() -> None:
    cors = CORSMiddleware(allow_origin_regex=r"https://[a-z0-9-]+\.app\.example", allow_credentials=True)

    assert repr(cors) == r"<CORSMiddleware https://[a-z0-9-]+\.app\.example>"


@pytest.mark.parametrize("value", ["false", "no", "", 0, 1, None])
@pytest.mark.parametrize("option", ["allow_credentials", "allow_private_network"])
def test_h4_what_is_no_bool_switches_nothing_on(option: str, value: Any) -> None:
    """H4: from a variable of the environment "false" is a text, and every text is true."""
    options: dict[str, Any] = {"allow_origins": ["https://app.example"], option: value}

    with pytest.raises(ConfigurationError, match=f"'{option}' is True or False"):
        CORSMiddleware(**options)


@pytest.mark.parametrize(
    "options",
    [
        {"opener_policy": "same-orign"},
        {"opener_policy": "same_origin"},
        {"embedder_policy": "require-cors"},
        {"resource_policy": "none"},
        {"resource_policy": ""},
    ],
    ids=lambda options: next(iter(options.items())).__repr__(),
)
def test_a_policy_that_no_browser_knows_is_an_error(options: Any) -> None:
    with pytest.raises(ConfigurationError, match="is no policy that browsers know"):
        SecurityHeaders(**options)


async def test_policies_with_a_parameter_are_taken() -> None:
    app = NexiosApp(openapi=None)
    app.add_middleware(SecurityHeaders, opener_policy='same-origin; report-to="main"', embedder_policy="credentialless")

    answer = await call(app)

    assert answer.header("cross-origin-opener-policy") == 'same-origin; report-to="main"'
    assert answer.header("cross-origin-embedder-policy") == "credentialless"


@pytest.mark.parametrize("option", ["hsts_subdomains", "hsts_preload"])
def test_a_text_does_not_widen_hsts(option: str) -> None:
    options: dict[str, Any] = {option: "false"}

    with pytest.raises(ConfigurationError, match="are True or False"):
        SecurityHeaders(**options)


@pytest.mark.parametrize("name", ["scrpt-src", "script", "default", "style-source", "frame-ancestor", "scriptsrc", "-"])
@pytest.mark.parametrize("option", ["content_security_policy", "report_only"])
def test_a_directive_that_no_browser_knows_is_an_error(option: str, name: str) -> None:
    """Browsers pass over what they do not know, and with it over all that it should forbid."""
    options: dict[str, Any] = {option: {"default-src": ["'self'"], name: ["'none'"]}}

    with pytest.raises(ConfigurationError, match="is no directive of a Content-Security-Policy"):
        SecurityHeaders(**options)
