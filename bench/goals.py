"""What was promised, a row for each: what is measured, the goal, and what came out."""

import statistics
from dataclasses import dataclass
from typing import Callable, Sequence

from .logins import Login
from .measure import REPEATED, Results

PROCESSORS = 2

# Logins after which a process has to stay as large as it is, and how many KiB may be noise.
SETTLED, NOISE = 250, 32


@dataclass(frozen=True)
class Outcome:
    """`values` are in `unit`; what counts is their median, unless `value` says what."""

    what: str
    goal: str
    values: Sequence[float]
    most: float
    show: Callable[[float], str]
    value: float | None = None

    @property
    def counted(self) -> float:
        return statistics.median(self.values) if self.value is None else self.value

    @property
    def met(self) -> bool:
        return self.counted <= self.most


def spread(values: Sequence[float]) -> tuple[float, float]:
    """The tenth and the ninetieth percentile."""
    ordered = sorted(values)
    last = len(ordered) - 1
    return ordered[round(last * 0.1)], ordered[round(last * 0.9)]


def plain(value: float) -> str:
    return f"{value:.2f}"


def fraction(value: float) -> str:
    return f"1/{1 / value:.0f}" if value < 0.5 else f"{value:.2f}"


def kilobytes(value: float) -> str:
    return f"{value:.0f} KiB"


def milliseconds(value: float) -> str:
    return f"{value:.0f} ms"


def prompt(login: Login) -> float:
    return login.prompt


def verdict(login: Login) -> float:
    return login.verdict


def cost(login: Login) -> float:
    return login.cost


def wall(login: Login) -> float:
    return login.wall


# (what, flow, goal), in round trips
PROMPTS = (
    ("prompt after the password was typed, signs in with `password`", "signin-password", 2.1),
    ("the same with `srp`", "signin-srp", 3.1),
    ("prompt for a token that is there, prepared before a first factor was typed", "token-prepared", 1.1),
    ("prompt for a token that is there, nothing to overlap, first login on the host", "token-cold", 4.2),
    ("the same, not the first login on the host", "token", 3.2),
)

# (script, goal)
SCRIPTS = (("curl", 12), ("boto3", 60), ("awscli", 100))

# (flow, bare client that asks the same)
WALLS = (("token", "libcurl"), ("token-cold", "libcurl-keys"))
WALL_MOST = 1.25


def outcomes(results: Results) -> list[Outcome]:
    return [*_prompts(results), _verdict(results), *_costs(results), *_walls(results), *_growth(results), _crowd(results)]


def _trips(results: Results, flow: str, what: Callable[[Login], float]) -> list[float]:
    return [value / 1000 / results.plan.at for value in results.of(flow, what)]


def _prompts(results: Results) -> list[Outcome]:
    return [
        Outcome(what, f"≤ {goal} round trips", _trips(results, flow, prompt), goal, plain) for what, flow, goal in PROMPTS
    ]


def _verdict(results: Results) -> Outcome:
    ours = [flow.name for flow in results.flows if flow.kind == "module"]
    values = [value for name in ours for value in _trips(results, name, verdict)]
    return Outcome("verdict after the code, all flows of the module", "≤ 1.05 round trips", values, 1.05, plain)


def _costs(results: Results) -> list[Outcome]:
    titles = {flow.name: flow.title for flow in results.flows}
    return [
        Outcome(
            f"processor time of a login without delay, against {titles[script]}", f"≤ 1/{goal}",
            results.ratios(REPEATED, script, cost, 0), 1 / goal, fraction,
        )
        for script, goal in SCRIPTS
    ]  # fmt: skip


def _walls(results: Results) -> list[Outcome]:
    titles = {flow.name: flow.title for flow in results.flows}
    return [
        Outcome(
            f"time of a login without delay, {titles[flow].partition(', ')[2]}, against {titles[bare]}", f"≤ {WALL_MOST}",
            results.ratios(flow, bare, wall, 0), WALL_MOST, plain,
        )
        for flow, bare in WALLS
    ]  # fmt: skip


def _growth(results: Results) -> list[Outcome]:
    memory = results.memory
    count = results.plan.growth
    settled = memory[min(SETTLED, len(memory)) - 1 :]
    whole, late = memory[-1] - memory[0], max(settled) - settled[0]
    return [
        Outcome(f"growth of a host process from its 1st to its {count}th login", "≤ 512 KiB", [whole], 512, kilobytes),
        Outcome(f"the same after login {SETTLED}, at most", f"flat (≤ {NOISE} KiB)", [late], NOISE, kilobytes),
    ]


def _crowd(results: Results) -> Outcome:
    at_once = results.plan.at_once
    most = at_once * results.median(REPEATED, cost, 0) / PROCESSORS * 1.5 / 1000
    slowest = [max(login.wall for login in crowd) / 1000 for crowd in results.crowds]
    goal = f"≤ {at_once} × {results.median(REPEATED, cost, 0) / 1000:.1f} ms / {PROCESSORS} × 1.5 = {most:.0f} ms"
    return Outcome(f"slowest of {at_once} logins at once on {PROCESSORS} processors", goal, slowest, most, milliseconds)
