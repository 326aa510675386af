"""Static files: the files of a folder, as they are."""

from nexios.static.files import StaticFiles

__all__ = ["StaticFiles"]
