"""Tools for testing applications: a client, a raw exchange, and the transport in memory."""

from nexios.testing.raw import RawAnswer, call

__all__ = ["RawAnswer", "call"]
