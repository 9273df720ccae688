"""InitiateAuth: one row of FLOWS for each authentication flow.

https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_InitiateAuth.html
"""

import hmac
import uuid
from typing import Any, Callable

from .access import Pools
from .appclient import Ask, asked
from .challenges import Answer, after_password, go_on, pose_password_verifier
from .errors import CognitoError
from .lockout import check_password, wrong_password
from .pool import Client, Pool, User
from .srp import Exchange, verifier


def initiate_auth(pools: Pools, request: dict[str, Any]) -> Answer:
    """Find the app client, check its flows and its secret, and let the flow decide."""
    ask = asked(pools, request, "AuthParameters")
    flow = _flow(ask.client, request["AuthFlow"])
    ask.check_secret_hash()
    return flow(ask)


def password_flow(ask: Ask) -> Answer:
    """USER_PASSWORD_AUTH: the password itself goes over the wire."""
    password = ask.need("PASSWORD")
    user = known_user(ask.pool, ask.need("USERNAME"))
    if user is None:
        raise wrong_password()
    check_password(ask.pool, user, hmac.compare_digest(user.password.encode(), password.encode()))
    return go_on(ask, user, after_password(user))


def srp_flow(ask: Ask) -> Answer:
    """USER_SRP_AUTH: the password is proved in the answer to PASSWORD_VERIFIER."""
    username, srp_a = ask.need("USERNAME"), ask.need("SRP_A")
    user = known_user(ask.pool, username) or _nobody(ask.pool, username)
    try:
        kept = verifier(ask.pool.id, user.username, user.password, user.salt)
        exchange = Exchange(kept, srp_a)
    except ValueError as error:
        raise CognitoError("InvalidParameterException", str(error)) from None
    return pose_password_verifier(ask, user, exchange)


def known_user(pool: Pool, username: str) -> User | None:
    """The user of that name. The default app client does not tell that there is none."""
    user = pool.find(username)
    if user is None and pool.user_existence_errors:
        raise CognitoError("UserNotFoundException", "User does not exist.")
    return user


FLOWS: dict[str, Callable[[Ask], Answer]] = {
    "USER_PASSWORD_AUTH": password_flow,
    "USER_SRP_AUTH": srp_flow,
}

# what the service says of a flow that the app client may not use
NOT_ENABLED = {"USER_SRP_AUTH": "USER_SRP_AUTH is not enabled for the client."}


def _flow(client: Client, name: str) -> Callable[[Ask], Answer]:
    if name not in FLOWS or f"ALLOW_{name}" not in client.flows:
        text = NOT_ENABLED.get(name, f"{name} flow not enabled for this client")
        raise CognitoError("InvalidParameterException", text)
    return FLOWS[name]


def _nobody(pool: Pool, username: str) -> User:
    """In place of a user who does not exist: the same user id and salt each time, and no password is right.

    https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pool-managing-errors.html
    """
    name = uuid.uuid5(uuid.NAMESPACE_URL, f"{pool.issuer}/{username}")
    return User(str(name), str(uuid.uuid4()), {}, salt=name.int)
