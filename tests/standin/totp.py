"""Codes of an authenticator app: RFC 6238 with SHA-1, six digits and steps of 30 seconds."""

import base64
import hmac

STEP = 30
DIGITS = 6
TOLERANCE = 1  # steps to either side (RFC 6238, section 5.2)


def totp(secret: str, at: float) -> str:
    """The code at that time; the secret is base32 as such apps take it."""
    return _hotp(secret, int(at) // STEP)


def step_of(secret: str, code: str, at: float) -> int | None:
    """The step near that time whose code it is."""
    now = int(at) // STEP
    for step in range(now - TOLERANCE, now + TOLERANCE + 1):
        if hmac.compare_digest(_hotp(secret, step).encode(), code.encode()):
            return step
    return None


def _hotp(secret: str, counter: int) -> str:
    """RFC 4226, section 5.3."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8), casefold=True)
    digest = hmac.digest(key, counter.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"
