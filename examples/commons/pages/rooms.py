"""The first page: all rooms, and a form that opens one."""

from typing import Annotated

from nexios import Form, Request, Response, Router
from nexios.errors import InvalidInput

from ..errors import NameTaken
from ..models import NewRoom
from ..store import rooms
from ..store.storage import Transaction
from .assets import asset_url
from .html import csrf_field, joined, render
from .page import page
from .views import error_view, room_card

__all__ = ["NAME_RULE", "router"]

NAME_RULE = "A room needs a name of up to 60 characters."

router = Router()


@router.get("/")
async def home(request: Request, response: Response, board: Transaction) -> Response:
    return await _home(request, response, board)


@router.post("/rooms")
async def create_room(
    request: Request, response: Response, new: Annotated[NewRoom, Form()], board: Transaction
) -> Response:
    room = await board.run(rooms.create, new)
    return response.redirect(f"{request.url_for('pages:show_room', room_id=room.id)}?notice=room-created", 303)


@router.exception_handler(InvalidInput)
async def not_valid(request: Request, response: Response, exc: InvalidInput, board: Transaction) -> Response:
    return await _home(request, response.status(exc.status_code), board, NAME_RULE)


@router.exception_handler(NameTaken)
async def taken(request: Request, response: Response, exc: NameTaken, board: Transaction) -> Response:
    return await _home(request, response.status(exc.status_code), board, exc.detail)


async def _home(request: Request, response: Response, board: Transaction, error: str | None = None) -> Response:
    """Answer with the page; after an error the form has what was typed."""
    typed = "" if error is None else (await request.form()).fields.get("name", "")
    found = await board.run(rooms.list_all)
    cards = joined(map(room_card, found)) if found else render("no_rooms")
    activity = render("activity", script=asset_url("activity.js"))
    field = csrf_field(request)
    content = render("rooms", rooms=cards, error=error_view(error), name=typed, activity=activity, field=field)
    return page(request, response, "Rooms", content)
