"""Faults on demand: for the next requests of one operation, for "jwks", or for "connect".

A fault changes at most three things: what is answered, when, and how it goes over the wire. Add two to get
both: `delay(2) + error("LimitExceededException")`.
"""

import gzip
import json
import threading
from collections import defaultdict, deque
from dataclasses import dataclass, replace
from typing import Any, Callable

from .errors import status_of
from .operations import OPERATIONS
from .pki import Pki
from .reply import AMZ_JSON, Headers, Reply, error_body, json_reply
from .service import JWKS
from .wire import Wire

CONNECT = "connect"
TARGETS = {CONNECT, JWKS, *OPERATIONS}

Run = Callable[[], Reply]


@dataclass(frozen=True)
class Fault:
    """`answer` makes the reply (None: no reply) and may run the operation; `send` puts its bytes on the wire.

    `accept` is for connections alone: it shakes hands, and tells the TLS version or None.
    """

    answer: Callable[[Run], Reply | None] | None = None
    delay: float = 0.0
    send: Callable[[Wire, bytes], None] | None = None
    accept: Callable[[Wire, Pki], str | None] | None = None

    def __add__(self, other: "Fault") -> "Fault":
        return Fault(
            other.answer or self.answer,
            self.delay + other.delay,
            other.send or self.send,
            other.accept or self.accept,
        )


class Faults:
    """The faults that are waiting, in order, by target."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, deque[tuple[Fault, int | None]]] = defaultdict(deque)

    def add(self, target: str, fault: Fault, times: int | None = 1) -> None:
        """For the next `times` requests of that target; None is for ever."""
        if target not in TARGETS:
            raise ValueError(f"{target} is none of {', '.join(sorted(TARGETS))}")
        if target == CONNECT and (fault.answer or fault.send) or target != CONNECT and fault.accept:
            raise ValueError(f"this fault cannot happen to {target}")
        with self._lock:
            self._waiting[target].append((fault, times))

    def take(self, target: str) -> Fault:
        """The next fault, which is used up by that; an empty one if none is waiting."""
        with self._lock:
            waiting = self._waiting[target]
            if not waiting:
                return Fault()
            fault, times = waiting.popleft()
            if times is None:
                waiting.appendleft((fault, None))
            elif times > 1:
                waiting.appendleft((fault, times - 1))
            return fault

    def clear(self) -> None:
        """Drop all that are waiting."""
        with self._lock:
            self._waiting.clear()


# Errors

# where the type stands: (its text in the body, its text in the header)
PLACES: dict[str, tuple[str | None, str | None]] = {
    "both": ("{}", "{}"),
    "body": ("{}", None),
    "body-prefix": ("com.amazonaws.cognito.identity.idp.model#{}", None),
    "body-suffix": ("{}:http://internal.amazon.com/coral/com.amazonaws.cognito.identity.idp.model/", None),
    "header": (None, "{}"),
    "header-suffix": (None, "{}:http://internal.amazon.com/coral/com.amazonaws.cognito.identity.idp.model/"),
    "header-list": (None, "{},com.amazon.coral.service.InternalFailure"),
    "nowhere": (None, None),
}


def error(
    name: str, message: str = "A fault.", where: str = "both", status: int | None = None
) -> Fault:
    """Any error by name, without running the operation; `where` is a row of PLACES."""
    in_body, in_header = PLACES[where]
    body = {"message": message} if in_body is None else error_body(in_body.format(name), message)
    headers = () if in_header is None else (("x-amzn-errortype", in_header.format(name)),)
    return _instead(lambda: json_reply(body, status or status_of(name), headers))


# Replies


def raw(body: bytes = b"", status: int = 200, headers: Headers = (("Content-Type", AMZ_JSON),)) -> Fault:
    """Any body, status and headers, without running the operation."""
    return _instead(lambda: Reply(status, body, headers))


def status(code: int) -> Fault:
    """A status and no body, as AWS WAF blocks: 403, or 405 for a CAPTCHA."""
    return raw(b"", code, ())


def garbage() -> Fault:
    """A body that is no JSON, nor even text."""
    return raw(b'{"\x00\xff\xfe')


def redirect(location: str, code: int = 307) -> Fault:
    """Elsewhere, please."""
    return raw(b"", code, (("Location", location),))


def altered(change: Callable[[Any], Any]) -> Fault:
    """The operation is run, and `change` makes another payload of its own."""
    return _afterwards(lambda reply: replace(reply, body=json.dumps(change(json.loads(reply.body))).encode()))


def mistyped() -> Fault:
    """The operation is run; the members of its answer have wrong JSON types."""
    return altered(_mistype)


def gzipped() -> Fault:
    """The operation is run; the body is compressed although nobody asked for it."""
    encoding = (("Content-Encoding", "gzip"),)
    return _afterwards(
        lambda reply: replace(reply, body=gzip.compress(reply.body), headers=reply.headers + encoding)
    )


def huge(size: int) -> Fault:
    """A well-formed body of that many bytes."""
    return raw(b'{"message":"' + b"x" * (size - 14) + b'"}')


# Time and bytes


def delay(seconds: float) -> Fault:
    """The operation is run at once; the reply waits. For "connect", the handshake waits."""
    return Fault(delay=seconds)


def cut(after: int, rst: bool = False) -> Fault:
    """The operation is run; the reply ends after so many bytes, status line and headers included."""

    def send(wire: Wire, data: bytes) -> None:
        wire.send(data[:after])
        wire.reset() if rst else wire.close()

    return Fault(send=send)


def lose(rst: bool = False) -> Fault:
    """The operation is run; the connection ends without a reply."""
    return cut(0, rst)


def drop(rst: bool = False) -> Fault:
    """The operation is not run; the connection ends without a reply."""
    return Fault(answer=lambda run: None) + lose(rst)


def drip(interval: float = 0.05) -> Fault:
    """The operation is run; the reply comes one byte at a time."""

    def send(wire: Wire, data: bytes) -> None:
        for byte in data:
            if wire.over:
                break
            wire.send(bytes([byte]))
            wire.pause(interval)

    return Fault(send=send)


def endless_headers() -> Fault:
    """Header after header, until the peer has had enough."""
    return _endless(b"HTTP/1.1 200 OK\r\n", b"X-More: and more\r\n" * 50)


def endless_body() -> Fault:
    """Chunk after chunk, until the peer has had enough."""
    start = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return _endless(start, b"400\r\n" + b" " * 1024 + b"\r\n")


def idle_close(after: float = 0.0) -> Fault:
    """An honest reply that promises to keep the connection, which is closed a while later all the same."""

    def send(wire: Wire, data: bytes) -> None:
        wire.send(data)
        wire.pause(after)
        wire.close()

    return Fault(send=send)


# Connections


def certificate(name: str) -> Fault:
    """A row of `pki.SERVER_CERTIFICATES`: "self-signed", "expired", "wrong-host"."""
    return Fault(accept=lambda wire, pki: wire.secure(pki.context(name)))


def old_tls() -> Fault:
    """TLS 1.0 and 1.1 alone."""
    return Fault(accept=lambda wire, pki: wire.secure(pki.context(old=True)))


def plaintext() -> Fault:
    """HTTP in the clear where TLS is expected."""

    def accept(wire: Wire, pki: Pki) -> None:
        wire.send(bytes(Reply(400)))
        wire.wait_for_peer()

    return Fault(accept=accept)


def hang() -> Fault:
    """The connection is accepted, and nothing ever comes."""
    return Fault(accept=lambda wire, pki: wire.wait_for_peer())


def refuse() -> Fault:
    """The connection is reset as soon as it is there."""
    return Fault(accept=lambda wire, pki: wire.reset())


def _instead(make: Run) -> Fault:
    return Fault(answer=lambda run: make())


def _afterwards(change: Callable[[Reply], Reply]) -> Fault:
    return Fault(answer=lambda run: change(run()))


def _endless(start: bytes, more: bytes) -> Fault:
    def send(wire: Wire, data: bytes) -> None:
        wire.send(start)
        while not wire.over:
            wire.send(more)
            wire.pause(0.001)

    return Fault(answer=lambda run: None, send=send)


def _mistype(payload: dict[str, Any]) -> Any:
    """Text becomes a number, everything else text; an empty object becomes a list."""
    return {name: 42 if isinstance(item, str) else "text" for name, item in payload.items()} or []
