"""Does a name say that its value is a secret? For what is shown of a request: its repr, and the debug page.

When in doubt it is one: `author` is hidden beside `auth`, which costs a look at the request and gives nothing away.
"""

from typing import Final

__all__ = ["is_secret_name"]

_WORDS: Final = ("auth", "cookie", "credential", "csrf", "key", "pass", "secret", "session", "signature", "token")


def is_secret_name(name: str) -> bool:
    """Whether the value of a header, parameter or field with this name is not to be shown.

    >>> is_secret_name("X-Api-Key"), is_secret_name("new_password"), is_secret_name("page")
    (True, True, False)
    """
    lowered = name.lower()
    return any(word in lowered for word in _WORDS)
