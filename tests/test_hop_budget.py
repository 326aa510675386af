"""How many Python frames of ours does a warm request run? Counts are exact where times are noisy."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import nexios
from nexios import NexiosApp, Request, Response
from nexios._pipeline.middleware import CallNext

PACKAGE = str(Path(nexios.__file__).parent)


def scope_of(path: str) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 5000),
        "server": ("127.0.0.1", 80),
    }


async def receive() -> Any: ...


async def send(message: Any) -> None: ...


def frames_of(app: NexiosApp, path: str) -> list[str]:
    """Run one request to the end without an event loop, and return the functions of nexios that it entered."""
    entered: list[str] = []

    def profile(frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(PACKAGE):
            entered.append(f"{Path(frame.f_code.co_filename).name}:{frame.f_code.co_name}")

    coroutine = app(scope_of(path), receive, send)
    sys.setprofile(profile)
    try:
        coroutine.send(None)
    except StopIteration:
        pass
    finally:
        sys.setprofile(None)
    return entered


async def plain(request: Request, response: Response) -> Response:
    return response.text("Hello, world!")


async def as_json(request: Request, response: Response) -> Response:
    return response.json({"message": "Hello, world!"})


async def returned(request: Request, response: Response) -> dict[str, str]:
    return {"message": "Hello, world!"}


async def item(request: Request, response: Response, item_id: int) -> Response:
    return response.json({"id": item_id})


async def through(request: Request, response: Response, call_next: CallNext) -> Any:
    return await call_next()


@pytest.mark.parametrize(
    ("handler", "template", "path"),
    [
        (plain, "/", "/"),
        (as_json, "/json", "/json"),
        (returned, "/returned", "/returned"),
        (item, "/items/{item_id:int}", "/items/7"),
    ],
)
def test_a_warm_get_runs_at_most_26_frames(handler: Callable[..., Any], template: str, path: str) -> None:
    app = NexiosApp()
    app.add_route(template, handler)
    frames_of(app, path)

    frames = frames_of(app, path)

    assert len(frames) <= 26, frames


def test_a_middleware_adds_at_most_four_frames() -> None:
    counts = []
    for depth in (1, 2, 3):
        app = NexiosApp(middleware=[through] * depth)
        app.add_route("/", plain)
        frames_of(app, "/")
        counts.append(len(frames_of(app, "/")))

    assert counts[0] <= 26
    assert max(counts[1] - counts[0], counts[2] - counts[1]) <= 4


def test_routes_beside_it_add_no_frame() -> None:
    few, many = NexiosApp(), NexiosApp()
    for app in (few, many):
        app.add_route("/items/{item_id:int}", item)
    for number in range(25):
        many.add_route(f"/other/{number}/{{x}}", plain)
        many.add_route(f"/items/{{item_id:int}}/{number}", item)

    counts = []
    for app in (few, many):
        frames_of(app, "/items/7")
        counts.append(len(frames_of(app, "/items/7")))

    assert counts[0] == counts[1]
