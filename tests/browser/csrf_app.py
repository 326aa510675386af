"""A page with a form, and what pages of other sites try with it; which of the two it is, the address tells."""

from nexios import NexiosApp, Request, Response
from nexios.middleware import CallNext, CSRFMiddleware, csrf_input, csrf_token
from nexios.session import SessionMiddleware

answers: list[tuple[str | None, int]] = []
"""The Origin of each request to /save, and the status it got."""


async def note_answers(request: Request, response: Response, call_next: CallNext) -> Response:
    answer = await call_next()
    if request.path == "/save":
        answers.append((request.headers.get("origin"), answer.status_code))
    return answer


app = NexiosApp(openapi=None, secret_key="xWlZ9nTfS4v1cQ0kR7b2mJ6uYhE3oAqD")
app.add_middleware(note_answers)
app.add_middleware(SessionMiddleware)
app.add_middleware(CSRFMiddleware)
app.state.saved = 0

OWN = """<!doctype html><title>own</title>
<form method="post" action="/save" enctype="{enctype}">{field}<button>Save</button></form>"""
ATTACK = """<!doctype html><title>attack</title>
<form method="post" action="{target}" enctype="{enctype}"><input name="csrf_token" value="{token}">
<button>Win</button></form>"""


@app.get("/")
async def own(request: Request, response: Response) -> Response:
    return response.html(OWN.format(field=csrf_input(request), enctype=request.query_params["enctype"]))


@app.get("/attack")
async def attack(request: Request, response: Response) -> Response:
    """A page of an attacker, who has a token of his own."""
    query = request.query_params
    return response.html(ATTACK.format(target=query["target"], enctype=query["enctype"], token=csrf_token(request)))


@app.post("/save")
async def save(request: Request, response: Response) -> str:
    app.state.saved += 1
    return "saved"


@app.get("/saved")
async def saved(request: Request, response: Response) -> int:
    return int(app.state.saved)


@app.get("/answers")
async def show_answers(request: Request, response: Response) -> list[tuple[str | None, int]]:
    return answers
