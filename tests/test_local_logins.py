"""The real su, sudo and login with the stacks that ship for them, at a terminal."""

import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Iterator

import pytest
from harness import hostile, leftovers, shipped, terminal, words
from harness.accounts import Account, groups
from harness.dialogue import KILLED, Given, Step
from harness.inotify import Inotify
from harness.machine import GROUND
from harness.people import EMAIL, LOCAL_PASSWORD, OTHER, PASSWORD, USER
from harness.process import Process
from harness.stage import Stage, Value
from harness.terminal import INSIDE, Result
from standin import Standin, User

# None of these programs can be loaded with a sanitizer: they are set-user-id.
pytestmark = pytest.mark.uninstrumented

Code = Callable[[], str]

SEND = "GetUserAttributeVerificationCode"
VERIFY = "VerifyUserAttribute"
NO_SERVER = "https://127.0.0.1:1"
UNAVAILABLE = "The sign-in service is unavailable. Try again later.\n"

LOCAL: Step = (words.PASSWORD, LOCAL_PASSWORD)
SIGN_IN: Step = (words.SECOND_PASSWORD, PASSWORD)
WRONG = "not-the-passw0rd"

TIMESTAMPS = GROUND / "sudo-timestamps"
SUDOERS = f"""
Defaults !fqdn, lecture=never, !mail_badpass, timestamp_timeout=0, timestampdir={TIMESTAMPS}
{USER} ALL=(ALL:ALL) ALL
"""


@pytest.fixture
def services(stage: Stage) -> Callable[..., None]:
    """The shipped files in their places, as their comments say, and the config file with these keys."""

    def write(more: str = "", **config: Value) -> None:
        stage.write_config(**config)
        for name, service in (("su", "su"), ("su", "su-l"), ("sudo", "sudo"), ("sudo", "sudo-i"), ("login", "login")):
            shipped.install(stage, name, service)
        shutil.rmtree("/etc/sudoers.d", ignore_errors=True)
        Path("/etc/sudoers").unlink(missing_ok=True)
        Path("/etc/sudoers").write_text(SUDOERS + more)
        Path("/etc/sudoers").chmod(0o440)

    return write


@contextmanager
def remembering_nothing() -> Iterator[None]:
    """Neither before nor after."""
    shutil.rmtree(leftovers.STATE, ignore_errors=True)
    try:
        yield
    finally:
        shutil.rmtree(leftovers.STATE, ignore_errors=True)


class At:
    """A login by one of the programs."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def run(self, user: str, command: list[str], steps: list[Step], environment: dict[str, str] | None = None) -> Result:
        plain = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        return terminal.run(self.stage, terminal.as_user(user, command, {**plain, **(environment or {})}), steps)

    def su(self, steps: list[Step], *options: str, environment: dict[str, str] | None = None) -> Result:
        """Another user becomes ours."""
        return self.run(OTHER, ["su", *options, USER, "-c", f"echo {INSIDE}"], steps, environment)

    def sudo(self, steps: list[Step], *options: str, environment: dict[str, str] | None = None) -> Result:
        """Our user calls it."""
        return self.run(USER, ["sudo", *options, "echo", INSIDE], steps, environment)

    def login(self, steps: list[Step]) -> Result:
        """At the console, as getty starts it: it has asked for the name."""
        return terminal.run(self.stage, ["login", "--", USER], steps)


@pytest.fixture
def at(stage: Stage, account: Account) -> At:
    if absent := [name for name in ("su", "sudo", "login") if not shutil.which(name)]:
        pytest.skip(f"{', '.join(absent)} missing")
    return At(stage)


# su


def test_su(services: Callable[..., None], at: At, standin: Standin, code: Code) -> None:
    services()
    result = at.su([LOCAL, SIGN_IN, (words.ASKED, code)])
    assert result.let_in
    assert result.results == ["pending", "confirmed"]
    assert standin.journal.operations() == ["jwks", "InitiateAuth", SEND, VERIFY]
    assert at.su([LOCAL, SIGN_IN, (words.ASKED, code)], "-").let_in


def test_su_with_wrong_codes(services: Callable[..., None], at: At, wrong: Code) -> None:
    services()
    again: Step = (words.ASKED_AGAIN, wrong)
    result = at.su([LOCAL, SIGN_IN, (words.ASKED, wrong), again, again])
    assert not result.let_in
    assert result.talk.ending.startswith(words.NOT_RIGHT)


def test_su_with_a_wrong_password(services: Callable[..., None], at: At, standin: Standin) -> None:
    services()
    assert not at.su([(words.PASSWORD, WRONG)]).let_in
    assert not standin.journal.connections


def test_su_by_root(services: Callable[..., None], at: At, standin: Standin) -> None:
    """Root is asked nothing."""
    services()
    assert terminal.run(at.stage, ["su", USER, "-c", f"echo {INSIDE}"], []).let_in
    assert not standin.journal.connections


SLOW_START = Path(__file__).parent / "harness/slow_start.c"


class Starting:
    """Waits for the two processes that share su's memory while they start the helper, and does something with them."""

    def __init__(self, do: Callable[[list[int]], None]) -> None:
        self._do = do
        self.seen: list[int] = []
        self._thread = threading.Thread(target=self._watch)

    def password(self) -> str:
        self._thread.start()
        return LOCAL_PASSWORD

    def join(self) -> list[int]:
        self._thread.join()
        assert len(self.seen) == 2, self.seen
        return self.seen

    def _watch(self) -> None:
        end = time.monotonic() + 10
        while len(self.seen) < 2 and time.monotonic() < end:
            programs = (pid for pid in leftovers.processes() if Process(pid).name == "su")
            self.seen = max((leftovers.descendants(pid) for pid in programs), key=len, default=[])
        self._do(self.seen)


@pytest.fixture
def slow_start(ground: Path) -> Iterator[None]:
    """Draws out the start of the helper, for su too."""
    if not shutil.which("cc"):
        pytest.skip("a library has to be compiled for it: no cc")
    ground.chmod(0o755)
    library, preloaded = ground / "slow_start.so", Path("/etc/ld.so.preload")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, SLOW_START], check=True)
    preloaded.write_text(f"{library}\n")
    yield
    preloaded.unlink()


def test_caller_cannot_signal_what_shares_the_memory_of_su(
    services: Callable[..., None], at: At, code: Code, slow_start: None
) -> None:
    """One of two that share a stack would be stopped, and the other one killed: su goes on, and takes the stack away."""
    signalled: list[int] = []

    def try_to_signal(processes: list[int]) -> None:
        for pid in processes:
            command = [*terminal.as_user(OTHER, [], {})[:4], "sh", "-c", f"kill -0 {pid}"]
            done = subprocess.run(command, capture_output=True, text=True)
            assert done.returncode == 0 or "not permitted" in done.stderr, done
            signalled.extend([pid] if done.returncode == 0 else [])

    services()
    starting = Starting(try_to_signal)
    result = at.su([(words.PASSWORD, starting.password), SIGN_IN, (words.ASKED, code)])
    assert starting.join()
    assert result.let_in
    assert not signalled


def test_nothing_outlives_its_stack(services: Callable[..., None], at: At, standin: Standin, slow_start: None) -> None:
    """A control group can be frozen, and killed, by its owner, whoever runs in it: a caller of su may own one."""

    def stop_one_and_kill_the_other(processes: list[int]) -> None:
        starter, helper_to_be = processes
        os.kill(helper_to_be, signal.SIGSTOP)
        os.kill(starter, signal.SIGKILL)

    services()
    starting = Starting(stop_one_and_kill_the_other)
    result = at.su([(words.PASSWORD, starting.password)])
    _, helper_to_be = starting.join()
    ended = Process(helper_to_be).ended
    if not ended:
        os.kill(helper_to_be, signal.SIGKILL)
    assert ended
    assert not result.let_in
    assert result.results == ["helper"]
    assert not standin.journal.connections


def test_remembered_for_whoever_called_su(services: Callable[..., None], at: At, code: Code) -> None:
    """Another user of this host, who knows the passwords and waited for the terminal to become free, is asked."""
    command = ["su", USER, "-c", f"tty; echo {INSIDE}"]
    services(remember=600)
    with remembering_nothing():
        first = at.run(OTHER, command, [LOCAL, SIGN_IN, (words.ASKED, code)])
        again = at.run(OTHER, command, [LOCAL, SIGN_IN])
        another = at.run("nobody", command, [LOCAL, SIGN_IN, (words.ASKED, code)])
    assert first.let_in and again.let_in and another.let_in
    assert len({result.talk.ending.splitlines()[0] for result in (first, again, another)}) == 1


# The first factors of other distributions, of which docs/stacks.md tells

FEDORA = """
auth        required      pam_env.so
auth        sufficient    pam_unix.so nullok nodelay
auth        required      pam_deny.so
"""
SUSE = """
auth    required    pam_env.so
auth    required    pam_unix.so try_first_pass nodelay
"""


def instead_of_common_auth(stage: Stage, lines: str) -> None:
    ships = shipped.text(stage, "su")
    assert ships.count("@include common-auth\n") == 1
    stage.write_service("su", ships.replace("@include common-auth\n", lines + "\n"))


def lines_of_the_comment(stage: Stage) -> str:
    """What it says to write for `@include common-auth`."""
    return "\n".join(re.findall(r"(?m)^#       (auth .*)$", shipped.text(stage, "su")))


def lines_of_the_page(stage: Stage) -> str:
    """What it says to write where there is SSSD. Here pam_unix is in its place, and in pam_unix's one that knows nobody."""
    text = (stage.build.srcdir / "docs/stacks.md").read_text(encoding="utf-8")
    (block,) = [block for block in re.findall(r"```\n(.*?)```", text, re.DOTALL) if "pam_sss.so" in block]
    return block.replace("pam_unix.so", "pam_deny.so").replace(
        "pam_sss.so use_first_pass", "pam_unix.so nodelay"
    )


@pytest.mark.parametrize("lines", [lines_of_the_comment, lines_of_the_page], ids=["comment", "sssd"])
def test_first_factor(
    services: Callable[..., None], at: At, standin: Standin, code: Code, lines: Callable[[Stage], str]
) -> None:
    services()
    instead_of_common_auth(at.stage, lines(at.stage))
    assert not at.su([(words.PASSWORD, WRONG)]).let_in
    assert not standin.journal.connections
    assert at.su([LOCAL, SIGN_IN, (words.ASKED, code)]).let_in


@pytest.mark.parametrize("how", ["substack", "required"])
def test_first_factor_that_goes_on(services: Callable[..., None], at: At, standin: Standin, how: str) -> None:
    """Why the page says so: a wrong password is followed by the code step, and only then by a denial."""
    services()
    at.stage.write_service("system-auth", FEDORA)
    instead_of_common_auth(at.stage, "auth substack system-auth" if how == "substack" else SUSE)
    assert not at.su([(words.PASSWORD, WRONG), SIGN_IN, (words.ASKED, KILLED)]).let_in
    assert len(standin.pool.outbox) == 1


def test_first_factor_that_ends(services: Callable[..., None], at: At, standin: Standin) -> None:
    """Why the page says so: no code is asked."""
    services()
    at.stage.write_service("system-auth", FEDORA)
    instead_of_common_auth(at.stage, "auth include system-auth")
    assert at.su([LOCAL]).let_in
    assert not standin.journal.connections


# sudo

FOR_SUDO: Step = (f"[sudo] password for {USER}: ", LOCAL_PASSWORD)


def test_sudo(services: Callable[..., None], at: At, standin: Standin, code: Code) -> None:
    services()
    result = at.sudo([FOR_SUDO, SIGN_IN, (words.ASKED, code)])
    assert result.let_in
    assert result.results == ["pending", "confirmed"]
    assert standin.journal.operations() == ["jwks", "InitiateAuth", SEND, VERIFY]


def test_sudo_i(services: Callable[..., None], at: At, code: Code) -> None:
    """A service of its own."""
    services()
    assert at.sudo([FOR_SUDO, SIGN_IN, (words.ASKED, code)], "-i").let_in


def test_sudo_begins_again(services: Callable[..., None], at: At, standin: Standin, code: Code, wrong: Code) -> None:
    """After three wrong codes with the password, as often as passwd_tries says."""
    services()
    again: Step = (words.ASKED_AGAIN, wrong)
    failed = [FOR_SUDO, SIGN_IN, (words.ASKED, wrong), again, again]
    anew: Step = ("Sorry, try again.\n" + FOR_SUDO[0], LOCAL_PASSWORD)
    assert at.sudo([*failed, anew, SIGN_IN, (words.ASKED, code)]).let_in
    assert len(standin.pool.outbox) == 2
    services(more="Defaults passwd_tries=1\n")
    assert not at.sudo(failed).let_in


def test_sudo_says_why(services: Callable[..., None], at: At) -> None:
    """It tells the modules to be silent; since 1.9.16 sudoers may say otherwise."""
    services(more="Defaults passwd_tries=1\n", endpoint=NO_SERVER)
    assert UNAVAILABLE not in at.sudo([FOR_SUDO, SIGN_IN]).talk.ending
    if sudo_version() >= (1, 9, 16):
        services(more="Defaults passwd_tries=1, !pam_silent\n", endpoint=NO_SERVER)
        assert UNAVAILABLE in at.sudo([FOR_SUDO, SIGN_IN]).talk.ending


def sudo_version() -> tuple[int, ...]:
    said = subprocess.run(["sudo", "-V"], check=True, capture_output=True, text=True).stdout
    return tuple(map(int, re.findall(r"\d+", said)[:3]))


def test_sudo_with_a_wrong_password(services: Callable[..., None], at: At, standin: Standin) -> None:
    services(more="Defaults passwd_tries=1\n")
    assert not at.sudo([(FOR_SUDO[0], WRONG)]).let_in
    assert not standin.journal.connections


def test_sudo_remembers(services: Callable[..., None], at: At, standin: Standin, code: Code) -> None:
    """Within timestamp_timeout nothing is asked, and the guard does not mind; with nothing to remember it asks, or fails."""
    services(more="Defaults timestamp_timeout=15\n")
    twice = ["sh", "-c", f"sudo true && sudo -n echo {INSIDE}"]
    assert at.run(USER, twice, [FOR_SUDO, SIGN_IN, (words.ASKED, code)]).let_in
    assert len(standin.pool.outbox) == 1
    shutil.rmtree(TIMESTAMPS)
    assert not at.sudo([], "-n").let_in


# What the caller of a set-user-id program chooses

VARYING = re.compile(r"(request_id|ms)=\S+|\b\d{6}\b|pts/\d+")


@contextmanager
def trap() -> Iterator[str]:
    """The URL of a port where nobody should ever connect."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield "http://127.0.0.1:{}".format(listening.getsockname()[1])
        with pytest.raises(BlockingIOError):
            listening.accept()


def told(result: Result) -> tuple[str, list[str]]:
    """The screen and the log, without what is another each time."""
    lines = [VARYING.sub("", str(line)) for line in result.watched.lines]
    return VARYING.sub("", result.talk.seen), lines


@pytest.mark.parametrize("program", ["su", "sudo"])
def test_hostile_environment(
    services: Callable[..., None], at: At, standin: Standin, code: Code, wrong: Code, ground: Path, program: str
) -> None:
    """Nothing that it names is opened or made, nobody is connected to, and all is said and logged as without it."""
    services(max_tries=2)
    build = at.stage.build
    ways = {
        "su": lambda steps, **how: at.su([LOCAL, *steps], "-", **how),
        "sudo": lambda steps, **how: at.sudo([FOR_SUDO, *steps], **how),
    }
    login = ways[program]
    right = [SIGN_IN, (words.ASKED, wrong), (words.ASKED_AGAIN, code)]
    quiet = login(right)
    ground.chmod(0o777)
    with trap() as proxy:
        programs = [build.helper, *build.pamdir.glob("pam_cognito_*.so"), Path(shutil.which(program) or "")]
        environment = hostile.environment(ground, proxy, programs)
        assert len(environment) > 1000
        watch = Inotify([ground, *(ground / name for name in hostile.FOLDERS)])
        standin.journal.clear()
        loud = login(right, environment=environment)
        assert watch.touched() == set()
        watch.close()
    assert loud.let_in
    assert told(loud) == told(quiet)
    assert len(standin.journal.connections) == 1


def test_trap_is_sprung(ground: Path) -> None:
    """By a program that does read its environment."""
    names = ("SSLKEYLOGFILE", "OPENSSL_CONF")
    environment = hostile.environment(ground, "http://127.0.0.1:1", [])
    watch = Inotify([ground])
    script = "import ssl; ssl.create_default_context()"
    subprocess.run(["/usr/bin/python3", "-c", script], env={name: environment[name] for name in names}, check=True)
    assert watch.touched() >= {ground / name for name in names}
    watch.close()


def test_wrong_code_in_a_hostile_environment(
    services: Callable[..., None], at: At, standin: Standin, wrong: Code, ground: Path
) -> None:
    services(max_tries=1)
    ground.chmod(0o777)
    with trap() as proxy:
        environment = hostile.environment(ground, proxy, [at.stage.build.helper])
        assert not at.su([LOCAL, SIGN_IN, (words.ASKED, wrong)], "-", environment=environment).let_in
    assert len(standin.journal.requests(VERIFY)) == 1


# login

AT_THE_SHELL: Step = (re.compile(r"(?:.*\n)*\$ "), f"echo {INSIDE}; exit")
NEXT_NAME = re.compile(r"(?:.*\n)*\S+ login: ")


def test_login(services: Callable[..., None], at: At, standin: Standin, code: Code) -> None:
    services()
    result = at.login([LOCAL, SIGN_IN, (words.ASKED, code), AT_THE_SHELL])
    assert result.let_in
    assert result.results == ["pending", "confirmed"]
    assert standin.journal.operations() == ["jwks", "InitiateAuth", SEND, VERIFY]


def test_login_with_wrong_codes(services: Callable[..., None], at: At, wrong: Code) -> None:
    """login takes PAM_MAXTRIES at its word, and ends."""
    services(max_tries=2)
    result = at.login([LOCAL, SIGN_IN, (words.ASKED, wrong), (words.ASKED_AGAIN, wrong)])
    assert not result.let_in
    assert words.NOT_RIGHT in result.talk.ending


def test_login_without_cognito(services: Callable[..., None], at: At) -> None:
    """Who is exempt gets in; all others are told, and stay outside."""
    with groups({"local-admins": [USER]}):
        services(endpoint=NO_SERVER, exempt_group="local-admins")
        assert at.login([LOCAL, AT_THE_SHELL]).let_in
    with groups({"local-admins": [OTHER]}):
        services(endpoint=NO_SERVER, exempt_group="local-admins")
        denied = at.login([LOCAL, SIGN_IN, (NEXT_NAME, KILLED)])
    assert UNAVAILABLE in denied.talk.seen
    assert "Login incorrect" in denied.talk.seen
    assert denied.results == ["connect"]


def test_login_timeout(services: Callable[..., None], at: At, standin: Standin) -> None:
    """LOGIN_TIMEOUT of /etc/login.defs ends it, and all that it started."""
    services()
    assert shipped.settings(at.stage, "login") == ["LOGIN_TIMEOUT 360"]
    definitions = Path("/etc/login.defs")
    before = definitions.read_text()
    definitions.write_text(re.sub(r"(?m)^LOGIN_TIMEOUT.*", "", before) + "LOGIN_TIMEOUT 1\n")

    def wait() -> Given:
        assert leftovers.helpers(at.stage.build.helper)
        leftovers.wait_for_no_helper(at.stage.build.helper)
        return KILLED

    try:
        assert not at.login([LOCAL, SIGN_IN, (words.ASKED, wait)]).let_in
    finally:
        definitions.write_text(before)
    assert not standin.journal.requests(VERIFY)


# People who go away


@pytest.mark.parametrize("program", ["su", "sudo", "login"])
def test_killed_at_the_prompt(services: Callable[..., None], at: At, standin: Standin, program: str) -> None:
    """`kill -9`, while the code is asked: nothing of ours stays."""
    services()

    def kill() -> Given:
        assert leftovers.helpers(at.stage.build.helper)
        return KILLED

    asked: Step = (words.ASKED, kill)
    if program == "su":
        at.su([LOCAL, SIGN_IN, asked])
    elif program == "sudo":
        at.sudo([FOR_SUDO, SIGN_IN, asked])
    else:
        at.login([LOCAL, SIGN_IN, asked])
    assert not standin.journal.requests(VERIFY)
