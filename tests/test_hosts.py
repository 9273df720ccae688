"""Guests in someone's process: hostile environments, helpers that fail, and hosts with children of their own."""

import os
import pwd
import signal
import socket
import stat
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from harness import leftovers, words
from harness.accounts import Account
from harness.build import Build
from harness.dialogue import Step
from harness.hosts import CONVERSATION_FAILS, Hosts
from harness.login import Login
from harness.machine import covered, passable
from harness.people import PASSWORD, WRONG_PASSWORD
from harness.stage import SOLE
from standin import Standin

Code = Callable[[], str]

SIGN_IN: Step = (words.PASSWORD, PASSWORD)
SEND = "GetUserAttributeVerificationCode"
VERIFY = "VerifyUserAttribute"


# The environment of the host


@contextmanager
def trap() -> Iterator[socket.socket]:
    """A port where nobody should ever connect."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening
        with pytest.raises(BlockingIOError):
            listening.accept()


def test_hostile_environment(login: Login, standin: Standin, code: Code, ground: Path) -> None:
    """Whatever the caller exports: no proxy, no file, no other certificates, no other names."""
    ground.chmod(0o777)
    curlrc = ground / ".curlrc"
    with trap() as elsewhere:
        proxy = f"http://127.0.0.1:{elsewhere.getsockname()[1]}"
        curlrc.write_text(f'proxy = "{proxy}"\n')
        before = set(ground.iterdir())
        environment = {
            **dict.fromkeys(("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"), proxy),
            "SSLKEYLOGFILE": f"{ground}/keys",
            "SSL_CERT_FILE": "/dev/null",
            "SSL_CERT_DIR": "/nonexistent",
            "CURL_CA_BUNDLE": "/nonexistent",
            "CURL_HOME": str(ground),
            "CURL_SSL_BACKEND": "none",
            "CURL_ENTROPY": "1",
            "HOME": str(ground),
            "NETRC": f"{ground}/netrc",
            "TMPDIR": str(ground),
            "OPENSSL_CONF": f"{ground}/openssl.cnf",
            "OPENSSL_MODULES": str(ground),
            "OPENSSL_ENGINES": str(ground),
            "HOSTALIASES": f"{ground}/aliases",
            "RES_OPTIONS": "attempts:0",
            "LOCALDOMAIN": "example.net",
            "LANG": "tr_TR.UTF-8",
            "TZ": f":{ground}/zone",
            "MALLOC_TRACE": f"{ground}/malloc",
            "PAM_COGNITO_CONF": f"{ground}/other.conf",
        }
        assert login([SIGN_IN, (words.ASKED, code)], environment=environment).let_in
    assert set(ground.iterdir()) == before
    assert len(standin.journal.connections) == 1


def test_certificates_of_the_environment_do_not_count(login: Login, standin: Standin, ground: Path) -> None:
    environment = {"SSL_CERT_FILE": str(standin.ca_file), "SSL_CERT_DIR": str(standin.ca_path)}
    result = login([SIGN_IN], environment=environment, ca_path=ground)
    assert result.code == "PAM_AUTHINFO_UNAVAIL"
    assert standin.journal.operations() == []


# The helper, seen while the prompt waits


def status_of(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


class Look:
    """Looks at the helper when the code is asked for, and gives the right code."""

    def __init__(self, build: Build, code: Code, look: Callable[[int], None]) -> None:
        self._build, self._code, self._look = build, code, look

    def __call__(self) -> str:
        self._look(leftovers.the_helper(self._build.helper))
        return self._code()


def drops_rights(pid: int, user: pwd.struct_passwd) -> None:
    status = status_of(pid)
    assert status["Uid"].split() == [str(user.pw_uid)] * 4
    assert status["Gid"].split() == [str(user.pw_gid)] * 4
    assert set(status["Groups"].split()) <= {str(user.pw_gid)}
    assert status["NoNewPrivs"] == "1"
    for capabilities in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(status[capabilities], 16) == 0


def test_helper_rights(login: Login, code: Code) -> None:
    user = pwd.getpwnam(login.stage.build.helper_user)
    look = Look(login.stage.build, code, lambda pid: drops_rights(pid, user))
    assert login([SIGN_IN, (words.ASKED, look)]).let_in


def has_clean_start(pid: int) -> None:
    proc = Path(f"/proc/{pid}")
    assert (proc / "environ").read_bytes() == b""
    assert PASSWORD.encode() not in (proc / "cmdline").read_bytes()
    status = status_of(pid)
    assert int(status["SigBlk"], 16) == 0
    assert int(status["SigIgn"], 16) in (0, 1 << signal.SIGPIPE - 1)
    session = (proc / "stat").read_text().rpartition(")")[2].split()[3]
    assert int(session) == pid


def test_helper_start(login: Login, code: Code) -> None:
    look = Look(login.stage.build, code, has_clean_start)
    assert login([SIGN_IN, (words.ASKED, look)], environment={"CANARY": "1"}).let_in


def is_closed_up(pid: int) -> None:
    """Not dumpable: its files in /proc belong to root although it does not. No core either."""
    assert Path(f"/proc/{pid}/environ").stat().st_uid == 0
    limits = Path(f"/proc/{pid}/limits").read_text().splitlines()
    (core,) = [line.split()[4:6] for line in limits if line.startswith("Max core file size")]
    assert core == ["0", "0"]


def test_helper_leaves_no_core(login: Login, code: Code) -> None:
    look = Look(login.stage.build, code, is_closed_up)
    assert login([SIGN_IN, (words.ASKED, look)]).let_in


def open_files(pid: int) -> dict[int, str]:
    folder = Path(f"/proc/{pid}/fd")
    return {int(name): os.readlink(folder / name) for name in os.listdir(folder)}


def has_few_descriptors(pid: int) -> None:
    """The three of every process, the one to the host, and what its connection needs: nothing of the host's."""
    found = open_files(pid)
    assert [found[number] for number in (0, 1, 2)] == ["/dev/null"] * 3
    assert found[3].startswith("socket:")
    others = [name for number, name in found.items() if number > 3]
    assert all(name.startswith(("socket:", "anon_inode:")) for name in others), found


def test_helper_descriptors(hosts: Hosts, code: Code) -> None:
    """The host has files open that every child inherits."""
    with hosts() as host:
        host.do("open_inheritable", "/etc/passwd")
        look = Look(hosts.stage.build, code, has_few_descriptors)
        host.start()
        assert host.call("authenticate", [PASSWORD, look]) == "PAM_SUCCESS"
        host.end()


@pytest.mark.parametrize("how", ["signals", "limits"])
def test_helper_of_an_odd_host(hosts: Hosts, code: Code, how: str) -> None:
    """A host that ignores and blocks signals, or has next to nothing left of its limits."""
    with hosts() as host:
        host.do(f"odd_{how}")
        look = Look(hosts.stage.build, code, has_clean_start)
        host.start()
        assert host.call("authenticate", [PASSWORD, look]) == "PAM_SUCCESS"
        host.end()


def test_host_that_is_not_root(login: Login, account: Account, code: Code) -> None:
    """A screen locker, say: the helper is the caller, and closed up all the same."""

    def look(pid: int) -> None:
        status = status_of(pid)
        assert status["Uid"].split() == status["Gid"].split() == [str(account.id)] * 4
        assert status["NoNewPrivs"] == "1"
        # A build with sanitizers stays open to its own leak checker, which traces it.
        if not build.host_preload:
            is_closed_up(pid)

    build = login.stage.build
    os.chown(login.stage.write_config(), account.id, account.id)
    as_user = ["setpriv", f"--reuid={account.id}", f"--regid={account.id}", "--clear-groups"]
    steps = [SIGN_IN, (words.ASKED, Look(build, code, look))]
    with passable(build.helper), passable(build.pamdir / "x"):
        assert login.again(steps, before=as_user).let_in


# Helpers that fail


@pytest.mark.valgrind
def test_helper_killed_at_the_prompt(login: Login, standin: Standin, code: Code) -> None:
    answered: list[float] = []

    def kill() -> str:
        os.kill(leftovers.the_helper(login.stage.build.helper), signal.SIGKILL)
        answered.append(time.monotonic())
        return code()

    result = login([SIGN_IN, (words.ASKED, kill)])
    assert not result.let_in
    assert time.monotonic() - answered[0] < 2 * login.stage.build.slowness
    assert not standin.journal.requests(VERIFY)


def test_helper_killed_at_the_password(login: Login, standin: Standin) -> None:
    def kill() -> str:
        os.kill(leftovers.the_helper(login.stage.build.helper), signal.SIGKILL)
        return PASSWORD

    assert not login([(words.PASSWORD, kill)]).let_in
    assert not standin.journal.requests(SEND)


def test_helper_stopped(login: Login, standin: Standin, code: Code) -> None:
    """It answers nothing any more: the host waits its time and a second, and then it is gone."""

    def stop() -> str:
        os.kill(leftovers.the_helper(login.stage.build.helper), signal.SIGSTOP)
        return code()

    began = time.monotonic()
    assert not login([SIGN_IN, (words.ASKED, stop)], request_timeout=1).let_in
    assert time.monotonic() - began < 3 * login.stage.build.slowness
    assert not standin.journal.requests(VERIFY)


def test_host_killed_at_the_prompt(hosts: Hosts) -> None:
    """The helper dies with its peer."""
    with hosts() as host:
        build = hosts.stage.build

        def check() -> Any:
            assert leftovers.the_helper(build.helper)
            os.kill(host.pid, signal.SIGKILL)
            leftovers.wait_for_no_helper(build.helper)
            return ""

        host.start()
        with pytest.raises((AssertionError, BrokenPipeError)):
            host.call("authenticate", [PASSWORD, check])
        host.expect_death(signal.SIGKILL)


@pytest.mark.valgrind
def test_helper_missing(login: Login, standin: Standin, ground: Path) -> None:
    with covered(login.stage.build.helper.parent, ground):
        result = login()
    assert result.code == "PAM_SERVICE_ERR"
    assert str(login.stage.build.helper) in result.log
    assert not standin.journal.connections


def test_helper_not_executable(login: Login, standin: Standin, ground: Path) -> None:
    plain = ground / "helper"
    plain.write_bytes(login.stage.build.helper.read_bytes())
    plain.chmod(0o644)
    with covered(login.stage.build.helper, plain):
        result = login()
    assert result.code == "PAM_SERVICE_ERR"
    assert str(login.stage.build.helper) in result.log


def test_helper_user_unknown(hosts: Hosts, standin: Standin, ground: Path) -> None:
    name = hosts.stage.build.helper_user
    others = ground / "passwd"
    lines = Path("/etc/passwd").read_text().splitlines(keepends=True)
    others.write_text("".join(line for line in lines if not line.startswith(f"{name}:")))
    with covered(Path("/etc/passwd"), others), hosts() as host:
        host.start()
        assert host.call("authenticate", [PASSWORD], all_used=False) == "PAM_SERVICE_ERR"
        host.end()
    assert any(name in line.text for line in host.watched.lines if line.priority == "err")
    assert not standin.journal.connections


STRANGERS = {
    "ends": "#!/bin/sh\nexit 0\n",
    "fails": "#!/bin/sh\nexit 1\n",
    "echoes": "#!/bin/sh\nexec cat <&3 >&3\n",
    "babbles": "#!/bin/sh\nexec cat /dev/zero >&3\n",
    "stands-still": "#!/bin/sh\nexec sleep 60\n",
    "no-program": "\x7fELF and nothing more\n",
}


@pytest.mark.parametrize("kind", STRANGERS)
def test_not_our_helper(hosts: Hosts, standin: Standin, ground: Path, kind: str) -> None:
    """Something else at its place: never a success, and never a long wait."""
    other = ground / "helper"
    other.write_text(STRANGERS[kind])
    other.chmod(0o755)
    began = time.monotonic()
    with covered(hosts.stage.build.helper, other), hosts(request_timeout=1) as host:
        host.start()
        code = host.call("authenticate", [PASSWORD], all_used=False)
        host.end()
    assert code in ("PAM_SERVICE_ERR", "PAM_SYSTEM_ERR", "PAM_AUTHINFO_UNAVAIL")
    assert time.monotonic() - began < 4 * hosts.stage.build.slowness
    assert not standin.journal.connections


# Children


def test_no_sigchld(hosts: Hosts, code: Code, wrong: Code) -> None:
    with hosts() as host:
        host.do("behave", "count")
        host.start()
        assert host.call("authenticate", [PASSWORD, wrong, code]) == "PAM_SUCCESS"
        assert host.call("authenticate", [WRONG_PASSWORD]) == "PAM_AUTH_ERR"
        host.end()
        assert host.do("report") == {"signals": 0, "reaped": []}


def test_no_sigchld_without_a_helper(hosts: Hosts, ground: Path) -> None:
    with covered(hosts.stage.build.helper.parent, ground), hosts() as host:
        host.do("behave", "count")
        host.start()
        assert host.call("authenticate") == "PAM_SERVICE_ERR"
        host.end()
        assert host.do("report") == {"signals": 0, "reaped": []}


def test_host_that_ignores_sigchld(hosts: Hosts, code: Code) -> None:
    with hosts() as host:
        host.do("behave", "ignore")
        host.start()
        assert host.call("authenticate", [PASSWORD, code]) == "PAM_SUCCESS"
        host.end()


def test_host_that_reaps_everything(hosts: Hosts, code: Code) -> None:
    """Its waitpid(-1) never gets a child of ours, and we do not miss one."""
    with hosts() as host:
        host.do("behave", "reap")
        host.start()
        assert host.call("authenticate", [PASSWORD, code]) == "PAM_SUCCESS"
        host.end()
        assert host.do("report") == {"signals": 0, "reaped": []}


def test_host_keeps_its_own_children(hosts: Hosts, code: Code) -> None:
    with hosts() as host:
        host.do("start_own")
        host.start()
        assert host.call("authenticate", [PASSWORD, code]) == "PAM_SUCCESS"
        host.end()
        assert host.do("own_status") == 42


# The state of the host


ENDINGS = {
    "let-in": ([PASSWORD, "code"], "PAM_SUCCESS", {}),
    "wrong-password": ([WRONG_PASSWORD], "PAM_AUTH_ERR", {}),
    "wrong-code": ([PASSWORD, "wrong"], "PAM_MAXTRIES", {"max_tries": 1}),
    "no-answer": ([PASSWORD, CONVERSATION_FAILS], "PAM_CONV_ERR", {}),
    "no-password": ([CONVERSATION_FAILS], "PAM_CONV_ERR", {}),
    "bad-config": ([], "PAM_SERVICE_ERR", {"max_tries": 0}),
    "no-server": ([PASSWORD], "PAM_AUTHINFO_UNAVAIL", {"endpoint": "https://127.0.0.1:1"}),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_host_is_as_before(hosts: Hosts, code: Code, wrong: Code, name: str) -> None:
    """Each call and the end see to it themselves; here the host has signals that are not as usual."""
    answers, expected, config = ENDINGS[name]
    given = [{"code": code, "wrong": wrong}.get(one, one) if isinstance(one, str) else one for one in answers]
    with hosts(**config) as host:
        host.do("odd_signals")
        host.start()
        assert host.call("authenticate", given) == expected
        host.call("acct_mgmt")
        host.end()


def test_pending_record_ends_with_the_handle(hosts: Hosts, code: Code) -> None:
    """Until then the helper waits; its descriptors are the only ones that are new."""
    stack = "auth [cred_insufficient=ignore default=die] pam_cognito_code.so\nauth required pam_permit.so\n"
    with hosts(stack=stack) as host:
        host.start()
        before = host.state()
        assert host.call("authenticate", [PASSWORD, code]) == "PAM_SUCCESS"
        pending = host.state()
        assert leftovers.the_helper(hosts.stage.build.helper)
        new = set(pending["descriptors"].items()) - set(before["descriptors"].items())
        assert all(name.startswith(("socket:", "anon_inode:[pidfd]")) for _, name in new)
        assert {**pending, "descriptors": {}} == {**before, "descriptors": {}}
        host.end()
        assert host.state() == before
        leftovers.wait_for_no_helper(hosts.stage.build.helper)


def test_two_handles(hosts: Hosts, code: Code) -> None:
    """One after the other in one process, as sshd's monitor and su do."""
    with hosts() as host:
        for _ in range(2):
            host.start()
            assert host.call("authenticate", [PASSWORD, code]) == "PAM_SUCCESS"
            host.end()


# Conversations that no terminal can have


def test_null_answer(hosts: Hosts, standin: Standin) -> None:
    with hosts() as host:
        host.start()
        assert host.call("authenticate", [PASSWORD, None]) == "PAM_AUTH_ERR"
        host.end()
    assert not standin.journal.requests(VERIFY)


@pytest.mark.parametrize(
    "answer",
    ["1" * 2049, "123\x1b456", "123\x7f456", "123\t456", "123\n456", "123 456", "123\x01"],
    ids=["long", "escape", "delete", "tab", "newline", "blank", "control"],
)
def test_unusable_answer(hosts: Hosts, standin: Standin, answer: str) -> None:
    with hosts(max_tries=1) as host:
        host.start()
        assert host.call("authenticate", [PASSWORD, answer]) == "PAM_AUTH_ERR"
        host.end()
    assert not standin.journal.requests(VERIFY)


def test_longest_answer(hosts: Hosts, standin: Standin) -> None:
    with hosts(max_tries=1) as host:
        host.start()
        assert host.call("authenticate", [PASSWORD, "1" * 2048]) == "PAM_MAXTRIES"
        host.end()
    assert standin.journal.requests(VERIFY)[0].body["Code"] == "1" * 2048


@pytest.mark.parametrize("length", [1, 5, 13, 40])
@pytest.mark.parametrize("first", ["", "auth optional pam_unix.so nodelay\n"], ids=["asked-here", "asked-before"])
def test_user_whom_sshd_barred(hosts: Hosts, standin: Standin, first: str, length: int) -> None:
    """sshd answers in the name of such a user, at the length of what he typed; nothing may be sent."""
    with hosts(stack=first + SOLE) as host:
        host.start()
        answers = [("\b\n\r\x7fINCORRECT" * 4)[:length], PASSWORD]
        assert host.call("authenticate", answers, all_used=False) != "PAM_SUCCESS"
        host.end()
    assert standin.journal.operations() in ([], ["jwks"])


def test_prompts_are_bounded(hosts: Hosts, standin: Standin) -> None:
    """Someone who presses Enter for ever comes to an end."""
    with hosts(resend_delay=3600) as host:
        host.start()
        assert host.call("authenticate", [PASSWORD, *[""] * 1000], all_used=False) != "PAM_SUCCESS"
        host.end()
    assert len(host.prompts) < 100
    assert len(standin.pool.outbox) == 1


def test_prompt_styles(hosts: Hosts, code: Code) -> None:
    """One prompt carries all text: nothing is said beside it."""
    with hosts() as host:
        host.start()
        assert host.call("authenticate", [PASSWORD, code]) == "PAM_SUCCESS"
        host.end()
    assert host.prompts == [(1, words.PASSWORD), (2, words.ASKED)]


def test_modes(installed: Build) -> None:
    """Nothing that is installed can be changed by others, and nothing is set-user-id."""
    for path in (installed.helper, *installed.pamdir.glob("pam_cognito_*.so")):
        mode = path.stat().st_mode
        assert stat.S_ISREG(mode) and not mode & (stat.S_IWGRP | stat.S_IWOTH | stat.S_ISUID | stat.S_ISGID)
