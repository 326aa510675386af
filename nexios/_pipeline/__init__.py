"""Compile once, then run: from what was registered to what serves a request."""
