"""docs/stacks.md shows each stack at work: the transcripts in it are those of real logins.

`scripts/transcripts` writes them anew.
"""

import re
from pathlib import Path
from typing import Callable

import pytest
from harness import dialogue, shipped, terminal, words
from harness.accounts import Account, groups
from harness.dialogue import Step
from harness.login import Login
from harness.people import LOCAL_PASSWORD, OTHER, PASSWORD, USER
from harness.sshd import USER_KEY, Sshd, at, missing
from harness.stage import AFTER_PASSWORD, SERVICE, SOLE, Stage
from harness.transcript import Page, of
from standin import Standin, User

pytestmark = pytest.mark.uninstrumented

NO_SERVER = "https://127.0.0.1:1"
LOCAL: Step = (words.PASSWORD, LOCAL_PASSWORD)
SIGN_IN: Step = (words.SECOND_PASSWORD, PASSWORD)
OVER_SSH: list[Step] = [(at(prompt), answer) for prompt, answer in (LOCAL, SIGN_IN)]  # type: ignore[arg-type]
REMOTE = "ssh host.example.com id -un"
ONCE = "NumberOfPasswordPrompts=1"


class Logins:
    """One way to log in for each stack; each tells what was seen and logged."""

    def __init__(self, stage: Stage, standin: Standin, code: Callable[[], str], wrong: Callable[[], str]) -> None:
        self.stage, self.standin = stage, standin
        self.right: Step = (words.ASKED, code)
        self.wrong_then_right: list[Step] = [(words.ASKED, wrong), (words.ASKED_AGAIN, code)]
        self.over_ssh: Step = (at(words.ASKED), code)

    def cognito_verify(self) -> str:
        return self._pamtester(AFTER_PASSWORD, [LOCAL, SIGN_IN, *self.wrong_then_right])

    def cognito_login(self) -> str:
        return self._pamtester(SOLE, [(words.PASSWORD, PASSWORD), self.right])

    def _pamtester(self, stack: str, steps: list[Step]) -> str:
        result = Login(self.stage, USER)(steps, stack=stack, calls=("authenticate", "acct_mgmt"))
        return of(f"pamtester {SERVICE} {USER} authenticate acct_mgmt", result.seen, result.watched)

    def sshd(self) -> str:
        with Sshd(self.stage)("sshd") as server:
            result = server.login([*OVER_SSH, self.over_ssh], run="id -un")
        return of(REMOTE, result.talk.seen, result.watched)

    def sshd_publickey(self) -> str:
        with Sshd(self.stage)("sshd-publickey", token=self._token()) as server:
            result = server.login([self.over_ssh], run="id -un", key=USER_KEY)
        return of(REMOTE, result.talk.seen, result.watched)

    def sshd_publickey_or_password(self) -> str:
        with Sshd(self.stage)("sshd-publickey-or-password", token=self._token()) as server:
            with_key = server.login([self.over_ssh], run="id -un", key=USER_KEY)
            without = server.login([OVER_SSH[0], self.over_ssh], run="id -un")
        return (
            "With a key:\n\n"
            + of(REMOTE, with_key.talk.seen, with_key.watched)
            + "\nWithout one:\n\n"
            + of(REMOTE, without.talk.seen, without.watched)
        )

    def _token(self) -> str:
        return f"file:{self.stage.write_secret('token', str(self.standin.pool.access_token(USER)))}"

    def sshd_breakglass(self) -> str:
        with groups({"local-admins": [USER]}), Sshd(self.stage)("sshd-breakglass", endpoint=NO_SERVER) as server:
            member = server.login([OVER_SSH[0]], run="id -un")
        with groups({"local-admins": []}), Sshd(self.stage)("sshd-breakglass", endpoint=NO_SERVER) as server:
            other = server.login(OVER_SSH, ONCE, run="id -un")
        return (
            "Nothing answers, and alice is in the group:\n\n"
            + of(REMOTE, member.talk.seen, member.watched)
            + "\nShe is not:\n\n"
            + of(REMOTE, other.talk.seen, other.watched)
        )

    def su(self) -> str:
        return self._local("su", OTHER, ["su", USER, "-c", "id -un"], LOCAL, f"su {USER} -c 'id -un'")

    def sudo(self) -> str:
        Path("/etc/sudoers").unlink(missing_ok=True)
        Path("/etc/sudoers").write_text(f"Defaults !fqdn, lecture=never, timestamp_timeout=0\n{USER} ALL=(ALL:ALL) ALL\n")
        Path("/etc/sudoers").chmod(0o440)
        asked: Step = (f"[sudo] password for {USER}: ", LOCAL_PASSWORD)
        return self._local("sudo", USER, ["sudo", "id", "-un"], asked, "sudo id -un")

    def _local(self, service: str, caller: str, command: list[str], first: Step, shown: str) -> str:
        self.stage.write_config()
        shipped.install(self.stage, service, service)
        steps = [first, SIGN_IN, self.right]
        result = terminal.run(self.stage, terminal.as_user(caller, command, {"PATH": "/usr/bin:/bin"}), steps)
        return of(shown, result.talk.seen, result.watched)

    def login(self) -> str:
        self.stage.write_config()
        shipped.install(self.stage, "login", "login")
        Path("/etc/motd").write_text("")
        shell: Step = (re.compile(r"(?:.*\n)*\$ "), "exit")
        result = terminal.run(self.stage, ["login", "--", USER], [LOCAL, SIGN_IN, self.right, shell])
        return of(f"login {USER}", _until_the_shell(result.talk), result.watched)


def _until_the_shell(talk: dialogue.Talk) -> str:
    return "".join(f"{prompt.text}{prompt.typed if prompt.echo else ''}\n" for prompt in talk.prompts[:-1]) + "$"


WAYS = [name for name, value in vars(Logins).items() if not name.startswith("_") and callable(value)]


@pytest.fixture
def page(stage: Stage) -> Page:
    return Page(stage.build.srcdir / "docs/stacks.md")


def test_every_stack_has_a_transcript(page: Page, stage: Stage) -> None:
    ships = {path.name for path in (stage.build.srcdir / "pam.d-examples").iterdir()}
    assert set(page.places) == ships == {way.replace("_", "-") for way in WAYS}


@pytest.mark.parametrize("way", WAYS)
def test_transcript(
    request: pytest.FixtureRequest, page: Page, stage: Stage, standin: Standin, user: User, account: Account,
    code: Callable[[], str], wrong: Callable[[], str], way: str,
) -> None:  # fmt: skip
    if reason := missing():
        pytest.skip(reason)
    name = way.replace("_", "-")
    made = getattr(Logins(stage, standin, code, wrong), way)()
    if request.config.getoption("--write-transcripts"):
        page.put(name, made)
    else:
        assert page.places[name] == made, "run scripts/transcripts, and look at what changed"
