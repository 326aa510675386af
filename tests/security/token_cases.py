"""Tokens that are wrong in one way each: of the kinds that Wycheproof has for JSON Web Signatures and Keys, made here.

Every case is made from a token that holds. Those with a signature of a wrong form are made with the private key, so
that nothing but the form is wrong with them.
Source: github.com/C2SP/wycheproof, the files json_web_signature_test and json_web_key_test, for the kinds of cases.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

__all__ = ["CLAIMS", "KEYS", "NOW", "SECRET", "b64", "encodings", "paddings", "public", "shapes", "signatures", "token"]

SECRET = b"q8Zt3nVw5yB7cE1fH4jK6mP9rS2uX0aD-GiLq8Zt3nVw5yB7cE1fH4jK6mP9rS2u"
NOW = 1_800_000_000
CLAIMS = {"iss": "https://a", "aud": "books", "exp": NOW + 60, "sub": "ada"}

RSA: Any = RSAKey.generate_key(2048, private=True)
EC: Any = ECKey.generate_key("P-256", private=True)
OKP = OKPKey.generate_key("Ed25519", private=True)
KEYS: dict[str, Any] = {
    "HS256": OctKey.import_key(SECRET), "HS512": OctKey.import_key(SECRET), "RS256": RSA, "RS512": RSA, "PS256": RSA,
    "ES256": EC, "EdDSA": OKP,
}  # fmt: skip
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of P-256 (FIPS 186-5)."""


def b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def public(alg: str) -> Any:
    """What verifies the tokens of an algorithm."""
    return SECRET if alg.startswith("HS") else KEYS[alg].as_dict(private=False)


def content_of(alg: str, header: Any = None) -> str:
    head = {"alg": alg, "kid": "k1"} if header is None else header
    return f"{b64(json.dumps(head).encode())}.{b64(json.dumps(CLAIMS).encode())}"


def token(alg: str, header: Any = None) -> str:
    """One that holds, but for the header."""
    content = content_of(alg, header)
    return f"{content}.{b64(JWSRegistry.algorithms[alg].sign(content.encode(), KEYS[alg]))}"


def shapes(alg: str) -> Iterator[tuple[str, str]]:
    """Parts that are missing, changed, in excess or of another token, and another serialization."""
    good = token(alg)
    head, body, signature = good.split(".")
    none = content_of(alg, {"alg": "none", "kid": "k1"})
    yield "modified signature", f"{head}.{body}.{_flipped(signature, 0)}"
    yield "modified end of the signature", f"{head}.{body}.{_flipped(signature, len(signature) - 2)}"
    yield "missing signature", f"{head}.{body}."
    yield "missing signature and separator", f"{head}.{body}"
    yield "modified payload", f"{head}.{_flipped(body, 5)}.{signature}"
    yield "missing payload", f"{head}..{signature}"
    yield "missing payload and separator", f"{head}.{signature}"
    yield "modified header", f"{_flipped(head, len(head) - 4)}.{body}.{signature}"
    yield "missing header", f".{body}.{signature}"
    yield "missing header and separator", f"{body}.{signature}"
    yield "missing header and signature", f".{body}."
    yield "only a payload", body
    yield "nothing", ""
    yield "only separators", ".."
    yield "an empty part more", good + "."
    yield "a part more", good + ".foo"
    yield "a part before", "foo." + good
    yield "half a signature", f"{head}.{body}.{signature[: len(signature) // 8 * 4]}"
    yield "twice the signature", f"{head}.{body}.{signature * 4}"
    yield "a signature of zeros", f"{head}.{body}.{b64(bytes(len(signature) * 3 // 4))}"
    yield "parts in another order", f"{body}.{head}.{signature}"
    yield "no algorithm and no signature", f"{none}."
    yield "no algorithm and a signature", f"{none}.{signature}"
    yield "an object", json.dumps({"payload": body, "protected": head, "signature": signature})
    yield (
        "an object of several",
        json.dumps({"payload": body, "signatures": [{"protected": head, "signature": signature}]}),
    )
    for name, header in _headers(alg).items():
        yield name, token(alg, header)


def _headers(alg: str) -> dict[str, Any]:
    """Each is signed: what is wrong is in the header alone."""
    own = {"alg": alg, "kid": "k1"}
    return {
        "no alg": {"kid": "k1"},
        "alg in lower case": {**own, "alg": alg.lower()},
        "alg with a space": {**own, "alg": alg + " "},
        "a list for alg": {**own, "alg": [alg]},
        "null for alg": {**own, "alg": None},
        "another alg": {**own, "alg": "ES512"},
        "crit": {**own, "crit": ["exp"], "exp": 1},
        "an empty crit": {**own, "crit": []},
        "b64": {**own, "b64": True},
        "a number for kid": {**own, "kid": 1},
        "a path for kid": {**own, "kid": "../k1"},
        "a list for a header": [own],
        "a text for a header": "alg",
        "encrypted": {**own, "enc": "A128GCM", "crit": ["enc"]},
    }


def encodings(alg: str) -> Iterator[tuple[str, str]]:
    """Other ways to write the same bytes: base64url has one."""
    parts = token(alg).split(".")
    for place, name in enumerate(("header", "payload", "signature")):
        part = parts[place]
        unused = LETTERS[LETTERS.index(part[-1]) ^ 1] if len(part) % 4 else None
        changes = {
            "padded": part + "=" * (-len(part) % 4 or 4),
            "padded with one": part + "=",
            "padded before": "=" + part,
            "a line end": part + "\n",
            "a line end inside": part[:4] + "\r\n" + part[4:],
            "a space": part[:4] + " " + part[4:],
            "a tab before": "\t" + part,
            "a NUL": part + "\x00",
            "another alphabet": part[:3] + "+/" + part[5:],
            "a letter more": part + "A",
            "a full-width letter": "\uff21" + part[1:],
            "a comma": part[:4] + "," + part[4:],
            "escaped": "%" + format(ord(part[0]), "02x") + part[1:],
            "a soft hyphen": part[:4] + "\xad" + part[4:],
        }
        if unused is not None:
            changes["unused bits"] = part[:-1] + unused
        for what, changed in changes.items():
            yield f"{name}: {what}", ".".join([*parts[:place], changed, *parts[place + 1 :]])


def paddings() -> Iterator[tuple[str, str]]:
    """RS256 signatures, made with the private key, of which the padding is not that of RFC 8017 section 9.2."""
    content = content_of("RS256")
    digest = hashlib.sha256(content.encode()).digest()
    prefix = bytes.fromhex("3031300d060960864801650304020105000420")
    no_null = bytes.fromhex("302f300b0609608648016503040201") + bytes.fromhex("0420")
    sha1 = (
        bytes.fromhex("3021300906052b0e03021a05000414") + hashlib.sha1(content.encode(), usedforsecurity=False).digest()
    )
    sha512 = bytes.fromhex("3051300d060960864801650304020305000440") + hashlib.sha512(content.encode()).digest()
    long_form = bytes.fromhex("308131300d060960864801650304020105000420")
    right = _padded(prefix + digest)
    encoded = {
        "no hash at all": _padded(b""),
        "the digest alone": _padded(digest),
        "no NULL in the identifier": _padded(no_null + digest),
        "a length in long form": _padded(long_form + digest),
        "SHA-1": _padded(sha1),
        "SHA-512": _padded(sha512),
        "another digest": _padded(prefix + hashlib.sha256(b"other").digest()),
        "a digest cut short": _padded(prefix + digest[:-1]),
        "a byte after the digest": _padded(prefix + digest + b"\x00"),
        "short padding and garbage": b"\x00\x01"
        + b"\xff" * 8
        + b"\x00"
        + prefix
        + digest
        + b"\x01" * (256 - 11 - 19 - 32),
        "no padding and garbage": b"\x00\x01\x00" + prefix + digest + b"\xff" * (256 - 3 - 19 - 32),
        "padding of zeros": right.replace(b"\xff", b"\x00"),
        "one other byte of padding": right[:10] + b"\xfe" + right[11:],
        "padding for encryption": b"\x00\x02" + right[2:],
        "padding of kind 0": b"\x00\x00" + right[2:],
        "no zero after the padding": right[: -len(prefix + digest) - 1] + b"\xff" + prefix + digest,
    }
    for name, message in encoded.items():
        yield name, f"{content}.{b64(_raised(message))}"
    signature = _raised(right)
    number = int.from_bytes(signature) + RSA.raw_value.private_numbers().public_numbers.n
    yield "a zero before", f"{content}.{b64(bytes(1) + signature)}"
    yield "a zero after", f"{content}.{b64(signature + bytes(1))}"
    yield "the modulus added", f"{content}.{b64(number.to_bytes(257))}"
    yield "the message itself", f"{content}.{b64(right)}"
    yield "one", f"{content}.{b64((1).to_bytes(256))}"
    yield "a byte missing", f"{content}.{b64(signature[1:])}"


def signatures() -> Iterator[tuple[str, str]]:
    """Signatures of ES256, PS256 and EdDSA of another form, for another algorithm or with another key."""
    content = content_of("ES256")
    signed = JWSRegistry.algorithms["ES256"].sign(content.encode(), EC)
    r, s = signed[:32], signed[32:]
    pairs = {
        "r and s changed": s + r,
        "r is 0": bytes(32) + s,
        "s is 0": r + bytes(32),
        "both 0": bytes(64),
        "both 1": (b"\x00" * 31 + b"\x01") * 2,
        "both the order": ORDER.to_bytes(32) * 2,
        "r is the order": ORDER.to_bytes(32) + s,
        "s over the order": r + min(int.from_bytes(s) + ORDER, 2**256 - 1).to_bytes(32),
        "all ones": b"\xff" * 64,
        "DER": encode_dss_signature(int.from_bytes(r), int.from_bytes(s)),
        "each a byte longer": b"\x00" + r + b"\x00" + s,
        "a byte longer": signed + b"\x00",
        "a byte shorter": signed[:-1],
        "r alone": r,
    }
    for name, value in pairs.items():
        yield f"ES256: {name}", f"{content}.{b64(value)}"
    der = EC.raw_value.sign(content.encode(), ECDSA(hashes.SHA384()))
    yield "ES256: another hash", f"{content}.{b64(b''.join(n.to_bytes(32) for n in decode_dss_signature(der)))}"
    yield from _probabilistic()
    content = content_of("EdDSA")
    made = JWSRegistry.algorithms["EdDSA"].sign(content.encode(), OKP)
    order = 2**252 + 27742317777372353535851937790883648493  # of Ed25519 (RFC 8032 section 5.1)
    over = (int.from_bytes(made[32:], "little") + order).to_bytes(32, "little")
    other = JWSRegistry.algorithms["EdDSA"].sign(content.encode(), OKPKey.generate_key("Ed25519"))
    yield "EdDSA: s over the order", f"{content}.{b64(made[:32] + over)}"
    yield "EdDSA: all zeros", f"{content}.{b64(bytes(64))}"
    yield "EdDSA: a byte longer", f"{content}.{b64(made + bytes(1))}"
    yield "EdDSA: another key", f"{content}.{b64(other)}"
    yield from _public_keys_as_secrets()


def _public_keys_as_secrets() -> Iterator[tuple[str, str]]:
    content = content_of("HS256")
    for alg in ("RS256", "ES256", "EdDSA"):
        key = KEYS[alg]
        forms = {
            "PEM": key.as_pem(private=False),
            "DER": key.as_der(private=False),
            "JWK": json.dumps(public(alg)).encode(),
        }
        for name, secret in forms.items():
            yield (
                f"{alg}: the {name} of the key as a secret",
                f"{content}.{b64(hmac.digest(secret, content.encode(), 'sha256'))}",
            )


def _probabilistic() -> Iterator[tuple[str, str]]:
    content = content_of("PS256")
    sha256 = hashes.SHA256()
    variants = {
        "no salt": (padding.PSS(padding.MGF1(sha256), 0), sha256),
        "a short salt": (padding.PSS(padding.MGF1(sha256), 20), sha256),
        "a long salt": (padding.PSS(padding.MGF1(sha256), padding.PSS.MAX_LENGTH), sha256),
        "a mask of another hash": (padding.PSS(padding.MGF1(hashes.SHA1()), 32), sha256),
        "another hash": (padding.PSS(padding.MGF1(hashes.SHA384()), 48), hashes.SHA384()),
        "PKCS 1 padding": (padding.PKCS1v15(), sha256),
    }
    for name, (pad, kind) in variants.items():
        yield f"PS256: {name}", f"{content}.{b64(RSA.raw_value.sign(content.encode(), pad, kind))}"


def _padded(content: bytes) -> bytes:
    return b"\x00\x01" + b"\xff" * (256 - 3 - len(content)) + b"\x00" + content


def _raised(message: bytes) -> bytes:
    """The private operation of RSA alone."""
    numbers = RSA.raw_value.private_numbers()
    raised: int = pow(int.from_bytes(message), numbers.d, numbers.public_numbers.n)
    return raised.to_bytes(256)


def _flipped(part: str, position: int) -> str:
    return part[:position] + ("B" if part[position] != "B" else "C") + part[position + 1 :]
