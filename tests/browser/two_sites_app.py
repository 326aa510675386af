"""An API with sessions, sockets, policies and uploads, and a blank page of another origin; the address tells which.

Pages of any port of 127.0.0.1 may read the API with credentials; those of localhost, which is another site, may not.
"""

import os
from pathlib import Path
from typing import Literal

from nexios import NexiosApp, Request, Response, Router
from nexios.middleware import NONCE, CallNext, CORSMiddleware, SecurityHeaders, csp_nonce
from nexios.session import SessionMiddleware
from nexios.static import StaticFiles
from nexios.websockets import WebSocket

ATTACK = '<script>document.title = "ran"</script><img src="x" onerror="document.title = \'ran\'">'
PICTURE = """<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9" onload="top.document.title = 'ran'">
<script>top.document.title = "ran"</script></svg>"""

asked: list[tuple[str, str | None]] = []
"""Method and path of each request, and who the session says it is from."""

app = NexiosApp(secret_key="xWlZ9nTfS4v1cQ0kR7b2mJ6uYhE3oAqD", title="Two sites")


async def note(request: Request, response: Response, call_next: CallNext) -> Response:
    if request.path not in ("/asked", "/favicon.ico"):
        asked.append((f"{request.method} {request.path}", None))
    return await call_next()


app.add_middleware(note)


@app.get("/asked")
async def show_asked(request: Request, response: Response) -> list[tuple[str, str | None]]:
    return asked


@app.get("/blank")
async def blank(request: Request, response: Response) -> Response:
    return response.html("<!doctype html><title>blank</title>")


async def login(request: Request, response: Response) -> Response:
    request.session["user"] = "ada"
    return response.html("<!doctype html><title>welcome</title>")


async def me(request: Request, response: Response) -> Response:
    user = str(request.session.get("user", "nobody"))
    asked[-1] = (asked[-1][0], user)
    return response.text(user)


SameSite = Literal["lax", "strict", "none"]
SAME_SITES: tuple[SameSite, ...] = ("lax", "strict", "none")


def router_with_sessions(prefix: str, same_site: SameSite) -> Router:
    router = Router(prefix)
    router.add_middleware(SessionMiddleware(session_cookie=f"{prefix[1:]}-session", same_site=same_site))
    router.get("/login")(login)
    router.get("/me")(me)
    router.post("/me")(me)
    router.put("/me")(me)
    return router


for same_site in SAME_SITES:
    app.include_router(router_with_sessions(f"/{same_site}", same_site))

api = router_with_sessions("/api", "none")
api.add_middleware(
    CORSMiddleware(
        allow_origin_regex=r"http://127\.0\.0\.1:\d+",
        allow_methods=["GET", "PUT"],
        allow_headers=["x-request-id"],
        allow_credentials=True,
    )
)
app.include_router(api)

everybody = router_with_sessions("/everybody", "none")
everybody.add_middleware(CORSMiddleware(allow_origins=["*"]))
app.include_router(everybody)


@app.websocket("/socket")
async def socket(websocket: WebSocket) -> None:
    asked.append(("opened", None))
    await websocket.accept()
    await websocket.send_text("hello")


guarded = Router("/guarded")
guarded.add_middleware(
    SecurityHeaders(
        content_security_policy={"default-src": ["'self'"], "script-src": [NONCE], "frame-ancestors": ["'none'"]}
    )
)


@guarded.get("/page")
async def page(request: Request, response: Response) -> Response:
    own = f'<script nonce="{csp_nonce(request)}">document.documentElement.lang = "en"</script>'
    return response.html(
        f'<!doctype html><title>still</title>{own}<script nonce="guess">document.title = "ran"</script>{ATTACK}'
    )


@guarded.get("/plain")
async def plain(request: Request, response: Response) -> Response:
    return response.text(ATTACK)


app.include_router(guarded)

uploads = Path(os.environ["UPLOADS"])
(uploads / "page.html").write_text(f"<!doctype html><title>upload</title>{ATTACK}")
(uploads / "picture.svg").write_text(PICTURE)
(uploads / "script.js").write_text("document.title = 'ran'")
app.mount("/uploads", StaticFiles(directory=uploads, untrusted=True))
app.mount("/careless", StaticFiles(directory=uploads))
