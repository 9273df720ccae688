"""What the stand-in saw, in order, for tests to ask about afterwards or to wait for."""

import itertools
import json
import threading
import time
from dataclasses import dataclass, field
from email.message import Message
from typing import Any, Callable

from .reply import Reply
from .service import Request


@dataclass
class Connection:
    """A TCP connection. `tls` is the version once the handshake is done."""

    number: int
    tls: str | None = None


@dataclass
class Entry:
    """A request. `status` is None until the answer is known, and stays so when none is ever given."""

    number: int
    connection: int
    operation: str
    method: str
    path: str
    headers: Message
    raw: bytes
    status: int | None = None
    request_id: str | None = None
    answered: bool = False
    at: float = field(default_factory=time.time)

    @property
    def body(self) -> Any:
        """The parsed body; None where it is not JSON."""
        try:
            return json.loads(self.raw)
        except ValueError:
            return None

    def record(self) -> dict[str, Any]:
        """The entry as JSON can hold it."""
        return {
            "number": self.number, "connection": self.connection, "at": self.at,
            "operation": self.operation, "method": self.method, "path": self.path,
            "headers": dict(self.headers), "body": self.body, "status": self.status,
            "request_id": self.request_id,
        }  # fmt: skip


class Journal:
    """Entries are added on arrival, and completed before the reply leaves: no client is ahead of its entry.

    A handshake counts when the server's side is through; in TLS 1.3 the client may dislike the certificate
    afterwards. Whether anything was *asked* is what `requests` tells.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._numbers = itertools.count(1)
        self._connections: list[Connection] = []
        self._entries: list[Entry] = []
        self.on_answer: Callable[[Entry], None] = lambda entry: None

    def connected(self) -> Connection:
        with self._changed:
            self._connections.append(Connection(next(self._numbers)))
            self._changed.notify_all()
            return self._connections[-1]

    def secured(self, connection: Connection, version: str | None) -> None:
        with self._changed:
            connection.tls = version
            self._changed.notify_all()

    def arrived(self, connection: Connection, operation: str, request: Request) -> Entry:
        with self._changed:
            entry = Entry(
                len(self._entries) + 1,
                connection.number,
                operation,
                request.method,
                request.path,
                request.headers,
                request.body,
            )
            self._entries.append(entry)
            self._changed.notify_all()
            return entry

    def answered(self, entry: Entry, reply: Reply | None) -> None:
        with self._changed:
            entry.answered = True
            if reply:
                entry.status = reply.status
                entry.request_id = dict(reply.headers).get("x-amzn-RequestId")
            self.on_answer(entry)
            self._changed.notify_all()

    @property
    def connections(self) -> list[Connection]:
        """All connections that were accepted."""
        with self._changed:
            return list(self._connections)

    @property
    def handshakes(self) -> int:
        """How many TLS handshakes were completed."""
        return sum(connection.tls is not None for connection in self.connections)

    def requests(self, operation: str | None = None) -> list[Entry]:
        """All requests, or those of one operation ("jwks" for the key set, "" for what is unknown)."""
        with self._changed:
            return [entry for entry in self._entries if operation in (None, entry.operation)]

    def operations(self) -> list[str]:
        """The names alone, in order."""
        return [entry.operation for entry in self.requests()]

    def clear(self) -> None:
        """Forget everything; connections that are open keep their numbers."""
        with self._changed:
            self._entries.clear()
            self._connections.clear()

    def wait_for(
        self, operation: str, timeout: float = 5.0, count: int = 1, answered: bool = False
    ) -> Entry:
        """The count-th request of that operation once it has arrived, or is answered; else TimeoutError."""

        def there() -> Entry | None:
            found = [e for e in self._entries if e.operation == operation and e.answered >= answered]
            return found[count - 1] if len(found) >= count else None

        return self._wait(there, timeout, f"request {count} of {operation}")

    def wait_for_connection(self, count: int = 1, timeout: float = 5.0) -> Connection:
        """The count-th connection; TimeoutError."""

        def there() -> Connection | None:
            return self._connections[count - 1] if len(self._connections) >= count else None

        return self._wait(there, timeout, f"connection {count}")

    def _wait(self, there: Callable[[], Any], timeout: float, what: str) -> Any:
        with self._changed:
            if not self._changed.wait_for(lambda: there() is not None, timeout):
                seen = [entry.operation for entry in self._entries]
                raise TimeoutError(f"no {what} within {timeout} s; seen: {seen}")
            return there()
