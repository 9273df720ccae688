"""A tap between the helper and its server: it sees the bytes on the wire as anyone on the way does, and may cut them."""

import contextlib
import socket
import struct
import threading
from dataclasses import dataclass, field

from standin.wire import RESET

# A record of TLS: its type, its version, its length (RFC 8446, section 5.1).
RECORD = struct.Struct("!BHH")
APPLICATION = 23
# TLS 1.3 disguises as application data what ends the handshake (at most 48 + 4 bytes, and 17 around them) and alerts.
DISGUISED_MOST = 69


@dataclass
class Passed:
    """What went over one connection."""

    up: bytearray = field(default_factory=bytearray)
    down: int = 0
    flight: int | None = None  # what the server said before the client spoke for the second time

    @property
    def application(self) -> int:
        """The bytes of application data that the client sent, as the record headers tell."""
        found, at = 0, 0
        while at + RECORD.size <= len(self.up):
            kind, _, length = RECORD.unpack_from(self.up, at)
            if kind == APPLICATION and length > DISGUISED_MOST:
                found += length
            at += RECORD.size + length
        return found


class Tap:
    """Listens at `port` and connects each connection through to `to`.

    `cut_after`: of the first connection only so many bytes come back, then it ends and there is no other.
    """

    def __init__(self, to: int, host: str = "127.0.0.1") -> None:
        self._listener = socket.create_server((host, 0))
        self.port: int = self._listener.getsockname()[1]
        self._to = (host, to)
        self._lock = threading.Lock()
        self.reset()
        threading.Thread(target=self._accept, daemon=True).start()

    def reset(self, cut_after: int | None = None, rst: bool = False) -> None:
        """As new, for the next login."""
        with self._lock:
            self._cut_after, self._rst = cut_after, rst
            self.passed: list[Passed] = []

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                cut_after, rst, passed = self._cut_after, self._rst, Passed()
                refused = cut_after is not None and bool(self.passed)
                self.passed.append(passed)
            if refused:
                end(client, True)
            else:
                threading.Thread(target=self._connect, args=(client, passed, cut_after, rst), daemon=True).start()

    def _connect(self, client: socket.socket, passed: Passed, cut_after: int | None, rst: bool) -> None:
        if cut_after == 0:
            end(client, rst)
            return
        try:
            server = socket.create_connection(self._to)
        except OSError:
            end(client, True)
            return
        for one in (client, server):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=self._upwards, args=(client, server, passed), daemon=True).start()
        self._downwards(server, client, passed, cut_after, rst)

    @staticmethod
    def _upwards(client: socket.socket, server: socket.socket, passed: Passed) -> None:
        with contextlib.suppress(OSError):
            while part := client.recv(65536):
                if passed.up and passed.flight is None:
                    passed.flight = passed.down
                passed.up += part
                server.sendall(part)
            server.shutdown(socket.SHUT_WR)

    @staticmethod
    def _downwards(
        server: socket.socket, client: socket.socket, passed: Passed, cut_after: int | None, rst: bool
    ) -> None:
        was_cut = False
        with contextlib.suppress(OSError):
            while not was_cut and (part := server.recv(65536)):
                if cut_after is not None:
                    part = part[: cut_after - passed.down]
                client.sendall(part)
                passed.down += len(part)
                was_cut = passed.down == cut_after
        end(client, was_cut and rst)
        end(server, was_cut)


def end(connection: socket.socket, rst: bool) -> None:
    """At once, whoever waits on it."""
    with contextlib.suppress(OSError):
        if rst:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            connection.shutdown(socket.SHUT_RD)
        else:
            connection.shutdown(socket.SHUT_RDWR)
    connection.close()
