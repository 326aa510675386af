"""How does someone become a member, sign in and sign out?

Nobody is told which names there are. Who signs up with one that is taken gets the answer that everybody gets, after
the same work; who signs in with a wrong one, that of a wrong password.
"""

from typing import Annotated

from msgspec import Struct

from nexios import Form, Query, Request, Response, Router
from nexios.auth import LoginThrottle, PasswordRefused, Passwords, login, logout
from nexios.errors import TooManyRequests
from nexios.http import is_safe_redirect

from ..news import News
from ..people import member_of
from ..store.members import Members
from .html import NOTHING, csrf_field, render
from .page import page
from .views import error_view

__all__ = ["router"]

NAME_RULE = "A name has 1 to 40 characters, all of which can be seen."
LONGEST_NAME = 40
WRONG = "The name or the password is wrong."
SIGNED_UP = (
    "If nobody had this name, it is yours now: sign in with the password that you chose. "
    "If you cannot, sign up with another name."
)

router = Router()


class Credentials(Struct, frozen=True):
    """What is typed into either form, right or wrong."""

    name: str = ""
    password: str = ""

    def __repr__(self) -> str:
        """Without the password."""
        return "<Credentials>"


class Back(Struct, frozen=True):
    """Where someone came from."""

    next: str = "/"

    @property
    def path(self) -> str:
        """Where to go on: a path of this board, whatever a link says."""
        return self.next if self.next.startswith("/") and is_safe_redirect(self.next) else "/"


class Arriving(Credentials, frozen=True):
    """The form to sign in, which remembers where someone came from."""

    next: str = "/"


NOBODY = Credentials()


@router.get("/sign-up")
async def show_sign_up(request: Request, response: Response, members: Members) -> Response:
    return await _sign_up_page(request, response, members, NOBODY)


@router.post("/sign-up")
async def sign_up(
    request: Request, response: Response, form: Annotated[Credentials, Form()], members: Members, passwords: Passwords
) -> Response:
    name = form.name.strip()
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():  # with a zero-width space, two could look alike
        return await _sign_up_page(request, response.status(422), members, form, NAME_RULE)
    try:
        kept = await passwords.hash(form.password)
    except PasswordRefused as exc:
        return await _sign_up_page(request, response.status(422), members, form, str(exc))
    await members.add(name, kept)
    request.session.flash(SIGNED_UP)
    return response.redirect(request.url_for("pages:show_sign_in"), 303)


@router.get("/sign-in")
async def show_sign_in(request: Request, response: Response, back: Annotated[Back, Query()]) -> Response:
    return _sign_in_page(request, response, back)


@router.post("/sign-in")
async def sign_in(
    request: Request,
    response: Response,
    form: Annotated[Arriving, Form()],
    members: Members,
    passwords: Passwords,
    throttle: LoginThrottle,
) -> Response:
    try:
        attempt = await throttle.attempt(request, form.name)
    except TooManyRequests as exc:
        response.status(exc.status_code).set_headers(exc.headers)
        return _sign_in_page(request, response, Back(form.next), name=form.name, error=exc.detail)
    account = await members.account_of(form.name)
    is_right = await passwords.verify(form.password, None if account is None else account.password_hash)
    if account is None or not is_right:
        return _sign_in_page(request, response.status(422), Back(form.next), name=form.name, error=WRONG)
    await throttle.succeeded(attempt)
    if passwords.needs_rehash(account.password_hash):
        await members.keep_hash(account.member.id, await passwords.hash(form.password))
    await login(request, str(account.member.id))
    request.session.flash(f"Welcome, {account.member.name}.")
    return response.redirect(Back(form.next).path, 303)


@router.post("/sign-out")
async def sign_out(request: Request, response: Response, news: News) -> Response:
    member = member_of(request)
    logout(request)
    if member is not None:
        response.add_background(news.turned_away, member)  # once the session is gone, which is before this is sent
    request.session.flash("You have signed out.")
    return response.redirect(request.url_for("pages:home"), 303)


async def _sign_up_page(
    request: Request, response: Response, members: Members, typed: Credentials, error: str | None = None
) -> Response:
    first = render("first_member") if await members.is_empty() else NOTHING
    content = render("sign_up", field=csrf_field(request), name=typed.name, error=error_view(error), first=first)
    return page(request, response, "Sign up", content)


def _sign_in_page(
    request: Request, response: Response, back: Back, *, name: str = "", error: str | None = None
) -> Response:
    content = render("sign_in", field=csrf_field(request), name=name, next=back.path, error=error_view(error))
    return page(request, response, "Sign in", content)
