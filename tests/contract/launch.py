"""Start a server that does not outlive the tests: `python launch.py PARENT_PID module argument ...`.

What asks for the signal must run in the new process, and survive exec: a `preexec_fn` would be
run between fork and exec of a process that has threads.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(parent: int, arguments: list[str]) -> None:
    """Become `python -m <arguments>`, and get SIGTERM when `parent` ends (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        raise SystemExit("the process that wanted a server has gone")
    os.execv(sys.executable, [sys.executable, "-m", *arguments])


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
