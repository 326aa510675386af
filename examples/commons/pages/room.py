"""One room: its page, and what its forms do."""

from collections.abc import Callable
from typing import Annotated
from urllib.parse import quote, unquote

from msgspec.structs import replace

from nexios import Cookie, Form, Query, Request, Response, Router, UploadFile
from nexios.errors import InvalidInput
from nexios.models import Invalid, adapt

from ..api.attachments import MAX_FORM
from ..errors import NameTaken
from ..models import Caption, NewMessage, NewRoom, Window
from ..news import News, post
from ..people import ADMINS, EDITORS, member_of
from ..store import rooms
from ..store.storage import Transaction
from .message import TEXT_RULE
from .room_page import Draft, ThePage
from .rooms import NAME_RULE

__all__ = ["router"]

RULES = {
    "/author": "Say who you are, in up to 40 characters.",
    "/text": TEXT_RULE,
    "/caption": "A caption has up to 200 characters.",
}
A_MONTH = 30 * 24 * 3600

router = Router()


class Post(NewMessage, frozen=True):
    """A draft with nothing wrong in it."""

    caption: Caption


post_of: Callable[[object], Post] = adapt(Post).convert


@router.get("/rooms/{room_id:id}")
async def show_room(
    request: Request,
    response: Response,
    room_id: int,
    window: Annotated[Window, Query()],
    the_page: ThePage,
    author: Annotated[str, Cookie()] = "",
) -> Response:
    return await the_page.show(request, response, room_id, window, draft=Draft(unquote(author)))


@router.post("/rooms/{room_id:id}/messages", max_body_size=MAX_FORM)
async def post_message(
    request: Request,
    response: Response,
    room_id: int,
    draft: Annotated[Draft, Form()],
    board: Transaction,
    news: News,
    the_page: ThePage,
    file: UploadFile | None = None,
) -> Response:
    writer = member_of(request)
    if writer is not None:
        draft = replace(draft, author=writer.name)
    try:
        new = _post_of(draft)
    except Invalid as exc:
        error = RULES[exc.problems[0].pointer]
        return await the_page.show(request, response.status(422), room_id, draft=draft, error=error)
    attachment = None if file is None else await board.save(file, new.caption)
    message = await post(board, news, room_id, new, attachment, writer=writer)
    if writer is None:
        response.set_cookie("author", quote(message.author), max_age=A_MONTH, secure=request.url.scheme == "https")
    return _back_to_room(request, response, room_id, f"message-posted#message-{message.id}")


async def name_not_valid(request: Request, response: Response, exc: InvalidInput, the_page: ThePage) -> Response:
    room_id = request.path_params["room_id"]
    return await the_page.show(request, response.status(exc.status_code), room_id, name_error=NAME_RULE)


async def name_taken(request: Request, response: Response, exc: NameTaken, the_page: ThePage) -> Response:
    room_id = request.path_params["room_id"]
    return await the_page.show(request, response.status(exc.status_code), room_id, name_error=exc.detail)


@router.post(
    "/rooms/{room_id:id}/rename",
    dependencies=[EDITORS],
    exception_handlers={InvalidInput: name_not_valid, NameTaken: name_taken},
)
async def rename_room(
    request: Request, response: Response, room_id: int, new: Annotated[NewRoom, Form()], board: Transaction
) -> Response:
    await board.run(rooms.rename, room_id, new)
    return _back_to_room(request, response, room_id, "room-renamed")


@router.post("/rooms/{room_id:id}/delete", dependencies=[ADMINS])
async def delete_room(request: Request, response: Response, room_id: int, board: Transaction, news: News) -> Response:
    board.discard(await board.run(rooms.delete, room_id))
    board.then(news.closed, room_id)
    return response.redirect(f"{request.url_for('pages:home')}?notice=room-deleted", 303)


def _post_of(draft: Draft) -> Post:
    """Browsers end lines with both CR and LF, which counts as one character. Raises Invalid."""
    text = draft.text.replace("\r\n", "\n")
    return post_of({"author": draft.author.strip(), "text": text.strip(), "caption": draft.caption.strip()})


def _back_to_room(request: Request, response: Response, room_id: int, notice: str) -> Response:
    return response.redirect(f"{request.url_for('pages:show_room', room_id=room_id)}?notice={notice}", 303)
