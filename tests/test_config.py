"""What an administrator may get wrong: an exact line in the log, PAM_SERVICE_ERR, and nothing is sent."""

import os
import socket
from pathlib import Path
from typing import Callable

import pytest
from harness import words
from harness.login import Login, Result
from harness.machine import writable
from harness.people import PASSWORD
from harness.stage import CONFIG, SOLE
from standin import Standin

Code = Callable[[], str]


def untouched(standin: Standin) -> None:
    """Nobody connected: ours is the first connection that the stand-in sees."""
    with socket.create_connection(("127.0.0.1", standin.port)):
        standin.journal.wait_for_connection()
    assert len(standin.journal.connections) == 1
    assert standin.journal.operations() == []


def refused(result: Result, standin: Standin, *named: str) -> None:
    """PAM_SERVICE_ERR, one line at LOG_ERR that names all this, nothing asked and nothing sent."""
    assert result.code == "PAM_SERVICE_ERR"
    lines = [line for line in result.watched.log if line.priority == "err"]
    assert any(all(name in line.text for name in named) for line in lines), result.log
    untouched(standin)


# A bad line in the file

BAD_LINES = (
    # (the line, the key that the log names)
    ("colour = blue", "colour"),
    ("Region = eu-central-1", "Region"),
    ("region = eu-central-1", "region"),  # a second one
    ("max_tries", ""),
    ("= 3", ""),
    ("max_tries =", "max_tries"),
    ("max_tries = 0", "max_tries"),
    ("max_tries = 11", "max_tries"),
    ("max_tries = -1", "max_tries"),
    ("max_tries = three", "max_tries"),
    ("max_tries = 3x", "max_tries"),
    ("max_tries = 0x3", "max_tries"),
    ("max_tries = 3 4", "max_tries"),
    ("max_tries = 4294967299", "max_tries"),
    ("max_tries = 18446744073709551619", "max_tries"),
    ("max_sends = 6", "max_sends"),
    ("resend_delay = 3601", "resend_delay"),
    ("send_limit = 0", "send_limit"),
    ("send_limit = 1001", "send_limit"),
    ("remember = 86401", "remember"),
    ("code_timeout = 0", "code_timeout"),
    ("connect_timeout = 1.5", "connect_timeout"),
    ("echo = maybe", "echo"),
    ("echo = YES", "echo"),
    ("debug", ""),
    ("debug = on", "debug"),
    ("when = sometimes", "when"),
    ("attribute = email,", "attribute"),
    ("attribute = email,,phone_number", "attribute"),
    ("attribute = address", "attribute"),
    ("token = magic", "token"),
    ("token = signin,,authtok", "token"),
    ("token = file:relative/path", "token"),
    ("token = file:", "token"),
    ("token = command:/bin/true", "token_command_user"),
    ("match = colour", "match"),
    ("username = %x", "username"),
    ("username = %", "username"),
    ("client_metadata = novalue", "client_metadata"),
    ("client_metadata = host=%q", "client_metadata"),
    ("client_secret_file = secret", "client_secret_file"),
    ("ca_file = ../ca.pem", "ca_file"),
    ("proxy = nonsense", "proxy"),
    ("jwks_url = http://127.0.0.1/jwks.json", "jwks_url"),
)


@pytest.mark.parametrize("line, key", BAD_LINES, ids=[line for line, _ in BAD_LINES])
def test_bad_line(login: Login, standin: Standin, line: str, key: str) -> None:
    login.stage.write_config()
    good = CONFIG.read_text()
    CONFIG.write_text(f"# A comment.\n\n{good}{line}\n")
    number = good.count("\n") + 3
    where = f"{CONFIG}:" if key == "token_command_user" else f"{CONFIG}:{number}:"
    refused(login.again(), standin, where, key)


BAD_VALUES = (
    ("endpoint", "http://127.0.0.1:8080"),
    ("endpoint", "127.0.0.1:8080"),
    ("endpoint", "https://"),
    ("endpoint", "https://user:canary@127.0.0.1"),
    ("endpoint", "https://127.0.0.1/?a=b"),
    ("endpoint", "https://127.0.0.1/#a"),
    ("endpoint", "https://127.0.0.1:99999"),
    ("endpoint", "https://127.0.0.1 "  "x"),
    ("endpoint", "file:///etc/passwd"),
    ("region", "eu central"),
    ("region", "../evil"),
    ("region", "evil.example/"),
    ("user_pool_id", "no/pool"),
    ("client_id", "no client"),
    ("ca_path", "relative"),
    ("signin_flow", "telnet"),
)


@pytest.mark.parametrize("key, value", BAD_VALUES)
def test_bad_value(login: Login, standin: Standin, key: str, value: str) -> None:
    login.stage.write_config(**{key: value})
    lines = CONFIG.read_text().splitlines()
    number = lines.index(f"{key} = {value}") + 1
    refused(login.again(), standin, f"{CONFIG}:{number}:", key)


@pytest.mark.valgrind
@pytest.mark.smoke
def test_endpoint_in_the_clear(login: Login, standin: Standin) -> None:
    """The commonest test set-up elsewhere, and here never more than a line in the log."""
    result = login(endpoint=f"http://127.0.0.1:{standin.port}")
    refused(result, standin, f"{CONFIG}:", "endpoint", "https")


@pytest.mark.parametrize("key", ["user_pool_id", "client_id"])
def test_missing_key(login: Login, standin: Standin, key: str) -> None:
    refused(login(**{key: None}), standin, str(CONFIG), key)


@pytest.mark.parametrize("other", ["endpoint", "issuer"])
def test_missing_region(login: Login, standin: Standin, other: str) -> None:
    """Endpoint and issuer together do without; one alone does not."""
    refused(login(region=None, **{other: None}), standin, str(CONFIG), "region")


def test_needless_region(login: Login, code: Code) -> None:
    assert login([(words.PASSWORD, PASSWORD), (words.ASKED, code)], region=None).let_in


def test_empty_file(login: Login, standin: Standin) -> None:
    login.stage.write_config("")
    refused(login.again(), standin, str(CONFIG))


def test_binary_file(login: Login, standin: Standin) -> None:
    login.stage.write_config()
    CONFIG.write_bytes(CONFIG.read_bytes() + b"max_tries = 3\0x\n")
    refused(login.again(), standin, f"{CONFIG}:")


def test_comments_blanks_and_no_last_newline(login: Login, code: Code) -> None:
    login.stage.write_config()
    lines = [f"  {line.replace(' = ', '=')}  \n# {line}\n\n" for line in CONFIG.read_text().splitlines()]
    CONFIG.write_text("".join(lines) + "max_tries\t=\t1")
    assert login.again([(words.PASSWORD, PASSWORD), (words.ASKED, code)]).let_in


# A file that is not safe


def replaced(path: Path) -> Path:
    return path.rename(path.with_suffix(".real"))


def no_file(path: Path) -> None:
    path.unlink()


def no_folder(path: Path) -> None:
    path.unlink()
    path.parent.rmdir()


def owned_by_another(path: Path) -> None:
    os.chown(path, 65534, 0)


def group_writable(path: Path) -> None:
    path.chmod(0o664)


def world_writable(path: Path) -> None:
    path.chmod(0o646)


def directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


def symlink(path: Path) -> None:
    path.symlink_to(replaced(path))


def device(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


UNSAFE = (no_file, no_folder, owned_by_another, group_writable, world_writable, directory, fifo, symlink, device)


@pytest.mark.parametrize("spoil", UNSAFE)
def test_unsafe_file(login: Login, standin: Standin, ground: Path, spoil: Callable[[Path], None]) -> None:
    folder = ground / "config"
    folder.mkdir()
    path = login.stage.write_config().rename(folder / "pam_cognito.conf")
    login.stage.config_path = path
    spoil(path)
    refused(login.again(), standin, str(path))


def test_readable_file_is_fine(login: Login, code: Code) -> None:
    """There is no secret in it."""
    login.stage.write_config().chmod(0o644)
    assert login.again([(words.PASSWORD, PASSWORD), (words.ASKED, code)]).let_in


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_client_secret_that_others_may_read(login: Login, standin: Standin, mode: int) -> None:
    path = login.stage.write_secret("client-secret", "a-canary-client-secret")
    path.chmod(mode)
    refused(login(client_secret_file=path), standin, str(path))


def test_missing_client_secret(login: Login, standin: Standin, ground: Path) -> None:
    refused(login(client_secret_file=ground / "absent"), standin, str(ground / "absent"))


# Module arguments


def with_arguments(arguments: str) -> str:
    """The password stack with the code line in the service itself."""
    return (
        f"auth [success=ok ignore=ignore cred_insufficient=ignore default=die] pam_cognito_code.so {arguments}\n"
        "auth required pam_cognito_confirm.so\n"
    )


@pytest.mark.parametrize(
    "argument, key",
    [
        ("colour=blue", "colour"),
        ("colour", "colour"),
        ("max_tries=0", "max_tries"),
        ("max_tries", "max_tries"),
        ("endpoint=http://127.0.0.1", "endpoint"),
        ("region=a region=b", "region"),
        ("ca_path=relative", "ca_path"),
        ("echo=maybe", "echo"),
    ],
)
@pytest.mark.valgrind
def test_bad_argument(login: Login, standin: Standin, argument: str, key: str) -> None:
    refused(login(stack=with_arguments(argument)), standin, key)


def test_bad_argument_of_the_guard(login: Login, standin: Standin, code: Code) -> None:
    stack = SOLE.replace("account  requisite pam_cognito_code.so", "account requisite pam_cognito_code.so colour=blue")
    steps = [(words.PASSWORD, PASSWORD), (words.ASKED, code)]
    result = login(steps, stack=stack, calls=("authenticate", "acct_mgmt"))
    assert not result.let_in
    assert "colour" in result.log


def test_conf_by_a_relative_path(login: Login, standin: Standin) -> None:
    login.stage.config_path = Path("pam_cognito.conf")
    refused(login(), standin, "conf")


def test_arguments_override_the_file(login: Login, standin: Standin, wrong: Code) -> None:
    stack = with_arguments("max_tries=1 debug")
    result = login([(words.PASSWORD, PASSWORD), (words.ASKED, wrong)], stack=stack, max_tries=10)
    assert result.code == "PAM_MAXTRIES"


# The default file


@pytest.mark.valgrind
def test_arguments_alone(login: Login, code: Code) -> None:
    """Without conf= the default file may be missing."""
    arguments = " ".join(f"{key}={value}" for key, value in login.stage.config.items())
    login.stage.config_path = None
    with writable(login.stage.build.conf.parent):
        login.stage.build.conf.unlink(missing_ok=True)
        assert login([(words.PASSWORD, PASSWORD), (words.ASKED, code)], stack=with_arguments(arguments)).let_in


def test_no_file_and_no_arguments(login: Login, standin: Standin) -> None:
    login.stage.config_path = None
    with writable(login.stage.build.conf.parent):
        login.stage.build.conf.unlink(missing_ok=True)
        refused(login(stack=with_arguments("")), standin, str(login.stage.build.conf), "region")


def test_default_file(login: Login, code: Code) -> None:
    login.stage.config_path = None
    with writable(login.stage.build.conf.parent):
        login.stage.build.conf.unlink(missing_ok=True)
        login.stage.build.conf.write_text(login.stage.write_config().read_text())
        assert login.again([(words.PASSWORD, PASSWORD), (words.ASKED, code)]).let_in


def test_default_file_is_strict(login: Login, standin: Standin) -> None:
    login.stage.config_path = None
    conf = login.stage.build.conf
    with writable(conf.parent):
        conf.unlink(missing_ok=True)
        conf.write_text("colour = blue\n")
        refused(login(), standin, f"{conf}:1:", "colour")
