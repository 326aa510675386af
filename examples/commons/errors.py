"""What may be wrong with what a client asks for? Each class is a problem document, and its first line describes it."""

from nexios.errors import HTTPException, NotFound

__all__ = [
    "AttachmentNotFound",
    "MemberNotFound",
    "MessageNotFound",
    "NameTaken",
    "NotYours",
    "OwnRole",
    "RoomNotFound",
]


class RoomNotFound(NotFound):
    """There is no room with this id."""

    def __init__(self) -> None:
        super().__init__("There is no such room.", code="room_not_found")


class MessageNotFound(NotFound):
    """There is no message with this id."""

    def __init__(self) -> None:
        super().__init__("There is no such message.", code="message_not_found")


class AttachmentNotFound(NotFound):
    """There is no attachment with this id."""

    def __init__(self) -> None:
        super().__init__("There is no such attachment.", code="attachment_not_found")


class NameTaken(HTTPException):
    """Another room has this name, in whatever case."""

    def __init__(self) -> None:
        super().__init__(409, "There is a room of this name already.", code="room_name_taken")


class MemberNotFound(NotFound):
    """There is no member with this id."""

    def __init__(self) -> None:
        super().__init__("There is no such member.", code="member_not_found")


class NotYours(HTTPException):
    """Somebody else wrote this, and you are no editor."""

    def __init__(self) -> None:
        super().__init__(403, "Only its writer and editors may do this.", code="not_yours")


class OwnRole(HTTPException):
    """Admins stay admins until another one says otherwise, so that there is always one."""

    def __init__(self) -> None:
        super().__init__(409, "Another admin has to change what you are.", code="own_role")
