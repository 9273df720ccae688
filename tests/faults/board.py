"""The board that the test shares with the processes of a login: board.h, and the rows of calls.def."""

import ctypes
import mmap
import re
from dataclasses import dataclass
from pathlib import Path

FILE = Path("/run/pamcog-tests/board")

ROLES = ("module", "helper", "command")
STEPS = ("", "code", "confirm", "guard")

CALLS, RECORDS, VERDICTS, PROGRAMS, LOG, LEFT, CRASH = 192, 16384, 16, 16, 64 * 1024, 8 * 1024, 1024
u32 = ctypes.c_uint32


class Order(ctypes.Structure):
    _fields_ = [
        ("due", u32), ("role", u32), ("call", u32), ("nth", u32), ("after", u32), ("failure", u32),
        ("met", u32), ("met_role", u32), ("met_call", u32), ("met_failure", u32), ("met_site", u32),
    ]  # fmt: skip


class Record(ctypes.Structure):
    _fields_ = [("role", ctypes.c_uint16), ("call", ctypes.c_uint16), ("nth", u32), ("path", u32), ("site", u32)]


class Verdict(ctypes.Structure):
    _fields_ = [("step", u32), ("code", u32), ("log_before", u32), ("log_after", u32)]


class Board(ctypes.Structure):
    _fields_ = [
        ("orders", Order * 2),
        ("lenient", u32),
        ("deep", u32),
        ("later", u32 * len(ROLES)),
        ("calls", u32),
        ("counts", u32 * CALLS * len(ROLES)),
        ("records", Record * RECORDS),
        ("data_set", u32),
        ("verdict_count", u32),
        ("verdicts", Verdict * VERDICTS),
        ("log_length", u32),
        ("log", ctypes.c_char * LOG),
        ("started", u32),
        ("ended", u32),
        ("pids", u32 * PROGRAMS),
        ("left_length", u32),
        ("left", ctypes.c_char * LEFT),
        ("crash_length", u32),
        ("crash", ctypes.c_char * CRASH),
    ]


@dataclass(frozen=True)
class Row:
    """A function, and how it can fail: as calls.def writes it. `harmless` are those that nobody may notice."""

    name: str
    failures: tuple[str, ...]

    def harmless(self, failure: int) -> bool:
        return self.failures[failure][0] in "HS"


def rows() -> list[Row]:
    """Those of calls.def, in their order: it is the numbers of the calls."""
    text = Path(__file__).with_name("calls.def").read_text(encoding="utf-8")
    found = re.findall(r"^(?:LIBC|PAM|CURL|JSON|SECCOMP|CRYPTO)\((\w+), \S+, (.*)\)$", text, re.MULTILINE)
    return [Row(name, tuple(failures.split())) for name, failures in found]


def make() -> Board:
    """A new board, under its name."""
    FILE.write_bytes(bytes(ctypes.sizeof(Board)))
    FILE.chmod(0o666)
    with FILE.open("r+b") as file:
        return Board.from_buffer(mmap.mmap(file.fileno(), 0))
