"""The window of signing: secrets, signed values and signed URLs."""

from nexios.signing.keyring import Keyring
from nexios.signing.signer import BadSignature, SignatureExpired, Signer
from nexios.signing.urls import sign_url, verify_url

__all__ = ["BadSignature", "Keyring", "SignatureExpired", "Signer", "sign_url", "verify_url"]
