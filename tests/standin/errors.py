"""The errors that Cognito answers, and the HTTP status of each.

https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/CommonErrors.html
"""

HTTP_STATUS = {
    "ForbiddenException": 403,
    "InternalErrorException": 500,
    "InternalFailure": 500,
    "RequestEntityTooLargeException": 413,
    "ServiceUnavailable": 503,
    "UnknownOperationException": 404,
}
OTHERWISE = 400

# Errors of the protocol itself: any operation may answer them, and no operation lists them.
PROTOCOL_ERRORS = frozenset(
    {"RequestEntityTooLargeException", "SerializationException", "UnknownOperationException"}
)


class CognitoError(Exception):
    """An operation's refusal, by the name it has in the API."""

    def __init__(self, name: str, message: str | None) -> None:
        super().__init__(name, message)
        self.name = name
        self.message = message


def status_of(name: str) -> int:
    """The HTTP status that goes with an error."""
    return HTTP_STATUS.get(name, OTHERWISE)
