"""Where the bench runs: a private view of the machine, and two networks with a wire between them that takes its time.

The thread that makes a `Network` is on its near side from then on, with all that it starts; the servers are on the far side.
"""

import ctypes
import os
import struct
import subprocess
from pathlib import Path
from typing import Iterable, Sequence

from harness import accounts, machine
from harness.people import LOCAL_PASSWORD, USER

CLONE_NEWNET = 0x40000000

# RFC 5737: addresses that belong to nobody. Those of FAST are joined by a veth pair, those of SLOW by delay.c.
FAST, FAST_NEAR = "192.0.2.2", "192.0.2.1"
SLOW, SLOW_NEAR = "198.51.100.2", "198.51.100.1"

# The far side's namespace, where ip(8) looks for names.
FAR = Path("/run/netns/far")

# Each connection is to be a first one: the kernel keeps no round-trip times of those before. And nothing on the wires but them.
SETTINGS = {"net/ipv4/tcp_no_metrics_save": "1", "net/ipv6/conf/all/disable_ipv6": "1"}

# Before others on the machine, which do not belong to what is measured. delay.c puts itself before these.
FIRST = ("chrt", "--rr", "1")

# How many microseconds a processor may take to wake. Source: the kernel's Documentation/power/pm_qos_interface.rst.
LATENCY, NO_TIME = Path("/dev/cpu_dma_latency"), struct.pack("i", 0)

HELPER_USER = "pam-cognito"

# The user's first factor, where a flow has one. Its hash is a fast one: how slow a host makes it is the host's choice.
FAST_HASH = ["openssl", "passwd", "-5", "-salt", "rounds=1000$bench", "-stdin"]

# libpam loads what is in here for each login, whatever the service is: with a distribution's own, modules that take no part.
OTHER = "".join(f"{kind} required pam_deny.so\n" for kind in ("auth", "account", "password", "session"))


def enter(keep: Iterable[Path]) -> None:
    """Into the private view; machine.Impossible, with the reason."""
    machine.enter(keep)
    for user in (HELPER_USER, USER):
        if not accounts.exists(user):
            accounts.add(user)
    hashed = subprocess.run(FAST_HASH, input=LOCAL_PASSWORD, check=True, capture_output=True, text=True).stdout.strip()
    shadow = Path("/etc/shadow")
    shadow.write_text(shadow.read_text().replace(f"{USER}:*:", f"{USER}:{hashed}:"))
    Path("/etc/pam.d/other").write_text(OTHER)
    Path("/etc/nsswitch.conf").write_text("passwd: files\ngroup: files\nshadow: files\nhosts: files\n")


def stay_awake() -> int | None:
    """Until what it returns is closed, no processor sleeps: how long one takes to wake, which on a virtual machine is much, is
    nobody's here. None where that may not be. Before enter(), which leaves the device behind."""
    try:
        latency = os.open(LATENCY, os.O_WRONLY)
        os.write(latency, NO_TIME)
    except OSError:
        return None
    return latency


def first() -> tuple[str, ...]:
    """What goes before a command so that others on this machine do not hold it up; nothing where that may not be."""
    try:
        subprocess.run([*FIRST, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return ()
    return FIRST


class Network:
    """The two sides. Nothing is delayed before `set_delay`, and names lead to the fast wire."""

    def __init__(self, delay: Path, names: Sequence[str]) -> None:
        self._names = names
        far, near = _new_namespace(FAR), _new_namespace(None)
        self._wire = subprocess.Popen(
            [delay, str(near), str(far)],
            pass_fds=(near, far),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        if self._hear() != "ready":
            raise machine.Impossible("the wire does not come up")
        _ip(f"link add fast type veth peer name fast netns {FAR.name}")
        for device, near, far in (("fast", FAST_NEAR, FAST), ("slow", SLOW_NEAR, SLOW)):
            _ip(f"address add {near}/24 dev {device}")
            _ip(f"link set {device} up")
            _ip(f"-n {FAR.name} address add {far}/24 dev {device}")
            _ip(f"-n {FAR.name} link set {device} up")
        # No more than delay.c holds, and more than a burst of many connections is.
        for side in ("", f"-n {FAR.name} "):
            _ip(f"{side}link set slow txqueuelen 4096")
        self.set_round_trip(0)

    def _hear(self) -> str:
        assert self._wire.stdout
        return self._wire.stdout.readline().strip()

    def _order(self, line: str) -> str:
        assert self._wire.stdin
        self._wire.stdin.write(f"{line}\n")
        return self._hear()

    def set_round_trip(self, milliseconds: int) -> None:
        """From now on; 0 is without the wire that takes its time."""
        if self._order(str(milliseconds * 500)) != "ok":
            raise RuntimeError("the wire is broken")
        address = SLOW if milliseconds else FAST
        lines = ["127.0.0.1 localhost", f"127.0.1.1 {os.uname().nodename}", *(f"{address} {name}" for name in self._names)]
        Path("/etc/hosts").write_text("\n".join(lines) + "\n")

    def lateness(self) -> tuple[int, int, int]:
        """Since the last call: packets, and how many microseconds late they were, on average and at worst."""
        packets, mean, worst = map(int, self._order("report").split())
        return packets, mean, worst

    @staticmethod
    def far_command(*command: str | Path) -> list[str]:
        """The command, to be run on the far side."""
        return ["nsenter", f"--net={FAR}", *map(str, command)]

    def close(self) -> None:
        assert self._wire.stdin
        self._wire.stdin.close()
        self._wire.wait()
        subprocess.run(["umount", FAR], check=True)


def _ip(command: str) -> None:
    subprocess.run(["ip", *command.split()], check=True)


def _new_namespace(place: Path | None) -> int:
    """A network namespace, for the calling thread; a descriptor of it. ip(8) and nsenter(1) find it by its name."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        raise machine.Impossible(f"no network namespace of its own: {os.strerror(ctypes.get_errno())}")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for name, value in SETTINGS.items():
        Path("/proc/sys", name).write_text(value)
    if place:
        place.parent.mkdir(exist_ok=True)
        place.touch()
        subprocess.run(["mount", "--bind", "/proc/self/ns/net", place], check=True)
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY)
