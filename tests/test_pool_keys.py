"""The pool's keys are kept from one login to the next: a token that is there costs no round trip for them."""

import json
import os
import shutil
import struct
from pathlib import Path
from typing import Callable

import pytest
from harness import words
from harness.accounts import Account
from harness.hosts import Hosts
from harness.leftovers import STATE
from harness.login import Login
from harness.machine import passable
from harness.people import OTHER, PASSWORD, USER, WRONG_PASSWORD
from harness.stage import SECOND, Value
from standin import SigningKey, Standin, User, faults

Write = Callable[[object], Path]
Code = Callable[[], str]

KEYS = "jwks"
SEND = "GetUserAttributeVerificationCode"
VERIFY = "VerifyUserAttribute"
DAY_MS = 24 * 60 * 60 * 1000


class Visitor:
    """Comes with a token in a file, and is asked for a code."""

    def __init__(self, login: Login, standin: Standin, token_file: Write, code: Code) -> None:
        self._login, self._standin, self._code = login, standin, code
        self._write = token_file

    def comes(self, let_in: bool = True, token: object = None, **config: Value) -> list[str]:
        """What the login asks of the server."""
        path = self._write(token or self._standin.pool.access_token(USER))
        self._standin.journal.clear()
        steps = [(words.ASKED, self._code)] if let_in else []
        result = self._login(steps, stack=SECOND, token=f"file:{path}", **config)
        assert result.let_in == let_in
        self.log = result.log
        return self._standin.journal.operations()


@pytest.fixture
def visitor(login: Login, standin: Standin, token_file: Write, code: Code) -> Visitor:
    return Visitor(login, standin, token_file, code)


def kept() -> Path:
    (path,) = STATE.glob("keys-*")
    return path


@pytest.mark.smoke
def test_fetched_once(visitor: Visitor) -> None:
    assert visitor.comes() == [KEYS, SEND, VERIFY]
    for _ in range(3):
        assert visitor.comes() == [SEND, VERIFY]
    assert (kept().stat().st_uid, kept().stat().st_mode & 0o7777) == (0, 0o600)


def test_for_all_users(visitor: Visitor, standin: Standin, hosts: Hosts, token_file: Write, code: Code) -> None:
    visitor.comes()
    standin.pool.add_user(OTHER, PASSWORD, email="bob@example.com")
    standin.journal.clear()
    path = token_file(standin.pool.access_token(OTHER))
    with Hosts(hosts.stage, OTHER)(stack=SECOND, token=f"file:{path}") as host:
        host.start()
        assert host.call("authenticate", [code]) == "PAM_SUCCESS"
        host.end()
    assert standin.journal.operations() == [SEND, VERIFY]


def test_one_connection(visitor: Visitor, standin: Standin) -> None:
    visitor.comes()
    visitor.comes()
    assert len({entry.connection for entry in standin.journal.requests()}) == 1


def test_fetched_anew_while_somebody_types(visitor: Visitor, login: Login, standin: Standin, code: Code) -> None:
    """The time is there, and the connection is needed anyway."""
    visitor.comes()
    standin.journal.clear()
    assert login([(words.PASSWORD, PASSWORD), (words.ASKED, code)]).let_in
    assert standin.journal.operations() == [KEYS, "InitiateAuth", SEND, VERIFY]


def test_fetched_anew_while_a_command_runs(
    visitor: Visitor, login: Login, standin: Standin, code: Code, ground: Path, runner: object
) -> None:
    visitor.comes()
    standin.journal.clear()
    program = ground / "token"
    program.write_text(f"#!/bin/sh\necho {standin.pool.access_token(USER)}\n")
    program.chmod(0o755)
    assert login([(words.ASKED, code)], stack=SECOND, token=f"command:{program}", token_command_user="pamcog-runner").let_in
    assert standin.journal.operations() == [KEYS, SEND, VERIFY]


def test_a_pool_whose_keys_cannot_be_fetched(visitor: Visitor, login: Login, standin: Standin, code: Code) -> None:
    """Those that are kept are good for the password too."""
    visitor.comes()
    standin.faults.add(KEYS, faults.status(500))
    assert login([(words.PASSWORD, PASSWORD), (words.ASKED, code)]).let_in


# Others than those that are kept


def test_unknown_kid(visitor: Visitor, standin: Standin) -> None:
    visitor.comes()
    standin.pool.rotate_keys()
    assert visitor.comes() == [KEYS, SEND, VERIFY]
    assert visitor.comes() == [SEND, VERIFY]


def test_another_key_of_the_same_name(visitor: Visitor, standin: Standin) -> None:
    visitor.comes()
    old = standin.pool.keys
    standin.pool.rotate_keys()
    for key, before in zip(standin.pool.keys, old):
        key.kid = before.kid
    assert visitor.comes() == [KEYS, SEND, VERIFY]
    assert visitor.comes() == [SEND, VERIFY]


def test_a_stranger_s_token(visitor: Visitor, standin: Standin) -> None:
    """Asked for once more, and refused: nothing is sent, and nothing else is kept."""
    visitor.comes()
    before = kept().read_bytes()
    token = standin.pool.access_token(USER)
    stranger = SigningKey()
    stranger.kid = token.key.kid
    token.key = stranger
    assert visitor.comes(let_in=False, token=token) == [KEYS]
    assert kept().read_bytes() == before
    assert visitor.comes() == [SEND, VERIFY]


@pytest.mark.parametrize("claim", ["exp", "iss", "client_id", "username"])
def test_a_token_that_is_refused_for_its_claims(visitor: Visitor, standin: Standin, claim: str) -> None:
    """Other keys would not help."""
    visitor.comes()
    token = standin.pool.access_token(USER)
    token.claims[claim] = 1 if claim == "exp" else "another"
    assert visitor.comes(let_in=False, token=token) == []


def test_withdrawn_key(visitor: Visitor, standin: Standin) -> None:
    """Its tokens are Cognito's to refuse."""
    visitor.comes()
    token = standin.pool.access_token(USER)
    standin.pool.rotate_keys()
    assert visitor.comes(let_in=False, token=token) == [SEND]


# When they are kept


def test_not_before_cognito_took_a_token(login: Login, standin: Standin, visitor: Visitor, user: User) -> None:
    standin.pool.quotas[SEND] = 0
    assert visitor.comes(let_in=False) == [KEYS, SEND]
    assert not list(STATE.glob("keys-*"))
    assert not login([(words.PASSWORD, WRONG_PASSWORD)]).let_in
    assert not list(STATE.glob("keys-*"))


def test_not_more_than_a_pool_has(visitor: Visitor, standin: Standin, monkeypatch: pytest.MonkeyPatch) -> None:
    """A set of more than 8 KiB is fetched each time."""
    served = standin.pool.jwks()
    monkeypatch.setattr(standin.pool, "jwks", lambda: {**served, "more": "x" * 8192})
    assert visitor.comes() == [KEYS, SEND, VERIFY]
    assert not list(STATE.glob("keys-*"))
    assert visitor.comes() == [KEYS, SEND, VERIFY]


def test_a_place_that_is_taken(visitor: Visitor, login: Login) -> None:
    """Said in the log, and no reason to keep anybody out."""
    visitor.comes()
    path = kept()
    path.unlink()
    path.mkdir()
    assert visitor.comes() == [KEYS, SEND, VERIFY]
    assert visitor.comes() == [KEYS, SEND, VERIFY]
    assert f"keys: {path}: " in visitor.log


# What is not what was left


def elsewhere() -> Path:
    return Path("/run/elsewhere")


def symlink(path: Path) -> None:
    shutil.move(path, elsewhere())
    path.symlink_to(elsewhere())


def check_of(image: bytes) -> int:
    """FNV-1a, as src/module/state.c has it, over the head without its check, and the key."""
    key_length = struct.unpack_from("I", image, 60)[0]
    value = 14695981039346656037
    for byte in image[:64] + bytes(8) + image[72 : 72 + key_length]:
        value = (value ^ byte) * 1099511628211 % 2**64
    return value


def change(path: Path, at: int, new: bytes) -> None:
    """What root's own program would have written."""
    image = bytearray(path.read_bytes())
    image[at : at + len(new)] = new
    image[64:72] = struct.pack("Q", check_of(bytes(image)))
    path.write_bytes(image)


def aged(by: int) -> Callable[[Path], None]:
    def age(path: Path) -> None:
        change(path, 48, struct.pack("q", struct.unpack_from("q", path.read_bytes(), 48)[0] - by))

    return age


def another_text(path: Path) -> None:
    image = path.read_bytes()
    path.write_bytes(image[:-2] + b"XX")


SPOILED = {
    "a-day-old": aged(DAY_MS),
    "from-the-future": aged(-60_000),
    "another-boot": lambda path: change(path, 8, b"00000000-0000-0000-0000-000000000000"),
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b" "),
    "random": lambda path: path.write_bytes(os.urandom(900)),
    "not-json": another_text,
    "mode": lambda path: path.chmod(0o644),
    "owner": lambda path: os.chown(path, 65534, 0),
    "symlink": symlink,
    "hard-link": lambda path: os.link(path, elsewhere()),
}


@pytest.mark.parametrize("how", SPOILED)
def test_spoiled(visitor: Visitor, how: str) -> None:
    """Fetched anew, and good ones are put in the place."""
    visitor.comes()
    SPOILED[how](kept())
    try:
        assert visitor.comes() == [KEYS, SEND, VERIFY]
    finally:
        elsewhere().unlink(missing_ok=True)
    assert visitor.comes() == [SEND, VERIFY]


def test_almost_a_day_old(visitor: Visitor) -> None:
    """What the tests change is what counts."""
    visitor.comes()
    aged(DAY_MS - 60_000)(kept())
    assert visitor.comes() == [SEND, VERIFY]


def test_other_trust(visitor: Visitor, standin: Standin, ground: Path) -> None:
    """Keys that came over a connection which would not be trusted now are not these."""
    visitor.comes()
    copy = ground / "ca"
    shutil.copytree(str(standin.config()["ca_path"]), copy, symlinks=True)
    assert visitor.comes(ca_path=copy) == [KEYS, SEND, VERIFY]


def test_planted_by_another(visitor: Visitor, standin: Standin) -> None:
    """A set of a stranger's, laid down by one who is not root, lets no token of his in."""
    visitor.comes()
    stranger = SigningKey()
    image = kept().read_bytes()
    rest = 72 + struct.unpack_from("I", image, 60)[0]
    stranger.kid = standin.pool.keys[0].kid
    text = b'{"keys": [%s]}' % json.dumps(stranger.jwk()).encode()
    kept().write_bytes(image[:56] + struct.pack("I", len(text)) + image[60:rest] + text)
    change(kept(), 0, b"")
    os.chown(kept(), 65534, 65534)
    token = standin.pool.access_token(USER)
    token.key = stranger
    assert visitor.comes(let_in=False, token=token) == [KEYS]


def test_host_that_is_not_root(login: Login, account: Account, code: Code) -> None:
    """It keeps nothing, and is none the worse for it."""
    build = login.stage.build
    os.chown(login.stage.write_config(), account.id, account.id)
    as_user = ["setpriv", f"--reuid={account.id}", f"--regid={account.id}", "--clear-groups"]
    with passable(build.helper), passable(build.pamdir / "x"):
        for _ in range(2):
            result = login.again([(words.PASSWORD, PASSWORD), (words.ASKED, code)], before=as_user)
            assert result.let_in and "keys:" not in result.log
    assert not STATE.exists()
