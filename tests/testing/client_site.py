"""The app that the tests of the client talk to."""

from typing import Any

from nexios import NexiosApp

__all__ = ["make_app"]


def make_app() -> NexiosApp:
    app = NexiosApp()

    @app.get("/api/endpoint")
    async def endpoint(request: Any, response: Any) -> Any:
        return {"ready": True}

    @app.route("/echo", methods=["POST", "PUT", "PATCH", "DELETE", "QUERY"])
    async def echo(request: Any, response: Any) -> Any:
        return {"method": request.method, "body": await request.text(), "query": request.query_string}

    @app.get("/headers")
    async def headers(request: Any, response: Any) -> Any:
        return [list(pair) for pair in request.headers.pairs]

    @app.post("/login")
    async def login(request: Any, response: Any) -> Any:
        name = (await request.form())["name"]
        return response.redirect("/me", 303).set_cookie("session", name).set_cookie("seen", "1", http_only=False)

    @app.get("/me")
    async def me(request: Any, response: Any) -> Any:
        return response.text(request.cookies.get("session", "nobody"))

    @app.get("/away")
    async def away(request: Any, response: Any) -> Any:
        return response.redirect("https://evil.example/steal", external=True)

    @app.get("/users/{name}", name="user")
    async def user(request: Any, response: Any, name: str) -> Any:
        return response.text(f"{request.url} {name}")

    return app
