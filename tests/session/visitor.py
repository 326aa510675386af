"""A browser of few words, and an app with sessions to visit: for the tests of sessions, by raw scopes."""

import json
from typing import Any

from nexios import NexiosApp, Request, Response
from nexios.session import SessionMiddleware
from nexios.testing.raw import RawAnswer, call

KEY = "xWlZ9nTfS4v1cQ0kR7b2mJ6uYhE3oAqD"
OLD_KEY = "qV8pLr2sKd0wZ5yB1nG7tFjXc4MiHeUa"
NAME = "__Host-session"


class Clock:
    """Seconds that go on when a test says so."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


class Visitor:
    """Sends the cookies that it was given, over https."""

    def __init__(self, app: NexiosApp, *, scheme: str = "https") -> None:
        self.app = app
        self.scheme = scheme
        self.cookies: dict[str, str] = {}

    async def get(self, path: str, *, query: bytes = b"") -> RawAnswer:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items()).encode()
        headers = [(b"cookie", cookies)] if cookies else []
        answer = await call(self.app, path=path, query=query, headers=headers, scope_extra={"scheme": self.scheme})
        for cookie in answer.header_all("set-cookie"):
            name, _, rest = cookie.partition("=")
            self.cookies[name] = rest.partition(";")[0]
            if "Max-Age=0" in rest:
                del self.cookies[name]
        return answer

    async def json(self, path: str, *, query: bytes = b"") -> Any:
        answer = await self.get(path, query=query)
        assert answer.status == 200, answer.body
        return json.loads(answer.body)


def make_app(*, debug: bool = False, **options: Any) -> NexiosApp:
    """Return an app whose paths are what happens to the session."""
    app = NexiosApp(debug=debug, openapi=None)
    if "store" not in options:
        options.setdefault("secret_key", KEY)
    app.add_middleware(SessionMiddleware, **options)

    @app.get("/untouched")
    async def untouched(request: Request, response: Response) -> str:
        return "nothing"

    @app.get("/all")
    async def all_of_it(request: Request, response: Response) -> dict[str, Any]:
        session = request.session
        return {"values": dict(session), "user": session.user_id, "new": session.is_new}

    @app.get("/set/{name}/{value}")
    async def put(request: Request, response: Response, name: str, value: str) -> str:
        request.session[name] = value
        return "put"

    @app.get("/append/{value}")
    async def append(request: Request, response: Response, value: str) -> str:
        request.session.setdefault("cart", []).append(value)
        return "appended"

    @app.get("/login/{user}")
    async def login(request: Request, response: Response, user: str) -> str:
        request.session.user_id = user
        return "in"

    @app.get("/rotate")
    async def rotate(request: Request, response: Response) -> str:
        await request.session.rotate()
        return "rotated"

    @app.get("/clear")
    async def clear(request: Request, response: Response) -> str:
        request.session.clear()
        return "out"

    @app.get("/secret")
    async def secret(request: Request, response: Response) -> str:
        return request.session.secret("csrf").hex()

    @app.get("/known-secret")
    async def known_secret(request: Request, response: Response) -> str:
        found = request.session.known_secret("csrf")
        return "none" if found is None else found.hex()

    @app.get("/flash/{text}")
    async def flash(request: Request, response: Response, text: str) -> str:
        request.session.flash(text, "success")
        return "left"

    @app.get("/flashes")
    async def flashes(request: Request, response: Response) -> list[list[str]]:
        return [list(flash) for flash in request.session.flashes()]

    @app.get("/end-all/{user}")
    async def end_all(request: Request, response: Response, user: str) -> str:
        await request.session.invalidate_all(user)
        return "ended"

    @app.get("/end-others")
    async def end_others(request: Request, response: Response) -> str:
        await request.session.invalidate_others()
        return "ended"

    return app
