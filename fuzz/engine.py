"""How does atheris drive one target? In a process of its own, which ends when time is up or a promise is broken.

python -m fuzz.engine NAME [options of libFuzzer]
"""

import logging
import sys
from collections.abc import Sequence

import atheris

with atheris.instrument_imports(include=["nexios", "multipart"]):
    from fuzz.targets import TARGETS

__all__ = ["main"]


def main(arguments: Sequence[str]) -> None:
    """Drive the target that the first argument names; never returns."""
    name, *options = arguments
    logging.disable()  # what is refused is logged, and there is much of it
    atheris.enabled_hooks.add("RegEx")
    atheris.Setup(["fuzz", *options], TARGETS[name].run)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
