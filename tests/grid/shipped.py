"""The stacks that ship, each with all that may come of its first factor."""

from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Iterator

from .situations import ALL, DENIED, EXEMPT_GROUP, KEY, PASSWORD, SIGNED_IN, WRONG_PASSWORD, First, Situation
from .stack import Stack, stack

BY_PASSWORD = (PASSWORD, WRONG_PASSWORD)

POOL = (("region", "eu-central-1"), ("user_pool_id", "eu-central-1_Example"), ("client_id", "example"))
# With all that may spare somebody the code.
SECOND_CONFIG = (
    *POOL, ("token", "file:/etc/cognito/%u"), ("exempt_group", EXEMPT_GROUP), ("when", "unverified"), ("remember", "60"),
)  # fmt: skip
COMMAND_CONFIG = (*POOL, ("token", "command:/usr/local/libexec/cognito-token"), ("token_command_user", "nobody"))


@dataclass(frozen=True)
class Shipped:
    """A file of pam.d-examples as a service of this name, and the file that it includes. `content` is what the service has
    instead of a file that ships; `config` is what pam_cognito.conf says on a host that has it; `edited` are the files whose
    lines are edited, if not all."""

    name: str
    service: str
    firsts: tuple[First, ...] = BY_PASSWORD
    includes: str | None = "cognito-verify"
    situations: tuple[Situation, ...] = ALL
    content: str | None = None
    config: tuple[tuple[str, str], ...] = SECOND_CONFIG
    edited: tuple[str, ...] | None = None

    def stack(self, examples: Path) -> Stack:
        files = {self.service: self.content or _read(examples / self.name)}
        if self.includes:
            files[self.includes] = _read(examples / self.includes)
        return stack(files)

    def ways_in(self) -> Iterator[tuple[First, Situation]]:
        """Everything that can happen in a login."""
        return product(self.firsts, self.situations)

    def __str__(self) -> str:
        return self.name


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


# The key of sshd-publickey is sshd's own affair: PAM sees no first factor there.
SHIPPED = (
    Shipped("sshd", "sshd"),
    Shipped("sshd-breakglass", "sshd", includes=None),
    Shipped("sshd-publickey", "sshd", (DENIED,), "cognito-login", (*ALL, SIGNED_IN), config=COMMAND_CONFIG),
    Shipped("sshd-publickey-or-password", "sshd", (*BY_PASSWORD, KEY)),
    Shipped("su", "su"),
    Shipped("sudo", "sudo"),
    Shipped("login", "login"),
)

# The blocks in the smallest service, as their comments tell.
SECOND = """
auth     requisite  pam_unix.so
auth     substack   cognito-verify
account  requisite  pam_cognito_code.so
account  required   pam_permit.so
session  required   pam_permit.so
"""
SOLE = """
auth     include    cognito-login
account  requisite  pam_cognito_code.so
account  required   pam_permit.so
session  required   pam_permit.so
"""
BLOCKS = (
    Shipped("cognito-verify", "pamcog", content=SECOND, edited=("cognito-verify",)),
    Shipped(
        "cognito-login", "pamcog", (DENIED,), "cognito-login", (*ALL, SIGNED_IN),
        content=SOLE, config=POOL, edited=("cognito-login",),
    ),  # fmt: skip
)
