"""InitiateAuth: one row of FLOWS for each authentication flow.

https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_InitiateAuth.html
"""

import hmac
import secrets
from typing import Any, Callable

from .access import Pools, check_status
from .errors import CognitoError
from .pool import TOKEN_LIFETIME, Client, Pool, User
from .tokens import b64url

Answer = dict[str, Any]

# Five wrong passwords lock out for a second, and each further one for twice as long, up to about 15 minutes.
# https://docs.aws.amazon.com/cognito/latest/developerguide/authentication.html
FREE_FAILURES = 5
LONGEST_LOCKOUT = 900


def initiate_auth(pools: Pools, request: dict[str, Any]) -> Answer:
    """Find the app client, check its secret, and let the flow decide."""
    pool, client = _client(pools, request["ClientId"])
    flow = FLOWS.get(request["AuthFlow"])
    if flow is None:
        text = f"{request['AuthFlow']} flow not enabled for this client"
        raise CognitoError("InvalidParameterException", text)
    parameters = request.get("AuthParameters", {})
    _check_secret_hash(client, parameter(parameters, "USERNAME"), parameters.get("SECRET_HASH"))
    return flow(pool, client, parameters)


def password_flow(pool: Pool, client: Client, parameters: dict[str, str]) -> Answer:
    """USER_PASSWORD_AUTH: the password itself goes over the wire."""
    password = parameter(parameters, "PASSWORD")
    user = known_user(pool, parameter(parameters, "USERNAME"))
    check_password(pool, user, hmac.compare_digest(user.password.encode(), password.encode()))
    return signed_in(pool, client, user)


def parameter(parameters: dict[str, str], name: str) -> str:
    """A parameter that the flow cannot do without."""
    if name not in parameters:
        raise CognitoError("InvalidParameterException", f"Missing required parameter {name}")
    return parameters[name]


def known_user(pool: Pool, username: str) -> User:
    """The user of that name; the default app client does not tell an unknown one from a wrong password."""
    user = pool.find(username)
    if user is None and pool.user_existence_errors:
        raise CognitoError("UserNotFoundException", "User does not exist.")
    if user is None:
        raise _wrong_password()
    return user


def check_password(pool: Pool, user: User, right: bool) -> None:
    """Count failures and lock out, whatever proof of the password the flow asks for."""
    now = pool.clock.now()
    if now < user.locked_until:
        raise CognitoError("NotAuthorizedException", "Password attempts exceeded")
    if not right:
        user.failures += 1
        if user.failures >= FREE_FAILURES:
            user.locked_until = now + min(2 ** (user.failures - FREE_FAILURES), LONGEST_LOCKOUT)
        raise _wrong_password()
    user.failures = 0
    check_status(user)


def signed_in(pool: Pool, client: Client, user: User) -> Answer:
    """The end of every flow: tokens. They share their `origin_jti`, by which they are revoked together."""
    access = pool.access_token(user.username, client.id)
    identity = pool.id_token(user.username, client.id)
    identity.claims |= {name: access.claims[name] for name in ("origin_jti", "event_id")}
    return {
        "ChallengeParameters": {},
        "AuthenticationResult": {
            "AccessToken": str(access),
            "ExpiresIn": TOKEN_LIFETIME,
            "TokenType": "Bearer",
            "RefreshToken": ".".join(b64url(secrets.token_bytes(96)) for _ in range(5)),
            "IdToken": str(identity),
        },
    }


FLOWS: dict[str, Callable[[Pool, Client, dict[str, str]], Answer]] = {
    "USER_PASSWORD_AUTH": password_flow,
}


def _client(pools: Pools, client_id: str) -> tuple[Pool, Client]:
    for pool in pools.values():
        if client_id in pool.clients:
            return pool, pool.clients[client_id]
    text = f"User pool client {client_id} does not exist."
    raise CognitoError("ResourceNotFoundException", text)


def _check_secret_hash(client: Client, username: str, given: str | None) -> None:
    """SECRET_HASH is over the USERNAME of the same request, alias or not."""
    if client.secret is None and given is None:
        return
    if client.secret is None:
        text = f"Client {client.id} is not configured for secret but secret hash was received"
    elif given is None:
        text = f"Client {client.id} is configured with secret but SECRET_HASH was not received"
    elif hmac.compare_digest(client.secret_hash(username).encode(), given.encode()):
        return
    else:
        text = f"Unable to verify secret hash for client {client.id}"
    raise CognitoError("NotAuthorizedException", text)


def _wrong_password() -> CognitoError:
    return CognitoError("NotAuthorizedException", "Incorrect username or password.")
