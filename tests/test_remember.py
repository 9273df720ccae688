"""remember: after a confirmed code none is asked for some time, for this user, service and remote host alone."""

import os
import shutil
import time
from pathlib import Path
from typing import Callable, Iterator

import pytest
from harness.hosts import PAM_RHOST, PAM_TTY, Host, Hosts
from harness.leftovers import STATE
from harness.people import EMAIL, OTHER, PASSWORD, PHONE
from harness.stage import SECOND, SOLE, Value
from standin import Standin, User

Code = Callable[[], str]

VERIFY = "VerifyUserAttribute"
RHOST = "192.0.2.7"


@pytest.fixture(autouse=True)
def no_state(hosts: Hosts) -> Iterator[None]:
    """Each test begins, and leaves the others, without a record."""
    shutil.rmtree(STATE, ignore_errors=True)
    yield
    shutil.rmtree(STATE, ignore_errors=True)


class Person:
    """Comes again and again, from the same host unless told otherwise."""

    def __init__(self, hosts: Hosts, standin: Standin, code: Code) -> None:
        self.hosts = hosts
        self._standin = standin
        self._code = code

    def comes(
        self,
        *,
        rhost: str = RHOST,
        tty: str = "",
        stack: str = SOLE,
        answer: str | None = None,
        expected: str = "PAM_SUCCESS",
        **config: Value,
    ) -> int:
        """How many codes were sent for this login, which ends as expected in authenticate and acct_mgmt."""
        before = len(self._standin.pool.outbox)
        with self.hosts(stack=stack, **{"remember": 600, "max_tries": 1, **config}) as host:
            host.start()
            self._set(host, rhost, tty)
            said = host.call("authenticate", [PASSWORD, answer or self._code], all_used=False)
            account = host.call("acct_mgmt")
            host.end()
        assert said == expected
        assert account == "PAM_SUCCESS" or expected != "PAM_SUCCESS"
        self.results = host.watched.results
        self.log = "\n".join(map(str, host.watched.log))
        return len(self._standin.pool.outbox) - before

    @staticmethod
    def _set(host: Host, rhost: str, tty: str) -> None:
        if rhost:
            host.set_item(PAM_RHOST, rhost)
        if tty:
            host.set_item(PAM_TTY, tty)


@pytest.fixture
def person(hosts: Hosts, standin: Standin, code: Code) -> Person:
    standin.pool.quotas["GetUserAttributeVerificationCode"] = 10000
    hosts.stage.config["send_limit"] = 1000
    return Person(hosts, standin, code)


def record() -> Path:
    (path,) = STATE.glob("remember-*")
    return path


STACKS = {"sole": SOLE, "second": SECOND}


@pytest.mark.smoke
@pytest.mark.parametrize("stack", STACKS)
def test_remembered(person: Person, standin: Standin, stack: str) -> None:
    """The password is asked all the same."""
    assert person.comes(stack=STACKS[stack]) == 1
    standin.journal.clear()
    assert person.comes(stack=STACKS[stack]) == 0
    assert standin.journal.operations() == ["jwks", "InitiateAuth"]
    assert person.results[0] == "not-needed"


def test_without_a_sign_in_the_companion_says_nothing(
    person: Person, standin: Standin, user: User, token_file: Callable[[object], Path]
) -> None:
    """A token that lay there proves nobody's presence: not enough where there is no other factor."""
    path = token_file(standin.pool.access_token(user.username))
    assert person.comes(stack=SECOND) == 1
    assert person.comes(stack=SECOND, token=f"file:{path}") == 0
    assert person.comes(stack=SOLE, token=f"file:{path}", expected="PAM_PERM_DENIED") == 0


def test_a_wrong_password_is_not_forgiven(person: Person, standin: Standin, user: User) -> None:
    assert person.comes() == 1
    user.password = "another one"
    assert person.comes(expected="PAM_AUTH_ERR") == 0


def test_off_by_default(person: Person) -> None:
    assert person.comes(remember=None) == 1
    assert person.comes(remember=None) == 1
    assert not list(STATE.glob("remember-*"))


def test_off_again(person: Person) -> None:
    assert person.comes() == 1
    assert person.comes(remember=0) == 1
    assert person.comes() == 0


def test_another_host(person: Person) -> None:
    assert person.comes() == 1
    assert person.comes(rhost="192.0.2.8") == 1
    assert person.comes() == 0


def test_at_a_terminal(person: Person) -> None:
    assert person.comes(rhost="", tty="tty") == 1
    assert person.comes(rhost="", tty="tty") == 0
    assert person.comes(rhost="", tty="null") == 1
    assert person.comes(rhost="tty") == 1


def test_no_terminal(person: Person) -> None:
    """Some services put their own name where the terminal's belongs: it is the same for all, wherever they come from."""
    for _ in range(2):
        assert person.comes(rhost="", tty="xrdp-sesman") == 1
    assert not list(STATE.glob("remember-*"))


def test_at_a_display(person: Person) -> None:
    assert person.comes(rhost="", tty=":0") == 1
    assert person.comes(rhost="", tty=":0") == 0


def test_neither_host_nor_terminal(person: Person) -> None:
    assert person.comes(rhost="") == 1
    assert person.comes(rhost="") == 1
    assert not list(STATE.glob("remember-*"))


def test_another_user(person: Person, hosts: Hosts, standin: Standin) -> None:
    standin.pool.add_user(OTHER, PASSWORD, email=EMAIL)
    assert person.comes() == 1
    person.hosts = Hosts(hosts.stage, OTHER)
    assert person.comes() == 1


def test_another_cognito_user(person: Person, standin: Standin) -> None:
    standin.pool.add_user(OTHER, PASSWORD, email=EMAIL)
    assert person.comes() == 1
    assert person.comes(username=OTHER) == 1


def test_another_attribute(person: Person, user: User) -> None:
    user.attributes |= {"phone_number": PHONE, "phone_number_verified": "false"}
    assert person.comes() == 1
    assert person.comes(attribute="phone_number") == 1
    assert person.comes(attribute="phone_number") == 0


def test_expiry(person: Person) -> None:
    assert person.comes(remember=2) == 1
    assert person.comes(remember=600) == 0
    time.sleep(2.1)
    assert person.comes(remember=2) == 1


def test_a_wrong_code_keeps_nothing(person: Person) -> None:
    assert person.comes(answer="wrong", expected="PAM_MAXTRIES") == 1
    assert not list(STATE.glob("remember-*"))
    assert person.comes() == 1


def test_a_wrong_code_removes_nothing(person: Person) -> None:
    assert person.comes() == 1
    assert person.comes(remember=0, answer="wrong", expected="PAM_MAXTRIES") == 1
    assert person.comes() == 0


# Records that are not what was left


def forged_for_another(path: Path) -> None:
    text = path.read_bytes()
    path.write_bytes(text.replace(RHOST.encode(), b"192.0.2.9"))


def elsewhere(path: Path) -> Path:
    return Path("/run/elsewhere")


def symlink(path: Path) -> None:
    shutil.move(path, elsewhere(path))
    path.symlink_to(elsewhere(path))


SPOILED = {
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"\0"),
    "random": lambda path: path.write_bytes(os.urandom(200)),
    "forged": forged_for_another,
    "mode": lambda path: path.chmod(0o644),
    "owner": lambda path: os.chown(path, 65534, 0),
    "symlink": symlink,
    "hard-link": lambda path: os.link(path, elsewhere(path)),
}


@pytest.mark.parametrize("how", SPOILED)
def test_spoiled_record(person: Person, how: str) -> None:
    """It counts as none, and the next confirmed code puts a good one in its place."""
    assert person.comes() == 1
    SPOILED[how](record())
    assert person.comes() == 1
    elsewhere(STATE).unlink(missing_ok=True)
    assert person.comes() == 0


def test_copied_record(person: Person) -> None:
    """A record holds for what stands in it, whatever it is called."""
    assert person.comes() == 1
    name = record().name
    copy = record().with_name(name.replace(RHOST, "192.0.2.9"))
    assert copy.name != name
    shutil.copy2(record(), copy)
    assert person.comes(rhost="192.0.2.9") == 1


def test_strange_names(person: Person) -> None:
    """A remote host is whatever the other end's name server says."""
    for rhost in ("../../../etc/passwd", "a b\nc", "x" * 500, "\udcff", "."):
        assert person.comes(rhost=rhost) == 1
        assert person.comes(rhost=rhost) == 0
    assert not list(Path("/run").glob("*etc*"))


def test_a_host_with_a_name_too_long_is_not_remembered(person: Person) -> None:
    """What fails is logged, and the login succeeds."""
    assert person.comes(rhost="x" * 2000) == 1
    assert "remember" in person.log
    assert person.comes(rhost="x" * 2000) == 1
