"""Signing in to Cognito: flows, client secrets, the challenges that follow a password, and whose password it is."""

import base64
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from harness import words
from harness.dialogue import HANG_UP, Answer, Step
from harness.hosts import CONVERSATION_FAILS, Hosts
from harness.login import WHOLE, Login, Result
from harness.machine import GROUND
from harness.people import LOCAL_PASSWORD, PASSWORD, PHONE, USER, WRONG_PASSWORD
from harness.stage import AFTER_PASSWORD, SECOND, SOLE, Stage, Value
from standin import Standin, User, faults
from standin.faults import Fault
from standin.pool import Client
from standin.srp import N

Code = Callable[[], str]

SIGN_IN: Step = (words.PASSWORD, PASSWORD)
LOCAL: Step = (words.PASSWORD, LOCAL_PASSWORD)

KEYS = "jwks"
INITIATE = "InitiateAuth"
RESPOND = "RespondToAuthChallenge"
SEND = "GetUserAttributeVerificationCode"
VERIFY = "VerifyUserAttribute"

# flow: its requests, from the key set to the answer that knows the password
FLOWS = {"srp": [KEYS, INITIATE, RESPOND], "password": [KEYS, INITIATE]}

# A code that is asked for in the sign-in, whatever is said before it.
ANY_CODE = re.compile(r"[ -~]*\nCode: ")


@pytest.fixture(params=FLOWS)
def flow(request: pytest.FixtureRequest, stage: Stage) -> str:
    """Each flow, for the tests that hold in both."""
    stage.config["signin_flow"] = request.param
    return request.param


@pytest.fixture
def srp(stage: Stage) -> None:
    """The config file as it is without the harness's own choice of a flow."""
    stage.config["signin_flow"] = None


def denied(result: Result, standin: Standin, operations: list[str], told: str = words.SIGN_IN_FAILED) -> None:
    """PAM_AUTH_ERR after these requests; no code went out, and the person reads just this."""
    assert result.code == "PAM_AUTH_ERR"
    assert standin.journal.operations() == operations
    assert SEND not in operations
    assert result.talk.ending.startswith(told), result.talk.ending


def contents(standin: Standin) -> bytes:
    """All that ever left the host: what the requests say, and their heads."""
    heads = [f"{entry.path} {entry.headers}".encode() for entry in standin.journal.requests()]
    return b"\n".join([*heads, *(entry.raw for entry in standin.journal.requests())])


def holds(content: bytes, secret: str) -> bool:
    """Whether it stands there as it is, in hexadecimal or in any of the three ways of base64."""
    data = secret.encode()
    shifted = [base64.b64encode(bytes(shift) + data)[4 * bool(shift) : -4] for shift in range(3)]
    return any(form in content for form in [data, data.hex().encode(), data.hex().upper().encode(), *shifted])


def responses(standin: Standin) -> list[dict[str, str]]:
    return [entry.body["ChallengeResponses"] for entry in standin.journal.requests(RESPOND)]


# The flows


@pytest.mark.smoke
@pytest.mark.valgrind
def test_srp_is_the_default(login: Login, srp: None, standin: Standin, code: Code) -> None:
    standin.pool.clients[standin.pool.client_id].flows = {"ALLOW_USER_SRP_AUTH"}
    assert login([SIGN_IN, (words.ASKED, code)], calls=WHOLE).let_in
    assert standin.journal.operations() == [KEYS, INITIATE, RESPOND, SEND, VERIFY]
    assert standin.journal.requests(INITIATE)[0].body["AuthFlow"] == "USER_SRP_AUTH"
    assert (len(standin.journal.connections), standin.journal.handshakes) == (1, 1)


def test_each_flow(login: Login, flow: str, standin: Standin, code: Code) -> None:
    """By its requests, over one connection; no other flow is tried."""
    name = {"srp": "USER_SRP_AUTH", "password": "USER_PASSWORD_AUTH"}[flow]
    standin.pool.clients[standin.pool.client_id].flows = {f"ALLOW_{name}"}
    assert login([SIGN_IN, (words.ASKED, code)], calls=WHOLE).let_in
    assert standin.journal.operations() == [*FLOWS[flow], SEND, VERIFY]
    assert (len(standin.journal.connections), standin.journal.handshakes) == (1, 1)


@pytest.mark.parametrize("secret", [None, "a-canary-client-secret"], ids=["public", "secret"])
def test_srp_requests(login: Login, srp: None, standin: Standin, code: Code, secret: str | None) -> None:
    """To the letter, but for the numbers."""
    client = standin.pool.add_client(secret)
    path = login.stage.write_secret("client-secret", secret) if secret else None
    assert login([SIGN_IN, (words.ASKED, code)], client_id=client.id, client_secret_file=path).let_in
    named = {"USERNAME": USER} | ({"SECRET_HASH": client.secret_hash(USER)} if secret else {})
    first, second = standin.journal.requests(INITIATE)[0].body, standin.journal.requests(RESPOND)[0].body
    number = first["AuthParameters"].pop("SRP_A")
    assert 0 < int(number, 16) < N
    assert first == {"AuthFlow": "USER_SRP_AUTH", "ClientId": client.id, "AuthParameters": named}
    proof = second["ChallengeResponses"]
    for name in ("PASSWORD_CLAIM_SECRET_BLOCK", "PASSWORD_CLAIM_SIGNATURE", "TIMESTAMP"):
        assert proof.pop(name)
    assert second == {"ChallengeName": "PASSWORD_VERIFIER", "ClientId": client.id, "ChallengeResponses": named}


@pytest.mark.parametrize("factor", [None, "SMS_MFA"], ids=["alone", "then-code"])
@pytest.mark.parametrize("typed", [PASSWORD, WRONG_PASSWORD], ids=["right", "wrong"])
def test_srp_keeps_the_password_here(
    login: Login, srp: None, standin: Standin, user: User, code: Code, typed: str, factor: str | None
) -> None:
    if factor:
        with_factors(user, factor)
    asked = [(ANY_CODE, code)] if factor and typed == PASSWORD else []
    login([(words.PASSWORD, typed), *asked, *([(words.ASKED, code)] if typed == PASSWORD else [])])
    assert standin.journal.requests(RESPOND)
    assert not holds(contents(standin), typed)


def test_holds_finds_a_password(login: Login, standin: Standin, code: Code) -> None:
    """What the test above looks for can be seen: the other flow sends it."""
    assert login([SIGN_IN, (words.ASKED, code)], signin_flow="password").let_in
    assert holds(contents(standin), PASSWORD)
    for shift in range(3):
        assert holds(base64.b64encode(b"x" * shift + PASSWORD.encode() + b"xx"), PASSWORD)


@pytest.mark.smoke
@pytest.mark.valgrind
def test_wrong_password(login: Login, flow: str, standin: Standin) -> None:
    result = login([(words.PASSWORD, WRONG_PASSWORD)])
    denied(result, standin, FLOWS[flow])
    assert result.results == ["NotAuthorizedException"]
    assert not standin.pool.outbox


@pytest.mark.parametrize("tells", [False, True], ids=["hidden", "told"])
def test_unknown_user(login: Login, flow: str, standin: Standin, tells: bool) -> None:
    """PAM learns what the pool tells; the person reads the same in any case."""
    wrong = login([(words.PASSWORD, WRONG_PASSWORD)]).seen.splitlines()[:-1]  # the last line is pamtester's own
    del standin.pool.users[USER]
    standin.pool.user_existence_errors = tells
    unknown = login([(words.PASSWORD, WRONG_PASSWORD)])
    assert unknown.code == ("PAM_USER_UNKNOWN" if tells else "PAM_AUTH_ERR")
    assert unknown.seen.splitlines()[:-1] == wrong
    assert not standin.journal.requests(SEND)


def test_flow_that_the_client_may_not_use(login: Login, flow: str, standin: Standin) -> None:
    other = {"srp": "ALLOW_USER_PASSWORD_AUTH", "password": "ALLOW_USER_SRP_AUTH"}[flow]
    standin.pool.clients[standin.pool.client_id].flows = {other}
    result = login([SIGN_IN])
    denied(result, standin, [KEYS, INITIATE])
    assert result.results == ["InvalidParameterException"]
    assert "flow" in result.log


def test_empty_password(login: Login, flow: str, standin: Standin) -> None:
    result = login([(words.PASSWORD, "")])
    assert result.code == "PAM_AUTH_ERR"
    assert standin.journal.operations() in ([], [KEYS])


@pytest.mark.parametrize(
    "password", ["Grüße-ñandú", "日本語のパスワード", "🔑 and \\ \" {} %s", "\u0065\u0301 is not \u00e9", "x" * 256]
)
def test_password_as_typed(login: Login, flow: str, standin: Standin, user: User, code: Code, password: str) -> None:
    user.password = password
    assert login([(words.PASSWORD, password), (words.ASKED, code)]).let_in


def test_password_that_is_no_text(hosts: Hosts, flow: str, standin: Standin, user: User) -> None:
    """Bytes that are not UTF-8 are no password of Cognito's."""
    with hosts() as host:
        host.start()
        assert host.call("authenticate", ["caf\udce9-\udcff"]) == "PAM_AUTH_ERR"
        host.end()
    assert not standin.pool.outbox


@pytest.mark.parametrize("salt", [0, 1, 0x7F, 0x80, 0xFF, 1 << 120, 1 << 127, (1 << 128) - 1], ids=hex)
def test_srp_salt(login: Login, srp: None, standin: Standin, user: User, code: Code, salt: int) -> None:
    """A number, written without leading zeros, and hashed as one that has a sign."""
    user.salt = salt
    assert login([SIGN_IN, (words.ASKED, code)]).let_in


def test_srp_session(login: Login, srp: None, standin: Standin, code: Code) -> None:
    """Where PASSWORD_VERIFIER has a Session, its answer has the same."""
    standin.pool.srp_session = True
    assert login([SIGN_IN, (words.ASKED, code)]).let_in


def parameters(**changes: object) -> Fault:
    """Other ChallengeParameters; None takes one away."""

    def change(payload: dict[str, Any]) -> dict[str, Any]:
        changed = {**payload["ChallengeParameters"], **changes}
        return {**payload, "ChallengeParameters": {name: value for name, value in changed.items() if value is not None}}

    return faults.altered(change)


@pytest.mark.parametrize("number", ["0", "00", f"{N:x}", f"{2 * N:x}"], ids=["0", "00", "N", "2N"])
def test_srp_stops_at_a_key_that_tells_nothing(login: Login, srp: None, standin: Standin, number: str) -> None:
    """Who sends a B that is 0 modulo N knows the key without the password."""
    standin.faults.add(INITIATE, parameters(SRP_B=number))
    assert not login([SIGN_IN]).let_in
    assert standin.journal.operations() == [KEYS, INITIATE]


@pytest.mark.parametrize("name", ["SRP_B", "SALT", "SECRET_BLOCK", "USER_ID_FOR_SRP"])
@pytest.mark.parametrize("value", [None, 42, ["1"], ""], ids=["absent", "number", "list", "empty"])
def test_srp_parameter_is_missing(login: Login, srp: None, standin: Standin, name: str, value: object) -> None:
    """A 200 with a missing or mistyped member is a failure."""
    standin.faults.add(INITIATE, parameters(**{name: value}))
    assert login([SIGN_IN]).code == "PAM_AUTHINFO_UNAVAIL"
    assert standin.journal.operations() == [KEYS, INITIATE]


@pytest.mark.parametrize(
    "name, value",
    [("SRP_B", "xyz"), ("SRP_B", "-1"), ("SRP_B", "f" * 100_000), ("SALT", "0x1"), ("SALT", "g"), ("SECRET_BLOCK", "*")],
)
def test_srp_parameter_is_no_number(login: Login, srp: None, standin: Standin, name: str, value: str) -> None:
    standin.faults.add(INITIATE, parameters(**{name: value}))
    assert login([SIGN_IN]).code == "PAM_AUTHINFO_UNAVAIL"
    assert standin.journal.operations() == [KEYS, INITIATE]


def test_srp_for_another_user_id(login: Login, srp: None, standin: Standin, user: User, code: Code) -> None:
    """The proof is over USER_ID_FOR_SRP, which need not be what was typed."""
    del standin.pool.users[USER]
    user.username = "0b6e8a52-own-name-in-the-pool"
    standin.pool.users[user.username] = user
    assert login([SIGN_IN, (words.ASKED, code)], username=user.sub, match="sub").let_in
    assert standin.journal.requests(INITIATE)[0].body["AuthParameters"]["USERNAME"] == user.sub
    assert responses(standin)[0]["USERNAME"] == user.username


# Other languages


@pytest.fixture(scope="module", params=["de_DE", "tr_TR", "ja_JP"])
def language(request: pytest.FixtureRequest, installed: object) -> Iterator[tuple[str, Path]]:
    """A locale made for this run, and where it lies."""
    folder = GROUND / "locales"
    folder.mkdir()
    name = f"{request.param}.UTF-8"
    if not shutil.which("localedef"):
        pytest.skip("localedef is missing")
    command = ["localedef", "-i", request.param, "-f", "UTF-8", "--no-archive", str(folder / name)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0 and not (folder / name / "LC_TIME").exists():
        folder.rmdir()
        pytest.skip(f"localedef makes no {name}: {done.stderr.strip()}")
    yield name, folder
    shutil.rmtree(folder)


def test_srp_in_the_environment_of_another_language(
    login: Login, srp: None, code: Code, language: tuple[str, Path]
) -> None:
    name, folder = language
    environment = {"LC_ALL": name, "LANG": name, "LANGUAGE": name, "LOCPATH": str(folder)}
    assert login([SIGN_IN, (words.ASKED, code)], environment=environment).let_in


def test_srp_in_a_host_of_another_language(
    hosts: Hosts, srp: None, standin: Standin, code: Code, language: tuple[str, Path]
) -> None:
    """A host that speaks it itself, in numbers and dates too."""
    with hosts() as host:
        host.do("speak", language[0], str(language[1]))
        before = host.state()
        host.start()
        assert host.call("authenticate", [PASSWORD, code]) == "PAM_SUCCESS"
        host.end()
        assert host.state()["locale"] == before["locale"] != "C"
    said = responses(standin)[0]["TIMESTAMP"]
    assert re.fullmatch(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [1-9]\d? \d\d:\d\d:\d\d UTC \d{4}", said)


# The app client's secret

SECRET = "a-canary-client-secret-of-the-length-that-they-have"


@pytest.fixture
def client(standin: Standin, stage: Stage) -> Client:
    """An app client with a secret, which the config file names."""
    made = standin.pool.add_client(SECRET)
    path = stage.write_secret("client-secret", f"{SECRET}\n")
    stage.config |= {"client_id": made.id, "client_secret_file": path, "debug": "yes"}
    return made


def signed(standin: Standin, client: Client) -> list[str]:
    """The USERNAMEs of all requests of the sign-in; each has the SECRET_HASH over its own."""
    asked = [entry.body["AuthParameters"] for entry in standin.journal.requests(INITIATE)] + responses(standin)
    for one in asked:
        assert one["SECRET_HASH"] == client.secret_hash(one["USERNAME"])
    return [one["USERNAME"] for one in asked]


@pytest.mark.parametrize("factor", [None, "SMS_MFA", "EMAIL_OTP", "SOFTWARE_TOKEN_MFA", "SELECT_MFA_TYPE"])
def test_secret_hash(
    login: Login, flow: str, standin: Standin, user: User, client: Client, code: Code, factor: str | None
) -> None:
    """On every request of the sign-in, and on no other; the secret itself goes nowhere."""
    steps = factor_steps(standin, user, factor)
    assert login([SIGN_IN, *steps, (words.ASKED, code)]).let_in
    assert set(signed(standin, client)) == {USER}
    assert len(responses(standin)) == (flow == "srp") + len(steps)
    assert not holds(contents(standin), SECRET)
    assert all("SECRET_HASH" not in str(entry.body) for entry in standin.journal.requests()[-2:])


@pytest.mark.parametrize("factor", [None, "SMS_MFA", "EMAIL_OTP", "SOFTWARE_TOKEN_MFA", "SELECT_MFA_TYPE"])
@pytest.mark.parametrize("alias", ["email", "sub"])
@pytest.mark.parametrize("with_secret", [True, False], ids=["secret", "public"])
def test_alias(
    login: Login, flow: str, standin: Standin, user: User, code: Code, alias: str, factor: str | None,
    with_secret: bool, request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    """Cognito expects the user's own name in the answers, and the hash over it."""
    client = request.getfixturevalue("client") if with_secret else None
    del standin.pool.users[USER]
    user.username = "0b6e8a52-own-name-in-the-pool"
    user.attributes["email_verified"] = "true"
    standin.pool.users[user.username] = user
    standin.pool.aliases = {"email"}
    steps = factor_steps(standin, user, factor)
    name = user.attributes[alias]
    assert login([SIGN_IN, *steps, (words.ASKED, code)], username=name, match=alias).let_in
    first = standin.journal.requests(INITIATE)[0].body["AuthParameters"]
    names = signed(standin, client) if client else [first["USERNAME"]] + [one["USERNAME"] for one in responses(standin)]
    assert names[0] == name
    assert set(names[1:]) <= {user.username}
    assert len(names) == 1 + (flow == "srp") + len(steps)


@pytest.mark.parametrize("ending", ["", "\n"], ids=["bare", "line"])
def test_secret_without_a_line_end(
    login: Login, flow: str, standin: Standin, client: Client, code: Code, ending: str
) -> None:
    path = login.stage.write_secret("client-secret", SECRET + ending)
    assert login([SIGN_IN, (words.ASKED, code)], client_secret_file=path).let_in


@pytest.mark.parametrize("given", ["another-canary-client-secret", None], ids=["other", "none"])
def test_wrong_secret(login: Login, flow: str, standin: Standin, client: Client, given: str | None) -> None:
    path = login.stage.write_secret("client-secret", given) if given else None
    result = login([SIGN_IN], client_secret_file=path)
    denied(result, standin, [KEYS, INITIATE])
    assert "secret" in result.log


def test_client_without_a_secret(login: Login, flow: str, standin: Standin, client: Client) -> None:
    """The pool's other client has none, and says so."""
    denied(login([SIGN_IN], client_id=standin.pool.client_id), standin, [KEYS, INITIATE])


def as_it_is(path: Path) -> None:
    """A right file: what the tests below begin with."""


def absent(path: Path) -> None:
    path.unlink()


def readable(path: Path) -> None:
    path.chmod(0o644)


def group_readable(path: Path) -> None:
    path.chmod(0o640)


def writable_by_others(path: Path) -> None:
    path.chmod(0o602)


def owned_by_another(path: Path) -> None:
    os.chown(path, 65534, 0)


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir(0o700)


def a_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


def empty(path: Path) -> None:
    path.write_text("")


def an_empty_line(path: Path) -> None:
    path.write_text("\n")


def blanks(path: Path) -> None:
    path.write_text("   \n")


def two_words(path: Path) -> None:
    path.write_text(f"{SECRET} {SECRET}\n")


def a_nul(path: Path) -> None:
    path.write_text(f"{SECRET}\0more\n")


def two_lines(path: Path) -> None:
    path.write_text(f"{SECRET}\n{SECRET}\n")


def much_too_long(path: Path) -> None:
    path.write_text("x" * 70_000)


UNSAFE = (
    absent, readable, group_readable, writable_by_others, owned_by_another, a_folder, a_fifo, empty, an_empty_line,
    blanks, two_words, a_nul, two_lines, much_too_long,
)  # fmt: skip


@pytest.mark.parametrize("spoil", UNSAFE)
def test_unusable_secret_file(
    login: Login, standin: Standin, client: Client, ground: Path, spoil: Callable[[Path], None]
) -> None:
    path = ground / "secret"
    path.write_text(SECRET)
    path.chmod(0o600)
    spoil(path)
    result = login(client_secret_file=path)
    assert result.code == "PAM_SERVICE_ERR"
    assert str(path) in result.log
    assert standin.journal.operations() == []


# Challenges that are asked

FACTORS = ("SMS_MFA", "EMAIL_OTP", "SOFTWARE_TOKEN_MFA")
MENU = re.compile(r"[ -~]*\n *1[ .):]+\w[ -~]*\n *2[ .):]+\w[ -~]*\n *3[ .):]+\w[ -~]*\n[ -~]+: ")


def with_factors(user: User, *factors: str) -> None:
    user.attributes |= {"phone_number": PHONE, "phone_number_verified": "true"}
    user.mfa = list(factors)


def right(standin: Standin, factor: str) -> Answer:
    """What the person reads on the phone."""
    if factor == "SOFTWARE_TOKEN_MFA":
        return lambda: standin.pool.totp(next(iter(standin.pool.users)))
    return lambda: standin.pool.outbox[-1].code


def factor_steps(standin: Standin, user: User, factor: str | None) -> list[Step]:
    """The steps of that challenge, with right answers, for a user who is set up for it."""
    if factor is None:
        return []
    if factor == "SELECT_MFA_TYPE":
        with_factors(user, *FACTORS)
        return [(MENU, "3"), (ANY_CODE, right(standin, "SOFTWARE_TOKEN_MFA"))]
    with_factors(user, factor)
    return [(ANY_CODE, right(standin, factor))]


@dataclass(frozen=True)
class Factor:
    """A challenge that asks for a code: the whole prompt, and where the answer stands."""

    prompt: Any
    answer: str


FACTOR = {
    "SMS_MFA": Factor(words.SIGN_IN_BY_SMS + words.SIGN_IN_CODE, "SMS_MFA_CODE"),
    "EMAIL_OTP": Factor(words.SIGN_IN_BY_EMAIL + words.SIGN_IN_CODE, "EMAIL_OTP_CODE"),
    "SOFTWARE_TOKEN_MFA": Factor(re.compile(r"[ -~]*[Aa]uthenticator[ -~]*\nCode: "), "SOFTWARE_TOKEN_MFA_CODE"),
}


@pytest.fixture(params=FACTOR)
def factor(request: pytest.FixtureRequest, user: User) -> str:
    """Each kind of code, asked of the user after the password."""
    with_factors(user, request.param)
    return request.param


def asked_first(standin: Standin, flow: str) -> str:
    """The operation whose reply brings the first challenge that a person answers."""
    return FLOWS[flow][-1]


@pytest.mark.smoke
@pytest.mark.valgrind
def test_right_answer(login: Login, flow: str, factor: str, standin: Standin, code: Code) -> None:
    steps = [SIGN_IN, (FACTOR[factor].prompt, right(standin, factor)), (words.ASKED, code)]
    result = login(steps, calls=WHOLE)
    assert result.let_in
    assert standin.journal.operations() == [*FLOWS[flow], RESPOND, SEND, VERIFY]
    assert [prompt.echo for prompt in result.talk.prompts] == [False, True, True]
    assert set(responses(standin)[-1]) == {"USERNAME", FACTOR[factor].answer}
    assert standin.journal.requests(RESPOND)[-1].body["ChallengeName"] == factor
    assert (len(standin.journal.connections), standin.journal.handshakes) == (1, 1)


def test_challenge_echoes_whatever_the_code_does(login: Login, factor: str, standin: Standin, code: Code) -> None:
    steps = [SIGN_IN, (FACTOR[factor].prompt, right(standin, factor)), (words.ASKED, code)]
    assert [prompt.echo for prompt in login(steps, echo="no").talk.prompts] == [False, True, False]


def test_challenge_after_the_local_password(login: Login, flow: str, factor: str, standin: Standin, code: Code) -> None:
    steps = [LOCAL, (words.SECOND_PASSWORD, PASSWORD), (FACTOR[factor].prompt, right(standin, factor))]
    assert login([*steps, (words.ASKED, code)], stack=AFTER_PASSWORD, calls=WHOLE).let_in


@pytest.mark.parametrize("length", [20, 2048])
def test_length_of_the_session(login: Login, flow: str, factor: str, standin: Standin, code: Code, length: int) -> None:
    standin.pool.session_length = length
    assert login([SIGN_IN, (FACTOR[factor].prompt, right(standin, factor)), (words.ASKED, code)]).let_in


def test_challenge_has_the_metadata(login: Login, flow: str, standin: Standin, user: User, code: Code) -> None:
    """It reaches the pool's triggers: those of the message, too."""
    with_factors(user, "SMS_MFA", "EMAIL_OTP")
    menu = re.compile(r"[ -~]*\n *1[ -~]*\n *2[ -~]*\n[ -~]+: ")
    steps = [SIGN_IN, (menu, "1"), (ANY_CODE, code), (words.ASKED, code)]
    assert login(steps, client_metadata=["way=%s", "who=%u"]).let_in
    assert [sent.client_metadata for sent in standin.pool.outbox] == [{"way": "pamcog", "who": USER}] * 2


def test_wrong_answer(login: Login, flow: str, factor: str, standin: Standin) -> None:
    def wrong() -> str:
        answer = right(standin, factor)
        assert callable(answer)
        return f"{(int(str(answer())) + 1) % 1000000:06}"

    result = login([SIGN_IN, (FACTOR[factor].prompt, wrong)])
    denied(result, standin, [*FLOWS[flow], RESPOND], words.NOT_RIGHT)
    assert result.results == ["CodeMismatchException"]


def test_answer_too_late(login: Login, flow: str, factor: str, standin: Standin) -> None:
    def late() -> str:
        answer = right(standin, factor)
        assert callable(answer)
        standin.clock.advance(standin.pool.session_lifetime + 1)
        return str(answer())

    told = words.SIGN_IN_FAILED if factor == "SOFTWARE_TOKEN_MFA" else words.EXPIRED
    denied(login([SIGN_IN, (FACTOR[factor].prompt, late)]), standin, [*FLOWS[flow], RESPOND], told)


def test_used_answer(login: Login, flow: str, standin: Standin, user: User, code: Code) -> None:
    with_factors(user, "SOFTWARE_TOKEN_MFA")
    shown = standin.pool.totp(USER)
    prompt = FACTOR["SOFTWARE_TOKEN_MFA"].prompt
    assert login([SIGN_IN, (prompt, shown), (words.ASKED, code)]).let_in
    standin.journal.clear()
    denied(login([SIGN_IN, (prompt, shown)]), standin, [*FLOWS[flow], RESPOND], words.EXPIRED)


@pytest.mark.parametrize("answer", ["", HANG_UP], ids=["empty", "hang-up"])
def test_no_answer(login: Login, flow: str, factor: str, standin: Standin, answer: Any) -> None:
    result = login([SIGN_IN, (FACTOR[factor].prompt, answer)])
    assert result.code == "PAM_AUTH_ERR"
    assert standin.journal.operations() == FLOWS[flow]


UNUSABLE = {
    "password": PASSWORD,
    "blank": "123 456",
    "tab": "123\t456",
    "line": "123456\n654321",
    "control": "123\x01456",
    "escape": "\x1b[A123456",
    "delete": "123\x7f456",
    "too-long": "1" * 2049,
}


@pytest.mark.parametrize("answer", UNUSABLE)
def test_answer_that_is_never_sent(
    hosts: Hosts, flow: str, factor: str, standin: Standin, answer: str
) -> None:
    """Not even the last of many tries, and there are no more than max_tries."""
    with hosts(max_tries=2) as host:
        host.start()
        code = host.call("authenticate", [PASSWORD, *[UNUSABLE[answer]] * 10], all_used=False)
        host.end()
    assert code == "PAM_AUTH_ERR"
    assert standin.journal.operations() == FLOWS[flow]
    assert 1 <= len([style for style, _ in host.prompts if style == 2]) <= 2


@pytest.mark.parametrize("stack, before", [(AFTER_PASSWORD, [LOCAL])], ids=["local"])
def test_local_password_is_never_an_answer(
    login: Login, flow: str, factor: str, standin: Standin, stack: str, before: list[Step]
) -> None:
    steps = [*before, (words.SECOND_PASSWORD, PASSWORD), (FACTOR[factor].prompt, LOCAL_PASSWORD)]
    result = login(steps, stack=stack, max_tries=1)
    assert result.code == "PAM_AUTH_ERR"
    assert standin.journal.operations() == FLOWS[flow]


def test_longest_answer(hosts: Hosts, flow: str, factor: str, standin: Standin) -> None:
    with hosts() as host:
        host.start()
        assert host.call("authenticate", [PASSWORD, "1" * 2048]) == "PAM_AUTH_ERR"
        host.end()
    assert responses(standin)[-1][FACTOR[factor].answer] == "1" * 2048


def test_conversation_that_fails(hosts: Hosts, flow: str, factor: str, standin: Standin) -> None:
    with hosts() as host:
        host.start()
        assert host.call("authenticate", [PASSWORD, CONVERSATION_FAILS]) == "PAM_CONV_ERR"
        host.end()
    assert standin.journal.operations() == FLOWS[flow]


def test_null_answer(hosts: Hosts, flow: str, factor: str, standin: Standin) -> None:
    with hosts() as host:
        host.start()
        assert host.call("authenticate", [PASSWORD, None]) == "PAM_AUTH_ERR"
        host.end()
    assert standin.journal.operations() == FLOWS[flow]


@pytest.mark.parametrize("name, place", [("SMS_MFA", "your phone"), ("EMAIL_OTP", "your e-mail address")])
def test_challenge_without_delivery_details(
    login: Login, flow: str, standin: Standin, user: User, code: Code, name: str, place: str
) -> None:
    with_factors(user, name)
    fault = parameters(CODE_DELIVERY_DESTINATION=None, CODE_DELIVERY_DELIVERY_MEDIUM=None)
    standin.faults.add(INITIATE, Fault() if flow == "srp" else fault)
    standin.faults.add(RESPOND, fault if flow == "srp" else Fault())
    prompt = f"A sign-in code was sent to {place}.\nCode: "
    assert login([SIGN_IN, (prompt, code), (words.ASKED, code)]).let_in


HOSTILE = {
    "escapes": "\x1b[2J\x1b[31mevil\x07\r\n\x9bc",
    "line": "a***@e***.\nPassword: ",
    "unicode": "\u202egnorw\u2028",
    "long": "x" * 10_240,
    "format": "%s%n%s%n",
}


@pytest.mark.parametrize("destination", HOSTILE)
@pytest.mark.parametrize("name", ["SMS_MFA", "EMAIL_OTP"])
def test_destination_is_hostile(
    login: Login, flow: str, standin: Standin, user: User, code: Code, name: str, destination: str
) -> None:
    """One line of printable ASCII, and all of it a message that fits."""
    with_factors(user, name)
    standin.faults.add(asked_first(standin, flow), parameters(CODE_DELIVERY_DESTINATION=HOSTILE[destination]))
    prompt = re.compile(r"A sign-in code was sent [ -~]*\.\nCode: ")
    result = login([SIGN_IN, (prompt, code), (words.ASKED, code)], debug="yes")
    assert result.let_in
    assert len(result.talk.prompts[1].text) <= 512
    assert "\x1b" not in result.log


@pytest.mark.parametrize("name", ["CODE_DELIVERY_DESTINATION", "CODE_DELIVERY_DELIVERY_MEDIUM"])
def test_mistyped_delivery(login: Login, flow: str, standin: Standin, user: User, name: str) -> None:
    with_factors(user, "SMS_MFA")
    standin.faults.add(asked_first(standin, flow), parameters(**{name: 42}))
    assert login([SIGN_IN]).code == "PAM_AUTHINFO_UNAVAIL"


# A choice of factors


@pytest.mark.valgrind
@pytest.mark.parametrize("number", [1, 2, 3])
def test_choice(login: Login, flow: str, standin: Standin, user: User, code: Code, number: int) -> None:
    """The factors are numbered as the pool lists them."""
    with_factors(user, *FACTORS)
    chosen = FACTORS[number - 1]
    steps = [SIGN_IN, (MENU, str(number)), (FACTOR[chosen].prompt, right(standin, chosen)), (words.ASKED, code)]
    result = login(steps)
    assert result.let_in
    assert standin.journal.operations() == [*FLOWS[flow], RESPOND, RESPOND, SEND, VERIFY]
    assert responses(standin)[-2]["ANSWER"] == chosen
    menu = result.talk.prompts[1]
    assert menu.echo
    assert len(menu.text) <= 512
    offered = [line.lower() for line in menu.text.splitlines()[1:4]]
    assert ["sms" in offered[0], "mail" in offered[1], "authenticator" in offered[2]] == [True] * 3


def test_preferred_factor_is_no_choice(login: Login, flow: str, standin: Standin, user: User, code: Code) -> None:
    with_factors(user, *FACTORS)
    user.preferred_mfa = "EMAIL_OTP"
    assert login([SIGN_IN, (FACTOR["EMAIL_OTP"].prompt, code), (words.ASKED, code)]).let_in


OUT_OF_RANGE = (
    "0", "4", "9", "-1", "+1", "x", "1x", "1.", "10", "4294967297", "18446744073709551617", "１", "SMS_MFA", ":",
)  # fmt: skip


@pytest.mark.parametrize("answer", OUT_OF_RANGE)
def test_choice_out_of_range(login: Login, flow: str, standin: Standin, user: User, code: Code, answer: str) -> None:
    """Asked again; nothing was sent meanwhile."""
    with_factors(user, *FACTORS)
    before: list[list[str]] = []

    def choose() -> str:
        before.append(standin.journal.operations())
        return "1"

    steps = [SIGN_IN, (MENU, answer), (MENU, choose), (FACTOR["SMS_MFA"].prompt, code), (words.ASKED, code)]
    assert login(steps).let_in
    assert before == [FLOWS[flow]]


@pytest.mark.parametrize("max_tries", [1, 3])
def test_choices_are_bounded(hosts: Hosts, flow: str, standin: Standin, user: User, max_tries: int) -> None:
    with_factors(user, *FACTORS)
    with hosts(max_tries=max_tries) as host:
        host.start()
        assert host.call("authenticate", [PASSWORD, *["7"] * 10], all_used=False) == "PAM_AUTH_ERR"
        host.end()
    assert standin.journal.operations() == FLOWS[flow]
    assert len([style for style, _ in host.prompts if style == 2]) == max_tries


@pytest.mark.parametrize("answer", ["", HANG_UP], ids=["empty", "hang-up"])
def test_no_choice_made(login: Login, flow: str, standin: Standin, user: User, answer: Any) -> None:
    with_factors(user, *FACTORS)
    assert login([SIGN_IN, (MENU, answer)]).code == "PAM_AUTH_ERR"
    assert standin.journal.operations() == FLOWS[flow]


def test_password_is_no_choice(login: Login, flow: str, standin: Standin, user: User) -> None:
    with_factors(user, *FACTORS)
    assert login([SIGN_IN, (MENU, PASSWORD)], max_tries=1).code == "PAM_AUTH_ERR"
    assert standin.journal.operations() == FLOWS[flow]


@pytest.mark.parametrize(
    "choices",
    [None, "", "[]", "{}", "null", "SMS_MFA", "[", '["WEB_AUTHN"]', "[42]", '[["SMS_MFA"]]', '["\\u001b[31mSMS_MFA"]',
     '["SELECT_MFA_TYPE"]', '["NEW_PASSWORD_REQUIRED"]', 42],
    ids=str,
)  # fmt: skip
def test_nothing_to_choose(login: Login, flow: str, standin: Standin, user: User, choices: object) -> None:
    """Nothing that could be taken here: nobody is asked."""
    with_factors(user, *FACTORS)
    standin.faults.add(asked_first(standin, flow), parameters(MFAS_CAN_CHOOSE=choices))
    result = login([SIGN_IN])
    assert not result.let_in
    assert standin.journal.operations() == FLOWS[flow]


@pytest.mark.parametrize("extra", ['"\\u001b[31mEVIL\\n"', '"EVIL"', "42", "null"])
def test_hostile_choice_is_not_offered(
    login: Login, flow: str, standin: Standin, user: User, code: Code, extra: str
) -> None:
    with_factors(user, *FACTORS)
    choices = f'[{extra}, "SMS_MFA", "EMAIL_OTP", "SOFTWARE_TOKEN_MFA"]'
    standin.faults.add(asked_first(standin, flow), parameters(MFAS_CAN_CHOOSE=choices))
    steps = [SIGN_IN, (MENU, "1"), (FACTOR["SMS_MFA"].prompt, code), (words.ASKED, code)]
    result = login(steps)
    assert result.let_in
    assert "EVIL" not in result.seen


def test_endless_choices(hosts: Hosts, flow: str, standin: Standin, user: User) -> None:
    """However long a list the server gives, the menu is one message."""
    with_factors(user, *FACTORS)
    choices = "[" + ",".join(['"SMS_MFA"'] * 30) + "]"
    standin.faults.add(asked_first(standin, flow), parameters(MFAS_CAN_CHOOSE=choices))
    with hosts(max_tries=1) as host:
        host.start()
        host.call("authenticate", [PASSWORD, "99"], all_used=False)
        host.end()
    assert all(len(text.encode()) <= 512 for _, text in host.prompts)
    assert not standin.pool.outbox


# Challenges that nobody can answer here

NEW_PASSWORD, MFA, ADMIN = "password", "multi-factor", "administrator"

OTHERS = {
    "NEW_PASSWORD_REQUIRED": NEW_PASSWORD,
    "MFA_SETUP": MFA,
    "CUSTOM_CHALLENGE": ADMIN,
    "DEVICE_SRP_AUTH": ADMIN,
    "DEVICE_PASSWORD_VERIFIER": ADMIN,
    "WEB_AUTHN": ADMIN,
    "SELECT_CHALLENGE": ADMIN,
    "PASSWORD": ADMIN,
    "PASSWORD_SRP": ADMIN,
    "SMS_OTP": ADMIN,
    "ADMIN_NO_SRP_AUTH": ADMIN,
    "PASSWORD_VERIFIER": ADMIN,
    "CHALLENGE_OF_THE_YEARS_TO_COME": ADMIN,
    "sms_mfa": ADMIN,
    "SMS_MFA ": ADMIN,
}


def not_answered(result: Result, standin: Standin, operations: list[str], name: str, told: str) -> None:
    assert result.code == "PAM_AUTH_ERR"
    assert standin.journal.operations() == operations
    assert not standin.pool.outbox
    assert told in result.talk.ending.lower()
    (line,) = [line for line in result.watched.log if line.at_least("notice")]
    assert name.strip() in line.text


@pytest.mark.valgrind
@pytest.mark.parametrize("name", OTHERS)
def test_other_challenge(login: Login, flow: str, standin: Standin, user: User, name: str) -> None:
    user.demand = name
    result = login([SIGN_IN])
    not_answered(result, standin, FLOWS[flow], name, OTHERS[name])


def test_temporary_password(login: Login, flow: str, standin: Standin, user: User) -> None:
    user.status = "FORCE_CHANGE_PASSWORD"
    not_answered(login([SIGN_IN]), standin, FLOWS[flow], "NEW_PASSWORD_REQUIRED", NEW_PASSWORD)


@pytest.mark.parametrize("name", ["\x1b[31mEVIL\x07\r\n\x9bc", "EVIL\nresult=confirmed", "EVIL" * 2560, "EVIL%s%n"])
def test_name_of_a_challenge_is_hostile(login: Login, flow: str, standin: Standin, user: User, name: str) -> None:
    """The log names it, in one line of printable ASCII; nobody else sees it."""
    user.demand = name
    result = login([SIGN_IN], debug="yes")
    not_answered(result, standin, FLOWS[flow], "EVIL", ADMIN)
    assert "EVIL" not in result.seen
    for line in result.watched.log:
        assert re.fullmatch("[ -~]{,1024}", line.text)


def test_another_challenge_after_a_code(login: Login, flow: str, factor: str, standin: Standin) -> None:
    """The second challenge is judged like the first."""
    challenge = {"ChallengeName": "CUSTOM_CHALLENGE", "Session": "x" * 40, "ChallengeParameters": {}}
    if flow == "srp":
        standin.faults.add(RESPOND, Fault())
    standin.faults.add(RESPOND, faults.altered(lambda _: challenge))
    result = login([SIGN_IN, (FACTOR[factor].prompt, right(standin, factor))])
    assert result.code == "PAM_AUTH_ERR"
    assert "CUSTOM_CHALLENGE" in result.log
    assert standin.journal.operations() == [*FLOWS[flow], RESPOND]


@pytest.mark.parametrize("name", ["NEW_PASSWORD_REQUIRED", "CUSTOM_CHALLENGE", "SELECT_CHALLENGE", "EVIL\x1b[31m"])
def test_other_challenge_before_the_password_is_proved(login: Login, srp: None, standin: Standin, name: str) -> None:
    """InitiateAuth itself asks for something else than the proof."""
    challenge = {"ChallengeName": name, "Session": "x" * 40, "ChallengeParameters": {"USER_ID_FOR_SRP": USER}}
    standin.faults.add(INITIATE, faults.altered(lambda _: challenge))
    result = login([SIGN_IN])
    assert standin.journal.operations() == [KEYS, INITIATE]
    assert name.partition("\x1b")[0] in result.log
    assert "\x1b" not in result.log
    assert result.code == "PAM_AUTH_ERR"


# Replies that lead nowhere


@pytest.mark.parametrize(
    "payload",
    [
        {}, {"ChallengeParameters": {}}, {"AuthenticationResult": None}, {"AuthenticationResult": {}},
        {"AuthenticationResult": []}, {"AuthenticationResult": {"AccessToken": None}},
        {"AuthenticationResult": {"AccessToken": 42}}, {"AuthenticationResult": {"IdToken": "a.b.c"}},
        {"ChallengeName": 42, "Session": "x" * 40}, {"ChallengeName": ["SMS_MFA"], "Session": "x" * 40},
        {"ChallengeName": "SMS_MFA", "ChallengeParameters": {}},
        {"ChallengeName": "SMS_MFA", "Session": 42, "ChallengeParameters": {}},
        {"ChallengeName": "SMS_MFA", "Session": "x" * 40, "ChallengeParameters": []},
        {"ChallengeName": "SELECT_MFA_TYPE", "ChallengeParameters": {"MFAS_CAN_CHOOSE": '["SMS_MFA"]'}},
    ],
    ids=str,
)  # fmt: skip
def test_reply_that_is_neither(login: Login, flow: str, standin: Standin, payload: dict[str, Any]) -> None:
    """Neither a token nor a challenge that can be answered."""
    standin.faults.add(asked_first(standin, flow), faults.altered(lambda _: payload))
    result = login([SIGN_IN])
    assert result.code == "PAM_AUTHINFO_UNAVAIL"
    assert "unavailable" in result.talk.ending
    assert standin.journal.operations() == FLOWS[flow]


def test_answer_that_leads_nowhere(login: Login, flow: str, factor: str, standin: Standin) -> None:
    if flow == "srp":
        standin.faults.add(RESPOND, Fault())
    standin.faults.add(RESPOND, faults.altered(lambda _: {}))
    result = login([SIGN_IN, (FACTOR[factor].prompt, right(standin, factor))])
    assert result.code == "PAM_AUTHINFO_UNAVAIL"
    assert standin.journal.operations() == [*FLOWS[flow], RESPOND]


@pytest.mark.parametrize("name", ["SMS_MFA", "EMAIL_OTP", "SOFTWARE_TOKEN_MFA", "SELECT_MFA_TYPE"])
def test_endless_challenges(hosts: Hosts, flow: str, standin: Standin, user: User, name: str) -> None:
    """A server that is never content: the number of prompts is bounded whatever is answered."""
    with_factors(user, *FACTORS)
    choices = '["SMS_MFA", "EMAIL_OTP"]'
    challenge = {"ChallengeName": name, "Session": "x" * 40, "ChallengeParameters": {"MFAS_CAN_CHOOSE": choices}}
    if flow == "srp":
        standin.faults.add(RESPOND, Fault())
    standin.faults.add(RESPOND, faults.raw(json.dumps(challenge).encode()), times=None)
    with hosts(max_tries=10) as host:
        host.start()
        code = host.call("authenticate", [PASSWORD, *["1"] * 60], all_used=False)
        host.end()
    assert code == "PAM_AUTH_ERR"
    assert 2 <= len(standin.journal.requests(RESPOND)) <= 20
    assert not standin.journal.requests(SEND)


@pytest.mark.parametrize(
    "name, code, told",
    [
        ("NotAuthorizedException", "PAM_AUTH_ERR", "sign-in failed"),
        ("UserNotConfirmedException", "PAM_AUTH_ERR", "not confirmed"),
        ("PasswordResetRequiredException", "PAM_AUTH_ERR", "reset"),
        ("CodeMismatchException", "PAM_AUTH_ERR", "code is not right"),
        ("ExpiredCodeException", "PAM_AUTH_ERR", "code has expired"),
        ("InvalidParameterException", "PAM_AUTH_ERR", ""),
        ("MFAMethodNotFoundException", "PAM_AUTH_ERR", "multi-factor"),
        ("SoftwareTokenMFANotFoundException", "PAM_AUTH_ERR", "multi-factor"),
        ("LimitExceededException", "PAM_MAXTRIES", "too many attempts"),
        ("CodeDeliveryFailureException", "PAM_AUTHINFO_UNAVAIL", "could not be sent"),
        ("InternalErrorException", "PAM_AUTHINFO_UNAVAIL", "unavailable"),
        ("NobodyKnowsThisException", "PAM_AUTHINFO_UNAVAIL", "unavailable"),
        ("UnknownOperationException", "PAM_SYSTEM_ERR", "internal error"),
    ],
)
def test_error_of_an_answer(
    login: Login, flow: str, factor: str, standin: Standin, name: str, code: str, told: str
) -> None:
    if flow == "srp":
        standin.faults.add(RESPOND, Fault())
    standin.faults.add(RESPOND, faults.error(name), None)
    result = login([SIGN_IN, (FACTOR[factor].prompt, right(standin, factor))])
    assert result.code == code
    assert told in result.talk.ending.lower()
    assert name in result.log
    assert standin.journal.operations() == [*FLOWS[flow], RESPOND]


@pytest.mark.parametrize(
    "broken",
    [faults.lose(), faults.drop(), faults.cut(40), faults.garbage()],
    ids=["lost", "dropped", "cut", "garbage"],
)
def test_answer_is_never_sent_twice(login: Login, flow: str, factor: str, standin: Standin, broken: Fault) -> None:
    if flow == "srp":
        standin.faults.add(RESPOND, Fault())
    standin.faults.add(RESPOND, broken, None)
    result = login([SIGN_IN, (FACTOR[factor].prompt, right(standin, factor))])
    assert result.code == "PAM_AUTHINFO_UNAVAIL"
    assert standin.journal.operations() == [*FLOWS[flow], RESPOND]


@pytest.mark.parametrize("member", ["code", "proof", "session"])
def test_what_an_error_quotes_stays_out_of_the_log(login: Login, standin: Standin, user: User, member: str) -> None:
    """AWS words its validation errors with the value that they refuse."""
    with_factors(user, "SMS_MFA")
    quoted: list[str] = []

    def quote(payload: dict[str, Any]) -> dict[str, Any]:
        request = standin.journal.requests(RESPOND)[-1].body
        answers = request["ChallengeResponses"]
        secret = {
            "code": answers.get("SMS_MFA_CODE"),
            "proof": answers.get("PASSWORD_CLAIM_SIGNATURE"),
            "session": request.get("Session"),
        }[member]
        quoted.append(secret[:40])
        return {"__type": "NobodyKnowsThisException", "message": f"Value '{secret[:40]}' at 'it' is not right"}

    fault = faults.altered(quote)
    if member != "proof":
        standin.faults.add(RESPOND, Fault())
    standin.faults.add(RESPOND, with_status(fault, 400))
    answer: list[Step] = [] if member == "proof" else [(ANY_CODE, right(standin, "SMS_MFA"))]
    result = login([SIGN_IN, *answer], debug="yes", signin_flow=None)
    assert not result.let_in
    assert quoted and quoted[0] not in result.log


def with_status(fault: Fault, status: int) -> Fault:
    assert fault.answer
    return Fault(answer=lambda run: replace(fault.answer(run), status=status))


# Whose password goes out


@pytest.mark.parametrize("stack", [AFTER_PASSWORD], ids=["after-password"])
@pytest.mark.parametrize("typed", [PASSWORD, WRONG_PASSWORD], ids=["right", "wrong"])
def test_local_password_stays_here(
    login: Login, flow: str, standin: Standin, user: User, code: Code, stack: str, typed: str
) -> None:
    """Unasked it never goes to Amazon, not even when it is the right one there."""
    user.password = PASSWORD
    steps = [LOCAL, (words.SECOND_PASSWORD, typed), *([(words.ASKED, code)] if typed == PASSWORD else [])]
    assert login(steps, stack=stack).let_in == (typed == PASSWORD)
    assert standin.journal.requests(INITIATE)
    assert not holds(contents(standin), LOCAL_PASSWORD)
    assert len(standin.journal.requests(INITIATE)) == 1


@pytest.mark.parametrize("option", ["use_first_pass", "try_first_pass"])
def test_first_password_is_used(
    login: Login, flow: str, standin: Standin, user: User, code: Code, option: str
) -> None:
    user.password = LOCAL_PASSWORD
    result = login([LOCAL, (words.ASKED, code)], stack=AFTER_PASSWORD, calls=WHOLE, **{option: "yes"})
    assert result.let_in
    assert standin.journal.operations() == [*FLOWS[flow], SEND, VERIFY]


ARGUMENTS = """
auth requisite pam_unix.so nodelay
auth [success=ok ignore=ignore cred_insufficient=ignore default=die] pam_cognito_code.so {}
auth required pam_cognito_confirm.so
account requisite pam_cognito_code.so
account required pam_permit.so
"""


@pytest.mark.parametrize("option", ["use_first_pass", "try_first_pass"])
def test_first_password_as_an_argument(
    login: Login, flow: str, standin: Standin, user: User, code: Code, option: str
) -> None:
    """The flag is bare, as in every module."""
    user.password = LOCAL_PASSWORD
    assert login([LOCAL, (words.ASKED, code)], stack=ARGUMENTS.format(option)).let_in


def test_use_first_pass_asks_nothing(login: Login, flow: str, standin: Standin) -> None:
    """The pool has another password: that is the end."""
    denied(login([LOCAL], stack=AFTER_PASSWORD, use_first_pass="yes"), standin, FLOWS[flow])


@pytest.mark.parametrize("stack", [SOLE, SECOND], ids=["sole", "second"])
def test_use_first_pass_without_a_first(login: Login, flow: str, standin: Standin, stack: str) -> None:
    result = login(stack=stack, use_first_pass="yes")
    assert result.code == "PAM_AUTH_ERR"
    assert standin.journal.operations() in ([], [KEYS])


@pytest.mark.parametrize("stack", [SOLE, SECOND], ids=["sole", "second"])
def test_try_first_pass_without_a_first(login: Login, flow: str, standin: Standin, code: Code, stack: str) -> None:
    assert login([SIGN_IN, (words.ASKED, code)], stack=stack, try_first_pass="yes").let_in
    assert len(standin.journal.requests(INITIATE)) == 1


@pytest.mark.valgrind
def test_try_first_pass_falls_back(login: Login, flow: str, standin: Standin, code: Code) -> None:
    steps = [LOCAL, (words.SECOND_PASSWORD, PASSWORD), (words.ASKED, code)]
    assert login(steps, stack=AFTER_PASSWORD, try_first_pass="yes").let_in
    assert standin.journal.operations() == [*FLOWS[flow], *FLOWS[flow][1:], SEND, VERIFY]


def test_try_first_pass_falls_back_once(login: Login, flow: str, standin: Standin) -> None:
    steps = [LOCAL, (words.SECOND_PASSWORD, WRONG_PASSWORD)]
    result = login(steps, stack=AFTER_PASSWORD, try_first_pass="yes")
    denied(result, standin, [*FLOWS[flow], *FLOWS[flow][1:]])


@pytest.mark.parametrize(
    "name",
    [
        "UserNotFoundException", "UserNotConfirmedException", "PasswordResetRequiredException", "InvalidPasswordException",
        "InvalidParameterException", "LimitExceededException", "ForbiddenException", "UserLambdaValidationException",
        "InternalErrorException", "CodeMismatchException", "NobodyKnowsThisException", "NotAuthorized",
    ],
)  # fmt: skip
def test_try_first_pass_falls_back_after_no_other_error(login: Login, flow: str, standin: Standin, name: str) -> None:
    standin.faults.add(asked_first(standin, flow), faults.error(name), None)
    result = login([LOCAL], stack=AFTER_PASSWORD, try_first_pass="yes")
    assert not result.let_in
    assert standin.journal.operations() == FLOWS[flow]
    assert name in result.log


def test_first_password_and_a_challenge(
    login: Login, flow: str, factor: str, standin: Standin, user: User, code: Code
) -> None:
    user.password = LOCAL_PASSWORD
    steps = [LOCAL, (FACTOR[factor].prompt, right(standin, factor)), (words.ASKED, code)]
    assert login(steps, stack=AFTER_PASSWORD, use_first_pass="yes").let_in


def test_wrong_code_is_no_reason_for_another_password(
    login: Login, flow: str, factor: str, standin: Standin, user: User
) -> None:
    """The first password was right; the code was not."""
    user.password = LOCAL_PASSWORD
    steps = [LOCAL, (FACTOR[factor].prompt, "no-such-code")]
    result = login(steps, stack=AFTER_PASSWORD, try_first_pass="yes")
    denied(result, standin, [*FLOWS[flow], RESPOND], words.NOT_RIGHT)


def test_typed_password_is_there_for_modules_that_follow(login: Login, flow: str, code: Code, ground: Path) -> None:
    """It becomes PAM_AUTHTOK, as in every module that asks."""
    script = ground / "keep"
    script.write_text(f"#!/bin/sh\ncat >{ground}/authtok\n")
    script.chmod(0o700)
    stack = SOLE.replace("\naccount", f"\nauth required pam_exec.so expose_authtok quiet {script}\naccount", 1)
    assert login([SIGN_IN, (words.ASKED, code)], stack=stack).let_in
    assert (ground / "authtok").read_text().rstrip("\0") == PASSWORD
