"""Stacks that were edited: whatever is left out or mixed up, nobody gets in on a code that was not confirmed."""

from pathlib import Path
from typing import Callable

import pytest
from harness import words
from harness.dialogue import Step
from harness.hosts import PAM_RHOST, PAM_USER, Hosts
from harness.login import WHOLE, Login
from harness.people import OTHER, PASSWORD
from harness.stage import SOLE
from standin import Standin

Code = Callable[[], str]

SIGN_IN: Step = (words.PASSWORD, PASSWORD)
VERIFY = "VerifyUserAttribute"

CODE = "auth [success=ok ignore=ignore cred_insufficient=ignore default=die] pam_cognito_code.so\n"
CONFIRM = "auth required pam_cognito_confirm.so\n"
PERMIT = "auth required pam_permit.so\n"
GUARD = "account requisite pam_cognito_code.so\n"
OPEN = "account required pam_permit.so\nsession required pam_permit.so\n"


def example(name: str, without: str, source: Path) -> str:
    """One of the stacks that ship, with its lines in the service itself and without those that name `without`."""
    lines = (source / "pam.d-examples" / name).read_text().splitlines(keepends=True)
    return "".join(line for line in lines if without not in line)


# The companion is missing


@pytest.mark.parametrize("control", ["required", "requisite", "sufficient", "optional"])
def test_code_module_alone(login: Login, standin: Standin, code: Code, control: str) -> None:
    """A right code, and nobody to confirm it."""
    result = login([SIGN_IN, (words.ASKED, code)], stack=f"auth {control} pam_cognito_code.so\n{OPEN}", calls=WHOLE)
    assert not result.let_in
    assert not standin.journal.requests(VERIFY)


def test_login_without_confirm(login: Login, code: Code) -> None:
    stack = example("cognito-login", "pam_cognito_confirm", login.stage.build.srcdir) + GUARD + OPEN
    assert not login([SIGN_IN, (words.ASKED, code)], stack=stack, calls=WHOLE).let_in


def test_verify_without_confirm(login: Login, code: Code) -> None:
    lines = example("cognito-verify", "pam_cognito_confirm", login.stage.build.srcdir)
    result = login([SIGN_IN, (words.ASKED, code)], stack=PERMIT + lines + GUARD + OPEN, calls=WHOLE)
    assert not result.let_in


def test_verify_without_code(login: Login) -> None:
    lines = example("cognito-verify", "pam_cognito_code", login.stage.build.srcdir)
    assert not login(stack=PERMIT + lines + GUARD + OPEN, calls=WHOLE).let_in


@pytest.mark.valgrind
def test_guard_denies_what_was_not_confirmed(login: Login, standin: Standin, code: Code) -> None:
    """The stack lets the user pass, the guard does not."""
    steps = [SIGN_IN, (words.ASKED, code)]
    assert login(steps, stack=CODE + PERMIT + GUARD + OPEN).let_in
    result = login(steps, stack=CODE + PERMIT + GUARD + OPEN, calls=("authenticate", "acct_mgmt"))
    assert result.code == "PAM_PERM_DENIED"
    assert not standin.journal.requests(VERIFY)


def test_guard_denies_what_failed(login: Login, standin: Standin) -> None:
    """The code step was attempted, and a later line of the stack did not care."""
    stack = "auth [default=ignore] pam_cognito_code.so\n" + PERMIT + GUARD + OPEN
    result = login([(words.PASSWORD, "not-the-passw0rd")], stack=stack, calls=("authenticate", "acct_mgmt"))
    assert result.code == "PAM_PERM_DENIED"


def test_guard_denies_a_wrong_code(login: Login, standin: Standin, wrong: Code) -> None:
    stack = CODE + "auth [default=ignore] pam_cognito_confirm.so\n" + PERMIT + GUARD + OPEN
    steps = [SIGN_IN, (words.ASKED, wrong)]
    result = login(steps, stack=stack, calls=("authenticate", "acct_mgmt"), max_tries=1)
    assert result.code == "PAM_PERM_DENIED"


@pytest.mark.valgrind
def test_guard_denies_after_a_config_error(login: Login, standin: Standin) -> None:
    stack = "auth [default=ignore] pam_cognito_code.so max_tries=0\n" + PERMIT + GUARD + OPEN
    result = login(stack=stack, calls=("authenticate", "acct_mgmt"))
    assert result.code == "PAM_PERM_DENIED"


@pytest.mark.valgrind
def test_guard_denies_where_there_was_nothing_to_confirm(login: Login, standin: Standin) -> None:
    """The code line is gone, and the companion's refusal is passed over."""
    stack = PERMIT + "auth [default=ignore] pam_cognito_confirm.so\n" + GUARD + OPEN
    assert login(stack=stack).let_in
    assert login(stack=stack, calls=("authenticate", "acct_mgmt")).code == "PAM_PERM_DENIED"
    assert not standin.journal.connections


def test_guard_without_a_login(login: Login) -> None:
    """sshd's parent process has no state; only `require` makes that a reason."""
    assert login(stack=PERMIT + GUARD + OPEN, calls=("acct_mgmt",)).let_in
    required = GUARD.replace(".so", ".so require")
    assert login(stack=PERMIT + required + OPEN, calls=("acct_mgmt",)).code == "PAM_PERM_DENIED"


@pytest.mark.valgrind
def test_require_is_content_with_a_confirmed_code(login: Login, code: Code) -> None:
    required = SOLE.replace("account  requisite pam_cognito_code.so", "account requisite pam_cognito_code.so require")
    assert login([SIGN_IN, (words.ASKED, code)], stack=required, calls=WHOLE).let_in


@pytest.mark.parametrize("call", ["setcred", "open_session"])
def test_calls_without_a_login(login: Login, call: str) -> None:
    """sshd sets credentials in another process than it authenticates in."""
    assert login(calls=(call,)).let_in


# The record


@pytest.mark.valgrind
def test_confirm_alone(login: Login, standin: Standin) -> None:
    assert login(stack=CONFIRM + OPEN).code == "PAM_AUTH_ERR"
    assert not standin.journal.connections


def test_confirm_before_code(login: Login, standin: Standin, code: Code) -> None:
    result = login(stack=CONFIRM.replace("required", "requisite") + CODE + OPEN)
    assert result.code == "PAM_AUTH_ERR"


@pytest.mark.valgrind
def test_confirm_twice(login: Login, standin: Standin, code: Code) -> None:
    """What was confirmed once confirms nothing more."""
    result = login([SIGN_IN, (words.ASKED, code)], stack=CODE + CONFIRM + CONFIRM + OPEN)
    assert result.code == "PAM_AUTH_ERR"
    assert len(standin.journal.requests(VERIFY)) == 1


def test_record_of_an_earlier_call(hosts: Hosts, standin: Standin, code: Code) -> None:
    """Two authentications in one handle: the second one skips the code step, and has nothing to confirm."""
    skip = "auth [success=1 default=ignore] pam_succeed_if.so quiet rhost = second\n"
    with hosts(stack=skip + CODE + CONFIRM + OPEN) as host:
        host.start()
        assert host.call("authenticate", [PASSWORD, code]) == "PAM_SUCCESS"
        host.set_item(PAM_RHOST, "second")
        assert host.call("authenticate") == "PAM_AUTH_ERR"
        host.end()
    assert len(standin.journal.requests(VERIFY)) == 1


def test_pending_record_of_another_user(hosts: Hosts, standin: Standin, code: Code) -> None:
    """The code was sent to the one, and the other is to be let in."""
    skip = f"auth [success=2 default=ignore] pam_succeed_if.so quiet user = {OTHER}\n"
    done = "auth [success=done default=die] pam_permit.so\n"
    with hosts(stack=skip + CODE + done + CONFIRM + OPEN) as host:
        host.start()
        assert host.call("authenticate", [PASSWORD, code]) == "PAM_SUCCESS"
        host.set_item(PAM_USER, OTHER)
        assert host.call("authenticate") == "PAM_AUTH_ERR"
        host.end()
    assert not standin.journal.requests(VERIFY)


def test_guard_denies_another_user(hosts: Hosts, code: Code) -> None:
    with hosts() as host:
        host.start()
        assert host.call("authenticate", [PASSWORD, code]) == "PAM_SUCCESS"
        assert host.call("acct_mgmt") == "PAM_SUCCESS"
        host.set_item(PAM_USER, OTHER)
        assert host.call("acct_mgmt") == "PAM_PERM_DENIED"
        host.end()


def test_second_login_in_the_same_handle(hosts: Hosts, code: Code, wrong: Code) -> None:
    """A host may ask again after a failure; the new code step replaces the record."""
    with hosts(max_tries=1) as host:
        host.start()
        assert host.call("authenticate", [PASSWORD, wrong]) == "PAM_MAXTRIES"
        assert host.call("acct_mgmt") == "PAM_PERM_DENIED"
        assert host.call("authenticate", [PASSWORD, code]) == "PAM_SUCCESS"
        assert host.call("acct_mgmt") == "PAM_SUCCESS"
        host.end()


def test_second_login_fails_after_a_first_one(hosts: Hosts, code: Code, wrong: Code) -> None:
    """Its first act is to overwrite what the earlier one left."""
    with hosts(max_tries=1) as host:
        host.start()
        assert host.call("authenticate", [PASSWORD, code]) == "PAM_SUCCESS"
        assert host.call("authenticate", ["not-the-passw0rd"]) == "PAM_AUTH_ERR"
        assert host.call("acct_mgmt") == "PAM_PERM_DENIED"
        host.end()
