"""JSON Web Tokens as a user pool signs them, and as a test wants them broken.

RFC 7515 (JWS), RFC 7517 (JWK), RFC 7519 (JWT). Claims and keys of a pool:
https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html
"""

import base64
import hashlib
import hmac
import json
import re
import secrets
from dataclasses import dataclass, field
from typing import Any, Callable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from . import strict_json

BASE64URL = re.compile(r"[A-Za-z0-9_-]*")


def b64url(data: bytes) -> str:
    """Base64 for URLs without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def un_b64url(text: str) -> bytes:
    """The bytes behind base64url text; ValueError for anything else, padding included."""
    if not BASE64URL.fullmatch(text):
        raise ValueError("not base64url")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class SigningKey:
    """One RSA key of a pool, under the id by which tokens name it."""

    def __init__(self) -> None:
        self.kid = base64.b64encode(secrets.token_bytes(32)).decode("ascii")
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def sign(self, data: bytes) -> bytes:
        """RS256 (RFC 7518, section 3.3)."""
        return self.private.sign(data, padding.PKCS1v15(), hashes.SHA256())

    def verify(self, signature: bytes, data: bytes) -> bool:
        try:
            self.private.public_key().verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return True

    def public_pem(self) -> bytes:
        """The public key as a file has it: what the HS256 confusion attack takes for a secret."""
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def jwk(self) -> dict[str, str]:
        """The public half as it stands in the pool's key set (RFC 7518, section 6.3.1)."""
        numbers = self.private.public_key().public_numbers()
        n = numbers.n.to_bytes(self.private.key_size // 8, "big")
        e = numbers.e.to_bytes(3, "big")
        return {
            "alg": "RS256", "e": b64url(e), "kid": self.kid, "kty": "RSA", "n": b64url(n), "use": "sig",
        }  # fmt: skip


def _hs256(key: SigningKey, data: bytes) -> bytes:
    return hmac.new(key.public_pem(), data, hashlib.sha256).digest()


ALGORITHMS: dict[str, Callable[[SigningKey, bytes], bytes]] = {
    "RS256": SigningKey.sign,
    "HS256": _hs256,
    "none": lambda key, data: b"",
}


@dataclass
class Token:
    """A token before it is encoded. Change any part, then take `str(token)`.

    `raw_header` and `raw_claims` replace what the dictionaries say (for JSON that no dictionary can hold,
    such as duplicate members); `signature` replaces the computed one.
    """

    key: SigningKey
    claims: dict[str, Any]
    header: dict[str, Any] = field(default_factory=dict)
    raw_header: bytes | None = None
    raw_claims: bytes | None = None
    signature: bytes | None = None

    def __post_init__(self) -> None:
        self.header = self.header or {"kid": self.key.kid, "alg": "RS256"}

    def __str__(self) -> str:
        header = _segment(self.raw_header, self.header)
        claims = _segment(self.raw_claims, self.claims)
        signed = f"{header}.{claims}"
        return f"{signed}.{b64url(self._signature(signed.encode('ascii')))}"

    def _signature(self, signed: bytes) -> bytes:
        """As the header's `alg` says; an algorithm nobody knows is signed with RS256."""
        if self.signature is not None:
            return self.signature
        return ALGORITHMS.get(str(self.header.get("alg")), SigningKey.sign)(self.key, signed)


def _segment(raw: bytes | None, value: dict[str, Any]) -> str:
    return b64url(json.dumps(value, separators=(",", ":")).encode() if raw is None else raw)


@dataclass(frozen=True)
class Decoded:
    """A token taken apart; nothing in it is believed yet."""

    header: dict[str, Any]
    claims: dict[str, Any]
    signed: bytes
    signature: bytes

    def signed_by(self, keys: list[SigningKey]) -> bool:
        """Whether one of these keys, named by `kid`, made the signature."""
        named = [key for key in keys if key.kid == self.header.get("kid")]
        rs256 = self.header.get("alg") == "RS256"
        return rs256 and any(key.verify(self.signature, self.signed) for key in named)


def decode(text: str) -> Decoded:
    """Take a token apart; ValueError unless it is three segments of base64url around JSON objects."""
    header, claims, signature = text.split(".")
    return Decoded(
        _object(un_b64url(header)),
        _object(un_b64url(claims)),
        f"{header}.{claims}".encode("ascii"),
        un_b64url(signature),
    )


def _object(data: bytes) -> dict[str, Any]:
    value = strict_json.loads(data)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value
