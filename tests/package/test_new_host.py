"""A new host, set up by the README with the package."""

from typing import Callable

from follow import CONFIG, LOG_IN, Follower, Installed
from harness import readme
from host import Host
from standin import Standin

Code = Callable[[], str]

VERIFY = "VerifyUserAttribute"


def test_install(installed: Installed) -> None:
    for command, said in installed.printed:
        assert command.printed(said), said


def test_no_stack_is_changed_unasked(host: Host) -> None:
    """A host on which the package was installed is as it was."""
    assert host.run("cd /etc/pam.d && grep -l '^[^#]*pam_cognito' *").split() == ["cognito-verify"]


def test_login(follower: Follower, standin: Standin, code: Code) -> None:
    """Each step prints what the README says it prints, the login and the log too."""
    follower.set_up()
    login = follower.log_in(code)
    assert login.let_in, login.screen
    screen, log = follower.steps[LOG_IN].commands[-1].output, follower.steps[LOG_IN].written[0]

    shown = follower.as_in_the_readme(login.screen)
    assert readme.same(screen, shown), shown
    assert readme.same(log, "\n".join(login.log)), "\n".join(login.log)
    assert standin.journal.operations()[-1] == VERIFY


def test_wrong_code(follower: Follower, code: Code, wrong: Code) -> None:
    """Whoever does not have the code stays outside, and is told."""
    follower.set_up()
    login = follower.log_in(wrong, wrong, wrong)
    assert not login.let_in
    assert "That code is not right.\n" in login.screen
    assert "Permission denied" in login.screen


def test_without_a_pool(follower: Follower, standin: Standin) -> None:
    """The file that comes with the package names none: nobody gets in, and the log says why."""
    follower.edit_the_stack()
    follower.write_sshd_config()
    follower.reload()
    login = follower.log_in()
    assert not login.let_in
    assert any(f"{CONFIG}: region is missing" in line for line in login.log), login.log
    assert not standin.journal.connections


def test_profile(follower: Follower, code: Code, wrong: Code) -> None:
    """For all services at once, by the README's command."""
    follower.name_the_pool()
    follower.turn_the_profile_on()
    follower.write_sshd_config()
    follower.reload()
    assert "no findings" in follower.host.run("pam-cognito-check stack sshd")
    assert "no findings" in follower.host.run("pam-cognito-check stack su")
    assert not follower.log_in(wrong, wrong, wrong).let_in
    login = follower.log_in(code)
    assert login.let_in, login.screen


def test_profile_without_a_pool(follower: Follower) -> None:
    """What README.Debian warns of: even su by root is denied, told why, until the pool is named."""
    become = "su root -c 'echo inside' 2>&1 || true"
    follower.turn_the_profile_on()
    said = follower.host.run(become)
    assert "This host's sign-in is not set up right. Contact your administrator." in said and "inside" not in said
    follower.name_the_pool()
    assert "inside" in follower.host.run(become)
