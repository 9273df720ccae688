"""Whole logins by pamtester, against the stand-in: what each answer leads to."""

import re
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

import pytest
from harness import words
from harness.dialogue import HANG_UP, Step
from harness.login import WHOLE, Login, Result
from harness.people import EMAIL, LOCAL_PASSWORD, PASSWORD, PHONE, USER, WRONG_PASSWORD
from harness.stage import AFTER_PASSWORD, SECOND, SERVICE, SOLE, Value
from standin import Standin, User

Code = Callable[[], str]

SIGN_IN: Step = (words.PASSWORD, PASSWORD)

SEND = "GetUserAttributeVerificationCode"
VERIFY = "VerifyUserAttribute"


@dataclass
class Way:
    """A way into the host: its stack, what is asked before the code, and what is asked of Cognito until then."""

    stack: str
    before: list[Step]
    first: str
    config: dict[str, Value] = field(default_factory=dict)


WAYS = {
    "sole": Way(SOLE, [SIGN_IN], "InitiateAuth"),
    "second": Way(SECOND, [SIGN_IN], "InitiateAuth"),
    "after-password": Way(
        AFTER_PASSWORD, [(words.PASSWORD, LOCAL_PASSWORD), (words.SECOND_PASSWORD, PASSWORD)], "InitiateAuth"
    ),
    "sole-file": Way(SOLE, [], ""),
    "second-file": Way(SECOND, [], ""),
}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, token_file: Callable[[object], Path], standin: Standin, user: User) -> Way:
    chosen = WAYS[request.param]
    if not chosen.first:
        path = token_file(standin.pool.access_token(USER))
        chosen = Way(chosen.stack, chosen.before, "", {"token": f"file:{path}"})
    return chosen


@pytest.fixture
def enter(login: Login, way: Way) -> Callable[..., Result]:
    """A login on that way; the steps are those after its own."""

    def run(steps: list[Step], **config: Value) -> Result:
        return login([*way.before, *steps], stack=way.stack, calls=WHOLE, **{**way.config, **config})

    return run


# The verdict on each answer, on every way


@pytest.mark.valgrind
@pytest.mark.smoke
def test_right_code(enter: Callable[..., Result], way: Way, standin: Standin, code: Code) -> None:
    result = enter([(words.ASKED, code)])
    assert result.let_in
    assert standin.journal.operations() == ["jwks", *filter(None, [way.first]), SEND, VERIFY]
    assert len(standin.pool.outbox) == 1


@pytest.mark.smoke
def test_wrong_then_right(enter: Callable[..., Result], standin: Standin, code: Code, wrong: Code) -> None:
    result = enter([(words.ASKED, wrong), (words.ASKED_AGAIN, code)])
    assert result.let_in
    assert standin.journal.operations()[-2:] == [VERIFY, VERIFY]
    assert len(standin.pool.outbox) == 1


@pytest.mark.valgrind
def test_three_wrong(enter: Callable[..., Result], standin: Standin, wrong: Code) -> None:
    result = enter([(words.ASKED, wrong), (words.ASKED_AGAIN, wrong), (words.ASKED_AGAIN, wrong)])
    assert result.code == "PAM_MAXTRIES"
    assert len(standin.journal.requests(VERIFY)) == 3
    assert "CodeMismatchException" in result.results


@pytest.mark.valgrind
def test_hang_up_at_the_code(enter: Callable[..., Result], standin: Standin) -> None:
    """The end-of-file character: misc_conv(3) makes it a NULL answer."""
    result = enter([(words.ASKED, HANG_UP)])
    assert result.code == "PAM_AUTH_ERR"
    assert not standin.journal.requests(VERIFY)


def test_hang_up_after_a_wrong_code(enter: Callable[..., Result], standin: Standin, wrong: Code) -> None:
    result = enter([(words.ASKED, wrong), (words.ASKED_AGAIN, HANG_UP)])
    assert result.code == "PAM_AUTH_ERR"
    assert len(standin.journal.requests(VERIFY)) == 1


def test_one_connection(enter: Callable[..., Result], standin: Standin, code: Code, wrong: Code) -> None:
    """All of a login goes over the connection that the key set opened."""
    assert enter([(words.ASKED, wrong), (words.ASKED_AGAIN, code)]).let_in
    assert standin.journal.operations()[0] == "jwks"
    assert (len(standin.journal.connections), standin.journal.handshakes) == (1, 1)


# The password


@pytest.mark.valgrind
def test_wrong_password(login: Login, standin: Standin) -> None:
    result = login([(words.PASSWORD, WRONG_PASSWORD)])
    assert result.code == "PAM_AUTH_ERR"
    assert "sign-in failed" in result.talk.ending.lower()
    assert standin.journal.operations() == ["jwks", "InitiateAuth"]
    assert not standin.pool.outbox
    assert result.results == ["NotAuthorizedException"]


def test_unknown_user_reads_the_same(login: Login, standin: Standin) -> None:
    """Whether a user exists is PAM's to know, not the caller's."""
    wrong_password = login([(words.PASSWORD, WRONG_PASSWORD)]).seen.splitlines()
    del standin.pool.users[USER]
    standin.pool.user_existence_errors = True
    unknown = login([SIGN_IN])
    assert unknown.code == "PAM_USER_UNKNOWN"
    assert unknown.seen.splitlines()[:-1] == wrong_password[:-1]  # the last line is pamtester's own


def test_hang_up_at_the_password(login: Login, standin: Standin) -> None:
    assert login([(words.PASSWORD, HANG_UP)]).code == "PAM_AUTH_ERR"
    assert standin.journal.operations() in ([], ["jwks"])


def test_failed_first_factor_sends_nothing(login: Login, standin: Standin) -> None:
    result = login([(words.PASSWORD, WRONG_PASSWORD)], stack=AFTER_PASSWORD)
    assert result.code == "PAM_AUTH_ERR"
    assert standin.journal.operations() == []


# What is asked, word for word


def test_echo(login: Login, code: Code) -> None:
    shown = login([SIGN_IN, (words.ASKED, code)]).talk.prompts
    assert [prompt.echo for prompt in shown] == [False, True]
    hidden = login([SIGN_IN, (words.ASKED, code)], echo="no").talk.prompts
    assert [prompt.echo for prompt in hidden] == [False, False]


@pytest.mark.parametrize(
    "attribute, details, sent",
    [
        ("email", True, words.SENT_BY_EMAIL),
        ("email", False, words.SENT_TO_EMAIL),
        ("phone_number", True, words.SENT_BY_SMS),
        ("phone_number", False, words.SENT_TO_PHONE),
    ],
)
def test_prompt(
    login: Login, standin: Standin, user: User, code: Code, attribute: str, details: bool, sent: str
) -> None:
    user.attributes |= {"phone_number": PHONE, "phone_number_verified": "false"}
    standin.pool.delivery_details = details
    assert login([SIGN_IN, (sent + words.CODE, code)], attribute=attribute).let_in
    assert standin.pool.outbox[-1].attribute == attribute


# Requests, to the letter


def test_requests(login: Login, standin: Standin, code: Code) -> None:
    assert login([SIGN_IN, (words.ASKED, code)]).let_in
    keys, sign_in, send, verify = standin.journal.requests()
    assert keys.path == f"/{standin.pool.id}/.well-known/jwks.json"
    assert sign_in.body == {
        "AuthFlow": "USER_PASSWORD_AUTH",
        "ClientId": standin.pool.client_id,
        "AuthParameters": {"USERNAME": USER, "PASSWORD": PASSWORD},
    }
    token = send.body["AccessToken"]
    assert send.body == {"AccessToken": token, "AttributeName": "email"}
    assert verify.body == {"AccessToken": token, "AttributeName": "email", "Code": code()}


def test_headers(login: Login, standin: Standin, code: Code) -> None:
    assert login([SIGN_IN, (words.ASKED, code)]).let_in
    for request in standin.journal.requests():
        assert re.search(r"pam-cognito\S*/\d", request.headers["User-Agent"])
        assert "Authorization" not in request.headers
    for request in standin.journal.requests()[1:]:
        assert request.headers["Content-Type"] == "application/x-amz-json-1.1"


def test_any_code_without_blanks_is_sent_as_typed(login: Login, standin: Standin, code: Code) -> None:
    odd = r'Zürich"\{}%s%n$(x)'
    assert login([SIGN_IN, (words.ASKED, odd), (words.ASKED_AGAIN, code)]).let_in
    assert standin.journal.requests(VERIFY)[0].body["Code"] == odd


def test_password_is_sent_as_typed(login: Login, standin: Standin, user: User, code: Code) -> None:
    user.password = ' "\\ Grüße %s \t{}'
    assert login([(words.PASSWORD, user.password.replace("\t", "\x16\t")), (words.ASKED, code)]).let_in


@pytest.mark.valgrind
def test_client_secret(login: Login, standin: Standin, code: Code) -> None:
    client = standin.pool.add_client("a-canary-client-secret")
    path = login.stage.write_secret("client-secret", "a-canary-client-secret\n")
    changes = {"client_id": client.id, "client_secret_file": path}
    assert login([SIGN_IN, (words.ASKED, code)], **changes).let_in
    parameters = standin.journal.requests("InitiateAuth")[0].body["AuthParameters"]
    assert parameters["SECRET_HASH"] == client.secret_hash(USER)


def test_username_template(login: Login, standin: Standin, user: User, code: Code) -> None:
    standin.pool.add_user(f"{USER}.{SERVICE}", PASSWORD, email=EMAIL)
    assert login([SIGN_IN, (words.ASKED, code)], username="%u.%s").let_in
    assert standin.pool.outbox[-1].user == f"{USER}.{SERVICE}"


@pytest.mark.valgrind
def test_client_metadata(login: Login, standin: Standin, code: Code) -> None:
    metadata = ["host=%h", "service=%s", "full=100%%"]
    assert login([SIGN_IN, (words.ASKED, code)], client_metadata=metadata).let_in
    expected = {"host": socket.gethostname(), "service": SERVICE, "full": "100%"}
    assert standin.pool.outbox[-1].client_metadata == expected


# Answers that are no code


WAIT = re.compile(r"[^\n]*\d+[^\n]*\nCode \(empty for a new one\): ")


def test_empty_answer_too_early(login: Login, standin: Standin, code: Code) -> None:
    """Nothing is sent before resend_delay, and the person learns how long it is."""
    result = login([SIGN_IN, (words.ASKED, ""), (WAIT, code)])
    assert result.let_in
    told = re.search(r"\d+", result.talk.prompts[-1].text)
    assert told and 0 < int(told[0]) <= 30
    assert len(standin.pool.outbox) == 1


@pytest.mark.valgrind
def test_empty_answer_sends_a_new_code(login: Login, standin: Standin, code: Code) -> None:
    result = login([SIGN_IN, (words.ASKED, ""), (words.ASKED, code)], resend_delay=0)
    assert result.let_in
    assert len(standin.pool.outbox) == 2
    assert standin.journal.requests(VERIFY)[-1].body["Code"] == standin.pool.outbox[1].code


def test_the_code_before_the_new_one_is_wrong(login: Login, standin: Standin, code: Code) -> None:
    steps = [SIGN_IN, (words.ASKED, ""), (words.ASKED, lambda: standin.pool.outbox[0].code), (words.ASKED_AGAIN, code)]
    assert login(steps, resend_delay=0).let_in


def test_new_code_after_a_wrong_one(login: Login, standin: Standin, code: Code, wrong: Code) -> None:
    steps = [SIGN_IN, (words.ASKED, wrong), (words.ASKED_AGAIN, ""), (words.ASKED, code)]
    assert login(steps, resend_delay=0).let_in
    assert len(standin.pool.outbox) == 2


@pytest.mark.parametrize("max_sends", [1, 2])
def test_max_sends(login: Login, standin: Standin, max_sends: int) -> None:
    result = login([SIGN_IN, *[(words.ASKED, "")] * max_sends], resend_delay=0, max_sends=max_sends)
    assert result.code == "PAM_AUTH_ERR"
    assert len(standin.pool.outbox) == max_sends
    assert not standin.journal.requests(VERIFY)


@pytest.mark.parametrize("answer", ["123 456", PASSWORD], ids=["blank", "password"])
def test_unusable_answer(login: Login, standin: Standin, answer: str) -> None:
    """It is an answer, but none that is sent."""
    result = login([SIGN_IN, (words.ASKED, answer)], max_tries=1)
    assert result.code == "PAM_AUTH_ERR"
    assert not standin.journal.requests(VERIFY)


def test_local_password_as_a_code_is_never_sent(login: Login, standin: Standin) -> None:
    """sshd's password method answers every prompt with the password."""
    steps = [(words.PASSWORD, LOCAL_PASSWORD), (words.SECOND_PASSWORD, PASSWORD), (words.ASKED, LOCAL_PASSWORD)]
    assert not login(steps, stack=AFTER_PASSWORD, max_tries=1).let_in
    assert LOCAL_PASSWORD not in str([request.body for request in standin.journal.requests()])


@pytest.mark.parametrize("max_tries", [1, 2])
def test_max_tries(login: Login, standin: Standin, wrong: Code, max_tries: int) -> None:
    asked = [words.ASKED, *[words.ASKED_AGAIN] * (max_tries - 1)]
    result = login([SIGN_IN, *[(prompt, wrong) for prompt in asked]], max_tries=max_tries)
    assert result.code == "PAM_MAXTRIES"
    assert len(standin.journal.requests(VERIFY)) == max_tries


# Codes that end


def expire(standin: Standin) -> None:
    """A day passes for the code that was sent, and for it alone."""
    standin.pool.users[USER].codes["email"].expires = 0


def test_expired_code_offers_a_new_one(login: Login, standin: Standin, code: Code) -> None:
    def expired() -> str:
        expire(standin)
        return code()

    steps = [SIGN_IN, (words.ASKED, expired), (words.EXPIRED + words.CODE, ""), (words.ASKED, code)]
    assert login(steps, resend_delay=0).let_in
    assert len(standin.pool.outbox) == 2


@pytest.mark.valgrind
def test_expired_at_the_last_try(login: Login, standin: Standin, code: Code) -> None:
    def expired() -> str:
        expire(standin)
        return code()

    result = login([SIGN_IN, (words.ASKED, expired)], max_tries=1)
    assert result.code == "PAM_AUTH_ERR"
    assert result.results[-1] == "ExpiredCodeException"


def test_sends_within_the_quota(login: Login, standin: Standin, code: Code) -> None:
    standin.pool.quotas[SEND] = 1
    assert login([SIGN_IN, (words.ASKED, code)]).let_in
    result = login([SIGN_IN])
    assert result.code == "PAM_MAXTRIES"
    assert "too many" in result.talk.ending.lower()


# The log


def test_log_of_a_success(login: Login, standin: Standin, code: Code) -> None:
    """One line tells the outcome, with the id by which AWS finds the request."""
    result = login([SIGN_IN, (words.ASKED, code)], debug="yes")
    assert result.let_in
    last = result.watched.outcomes[-1]
    assert last["user"] == USER
    assert standin.journal.requests(VERIFY)[-1].request_id in last.values()


def test_log_of_a_failure(login: Login, standin: Standin) -> None:
    result = login([(words.PASSWORD, WRONG_PASSWORD)], debug="yes")
    (line,) = result.watched.outcomes
    assert line["user"] == USER
    assert line["result"] == "NotAuthorizedException"
    assert standin.journal.requests("InitiateAuth")[-1].request_id in line.values()
