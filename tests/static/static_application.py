"""The application that servers run in test_static_servers: a folder, mounted and as a single-page application."""

import os

from nexios.application import NexiosApp
from nexios.static.files import StaticFiles

__all__ = ["app"]

folder = os.environ["NEXIOS_STATIC_FOLDER"]
app = NexiosApp()
app.mount("/static", StaticFiles(directory=folder))
app.mount("/app", StaticFiles(directory=folder, fallback="index.html"))
app.mount("/uploads", StaticFiles(directory=folder, untrusted=True))
