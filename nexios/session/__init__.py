"""The window of sessions: what an app remembers of a client."""

from nexios.messages.session import Flash, Session
from nexios.session.kept import SessionTooLarge
from nexios.session.middleware import SessionMiddleware

__all__ = ["Flash", "Session", "SessionMiddleware", "SessionTooLarge"]
