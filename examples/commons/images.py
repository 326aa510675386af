"""Is this a picture that every browser shows, and nothing else? Its first bytes say so; what a client claims does not.

SVG is none of these: it is a document that may hold scripts.
"""

__all__ = ["HEAD_SIZE", "MEDIA_TYPES", "picture_suffix"]

HEAD_SIZE = 12
"""How many bytes tell the kind."""

MEDIA_TYPES = ("image/gif", "image/jpeg", "image/png", "image/webp")
"""What a form asks for: a hint to its user, and no protection."""


def picture_suffix(head: bytes) -> str | None:
    r"""Return the extension of the kind of picture that begins like this; None when it is none that we take.

    >>> picture_suffix(b"\x89PNG\r\n\x1a\n\x00\x00\x00\r"), picture_suffix(b"<svg xmlns=")
    ('.png', None)

    Sources: PNG (third edition) section 5.2; ITU-T T.81 annex B; GIF 89a section 17; RFC 9649 section 2.4.
    """
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return ".png"
    if head.startswith(b"\xff\xd8\xff"):
        return ".jpg"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return ".gif"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return ".webp"
    return None
