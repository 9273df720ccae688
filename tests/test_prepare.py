"""pam_cognito_prepare.so: the helper connects while the first factor is typed, and nothing else changes."""

import os
import select
import signal
from pathlib import Path
from typing import Callable

import pytest
from harness import leftovers, words
from harness.check import Check
from harness.dialogue import Step
from harness.login import WHOLE, Login
from harness.people import LOCAL_PASSWORD, USER, WRONG_PASSWORD
from harness.stage import AFTER_PASSWORD, SECOND
from standin import Standin

Write = Callable[[object], Path]
Code = Callable[[], str]

KEYS = "jwks"
SEND = "GetUserAttributeVerificationCode"
VERIFY = "VerifyUserAttribute"

PREPARE = "auth     optional  pam_cognito_prepare.so\n"
PREPARED = PREPARE + AFTER_PASSWORD
CONTROLS = ("optional", "required", "requisite", "sufficient")


@pytest.fixture
def login(login: Login, standin: Standin, token_file: Write) -> Login:
    """With a token that is there."""
    login.stage.config["token"] = f"file:{token_file(standin.pool.access_token(USER))}"
    return login


def typed(look: Callable[[], object]) -> Step:
    """The local password, once that was looked at."""

    def answer() -> str:
        look()
        return LOCAL_PASSWORD

    return (words.PASSWORD, answer)


@pytest.mark.smoke
@pytest.mark.valgrind
def test_connected_before_the_password_is_typed(login: Login, standin: Standin, code: Code) -> None:
    """And the same helper goes on with that connection."""
    steps = [typed(lambda: standin.journal.wait_for(KEYS)), (words.ASKED, code)]
    assert login(steps, stack=PREPARED, calls=WHOLE).let_in
    assert standin.journal.operations() == [KEYS, SEND, VERIFY]
    assert len(standin.journal.connections) == 1


def test_with_kept_keys(login: Login, standin: Standin, code: Code) -> None:
    """They are fetched anew: that is what connects."""
    for _ in range(2):
        standin.journal.clear()
        assert login([typed(lambda: standin.journal.wait_for(KEYS)), (words.ASKED, code)], stack=PREPARED).let_in
        assert standin.journal.operations() == [KEYS, SEND, VERIFY]


def test_only_its_own_options(login: Login, standin: Standin, code: Code) -> None:
    """A helper that was started with others is none for this login."""
    stack = PREPARED.replace("prepare.so", "prepare.so request_timeout=7")
    assert login([typed(lambda: standin.journal.wait_for(KEYS)), (words.ASKED, code)], stack=stack).let_in
    assert standin.journal.operations() == [KEYS, KEYS, SEND, VERIFY]


def test_a_wrong_first_factor(login: Login, standin: Standin) -> None:
    """Nothing of the user has been sent, and no helper is left."""
    assert not login([(words.PASSWORD, WRONG_PASSWORD)], stack=PREPARED).let_in
    assert standin.journal.operations() in ([], [KEYS])


def test_a_helper_that_has_ended(login: Login, standin: Standin, code: Code) -> None:
    """Then the code step starts its own."""

    def end() -> None:
        standin.journal.wait_for(KEYS)
        pid = leftovers.the_helper(login.stage.build.helper)
        process = os.pidfd_open(pid)
        os.kill(pid, signal.SIGKILL)
        select.select([process], [], [])
        os.close(process)

    assert login([typed(end), (words.ASKED, code)], stack=PREPARED).let_in
    assert standin.journal.operations() == [KEYS, KEYS, SEND, VERIFY]


def test_bad_configuration(login: Login, standin: Standin) -> None:
    """Said where it is, and once more by the code step, which denies."""
    result = login([(words.PASSWORD, LOCAL_PASSWORD)], stack=PREPARED, region="a/b")
    assert result.code == "PAM_SERVICE_ERR"
    assert "prepare: " in result.log and "region" in result.log.split("prepare: ")[1]
    assert standin.journal.operations() == []


ALONE = """
account required pam_permit.so
"""


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize("rest", ["", "auth required pam_deny.so\n", "auth optional pam_permit.so\n", SECOND])
def test_the_stack_means_the_same(login: Login, code: Code, control: str, rest: str) -> None:
    """Whatever its control word: the line lets nobody in, and keeps nobody out."""
    steps = [(words.ASKED, code)] if rest == SECOND else []
    with_it = login(steps, stack=PREPARE.replace("optional", control) + rest + ALONE, calls=WHOLE[:2])
    without = login(steps, stack=rest + ALONE, calls=WHOLE[:2]) if rest else None
    assert with_it.let_in == (without.let_in if without else False)


def test_without_the_code_step_nobody_is_let_in(login: Login) -> None:
    """In its place it is no second factor: the companion has nothing to confirm."""
    stack = SECOND.replace("substack  cognito-verify", "optional  pam_cognito_prepare.so") + (
        "auth required pam_cognito_confirm.so\n"
    )
    assert login([], stack=stack, calls=WHOLE[:2]).code == "PAM_AUTH_ERR"


def test_the_checker_knows_it(check: Check, ground: Path) -> None:
    config = check.configured()
    block = (
        f"auth [success=ok ignore=ignore cred_insufficient=ignore default=die] pam_cognito_code.so conf={config}\n"
        "auth [success=1 new_authtok_reqd=1 ignore=1 default=die] pam_cognito_confirm.so\nauth requisite pam_deny.so\n"
    )
    rest = f"account requisite pam_cognito_code.so conf={config}\naccount required pam_unix.so\nsession required pam_unix.so\n"
    service = ground / "service"

    def look(first: str, last: str = "") -> list[str]:
        service.write_text(f"{first}auth requisite pam_unix.so\n{block}{rest}{last}")
        return sorted(row["rule"] for row in check("stack", str(service)).rows)

    plain = look("")
    for control in CONTROLS:
        assert look(f"auth {control} pam_cognito_prepare.so conf={config}\n") == plain
    assert set(look("", "session optional pam_cognito_prepare.so\n")) - set(plain) == {"wrong-phase"}
