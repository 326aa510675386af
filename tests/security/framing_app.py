"""Which requests did a server make of the bytes that it was sent? An app that keeps the paths it was asked for."""

from nexios import NexiosApp, Request, Response

app = NexiosApp(openapi=None)
seen: list[str] = []


@app.get("/seen")
async def what_was_seen(request: Request, response: Response) -> list[str]:
    """Return the paths of all requests so far."""
    return seen


@app.get("/{path:path}")
@app.post("/{path:path}")
async def anything(request: Request, response: Response, path: str) -> str:
    """Keep the path, and answer with the body."""
    seen.append(path)
    return (await request.body()).decode("latin-1")
