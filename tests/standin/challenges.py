"""RespondToAuthChallenge: one row of CHALLENGES for each challenge, and what follows which.

https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_RespondToAuthChallenge.html
"""

import hmac
import json
import secrets
from dataclasses import dataclass
from typing import Any, Callable

from .access import Pools, check_status
from .appclient import Ask, asked, missing
from .errors import CognitoError
from .lockout import check, check_password
from .model import Unmodelled
from .pool import TOKEN_LIFETIME, Session, User
from .srp import Exchange, parse_timestamp
from .tokens import b64url
from .totp import step_of

Answer = dict[str, Any]

FRESH = 300  # seconds for which a TIMESTAMP is good

# challenge: the attribute to which its code goes
CODE_CHALLENGES = {"SMS_MFA": "phone_number", "EMAIL_OTP": "email"}


def respond_to_auth_challenge(pools: Pools, request: dict[str, Any]) -> Answer:
    """Find the session, let the challenge's row judge the answer, and go on to what follows."""
    ask = asked(pools, request, "ChallengeResponses")
    ask.check_secret_hash()
    name = request["ChallengeName"]
    challenge = CHALLENGES.get(name)
    if challenge is None or challenge.answer is None:
        raise CognitoError("InvalidParameterException", f"{name} cannot be answered here.")
    key = ask.need(PROOF_OF_SRP) if name == "PASSWORD_VERIFIER" else ask.session
    session = _session(ask, key, name)
    following = challenge.answer(ask, session)
    ask.pool.close(session)
    check_status(session.user)
    return go_on(ask, session.user, following)


def after_password(user: User) -> str | None:
    """The challenge that a user gets whose password was right."""
    if user.demand:
        return user.demand
    if user.status == "FORCE_CHANGE_PASSWORD":
        return "NEW_PASSWORD_REQUIRED"
    if user.preferred_mfa in user.mfa:
        return user.preferred_mfa
    return "SELECT_MFA_TYPE" if len(user.mfa) > 1 else next(iter(user.mfa), None)


def go_on(ask: Ask, user: User, name: str | None) -> Answer:
    """Pose that challenge; without one, the user is signed in."""
    if name is None:
        return signed_in(ask, user)
    session = ask.pool.open(Session(name, user, ask.client.id))
    challenge = CHALLENGES.get(name)
    parameters = challenge.pose(ask, session) if challenge else {}
    answer = {
        "ChallengeName": name,
        "Session": session.token,
        "ChallengeParameters": {"USER_ID_FOR_SRP": user.username, **parameters},
    }
    return answer if challenge else Unmodelled(answer)


def signed_in(ask: Ask, user: User) -> Answer:
    """The end of every flow: tokens. They share their `origin_jti`, by which they are revoked together."""
    user.failures = 0
    access = ask.pool.access_token(user.username, ask.client.id)
    identity = ask.pool.id_token(user.username, ask.client.id)
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


# PASSWORD_VERIFIER

PROOF_OF_SRP = "PASSWORD_CLAIM_SECRET_BLOCK"


def pose_password_verifier(ask: Ask, user: User, exchange: Exchange) -> Answer:
    """The one challenge that is found again by its secret block; as a rule it has no Session."""
    parameters = exchange.parameters() | {"USERNAME": user.username}
    session = Session("PASSWORD_VERIFIER", user, ask.client.id, exchange=exchange)
    ask.pool.open(session, key=parameters["SECRET_BLOCK"])
    token = {"Session": session.token} if session.token else {}
    return {"ChallengeName": session.challenge, **token, "ChallengeParameters": parameters}


def verify_password(ask: Ask, session: Session) -> str | None:
    """One attempt for each exchange: a wrong signature uses it up."""
    assert session.exchange
    ask.need("PASSWORD_CLAIM_SIGNATURE")
    _check_timestamp(ask)
    if session.token and session.token != ask.session:
        raise _invalid_session() if ask.session else missing("Session")
    ask.pool.close(session)
    check_password(ask.pool, session.user, session.exchange.accepts(ask.parameters))
    return after_password(session.user)


def _check_timestamp(ask: Ask) -> None:
    """By the clients' clock, which no test advances."""
    try:
        said = parse_timestamp(ask.need("TIMESTAMP")).timestamp()
    except ValueError:
        text = "TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english."
        raise CognitoError("InvalidParameterException", text) from None
    if abs(ask.pool.clock.unmoved() - said) > FRESH:
        raise CognitoError("NotAuthorizedException", "TIMESTAMP is not of this time.")


# Codes


def send_code(ask: Ask, session: Session) -> dict[str, str]:
    attribute = CODE_CHALLENGES[session.challenge]
    message = ask.pool.send_mfa_code(session.user, attribute, session.challenge, ask.metadata)
    session.code = message.code
    return {
        "CODE_DELIVERY_DELIVERY_MEDIUM": message.medium,
        "CODE_DELIVERY_DESTINATION": message.destination,
    }


def check_code(ask: Ask, session: Session) -> None:
    """Whoever confirms a code has confirmed the address too, says the developer guide."""
    given = ask.need(f"{session.challenge}_CODE")
    right = hmac.compare_digest(session.code.encode(), given.encode())
    check(ask.pool, session.user, right, _mismatch("Invalid code or auth state for the user."))
    session.user.attributes[f"{CODE_CHALLENGES[session.challenge]}_verified"] = "true"


def check_totp(ask: Ask, session: Session) -> None:
    """A code works once, whichever session it is for."""
    user, given = session.user, ask.need("SOFTWARE_TOKEN_MFA_CODE")
    if user.totp_secret is None:
        text = "User has not set up software token mfa"
        raise CognitoError("SoftwareTokenMFANotFoundException", text)
    step = step_of(user.totp_secret, given, ask.pool.clock.now())
    check(ask.pool, user, step is not None, _mismatch("Invalid code received for user"))
    assert step is not None
    if step <= user.totp_step:
        text = "Your software token has already been used once."
        raise CognitoError("ExpiredCodeException", text)
    user.totp_step = step


def select_mfa(ask: Ask, session: Session) -> str:
    chosen = ask.need("ANSWER")
    if chosen not in session.user.mfa:
        raise CognitoError("MFAMethodNotFoundException", f"User has no {chosen}.")
    return chosen


# The table


@dataclass(frozen=True)
class Challenge:
    """`pose` gives its parameters; `answer` raises, or names what follows. Without one, it is only posed."""

    pose: Callable[[Ask, Session], dict[str, str]]
    answer: Callable[[Ask, Session], str | None] | None = None


def _posed(**parameters: str) -> Challenge:
    return Challenge(lambda ask, session: parameters)


def _new_password(ask: Ask, session: Session) -> dict[str, str]:
    attributes = {name: value for name, value in session.user.attributes.items() if name != "sub"}
    return {"requiredAttributes": "[]", "userAttributes": json.dumps(attributes)}


def _choices(ask: Ask, session: Session) -> dict[str, str]:
    return {"MFAS_CAN_CHOOSE": json.dumps(session.user.mfa)}


CHALLENGES = {
    "PASSWORD_VERIFIER": Challenge(lambda ask, session: {}, verify_password),
    "SMS_MFA": Challenge(send_code, check_code),
    "EMAIL_OTP": Challenge(send_code, check_code),
    "SOFTWARE_TOKEN_MFA": Challenge(lambda ask, session: {}, check_totp),
    "SELECT_MFA_TYPE": Challenge(_choices, select_mfa),
    "NEW_PASSWORD_REQUIRED": Challenge(_new_password),
    "MFA_SETUP": _posed(MFAS_CAN_SETUP='["SOFTWARE_TOKEN_MFA"]'),
    "CUSTOM_CHALLENGE": _posed(question="What is the capital of Assyria?"),
    "DEVICE_SRP_AUTH": _posed(),
    "DEVICE_PASSWORD_VERIFIER": _posed(SALT="1", SRP_B="2", SECRET_BLOCK="AAAA", DEVICE_KEY="a_1"),
    "WEB_AUTHN": _posed(CREDENTIAL_REQUEST_OPTIONS='{"challenge":"AAAA"}'),
    "SELECT_CHALLENGE": _posed(),
    "PASSWORD": _posed(),
    "PASSWORD_SRP": _posed(SALT="1", SRP_B="2", SECRET_BLOCK="AAAA"),
    "SMS_OTP": _posed(CODE_DELIVERY_DELIVERY_MEDIUM="SMS", CODE_DELIVERY_DESTINATION="+*******0000"),
    "ADMIN_NO_SRP_AUTH": _posed(),
}


def _session(ask: Ask, key: str | None, challenge: str) -> Session:
    """The session of that key, if it waits for such an answer from this client and user, and still does."""
    if key is None:
        raise missing("Session")
    session = ask.pool.sessions.get(key)
    expected = session and (session.challenge, session.client_id, session.user.username)
    if session is None or expected != (challenge, ask.client.id, ask.need("USERNAME")):
        raise _invalid_session()
    if session.expires <= ask.pool.clock.now():
        if challenge in CODE_CHALLENGES:
            text = "Your code has expired, please sign in again."
            raise CognitoError("ExpiredCodeException", text)
        text = "Invalid session for the user, session is expired."
        raise CognitoError("NotAuthorizedException", text)
    return session


def _invalid_session() -> CognitoError:
    return CognitoError("NotAuthorizedException", "Invalid session for the user.")


def _mismatch(text: str) -> CognitoError:
    return CognitoError("CodeMismatchException", text)
