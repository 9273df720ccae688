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
from .srp import Exchange
from .tokens import SigningKey, Token
from .totp import totp

BASE32 = string.ascii_uppercase + "234567"
HOUR = 3600
CODE_LIFETIME = 24 * HOUR
TOKEN_LIFETIME = HOUR
SESSION_LIFETIME = 180
SESSION_LENGTH = 1024  # characters; the service gives from 20 to 2048
SESSION_START = "AYABe"  # as the service's do; command lines would take a hyphen for an option
SIGN_IN_SCOPE = "aws.cognito.signin.user.admin"

# Calls per user and hour; None is no limit.
# https://docs.aws.amazon.com/cognito/latest/developerguide/limits.html
QUOTAS: dict[str, int | None] = {"GetUserAttributeVerificationCode": 5, "VerifyUserAttribute": 15}

# What an app client may do unless a test says otherwise.
# https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html
FLOWS = ("ALLOW_USER_SRP_AUTH", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH")

MEDIUM = {"email": "EMAIL", "phone_number": "SMS"}


@dataclass
class Client:
    """An app client."""

    id: str
    secret: str | None = None
    flows: set[str] = field(default_factory=lambda: set(FLOWS))

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
    """One user. `attributes` are strings as Cognito keeps them, `email_verified` is "true" or "false".

    `mfa` are the names of challenges that may follow the password, as UserMFASettingList has them. `demand` is
    one that follows it whatever else is set, be it known here or not.
    """

    username: str
    password: str
    attributes: dict[str, str]
    status: str = "CONFIRMED"  # or UNCONFIRMED, RESET_REQUIRED, FORCE_CHANGE_PASSWORD
    enabled: bool = True
    codes: dict[str, Code] = field(default_factory=dict)
    calls: dict[str, list[float]] = field(default_factory=dict)
    failures: int = 0
    locked_until: float = 0.0
    mfa: list[str] = field(default_factory=list)
    preferred_mfa: str | None = None
    demand: str | None = None
    totp_secret: str | None = field(default_factory=lambda: _random(BASE32, 32))
    totp_step: int = 0  # the last one whose code was used
    salt: int = field(default_factory=lambda: secrets.randbits(128))

    @property
    def sub(self) -> str:
        return self.attributes["sub"]

    def verified(self, attribute: str) -> bool:
        return self.attributes.get(f"{attribute}_verified") == "true"


@dataclass
class Session:
    """A sign-in that waits for the answer to a challenge. `token` is what Session says; it may be empty."""

    challenge: str
    user: User
    client_id: str
    code: str = ""
    exchange: Exchange | None = None
    token: str = ""
    key: str = ""
    expires: float = 0.0


@dataclass(frozen=True)
class CodeMessage:
    """A message as the pool sent it; `client_metadata` is what the message trigger received.

    `challenge` is the sign-in's challenge to which the code is the answer; other codes have none.
    """

    user: str
    attribute: str
    medium: str
    address: str
    destination: str
    code: str
    client_metadata: dict[str, str]
    challenge: str | None = None


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
        self.sessions: dict[str, Session] = {}
        self.session_lifetime = SESSION_LIFETIME
        self.session_length = SESSION_LENGTH
        self.srp_session = False
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

    def totp(self, username: str) -> str:
        """What the user's authenticator app shows now."""
        user = self.users[username]
        assert user.totp_secret is not None
        return totp(user.totp_secret, self.clock.now())

    def open(self, session: Session, key: str | None = None) -> Session:
        """Let it wait under its Session, or under another key: then it has a Session if `srp_session` says so."""
        if key is None or self.srp_session:
            rest = self.session_length - len(SESSION_START)
            session.token = SESSION_START + _random(string.ascii_letters + string.digits + "-_", rest)
        session.key = key or session.token
        session.expires = self.clock.now() + self.session_lifetime
        self.sessions[session.key] = session
        return session

    def close(self, session: Session) -> None:
        """No more answers."""
        self.sessions.pop(session.key, None)

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
        message = self._send(user, attribute, client_metadata)
        user.codes[attribute] = Code(message.code, self.clock.now() + CODE_LIFETIME)
        return message

    def send_mfa_code(
        self, user: User, attribute: str, challenge: str, client_metadata: dict[str, str]
    ) -> CodeMessage:
        """Send the code that answers a challenge. It has nothing to do with the attribute's own code."""
        return self._send(user, attribute, client_metadata, challenge)

    def _send(
        self, user: User, attribute: str, client_metadata: dict[str, str], challenge: str | None = None
    ) -> CodeMessage:
        address = user.attributes[attribute]
        message = CodeMessage(
            user.username,
            attribute,
            MEDIUM[attribute],
            address,
            masked(address),
            _random(string.digits, 6),
            client_metadata,
            challenge,
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
