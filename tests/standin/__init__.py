"""A stand-in for Amazon Cognito user pools: a test double that listens on the loopback alone."""

from . import faults
from .app import Standin
from .errors import CognitoError
from .pool import CodeMessage, Pool, User, two_keys
from .tokens import SigningKey, Token

__all__ = [
    "CodeMessage",
    "CognitoError",
    "Pool",
    "SigningKey",
    "Standin",
    "Token",
    "User",
    "faults",
    "two_keys",
]
