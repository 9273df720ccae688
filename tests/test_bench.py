"""What scripts/bench measures with: the wire that takes its time, the host that counts what a login costs, and the page.

That the whole bench runs is shown by itself: `scripts/bench --quick`.
"""

import ctypes
import os
import re
import socket
import statistics
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Callable, Iterator

import pytest
from harness.build import Build
from harness.crowd import program

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import bson, goals, place, plot, report  # noqa: E402
from bench.flows import Flow, Typed, all_flows  # noqa: E402
from bench.logins import Login, parse  # noqa: E402
from bench.measure import REPEATED, Plan, Results  # noqa: E402
from bench.server import Pool, Request  # noqa: E402

ROUND_TRIP = 0.06
PORT = 4433
DATAGRAMS = 200


# The wire


def on_the_wire(test: Callable[[place.Network], None]) -> None:
    """Runs it on the near side of a new network, which is a thread's own."""
    if not os.path.exists("/dev/net/tun"):
        pytest.skip("there is no /dev/net/tun here")
    delay = Path(program("DELAY"))
    raised: list[BaseException] = []

    def run() -> None:
        try:
            with closing(place.Network(delay, ["far.test"])) as network:
                network.set_round_trip(round(ROUND_TRIP * 1000))
                test(network)
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if raised:
        raise raised[0]


def far_socket(kind: socket.SocketKind) -> socket.socket:
    """Bound on the far side. A socket stays where it was made, whoever uses it."""
    made: list[socket.socket] = []

    def make() -> None:
        namespace = os.open(place.FAR, os.O_RDONLY)
        assert ctypes.CDLL(None, use_errno=True).setns(namespace, place.CLONE_NEWNET) == 0
        os.close(namespace)
        made.append(socket.socket(socket.AF_INET, kind))
        made[0].settimeout(10)
        made[0].bind((place.SLOW, PORT))

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    return made[0]


def near_socket(kind: socket.SocketKind) -> socket.socket:
    made = socket.socket(socket.AF_INET, kind)
    made.settimeout(10)
    return made


def receive(end: socket.socket) -> Iterator[tuple[int, float, tuple[str, int]]]:
    """The number in each datagram, when it came, and from whom."""
    for _ in range(DATAGRAMS):
        data, sender = end.recvfrom(100)
        yield int(data), time.monotonic(), sender


def test_every_packet_comes_once_in_order_and_late(installed: Build) -> None:
    def exchange(network: place.Network) -> None:
        with far_socket(socket.SOCK_DGRAM) as far, near_socket(socket.SOCK_DGRAM) as near:
            sent = []
            for number in range(DATAGRAMS):
                sent.append(time.monotonic())
                near.sendto(b"%d" % number, (place.SLOW, PORT))
            there = list(receive(far))
            answered = []
            for number in range(DATAGRAMS):
                answered.append(time.monotonic())
                far.sendto(b"%d" % number, there[number][2])
            back = list(receive(near))
        for start, arrived in ((sent, there), (answered, back)):
            assert [number for number, _, _ in arrived] == list(range(DATAGRAMS))
            under_way = [at - began for (_, at, _), began in zip(arrived, start)]
            assert min(under_way) >= ROUND_TRIP / 2
            assert statistics.median(under_way) < ROUND_TRIP  # it is the wire that takes the time, and not this machine
        packets, mean, worst = network.lateness()
        assert packets >= 2 * DATAGRAMS
        assert 0 <= mean <= worst
        assert network.lateness() == (0, 0, 0)

    on_the_wire(exchange)


def test_a_tcp_handshake_takes_one_round_trip(installed: Build) -> None:
    def connect(network: place.Network) -> None:
        with far_socket(socket.SOCK_STREAM) as far, near_socket(socket.SOCK_STREAM) as near:
            far.listen()
            start = time.monotonic()
            near.connect((place.SLOW, PORT))
            assert ROUND_TRIP <= time.monotonic() - start < 2 * ROUND_TRIP

    on_the_wire(connect)


def test_without_delay_names_lead_past_the_slow_wire(installed: Build) -> None:
    def look_up(network: place.Network) -> None:
        assert socket.gethostbyname("far.test") == place.SLOW
        network.set_round_trip(0)
        assert socket.gethostbyname("far.test") == place.FAST

    on_the_wire(look_up)


def test_processors_stay_awake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As long as the file is open that says so, and only where there is one."""
    monkeypatch.setattr(place, "LATENCY", tmp_path / "latency")
    assert place.stay_awake() is None
    place.LATENCY.touch()
    latency = place.stay_awake()
    assert latency is not None and os.readlink(f"/proc/self/fd/{latency}") == str(place.LATENCY)
    os.close(latency)
    assert place.LATENCY.read_bytes() == bytes(4)  # an int of microseconds


# The host


def cost_of(script: str) -> Login:
    command = [program("BENCH_HOST"), "-x", "/bin/sh", "-c", script]
    return parse(subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout)


def test_what_is_left_without_a_parent_counts(installed: Build) -> None:
    """As the helper does, whose parent has ended before it begins."""
    busy = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done"
    idle, orphan = cost_of("exit 0"), cost_of(f"( {busy} ) & exit 0")
    assert orphan.cost > idle.cost + 50_000
    assert orphan.wall < orphan.cost  # it was over, while the orphan went on


# What comes of it


def test_the_words_of_a_host() -> None:
    login = parse(
        "connected 5\nasked 1200 Password: \nasked 103000 Code (empty): \nreturned 0 51000\n"
        "memory 4096\nended 0 400000\ncost 12000\n"
    )
    assert (login.asked, login.prompt, login.verdict) == ([1200, 103000], 103000, 51000)
    assert (login.memory, login.wall, login.cost, login.marks) == ([4096], 400000, 12000, {"connected": 5})
    assert login.succeeded


def test_the_steps_of_the_bare_client() -> None:
    assert parse("resolved 100\nconnected 50100\nsecured 101000\nasked 152000\n").steps == [50000, 50900, 51000]
    assert parse("asked 152000\n").steps == []


@pytest.mark.parametrize("line", ["returned 7 51000\nended 0 1", "returned 0 51000\nended 1 1", "ended 0 1"])
def test_a_login_that_was_none(line: str) -> None:
    assert not parse(f"asked 1 x\n{line}\n").succeeded


def test_bson() -> None:
    """The example of bsonspec.org, and one within another."""
    hello = b"\x16\0\0\0\x02hello\0\x06\0\0\0world\0\0"
    assert bson.document({"hello": "world"}) == hello
    assert bson.document({"a": {"hello": "world"}}) == b"\x1e\0\0\0\x03a\0" + hello + b"\0"


def test_what_is_typed_slowly_takes_longer_than_a_connection() -> None:
    text, round_trip = "code", 50
    assert Typed(text).word(round_trip) == "0=code"
    milliseconds, _, word = Typed(text, slow=True).word(round_trip).partition("=")
    assert int(milliseconds) >= 3 * round_trip and word == text


@pytest.fixture(scope="module")
def flows() -> list[Flow]:
    top = Path(__file__).parents[1]
    pools = [Pool("eu-central-1", "password"), Pool("eu-west-1", "srp")]
    return all_flows(top, top / "pam.d-examples", top, pools, top / "root.pem")


@pytest.fixture
def results(flows: list[Flow]) -> Results:
    """A bench in which a module's login took two round trips and one, and everybody else's a hundred times as much of all."""
    made = Results(Plan((0, 50), 2, 0, 300, 64, 1), flows)
    for flow in flows:
        times = 1 if flow.kind == "module" else 100
        for trip in (0, 50):
            made.logins[flow.name, trip] = [
                Login([times * trip * 2000], times * trip * 1000, times * 5000, times * (12_000 if trip else 10_000), [], connections=1,
                      marks={"resolved": 0, "connected": 1, "secured": 2},
                      requests=[Request(1, "TLSv1.3", False, name, 200) for name in flow.needs])
                for _ in range(2)
            ]  # fmt: skip
    made.memory = [4000] * 200 + [4100] * 100
    made.crowds = [[Login(wall=400_000), Login(wall=470_000)]]
    return made


def judged(results: Results) -> dict[str, bool]:
    return {one.what: one.met for one in goals.outcomes(results)}


def test_goals_that_are_met(results: Results) -> None:
    # The prompt took two round trips, of which a first factor would have hidden one.
    assert [what for what, met in judged(results).items() if not met] == [goals.PROMPTS[2][0]]


def spoil_prompt(results: Results) -> None:
    for login in results.logins["signin-srp", 50]:
        login.asked = [3.11 * 50_000]


def spoil_verdict(results: Results) -> None:
    for flow in results.flows:
        for login in results.logins[flow.name, 50]:
            login.verdict = 53_000


def spoil_cost(results: Results) -> None:
    for login in results.logins["curl", 0]:
        login.cost = 11 * 10_000


def spoil_wall(results: Results) -> None:
    for login in results.logins["libcurl", 0]:
        login.wall = 3900


def grow(results: Results) -> None:
    results.memory = [4000] * 200 + [4513] * 100


def grow_late(results: Results) -> None:
    results.memory = [4000] * 299 + [4033]


def be_slow(results: Results) -> None:
    results.crowds = [[Login(wall=481_000)]]


@pytest.mark.parametrize(
    "spoil, what",
    [
        (spoil_prompt, "the same with `srp`"),
        (spoil_verdict, "verdict after the code"),
        (spoil_cost, "curl and jq"),
        (spoil_wall, "time of a login without delay, token there, against"),
        (grow, "growth of a host process"),
        (grow_late, "the same after login 250"),
        (be_slow, "slowest of 64"),
    ],
)
def test_goals_that_are_not_met(results: Results, spoil: Callable[[Results], None], what: str) -> None:
    before = judged(results)
    spoil(results)
    changed = [one for one, met in judged(results).items() if not met and before.get(one)]
    assert len(changed) == 1 and what in changed[0]


def test_spread() -> None:
    assert goals.spread(range(11)) == (1, 9)
    assert goals.spread([7]) == (7, 7)


def test_tables_name_flows_that_there_are(flows: list[Flow]) -> None:
    names = [flow.name for flow in flows]
    assert len(set(names)) == len(names) == len({flow.title for flow in flows})
    used = {REPEATED, *(flow for _, flow, _ in goals.PROMPTS), *(script for script, _ in goals.SCRIPTS)}
    used |= {flow for pair in goals.WALLS for flow in pair} | {name for name, _, _ in plot.LINES}
    assert used <= set(names)


def test_no_secret_is_in_the_arguments_of_a_peer(flows: list[Flow]) -> None:
    """Others may see them: what is compared is what somebody would do."""
    for flow in flows:
        words = " ".join([*flow.command, flow.stack])
        assert "eyJ" not in words, flow.name


def test_the_page_keeps_the_words_around_what_was_measured(results: Results, tmp_path: Path) -> None:
    page = Path(__file__).parents[1] / "docs/performance.md"
    words = report.MARK.sub(lambda found: found["name"], page.read_text(encoding="utf-8"))
    first, second = tmp_path / "first.md", tmp_path / "second.md"
    report.write(page, first, results, ["one machine"])
    report.write(first, second, results, ["one machine"])
    text = first.read_text(encoding="utf-8")
    assert second.read_text(encoding="utf-8") == text
    assert report.MARK.sub(lambda found: found["name"], text) == words
    assert "- one machine\n" in text
    assert "| pam_cognito, token there | – | 2.00 (2.00) | 1.00 (1.00) | 12.0 (12.0) | 10.0 (10.0) | 5.0 (5.0) |" in text


def test_a_page_without_a_place_is_refused(results: Results, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- measured: goals -->\n<!-- end of what was measured -->\n", encoding="utf-8")
    with pytest.raises(ValueError, match="flows"):
        report.write(page, page, results, [])


# Of the README's table: its row, its cell, and the flow and the column of docs/performance.md that it repeats.
PROMPT, VERDICT, PROCESSOR = 2, 3, 4
IN_README = [
    ("to the prompt", 1, [("pam_cognito, signs in with password", PROMPT), ("pam_cognito, signs in with srp", PROMPT),
                          ("pam_cognito, token there, prepared before a typed first factor", PROMPT)]),
    ("to the prompt", 2, [("pam_duo", PROMPT)]),
    ("to the prompt", 4, [("pam_exec with the AWS CLI", PROMPT)]),
    ("from the answer", 1, [("pam_cognito, signs in with password", VERDICT)]),
    ("from the answer", 2, [("pam_duo", VERDICT)]),
    ("from the answer", 4, [("pam_exec with the AWS CLI", VERDICT)]),
    ("processor time", 1, [("pam_cognito, signs in with password", PROCESSOR), ("pam_cognito, signs in with srp", PROCESSOR)]),
    ("processor time", 2, [("pam_duo", PROCESSOR)]),
    ("processor time", 4, [("pam_exec with the AWS CLI", PROCESSOR)]),
]  # fmt: skip


def cells_of(page: str, begin: str) -> list[str]:
    """Of the first row of a table that begins with this."""
    found = re.search(rf"(?m)^\| {re.escape(begin)}.*$", page)
    assert found, begin
    return [cell.strip() for cell in found[0].strip("| ").split(" | ")]


@pytest.mark.parametrize("begin, cell, sources", IN_README)
def test_the_readme_repeats_what_was_measured(begin: str, cell: int, sources: list[tuple[str, int]]) -> None:
    top = Path(__file__).parents[1]
    said = cells_of((top / "README.md").read_text(encoding="utf-8"), begin)[cell]
    page = (top / "docs/performance.md").read_text(encoding="utf-8")
    measured = [cells_of(page, f"{flow} | ")[column].split()[0] for flow, column in sources]
    assert re.findall(r"\d+(?:\.\d+)?", said) == measured
