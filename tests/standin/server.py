"""The HTTPS server: HTTP/1.1 with keep-alive over TLS, a thread for each connection, the loopback alone."""

import ipaddress
import socket
import socketserver
import sys
import threading
import time
import traceback
from http.server import BaseHTTPRequestHandler
from typing import Any

from .faults import CONNECT, Fault, Faults
from .journal import Connection, Entry, Journal
from .pki import Pki
from .reply import Reply, error_reply
from .service import Request, Service
from .wire import Wire


def require_loopback(host: str) -> None:
    """ValueError unless every address of that host is this machine's own loopback."""
    try:
        found = {entry[4][0] for entry in socket.getaddrinfo(host, None)}
    except OSError:
        found = set()
    if not found or not all(ipaddress.ip_address(address).is_loopback for address in found):
        raise ValueError(f"{host!r} is not a loopback address: the stand-in is no server for others")


class Handler(BaseHTTPRequestHandler):
    """One connection's requests. The standard library reads them; replies are written by the wire."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def __init__(self, wire: Wire, connection: Connection, server: "Server") -> None:
        self.wire = wire
        self.journal_connection = connection
        super().__init__(wire.socket, ("", 0), server)

    def do_POST(self) -> None:
        self._serve()

    do_GET = do_POST

    def _serve(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal():
            self.send_error(411)
            self.close_connection = True
            return
        body = self.rfile.read(int(length))
        if len(body) < int(length):  # the peer left in the middle
            self.close_connection = True
            return
        request = Request(self.command, self.path, self.headers, body)
        self.server.exchange(request, self.wire, self.journal_connection)
        self.close_connection = self.close_connection or self.wire.over

    def log_message(self, format: str, *args: Any) -> None:
        """The journal has it all."""


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """`failures` holds tracebacks of the stand-in's own mistakes; whoever stops it has to look there."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self, host: str, port: int, pki: Pki, service: Service, faults: Faults, journal: Journal
    ) -> None:
        if ":" in host:
            self.address_family = socket.AF_INET6
        self.failures: list[str] = []
        self._pki, self._service, self._faults, self._journal = pki, service, faults, journal
        self._context = pki.context()
        self._stopping = threading.Event()
        self._wires: set[Wire] = set()
        super().__init__((host, port), Handler)

    # What the standard library calls the request is the accepted socket: here its wire, from `get_request`
    # until `shutdown_request`. Between them each connection has a thread, which begins in `finish_request`.

    def get_request(self) -> tuple[Any, Any]:
        raw, address = super().get_request()
        wire = Wire(raw, self._stopping)
        self._wires.add(wire)
        return wire, address

    def finish_request(self, request: Any, client_address: Any) -> None:
        connection = self._journal.connected()
        self._accept(request, connection)
        if not request.over:
            Handler(request, connection, self)

    def shutdown_request(self, request: Any) -> None:
        request.finish()
        self._wires.discard(request)

    def _accept(self, wire: Wire, connection: Connection) -> None:
        fault = self._faults.take(CONNECT)
        if fault.delay:
            wire.pause(fault.delay)
        version = fault.accept(wire, self._pki) if fault.accept else wire.secure(self._context)
        self._journal.secured(connection, version)

    def exchange(self, request: Request, wire: Wire, connection: Connection) -> None:
        """A request's way: journal, fault or honest answer, journal, wire."""
        name = self._service.name(request)
        entry = self._journal.arrived(connection, name, request)
        fault = self._faults.take(name)
        reply = self._reply(request, fault, entry)
        if fault.delay:
            wire.pause(fault.delay)
        if not wire.over:
            (fault.send or Wire.send)(wire, bytes(reply) if reply else b"")

    def _reply(self, request: Request, fault: Fault, entry: Entry) -> Reply | None:
        try:
            honest = lambda: self._service.answer(request)  # noqa: E731
            reply = fault.answer(honest) if fault.answer else honest()
        except Exception:
            self.failures.append(traceback.format_exc())
            reply = error_reply("InternalErrorException", "The stand-in failed.")
        self._journal.answered(entry, reply)
        return reply

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A peer that goes away in the middle is nothing to report."""
        if not isinstance(sys.exc_info()[1], OSError):
            self.failures.append(traceback.format_exc())

    def wait_for_silence(self, timeout: float = 5.0) -> None:
        """Until no connection is open any more; TimeoutError."""
        end = time.monotonic() + timeout
        while self._wires:
            if time.monotonic() > end:
                raise TimeoutError("a connection is still open")
            time.sleep(0.0005)

    def stop(self) -> None:
        """Stop listening, and end every connection."""
        self._stopping.set()
        self.shutdown()
        self.server_close()
        for wire in list(self._wires):
            wire.stop()
