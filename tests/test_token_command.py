"""A token from a command, in real logins. What the program that runs it does is tested in test_command_program.py."""

import json
import os
import pwd
import signal
import socket
import stat
import threading
import time
from pathlib import Path
from typing import Any, Callable

import pytest
from harness import leftovers, words
from harness.accounts import Account
from harness.hosts import Hosts
from harness.login import Login
from harness.machine import covered
from harness.people import PASSWORD, RUNNER, USER
from harness.stage import SECOND, SERVICE
from standin import Standin, Token, User

Code = Callable[[], str]

NOTHING_SENT = ([], ["jwks"])


class Command:
    """A command of the administrator's. `runs` says that a process of it is there."""

    def __init__(self, folder: Path, runner: Account, token: Token) -> None:
        self.folder, self.runner, self.token = folder, runner, token
        self.path = folder / "command"
        self.work = folder / "work"
        self.work.mkdir()
        os.chown(self.work, runner.id, runner.id)
        self.token_file = folder / "its-token"
        self.token_file.write_text(str(token))
        self.token_file.chmod(0o400)
        os.chown(self.token_file, runner.id, runner.id)

    def shell(self, text: str, mode: int = 0o755) -> Path:
        """TOKEN is the path where it lies, WORK a folder where the command may write."""
        return self._write(f"#!/bin/sh\n{text}\n", mode)

    def python(self, text: str) -> Path:
        return self._write(f"#!/usr/bin/python3 -IS\nimport os, signal, sys, time\n{text}\n", 0o755)

    def _write(self, text: str, mode: int) -> Path:
        self.path.write_text(text.replace("TOKEN", str(self.token_file)).replace("WORK", str(self.work)))
        self.path.chmod(mode)
        return self.path

    def config(self, then: str = "") -> dict[str, str]:
        return {"token": f"command:{self.path}{then}", "token_command_user": RUNNER}

    def processes(self) -> list[int]:
        return leftovers.processes_of(self.runner.id)

    def wait_for(self, name: str) -> None:
        """The command has made this file."""
        until = time.monotonic() + 10
        while not (self.work / name).exists():
            assert time.monotonic() < until, f"the command did not come to {name}"
            time.sleep(0.005)

    def wait_for_none(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := self.processes()) and time.monotonic() < until:
            time.sleep(0.005)
        assert not left


@pytest.fixture
def command(login: Login, standin: Standin, user: User, runner: Account, ground: Path) -> Any:
    token = standin.pool.access_token(USER)
    login.stage.secrets.append(str(token))
    made = Command(ground, runner, token)
    yield made
    for pid in made.processes():
        os.kill(pid, signal.SIGKILL)


def nothing_sent(standin: Standin) -> bool:
    return standin.journal.operations() in NOTHING_SENT


def is_root_s_all_the_way(path: Path) -> bool:
    """The tests spoil one thing: everything else is right."""
    return all(
        folder.stat().st_uid == 0 and not folder.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        for folder in (path, *path.parents)
    )


# What it may say


@pytest.mark.smoke
@pytest.mark.parametrize(
    "text",
    ["cat TOKEN", "cat TOKEN; echo", "echo noise >&2; cat TOKEN; exec >&-", "head -c 99 TOKEN; sleep 0.1; tail -c +100 TOKEN"],
    ids=["bare", "newline", "noise", "in-parts"],
)
def test_command(login: Login, standin: Standin, command: Command, code: Code, text: str) -> None:
    command.shell(text)
    assert is_root_s_all_the_way(command.path)
    assert login([(words.ASKED, code)], stack=SECOND, **command.config()).let_in
    sent = {entry.body["AccessToken"] for entry in standin.journal.requests() if "AccessToken" in (entry.body or {})}
    assert sent == {str(command.token)}
    assert command.processes() == []


DAEMON = """
def daemon(work):
    if os.fork():
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    open('WORK/daemon', 'w').close()
    work()
    os._exit(0)

def wait():
    while not os.path.exists('WORK/daemon'):
        time.sleep(0.005)
"""

# each: what the command does, and what the log has to say of it
FAILURES = {
    "nothing": ("true", "wrote nothing"),
    "empty-line": ("echo", "wrote nothing"),
    "two-lines": ("cat TOKEN; echo; cat TOKEN", "line"),
    "two-newlines": ("cat TOKEN; echo; echo", "line"),
    "newline-first": ("echo; cat TOKEN", "line"),
    "return": ("cat TOKEN; printf '\\r\\n'", "carriage return"),
    "return-inside": ("printf 'x\\r'; cat TOKEN", "carriage return"),
    "nul": ("cat TOKEN; printf '\\0'", "NUL"),
    "nul-and-newline": ("cat TOKEN; printf '\\0\\n'", "NUL"),
    "nul-and-more": ("cat TOKEN; printf '\\0more'", "NUL"),
    "flood": ("cat /dev/zero | tr '\\0' a", "bytes"),
    "flood-of-lines": ("while :; do cat TOKEN; echo; done", ""),
    "status-1": ("cat TOKEN; exit 1", "status 1"),
    "status-2-alone": ("exit 2", "status 2"),
    "killed": ("cat TOKEN; kill -KILL $$; sleep 9", "signal 9"),
    "terminated": ("cat TOKEN; kill -TERM $$; sleep 9", "signal 15"),
}


@pytest.mark.parametrize("kind", FAILURES)
def test_command_that_fails(login: Login, standin: Standin, command: Command, kind: str) -> None:
    """It ends the login: the next source is for users without a token here, not for a broken command."""
    text, said = FAILURES[kind]
    command.shell(text)
    began = time.monotonic()
    result = login(**command.config(",signin"))
    assert time.monotonic() - began < 5 * login.stage.build.slowness
    assert result.code == "PAM_AUTH_ERR"
    assert nothing_sent(standin)
    assert said in result.log
    assert str(command.path) in result.log
    assert command.processes() == []


def test_command_with_a_wrong_token(login: Login, standin: Standin, command: Command) -> None:
    command.token.claims["client_id"] = "another"
    command.token_file.write_text(str(command.token))
    command.shell("cat TOKEN")
    result = login(**command.config(",signin"))
    assert result.code == "PAM_AUTH_ERR"
    assert result.results == ["token-refused"]
    assert nothing_sent(standin)


# How long it may take, and what it may leave


@pytest.mark.parametrize(
    "text",
    [
        "touch WORK/runs; sleep 60",
        "cat TOKEN; touch WORK/runs; sleep 60",
        "cat TOKEN; exec >&- 2>&-; touch WORK/runs; sleep 60",
        "trap '' TERM HUP INT; touch WORK/runs; sleep 60 & sleep 60",
        "cat TOKEN; touch WORK/runs; kill -STOP $$",
        "touch WORK/runs; while :; do printf a; sleep 0.02; done",
    ],
    ids=["silent", "after-a-token", "output-closed", "deaf", "stopped", "trickle"],
)
def test_command_that_hangs(hosts: Hosts, standin: Standin, command: Command, text: str) -> None:
    command.shell(text)
    with hosts(**command.config(",signin"), request_timeout=1) as host:
        host.start()
        began = time.monotonic()
        assert host.call("authenticate") == "PAM_AUTH_ERR"
        assert 0.9 < time.monotonic() - began < 2 * hosts.stage.build.slowness
        assert command.processes() == []
        host.end()
    assert (command.work / "runs").exists()
    assert nothing_sent(standin)


@pytest.mark.parametrize(
    "rest, answer",
    [
        ("wait(); os.write(1, open('TOKEN', 'rb').read())", True),
        ("wait(); sys.exit(1)", False),
        ("wait(); time.sleep(60)", False),
        ("wait(); os.kill(os.getpid(), signal.SIGKILL)", False),
    ],
    ids=["good", "fails", "hangs", "killed"],
)
def test_command_that_leaves_a_daemon(hosts: Hosts, command: Command, code: Code, rest: str, answer: bool) -> None:
    """In a session of its own, deaf, with the output open: it neither delays the login nor outlives it."""
    command.python(f"{DAEMON}\ndaemon(lambda: time.sleep(60))\n{rest}")
    with hosts(stack=SECOND, **command.config(), request_timeout=2) as host:
        host.start()
        left: list[int] = []

        def look() -> str:
            left.extend(command.processes())
            return code()

        began = time.monotonic()
        expected = "PAM_SUCCESS" if answer else "PAM_AUTH_ERR"
        assert host.call("authenticate", [look] if answer else []) == expected
        assert time.monotonic() - began < (3 if "60" in rest else 2) * hosts.stage.build.slowness
        assert left + command.processes() == []
        host.end()
    assert (command.work / "daemon").exists()


def test_command_of_a_host_that_dies(hosts: Hosts, command: Command) -> None:
    """The client hangs up, say, and sshd goes: the command and all that it started go too."""
    command.python(f"{DAEMON}\ndaemon(lambda: time.sleep(60))\nwait(); open('WORK/runs', 'w').close(); time.sleep(60)")
    with hosts(stack=SECOND, **command.config(), request_timeout=60) as host:
        host.start()

        def kill() -> None:
            command.wait_for("runs")
            os.kill(host.pid, signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        with pytest.raises((AssertionError, BrokenPipeError)):
            host.call("authenticate")
        killer.join()
        host.expect_death(signal.SIGKILL)
        command.wait_for_none(1.0)
        leftovers.wait_for_no_helper(hosts.stage.build.command)
        leftovers.wait_for_no_helper(hosts.stage.build.helper)


def test_program_that_is_killed(hosts: Hosts, standin: Standin, command: Command) -> None:
    """pam-cognito-command is gone: so is the command, and the login ends at once."""
    command.shell("touch WORK/runs; exec sleep 60")
    with hosts(stack=SECOND, **command.config(",signin"), request_timeout=60) as host:
        host.start()

        def kill() -> None:
            command.wait_for("runs")
            pid = leftovers.the_helper(hosts.stage.build.command)
            os.kill(pid, signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        began = time.monotonic()
        assert host.call("authenticate") not in ("PAM_SUCCESS", "PAM_IGNORE")
        killer.join()
        assert time.monotonic() - began < 3 * hosts.stage.build.slowness
        host.end()
        command.wait_for_none(1.0)
    assert nothing_sent(standin)
    assert str(hosts.stage.build.command) in "\n".join(map(str, host.watched.log))


def test_program_that_is_stopped(hosts: Hosts, standin: Standin, command: Command) -> None:
    """It does not answer any more: the login waits its time and a second. Then it can be killed, and is."""
    command.shell("touch WORK/runs; exec sleep 60")
    with hosts(stack=SECOND, **command.config(",signin"), request_timeout=1) as host:
        host.start()

        def stop() -> None:
            command.wait_for("runs")
            pid = leftovers.the_helper(hosts.stage.build.command)
            os.kill(pid, signal.SIGSTOP)

        stopper = threading.Thread(target=stop)
        stopper.start()
        began = time.monotonic()
        assert host.call("authenticate") not in ("PAM_SUCCESS", "PAM_IGNORE")
        stopper.join()
        assert time.monotonic() - began < 2 * hosts.stage.build.slowness
        host.end()
        command.wait_for_none(1.0)
    assert nothing_sent(standin)


# Whether it is run at all


def writable_by_group(command: Command) -> None:
    command.path.chmod(0o775)


def writable_by_all(command: Command) -> None:
    command.path.chmod(0o757)


def in_a_folder_of_a_group(command: Command) -> None:
    command.folder.chmod(0o775)


def in_a_folder_of_all(command: Command) -> None:
    command.folder.chmod(0o757)


def in_a_sticky_folder(command: Command) -> None:
    command.folder.chmod(0o1777)


def of_its_user(command: Command) -> None:
    os.chown(command.path, command.runner.id, command.runner.id)


def in_a_folder_of_its_user(command: Command) -> None:
    os.chown(command.folder, command.runner.id, command.runner.id)


def a_symlink(command: Command) -> None:
    command.path.symlink_to(command.path.rename(command.folder / "real"))


def a_dangling_symlink(command: Command) -> None:
    command.path.unlink()
    command.path.symlink_to(command.folder / "nowhere")


def through_a_symlink(command: Command) -> None:
    (command.folder / "link").symlink_to(command.folder)
    command.path = command.folder / "link" / "command"


def not_executable(command: Command) -> None:
    command.path.chmod(0o644)


def a_directory(command: Command) -> None:
    command.path.unlink()
    command.path.mkdir()


def a_fifo(command: Command) -> None:
    command.path.unlink()
    os.mkfifo(command.path, 0o700)


def a_socket(command: Command) -> None:
    command.path.unlink()
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(command.path))
    command.path.chmod(0o755)


UNSAFE = (
    writable_by_group, writable_by_all, in_a_folder_of_a_group, in_a_folder_of_all, in_a_sticky_folder, of_its_user,
    in_a_folder_of_its_user, a_symlink, a_dangling_symlink, through_a_symlink, not_executable, a_directory, a_fifo,
    a_socket,
)  # fmt: skip


@pytest.mark.parametrize("spoil", UNSAFE)
def test_unsafe_command(login: Login, standin: Standin, command: Command, spoil: Callable[[Command], None]) -> None:
    command.shell("touch WORK/ran; cat TOKEN")
    spoil(command)
    result = login(**command.config(",signin"))
    assert result.code == "PAM_SERVICE_ERR"
    assert str(command.path) in result.log
    assert nothing_sent(standin)
    assert not (command.work / "ran").exists()


def test_absent_command_falls_through(login: Login, command: Command, code: Code) -> None:
    steps = [(words.PASSWORD, PASSWORD), (words.ASKED, code)]
    assert login(steps, **command.config(",signin")).let_in


def test_path_is_a_template(login: Login, command: Command, code: Code) -> None:
    command.shell("cat TOKEN")
    command.path.rename(command.folder / f"for-{USER}-{SERVICE}")
    config = {**command.config(), "token": f"command:{command.folder}/for-%u-%s"}
    assert login([(words.ASKED, code)], stack=SECOND, **config).let_in


@pytest.mark.parametrize("name", ["..", ".hidden", "a/../command", "a/b"])
def test_name_that_leads_elsewhere(login: Login, standin: Standin, command: Command, name: str) -> None:
    command.shell("touch WORK/ran; cat TOKEN")
    for path in (command.folder / ".hidden", command.folder / "a" / "b"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(command.path.read_bytes())
        path.chmod(0o755)
    login.user = name
    for template in (f"{command.folder}/%u", f"{command.folder}/a/%u/command"):
        config = {**command.config(), "token": f"command:{template}"}
        result = login(stack=SECOND, username=USER, **config)
        assert result.code in ("PAM_USER_UNKNOWN", "PAM_SERVICE_ERR")
        assert nothing_sent(standin)
    assert not (command.work / "ran").exists()


# As whom


@pytest.mark.parametrize("kind", ["root", "0", "uid-0", "gid-0", "unknown", "empty", "number"])
def test_users_who_run_nothing(login: Login, standin: Standin, command: Command, ground: Path, kind: str) -> None:
    """Above all never root, by whatever name."""
    entries = Path("/etc/passwd").read_text()
    fake = ground / "passwd"
    fake.write_text(f"{entries}uid-0:x:0:64990::/:/bin/sh\ngid-0:x:64990:0::/:/bin/sh\n")
    fake.chmod(0o644)
    name = {"unknown": "pamcog-nobody-at-all", "empty": "", "number": str(command.runner.id)}.get(kind, kind)
    command.shell("touch WORK/ran; cat TOKEN")
    command.work.chmod(0o777)
    command.token_file.chmod(0o444)
    with covered(Path("/etc/passwd"), fake):
        result = login(token=f"command:{command.path},signin", token_command_user=name)
    assert result.code == "PAM_SERVICE_ERR"
    assert "token_command_user" in result.log
    assert name in result.log
    assert nothing_sent(standin)
    assert not (command.work / "ran").exists()


def test_no_user_is_named(login: Login, standin: Standin, command: Command) -> None:
    command.shell("touch WORK/ran; cat TOKEN")
    command.work.chmod(0o777)
    result = login(token=f"command:{command.path},signin")
    assert result.code == "PAM_SERVICE_ERR"
    assert "token_command_user" in result.log
    assert nothing_sent(standin)
    assert not (command.work / "ran").exists()


# What it is given

REPORT = """
import json
fds = {}
for fd in range(1024):
    try:
        fds[fd] = os.readlink(f'/proc/self/fd/{fd}').split(':')[0]
    except OSError:
        pass
status = dict(line.rstrip().split(':\\t', 1) for line in open('/proc/self/status') if ':\\t' in line)
report = {
    'argv': sys.argv, 'environ': open('/proc/self/environ').read(), 'fds': fds, 'cwd': os.getcwd(), 'umask': os.umask(0),
    'uids': os.getresuid(), 'gids': os.getresgid(), 'groups': sorted(os.getgroups()),
    'session': os.getsid(0) == os.getpid(), 'status': status,
    'parent': open(f'/proc/{os.getppid()}/comm').read().strip(),
}
with open('WORK/report', 'w') as file:
    json.dump(report, file)
os.write(1, open('TOKEN', 'rb').read())
"""


@pytest.fixture
def report(command: Command) -> Callable[[], dict[str, Any]]:
    """What the command says of itself."""
    command.python(REPORT)
    return lambda: json.loads((command.work / "report").read_text())


def test_arguments(login: Login, command: Command, code: Code, report: Any) -> None:
    assert login([(words.ASKED, code)], stack=SECOND, **command.config()).let_in
    assert report()["argv"] == [str(command.path), USER, SERVICE, socket.gethostname()]


def test_environment(login: Login, command: Command, code: Code, report: Any) -> None:
    """Whatever the caller exports. The order is nobody's business."""
    environment = {"CANARY": "1", "PATH": "/nonexistent:/usr/sbin:/usr/bin", "HOME": "/tmp", "LD_LIBRARY_PATH": "/tmp"}
    result = login([(words.ASKED, code)], stack=SECOND, environment=environment, **command.config())
    assert result.let_in
    entry = pwd.getpwnam(RUNNER)
    assert sorted(report()["environ"].rstrip("\0").split("\0")) == sorted([
        "PATH=/usr/bin:/bin", f"HOME={entry.pw_dir}", f"USER={RUNNER}", f"LOGNAME={RUNNER}", f"SHELL={entry.pw_shell}",
    ])  # fmt: skip


def test_descriptors(hosts: Hosts, command: Command, code: Code, report: Any) -> None:
    with hosts(stack=SECOND, **command.config()) as host:
        host.do("open_inheritable", "/etc/passwd")
        host.start()
        assert host.call("authenticate", [code]) == "PAM_SUCCESS"
        host.end()
    assert report()["fds"] == {"0": "/dev/null", "1": "pipe", "2": "/dev/null"}


@pytest.mark.parametrize("how", ["signals", "limits"])
def test_rights(hosts: Hosts, command: Command, code: Code, report: Any, how: str) -> None:
    """The user's own and no others, from a host that ignores signals or has next to no descriptors left."""
    with hosts(stack=SECOND, **command.config()) as host:
        host.do(f"odd_{how}")
        host.start()
        assert host.call("authenticate", [code]) == "PAM_SUCCESS"
        host.end()
    said, runner = report(), command.runner.id
    assert said["uids"] == said["gids"] == [runner] * 3
    assert said["groups"] == sorted(os.getgrouplist(RUNNER, runner))
    assert len(said["groups"]) == 2
    assert said["status"]["NoNewPrivs"] == "1"
    for capabilities in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(said["status"][capabilities], 16) == 0
    assert int(said["status"]["SigBlk"], 16) == 0
    # SIGPIPE and SIGXFSZ are Python's own doing.
    own = 1 << signal.SIGPIPE - 1 | 1 << signal.SIGXFSZ - 1
    assert int(said["status"]["SigIgn"], 16) & ~own == 0
    assert said["session"] and said["cwd"] == "/"
    assert said["parent"].startswith("pam-cognito-com")


# pam-cognito-command itself


def test_program_missing(login: Login, standin: Standin, command: Command, ground: Path) -> None:
    build = login.stage.build
    command.shell("touch WORK/ran; cat TOKEN")
    others = ground / "libexec"
    others.mkdir()
    (others / build.helper.name).write_bytes(build.helper.read_bytes())
    (others / build.helper.name).chmod(0o755)
    with covered(build.command.parent, others):
        result = login(**command.config(",signin"))
    assert result.code == "PAM_SERVICE_ERR"
    assert str(build.command) in result.log
    assert nothing_sent(standin)
    assert not (command.work / "ran").exists()


STRANGERS = {
    "not-executable": ("", 0o644),
    "ends": ("#!/bin/sh\nexit 0\n", 0o755),
    "echoes": ("#!/bin/sh\nexec cat <&3 >&3\n", 0o755),
    "babbles": ("#!/bin/sh\nexec cat /dev/zero >&3\n", 0o755),
    "stands-still": ("#!/bin/sh\nexec sleep 60\n", 0o755),
}


@pytest.mark.parametrize("kind", STRANGERS)
def test_not_our_program(hosts: Hosts, standin: Standin, command: Command, ground: Path, kind: str) -> None:
    """Something else in its place: never a success, and never a long wait."""
    text, mode = STRANGERS[kind]
    other = ground / "program"
    other.write_text(text)
    other.chmod(mode)
    command.shell("cat TOKEN")
    with covered(hosts.stage.build.command, other), hosts(**command.config(",signin"), request_timeout=1) as host:
        host.start()
        began = time.monotonic()
        assert host.call("authenticate") in ("PAM_SERVICE_ERR", "PAM_SYSTEM_ERR", "PAM_AUTHINFO_UNAVAIL", "PAM_AUTH_ERR")
        assert time.monotonic() - began < 3 * hosts.stage.build.slowness
        host.end()
    assert str(hosts.stage.build.command) in "\n".join(map(str, host.watched.log))
    assert nothing_sent(standin)


# The host


@pytest.mark.parametrize("how", ["count", "ignore", "reap"])
def test_children_of_the_host(hosts: Hosts, command: Command, code: Code, how: str) -> None:
    """The host gets no signal and no child of ours, whatever the command does, and keeps its own."""
    with hosts(stack=SECOND, **command.config(), request_timeout=1) as host:
        if how != "count":
            host.do("behave", how)
        for text, answers, expected in (
            ("cat TOKEN", [code], "PAM_SUCCESS"),
            ("cat TOKEN; exit 1", [], "PAM_AUTH_ERR"),
            ("sleep 60", [], "PAM_AUTH_ERR"),
        ):
            command.shell(text)
            if how == "count":
                host.do("behave", "count")
            host.start()
            assert host.call("authenticate", answers) == expected
            host.end()
        assert host.do("report") == {"signals": 0, "reaped": []}


def test_host_keeps_its_own_child(hosts: Hosts, command: Command, code: Code) -> None:
    command.shell("cat TOKEN")
    with hosts(stack=SECOND, **command.config()) as host:
        host.do("start_own")
        host.start()
        assert host.call("authenticate", [code]) == "PAM_SUCCESS"
        host.end()
        assert host.do("own_status") == 42


@pytest.mark.parametrize(
    "text, expected",
    [
        ("cat TOKEN", "PAM_SUCCESS"),
        ("exit 1", "PAM_AUTH_ERR"),
        ("sleep 60", "PAM_AUTH_ERR"),
        ("cat /dev/zero", "PAM_AUTH_ERR"),
        (None, "PAM_SERVICE_ERR"),
    ],
    ids=["good", "fails", "hangs", "floods", "unsafe"],
)
def test_host_is_as_before(
    hosts: Hosts, command: Command, code: Code, text: str | None, expected: str
) -> None:
    command.shell(text or "cat TOKEN", 0o755 if text else 0o777)
    with hosts(stack=SECOND, **command.config(), request_timeout=1) as host:
        host.do("odd_signals")
        host.start()
        before = host.state()
        answers = [code] if expected == "PAM_SUCCESS" else []
        assert host.call("authenticate", answers) == expected
        assert host.state() == before
        host.end()
        assert host.state() == before


def test_waiting_host_holds_the_helper_alone(hosts: Hosts, command: Command, code: Code) -> None:
    """While the code prompt waits, nothing of the command is left: no descriptor, no process."""
    command.shell("cat TOKEN")
    with hosts(stack=SECOND, **command.config()) as host:
        host.start()
        before = set(os.listdir(f"/proc/{host.pid}/fd"))
        new: list[str] = []

        def look() -> str:
            names = set(os.listdir(f"/proc/{host.pid}/fd")) - before
            new.extend(os.readlink(f"/proc/{host.pid}/fd/{name}").split("[")[0] for name in names)
            assert leftovers.helpers(hosts.stage.build.command) == []
            assert command.processes() == []
            return code()

        assert host.call("authenticate", [look]) == "PAM_SUCCESS"
        host.end()
    assert sorted(name.split(":")[0] for name in new) == ["anon_inode", "socket"]
