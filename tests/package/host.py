"""A host of its own to try the package on: a root made from nothing, with processes, a name and a network that nobody else has.

The roots are layers (overlayfs): the bare one is kept on disk, what a test adds to it is in memory and gone after it. The
package system is told where the machine gets its own packages from.
"""

import os
import shutil
import signal
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Sequence

import pexpect

from harness.syslog import Line, Syslog

NAME = "host"
PATIENCE = 30.0
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ENVIRONMENT = {"PATH": PATH, "HOME": "/root", "TERM": "dumb", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
SSHD = "/usr/sbin/sshd"
LISTENS = "Server listening on 0.0.0.0 port 22"

DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
DEVICE_LINKS = {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2", "ptmx": "pts/ptmx"}

# Nothing manages services in a root: what is installed is not started, and this stands in for what the README says.
NO_SERVICES = "#!/bin/sh\nexit 101\n"
PLAIN_APT = 'APT::Get::Assume-Yes "true";\nBinary::apt::APT::Color "0";\nBinary::apt::DPkg::Progress-Fancy "0";\n'
SYSTEMCTL = 'systemctl() { [ "$*" = "reload ssh" ] && kill -HUP "$(cat /run/sshd.pid)"; }\n'


def mount(*arguments: str | Path) -> None:
    subprocess.run(["mount", *map(str, arguments)], check=True)


def ip(command: str) -> None:
    subprocess.run(["ip", *command.split()], check=True)


def release() -> tuple[str, str]:
    """(the distribution as its archive calls it, its release): the machine's own."""
    found = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    return found.get("ID", "").strip('"').capitalize(), found.get("VERSION_CODENAME", "").strip('"')


def sources() -> list[tuple[str, str, str]]:
    """(address, suite, component) of each of the machine's sources of the distribution itself."""
    asked = ["apt-get", "indextargets", "--format", "$(ORIGIN) $(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages"]
    lines = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.splitlines()
    rows = [line.split() for line in dict.fromkeys(lines)]
    return [(row[1], row[2], row[3]) for row in rows if len(row) == 4 and row[0] == release()[0]]


def missing() -> str | None:
    """Why there can be no such host here."""
    if os.geteuid() != 0:
        return "needs root, for a root of its own"
    if not shutil.which("apt-get") or not release()[1]:
        return "this is no Debian"
    for program in ("debootstrap", "ip", "unshare", "nsenter"):
        if not shutil.which(program):
            return f"{program} is missing: scripts/install-packages deb"
    return None if sources() else "apt knows no source of the distribution: apt-get update"


def make_bare(folder: Path) -> Path:
    """The bare root, with the sshd that the README takes for granted; made once, and kept in `folder`."""
    _, name = release()
    mirror = next(uri for uri, suite, component in sources() if (suite, component) == (name, "main"))
    root = folder / f"{name}-root"
    if not root.exists():
        draft = folder / f"{name}-root.draft"
        shutil.rmtree(draft, ignore_errors=True)
        more = "--include=openssh-server" + (",ca-certificates" if mirror.startswith("https:") else "")
        made = subprocess.run(["debootstrap", "--variant=minbase", more, name, draft, mirror], capture_output=True, text=True)
        assert made.returncode == 0, made.stdout[-3000:] + made.stderr
        draft.rename(root)
    return root


class Host:
    """Such a host, until `close`. What it wrote is then in `written`, a layer for others."""

    def __init__(self, layers: Sequence[Path], place: Path) -> None:
        self.root, self.written = place / "root", place / "written"
        for folder in (self.root, self.written, place / "work"):
            folder.mkdir(parents=True)
        self._undo = ExitStack()
        lower = ":".join(map(str, layers))
        mount("-t", "overlay", "-o", f"lowerdir={lower},upperdir={self.written},workdir={place / 'work'}", "overlay", self.root)
        self._undo.callback(subprocess.run, ["umount", "--recursive", self.root], check=True)
        self._furnish()
        self.syslog = Syslog(str(self.root / "dev/log"))
        self.log: list[Line] = []
        self._first = self._start()
        self._undo.callback(self._end)

    def close(self) -> None:
        self._undo.close()

    def _furnish(self) -> None:
        mount("-t", "tmpfs", "-o", "mode=755", "dev", self.root / "dev")
        for name in DEVICES:
            (self.root / "dev" / name).touch()
            mount("--bind", Path("/dev") / name, self.root / "dev" / name)
        for name, target in DEVICE_LINKS.items():
            (self.root / "dev" / name).symlink_to(target)
        (self.root / "dev/pts").mkdir()
        (self.root / "dev/shm").mkdir(mode=0o1777)
        mount("-t", "proc", "proc", self.root / "proc")
        mount("-t", "devpts", "-o", "newinstance,ptmxmode=0666,mode=620,gid=5", "devpts", self.root / "dev/pts")
        for folder, mode in (("run", "755"), ("tmp", "1777")):
            mount("-t", "tmpfs", "-o", f"mode={mode}", folder, self.root / folder)
        (self.root / "run/sshd").mkdir()

    def _start(self) -> "subprocess.Popen[bytes]":
        """The first process, with whose end all others end."""
        inside = f"mount -t proc proc /proc && hostname {NAME} && echo ready && exec sleep infinity"
        new = ["unshare", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child", "chroot", self.root]
        first = subprocess.Popen([*new, "/bin/sh", "-c", inside], env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        assert first.stdout and first.stdout.readline() == b"ready\n"
        return first

    def _end(self) -> None:
        os.kill(self._inner(), signal.SIGKILL)
        self._first.wait()
        self.syslog.close()

    def _inner(self) -> int:
        """The first process, as it is called here."""
        (pid,) = Path(f"/proc/{self._first.pid}/task/{self._first.pid}/children").read_text().split()
        return int(pid)

    def _enter(self, *command: str) -> list[str]:
        return ["nsenter", f"--target={self._inner()}", "--mount", "--pid", "--uts", "--ipc", "--root", "env", "--chdir=/root", *command]

    def path(self, path: str) -> Path:
        """Where a file of the host is from here."""
        return self.root / path.lstrip("/")

    def read(self, path: str) -> str:
        return self.path(path).read_text(encoding="utf-8")

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        self.path(path).write_text(text, encoding="utf-8")
        self.path(path).chmod(mode)

    def run(self, command: str, status: int = 0, patience: float = 4 * PATIENCE) -> str:
        """What a shell of root's prints at a terminal; the command has to end with `status`."""
        child = self.spawn("sh", "-c", SYSTEMCTL + command, patience=patience)
        child.expect(pexpect.EOF)
        child.close()
        said = str(child.before).replace("\r\n", "\n")
        assert child.exitstatus == status, f"{command}: exit {child.exitstatus}, not {status}\n{said}"
        return said

    def spawn(self, *command: str, patience: float = PATIENCE) -> "pexpect.spawn[str]":
        """A program of the host at a terminal."""
        program, *arguments = self._enter(*command)
        child = pexpect.spawn(
            program, arguments, env=ENVIRONMENT, timeout=patience, encoding="utf-8", dimensions=(50, 200), echo=True
        )
        child.delaybeforesend = None
        return child

    def prepare(self) -> None:
        """What a bare root lacks: a name, and to know where the machine's own packages come from and how apt gets at them."""
        self.write("/usr/sbin/policy-rc.d", NO_SERVICES, 0o755)
        self.write("/etc/hostname", f"{NAME}\n")
        self.write("/etc/hosts", f"127.0.0.1 localhost {NAME}\n")
        wanted = [f"deb {uri} {suite} {component}\n" for uri, suite, component in sources()]
        self.write("/etc/apt/sources.list", "".join(wanted))
        dump = subprocess.run(["apt-config", "dump"], check=True, capture_output=True, text=True).stdout.splitlines()
        how = ("Acquire::http", "Acquire::https", "Acquire::Check-", "Acquire::Retries", "Acquire::ForceIP")
        self.write("/etc/apt/apt.conf.d/90machine", "".join(f"{line}\n" for line in dump if line.startswith(how)) + PLAIN_APT)
        self.write("/etc/resolv.conf", Path("/etc/resolv.conf").read_text())
        self.run("apt-get update")

    def add_user(self, name: str, password: str) -> None:
        self.run(f"useradd --create-home --shell /bin/bash {name}")
        subprocess.run(self._enter("chpasswd"), input=f"{name}:{password}\n", check=True, text=True, env=ENVIRONMENT)

    def start_sshd(self) -> None:
        """As Debian's unit does; root there knows its key."""
        key = self.read("/etc/ssh/ssh_host_ed25519_key.pub")
        self.path("/root/.ssh").mkdir(mode=0o700, exist_ok=True)
        self.write("/root/.ssh/known_hosts", f"{NAME} {key}")
        # Without a terminal, whose end could end it before it has left it.
        subprocess.run(self._enter(SSHD), check=True, env=ENVIRONMENT, stdin=subprocess.DEVNULL)
        self.wait_for_log(LISTENS)

    def wait_for_log(self, text: str) -> None:
        """Until one more line has it: what was logged up to then is in `log`."""
        end = time.monotonic() + PATIENCE
        while True:
            new = self.syslog.take()
            self.log += new
            if any(text in line.text for line in new):
                return
            assert time.monotonic() < end, f"not logged: {text}\n" + "\n".join(map(str, self.log))
            time.sleep(0.01)
