"""What do the routes of the API have in common? Path parameters, and what several of them answer."""

from typing import Annotated

from nexios import Path

__all__ = ["CREATED", "AttachmentId", "MessageId", "RoomId"]

RoomId = Annotated[int, Path(description="The id of a room.")]
MessageId = Annotated[int, Path(description="The id of a message.")]
AttachmentId = Annotated[int, Path(description="The id of an attachment.")]

CREATED = {"headers": {"Location": {"description": "Where it is.", "schema": {"type": "string"}}}}
"""How the document describes a 201 beside its model."""
