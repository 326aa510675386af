"""What does a member change of themselves, and an admin of the others? A picture; and what someone may do."""

from typing import Annotated

from msgspec import Struct

from nexios import File, Form, Request, Response, Router, UploadFile
from nexios.errors import InvalidInput

from ..errors import MemberNotFound, OwnRole
from ..images import HEAD_SIZE, MEDIA_TYPES, picture_suffix
from ..models import Role
from ..news import News
from ..people import ADMINS, MEMBERS, Member, member_of, picture_path
from ..store import members
from ..store.members import Members
from ..store.storage import Transaction
from .html import NOTHING, Html, csrf_field, joined, render
from .page import page
from .views import error_view, picture_view

__all__ = ["router"]

MAX_PICTURE = 512 * 1024
MAX_FORM = MAX_PICTURE + 64 * 1024
"""In bytes."""

KINDS = "a PNG, JPEG, GIF or WebP picture of up to 512 KiB"
NO_PICTURE = f"That is no picture that we take. Choose {KINDS}."
MAY = {
    "member": "You change and delete what you wrote.",
    "editor": "You change and delete what anybody wrote, and rename rooms.",
    "admin": "You may do everything: delete rooms too, and say who is what.",
}

Picture = Annotated[UploadFile, File(max_size=MAX_PICTURE)]

router = Router()


class NewRole(Struct, frozen=True):
    """What somebody shall be."""

    role: Role


@router.get("/account", dependencies=[MEMBERS])
async def show_account(request: Request, response: Response) -> Response:
    return _account(request, response)


async def no_picture(request: Request, response: Response, exc: InvalidInput) -> Response:
    return _account(request, response.status(exc.status_code), NO_PICTURE)


@router.post(
    "/account/avatar",
    dependencies=[MEMBERS],
    max_body_size=MAX_FORM,
    exception_handlers={InvalidInput: no_picture},
)
async def change_avatar(request: Request, response: Response, avatar: Picture, board: Transaction) -> Response:
    """Whose picture it is, the session says, and nothing that is sent."""
    suffix = picture_suffix(await avatar.read(HEAD_SIZE))
    if suffix is None:
        raise InvalidInput
    name = await board.save_avatar(avatar, suffix)
    board.discard_avatar(await board.run(members.set_avatar, _own(request).id, name))
    return _back(request, response, "This is your picture now.")


@router.post("/account/avatar/delete", dependencies=[MEMBERS])
async def delete_avatar(request: Request, response: Response, board: Transaction) -> Response:
    board.discard_avatar(await board.run(members.set_avatar, _own(request).id, None))
    return _back(request, response, "Your picture is gone.")


@router.get("/members", dependencies=[ADMINS])
async def list_members(request: Request, response: Response, everybody: Members) -> Response:
    rows = joined(_row(request, one) for one in await everybody.all())
    return page(request, response, "Members", render("members", rows=rows))


@router.post("/members/{member_id:id}/role", dependencies=[ADMINS])
async def change_role(
    request: Request,
    response: Response,
    member_id: int,
    new: Annotated[NewRole, Form()],
    board: Transaction,
    news: News,
) -> Response:
    """Their sessions end: whoever may do more, or less, signs in anew."""
    me = member_of(request)
    if me is not None and me.id == member_id:
        raise OwnRole
    member = await board.run(members.set_role, member_id, new.role)
    await request.session.invalidate_all(str(member.id))
    board.then(news.turned_away, member)
    request.session.flash(f"{member.name} is {_article(new.role)} {new.role} now, and has to sign in again.")
    return response.redirect(request.url_for("pages:list_members"), 303)


def _account(request: Request, response: Response, error: str | None = None) -> Response:
    member = _own(request)
    content = render(
        "account",
        picture=picture_view(member.name, picture_path(member.avatar)),
        name=member.name,
        role=member.role,
        may=MAY[member.role],
        kinds=KINDS,
        accept=",".join(MEDIA_TYPES),
        error=error_view(error),
        field=csrf_field(request),
        remove=render("remove_avatar", field=csrf_field(request)) if member.avatar else NOTHING,
    )
    return page(request, response, "Your account", content)


def _row(request: Request, member: Member) -> Html:
    picture = picture_view(member.name, picture_path(member.avatar))
    if member == member_of(request):
        return render("member_self", picture=picture, name=member.name, role=member.role)
    chosen = {role: " selected" if role == member.role else "" for role in ("member", "editor", "admin")}
    return render("member", id=member.id, picture=picture, name=member.name, field=csrf_field(request), **chosen)


def _own(request: Request) -> Member:
    """The guard of the route has seen that there is one."""
    member = member_of(request)
    if member is None:
        raise MemberNotFound
    return member


def _back(request: Request, response: Response, text: str) -> Response:
    request.session.flash(text)
    return response.redirect(request.url_for("pages:show_account"), 303)


def _article(role: Role) -> str:
    return "a" if role == "member" else "an"
