"""A user pool: its keys, app clients and users, and the messages it has sent."""

import base64
import hashlib
import hmac
import json
import secrets
import string
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Callable

from .clock import Clock
from .tokens import SigningKey, Token

HOUR = 3600
CODE_LIFETIME = 24 * HOUR
TOKEN_LIFETIME = HOUR
SIGN_IN_SCOPE = "aws.cognito.signin.user.admin"

# Calls per user and hour; None is no limit.
# https://docs.aws.amazon.com/cognito/latest/developerguide/limits.html
QUOTAS: dict[str, int | None] = {"GetUserAttributeVerificationCode": 5, "VerifyUserAttribute": 15}

MEDIUM = {"email": "EMAIL", "phone_number": "SMS"}


@dataclass
class Client:
    """An app client."""

    id: str
    secret: str | None = None

    def secret_hash(self, username: str) -> str:
        """https://docs.aws.amazon.com/cognito/latest/developerguide/signing-up-users-in-your-app.html"""
        assert self.secret is not None
        digest = hmac.digest(self.secret.encode(), f"{username}{self.id}".encode(), hashlib.sha256)
        return base64.b64encode(digest).decode("ascii")


@dataclass
class Code:
    """A verification code that was sent and is not used yet."""

    digits: str
    expires: float


@dataclass
class User:
    """One user. `attributes` are strings as Cognito keeps them, `email_verified` is "true" or "false"."""

    username: str
    password: str
    attributes: dict[str, str]
    status: str = "CONFIRMED"  # or UNCONFIRMED, RESET_REQUIRED
    enabled: bool = True
    codes: dict[str, Code] = field(default_factory=dict)
    calls: dict[str, list[float]] = field(default_factory=dict)
    failures: int = 0
    locked_until: float = 0.0

    @property
    def sub(self) -> str:
        return self.attributes["sub"]

    def verified(self, attribute: str) -> bool:
        return self.attributes.get(f"{attribute}_verified") == "true"


@dataclass(frozen=True)
class CodeMessage:
    """A message as the pool sent it; `client_metadata` is what the message trigger received."""

    user: str
    attribute: str
    medium: str
    address: str
    destination: str
    code: str
    client_metadata: dict[str, str]


class Pool:
    """A user pool. Everything public may be changed by a test at any time."""

    def __init__(
        self,
        region: str,
        clock: Clock,
        client_secret: str | None = None,
        keys: list[SigningKey] | None = None,
    ) -> None:
        self.id = f"{region}_{_random(string.ascii_letters + string.digits, 9)}"
        self.issuer = f"https://cognito-idp.{region}.amazonaws.com/{self.id}"
        self.clock = clock
        self.keys = keys or two_keys()
        self.clients: dict[str, Client] = {}
        self.client_id = self.add_client(client_secret).id
        self.users: dict[str, User] = {}
        self.aliases: set[str] = set()
        self.quotas = dict(QUOTAS)
        self.delivery_details = True
        self.user_existence_errors = False
        self.revoked: list[str] = []
        self.outbox: list[CodeMessage] = []
        self.on_message: Callable[[CodeMessage], None] = lambda message: None

    def add_client(self, secret: str | None = None) -> Client:
        """Another app client of this pool, with a secret if one is given."""
        client = Client(_random(string.ascii_lowercase + string.digits, 26), secret)
        self.clients[client.id] = client
        return client

    def add_user(self, username: str, password: str, status: str = "CONFIRMED", **attributes: str) -> User:
        """A user with attributes such as `email`: unverified unless `email_verified="true"` is given."""
        flags = {f"{name}_verified": "false" for name in MEDIUM if name in attributes}
        user = User(username, password, {"sub": str(uuid.uuid4()), **flags, **attributes}, status)
        self.users[username] = user
        return user

    def find(self, name: str) -> User | None:
        """A user by name, by sub, or by a verified attribute that is an alias in this pool."""
        return self.users.get(name) or next(
            (user for user in self.users.values() if self._known_as(user, name)), None
        )

    def _known_as(self, user: User, name: str) -> bool:
        aliases = {user.attributes.get(alias) for alias in self.aliases if user.verified(alias)}
        return name == user.sub or name in aliases

    def access_token(self, username: str, client_id: str | None = None) -> Token:
        """A fresh access token; tests change its parts before they encode it with `str`."""
        user = self.users[username]
        claims = self._common_claims(user) | {
            "client_id": client_id or self.client_id,
            "token_use": "access",
            "scope": SIGN_IN_SCOPE,
            "username": user.username,
        }
        return Token(self.keys[1], claims)

    def id_token(self, username: str, client_id: str | None = None) -> Token:
        """The ID token beside it: signed with the other key, and good for no operation here."""
        user = self.users[username]
        claims = self._common_claims(user) | {
            "aud": client_id or self.client_id,
            "token_use": "id",
            "cognito:username": user.username,
            **{name: _typed(name, value) for name, value in user.attributes.items()},
        }
        return Token(self.keys[0], claims)

    def _common_claims(self, user: User) -> dict[str, Any]:
        now = int(self.clock.now())
        return {
            "sub": user.sub,
            "iss": self.issuer,
            "origin_jti": str(uuid.uuid4()),
            "event_id": str(uuid.uuid4()),
            "auth_time": now,
            "iat": now,
            "exp": now + TOKEN_LIFETIME,
            "jti": str(uuid.uuid4()),
        }

    def revoke(self, token: Token) -> None:
        """As RevokeToken and GlobalSignOut do: all tokens of that sign-in end."""
        self.revoked.append(token.claims["origin_jti"])

    def rotate_keys(self) -> None:
        """New keys in place of the old ones."""
        self.keys = two_keys()

    def jwks(self) -> dict[str, Any]:
        """The key set as it is served under the issuer."""
        return {"keys": [key.jwk() for key in self.keys]}

    def within_quota(self, user: User, operation: str) -> bool:
        """Count a call of this user; False when the last hour already holds as many as the quota allows."""
        limit = self.quotas.get(operation)
        now = self.clock.now()
        calls = [then for then in user.calls.get(operation, []) if then > now - HOUR]
        allowed = limit is None or len(calls) < limit
        user.calls[operation] = calls + [now] if allowed else calls
        return allowed

    def send_code(self, user: User, attribute: str, client_metadata: dict[str, str]) -> CodeMessage:
        """Send a new code to the attribute's address. It replaces the one before."""
        digits = _random(string.digits, 6)
        user.codes[attribute] = Code(digits, self.clock.now() + CODE_LIFETIME)
        address = user.attributes[attribute]
        message = CodeMessage(
            user.username,
            attribute,
            MEDIUM[attribute],
            address,
            masked(address),
            digits,
            client_metadata,
        )
        self.outbox.append(message)
        self.on_message(message)
        return message


def masked(address: str) -> str:
    """An address as Cognito shows it: `a***@e***`, `+*******1234`."""
    if "@" in address:
        local, domain = address.split("@", 1)
        return f"{local[:1]}***@{domain[:1]}***"
    return "+" + "*" * (len(address) - 5) + address[-4:]


def two_keys() -> list[SigningKey]:
    """A pool's keys: one for ID tokens, one for access tokens. Made side by side, for it takes long."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda _: SigningKey(), range(2)))


def _typed(name: str, value: str) -> Any:
    """Claims have JSON's types where attributes have text alone."""
    return json.loads(value) if name.endswith("_verified") else value


def _random(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))
