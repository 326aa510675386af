"""One room under Uvicorn with the package `websockets`, until a signal ends it.

`python -m benchmarks.realtime.serve FRAMEWORK PORT [ENGINE]`; the parent chooses the processor.
"""

import importlib
import importlib.util
import sys

import uvicorn

__all__ = ["main"]


def main(framework: str, port: int, engine: str = "") -> None:
    """Serve the room of `framework` on the loopback `port`."""
    app = importlib.import_module(f"benchmarks.realtime.apps.{framework}").build(engine)
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=port,
        loop="uvloop" if importlib.util.find_spec("uvloop") else "asyncio",
        ws="websockets-sansio",
        access_log=False,
        log_level="error",
        backlog=8192,
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:4])
