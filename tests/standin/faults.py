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


def verbatim(data: bytes) -> Fault:
    """These bytes and no others, and then the end; the operation is not run."""
    return Fault(answer=lambda run: None) + rewritten(lambda reply: data)


def rewritten(change: Callable[[bytes], bytes], stays: bool = False) -> Fault:
    """The operation is run; `change` makes other bytes of its reply, status line and headers included.

    They are the last of the connection, unless that stays.
    """

    def send(wire: Wire, data: bytes) -> None:
        wire.send(change(data))
        if not stays:
            wire.close()

    return Fault(send=send)


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


def bomb(size: int = 1 << 30, layers: int = 1) -> Fault:
    """A body that is that long once it is decompressed, `layers` times: blanks."""
    part = 1 << 20
    body = gzip.compress(b" " * part) * (size // part)  # members one after the other: RFC 1952, section 2.2
    for _ in range(layers - 1):
        body = gzip.compress(body)
    return raw(body, headers=(("Content-Type", AMZ_JSON), ("Content-Encoding", ", ".join(["gzip"] * layers))))


def huge(size: int) -> Fault:
    """A well-formed body of that many bytes."""
    return raw(b'{"message":"' + b"x" * (size - 14) + b'"}')


def giant(size: int = 1 << 30) -> Fault:
    """A body of that many blanks, as its length says, and of which the stand-in holds only a part."""

    def send(wire: Wire, data: bytes) -> None:
        part = b" " * (1 << 16)
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n" % (AMZ_JSON.encode(), size))
        for _ in range(size // len(part)):
            if wire.over:
                break
            wire.send(part)

    return Fault(answer=lambda run: None, send=send)


# Time and bytes


def delay(seconds: float) -> Fault:
    """The operation is run at once; the reply waits. For "connect", the handshake waits."""
    return Fault(delay=seconds)


def cut(after: int, rst: bool = False, notify: bool = True) -> Fault:
    """The operation is run; the reply ends after so many bytes, status line and headers included.

    `rst`: the connection is reset; without `notify` it ends as anyone on the way can end it, and not as TLS does.
    """

    def send(wire: Wire, data: bytes) -> None:
        wire.send(data[:after])
        wire.reset() if rst else wire.close(notify)

    return Fault(send=send)


def lose(rst: bool = False) -> Fault:
    """The operation is run; the connection ends without a reply."""
    return cut(0, rst)


def drop(rst: bool = False) -> Fault:
    """The operation is not run; the connection ends without a reply."""
    return Fault(answer=lambda run: None) + lose(rst)


def drip(interval: float = 0.05) -> Fault:
    """The operation is run; the reply comes one byte at a time."""
    return Fault(send=lambda wire, data: _drip(wire, data, interval))


def endless_headers() -> Fault:
    """Header after header, until the peer has had enough."""
    return endless(b"HTTP/1.1 200 OK\r\n", b"X-More: and more\r\n" * 50)


def endless_body() -> Fault:
    """Chunk after chunk, until the peer has had enough."""
    start = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return endless(start, b"400\r\n" + b" " * 1024 + b"\r\n")


def endless(start: bytes, more: bytes, interval: float = 0.001) -> Fault:
    """The operation is not run; `more` follows `start` for ever, or for as long as the peer is there."""

    def send(wire: Wire, data: bytes) -> None:
        wire.send(start)
        while not wire.over:
            wire.send(more)
            wire.pause(interval)

    return Fault(answer=lambda run: None, send=send)


def stall(after: int) -> Fault:
    """The operation is run; after so many bytes of its reply nothing comes any more, and nothing ends either."""

    def send(wire: Wire, data: bytes) -> None:
        wire.send(data[:after])
        wire.wait_for_peer()

    return Fault(send=send)


def last_reply() -> Fault:
    """An honest reply that says it is the last one of its connection, so that the next request needs a new one."""
    return _afterwards(lambda reply: replace(reply, headers=(*reply.headers, ("Connection", "close"))))


def idle_close(after: float = 0.0, rst: bool = False, notify: bool = True) -> Fault:
    """An honest reply that promises to keep the connection, which ends a while later all the same: see `cut`."""

    def send(wire: Wire, data: bytes) -> None:
        wire.send(data)
        wire.pause(after)
        wire.reset() if rst else wire.close(notify)

    return Fault(send=send)


# Connections


def certificate(name: str) -> Fault:
    """A row of `pki.SERVER_CERTIFICATES`: "self-signed", "expired", "wrong-host"."""
    return Fault(accept=lambda wire, pki: wire.secure(pki.context(name)))


def old_tls() -> Fault:
    """TLS 1.0 and 1.1 alone."""
    return Fault(accept=lambda wire, pki: wire.secure(pki.context(old=True)))


def bad_ciphers(ciphers: str) -> Fault:
    """TLS 1.2 with such cipher suites alone, as OpenSSL names them: "aNULL" needs no certificate, "eNULL" hides nothing."""
    return Fault(accept=lambda wire, pki: wire.secure(pki.context(ciphers=ciphers)))


def plaintext(data: bytes = bytes(Reply(400)), over: bool = False) -> Fault:
    """HTTP, or other bytes, in the clear where TLS is expected; then the end if it is to be over, or nothing."""

    def accept(wire: Wire, pki: Pki) -> None:
        wire.send(data)
        wire.close() if over else wire.wait_for_peer()

    return Fault(accept=accept)


def dripping_plaintext(data: bytes, interval: float = 0.05) -> Fault:
    """Bytes in the clear one at a time, over and over."""

    def accept(wire: Wire, pki: Pki) -> None:
        while not wire.over:
            _drip(wire, data, interval)

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


def _drip(wire: Wire, data: bytes, interval: float) -> None:
    for byte in data:
        if wire.over:
            break
        wire.send(bytes([byte]))
        wire.pause(interval)


def _mistype(payload: dict[str, Any]) -> Any:
    """Text becomes a number, everything else text; an empty object becomes a list."""
    return {name: 42 if isinstance(item, str) else "text" for name, item in payload.items()} or []
