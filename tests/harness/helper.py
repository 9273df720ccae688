"""The installed helper alone, over a socket, as the modules start it."""

import fcntl
import os
import signal
import socket
import struct
import time
from typing import Mapping, Sequence

from .build import variable

PEER = 3

# The order of the lists in src/common/message.h.
START, SIGNIN, SEND, VERIFY, RESULT = 1, 2, 5, 6, 7
START_TEXTS = (
    "version", "endpoint", "jwks_url", "issuer", "user_pool_id", "client_id", "client_secret", "ca_path", "ca_file", "proxy",
)  # fmt: skip


def text(value: str) -> bytes:
    return struct.pack(">I", len(value.encode())) + value.encode() + b"\0"


def frame(kind: int, body: bytes) -> bytes:
    return b"PCGF" + struct.pack(">BBHI", 1, kind, 0, len(body)) + body


def start(config: Mapping[str, str], times: Sequence[int] = (5000, 10000, 60000)) -> bytes:
    """connect_timeout, request_timeout and lifetime, in milliseconds; nothing is to be explained, and no keys were kept."""
    given = {"version": variable("VERSION"), "jwks_url": f"{config['endpoint']}/jwks", **config}
    texts = b"".join(text(given.get(name, "")) for name in START_TEXTS)
    return frame(START, texts + struct.pack(">4I", *times, 0) + text(""))


def signin(user: str, password: str, flow: str = "password") -> bytes:
    """By one of the option signin_flow, without metadata."""
    return frame(SIGNIN, b"".join(map(text, (flow, user, password, "username", user))) + struct.pack(">I", 0))


def send(attribute: str) -> bytes:
    """Without metadata."""
    return frame(SEND, text(attribute) + struct.pack(">I", 0))


def verify(attribute: str, code: str) -> bytes:
    return frame(VERIFY, text(attribute) + text(code))


class Helper:
    """A running helper; `near` is the module's end of its socket. `before` is a command that runs it."""

    def __init__(self, program: str, *arguments: str, before: Sequence[str] = (), environment: Mapping[str, str] = {}) -> None:
        self.near, far = socket.socketpair()
        # Not PEER itself, which posix_spawn would leave as it is: closed on exec.
        copy = fcntl.fcntl(far, fcntl.F_DUPFD_CLOEXEC, PEER + 1)
        dup = [(os.POSIX_SPAWN_DUP2, copy, PEER)]
        command = [*before, program, *arguments]
        name = os.path.basename(command[0])
        self.pid = os.posix_spawn(command[0], [name, *command[1:]], environment, file_actions=dup)
        os.close(copy)
        far.close()
        self.near.settimeout(10)

    def send(self, data: bytes) -> None:
        self.near.sendall(data)

    def receive(self) -> tuple[int, bytes]:
        """The next frame's type and body."""
        head = self._read(12)
        return head[5], self._read(struct.unpack(">I", head[8:])[0])

    def _read(self, size: int) -> bytes:
        found = b""
        while len(found) < size:
            part = self.near.recv(size - len(found))
            assert part, "the helper is gone"
            found += part
        return found

    def hang_up(self) -> None:
        self.near.close()

    def wait(self, seconds: float) -> int:
        """Its wait status; AssertionError when it is still there after that time."""
        end = time.monotonic() + seconds
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.pid = 0
                return status
            assert time.monotonic() < end, "the helper is still there"
            time.sleep(0.002)

    def kill(self) -> None:
        """End it if it is still there, as a test that fails leaves it."""
        self.near.close()
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
