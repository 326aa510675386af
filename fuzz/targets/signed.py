"""What must hold of what we signed? It comes back unchanged or not at all."""

from typing import Final
from urllib.parse import parse_qsl, unquote

import msgspec

from fuzz.target import Target, claim, only, pieces, text_of
from nexios.middleware.csrf_tokens import make_token, token_fits
from nexios.session.record import Record, decode_record, encode_record
from nexios.session.signed import SignedSessions
from nexios.session.times import Times
from nexios.signing.keyring import Keyring
from nexios.signing.signer import BadSignature
from nexios.signing.urls import sign_url, verify_url

__all__ = ["NOW", "SECRET", "TARGETS"]

NOW: Final = 1700000000.0
SECRET: Final = "xWlZ9nTfS4v1cQ0kR7b2mJ6uYhE3oAqD"


def _now() -> float:
    return NOW


_KEYRING: Final = Keyring(SECRET, clock=_now)
_SIGNER: Final = _KEYRING.signer("fuzz")
_TOKEN: Final = _SIGNER.sign(b"ada")


def signed_values(data: bytes) -> None:
    """A value comes back as it was; a token that is another text than the one we made is refused."""
    claim(_SIGNER.unsign(_SIGNER.sign(data), max_age=60) == data, "what is signed comes back")
    for text in (text_of(data), data.decode("latin-1"), _changed(_TOKEN, data)):
        if text != _TOKEN:
            _refused(text)


def _refused(token: str) -> None:
    try:
        _SIGNER.unsign(token, max_age=None)
    except BadSignature:
        return
    claim(False, "what was not signed here is refused")


def _changed(token: str, data: bytes) -> str:
    """The token with a piece of it replaced: where, how much of it, and by what."""
    start, length = (data[0] % len(token), data[1] % 4) if len(data) > 1 else (0, 0)
    return token[:start] + data[2:].decode("latin-1") + token[start + length :]


def signed_urls(data: bytes) -> None:
    """A URL that was signed is accepted as it is; one that was not is refused, and nothing else is raised."""
    text = text_of(data)
    try:
        verify_url(_KEYRING, text)
    except BadSignature:
        pass
    else:
        claim(False, "a URL that was not signed is refused")
    with only(ValueError):
        url = sign_url(_KEYRING, text, expires_in=60)
        verify_url(_KEYRING, url)
        verify_url(_KEYRING, f"https://any.example{url}#part")
        with only(BadSignature):
            verify_url(_KEYRING, f"{url}&extra=1")
            claim(False, "a parameter cannot be added")
    changed = _changed(_URL, data)
    if changed.startswith("/") and "#" not in changed:
        with only(BadSignature):
            verify_url(_KEYRING, changed)
            claim(_meaning(changed) == _meaning(_URL), "what is accepted means what was signed")


_URL: Final = sign_url(_KEYRING, "/files/a%20b?tag=x&tag=y&page=2&flag", expires_in=60)


def _meaning(url: str) -> tuple[str, list[tuple[str, str]]]:
    """The path, and the parameters by name; those of one name in their order."""
    path, _, query = url.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True, errors="surrogateescape")
    return unquote(path, errors="surrogateescape"), sorted(pairs, key=lambda pair: pair[0])


_SESSIONS: Final = SignedSessions(_KEYRING, "__Host-session", Times(1800.0, 43200.0), _now, has_old_keys=False)
_SESSION_SIGNER: Final = _KEYRING.signer("session", "__Host-session")


def session_cookies(data: bytes) -> None:
    """Any cookie gives a session: a new and empty one, unless we signed it; and what we sign is a record or none."""
    session = _SESSIONS.open(data.decode("latin-1"))
    claim(session.is_new and session.is_empty, "what was not signed here is no session")
    kept = _SESSIONS.open(_SESSION_SIGNER.sign(data))
    claim(kept.is_new or decode_record(data) is not None, "what is no record is no session")
    record = decode_record(data)
    if record is not None:
        claim(decode_record(encode_record(record)) == record, "a record that is written is read back")
        claim(type(record) is Record and type(record.values) is dict, "and is a record")


_CSRF_SECRET: Final = bytes(range(32))
_CSRF_TOKEN: Final = "zYFQ80cGLNK5BbY2W-8euNNjvJYmLIBoqsdvSlDEbWX_g_EFjJyZ69-NXanMPqiUhcKASYPfuj5HzVSNo8lH0w"
"""Made of that secret once: each one is another, and a corpus lives longer than a process."""


def csrf_tokens(data: bytes) -> None:
    """No text is a token but one that we made, in the spelling in which we made it."""
    claim(token_fits(make_token(_CSRF_SECRET), _CSRF_SECRET), "what we make fits")
    for text in (text_of(data), data.decode("latin-1"), _changed(_CSRF_TOKEN, data)):
        claim(not token_fits(text, _CSRF_SECRET) or text == _CSRF_TOKEN, "only our tokens fit")


_RECORD: Final = msgspec.json.encode(Record(NOW, NOW, id="x" * 43, values={"cart": [7], "name": "Ada"}))

TARGETS: Final = (
    Target(
        "signed-values", signed_values, (b"ada", _TOKEN.encode(), b"\x05\x01A", b"YWRh.1700000000."), (b".", b"=", b"-")
    ),
    Target(
        "signed-urls",
        signed_urls,
        (
            b"/files/7?page=2",
            b"/a%20b?x=1&x=2&y",
            b"/f?expires=1700000060&signature=x",
            b"https://a.example/p?q#f",
            b"/?\xff=%ff",
        ),
        (b"&signature=", b"&expires=", b"?", b"%26", b"&", b"=", b"+"),
    ),
    Target(
        "session-cookies",
        session_cookies,
        (_RECORD, pieces(_RECORD, 1)[0][:-4], b'{"c":1e300,"n":0}', b'{"c":1,"n":1,"v":{"a":{}},"f":[["a","b"]]}'),
        (b'"v":{', b'"c":', b"1e400", b"1700000000.0", b'"i":"x"'),
    ),
    Target(
        "csrf-tokens",
        csrf_tokens,
        (_CSRF_TOKEN.encode(), b"\x55\x01B", b"\x00\x00", b"=" * 86),
        (b"=", b"-", b"_", b"\n"),
    ),
)
