"""Many cases at once. The manual pages and contract.md foretell what each leads to; logins tell whether it is so.

Cases that cannot be told apart are one group, and one login is made for it. How fine the groups are is the survey's depth.
"""

import random
from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, Hashable, Iterable, NamedTuple, TypeVar

from . import libpam
from .libpam import NotModelled, Unreadable, Way
from .seats import Case, Outcome, Seats
from .situations import CODE, First, Modules

T = TypeVar("T")

UNREADABLE = Way((), "abort")


class Depth(Enum):
    """EVERY: each case is a login. WAYS: one for each way that libpam can take, which is all that it sees of a stack.
    ENTRIES: one for each series of modules and results that gets past pam_authenticate(); what is foretold to be refused
    there is made by the sample alone."""

    EVERY = 1
    WAYS = 2
    ENTRIES = 3


# Of the cases for which no login is made, so many are made all the same, and end as foretold.
SAMPLE = 60


class Expected(NamedTuple):
    """What is foretold of a login."""

    first: First
    auth: Way
    account: Way | None

    @property
    def calls(self) -> tuple[str, ...]:
        return (self.auth.result,) if self.account is None else (self.auth.result, self.account.result)

    @property
    def first_factor(self) -> bool:
        """Whether something other than our modules has found out that this is the user."""
        return any(step.module == self.first.proof and step.result == "success" for step in self.auth.steps)

    @property
    def guarded(self) -> bool:
        """Whether the guard was asked."""
        return self.account is not None and any(step.module == CODE for step in self.account.steps)

    @property
    def code_step(self) -> bool:
        return any(step.module == CODE for step in self.auth.steps)

    def __str__(self) -> str:
        return "".join(f"    {step}\n" for way in (self.auth, self.account) if way for step in way.steps)


def expect(case: Case) -> Expected | None:
    """None where the manual pages are silent."""
    modules = Modules(case.situation, case.first)
    try:
        auth = libpam.dispatch(libpam.handlers(case.stack, "auth"), modules.call)
        if auth.result != "success":
            return Expected(case.first, auth, None)
        return Expected(case.first, auth, libpam.dispatch(libpam.handlers(case.stack, "account"), modules.call))
    except Unreadable:
        return Expected(case.first, UNREADABLE, None)
    except NotModelled:
        return None


def _series(way: Way | None) -> Hashable:
    """Who was called and what came of it, without those who had nothing to say and to whom nobody listened."""
    return way and (way.result, tuple((s.module, s.result) for s in way.steps if (s.result, s.action) != ("ignore", "ignore")))


def _group_of(case: Case, expected: Expected | None, depth: Depth) -> Hashable:
    """Equal for cases that differ in what nobody looks at; None for those that are refused and not looked at."""
    if expected is None or depth is Depth.EVERY:
        return case
    situation = case.situation if expected.code_step else None
    if depth is Depth.WAYS:
        return expected, case.stack.service, situation
    if expected.auth.result != "success":
        return None
    return _series(expected.auth), _series(expected.account), case.stack.service, situation, case.first


@dataclass
class Group(Generic[T]):
    """Cases that are one. `outcome` is that of the login that was made for `case`; None where none was made. `members` say
    whose cases they are."""

    case: Case
    expected: Expected | None
    members: list[T] = field(default_factory=list)
    outcome: Outcome | None = None

    @property
    def allowed(self) -> bool:
        """Cognito confirmed the code of this very login, or wanted none of whom it signed in; or no code is needed after a
        first factor that succeeded."""
        assert self.outcome
        passed = self.case.situation.passes and self.expected is not None and self.expected.first_factor
        return self.outcome.confirmed or (self.outcome.signed_in and self.case.situation.verified) or passed

    @property
    def unconfirmed(self) -> bool:
        """Granted to whom it must not be."""
        return self.outcome is not None and self.outcome.granted and not self.allowed

    @property
    def unguarded(self) -> bool:
        """The same, if nobody looked at the account part."""
        return self.outcome is not None and self.outcome.authenticated and not self.allowed

    def __str__(self) -> str:
        return f"{self.case}\n{self.expected or ''}    in truth: {self.outcome}\n"


class Survey:
    """`made` counts the logins."""

    def __init__(self, seats: Seats) -> None:
        self._seats = seats
        self.made = 0

    def judge(self, cases: Iterable[tuple[T, Case]], depth: Depth) -> list[Group[T]]:
        """All groups, with what came of each. AssertionError where a login ends in another way than foretold."""
        groups: dict[Hashable, Group[T]] = {}
        sample = _Sample(SAMPLE)
        for member, case in cases:
            expected = expect(case)
            key = _group_of(case, expected, depth)
            if key not in groups:
                groups[key] = Group(case, expected)
            else:
                sample.offer(case)
            groups[key].members.append(member)
        made = [group for key, group in groups.items() if key is not None]
        for group, outcome in zip(made, self._log_in([group.case for group in made])):
            group.outcome = outcome
        self._log_in(sample.kept)
        return list(groups.values())

    def _log_in(self, cases: list[Case]) -> list[Outcome]:
        outcomes = list(self._seats.log_in(cases))
        self.made += len(cases)
        tried = [Group(case, expect(case), [None], outcome) for case, outcome in zip(cases, outcomes)]
        wrong = [one for one in tried if one.expected and one.outcome and one.expected.calls != one.outcome.calls]
        wrong.sort(key=lambda one: one.unconfirmed, reverse=True)
        assert not wrong, (
            f"{len(wrong)} logins ended in another way than foretold, "
            f"{sum(one.unconfirmed for one in wrong)} of them granted unconfirmed:\n" + "\n".join(map(str, wrong[:5]))
        )
        return outcomes


class _Sample:
    """So many of what is offered, each with the same chance, and the same in every run."""

    def __init__(self, size: int) -> None:
        self.kept: list[Case] = []
        self._size = size
        self._offered = 0
        self._random = random.Random(1)

    def offer(self, case: Case) -> None:
        self._offered += 1
        if len(self.kept) < self._size:
            self.kept.append(case)
        elif (place := self._random.randrange(self._offered)) < self._size:
            self.kept[place] = case
