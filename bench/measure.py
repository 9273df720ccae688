"""What is measured: rounds of one login of each flow at each round-trip time, and what many logins do to one host."""

import random
import statistics
import sys
from dataclasses import dataclass, field
from typing import Callable, Sequence

from .flows import Flow
from .logins import Driver, Login
from .place import Network

SEED = 2026

# The flow in which one host process logs in many times, and many at once.
REPEATED = "token"


@dataclass(frozen=True)
class Plan:
    """How much is measured. The goals are judged at the round-trip time `at`, milliseconds."""

    round_trips: tuple[int, ...]
    rounds: int
    more_rounds: int  # at `at` and without delay, beside the others
    growth: int
    at_once: int
    crowds: int
    at: int = 50
    first: bool = True  # before all else that runs on this machine


FULL = Plan((0, 25, 50, 100, 150, 200), 7, 20, 1000, 64, 5)
QUICK = Plan((0, 50), 3, 0, 300, 64, 1)
SMOKE = Plan((0, 50), 1, 0, 5, 8, 1, first=False)


@dataclass
class Wire:
    """What was seen of the wire at one round-trip time: packets, and how late they were, in microseconds."""

    packets: int = 0
    late: int = 0  # all of them together
    latest: int = 0

    def add(self, packets: int, mean: int, latest: int) -> None:
        self.packets += packets
        self.late += packets * mean
        self.latest = max(self.latest, latest)


@dataclass
class Results:
    """`logins` are by flow and round-trip time, in the order of the rounds: the Nth of each belong together."""

    plan: Plan
    flows: list[Flow]
    logins: dict[tuple[str, int], list[Login]] = field(default_factory=dict)
    wires: dict[int, Wire] = field(default_factory=dict)
    memory: list[int] = field(default_factory=list)
    crowds: list[list[Login]] = field(default_factory=list)

    def of(self, flow: str, what: Callable[[Login], float], round_trip: int | None = None) -> list[float]:
        """One value for each login."""
        where = self.plan.at if round_trip is None else round_trip
        return [what(login) for login in self.logins[flow, where]]

    def median(self, flow: str, what: Callable[[Login], float], round_trip: int | None = None) -> float:
        return statistics.median(self.of(flow, what, round_trip))

    def ratios(self, flow: str, to: str, what: Callable[[Login], float], round_trip: int) -> list[float]:
        """One for each round."""
        pairs = zip(self.of(flow, what, round_trip), self.of(to, what, round_trip))
        return [one / other for one, other in pairs]


def tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


class Measuring:
    def __init__(self, plan: Plan, flows: Sequence[Flow], driver: Driver, network: Network) -> None:
        self._driver, self._network = driver, network
        self._random = random.Random(SEED)
        self.results = Results(plan, list(flows))

    def run(self) -> Results:
        plan = self.results.plan
        self._warm_up()
        for number in range(plan.rounds):
            tell(f"round {number + 1} of {plan.rounds}: {', '.join(map(str, plan.round_trips))} ms")
            self._round(plan.round_trips)
        for number in range(plan.more_rounds):
            tell(f"round {number + 1} of {plan.more_rounds} more: 0, {plan.at} ms")
            self._round((0, plan.at))
        self._network.set_round_trip(0)
        self._grow()
        self._crowd()
        return self.results

    def _warm_up(self) -> None:
        """Programs and libraries come from the disk once."""
        tell("one login of each, not counted")
        self._network.set_round_trip(0)
        for flow in self.results.flows:
            self._driver.log_in(flow, 0)

    def _round(self, round_trips: Sequence[int]) -> None:
        """The order is another in each round, so that nobody always comes after the same neighbour."""
        for round_trip in self._random.sample(round_trips, len(round_trips)):
            self._network.set_round_trip(round_trip)
            self._network.lateness()
            for flow in self._random.sample(self.results.flows, len(self.results.flows)):
                login = self._driver.log_in(flow, round_trip)
                self.results.logins.setdefault((flow.name, round_trip), []).append(login)
            if round_trip:
                self.results.wires.setdefault(round_trip, Wire()).add(*self._network.lateness())

    def _repeated(self) -> Flow:
        return next(flow for flow in self.results.flows if flow.name == REPEATED)

    def _grow(self) -> None:
        count = self.results.plan.growth
        tell(f"{count} logins in one process")
        self.results.memory = self._driver.log_in(self._repeated(), 0, count).memory

    def _crowd(self) -> None:
        plan = self.results.plan
        for number in range(plan.crowds):
            tell(f"{plan.at_once} logins at once, {number + 1} of {plan.crowds}")
            self.results.crowds.append(self._driver.log_in_at_once(self._repeated(), plan.at_once))
