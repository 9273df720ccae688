"""No secret anywhere: in no argument list, environment, log line or file, while a login runs and after it.

The secrets of a login are canaries. They are looked for at each prompt, while a token command runs, and in the end; the
user's own terminal and the wire to Cognito are the only places for them.
"""

import os
import stat
import threading
import time
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from harness import leftovers, memory, words
from harness.accounts import Account
from harness.build import Build
from harness.hosts import Hosts
from harness.login import Login
from harness.people import LOCAL_PASSWORD, PASSWORD, RUNNER, USER, WRONG_PASSWORD
from harness.stage import SECOND, SOLE, Stage
from standin import Standin, Token, User, faults

Code = Callable[[], str]

SEND = "GetUserAttributeVerificationCode"
VERIFY = "VerifyUserAttribute"

CLIENT_SECRET = "client-canary-secret-0123456789"
TYPED_BEFORE = "auth [default=ignore] pam_unix.so nodelay\n" + SOLE
TOTP = "Your authenticator app shows a code.\nCode: "

# No file of a login is larger.
LARGEST = 1 << 20


class Watch:
    """Looks at what everybody on the machine could see of a login. `secrets` by their names; more may come."""

    def __init__(self, build: Build, secrets: dict[str, str]) -> None:
        self.build, self.secrets = build, secrets
        self.programs: set[str] = set()
        self.found: list[str] = []
        self._before = _versions()

    def look(self) -> None:
        for pid in leftovers.processes():
            for name in ("cmdline", "environ", "comm"):
                self._search(f"{name} of {self._program(pid)}", _content(Path(f"/proc/{pid}/{name}")))
        # Only what is new or was changed: six digits may stand in any file of the system.
        for name, _ in _versions() - self._before:
            self._search(f"the name {name}", os.fsencode(name))
            self._search(name, _content(Path(name)))

    def _program(self, pid: int) -> str:
        try:
            name = os.path.basename(os.readlink(f"/proc/{pid}/exe"))
        except OSError:
            return "a process that has ended"
        self.programs.add(name)
        return name

    def texts(self, place: str, texts: list[str]) -> None:
        for text in texts:
            self._search(place, text.encode("utf-8", "surrogateescape"))

    def _search(self, place: str, content: bytes) -> None:
        for name, secret in self.secrets.items():
            if secret.encode() in content:
                self.found.append(f"{name} in {place}")

    def then(self, answer: Any) -> Callable[[], Any]:
        """An answer that is given after a look."""

        def give() -> Any:
            given = answer() if callable(answer) else answer
            if isinstance(given, str) and len(given) >= leftovers.SHORTEST_SECRET:
                self.secrets[f"answer {len(self.secrets)}"] = given
            self.look()
            return given

        return give


def _versions() -> set[tuple[str, int]]:
    """The files where a login might drop something, each with the time of its last change."""
    return {(name, found) for name in leftovers.files() if (found := _changed(name))}


def _changed(name: str) -> int:
    try:
        found = os.lstat(name)
    except OSError:
        return 0
    return found.st_ctime_ns if stat.S_ISREG(found.st_mode) and found.st_size <= LARGEST else 0


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


@pytest.fixture
def watch(stage: Stage, standin: Standin, user: User) -> Watch:
    """A pool whose app client has a secret, and whose user has an authenticator app."""
    client = standin.pool.add_client(CLIENT_SECRET)
    standin.pool.client_id = client.id
    stage.config["client_id"] = client.id
    stage.config["client_secret_file"] = stage.write_secret("client-secret", f"{CLIENT_SECRET}\n")
    secrets = {
        "local password": LOCAL_PASSWORD,
        "password": PASSWORD,
        "wrong password": WRONG_PASSWORD,
        "client secret": CLIENT_SECRET,
        "secret hash": client.secret_hash(USER),
        "totp secret": user.totp_secret or "none",
    }
    stage.secrets += secrets.values()
    return Watch(stage.build, secrets)


def in_parts(token: Token | str) -> dict[str, str]:
    """Its claims and its signature: each is enough to know it by."""
    _, claims, signature = str(token).split(".")
    return {"claims of the token": claims[:40], "signature of the token": signature[:40]}


def check(watch: Watch, standin: Standin, host: Any, environment: list[str]) -> None:
    """After the login: the PAM environment and the log, with the secrets that are known only now."""
    for entry in standin.journal.requests():
        if isinstance(entry.body, dict) and "AccessToken" in entry.body:
            watch.secrets |= in_parts(entry.body["AccessToken"])
    for number, message in enumerate(standin.pool.outbox):
        watch.secrets[f"code {number}"] = message.code
    watch.look()
    watch.texts("the PAM environment", [*environment, *(one for every in host.environments for one in every)])
    watch.texts("the log", [line.text for line in host.watched.lines])
    watch.texts("a prompt", [text for _, text in host.prompts])
    assert watch.found == []


# each: what is typed, how it ends, and what is different about it
SIGN_INS: dict[str, tuple[list[str], str, dict[str, Any]]] = {
    "let-in": (["password", "totp", "code"], "PAM_SUCCESS", {}),
    "let-in-srp": (["password", "totp", "code"], "PAM_SUCCESS", {"signin_flow": "srp"}),
    "second-code": (["password", "totp", "", "wrong", "code"], "PAM_SUCCESS", {"resend_delay": 0}),
    "local-password": (["local", "totp", "code"], "PAM_AUTH_ERR", {"try_first_pass": "yes", "all_used": False}),
    "wrong-password": (["not-it"], "PAM_AUTH_ERR", {}),
    "wrong-password-srp": (["not-it"], "PAM_AUTH_ERR", {"signin_flow": "srp"}),
    "wrong-totp": (["password", "wrong"], "PAM_AUTH_ERR", {}),
    "password-for-totp": (["password", "password"], "PAM_AUTH_ERR", {"max_tries": 1}),
    "wrong-code": (["password", "totp", "wrong"], "PAM_MAXTRIES", {"max_tries": 1}),
    "password-for-code": (["password", "totp", "password"], "PAM_AUTH_ERR", {"max_tries": 1}),
    "no-server": (["password"], "PAM_AUTHINFO_UNAVAIL", {"endpoint": "https://127.0.0.1:1"}),
}


@pytest.mark.parametrize("name", SIGN_INS)
def test_sign_in(
    hosts: Hosts, standin: Standin, user: User, watch: Watch, code: Code, wrong: Code, name: str
) -> None:
    """A local password first, then Cognito's, an authenticator's code and the code from the mail; all is logged."""
    user.mfa = ["SOFTWARE_TOKEN_MFA"]
    answers, expected, config = SIGN_INS[name]
    all_used = config.get("all_used", True)
    config = {key: value for key, value in config.items() if key != "all_used"}
    texts: dict[str, Any] = {
        "password": PASSWORD,
        "local": PASSWORD + "x",
        "not-it": WRONG_PASSWORD,
        "totp": lambda: standin.pool.totp(USER),
        "code": code,
        "wrong": lambda: wrong() if standin.pool.outbox else "000000",
        "": "",
    }
    with hosts(stack=TYPED_BEFORE, debug="yes", **config) as host:
        host.start()
        given = [watch.then(texts[one]) for one in answers]
        assert host.call("authenticate", [watch.then(LOCAL_PASSWORD), *given], all_used=all_used) == expected
        environment = host.pam_environment()
        for call in ("acct_mgmt", "setcred", "open_session") if expected == "PAM_SUCCESS" else ():
            assert host.call(call) == "PAM_SUCCESS"
        environment += host.pam_environment()
        watch.look()
        host.end()
    check(watch, standin, host, environment)
    assert "pam-cognito-helper" in watch.programs


# How the reply of each operation may quote what was asked
QUOTING = ["InitiateAuth", "RespondToAuthChallenge", SEND, VERIFY]


@pytest.mark.parametrize("operation", QUOTING)
def test_reply_that_quotes_the_request(
    hosts: Hosts, standin: Standin, user: User, watch: Watch, code: Code, operation: str
) -> None:
    """Cognito quotes what it refuses; the log shows what Cognito says."""
    user.mfa = ["SOFTWARE_TOKEN_MFA"]
    totp = standin.pool.totp(USER)

    def quote(run: Any) -> Any:
        asked = standin.journal.requests(operation)[-1].raw.decode()
        answer = faults.error("InvalidParameterException", f"refused: {asked}").answer
        return answer and answer(run)

    standin.faults.add(operation, faults.Fault(answer=quote))
    with hosts(debug="yes") as host:
        host.start()
        code_given = host.call("authenticate", [watch.then(one) for one in (PASSWORD, totp, code)], all_used=False)
        assert code_given in ("PAM_AUTH_ERR", "PAM_AUTHINFO_UNAVAIL")
        host.end()
    check(watch, standin, host, [])
    assert any("InvalidParameterException" in line.text for line in host.watched.log)


# Tokens from elsewhere

SOURCES = ("authtok", "env", "file", "command")
FATES: dict[str, str] = {"good": "PAM_SUCCESS", "expired": "PAM_AUTH_ERR", "cut": "PAM_AUTH_ERR", "with-garbage": "PAM_AUTH_ERR"}


@pytest.fixture
def folder(ground: Path, runner: Account) -> Iterator[Path]:
    """Where a command and its token lie."""
    work = ground / "work"
    work.mkdir()
    os.chown(work, runner.id, runner.id)
    yield ground
    (work / "go").touch()


COMMAND = """#!/bin/sh
cat {folder}/its-token
touch {folder}/work/runs
while [ ! -e {folder}/work/go ]; do sleep 0.02; done
"""


def lay_command(folder: Path, runner: Account, token: str) -> Path:
    """A command that has printed the token, and waits until it has been looked at."""
    its_token = folder / "its-token"
    its_token.write_text(token)
    its_token.chmod(0o400)
    os.chown(its_token, runner.id, runner.id)
    path = folder / "command"
    path.write_text(COMMAND.format(folder=folder))
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("fate", FATES)
@pytest.mark.parametrize("source", SOURCES)
def test_token(
    hosts: Hosts, standin: Standin, user: User, runner: Account, watch: Watch, code: Code, folder: Path,
    source: str, fate: str,
) -> None:  # fmt: skip
    right = standin.pool.access_token(USER)
    if fate == "expired":
        right.claims["exp"] = 1
    token = {"cut": str(right)[:-10], "with-garbage": f"{right}.more"}.get(fate, str(right))
    watch.secrets |= in_parts(right)
    stage = hosts.stage
    stage.secrets.append(token)
    command = lay_command(folder, runner, token)
    config = {
        "authtok": {"token": "authtok"},
        "env": {"token": "env:COGNITO_TOKEN"},
        "file": {"token": f"file:{stage.write_secret('token', token)}"},
        "command": {"token": f"command:{command}", "token_command_user": RUNNER},
    }[source]
    looker = threading.Thread(target=look_at_the_command, args=(watch, folder / "work"))
    with hosts(stack=TYPED_BEFORE if source == "authtok" else SECOND, debug="yes", **config) as host:
        host.start()
        if source == "env":
            host.putenv(f"COGNITO_TOKEN={token}")
        if source == "command":
            looker.start()
        # The token is typed where the user sees it, so the look before it would be of no use.
        answers = ([token] if source == "authtok" else []) + ([watch.then(code)] if fate == "good" else [])
        assert host.call("authenticate", answers) == FATES[fate]
        if source == "command":
            looker.join()
            assert "pam-cognito-command" in watch.programs
        environment = host.pam_environment()
        watch.look()
        host.end()
    check(watch, standin, host, environment)
    assert any("result=" in line.text for line in host.watched.log)


def look_at_the_command(watch: Watch, work: Path) -> None:
    until = time.monotonic() + 8
    while not (work / "runs").exists() and time.monotonic() < until:
        time.sleep(0.005)
    watch.look()
    (work / "go").touch()


def test_this_would_be_seen(hosts: Hosts, standin: Standin, watch: Watch, code: Code, ground: Path) -> None:
    """The looks themselves: an environment and a file with a canary in them are found."""
    dropped = Path("/run/dropped")
    with hosts() as host:
        host.start()
        dropped.write_text(PASSWORD)
        os.environ["CANARY"] = LOCAL_PASSWORD
        watch.look()
        dropped.unlink()
        del os.environ["CANARY"]
        assert "password in /run/dropped" in watch.found
        host.end()
    watch.found.clear()
    watch.texts("the log", [f"x{CLIENT_SECRET}y"])
    assert watch.found == ["client secret in the log"]


# Memory


# What free(3) itself writes covers the first bytes of a short text: these are long, and known by their ends.
LONG_PASSWORD = f"{PASSWORD}-with-a-long-end-Aa1!"
END = slice(-16, None)


def readable(pid: int) -> None:
    try:
        with open(f"/proc/{pid}/mem", "rb"):
            pass
    except PermissionError:
        pytest.skip("the memory of others cannot be read here")


@pytest.mark.uninstrumented
@pytest.mark.parametrize("flow", ["password", "srp"])
def test_helper_forgets(
    hosts: Hosts, standin: Standin, user: User, watch: Watch, installed: Build, code: Code, flow: str
) -> None:
    """While it waits for a code it has no password any more, nor the last code; what it needs later it has."""
    user.mfa, user.password = ["SOFTWARE_TOKEN_MFA"], LONG_PASSWORD
    secrets = {"local password": LOCAL_PASSWORD, "password": LONG_PASSWORD[END]}
    at_totp: dict[str, Any] = {}
    at_code: dict[str, Any] = {}
    totp: list[str] = []

    def the_helper() -> int:
        pid = leftovers.the_helper(installed.helper)
        readable(pid)
        return pid

    def first() -> str:
        at_totp.update(memory.holds(the_helper(), {**secrets, "client secret": CLIENT_SECRET}))
        totp.append(standin.pool.totp(USER))
        return totp[0]

    def second() -> str:
        token = standin.journal.requests(SEND)[0].body["AccessToken"]
        session = standin.journal.requests("RespondToAuthChallenge")[-1].body["Session"]
        sought = {**secrets, "totp": f'"{totp[0]}"', "session": session[:60], "token": token}
        at_code.update(memory.holds(the_helper(), sought))
        return code()

    with hosts(stack=TYPED_BEFORE, signin_flow=flow) as host:
        host.start()
        assert host.call("authenticate", [LOCAL_PASSWORD, LONG_PASSWORD, first, second]) == "PAM_SUCCESS"
        leftovers.wait_for_no_helper(installed.helper)
        host.end()
    assert set(at_totp) == {"client secret"}, at_totp
    assert set(at_code) == {"token"}, at_code


WAITING = """
auth     include   cognito-login
account  optional  pam_exec.so quiet {script}
account  required  pam_permit.so
"""


class Pause:
    """A module of the stack that waits while the memory of the host is looked at."""

    def __init__(self, folder: Path) -> None:
        self.script = folder / "pause"
        self.folder = folder
        self.script.write_text(
            f"#!/bin/sh\necho $PPID >{folder}/pid.new; mv {folder}/pid.new {folder}/pid\n"
            f"n=0; while [ ! -e {folder}/go ] && [ $n -lt 500 ]; do sleep 0.02; n=$((n+1)); done\n"
        )
        self.script.chmod(0o755)

    def look(self, look: Callable[[int], None]) -> threading.Thread:
        def work() -> None:
            until = time.monotonic() + 8
            try:
                while not (self.folder / "pid").exists() and time.monotonic() < until:
                    time.sleep(0.01)
                look(int((self.folder / "pid").read_text()))
            finally:
                (self.folder / "go").touch()

        thread = threading.Thread(target=work)
        thread.start()
        return thread


def the_host() -> int:
    (pid,) = [pid for pid in leftovers.processes() if _content(Path(f"/proc/{pid}/comm")) == b"pamtester\n"]
    return pid


@pytest.mark.uninstrumented
@pytest.mark.parametrize("source", ["signin", "file", "command"])
def test_host_forgets(
    login: Login, standin: Standin, user: User, runner: Account, code: Code, wrong: Code, folder: Path,
    source: str,
) -> None:  # fmt: skip
    """After the login, before its process ends. libpam keeps PAM_AUTHTOK during pam_authenticate, and clears it.

    The host is pamtester: one that was written in Python would keep copies of its own. For `env:NAME` it will not do: it
    takes variables from its arguments, which stay in its memory.
    """
    user.password = LONG_PASSWORD
    right = str(standin.pool.access_token(USER))
    login.stage.secrets.append(right)
    (folder / "work" / "go").touch()
    sources: dict[str, dict[str, Any]] = {
        "signin": {},
        "file": {"token": f"file:{login.stage.write_secret('token', right)}"},
        "command": {"token": f"command:{lay_command(folder, runner, right)}", "token_command_user": RUNNER},
    }
    during: dict[str, Any] = {}
    after: dict[str, Any] = {}
    typed: dict[str, str] = {}
    pause = Pause(folder)

    def look_at_prompt() -> str:
        readable(the_host())
        during.update(memory.holds(the_host(), {"password": LONG_PASSWORD[END], "user": USER}))
        typed["wrong code"] = wrong()
        return typed["wrong code"]

    def right_code() -> str:
        typed["code"] = code()
        return typed["code"]

    def look_after(pid: int) -> None:
        token = standin.journal.requests(SEND)[0].body["AccessToken"]
        after.update(memory.holds(pid, {"password": LONG_PASSWORD[END], "user": USER, **typed, **in_parts(token)}))

    steps = [(words.ASKED, look_at_prompt), (words.ASKED_AGAIN, right_code)]
    if source == "signin":
        steps.insert(0, (words.PASSWORD, LONG_PASSWORD))
    looking = pause.look(look_after)
    login.stage.write_config(**sources[source])
    result = login.again(steps, stack=WAITING.format(script=pause.script), calls=("authenticate", "acct_mgmt"))
    looking.join()
    assert result.let_in
    assert set(during) == ({"password", "user"} if source == "signin" else {"user"})
    assert set(after) == {"user"}, after
