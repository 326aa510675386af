"""One room: what was said in it, and the forms to write, rename and delete."""

from collections.abc import Callable
from typing import Annotated
from urllib.parse import quote, unquote

from msgspec import Struct

from nexios import Cookie, Form, Query, Request, Response, Router, UploadFile
from nexios.errors import InvalidInput
from nexios.models import Invalid, adapt

from ..api.attachments import MAX_FORM
from ..errors import NameTaken
from ..models import Caption, Message, NewMessage, NewRoom, Room, Window
from ..store import attachments, messages, rooms
from ..store.storage import Transaction
from .html import NOTHING, Html, joined, render
from .rooms import NAME_RULE
from .views import attachment_view, counted, error_view, message_view, page, time_view

__all__ = ["router"]

RULES = {
    "/author": "Say who you are, in up to 40 characters.",
    "/text": "A message has 1 to 4,000 characters.",
    "/caption": "A caption has up to 200 characters.",
}
A_MONTH = 30 * 24 * 3600

router = Router()


class Draft(Struct, frozen=True):
    """What is in the form for a message, as it was typed: whatever is wrong with it, it is shown again."""

    author: str = ""
    text: str = ""
    caption: str = ""


class Post(NewMessage, frozen=True):
    """A draft with nothing wrong in it."""

    caption: Caption


NEWEST = Window()
NOTHING_TYPED = Draft()

post_of: Callable[[object], Post] = adapt(Post).convert


@router.get("/rooms/{room_id:id}")
async def show_room(
    request: Request,
    response: Response,
    room_id: int,
    window: Annotated[Window, Query()],
    board: Transaction,
    author: Annotated[str, Cookie()] = "",
) -> Response:
    return await _room_page(request, response, room_id, board, window, draft=Draft(unquote(author)))


@router.post("/rooms/{room_id:id}/messages", max_body_size=MAX_FORM)
async def post_message(
    request: Request,
    response: Response,
    room_id: int,
    draft: Annotated[Draft, Form()],
    board: Transaction,
    file: UploadFile | None = None,
) -> Response:
    try:
        post = _post_of(draft)
    except Invalid as exc:
        error = RULES[exc.problems[0].pointer]
        return await _room_page(request, response.status(422), room_id, board, draft=draft, error=error)
    message = await _post(board, room_id, post, file)
    response.set_cookie("author", quote(message.author), max_age=A_MONTH, secure=request.url.scheme == "https")
    return _back_to_room(request, response, room_id, f"message-posted#message-{message.id}")


async def name_not_valid(request: Request, response: Response, exc: InvalidInput, board: Transaction) -> Response:
    return await _room_page(
        request, response.status(exc.status_code), request.path_params["room_id"], board, name_error=NAME_RULE
    )


async def name_taken(request: Request, response: Response, exc: NameTaken, board: Transaction) -> Response:
    return await _room_page(
        request, response.status(exc.status_code), request.path_params["room_id"], board, name_error=exc.detail
    )


@router.post("/rooms/{room_id:id}/rename", exception_handlers={InvalidInput: name_not_valid, NameTaken: name_taken})
async def rename_room(
    request: Request, response: Response, room_id: int, new: Annotated[NewRoom, Form()], board: Transaction
) -> Response:
    await board.run(rooms.rename, room_id, new)
    return _back_to_room(request, response, room_id, "room-renamed")


@router.post("/rooms/{room_id:id}/delete")
async def delete_room(request: Request, response: Response, room_id: int, board: Transaction) -> Response:
    board.discard(await board.run(rooms.delete, room_id))
    return response.redirect(f"{request.url_for('pages:home')}?notice=room-deleted", 303)


@router.post("/messages/{message_id:id}/delete")
async def delete_message(request: Request, response: Response, message_id: int, board: Transaction) -> Response:
    message, files = await board.run(messages.delete, message_id)
    board.discard(files)
    return _back_to_room(request, response, message.room_id, "message-deleted")


def _post_of(draft: Draft) -> Post:
    """Browsers end lines with both CR and LF, which counts as one character. Raises Invalid."""
    text = draft.text.replace("\r\n", "\n")
    return post_of({"author": draft.author.strip(), "text": text.strip(), "caption": draft.caption.strip()})


async def _post(board: Transaction, room_id: int, post: Post, file: UploadFile | None) -> Message:
    attachment = None if file is None else await board.save(file, post.caption)
    return await board.run(messages.post, room_id, post, attachment)


def _back_to_room(request: Request, response: Response, room_id: int, notice: str) -> Response:
    return response.redirect(f"{request.url_for('pages:show_room', room_id=room_id)}?notice={notice}", 303)


async def _room_page(
    request: Request,
    response: Response,
    room_id: int,
    board: Transaction,
    window: Window = NEWEST,
    *,
    draft: Draft = NOTHING_TYPED,
    error: str | None = None,
    name_error: str | None = None,
) -> Response:
    room = await board.run(rooms.get, room_id)
    found, has_older = await board.run(messages.list_window, room_id, window)
    files = [file for file in await board.run(attachments.of_room, room_id) if file.message_id is None]
    content = render(
        "room",
        id=room.id,
        name=room.name,
        count=counted(room.message_count, "message"),
        created=time_view(room.created_at),
        files=render("files", files=joined(map(attachment_view, files))) if files else NOTHING,
        older=render("older", id=room.id, before=found[-1].id) if has_older else NOTHING,
        messages=joined(map(message_view, reversed(found))) if found else render("no_messages"),
        composer=_composer(room, draft, error),
        name_error=error_view(name_error),
        manage=" open" if name_error else "",
    )
    return page(request, response, room.name, content)


def _composer(room: Room, draft: Draft, error: str | None) -> Html:
    return render(
        "composer",
        id=room.id,
        author=draft.author,
        text=draft.text,
        caption=draft.caption,
        error=error_view(error),
    )
