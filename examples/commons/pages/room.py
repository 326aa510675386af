"""One room: what was said in it, and the forms to write, rename and delete."""

from typing import NamedTuple

from nexios import Request, Response, Router
from nexios.http.forms import FormData

from ..inputs import MAX_UPLOAD, InvalidInput, read_form, read_query, upload_of
from ..store import attachments, messages, rooms
from ..store.storage import storage_of
from ..store.values import Caption, Message, NameTaken, NewMessage, NewRoom, Room, Window
from .html import NOTHING, Html, joined, render
from .rooms import NAME_RULE
from .views import attachment_view, counted, error_view, message_view, page, time_view

__all__ = ["router"]

RULES = {
    "author": "Say who you are, in up to 40 characters.",
    "text": "A message has 1 to 4,000 characters.",
    "caption": "A caption has up to 200 characters.",
}

router = Router()


class Draft(NamedTuple):
    """What is in the form for a message, and what is wrong with it."""

    author: str = ""
    text: str = ""
    caption: str = ""
    error: str | None = None


EMPTY = Draft()


@router.get("/rooms/{room_id:id}")
async def show_room(request: Request, response: Response, room_id: int) -> Response:
    return await _room_page(request, response, room_id)


@router.post("/rooms/{room_id:id}/messages", max_body_size=MAX_UPLOAD)
async def post_message(request: Request, response: Response, room_id: int) -> Response:
    form = await request.form()
    try:
        message = await _post(request, room_id, form)
    except InvalidInput as exc:
        typed = form.fields
        draft = Draft(
            author=typed.get("author", ""),
            text=typed.get("text", ""),
            caption=typed.get("caption", ""),
            error=RULES.get(exc.field or "", exc.detail),
        )
        return await _room_page(request, response.status(exc.status_code), room_id, draft=draft)
    return _back_to_room(request, response, room_id, f"message-posted#message-{message.id}")


@router.post("/rooms/{room_id:id}/rename")
async def rename_room(request: Request, response: Response, room_id: int) -> Response:
    form = await request.form()
    try:
        await storage_of(request).run(rooms.rename, room_id, read_form(form, NewRoom))
    except (InvalidInput, NameTaken) as exc:
        error = NAME_RULE if isinstance(exc, InvalidInput) else exc.detail
        return await _room_page(request, response.status(exc.status_code), room_id, name_error=error)
    return _back_to_room(request, response, room_id, "room-renamed")


@router.post("/rooms/{room_id:id}/delete")
async def delete_room(request: Request, response: Response, room_id: int) -> Response:
    storage = storage_of(request)
    await storage.discard(await storage.run(rooms.delete, room_id))
    return response.redirect(f"{request.url_for('pages:home')}?notice=room-deleted", 303)


@router.post("/messages/{message_id:id}/delete")
async def delete_message(request: Request, response: Response, message_id: int) -> Response:
    storage = storage_of(request)
    message, files = await storage.run(messages.delete, message_id)
    await storage.discard(files)
    return _back_to_room(request, response, message.room_id, "message-deleted")


async def _post(request: Request, room_id: int, form: FormData) -> Message:
    new, caption, upload = read_form(form, NewMessage), read_form(form, Caption).caption, upload_of(form, "file")
    storage = storage_of(request)
    if upload is None:
        return await storage.run(messages.post, room_id, new)
    async with storage.keeping(upload, caption) as attachment:
        return await storage.run(messages.post, room_id, new, attachment)


def _back_to_room(request: Request, response: Response, room_id: int, notice: str) -> Response:
    return response.redirect(f"{request.url_for('pages:show_room', room_id=room_id)}?notice={notice}", 303)


async def _room_page(
    request: Request, response: Response, room_id: int, *, draft: Draft = EMPTY, name_error: str | None = None
) -> Response:
    storage = storage_of(request)
    room = await storage.run(rooms.get, room_id)
    window = read_query(request, Window)
    found, has_older = await storage.run(messages.list_window, room_id, window)
    files = [file for file in await storage.run(attachments.of_room, room_id) if file.message_id is None]
    content = render(
        "room",
        id=room.id,
        name=room.name,
        count=counted(room.message_count, "message"),
        created=time_view(room.created_at),
        files=render("files", files=joined(map(attachment_view, files))) if files else NOTHING,
        older=render("older", id=room.id, before=found[-1].id) if has_older else NOTHING,
        messages=joined(map(message_view, reversed(found))) if found else render("no_messages"),
        composer=_composer(room, draft),
        name_error=error_view(name_error),
        manage=" open" if name_error else "",
    )
    return page(request, response, room.name, content)


def _composer(room: Room, draft: Draft) -> Html:
    return render(
        "composer",
        id=room.id,
        author=draft.author,
        text=draft.text,
        caption=draft.caption,
        error=error_view(draft.error),
    )
