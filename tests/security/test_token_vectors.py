"""Row J17: hundreds of tokens that are wrong in one way each, for each kind of algorithm, and keys that do not fit."""

from typing import Any

import pytest

pytest.importorskip("joserfc")

from nexios.auth.jose import key_of_jwk
from nexios.auth.jwt import JWT, InvalidToken
from tests.security.token_cases import (
    CLAIMS,
    KEYS,
    NOW,
    b64,
    encodings,
    paddings,
    public,
    shapes,
    signatures,
    token,
)

ALGORITHMS = ["EdDSA", "ES256", "HS256", "HS512", "PS256", "RS256", "RS512"]


def verifier(alg: str) -> JWT:
    given = {"k1": public(alg)}
    return JWT(given, algorithms=[alg], issuer="https://a", audience="books", typ=None, clock=lambda: NOW)


async def taken(alg: str, cases: Any) -> list[str]:
    """The names of the cases that are not refused."""
    tokens = verifier(alg)
    found: list[str] = []
    for name, text in cases:
        try:
            await tokens.verify(text)
        except InvalidToken:
            continue
        found.append(name)
    return found


@pytest.mark.parametrize("alg", ALGORITHMS)
async def test_j17_a_token_that_holds_is_taken(alg: str) -> None:
    """J17: what each of the cases is made from."""
    assert await verifier(alg).verify(token(alg)) == CLAIMS


@pytest.mark.parametrize("alg", ALGORITHMS)
async def test_j17_a_token_of_another_shape_is_refused(alg: str) -> None:
    """J17, J1, J4: parts that are missing, changed or in excess, other serializations, and headers."""
    cases = list(shapes(alg))
    assert len(cases) == 39
    assert await taken(alg, cases) == []


@pytest.mark.parametrize("alg", ALGORITHMS)
async def test_j17_a_token_that_is_encoded_in_another_way_is_refused(alg: str) -> None:
    """J17: one token has one form; otherwise a list of revoked tokens is passed by."""
    cases = list(encodings(alg))
    assert len(cases) >= 42
    assert await taken(alg, cases) == []


async def test_j17_a_signature_whose_padding_is_modified_is_refused() -> None:
    """J17, the cases ModifiedPadding: whoever looks for the digest somewhere inside takes a forgery."""
    cases = list(paddings())
    assert len(cases) == 22
    assert await taken("RS256", cases) == []


@pytest.mark.parametrize("alg", ALGORITHMS)
async def test_j17_a_signature_of_another_form_or_algorithm_is_refused(alg: str) -> None:
    """J17, J2, J3."""
    others = [(other, token(other)) for other in ALGORITHMS if other != alg]
    assert await taken(alg, [*signatures(), *others]) == []


RSA_JWK = KEYS["RS256"].as_dict(private=False)
EC_JWK = KEYS["ES256"].as_dict(private=False)

WRONG_KEYS: dict[str, tuple[str, dict[str, Any]]] = {
    "for encryption": ("RS256", {**RSA_JWK, "use": "enc"}),
    "of an unknown use": ("RS256", {**RSA_JWK, "use": "other"}),
    "a list for use": ("RS256", {**RSA_JWK, "use": ["sig"]}),
    "to sign only": ("RS256", {**RSA_JWK, "key_ops": ["sign"]}),
    "to encrypt only": ("RS256", {**RSA_JWK, "key_ops": ["encrypt", "wrapKey"]}),
    "for no operation": ("RS256", {**RSA_JWK, "key_ops": []}),
    "of another algorithm": ("RS256", {**RSA_JWK, "alg": "PS256"}),
    "of an algorithm of encryption": ("RS256", {**RSA_JWK, "alg": "RSA-OAEP"}),
    "of no algorithm": ("RS256", {**RSA_JWK, "alg": "none"}),
    "of an empty algorithm": ("RS256", {**RSA_JWK, "alg": ""}),
    "a list for alg": ("RS256", {**RSA_JWK, "alg": ["RS256"]}),
    "a number for key_ops": ("RS256", {**RSA_JWK, "key_ops": 1}),
    "a text for key_ops": ("RS256", {**RSA_JWK, "key_ops": "verify"}),
    "a list for kty": ("RS256", {**RSA_JWK, "kty": ["RSA"]}),
    "of another kind": ("ES256", RSA_JWK),
    "of no kind": ("RS256", {name: value for name, value in RSA_JWK.items() if name != "kty"}),
    "of a kind in lower case": ("RS256", {**RSA_JWK, "kty": "rsa"}),
    "without a modulus": ("RS256", {name: value for name, value in RSA_JWK.items() if name != "n"}),
    "of a short modulus": ("RS256", {**RSA_JWK, "n": b64(b"\xff" * 128)}),
    "without an exponent": ("RS256", {name: value for name, value in RSA_JWK.items() if name != "e"}),
    "of an even exponent": ("RS256", {**RSA_JWK, "e": b64(b"\x02")}),
    "of the exponent 1": ("RS256", {**RSA_JWK, "e": b64(b"\x01")}),
    "with a number for a text": ("RS256", {**RSA_JWK, "n": 5}),
    "of another curve": ("ES256", KEYS["EdDSA"].as_dict(private=False)),
    "of an unknown curve": ("ES256", {**EC_JWK, "crv": "P-999"}),
    "of a curve that does not fit": ("ES384", EC_JWK),
    "of a point that is not on the curve": ("ES256", {**EC_JWK, "y": EC_JWK["x"]}),
    "of the point at infinity": ("ES256", {**EC_JWK, "x": b64(bytes(32)), "y": b64(bytes(32))}),
    "of half a point": ("ES256", {name: value for name, value in EC_JWK.items() if name != "y"}),
    "a secret in a set": ("RS256", {"kty": "oct", "k": b64(b"s" * 32)}),
}


@pytest.mark.parametrize("name", sorted(WRONG_KEYS))
def test_j17_a_key_that_does_not_fit_is_no_key(name: str) -> None:
    """J17, J3: keys of a set; one is left out, and the others are good."""
    alg, jwk = WRONG_KEYS[name]
    assert key_of_jwk(jwk, frozenset({alg})) is None
    assert key_of_jwk(RSA_JWK, frozenset({"RS256"})) is not None
    assert key_of_jwk(EC_JWK, frozenset({"ES256"})) is not None
