"""Which faults are tried: each call of each flow in each of its ways, and pairs by chance."""

import random
import re
from dataclasses import dataclass
from typing import Iterator

from .bench import Bench, Fault, Login
from .board import RECORDS, ROLES
from .flows import Flow
from .judge import Wrong, judge

# What host.c says of memory: blocks, and what is mapped.
MEMORY = re.compile(r"\w+: (blocks |memory |[0-9a-f]+-[0-9a-f]+ )")

WARM_UP = 3
ATTEMPTS = 3

HELPER = ROLES.index("helper")

# More than any function has ways to fail, and divisible by the numbers of them.
FAILURES = 60


@dataclass(frozen=True)
class Call:
    """One call of a login; `path` is a number for the functions that led to it."""

    role: int
    call: int
    nth: int
    path: int


@dataclass(frozen=True)
class Tried:
    login: Login
    wrong: list[Wrong]


def calls_of(bench: Bench, flow: Flow) -> list[Call]:
    """Those of a login in which nothing fails. AssertionError when it is not as the flow says."""
    bench.enter(flow)
    for _ in range(WARM_UP):
        login = bench.log_in()
    assert login.steps == flow.verdicts and not judge(login) and not login.differs, (flow.name, login, judge(login))
    count = bench.board.calls
    assert count <= RECORDS
    return [Call(one.role, one.call, one.nth, one.path) for one in bench.board.records[:count]]


def singles(bench: Bench, flow: Flow, calls: list[Call], seen: set[tuple[object, ...]] | None) -> Iterator[Fault]:
    """Each call in each of its ways. With `seen`, those that were not reached by the same functions before, in a flow of the
    same kind."""
    for call in calls:
        key = (flow.kind(ROLES[call.role]), call.role, call.call, call.path)
        if seen is not None and key in seen:
            continue
        if seen is not None:
            seen.add(key)
        for failure in range(len(bench.rows[call.call].failures)):
            yield Fault(failure, call.role, call.call, call.nth)


def library_faults(bench: Bench, stride: int) -> Iterator[Fault]:
    """Every so manyeth allocation of the helper's libraries."""
    call = next(number for number, row in enumerate(bench.rows) if row.name == "library_malloc")
    bench.log_in(deep=True)
    for nth in range(1, bench.board.counts[HELPER][call] + 1, stride):
        yield Fault(0, HELPER, call, nth)


def pair(calls: list[Call], chance: random.Random) -> tuple[Fault, Fault]:
    """A call, and another one soon after it or much later: what follows a fault is not what the flow knows."""
    first = chance.choice(calls)
    after = int(2 ** chance.uniform(0, 8))
    return (
        Fault(chance.randrange(FAILURES), first.role, first.call, first.nth),
        Fault(chance.randrange(FAILURES), after=after),
    )


def attempt(bench: Bench, flow: Flow, faults: tuple[Fault, ...], lenient: bool = True, deep: bool = False) -> Tried:
    """A login with these faults. What depends on time (how often a socket is read) may not come to pass at once."""
    for _ in range(ATTEMPTS if len(faults) == 1 else 1):
        login = bench.log_in(*faults, lenient=lenient, deep=deep)
        if login.met:
            break
    wrong = judge(login)
    wrong += [Wrong("leaks", line) for line in login.differs if not MEMORY.match(line)]
    if any(map(MEMORY.match, login.differs)):
        # A library may keep some for good when it is used for the first time: a leak comes again.
        again = bench.log_in(*faults, lenient=lenient, deep=deep)
        wrong += [Wrong("leaks", line) for line in again.differs if MEMORY.match(line)]
    if len(faults) == 1 and login.met and login.steps != flow.verdicts:
        row, failure = bench.rows[faults[0].call], faults[0].failure
        if row.harmless(failure):
            wrong.append(Wrong("noticed", f"{row.name} {row.failures[failure]}: {login.steps}"))
    return Tried(login, wrong)
