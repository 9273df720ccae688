"""Runs the fleet's scenarios, and writes their tables into docs/fleet.md and the plot docs/fleet.svg: report.py FLEET DOCS [SEED]

FLEET is the program bench/fleet/fleet, DOCS the folder of the page. A table stands between <!-- NAME --> and <!-- end --> in
the page; what is around it is written by hand. The same seed gives the same bytes.
"""

import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot  # noqa: E402

Scenario = dict[str, Any]
Table = list[list[str]]

ARRIVALS = {"uniform": "evenly", "peak": "morning peak", "rush": "in the first 10 s"}

# The back-offs that are compared; the first is what the helper does.
POLICIES: dict[str, Scenario] = {
    "**1 s, 4 s, each from ½ to 1½ (the helper)**": {},
    "none": {"jitter": "none", "tries": 0},
    "¼ s, ½ s, each from ½ to 1½ (the helper before)": {"jitter": "half", "base": 250, "growth": 2, "tries": 2},
    "½ s, 1 s, each from ½ to 1½": {"jitter": "half", "base": 500, "growth": 2, "tries": 2},
    "1 s, 2 s, each from ½ to 1½": {"jitter": "half", "base": 1000, "growth": 2, "tries": 2},
    "2 s, 4 s, each from ½ to 1½": {"jitter": "half", "base": 2000, "growth": 2, "tries": 2},
    "1 s, 4 s, without jitter": {"jitter": "none", "base": 1000, "growth": 4, "tries": 2},
    "full jitter: 0 to 1 s, 0 to 2 s": {"jitter": "full", "base": 500, "growth": 2, "tries": 2},
    "full jitter: 0 to 2 s, 0 to 8 s": {"jitter": "full", "base": 1000, "growth": 4, "tries": 2},
    "decorrelated jitter from ¼ s": {"jitter": "decorrelated", "base": 250, "growth": 1, "tries": 2},
    "decorrelated jitter from 1 s": {"jitter": "decorrelated", "base": 1000, "growth": 1, "tries": 2},
    "*¼ s, ½ s, 1 s … up to the deadline*": {"jitter": "half", "base": 250, "growth": 2, "tries": 1000},
    "*full jitter: 0 to 1 s, 0 to 2 s … up to the deadline*": {"jitter": "full", "base": 500, "growth": 2, "tries": 1000},
}

# Fewer than one in so many is refused: that counts as enough.
ENOUGH = 1000


@dataclass(frozen=True)
class Mean:
    """What several runs with seeds of their own say on average."""

    runs: list[dict[str, Any]]
    people: int

    def share(self, *keys: str) -> float:
        """Percent of the people."""
        return 100 * sum(run[key] for run in self.runs for key in keys) / (self.people * len(self.runs))

    @property
    def refused(self) -> float:
        return 100 - self.share("in_at_first")

    def wait(self, kind: str, which: str) -> float:
        """Seconds."""
        return sum(run[kind][which] for run in self.runs) / len(self.runs) / 1000

    def throttled(self) -> float:
        """Calls for each person."""
        quotas = ("signin", "challenge", "read", "send", "verify")
        return sum(run[quota]["throttled"] for run in self.runs for quota in quotas) / (self.people * len(self.runs))


class Fleet:
    def __init__(self, program: Path, seed: int) -> None:
        self.program = program
        self.seed = seed

    def run(self, **scenario: Any) -> dict[str, Any]:
        words = [f"{key}={value}" for key, value in scenario.items()]
        done = subprocess.run([self.program, *words], check=True, capture_output=True, text=True)
        return json.loads(done.stdout)  # type: ignore[no-any-return]

    def mean(self, **scenario: Any) -> Mean:
        """Few people need more runs: some 20,000 in all, in three runs at least."""
        count = max(3, 20000 // scenario["people"])
        return Mean([self.run(seed=self.seed + i, **scenario) for i in range(count)], scenario["people"])

    def means(self, scenarios: list[Scenario]) -> list[Mean]:
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(lambda scenario: self.mean(**scenario), scenarios))

    def quota(self, **scenario: Any) -> int:
        """The smallest number of logins a second, for all quotas, with which hardly anybody is refused."""
        low, high = 0, scenario["people"]
        while high - low > 1:
            middle = (low + high) // 2
            mean = self.mean(signin=middle, read=middle, send=middle, verify=middle, **scenario)
            low, high = (low, middle) if mean.refused < 100 / ENOUGH else (middle, high)
        return high

    def crowd(self, **scenario: Any) -> int:
        """How many people can come, with hardly anybody refused; to two digits."""
        low, high = 10, 600000
        while high > low * 1.01:
            middle = round((low * high) ** 0.5)
            low, high = (middle, high) if self.mean(people=middle, **scenario).refused < 100 / ENOUGH else (low, middle)
        unit = 10 ** (len(str(low)) - 2)
        return low // unit * unit


def percent(value: float) -> str:
    if 0 < value < 0.05:
        return "< 0.1 %"
    return f"{value:.0f} %" if value >= 9.95 else f"{value:.1f} %" if value else "0"


def seconds(value: float) -> str:
    return f"{value:.0f}" if value >= 9.95 else f"{value:.1f}"


def waits(mean: Mean, kind: str) -> str:
    return " / ".join(seconds(mean.wait(kind, which)) for which in ("p50", "p95", "p99"))


def row_of(mean: Mean) -> list[str]:
    return [
        percent(mean.refused), percent(mean.share("lost")), f"{mean.throttled():.2f}",
        waits(mean, "to_prompt"), waits(mean, "to_verdict"), seconds(mean.wait("delay", "mean")),
    ]  # fmt: skip


OUTCOME = ["refused at first", "lost", "throttled calls", "to the prompt, s", "to the verdict, s", "delay, s"]


def people_table(fleet: Fleet) -> Table:
    rows = [(n, arrival) for arrival in ARRIVALS for n in (1000, 3000, 5000, 10000, 15000, 30000, 100000)]
    means = fleet.means([{"people": n, "arrival": arrival} for n, arrival in rows])
    return [["people", "come", *OUTCOME]] + [
        [f"{n:,}", ARRIVALS[arrival], *row_of(mean)] for (n, arrival), mean in zip(rows, means)
    ]


def flow_table(fleet: Fleet) -> Table:
    rows: list[tuple[str, Scenario]] = [
        ("`signin`, `signin_flow = srp`, `when = always`", {"flow": "srp"}),
        ("the same with `signin_flow = password`", {"flow": "password"}),
        ("`token = file:…` or `command:…`", {"flow": "file"}),
        ("`srp` and `remember`: half of the logins need a code", {"flow": "srp", "code": 50}),
        ("`srp` and `remember`: one in ten needs a code", {"flow": "srp", "code": 10}),
        ("`srp` and `when = unverified`: one in twenty needs a code", {"flow": "srp-unverified", "code": 5}),
    ]
    means = fleet.means([{"people": 30000, **scenario} for _, scenario in rows])
    return [["configuration", *OUTCOME]] + [[name, *row_of(mean)] for (name, _), mean in zip(rows, means)]


BURSTS: dict[str, Scenario] = {
    "15,000 evenly": {"people": 15000, "arrival": "uniform"},
    "7,000 in a peak": {"people": 7000, "arrival": "peak"},
    "550 in 10 s": {"people": 550, "arrival": "rush"},
    "700 in 10 s": {"people": 700, "arrival": "rush"},
    "1,000 in 10 s": {"people": 1000, "arrival": "rush"},
    "20,000 evenly": {"people": 20000, "arrival": "uniform"},
}


def policy_table(fleet: Fleet, kind: str) -> Table:
    rows: Table = [["back-off", *BURSTS]]
    for name, policy in POLICIES.items():
        means = fleet.means([{**burst, **policy, "quota": kind} for burst in BURSTS.values()])
        rows.append([name] + [f"{percent(mean.refused)}, {seconds(mean.wait('delay', 'mean'))} s" for mean in means])
    return rows


def doubt_table(fleet: Fleet) -> Table:
    doubts: dict[str, Scenario] = {
        "as above": {},
        "a bucket, not a window": {"quota": "bucket"},
        "round trip 200 ms": {"rtt": 200},
        "whoever was refused tries again after 10 s": {"again": 10},
        "`request_timeout = 5`": {"timeout": 5000},
    }
    former = POLICIES["¼ s, ½ s, each from ½ to 1½ (the helper before)"]
    bursts = ("15,000 evenly", "7,000 in a peak", "1,000 in 10 s")
    rows: Table = [["what is different", *bursts]]
    for name, doubt in doubts.items():
        means = fleet.means([{**BURSTS[burst], **policy, **doubt} for burst in bursts for policy in (former, {})])
        said = [f"{percent(mean.refused)}, {seconds(mean.wait('delay', 'mean'))} s" for mean in means]
        rows.append([name] + [f"{old} → {new}" for old, new in zip(said[::2], said[1::2])])
    return rows


def crowd_table(fleet: Fleet) -> Table:
    shares: dict[str, Scenario] = {
        "each": {},
        "half of them (`remember`)": {"code": 50},
        "one in five (`remember`)": {"code": 20},
        "one in twenty (`when = unverified`)": {"code": 5, "flow": "srp-unverified"},
    }
    columns: dict[str, Scenario] = {
        f"{ARRIVALS[arrival]}, {minutes} min": {"arrival": arrival, "seconds": 60 * minutes}
        for arrival in ("uniform", "peak")
        for minutes in (10, 60)
    }
    columns[ARRIVALS["rush"]] = {"arrival": "rush"}
    cases = [{**share, **column} for share in shares.values() for column in columns.values()]
    with ThreadPoolExecutor(2) as pool:
        crowds = list(pool.map(lambda case: fleet.crowd(**case), cases))
    rows: Table = [["logins with a code", *columns]]
    for i, name in enumerate(shares):
        rows.append([name] + [f"{crowd:,}" for crowd in crowds[i * len(columns) : (i + 1) * len(columns)]])
    return rows


def quota_table(fleet: Fleet) -> Table:
    minutes = (10, 30, 60)
    cases = [(n, arrival, m) for n in (1000, 5000, 10000, 25000, 50000, 100000) for arrival in ("uniform", "peak") for m in minutes]
    with ThreadPoolExecutor(2) as pool:
        quotas = list(pool.map(lambda case: fleet.quota(people=case[0], arrival=case[1], seconds=60 * case[2]), cases))
    found = dict(zip(cases, quotas))
    rows: Table = [["people", *(f"{ARRIVALS[arrival]}, {m} min" for arrival in ("uniform", "peak") for m in minutes)]]
    for n in sorted({case[0] for case in cases}):
        rows.append([f"{n:,}"] + [str(found[n, arrival, m]) for arrival in ("uniform", "peak") for m in minutes])
    return rows


TABLES: dict[str, Callable[[Fleet], Table]] = {
    "people": people_table,
    "flows": flow_table,
    "window": lambda fleet: policy_table(fleet, "window"),
    "bucket": lambda fleet: policy_table(fleet, "bucket"),
    "doubts": doubt_table,
    "crowds": crowd_table,
    "quotas": quota_table,
}


def markdown(table: Table) -> str:
    head, *rows = table
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write_page(page: Path, fleet: Fleet) -> None:
    tables = {name: markdown(make(fleet)) for name, make in TABLES.items()}
    text = page.read_text(encoding="utf-8")
    for name, table in tables.items():
        place = re.compile(f"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        text, found = place.subn(lambda match: f"{match[1]}\n{table}\n\n{match[2]}", text)
        if found != 1:
            raise SystemExit(f"report: {page} has no place for the table {name}")
    page.write_text(text, encoding="utf-8")


def draw(file: Path, fleet: Fleet) -> None:
    pyplot.rcParams.update({"svg.hashsalt": "fleet", "svg.fonttype": "none", "font.size": 9, "font.family": "sans-serif"})
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 5.4), sharey=True, layout="constrained")
    people = (1000, 2000, 3000, 5000, 7000, 10000, 15000, 20000, 30000, 50000, 100000)
    for colour, (arrival, name) in zip(("#5e81ac", "#a3602c", "#3f7f4f"), ARRIVALS.items()):
        means = fleet.means([{"people": n, "arrival": arrival} for n in people])
        left.plot(people, [mean.refused for mean in means], color=colour, marker=".", label=f"{name}: refused at first")
        left.plot(people, [mean.share("lost") for mean in means], color=colour, linestyle=":", label=f"{name}: lost")
    left.set(xscale="log", xlabel="people in ten minutes", ylabel="percent of the people", ylim=(0, 100))
    left.set_title("The quotas of a new account")
    crowd = (200, 300, 400, 500, 600, 700, 800, 1000, 1200, 1500, 2000)
    shown = [name for name in POLICIES if "2 s, 4 s" not in name and "½ s, 1 s" not in name and "1 s, 2 s" not in name]
    styles = ("-", "--", "-.", ":")
    for i, name in enumerate(shown):
        means = fleet.means([{"people": n, "arrival": "rush", **POLICIES[name]} for n in crowd])
        right.plot(
            crowd, [mean.refused for mean in means], label=name.strip("*"), color=f"C{i}", linewidth=2 if i == 0 else 1,
            linestyle=styles[i % len(styles)],
        )  # fmt: skip
    right.set(xlabel="people within 10 s", xlim=(crowd[0], crowd[-1]))
    right.set_title("Refused at first, by back-off")
    for axes in (left, right):
        axes.legend(fontsize=7, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.14))
        axes.grid(color="#dddddd", linewidth=0.5)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, metadata={"Date": None, "Creator": None})


def main(program: str, docs: str, seed: str = "1") -> None:
    fleet = Fleet(Path(program), int(seed))
    write_page(Path(docs) / "fleet.md", fleet)
    draw(Path(docs) / "fleet.svg", fleet)


if __name__ == "__main__":
    main(*sys.argv[1:])
