"""What must hold of a whole request, raw as a server hands it over? It is answered, legally, and never with 500."""

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final, Literal
from urllib.parse import unquote_to_bytes
from uuid import UUID

import msgspec

from fuzz.target import Target, claim, in_loop
from fuzz.targets.signed import SECRET
from nexios import Cookie, Form, Header, Query
from nexios.application import NexiosApp
from nexios.errors import NoSuchRoute
from nexios.http.forms import FormData
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.middleware.cors import CORSMiddleware
from nexios.middleware.csrf import CSRFMiddleware
from nexios.middleware.proxy_headers import ProxyHeaders
from nexios.middleware.security_headers import SecurityHeaders
from nexios.middleware.trusted_hosts import TrustedHosts
from nexios.session.middleware import SessionMiddleware
from nexios.settings import Limits
from nexios.testing.raw import RawAnswer, call

__all__ = ["TARGETS"]

_TOKEN: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_BAD_IN_VALUE: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_CANARY: Final = b"Traceback"


class Address(msgspec.Struct):
    """A part of an order."""

    street: str
    number: int | None = None


class Order(msgspec.Struct, forbid_unknown_fields=True):
    """A body with one of each."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=20, pattern="^[a-z]+$")]
    quantity: Annotated[int, msgspec.Meta(ge=0, le=100)]
    price: Decimal
    kind: Literal["new", "used"] = "new"
    tags: set[str] = set()
    address: Address | list[Address] | None = None
    until: date | None = None
    lasts: timedelta | None = None
    extra: dict[str, Any] = {}


def _inputs() -> NexiosApp:
    app = NexiosApp(limits=Limits(max_json_depth=20, max_query_params=50, max_form_fields=20))

    @app.get("/search/{page:int}")
    async def search(
        request: Request,
        response: Response,
        page: int,
        q: str = "",
        limit: int = Query(10, ge=1, le=100),
        ratio: float | None = None,
        on: bool = False,
        ids: list[UUID] = Query([]),
        day: date | None = None,
        when: datetime | None = None,
        lasts: timedelta | None = None,
        price: Decimal | None = None,
        kind: Literal["new", "used", 3] = "new",
        x_count: int | None = Header(None),
        theme: str = Cookie("light"),
    ) -> dict[str, Any]:
        return {"page": page, "q": q, "limit": limit, "on": on, "kind": kind, "count": x_count, "theme": theme}

    @app.post("/orders")
    async def order(request: Request, response: Response, order: Order) -> Order:
        return order

    @app.post("/form")
    async def form(
        request: Request,
        response: Response,
        name: str = Form(),
        age: int | None = Form(None),
        tags: list[str] = Form([]),
    ) -> dict[str, Any]:
        return {"name": name, "age": age, "tags": tags}

    app.add_route("/{rest:path}", _tell, methods=["GET", "POST", "PUT"], name="rest")
    return app


def _guarded() -> NexiosApp:
    app = NexiosApp()
    app.add_middleware(ProxyHeaders, trusted=["203.0.113.9"], believe=["for", "proto", "host", "prefix"])
    app.add_middleware(TrustedHosts, hosts=["shop.example", "*.shop.example"])
    app.add_middleware(SecurityHeaders)
    app.add_middleware(CORSMiddleware, allow_origins=["https://app.example"], allow_credentials=True)
    app.add_middleware(SessionMiddleware, secret_key=SECRET)
    app.add_middleware(CSRFMiddleware)
    app.add_route("/{rest:path}", _tell, methods=["GET", "POST", "PUT"], name="rest")
    return app


async def _tell(request: Request, response: Response, rest: str) -> Any:
    """Read everything that a request has."""
    told: dict[str, Any] = {
        "url": str(request.url),
        "host": str(request.host),
        "client": request.client and request.client.host,
        "cookies": dict(request.cookies),
        "query": request.query_params.multi_items(),
        "last": request.last_event_id,
        "id": request.id,
    }
    claim(request.url.path == request.path, "the URL has the path that was routed")
    try:
        told["own"] = request.url_for("rest", rest=rest)
    except NoSuchRoute:
        told["own"] = None
    kind = request.headers.get("content-type", "")
    if request.method == "POST":
        body = await (request.form() if "form" in kind else request.json() if "json" in kind else request.text())
        told["body"] = body.multi_items() if isinstance(body, FormData) and not body.files else repr(body)[:50]
    return response.json({name: repr(value) for name, value in told.items()})


_INPUTS: Final = _inputs()
_GUARDED: Final = _guarded()


def inputs(data: bytes) -> None:
    """Typed values are read from any query, header, cookie, path and body, or the answer is a 4xx."""
    _exchange(_INPUTS, data)


def guarded(data: bytes) -> None:
    """All middleware that reads the head of a request gets on with any of them."""
    _exchange(_GUARDED, data)


def _exchange(app: NexiosApp, data: bytes) -> None:
    head, _, body = data.partition(b"\n\n")
    line, *lines = head.split(b"\n")
    method, _, target = line.partition(b" ")
    if not _TOKEN.fullmatch(method):
        return
    raw_path, _, query = target.partition(b"?")
    answer = in_loop(
        call(
            app,
            method=method.decode("ascii"),
            path=unquote_to_bytes(raw_path).decode("utf-8", "surrogateescape"),
            raw_path=raw_path,
            query=query,
            headers=_fields(lines),
            chunks=[body[:7], body[7:]],
        )
    )
    _check(answer)


def _fields(lines: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    """The fields that a server would hand over."""
    parted = [line.partition(b":") for line in lines]
    return [
        (name.lower(), value.strip(b" \t"))
        for name, _, value in parted
        if _TOKEN.fullmatch(name) and not _BAD_IN_VALUE.search(value)
    ]


def _check(answer: RawAnswer) -> None:
    claim(answer.error is None, f"nothing leaves the app: {answer.error!r}")
    claim(200 <= answer.status < 500 or answer.status == 501, f"{answer.status} is no answer to a client's fault")
    claim(answer.complete, "the answer is whole")
    claim(_CANARY not in answer.body, "the answer shows nothing from inside")
    for name, value in answer.headers:
        claim(_TOKEN.fullmatch(name) and not _BAD_IN_VALUE.search(value), "the answer has legal headers")


TARGETS: Final = (
    Target(
        "typed-inputs",
        inputs,
        (
            b"GET /search/2?q=gear&limit=25&on=true&ids=123e4567-e89b-12d3-a456-426614174000&day=2024-02-29&kind=3\n"
            b"X-Count: 7\nCookie: theme=dark",
            b"GET /search/1?when=2024-02-29T10:00:00Z&lasts=PT1H&price=1.50&ratio=-1e9",
            b"POST /orders\nContent-Type: application/json\n\n"
            b'{"name":"gear","quantity":3,"price":"1.5","tags":["a"],"address":[{"street":"x"}],'
            b'"until":"2024-02-29","lasts":"P1D"}',
            b'POST /orders\nContent-Type: application/json\n\n{"name":1,"quantity":1e3,"price":null,"extra":{"a":[1]}}',
            b"POST /notes\nContent-Type: text/plain; charset=utf-16\n\n\xff\xfea\x00",
            b"POST /form\nContent-Type: application/x-www-form-urlencoded\n\nname=Ada&age=36&tags=a&tags=b",
            b"POST /form\nContent-Type: multipart/form-data; boundary=b\n\n"
            b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nAda\r\n--b--\r\n',
        ),
        (
            b"&",
            b"=",
            b"\n",
            b"limit=",
            b"1e999",
            b"-0",
            b"9" * 25,
            b"null",
            b"P1D",
            b"charset=gb18030",
            b"charset=shift_jis",
            b"\xd9\xa5",
            b"%ff",
            b"Infinity",
        ),
    ),
    Target(
        "guarded-requests",
        guarded,
        (
            b"GET /a/b?x=1\nHost: shop.example\nCookie: __Host-session=x; theme=dark\nLast-Event-ID: 7",
            b"POST /a\nHost: a.shop.example:80\nOrigin: https://app.example\nContent-Type: application/json\n\n[1]",
            b"POST /a\nHost: shop.example\nSec-Fetch-Site: same-origin\n"
            b"Content-Type: application/x-www-form-urlencoded\n\na=b",
            b"OPTIONS /a\nHost: shop.example\nOrigin: https://app.example\nAccess-Control-Request-Method: PUT\n"
            b"Access-Control-Request-Headers: x-a, x-b",
            b"GET //evil.example/%2e%2e/%00\nHost: evil.example\nX-Forwarded-For: 192.0.2.1\n"
            b"X-Forwarded-Host: shop.example\nX-Forwarded-Proto: https\nX-Forwarded-Prefix: /shop",
            b"PUT /x%FFy\nHost: shop.example\nX-CSRF-Token: abc\nContent-Length: 5\nX-Request-Id: a b",
        ),
        (
            b"\n",
            b"Host: ",
            b"Origin: ",
            b"null",
            b"Cookie: ",
            b"X-Forwarded-For: ",
            b"Sec-Fetch-Site: ",
            b"%0a",
            b"\xff",
        ),
    ),
)
