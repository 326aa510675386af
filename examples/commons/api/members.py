"""Who am I? For programs with the session of a member."""

from nexios import Request, Router

from ..errors import MemberNotFound
from ..models import Profile
from ..people import MEMBERS, member_of, picture_path

__all__ = ["router"]

router = Router(tags=["members"], dependencies=[MEMBERS])


@router.get("/me")
async def show_me(request: Request) -> Profile:
    """Show the member whose session this is."""
    member = member_of(request)
    if member is None:
        raise MemberNotFound
    return Profile(member.id, member.name, member.role, picture_path(member.avatar))
