"""A login at a service that is another process, behind a real server."""

from collections.abc import Iterator
from importlib.util import find_spec
from urllib.parse import urlsplit

import httpx2
import pytest

from nexios.testing import TestClient
from tests.contract.servers import SERVERS, Running, running

pytest.importorskip("authlib")
pytest.importorskip("joserfc")
from nexios.auth.oidc import OpenIDClient
from tests.auth.oauth_provider import CLIENT, SECRET, make_site

UVICORN = next(server for server in SERVERS if server.name == "uvicorn-h11")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("uvicorn") is None, reason="uvicorn is not installed"),
]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(UVICORN, "tests.auth.oauth_provider_app:app", tmp_path_factory.mktemp("oauth"), {}) as server:
        yield server


def client_of(issuer: str) -> OpenIDClient:
    callback = "https://testserver/callback"
    return OpenIDClient(issuer, client_id=CLIENT, redirect_uri=callback, credentials=SECRET, timeout=60.0)


def test_a_browser_logs_in_from_one_site_to_the_other_and_back(service: Running) -> None:
    with TestClient(make_site(client_of(service.url), debug=True), follow_redirects=False) as site:
        sent = site.get("/login", params={"next": "/shelf"})
        granted = httpx2.get(sent.headers["location"], trust_env=False, timeout=60.0)
        back = urlsplit(granted.headers["location"])
        signed_in = site.get(f"{back.path}?{back.query}")

        assert (sent.status_code, granted.status_code, signed_in.status_code) == (303, 303, 303)
        assert (back.hostname, signed_in.headers["location"]) == ("testserver", "/shelf")
        assert site.get("/who").json() == {"user": "ada-1"}
        assert site.get(f"{back.path}?{back.query}").status_code == 400


@pytest.mark.parametrize("path", ["/redirecting", "/endless", "/missing"])
def test_a_service_that_does_not_say_where_it_is_is_away(service: Running, path: str) -> None:
    with TestClient(make_site(client_of(service.url + path), debug=True), follow_redirects=False) as site:
        assert site.get("/login").status_code == 503


def test_a_service_that_nobody_serves_is_away(service: Running) -> None:
    with TestClient(make_site(client_of("http://127.0.0.1:1"), debug=True), follow_redirects=False) as site:
        assert site.get("/login").status_code == 503
