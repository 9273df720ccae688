"""The way to the server, from the name on: name servers that say nothing or nonsense, addresses where nobody is, and a road that
ends in the midst of a login. In a network namespace with a name server of its own.
"""

import os
import struct
import time
from typing import Callable, TypeVar

import pytest
from harness.build import Build
from harness.crowd import Crowd, Entry, crowd
from harness.machine import GROUND
from harness.network import (
    A, AAAA, CNAME, HOLE, HOLE_6, NOWHERE, RESPONSE, TRUNCATED, Answers, addresses, in_own_network, ip, name_server, question_of,
    reply, resource,
)  # fmt: skip
from harness.people import EMAIL, USER
from harness.stage import Stage
from standin import Standin, faults
from standin.pki import NAME

Row = TypeVar("Row")

BUSY = "PAM_AUTHINFO_UNAVAIL"
SERVICE = "pamcog-names"
SEND = "GetUserAttributeVerificationCode"
VERIFY = "VerifyUserAttribute"

LOOPBACK = b"\x7f\0\0\1"


def timeout_of(build: Build) -> int:
    """Seconds, of a connection and of a call."""
    return round(build.slowness)


def some_of(rows: dict[str, Row], build: Build) -> dict[str, Row]:
    """All, or a few where every wait is long."""
    return dict(list(rows.items())[:: 1 if build.slowness == 1 else 5])


class Scene:
    """A login by name."""

    def __init__(self, stage: Stage, standin: Standin, host: Crowd) -> None:
        self._stage, self.standin, self._host = stage, standin, host
        # No call may take longer: a second more than connect_timeout and request_timeout.
        self.longest_ms = (timeout_of(stage.build) + 1) * 1000

    def log_in(self, answer: Callable[[], None] = lambda: None) -> Entry:
        """`answer` is called before the code is typed."""
        self.standin.pool.users.clear()
        self.standin.journal.clear()
        self.standin.pool.add_user(USER, "unused", email=EMAIL)
        token = GROUND / "names.token"
        token.touch(mode=0o600)
        token.write_text(str(self.standin.pool.access_token(USER)))
        self._stage.secrets.append(token.read_text())

        def code(prompt: str) -> str:
            answer()
            return self.standin.pool.outbox[-1].code

        return self._host.log_in(0, SERVICE, USER, code)


# What happens in there; it may give the name server other answers.
Act = Callable[[Scene, Callable[[Answers], None]], None]
Play = Callable[..., list[str]]


@pytest.fixture
def play(stage: Stage, standin: Standin) -> Play:
    """`play(names, act)` acts in a network of its own, against a stand-in in there; what the log calls the outcomes."""

    def play(answers: Answers, act: Act, host: str = "127.0.0.1") -> list[str]:
        found: list[str] = []

        def test() -> None:
            folder = GROUND / f"names-{os.urandom(8).hex()}"
            with name_server(answers) as names, Standin(folder, host=host, keys=standin.pool.keys) as inside:
                config = {**inside.config(), "endpoint": f"https://{NAME}:{inside.port}", "token": f"file:{GROUND}/names.token"}
                limits = dict.fromkeys(("connect_timeout", "request_timeout"), timeout_of(stage.build))
                stage.add_service(SERVICE, **config, **limits, send_limit=1000)
                with stage.watched() as watched, crowd(stage.build) as process:
                    act(Scene(stage, inside, process), names)
                found.extend(watched.results)

        in_own_network(test)
        return found

    return play


def garbled(query: bytes) -> list[bytes]:
    return [os.urandom(n) for n in (0, 1, 11, 12, 13, 40, 512, 4000)]


def headed(change: Callable[[bytes], bytes]) -> Answers:
    """An honest answer, and what `change` makes of it."""
    honest = addresses("127.0.0.1")
    return lambda query: [change(one) for one in honest(query)]


def failing(code: int) -> Answers:
    return lambda query: [reply(query, flags=code)]


def to_itself(query: bytes) -> list[bytes]:
    """A name that is only another name of itself."""
    return [reply(query, resource(CNAME, b"\xc0\x0c"))]


def in_circles(query: bytes) -> list[bytes]:
    """A name whose compression points at itself."""
    question, kind = question_of(query)
    at = 12 + len(question)
    return [reply(query, resource(kind, LOOPBACK, owner=struct.pack("!H", 0xC000 | at)))]


def of_other_length(query: bytes) -> list[bytes]:
    _, kind = question_of(query)
    return [reply(query, resource(kind, LOOPBACK, length=60_000)), reply(query, resource(kind, b"\x7f"))]


NO_NAME: dict[str, Answers] = {
    "silence": lambda query: [],
    "NXDOMAIN": failing(3),
    "SERVFAIL": failing(2),
    "REFUSED": failing(5),
    "FORMERR": failing(1),
    "NOTIMP": failing(4),
    "a code that is none": failing(15),
    "nothing": failing(0),
    "garbage": garbled,
    "the question": lambda query: [query],
    "zeros": lambda query: [bytes(512)],
    "another number": headed(lambda honest: bytes([honest[0] ^ 1]) + honest[1:]),
    "another question": headed(lambda honest: honest.replace(b"standin", b"mallory")),
    "no question": headed(lambda honest: honest[:4] + b"\0\0" + honest[6:]),
    "half an answer": headed(lambda honest: honest[:-2]),
    "more answers than there are": lambda query: [reply(query, count=0xFFFF)],
    "truncated": lambda query: [reply(query, flags=TRUNCATED)],
    "itself": to_itself,
    "circles": in_circles,
    "records of another length": of_other_length,
    "a flood": lambda query: [os.urandom(100)] * 1000,
}

NO_WAY: dict[str, tuple[str, ...]] = {
    "a black hole": (HOLE,),
    "a black hole, IPv6": (HOLE_6,),
    "two black holes": (HOLE_6, HOLE),
    "eight black holes": (HOLE, HOLE_6) * 4,
    "nowhere": (NOWHERE,),
    "nobody": ("127.0.0.2",),
    "any": ("0.0.0.1",),
    "all": ("255.255.255.255",),
    "a multicast group": ("224.0.0.1", "ff02::1"),
}


def check_denial(scene: Scene, entry: Entry, what: str) -> None:
    assert entry.codes == {"authenticate": BUSY}, f"{what}: {entry}"
    assert entry.longest_ms <= scene.longest_ms, f"{what}: {entry}"
    assert "unavailable" in entry.told[-1]
    assert not scene.standin.journal.connections


def test_no_name(stage: Stage, play: Play, tell: Callable[[str], None]) -> None:
    """Denied in time whatever the name server does, and the log says that it was the name."""
    rows = some_of(NO_NAME, stage.build)

    def act(scene: Scene, names: Callable[[Answers], None]) -> None:
        for what, answers in rows.items():
            names(answers)
            check_denial(scene, scene.log_in(), what)

    assert play(NO_NAME["silence"], act) == ["dns"] * len(rows)
    tell(f"network: name servers: {len(rows)} faults: 0 let in, 0 late")


def test_no_way(stage: Stage, play: Play, tell: Callable[[str], None]) -> None:
    """A name with addresses where nobody is."""
    rows = some_of(NO_WAY, stage.build)

    def act(scene: Scene, names: Callable[[Answers], None]) -> None:
        for what, found in rows.items():
            names(addresses(*found))
            check_denial(scene, scene.log_in(), what)

    assert play(NO_NAME["silence"], act) == ["connect"] * len(rows)
    tell(f"network: ways that lead nowhere: {len(rows)} faults: 0 let in, 0 late")


GOOD_WAYS = {
    "the only one": ("127.0.0.1", ("127.0.0.1",)),
    "beside a black hole of IPv6": ("127.0.0.1", (HOLE_6, "127.0.0.1")),
    "beside a refusal of IPv6": ("127.0.0.1", ("::1", "127.0.0.1")),
    "IPv6 beside a black hole": ("::1", ("::1", HOLE)),
    "IPv6 alone": ("::1", ("::1",)),
}


@pytest.mark.parametrize("what", GOOD_WAYS)
def test_a_good_way(stage: Stage, play: Play, what: str) -> None:
    """One of the addresses is good: the login gets there without losing half a second."""
    host, found = GOOD_WAYS[what]

    def act(scene: Scene, names: Callable[[Answers], None]) -> None:
        entry = scene.log_in()
        assert entry.let_in, entry
        assert entry.longest_ms < 500 * stage.build.slowness, entry
        assert len(scene.standin.journal.connections) == 1

    play(addresses(*found), act, host)


def test_slow_name_server(play: Play) -> None:
    def slowly(query: bytes) -> list[bytes]:
        time.sleep(0.2)
        return list(addresses("127.0.0.1")(query))

    play(slowly, lambda scene, names: check_success(scene.log_in()))


def check_success(entry: Entry) -> None:
    assert entry.let_in, entry


def test_name_server_dies_meanwhile(play: Play) -> None:
    """What was found once is good for the reconnect of the same login."""

    def act(scene: Scene, names: Callable[[Answers], None]) -> None:
        scene.standin.faults.add(SEND, faults.last_reply())
        check_success(scene.log_in(lambda: names(NO_NAME["silence"])))
        assert len(scene.standin.journal.connections) == 2

    play(addresses("127.0.0.1"), act)


@pytest.mark.parametrize("kept", [True, False], ids=["on-the-connection", "on-the-way"])
def test_road_ends_meanwhile(stage: Stage, play: Play, kept: bool) -> None:
    """While the person reads his mail, the network goes away: denied in time, and nothing is sent to anyone."""

    def act(scene: Scene, names: Callable[[Answers], None]) -> None:
        if not kept:
            scene.standin.faults.add(SEND, faults.last_reply())
        entry = scene.log_in(lambda: ip("link set lo down"))
        assert entry.codes == {"authenticate": BUSY}, entry
        assert entry.longest_ms <= scene.longest_ms, entry
        assert not scene.standin.journal.requests(VERIFY)
        ip("link set lo up")

    assert play(addresses("127.0.0.1"), act)[-1] in ("deadline", "connect", "transfer")
