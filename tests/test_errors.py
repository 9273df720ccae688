"""What goes wrong at Cognito: every row of the error table, at each operation of a login. test_network.py has the way there."""

import re
import time
from dataclasses import dataclass
from typing import Callable

import pytest
from harness import words
from harness.dialogue import Step
from harness.login import Login, Result
from harness.people import PASSWORD
from standin import Standin, faults
from standin.faults import Fault

Code = Callable[[], str]

SIGN_IN: Step = (words.PASSWORD, PASSWORD)

INITIATE = "InitiateAuth"
SEND = "GetUserAttributeVerificationCode"
VERIFY = "VerifyUserAttribute"
OPERATIONS = (INITIATE, SEND, VERIFY)


@dataclass(frozen=True)
class Row:
    """What an error leads to: the PAM code, and what the person is told (a pattern); `first` is for sign-in."""

    code: str
    told: str
    first: tuple[str, str] | None = None

    def at(self, operation: str) -> tuple[str, str]:
        return self.first if self.first and operation == INITIATE else (self.code, self.told)


DENIED, BUSY, INTERNAL = "PAM_AUTH_ERR", "PAM_AUTHINFO_UNAVAIL", "PAM_SYSTEM_ERR"

SESSION = Row(DENIED, "session has expired", (DENIED, "sign-in failed"))
ADMIN = Row(BUSY, "administrator")
MFA = Row(DENIED, "multi-factor")
UNAVAILABLE = Row(BUSY, "unavailable")

ROWS = {
    "NotAuthorizedException": SESSION,
    "UserNotFoundException": Row("PAM_USER_UNKNOWN", "sign-in failed"),
    "UserNotConfirmedException": Row(DENIED, "not confirmed"),
    "PasswordResetRequiredException": Row(DENIED, "password.* reset|reset .*password"),
    "LimitExceededException": Row("PAM_MAXTRIES", "too many attempts.* try again in an hour"),
    "CodeDeliveryFailureException": Row(BUSY, "code could not be sent"),
    "InvalidSmsRoleAccessPolicyException": ADMIN,
    "InvalidSmsRoleTrustRelationshipException": ADMIN,
    "InvalidEmailRoleAccessPolicyException": ADMIN,
    "UnexpectedLambdaException": ADMIN,
    "InvalidLambdaResponseException": ADMIN,
    "UserLambdaValidationException": Row(DENIED, "policy"),
    "InvalidParameterException": Row(BUSY, "attribute cannot be verified", (DENIED, "")),
    "InvalidUserPoolConfigurationException": ADMIN,
    "UnsupportedOperationException": ADMIN,
    "OperationNotEnabledException": ADMIN,
    "ResourceNotFoundException": ADMIN,
    "AliasExistsException": Row(DENIED, "address belongs to another account"),
    "ForbiddenException": Row(BUSY, "blocked"),
    "InvalidPasswordException": Row(DENIED, "sign-in failed"),
    "MFAMethodNotFoundException": MFA,
    "SoftwareTokenMFANotFoundException": MFA,
    "RefreshTokenReuseException": Row(DENIED, "sign in again"),
    "InternalErrorException": UNAVAILABLE,
    "InternalFailure": UNAVAILABLE,
    "ServiceUnavailable": UNAVAILABLE,
    "RequestTimeout": UNAVAILABLE,
    "RequestTimeoutException": UNAVAILABLE,
    **dict.fromkeys(
        (
            "AccessDeniedException", "IncompleteSignature", "InvalidAction", "UnknownOperationException",
            "ValidationError", "SerializationException", "MalformedHttpRequestException",
            "MissingAuthenticationToken", "OptInRequired", "RequestExpired", "RequestEntityTooLargeException",
            "UnrecognizedClientException", "ExpiredTokenException", "NotAuthorized",
        ),
        Row(INTERNAL, "internal error"),
    ),
    "NobodyKnowsThisException": UNAVAILABLE,
}  # fmt: skip

# A code that is not right or no longer right is asked again elsewhere.
IN_SIGN_IN_ALONE = {
    "CodeMismatchException": Row(DENIED, "code is not right"),
    "ExpiredCodeException": Row(DENIED, "code has expired"),
}

THROTTLING = (
    "TooManyRequestsException", "ThrottlingException", "Throttling", "RequestLimitExceeded", "SlowDown",
)  # fmt: skip


def run(login: Login, operation: str, code: Code, **config: int) -> Result:
    """A login until that operation fails."""
    steps = [SIGN_IN] if operation in (INITIATE, SEND) else [SIGN_IN, (words.ASKED, code)]
    return login(steps, **config)


def check(result: Result, row: Row, operation: str) -> None:
    code, told = row.at(operation)
    assert result.code == code
    assert re.search(told, result.talk.ending, re.IGNORECASE | re.DOTALL)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("name", ROWS)
def test_error(login: Login, standin: Standin, code: Code, name: str, operation: str) -> None:
    standin.faults.add(operation, faults.error(name, message="\x1b[31mA canary from the server\x07"), times=None)
    result = run(login, operation, code)
    check(result, ROWS[name], operation)
    assert name in result.log
    assert "canary from the server" not in result.seen
    assert "\x1b" not in result.log and "\x07" not in result.log
    assert standin.journal.operations()[-1] == operation
    assert len(standin.journal.requests(operation)) == 1


@pytest.mark.parametrize("name", IN_SIGN_IN_ALONE)
def test_code_error_in_sign_in(login: Login, standin: Standin, code: Code, name: str) -> None:
    standin.faults.add(INITIATE, faults.error(name))
    check(run(login, INITIATE, code), IN_SIGN_IN_ALONE[name], INITIATE)


@pytest.mark.parametrize(("name", "result"), (("CodeMismatchException", "PAM_MAXTRIES"), ("ExpiredCodeException", DENIED)))
def test_code_error_of_a_new_code(
    login: Login, standin: Standin, wrong: Code, name: str, result: str
) -> None:
    """After these a code is asked for again, but not where it was to be sent: the prompts would have no end."""

    def refuse_from_here() -> str:
        standin.faults.add(SEND, faults.error(name), times=None)
        return ""

    steps = [SIGN_IN, (words.ASKED, wrong), (words.ASKED_AGAIN, refuse_from_here)]
    assert login(steps, resend_delay=0).code == result
    assert standin.journal.operations()[-2:] == [VERIFY, SEND]


@pytest.mark.parametrize("name", THROTTLING)
def test_throttled(login: Login, standin: Standin, code: Code, name: str) -> None:
    """Twice at most it is tried again: the reply proves that nothing happened."""
    standin.faults.add(SEND, faults.error(name), times=None)
    check(run(login, SEND, code), Row(BUSY, "busy"), SEND)
    assert 1 <= len(standin.journal.requests(SEND)) <= 3


@pytest.mark.parametrize("operation", OPERATIONS)
def test_throttled_once(login: Login, standin: Standin, code: Code, operation: str) -> None:
    standin.faults.add(operation, faults.error("ThrottlingException"))
    assert login([SIGN_IN, (words.ASKED, code)]).let_in
    assert len(standin.journal.requests(operation)) == 2


# Where the name of an error stands


@pytest.mark.parametrize("where", [where for where in faults.PLACES if where != "nowhere"])
def test_place_of_the_name(login: Login, standin: Standin, code: Code, where: str) -> None:
    standin.faults.add(SEND, faults.error("LimitExceededException", where=where))
    assert run(login, SEND, code).code == "PAM_MAXTRIES"


def test_error_without_a_name(login: Login, standin: Standin, code: Code) -> None:
    standin.faults.add(SEND, faults.error("LimitExceededException", where="nowhere"))
    check(run(login, SEND, code), UNAVAILABLE, SEND)


@pytest.mark.parametrize(
    "status, told", [(403, "blocked"), (405, "blocked"), (500, "unavailable"), (503, "unavailable")]
)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_status_alone(
    login: Login, standin: Standin, code: Code, operation: str, status: int, told: str
) -> None:
    standin.faults.add(operation, faults.status(status), times=None)
    check(run(login, operation, code), Row(BUSY, told), operation)


# Replies of another form. Those that are none at all, and broken connections, are in test_network.py.


def test_no_sign_in_without_a_result(login: Login, standin: Standin, code: Code) -> None:
    standin.faults.add(INITIATE, faults.altered(lambda payload: {}))
    check(run(login, INITIATE, code), UNAVAILABLE, INITIATE)


def test_challenge_that_nobody_can_answer(login: Login, standin: Standin, code: Code) -> None:
    challenge = {"ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": "x" * 40, "ChallengeParameters": {}}
    standin.faults.add(INITIATE, faults.altered(lambda payload: challenge))
    result = run(login, INITIATE, code)
    assert not result.let_in
    assert "NEW_PASSWORD_REQUIRED" in result.log
    assert standin.journal.operations() == ["jwks", INITIATE]


def test_unknown_members_do_no_harm(login: Login, standin: Standin, code: Code) -> None:
    for operation in OPERATIONS:
        standin.faults.add(operation, faults.altered(lambda payload: {**payload, "New": {"AccessToken": []}}))
    assert login([SIGN_IN, (words.ASKED, code)]).let_in


def delivered(**details: object) -> Fault:
    return faults.altered(lambda payload: {"CodeDeliveryDetails": {**payload["CodeDeliveryDetails"], **details}})


@pytest.mark.parametrize(
    "destination",
    ["\x1b[2J\x1b[31mevil\x07\r\n\x9bc", "a***@e***\nPassword: ", "\u202egnorw\u2028", "x" * 100_000, "%s%n%s%n", ""],
    ids=["escapes", "line", "unicode", "long", "format", "empty"],
)
def test_destination_is_hostile(login: Login, standin: Standin, code: Code, destination: str) -> None:
    """Whatever the server calls the address: one line of printable ASCII, and all of it a message that fits."""
    standin.faults.add(SEND, delivered(Destination=destination))
    prompt = re.compile(r"A verification code was sent [ -~]*\.\nCode \(empty for a new one\): ")
    result = login([SIGN_IN, (prompt, code)])
    assert result.let_in
    assert len(result.talk.prompts[-1].text) <= 512
    assert "Password: " not in result.talk.prompts[-1].text.splitlines()


# The key set


@pytest.mark.parametrize(
    "fault",
    [
        faults.status(500), faults.status(404), faults.garbage(), faults.raw(b"{}"), faults.raw(b'{"keys": []}'),
        faults.huge(300 * 1024), faults.mistyped(),
    ],
    ids=["500", "404", "garbage", "no-keys", "empty", "oversized", "mistyped"],
)  # fmt: skip
@pytest.mark.valgrind
def test_no_key_set(login: Login, standin: Standin, fault: Fault, code: Code) -> None:
    """Without the keys no token can be checked, so none is used."""
    standin.faults.add("jwks", fault, times=None)
    result = login([SIGN_IN])
    assert not result.let_in
    assert not standin.journal.requests(SEND)
    assert not standin.pool.outbox


# The connection


@pytest.mark.valgrind
def test_nobody_listens(login: Login, code: Code) -> None:
    check(login([SIGN_IN], endpoint="https://127.0.0.1:1"), UNAVAILABLE, INITIATE)


def test_after_code_timeout(login: Login, standin: Standin, code: Code) -> None:
    """An answer that comes too late is not sent."""

    def late() -> str:
        time.sleep(1.1)
        return code()

    result = login([SIGN_IN, (words.ASKED, late)], code_timeout=1)
    assert result.code == "PAM_AUTHINFO_UNAVAIL"
    assert not standin.journal.requests(VERIFY)


# What Cognito's own words quote of the request


@pytest.mark.parametrize("member", ("Code", "AccessToken"))
def test_quoted_secret_stays_out_of_the_log(login: Login, standin: Standin, code: Code, member: str) -> None:
    """Validation errors of AWS quote the value that they refuse, whole or cut."""
    quoted = []

    def type_code() -> str:
        typed = code()
        token = standin.journal.requests(SEND)[-1].body["AccessToken"]
        quoted.append({"Code": typed, "AccessToken": token[:40]}[member])
        message = f"1 validation error detected: Value '{quoted[0]}...' failed to satisfy constraint"
        standin.faults.add(VERIFY, faults.error("InvalidParameterException", message=message))
        return typed

    result = login([SIGN_IN, (words.ASKED, type_code)])
    assert result.code == BUSY
    assert "InvalidParameterException" in result.log
    assert quoted[0] not in result.log


def test_quoted_password_stays_out_of_the_log(login: Login, standin: Standin, code: Code) -> None:
    standin.faults.add(INITIATE, faults.error("InvalidParameterException", message=f"Value {PASSWORD} is not good"))
    result = run(login, INITIATE, code)
    assert "InvalidParameterException" in result.log
    assert PASSWORD not in result.log
