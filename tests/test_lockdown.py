"""What the helper gives up, what it must not be able to do then, and what it still can.

`deeds` is a program of the test build that locks itself down with the helper's own code and then tries things.
"""

import ctypes
import os
import pwd
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Iterator, NamedTuple

import pytest
from harness import helper as alone
from harness import leftovers, words
from harness.accounts import Account
from harness.build import Build, variable
from harness.dialogue import Step
from harness.helper import Helper
from harness.login import Login
from harness.machine import passable, writable
from harness.nameserver import NameServer
from harness.people import PASSWORD, USER
from harness.process import Process
from standin import Standin, faults

Code = Callable[[], str]

SIGN_IN: Step = (words.PASSWORD, PASSWORD)
SIGNIN = "InitiateAuth"

LACKING = Path(__file__).parent / "harness/lacking.py"
ALLOCATOR = Path(__file__).parent / "harness/allocator.c"

# A name of which the stand-in has a certificate ("wrong-host" of the loopback), and the fault that shows it.
NAME = "cognito-idp.example.com"
CERTIFICATE = faults.certificate("wrong-host")

RESOLV_CONF = Path("/etc/resolv.conf")


# The helper, seen while the code is asked for


@pytest.fixture
def look(login: Login, code: Code) -> Callable[..., None]:
    """Calls what it is given with the helper's process while a login waits, which then comes to a good end."""

    def make(check: Callable[[Process], None], **options: Any) -> None:
        def step() -> str:
            pid = leftovers.the_helper(login.stage.build.helper)
            check(Process(pid))
            return code()

        assert login.again([SIGN_IN, (words.ASKED, step)], **options).let_in

    login.stage.write_config()
    return make


CAPABILITIES = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")


def has_no_rights(process: Process, user: int, group: int) -> None:
    status = process.status
    assert status["Uid"].split() == [str(user)] * 4
    assert status["Gid"].split() == [str(group)] * 4
    assert status["Groups"] == ""
    assert {name: int(status[name], 16) for name in CAPABILITIES} == dict.fromkeys(CAPABILITIES, 0)
    assert status["NoNewPrivs"] == "1"


def test_rights(look: Callable[..., None], installed: Build) -> None:
    """Whatever the host has."""
    user = pwd.getpwnam(installed.helper_user)
    in_groups = ["setpriv", "--groups=0,1,64999"]
    look(lambda process: has_no_rights(process, user.pw_uid, user.pw_gid), before=in_groups)


def test_rights_of_a_host_with_capabilities(look: Callable[..., None], login: Login, account: Account) -> None:
    """They outlive an exec by being ambient, and a change of user by securebits: with a service manager's help, a host has
    such rights without a program that is set-user-ID."""

    def check(process: Process) -> None:
        status = process.status
        assert {status[name] for name in CAPABILITIES if name != "CapBnd"} == {"0" * 16}

    build = login.stage.build
    os.chown(login.stage.write_config(), account.id, account.id)
    ambient = ["--inh-caps=+net_raw,+kill", "--ambient-caps=+net_raw,+kill"]
    as_user = ["setpriv", f"--reuid={account.id}", f"--regid={account.id}", "--clear-groups", *ambient]
    with passable(build.helper), passable(build.pamdir / "x"):
        look(check, before=as_user)


def test_rights_of_a_host_that_keeps_them(look: Callable[..., None], installed: Build) -> None:
    user = pwd.getpwnam(installed.helper_user)
    stubborn = ["setpriv", "--securebits=+no_setuid_fixup"]
    look(lambda process: has_no_rights(process, user.pw_uid, user.pw_gid), before=stubborn)


@pytest.mark.uninstrumented
def test_closed_up(look: Callable[..., None], installed: Build) -> None:
    """Not for its own user's eyes either."""

    def check(process: Process) -> None:
        assert not process.dumpable
        as_user = ["setpriv", f"--reuid={installed.helper_user}", "--clear-groups"]
        for name in ("environ", "mem", "maps"):
            done = subprocess.run([*as_user, "head", "-c1", process.folder / name], capture_output=True, text=True)
            assert "ermission denied" in done.stderr, done

    look(check)


def test_surroundings(look: Callable[..., None]) -> None:
    def check(process: Process) -> None:
        assert process.environment == b""
        assert process.directory == "/"
        assert process.status["Umask"] == "0077"
        assert process.session == process.pid
        assert [process.files[number] for number in range(3)] == ["/dev/null"] * 3

    look(check, environment={"PLANTED": "1"})


LIMITS = {
    "Max core file size": 0,
    "Max file size": 0,
    "Max open files": 64,
    "Max cpu time": 60,
    "Max stack size": 8 << 20,
    "Max processes": 4096,
    "Max locked memory": 0,
    "Max msgqueue size": 0,
    "Max nice priority": 0,
    "Max realtime priority": 0,
}
# A sanitizer maps terabytes.
MEMORY_LIMITS = {"Max data size": 256 << 20}
ADDRESSES = 2 << 30  # beyond what it begins with


def has_limits(process: Process, expected: dict[str, int]) -> None:
    limits = process.limits
    assert {name: limits[name] for name in expected} == {name: (str(value),) * 2 for name, value in expected.items()}


def test_limits(look: Callable[..., None]) -> None:
    look(lambda process: has_limits(process, LIMITS))


@pytest.mark.uninstrumented
def test_limits_of_memory(look: Callable[..., None]) -> None:
    """And there is room beneath them."""

    def check(process: Process) -> None:
        has_limits(process, MEMORY_LIMITS)
        assert int(process.status["VmData"].split()[0]) << 10 < MEMORY_LIMITS["Max data size"] // 8
        (addresses, hard), peak = process.limits["Max address space"], int(process.status["VmPeak"].split()[0]) << 10
        assert addresses == hard
        assert ADDRESSES < int(addresses) < ADDRESSES + peak
        assert peak < ADDRESSES // 8

    look(check)


def test_limits_of_a_stranger(look: Callable[..., None]) -> None:
    """Under su, they are what the caller made of them: the helper has its own. (The hard ones only root with all of his
    rights can raise again, whom not every machine has.)"""
    odd = [f"--{name}={value}:" for name, value in {"core": 9, "cpu": 7, "nproc": 3, "nofile": 50, "stack": 300000}.items()]
    look(lambda process: has_limits(process, LIMITS), before=["prlimit", *odd])


def test_limits_of_a_host_that_is_not_root(look: Callable[..., None], login: Login, account: Account) -> None:
    """It keeps the processes to itself, who may have any number of them, and raises nothing."""
    build = login.stage.build
    os.chown(login.stage.write_config(), account.id, account.id)
    as_user = ["setpriv", f"--reuid={account.id}", f"--regid={account.id}", "--clear-groups"]
    limited = ["prlimit", "--cpu=7:7", "--nproc=5000:5000"]
    expected = {**LIMITS, "Max cpu time": 7, "Max processes": 5000}
    with passable(build.helper), passable(build.pamdir / "x"):
        look(lambda process: has_limits(process, expected), before=[*limited, *as_user])


def test_system_calls(look: Callable[..., None], deeds: "Deeds") -> None:
    """One filter more than the host has."""
    mine = Process(os.getpid()).status

    def check(process: Process) -> None:
        status = process.status
        more = 1 if deeds.held.seccomp == "yes" else 0
        assert int(status["Seccomp_filters"]) == int(mine["Seccomp_filters"]) + more
        assert status["Seccomp"] == ("2" if more else mine["Seccomp"])

    look(check)


# What it must not be able to do


class Held(NamedTuple):
    """What the kernel and the build took part in, as `deeds` and the log say it."""

    landlock: int
    seccomp: str


def held(line: str) -> Held:
    found = re.search(r"landlock=(\d+) seccomp=([a-z-]+)", line)
    assert found, line
    return Held(int(found[1]), found[2])


KILLED = "SIGSYS"


class Deeds:
    """`deeds(hold, deed, argument)` is what came of it: "done", an errno or the signal that ended it."""

    def __init__(self, program: str, ground: Path) -> None:
        self._program, self._ground = program, ground
        self.held = held(self._run(["all", "443", "thread"]).stdout)

    def __call__(self, hold: str, deed: str, argument: object = "", port: int = 443, **how: Any) -> str:
        done = self._run([hold, str(port), deed, str(argument)], **how)
        if done.returncode < 0:
            return signal.Signals(-done.returncode).name
        assert done.returncode == 0, done
        return done.stdout.splitlines()[-1]

    def _run(self, arguments: list[str], before: tuple[str, ...] = (), **how: Any) -> "subprocess.CompletedProcess[str]":
        """Standard error is a file: whether it grows is one of the deeds."""
        with open(self._ground / "stderr", "a") as errors:
            command = [*before, self._program, *arguments]
            return subprocess.run(command, stdout=subprocess.PIPE, stderr=errors, text=True, timeout=20, env={}, **how)


@pytest.fixture
def deeds(installed: Build, ground: Path) -> Deeds:
    program = variable("DEEDS")
    if not program:
        pytest.skip("PAM_COGNITO_DEEDS not set: run `make installcheck`")
    ground.chmod(0o777)
    return Deeds(program, ground)


@dataclass
class Deed:
    """What comes of it by what is given up, each alone: before the configuration is there, by the reach of files and ports,
    by the system calls; and of the same in pam-cognito-command. None: nothing to do with it, or not said."""

    first: str | None = None
    files: str | None = None
    calls: str | None = "ENOSYS"
    command: str | None = None
    landlock: int = 0  # the version without which the others come to nothing
    argument: str = ""


# Where the argument is in capitals, Grounds has it.
DEEDS = {
    "create": Deed("EACCES", command="EACCES", landlock=1, argument="NEW"),
    "append": Deed("EACCES", command="EACCES", landlock=1, argument="OPEN-FILE"),
    "cut": Deed("EACCES", command="EACCES", landlock=3, argument="OPEN-FILE"),
    "make-folder": Deed("EACCES", command="EACCES", landlock=1, argument="NEW"),
    "make-fifo": Deed("EACCES", command="EACCES", landlock=1, argument="NEW"),
    "make-link": Deed("EACCES", command="EACCES", landlock=1, argument="NEW"),
    "rename": Deed("EACCES", command="EACCES", landlock=1, argument="OPEN-FILE"),
    "remove": Deed("EACCES", command="EACCES", landlock=1, argument="OPEN-FILE"),
    "chmod": Deed("EPERM", argument="OPEN-FILE"),
    "write-open": Deed("EFBIG", calls=None, command="EFBIG"),
    "make-memory-file": Deed(),
    "command-device": Deed("EACCES", landlock=5, argument="/dev/urandom"),
    "read": Deed(None, "EACCES", None, "EACCES", 1, "OPEN-FILE"),
    "list": Deed(None, "EACCES", None, "EACCES", 1, "FOLDER"),
    "execute": Deed("EACCES", calls=KILLED, command="EACCES", landlock=1),
    "execute-at": Deed("EACCES", calls=KILLED, command="EACCES", landlock=1),
    "fork": Deed(calls=KILLED),
    "fork-by-clone3": Deed(),
    "trace": Deed("EPERM", calls=KILLED, command="EPERM", argument="PROCESS"),
    "read-memory": Deed("EPERM", calls=KILLED, command="EPERM", argument="PROCESS"),
    "signal": Deed("EPERM", command="done", argument="PROCESS"),
    "signal-thread": Deed("EPERM", argument="PROCESS"),
    "signal-by-socket": Deed(argument="PROCESS"),
    "trace-me": Deed(),
    "live-on": Deed(),
    "become-root": Deed("EPERM"),
    "take-group": Deed("EPERM", command="EPERM"),
    "raise-limit": Deed("EPERM"),
    "user-namespace": Deed(),
    "mount": Deed("EPERM", command="EPERM", argument="FOLDER"),
    "chroot": Deed("EPERM", command="EPERM", argument="FOLDER"),
    "make-code": Deed(),
    "turn-into-code": Deed(),
    "raw": Deed("EPERM", command="EPERM"),
    "packet": Deed("EPERM", command="EPERM"),
    "multipath": Deed(),
    "kernel-events": Deed(),
    "bind": Deed("EACCES", calls=None, command="EACCES", landlock=4, argument="0"),
    "listen": Deed(),
    "connect": Deed(None, "EACCES", None, "EACCES", 4, "PORT"),
    "connect-by-sending": Deed(argument="PORT"),
    "connect-abstract": Deed("EPERM", calls=None, command="EPERM", landlock=6, argument="ABSTRACT"),
}


class Grounds:
    """What the deeds are done to: nothing but the lockdown stands before it. `process` is one that they may not touch."""

    def __init__(self, ground: Path) -> None:
        self.folder = ground / "folder"
        self.folder.mkdir()
        self.folder.chmod(0o777)
        self.file = ground / "file"
        self.new = ground / "new"
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.abstract = socket.socket(socket.AF_UNIX)
        self.abstract.bind(f"\0pamcog-{os.getpid()}")
        self.abstract.listen()
        self.process = subprocess.Popen(["sleep", "60"])

    def argument(self, name: str) -> object:
        self.file.write_text("text")
        self.file.chmod(0o666)
        return {
            "NEW": self.new,
            "OPEN-FILE": self.file,
            "FOLDER": self.folder,
            "PROCESS": self.process.pid,
            "PORT": self.listener.getsockname()[1],
            "ABSTRACT": f"pamcog-{os.getpid()}",
        }.get(name, name)

    def clean(self) -> None:
        """After a deed that was done."""
        for left in (self.new, self.file.with_name("file.renamed")):
            if left.is_dir() and not left.is_symlink():
                left.rmdir()
            else:
                left.unlink(missing_ok=True)
        subprocess.run(["umount", self.folder], capture_output=True)

    def close(self) -> None:
        self.listener.close()
        self.abstract.close()
        self.process.kill()
        self.process.wait()


@pytest.fixture
def grounds(ground: Path) -> Iterator[Grounds]:
    made = Grounds(ground)
    yield made
    made.close()


@pytest.mark.uninstrumented
@pytest.mark.parametrize("name", DEEDS)
def test_deed(deeds: Deeds, grounds: Grounds, name: str) -> None:
    """Possible where nothing is given up; refused by each part that is there to refuse it, and by the whole."""
    row = DEEDS[name]
    assert deeds("nothing", name, grounds.argument(row.argument)) == "done"
    grounds.clean()
    expected = {"first": row.first, "files": row.files, "calls": row.calls, "command": row.command}
    here = {"first", "files", "command"} if deeds.held.landlock >= row.landlock else set()
    if deeds.held.seccomp == "yes":
        here.add("calls")
    expected = {hold: outcome for hold, outcome in expected.items() if outcome and hold in here}
    if not expected:
        pytest.skip(f"this kernel or build cannot refuse it: {deeds.held}")
    for hold, outcome in expected.items():
        assert deeds(hold, name, grounds.argument(row.argument)) == outcome, hold
        grounds.clean()
    assert deeds("all", name, grounds.argument(row.argument)) in {expected.get(hold) for hold in ("first", "files", "calls")}


def test_nothing_is_missing_here(deeds: Deeds, installed: Build) -> None:
    """Where the deeds say that a part is missing, the kernel says so too."""
    assert deeds.held.landlock == max(0, ctypes.CDLL(None).syscall(444, None, 0, 1))
    if deeds.held.seccomp != "yes":
        built_with = b"seccomp_load" in installed.helper.read_bytes()
        assert deeds.held.seccomp == ("not-in-kernel" if built_with else "not-built")


@pytest.mark.uninstrumented
@pytest.mark.parametrize("name", ["signal", "trace", "read-memory"])
def test_deed_to_a_process_of_the_same_user(deeds: Deeds, account: Account, name: str) -> None:
    """Where the host is not root, its user's other processes are no stranger's."""
    as_user = ("setpriv", f"--reuid={account.id}", f"--regid={account.id}", "--clear-groups")
    if deeds.held.landlock < (6 if name == "signal" else 1):
        pytest.skip(f"this kernel cannot refuse it: {deeds.held}")
    with passable(Path(variable("DEEDS"))), subprocess.Popen([*as_user, "sleep", "60"]) as other:
        while "sleep" not in Process(other.pid).status["Name"]:
            time.sleep(0.005)
        try:
            assert deeds("nothing", name, other.pid, before=as_user) == "done"
            assert deeds("first", name, other.pid, before=as_user) == "EPERM"
            assert deeds("all", name, other.pid, before=as_user) != "done"
        finally:
            other.kill()


def with_a_key(name: bytes) -> Callable[[], None]:
    """Run in a child before it executes: a session keyring of its own, as pam_keyinit makes one, and a key in it."""
    libc = ctypes.CDLL(None)
    numbers = {"x86_64": (248, 250), "ppc64le": (269, 271), "s390x": (278, 280)}
    add_key, keyctl = numbers.get(os.uname().machine, (217, 219))

    def make() -> None:
        if libc.syscall(keyctl, 1, None) < 0 or libc.syscall(add_key, b"user", name, b"secret", 6, -3) < 0:
            os._exit(77)

    return make


@pytest.mark.uninstrumented
def test_keys_of_the_caller(deeds: Deeds) -> None:
    make = with_a_key(b"pamcog")
    if deeds.held.landlock and not Path("/proc/keys").exists():
        pytest.skip("this kernel has no keys")
    assert deeds("nothing", "find-key", "pamcog", preexec_fn=make) == "done"
    assert deeds("first", "find-key", "pamcog", preexec_fn=make) in ("ENOKEY", "EACCES")
    assert deeds("all", "find-key", "pamcog", preexec_fn=make) != "done"
    if deeds.held.seccomp == "yes":
        assert deeds("calls", "find-key", "pamcog", preexec_fn=make) == "ENOSYS"


# What a helper may read, and what not. Modes are another matter: all of it is readable to all.
READABLE = [
    "/etc/hosts", "/etc/nsswitch.conf", "/etc/ssl/openssl.cnf", "/usr/share/zoneinfo/UTC", "/proc/self/status",
    "/proc/sys/kernel/osrelease", "/dev/urandom", "/sys/devices/system/cpu/online",
]  # fmt: skip


@pytest.mark.uninstrumented
@pytest.mark.parametrize("path", READABLE)
def test_readable(deeds: Deeds, path: str) -> None:
    if not Path(path).exists():
        path = "/etc/hosts"
    assert deeds("all", "read", path) == "done"


@pytest.mark.uninstrumented
@pytest.mark.parametrize("folder", ["/home", "/root", "/tmp", "/srv", "/var/log", "/run", "/dev/shm"])
def test_unreadable(deeds: Deeds, folder: str) -> None:
    """A file that everybody may read, where the helper has nothing to look for."""
    if not deeds.held.landlock:
        pytest.skip("this kernel has no Landlock")
    path = Path(folder) / "file"
    with writable(Path(folder)):
        path.write_text("text")
        path.chmod(0o644)
        assert deeds("first", "read", path) == "done"
        assert deeds("all", "read", path) == "EACCES"


@pytest.mark.uninstrumented
def test_other_processes_are_unreadable(deeds: Deeds, grounds: Grounds) -> None:
    if not deeds.held.landlock:
        pytest.skip("this kernel has no Landlock")
    path = f"/proc/{grounds.process.pid}/cmdline"
    assert deeds("first", "read", path) == "done"
    assert deeds("all", "read", path) == "EACCES"


@pytest.mark.uninstrumented
def test_another_user_s_file(deeds: Deeds, grounds: Grounds) -> None:
    """Where it may read, its user and the mode decide: no Landlock, no seccomp is needed for that."""
    path = Path("/etc/pamcog-secret")
    path.write_text("secret")
    path.chmod(0o600)
    try:
        assert deeds("nothing", "read", path) == "done"
        assert deeds("first", "read", path) == "EACCES"
    finally:
        path.unlink()


# What it still can


@pytest.mark.parametrize("deed, argument", [("thread", ""), ("load", "libnss_compat.so.2")])
def test_deed_that_a_name_service_needs(deeds: Deeds, deed: str, argument: str) -> None:
    assert deeds("all", deed, argument) == "done"


def test_port_of_the_endpoint(deeds: Deeds, grounds: Grounds) -> None:
    port = grounds.argument("PORT")
    assert deeds("all", "connect", port, port=port) == "done"


@contextmanager
def restored(path: Path) -> Iterator[None]:
    """A file of /etc, or none, as it was."""
    before = path.read_bytes() if path.exists() else None
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        if before is not None:
            path.write_bytes(before)


@pytest.fixture
def by_name(login: Login, standin: Standin) -> Iterator[Login]:
    """Logins whose endpoint is a name that only a name service knows."""
    standin.faults.add("connect", CERTIFICATE, None)
    login.stage.config["endpoint"] = f"https://{NAME}:{standin.port}"
    with restored(RESOLV_CONF):
        yield login


@pytest.mark.smoke
@pytest.mark.parametrize("brief", [False, True], ids=["udp", "tcp"])
def test_name_from_dns(by_name: Login, code: Code, brief: bool) -> None:
    """The resolver's threads, its sockets, and TCP where a datagram does not do."""
    with NameServer({NAME: "127.0.0.1"}, brief=brief) as server:
        server.resolv_conf()
        assert by_name([SIGN_IN, (words.ASKED, code)]).let_in
    assert ("tcp" if brief else "udp", NAME) in server.asked


@pytest.mark.parametrize("where", ["/run/systemd/resolve", "/mnt/pamcog", "/var/lib/pamcog-resolver"])
def test_resolv_conf_elsewhere(by_name: Login, code: Code, where: str) -> None:
    """A link to where another program writes it: systemd-resolved, NetworkManager, WSL and their like."""
    with writable(Path(where)), NameServer({NAME: "127.0.0.1"}) as server:
        server.resolv_conf(Path(where, "stub-resolv.conf"))
        RESOLV_CONF.unlink(missing_ok=True)
        RESOLV_CONF.symlink_to(Path(where, "stub-resolv.conf"))
        assert by_name([SIGN_IN, (words.ASKED, code)]).let_in
    assert ("udp", NAME) in server.asked


def test_name_from_the_hosts_file(by_name: Login, code: Code) -> None:
    hosts = Path("/etc/hosts")
    with restored(hosts):
        hosts.write_text(f"{hosts.read_text()}127.0.0.1 {NAME}\n")
        assert by_name([SIGN_IN, (words.ASKED, code)]).let_in


def test_two_threads_hang(by_name: Login, code: Code) -> None:
    """Look-ups that are given up stay behind, each in a thread; the next ones find room."""
    with NameServer({}, silent=True) as server:
        server.resolv_conf()
        result = by_name([SIGN_IN], connect_timeout=1, request_timeout=1)
        assert result.code == "PAM_AUTHINFO_UNAVAIL"
    assert len(server.asked) >= 2


# Certificates wherever an administrator may have put them


@pytest.fixture(params=["/srv/pamcog", "/home/pamcog"])
def odd_place(request: pytest.FixtureRequest) -> Iterator[Path]:
    folder = Path(request.param)
    with writable(folder):
        yield folder


def test_certificate_file_elsewhere(login: Login, standin: Standin, code: Code, odd_place: Path) -> None:
    shutil.copy(standin.ca_file, odd_place / "ca.pem")
    link = odd_place / "link.pem"
    link.symlink_to("ca.pem")
    assert login([SIGN_IN, (words.ASKED, code)], ca_path=None, ca_file=link).let_in


def test_certificate_folder_elsewhere(login: Login, standin: Standin, code: Code, odd_place: Path) -> None:
    shutil.copytree(standin.ca_path, odd_place / "ca", symlinks=True)
    assert login([SIGN_IN, (words.ASKED, code)], ca_path=odd_place / "ca").let_in


def test_certificate_by_links(login: Login, standin: Standin, code: Code, odd_place: Path) -> None:
    """From a hashed folder to the local certificates of the distribution, and from there to the administrator's own."""
    hashed, local = Path("/etc/pamcog-ca"), Path("/etc/pamcog-local")
    (name,) = [entry.name for entry in standin.ca_path.iterdir() if re.fullmatch(r"[0-9a-f]{8}\.0", entry.name)]
    shutil.copy(standin.ca_file, odd_place / "ours.crt")
    for folder in (hashed, local):
        folder.mkdir()
    try:
        (local / "ours.crt").symlink_to(odd_place / "ours.crt")
        (hashed / "ours.pem").symlink_to(local / "ours.crt")
        (hashed / name).symlink_to("ours.pem")
        assert login([SIGN_IN, (words.ASKED, code)], ca_path=hashed).let_in
    finally:
        for folder in (hashed, local):
            shutil.rmtree(folder)


# Kernels and containers that have less


def lockdown_line(result: Any) -> Held:
    (line,) = [line.text for line in result.watched.log if "landlock=" in line.text]
    return held(line)


def test_log_says_what_holds(login: Login, code: Code, deeds: Deeds) -> None:
    result = login([SIGN_IN, (words.ASKED, code)], debug="yes")
    assert lockdown_line(result) == deeds.held
    assert "landlock" not in login([SIGN_IN, (words.ASKED, code)]).log


@pytest.mark.parametrize("lacking", ["landlock", "landlock-by-order", "seccomp", "seccomp-by-order", "seccomp-in-part"])
def test_lacking(login: Login, code: Code, deeds: Deeds, lacking: str) -> None:
    """Never a reason to lock anybody out, and said in the log."""
    before = [sys.executable, str(LACKING), lacking, "--"]
    login.stage.write_config(debug="yes")
    result = login.again([SIGN_IN, (words.ASKED, code)], before=before)
    assert result.let_in
    found = lockdown_line(result)
    if lacking.startswith("landlock"):
        assert found == deeds.held._replace(landlock=0)
    elif lacking == "seccomp-in-part" or deeds.held.seccomp != "yes":
        assert found == deeds.held
    else:
        assert found == deeds.held._replace(seccomp="not-in-kernel")


# Hosts whose programs are others than they seem


PRELOADED = Path("/etc/ld.so.preload")


@pytest.mark.uninstrumented
@pytest.mark.skipif(not shutil.which("cc"), reason="an allocator has to be compiled for it: no cc")
def test_another_allocator(by_name: Login, code: Code, ground: Path) -> None:
    """All programs have it, by the administrator's will; it sets more addresses apart than the helper's limit has."""
    ground.chmod(0o755)
    library = ground / "allocator.so"
    subprocess.run(["cc", "-O1", "-fno-builtin", "-shared", "-fPIC", "-o", library, ALLOCATOR], check=True)
    with restored(PRELOADED), NameServer({NAME: "127.0.0.1"}) as server:
        server.resolv_conf()
        PRELOADED.write_text(f"{library}\n")
        assert by_name([SIGN_IN, (words.ASKED, code)]).let_in


# Death with its peer, whatever it is about


@pytest.fixture
def helper(installed: Build) -> Iterator[Helper]:
    made = Helper(str(installed.helper))
    yield made
    made.kill()


def wait_until(happened: Callable[[], object]) -> None:
    end = time.monotonic() + 5
    while not happened():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.002)


@contextmanager
def black_hole() -> Iterator[str]:
    """An endpoint that takes no connection: its queue is full, and the kernel drops what comes then."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        waiting = []
        for _ in range(3):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(address)
            waiting.append(one)
        wait_until(lambda: connecting(address[1]))
        try:
            yield f"https://127.0.0.1:{address[1]}"
        finally:
            for one in waiting:
                one.close()


def connecting(port: int, owner: int = 0) -> bool:
    """Does a process of this user wait for a connection to that port? (proc(5), /proc/net/tcp: state 02 is SYN_SENT)"""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[2].endswith(f":{port:04X}") and fields[3] == "02" and int(fields[7]) == owner:
            return True
    return False


class Scene:
    """A helper that has been told what to do, and what must have happened before its peer goes."""

    def __init__(self, helper: Helper, standin: Standin, uid: int) -> None:
        self.helper, self.standin, self.uid = helper, standin, uid
        self.config = standin.config() | {"jwks_url": standin.jwks_url}

    def start(self, **changes: str) -> None:
        self.helper.send(alone.start({**self.config, **changes}))
        kind, body = self.helper.receive()
        assert (kind, body[:4]) == (alone.RESULT, b"\0\0\0\0"), body

    def ask(self) -> None:
        """A sign-in, once the keys are there."""
        wait_until(lambda: any(entry.answered for entry in self.standin.journal.requests("jwks")))
        self.helper.send(alone.signin(USER, PASSWORD))

    def wait_for(self, operation: str) -> None:
        wait_until(lambda: self.standin.journal.requests(operation))


def before_start(scene: Scene) -> Iterator[None]:
    yield


def within_a_frame(scene: Scene) -> Iterator[None]:
    scene.helper.send(alone.start(scene.config)[:40])
    yield


def resolving(scene: Scene) -> Iterator[None]:
    with restored(RESOLV_CONF), NameServer({}, silent=True) as server:
        server.resolv_conf()
        endpoint = f"https://{NAME}:{scene.standin.port}"
        scene.start(endpoint=endpoint, jwks_url=f"{endpoint}/jwks")
        server.wait_for_question()
        yield


def connecting_to_nobody(scene: Scene) -> Iterator[None]:
    with black_hole() as endpoint:
        scene.start(endpoint=endpoint, jwks_url=f"{endpoint}/jwks")
        wait_until(lambda: connecting(int(endpoint.rpartition(":")[2]), scene.uid))
        yield


def shaking_hands(scene: Scene) -> Iterator[None]:
    scene.standin.faults.add("connect", faults.hang())
    scene.start()
    wait_until(lambda: scene.standin.journal.connections)
    yield


def reading_keys(scene: Scene) -> Iterator[None]:
    scene.standin.faults.add("jwks", faults.drip())
    scene.start()
    scene.wait_for("jwks")
    yield


def idle(scene: Scene) -> Iterator[None]:
    scene.start()
    wait_until(lambda: any(entry.answered for entry in scene.standin.journal.requests("jwks")))
    yield


def waiting_for_a_reply(scene: Scene) -> Iterator[None]:
    scene.standin.faults.add(SIGNIN, faults.delay(8))
    scene.start()
    scene.ask()
    scene.wait_for(SIGNIN)
    yield


def reading_a_reply(scene: Scene) -> Iterator[None]:
    scene.standin.faults.add(SIGNIN, faults.drip())
    scene.start()
    scene.ask()
    scene.wait_for(SIGNIN)
    yield


def backing_off(scene: Scene) -> Iterator[None]:
    scene.standin.faults.add(SIGNIN, faults.error("TooManyRequestsException"), None)
    scene.start()
    scene.ask()
    wait_until(lambda: any(entry.answered for entry in scene.standin.journal.requests(SIGNIN)))
    yield


STATES = [
    before_start, within_a_frame, resolving, connecting_to_nobody, shaking_hands, reading_keys, idle, waiting_for_a_reply,
    reading_a_reply, backing_off,
]  # fmt: skip


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__.replace("_", "-"))
def test_end_of_the_peer(helper: Helper, standin: Standin, user: Any, installed: Build, state: Any) -> None:
    """Within a second, and by itself: none of its own deadlines is so near."""
    scene = Scene(helper, standin, pwd.getpwnam(installed.helper_user).pw_uid)
    coming = state(scene)
    next(coming)
    asked = len(standin.journal.requests(SIGNIN))
    try:
        helper.hang_up()
        assert helper.wait(1.0 * installed.slowness) == 0
    finally:
        coming.close()
    assert len(standin.journal.requests(SIGNIN)) == asked
