"""One message: the page on which it is changed, and what its forms do. It has to be yours, or you are an editor."""

from typing import Annotated

from msgspec import Struct

from nexios import Form, Request, Response, Router
from nexios.models import Invalid, adapt

from ..api.parts import OwnMessage
from ..models import Message, NewMessage
from ..news import News
from ..people import SIGNED_IN
from ..store import messages
from ..store.storage import Transaction
from .html import csrf_field, render
from .page import page
from .views import error_view

__all__ = ["TEXT_RULE", "router"]

TEXT_RULE = "A message has 1 to 4,000 characters."

router = Router(prefix="/messages/{message_id:id}", dependencies=[SIGNED_IN])


class Typed(Struct, frozen=True):
    """What is in the form, right or wrong."""

    text: str = ""


new_message = adapt(NewMessage).convert


@router.get("/edit")
async def show_message_form(request: Request, response: Response, message: OwnMessage) -> Response:
    return _form(request, response, message, message.text)


@router.post("/edit")
async def edit_message(
    request: Request,
    response: Response,
    message: OwnMessage,
    typed: Annotated[Typed, Form()],
    board: Transaction,
    news: News,
) -> Response:
    try:
        new = new_message({"author": message.author, "text": typed.text.replace("\r\n", "\n").strip()})
    except Invalid:
        return _form(request, response.status(422), message, typed.text, TEXT_RULE)
    board.then(news.edited, await board.run(messages.edit, message.id, new))
    request.session.flash("The message says something else now.")
    room = request.url_for("pages:show_room", room_id=message.room_id)
    return response.redirect(f"{room}#message-{message.id}", 303)


@router.post("/delete")
async def delete_message(
    request: Request, response: Response, message: OwnMessage, board: Transaction, news: News
) -> Response:
    _, files = await board.run(messages.delete, message.id)
    board.discard(files)
    board.then(news.deleted, message.room_id, message.id)
    room = request.url_for("pages:show_room", room_id=message.room_id)
    return response.redirect(f"{room}?notice=message-deleted", 303)


def _form(request: Request, response: Response, message: Message, text: str, error: str | None = None) -> Response:
    content = render(
        "edit_message",
        id=message.id,
        room_id=message.room_id,
        author=message.author,
        text=text,
        error=error_view(error),
        field=csrf_field(request),
    )
    return page(request, response, "Change a message", content)
