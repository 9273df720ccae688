"""send_limit: how many codes this host has sent to one user within an hour."""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable, Iterator

import pytest
from harness import words
from harness.dialogue import HANG_UP, Step
from harness.hosts import Host
from harness.leftovers import STATE
from harness.login import Login, Result
from harness.people import PASSWORD, USER
from harness.stage import SECOND, SOLE
from standin import Standin

Code = Callable[[], str]

SIGN_IN: Step = (words.PASSWORD, PASSWORD)
SEND = "GetUserAttributeVerificationCode"
TOO_MANY = "Too many attempts. Try again in an hour."
CROWD = 50


def forget() -> None:
    if STATE.is_symlink() or STATE.is_file():
        STATE.unlink()
    elif STATE.exists():
        shutil.rmtree(STATE)


@pytest.fixture(autouse=True)
def no_state(login: Login) -> Iterator[None]:
    """Each test begins, and leaves the others, without a count."""
    forget()
    yield
    forget()


@pytest.fixture
def no_quota(standin: Standin) -> None:
    """Here it is the host that counts."""
    standin.pool.quotas[SEND] = 10000


def budget_file() -> Path:
    (path,) = STATE.glob("sends-*")
    return path


def denied(result: Result) -> None:
    assert result.code == "PAM_MAXTRIES"
    assert TOO_MANY in result.talk.ending
    assert result.results == ["send-limit"]


def unusable(result: Result, standin: Standin, *named: str) -> None:
    """Denied, nothing was sent, and one line says what to mend."""
    assert result.code == "PAM_SYSTEM_ERR"
    (line,) = [line for line in result.watched.log if line.priority == "err"]
    assert all(name in line.text for name in ("result=state", *named)), line
    assert not standin.journal.requests(SEND)


@pytest.mark.smoke
@pytest.mark.parametrize("stack", [SOLE, SECOND], ids=["sole", "second"])
def test_limit(login: Login, standin: Standin, code: Code, no_quota: None, stack: str) -> None:
    for _ in range(2):
        assert login([SIGN_IN, (words.ASKED, code)], stack=stack, send_limit=2).let_in
    denied(login([SIGN_IN], stack=stack, send_limit=2))
    assert len(standin.pool.outbox) == 2


def test_a_new_code_counts(login: Login, standin: Standin, code: Code, no_quota: None) -> None:
    """It is refused within the login, too."""
    steps = [SIGN_IN, (words.ASKED, ""), (words.ASKED, "")]
    denied(login(steps, send_limit=2, resend_delay=0))
    assert len(standin.pool.outbox) == 2


def test_a_code_that_was_not_used_counts(login: Login, standin: Standin, no_quota: None) -> None:
    assert login([SIGN_IN, (words.ASKED, HANG_UP)], send_limit=1).code == "PAM_AUTH_ERR"
    denied(login([SIGN_IN], send_limit=1))


def test_a_wrong_password_does_not_count(login: Login, code: Code, no_quota: None) -> None:
    """Nobody can use up what another may have."""
    assert login([(words.PASSWORD, "wrong")], send_limit=1).code == "PAM_AUTH_ERR"
    assert login([SIGN_IN, (words.ASKED, code)], send_limit=1).let_in


def test_default_is_five(login: Login, code: Code, no_quota: None) -> None:
    for _ in range(5):
        assert login([SIGN_IN, (words.ASKED, code)]).let_in
    denied(login([SIGN_IN]))


def test_the_state_is_roots_alone(login: Login, code: Code) -> None:
    assert login([SIGN_IN, (words.ASKED, code)]).let_in
    for path, mode in ((STATE, 0o40700), (budget_file(), 0o100600)):
        found = path.stat()
        assert (found.st_mode, found.st_uid) == (mode, 0)


def test_fifty_at_once(login: Login, standin: Standin, no_quota: None) -> None:
    """As many codes as the limit, to the last one."""
    stage = login.stage
    stage.write_config(send_limit=7, request_timeout=60)
    stage.write_stack(SOLE)

    def one(_: int) -> str:
        host = Host(stage, USER, watched)
        try:
            host.start()
            said = host.call("authenticate", [PASSWORD, None], all_used=False)
            host.end()
            host.quit()
            return said
        finally:
            host.kill()

    with stage.watched() as watched, ThreadPoolExecutor(CROWD) as crowd:
        codes = list(crowd.map(one, range(CROWD)))
    assert len(standin.pool.outbox) == 7
    assert sorted(codes) == ["PAM_AUTH_ERR"] * 7 + ["PAM_MAXTRIES"] * (CROWD - 7)
    assert watched.results.count("send-limit") == CROWD - 7


# A state that cannot be used


def link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


SPOILED_FOLDER = {
    "mode": lambda: STATE.chmod(0o755),
    "owner": lambda: os.chown(STATE, 65534, 0),
    "link": lambda: (STATE.rmdir(), STATE.symlink_to("/tmp")),
    "file": lambda: (STATE.rmdir(), STATE.touch()),
}


@pytest.mark.parametrize("how", SPOILED_FOLDER)
def test_unsafe_folder(login: Login, standin: Standin, how: str) -> None:
    STATE.mkdir(mode=0o700)
    SPOILED_FOLDER[how]()
    unusable(login([SIGN_IN]), standin, str(STATE))


def spoil_text(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1] + b"\1")


def spoil_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


SPOILED_FILE = {
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"\0"),
    "damaged": spoil_text,
    "random": lambda path: path.write_bytes(os.urandom(500)),
    "huge": lambda path: os.truncate(path, 1 << 40),
    "mode": lambda path: path.chmod(0o640),
    "owner": lambda path: os.chown(path, 65534, 0),
    "link": link,
    "hard-link": lambda path: os.link(path, path.with_name("elsewhere")),
    "fifo": spoil_fifo,
    "folder": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize("how", SPOILED_FILE)
def test_unusable_file(login: Login, standin: Standin, code: Code, how: str) -> None:
    assert login([SIGN_IN, (words.ASKED, code)]).let_in
    path = budget_file()
    SPOILED_FILE[how](path)
    standin.journal.clear()
    unusable(login.again([SIGN_IN]), standin, str(path), "remove it")


def test_as_told(login: Login, standin: Standin, code: Code) -> None:
    """Once the file that the log names is removed, all is well."""
    assert login([SIGN_IN, (words.ASKED, code)]).let_in
    path = budget_file()
    path.write_bytes(b"")
    assert str(path) in login.again([SIGN_IN]).log
    path.unlink()
    assert login.again([SIGN_IN, (words.ASKED, code)]).let_in


def test_full_disk(login: Login, standin: Standin, code: Code) -> None:
    STATE.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k,mode=700", "pamcog", STATE], check=True)
    try:
        filler = STATE / "filler"
        with open(filler, "wb", buffering=0) as file, pytest.raises(OSError):
            while True:
                file.write(bytes(4096))
        unusable(login([SIGN_IN]), standin, str(STATE), "No space left on device")
        filler.unlink()
        assert login.again([SIGN_IN, (words.ASKED, code)]).let_in
    finally:
        subprocess.run(["umount", STATE], check=True)


def test_a_stuck_holder(login: Login, standin: Standin, code: Code) -> None:
    """The login is denied soon; when the holder ends, however it does, nothing is left of it."""
    assert login([SIGN_IN, (words.ASKED, code)]).let_in
    standin.journal.clear()
    hold = "import fcntl, sys; file = open(sys.argv[1]); fcntl.flock(file, 2); print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", hold, str(budget_file())]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        holder.stdout.readline()
        result = login.again([SIGN_IN])
        holder.kill()
    unusable(result, standin, str(budget_file()), "locked")
    assert int(result.watched.outcomes[-1]["ms"]) < 4000
    assert login.again([SIGN_IN, (words.ASKED, code)]).let_in
