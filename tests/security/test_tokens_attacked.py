"""Section J: tokens that were made to be taken for something else."""

import base64
import hmac
import json
import socket
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from nexios import NexiosApp
from nexios.auth import requires
from nexios.auth.jwks import JWKS
from nexios.auth.jwt import JWT, InvalidToken, JWTAuth
from nexios.errors import ConfigurationError, ServiceUnavailable
from nexios.testing.raw import call

joserfc = pytest.importorskip("joserfc")
from joserfc.jwk import ECKey, RSAKey  # noqa: E402
from joserfc.jws import JWSRegistry  # noqa: E402

SECRET = "q8Zt3nVw5yB7cE1fH4jK6mP9rS2uX0aD-GiL"
NOW = 1_800_000_000
PROFILE: dict[str, Any] = {"issuer": "https://a", "audience": "books", "clock": lambda: NOW}
RSA = RSAKey.generate_key(2048, private=True)
EC = ECKey.generate_key("P-256", private=True)


def b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def token(header: Any = None, claims: Any = None, key: Any = SECRET, alg: str = "HS256", **changes: Any) -> str:
    """A token that holds, but for the changes."""
    head = {"alg": alg, "typ": "at+jwt"} if header is None else header
    body = {"iss": "https://a", "aud": "books", "exp": NOW + 60, "sub": "ada"} if claims is None else claims
    body = {**body, **changes} if isinstance(body, dict) else body
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (head, body)]
    content = f"{b64(parts[0])}.{b64(parts[1])}"
    if isinstance(key, str | bytes):
        secret = key.encode() if isinstance(key, str) else key
        return f"{content}.{b64(hmac.digest(secret, content.encode(), 'sha256'))}"
    return f"{content}.{b64(JWSRegistry.algorithms[alg].sign(content.encode(), key))}"


def hs(**options: Any) -> JWT:
    return JWT(SECRET, **{"algorithms": ["HS256"], **PROFILE, **options})


async def refused(text: str, tokens: JWT | None = None) -> bool:
    """Whether a token is refused, by words that do not hold it."""
    try:
        await (tokens or hs()).verify(text)
    except InvalidToken as exc:
        return text[:20] not in str(exc)
    return False


async def test_a_token_that_holds_is_taken() -> None:
    assert (await hs().verify(token()))["sub"] == "ada"


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "", None, [], 123, "HS512", "RS256"])
@pytest.mark.parametrize("signed", [True, False])
async def test_j1_no_algorithm_is_none(alg: Any, signed: Any) -> None:
    """J1."""
    valid = token({"alg": alg, "typ": "at+jwt"})
    assert await refused(valid if signed else valid.rpartition(".")[0] + ".")


async def test_j1_an_algorithm_is_named() -> None:
    """J1."""
    assert await refused(token({"typ": "at+jwt"}))
    with pytest.raises(ConfigurationError):
        JWT(SECRET, algorithms=[], **PROFILE)


@pytest.mark.parametrize("name", ["none", "RS1", "hs256", "A128KW"])
def test_j1_what_is_no_algorithm_of_ours_is_refused_at_the_start(name: Any) -> None:
    """J1."""
    with pytest.raises(ConfigurationError):
        JWT(SECRET, algorithms=[name], **PROFILE)


def public_formats() -> list[bytes]:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    raw = RSA.public_key
    pairs = [
        (Encoding.PEM, PublicFormat.PKCS1),
        (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        (Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        (Encoding.OpenSSH, PublicFormat.OpenSSH),
    ]
    jwk = json.dumps(RSA.as_dict(private=False)).encode()
    return [*(raw.public_bytes(*pair) for pair in pairs), certificate(Encoding.PEM), certificate(Encoding.DER), jwk]


def certificate(encoding: Any) -> bytes:
    """Return a certificate of the key, signed by itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256

    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a")])
    begins = datetime(2026, 1, 1, tzinfo=UTC)
    built = x509.CertificateBuilder(name, name, RSA.public_key, 1, begins, begins + timedelta(days=9))
    private: Any = RSA.private_key
    content: bytes = built.sign(private, SHA256()).public_bytes(encoding)
    return content


@pytest.mark.filterwarnings("ignore")
async def test_j2_a_public_key_is_no_secret() -> None:
    """J2."""
    tokens = JWT(RSA.as_pem(private=False), algorithms=["RS256"], **PROFILE)
    for content in public_formats():
        assert await refused(token(key=content), tokens)
        with pytest.raises(ConfigurationError):
            JWT(content, algorithms=["HS256"], **PROFILE)


@pytest.mark.parametrize("mixed", [["RS256", "HS256"], ["RS256", "ES256"], ["HS256", "none"], ["EdDSA", "ES256"]])
def test_j2_algorithms_of_two_kinds_are_refused_at_the_start(mixed: Any) -> None:
    """J2."""
    with pytest.raises(ConfigurationError, match="not of one kind"):
        JWT(RSA.as_pem(private=False), algorithms=mixed, **PROFILE)


def served(*keys: dict[str, Any], **options: Any) -> tuple[JWT, list[str]]:
    fetched: list[str] = []

    async def fetch(url: str) -> bytes:
        fetched.append(url)
        return json.dumps({"keys": keys}).encode()

    source = JWKS("https://login.example/keys", fetch=fetch, **options)
    return JWT(source, algorithms=["RS256"], **PROFILE), fetched


def public(**changes: Any) -> dict[str, Any]:
    return {**RSA.as_dict(private=False), "kid": "k1", **changes}


def rs(alg: str = "RS256", kid: Any = "k1", **header: Any) -> str:
    return token({"alg": alg, "typ": "at+jwt", "kid": kid, **header}, key=RSA, alg=alg)


async def test_j3_the_list_and_the_key_say_which_algorithm_not_the_token() -> None:
    """J3."""
    tokens, _ = served(public())
    assert (await tokens.verify(rs()))["sub"] == "ada"
    assert await refused(rs("PS256"), tokens)
    for changes in ({"use": "enc"}, {"alg": "PS256"}, {"key_ops": ["sign"]}, {"kty": "EC"}):
        assert await refused(rs(), served(public(**changes))[0])
    both = JWT(public(alg="RS256"), algorithms=["RS256", "PS256"], **PROFILE)
    assert await both.verify(rs())
    assert await refused(rs("PS256"), both)


@pytest.mark.parametrize("crit", [["b64"], ["x"], [], "x", None, ["missing"]])
async def test_j4_whatever_is_critical_is_refused(crit: Any) -> None:
    """J4."""
    assert await refused(token({"alg": "HS256", "typ": "at+jwt", "crit": crit}))
    assert await refused(token({"alg": "HS256", "typ": "at+jwt", "b64": False}))


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c"])
@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://localhost/keys", "https://login.example.evil/keys"])
async def test_j5_a_key_in_the_token_is_no_key(name: Any, url: Any, monkeypatch: Any) -> None:
    """J5: nothing is fetched, and nothing that the token brings is used."""
    monkeypatch.setattr(socket, "socket", None)
    other = RSAKey.generate_key(2048, private=True)
    given = other.as_dict(private=False) if name == "jwk" else [url] if name == "x5c" else url
    forged = token({"alg": "RS256", "typ": "at+jwt", "kid": "k1", name: given}, key=other, alg="RS256")
    tokens, fetched = served(public())
    assert await refused(forged, tokens)
    assert set(fetched) == {"https://login.example/keys"}


@pytest.mark.parametrize(
    "url", ["file:///k", "ftp://h/k", "data:,x", "http://h/k", "https:///k", "k", "", "https://a:b@h/k"]
)
def test_j6_keys_are_at_an_https_url(url: Any) -> None:
    """J6."""
    with pytest.raises(ConfigurationError):
        JWKS(url)


@pytest.mark.parametrize("kid", ["../../x", "' or 1", [], ["k1"], {}, "k" * 10_240, "", 5, "k1\n", "ключ"])
async def test_j6_a_key_id_is_looked_up_and_nothing_else(kid: Any) -> None:
    """J6."""
    assert await refused(rs(kid=kid), served(public())[0])


async def test_j6_unknown_keys_lead_to_one_fetch_a_minute() -> None:
    """J6."""
    now = [0.0]
    tokens, fetched = served(public(), clock=lambda: now[0])
    await tokens.verify(rs())
    now[0] = 100.0
    source: Any = tokens._source
    for number in range(10_000):
        assert await source.find_key(f"unknown{number}", frozenset({"RS256"})) is None
    assert len(fetched) == 2
    now[0] = 159.0
    assert await refused(rs(kid="other"), tokens)
    assert len(fetched) == 2
    now[0] = 160.0
    assert await refused(rs(kid="other"), tokens)
    assert len(fetched) == 3


@pytest.mark.parametrize("secret", ["", None, "secret", "a" * 64, 5, "changeme" * 5])
def test_j7_a_weak_secret_is_refused_at_the_start(secret: Any) -> None:
    """J7."""
    with pytest.raises(ConfigurationError):
        JWT(secret, algorithms=["HS256"], **PROFILE)


@pytest.mark.filterwarnings("ignore")
def test_j7_a_key_that_does_not_fit_is_refused_at_the_start() -> None:
    """J7."""
    for given, algorithm in [
        (SECRET, "HS512"),
        (RSAKey.generate_key(1024, private=True).as_pem(private=False), "RS256"),
        (EC.as_pem(private=False), "ES384"),
        (EC.as_pem(private=False), "RS256"),
        (RSA.as_pem(private=False), "ES256"),
        (b"no key", "RS256"),
        ("{", "RS256"),
    ]:
        with pytest.raises(ConfigurationError):
            JWT(given, algorithms=[algorithm], **PROFILE)


def protected() -> NexiosApp:
    app = NexiosApp(dependencies=[requires()])
    app.auth_backend = JWTAuth(hs())

    @app.get("/")
    async def home(request: Any, response: Any) -> Any:
        return request.user["sub"]

    return app


@pytest.mark.parametrize("text", ["a" * 2**20, ".".join(["a"] * 100), token().replace(".", "..", 1), token() + "."])
async def test_j8_a_huge_token_is_neither_decoded_nor_logged(text: Any, caplog: Any) -> None:
    """J8."""
    app = protected()
    answer = await call(app, headers=[(b"authorization", b"Bearer " + text.encode())])

    assert answer.status in (401, 431)
    assert all(text[:50] not in record.getMessage() for record in caplog.records)


async def test_j9_an_encrypted_token_is_malformed() -> None:
    """J9."""
    assert await refused(f"{b64(b'{}')}.{b64(b'k')}.{b64(b'iv')}.{b64(b'c')}.{b64(b't')}")


@pytest.mark.parametrize("issuer", ["https://a.evil", "https://", "HTTPS://A", ["https://a"], None, 5, "", {}])
async def test_j10_the_issuer_is_exactly_the_one(issuer: Any) -> None:
    """J10."""
    assert await refused(token(iss=issuer))


@pytest.mark.parametrize(
    ("audience", "fits"),
    [
        ("books", True),
        (["x", "books"], True),
        (["x"], False),
        ("book", False),
        ("books2", False),
        ("Books", False),
        ([], False),
        (None, False),
        ({"books": 1}, False),
        (["books", 5], False),
        (5, False),
    ],
)
async def test_j10_the_audience_is_exactly_one_of_those_named(audience: Any, fits: Any) -> None:
    """J10."""
    if fits:
        assert await hs().verify(token(aud=audience))
    else:
        assert await refused(token(aud=audience))


@pytest.mark.parametrize("name", ["iss", "aud", "exp"])
async def test_j10_issuer_audience_and_expiry_are_there(name: Any) -> None:
    """J10, J11."""
    claims = {"iss": "https://a", "aud": "books", "exp": NOW + 60, "sub": "ada"}
    del claims[name]
    assert await refused(token(claims=claims))


def test_j10_a_profile_names_both() -> None:
    """J10."""
    empty: dict[str, Any]
    for empty in ({"issuer": ""}, {"audience": ""}, {"audience": []}, {"leeway": 61}, {"leeway": -1}):
        with pytest.raises(ConfigurationError):
            hs(**empty)


@pytest.mark.parametrize("expiry", [True, "9999999999", None, [], -1, NOW, NOW - 1, 10**400, {"a": 1}])
async def test_j11_an_expiry_is_a_time_to_come(expiry: Any) -> None:
    """J11."""
    assert await refused(token(exp=expiry))


@pytest.mark.parametrize("raw", ["1e400", "NaN", "Infinity", "-Infinity"])
async def test_j11_an_expiry_is_a_number(raw: Any) -> None:
    """J11."""
    body = b'{"iss":"https://a","aud":"books","sub":"ada","exp":' + raw.encode() + b"}"
    assert await refused(token(claims=body))


async def test_j11_times_have_a_leeway_only_where_it_is_given() -> None:
    """J11."""
    assert await hs().verify(token(exp=NOW + 0.5))
    changes: list[dict[str, Any]] = [*({"exp": NOW - 29}, {"nbf": NOW + 30}, {"iat": NOW + 30})]
    for late in changes:
        assert await refused(token(**late))
        assert await hs(leeway=30).verify(token(**late))
    assert await refused(token(exp=NOW - 30), hs(leeway=30))


@pytest.mark.parametrize("body", [b'{"exp":1,"exp":9999999999}', b"[]", b"5", b"", b"{", b"\xff", b"[" * 5000])
async def test_j11_a_payload_is_one_object_with_each_name_once(body: Any) -> None:
    """J11."""
    assert await refused(token(claims=body))
    assert await refused(token(header=body))


@pytest.mark.parametrize("typ", ["JWT", "refresh+jwt", "", "logout+jwt", "at+jwt2", 5, None])
async def test_j12_a_token_of_another_kind_is_refused(typ: Any) -> None:
    """J12."""
    assert await refused(token({"alg": "HS256", "typ": typ}))
    assert await hs().verify(token({"alg": "HS256", "typ": "application/AT+JWT"}))
    assert await hs(typ="JWT").verify(token({"alg": "HS256", "typ": "JWT"}))


async def test_j17_a_token_has_one_form() -> None:
    """J17: unused bits, padding, line ends and the other alphabet make no second form of the same token."""
    text = token()
    head, body, signature = text.split(".")
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twisted = signature[:-1] + last[last.index(signature[-1]) ^ 1]
    for wrong in (f"{head}.{body}.{twisted}", text + "=", text + "\n", f"{head}.{body}+.{signature}", f" {text}"):
        assert await refused(wrong)
    for position in range(0, len(text), 7):
        changed = "A" if text[position] != "A" else "B"
        assert await refused(text[:position] + changed + text[position + 1 :])


@pytest.mark.parametrize("scheme", ["Basic ", "Token ", "Bearer", "Bearer  a ", "JWT "])
async def test_c15_another_scheme_is_no_bearer(scheme: Any) -> None:
    """C15."""
    app = protected()
    answer = await call(app, headers=[(b"authorization", (scheme + token()).encode())])
    assert (answer.status, "Bearer" in (answer.header("www-authenticate") or "")) == (401, True)


async def test_c15_two_headers_are_none_and_the_case_of_the_scheme_does_not_matter() -> None:
    """C15."""
    app = protected()
    valid = (b"authorization", b"bearer " + token().encode())
    assert (await call(app, headers=[valid])).status == 200
    assert (await call(app, headers=[valid, valid])).status == 401


@pytest.mark.parametrize("subject", ["", None, 5, [], "missing"])
async def test_a_token_without_a_subject_is_nobody(subject: Any) -> None:
    """Fault 14 of the published project: the identity was the empty text."""
    claims: dict[str, Any] = {"iss": "https://a", "aud": "books", "exp": NOW + 60}
    claims |= {} if subject == "missing" else {"sub": subject}
    app = protected()
    answer = await call(app, headers=[(b"authorization", b"Bearer " + token(claims=claims).encode())])
    assert answer.status == 401


async def test_keys_that_cannot_be_fetched_are_503_and_nobody_is_anonymous() -> None:
    async def fetch(url: str) -> bytes:
        raise OSError("no route")

    tokens = JWT(JWKS("https://login.example/keys", fetch=fetch), algorithms=["RS256"], **PROFILE)
    with pytest.raises(ServiceUnavailable):
        await tokens.verify(rs())
