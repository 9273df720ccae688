"""A network of one's own: a network namespace with nothing but a loopback, a name server, and roads that lead nowhere.

A namespace is a thread's, so the test moves into a thread for it; what that thread opens and starts is in there, and what it
opened stays there for other threads too (network_namespaces(7)).
"""

import contextlib
import ctypes
import os
import shutil
import socket
import struct
import subprocess
import threading
from pathlib import Path
from typing import Callable, Iterator, Sequence

import pytest

CLONE_NEWNET = 0x40000000

# RFC 5737 and RFC 3849: addresses that belong to nobody. Those of HOLE lead into a wire that nobody listens to.
HOLE, HOLE_6 = "192.0.2.1", "2001:db8::1"
NOWHERE = "198.51.100.1"
ETHERNET_OF_NOBODY = "02:00:00:00:00:01"

ROADS = (
    "link set lo up",
    "link add hole type veth peer name void",
    "link set hole up",
    "link set void up",
    "address add 192.0.2.2/24 dev hole",
    "-6 address add 2001:db8::2/64 dev hole nodad",
    f"neighbour add {HOLE} lladdr {ETHERNET_OF_NOBODY} dev hole nud permanent",
    f"-6 neighbour add {HOLE_6} lladdr {ETHERNET_OF_NOBODY} dev hole nud permanent",
)

ETC = Path("/etc")


def ip(command: str) -> None:
    """ip(8), in the network of the calling thread."""
    subprocess.run(["ip", *command.split()], check=True, capture_output=True, text=True)


def in_own_network(test: Callable[[], None]) -> None:
    """Run it in a network namespace; skip it where there can be none."""
    if not shutil.which("ip"):
        pytest.skip("ip is missing: iproute2")
    raised: list[BaseException] = []

    def run() -> None:
        try:
            _enter()
            test()
        except BaseException as error:  # also what pytest raises to skip
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if raised:
        raise raised[0]


def _enter() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        pytest.skip(f"no network namespace of its own: {os.strerror(ctypes.get_errno())}")
    try:
        for road in ROADS:
            ip(road)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no roads that lead nowhere: ip {road}: {error.stderr.strip()}")


# Names

A, CNAME, AAAA = 1, 5, 28
QUESTION, RESPONSE, TRUNCATED = 0x0100, 0x8180, 0x0200

# Of the query, the datagrams that answer it.
Answers = Callable[[bytes], Sequence[bytes]]


def question_of(query: bytes) -> tuple[bytes, int]:
    """The question section, and the type that it asks for (RFC 1035, section 4.1.2)."""
    end = query.index(b"\0", 12) + 5
    return query[12:end], struct.unpack_from("!H", query, end - 4)[0]


def resource(kind: int, data: bytes, owner: bytes = b"\xc0\x0c", length: int | None = None) -> bytes:
    """A record of the name that was asked for (RFC 1035, section 4.1.3)."""
    return owner + struct.pack("!HHIH", kind, 1, 60, len(data) if length is None else length) + data


def reply(query: bytes, *records: bytes, flags: int = 0, count: int | None = None) -> bytes:
    """An answer; the low bits of `flags` are its response code."""
    question, _ = question_of(query)
    head = struct.pack("!HHHHHH", *struct.unpack_from("!H", query), RESPONSE | flags, 1, len(records) if count is None else count, 0, 0)
    return head + question + b"".join(records)


def addresses(*found: str) -> Answers:
    """The name has these addresses."""

    def answer(query: bytes) -> Sequence[bytes]:
        _, kind = question_of(query)
        family = {A: socket.AF_INET, AAAA: socket.AF_INET6}.get(kind)
        packed = [socket.inet_pton(family, one) for one in found if family and (":" in one) == (kind == AAAA)]
        return [reply(query, *(resource(kind, one) for one in packed))]

    return answer


@contextlib.contextmanager
def name_server(answers: Answers) -> Iterator[Callable[[Answers], None]]:
    """The only one that programs of this network know, for a while; what it yields gives it other answers."""
    current = [answers]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server, _resolver("nameserver 127.0.0.1\n"):
        server.bind(("127.0.0.1", 53))

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    query, peer = server.recvfrom(65536)
                    if not query:
                        break
                    for datagram in current[0](query):
                        server.sendto(datagram, peer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield lambda other: current.__setitem__(0, other)
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
                waker.sendto(b"", ("127.0.0.1", 53))
            thread.join()


@contextlib.contextmanager
def _resolver(text: str) -> Iterator[None]:
    """What resolv.conf(5) says, with names of files and name servers alone; in the private /etc."""
    wanted = {"resolv.conf": text, "nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n"}
    before = {name: (ETC / name).read_bytes() if (ETC / name).exists() else None for name in wanted}
    try:
        for name, content in wanted.items():
            (ETC / name).unlink(missing_ok=True)
            (ETC / name).write_text(content)
        yield
    finally:
        for name, content in before.items():
            (ETC / name).unlink()
            if content is not None:
                (ETC / name).write_bytes(content)
