"""Is there a path, a method or a prefix that reaches a handler past its guard? (The promise behind section C.)

Whenever the handler of a guarded route was entered, each of its guards was asked before, in this request, and let it
in: whatever the bytes of the path. The requests are raw, over ASGI, RSGI and as WebSocket handshakes.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from types import SimpleNamespace
from typing import Any, Final, get_args
from urllib.parse import quote, unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexios._injection.depend import Depend
from nexios._pipeline.middleware import CallNext
from nexios.application import NexiosApp
from nexios.auth.backend import AuthBackend
from nexios.auth.requires import requires
from nexios.errors import HTTPException
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.messages.websocket import WebSocket
from nexios.routing.router import Router
from nexios.settings import Slashes
from nexios.testing.raw import call
from tests.security.kit import http_scope, raw_websocket

POLICIES: Final[tuple[Slashes, ...]] = get_args(Slashes)


class ByHeader(AuthBackend):
    """The user is who the header x-user says; only these tests believe it."""

    async def authenticate(self, connection: Any) -> Any:
        name = connection.headers.get("x-user")
        return SimpleNamespace(name=name) if name else None


@dataclass(slots=True)
class Site:
    """An app with guards of every kind, and what happened in it during one request."""

    slashes: Slashes
    trace: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    needed: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """The guards of each handler, by the name of the handler."""

    # Guards

    def required(self, name: str) -> Any:
        """One of nexios: `requires`."""

        def policy(connection: Any, user: Any) -> bool:
            self.trace.append(("admitted by", name))
            return True

        return requires(policy)

    def depended(self, name: str) -> Any:
        """A dependency that a user has written."""

        async def guard(request: Request) -> None:
            self._admit(request, name)

        return Depend(guard)

    def around(self, name: str) -> Callable[..., Any]:
        """A middleware that a user has written."""

        async def guard(request: Request, response: Response, call_next: CallNext) -> Response:
            self._admit(request, name)
            return await call_next()

        return guard

    async def by_template(self, request: Request, response: Response, call_next: CallNext) -> Response:
        """A middleware of the app that looks at the route that was matched, and never at the path."""
        if request.route is not None and request.route.template.startswith("/staff"):
            self._admit(request, "template")
        return await call_next()

    def _admit(self, request: Request, name: str) -> None:
        if "x-user" not in request.headers:
            raise HTTPException(403)
        self.trace.append(("admitted by", name))

    # Handlers

    def handler(self, name: str, *guards: str) -> Callable[..., Any]:
        self.needed[name] = guards

        async def handler(request: Request, response: Response) -> str:
            self.trace.append(("entered", name))
            return name

        return handler

    def websocket(self, name: str, *guards: str) -> Callable[..., Any]:
        self.needed[name] = guards

        async def handler(websocket: WebSocket) -> None:
            self.trace.append(("entered", name))
            await websocket.accept()

        return handler

    def view(self, name: str, *guards: str) -> type:
        handler = self.handler(name, *guards)

        class View:
            async def get(self, request: Request, response: Response) -> Any:
                return await handler(request, response)

            post = query = options = get

        return View


def make(slashes: Slashes) -> tuple[NexiosApp, Site]:
    site = Site(slashes)
    app = NexiosApp(slashes=slashes, middleware=[site.by_template])
    app.auth_backend = ByHeader()
    of_routes(app, site)
    of_routers(app, site)
    of_mounts(app, site)
    app.add_route("/", site.handler("home"))
    app.add_route("/public/{rest:path}", site.handler("public"))
    app.add_route("/{first}/{second}/{third}/public", site.handler("public below"))
    return app, site


def of_routes(app: NexiosApp, site: Site) -> None:
    app.add_route("/decorated", site.required("decorator")(site.handler("decorated", "decorator")))
    app.add_route(
        "/both/{id:int}", site.required("first")(site.required("second")(site.handler("both", "first", "second")))
    )
    app.add_route("/listed/{name}", site.handler("listed", "list"), dependencies=[site.required("list")])
    app.add_route("/depended/{rest:path}", site.handler("depended", "own"), dependencies=[site.depended("own")])
    app.add_route("/wrapped", site.handler("wrapped", "route"), methods=["POST"], middleware=[site.around("route")])
    app.add_route("/view", site.required("view")(site.view("view", "view")))
    app.add_route(
        "/odd", site.handler("odd", "odd"), ["PROPFIND", "CONNECT", "QUERY"], dependencies=[site.required("odd")]
    )
    app.add_route("/staff/{name}", site.handler("staff", "template"))
    app.add_websocket("/socket/{name}", site.required("socket")(site.websocket("socket", "socket")))


def of_routers(app: NexiosApp, site: Site) -> None:
    router = Router(prefix="/router", dependencies=[site.required("router")])
    router.add_route("", site.handler("router root", "router"))
    router.add_route("/{name}", site.handler("router one", "router"), ["GET", "POST"])
    router.add_route("/deep/{rest:path}/end", site.handler("router deep", "router"))
    router.add_websocket("/socket", site.websocket("router socket", "router"))
    inner = router.group("/group", middleware=[site.around("group")])
    inner.add_route("/{name:int}/", site.handler("group", "router", "group"))
    app.include_router(router)
    chain = Router(prefix="/chain", middleware=[site.around("chain")])
    chain.add_route("/{a}/{b}", site.handler("chain", "chain"))
    app.include_router(chain, prefix="/api")


def of_mounts(app: NexiosApp, site: Site) -> None:
    mounted = NexiosApp(slashes=site.slashes, dependencies=[site.depended("app")])
    mounted.auth_backend = ByHeader()
    mounted.add_route("/", site.handler("mounted root", "app"))
    mounted.add_route("/{name}", site.required("within")(site.handler("mounted one", "app", "within")))
    app.mount("/mounted", mounted)
    whole = NexiosApp(slashes=site.slashes, middleware=[site.around("whole")])
    whole.add_route("/{rest:path}", site.handler("whole", "whole"))
    whole.add_route("/static", site.handler("whole static", "whole"))
    app.mount("/whole", whole)
    router = Router(prefix="/outer", middleware=[site.around("outer")])
    below = NexiosApp(slashes=site.slashes)
    below.add_route("/{name}", site.handler("below", "outer"))
    router.mount("/app", below)
    app.include_router(router)


SITES: Final = cache(make)

REACHES: Final = {
    # handler: (method, path)
    "decorated": ("GET", "/decorated"),
    "both": ("GET", "/both/7"),
    "listed": ("GET", "/listed/x"),
    "depended": ("GET", "/depended/x/y"),
    "wrapped": ("POST", "/wrapped"),
    "view": ("QUERY", "/view"),
    "odd": ("PROPFIND", "/odd"),
    "staff": ("GET", "/staff/x"),
    "socket": ("WEBSOCKET", "/socket/x"),
    "router root": ("GET", "/router"),
    "router one": ("POST", "/router/x"),
    "router deep": ("GET", "/router/deep/x/y/end"),
    "router socket": ("WEBSOCKET", "/router/socket"),
    "group": ("GET", "/router/group/7/"),
    "chain": ("GET", "/api/chain/x/y"),
    "mounted root": ("GET", "/mounted/"),
    "mounted one": ("GET", "/mounted/x"),
    "whole": ("GET", "/whole/x/y"),
    "whole static": ("GET", "/whole/static"),
    "below": ("GET", "/outer/app/x"),
    "home": ("GET", "/"),
    "public": ("GET", "/public/x"),
    "public below": ("GET", "/x/y/z/public"),
}


# The requests


async def ask(app: NexiosApp, interface: str, method: str, path: str, user: bool, **head: Any) -> int:
    """Send one request, and return the status of its answer; 0 where there is none."""
    headers = [(b"host", b"good.com"), *([(b"x-user", b"ada")] if user else [])]
    if method == "WEBSOCKET":
        sent = await raw_websocket(app, path=path, headers=headers, root_path=head.get("root_path", ""))
        return 101 if sent and sent[0]["type"] == "websocket.accept" else 0
    if interface == "RSGI":
        protocol = Protocol()
        await app.__rsgi__(rsgi_scope(method, path, headers), protocol)
        return protocol.status
    raw_path = head.pop("raw_path", None)
    answer = await call(app, method=method, path=path, raw_path=raw_path, headers=headers, scope_extra=head)
    return answer.status


def rsgi_scope(method: str, path: str, headers: Sequence[tuple[bytes, bytes]]) -> Any:
    fields = Fields({name.decode(): value.decode() for name, value in headers})
    return SimpleNamespace(
        proto="http", http_version="1.1", client="203.0.113.9:4711", server="testserver:80", scheme="http",
        method=method, path=path, query_string="", headers=fields, authority=None,
    )  # fmt: skip


class Fields(dict[str, str]):
    """The headers of an RSGI scope, each of which comes once here."""

    def get_all(self, name: str) -> list[str]:
        return [self[name]] if name in self else []


class Protocol:
    """The other end of an RSGI exchange without a body."""

    status = 0

    def response_empty(self, status: int, headers: object) -> None:
        self.status = status

    def response_bytes(self, status: int, headers: object, body: bytes) -> None:
        self.status = status

    async def __aiter__(self) -> Any:
        for chunk in (b"",):
            yield chunk


# What is changed in a path

INSERTED: Final = [
    "/", "//", "/./", "/../", ".", "..", "%2f", "%2F", "%252f", "%2e%2e/", "%5c", "\\", ";", ";x=1", "%00", "\x00",
    "%0a", "\r\n", "%20", " ", "?", "%3f", "#", "%23", "&", "*", "\u2215", "\uff0f", "\u2024", "\u00e9", "e\u0301",
    "\u202e", "\ufeff", "\ud800", "%c0%af", "%ff", "a" * 300, "\u0130", "\u017f", "@", ":80", "{name}", "%7bname%7d",
]  # fmt: skip
METHODS: Final = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "TRACE", "CONNECT", "PROPFIND", "WEBSOCKET",
    "get", "Get", "G", "", "GET ", " GET", "GETS", "*", "GE\u0166",
]  # fmt: skip
ROOTS: Final = ["", "/", "/router", "/mounted", "/whole/", "/a", "//", "/..", "router", "/public", "/outer/app", "/api"]
PREFIXED: Final = ["http://good.com", "//good.com", "https://evil.com:80", "/x/..", "/.", "*", "/public", "/router"]
PATHS: Final = [path for _, path in REACHES.values()]


@st.composite
def mutated(draw: st.DrawFn, path: str) -> str:
    """What a client may put on the wire in place of a path of the site."""
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(path)))
        change = draw(st.sampled_from(["insert", "escape", "case", "cut", "double", "slash", "prefix", "join"]))
        if change == "insert":
            path = path[:at] + draw(st.sampled_from(INSERTED)) + path[at:]
        elif change == "escape":
            escaped = "".join(f"%{byte:02X}" for byte in path[at : at + 1].encode(errors="replace"))
            path = path[:at] + escaped + path[at + 1 :]
        elif change == "case":
            path = path[:at] + path[at:].swapcase()
        elif change == "cut":
            path = path[:at] + path[at + 1 :]
        elif change == "double":
            path = quote(path, safe="/", errors="replace")
        elif change == "slash":
            path = path.rstrip("/") if path.endswith("/") else path + "/"
        elif change == "prefix":
            path = draw(st.sampled_from(PREFIXED)) + path
        else:
            path = path + "/.." + draw(st.sampled_from(PATHS))
    return path


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    """One request: decoded as servers do it, or not, with a raw path that agrees, or does not."""
    method, path = draw(st.sampled_from(list(REACHES.values())))
    wire = draw(mutated(path))
    decoded = [unquote(wire, errors="replace"), unquote(wire, "latin-1"), wire, unquote(unquote(wire))]
    return {
        "slashes": draw(st.sampled_from(POLICIES)),
        "interface": draw(st.sampled_from(["ASGI", "RSGI"])),
        "method": draw(st.one_of(st.just(method), st.just("HEAD"), st.sampled_from(METHODS))),
        "path": draw(st.sampled_from(decoded)),
        "raw_path": draw(st.sampled_from([wire.encode(errors="replace"), draw(st.sampled_from(PATHS)).encode(), b""])),
        "root_path": draw(st.one_of(st.just(""), st.sampled_from(ROOTS))),
        "user": draw(st.booleans()),
    }


def passed_by(site: Site) -> list[str]:
    """The guards that were not asked before a handler of theirs was entered."""
    admitted: set[str] = set()
    missing: list[str] = []
    for what, name in site.trace:
        if what == "admitted by":
            admitted.add(name)
        else:
            missing += [f"{name} without {guard}" for guard in site.needed[name] if guard not in admitted]
    return missing


@settings(max_examples=4 * settings().max_examples)
@given(request=requests())
async def test_a_handler_that_was_entered_was_admitted_to_by_its_guards(request: dict[str, Any]) -> None:
    """Without a user no guarded handler is entered at all."""
    app, site = SITES(request.pop("slashes"))
    site.trace.clear()

    await ask(app, **request)

    entered = [name for what, name in site.trace if what == "entered"]
    assert passed_by(site) == []
    assert request["user"] or not any(site.needed[name] for name in entered)
    assert len(entered) <= 1


# Every single change, one after the other


def changed_once(path: str) -> Iterator[str]:
    """The path as it is, and with each change at each of its joints."""
    joints = [0, len(path), *(at + 1 for at, character in enumerate(path) if character == "/")]
    yield path
    yield path.rstrip("/") if path.endswith("/") else path + "/"
    yield path.swapcase()
    yield from (path[:at] + inserted + path[at:] for inserted in INSERTED for at in joints)
    yield from (f"{path[:at]}%{ord(path[at]):02x}{path[at + 1 :]}" for at in range(len(path)))
    yield from (path[:at] + path[at + 1 :] for at in range(len(path)))
    yield from (prefix + path for prefix in PREFIXED)


STRANGERS: Final = ["HEAD", "OPTIONS"]


def each_changed_once(method: str, path: str) -> Iterator[tuple[str, str]]:
    """With the method of the path, and some more; decoded once, as servers do it, and twice."""
    for changed in changed_once(path):
        once = unquote(changed, errors="replace")
        for way in {changed, once, unquote(once)}:
            yield from ((verb, way) for verb in (method, method.lower(), *STRANGERS))


@pytest.mark.parametrize("slashes", POLICIES)
@pytest.mark.parametrize("interface", ["ASGI", "RSGI"])
async def test_no_single_change_of_a_path_or_method_reaches_a_guarded_handler(interface: str, slashes: Slashes) -> None:
    """Nobody who asks has a user. Some 26,000 requests each, over ASGI twice: once below a prefix."""
    app, site = SITES(slashes)
    site.trace.clear()
    entered: list[tuple[str, ...]] = []

    for method, path in (request for reach in REACHES.values() for request in each_changed_once(*reach)):
        await ask_briefly(app, interface, method, path)
        if site.trace:
            entered += [(method, path, name) for what, name in site.trace if what == "entered" and site.needed[name]]
            site.trace.clear()

    assert entered == []


async def ask_briefly(app: NexiosApp, interface: str, method: str, path: str) -> None:
    """Without the checks of `call`, which take most of the time."""
    if interface == "RSGI":
        await app.__rsgi__(rsgi_scope(method, path, ()), Protocol())
        return
    for root in ("", "/" + path.split("/")[1] if "/" in path else "/root"):
        scope = {**http_scope(method, root_path=root), "path": path, "raw_path": path.encode(errors="replace")}
        await app(scope, ended, nobody)


async def ended() -> Any:
    return {"type": "http.request", "body": b"", "more_body": False}


async def nobody(message: object) -> None: ...


@pytest.mark.parametrize("slashes", POLICIES)
@pytest.mark.parametrize("interface", ["ASGI", "RSGI"])
@pytest.mark.parametrize("name", REACHES)
async def test_every_handler_of_the_site_is_entered_by_whom_its_guards_admit(
    name: str, interface: str, slashes: Slashes
) -> None:
    """So the property above is about something."""
    app, site = SITES(slashes)
    method, path = REACHES[name]
    site.trace.clear()

    status = await ask(app, interface, method, path, user=True)

    assert status == (101 if method == "WEBSOCKET" else 200)
    assert site.trace[-1] == ("entered", name)
    assert {guard for what, guard in site.trace if what == "admitted by"} == set(site.needed[name])


@pytest.mark.parametrize("slashes", POLICIES)
@pytest.mark.parametrize("interface", ["ASGI", "RSGI"])
@pytest.mark.parametrize("name", [name for name in REACHES if not name.startswith(("home", "public"))])
async def test_every_guarded_handler_of_the_site_is_closed_to_others(
    name: str, interface: str, slashes: Slashes
) -> None:
    app, site = SITES(slashes)
    method, path = REACHES[name]
    site.trace.clear()

    status = await ask(app, interface, method, path, user=False)

    assert status in ((0,) if method == "WEBSOCKET" else (401, 403))
    assert [name for what, name in site.trace if what == "entered"] == []


def test_the_site_has_a_request_for_each_of_its_handlers() -> None:
    _, site = SITES("strict")

    assert set(REACHES) == set(site.needed)
