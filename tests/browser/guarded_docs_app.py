"""An application with three doors, each with credentials of another kind, and its documentation."""

import hmac
from typing import Any

from nexios import NexiosApp, Request, Response
from nexios.auth import APIKeyAuth, APIKeys, BasicAuth, BearerAuth, requires
from nexios.stores.memory import MemoryStore

__all__ = ["BEARER", "PASSWORD", "app"]

BEARER = "bearer-of-ada"
PASSWORD = "pa:ss word"


async def find(token: str) -> str | None:
    return "ada" if hmac.compare_digest(token.encode(), BEARER.encode()) else None


async def check(name: str, password: str) -> str | None:
    return name if name == "ada" and hmac.compare_digest(password.encode(), PASSWORD.encode()) else None


keys = APIKeys(MemoryStore())
app = NexiosApp(lifespan=keys.lifespan)


@app.get("/bearer", summary="Enter by token", auth_backend=BearerAuth(find), dependencies=[requires()])
async def by_token(request: Request, response: Response) -> str:
    return f"let-in-by-token: {request.user}"


@app.get("/basic", summary="Enter by password", auth_backend=BasicAuth(check), dependencies=[requires()])
async def by_password(request: Request, response: Response) -> str:
    return f"let-in-by-password: {request.user}"


@app.get("/key", summary="Enter by key", auth_backend=APIKeyAuth(keys), dependencies=[requires()])
async def by_key(request: Request, response: Response) -> str:
    return f"let-in-by-key: {request.user.owner}"


@app.post("/keys", include_in_schema=False)
async def new_key(request: Request, response: Response) -> Any:
    return {"text": (await keys.issue("ada")).text}
