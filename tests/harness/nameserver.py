"""A name server, and the resolv.conf that leads to it."""

import socket
import struct
import threading
import time
from pathlib import Path
from typing import Mapping

PORT = 53
TYPE_A, CLASS_IN = 1, 1
RESPONSE, TRUNCATED, AUTHORITATIVE = 0x8000, 0x0200, 0x0400
TTL = 60


class NameServer:
    """Knows a few IPv4 addresses, and nothing else. Use it as a context manager.

    `silent` hears a question and never answers; `brief` says by UDP that the answer is too long for it, so that the
    question comes again by TCP (RFC 1035, section 4.2.1). `asked` are the questions, as (by what, name).
    """

    def __init__(self, names: Mapping[str, str], silent: bool = False, brief: bool = False) -> None:
        self.asked: list[tuple[str, str]] = []
        self._names, self._silent, self._brief = names, silent, brief
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.address = self._bind()
        self._tcp.listen()

    def _bind(self) -> str:
        """The port is fixed, but the loopback has many addresses."""
        for last in range(2, 255):
            address = f"127.53.53.{last}"
            try:
                self._udp.bind((address, PORT))
                self._tcp.bind((address, PORT))
                return address
            except OSError as error:
                if last == 254:
                    raise error
        raise AssertionError

    def __enter__(self) -> "NameServer":
        for serve in (self._serve_udp, self._serve_tcp):
            threading.Thread(target=serve, daemon=True).start()
        return self

    def __exit__(self, *ignored: object) -> None:
        for one in (self._udp, self._tcp):
            # Whoever waits in accept(2) or recvfrom(2) is not woken by close(2).
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()

    def resolv_conf(self, path: Path = Path("/etc/resolv.conf")) -> None:
        """Let this machine ask here, and not for long."""
        path.write_text(f"nameserver {self.address}\noptions timeout:30 attempts:1\n")

    def wait_for_question(self, patience: float = 5.0) -> None:
        end = time.monotonic() + patience
        while not self.asked:
            assert time.monotonic() < end, "nobody asked"
            time.sleep(0.005)

    def _serve_udp(self) -> None:
        while True:
            try:
                question, client = self._udp.recvfrom(4096)
                if not question:  # shut down
                    return
                if answer := self._answer("udp", question):
                    self._udp.sendto(answer, client)
            except OSError:
                return

    def _serve_tcp(self) -> None:
        while True:
            try:
                client, _ = self._tcp.accept()
            except OSError:
                return
            threading.Thread(target=self._serve_client, args=(client,), daemon=True).start()

    def _serve_client(self, client: socket.socket) -> None:
        with client, client.makefile("rb") as incoming:
            while head := incoming.read(2):
                if answer := self._answer("tcp", incoming.read(struct.unpack(">H", head)[0])):
                    client.sendall(struct.pack(">H", len(answer)) + answer)

    def _answer(self, by: str, question: bytes) -> bytes:
        """Header, the question as it came, and an address if there is one (RFC 1035, section 4.1)."""
        name, end = _name(question)
        self.asked.append((by, name))
        if self._silent:
            return b""
        kind = struct.unpack(">H", question[end : end + 2])[0]
        truncated = self._brief and by == "udp"
        address = self._names.get(name) if kind == TYPE_A and not truncated else None
        flags = RESPONSE | AUTHORITATIVE | (TRUNCATED if truncated else 0)
        answer = question[:2] + struct.pack(">HHHHH", flags, 1, 1 if address else 0, 0, 0) + question[12 : end + 4]
        if address:
            answer += struct.pack(">HHHIH", 0xC00C, TYPE_A, CLASS_IN, TTL, 4) + socket.inet_aton(address)
        return answer


def _name(question: bytes) -> tuple[str, int]:
    """The name asked for, and where it ends."""
    labels, at = [], 12
    while length := question[at]:
        labels.append(question[at + 1 : at + 1 + length].decode("ascii"))
        at += 1 + length
    return ".".join(labels).lower(), at + 1
