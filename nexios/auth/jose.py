"""Is this signature made with that key? Keys of JSON Web Tokens, each bound to the algorithms it may be used with.

A key knows its kind, and so the header of a token cannot choose what a key is taken for (RFC 8725 section 3.1).
The extra `jwt` brings the algorithms.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

from nexios.errors import ConfigurationError
from nexios.signing.strength import HOW_TO_MAKE_ONE, weakness

try:
    from joserfc.errors import JoseError
    from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
    from joserfc.jws import JWSRegistry
except ModuleNotFoundError as _missing:
    raise ConfigurationError(
        f'JSON Web Tokens need the package {_missing.name}:\n\n    pip install "nexios[jwt]"\n'
    ) from _missing

__all__ = ["Family", "JWTKey", "family_of", "key_of_jwk"]

Family = Literal["oct", "RSA", "EC", "OKP"]

_FAMILIES: Final[Mapping[Family, frozenset[str]]] = {
    "oct": frozenset({"HS256", "HS384", "HS512"}),
    "RSA": frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
    "EC": frozenset({"ES256", "ES384", "ES512"}),
    "OKP": frozenset({"EdDSA", "Ed25519"}),
}
_KINDS: Final[Mapping[Family, Any]] = {"oct": OctKey, "RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
_CURVES: Final = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
_DIGESTS: Final = {"HS256": 32, "HS384": 48, "HS512": 64}
_LEAST_RSA: Final = 2048
"""Bits (RFC 7518 section 3.3)."""
_NO_SECRET: Final = (b"-----BEGIN", b"---- BEGIN", b"ssh-", b"ecdsa-sha2-", b"{")
"""How keys begin that are no secret: of a public one, everybody could make tokens."""


class JWTKey:
    """A key, and the algorithms it is for. Shows nothing of itself."""

    __slots__ = ("_key", "algorithms")

    def __init__(self, key: Any, algorithms: frozenset[str]) -> None:
        self._key = key
        self.algorithms: frozenset[str] = algorithms

    @classmethod
    def of(cls, given: object, algorithms: Iterable[str]) -> "JWTKey":
        """Return a key from a secret, a PEM or a JWK.

        Raises:
            ConfigurationError: It is no key of these algorithms, or too weak.
        """
        asked = frozenset(algorithms)
        family = family_of(asked)
        key = _secret(given, asked) if family == "oct" else _imported(given, family)
        said = key.dict_value.get("alg", "") if family != "oct" else ""
        fitting = frozenset(name for name in asked if _fits(name, key) and said in ("", name))
        if not fitting:
            raise ConfigurationError(f"The key is for none of the algorithms {', '.join(sorted(asked))}.")
        return cls(key, fitting)

    def verify(self, algorithm: str, content: bytes, signature: bytes) -> bool:
        """Whether `signature` is that of `content`; never with an algorithm that is not this key's."""
        if algorithm not in self.algorithms:
            return False
        try:
            return bool(JWSRegistry.algorithms[algorithm].verify(content, signature, self._key))
        except (JoseError, ValueError):
            return False

    def sign(self, algorithm: str, content: bytes) -> bytes:
        """Return the signature of `content`.

        Raises:
            ConfigurationError: This is a public key, which can only verify.
        """
        if not self._key.is_private:
            raise ConfigurationError("This key is public: it verifies tokens, and cannot issue them.")
        return bytes(JWSRegistry.algorithms[algorithm].sign(content, self._key))

    def __repr__(self) -> str:
        """Without the key."""
        return f"JWTKey({', '.join(sorted(self.algorithms))})"


def family_of(algorithms: Iterable[str]) -> Family:
    """Return the kind of key that these algorithms have in common.

    Raises:
        ConfigurationError: There is none: of two kinds one could be taken for the other. Or there are no algorithms.
    """
    names = frozenset((algorithms,)) if isinstance(algorithms, str) else frozenset(algorithms)
    for family, members in _FAMILIES.items():
        if names and names <= members:
            return family
    known = "; ".join(", ".join(sorted(members)) for members in _FAMILIES.values())
    raise ConfigurationError(
        f"algorithms={sorted(map(str, names))} are not of one kind. Take one or more of one of these: {known}."
    )


def key_of_jwk(jwk: Mapping[str, Any], algorithms: frozenset[str]) -> JWTKey | None:
    """Return the key of an entry of a JWK Set (RFC 7517); None for one that is not for verifying these tokens."""
    if jwk.get("kty") != family_of(algorithms) or jwk.get("use", "sig") != "sig":
        return None
    purposes = jwk.get("key_ops", ["verify"])
    if not isinstance(purposes, list) or "verify" not in purposes:
        return None
    allowed = frozenset(name for name in algorithms if jwk.get("alg", name) == name)
    try:
        return JWTKey.of(dict(jwk), allowed) if allowed else None
    except Exception:  # one key that is malformed, however it is, takes none of the others away
        return None


def _secret(given: object, algorithms: frozenset[str]) -> Any:
    content = given.encode() if isinstance(given, str) else given
    if not isinstance(content, bytes):
        raise ConfigurationError(f"The key of {', '.join(sorted(algorithms))} is a secret: str or bytes.")
    least = max(_DIGESTS[name] for name in algorithms)
    problem = weakness(content) or (f"it has {len(content)} bytes, and {least} is the least" * (len(content) < least))
    if content.lstrip().startswith(_NO_SECRET):
        problem = "it is a key in a text format, and no secret"
    if problem:
        raise ConfigurationError(f"The secret of the tokens is too weak: {problem}.\n\n{HOW_TO_MAKE_ONE}")
    try:
        return OctKey.import_key(content)
    except ValueError:  # it is a public key
        raise ConfigurationError("The secret of the tokens is a public key, with which everybody can sign.") from None


def _imported(given: object, family: Family) -> Any:
    kind = _KINDS[family]
    value: Any = given
    try:
        if isinstance(given, str) and given.lstrip().startswith("{"):
            value = json.loads(given)
        key = kind.import_key(dict(value) if isinstance(value, Mapping) else value)
        bits = key.raw_value.key_size if family == "RSA" else _LEAST_RSA
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        raise ConfigurationError(f"The key is no {family} key: give a PEM or a JWK.") from None
    if bits < _LEAST_RSA:
        raise ConfigurationError(f"The RSA key has {bits} bits, and {_LEAST_RSA} is the least.")
    return key


def _fits(algorithm: str, key: Any) -> bool:
    curve = _CURVES.get(algorithm) or ("Ed25519" if algorithm in _FAMILIES["OKP"] else None)
    return curve is None or key.curve_name == curve
