"""Whatever Cognito, or what poses as it, says: one line of printable ASCII in the log, one tame prompt at the terminal."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable

import pytest
from harness import outcome
from harness.hosts import PAM_RHOST, Host, Hosts
from harness.people import PASSWORD
from standin import Standin, User, faults
from standin.faults import Fault

Code = Callable[[], str]

INITIATE = "InitiateAuth"
SEND = "GetUserAttributeVerificationCode"
VERIFY = "VerifyUserAttribute"

MESSAGE_MOST = 512  # PAM_MAX_MSG_SIZE

# each as JSON can carry it
TEXTS = {
    "escape": "\x1b[2J\x1b]0;title\x1b\\\x1b[31mevil\x1b[0m",
    "bell": "ding\x07dong\x08\x7f",
    "carriage-return": "a***@e***\rroot@",
    "line-feed": "a***@e***\nPassword: ",
    "pam-line": "x\npam_cognito_confirm(pamcog:auth): user=root result=confirmed",
    "pair": 'x result=confirmed user="root" why="none" \\',
    "format": "%n%n%s%s%1000000d%*d",
    "c1": "\x9b31mevil\x9d0;title\x9c\x85next",
    "bidi": "\u202eevil\u202c\u2066\u2069\u200f\u200b\ufeff",
    "separators": "one\u2028two\u2029three",
    "emoji": "\U0001f480" * 40,
    "half-a-pair": "\ud83d a lone surrogate",
    "long": "x" * 10240,
    "long-escapes": "\x1b[31m" * 2048,
    "empty": "",
}


def is_tame(text: str) -> bool:
    """What may reach a terminal: printable ASCII in lines, as much as a message of PAM holds."""
    return bool(re.fullmatch(r"[ -~\n]*", text)) and len(text) <= MESSAGE_MOST


def check(host: Host) -> list[dict[str, str]]:
    """Judge all that a login said and logged; its outcomes."""
    for _, text in host.prompts:
        assert is_tame(text), text
    for line in host.watched.log:
        assert re.fullmatch(r"[ -~]+", line.raw), line.raw
    outcomes = outcome.read_all(host.watched.log)
    told = [line for line in host.watched.log if "result=" in line.text]
    assert len(outcomes) == len(told), "an outcome below notice"
    assert all(pair["user"] == "pamcog-alice" for pair in outcomes)
    return outcomes


def delivered(**details: str) -> Fault:
    return faults.altered(lambda payload: {"CodeDeliveryDetails": {**payload["CodeDeliveryDetails"], **details}})


# Where the code went


@pytest.mark.parametrize("member", ["Destination", "DeliveryMedium", "AttributeName"])
@pytest.mark.parametrize("text", TEXTS)
def test_delivery_details(hosts: Hosts, standin: Standin, code: Code, member: str, text: str) -> None:
    """A text that cannot be shown is no reason to keep the user out, unless the reply is none at all."""
    standin.faults.add(SEND, delivered(**{member: TEXTS[text]}))
    with hosts() as host:
        host.start()
        result = host.call("authenticate", [PASSWORD, code], all_used=False)
        host.end()
    results = [pairs["result"] for pairs in check(host)]
    if text == "half-a-pair":
        assert (result, results) in (
            ("PAM_SUCCESS", ["pending", "confirmed"]),
            ("PAM_AUTHINFO_UNAVAIL", ["unparsable-reply"]),
        )
    else:
        assert (result, results) == ("PAM_SUCCESS", ["pending", "confirmed"])
        assert re.fullmatch(
            r"A verification code was sent [ -~]*\.\nCode \(empty for a new one\): ", host.prompts[1][1]
        )


def test_delivery_details_all_at_once(hosts: Hosts, standin: Standin, code: Code) -> None:
    long = "\x1b" * 10240
    standin.faults.add(SEND, delivered(Destination=long, DeliveryMedium=long, AttributeName=long))
    with hosts() as host:
        host.start()
        assert host.call("authenticate", [PASSWORD, code]) == "PAM_SUCCESS"
        host.end()
    check(host)
    assert host.prompts[1][1].endswith("\nCode (empty for a new one): ")


# Errors


def run_into(hosts: Hosts, operation: str, code: Code) -> tuple[Host, str]:
    """A login that ends with the error of that operation, or goes on if it is asked again."""
    with hosts(max_tries=1) as host:
        host.start()
        result = host.call("authenticate", [PASSWORD, code], all_used=False)
        host.end()
    return host, result


@pytest.mark.parametrize("operation", [INITIATE, SEND, VERIFY])
@pytest.mark.parametrize("text", TEXTS)
def test_error_message(hosts: Hosts, standin: Standin, code: Code, text: str, operation: str) -> None:
    """The message is a hint for the log, never shown."""
    standin.faults.add(operation, faults.error("CodeDeliveryFailureException", message=TEXTS[text]))
    host, result = run_into(hosts, operation, code)
    assert result == "PAM_AUTHINFO_UNAVAIL"
    assert check(host)[-1]["result"] == "CodeDeliveryFailureException"
    assert not any("evil" in said or "root" in said for _, said in host.prompts)


@pytest.mark.parametrize("operation", [INITIATE, SEND, VERIFY])
@pytest.mark.parametrize("text", TEXTS)
def test_error_type(hosts: Hosts, standin: Standin, code: Code, text: str, operation: str) -> None:
    """An error whose name nobody knows."""
    standin.faults.add(operation, faults.error(TEXTS[text] + "Exception", where="body"), times=None)
    host, result = run_into(hosts, operation, code)
    assert result == "PAM_AUTHINFO_UNAVAIL"
    assert check(host)[-1]["result"] in ("unknown-error", "unparsable-reply")


@pytest.mark.parametrize("text", ["escape", "bell", "pair", "format", "c1", "long"])
def test_error_type_in_the_header(hosts: Hosts, standin: Standin, code: Code, text: str) -> None:
    standin.faults.add(SEND, faults.error(TEXTS[text] + "Exception", where="header"), times=None)
    host, result = run_into(hosts, SEND, code)
    assert result == "PAM_AUTHINFO_UNAVAIL"
    check(host)


# Challenges


def challenge(name: str, session: str = "x" * 40, **parameters: str) -> Fault:
    posed = {"ChallengeName": name, "Session": session, "ChallengeParameters": parameters}
    return faults.altered(lambda payload: posed)


@pytest.mark.parametrize("text", TEXTS)
def test_challenge_name(hosts: Hosts, standin: Standin, code: Code, text: str) -> None:
    standin.faults.add(INITIATE, challenge(TEXTS[text]))
    host, result = run_into(hosts, INITIATE, code)
    assert result in ("PAM_AUTH_ERR", "PAM_AUTHINFO_UNAVAIL")
    assert len(check(host)) == 1
    assert standin.journal.operations() == ["jwks", INITIATE]


@pytest.mark.parametrize("member", ["CODE_DELIVERY_DESTINATION", "CODE_DELIVERY_DELIVERY_MEDIUM", "USER_ID_FOR_SRP"])
@pytest.mark.parametrize("text", TEXTS)
def test_challenge_parameter(hosts: Hosts, standin: Standin, code: Code, text: str, member: str) -> None:
    standin.faults.add(INITIATE, challenge("SMS_MFA", **{member: TEXTS[text]}))
    host, result = run_into(hosts, INITIATE, code=lambda: "123456")
    assert result != "PAM_SUCCESS"
    assert len(check(host)) == 1


@pytest.mark.parametrize("text", TEXTS)
def test_choices_of_a_challenge(hosts: Hosts, standin: Standin, code: Code, text: str) -> None:
    """Only what can be answered here is offered."""
    choices = json.dumps(["SMS_MFA", TEXTS[text], "EMAIL_OTP"])
    standin.faults.add(INITIATE, challenge("SELECT_MFA_TYPE", MFAS_CAN_CHOOSE=choices))
    host, result = run_into(hosts, INITIATE, code=lambda: "3")
    assert result != "PAM_SUCCESS"
    assert len(check(host)) == 1


# The request id


def with_request_id(text: bytes) -> Fault:
    """The operation is run; its reply has another x-amzn-RequestId."""
    headers = (("x-amzn-RequestId", text.decode("latin-1")),)

    def answer(run: Callable[[], Any]) -> Any:
        reply = run()
        others = tuple((name, value) for name, value in reply.headers if name.lower() != "x-amzn-requestid")
        return replace(reply, headers=others + headers)

    return Fault(answer=answer)


@pytest.mark.parametrize(
    "value",
    [
        b"\x1b[31mevil\x07", b"%n%s%n%s", b'x" result=confirmed why="', b"one two=three", b"back\\slash",
        b"\xff\xfe\x9b31m", "\u202eevil".encode(), b"x" * 10240, b"\t\t", b"",
    ],
    ids=["escape", "format", "quote", "pair", "backslash", "not-utf-8", "bidi", "long", "tabs", "empty"],
)  # fmt: skip
def test_request_id(hosts: Hosts, standin: Standin, code: Code, value: bytes) -> None:
    standin.faults.add(SEND, with_request_id(value))
    standin.faults.add(VERIFY, with_request_id(value))
    with hosts() as host:
        host.start()
        assert host.call("authenticate", [PASSWORD, code]) == "PAM_SUCCESS"
        host.end()
    outcomes = check(host)
    assert [pairs["result"] for pairs in outcomes] == ["pending", "confirmed"]
    assert all(len(pairs["request_id"]) < 300 for pairs in outcomes)


# Replies that are no UTF-8


@pytest.mark.parametrize("body", [
    b'{"CodeDeliveryDetails": {"Destination": "\xff\xfe"}}',
    b'{"CodeDeliveryDetails": {"Destination": "\xc0\xaf"}}',
    b'{"CodeDeliveryDetails": {"Destination": "\xed\xa0\x80"}}',
    b'{"CodeDeliveryDetails": {"Destination": "\xf4\x90\x80\x80"}}',
    b'{"CodeDeliveryDetails": {"Destination": "a\xc3"}}',
], ids=["bytes", "overlong", "surrogate", "beyond", "cut"])  # fmt: skip
def test_reply_that_is_no_utf_8(hosts: Hosts, standin: Standin, code: Code, body: bytes) -> None:
    standin.faults.add(SEND, faults.raw(body))
    host, result = run_into(hosts, SEND, code=lambda: "123456")
    assert result == "PAM_AUTHINFO_UNAVAIL"
    assert [pairs["result"] for pairs in check(host)] == ["unparsable-reply"]
    assert len(host.prompts) == 2, "the password, and the message at the end"


def test_error_that_is_no_utf_8(hosts: Hosts, standin: Standin, code: Code) -> None:
    """The status alone counts then."""
    body = b'{"__type": "LimitExceededException", "message": "\xff\x1b[31m"}'
    standin.faults.add(SEND, faults.raw(body, status=400))
    host, result = run_into(hosts, SEND, code)
    assert result in ("PAM_AUTHINFO_UNAVAIL", "PAM_MAXTRIES")
    assert len(check(host)) == 1


# What the user's account says, when the user may choose


@pytest.mark.parametrize("text", [text for text in TEXTS if text != "half-a-pair"])
def test_attributes_of_the_account(
    hosts: Hosts, standin: Standin, user: User, code: Code, text: str
) -> None:
    user.attributes["phone_number"] = "+12025550100"
    hostile = [{"Name": "phone_number", "Value": "+12025550100"}, {"Name": "email", "Value": TEXTS[text]}]
    standin.faults.add("GetUser", faults.altered(lambda payload: {**payload, "UserAttributes": hostile}))
    with hosts(attribute="email,phone_number") as host:
        host.start()
        result = host.call("authenticate", [PASSWORD, "1", code, code], all_used=False)
        host.end()
    check(host)
    assert result == "PAM_SUCCESS"
    for line in [said for _, said in host.prompts if said.startswith("Where should")]:
        assert re.fullmatch(r"Where should the code be sent\?(\n  [12]  (E-mail|SMS) to [ -~]+)+\nNumber: ", line)


# What others than Cognito say


@pytest.mark.parametrize("text", ["escape", "line-feed", "pam-line", "pair", "format", "bidi", "long"])
def test_remote_host(hosts: Hosts, code: Code, text: str) -> None:
    """PAM_RHOST is what a remote host calls itself."""
    with hosts() as host:
        host.start()
        host.set_item(PAM_RHOST, TEXTS[text][:1024])  # libpam's own audit message holds no more
        assert host.call("authenticate", [PASSWORD, code]) == "PAM_SUCCESS"
        host.end()
    assert len(check(host)) == 2


@pytest.mark.parametrize("text", ["escape", "line-feed", "bidi"])
def test_remote_host_in_a_path(hosts: Hosts, ground: Path, text: str) -> None:
    """A token file that is named after the remote host, and cannot be used: the log names it."""
    with hosts(token=f"file:{ground}/%r") as host:
        host.start()
        host.set_item(PAM_RHOST, TEXTS[text])
        (ground / TEXTS[text]).mkdir()
        assert host.call("authenticate") == "PAM_SERVICE_ERR"
        host.end()
    assert len(check(host)) == 1


@pytest.mark.parametrize("answers", [[""] * 200, ["1 1"] * 200, ["", "1 1"] * 100], ids=["empty", "unusable", "both"])
def test_prompts_are_bounded(hosts: Hosts, standin: Standin, answers: list[str]) -> None:
    """Whatever is answered, a login ends."""
    with hosts() as host:
        host.start()
        assert host.call("authenticate", [PASSWORD, *answers], all_used=False) == "PAM_AUTH_ERR"
        host.end()
    assert len(host.prompts) < 40
    assert len(standin.pool.outbox) <= 3
    assert not standin.journal.requests(VERIFY)
