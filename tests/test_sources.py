"""Where a token may come from: PAM_AUTHTOK, the PAM environment, a file; and what of it stays behind."""

import ctypes
import os
import re
import socket
import stat
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Iterator

import pytest
from harness import words
from harness.hosts import PAM_RHOST, Host, Hosts
from harness.login import Login
from harness.machine import GROUND
from harness.people import LOCAL_PASSWORD, PASSWORD, USER
from harness.stage import SECOND, SOLE
from standin import Standin, Token, User, faults

Code = Callable[[], str]
Write = Callable[[object], Path]
Spoil = Callable[[Path], object]

SEND = "GetUserAttributeVerificationCode"

# Another module asks first. What is typed there is no password of this machine, and becomes PAM_AUTHTOK all the same.
TYPED_BEFORE = "auth [default=ignore] pam_unix.so nodelay\n" + SOLE

NOTHING_SENT = ([], ["jwks"])
CUT = re.compile(r"\bcut\b")


@pytest.fixture
def token(standin: Standin, user: User, login: Login) -> Token:
    """A right one, of a usual length."""
    made = standin.pool.access_token(USER)
    made.claims["cognito:groups"] = [f"group-{number}" for number in range(20)]
    assert 1100 < len(str(made)) < 2000
    login.stage.secrets += [str(made), str(made)[:500]]
    return made


def tokens_sent(standin: Standin) -> set[str]:
    """Every token that the server has seen."""
    bodies = [entry.body for entry in standin.journal.requests() if isinstance(entry.body, dict)]
    return {body["AccessToken"] for body in bodies if "AccessToken" in body}


def nothing_sent(standin: Standin) -> bool:
    return standin.journal.operations() in NOTHING_SENT


def log_of(host: Host) -> str:
    return "\n".join(map(str, host.watched.log))


# PAM_AUTHTOK


@pytest.mark.smoke
def test_authtok(hosts: Hosts, standin: Standin, token: Token, code: Code) -> None:
    with hosts(stack=TYPED_BEFORE, token="authtok") as host:
        host.start()
        assert host.call("authenticate", [str(token), code]) == "PAM_SUCCESS"
        host.end()
    assert tokens_sent(standin) == {str(token)}
    assert "InitiateAuth" not in standin.journal.operations()


@pytest.mark.parametrize("length", [511, 512, 1023, -10, -2, -1], ids=str)
def test_cut_authtok(hosts: Hosts, standin: Standin, token: Token, length: int) -> None:
    """Programs that ask for passwords have room for so many bytes: whoever has to mend it must be told."""
    with hosts(stack=TYPED_BEFORE, token="authtok,signin") as host:
        host.start()
        assert host.call("authenticate", [str(token)[:length]]) == "PAM_AUTH_ERR"
        host.end()
    assert nothing_sent(standin)
    assert host.watched.results == ["token-refused"]
    assert CUT.search(log_of(host))


def test_token_cut_by_a_terminal(login: Login, standin: Standin, token: Token) -> None:
    """As it happens: a line that is typed has 4,095 bytes at most, and programs may take fewer."""
    token.claims["cognito:groups"] = [f"group-{number}" for number in range(400)]
    assert len(str(token)) > 5000
    login.stage.secrets.append(str(token)[:4000])
    result = login([(words.PASSWORD, str(token))], stack=TYPED_BEFORE, token="authtok")
    assert result.code == "PAM_AUTH_ERR"
    assert nothing_sent(standin)
    assert CUT.search(result.log)


def test_no_authtok(hosts: Hosts, standin: Standin, code: Code) -> None:
    with hosts(token="authtok,signin") as host:
        host.start()
        assert host.call("authenticate", [PASSWORD, code]) == "PAM_SUCCESS"
        host.end()
    assert "InitiateAuth" in standin.journal.operations()


@pytest.mark.parametrize("typed", ["", LOCAL_PASSWORD], ids=["empty", "password"])
def test_authtok_that_is_no_token(hosts: Hosts, standin: Standin, typed: str) -> None:
    """It ends the login: a password that was typed for this machine is no reason to ask for another."""
    with hosts(stack=TYPED_BEFORE, token="authtok,signin") as host:
        host.start()
        assert host.call("authenticate", [typed]) == "PAM_AUTH_ERR"
        host.end()
    assert nothing_sent(standin)
    assert host.watched.results == ["token-refused"]


def test_wrong_authtok(hosts: Hosts, standin: Standin, token: Token) -> None:
    token.claims["username"] = "somebody-else"
    with hosts(stack=TYPED_BEFORE, token="authtok,signin") as host:
        host.start()
        assert host.call("authenticate", [str(token)]) == "PAM_AUTH_ERR"
        host.end()
    assert nothing_sent(standin)


# A variable of the PAM environment


@contextmanager
def with_variable(hosts: Hosts, value: str, token: str, stack: str = SECOND) -> Iterator[Host]:
    """A host in whose PAM environment an earlier module has left something, and things of its own."""
    with hosts(stack=stack, token=token) as host:
        host.start()
        host.putenv("LANG=C")
        host.putenv(f"COGNITO_TOKEN={value}")
        host.putenv("COGNITO_TOKEN_2=another")
        yield host
        host.end()


OWN = ["COGNITO_TOKEN_2=another", "LANG=C"]


@pytest.mark.smoke
def test_variable(hosts: Hosts, standin: Standin, token: Token, code: Code) -> None:
    with with_variable(hosts, str(token), "env:COGNITO_TOKEN") as host:
        assert host.call("authenticate", [code]) == "PAM_SUCCESS"
        assert sorted(host.pam_environment()) == OWN
        for call in ("acct_mgmt", "setcred", "open_session"):
            assert host.call(call) == "PAM_SUCCESS"
        assert sorted(host.pam_environment()) == OWN
    assert [sorted(environment) for environment in host.environments] == [OWN]
    assert tokens_sent(standin) == {str(token)}


@pytest.mark.parametrize("kind", ["empty", "no-token", "cut", "expired"])
def test_wrong_variable(hosts: Hosts, standin: Standin, token: Token, kind: str) -> None:
    """It ends the login, and is removed too: sshd may go on with another method and export it."""
    if kind == "expired":
        token.claims["exp"] = 1
    values = {"empty": "", "no-token": "none", "cut": str(token)[:-10], "expired": str(token)}
    with with_variable(hosts, values[kind], "env:COGNITO_TOKEN,signin") as host:
        assert host.call("authenticate") == "PAM_AUTH_ERR"
        assert sorted(host.pam_environment()) == OWN
    assert nothing_sent(standin)
    assert host.watched.results == ["token-refused"]


def test_variable_of_a_login_that_fails_later(hosts: Hosts, standin: Standin, token: Token) -> None:
    standin.faults.add(SEND, faults.error("LimitExceededException"))
    with with_variable(hosts, str(token), "env:COGNITO_TOKEN") as host:
        assert host.call("authenticate") == "PAM_MAXTRIES"
        assert sorted(host.pam_environment()) == OWN


def test_no_variable(hosts: Hosts, code: Code) -> None:
    with with_variable(hosts, "not looked at", "env:COGNITO_TOKE,env:TOKEN,signin") as host:
        assert host.call("authenticate", [PASSWORD, code]) == "PAM_SUCCESS"
        assert sorted(host.pam_environment()) == sorted([*OWN, "COGNITO_TOKEN=not looked at"])


def test_variable_of_the_process_does_not_count(login: Login, token: Token, code: Code) -> None:
    """That is the caller's own, under su; the PAM environment is not."""
    steps = [(words.PASSWORD, PASSWORD), (words.ASKED, code)]
    result = login(steps, environment={"COGNITO_TOKEN": str(token)}, token="env:COGNITO_TOKEN,signin")
    assert result.let_in


def test_login_leaves_no_variable(hosts: Hosts, code: Code) -> None:
    with hosts() as host:
        host.start()
        assert host.call("authenticate", [PASSWORD, code]) == "PAM_SUCCESS"
        for call in ("acct_mgmt", "setcred", "open_session"):
            assert host.call(call) == "PAM_SUCCESS"
        assert host.pam_environment() == []
        host.end()
    assert not any(host.environments)


# A file; what test_token.py has of it is not repeated here


def mode(bits: int) -> Spoil:
    return lambda path: path.chmod(bits)


def folder_mode(bits: int) -> Spoil:
    return lambda path: path.parent.chmod(bits)


def upper_folder_mode(bits: int) -> Spoil:
    return lambda path: path.parent.parent.chmod(bits)


def dangling_symlink(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.with_suffix(".nowhere"))


def a_socket(path: Path) -> None:
    path.unlink()
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))
    path.chmod(0o600)


def device(path: Path) -> None:
    """/dev/zero, which has no end."""
    path.unlink()
    try:
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("no device can be made here")


def sparse(path: Path) -> None:
    os.truncate(path, 10 << 30)


def a_byte_more(path: Path) -> None:
    os.truncate(path, (64 << 10) + 1)


def owned_by_another_group_only(path: Path) -> None:
    os.chown(path, 0, 65534)
    path.chmod(0o660)


UNSAFE: dict[str, Spoil] = {
    "group-readable": mode(0o640),
    "group-writable": mode(0o620),
    "group-executable": mode(0o610),
    "world-readable": mode(0o604),
    "world-writable": mode(0o602),
    "world-executable": mode(0o601),
    "group-of-another": owned_by_another_group_only,
    "folder-of-a-group": folder_mode(0o775),
    "folder-of-all": folder_mode(0o757),
    "sticky-folder": folder_mode(0o1777),
    "upper-folder-of-all": upper_folder_mode(0o777),
    "upper-folder-sticky": upper_folder_mode(0o1777),
    "dangling-symlink": dangling_symlink,
    "socket": a_socket,
    "device": device,
    "sparse-10-GiB": sparse,
    "a-byte-more": a_byte_more,
}


@pytest.fixture
def deep_file(ground: Path, token: Token) -> Path:
    """A token file two folders down, all of it as safe as it has to be."""
    folder = ground / "upper" / "folder"
    folder.mkdir(0o755, parents=True)
    path = folder / "token"
    path.write_text(str(token))
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("kind", UNSAFE)
def test_unsafe_file(login: Login, standin: Standin, deep_file: Path, kind: str) -> None:
    UNSAFE[kind](deep_file)
    began = time.monotonic()
    result = login(token=f"file:{deep_file},signin")
    assert time.monotonic() - began < 3 * login.stage.build.slowness
    assert result.code == "PAM_SERVICE_ERR"
    assert result.results == ["unsafe-file"]
    assert str(deep_file) in result.log
    assert nothing_sent(standin)


def test_device_of_the_system(login: Login, standin: Standin, token: Token) -> None:
    for path in ("/dev/zero", "/dev/tty", "/dev/stdin", "/proc/self/environ"):
        result = login(token=f"file:{path},signin")
        assert result.code in ("PAM_SERVICE_ERR", "PAM_AUTH_ERR"), path
        assert nothing_sent(standin), path


def test_safe_file_that_is_deep(login: Login, deep_file: Path, code: Code) -> None:
    """What the tests above spoil is right before."""
    assert login([(words.ASKED, code)], stack=SECOND, token=f"file:{deep_file}").let_in


@pytest.mark.parametrize("bits", [0o400, 0o600, 0o700], ids=oct)
def test_safe_modes(login: Login, deep_file: Path, code: Code, bits: int) -> None:
    deep_file.chmod(bits)
    deep_file.parent.chmod(0o700)
    assert login([(words.ASKED, code)], stack=SECOND, token=f"file:{deep_file}").let_in


def test_absent_folder_falls_through(login: Login, ground: Path, code: Code) -> None:
    steps = [(words.PASSWORD, PASSWORD), (words.ASKED, code)]
    assert login(steps, token=f"file:{ground}/absent/token,signin").let_in


CONTENTS: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda token: b"",
    "newline-alone": lambda token: b"\n",
    "two-newlines": lambda token: token + b"\n\n",
    "newline-before": lambda token: b"\n" + token,
    "newline-inside": lambda token: token[:200] + b"\n" + token[200:],
    "newline-at-a-dot": lambda token: token.replace(b".", b".\n", 1),
    "two-lines": lambda token: token + b"\n" + token + b"\n",
    "return-and-newline": lambda token: token + b"\r\n",
    "return-at-the-end": lambda token: token + b"\r",
    "return-inside": lambda token: token[:200] + b"\r" + token[200:],
    "nul-at-the-end": lambda token: token + b"\0",
    "nul-and-newline": lambda token: token + b"\0\n",
    "nul-and-more": lambda token: token + b"\0more",
    "nul-inside": lambda token: token[:200] + b"\0" + token[200:],
    "nul-alone": lambda token: b"\0",
    "blank-before": lambda token: b" " + token,
    "blank-at-the-end": lambda token: token + b" ",
    "byte-order-mark": lambda token: b"\xef\xbb\xbf" + token,
    "64-KiB": lambda token: token.ljust(64 << 10, b"A"),
}


@pytest.mark.parametrize("kind", CONTENTS)
def test_file_with_other_contents(login: Login, standin: Standin, deep_file: Path, token: Token, kind: str) -> None:
    """The file is safe, but what is in it is no token. One newline at the end is all that may be there beside it."""
    deep_file.write_bytes(CONTENTS[kind](str(token).encode()))
    result = login(token=f"file:{deep_file},signin")
    assert result.code == "PAM_AUTH_ERR"
    assert result.results == ["token-refused"]
    assert nothing_sent(standin)


def test_one_newline_at_the_end(login: Login, standin: Standin, deep_file: Path, token: Token, code: Code) -> None:
    deep_file.write_text(f"{token}\n")
    assert login([(words.ASKED, code)], stack=SECOND, token=f"file:{deep_file}").let_in
    assert tokens_sent(standin) == {str(token)}


# Templates in a path


@pytest.mark.parametrize("name", ["..", ".", ".token", "a/../token", "a/b", "/", f"../{GROUND.name}/token"])
def test_user_name_that_leads_elsewhere(login: Login, standin: Standin, token: Token, token_file: Write, name: str) -> None:
    """Wherever it may lead, a right token lies there, for whom Cognito knows by the name that is looked for."""
    path = token_file(token)
    (GROUND / ".token").write_bytes(path.read_bytes())
    (GROUND / ".token").chmod(0o600)
    (GROUND / "a").mkdir(exist_ok=True)
    (GROUND / "a" / "b").write_bytes(path.read_bytes())
    (GROUND / "a" / "b").chmod(0o600)
    login.user = name
    for template in (f"{GROUND}/%u", f"{GROUND}/a/%u/token"):
        result = login(stack=SECOND, token=f"file:{template}", username=USER)
        assert result.code in ("PAM_USER_UNKNOWN", "PAM_SERVICE_ERR", "PAM_AUTH_ERR")
        assert nothing_sent(standin)


@pytest.mark.parametrize("name", ["..", ".", ".token", "a/../token", "", "token/"])
def test_host_name_that_leads_elsewhere(hosts: Hosts, standin: Standin, token: Token, token_file: Write, name: str) -> None:
    """PAM_RHOST is the client's: whoever owns an address names it as he likes."""
    path = token_file(token)
    (GROUND / ".token").write_bytes(path.read_bytes())
    (GROUND / ".token").chmod(0o600)
    (GROUND / "a").mkdir(exist_ok=True)
    for template in (f"{GROUND}/%r", f"{GROUND}/a/%r/token"):
        with hosts(stack=SECOND, token=f"file:{template},signin") as host:
            host.start()
            host.set_item(PAM_RHOST, name)
            assert host.call("authenticate") == "PAM_SERVICE_ERR"
            host.end()
        assert nothing_sent(standin)
        assert host.watched.results == ["unsafe-file"]


# Somebody exchanges the file while it is looked at


Lay = Callable[[Path], object]


def file_with(content: object, bits: int) -> Lay:
    def lay(path: Path) -> None:
        path.touch(0o600)
        path.write_text(str(content))
        path.chmod(bits)

    return lay


RENAME_EXCHANGE = 2


@contextmanager
def exchanged(path: Path, *lays: Lay, most: int = 3_000_000) -> Iterator[None]:
    """For a while, two files take each other's place as fast as they can; there is always one of them."""
    first, second = os.fsencode(path), os.fsencode(path.with_suffix(".other"))
    for name, lay in zip((first, second), lays):
        Path(os.fsdecode(name)).unlink(missing_ok=True)
        lay(Path(os.fsdecode(name)))
    libc = ctypes.CDLL(None)
    over = threading.Event()

    def exchange() -> None:
        for _ in range(most):
            if over.is_set():
                return
            libc.renameat2(-100, first, -100, second, RENAME_EXCHANGE)  # AT_FDCWD

    thread = threading.Thread(target=exchange)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize("kind", ["symlink", "fifo", "writable"])
def test_file_that_is_exchanged(
    hosts: Hosts, standin: Standin, token: Token, deep_file: Path, ground: Path, kind: str
) -> None:
    """Whatever lies there at which moment: it is the safe file's token, or none."""
    standin.faults.add(SEND, faults.error("LimitExceededException"), times=None)
    bait = standin.pool.access_token(USER)
    hosts.stage.secrets.append(str(bait))
    elsewhere = ground / "bait"
    file_with(bait, 0o600)(elsewhere)
    bad: Lay = {
        "symlink": lambda path: path.symlink_to(elsewhere),
        "fifo": lambda path: os.mkfifo(path, 0o600),
        "writable": file_with(bait, 0o622),
    }[kind]
    slowness = hosts.stage.build.slowness
    seen: list[str] = []
    with hosts(stack=SECOND, token=f"file:{deep_file}") as host, exchanged(deep_file, file_with(token, 0o600), bad):
        until = time.monotonic() + 2 * slowness
        while time.monotonic() < until and len(seen) < 100:
            host.start()
            began = time.monotonic()
            seen.append(host.call("authenticate"))
            assert time.monotonic() - began < 2 * slowness
            host.end()
    assert set(seen) == {"PAM_MAXTRIES", "PAM_SERVICE_ERR"}
    assert tokens_sent(standin) == {str(token)}
