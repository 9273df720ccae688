"""pam-cognito-command alone, over a socket: what the manual promises about a token command.

PAM_COGNITO_COMMAND names the program; it must be run as root.
"""

import json
import os
import pwd
import resource
import signal
import socket
import struct
import subprocess
import tempfile
import time
import traceback
import uuid
from pathlib import Path
from typing import Callable, Iterator, NamedTuple

import pytest
from harness import machine
from harness.accounts import Account
from harness.process import Process

PROGRAM = os.environ.get("PAM_COGNITO_COMMAND", "")
VERSION = os.environ.get("PAM_COGNITO_VERSION", "")
USER = "nobody"
RUN, OUTPUT = 8, 9
MOST = 60 * 1024
TIMEOUT = 1500  # ms; a command that does not hang takes a few of them
# Signals 32 and 33, which the C library keeps for itself, from everybody.
RESERVED = 3 << 31
GOOD = b"eyJ.a.token"
SANITIZED = bool(os.environ.get("PAM_COGNITO_HOST_PRELOAD"))

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become another user"),
    pytest.mark.skipif(not (PROGRAM and VERSION), reason="PAM_COGNITO_COMMAND and _VERSION not set: make installcheck"),
]


class Answer(NamedTuple):
    good: bool
    detail: str
    output: bytes
    seconds: float


def string(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value + b"\0"


def frame(kind: int, body: bytes) -> bytes:
    return b"PCGF" + struct.pack(">BBHI", 1, kind, 0, len(body)) + body


def request(path: str, user: str, arguments: list[str], timeout: int, version: str = VERSION) -> bytes:
    fields = string(version.encode()) + string(path.encode()) + string(user.encode())
    fields += struct.pack(">I", len(arguments)) + b"".join(string(a.encode()) for a in arguments)
    return frame(RUN, fields + struct.pack(">I", timeout))


def read_all(near: socket.socket) -> bytes:
    received = b""
    while part := near.recv(65536):
        received += part
    return received


def parse(received: bytes, seconds: float) -> Answer:
    magic, version, kind, zero, length = struct.unpack(">4sBBHI", received[:12])
    body = received[12:]
    assert (magic, version, kind, zero, length) == (b"PCGF", 1, OUTPUT, 0, len(body))
    error, strings, at = struct.unpack(">I", body[:4])[0], [], 4
    for _ in range(2):
        size = struct.unpack(">I", body[at : at + 4])[0]
        strings.append(body[at + 4 : at + 4 + size])
        at += size + 5
    assert at == len(body)
    assert (error == 0) == (strings[0] == b"") == (strings[1] != b"")
    return Answer(error == 0, strings[0].decode(), strings[1], seconds)


def lines_of(pid: str) -> list[bytes]:
    try:
        return Path("/proc", pid, "cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


class Stage:
    """A folder that everybody may enter, commands in it, and the program over a socket."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # What a command starts carries this in its command line, so that it is found whatever became of it.
        self.mark = f"mark-{uuid.uuid4().hex}"
        self.write("", 0o666, "stderr")

    def write(self, text: str, mode: int = 0o755, name: str = "command") -> Path:
        path = self.folder / name
        path.write_text(text.replace("MARK", self.mark))
        path.chmod(mode)
        return path

    def shell(self, text: str) -> Path:
        return self.write(f"#!/bin/sh\n{text}\n")

    def python(self, text: str) -> Path:
        return self.write(f"#!/usr/bin/python3 -IS\nimport os, signal, sys, time\n{text}\n")

    def connect(self) -> tuple[int, socket.socket]:
        """The program's process, and a socket to it."""
        near, far = socket.socketpair()
        errors = os.open(self.folder / "stderr", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        null = os.open("/dev/null", os.O_RDWR)
        pid = os.posix_spawn(PROGRAM, ["pam-cognito-command"], {"PLANTED": "1"}, file_actions=[
            (os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, null, 1), (os.POSIX_SPAWN_DUP2, errors, 2),
            (os.POSIX_SPAWN_DUP2, far.fileno(), 3)])
        for fd in (errors, null):
            os.close(fd)
        far.close()
        near.settimeout(10)
        return pid, near

    def start(
        self,
        path: Path,
        user: str = USER,
        arguments: tuple[str, ...] = (),
        timeout: int = TIMEOUT,
        version: str = VERSION,
    ) -> tuple[int, socket.socket]:
        pid, near = self.connect()
        near.sendall(request(str(path), user, list(arguments), timeout, version))
        return pid, near

    def finish(self, pid: int) -> int:
        """The exit status of the program; what the sanitizers wrote, if this is such a build."""
        until = time.monotonic() + 5
        while True:
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                break
            if time.monotonic() > until:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                pytest.fail("the program does not end")
            time.sleep(0.005)
        assert (self.folder / "stderr").read_text() == ""
        return status

    def run(self, path: Path, **how: object) -> Answer:
        began = time.monotonic()
        pid, near = self.start(path, **how)  # type: ignore[arg-type]
        with near:
            received = read_all(near)
        seconds = time.monotonic() - began
        left = self.marked()
        assert self.finish(pid) == 0
        assert left == [], "something that the command started is still there when the answer is"
        return parse(received, seconds)

    def marked(self) -> list[str]:
        return [p for p in os.listdir("/proc") if p.isdigit() and any(self.mark.encode() in w for w in lines_of(p))]

    def wait_for_marked(self, count: int) -> list[str]:
        until = time.monotonic() + 5
        while len(found := self.marked()) < count and time.monotonic() < until:
            time.sleep(0.01)
        assert len(found) >= count, "the test's own command did not come so far"
        return found

    def wait_for_none(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while self.marked() and time.monotonic() < until:
            time.sleep(0.01)
        assert self.marked() == []


@pytest.fixture
def stage() -> Iterator[Stage]:
    with tempfile.TemporaryDirectory(prefix="token-command-") as folder:
        os.chmod(folder, 0o755)
        stage = Stage(Path(folder))
        yield stage
        for pid in stage.marked():
            os.kill(int(pid), signal.SIGKILL)


# Output


@pytest.mark.parametrize("text, output", [
    ("printf '%s\\n' eyJ.a.token", GOOD),
    ("printf %s eyJ.a.token", GOOD),
    ("printf eyJ; sleep 0.2; printf .a.; sleep 0.2; echo token", GOOD),
    ("echo noise >&2; echo eyJ.a.token; echo noise >&2", GOOD),
    (f"head -c {MOST} /dev/zero | tr '\\0' a", b"a" * MOST),
    (f"head -c {MOST} /dev/zero | tr '\\0' a; echo", b"a" * MOST),
], ids=["one newline", "no newline", "in parts", "stderr", "longest", "longest and newline"])
def test_one_line_is_taken(stage: Stage, text: str, output: bytes) -> None:
    answer = stage.run(stage.shell(text))
    assert answer.good, answer.detail
    assert answer.output == output
    assert answer.seconds < TIMEOUT / 1000


@pytest.mark.parametrize("text, detail", [
    ("true", "wrote nothing"),
    ("echo", "wrote nothing"),
    ("exec >&-", "wrote nothing"),
    ("printf 'one\\ntwo\\n'", "more than one line"),
    ("printf 'one\\ntwo'", "more than one line"),
    ("printf 'one\\n\\n'", "more than one line"),
    ("printf '\\none\\n'", "more than one line"),
    ("printf 'one\\r\\n'", "carriage return"),
    ("printf 'on\\re'", "carriage return"),
    ("printf 'on\\0e\\n'", "NUL"),
    ("printf 'one\\0'", "NUL"),
    (f"head -c {MOST + 1} /dev/zero | tr '\\0' a", f"more than {MOST} bytes"),
    (f"head -c {MOST + 1} /dev/zero | tr '\\0' a; echo", f"more than {MOST} bytes"),
])
def test_other_output_is_refused(stage: Stage, text: str, detail: str) -> None:
    answer = stage.run(stage.shell(text))
    assert not answer.good
    assert detail in answer.detail


# Ends


@pytest.mark.parametrize("text, detail", [
    ("echo eyJ.a.token; exit 1", "exit status 1"),
    ("echo eyJ.a.token; exit 127", "exit status 127"),
    ("exit 3", "exit status 3"),
    ("echo eyJ.a.token; kill -TERM $$; sleep 5", "killed by signal 15"),
    ("echo eyJ.a.token; kill -KILL $$; sleep 5", "killed by signal 9"),
])
def test_a_bad_end_is_a_failure(stage: Stage, text: str, detail: str) -> None:
    answer = stage.run(stage.shell(text))
    assert not answer.good
    assert detail in answer.detail
    assert answer.seconds < TIMEOUT / 1000


@pytest.mark.parametrize("text", [
    "exec sh -c 'sleep 100' MARK",
    "echo eyJ.a.token; sh -c 'sleep 100; :' MARK",
    "echo eyJ.a.token; exec >&- sh -c 'sleep 100; :' MARK",
    "trap '' TERM INT HUP; sh -c 'sleep 100; :' MARK & wait; sleep 100",
], ids=["silent", "after a token", "output closed", "deaf"])
def test_one_that_hangs_is_ended(stage: Stage, text: str) -> None:
    answer = stage.run(stage.shell(text))
    assert not answer.good
    assert "did not end within 1500 ms" in answer.detail
    assert 1.4 < answer.seconds < 2.0


def test_one_that_stops_itself_is_ended(stage: Stage) -> None:
    answer = stage.run(stage.shell("echo eyJ.a.token; kill -STOP $$"))
    assert "did not end" in answer.detail
    assert 1.4 < answer.seconds < 2.0


def test_a_flood_ends_at_once(stage: Stage) -> None:
    answer = stage.run(stage.shell("exec sh -c 'while :; do echo eyJ.a.token; done' MARK"))
    assert f"wrote more than {MOST} bytes" in answer.detail
    assert answer.seconds < 1.0


def test_a_trickle_does_not_put_off_the_deadline(stage: Stage) -> None:
    answer = stage.run(stage.shell("while :; do printf a; sleep 0.05; done"))
    assert "did not end" in answer.detail
    assert answer.seconds < 2.0


# Descendants

DAEMON = """
def daemon(rest):
    if os.fork():
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    os.execv("/bin/sh", ["sh", "-c", rest, "MARK"])
"""


def test_a_daemon_with_the_output_open_neither_delays_nor_survives(stage: Stage) -> None:
    answer = stage.run(stage.python(DAEMON + "daemon('sleep 100; :'); time.sleep(0.2); print('eyJ.a.token')"))
    assert answer.good, answer.detail
    assert answer.output == GOOD
    assert answer.seconds < 1.2


def test_a_daemon_of_a_command_that_hangs_does_not_survive(stage: Stage) -> None:
    answer = stage.run(stage.python(DAEMON + "daemon('trap \"\" HUP TERM; sleep 100; :'); time.sleep(100)"))
    assert not answer.good
    assert answer.seconds < 2.0


def test_a_daemon_that_floods_is_no_token(stage: Stage) -> None:
    answer = stage.run(stage.python(DAEMON + "daemon('while :; do echo a; done'); time.sleep(100)"))
    assert f"wrote more than {MOST} bytes" in answer.detail
    assert answer.seconds < 1.5


def test_a_command_that_leaves_its_work_to_a_daemon_wrote_nothing(stage: Stage) -> None:
    answer = stage.run(stage.python(DAEMON + "daemon('sleep 0.5; echo eyJ.a.token')"))
    assert not answer.good
    assert "wrote nothing" in answer.detail


def test_a_long_chain_of_sessions_does_not_survive(stage: Stage) -> None:
    answer = stage.run(stage.python("""
for _ in range(300):
    if os.fork():
        break
    os.setsid()
if _ == 0:
    time.sleep(0.5)
    os.write(1, b'eyJ.a.token')
    os._exit(0)
os.execv("/bin/sh", ["sh", "-c", "sleep 100; :", "MARK"])
"""), timeout=4000)
    assert answer.good, answer.detail


def test_one_that_forks_and_ends_in_turn_does_not_survive(stage: Stage) -> None:
    answer = stage.run(stage.python("""
if os.fork():
    time.sleep(0.3)
    print('eyJ.a.token')
    sys.exit(0)
word = 'MARK'
until = time.monotonic() + 20
while time.monotonic() < until:
    if os.fork():
        os._exit(0)
    os.setsid()
"""))
    assert answer.good, answer.detail
    time.sleep(0.1)
    assert stage.marked() == []


def test_everything_ends_with_the_client(stage: Stage) -> None:
    pid, near = stage.start(stage.python(DAEMON + "daemon('sleep 100; :'); os.execv('/bin/sh', "
                                         "['sh', '-c', 'sleep 100; :', 'MARK'])"), timeout=60000)
    stage.wait_for_marked(2)
    near.close()
    stage.wait_for_none(1.0)
    assert stage.finish(pid) == 0


def test_the_program_keeps_the_right_to_end_it_and_no_other(stage: Stage) -> None:
    kill = f"{1 << 5:016x}"  # CAP_KILL, capabilities(7)
    expected = {"CapInh": "0" * 16, "CapPrm": kill, "CapEff": kill, "CapBnd": kill, "CapAmb": "0" * 16, "NoNewPrivs": "1"}
    pid, near = stage.start(stage.shell("sh -c 'sleep 30' MARK"), timeout=20000)
    with near:
        stage.wait_for_marked(1)
        # The command and the program go on side by side.
        until = time.monotonic() + 5
        while (status := Process(pid).status)["NoNewPrivs"] == "0":
            assert time.monotonic() < until
        assert {name: status[name] for name in expected} == expected
        if not SANITIZED:
            assert Process(pid).limits["Max file size"] == ("0", "0")
    stage.wait_for_none(2)
    assert stage.finish(pid) == 0


def test_the_command_dies_with_a_program_that_is_killed(stage: Stage) -> None:
    pid, near = stage.start(stage.shell("exec sh -c 'exec >&-; while :; do sleep 0.05; done' MARK"), timeout=60000)
    stage.wait_for_marked(1)
    with near:
        os.kill(pid, signal.SIGKILL)
        stage.wait_for_none(1.0)
        assert near.recv(1) == b""
    assert stage.finish(pid) == signal.SIGKILL


def test_a_timer_ends_the_program_whatever_it_hangs_in(stage: Stage) -> None:
    pid, near = stage.start(stage.shell("exec sh -c 'while :; do sleep 0.05; done' MARK"), timeout=300)
    stage.wait_for_marked(1)
    with near:
        os.kill(pid, signal.SIGSTOP)
        time.sleep(1.3)
        os.kill(pid, signal.SIGCONT)
        assert stage.finish(pid) == signal.SIGALRM
    stage.wait_for_none(1.0)


def test_no_request_no_stay(stage: Stage) -> None:
    """A client that says nothing is left after a second or two."""
    began = time.monotonic()
    pid, near = stage.connect()
    with near:
        assert stage.finish(pid) == 0
    assert time.monotonic() - began < 2.5


def test_a_timer_runs_from_the_start(stage: Stage) -> None:
    pid, near = stage.connect()
    with near:
        time.sleep(0.3)
        os.kill(pid, signal.SIGSTOP)
        time.sleep(2.2)
        os.kill(pid, signal.SIGCONT)
        assert stage.finish(pid) == signal.SIGALRM


# What the command is

REPORT = """
import json, resource
signals = {line.split(':')[0]: line.split()[1:] for line in open('/proc/self/status')}
mask = os.umask(0)
# The one that listing the folder opens is no part of it.
fds = {}
for fd in range(256):
    try:
        fds[fd] = os.readlink(f'/proc/self/fd/{fd}').split(':')[0]
    except OSError:
        pass
print(json.dumps({
    'argv': sys.argv, 'environ': dict(os.environ), 'fds': fds, 'cwd': os.getcwd(), 'umask': mask,
    'uids': os.getresuid(), 'gids': os.getresgid(), 'groups': sorted(os.getgroups()),
    'session': os.getsid(0) == os.getpid(),
    'status': {k: signals[k][0] for k in ('SigBlk', 'SigIgn', 'SigCgt', 'NoNewPrivs', 'CapEff', 'CapPrm', 'CapInh')},
    'core': resource.getrlimit(resource.RLIMIT_CORE), 'files': resource.getrlimit(resource.RLIMIT_NOFILE),
    'size': resource.getrlimit(resource.RLIMIT_FSIZE), 'blocking': os.get_blocking(1),
}))
"""


def report(stage: Stage, user: str = USER, arguments: tuple[str, ...] = ()) -> dict:
    answer = stage.run(stage.python(REPORT), user=user, arguments=arguments, timeout=5000)
    assert answer.good, answer.detail
    return json.loads(answer.output)


def test_the_command_gets_what_is_documented_and_nothing_else(stage: Stage) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    core = resource.getrlimit(resource.RLIMIT_CORE)
    assert core[1] != 0, "cannot be tested where core files are off anyway"
    stray = os.open("/", os.O_RDONLY)
    os.set_inheritable(stray, True)
    old = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    resource.setrlimit(resource.RLIMIT_CORE, (core[1], core[1]))
    try:
        got = report(stage, arguments=("alice", "sshd", "host.example", ""))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        resource.setrlimit(resource.RLIMIT_CORE, core)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR2])
        signal.signal(signal.SIGUSR1, old)
        os.close(stray)
    entry = pwd.getpwnam(USER)
    environ = got["environ"]
    # Python's own, set by itself in a C locale.
    environ.pop("LC_CTYPE", None)
    assert environ == {"PATH": "/usr/bin:/bin", "HOME": entry.pw_dir, "USER": USER, "LOGNAME": USER,
                       "SHELL": entry.pw_shell}
    assert got["fds"] == {"0": "/dev/null", "1": "pipe", "2": "/dev/null"}
    assert got["argv"] == [str(stage.folder / "command"), "alice", "sshd", "host.example", ""]
    assert (got["cwd"], got["umask"], got["session"], got["blocking"]) == ("/", 0o077, True, True)
    assert got["core"] == [0, 0]
    assert got["files"][0] == 1024
    assert got["size"][0] in (-1, before[1])
    # Python ignores SIGPIPE and SIGXFSZ by itself; all else must be as the kernel makes it.
    assert int(got["status"]["SigIgn"], 16) & ~(RESERVED | 1 << 12 | 1 << 24) == 0
    assert int(got["status"]["SigBlk"], 16) == 0
    assert got["status"]["NoNewPrivs"] == "1"
    assert {got["status"][k] for k in ("CapEff", "CapPrm", "CapInh")} == {"0" * 16}


def test_signals_have_their_default_actions(stage: Stage) -> None:
    old = signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    try:
        answer = stage.run(stage.shell("echo $(grep SigIgn /proc/$$/status)"))
    finally:
        signal.signal(signal.SIGPIPE, old)
    assert int(answer.output.split()[1], 16) & ~RESERVED == 0


def test_it_runs_as_the_user_with_his_groups_and_no_others(stage: Stage) -> None:
    os_groups = os.getgroups()
    os.setgroups([0, 4, 12345])
    try:
        for user in ("nobody", "daemon"):
            entry = pwd.getpwnam(user)
            got = report(stage, user=user)
            assert got["uids"] == [entry.pw_uid] * 3
            assert got["gids"] == [entry.pw_gid] * 3
            assert got["groups"] == sorted(os.getgrouplist(user, entry.pw_gid))
    finally:
        os.setgroups(os_groups)


def test_supplementary_groups_come_along(stage: Stage, runner: Account) -> None:
    got = report(stage, user=runner.name)
    assert got["groups"] == sorted(os.getgrouplist(runner.name, pwd.getpwnam(runner.name).pw_gid))
    assert len(got["groups"]) > 1


# What is not started


@pytest.mark.parametrize("user, detail", [
    ("root", "must not be root"),
    ("pamcog-nobody-here", "no such user"),
    ("0", "no such user"),
])
def test_such_a_user_is_refused(stage: Stage, user: str, detail: str) -> None:
    ran = stage.folder / "ran"
    answer = stage.run(stage.shell(f"touch {ran}; echo eyJ.a.token"), user=user)
    assert not answer.good
    assert f"token_command_user {user}: " in answer.detail
    assert detail in answer.detail
    assert not ran.exists()


@pytest.mark.parametrize("text, mode, detail", [
    ("#!/bin/sh\necho eyJ.a.token\n", 0o644, "Permission denied"),
    ("#!/bin/sh\necho eyJ.a.token\n", 0o700, "Permission denied"),
    ("echo eyJ.a.token\n", 0o755, "Exec format error"),
    ("#!/nonexistent/sh\necho eyJ.a.token\n", 0o755, "No such file"),
], ids=["no bit", "not his", "no program", "no interpreter"])
def test_what_cannot_be_executed_is_named(stage: Stage, text: str, mode: int, detail: str) -> None:
    path = stage.write(text, mode)
    answer = stage.run(path)
    assert not answer.good
    assert answer.detail.startswith(f"{path}: it cannot be executed: {detail}")


def test_another_version_is_refused(stage: Stage) -> None:
    answer = stage.run(stage.shell("echo eyJ.a.token"), version="99")
    assert "the module version 99" in answer.detail


def as_nobody(work: Callable[[], object]) -> int:
    """Runs work() in a child that is nobody; its exit status is 0 when nothing was raised."""
    with machine.passable(Path(PROGRAM)):
        return _as_nobody(work)


def _as_nobody(work: Callable[[], object]) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            entry = pwd.getpwnam(USER)
            os.setgroups([])
            os.setresgid(*[entry.pw_gid] * 3)
            os.setresuid(*[entry.pw_uid] * 3)
            work()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    return os.waitpid(pid, 0)[1]


def test_without_root_only_the_caller_himself(stage: Stage) -> None:
    path = stage.shell("id -u")

    def work() -> None:
        answer = stage.run(path)
        assert answer.good, answer.detail
        assert answer.output == str(pwd.getpwnam(USER).pw_uid).encode()
        assert "only be the caller's own user" in stage.run(path, user="daemon").detail
        assert "must not be root" in stage.run(path, user="root").detail

    assert as_nobody(work) == 0


def test_without_root_a_daemon_does_not_survive_either(stage: Stage) -> None:
    path = stage.python(DAEMON + "daemon('sleep 100; :'); time.sleep(0.2); print('eyJ.a.token')")
    assert as_nobody(lambda: stage.run(path)) == 0


def test_by_hand_it_says_what_it_is() -> None:
    done = subprocess.run([PROGRAM], stdin=subprocess.DEVNULL, capture_output=True, text=True, close_fds=True)
    assert done.returncode == 2
    assert "pam_cognito_code.so starts this" in done.stderr
