"""Who calls: the strict check of an access token."""

from typing import Any, Callable

from .errors import CognitoError
from .pool import SIGN_IN_SCOPE, Pool, User
from .tokens import Decoded, decode

INVALID = "Invalid Access Token"

Pools = dict[str, Pool]

# (what must hold, what the service says otherwise), in this order
CHECKS: tuple[tuple[Callable[[Pool, Decoded], bool], str], ...] = (
    (lambda pool, token: token.signed_by(pool.keys), "Could not verify signature for Access Token"),
    (lambda pool, token: token.claims.get("token_use") == "access", INVALID),
    (lambda pool, token: token.claims.get("client_id") in list(pool.clients), INVALID),
    (lambda pool, token: _number(token.claims.get("exp")) > pool.clock.now(), "Access Token has expired"),
    (
        lambda pool, token: token.claims.get("origin_jti") not in pool.revoked,
        "Access Token has been revoked",
    ),
    (
        lambda pool, token: SIGN_IN_SCOPE in _words(token.claims.get("scope")),
        "Access Token does not have required scopes",
    ),
)

# user status: the error for one who signs in or holds a token
STATUS_ERRORS = {
    "UNCONFIRMED": ("UserNotConfirmedException", "User is not confirmed."),
    "RESET_REQUIRED": ("PasswordResetRequiredException", "Password reset required for the user"),
}


def caller(pools: Pools, access_token: str) -> tuple[Pool, User]:
    """The user for whom a token speaks, and the pool that issued it.

    The pool is found *in the token*: the regional endpoint serves every pool of the region. Claims may have
    any JSON type here, also one that no dictionary or set could look up.
    """
    try:
        token = decode(access_token)
    except ValueError:
        raise CognitoError("NotAuthorizedException", INVALID) from None
    pool = next((pool for pool in pools.values() if pool.issuer == token.claims.get("iss")), None)
    if pool is None:
        raise CognitoError("NotAuthorizedException", INVALID)
    for holds, message in CHECKS:
        if not holds(pool, token):
            raise CognitoError("NotAuthorizedException", message)
    return pool, _user(pool, token)


def check_status(user: User) -> None:
    """Refuse a user who is disabled, or not in a state to sign in."""
    if not user.enabled:
        raise CognitoError("NotAuthorizedException", "User is disabled.")
    if user.status in STATUS_ERRORS:
        raise CognitoError(*STATUS_ERRORS[user.status])


def _user(pool: Pool, token: Decoded) -> User:
    users = (user for user in pool.users.values() if user.sub == token.claims.get("sub"))
    user = next(users, None)
    if user is None or user.username != token.claims.get("username"):
        raise CognitoError("UserNotFoundException", "User does not exist.")
    check_status(user)
    return user


def _number(value: Any) -> float:
    return value if type(value) in (int, float) else 0.0


def _words(value: Any) -> list[str]:
    return value.split() if isinstance(value, str) else []
