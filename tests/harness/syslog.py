"""A syslog daemon that only listens: /dev/log as RFC 3164 has it on the local socket."""

import os
import re
import secrets
import socket
import threading
from dataclasses import dataclass

PATH = "/dev/log"
PATIENCE = 5.0

PRIORITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
FORM = re.compile(r"<(?P<number>\d+)>\w{3} [ \d]\d \d\d:\d\d:\d\d (?P<tag>[^:]*): (?P<text>.*)", re.DOTALL)


@dataclass(frozen=True)
class Line:
    """One line as it was logged. `tag` is the program, perhaps with its process id.

    In `text` bytes that are no UTF-8 are written out; `raw` has them as they came, each byte a character.
    """

    facility: int
    priority: str
    tag: str
    text: str
    raw: str = ""

    def at_least(self, priority: str) -> bool:
        return PRIORITIES.index(self.priority) <= PRIORITIES.index(priority)

    def __str__(self) -> str:
        return f"{self.priority}: {self.text}"


def parse(datagram: bytes) -> Line:
    text = datagram.decode("utf-8", "backslashreplace").rstrip("\0\n")
    found = FORM.fullmatch(text)
    if not found:
        raise ValueError(f"not a syslog line: {text!r}")
    facility, priority = divmod(int(found["number"]), 8)
    raw = datagram.removesuffix(b"\0").decode("latin-1").partition(f"{found['tag']}: ")[2]
    return Line(facility, PRIORITIES[priority], found["tag"], found["text"], raw)


class Syslog:
    """Records from its making on. Lines are taken in the order in which they were written."""

    def __init__(self, path: str = PATH) -> None:
        self._path = path
        self._datagrams: list[bytes] = []
        self._changed = threading.Condition()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(path)
        os.chmod(path, 0o666)
        self._closed = False
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let go of the path."""
        self._closed = True
        self._send(b"")
        self._thread.join()
        self._socket.close()

    def _listen(self) -> None:
        while True:
            datagram = self._socket.recv(1 << 17)
            if self._closed:
                return
            with self._changed:
                self._datagrams.append(datagram)
                self._changed.notify_all()

    def take(self) -> list[Line]:
        """All lines written before this call, once."""
        mark = secrets.token_hex(8).encode()
        self._send(mark)
        with self._changed:
            if not self._changed.wait_for(lambda: mark in self._datagrams, PATIENCE):
                raise TimeoutError("the syslog recorder stands still")
            end = self._datagrams.index(mark)
            taken, self._datagrams = self._datagrams[:end], self._datagrams[end + 1 :]
        return [parse(datagram) for datagram in taken]

    def _send(self, datagram: bytes) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as writer:
            writer.sendto(datagram, self._path)
