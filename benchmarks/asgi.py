"""The shapes of ASGI 3 that the benchmarks speak.

Source: the ASGI specification, HTTP and lifespan message formats.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

__all__ = ["AsgiApplication", "Message", "Receive", "Scope", "Send"]

# The frameworks disagree on the exact types of scope and message, so the values are Any here.
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApplication = Callable[[Scope, Receive, Send], Awaitable[None]]
