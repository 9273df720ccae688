"""What one login costs in the helper, step by step: instructions, counted by callgrind, and CPU time."""

import os
import re
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Mapping

from standin import Standin

from . import helper as alone
from .build import variable
from .helper import Helper
from .machine import GROUND

# How far a login goes. At FIRST the helper is linked and has no rights any more, but was told nothing.
FIRST, STARTED, CONNECTED, SIGNED_IN, SENT, VERIFIED = range(6)

CODE = "email"

# The same code on every processor: OpenSSL's and the C library's for the oldest. A long memset as a loop: callgrind counts
# each byte of a repeated store.
SAME_EVERYWHERE = {
    "OPENSSL_ia32cap": "~0xffffffffffffffff:0x0",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX_Usable,-AVX2_Usable,-AVX,-AVX2,-ERMS,-FSRM"
    ":glibc.cpu.x86_rep_stosb_threshold=1073741824:glibc.cpu.x86_rep_movsb_threshold=1073741824",
}

OBJECT = re.compile(r"(?P<called>c?)ob=\((?P<id>\d+)\)(?: (?P<path>.*))?$")
ROW = re.compile(r"\s*(?P<count>[\d,]+) \([^)]*\)\s+(?P<place>\S+):(?P<name>[^\s:]+)(?: \[(?P<object>[^\]]*)\])?$")


def lacking() -> str | None:
    """Why nothing can be counted here; None when all is there."""
    for program in ("valgrind", "callgrind_annotate", "objcopy"):
        if not shutil.which(program):
            return f"{program} is missing"
    if not os.path.exists(variable("UNLOCKED")):
        return "PAM_COGNITO_UNLOCKED is no file: run `make installcheck`, on a plain build"
    return None


@dataclass
class Counted:
    """Instructions: all, of each function with what it calls, and of each library alone."""

    total: int
    functions: dict[str, int] = field(default_factory=dict)
    libraries: dict[str, int] = field(default_factory=dict)


class Meter:
    """Drives the installed helper through logins of this user, by the stand-in."""

    def __init__(self, helper: Path, standin: Standin, user: str, password: str, ca_path: str = "") -> None:
        self._helper, self._standin = str(helper), standin
        self._user, self._password = user, password
        config = standin.config()
        jwks = f"{config['endpoint']}/{config['user_pool_id']}/.well-known/jwks.json"
        self._config = {**config, "jwks_url": jwks, **({"ca_path": ca_path} if ca_path else {})}

    def cpu(self, upto: int, flow: str) -> float:
        """Milliseconds of CPU of a login up to there; then the helper is killed, as the modules do it."""
        helper = Helper(self._helper)
        self._run(helper, upto, flow)
        os.kill(helper.pid, signal.SIGKILL)
        return _end(helper)

    def count(self, upto: int, flow: str) -> Counted:
        """The instructions of a login up to there."""
        # Its functions have names without that, and not every valgrind reads what every compiler writes.
        plain = GROUND / "plain" / Path(self._helper).name
        plain.parent.mkdir(exist_ok=True)
        subprocess.run(["objcopy", "--strip-debug", self._helper, plain], check=True)
        out = GROUND / "callgrind"
        out.touch()
        # The helper writes it, and is nobody by then; what is there already keeps its mode.
        out.chmod(0o666)
        valgrind = [shutil.which("valgrind") or "", "--tool=callgrind", f"--callgrind-out-file={out}", "--quiet", "--log-file=/dev/null"]
        helper = Helper(str(plain), before=valgrind, environment={"LD_PRELOAD": variable("UNLOCKED"), **SAME_EVERYWHERE})
        helper.near.settimeout(60)
        self._run(helper, upto, flow)
        _end(helper)
        try:
            return _read(out)
        finally:
            out.unlink()
            plain.unlink()

    def _run(self, helper: Helper, upto: int, flow: str) -> None:
        try:
            self._drive(helper, upto, flow)
        except BaseException:
            helper.kill()
            raise

    def _drive(self, helper: Helper, upto: int, flow: str) -> None:
        self._standin.journal.clear()
        self._standin.pool.outbox.clear()
        if upto >= STARTED:
            _ask(helper, alone.start(self._config, times=(60000, 60000, 120000)))
        if upto == FIRST or upto >= CONNECTED:
            # What comes after MSG_START's answer begins by itself.
            _rest(helper.pid)
        if upto >= SIGNED_IN:
            _ask(helper, alone.signin(self._user, self._password, flow))
        if upto >= SENT:
            _ask(helper, alone.send(CODE))
        if upto >= VERIFIED:
            _ask(helper, alone.verify(CODE, self._standin.pool.outbox[-1].code))


def cpu_of(*command: str, environment: Mapping[str, str] = {}) -> float:
    """Milliseconds of CPU of a command that ends by itself; its output goes nowhere."""
    nowhere = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
    pid = os.posix_spawn(command[0], command, environment, file_actions=nowhere)
    return _spent(os.wait4(pid, 0)[2])


def _ask(helper: Helper, request: bytes) -> None:
    helper.send(request)
    kind, body = helper.receive()
    assert (kind, body[:4]) == (alone.RESULT, b"\0\0\0\0"), body


def _end(helper: Helper) -> float:
    """Reaps it; its milliseconds of CPU."""
    helper.hang_up()
    usage = os.wait4(helper.pid, 0)[2]
    helper.pid = 0
    return _spent(usage)


def _spent(usage: "os.struct_rusage") -> float:  # type: ignore[name-defined]
    return 1000 * (usage.ru_utime + usage.ru_stime)


def _rest(pid: int) -> None:
    """Until it has done all that it does by itself: it sleeps, and has spent no time between two looks."""
    limit = time.monotonic() + 60
    looks: list[str] = []
    while looks[-3:] != looks[-1:] * 3 or not looks or not looks[-1].startswith("S"):
        assert time.monotonic() < limit, "the helper does not come to rest"
        time.sleep(0.005)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        looks.append(f"{state} {Path(f'/proc/{pid}/schedstat').read_text().split()[0]}")


def _read(out: Path) -> Counted:
    command = ["callgrind_annotate", "--threshold=100", "--inclusive=yes", str(out)]
    report = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    libraries = _by_library(out)
    counted = Counted(sum(libraries.values()), {}, libraries)
    for row in filter(None, map(ROW.match, report.splitlines())):
        name = row["name"].partition("@")[0]
        counted.functions[name] = max(int(row["count"].replace(",", "")), counted.functions.get(name, 0))
    return counted


def _by_library(out: Path) -> dict[str, int]:
    """What each spent itself: the format is in valgrind's manual, "Callgrind Format Specification"."""
    names: dict[str, str] = {}
    spent: dict[str, int] = {}
    library, called = "", False
    with out.open(encoding="utf-8") as lines:
        for line in lines:
            if found := OBJECT.match(line):
                names.setdefault(found["id"], Path(found["path"] or "").name)
                library = library if found["called"] else names[found["id"]]
            elif line.startswith("calls="):
                called = True
            elif line[0] in "+-*0123456789":
                # The line after a call is that of the called.
                spent[library] = spent.get(library, 0) + (0 if called else int(line.split()[1]))
                called = False
    return spent
