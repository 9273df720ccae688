"""The operations: a function each, and one table that names them.

https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_Operations.html
"""

import hmac
from typing import Any, Callable

from .access import Pools, caller
from .challenges import respond_to_auth_challenge
from .errors import CognitoError
from .pool import MEDIUM, CodeMessage, Pool, User
from .signin import initiate_auth

Answer = dict[str, Any]


def get_user(pools: Pools, request: dict[str, Any]) -> Answer:
    _, user = caller(pools, request["AccessToken"])
    attributes = [{"Name": name, "Value": value} for name, value in user.attributes.items()]
    return {"Username": user.username, "UserAttributes": attributes}


def get_user_attribute_verification_code(pools: Pools, request: dict[str, Any]) -> Answer:
    """Send a code. An attribute that is verified already gets one too."""
    pool, user = caller(pools, request["AccessToken"])
    attribute = _address(user, request["AttributeName"])
    _count(pool, user, "GetUserAttributeVerificationCode")
    message = pool.send_code(user, attribute, request.get("ClientMetadata", {}))
    return {"CodeDeliveryDetails": _delivery(message)} if pool.delivery_details else {}


def verify_user_attribute(pools: Pools, request: dict[str, Any]) -> Answer:
    """Redeem a code. It works once; a wrong one leaves it as it was."""
    pool, user = caller(pools, request["AccessToken"])
    attribute = _address(user, request["AttributeName"])
    _count(pool, user, "VerifyUserAttribute")
    code = user.codes.get(attribute)
    if code is None or code.expires <= pool.clock.now():
        text = "Invalid code provided, please request a code again."
        raise CognitoError("ExpiredCodeException", text)
    if not hmac.compare_digest(code.digits.encode(), request["Code"].encode()):
        text = "Invalid verification code provided, please try again."
        raise CognitoError("CodeMismatchException", text)
    del user.codes[attribute]
    user.attributes[f"{attribute}_verified"] = "true"
    return {}


OPERATIONS: dict[str, Callable[[Pools, dict[str, Any]], Answer]] = {
    "GetUser": get_user,
    "GetUserAttributeVerificationCode": get_user_attribute_verification_code,
    "InitiateAuth": initiate_auth,
    "RespondToAuthChallenge": respond_to_auth_challenge,
    "VerifyUserAttribute": verify_user_attribute,
}


def _address(user: User, attribute: str) -> str:
    """The attribute's name, if codes can be sent to it and this user has it."""
    if attribute not in MEDIUM:
        text = f"Attribute {attribute} cannot be verified."
        raise CognitoError("InvalidParameterException", text)
    if attribute not in user.attributes:
        raise CognitoError("InvalidParameterException", f"User has no attribute {attribute}.")
    return attribute


def _count(pool: Pool, user: User, operation: str) -> None:
    if not pool.within_quota(user, operation):
        text = "Attempt limit exceeded, please try after some time."
        raise CognitoError("LimitExceededException", text)


def _delivery(message: CodeMessage) -> Answer:
    return {
        "AttributeName": message.attribute,
        "DeliveryMedium": message.medium,
        "Destination": message.destination,
    }
