"""What may be wrong with what a client asks for? Each class is a problem document, and its first line describes it."""

from nexios.errors import HTTPException, NotFound

__all__ = ["AttachmentNotFound", "MessageNotFound", "NameTaken", "NotAModerator", "RoomNotFound"]


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


class NotAModerator(HTTPException):
    """The token is not there, or it is not the right one."""

    def __init__(self) -> None:
        super().__init__(401, "Show the token of a moderator.", headers={"www-authenticate": "Bearer"})
