"""docs/performance.md: what was measured goes into the places that are marked for it; the words around them stay."""

import os
import re
import statistics
import subprocess
from datetime import datetime, timezone
from pathlib import Path
from typing import Callable, Sequence

from . import goals
from .flows import Flow
from .goals import Outcome
from .logins import Login
from .measure import Results

MARK = re.compile(
    r"(?P<begin><!-- measured: (?P<name>[\w-]+) -->\n)(?P<text>.*?)(?P<end><!-- end of what was measured -->\n)", re.DOTALL
)

# What the host has in versions that matter: Debian's packages.
PACKAGES = (
    "libpam-modules", "libcurl4", "libssl3", "libjson-c5", "nginx", "libpam-duo", "curl", "jq", "python3-boto3", "awscli",
)  # fmt: skip

Table = Sequence[Sequence[str]]


def write(template: Path, page: Path, results: Results, description: Sequence[str]) -> None:
    """`page` is `template` with the new tables in it. They may be the same file."""
    parts = {
        "goals": _table(_goals(goals.outcomes(results))),
        "flows": _table(_flows(results)),
        "round-trips": _table(_round_trips(results)),
        "requests": _table(_requests(results)),
        "wire": _table(_wire(results)),
        "machine": "".join(f"- {line}\n" for line in description),
    }
    text = template.read_text(encoding="utf-8")
    missing = parts.keys() ^ {found["name"] for found in MARK.finditer(text)}
    if missing:
        raise ValueError(f"{template}: marked places and measured parts differ: {', '.join(sorted(missing))}")
    text = MARK.sub(lambda found: f"{found['begin']}\n{parts[found['name']]}\n{found['end']}", text)
    page.write_text(text, encoding="utf-8")


def _table(rows: Table) -> str:
    head, *rest = rows
    lines = [head, ["---"] * len(head), *rest]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _spread(values: Sequence[float], show: Callable[[float], str] = goals.plain) -> str:
    low, high = map(show, goals.spread(values))
    return f"{low} – {high}" if low != high else low


def _goals(outcomes: Sequence[Outcome]) -> Table:
    rows = [
        [one.what, one.goal, one.show(one.counted), _spread(one.values, one.show), "met" if one.met else "**not met**"]
        for one in outcomes
    ]
    return [["what", "goal", "median", "p10 – p90", ""], *rows]


def _milliseconds(values: Sequence[float]) -> str:
    return f"{statistics.median(values) / 1000:.1f} ({_spread([value / 1000 for value in values], lambda value: f'{value:.1f}')})"


def _trips(values: Sequence[float], at: int) -> str:
    trips = [value / 1000 / at for value in values]
    return f"{statistics.median(trips):.2f} ({_spread(trips)})"


def _flows(results: Results) -> Table:
    at = results.plan.at
    head = [
        "", "first question, ms", "prompt, round trips", "verdict, round trips", "processor time, ms",
        "processor time without delay, ms", "time without delay, ms",
    ]  # fmt: skip
    return [head, *(_flow(flow, results, at) for flow in results.flows)]


def _flow(flow: Flow, results: Results, at: int) -> list[str]:
    """What was not measured is a dash: a first question there may be none, and what is typed slowly is no login's time."""
    slow = any(typed.slow for typed in flow.typed)
    return [
        flow.title,
        _milliseconds(results.of(flow.name, lambda login: login.asked[0])) if slow else "–",
        _trips(results.of(flow.name, goals.prompt), at),
        _trips(results.of(flow.name, goals.verdict), at),
        _milliseconds(results.of(flow.name, goals.cost)),
        _milliseconds(results.of(flow.name, goals.cost, 0)),
        "–" if slow else _milliseconds(results.of(flow.name, goals.wall, 0)),
    ]


def _round_trips(results: Results) -> Table:
    """Milliseconds to the prompt and to the verdict, by round-trip time."""

    def cell(flow: Flow, round_trip: int) -> str:
        def median(what: Callable[[Login], float]) -> float:
            return results.median(flow.name, what, round_trip) / 1000

        return f"{median(goals.prompt):.0f}, {median(goals.verdict):.0f}"

    head = ["", *(f"{round_trip} ms" for round_trip in results.plan.round_trips)]
    return [head, *([flow.title, *(cell(flow, trip) for trip in results.plan.round_trips)] for flow in results.flows)]


def _requests(results: Results) -> Table:
    head = ["", "connections", "TLS", "requests", "the same in"]
    return [head, *(_requests_of(flow, results) for flow in results.flows)]


def _requests_of(flow: Flow, results: Results) -> list[str]:
    logins = [login for (name, _), found in results.logins.items() if name == flow.name for login in found]
    ways = [(login.connections, tuple(request.name for request in login.requests)) for login in logins]
    connections, requests = usual = statistics.mode(ways)
    tls = {f"{request.tls}, {'resumed' if request.resumed else 'full'}" for login in logins for request in login.requests}
    return [flow.title, str(connections), "; ".join(sorted(tls)), " ".join(requests), f"{ways.count(usual)} of {len(ways)}"]


def _wire(results: Results) -> Table:
    """What the bare client saw of it, which needs one round trip for each step; and how late its packets were."""
    head = ["", "TCP connect", "TLS handshake", "first answer", "packets", "late on average", "at worst"]
    rows = []
    for trip, wire in results.wires.items():
        logins = results.logins["openssl", trip]
        steps = [_trips(values, trip) for values in zip(*(login.steps for login in logins))]
        mean = wire.late / max(wire.packets, 1)
        rows.append([f"{trip} ms", *steps, str(wire.packets), f"{mean:.0f} µs", f"{wire.latest / 1000:.1f} ms"])
    return [head, *sorted(rows, key=lambda row: int(row[0].split()[0]))]


def describe(results: Results, version: str, load: float, first: bool, awake: bool) -> list[str]:
    """The machine, what runs on it, and what was run. `load` is of others, before the first login; `first`: they had to wait;
    `awake`: no processor slept."""
    plan = results.plan
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    release = re.search(r'PRETTY_NAME="(.*)"', Path("/etc/os-release").read_text())
    machine = [cpu[1] if cpu else os.uname().machine, f"{goals.PROCESSORS} processors", f"Linux {os.uname().release}"]
    common = min(len(found) for found in results.logins.values())
    most = max(len(found) for found in results.logins.values())
    return [
        f"pam-cognito {version}, {datetime.now(timezone.utc):%B %Y}",
        ", ".join([*machine, release[1] if release else "unknown"]),
        _versions(),
        f"{common} rounds over all round-trip times, {most} at {plan.at} ms and without delay: "
        f"{sum(map(len, results.logins.values()))} logins of {len(results.flows)} flows; {plan.growth} in one process; "
        f"{plan.crowds} times {plan.at_once} at once",
        f"load of others before the first login: {load:.1f}; what was measured ran {'before' if first else 'among'} them; "
        f"the processors {'did not sleep' if awake else 'slept'} when they had nothing to do",
    ]


def _versions() -> str:
    """Those of Debian's packages."""
    command = ["dpkg-query", "-W", "-f", "${Package} ${Version}, ", *PACKAGES]
    return subprocess.run(command, capture_output=True, text=True).stdout.rstrip(", ")
