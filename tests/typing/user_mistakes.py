"""What does a type checker tell a user of nexios? Each marked line is wrong, and a mark without a mistake is too."""

import nexios
import nexios.websockets
from nexios import HTTPException, NexiosApp, Request, Response, Router
from nexios.testing import TestClient

app = NexiosApp(exception_handlers={"404": print})  # type: ignore[dict-item]
router = Router(prefix=7)  # type: ignore[arg-type]
app.include_router(app="/api")  # type: ignore[call-arg]


@router.get("/", max_body_size="10 MB")  # type: ignore[arg-type]
async def index(request: Request, response: Response) -> Response:
    length: int = request.headers["content-length"]  # type: ignore[assignment]
    response.status("404")  # type: ignore[arg-type]
    response.set_cookie("a", "b", same_site="always")  # type: ignore[arg-type]
    response.json({}).set_heder("x", "y")  # type: ignore[attr-defined]
    return await request.json_body(length)  # type: ignore[attr-defined, no-any-return]


@app.get("/", exception_handler={404: print})  # type: ignore[call-arg]
async def fails(request: Request, response: Response) -> None:
    raise HTTPException("404")  # type: ignore[arg-type]


def visit() -> None:
    with TestClient(app) as client:
        client.get("/", parameters={})  # type: ignore[call-arg]
        client.get("/").await_it()  # type: ignore[attr-defined]


def look_elsewhere() -> None:
    repr(nexios.Depends)  # type: ignore[attr-defined]
    repr(nexios.websockets.RedisBackend)  # type: ignore[attr-defined]
