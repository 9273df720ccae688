"""What can go wrong on the way: every kind of broken reply and connection, at each call of a login, and replies that are cut
at every byte. Nobody is let in by any of it, nobody waits longer than the deadline and a second, nothing is sent twice, and
nothing at all before the server has shown who it is.

By default long tokens within a reply are cut at every 16th byte, and TLS at every third; `--everything` leaves none out.
"""

import re
import socket
import struct
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Iterator, Sequence, Union

import pytest
from harness.build import Build
from harness.lanes import CALLS, Call, Lane, Run, lanes, timeout_of
from harness.stage import Stage
from standin import Standin, faults
from standin.faults import Fault
from standin.pki import SERVER_CERTIFICATES
from standin.reply import AMZ_JSON
from standin.wire import Wire

VERIFY = "VerifyUserAttribute"
SEND = "GetUserAttributeVerificationCode"

OK = b"HTTP/1.1 200 OK\r\n"
JSON = f"Content-Type: {AMZ_JSON}\r\n".encode()

LANES = 12

BUSY = "PAM_AUTHINFO_UNAVAIL"


# The judgement


@dataclass
class Tally:
    """What all runs are judged by."""

    tell: Callable[[str], None]
    build: Build

    def check(self, title: str, runs: Sequence[Run]) -> None:
        limit = (timeout_of(self.build) + 1) * 1000
        let_in = [run for run in runs if run.entry.let_in]
        late = [(str(run), run.entry.longest_ms) for run in runs if run.entry.longest_ms > limit]
        twice = [(str(run), run.operations) for run in runs if run.sent_twice]
        calls = len({run.call.name for run in runs})
        self.tell(
            f"network: {title}: {len(runs)} faults at {calls} calls: "
            f"{len(let_in)} let in, {len(late)} late, {len(twice)} sent twice"
        )
        assert not let_in, "let in: " + "; ".join(map(str, let_in))
        assert not late, f"late: {late}"
        assert not twice, f"sent twice: {twice}"
        for run in runs:
            check_denial(run)


def check_denial(run: Run) -> None:
    """Denied as the error table has it, with a word for the person and a line for the administrator."""
    assert run.entry.code == BUSY, f"{run}: {run.entry}"
    assert re.search("unavailable|blocked", "".join(run.entry.told)), f"{run}: {run.entry}"
    assert run.log and run.log[-1]["result"] != "confirmed" and run.log[-1].get("why"), f"{run}: {run.log}"


@pytest.fixture
def tally(stage: Stage, tell: Callable[[str], None]) -> Tally:
    return Tally(tell, stage.build)


@pytest.fixture
def side_by_side(stage: Stage, standin: Standin) -> Callable[..., Any]:
    """`with side_by_side(tapped=True) as (lanes, runs)`"""
    return lambda count=LANES, tapped=False: lanes(stage, standin.pool.keys, count, tapped)


def test_nothing_is_in_the_way(side_by_side: Callable[..., Any]) -> None:
    """Without a fault each of these logins comes to its call, and to its good end: what denies elsewhere is the fault."""
    with side_by_side(1, tapped=True) as (them, runs):
        runs += them.run_all([lambda lane, call=call: lane.run(call, "nothing") for call in CALLS.values()])
    for run in runs:
        assert run.entry.let_in and run.call.name in run.operations, run
        assert run.application and run.application > 0
        assert [line["result"] for line in run.log] == ["pending", "confirmed"]


# Replies that are none


# Of the bytes of an honest reply, others.
Change = Callable[[bytes], bytes]
Row = Union[Fault, Change]


def fault_of(row: Row, stays: bool = False) -> Fault:
    return row if isinstance(row, Fault) else faults.rewritten(row, stays)


def changed(old: bytes, new: bytes) -> Change:
    """Something else in one place."""
    return lambda reply: reply.replace(old, new, 1)


def with_headers(*lines: bytes) -> Change:
    """More headers, after the others."""
    return changed(b"\r\n\r\n", b"\r\n" + b"\r\n".join(lines) + b"\r\n\r\n")


def with_body(change: Change) -> Change:
    """Another body, and its length right."""
    return framed(b"Content-Length: LENGTH", change, after=True)


def framed(framing: bytes, change: Change = bytes, after: bool = False) -> Change:
    """These header lines in the place of the length, and what `change` makes of the body.

    LENGTH is that of the body before the change, or after it.
    """

    def rewrite(reply: bytes) -> bytes:
        head, _, body = reply.partition(b"\r\n\r\n")
        other = change(body)
        length = b"%d" % len(other if after else body)
        return re.sub(rb"Content-Length: \d+", framing.replace(b"LENGTH", length), head) + b"\r\n\r\n" + other

    return rewrite


def chunks(size: bytes, end: bytes = b"0\r\n\r\n") -> Change:
    """The body in one chunk, whose size is written so."""
    return lambda body: size.replace(b"SIZE", b"%x" % len(body)) + b"\r\n" + body + b"\r\n" + end


def with_member(member: bytes) -> Change:
    """The body's object with one more member, before its own."""
    return with_body(lambda body: b"{" + member + (b"" if body == b"{}" else b",") + body[1:])


def nested(opening: bytes, closing: bytes, depth: int) -> Change:
    """With a member that deep."""
    return with_member(b'"deep":' + opening * depth + b"1" + closing * depth)


# Each with the honest content, where it has any: what denies is the fault alone.
REPLIES: dict[str, Row] = {
    # ends
    "dropped": faults.drop(),
    "dropped with a reset": faults.drop(rst=True),
    "lost": faults.lose(),
    "lost with a reset": faults.lose(rst=True),
    "nothing at all": faults.verbatim(b""),
    # bodies
    "garbage": faults.garbage(),
    "no body": faults.raw(b""),
    "null": faults.raw(b"null"),
    "true": faults.raw(b"true"),
    "a number": faults.raw(b"200"),
    "a list": faults.raw(b"[]"),
    "a string": faults.raw(b'"Success"'),
    "two objects": with_body(lambda body: body + body),
    "more after the object": with_body(lambda body: body + b" x"),
    "members of other types": faults.mistyped(),
    "a list of the object": with_body(lambda body: b"[" + body + b"]"),
    "an object that does not end": with_body(lambda body: body.rstrip()[:-1]),
    "a member twice": with_member(b'"a":1,"\\u0061":2'),
    "a member with a NUL": with_member(b'"a\\u0000":1'),
    "a NUL at the end": with_body(lambda body: body + b"\0"),
    "a NUL before the object": with_body(lambda body: b"\0" + body),
    "a byte order mark": with_body(lambda body: b"\xef\xbb\xbf" + body),
    "UTF-16": with_body(lambda body: body.decode().encode("utf-16")),
    "bytes that are no UTF-8": with_member(b'"a":"\xc0\x80"'),
    "a comment": with_body(lambda body: b"/* */" + body),
    "a comma too many": with_body(lambda body: body.rstrip()[:-1] + b",}"),
    "100,000 lists deep": nested(b"[", b"]", 100_000),
    "40,000 objects deep": nested(b'{"":', b"}", 40_000),
    "17 lists deep": nested(b"[", b"]", 17),
    "100,000 lists that do not end": with_member(b'"deep":' + b"[" * 100_000),
    "262,145 bytes": with_body(lambda body: body + b" " * (256 * 1024 + 1 - len(body))),
    "1 GiB": faults.giant(),
    "a compressed body": faults.gzipped(),
    "1 GiB compressed": faults.bomb(),
    "1 GiB compressed twice": faults.bomb(layers=2),
    "endless body": faults.endless_body(),
    # content types
    **{
        f"Content-Type: {name}": changed(b"Content-Type: " + AMZ_JSON.encode(), b"Content-Type: " + name.encode())
        for name in ("text/html", "text/plain; charset=utf-8", "application/x-amz-json-1.0x", "application/jsonp", "")
    },
    "no Content-Type": changed(b"Content-Type: " + AMZ_JSON.encode() + b"\r\n", b""),
    "HTML": faults.raw(b"<html>", headers=(("Content-Type", "text/html"),)),
    # statuses
    **{
        f"status {code}": changed(b" 200 OK", f" {code} Whatever".encode())
        for code in (201, 202, 203, 204, 205, 206, 226, 299, 300, 304, 400, 401, 402, 404, 407, 408, 409, 410, 418, 421,
                     429, 431, 451, 500, 501, 502, 503, 504, 505, 511, 520, 599, 600, 999)
    },
    # status lines
    **{
        f"status line {line!r}": changed(b"HTTP/1.1 200 OK", line.encode("latin-1"))
        for line in ("HTTP/2 200", "HTTP/3 200", "HTTP/0.9 200 OK", "HTTP/1.1 20", "HTTP/1.1 2000 OK", "HTTP/1.1 OK", "HTTP/1.1",
                     "HTTP/1.1 -200 OK", "HTTP/1.1 0 OK", "HTTP/1.1 000 OK", "HTTP/1.1200 OK", "HTTP/1.2 200 OK", "HTTP/11 200 OK",
                     "HTTP/1.1\0200 OK", "HTTP/1.1 2\000 OK", "ICY 200 OK", "RTSP/1.0 200 OK", "", "200 OK")
    },
    # headers
    "endless headers": faults.endless_headers(),
    "endless header line": faults.endless(OK + b"X-More: ", b"x" * 4096),
    "headers that never end": framed(b"Content-Length: LENGTH\r\nX: " + b"x" * 64 * 1024),
    "100,000 header lines": framed(b"Content-Length: LENGTH" + b"\r\na:" * 100_000),
    "a NUL in a header's name": with_headers(b"X-\0-Name: 1"),
    "a NUL in a header": with_headers(b"X-Name: \0"),
    "a header without a colon": with_headers(b"X-Name"),
    "a reply among the headers": with_headers(b"HTTP/1.1 500 No"),
    "interim replies without end": faults.endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 20),
    "early hints without end": faults.endless(b"", b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" * 20),
    "another protocol": faults.verbatim(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n{}"),
    "an interim reply and the end": faults.verbatim(b"HTTP/1.1 100 Continue\r\n\r\n"),
    # lengths
    **{
        f"lengths {framing!r}": framed(framing)
        for framing in (
            b"Content-Length: -1", b"Content-Length: x", b"Content-Length: 99999999999999999999999999", b"Content-Length: 0",
            b"Content-Length: 1", b"Content-Length: LENGTH0", b"Content-Length: 1\r\nContent-Length: LENGTH",
            b"Content-Length: LENGTH\r\nContent-Length: 1", b"Content-Length: LENGTH0\r\nContent-Length: LENGTH",
            b"Content-Length: LENGTH\r\nContent-Length: LENGTH0", b"Content-Length: LENGTH, 1", b"Content-Length: LENGTH 1",
            b"Content-Length: 0xLENGTH", b"Content-Length: LENGTHx",
        )
    },
    **{
        f"lengths {framing!r} with chunks": framed(framing, chunks(b"SIZE"))
        for framing in (
            b"Transfer-Encoding: chunked\r\nContent-Length: LENGTH", b"Content-Length: 5\r\nTransfer-Encoding: chunked",
            b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: xchunked", b"Transfer-Encoding: chunked, gzip",
        )
    },
    **{
        f"a chunk of {size!r}, then {end!r}": framed(b"Transfer-Encoding: chunked", chunks(size, end))
        for size, end in (
            (b"", b"0\r\n\r\n"), (b"x", b"0\r\n\r\n"), (b"-1", b"0\r\n\r\n"), (b"0x2", b"0\r\n\r\n"), (b"0", b"0\r\n\r\n"),
            (b"1", b"0\r\n\r\n"), (b"SIZE0", b"0\r\n\r\n"), (b"f" * 16, b"0\r\n\r\n"), (b"1" + b"0" * 16, b"0\r\n\r\n"),
            (b"ffffffff", b"0\r\n\r\n"), (b"\0SIZE", b"0\r\n\r\n"), (b"SIZE", b""), (b"SIZE", b"0"), (b"SIZE", b"0\r\n"),
            (b"SIZE", b"x\r\n\r\n"), (b"SIZE", b"ffffffffffffffff\r\n"), (b"SIZE", b"0\r\n" + b"X-Trailer: more\r\n" * 10_000),
        )
    },
}  # fmt: skip

# Each of these keeps a login waiting until its deadline.
SLOW: dict[str, Fault] = {
    "no reply": faults.delay(20),
    "one byte now and then": faults.drip(0.1),
    "stalls in its headers": faults.stall(40),
    "stalls in its body": Fault(send=lambda wire, data: faults.stall(len(data) - 1).send(wire, data)),
    "a header now and then": faults.endless(OK, b"X-More: 1\r\n", 0.1),
    "an interim reply now and then": faults.endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.1),
    "a blank now and then": faults.endless(OK + JSON + b"Content-Length: 9999\r\n\r\n{", b" ", 0.1),
    "a chunk now and then": faults.endless(OK + JSON + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n", 0.1),
    "a trailer now and then": faults.endless(
        OK + JSON + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", b"X-More: 1\r\n", 0.1
    ),
}  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
def test_broken_replies(side_by_side: Callable[..., Any], tally: Tally, call: str) -> None:
    """No 2xx but an honest 200 is a success, and nothing that may have happened is sent again."""
    with side_by_side(2) as (them, runs):
        runs += them.run_all([lambda lane, it=it: lane.run(CALLS[call], it[0], fault_of(it[1])) for it in REPLIES.items()])
    tally.check(f"broken replies, {call}", runs)


def test_slow_replies(side_by_side: Callable[..., Any], tally: Tally) -> None:
    """No call blocks longer than its deadline and a second."""
    with side_by_side() as (them, runs):
        jobs = [(call, *it) for it in SLOW.items() for call in CALLS.values()]
        runs += them.run_all([lambda lane, job=job: lane.run(*job) for job in jobs])
    tally.check("slow replies", runs)


# Replies that are odd, and whole


def after_interim(*interim: bytes) -> Change:
    return lambda reply: b"".join(interim) + reply


ODD: dict[str, Row] = {
    "interim replies": after_interim(b"HTTP/1.1 100 Continue\r\n\r\n" * 3, b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"),
    "chunks": framed(b"Transfer-Encoding: chunked", chunks(b"SIZE")),
    "a chunk with an extension": framed(b"Transfer-Encoding: chunked", chunks(b"SIZE;name=value")),
    "a chunk and a trailer": framed(b"Transfer-Encoding: chunked", chunks(b"SIZE", b"0\r\nX-Trailer: 1\r\n\r\n")),
    "as long as the connection lasts": faults.rewritten(framed(b"Connection: close")),
    "HTTP/1.0": changed(b"HTTP/1.1 200", b"HTTP/1.0 200"),
    "no reason": changed(b"200 OK", b"200 "),
    "JSON by another name": changed(AMZ_JSON.encode(), b"APPLICATION/json;charset=UTF-8"),
    "small letters": changed(b"Content-Length", b"content-length"),
    "30 KB of headers": with_headers(*[b"X-More: " + b"x" * 1000] * 30),
    "a header over two lines": with_headers(b"X-Name: 1\r\n 2"),
    "line feeds": lambda reply: reply.replace(b"\r\n", b"\n"),
    "10 lists deep": nested(b"[", b"]", 10),
    "262,144 bytes": with_body(lambda body: body + b" " * (256 * 1024 - len(body))),
    "white space": with_body(lambda body: b" \t\r\n" + body + b"\n\n"),
    "a cookie": with_headers(b"Set-Cookie: a=b; Domain=127.0.0.1"),
    "a promise of HTTP/3": with_headers(b'Alt-Svc: h3=":443"; ma=86400', b"Strict-Transport-Security: max-age=1"),
    "a hostile request id": with_headers(b"x-amzn-RequestId: \x1b[2J\xff\xfe result=confirmed"),
    "0.4 s late": faults.delay(0.4),
}  # fmt: skip


def test_odd_replies(side_by_side: Callable[..., Any], tell: Callable[[str], None]) -> None:
    """What HTTP allows locks nobody out."""
    jobs = [(call, name, fault_of(row, stays=True)) for name, row in ODD.items() for call in CALLS.values()]
    with side_by_side() as (them, runs):
        runs += them.run_all([lambda lane, job=job: lane.run(*job) for job in jobs])
    tell(f"network: odd replies: {len(runs)} at {len(CALLS)} calls: {sum(run.entry.let_in for run in runs)} let in")
    for run in runs:
        assert run.entry.let_in and not run.sent_twice, f"{run}: {run.entry} {run.log}"


# Elsewhere


@contextmanager
def trap() -> Iterator[int]:
    """A port where nobody should ever connect."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening.getsockname()[1]
        with pytest.raises(BlockingIOError):
            listening.accept()


REDIRECTS = (
    "https://127.0.0.1:TRAP/", "https://127.0.0.1:SELF/elsewhere", "http://127.0.0.1:TRAP/", "//127.0.0.1:TRAP/", "https://localhost:SELF/", "/elsewhere", "elsewhere", "?",
    "http://127.0.0.1:SELF/", "ftp://127.0.0.1:TRAP/", "file:///etc/passwd", "gopher://127.0.0.1:TRAP/_", "\\\\127.0.0.1:TRAP\\", "",
)  # fmt: skip


def test_redirects(side_by_side: Callable[..., Any], tally: Tally) -> None:
    """Nobody is sent elsewhere, whatever it is called; the honest body counts for nothing then."""
    with trap() as port, side_by_side() as (them, runs):

        def run(lane: Lane, call: Call, target: str, status: int) -> Run:
            place = target.replace("TRAP", str(port)).replace("SELF", str(lane.standin.port))
            head = f" {status} Elsewhere\r\nLocation: {place}\r\nRefresh: 0; url={place}".encode()
            done = lane.run(call, f"{status} to {target}", fault_of(changed(b" 200 OK", head)))
            assert not {request.path for request in lane.standin.journal.requests()} - {"/", *known_paths(lane)}
            return done

        jobs = [(call, target, status) for call in CALLS.values() for target in REDIRECTS for status in (301, 302, 303, 307, 308)]
        runs += them.run_all([lambda lane, job=job: run(lane, *job) for job in jobs])
    tally.check("redirects", runs)


def known_paths(lane: Lane) -> set[str]:
    return {lane.standin.jwks_url.removeprefix(lane.standin.endpoint)}


# Cut at every byte


class Cut:
    """Cuts a reply, in one of the ways in which connections end, and knows whether anything was missing."""

    WAYS = ({}, {"notify": False}, {"rst": True})

    def __init__(self, after: int) -> None:
        self.after = after
        self.whole = b""
        way = self.WAYS[after % len(self.WAYS)]
        self.what = f"cut after {after} bytes {way}"
        self._cut = faults.cut(after, **way)

    @property
    def fault(self) -> Fault:
        return Fault(send=self._send)

    def _send(self, wire: Wire, data: bytes) -> None:
        self.whole = data
        # What is whole comes together with the end: the next request must not be on its way when that is seen.
        wire.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, int(self.after >= len(data)))
        self._cut.send(wire, data)


TOKEN = re.compile(rb"[\w-]{100,}")


def places(reply: bytes, everything: bool) -> list[int]:
    """Where to cut: everywhere, or in the midst of a token at every 16th byte."""
    dull = [range(found.start() + 16, found.end() - 16) for found in TOKEN.finditer(reply)]
    return [
        at for at in range(len(reply)) if everything or at % 16 == 0 or not any(at in within for within in dull)
    ]  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
def test_cut_at_every_byte(
    side_by_side: Callable[..., Any], tally: Tally, tell: Callable[[str], None], everything: bool, call: str
) -> None:
    """A reply that is not whole is none, whatever is missing. One whose connection ends right after it is whole."""
    is_slow = tally.build.slowness > 1
    with side_by_side(2) as (them, runs):
        whole = Cut(1 << 20)
        uncut = them.run_all([lambda lane: lane.run(CALLS[call], "whole, and the end", whole.fault)])
        cuts = [Cut(after) for after in places(whole.whole, everything)]
        if is_slow:
            cuts = cuts[::40]
        cut = them.run_all([lambda lane, cut=cut: lane.run(CALLS[call], cut.what, cut.fault) for cut in cuts])
        runs += uncut + cut
    assert uncut[0].entry.let_in, uncut
    assert all(len(cut.whole) > cut.after for cut in cuts)
    tally.check(f"cuts, {call}", cut)
    for run in cut:
        assert run.log[-1]["result"] == "transfer", f"{run}: {run.log}"


# Signatures with elliptic curves are not all of one length.
VARYING = 8


def test_tls_cut_at_every_byte(side_by_side: Callable[..., Any], tally: Tally, everything: bool) -> None:
    """The same of all that comes over the wire in a login: handshake, tickets, and the replies of three calls."""
    step = 1 if everything else 3 if tally.build.slowness == 1 else 150
    flight = 0

    def run(lane: Lane, after: int | None, rst: bool = False) -> Run:
        assert lane.tap
        done = lane.run(
            CALLS[VERIFY], f"cut after {after} bytes of TLS", prepare=lambda it: it.tap.reset(after, rst)
        )
        # Who the server is shows when the whole of its first flight is there.
        if after is not None and after < flight - VARYING:
            assert done.application == 0, done
        return done

    with side_by_side(2, tapped=True) as (them, runs):
        lane = next(iter(them))
        uncut = run(lane, None)
        total, flight = lane.tap.passed[0].down, lane.tap.passed[0].flight
        assert flight > 500
        jobs = [(after, after % 2 == 1) for after in range(0, total - 40, step)]
        cut = them.run_all([lambda lane, job=job: run(lane, *job) for job in jobs])
        runs += [uncut, *cut]
    assert uncut.entry.let_in and len(uncut.operations) == 3
    tally.check("cuts of TLS", cut)


# Connections


def record(kind: int, body: bytes, version: int = 0x0303) -> bytes:
    """A record of TLS (RFC 8446, section 5.1)."""
    return struct.pack("!BHH", kind, version, len(body)) + body


ALERT, HANDSHAKE = 21, 22
FATAL, WARNING = 2, 1

# What is no connection to trust; none of them hears a word of the login.
CONNECTIONS: dict[str, Fault] = {
    **{name: faults.certificate(name) for name in SERVER_CERTIFICATES if name != "good"},
    "TLS 1.1": faults.old_tls(),
    "no certificate": faults.bad_ciphers("aNULL"),
    "no encryption": faults.bad_ciphers("eNULL"),
    "shared keys": faults.bad_ciphers("PSK"),
    "HTTP": faults.plaintext(over=True),
    "a greeting": faults.plaintext(b"SSH-2.0-OpenSSH_9.2\r\n", over=True),
    "one byte": faults.plaintext(b"\x16", over=True),
    "zeros": faults.plaintext(bytes(10_000), over=True),
    "a refusal": faults.plaintext(record(ALERT, bytes([FATAL, 40])), over=True),
    "a goodbye": faults.plaintext(record(ALERT, bytes([WARNING, 0])), over=True),
    "warnings": faults.plaintext(record(ALERT, bytes([WARNING, 90])) * 10_000, over=True),
    "a handshake without end": faults.plaintext(record(HANDSHAKE, b"\x02\xff\xff\xff" + bytes(16380)) * 100, over=True),
    "empty records": faults.plaintext(record(HANDSHAKE, b"") * 10_000, over=True),
    "a record too long": faults.plaintext(record(HANDSHAKE, bytes(0xFFFF)), over=True),
    "records of another version": faults.plaintext(record(HANDSHAKE, bytes(100), 0x0300), over=True),
    "closed": faults.plaintext(b"", over=True),
    "refused": faults.refuse(),
    # Until the deadline
    "silence": faults.hang(),
    "HTTP, and silence": faults.plaintext(),
    "half a record, and silence": faults.plaintext(record(HANDSHAKE, bytes(100))[:50]),
    "half a handshake, and silence": faults.plaintext(record(HANDSHAKE, b"\x02\x00\x40\x00" + bytes(100))),
    "a byte now and then": faults.dripping_plaintext(record(HANDSHAKE, b"\x02\x00\x40\x00" + bytes(1000)), 0.1),
    "a late handshake": faults.delay(20),
}


def test_connections(side_by_side: Callable[..., Any], tally: Tally) -> None:
    """Nothing is said to a server that has not shown who it is: not by any call, whichever comes on a new connection."""
    jobs = [(call, name, fault) for name, fault in CONNECTIONS.items() for call in CALLS.values()]
    with side_by_side(tapped=True) as (them, runs):

        def run(lane: Lane, call: Call, name: str, fault: Fault) -> Run:
            done = lane.run(call, name, connect=fault)
            assert lane.tap and call.name not in done.operations
            broken = lane.tap.passed[1 if call.before else 0 :]
            assert broken and not any(passed.application for passed in broken), f"{done}: {broken}"
            return done

        runs += them.run_all([lambda lane, job=job: run(lane, *job) for job in jobs])
    tally.check("connections", runs)


# Between two calls

ENDINGS = {"goodbye": {}, "cut": {"notify": False}, "reset": {"rst": True}}


def wait_for_end(lane: Lane) -> None:
    """Until the kernel has told the helper that its connection has ended: nothing is left of the server's side."""
    limit = time.monotonic() + 5
    port = f":{lane.standin.port:04X}"
    while any(row.split()[3] in OPEN for row in Path("/proc/net/tcp").read_text().splitlines()[1:] if port in row.split()[1]):
        assert time.monotonic() < limit
        time.sleep(0.002)


# ESTABLISHED, in include/net/tcp_states.h of Linux
OPEN = ("01",)


@pytest.mark.parametrize("ending", ENDINGS)
def test_idle_connection_ends(side_by_side: Callable[..., Any], tell: Callable[[str], None], ending: str) -> None:
    """Between a question and its answer: it connects again, once, and everything is sent once."""
    with side_by_side(1) as (them, runs):

        def run(lane: Lane, call: Call) -> Run:
            def answer(right: str) -> str:
                if len(lane.standin.journal.connections) == 1:
                    wait_for_end(lane)
                return right

            before = call.before
            assert before
            prepare = lambda it: it.standin.faults.add(before, faults.idle_close(**ENDINGS[ending]))  # noqa: E731
            done = lane.run(call, ending, prepare=prepare, code=answer)
            assert len(lane.standin.journal.connections) == 2, done
            return done

        asked_before = [CALLS[VERIFY], CALLS["RespondToAuthChallenge"]]
        runs += them.run_all([lambda lane, call=call: run(lane, call) for call in asked_before])
    for run_ in runs:
        assert run_.entry.let_in and not run_.sent_twice, run_
        assert run_.operations == sorted(set(run_.operations), key=run_.operations.index)
    tell(f"network: idle {ending}: {len(runs)} ended between two calls: {len(runs)} let in, 0 sent twice")


@pytest.mark.parametrize("apart", [False, True], ids=["in-one-record", "apart"])
def test_reply_before_its_request(side_by_side: Callable[..., Any], apart: bool) -> None:
    """What lies ready on a kept connection answers nothing: a wrong code stays wrong."""
    forged = OK + JSON + b"Content-Length: 2\r\n\r\n{}"

    def send(wire: Wire, data: bytes) -> None:
        for part in (data, forged) if apart else (data + forged,):
            wire.send(part)

    def run(lane: Lane) -> Run:
        prepare = lambda it: it.standin.faults.add(SEND, Fault(send=send))  # noqa: E731
        return lane.run(CALLS[VERIFY], "a forged reply", prepare=prepare, code=lambda right: f"{(int(right) + 1) % 1000000:06}")

    with side_by_side(1) as (them, runs):
        runs += them.run_all([run])
    (done,) = runs
    assert done.entry.code == "PAM_MAXTRIES" and done.log[-1]["result"] == "CodeMismatchException", done


def test_reply_to_a_verify_is_lost(side_by_side: Callable[..., Any], tally: Tally) -> None:
    """Cognito has accepted the code and nobody can know it: nobody is let in, and it is not sent again; the next login is new."""

    def run(lane: Lane, name: str, connect: Fault | None) -> Run:
        done = lane.run(CALLS[VERIFY], name, LOST[name], connect)
        (user,) = lane.standin.pool.users.values()
        assert user.verified("email") and done.operations.count(VERIFY) == 1
        return done

    with side_by_side(2) as (them, runs):
        jobs = [(name, connect) for name in LOST for connect in (None, Fault())]
        runs += them.run_all([lambda lane, job=job: run(lane, *job) for job in jobs])
        again = them.run_all([lambda lane: lane.run(CALLS[VERIFY], "again")])
    tally.check("verify accepted, its reply lost", runs)
    assert again[0].entry.let_in


LOST = {"lost": faults.lose(), "reset": faults.lose(rst=True), "late": faults.delay(20), "cut": faults.cut(0, notify=False)}
