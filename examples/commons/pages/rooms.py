"""The first page: all rooms, and a form that opens one."""

from nexios import Request, Response, Router

from ..inputs import InvalidInput, read_form
from ..store import rooms
from ..store.storage import storage_of
from ..store.values import NameTaken, NewRoom
from .html import joined, render
from .views import error_view, page, room_card

__all__ = ["NAME_RULE", "router"]

NAME_RULE = "A room needs a name of up to 60 characters."

router = Router()


@router.get("/")
async def home(request: Request, response: Response) -> Response:
    return await _home(request, response)


@router.post("/rooms")
async def create_room(request: Request, response: Response) -> Response:
    form = await request.form()
    try:
        room = await storage_of(request).run(rooms.create, read_form(form, NewRoom))
    except InvalidInput as exc:
        return await _home(request, response.status(exc.status_code), NAME_RULE, form.fields.get("name", ""))
    except NameTaken as exc:
        return await _home(request, response.status(exc.status_code), exc.detail, form.fields.get("name", ""))
    return response.redirect(f"{request.url_for('pages:show_room', room_id=room.id)}?notice=room-created", 303)


async def _home(request: Request, response: Response, error: str | None = None, name: str = "") -> Response:
    found = await storage_of(request).run(rooms.list_all)
    cards = joined(map(room_card, found)) if found else render("no_rooms")
    return page(request, response, "Rooms", render("rooms", rooms=cards, error=error_view(error), name=name))
