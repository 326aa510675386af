"""Where are the files that a package brings with it? A folder on the disk, also when the package is in an archive.

Source: the documentation of `importlib.resources`.
"""

import atexit
import os
import shutil
import tempfile
import time
from importlib.resources import files
from importlib.resources.abc import Traversable
from importlib.util import find_spec
from pathlib import Path

from nexios.errors import ConfigurationError
from nexios.http.paths import file_parts

__all__ = ["folder_of_package"]


def folder_of_package(package: str, directory: str) -> str:
    """Return the path of a folder inside a package. One in an archive is unpacked, until the process ends.

    Raises:
        ConfigurationError: There is no such package, or no such folder in it; or the folder is the package.
    """
    names = file_parts(f"/{directory}")
    if names is None or not names[-1]:
        raise ConfigurationError(f"{directory!r} is no folder inside a package; write it as 'static'.")
    try:
        found = files(package).joinpath(*names)
        is_there = found.is_dir()
    except (ImportError, OSError, TypeError) as exc:
        raise ConfigurationError(f"StaticFiles cannot find the package {package!r}: {exc}.") from exc
    if not is_there:
        raise ConfigurationError(f"The package {package!r} has no folder {directory!r}.")
    return str(found) if isinstance(found, Path) else _unpack(found, package)


def _unpack(folder: Traversable, package: str) -> str:
    """All files get the time of the archive, so that they have one ETag in all processes."""
    path = tempfile.mkdtemp(prefix="nexios-static-")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    loader = getattr(find_spec(package), "loader", None)
    archive = getattr(loader, "archive", None)
    _copy(folder, path, time.time() if archive is None else os.stat(archive).st_mtime)
    return path


def _copy(folder: Traversable, path: str, modified: float) -> None:
    for item in folder.iterdir():
        if file_parts(f"/{item.name}") is None:
            continue
        target = os.path.join(path, item.name)
        if item.is_dir():
            os.mkdir(target)
            _copy(item, target, modified)
        else:
            with open(target, "wb") as file:
                file.write(item.read_bytes())
            os.utime(target, (modified, modified))
