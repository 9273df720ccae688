"""Where one test's logins happen: its config file, its stack, and what is watched around each of them."""

import re
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Iterator, Mapping, Sequence, Union

from standin import Standin

from . import leftovers
from .build import Build
from .machine import GROUND
from .syslog import Line, Syslog

PAM_D = Path("/etc/pam.d")
SERVICE = "pamcog"
CONFIG = GROUND / "pam_cognito.conf"

MODULE = re.compile(r"\bpam_cognito_(code|confirm|prepare)\.so\b")
PAIR = re.compile(r'(\w+)=("[^"]*"|\S*)')

# The example stacks, each in a service that has nothing else to say.
SOLE = """
auth     include   cognito-login
account  requisite pam_cognito_code.so
account  required  pam_permit.so
session  required  pam_permit.so
"""
SECOND = """
auth     requisite pam_permit.so
auth     substack  cognito-verify
account  requisite pam_cognito_code.so
account  required  pam_permit.so
session  required  pam_permit.so
"""
AFTER_PASSWORD = SECOND.replace("pam_permit.so", "pam_unix.so nodelay", 1)

Value = Union[str, int, Path, Sequence[str], None]


@dataclass
class Watched:
    """What was seen from outside while a login ran."""

    lines: list[Line] = field(default_factory=list)
    typed: list[str] = field(default_factory=list)

    @property
    def log(self) -> list[Line]:
        """What the modules logged."""
        return [line for line in self.lines if line.text.startswith("pam_cognito_")]

    @property
    def outcomes(self) -> list[dict[str, str]]:
        """The lines that tell how it ended, each as its pairs of key and value."""
        pairs = [
            {key: value.strip('"') for key, value in PAIR.findall(line.text)}
            for line in self.log
            if line.at_least("notice")
        ]
        return [found for found in pairs if "result" in found]

    @property
    def results(self) -> list[str]:
        """How the log calls what happened, in order."""
        return [outcome["result"] for outcome in self.outcomes]


class Stage:
    """`config` is what the file will say, in the keys of the manual; None leaves a key out, a list repeats it."""

    def __init__(self, build: Build, syslog: Syslog, standin: Standin | None) -> None:
        self.build = build
        self.config: dict[str, Value] = {}
        self.config_path: Path | None = CONFIG
        self.secrets: list[str] = []
        self._syslog = syslog
        self._standin = standin
        # This host has counted and remembered nothing yet.
        shutil.rmtree(leftovers.STATE, ignore_errors=True)
        if standin:
            self.config = {**standin.config(), "signin_flow": "password"}

    def write_config(self, text: str | None = None, **changes: Value) -> Path:
        """The config file, root's own; `text` instead of the keys if given."""
        wanted = {**self.config, **changes}
        CONFIG.unlink(missing_ok=True)
        CONFIG.write_text(_as_file(wanted) if text is None else text, encoding="utf-8")
        CONFIG.chmod(0o600)
        return CONFIG

    def write_secret(self, name: str, text: str) -> Path:
        """A file that nobody but root may read."""
        path = GROUND / name
        path.unlink(missing_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        self.secrets.append(text.strip())
        return path

    def write_stack(self, stack: str) -> None:
        """The service, and the example stacks that it may include, with the modules under test in them."""
        examples = self.build.srcdir / "pam.d-examples"
        for name in ("cognito-login", "cognito-verify"):
            self.write_service(name, (examples / name).read_text(encoding="utf-8"))
        self.write_service(SERVICE, stack)

    def write_service(self, name: str, stack: str) -> None:
        """A service, with the modules under test in it."""
        (PAM_D / name).write_text(self._located(stack), encoding="utf-8")

    def add_service(self, name: str, *, first: str = "", **config: Value) -> Path:
        """One more service, the sole factor after the lines `first`, with a config file of its own, which is returned."""
        path = GROUND / f"{name}.conf"
        path.touch(mode=0o600)
        path.write_text(_as_file(config), encoding="utf-8")
        example = (self.build.srcdir / "pam.d-examples/cognito-login").read_text(encoding="utf-8")
        stack = re.sub(r"(?m)^auth +include +cognito-login$", lambda _: first + example, SOLE)
        (PAM_D / name).write_text(self._located(stack, path))
        return path

    def _located(self, stack: str, config_path: Path | None = None) -> str:
        """The modules by their full path; the code module with that config file, or this stage's."""
        path = config_path or self.config_path

        def place(found: "re.Match[str]") -> str:
            conf = f" conf={path}" if found[1] != "confirm" and path else ""
            return f"{self.build.pamdir / found[0]}{conf}"

        lines = [line if line.startswith("#") else MODULE.sub(place, line) for line in stack.splitlines()]
        return "\n".join(lines) + "\n"

    @contextmanager
    def watched(self) -> Iterator[Watched]:
        """Watch a login; afterwards nothing of it may be left, and no secret may stand in the log."""
        watched = Watched()
        self._syslog.take()
        before = leftovers.files()
        try:
            yield watched
        except BaseException:
            print("logged until then:", *self._syslog.take(), sep="\n")
            raise
        leftovers.wait_for_no_helper(self.build.helper)
        leftovers.wait_for_no_helper(self.build.command)
        watched.lines = self._syslog.take()
        left = leftovers.files() - before
        assert not left, f"left behind: {sorted(left)}"
        leftovers.check_secrets(watched.lines, [*self.all_secrets(), *watched.typed])

    def all_secrets(self) -> list[str]:
        """Whatever must not be seen anywhere but on the wire."""
        return [*self.secrets, *self._known_secrets()]

    def _known_secrets(self) -> list[str]:
        if self._standin is None:
            return []
        pool, journal = self._standin.pool, self._standin.journal
        passwords = [user.password for user in pool.users.values()]
        codes = [message.code for message in pool.outbox]
        tokens = [body["AccessToken"] for body in map(_body, journal.requests()) if "AccessToken" in body]
        return passwords + codes + tokens


def _body(entry: Any) -> dict[str, Any]:
    return entry.body if isinstance(entry.body, dict) else {}


def _as_file(config: Mapping[str, Value]) -> str:
    """One `key = value` a line."""
    lines = []
    for key, value in config.items():
        values = value if isinstance(value, list) else [value]
        lines += [f"{key} = {one}" for one in values if one is not None]
    return "\n".join(lines) + "\n"
