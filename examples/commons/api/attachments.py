"""Files: uploaded as multipart forms with a `file` and a `caption`, downloaded with ETag and Range."""

from collections.abc import Callable
from sqlite3 import Connection

from nexios import Request, Response, Router

from ..inputs import MAX_UPLOAD, InvalidInput, read_form, upload_of
from ..store import attachments
from ..store.storage import storage_of
from ..store.values import Attachment, Caption, NewAttachment

__all__ = ["router"]

Created = tuple[Attachment, int, dict[str, str]]

router = Router()


@router.get("/rooms/{room_id:id}/attachments")
async def list_attachments(request: Request, response: Response, room_id: int) -> list[Attachment]:
    return await storage_of(request).run(attachments.of_room, room_id)


@router.post("/rooms/{room_id:id}/attachments", max_body_size=MAX_UPLOAD)
async def attach_to_room(request: Request, response: Response, room_id: int) -> Created:
    return await _attach(request, attachments.add_to_room, room_id)


@router.post("/messages/{message_id:id}/attachments", max_body_size=MAX_UPLOAD)
async def attach_to_message(request: Request, response: Response, message_id: int) -> Created:
    return await _attach(request, attachments.add_to_message, message_id)


@router.get("/attachments/{attachment_id:id}")
async def download(request: Request, response: Response, attachment_id: int) -> Response:
    """Answer with the file, always as a download: it is a stranger's, and must not run as a page of ours."""
    storage = storage_of(request)
    attachment, stored_as = await storage.run(attachments.get, attachment_id)
    response.set_header("content-security-policy", "default-src 'none'; sandbox")
    response.set_header("cache-control", "private, no-cache")
    return response.file(storage.path_of(stored_as), filename=attachment.filename)


async def _attach(
    request: Request, add: Callable[[Connection, int, NewAttachment], Attachment], target_id: int
) -> Created:
    form = await request.form()
    upload = upload_of(form, "file")
    if upload is None:
        raise InvalidInput("Send a file in the field `file` of a multipart form.", field="file")
    storage = storage_of(request)
    async with storage.keeping(upload, read_form(form, Caption).caption) as new:
        attachment = await storage.run(add, target_id, new)
    return attachment, 201, {"location": request.url_for("api:download", attachment_id=attachment.id)}
