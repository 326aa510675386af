"""What must hold of credentials? Each is one that we know, or refused with the one error for it."""

import hmac
from collections.abc import Sequence
from typing import Any, Final, cast

from fuzz.target import Target, claim, drive, only, pieces, text_of
from fuzz.targets.signed import NOW, SECRET
from nexios._pipeline.authentication import InvalidCredentials
from nexios.auth.api_keys import APIKeys
from nexios.auth.authorization import credentials_of, parse_basic
from nexios.auth.jwt import JWT
from nexios.auth.tokens import InvalidToken, format_segment, parse_token
from nexios.http.headers import Headers
from nexios.messages.connection import Connection
from nexios.stores.memory import MemoryStore

__all__ = ["TARGETS"]

_ISSUER: Final = "https://books.example"
_KEY: Final = "kq0b2Vn6mU9xJt3LhYw8ZsPc5RfDg1Ea"


def _now() -> float:
    return NOW


_TOKENS: Final = JWT(_KEY, algorithms=["HS256"], issuer=_ISSUER, audience="books", clock=_now)
_TOKEN: Final = _TOKENS.issue("ada", scopes=["read"])


def tokens(data: bytes) -> None:
    """Only our signature over a header and claims of ours passes; everything else is an `InvalidToken`."""
    text = text_of(data)
    with only(InvalidToken):
        claims = drive(_TOKENS.verify(text))
        claim(text == _TOKEN and claims["sub"] == "ada", "no other token passes")
    with only(InvalidToken):
        parsed = parse_token(text)
        claim(text == f"{parsed.content.decode()}.{format_segment(parsed.signature)}", "a token has one spelling")
    header, payload = pieces(data, 2)
    content = f"{format_segment(header)}.{format_segment(payload)}"
    signature = hmac.digest(_KEY.encode(), content.encode(), "sha256")
    with only(InvalidToken):
        claims = drive(_TOKENS.verify(f"{content}.{format_segment(signature)}"))
        claim(claims["iss"] == _ISSUER and "books" in claims["aud"] and claims["exp"] > NOW, "claims are checked")


class _Head:
    """A connection that has the one header."""

    def __init__(self, values: Sequence[str]) -> None:
        self.headers = Headers([("authorization", value) for value in values])


def authorizations(data: bytes) -> None:
    """Credentials of a scheme, None, or the one error; a name and a password have one spelling."""
    values = [piece.decode("latin-1") for piece in data.split(b"\n")]
    for scheme in ("Basic", "Bearer"):
        with only(InvalidCredentials):
            found = credentials_of(cast("Connection[Any]", _Head(values)), scheme)
            claim(found is None or (found.isascii() and " " not in found and len(found) <= 8192), "one plain word")
    parsed = parse_basic(values[0])
    if parsed is not None:
        name, password = parsed
        claim(":" not in name, "the first colon divides them")
        claim(not set(name + password) & set("\x00\r\n\x7f"), "no control character is in them")


_KEYS: Final = APIKeys(MemoryStore(), clock=_now)


def api_keys(data: bytes) -> None:
    """No text is a key that was never issued."""
    for text in (text_of(data), data.decode("latin-1"), f"nxs_{text_of(data)}"):
        claim(drive(_found(text)) is None, "only a key that was issued is one")


async def _found(text: str) -> object:
    return await _KEYS.find(text)


_HEADER: Final = b'{"alg":"HS256","typ":"at+jwt"}'
_CLAIMS: Final = b'{"iss":"https://books.example","aud":"books","sub":"ada","iat":1700000000,"exp":1700000900}'

TARGETS: Final = (
    Target(
        "tokens",
        tokens,
        (
            _TOKEN.encode(),
            _HEADER + b"\n" + _CLAIMS,
            b'{"alg":"none"}\n{}',
            _HEADER + b'\n{"exp":1e400,"aud":[1,null]}',
        ),
        (b'"alg":"none"', b'"crit":[]', b'"kid":', b'"exp":', b"1e400", b"NaN", b'"aud":["books"]', b"\\ud800", b"["),
        longest=8192,
    ),
    Target(
        "authorizations",
        authorizations,
        (
            b"Basic YWRhOnBhOnNz",
            b"bearer " + SECRET.encode(),
            b"YWRhOnBhOnNz",
            b"Bearer a\nBearer b",
            b"Basic =",
            b"OmE=",
        ),
        (b"Basic ", b"Bearer ", b"=", b"\n", b" ", b"Og==", b"/+"),
    ),
    Target(
        "api-keys",
        api_keys,
        (b"nxs_k3J9xq2L_Zr0aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", b"k3J9xq2L_x", b"nxs__", b"a" * 300),
        (b"nxs_", b"_", b"\xb2", b"\x00"),
    ),
)
