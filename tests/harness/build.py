"""What is under test: the installed files, as `make installcheck` names them in the environment."""

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

NAMES = ("PAMDIR", "HELPER", "CONF", "SRCDIR", "HELPER_USER")


@dataclass(frozen=True)
class Build:
    """Where things were installed, and how the host process is to be started."""

    pamdir: Path
    helper: Path
    command: Path
    check: Path
    conf: Path
    mandir: Path
    srcdir: Path
    helper_user: str
    host_prefix: tuple[str, ...]
    host_preload: str

    def paths(self) -> list[Path]:
        """Every place that has to stay visible in the private view of the machine."""
        return [self.pamdir, self.helper, self.command, self.check, self.conf, self.mandir, self.srcdir, Path.cwd()]

    def host_environment(self) -> dict[str, str]:
        """The environment of a host process: the same on every machine, but for the sanitizers' own."""
        sanitizers = {name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")}
        # A sanitizer looks for crypt(3) when the host starts: pam_unix would bring it too late.
        preload = {"LD_PRELOAD": f"{self.host_preload} libcrypt.so.1"} if self.host_preload else {}
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", **sanitizers, **preload}

    @property
    def slowness(self) -> float:
        """How much longer everything may take in an instrumented host."""
        return 5 if self.host_prefix or self.host_preload else 1

    @property
    def patience(self) -> float:
        """How long any single wait may take, in seconds."""
        return 12 * self.slowness


def variable(name: str) -> str:
    return os.environ.get(f"PAM_COGNITO_{name}", "")


def missing() -> str | None:
    """Why there is nothing to test; None when all is there."""
    unset = [f"PAM_COGNITO_{name}" for name in NAMES if not variable(name)]
    return f"{', '.join(unset)} not set: run `make installcheck`" if unset else None


def from_environment() -> Build:
    return Build(
        pamdir=Path(variable("PAMDIR")),
        helper=Path(variable("HELPER")),
        command=Path(variable("COMMAND") or Path(variable("HELPER")).with_name("pam-cognito-command")),
        check=Path(variable("CHECK") or Path(variable("HELPER")).parents[1] / "sbin/pam-cognito-check"),
        conf=Path(variable("CONF")),
        mandir=Path(variable("MANDIR") or Path(variable("HELPER")).parents[1] / "share/man"),
        srcdir=Path(variable("SRCDIR")).resolve(),
        helper_user=variable("HELPER_USER"),
        host_prefix=tuple(shlex.split(variable("HOST_PREFIX"))),
        host_preload=variable("HOST_PRELOAD"),
    )
