"""Does the founding document's snippet of sessions run, word for word?"""

import pytest

from nexios import NexiosApp, Request, Response
from nexios.errors import ConfigurationError
from nexios.testing import TestClient

SESSIONS = """
from nexios.session import SessionMiddleware

app.add_middleware(SessionMiddleware,
    secret_key="your-secret-key",
    session_cookie="session-id"
)
"""


def test_the_snippet_of_sessions_keeps_values_through_the_test_client() -> None:
    app = NexiosApp(debug=True)
    exec(SESSIONS, {"app": app})

    @app.get("/visits")
    async def visits(request: Request, response: Response) -> int:
        request.session["visits"] = request.session.get("visits", 0) + 1
        return int(request.session["visits"])

    with TestClient(app) as client:
        assert [client.get("/visits").json() for _ in range(3)] == [1, 2, 3]
    with TestClient(app, base_url="http://localhost:8000") as client:
        assert [client.get("/visits").json() for _ in range(2)] == [1, 2]


def test_the_key_of_the_snippet_is_refused_outside_of_debug_mode() -> None:
    app = NexiosApp()
    exec(SESSIONS, {"app": app})

    with pytest.raises(ConfigurationError, match=r'python -c "import secrets; print\(secrets.token_urlsafe\(32\)\)"'):
        app.compile()
