"""The real sshd with each of its stacks, set up as their comments say, and the real ssh at a terminal."""

import os
import re
import shutil
import subprocess
import threading
import time
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from harness import leftovers, readme, shipped, words
from harness.accounts import Account, groups
from harness.dialogue import KILLED, Step
from harness.machine import covered
from harness.people import LOCAL_PASSWORD, OTHER, PASSWORD, USER
from harness.sshd import ADDRESS, FOLDER, OTHER_KEY, USER_KEY, Server, Sshd, at, missing
from harness.stage import Stage
from harness.terminal import INSIDE, Result, run
from standin import Standin, Token, User

pytestmark = pytest.mark.uninstrumented

Code = Callable[[], str]

SEND = "GetUserAttributeVerificationCode"
VERIFY = "VerifyUserAttribute"
BY_SSHD = f"{USER}@{ADDRESS}'s password: "
DENIED = f"{USER}@{ADDRESS}: Permission denied (keyboard-interactive).\n"

LOCAL: Step = (at(words.PASSWORD), LOCAL_PASSWORD)
WRONG: Step = (at(words.PASSWORD), "not-the-passw0rd")
SIGN_IN: Step = (at(words.SECOND_PASSWORD), PASSWORD)
ASKED = at(words.ASKED)
ASKED_AGAIN = at(words.ASKED_AGAIN)

# The client would go on with a method of its own invention where the server has none left.
ONCE = "NumberOfPasswordPrompts=1"
NO_PASSWORD = "PreferredAuthentications=publickey,keyboard-interactive"
THIS_METHOD = "PreferredAuthentications=keyboard-interactive"


@pytest.fixture
def sshd(stage: Stage) -> Sshd:
    if reason := missing():
        pytest.skip(reason)
    return Sshd(stage)


@pytest.fixture
def token(stage: Stage, standin: Standin, user: User, token_file: Callable[[object], Path]) -> Token:
    """The host has the user's token: PAM asks for the code alone."""
    issued = standin.pool.access_token(USER)
    stage.config["token"] = f"file:{token_file(issued)}"
    return issued


# Password and code


def test_right(sshd: Sshd, standin: Standin, code: Code) -> None:
    """In, as the user, with a session that was opened; and what was asked looked as the manual says."""
    with sshd("sshd") as server:
        result = server.login([LOCAL, SIGN_IN, (ASKED, code)], run="id -un; echo inside")
    assert result.let_in
    assert result.talk.ending.startswith(f"{USER}\n")
    assert [prompt.echo for prompt in result.talk.prompts] == [False, False, True]
    assert result.results == ["pending", "confirmed"]
    assert any(line.text.startswith("pam_unix(sshd:session): session opened") for line in result.watched.lines)
    assert standin.journal.operations() == ["jwks", "InitiateAuth", SEND, VERIFY]


def test_screen(sshd: Sshd, code: Code) -> None:
    """The whole of it, as ssh shows it."""
    with sshd("sshd") as server:
        screen = server.login([LOCAL, SIGN_IN, (ASKED, code)], run="echo inside").talk.seen
    assert screen == (
        "(pamcog-alice@127.0.0.1) Password: \n"
        "(pamcog-alice@127.0.0.1) Cognito password: \n"
        "(pamcog-alice@127.0.0.1) A verification code was sent by e-mail to a***@e***.\n"
        f"Code (empty for a new one): {code()}\n"
        "inside\n"
    )


def test_wrong_then_right(sshd: Sshd, code: Code, wrong: Code) -> None:
    with sshd("sshd") as server:
        assert server.login([LOCAL, SIGN_IN, (ASKED, wrong), (ASKED_AGAIN, code)]).let_in


def test_three_wrong_codes(sshd: Sshd, standin: Standin, wrong: Code) -> None:
    """Then sshd itself asks no more, and the user was told each time."""
    steps = [LOCAL, SIGN_IN, (ASKED, wrong), (ASKED_AGAIN, wrong), (ASKED_AGAIN, wrong)]
    with sshd("sshd") as server:
        result = server.login(steps, THIS_METHOD)
    assert not result.let_in
    assert result.talk.ending.startswith(words.NOT_RIGHT)
    assert "Permission denied" in result.talk.ending
    assert result.results == ["pending", "CodeMismatchException"]
    assert len(standin.journal.requests(VERIFY)) == 3


def test_password_after_three_wrong_codes(sshd: Sshd, standin: Standin, wrong: Code) -> None:
    """ssh, left without a method, tries one that the server has not: what is typed there goes nowhere."""
    again: Step = (f"Permission denied, please try again.\n{BY_SSHD}", LOCAL_PASSWORD)
    steps = [LOCAL, SIGN_IN, (ASKED, wrong), (f"{words.NOT_RIGHT}\n{BY_SSHD}", LOCAL_PASSWORD), again, again]
    with sshd("sshd", max_tries=1) as server:
        assert not server.login(steps).let_in
    assert standin.journal.operations() == ["jwks", "InitiateAuth", SEND, VERIFY]


def test_wrong_passwords_of_the_host(sshd: Sshd, standin: Standin) -> None:
    """No word to Cognito, and no code for somebody who has not even the first factor."""
    with sshd("sshd") as server:
        result = server.login([WRONG, WRONG, WRONG])
    assert not result.let_in
    assert result.talk.ending == DENIED
    assert not standin.journal.connections


def test_wrong_password_of_the_account(sshd: Sshd, code: Code) -> None:
    """He is told, begins again in the same connection, and gets in."""
    told: Step = (words.SIGN_IN_FAILED + "\n" + at(words.PASSWORD), LOCAL_PASSWORD)
    with sshd("sshd") as server:
        result = server.login([LOCAL, (SIGN_IN[0], "not-the-passw0rd"), told, SIGN_IN, (ASKED, code)])
    assert result.let_in
    assert result.results == ["NotAuthorizedException", "pending", "confirmed"]


def test_empty_answers(sshd: Sshd, standin: Standin, code: Code) -> None:
    first = code
    with sshd("sshd", resend_delay=0) as server:
        assert server.login([LOCAL, SIGN_IN, (ASKED, ""), (ASKED, code)]).let_in
    assert len(standin.pool.outbox) == 2
    with sshd("sshd", resend_delay=3600) as server:
        early: Step = (at("A new code can be sent in 3600 seconds.\n" + words.CODE), first)
        assert server.login([LOCAL, SIGN_IN, (ASKED, ""), early]).let_in
    assert len(standin.pool.outbox) == 3


@pytest.mark.parametrize("size", [4096, 60 * 1024, 200 * 1024])
def test_huge_answer(sshd: Sshd, standin: Standin, code: Code, size: int) -> None:
    """Never sent, and not the end: the right code is taken after it. No terminal takes so long a line."""
    with sshd("sshd") as server:
        result = server.converse([LOCAL_PASSWORD, PASSWORD, "1" * size, code])
    assert result.let_in
    assert result.prompts[-1] == (f"That cannot be a code.\n{words.CODE}", True)
    assert [entry.body["Code"] for entry in standin.journal.requests(VERIFY)] == [code()]


def test_huge_passwords(sshd: Sshd, standin: Standin) -> None:
    with sshd("sshd") as server:
        assert not server.converse([LOCAL_PASSWORD, "x" * 60 * 1024]).let_in
        assert not server.converse(["x" * 60 * 1024]).let_in
    assert not standin.journal.requests(SEND)


def test_longest_line_of_a_terminal(sshd: Sshd, standin: Standin, code: Code) -> None:
    """ssh cuts it at a kilobyte."""
    with sshd("sshd") as server:
        assert server.login([LOCAL, SIGN_IN, (ASKED, "1" * 4000), (ASKED_AGAIN, code)]).let_in


def test_user_who_does_not_exist(sshd: Sshd, standin: Standin) -> None:
    with sshd("sshd") as server:
        steps = [(at(words.PASSWORD, "pamcog-nobody"), "whatever")] * 3
        assert not server.login(steps, user="pamcog-nobody").let_in
    assert not standin.journal.connections


TYPED = {"empty": "", "one-byte": "x", "shorter": "secret", "as-long": "thirteenbytes", "longer": "x" * 20, "huge": "x" * 5000}


@pytest.mark.parametrize("kind", TYPED)
@pytest.mark.parametrize("who", ["pamcog-nobody", "root", OTHER])
def test_barred_user_of_the_sole_factor(sshd: Sshd, standin: Standin, user: User, who: str, kind: str) -> None:
    """sshd lets PAM ask all the same, and answers in the user's name with something of the same length: nothing of it is
    anybody's password, and nothing may be sent."""
    standin.pool.add_user("root", TYPED[kind] or PASSWORD, email=user.attributes["email"])
    only_pam = ["AuthenticationMethods keyboard-interactive:pam", f"DenyUsers {OTHER}", "PermitRootLogin prohibit-password"]
    with sshd("sshd-publickey", only_pam) as server:
        assert not server.converse([TYPED[kind]], user=who).let_in
    assert standin.journal.operations() in ([], ["jwks"])


# sshd set up wrongly


def test_key_alone(sshd: Sshd, standin: Standin) -> None:
    """sshd takes it for enough; the guard does not."""
    with sshd("sshd", ["AuthenticationMethods any"]) as server:
        result = server.login([], key=USER_KEY)
    assert not result.let_in
    assert "This sign-in was not confirmed with a code. Contact your administrator." in result.talk.seen
    assert result.watched.results == ["unconfirmed"]
    assert not standin.journal.connections


PASSWORD_METHOD = ["PasswordAuthentication yes", "AuthenticationMethods any"]


@pytest.mark.parametrize("echo", ["yes", "no"])
def test_password_method(sshd: Sshd, standin: Standin, token: Token, echo: str) -> None:
    """It has one answer for every question, the password: that is no code, and is never sent as one."""
    with sshd("sshd", PASSWORD_METHOD, echo=echo) as server:
        result = server.login([(BY_SSHD, LOCAL_PASSWORD)], ONCE, "PreferredAuthentications=password")
    assert not result.let_in
    assert not standin.journal.requests(VERIFY)
    assert not [entry for entry in standin.journal.requests() if LOCAL_PASSWORD in str(entry.body)]


# A key and a code


def test_key_and_code(sshd: Sshd, standin: Standin, token: Token, code: Code, wrong: Code) -> None:
    with sshd("sshd-publickey") as server:
        assert server.login([(ASKED, code)], key=USER_KEY).let_in
        assert standin.journal.operations() == ["jwks", SEND, VERIFY]
        assert server.login([(ASKED, wrong), (ASKED_AGAIN, code)], key=USER_KEY).let_in


def test_key_and_code_with_a_command(
    sshd: Sshd, standin: Standin, user: User, runner: Account, ground: Path, code: Code
) -> None:
    """The token comes from where the comment of the stack has it from."""
    token = standin.pool.access_token(USER)
    command = ground / "cognito-token"
    command.write_text(f'#!/bin/sh\ntest "$1 $2" = "{USER} sshd" && echo {token}\n')
    command.chmod(0o755)
    with sshd("sshd-publickey", token=f"command:{command}", token_command_user=runner.name) as server:
        assert server.login([(ASKED, code)], key=USER_KEY).let_in
    assert standin.journal.operations() == ["jwks", SEND, VERIFY]


@pytest.mark.parametrize("key", [None, OTHER_KEY], ids=["no-key", "other-key"])
def test_no_code_without_a_key(sshd: Sshd, standin: Standin, token: Token, key: Path | None) -> None:
    """Nobody has codes sent who is not known by a key."""
    with sshd("sshd-publickey") as server:
        result = server.login([], key=key)
    assert "Permission denied (publickey)" in result.talk.ending
    assert not standin.journal.connections


def test_key_and_sign_in(sshd: Sshd, code: Code) -> None:
    """Where the host has no token: three factors."""
    with sshd("sshd-publickey") as server:
        assert server.login([(at(words.PASSWORD), PASSWORD), (ASKED, code)], key=USER_KEY).let_in


def test_exempt_by_match(sshd: Sshd, standin: Standin, token: Token) -> None:
    with groups({"local-admins": [USER]}), sshd("sshd-publickey") as server:
        assert server.login([], key=USER_KEY).let_in
        assert not server.login([]).let_in
    assert not standin.journal.connections


@pytest.mark.parametrize("config", [{"exempt_group": USER}, {"remember": 3600}], ids=["exempt", "remembered"])
def test_nobody_is_exempt_within_pam(
    sshd: Sshd, standin: Standin, token: Token, code: Code, config: dict[str, Any]
) -> None:
    """There is no other factor in PAM, so libpam denies who needs no code."""
    with sshd("sshd-publickey", **config) as server:
        if "remember" in config:
            assert server.login([(ASKED, code)], key=USER_KEY).let_in
        assert not server.login([], THIS_METHOD, key=USER_KEY).let_in


# A key or a password, and a code


def test_key_instead_of_a_password(sshd: Sshd, standin: Standin, token: Token, code: Code, wrong: Code) -> None:
    with sshd("sshd-publickey-or-password") as server:
        assert server.login([(ASKED, code)], key=USER_KEY).let_in
        assert server.login([(ASKED, wrong), (ASKED_AGAIN, code)], key=USER_KEY).let_in


def test_key_does_not_spare_the_code(sshd: Sshd, standin: Standin, token: Token, wrong: Code) -> None:
    with sshd("sshd-publickey-or-password", max_tries=1) as server:
        assert not server.login([(ASKED, wrong)], NO_PASSWORD, key=USER_KEY).let_in


def test_password_instead_of_a_key(sshd: Sshd, standin: Standin, token: Token, code: Code) -> None:
    with sshd("sshd-publickey-or-password") as server:
        assert server.login([LOCAL, (ASKED, code)]).let_in
        assert server.login([WRONG, LOCAL, (ASKED, code)], key=OTHER_KEY).let_in


def only_the_public_half(folder: Path) -> Path:
    """Of a key that the server knows: a client can offer it, and cannot sign with it."""
    key = folder / "half"
    key.with_suffix(".pub").write_text(USER_KEY.with_suffix(".pub").read_text())
    return key


NO_KEY: dict[str, dict[str, Any]] = {
    "nothing": {},
    "empty": {"password": ""},
    "said-so": {"options": ["SendEnv=SSH_AUTH_INFO_0"], "environment": {"SSH_AUTH_INFO_0": "publickey ssh-ed25519 AAAA"}},
    "this-method": {"options": [THIS_METHOD]},
    "other-key": {"key": OTHER_KEY},
    "offered-only": {"key": only_the_public_half, "options": ["LogLevel=FATAL"]},
}


@pytest.mark.parametrize("way", NO_KEY)
def test_nobody_skips_the_password(sshd: Sshd, standin: Standin, token: Token, ground: Path, way: str) -> None:
    """Whatever a client says of itself: without a key that the server has seen used, the password is asked."""
    how = dict(NO_KEY[way])
    if callable(how.get("key")):
        how["key"] = how["key"](ground)
    with sshd("sshd-publickey-or-password") as server:
        asked = (at(words.PASSWORD), how.pop("password", "not-the-passw0rd"))
        result = server.login([asked], ONCE, *how.pop("options", []), **how)
    assert not result.let_in
    assert not standin.journal.connections


def test_password_where_pam_cannot_look(sshd: Sshd, standin: Standin, token: Token) -> None:
    """A shell that fails, or is not there: the password is asked, key or not."""
    with sshd("sshd-publickey-or-password") as server:
        for broken in (Path("/bin/false"), Path("/dev/null")):
            with covered(Path("/bin/sh").resolve(), broken.resolve()):
                assert not server.login([WRONG], ONCE, key=USER_KEY).let_in
    assert not standin.journal.connections


def test_directory_beside_the_host(sshd: Sshd, standin: Standin, token: Token, code: Code) -> None:
    """The line that docs/stacks.md adds for SSSD; here pam_unix is in its place, and in pam_unix's one that knows nobody."""
    with sshd("sshd-publickey-or-password") as server:
        ships = shipped.text(sshd.stage, "sshd-publickey-or-password")
        local = "auth     [success=1 default=ignore] pam_unix.so\n"
        both = "auth [success=2 default=ignore] pam_deny.so\nauth [success=1 default=ignore] pam_unix.so nodelay\n"
        assert ships.count(local) == ships.count("[success=2 default=ignore] pam_exec.so") == 1
        longer = ships.replace("[success=2 default=ignore] pam_exec", "[success=3 default=ignore] pam_exec")
        sshd.stage.write_service("sshd", longer.replace(local, both))
        assert server.login([(ASKED, code)], key=USER_KEY).let_in
        assert server.login([LOCAL, (ASKED, code)]).let_in
        assert not server.login([WRONG], ONCE).let_in


def test_exempt_with_either(sshd: Sshd, standin: Standin) -> None:
    with groups({"local-admins": [USER]}):
        with sshd("sshd-publickey-or-password", exempt_group="local-admins") as server:
            assert server.login([], key=USER_KEY).let_in
            assert server.login([LOCAL]).let_in
            assert not server.login([WRONG], ONCE).let_in
    assert not standin.journal.connections


# When Cognito does not answer

NO_SERVER = "https://127.0.0.1:1"
UNAVAILABLE = "The sign-in service is unavailable. Try again later.\n"


def test_break_glass(sshd: Sshd) -> None:
    """Who is in the group gets in, and needs his password for it."""
    with groups({"local-admins": [USER]}), sshd("sshd-breakglass", endpoint=NO_SERVER) as server:
        result = server.login([LOCAL])
        assert result.let_in
        assert result.results == ["exempt", "passed"]
        assert not server.login([WRONG, WRONG, WRONG]).let_in


def test_no_glass_to_break(sshd: Sshd) -> None:
    """All others are told, and stay outside."""
    told: Step = (f"{UNAVAILABLE}\n" + at(words.PASSWORD), LOCAL_PASSWORD)
    with groups({"local-admins": [OTHER]}), sshd("sshd-breakglass", endpoint=NO_SERVER) as server:
        result = server.login([LOCAL, SIGN_IN, told, SIGN_IN, told, SIGN_IN])
    assert not result.let_in
    assert result.talk.ending == f"{UNAVAILABLE}\n{DENIED}"
    assert result.results == ["connect"] * 3


def test_break_glass_is_for_one_group(sshd: Sshd, code: Code) -> None:
    """While Cognito answers, the others need their code there too."""
    with groups({"local-admins": [OTHER]}), sshd("sshd-breakglass") as server:
        assert server.login([LOCAL, SIGN_IN, (ASKED, code)]).let_in


def test_break_glass_without_the_group(sshd: Sshd, standin: Standin) -> None:
    """A group that was forgotten, or is misspelt, lets nobody in, and the log names it."""
    with sshd("sshd-breakglass") as server:
        result = server.login([LOCAL], ONCE)
    assert not result.let_in
    assert "exempt_group local-admins: no such group" in str(result.watched.log)
    assert not standin.journal.connections


# What a session holds of it


def environment_of(result: Result) -> dict[str, str]:
    """That of the session; where the connection comes from is another one each time."""
    lines = [line.partition("=") for line in result.talk.ending.splitlines() if "=" in line]
    return {name: value for name, _, value in lines if name not in ("SSH_CLIENT", "SSH_CONNECTION")}


def test_environment_of_the_session(sshd: Sshd, code: Code) -> None:
    """The same as after a login that knows nothing of Cognito."""
    run = "env; echo inside"
    with sshd("sshd") as server:
        ours = server.login([LOCAL, SIGN_IN, (ASKED, code)], run=run)
        without = [line for line in shipped.text(sshd.stage, "sshd").splitlines() if "cognito" not in line]
        sshd.stage.write_service("sshd", "\n".join(without))
        theirs = server.login([LOCAL], run=run)
    assert ours.let_in and theirs.let_in
    assert environment_of(ours) == environment_of(theirs)


PAM_VARIABLE = Path(shipped.__file__).with_name("pam_variable.c")


@pytest.mark.skipif(not shutil.which("cc"), reason="a module has to be compiled for it: no cc")
def test_token_of_the_environment(sshd: Sshd, standin: Standin, user: User, ground: Path, code: Code) -> None:
    """An earlier module got it, and put it where sshd looks for what the session shall have: there it is no more."""
    token = standin.pool.access_token(USER)
    (ground / "ours").write_text(f"COGNITO_TOKEN={token}")
    (ground / "another").write_text("ANOTHER=stays")
    module = ground / "pam_variable.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", module, PAM_VARIABLE, "-lpam"], check=True)
    earlier = [f"auth required {module} {ground}/{name}\n" for name in ("ours", "another")]
    with sshd("sshd", token="env:COGNITO_TOKEN") as server:
        sshd.stage.write_service("sshd", "".join(earlier) + shipped.text(sshd.stage, "sshd"))
        result = server.login([LOCAL, (ASKED, code)], run="env; echo inside")
    assert result.let_in
    assert standin.journal.requests(SEND)[0].body["AccessToken"] == str(token)
    assert environment_of(result)["ANOTHER"] == "stays"
    assert "COGNITO_TOKEN" not in result.talk.ending


# People who go away


def is_served(server: Server, helpers: int) -> Callable[[], Any]:
    """Looks while a prompt waits, and kills the client."""

    def kill() -> Any:
        assert server.sessions()
        leftovers.wait_for_helpers(server.stage.build.helper, helpers)
        return KILLED

    return kill


@pytest.mark.parametrize("place", ["password", "sign-in", "code", "second-code"])
def test_client_killed(sshd: Sshd, standin: Standin, wrong: Code, place: str) -> None:
    """No process of the login stays: neither sshd's nor ours."""
    ways: dict[str, tuple[list[Step], str, int]] = {
        "password": ([], at(words.PASSWORD), 0),
        "sign-in": ([LOCAL], at(words.SECOND_PASSWORD), 1),
        "code": ([LOCAL, SIGN_IN], ASKED, 1),
        "second-code": ([LOCAL, SIGN_IN, (ASKED, wrong)], ASKED_AGAIN, 1),
    }
    before, prompt, helpers = ways[place]
    with sshd("sshd") as server:
        began = time.monotonic()
        server.login([*before, (prompt, is_served(server, helpers))])
        assert time.monotonic() - began < 5 * sshd.stage.build.slowness


def test_client_that_says_nothing(sshd: Sshd, standin: Standin) -> None:
    """LoginGraceTime ends it, and all that it started."""

    def wait() -> str:
        assert leftovers.helpers(sshd.stage.build.helper)
        server.wait_until_idle()
        leftovers.wait_for_no_helper(sshd.stage.build.helper)
        return ""

    with sshd("sshd", ["LoginGraceTime 1"]) as server:
        assert not server.login([LOCAL, SIGN_IN, (ASKED, wait)]).let_in
    assert not standin.journal.requests(VERIFY)


def test_sshd_killed_at_the_prompt(sshd: Sshd, standin: Standin) -> None:
    """Each of its processes in turn: the helper has nobody left to work for."""

    def kill() -> str:
        for pid in server.sessions():
            os.kill(pid, 9)
        leftovers.wait_for_no_helper(sshd.stage.build.helper)
        return ""

    with sshd("sshd") as server:
        assert not server.login([LOCAL, SIGN_IN, (ASKED, kill)]).let_in
    assert not standin.journal.requests(VERIFY)


# Clients


SFTP = ["Subsystem sftp internal-sftp"]


@pytest.mark.parametrize("program", ["sftp", "scp"])
def test_files_are_copied_at_a_terminal(sshd: Sshd, ground: Path, code: Code, program: str) -> None:
    """These ask as ssh does."""
    (ground / "mine").write_text("of this host")
    ground.chmod(0o755)
    with sshd("sshd", SFTP) as server:
        there = f"{USER}@127.0.0.1:{ground}/mine"
        command = [program, "-q", "-F", str(FOLDER / "client"), "-P", str(server.port), there, str(ground / "copy")]
        result = run(sshd.stage, command, [LOCAL, SIGN_IN, (ASKED, code)])
        server.wait_until_idle()
    assert (result.talk.exit, (ground / "copy").read_text()) == (0, "of this host")


def test_nobody_to_ask(sshd: Sshd, standin: Standin) -> None:
    """A script is denied, and nothing is sent for it."""
    with sshd("sshd") as server:
        assert not server.login([], "BatchMode=yes").let_in
    assert not standin.journal.requests(SEND)


def test_one_login_for_many(sshd: Sshd, standin: Standin, ground: Path, code: Code) -> None:
    """ControlMaster: who comes over a connection that is there is asked for nothing."""
    shared = [f"ControlPath={ground}/master", "ControlMaster=auto"]
    os.mkfifo(ground / "over", 0o666)
    ground.chmod(0o755)
    (ground / "over").chmod(0o666)
    again: list[str] = []

    def come_again(server: Server) -> None:
        while not (ground / "master").exists():
            time.sleep(0.01)
        done = subprocess.run(server.command(*shared), stdin=subprocess.DEVNULL, capture_output=True, text=True)
        again.append(done.stdout)
        (ground / "over").write_text("")

    with sshd("sshd") as server:
        later = threading.Thread(target=come_again, args=[server], daemon=True)
        later.start()
        result = server.login([LOCAL, SIGN_IN, (ASKED, code)], *shared, run=f"cat {ground}/over; echo {INSIDE}")
    assert result.let_in
    assert again == [f"{INSIDE}\n"]
    assert len(standin.journal.requests(SEND)) == 1


def test_service_account(sshd: Sshd, standin: Standin) -> None:
    """sshd's Match lets in with a key alone where the account line does not say `require`."""
    match = ["Match Group machines", "AuthenticationMethods publickey"]
    config = [*shipped.settings(sshd.stage, "sshd"), *match]
    with groups({"machines": [USER]}), sshd("sshd", own=config) as server:
        assert not server.login([], key=USER_KEY).let_in
        sshd.stage.write_service("sshd", shipped.text(sshd.stage, "sshd").replace(" require\n", "\n"))
        assert server.login([], key=USER_KEY).let_in
        assert not server.login([], key=OTHER_KEY).let_in
    assert not standin.journal.connections


# The README

# What Debian 12 has; the machine's own may have been changed.
DEBIAN_SERVICE = """
@include common-auth
account    required     pam_nologin.so
@include common-account
session [success=ok ignore=ignore module_unknown=ignore default=bad]        pam_selinux.so close
session    required     pam_loginuid.so
session    optional     pam_keyinit.so force revoke
@include common-session
session    optional     pam_motd.so  motd=/run/motd.dynamic
session    optional     pam_motd.so noupdate
session    optional     pam_mail.so standard noenv
session    required     pam_limits.so
session    required     pam_env.so
session    required     pam_env.so user_readenv=1 envfile=/etc/default/locale
session [success=ok ignore=ignore module_unknown=ignore default=bad]        pam_selinux.so open
@include common-password
"""
DEBIAN_CONFIG = """
Include /etc/ssh/sshd_config.d/*.conf
KbdInteractiveAuthentication no
UsePAM yes
X11Forwarding yes
PrintMotd no
AcceptEnv LANG LC_*
"""


@pytest.fixture
def set_up_by_the_readme(sshd: Sshd) -> Iterator[Server]:
    """Word for word."""
    steps = readme.steps(sshd.stage.build.srcdir)
    ((auth, account),) = steps[3].written
    service = re.sub("(?m)^(@include common-auth)$", rf"\1\n{auth}", DEBIAN_SERVICE)
    service = re.sub("(?m)^(account.*pam_nologin.so)$", rf"{account}\n\1", service)
    folder = Path("/etc/ssh/sshd_config.d")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "01-cognito.conf").write_text("\n".join(*steps[4].written) + "\n")
    (folder / "50-cloud-init.conf").write_text("PasswordAuthentication yes\n")
    with sshd("sshd", own=DEBIAN_CONFIG.splitlines()) as server:
        sshd.stage.write_service("sshd", service)
        yield server


def test_readme(set_up_by_the_readme: Server, code: Code, wrong: Code) -> None:
    server = set_up_by_the_readme
    result = server.login([LOCAL, SIGN_IN, (ASKED, wrong), (ASKED_AGAIN, code)])
    assert result.let_in
    assert result.results == ["pending", "confirmed"]


def test_readme_leaves_no_other_door(set_up_by_the_readme: Server, standin: Standin) -> None:
    """Neither a key alone nor sshd's own password method, although another file allows that."""
    server = set_up_by_the_readme
    for method, key in (("publickey", USER_KEY), ("password", None)):
        assert not server.login([], f"PreferredAuthentications={method}", key=key).let_in
    assert not standin.journal.connections
