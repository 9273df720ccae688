"""The stacks of contract.md: every combination of control words, orders of the lines, companions of the block and guards."""

from dataclasses import dataclass
from itertools import permutations, product
from typing import Iterator

from .situations import DENIED, PASSWORD, PERMITTED, WRONG_PASSWORD, First
from .stack import Stack, parse

# The shipped controls, the words, and what people write who have read half of the manual.
SHIPPED_CODE = "[success=ok ignore=ignore cred_insufficient=ignore default=die]"
SHIPPED_CONFIRM = "[success=1 new_authtok_reqd=1 ignore=1 default=die]"
CODE_CONTROLS = (
    SHIPPED_CODE,
    "required", "requisite", "sufficient", "optional",
    "[success=ok ignore=ignore cred_insufficient=ok default=bad]",
    "[default=ignore]",
)  # fmt: skip
CONFIRM_CONTROLS = (
    SHIPPED_CONFIRM,
    "required", "requisite", "sufficient", "optional",
    "[success=done ignore=ignore default=bad]",
    "[default=ignore]",
)  # fmt: skip

# (the line, what may come of it)
FIRST_FACTORS: tuple[tuple[str | None, tuple[First, ...]], ...] = (
    ("auth required pam_permit.so", (PERMITTED,)),
    ("auth required pam_deny.so", (DENIED,)),
    (None, (DENIED,)),
    ("auth required pam_unix.so", (PASSWORD, WRONG_PASSWORD)),
)

PERMIT = "account required pam_permit.so"
GUARD = "account requisite pam_cognito_code.so"
GUARDS = {
    "none": (PERMIT,),
    "first": (GUARD, PERMIT),
    "last": (PERMIT, GUARD),
    "require": (f"{GUARD} require", PERMIT),
}

# Of these controls a failure of the companion's does not count.
CARELESS = ("sufficient", "optional", "[default=ignore]")

SESSION = "session required pam_permit.so"
DENY = "auth requisite pam_deny.so"
SERVICE = "pamcog"


@dataclass(frozen=True)
class Combination:
    """One stack of the grid: what its lines say, and what may come of its first factor."""

    guard: str
    code: str
    confirm: str
    stack: Stack
    firsts: tuple[First, ...]


def combinations() -> Iterator[Combination]:
    """Each stack once."""
    for code, confirm, (first, firsts) in product(CODE_CONTROLS, CONFIRM_CONTROLS, FIRST_FACTORS):
        for order in _orders(first, f"auth {code} pam_cognito_code.so", f"auth {confirm} pam_cognito_confirm.so"):
            for guard, account in GUARDS.items():
                content = "\n".join((*order, *account, SESSION))
                yield Combination(guard, code, confirm, Stack(((SERVICE, parse(content)),)), firsts)


def _orders(*lines: str | None) -> Iterator[tuple[str, ...]]:
    """All orders of the lines that are there, without pam_deny.so at the end and with it."""
    for order in permutations(filter(None, lines)):
        yield order
        yield (*order, DENY)
