"""What is around every page? The bar at the top with who has signed in, and what there is to be told."""

from collections.abc import Sequence
from urllib.parse import quote

from nexios import Request, Response

from ..people import Member, member_of, picture_path
from .assets import asset_url
from .html import NOTHING, Html, csrf_field, joined, render
from .views import picture_view

__all__ = ["page", "plain_page"]

NOTICES = {
    "room-created": "The room is open. Write the first message.",
    "room-renamed": "The room has a new name.",
    "room-deleted": "The room and all that was in it are gone.",
    "message-posted": "Your message is there for everyone to read.",
    "message-deleted": "The message is gone.",
}
"""What guests are told: a page shows the text of the code that a redirect put into its URL, and never what else is
there. What is for members is a flash message, which is in the session and shown once."""


def page(request: Request, response: Response, title: str, content: Html, *, search: str = "") -> Response:
    """Answer with a whole page around `content`."""
    notices = [] if (notice := NOTICES.get(request.query_params.get("notice", ""))) is None else [notice]
    notices += [flash.text for flash in request.session.flashes()]
    member = member_of(request)
    bar = _signed_out(request) if member is None else _signed_in(request, member)
    return _whole(response, title, content, search=search, bar=bar, notices=notices)


def plain_page(response: Response, title: str, content: Html) -> Response:
    """Answer with a page that asks neither for the session nor for who it is: with an error, perhaps of just these."""
    return _whole(response, title, content)


def _whole(
    response: Response, title: str, content: Html, *, search: str = "", bar: Html = NOTHING, notices: Sequence[str] = ()
) -> Response:
    html = render(
        "page",
        title=title,
        style=asset_url("style.css"),
        icon=asset_url("icon.svg"),
        search=search,
        bar=bar,
        notice=joined(render("notice", text=text) for text in notices),
        content=content,
    )
    return response.html(html)


def _signed_in(request: Request, member: Member) -> Html:
    return render(
        "signed_in",
        picture=picture_view(member.name, picture_path(member.avatar)),
        name=member.name,
        members=render("members_link") if member.role == "admin" else NOTHING,
        field=csrf_field(request),
    )


def _signed_out(request: Request) -> Html:
    """After signing in, back to where someone was."""
    is_way_in = request.path.startswith("/sign-")
    here = request.path if request.method == "GET" and not is_way_in else "/"
    return render("signed_out", here=quote(here, safe="/"))
