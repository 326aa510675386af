"""Is this a secret that nobody can guess? Asked once, at the start.

What cannot be known is whether it was drawn at random. What can be seen is that it is too short, that it repeats
itself, or that it is one of the words that examples are written with.
"""

from typing import Final

__all__ = ["HOW_TO_MAKE_ONE", "MINIMUM", "weakness"]

MINIMUM: Final = 32
"""Bytes: with fewer than the digest has, HMAC-SHA-256 is weaker than it could be (RFC 7518 section 3.2)."""

HOW_TO_MAKE_ONE: Final = (
    "Make one, keep it out of the repository, and give it to the app as NEXIOS_SECRET_KEY or secret_key=...:\n\n"
    '    python -c "import secrets; print(secrets.token_urlsafe(32))"\n'
)

_KINDS: Final = 8
"""Different bytes at least; 32 random hexadecimal digits have about 14."""
_EXAMPLES: Final = (b"changeme", b"change-me", b"change_me", b"your-secret", b"your_secret", b"django-insecure")


def weakness(secret: bytes) -> str | None:
    """Return what is wrong with a secret, without saying it; None when nothing is.

    >>> weakness(b"changeme")
    'it has 8 bytes, and 32 is the least'
    >>> weakness(b"changeme" * 4)
    'it repeats itself'
    """
    if len(secret) < MINIMUM:
        return f"it has {len(secret)} bytes, and {MINIMUM} is the least"
    if secret in (secret + secret)[1:-1] or len(set(secret)) < _KINDS:
        return "it repeats itself"
    if any(word in secret.lower() for word in _EXAMPLES):
        return "it holds a word from an example"
    return None
