"""Is an application that is mounted taken for what it is?"""

from collections.abc import Iterable
from functools import partial
from typing import Any
from wsgiref.simple_server import demo_app
from wsgiref.validate import validator

import pytest
from starlette.applications import Starlette

from nexios._servers.mounted import mounted
from nexios._servers.mounted_asgi import MountedASGI
from nexios._servers.mounted_wsgi import MountedWSGI
from nexios.concurrency import Threads
from nexios.errors import ConfigurationError


async def asgi(scope: Any, receive: Any, send: Any) -> None: ...
async def asgi_of_any(*args: Any) -> None: ...
def asgi_in_disguise(scope: Any, receive: Any, send: Any) -> Any: ...
def wsgi(environ: Any, start_response: Any, more: int = 0) -> Any: ...
def configured(settings: Any, environ: Any, start_response: Any) -> Any: ...


class ASGIObject:
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...


class ASGIMethods:
    async def serve(self, scope: Any, receive: Any, send: Any) -> None: ...


class WSGIObject:
    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        return []


class WSGIClass:
    def __init__(self, environ: Any, start_response: Any) -> None: ...
    def __iter__(self) -> Any: ...


@pytest.mark.parametrize(
    "app", [asgi, asgi_of_any, asgi_in_disguise, ASGIObject(), ASGIMethods().serve, Starlette(), partial(asgi)]
)
def test_asgi_is_a_coroutine_function_or_takes_three(app: object) -> None:
    assert isinstance(mounted(app, Threads(1)), MountedASGI)


@pytest.mark.parametrize("app", [wsgi, demo_app, WSGIObject(), WSGIClass, partial(configured, {})])
def test_wsgi_takes_two(app: object) -> None:
    assert isinstance(mounted(app, Threads(1)), MountedWSGI)


async def coroutine_of_two(environ: Any, start_response: Any) -> None: ...
def with_keyword(environ: Any, start_response: Any, *, needed: int) -> None: ...


@pytest.mark.parametrize(
    "app",
    [
        None,
        "app",
        7,
        object(),
        Starlette,
        print,
        dict,
        coroutine_of_two,
        with_keyword,
        lambda: None,
        validator(demo_app),
    ],
    ids=lambda app: getattr(app, "__name__", type(app).__name__),
)
def test_what_is_neither_is_refused_with_the_way_out(app: object) -> None:
    """The validator takes `*args`, from which nothing can be told."""
    with pytest.raises(ConfigurationError, match="def wsgi_app\\(environ, start_response\\)"):
        mounted(app, Threads(1))
