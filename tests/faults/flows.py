"""The ways through a login that are tried with faults in them."""

from dataclasses import dataclass, field
from typing import Any, Callable, Sequence, Union

from harness.people import EMAIL, PASSWORD, PHONE, WRONG_PASSWORD
from standin import Standin, User, faults

# What is done just before an answer, and what is answered.
Answer = Union[str, Callable[[Standin], str]]

# A number, for libaudit looks names up.
HOST = "192.0.2.7"

SOLE = """
auth     required  pam_first_factor.so
auth     include   cognito-login
account  requisite pam_cognito_code.so
account  required  pam_permit.so
"""
PREPARED = "\nauth     optional  pam_cognito_prepare.so" + SOLE
SECOND = """
auth     requisite pam_permit.so
auth     substack  cognito-verify
account  requisite pam_cognito_code.so
account  required  pam_permit.so
"""

REFUSED = ("PAM_AUTH_ERR", "PAM_PERM_DENIED")
ACCEPTED = ("PAM_CRED_INSUFFICIENT", "PAM_SUCCESS", "PAM_IGNORE")
PASSED = ("PAM_IGNORE", "PAM_SUCCESS", "PAM_IGNORE")
EXEMPT = ("PAM_IGNORE", "PAM_IGNORE", "PAM_IGNORE")


def right(standin: Standin) -> str:
    """The code that was sent last; any, where none was."""
    return standin.pool.outbox[-1].code if standin.pool.outbox else "000000"


def wrong(standin: Standin) -> str:
    return f"{(int(right(standin)) + 1) % 1000000:06}"


def too_late(standin: Standin) -> str:
    for user in standin.pool.users.values():
        for code in user.codes.values():
            code.expires = 0.0
    return right(standin)


def nothing(standin: Standin, user: User) -> None:
    """The user as he is."""


@dataclass(frozen=True)
class Flow:
    """`verdicts` are those of code, confirm and guard, where nothing fails. `free` says why no code is needed, if so; `never`
    that no fault whatever may lead to a code or past it.

    `token` is where the token is: "file", "variable", "item" or "command", and `whose` it is: the user's own, another user's,
    another pool's, or one that somebody has signed himself. `known` logs in once before, so that the host has counted and remembered.
    """

    name: str
    config: dict[str, Any] = field(default_factory=dict)
    verdicts: tuple[str, ...] = ACCEPTED
    answers: Sequence[Answer] = (right,)
    stack: str = SOLE
    set_up: Callable[[Standin, User], None] = nothing
    password: str = PASSWORD
    number: str = "1"
    token: str | None = None
    whose: str = "own"
    rhost: str | None = None
    free: str | None = None
    never: bool = False
    known: bool = False
    left_alone: bool = False  # the user types when the server has closed the connection

    def kind(self, role: str) -> object:
        """The same for flows in which a fault at the same place of that role cannot matter in another way. A token is judged
        in the helper."""
        return self.name if self.free or self.never and role == "helper" else self.verdicts


def _with_mfa(*names: str) -> Callable[[Standin, User], None]:
    def set_up(standin: Standin, user: User) -> None:
        user.mfa = list(names)

    return set_up


def _verified(standin: Standin, user: User) -> None:
    user.attributes["email_verified"] = "true"


def _busy_once(standin: Standin, user: User) -> None:
    standin.faults.add("GetUserAttributeVerificationCode", faults.error("TooManyRequestsException"))


def _closes_when_idle(standin: Standin, user: User) -> None:
    standin.faults.add("jwks", faults.idle_close())


def _expired_token(standin: Standin, user: User) -> None:
    standin.clock.advance(-7200)


FILE = {"token": "file:{ground}/token"}

FLOWS = (
    Flow("file", FILE, token="file"),
    Flow("kept-keys", FILE, token="file", known=True),
    Flow("prepared", FILE, token="file", stack=PREPARED),
    Flow("password"),
    Flow("srp", {"signin_flow": "srp", "client_secret_file": "{ground}/client-secret"}),
    Flow("mfa", set_up=_with_mfa("SMS_MFA", "EMAIL_OTP"), number="2"),
    Flow("command", {"token": "command:{ground}/token-command", "token_command_user": "{runner}"}, token="command"),
    Flow("variable", {"token": "file:/nonexistent,env:TOKEN"}, token="variable"),
    Flow("item", {"token": "authtok"}, token="item"),
    Flow("first-pass", {"use_first_pass": "yes"}, token="password"),
    Flow("second-factor", {"echo": "no", "attribute": "phone_number"}, stack=SECOND),
    Flow("choice", {"attribute": "email,phone_number"}, number="2"),
    Flow("new-code", {"resend_delay": 0}, answers=("", right), known=True),
    Flow("wrong-then-right", answers=(wrong, right)),
    Flow("three-wrong", answers=(wrong, wrong, wrong), verdicts=("PAM_CRED_INSUFFICIENT", "PAM_MAXTRIES", "PAM_PERM_DENIED")),
    Flow("expired", {"resend_delay": 0}, answers=(too_late, "", right)),
    Flow("wrong-password", password=WRONG_PASSWORD, verdicts=REFUSED, never=True),
    Flow("expired-token", FILE, set_up=_expired_token, token="file", verdicts=REFUSED, never=True),
    Flow("another-user", FILE, token="file", whose="another user", verdicts=REFUSED, never=True),
    Flow("forged", FILE, token="file", whose="forged", verdicts=REFUSED, never=True),
    Flow("another-pool", FILE, token="file", whose="another pool", verdicts=REFUSED, never=True),
    Flow("remember", {"remember": 600}, rhost=HOST),
    Flow("remembered", {"remember": 600}, rhost=HOST, answers=(), verdicts=PASSED, free="remembered", known=True),
    Flow("verified", {"when": "unverified"}, set_up=_verified, answers=(), verdicts=PASSED, free="verified"),
    Flow("unverified", {"when": "unverified"}),
    Flow("exempt", {"exempt_group": "{empty_group},{group}"}, answers=(), verdicts=EXEMPT, stack=SECOND, free="exempt"),
    Flow("not-exempt", {"exempt_group": "{empty_group}"}, stack=SECOND),
    Flow("by-email", {"match": "email", "username": EMAIL, "client_metadata": ["host=%h", "from=%r"]}, set_up=_verified),
    Flow("busy", set_up=_busy_once),
    Flow("closed", set_up=_closes_when_idle, left_alone=True),
    Flow("misconfigured", {"region": "a/b"}, verdicts=("PAM_SERVICE_ERR", "PAM_SERVICE_ERR"), never=True),
)  # fmt: skip

ATTRIBUTES = {"email": EMAIL, "phone_number": PHONE}
