"""pam-cognito-check: what an administrator is told before a login depends on it, and what must not happen meanwhile."""

import json
import os
import pwd
import re
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Iterator

import pexpect
import pytest
from harness import accounts, leftovers, words
from harness.accounts import Account
from harness.check import Check, Run
from harness.dialogue import HANG_UP, Step, Talk
from harness.login import Login
from harness.machine import GROUND, covered, passable, writable
from harness.people import EMAIL, OTHER, PASSWORD, PHONE, RUNNER, USER, WRONG_PASSWORD
from harness.stage import CONFIG, SECOND, Value
from standin import Pool, Standin, Token, User, faults
from standin.faults import Fault
from test_config import BAD_LINES, UNSAFE
from test_hostile_text import TEXTS
from test_proxy import Proxy, proxy  # noqa: F401
from test_token import WRONG

Write = Callable[[object], Path]

KEYS, GET, SEND, VERIFY = "jwks", "GetUser", "GetUserAttributeVerificationCode", "VerifyUserAttribute"
CLIENT_SECRET = "a-canary-client-secret"

INTRODUCTION = (
    "This signs in to Cognito as a login would, but has no verification code sent.\n"
    "An account with SMS or e-mail as its MFA gets a sign-in code of Cognito's now.\n"
)
ASKED = INTRODUCTION + words.SECOND_PASSWORD


@pytest.fixture(autouse=True)
def harmless(check: Check, standin: Standin) -> Iterator[None]:
    """Whatever was looked at: no code was sent or confirmed, and nothing counted or remembered."""
    yield
    assert not {SEND, VERIFY} & set(standin.journal.operations())
    assert not [message for message in standin.pool.outbox if not message.challenge]
    assert not leftovers.STATE.exists()


@pytest.fixture
def token(standin: Standin, user: User) -> Token:
    return standin.pool.access_token(USER)


def clean(run: Run) -> Run:
    """Nothing to find, and nothing was logged."""
    assert (run.exit, run.findings, run.err) == (0, [], "")
    assert run.report["findings"] == 0
    assert run.watched.lines == []
    return run


def found(run: Run, *names: str) -> Run:
    """Exactly these rows are findings, and each says what to do."""
    assert (run.exit, run.err) == (1, ""), run
    assert [list(row.values())[1] for row in run.findings] == list(names), run.findings
    assert run.report["findings"] == len(names)
    assert all(row["advice"] for row in run.findings)
    return run


def not_looked(run: Run, *named: str) -> None:
    """Exit code 2, and one line that says why."""
    assert run.exit == 2
    said = run.report["error"] if run.report else run.err
    assert said.count("\n") == (0 if run.report else 1)
    assert all(name in said for name in named), said


# The command line

BAD_USAGE = (
    ((), "subcommand"),
    (("sing",), "sing"),
    (("config", "a", "b"), "config"),
    (("user",), "NAME"),
    (("reach", "now"), "reach"),
    (("reach", "--service", "sshd"), "--service"),
    (("user", USER, "--colour"), "--colour"),
    (("user", USER, "--config"), "--config"),
    (("--json=yes", "config"), "--json=yes"),
)


@pytest.mark.parametrize("arguments, named", BAD_USAGE, ids=[" ".join(words) for words, _ in BAD_USAGE])
@pytest.mark.parametrize("json_too", [False, True], ids=["line", "json"])
def test_bad_usage(check: Check, standin: Standin, arguments: tuple[str, ...], named: str, json_too: bool) -> None:
    run = check(*arguments, json_too=json_too)
    assert run.exit == 2
    assert named in run.out + run.err
    assert (run.out + run.err).count("\n") <= 3
    assert standin.journal.operations() == []


@pytest.mark.smoke
def test_help_and_version(check: Check) -> None:
    run = check("--help", json_too=False)
    assert (run.exit, run.err) == (0, "")
    for word in ("config", "reach", "user", "--config", "--service", "--json", "0 clean, 1 findings, 2 could not look"):
        assert word in run.out
    version = check("--version", json_too=False)
    assert (version.exit, version.out) == (0, f"pam-cognito-check {os.environ['PAM_COGNITO_VERSION']}\n")


# config


def keys_of(check: Check) -> list[str]:
    """Every option, by the one table."""
    table = (check.stage.build.srcdir / "src/common/options.def").read_text()
    return re.findall(r'^OPTION\("(\w+)"', table, re.MULTILINE)


@pytest.mark.smoke
def test_config_of_a_login(check: Check, standin: Standin) -> None:
    run = clean(check("config", check.configured(max_tries=4)))
    lines = CONFIG.read_text().splitlines()
    for number, line in enumerate(lines, 1):
        key, value = line.split(" = ")
        row = next(row for row in run.rows if row["key"] == key)
        assert (row["value"], row["from"]) == (value, f"{CONFIG.name}:{number}")
    assert run.row("max_sends")["value"] == "3" and run.row("max_sends")["from"] == "default"
    assert run.row("jwks_url")["from"].startswith("derived")
    assert run.row("jwks_url")["value"] == f"{standin.config()['endpoint']}/{standin.pool.id}/.well-known/jwks.json"
    assert (run.row("proxy")["value"], run.row("proxy")["from"]) == ("", "not set")
    assert "root" in run.row("(file)")["from"] and "0600" in run.row("(file)")["from"]
    assert standin.journal.operations() == []


def test_every_option_is_shown(check: Check) -> None:
    run = check("config", check.configured())
    shown = [row["key"] for row in run.rows]
    assert [key for key in shown if key in keys_of(check)][: len(keys_of(check))] == keys_of(check)


@pytest.mark.parametrize(
    "key, said, shown",
    [
        ("token", "env:A , file:/run/%u,signin", "env:A, file:/run/%u, signin"),
        ("client_metadata", ["host=%h", "from=a, b"], "host=%h, from=a, b"),
        ("when", "unverified", "unverified"),
        ("echo", "no", "no"),
        ("debug", "yes", "yes"),
        ("resend_delay", "0", "0"),
    ],
)
def test_values_as_they_count(check: Check, key: str, said: str | list[str], shown: str) -> None:
    run = clean(check("config", check.configured(**{key: said})))
    row = next(row for row in run.rows if row["key"] == key)
    assert row["value"] == shown
    first = said[0] if isinstance(said, list) else said
    assert row["from"] == f"{CONFIG.name}:{CONFIG.read_text().splitlines().index(f'{key} = {first}') + 1}"


def test_derived_for_a_real_pool(check: Check) -> None:
    """As most files are: three lines."""
    check.stage.write_config("region = cn-north-1\nuser_pool_id = cn-north-1_Ab\nclient_id = c\n")
    run = clean(check("config", str(CONFIG)))
    assert run.row("endpoint")["value"] == "https://cognito-idp.cn-north-1.amazonaws.com.cn"
    assert run.row("issuer")["value"] == "https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_Ab"
    assert run.row("issuer")["from"] == "derived from region and user_pool_id"


@pytest.mark.parametrize("line, key", BAD_LINES, ids=[line for line, _ in BAD_LINES])
def test_bad_line_in_the_parsers_own_words(check: Check, login: Login, line: str, key: str) -> None:
    """Whatever ends a login is a finding, as the log has it; and what is in it is not repeated."""
    good = check.stage.write_config().read_text()
    CONFIG.write_text(f"{good}{line}\n")
    run = check("config", str(CONFIG))
    logged = login.again(stack=SECOND)
    assert logged.code == "PAM_SERVICE_ERR"
    (refusal,) = [row for row in run.findings if row["key"] == "(refused)"]
    assert f'why="{as_logged(refusal["value"])}"' in logged.log
    assert "PAM_SERVICE_ERR" in refusal["advice"]
    assert run.exit == 1


def as_logged(text: str) -> str:
    return text.replace('"', "'").replace("\\", "'")


def test_all_errors_at_once(check: Check) -> None:
    text = "colour = blue\nmax_tries = 99\nregion = eu-west-1\n\tlost\nregion = eu-west-2\n"
    check.stage.write_config(text)
    run = check("config", str(CONFIG))
    refused = [row["value"] for row in run.rows if row["key"] == "(refused)"]
    assert [re.sub(r"^[^ ]*conf:?", "", line).split(":")[0] for line in refused[:4]] == ["1", "2", "4", "5"]
    assert [line for line in refused if "user_pool_id is missing" in line]
    assert [line for line in refused if "client_id is missing" in line]
    # What could be taken is shown all the same.
    assert run.row("region")["value"] == "eu-west-1"
    assert (run.row("max_tries")["value"], run.row("max_tries")["from"]) == ("", "refused")
    assert run.row("endpoint")["value"] == "https://cognito-idp.eu-west-1.amazonaws.com"


@pytest.mark.parametrize("key", ["user_pool_id", "client_id"])
def test_keys_that_only_arguments_give(check: Check, key: str) -> None:
    run = found(check("config", check.configured(**{key: None})), "(refused)")
    assert run.findings[0]["value"] == f"{CONFIG}: {key} is missing"
    assert "argument" in run.findings[0]["advice"]


@pytest.mark.parametrize("spoil", UNSAFE)
def test_unsafe_config(check: Check, ground: Path, spoil: Callable[[Path], None]) -> None:
    folder = ground / "config"
    folder.mkdir()
    path = check.stage.write_config().rename(folder / "pam_cognito.conf")
    spoil(path)
    run = check("config", str(path))
    if path.exists() or path.is_symlink():
        assert found(run, "(refused)").findings[0]["value"].startswith(f"{path}: ")
    else:
        not_looked(run, str(path))


def test_relative_path(check: Check) -> None:
    check.stage.write_config()
    run = clean(check("config", CONFIG.name, cwd=CONFIG.parent))
    assert run.row("(file)")["value"] == str(CONFIG)


def test_default_config(check: Check) -> None:
    conf = check.stage.build.conf
    with writable(conf.parent):
        conf.unlink(missing_ok=True)
        not_looked(check("config"), str(conf))
        conf.write_text(check.stage.write_config().read_text())
        assert clean(check("config")).row("(file)")["value"] == str(conf)


def test_hostile_config(check: Check) -> None:
    """The parser takes what templates may have; a terminal must not."""
    good = check.stage.write_config().read_bytes()
    CONFIG.write_bytes(good + b"client_metadata = a=\x7f\x9b31mevil\xc2\x9b2J\xe2\x80\xae\n")
    tame(check.at_terminal("config", str(CONFIG)))
    assert re.fullmatch(r"[ -~\n]*", check("config", str(CONFIG)).out)


# What the configuration names


def test_client_secret_is_masked(check: Check) -> None:
    path = check.stage.write_secret("client-secret", CLIENT_SECRET + "\n")
    run = clean(check("config", check.configured(client_secret_file=path)))
    rows = [row for row in run.rows if row["key"] == "client_secret_file"]
    assert [(row["value"], row["from"]) for row in rows][1] == ("****", str(path))


@pytest.mark.parametrize("text", ["", "two\nlines\n", "two words", f"{CLIENT_SECRET}\x01"], ids=repr)
def test_client_secret_that_is_none(check: Check, text: str) -> None:
    path = check.stage.write_secret("client-secret", text)
    run = found(check("config", check.configured(client_secret_file=path)), "client_secret_file")
    assert str(path) in run.findings[0]["value"]


def executable(path: Path) -> Path:
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def open_to_others(path: Path) -> Path:
    path.write_text("x")
    path.chmod(0o666)
    return path


def in_open_folder(folder: Path) -> Path:
    (folder / "open").mkdir()
    (folder / "open").chmod(0o777)
    path = folder / "open/token"
    path.write_text("x")
    path.chmod(0o600)
    return path


def of_mode(path: Path, mode: int, owner: int = 0) -> Path:
    path.write_text("x")
    path.chmod(mode)
    os.chown(path, owner, owner)
    return path


def folder_of(folder: Path, *names: str, mode: int = 0o755) -> Path:
    made = folder / "certificates"
    made.mkdir()
    for name in names:
        (made / name).write_text("x")
    made.chmod(mode)
    return made


NAMED = {
    # what the file says about something in the folder, the row's name, words of the finding
    "secret-missing": (lambda folder: {"client_secret_file": folder / "no"}, "client_secret_file", "No such file"),
    "secret-readable": (
        lambda folder: {"client_secret_file": open_to_others(folder / "s")}, "client_secret_file", "writable by others",
    ),
    "ca-file-missing": (lambda folder: {"ca_path": None, "ca_file": folder / "no"}, "ca_file", "No such file"),
    "ca-file-open": (
        lambda folder: {"ca_path": None, "ca_file": open_to_others(folder / "c")}, "ca_file", "writable by others",
    ),
    "ca-path-missing": (lambda folder: {"ca_path": folder / "no"}, "ca_path", "No such file"),
    "ca-path-not-hashed": (lambda folder: {"ca_path": folder}, "ca_path", "hash"),
    "ca-path-nearly-hashed": (
        lambda folder: {"ca_path": folder_of(folder, "1234567.0", "12345678", "12345678.", "12345678.0x", "1234567g.0")},
        "ca_path", "hash",
    ),
    "ca-path-closed": (lambda folder: {"ca_path": folder_of(folder, "12345678.0", mode=0o744)}, "ca_path", "not readable for"),
    "ca-path-of-a-file": (lambda folder: {"ca_path": of_mode(folder / "c", 0o644)}, "ca_path", "not a directory"),
    "ca-file-of-a-folder": (lambda folder: {"ca_path": None, "ca_file": folder}, "ca_file", "not a file"),
    "ca-file-closed": (lambda folder: {"ca_path": None, "ca_file": of_mode(folder / "c", 0o600)}, "ca_file", "not readable for"),
    "ca-file-of-another": (
        lambda folder: {"ca_path": None, "ca_file": of_mode(folder / "c", 0o644, 65534)}, "ca_file", "not owned by root",
    ),
    "token-missing": (lambda folder: {"token": f"file:{folder}/no"}, "token = file:", "No such file"),
    "token-open": (
        lambda folder: {"token": f"file:{open_to_others(folder / 't')}"}, "token = file:", "writable by others",
    ),
    "token-readable": (
        lambda folder: {"token": f"file:{executable(folder / 't')}"}, "token = file:", "readable by others",
    ),
    "token-in-open-folder": (
        lambda folder: {"token": f"file:{in_open_folder(folder)}"}, "token = file:", "writable by others",
    ),
    "command-missing": (
        lambda folder: {"token": f"command:{folder}/no", "token_command_user": RUNNER},
        "token = command:", "No such file",
    ),
    "command-not-executable": (
        lambda folder: {"token": f"command:{CONFIG}", "token_command_user": RUNNER},
        "token = command:", "not executable",
    ),
    "runner-unknown": (
        lambda folder: {"token": f"command:{executable(folder / 'c')}", "token_command_user": "nobody-at-all"},
        "token_command_user", "no such user",
    ),
    "runner-is-root": (
        lambda folder: {"token": f"command:{executable(folder / 'c')}", "token_command_user": "root"},
        "token_command_user", "root",
    ),
    "group-unknown": (lambda folder: {"exempt_group": f"{RUNNER},no-such-group"}, "exempt_group", "no-such-group"),
}  # fmt: skip


@pytest.mark.parametrize("case", NAMED)
def test_named_things(check: Check, runner: Account, ground: Path, case: str) -> None:
    change, name, text = NAMED[case]
    run = found(check("config", check.configured(**change(ground))), name)
    assert text in run.findings[0]["value"] + run.findings[0]["advice"]


def test_named_things_that_are_right(
    check: Check, runner: Account, ground: Path, token_file: Write, token: Token
) -> None:
    sources = f"env:T,file:{token_file(token)},file:/nowhere/%u,command:{executable(ground / 'c')}"
    clean(check("config", check.configured(token=sources, token_command_user=RUNNER, exempt_group=RUNNER)))


def test_helper_that_cannot_be_started(check: Check, ground: Path) -> None:
    build = check.stage.build
    plain = ground / "helper"
    plain.write_text("not a program")
    with covered(build.helper, plain):
        run = found(check("config", check.configured()), "(helper)")
    assert "not executable" in run.findings[0]["value"]
    with covered(build.helper.parent, ground):
        (ground / "helper").rename(ground / "other")
        run = found(check("config", check.configured()), "(helper)")
    assert str(build.helper) in run.findings[0]["value"]


@contextmanager
def no_helper_user(check: Check, ground: Path) -> Iterator[None]:
    name = check.stage.build.helper_user
    if pwd.getpwnam(name).pw_uid < accounts.FIRST_ID:
        pytest.skip(f"{name} is a user of this machine")
    others = ground / "passwd"
    others.write_text("".join(line for line in open("/etc/passwd") if not line.startswith(f"{name}:")))
    with covered(Path("/etc/passwd"), others):
        yield


def test_helper_user_that_is_missing(check: Check, ground: Path) -> None:
    with no_helper_user(check, ground):
        run = found(check("config", check.configured()), "(helper user)")
    assert run.findings[0]["value"] == check.stage.build.helper_user


NOTES = {
    # key: what the file says, and words of the note
    "when": ({"when": "unverified"}, "no code"),
    "remember": ({"remember": "600"}, "PAM_RHOST"),
    "send_limit": ({"send_limit": "6"}, "5 codes"),
    "attribute": ({"attribute": "phone_number"}, "sandbox"),
    "match": ({"match": "email"}, "mailbox"),
    "signin_flow": ({"signin_flow": "password"}, "password"),
    "use_first_pass": ({"try_first_pass": "yes"}, "local"),
    "exempt_group": ({"exempt_group": "root"}, "cognito-login"),
}


@pytest.mark.parametrize("key", NOTES)
def test_risky_but_legal(check: Check, key: str) -> None:
    """A note, which is no finding, beside those of a file without it."""
    changes, text = NOTES[key]
    quiet = {"signin_flow": "srp", "remember": None if key == "remember" else "600"}
    before = clean(check("config", check.configured(**quiet))).of("note")
    after = clean(check("config", check.configured(**{**quiet, **changes}))).of("note")
    (note,) = [row for row in after if row not in before]
    assert note["key"] == key and text in note["advice"]


def test_code_at_every_login(check: Check) -> None:
    """The default, which the documents warn of."""
    run = clean(check("config", check.configured(signin_flow="srp")))
    assert [(row["key"], "5 codes" in row["advice"]) for row in run.of("note")] == [("when", True)]


@pytest.mark.parametrize("match", ["preferred_username", "custom:unix"])
def test_attributes_that_clients_may_write(check: Check, match: str) -> None:
    run = clean(check("config", check.configured(match=match)))
    assert [row for row in run.of("note") if row["key"] == "match" and "write" in row["advice"]]


# Not root


@contextmanager
def as_user(check: Check, account: Account) -> Iterator[list[str]]:
    """The words before a command that is not root's."""
    with passable(check.stage.build.check), passable(check.stage.build.helper):
        yield ["setpriv", f"--reuid={account.id}", f"--regid={account.id}", "--clear-groups"]


def test_config_of_roots_alone(check: Check, account: Account) -> None:
    path = check.configured()
    with as_user(check, account) as before:
        not_looked(check("config", path, before=before), path, "root")


def test_config_that_everybody_may_read(check: Check, account: Account) -> None:
    secret = check.stage.write_secret("client-secret", CLIENT_SECRET)
    path = check.configured(client_secret_file=secret)
    CONFIG.chmod(0o644)
    with as_user(check, account) as before:
        run = clean(check("config", path, before=before))
    assert [row for row in run.of("note") if "root" in row["advice"] and row["key"] == "client_secret_file"]


def test_reach_without_root(check: Check, account: Account) -> None:
    path = check.configured()
    CONFIG.chmod(0o644)
    with as_user(check, account) as before:
        run = clean(check("reach", "--config", path, before=before))
    assert run.row("JWKS")
    assert [row for row in run.of("note") if "root" in row["advice"]]


def test_user_without_root(check: Check, account: Account, token_file: Write, token: Token) -> None:
    path = check.configured(token=f"file:{token_file(token)}")
    CONFIG.chmod(0o644)
    with as_user(check, account) as before:
        not_looked(check("user", USER, "--config", path, before=before), "root", "token")


# reach

STEPS = ["helper", "DNS", "TCP", "TLS", "JWKS"]


def steps_of(run: Run) -> list[str]:
    return [row["step"] for row in run.rows if row["level"] != "note"]


@pytest.mark.smoke
def test_reach(check: Check, standin: Standin) -> None:
    run = clean(check.of_config("reach"))
    assert steps_of(run) == STEPS
    assert run.row("JWKS")["found"] == "HTTP status 200, 2 keys"
    assert str(standin.port) in run.row("TCP")["found"] and "127.0.0.1" in run.row("DNS")["found"]
    assert all(float(run.row(step)["ms"]) >= 0 for step in STEPS[1:])
    assert standin.journal.operations() == [KEYS]
    assert len(standin.journal.connections) == 1


def test_reach_takes_its_time(check: Check, standin: Standin) -> None:
    """The times are those of the steps. A busy machine notices the end of TCP late, and TLS has less then: together they took that long."""
    standin.faults.add(KEYS, faults.delay(0.3))
    standin.faults.add("connect", faults.delay(0.2))
    run = clean(check.of_config("reach"))
    tcp, tls = (float(run.row(step)["ms"]) for step in ("TCP", "TLS"))
    assert tcp + tls >= 200 > tcp
    assert float(run.row("JWKS")["ms"]) >= 300


@contextmanager
def hosts_file_alone() -> Iterator[None]:
    """No name server is asked, on no machine."""
    path = Path("/etc/nsswitch.conf")
    before = path.read_text() if path.exists() else None
    path.write_text("passwd: files\ngroup: files\nhosts: files\n")
    try:
        yield
    finally:
        path.unlink() if before is None else path.write_text(before)


def failed(run: Run, step: str, *named: str) -> None:
    """It is this step, the last one, and none before it."""
    found(run, step)
    assert steps_of(run) == STEPS[: STEPS.index(step) + 1]
    row = run.row(step)
    assert all(name in f"{row['found']} {row['advice']}" for name in named), row


def test_unknown_name(check: Check, standin: Standin) -> None:
    with hosts_file_alone():
        run = check.of_config("reach", endpoint="https://cognito.pamcog.test")
    failed(run, "DNS", "cognito.pamcog.test", "resolv.conf")
    assert not standin.journal.connections


@contextmanager
def silent_name_server(check: Check) -> Iterator[None]:
    """Somewhere on the loopback, where it takes questions and says nothing."""
    resolv, nsswitch = Path("/etc/resolv.conf"), Path("/etc/nsswitch.conf")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server, covered_text(resolv) as write:
        address = next(one for one in (f"127.7.7.{last}" for last in range(1, 255)) if _binds(server, one))
        write(f"nameserver {address}\noptions timeout:30 attempts:1\n")
        with covered_text(nsswitch) as write_too:
            write_too("passwd: files\ngroup: files\nhosts: dns\n")
            yield


@contextmanager
def covered_text(path: Path) -> Iterator[Callable[[str], object]]:
    draft = GROUND / f"covered-{path.name}"
    draft.write_text("")
    draft.chmod(0o644)
    with covered(path, draft):
        yield draft.write_text
    draft.unlink()


def _binds(server: socket.socket, address: str) -> bool:
    try:
        server.bind((address, 53))
    except OSError:
        return False
    return True


def test_name_server_that_is_silent(check: Check) -> None:
    began = time.monotonic()
    with silent_name_server(check):
        run = check.of_config("reach", endpoint="https://cognito.pamcog.test", connect_timeout=1, request_timeout=4)
    failed(run, "DNS", "resolv.conf")
    assert time.monotonic() - began < 2 * check.stage.build.slowness


def test_closed_port(check: Check) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    failed(check.of_config("reach", endpoint=f"https://127.0.0.1:{port}"), "TCP", "firewall")


def test_port_that_is_silent(check: Check) -> None:
    """A full backlog takes no more connections and refuses none, like a firewall that drops."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        port = server.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        run = check.of_config("reach", endpoint=f"https://127.0.0.1:{port}", connect_timeout=1)
        for one in waiting:
            one.close()
    failed(run, "TCP", "firewall")
    assert 900 <= float(run.row("TCP")["ms"]) < 2000 * check.stage.build.slowness


TLS_FAULTS: dict[str, tuple[Fault, str]] = {
    "self-signed": (faults.certificate("self-signed"), "certificate"),
    "expired": (faults.certificate("expired"), "clock"),
    "wrong-host": (faults.certificate("wrong-host"), "ca_path"),
    "old": (faults.old_tls(), "tls"),
    "plaintext": (faults.plaintext(), "ca_path"),
    "hang": (faults.hang(), "connect_timeout"),
}


@pytest.mark.parametrize("fault", TLS_FAULTS)
def test_no_tls(check: Check, standin: Standin, fault: str) -> None:
    standin.faults.add("connect", TLS_FAULTS[fault][0], None)
    failed(check.of_config("reach", connect_timeout=1), "TLS", TLS_FAULTS[fault][1])


def test_reset_connection(check: Check, standin: Standin) -> None:
    """Who resets it at once can be faster than whoever looks whether it is there."""
    standin.faults.add("connect", faults.refuse(), None)
    run = check.of_config("reach")
    failed(run, run.findings[0]["step"])
    assert run.findings[0]["step"] in ("TCP", "TLS")


KEY_FAULTS: dict[str, tuple[Fault, str]] = {
    "404": (faults.raw(b"{}", 404), "user_pool_id"),
    "403": (faults.status(403), "WAF"),
    "500": (faults.status(500), "later"),
    "garbage": (faults.garbage(), "guest network"),
    "login-page": (faults.raw(b"<html>Please log in</html>"), "guest network"),
    "no-keys": (faults.raw(b'{"keys":[]}'), "guest network"),
    "redirect": (faults.redirect("https://127.0.0.1/"), "jwks_url"),
    "lost": (faults.lose(), "request_timeout"),
    "cut": (faults.cut(40), ""),
    "late": (faults.delay(30), "request_timeout"),
    "huge": (faults.huge(300_000), ""),
    "endless": (faults.endless_headers(), ""),
}


@pytest.mark.parametrize("fault", KEY_FAULTS)
def test_no_keys(check: Check, standin: Standin, fault: str) -> None:
    standin.faults.add(KEYS, KEY_FAULTS[fault][0], None)
    failed(check.of_config("reach", request_timeout=1), "JWKS", KEY_FAULTS[fault][1])


def test_wrong_pool(check: Check, standin: Standin) -> None:
    stranger = "eu-central-1_Stranger1"
    issuer = f"https://cognito-idp.eu-central-1.amazonaws.com/{stranger}"
    failed(check.of_config("reach", user_pool_id=stranger, issuer=issuer), "JWKS", "user_pool_id", "No such pool")


def test_reach_through_a_proxy(check: Check, standin: Standin, proxy: Proxy) -> None:  # noqa: F811
    run = clean(check.of_config("reach", proxy=proxy.url))
    assert steps_of(run) == STEPS
    assert run.row("proxy")["found"] == proxy.url
    assert "proxy" in run.row("TCP")["found"]
    assert len(proxy.requests) == 1


def test_proxy_that_is_not_there(check: Check, proxy: Proxy) -> None:  # noqa: F811
    proxy.close()
    failed(check.of_config("reach", proxy=proxy.url), "TCP", "proxy")


def test_proxy_that_refuses(check: Check) -> None:
    with refusing_proxy() as url:
        failed(check.of_config("reach", proxy=url), "TLS", "407", "proxy")


@contextmanager
def refusing_proxy() -> Iterator[str]:
    program = (
        "import socket\n"
        "server = socket.create_server(('127.0.0.1', 0))\n"
        "print(server.getsockname()[1], flush=True)\n"
        "while True:\n"
        "    client = server.accept()[0]\n"
        "    client.recv(65536)\n"
        "    client.sendall(b'HTTP/1.1 407 Proxy Authentication Required\\r\\nContent-Length: 0\\r\\n\\r\\n')\n"
        "    client.close()\n"
    )
    process = subprocess.Popen(["python3", "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.kill()
        process.communicate()


def test_keys_from_another_host(check: Check, standin: Standin) -> None:
    """What was not looked at is said."""
    url = f"{standin.config()['endpoint']}/{standin.pool.id}/.well-known/jwks.json"
    run = clean(check.of_config("reach", endpoint="https://localhost:1", jwks_url=url))
    assert "not looked at" in run.row("endpoint")["advice"]


def test_reach_without_a_helper(check: Check, ground: Path) -> None:
    path = check.configured()
    with covered(check.stage.build.helper.parent, ground):
        run = check("reach", "--config", path)
    assert run.exit == 1
    assert [row["step"] for row in run.rows] == ["helper"]
    assert str(check.stage.build.helper) in run.findings[0]["advice"]


def test_reach_without_the_helpers_user(check: Check, standin: Standin, ground: Path) -> None:
    path = check.configured()
    with no_helper_user(check, ground):
        run = found(check("reach", "--config", path), "helper")
    assert check.stage.build.helper_user in run.findings[0]["advice"]
    assert not standin.journal.connections


def test_helper_that_says_nothing(check: Check, standin: Standin, ground: Path) -> None:
    """However it ends, that is no clean run."""
    other = executable(ground / "helper")
    path = check.configured(request_timeout=1)
    with covered(check.stage.build.helper, other):
        found(check("reach", "--config", path), "helper")


def test_reach_with_a_bad_config(check: Check, standin: Standin) -> None:
    check.stage.write_config("colour = blue\n")
    not_looked(check("reach", "--config", str(CONFIG)), f"{CONFIG}:1", "colour")
    not_looked(check("user", USER, "--config", str(CONFIG)), f"{CONFIG}:1", "colour")
    assert not standin.journal.connections


def test_client_secret_is_not_needed_to_reach(check: Check, ground: Path) -> None:
    clean(check.of_config("reach", client_secret_file=ground / "missing"))


@pytest.mark.parametrize("text", TEXTS)
def test_hostile_keys(check: Check, standin: Standin, text: str) -> None:
    standin.faults.add(KEYS, faults.raw(TEXTS[text].encode("utf-8", "surrogatepass"), 418), None)
    talk = check.at_terminal("reach", "--config", check.configured())
    tame(talk)
    assert talk.exit == 1


def test_interrupted_reach(check: Check, standin: Standin) -> None:
    """Ctrl-C ends it at once, and the helper with it."""
    standin.faults.add(KEYS, faults.delay(60))
    with check.stage.watched():
        # A shell lets its background jobs ignore the signal, and a program that is started keeps that.
        process = subprocess.Popen(
            ["env", "--default-signal=INT", check.stage.build.check, "reach", "--config", check.configured(request_timeout=60)]
        )
        standin.journal.wait_for(KEYS)
        process.send_signal(signal.SIGINT)
        assert process.wait(check.stage.build.patience) == -signal.SIGINT


# user


def checks_of(run: Run) -> list[str]:
    return [row["check"] for row in run.rows]


TOKEN_CHECKS = ["alg", "kid", "signature", "iss", "client_id", "token_use", "exp", "scope", "username"]


@pytest.mark.smoke
def test_user_with_a_token_file(check: Check, standin: Standin, token_file: Write, token: Token) -> None:
    path = token_file(token)
    run = clean(check.of_config("user", USER, token=f"file:{path}"))
    assert checks_of(run) == ["Cognito name", "token", *TOKEN_CHECKS, "email", "code"]
    assert run.row("token")["expected"] == f"file:{path}"
    assert run.row("iss")["found"] == run.row("iss")["expected"] == token.claims["iss"]
    assert (run.row("username")["expected"], run.row("username")["found"]) == (USER, USER)
    assert run.row("email")["found"] == "a***@e***, not verified"
    assert run.row("code")["found"] == "to email"
    assert standin.journal.operations() == [KEYS, GET]


def test_nothing_is_logged(check: Check, token_file: Write, token: Token) -> None:
    """It is no login, not even with debug."""
    clean(check.of_config("user", USER, token=f"file:{token_file(token)}", debug="yes"))


def token_parts(token: Token) -> list[str]:
    return str(token).split(".")


@pytest.mark.parametrize("wrong", WRONG)
def test_refused_token(
    check: Check, standin: Standin, login: Login, token_file: Write, token: Token, wrong: str
) -> None:
    """Whatever a login refuses, for the reason that the log names; of the token nothing is shown but claims."""
    WRONG[wrong](token)
    path = token_file(token)
    check.stage.secrets += [str(token), *[part for part in token_parts(token) if part]]
    run = check.of_config("user", USER, token=f"file:{path}")
    assert run.exit == 1 and run.findings
    assert standin.journal.operations() == [KEYS]
    logged = login.again(stack=SECOND)
    assert logged.results == ["token-refused"]
    first = run.findings[0]
    name = first["check"].removesuffix(" (unverified)")
    assert as_logged(first["found"]) in logged.log or (name == "exp" and "claim=exp" in logged.log)


def test_every_check_is_shown(check: Check, token_file: Write, token: Token) -> None:
    """Not only the first refusal, which is all that a login needs."""
    wrong = {"iss": "https://elsewhere", "client_id": "c", "token_use": "id", "exp": 1, "scope": "openid"}
    token.claims |= {**wrong, "username": OTHER}
    run = check.of_config("user", USER, token=f"file:{token_file(token)}")
    found(run, "iss", "client_id", "token_use", "exp", "scope", "username")
    assert checks_of(run)[2:] == TOKEN_CHECKS
    assert run.row("exp")["found"] == "1970-01-01 00:00:01 UTC"
    assert run.row("username")["found"] == OTHER


@pytest.mark.parametrize("forged", ["other-signature", "other-kid"])
def test_unverified_claims_are_marked(check: Check, token_file: Write, token: Token, forged: str) -> None:
    WRONG[forged](token)
    token.claims["username"] = OTHER
    run = check.of_config("user", USER, token=f"file:{token_file(token)}")
    claims = [row for row in run.rows if row["check"].partition(" ")[0] in TOKEN_CHECKS[3:]]
    assert len(claims) == 6
    assert all(row["check"].endswith("(unverified)") and row["level"] != "ok" for row in claims)
    assert run.row("username (unverified)")["level"] == "finding"
    assert [row for row in run.findings if row["check"] in ("signature", "kid") and "verified" in row["advice"]]


def test_token_of_another_pool(check: Check, standin: Standin, other_pool: Pool, token_file: Write) -> None:
    run = check.of_config("user", USER, token=f"file:{token_file(other_pool.access_token(USER))}")
    found(run, "kid", "iss (unverified)", "client_id (unverified)")
    assert standin.journal.operations() == [KEYS]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("claim", ["username", "client_id", "iss"])
def test_hostile_claims(check: Check, token_file: Write, token: Token, claim: str, text: str) -> None:
    """A signed one can say anything: the user chose his name."""
    token.claims[claim] = TEXTS[text]
    path = check.configured(token=f"file:{token_file(token)}")
    talk = check.at_terminal("user", USER, "--config", path)
    tame(talk)
    assert talk.exit == 1
    run = check("user", USER, "--config", path)
    (row,) = [row for row in run.rows if row["check"] == claim]
    assert re.fullmatch(r"[!-~]{1,128}", row["found"])
    assert re.fullmatch(r"[ -~\n]*", run.out)


def tame(talk: Talk) -> None:
    """Printable ASCII in lines, and the tool's own colours."""
    assert re.fullmatch(r"[ -~\n]*", re.sub(r"\x1b\[[0-9;]*m", "", talk.seen)), talk.seen
    colours = re.findall(r"\x1b\[[0-9;]*m", talk.seen)
    assert len(colours) % 2 == 0 and set(colours[1::2]) <= {"\x1b[0m"}


@pytest.mark.parametrize("text", TEXTS)
def test_hostile_replies(
    check: Check, standin: Standin, user: User, token_file: Write, token: Token, text: str
) -> None:
    path = check.configured(token=f"file:{token_file(token)}", attribute="email,phone_number")
    attributes = [{"Name": name, "Value": TEXTS[text]} for name in ("email", "phone_number", "email_verified")]
    standin.faults.add(GET, faults.altered(lambda payload: {**payload, "UserAttributes": attributes}))
    tame(check.at_terminal("user", USER, "--config", path))
    standin.faults.add(GET, faults.error("InternalErrorException", TEXTS[text]), None)
    talk = check.at_terminal("user", USER, "--config", path)
    tame(talk)
    assert talk.exit == 1


# Its sources


def test_sources_in_their_order(
    check: Check, standin: Standin, token_file: Write, token: Token, ground: Path
) -> None:
    path = token_file(token)
    run = clean(check.of_config("user", USER, token=f"authtok,env:TOKEN,file:{ground}/%u,file:{path},signin"))
    tried = [(row["expected"], row["level"]) for row in run.rows if row["check"] == "token"]
    assert tried == [
        ("authtok", "note"), ("env:TOKEN", "note"), (f"file:{ground}/%u", "note"), (f"file:{path}", "ok"),
    ]  # fmt: skip
    assert standin.journal.operations() == [KEYS, GET]


def test_sources_of_a_login_alone(check: Check, standin: Standin) -> None:
    run = clean(check.of_config("user", USER, token="authtok,env:TOKEN"))
    assert [row["level"] for row in run.rows if row["check"] == "token"] == ["note"] * 3


def test_no_source_has_one(check: Check, ground: Path) -> None:
    found(check.of_config("user", USER, token=f"file:{ground}/a,file:{ground}/b"), "token")


def test_unsafe_token_file(check: Check, token_file: Write, token: Token) -> None:
    path = token_file(token)
    path.chmod(0o644)
    run = found(check.of_config("user", USER, token=f"file:{path},signin"), "token")
    assert run.findings[0]["found"] == "unsafe-file" and str(path) in run.findings[0]["advice"]


def test_token_file_that_has_none(check: Check, token_file: Write) -> None:
    run = found(check.of_config("user", USER, token=f"file:{token_file('')}"), "token")
    assert run.findings[0]["found"] == "token-refused"


def test_token_command(check: Check, runner: Account, ground: Path, token: Token) -> None:
    """It learns the service that --service names."""
    program = executable(ground / "command")
    program.write_text(f'#!/bin/sh\n[ "$1 $2" = "{USER} ssh-gate" ] && echo {token}\n')
    check.stage.secrets.append(str(token))
    config = check.configured(token=f"command:{program}", token_command_user=RUNNER)
    clean(check("user", USER, "--config", config, "--service", "ssh-gate"))
    run = found(check("user", USER, "--config", config), "token")
    assert run.findings[0]["found"] == "token-command"


# Its match, and where the code would go


def test_matching_attribute(check: Check, standin: Standin, user: User, token_file: Write, token: Token) -> None:
    user.attributes["email_verified"] = "true"
    config = {"match": "email", "username": "alice@example.com", "token": f"file:{token_file(token)}"}
    run = clean(check.of_config("user", USER, **config))
    assert run.row("email_verified")["found"] == "true"
    assert [row["found"] for row in run.rows if row["check"] == "email"] == [EMAIL, "a***@e***, verified"]


def test_attribute_that_does_not_match(check: Check, standin: Standin, token_file: Write, token: Token) -> None:
    """Both of what is wrong with it."""
    config = {"match": "email", "username": "%u@example.org", "token": f"file:{token_file(token)}"}
    run = found(check.of_config("user", USER, **config), "email", "email_verified")
    assert (run.row("email")["expected"], run.row("email")["found"]) == (f"{USER}@example.org", EMAIL)
    assert run.row("email_verified")["found"] == "false"
    assert standin.journal.operations() == [KEYS, GET]


def test_attribute_is_not_asked_for_with_a_refused_token(
    check: Check, standin: Standin, token_file: Write, token: Token
) -> None:
    token.claims["client_id"] = "another"
    config = {"match": "custom:unix", "token": f"file:{token_file(token)}"}
    run = found(check.of_config("user", USER, **config), "client_id")
    assert run.row("custom:unix")["level"] == "note"
    assert standin.journal.operations() == [KEYS]


@pytest.mark.parametrize(
    "has, config, code",
    [
        ({"email": EMAIL}, {"attribute": "email,phone_number"}, "to email"),
        ({"email": EMAIL, "phone_number": PHONE}, {"attribute": "email,phone_number"},
         "the user chooses email or phone_number"),
        ({"email": EMAIL, "email_verified": "true"}, {"when": "unverified"}, "none"),
        ({"email": EMAIL, "email_verified": "false"}, {"when": "unverified"}, "to email"),
        ({"email": EMAIL, "phone_number": PHONE, "email_verified": "true"},
         {"attribute": "email,phone_number", "when": "unverified"}, "to phone_number"),
    ],
)  # fmt: skip
def test_where_the_code_would_go(
    check: Check, user: User, token_file: Write, token: Token, has: dict[str, str], config: dict[str, str], code: str
) -> None:
    user.attributes = {"sub": user.sub, **has}
    run = clean(check.of_config("user", USER, token=f"file:{token_file(token)}", **config))
    assert run.row("code")["found"] == code


def test_account_without_the_attribute(check: Check, token_file: Write, token: Token) -> None:
    config = {"attribute": "phone_number", "token": f"file:{token_file(token)}"}
    run = found(check.of_config("user", USER, **config), "code")
    assert run.findings[0]["found"] == "no-attribute"


def test_revoked_token(check: Check, standin: Standin, token_file: Write, token: Token) -> None:
    """It verifies offline; Cognito knows better."""
    standin.faults.add(GET, faults.error("NotAuthorizedException", "Access Token has been revoked"), None)
    run = found(check.of_config("user", USER, token=f"file:{token_file(token)}"), "GetUser")
    assert run.findings[0]["found"] == "NotAuthorizedException"


# Who


def test_name_that_cannot_be_used(check: Check, standin: Standin) -> None:
    for name in ("../root", ".hidden", "two words", "-x\x1b[31m", "x" * 129):
        run = check("user", "--config", check.configured(), "--", name)
        found(run, "Cognito name")
    assert not standin.journal.connections


def test_template(check: Check, standin: Standin, user: User, token_file: Write, token: Token) -> None:
    run = check.of_config("user", USER, username="%u.%s", token=f"file:{token_file(token)}")
    found(run, "username")
    assert (run.row("Cognito name")["expected"], run.row("Cognito name")["found"]) == ("%u.%s", f"{USER}.sshd")


def test_exempt_user(check: Check, standin: Standin, account: Account) -> None:
    with accounts.groups({"pamcog-exempt": [USER]}):
        run = clean(check.of_config("user", USER, exempt_group="pamcog-exempt"))
        assert "no code would be asked" in run.row("exempt_group")["advice"]
        assert checks_of(run) == ["Cognito name", "exempt_group"]
        not_looked(check.of_config("user", OTHER, exempt_group="pamcog-exempt"), "terminal")
    assert not standin.journal.requests("InitiateAuth")


def test_unknown_exempt_group(check: Check) -> None:
    found(check.of_config("user", USER, exempt_group="no-such-group"), "exempt_group")


# Signing in


def signed_in(check: Check, *steps: Step, json_too: bool = False, **config: Value) -> Talk:
    """With the right password, and then these steps."""
    arguments = ["user", USER, "--config", check.configured(**config), *(["--json"] if json_too else [])]
    return check.at_terminal(*arguments, steps=[(ASKED, PASSWORD), *steps])


@pytest.mark.smoke
@pytest.mark.parametrize("flow", ["srp", "password"])
def test_sign_in(check: Check, standin: Standin, user: User, flow: str) -> None:
    talk = signed_in(check, json_too=True, signin_flow=flow)
    assert talk.exit == 0
    assert not talk.prompts[0].echo
    report = json.loads(talk.ending)
    assert [row["check"] for row in report["rows"]] == ["Cognito name", "token", *TOKEN_CHECKS, "email", "code"]
    assert standin.journal.operations()[-1] == GET


def test_table_at_a_terminal(check: Check, user: User) -> None:
    talk = signed_in(check)
    tame(talk)
    assert "\x1b[32mok\x1b[0m" in talk.ending
    assert "no findings" in talk.ending


def test_wrong_password(check: Check, user: User) -> None:
    talk = check.at_terminal("user", USER, "--config", check.configured(), steps=[(ASKED, WRONG_PASSWORD)])
    assert talk.exit == 1
    assert "NotAuthorizedException" in talk.ending


def test_no_terminal(check: Check, standin: Standin) -> None:
    not_looked(check.of_config("user", USER), "terminal")
    assert not standin.journal.requests("InitiateAuth")


def test_password_on_standard_input_is_not_taken(check: Check, standin: Standin) -> None:
    command = [check.stage.build.check, "user", USER, "--config", check.configured()]
    done = subprocess.run(command, input=PASSWORD + "\n", capture_output=True, text=True, start_new_session=True)
    assert done.returncode == 2 and "terminal" in done.stderr
    assert not standin.journal.requests("InitiateAuth")


@pytest.mark.parametrize("mfa", ["SMS_MFA", "EMAIL_OTP", "SOFTWARE_TOKEN_MFA"])
def test_challenges(check: Check, standin: Standin, user: User, mfa: str) -> None:
    user.attributes["phone_number"] = PHONE
    user.totp_secret = "JBSWY3DPEHPK3PXP"
    user.mfa = [mfa]
    said, code = {
        "SMS_MFA": (words.SIGN_IN_BY_SMS, lambda: standin.pool.outbox[-1].code),
        "EMAIL_OTP": (words.SIGN_IN_BY_EMAIL, lambda: standin.pool.outbox[-1].code),
        "SOFTWARE_TOKEN_MFA": ("Your authenticator app shows a code.\n", lambda: standin.pool.totp(USER)),
    }[mfa]
    assert signed_in(check, (said + words.SIGN_IN_CODE, code)).exit == 0


def test_password_is_no_code(check: Check, standin: Standin, user: User) -> None:
    """As in a login: it is not sent."""
    user.totp_secret = "JBSWY3DPEHPK3PXP"
    user.mfa = ["SOFTWARE_TOKEN_MFA"]
    asked = "Your authenticator app shows a code.\n" + words.SIGN_IN_CODE
    talk = signed_in(check, (asked, PASSWORD), ("That cannot be a code.\n" + words.SIGN_IN_CODE, HANG_UP))
    assert talk.exit == 1
    assert not standin.journal.requests("RespondToAuthChallenge")


def test_temporary_password(check: Check, user: User) -> None:
    user.status = "FORCE_CHANGE_PASSWORD"
    talk = signed_in(check)
    assert talk.exit == 1 and "new-password" in talk.ending


def test_first_pass_is_asked_for_here(check: Check, standin: Standin, user: User) -> None:
    talk = signed_in(check, json_too=True, use_first_pass="yes")
    assert [row["level"] for row in json.loads(talk.ending)["rows"] if row["check"] == "use_first_pass"] == ["note"]


@pytest.mark.parametrize("text", TEXTS)
def test_hostile_challenge(check: Check, standin: Standin, user: User, text: str) -> None:
    user.attributes["phone_number"] = PHONE
    user.mfa = ["SMS_MFA"]

    def altered(payload: dict[str, Any]) -> dict[str, Any]:
        parameters = {**payload["ChallengeParameters"], "CODE_DELIVERY_DESTINATION": TEXTS[text]}
        return {**payload, "ChallengeParameters": parameters}

    standin.faults.add("InitiateAuth", faults.altered(altered))
    anything = re.compile(r"[ -~]*\n" + re.escape(words.SIGN_IN_CODE))
    tame(signed_in(check, (anything, lambda: standin.pool.outbox[-1].code)))


def spawn(check: Check, command: list[str], columns: int = 200) -> pexpect.spawn:
    """A command at a terminal, to be typed at step by step."""
    build = check.stage.build
    environment = {**build.host_environment(), "PS1": "$ "}
    return pexpect.spawn(
        command[0], command[1:], env=environment, encoding="utf-8", timeout=build.patience, dimensions=(50, columns)
    )


@pytest.mark.parametrize("signal_typed", ["\x03", "\x1c"], ids=["interrupt", "quit"])
def test_echo_comes_back(check: Check, signal_typed: str) -> None:
    """Whatever ends the question, the terminal is as it was."""
    tool = f"{check.stage.build.check} user {USER} --config {check.configured()}"
    with check.stage.watched():
        child = spawn(check, ["/bin/sh", "-c", f"trap : INT QUIT; {tool}; stty -a; echo done"])
        try:
            child.expect_exact(words.SECOND_PASSWORD)
            assert not child.getecho()
            child.send(signal_typed)
            child.expect_exact("done")
            assert re.search(r" echo\b", child.before)
        finally:
            child.close(force=True)


def test_stopped_and_continued(check: Check, standin: Standin, user: User) -> None:
    """Ctrl-Z gives the terminal back; then the question is asked again."""
    with check.stage.watched():
        child = spawn(check, ["/bin/bash", "--norc", "--noprofile", "-i"])
        try:
            child.sendline(f"{check.stage.build.check} user {USER} --config {check.configured()} --json; echo ended $?")
            child.expect_exact(words.SECOND_PASSWORD)
            child.send("\x1a")
            child.expect_exact("Stopped")
            child.sendline("fg")
            child.expect_exact(words.SECOND_PASSWORD)
            child.sendline(PASSWORD)
            child.expect(r"\}\s+(ended|.*\$ )")
            assert PASSWORD not in child.before
            assert '"gave a token"' in child.before
        finally:
            child.close(force=True)


# The table


def test_no_colour_without_a_terminal(check: Check) -> None:
    run = check.of_config("reach")
    plain = check("reach", "--config", str(CONFIG), json_too=False)
    assert "\x1b" not in plain.out
    assert [line.split()[1] for line in plain.out.splitlines()[1:6]] == STEPS
    assert run.out.startswith("{")


def test_columns_are_aligned(check: Check) -> None:
    """One line for each row, and the cells beneath the heading."""
    out = check("reach", "--config", check.configured(), json_too=False).out
    heading, *rows = out.split("\n\n")[0].splitlines()
    for word in ("step", "ms", "found"):
        at = heading.index(word)
        assert all(row[at - 1] == " " for row in rows)
        assert all(row[at] != " " for row in rows[1:])


def test_narrow_terminal(check: Check, token_file: Write, token: Token) -> None:
    """Nothing is cut: what is too wide stands beneath."""
    path = check.configured(token=f"file:{token_file(token)}")
    command = [str(check.stage.build.check), "user", USER, "--config", path]
    child = spawn(check, command, columns=60)
    child.expect(pexpect.EOF)
    child.close()
    lines = re.sub(r"\x1b\[[0-9;]*m", "", child.before).splitlines()
    assert "no findings" in lines
    assert [line for line in lines if line.strip() == f"found     {token.claims['iss']}"]
    assert all(len(line) <= 60 or " " not in line.strip()[12:] for line in lines)
