"""Which attribute the code goes to, what is asked of the account for that, and the log's line on each outcome."""

import re
from typing import Any, Callable

import pytest
from harness import outcome, words
from harness.dialogue import Step
from harness.hosts import Hosts
from harness.login import Login
from harness.people import PASSWORD, USER
from harness.stage import AFTER_PASSWORD, SECOND, SERVICE, SOLE
from standin import Standin, User, faults

Code = Callable[[], str]

SIGN_IN: Step = (words.PASSWORD, PASSWORD)

GET_USER = "GetUser"
SEND = "GetUserAttributeVerificationCode"
VERIFY = "VerifyUserAttribute"

PHONE = "+12025550100"
MASKED_PHONE = "+*******0100"
MASKED_EMAIL = "a***@e***"

WHERE = "Where should the code be sent?\n"
BY_EMAIL, BY_SMS = f"E-mail to {MASKED_EMAIL}", f"SMS to {MASKED_PHONE}"
NUMBER = "Number: "

ASKED = {"email": words.ASKED, "phone_number": f"A verification code was sent by SMS to {MASKED_PHONE}.\n{words.CODE}"}
BOTH = "email,phone_number"


def choice(*offered: str) -> str:
    """The prompt that offers these."""
    return WHERE + "".join(f"  {number}  {one}\n" for number, one in enumerate(offered, 1)) + NUMBER


# Anything may lead it the second time, as long as the choices and the question are there.
CHOICE_AGAIN = re.compile(
    rf"[ -~]+\n  1  {re.escape(BY_EMAIL)}\n  2  {re.escape(BY_SMS)}\n{NUMBER}"
)


@pytest.fixture
def phone(user: User) -> User:
    """The user has a phone too."""
    user.attributes |= {"phone_number": PHONE, "phone_number_verified": "false"}
    return user


# The choice


@pytest.mark.parametrize("stack", [SOLE, SECOND], ids=["sole", "second"])
@pytest.mark.parametrize(
    "order, answer, chosen",
    [
        (("email", "phone_number"), "1", "email"),
        (("email", "phone_number"), "2", "phone_number"),
        (("phone_number", "email"), "1", "phone_number"),
        (("phone_number", "email"), "2", "email"),
        (("email", "phone_number"), " 2 ", "phone_number"),
    ],
)
def test_choice(
    login: Login, standin: Standin, phone: User, code: Code, stack: str, order: Any, answer: str, chosen: str
) -> None:
    """By number, in the administrator's order; the code goes there, and the code of there is confirmed."""
    offered = {"email": BY_EMAIL, "phone_number": BY_SMS}
    prompt = choice(*[offered[name] for name in order])
    result = login([SIGN_IN, (prompt, answer), (ASKED[chosen], code)], stack=stack, attribute=",".join(order))
    assert result.let_in
    assert [message.attribute for message in standin.pool.outbox] == [chosen]
    assert [request.body["AttributeName"] for request in standin.journal.requests(VERIFY)] == [chosen]
    assert phone.verified(chosen)


def test_verified_attributes_can_be_chosen(login: Login, standin: Standin, phone: User, code: Code) -> None:
    """Whether an attribute is verified matters to `when = unverified` alone."""
    phone.attributes |= {"email_verified": "true", "phone_number_verified": "true"}
    assert login([SIGN_IN, (choice(BY_EMAIL, BY_SMS), "1"), (words.ASKED, code)], attribute=BOTH).let_in
    assert len(standin.pool.outbox) == 1


def test_choice_is_shown_while_typed(login: Login, phone: User, code: Code) -> None:
    result = login([SIGN_IN, (choice(BY_EMAIL, BY_SMS), "1"), (words.ASKED, code)], attribute=BOTH)
    assert [prompt.echo for prompt in result.talk.prompts] == [False, True, True]


def test_new_code_goes_to_the_same_place(login: Login, standin: Standin, phone: User, code: Code, wrong: Code) -> None:
    """The choice is made once in a login."""
    steps = [
        SIGN_IN,
        (choice(BY_EMAIL, BY_SMS), "2"),
        (ASKED["phone_number"], ""),
        (ASKED["phone_number"], wrong),
        (words.ASKED_AGAIN, ""),
        (ASKED["phone_number"], code),
    ]
    assert login(steps, attribute=BOTH, resend_delay=0).let_in
    assert {message.attribute for message in standin.pool.outbox} == {"phone_number"}
    assert len(standin.journal.requests(GET_USER)) == 1


@pytest.mark.parametrize("nonsense", ["0", "3", "-1", "12", "1x", "one", "email", "01", "999999999999999999999", "+1"])
def test_out_of_range_is_asked_again(login: Login, standin: Standin, phone: User, code: Code, nonsense: str) -> None:
    steps = [SIGN_IN, (choice(BY_EMAIL, BY_SMS), nonsense), (CHOICE_AGAIN, "1"), (words.ASKED, code)]
    assert login(steps, attribute=BOTH).let_in
    assert [message.attribute for message in standin.pool.outbox] == ["email"]


@pytest.mark.parametrize("max_tries", [1, 2, 3])
def test_no_choice_no_code(login: Login, standin: Standin, phone: User, max_tries: int) -> None:
    again = [(CHOICE_AGAIN, "7")] * (max_tries - 1)
    result = login([SIGN_IN, (choice(BY_EMAIL, BY_SMS), "7"), *again], attribute=BOTH, max_tries=max_tries)
    assert result.code == "PAM_AUTH_ERR"
    assert not standin.journal.requests(SEND)
    assert len(result.results) == 1


def test_password_is_no_choice(login: Login, standin: Standin, phone: User) -> None:
    result = login([SIGN_IN, (choice(BY_EMAIL, BY_SMS), PASSWORD)], attribute=BOTH, max_tries=1)
    assert result.code == "PAM_AUTH_ERR"
    assert not standin.journal.requests(SEND)


@pytest.mark.parametrize("missing, left", [("phone_number", "email"), ("email", "phone_number")])
def test_only_what_the_account_has(
    login: Login, standin: Standin, phone: User, code: Code, missing: str, left: str
) -> None:
    """One is no choice."""
    del phone.attributes[missing]
    assert login([SIGN_IN, (ASKED[left], code)], attribute=BOTH).let_in
    assert standin.journal.operations() == ["jwks", "InitiateAuth", GET_USER, SEND, VERIFY]


def test_account_has_neither(login: Login, standin: Standin, phone: User) -> None:
    """As the error table has it for an attribute that cannot be verified."""
    del phone.attributes["email"], phone.attributes["phone_number"]
    result = login([SIGN_IN], attribute=BOTH)
    assert result.code == "PAM_AUTHINFO_UNAVAIL"
    assert "attribute cannot be verified" in result.talk.ending.lower()
    assert not standin.pool.outbox


def test_no_address_in_the_clear(login: Login, standin: Standin, phone: User, code: Code) -> None:
    """What GetUser tells is nobody's business: not in a prompt, not in the log."""
    standin.pool.delivery_details = False
    steps = [SIGN_IN, (choice(BY_EMAIL, BY_SMS), "2"), (words.SENT_TO_PHONE + words.CODE, code)]
    result = login(steps, attribute=BOTH, debug="yes")
    assert result.let_in
    for address in (PHONE, PHONE[:-4], "alice@", "example.com"):
        assert address not in result.seen
        assert address not in result.log


def test_unusual_addresses(login: Login, standin: Standin, phone: User, code: Code) -> None:
    """Masked as much as any other, however short."""
    phone.attributes |= {"email": "b@x", "phone_number": "+4912"}
    steps = [SIGN_IN, (re.compile(r"Where [ -~]*\n  1  E-mail to [ -~]+\n  2  SMS to [ -~]+\nNumber: "), "1")]
    sent = re.compile(r"A verification code [ -~]*\.\nCode \(empty for a new one\): ")
    result = login([*steps, (sent, code)], attribute=BOTH)
    assert result.let_in
    assert "b@x" not in result.talk.prompts[1].text
    assert "+4912" not in result.talk.prompts[1].text


# GetUser: only when something needs it, and once


@pytest.mark.parametrize(
    "config, verified, times",
    [
        ({}, "false", 0),
        ({"attribute": "phone_number"}, "false", 0),
        ({"when": "always"}, "true", 0),
        ({"when": "unverified"}, "false", 1),
        ({"attribute": "phone_number", "when": "unverified"}, "false", 1),
    ],
)
def test_look_up(
    login: Login, standin: Standin, phone: User, code: Code, config: Any, verified: str, times: int
) -> None:
    attribute = config.get("attribute", "email")
    phone.attributes[f"{attribute}_verified"] = verified
    assert login([SIGN_IN, (ASKED[attribute], code)], **config).let_in
    assert len(standin.journal.requests(GET_USER)) == times


@pytest.mark.parametrize("when", ["always", "unverified"])
def test_look_up_for_a_choice(login: Login, standin: Standin, phone: User, code: Code, when: str) -> None:
    """Two reasons, one request."""
    steps = [SIGN_IN, (choice(BY_EMAIL, BY_SMS), "1"), (words.ASKED, code)]
    assert login(steps, attribute=BOTH, when=when).let_in
    assert standin.journal.operations() == ["jwks", "InitiateAuth", GET_USER, SEND, VERIFY]


def test_look_up_for_everything(
    login: Login, standin: Standin, phone: User, code: Code, token_file: Callable[[object], Any]
) -> None:
    """`match`, `when` and a choice, and still one request."""
    phone.attributes |= {"preferred_username": USER}
    steps = [(choice(BY_EMAIL, BY_SMS), "1"), (words.ASKED, code)]
    path = token_file(standin.pool.access_token(USER))
    config = {"match": "preferred_username", "when": "unverified", "attribute": BOTH, "token": f"file:{path}"}
    assert login(steps, stack=SECOND, **config).let_in
    assert standin.journal.operations() == ["jwks", GET_USER, SEND, VERIFY]


@pytest.mark.parametrize("value", ["TRUE", "True", "1", "yes", "", "true ", "false"])
def test_verified_means_true(login: Login, standin: Standin, phone: User, code: Code, value: str) -> None:
    """Anything but Cognito's own word for it leaves the code to be asked for."""

    def change(user: dict[str, Any]) -> dict[str, Any]:
        others = [one for one in user["UserAttributes"] if one["Name"] != "email_verified"]
        return {**user, "UserAttributes": [*others, {"Name": "email_verified", "Value": value}]}

    standin.faults.add(GET_USER, faults.altered(change))
    assert login([SIGN_IN, (words.ASKED, code)], when="unverified").let_in
    assert len(standin.pool.outbox) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda user: {**user, "UserAttributes": []},
        lambda user: {**user, "UserAttributes": None},
        lambda user: {**user, "UserAttributes": {"Name": "email_verified", "Value": "true"}},
        lambda user: {**user, "UserAttributes": [{"Name": "email_verified", "Value": True}]},
        lambda user: {**user, "UserAttributes": [{"Name": "email_verified", "Value": "true"}]},
        lambda user: {**user, "UserAttributes": [{"Name": "Email_Verified", "Value": "true"}]},
        lambda user: {**user, "UserAttributes": user["UserAttributes"] + [{"Name": "email_verified", "Value": "false"}]},
        lambda user: {"Username": "x"},
        lambda user: [],
    ],
    ids=["none", "null", "object", "boolean", "no-address", "case", "twice", "absent", "list"],
)
def test_odd_account_is_never_verified(
    hosts: Hosts, standin: Standin, user: User, code: Code, change: Callable[[Any], Any]
) -> None:
    """A reply of GetUser that is not what the API promises lets nobody off: the code is asked for, or the login ends."""
    user.attributes["email_verified"] = "true"
    standin.faults.add(GET_USER, faults.altered(change), times=None)
    with hosts(when="unverified") as host:
        host.start()
        result = host.call("authenticate", [PASSWORD, code], all_used=False)
        host.end()
    results = [pairs["result"] for pairs in outcome.read_all(host.watched.log)]
    assert "not-needed" not in results
    assert (result == "PAM_SUCCESS") == (results == ["pending", "confirmed"])
    assert (result == "PAM_SUCCESS") == (len(standin.journal.requests(VERIFY)) == 1)


# The log


def outcomes_of(login: Login, steps: list[Any], **how: Any) -> list[dict[str, str]]:
    """The outcomes of a login, each read as the manual has it."""
    return outcome.read_all(login(steps, **how).watched.log)


def test_log_of_a_login(login: Login, standin: Standin, code: Code) -> None:
    pending, confirmed = outcomes_of(login, [SIGN_IN, (words.ASKED, code)])
    (send,), (verify,) = standin.journal.requests(SEND), standin.journal.requests(VERIFY)
    common = {"user": USER, "service": SERVICE, "attribute": "email", "medium": "EMAIL", "tries": "1", "sends": "1"}
    assert common.items() <= pending.items()
    assert common.items() <= confirmed.items()
    assert (pending["result"], pending["request_id"]) == ("pending", send.request_id)
    assert (confirmed["result"], confirmed["request_id"]) == ("confirmed", verify.request_id)
    assert "why" not in pending and "why" not in confirmed
    assert all(int(line["ms"]) < 60000 for line in (pending, confirmed))


def test_log_of_a_choice(login: Login, standin: Standin, phone: User, code: Code) -> None:
    steps = [SIGN_IN, (choice(BY_EMAIL, BY_SMS), "2"), (ASKED["phone_number"], code)]
    lines = outcomes_of(login, steps, attribute=BOTH)
    assert [(line["attribute"], line["medium"]) for line in lines] == [("phone_number", "SMS")] * 2


@pytest.mark.parametrize("operation", ["InitiateAuth", GET_USER, SEND, VERIFY])
def test_log_of_an_error(login: Login, standin: Standin, code: Code, operation: str) -> None:
    """The id is that of the request that failed: it is what AWS asks for."""
    standin.faults.add(operation, faults.error("UnexpectedLambdaException", message='it "failed" \\ x=1'), times=None)
    steps = [SIGN_IN, (words.ASKED, code)][: 2 if operation == VERIFY else 1]
    *_, last = outcomes_of(login, steps, when="unverified")
    assert last["result"] == "UnexpectedLambdaException"
    assert last["request_id"] == standin.journal.requests(operation)[-1].request_id
    assert last["why"]


def test_log_of_a_wrong_code(login: Login, standin: Standin, code: Code, wrong: Code) -> None:
    """One line for the outcome, none for the tries on the way."""
    lines = outcomes_of(login, [SIGN_IN, (words.ASKED, wrong), (words.ASKED_AGAIN, wrong)], max_tries=2)
    assert [(line["result"], line["tries"]) for line in lines] == [("pending", "1"), ("CodeMismatchException", "2")]
    assert lines[-1]["request_id"] == standin.journal.requests(VERIFY)[-1].request_id


def test_log_of_what_is_not_needed(login: Login, standin: Standin, user: User) -> None:
    user.attributes["email_verified"] = "true"
    not_needed, passed = outcomes_of(login, [SIGN_IN], when="unverified")
    assert (not_needed["result"], not_needed["tries"], not_needed["sends"]) == ("not-needed", "0", "0")
    assert not_needed["request_id"] == standin.journal.requests(GET_USER)[-1].request_id
    assert passed["result"] == "passed"


def test_log_of_an_exemption(login: Login, standin: Standin) -> None:
    exempt, passed = outcomes_of(login, [], stack=SECOND, exempt_group=USER)
    assert (exempt["result"], passed["result"]) == ("exempt", "passed")
    assert exempt["request_id"] == passed["request_id"] == "-"


def test_log_without_a_record(login: Login) -> None:
    """The companion alone."""
    (line,) = outcomes_of(login, [], stack="auth required pam_cognito_confirm.so\n")
    assert line["result"] == "no-record"


@pytest.mark.parametrize("stack", [SOLE, SECOND, AFTER_PASSWORD], ids=["sole", "second", "after-password"])
def test_log_of_a_config_error(login: Login, stack: str) -> None:
    steps = [(words.PASSWORD, "local-canary-passw0rd")] if stack == AFTER_PASSWORD else []
    (line,) = outcomes_of(login, steps, stack=stack, max_tries=99)
    assert line["result"] == "config"
    assert "max_tries" in line["why"]
