"""The window of authentication."""

from nexios.auth.passwords import PasswordRefused, Passwords

__all__ = ["PasswordRefused", "Passwords"]
