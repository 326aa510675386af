"""Where is a Python that has the published nexios and not the one of the working tree?

Made once, in `.venv-published` of the repository, from `requirements/bench-published.txt`.
"""

import subprocess
import sys
from pathlib import Path

from benchmarks.processes import ROOT

__all__ = ["published_python"]

_ENVIRONMENT = ROOT / ".venv-published"
_REQUIREMENTS = ROOT / "requirements" / "bench-published.txt"


def published_python() -> Path:
    """Return the interpreter of the environment, which is made when it is not there.

    Raises:
        subprocess.CalledProcessError: The environment could not be made, for one without a network.
    """
    python = _ENVIRONMENT / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not _is_complete(python):
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(_ENVIRONMENT)], check=True)
        subprocess.run(
            [str(python), "-m", "pip", "install", "--quiet", "--requirement", str(_REQUIREMENTS)],
            check=True,
        )
    return python


def _is_complete(python: Path) -> bool:
    if not python.exists():
        return False
    return subprocess.run([str(python), "-I", "-c", "import nexios, msgspec"], capture_output=True).returncode == 0
