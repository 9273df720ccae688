"""Users and groups in the private /etc."""

import grp
import pwd
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Mapping, Sequence

FIRST_ID = 64100
ETC = Path("/etc")


@dataclass(frozen=True)
class Account:
    """A user of the machine, alone in the group of the same name."""

    name: str
    id: int
    password: str | None


def add(name: str, password: str | None = None, home: str = "/nonexistent") -> Account:
    """A new user; without a password nobody signs in as this one."""
    taken = {entry.pw_uid for entry in pwd.getpwall()}
    number = next(number for number in range(FIRST_ID, FIRST_ID + 1000) if number not in taken)
    hashed = _hash(password) if password else "*"
    _append("passwd", f"{name}:x:{number}:{number}::{home}:/bin/sh")
    _append("group", f"{name}:x:{number}:")
    _append("shadow", f"{name}:{hashed}:20000:0:99999:7:::")
    _append("gshadow", f"{name}:*::")
    return Account(name, number, password)


def add_group(name: str, members: Sequence[str]) -> int:
    """A new group; its number."""
    # A number of its own: sshd looks for the names of a user's numbers.
    taken = {entry.gr_gid for entry in grp.getgrall()}
    number = next(number for number in range(FIRST_ID + 1000, FIRST_ID + 2000) if number not in taken)
    _append("group", f"{name}:x:{number}:{','.join(members)}")
    return number


def exists(name: str) -> bool:
    return any(entry.pw_name == name for entry in pwd.getpwall())


@contextmanager
def groups(members: Mapping[str, Sequence[str]]) -> Iterator[None]:
    """More groups for a while, each with these members."""
    before = (ETC / "group").read_text(encoding="utf-8")
    for name in members:
        add_group(name, members[name])
    try:
        yield
    finally:
        (ETC / "group").write_text(before, encoding="utf-8")


def _append(database: str, line: str) -> None:
    with open(ETC / database, "a", encoding="utf-8") as file:
        file.write(line + "\n")


def _hash(password: str) -> str:
    command = ["openssl", "passwd", "-6", "-stdin"]
    done = subprocess.run(command, input=password, check=True, capture_output=True, text=True)
    return done.stdout.strip()
