"""Run the measuring process where this repository cannot be imported.

`python -I isolated.py FRAMEWORK [CORE]` makes the package `benchmarks` known by
its location alone: the folder that holds it never enters `sys.path`, so that
`import nexios` finds the release installed there and not the working tree.
"""

import importlib
import importlib.util
import sys
from pathlib import Path

__all__ = ["main"]

_HERE = Path(__file__).resolve().parent


def _adopt_package() -> None:
    spec = importlib.util.spec_from_file_location(
        "benchmarks", _HERE / "__init__.py", submodule_search_locations=[str(_HERE)]
    )
    if spec is None or spec.loader is None:
        raise ImportError("the benchmarks package has no loadable __init__.py")
    package = importlib.util.module_from_spec(spec)
    sys.modules["benchmarks"] = package
    spec.loader.exec_module(package)


def main() -> None:
    _adopt_package()
    importlib.import_module("benchmarks.worker").main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else None)


if __name__ == "__main__":
    main()
