"""The server's side of USER_SRP_AUTH: what a pool keeps instead of a password, and one sign-in with it.

SRP-6a (RFC 5054, RFC 2945) with SHA-256, numbers hashed as Java's `BigInteger.toByteArray` writes them, and the key
of RFC 5869. Plain arithmetic, which takes its time by the secrets: for tests alone.
"""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timezone

# The prime of RFC 5054's group of 3072 bits, which is that of RFC 3526, section 4. Cognito's generator is another.
N = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F"
    "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510"
    "15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7"
    "ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C"
    "BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF",
    16,
)
G = 2
INFO = b"Caldera Derived Key\x01"

HEX = re.compile(r"[0-9a-fA-F]+")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def pad(number: int) -> bytes:
    """As few bytes as hold the number and, before it, a zero bit."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def _hash(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def _number(digest: bytes) -> int:
    return int.from_bytes(digest, "big")


K = _number(_hash(pad(N), pad(G)))


@dataclass(frozen=True)
class Verifier:
    """What the pool keeps of a password. `user_id` is USER_ID_FOR_SRP."""

    pool_name: str
    user_id: str
    salt: int
    value: int


def verifier(pool_id: str, user_id: str, password: str, salt: int | None = None) -> Verifier:
    """The verifier of a password, with a salt of its own unless one is given."""
    salt = _number(secrets.token_bytes(16)) if salt is None else salt
    pool_name = pool_id.partition("_")[2]
    x = _number(_hash(pad(salt), _hash(f"{pool_name}{user_id}:{password}".encode())))
    return Verifier(pool_name, user_id, salt, pow(G, x, N))


@dataclass(frozen=True)
class Exchange:
    """One sign-in, from SRP_A to the proof. ValueError if SRP_A is no public key."""

    verifier: Verifier
    srp_a: str
    private: int = field(default_factory=lambda: _number(secrets.token_bytes(32)))
    secret_block: bytes = field(default_factory=lambda: secrets.token_bytes(1024))

    def __post_init__(self) -> None:
        if not HEX.fullmatch(self.srp_a) or self.a.bit_length() > N.bit_length() or self.a % N == 0:
            raise ValueError("SRP_A is no public key")

    @property
    def a(self) -> int:
        return int(self.srp_a, 16)

    @property
    def b(self) -> int:
        return (K * self.verifier.value + pow(G, self.private, N)) % N

    def parameters(self) -> dict[str, str]:
        """The ChallengeParameters that this side of it gives; USERNAME is the flow's to add."""
        return {
            "USER_ID_FOR_SRP": self.verifier.user_id,
            "SALT": f"{self.verifier.salt:x}",
            "SRP_B": f"{self.b:x}",
            "SECRET_BLOCK": base64.b64encode(self.secret_block).decode("ascii"),
        }

    def key(self) -> bytes:
        """What both sides come to if the client knows the password."""
        u = _number(_hash(pad(self.a), pad(self.b)))
        s = pow(self.a * pow(self.verifier.value, u, N), self.private, N)
        extracted = hmac.digest(pad(u), pad(s), "sha256")
        return hmac.digest(extracted, INFO, "sha256")[:16]

    def signature(self, timestamp: str) -> str:
        """The right PASSWORD_CLAIM_SIGNATURE."""
        names = f"{self.verifier.pool_name}{self.verifier.user_id}".encode()
        claim = names + self.secret_block + timestamp.encode()
        return base64.b64encode(hmac.digest(self.key(), claim, "sha256")).decode("ascii")

    def accepts(self, responses: dict[str, str]) -> bool:
        """Whether ChallengeResponses prove the password. ValueError if TIMESTAMP is none."""
        timestamp = responses["TIMESTAMP"]
        parse_timestamp(timestamp)
        block = self.parameters()["SECRET_BLOCK"]
        same_block = hmac.compare_digest(block.encode(), responses["PASSWORD_CLAIM_SECRET_BLOCK"].encode())
        given = responses["PASSWORD_CLAIM_SIGNATURE"].encode()
        return same_block and hmac.compare_digest(self.signature(timestamp).encode(), given)


def timestamp_of(time: datetime) -> str:
    """TIMESTAMP as clients write it: English in every locale, the day without a zero before it."""
    utc = time.astimezone(timezone.utc)
    return f"{DAYS[utc.weekday()]} {MONTHS[utc.month - 1]} {utc.day} {utc:%H:%M:%S} UTC {utc.year}"


def parse_timestamp(text: str) -> datetime:
    """The time that a TIMESTAMP says; ValueError unless it is written exactly so."""
    words = text.split(" ")
    if len(words) != 6 or words[1] not in MONTHS or not words[2].isdecimal():
        raise ValueError(f"not a timestamp: {text}")
    month = MONTHS.index(words[1]) + 1
    clock = datetime.strptime(f"{words[5]} {month} {words[2]} {words[3]}", "%Y %m %d %H:%M:%S")
    time = clock.replace(tzinfo=timezone.utc)
    if timestamp_of(time) != text:
        raise ValueError(f"not a timestamp: {text}")
    return time
