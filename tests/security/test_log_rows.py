"""Section N of the published faults: what do logs and errors hold of what a client wrote? Named after its rows."""

import base64
import logging
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from nexios import HTTPException, NexiosApp, Request, Response
from nexios.auth import APIKeyAuth, APIKeys, BasicAuth, SessionAuth, requires
from nexios.auth.jwt import JWT, InvalidToken, JWTAuth
from nexios.errors import ConfigurationError
from nexios.middleware import CORSMiddleware, CSRFMiddleware, ProxyHeaders, SecurityHeaders, TrustedHosts
from nexios.session import SessionMiddleware
from nexios.signing import BadSignature, Keyring, sign_url, verify_url
from nexios.stores import MemoryStore
from nexios.testing.raw import call
from nexios.websockets import WebSocket
from tests.security.kit import raw_websocket

CANARY = "c4naryS3cret0fTheUserThatN0LogM4ySh0w"
KEY = "xWlZ9nTfS4v1cQ0kR7b2mJ6uYhE3oAqD"
SAME_SITE = (b"sec-fetch-site", b"same-origin")
FORM = b"application/x-www-form-urlencoded"


class Login(msgspec.Struct):
    name: str
    password: int


async def nobody(*credentials: str) -> Any:
    return None


async def user_of(name: str) -> str:
    return name


def make_app(*, debug: bool = False) -> NexiosApp:
    """An app with all that reads a secret, and handlers that fail in all the ways there are."""
    app = NexiosApp(secret_key=KEY, debug=debug)
    app.auth_backend = [
        APIKeyAuth(APIKeys(MemoryStore())),
        BasicAuth(nobody),
        JWTAuth(JWT(KEY, algorithms=["HS256"], issuer="https://a", audience="b")),
        SessionAuth(user_of),
    ]
    app.add_middleware(ProxyHeaders, trusted=["203.0.113.9"])
    app.add_middleware(TrustedHosts, hosts=["good.example"])
    app.add_middleware(SecurityHeaders)
    app.add_middleware(CORSMiddleware, allow_origins=["https://good.example"])
    app.add_middleware(SessionMiddleware, store=MemoryStore())
    app.add_middleware(CSRFMiddleware)

    @app.get("/")
    async def home(request: Request, response: Response) -> Any:
        return [request.has_session and request.session.user_id, dict(request.cookies)]

    @app.get("/private", middleware=[], dependencies=[requires()])
    async def private(request: Request, response: Response) -> str:
        return "private"

    @app.get("/fails")
    async def fails(request: Request, response: Response) -> None:
        request.session["token"] = request.query_params.get("token")
        raise RuntimeError("of no interest")

    @app.get("/unkeepable")
    async def unkeepable(request: Request, response: Response) -> None:
        request.session["password"] = [request.query_params["token"], object()]

    @app.get("/signed")
    async def signed(request: Request, response: Response) -> str:
        verify_url(Keyring(KEY), str(request.url))
        return "signed"

    @app.post("/login")
    async def login(login: Login) -> str:
        return login.name

    @app.post("/form")
    async def form(request: Request, response: Response) -> None:
        await request.form()
        raise HTTPException(400, "no")

    @app.websocket("/ws")
    async def ws(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.receive_json()
        raise RuntimeError("of no interest")

    @app.get("/one/{id:int}")
    async def one(request: Request, response: Response, id: int) -> int:
        return id

    return app


def basic(text: str) -> bytes:
    return b"Basic " + base64.b64encode(text.encode())


PAYLOAD = base64.urlsafe_b64encode(CANARY.encode()).rstrip(b"=").decode()
TOKEN = f"eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.{PAYLOAD}.{CANARY}"
SECRETS: list[tuple[bytes, bytes]] = [
    (b"authorization", basic(f"ada:{CANARY}")),
    (b"authorization", basic(CANARY)),
    (b"authorization", f"Basic {CANARY}!".encode()),
    (b"authorization", f"Bearer {CANARY}".encode()),
    (b"authorization", f"Bearer {TOKEN}".encode()),
    (b"authorization", f"Bearer {TOKEN}{'A' * 9000}".encode()),
    (b"authorization", f"{CANARY}".encode()),
    (b"x-api-key", f"nxs_abcdefgh_{CANARY}".encode()),
    (b"x-api-key", CANARY.encode()),
    (b"cookie", f"__Host-session={CANARY}; __Host-csrf={CANARY}; other={CANARY}".encode()),
    (b"cookie", f"__Host-session={(CANARY * 2)[:43]}".encode()),
    (b"x-csrf-token", CANARY.encode()),
    (b"proxy-authorization", f"Bearer {CANARY}".encode()),
    (b"referer", f"https://good.example/?token={CANARY}".encode()),
]
PATHS = ["/", "/private", "/fails", "/unkeepable", "/signed", "/login", "/form", "/one/x", "/missing"]


def written(caplog: pytest.LogCaptureFixture) -> str:
    """All that any handler could write of the records: their lines, their arguments, their extras, their tracebacks."""
    plain = logging.Formatter("%(name)s %(levelname)s %(message)s")
    return "\n".join(f"{plain.format(record)} {vars(record)}" for record in caplog.records)


def holds_canary(text: str) -> bool:
    encoded = base64.b64encode(f"ada:{CANARY}".encode()).decode()
    return any(part in text for part in (CANARY, CANARY[4:], encoded, PAYLOAD))


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("path", PATHS)
async def test_n4_no_logger_writes_a_secret_of_a_request(
    path: str, debug: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """ASVS 16.2.5: every logger of the process, at DEBUG."""
    caplog.set_level(0)
    app = make_app(debug=debug)
    query = f"token={CANARY}&signature={CANARY}&expires=1&api_key={CANARY}".encode()
    bodies = [(b"", b""), (b"application/json", f'{{"name":"ada","password":"{CANARY}"}}'.encode())]
    bodies += [
        (FORM, f"password={CANARY}&csrf_token={CANARY}".encode()),
        (b"application/json", f'{{"x":{CANARY}'.encode()),
    ]

    for secret in SECRETS:
        for method, (kind, body) in [("GET", bodies[0]), *(("POST", one) for one in bodies)]:
            for scheme in ("http", "https"):
                headers = [(b"host", b"good.example"), (b"content-type", kind), SAME_SITE, secret]
                scope = {"scheme": scheme}
                await call(
                    app, method=method, path=path, query=query, headers=headers, chunks=[body], scope_extra=scope
                )

    assert caplog.records != [] or path not in ("/fails", "/unkeepable", "/signed")
    assert not holds_canary(written(caplog))


async def test_n4_no_logger_writes_a_secret_of_a_websocket(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    app = make_app()
    for origin in (b"https://good.example", b"https://evil.example"):
        for secret in SECRETS:
            for message in (f'{{"token":"{CANARY}"}}', CANARY, f'{{"token":{CANARY}'):
                await raw_websocket(
                    app,
                    {"type": "websocket.receive", "text": message},
                    headers=[(b"host", b"good.example"), (b"origin", origin), secret],
                    query_string=f"token={CANARY}".encode(),
                    subprotocols=["v1", f"bearer.{CANARY}"],
                    scheme="wss",
                )

    assert caplog.records != []
    assert not holds_canary(written(caplog))


async def test_n2_no_answer_repeats_a_secret_of_its_request() -> None:
    """CVE-2025-65015: the token was in the words of the exception, and these in the answer."""
    app = make_app()
    query = f"token={CANARY}&signature={CANARY}".encode()
    for path in PATHS[1:]:
        for secret in SECRETS:
            headers = [(b"host", b"good.example"), (b"content-type", b"application/json"), SAME_SITE, secret]
            for method, body in (("GET", b""), ("POST", f'{{"name":"ada","password":"{CANARY}"}}'.encode())):
                answer = await call(app, method=method, path=path, query=query, headers=headers, chunks=[body])
                assert not holds_canary(repr(answer)), (path, secret, method)


def words_of(act: Callable[[], object]) -> str:
    """The words of the exception, those of its causes, and their notes."""
    with pytest.raises((ConfigurationError, ValueError)) as caught:
        act()
    found: list[str] = []
    exc: BaseException | None = caught.value
    while exc is not None:
        found += [str(exc), repr(exc), *getattr(exc, "__notes__", ())]
        exc = exc.__cause__ or exc.__context__
    return " ".join(found)


def compiled(**session: Any) -> None:
    app = NexiosApp()
    app.add_middleware(SessionMiddleware, **session)
    app.compile()


def misplaced() -> None:
    app = NexiosApp(secret_key=KEY)
    app.add_middleware(CSRFMiddleware, secret_key=f"{CANARY}-{KEY}")
    app.add_middleware(SessionMiddleware, secret_key=f"{CANARY}-{KEY}", no_such_option=CANARY)
    app.compile()


SHORT = CANARY[:20]
MISTAKES: dict[str, Callable[[], object]] = {
    "a short secret": lambda: Keyring(SHORT),
    "a secret of one letter": lambda: Keyring("a" * 40),
    "a bad one of several": lambda: Keyring([KEY, SHORT]),
    "a secret of the app that is short": lambda: compiled(secret_key=SHORT),
    "a secret of another type": lambda: NexiosApp(secret_key={CANARY: 1}),
    "an option that there is not": misplaced,
    "a signature that does not fit": lambda: Keyring(KEY).signer("x").unsign(f"{CANARY}.1.{CANARY}", max_age=9),
    "a link that was not signed": lambda: verify_url(Keyring(KEY), f"/a?token={CANARY}&signature={CANARY}"),
    "a link that is none": lambda: sign_url(Keyring(KEY), f"//a?signature={CANARY}", expires_in=1),
    "a short secret of tokens": lambda: JWT(SHORT, algorithms=["HS256"], issuer="https://a", audience="b"),
    "a key that is none": lambda: JWT(f"-----BEGIN {CANARY}", algorithms=["RS256"], issuer="https://a", audience="b"),
    "a key of JSON": lambda: JWT({"kty": "oct", "k": CANARY}, algorithms=["RS256"], issuer="https://a", audience="b"),
    "claims that are made elsewhere": lambda: JWT(KEY, algorithms=["HS256"], issuer="https://a", audience="b").issue(
        "ada", claims={"exp": CANARY, "sub": CANARY}
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_n2_no_error_holds_a_secret(mistake: str) -> None:
    words = words_of(MISTAKES[mistake])

    assert CANARY[:20] not in words
    assert KEY not in words


async def test_n2_what_is_wrong_with_a_token_is_told_without_it() -> None:
    tokens = JWT(KEY, algorithms=["HS256"], issuer="https://a", audience="b")
    issued = tokens.issue("ada", claims={"note": CANARY})
    head, payload, signature = issued.split(".")
    for text in (
        CANARY,
        TOKEN,
        f"{head}.{payload}.{CANARY}",
        f"{CANARY}.{payload}.{signature}",
        issued[:-1],
        issued + "A",
    ):
        with pytest.raises(InvalidToken) as caught:
            await tokens.verify(text)
        words = f"{caught.value} {caught.value!r} {caught.value.__cause__!r}"
        assert CANARY not in words
        assert payload not in words


LINES = [
    "a\r\nFORGED line",
    "a\nFORGED",
    "\x1b[2J\x1b[31mFORGED",
    "a\u2028FORGED",
    "a\x85FORGED",
    "%s %d {0} {x} %(name)s",
    "a\0b",
]


@pytest.mark.parametrize("text", LINES, ids=ascii)
async def test_n1_whatever_a_client_writes_is_one_printable_line(text: str, caplog: pytest.LogCaptureFixture) -> None:
    """CVE-2020-7694, CVE-2025-48432, CVE-2024-1681: method, path, query, headers, the name of a user, a file's name."""
    caplog.set_level(0)
    app = make_app(debug=True)
    raw = text.encode()
    disposition = b'--b\r\nContent-Disposition: form-data; name="a"; filename="' + raw + b'"\r\n\r\nx\r\n--b--\r\n'
    for method, path in [
        (text, "/fails"),
        ("GET", f"/fails/{text}"),
        ("GET", f"/one/{text}"),
        ("GET", "/fails"),
        ("POST", "/form"),
    ]:
        for name in (
            b"user-agent",
            b"host",
            b"origin",
            b"referer",
            b"x-request-id",
            b"x-forwarded-for",
            b"authorization",
            b"accept",
        ):
            headers = [(b"host", b"good.example"), SAME_SITE][name == b"host" :]
            value = basic(f"{text}:{text}") if name == b"authorization" else raw
            await call(
                app,
                method=method,
                path=path,
                query=b"a=" + raw,
                headers=[*headers, (name, value), (b"content-type", b"multipart/form-data; boundary=b")],
                chunks=[disposition],
                scope_extra={"scheme": "https"},
            )

    assert caplog.records != []
    for record in caplog.records:
        message = record.getMessage()
        assert (message.count("\n"), message.isprintable()) == (0, True), message


def test_n1_what_a_signature_is_refused_for_is_said_in_constant_words() -> None:
    for text in LINES:
        with pytest.raises(BadSignature) as caught:
            Keyring(KEY).signer("x").unsign(f"{text}.1.{text}", max_age=9)
        assert "FORGED" not in str(caught.value)


def test_n2_a_missing_secret_says_how_one_is_made_and_shows_none() -> None:
    with pytest.raises(ConfigurationError) as caught:
        compiled()

    assert "NEXIOS_SECRET_KEY" in str(caught.value)
