"""Middleware: what happens around every request."""

from nexios._pipeline.middleware import BaseMiddleware, CallNext

__all__ = ["BaseMiddleware", "CallNext"]
