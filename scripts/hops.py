"""Which functions of nexios does one warm request walk through?

Watches a GET with `sys.setprofile`, through the ASGI side, and writes the hop lists into
`docs/explanation/life-of-a-request.md`, between its markers:

    .venv/bin/python scripts/hops.py             # compare
    .venv/bin/python scripts/hops.py --update    # rewrite

A hop is a frame of nexios, indented by how deep it is; a coroutine that goes on after it
waited is the same hop, and comprehensions, which newer Pythons have no frame for, are none.
"""

import asyncio
import sys
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from nexios import NexiosApp, Request, Response  # noqa: E402 - found by the line above when run as a script
from nexios.middleware import CallNext  # noqa: E402

PAGE = ROOT / "docs" / "explanation" / "life-of-a-request.md"
PACKAGE = str(ROOT / "nexios") + "/"
END = "<!-- end of hops -->"


@dataclass(frozen=True, slots=True)
class Hop:
    """One frame: how deep below the server's call, in which file of nexios, and its name."""

    depth: int
    file: str
    name: str

    def __str__(self) -> str:
        return f"{'  ' * self.depth}{self.file}  {self.name}"


def main(arguments: list[str]) -> int:
    """Compare the page with the code, or rewrite it."""
    page = PAGE.read_text(encoding="utf-8")
    current = with_hops(page)
    if "--update" in arguments:
        PAGE.write_text(current, encoding="utf-8")
        return 0
    if page != current:
        print(f"{PAGE.relative_to(ROOT)} shows hops that are no more: python scripts/hops.py --update")
    return int(page != current)


def with_hops(page: str) -> str:
    """Return the page with the hop lists of today."""
    for title, app in (("plain", plain_app()), ("full", full_app())):
        start = f"<!-- hops: {title} -->\n"
        before, _, rest = page.partition(start)
        after = rest.partition(END)[2]
        lines = "\n".join(map(str, hops_of(app)))
        page = f"{before}{start}\n```text\n{lines}\n```\n\n{END}{after}"
    return page


def plain_app() -> NexiosApp:
    """Return an app with one static route."""
    app = NexiosApp()

    @app.get("/items/7")
    async def item(request: Request, response: Response) -> Response:
        return response.json({"id": 7})

    return app


def full_app() -> NexiosApp:
    """Return an app with a middleware, and a route with a parameter and a middleware of its own."""
    app = NexiosApp()

    async def around(request: Request, response: Response, call_next: CallNext) -> Response:
        return await call_next()

    @app.get("/items/{item_id:int}", middleware=[around])
    async def item(request: Request, response: Response, item_id: int) -> dict[str, int]:
        return {"id": item_id}

    app.add_middleware(around)
    return app


def hops_of(app: NexiosApp) -> list[Hop]:
    """Return the hops of GET /items/7 when it is asked for the third time, as caches are full then."""
    hops: list[Hop] = []
    for _ in range(3):
        hops.clear()
        asyncio.run(_exchange(app, hops))
    return hops


async def _exchange(app: NexiosApp, hops: list[Hop]) -> None:
    watch = _Watch(hops)
    answer = app(_scope(), _receive, _send)
    sys.setprofile(watch.note)
    try:
        await answer
    finally:
        sys.setprofile(None)


class _Watch:
    """Notes each frame of nexios once. The frames are kept meanwhile, so that no two have one identity."""

    def __init__(self, hops: list[Hop]) -> None:
        self._hops = hops
        self._seen: dict[int, FrameType] = {}

    def note(self, frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event != "call" or id(frame) in self._seen or not code.co_filename.startswith(PACKAGE):
            return
        if code.co_name.startswith("<") and code.co_name != "<lambda>":
            return
        depth = sum(id(outer) in self._seen for outer in _outer(frame))
        self._seen[id(frame)] = frame
        name = code.co_qualname.replace(".<locals>", "")
        self._hops.append(Hop(depth, code.co_filename.removeprefix(PACKAGE), name))


def _outer(frame: FrameType) -> Iterator[FrameType]:
    outer = frame.f_back
    while outer is not None:
        yield outer
        outer = outer.f_back


def _scope() -> MutableMapping[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/items/7",
        "raw_path": b"/items/7",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"testserver")],
        "client": ("203.0.113.9", 4711),
        "server": ("testserver", 80),
    }


async def _receive() -> MutableMapping[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _send(message: MutableMapping[str, Any]) -> None:
    pass


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
