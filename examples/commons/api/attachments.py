"""Files: uploaded as multipart forms with a `file` and a `caption`, downloaded with ETag and Range."""

from typing import Annotated

from nexios import File, Form, Request, Response, Router, UploadFile

from ..errors import AttachmentNotFound, MessageNotFound, NotYours, RoomNotFound
from ..models import Attachment, Caption, StoredAttachment
from ..news import News
from ..people import SIGNED_IN
from ..store import attachments, messages
from ..store.storage import Store, Transaction
from .parts import CREATED, AttachmentId, OwnMessage, RoomId

__all__ = ["ACCEPTED", "MAX_FILE", "MAX_FORM", "router"]

MAX_FILE = 8 * 1024 * 1024
MAX_FORM = MAX_FILE + 64 * 1024
"""In bytes: a file, and a form with one in it. Every other body has the limit of the app."""

ACCEPTED = (
    *("image/*", "audio/*", "video/*", "text/*"),
    *("application/json", "application/pdf", "application/zip", "application/octet-stream"),
)
"""What people exchange. A client may claim anything, so this is a hint to it and no protection."""

AnyFile = Annotated[UploadFile, File(max_size=MAX_FILE, content_types=ACCEPTED)]
Said = Annotated[Caption, Form()]

DOWNLOADED = {"description": "The file", "content": {"application/octet-stream": bytes}}
PART = {"description": "The part that was asked for", "content": {"application/octet-stream": bytes}}

router = Router(tags=["files"])


@router.get("/rooms/{room_id:id}/attachments", response_model=list[Attachment], responses={404: RoomNotFound})
async def list_attachments(room_id: RoomId, board: Transaction) -> list[StoredAttachment]:
    """List the files of a room and of its messages, the oldest first."""
    return await board.run(attachments.of_room, room_id)


@router.post(
    "/rooms/{room_id:id}/attachments",
    max_body_size=MAX_FORM,
    status_code=201,
    responses={201: CREATED, 404: RoomNotFound},
)
async def attach_to_room(
    request: Request, response: Response, room_id: RoomId, file: AnyFile, board: Transaction, caption: Said = ""
) -> Attachment:
    """Add a file to a room."""
    new = await board.save(file, caption)
    return _created(request, response, await board.run(attachments.add_to_room, room_id, new))


@router.post(
    "/messages/{message_id:id}/attachments",
    max_body_size=MAX_FORM,
    status_code=201,
    dependencies=[SIGNED_IN],
    responses={201: CREATED, 403: NotYours, 404: MessageNotFound},
)
async def attach_to_message(
    request: Request,
    response: Response,
    message: OwnMessage,
    file: AnyFile,
    board: Transaction,
    news: News,
    caption: Said = "",
) -> Attachment:
    """Add a file to a message, your own or as an editor."""
    new = await board.save(file, caption)
    attachment = await board.run(attachments.add_to_message, message.id, new)
    board.then(news.edited, await board.run(messages.get, message.id))
    return _created(request, response, attachment)


@router.get(
    "/attachments/{attachment_id:id}",
    responses={200: DOWNLOADED, 206: PART, 304: "You have this version", 404: AttachmentNotFound, 416: "No such part"},
)
async def download(response: Response, attachment_id: AttachmentId, board: Transaction, store: Store) -> Response:
    """Download a file.

    It is a stranger's, and always a download: it must not run as a page of ours.
    """
    attachment = await board.run(attachments.get, attachment_id)
    response.set_header("content-security-policy", "default-src 'none'; sandbox")
    response.set_header("cache-control", "private, no-cache")
    return response.file(store.path_of(attachment.stored_as), filename=attachment.filename)


def _created(request: Request, response: Response, attachment: Attachment) -> Attachment:
    response.set_header("location", request.url_for("api:download", attachment_id=attachment.id))
    return attachment
