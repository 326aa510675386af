"""How many connections may this process have open?"""

import importlib
from typing import Any

__all__ = ["raise_open_files"]


def raise_open_files() -> int:
    """Raise the limit of open files as far as the system lets us, and return it; 0 where there is none."""
    try:
        resource: Any = importlib.import_module("resource")
    except ImportError:
        return 0
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return int(hard)
