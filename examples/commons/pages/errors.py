"""What does someone see when something is wrong? A page in a browser, a problem document elsewhere."""

from http import HTTPStatus
from urllib.parse import quote

from nexios import HTTPException, Request, Response
from nexios.http.accept import best_match

from .html import NOTHING, render
from .page import plain_page

__all__ = ["error_page", "failure_page", "no_route"]

TITLES = {401: "Sign in first"}
TEXTS = {
    401: "This is for members.",
    404: "Nothing is here. It may have been deleted, or the address has a slip in it.",
    413: "That was too large. A file may have up to 8 MiB, and a picture of you 512 KiB, with everything around it.",
}
CODES = {
    "csrf_failed": "That came from another site, or from a page that was open for too long, so it was not done.",
    "forbidden": "You may not do this.",
}


async def error_page(request: Request, response: Response, exc: HTTPException) -> Response:
    """Answer with a page: the handler of the router that holds the pages."""
    title = TITLES.get(exc.status_code, HTTPStatus(exc.status_code).phrase)
    text = CODES.get(exc.code, TEXTS.get(exc.status_code, exc.detail))
    sign_in = NOTHING
    if exc.status_code == 401:
        here = request.path if request.method == "GET" else "/"
        sign_in = render("sign_in_link", here=quote(here, safe="/"))
    content = render("error", status=exc.status_code, title=title, text=text, sign_in=sign_in)
    return plain_page(response.set_headers(exc.headers), title, content)


async def failure_page(request: Request, response: Response, exc: Exception) -> Response:
    """Answer with a page when the fault is ours. nexios has logged it by now, and nothing of it is shown."""
    return await error_page(request, response, HTTPException(500, "That is our fault. Please try again in a while."))


async def no_route(request: Request, response: Response, exc: HTTPException) -> Response:
    """Answer a 404 that no page asked for: the handler of the app."""
    wants_page = best_match(request.headers.get("accept"), ["application/problem+json", "text/html"]) == "text/html"
    if wants_page and not request.path.startswith("/api/"):
        return await error_page(request, response, exc)
    problem = {"type": "about:blank", "title": "Not Found", "status": 404, "detail": exc.detail, "code": exc.code}
    return response.json(problem).set_header("content-type", "application/problem+json")
