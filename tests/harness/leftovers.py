"""What a login must not leave behind: helper processes, files, secrets in the log."""

import os
import re
import time
from pathlib import Path
from typing import Iterable

from .machine import GROUND
from .syslog import Line

# Where a login might drop a file.
PLACES = ("/tmp", "/var/tmp", "/run", "/dev/shm", "/etc")
STATE = Path("/run/pam-cognito")

PATIENCE = 5.0
SHORTEST_SECRET = 6
REQUEST_ID = re.compile(r"request_id=\S+")


def helpers(helper: Path) -> list[int]:
    """The processes that run the helper now, in this view of the machine: other runs have others."""
    wanted = (os.path.realpath(helper), os.readlink("/proc/self/ns/mnt"))
    return [int(pid) for pid in os.listdir("/proc") if pid.isdigit() and _program(pid) == wanted]


def the_helper(helper: Path) -> int:
    (pid,) = wait_for_helpers(helper, 1)
    return pid


def processes() -> list[int]:
    """All in this view of the machine."""
    here = os.readlink("/proc/self/ns/mnt")
    return [int(pid) for pid in os.listdir("/proc") if pid.isdigit() and _link(pid, "ns/mnt") == here]


def processes_of(uid: int) -> list[int]:
    """Those in this view of the machine that run as this user, whatever they are."""
    return [pid for pid in processes() if _owner(pid) == uid]


def descendants(pid: int) -> list[int]:
    """The children of a process, and theirs."""
    found: list[int] = []
    for task in _listed(f"/proc/{pid}/task"):
        for child in _children(pid, task):
            found += [child, *descendants(child)]
    return found


def _children(pid: int, task: str) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{task}/children").read_text().split()]
    except OSError:
        return []


def _listed(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _owner(pid: int) -> int | None:
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("Uid:"))
    except (OSError, StopIteration):
        return None


def _link(pid: str, name: str) -> str | None:
    try:
        return os.readlink(f"/proc/{pid}/{name}")
    except OSError:
        return None


def _program(pid: str) -> tuple[str, str] | None:
    try:
        return os.readlink(f"/proc/{pid}/exe"), os.readlink(f"/proc/{pid}/ns/mnt")
    except OSError:
        return None


def wait_for_no_helper(helper: Path) -> None:
    wait_for_helpers(helper, 0)


def wait_for_helpers(helper: Path, count: int) -> list[int]:
    """They may have just begun: then there is one more for a moment in a build that counts what was run."""
    end = time.monotonic() + PATIENCE
    while len(found := helpers(helper)) != count:
        assert time.monotonic() < end, f"{count} helpers, not {found}"
        time.sleep(0.01)
    return found


def files() -> set[str]:
    """Every file where a login might drop one; not what the harness keeps for itself, nor the modules' own state."""
    found: set[str] = set()
    for place in PLACES:
        for folder, folders, names in os.walk(place):
            folders[:] = [name for name in folders if _may_change(os.path.join(folder, name))]
            found.update(os.path.join(folder, name) for name in folders + names)
    return found


def _may_change(folder: str) -> bool:
    return not (folder in (str(GROUND), str(STATE)) or folder.startswith("/tmp/pytest-of-") or os.path.ismount(folder))


def check_texts(texts: Iterable[str], secrets: Iterable[str]) -> None:
    """AssertionError when a secret stands in one of them. Very short ones prove nothing and are not looked for.

    Neither are those made of digits in the ids of Cognito's replies: among thousands, one has them by chance.
    """
    told = list(texts)
    whole, without_ids = "\n".join(told), "\n".join(REQUEST_ID.sub("", text) for text in told)
    for secret in secrets:
        if len(secret) >= SHORTEST_SECRET and secret in (without_ids if secret.isdecimal() else whole):
            raise AssertionError(f"{secret} in {[text for text in told if secret in text]}")


def check_secrets(lines: Iterable[Line], secrets: Iterable[str]) -> None:
    """The same for the log."""
    check_texts([line.text for line in lines], secrets)
