"""What in the pool has to equal `username`: claims of the token, and attributes that GetUser tells."""

import re
from typing import Any, Callable

import pytest
from harness import words
from harness.dialogue import Step
from harness.login import WHOLE, Login, Result
from harness.people import OTHER, PASSWORD, USER
from harness.stage import SECOND, Stage
from standin import Standin, Token, User, faults
from standin.faults import Fault
from test_token import WRONG

Code = Callable[[], str]
Write = Callable[[object], object]
Attributes = list[dict[str, Any]]

KEYS, GET, SEND, VERIFY = "jwks", "GetUser", "GetUserAttributeVerificationCode", "VerifyUserAttribute"

REFUSED = "Sign in again.\n"

ADDRESS = f"alice.{USER}@example.com"
ATTRIBUTES = {
    # match: the template of username, and what it comes to
    "email": ("alice.%u@example.com", ADDRESS),
    "preferred_username": ("%u", USER),
    "custom:unix": ("%u.%s", f"{USER}.pamcog"),
}


@pytest.fixture(params=ATTRIBUTES)
def match(request: pytest.FixtureRequest, stage: Stage, standin: Standin, user: User, token_file: Write) -> str:
    """A match that needs GetUser; the user has a right token in a file, and the right attribute."""
    template, value = ATTRIBUTES[request.param]
    _rename(standin, user)
    user.attributes |= {request.param: value, "email_verified": "true"}
    path = token_file(standin.pool.access_token(user.username))
    stage.config |= {"match": request.param, "username": template, "token": f"file:{path}"}
    return request.param


def _rename(standin: Standin, user: User) -> None:
    """The pool has a name of its own for the user, as where people sign in with an address."""
    del standin.pool.users[user.username]
    user.username = "0b6e8a52-own-name-in-the-pool"
    standin.pool.users[user.username] = user


def expected(match: str) -> str:
    return ATTRIBUTES[match][1]


def listed(change: Callable[[Attributes], Any]) -> Fault:
    """GetUser with other UserAttributes; what `change` returns takes their place, unless it is None."""

    def altered(payload: dict[str, Any]) -> dict[str, Any]:
        attributes = payload["UserAttributes"]
        changed = change(attributes)
        return {**payload, "UserAttributes": attributes if changed is None else changed}

    return faults.altered(altered)


def without(attributes: Attributes, name: str) -> Attributes:
    return [one for one in attributes if one["Name"] != name]


def refused(result: Result, standin: Standin, *named: str) -> None:
    """PAM_AUTH_ERR, one text whatever it was, no code; the log's line names all this."""
    assert result.code == "PAM_AUTH_ERR"
    assert result.talk.ending.startswith(REFUSED)
    assert standin.journal.operations() == [KEYS, GET]
    assert not standin.pool.outbox
    (line,) = [line for line in result.watched.log if line.at_least("notice")]
    assert "result=token-refused" in line.text
    for name in named:
        assert name in line.text


# Right


@pytest.mark.smoke
@pytest.mark.valgrind
def test_right_attribute(login: Login, match: str, standin: Standin, code: Code) -> None:
    """GetUser is asked once, before anything is sent, over the same connection."""
    assert login([(words.ASKED, code)], stack=SECOND, calls=WHOLE).let_in
    assert standin.journal.operations() == [KEYS, GET, SEND, VERIFY]
    assert (len(standin.journal.connections), standin.journal.handshakes) == (1, 1)
    (asked,) = standin.journal.requests(GET)
    assert list(asked.body) == ["AccessToken"]


@pytest.mark.parametrize("flow", ["srp", "password"])
def test_signed_in_with_the_address(login: Login, standin: Standin, user: User, code: Code, flow: str) -> None:
    _rename(standin, user)
    user.attributes |= {"email": ADDRESS, "email_verified": "true"}
    standin.pool.aliases = {"email"}
    steps: list[Step] = [(words.PASSWORD, PASSWORD), (re.compile(r"[ -~]*\n" + re.escape(words.CODE)), code)]
    assert login(steps, signin_flow=flow, match="email", username="alice.%u@example.com").let_in
    assert standin.journal.operations()[-3:] == [GET, SEND, VERIFY]


@pytest.mark.parametrize("match", ["username", None, "sub"])
def test_claims_need_no_get_user(
    login: Login, standin: Standin, user: User, code: Code, token_file: Write, match: str | None
) -> None:
    path = token_file(standin.pool.access_token(USER))
    changes = {"match": match, "username": user.sub if match == "sub" else None}
    assert login([(words.ASKED, code)], stack=SECOND, token=f"file:{path}", **changes).let_in
    assert standin.journal.operations() == [KEYS, SEND, VERIFY]


@pytest.mark.parametrize("match", ["username", "sub"])
@pytest.mark.parametrize("claim", ["longer", "shorter", "capitals", "nul", "list", "number", "null", "absent", "empty"])
def test_wrong_claim(
    login: Login, standin: Standin, user: User, token_file: Write, match: str, claim: str
) -> None:
    name = user.sub if match == "sub" else USER
    changed = {
        "longer": f"{name}x", "shorter": name[:-1], "capitals": name.upper(), "nul": f"{name}\0x", "list": [name],
        "number": 42, "null": None, "absent": None, "empty": "",
    }  # fmt: skip
    token = standin.pool.access_token(USER)
    token.claims[match] = changed[claim]
    if claim == "absent":
        del token.claims[match]
    result = login(stack=SECOND, token=f"file:{token_file(token)}", match=match, username=name)
    assert result.code == "PAM_AUTH_ERR"
    assert result.talk.ending.startswith(REFUSED)
    assert standin.journal.operations() in ([], [KEYS])
    assert result.results == ["token-refused"]
    assert match in result.log and name in result.log


def test_other_attributes_are_not_asked_for(login: Login, standin: Standin, user: User, token_file: Write) -> None:
    """A username that only the e-mail address equals, and the other way round."""
    path = token_file(standin.pool.access_token(USER))
    user.attributes |= {"email": ADDRESS, "email_verified": "true", "preferred_username": OTHER}
    assert not login(stack=SECOND, token=f"file:{path}", username="alice.%u@example.com").let_in
    assert not standin.journal.requests(GET)
    assert not login(stack=SECOND, token=f"file:{path}", match="email").let_in
    assert not login(stack=SECOND, token=f"file:{path}", match="preferred_username").let_in
    assert not standin.pool.outbox


# A token that is refused anyway


@pytest.mark.parametrize("wrong", [name for name in WRONG if "user" not in name])
def test_no_get_user_with_a_wrong_token(login: Login, match: str, standin: Standin, user: User, token_file: Write, wrong: str) -> None:
    """The token never leaves the host before all that can be checked here was right."""
    token: Token = standin.pool.access_token(user.username)
    WRONG[wrong](token)
    result = login(stack=SECOND, token=f"file:{token_file(token)}")
    assert result.code == "PAM_AUTH_ERR"
    assert result.talk.ending.startswith(REFUSED)
    assert standin.journal.operations() in ([], [KEYS])
    assert result.results == ["token-refused"]


# An attribute that is not right


@pytest.mark.valgrind
def test_absent_attribute(login: Login, match: str, standin: Standin) -> None:
    standin.faults.add(GET, listed(lambda attributes: without(attributes, match)))
    refused(login(stack=SECOND), standin, match, expected(match))


@pytest.mark.parametrize("value", ["mallory", "{}x", "x{}", " {}", "{}\n", "{}\0x", "\0{}", "", "%u", "{}%00"])
@pytest.mark.valgrind
def test_other_value(login: Login, match: str, standin: Standin, value: str) -> None:
    found = value.format(expected(match))
    standin.faults.add(GET, listed(lambda them: [*without(them, match), {"Name": match, "Value": found}]))
    refused(login(stack=SECOND), standin, match, expected(match), found.strip().split("\0")[0])


@pytest.mark.parametrize("change", [str.upper, str.title, lambda text: text[:-1], lambda text: text.replace("a", "а")])
def test_value_that_looks_like_it(
    login: Login, match: str, standin: Standin, user: User, change: Callable[[str], str]
) -> None:
    user.attributes[match] = change(expected(match))
    refused(login(stack=SECOND), standin, match, expected(match))


@pytest.mark.parametrize("first", [True, False], ids=["before", "behind"])
@pytest.mark.parametrize("value", ["mallory", "the-same"])
def test_attribute_twice(login: Login, match: str, standin: Standin, value: str, first: bool) -> None:
    """Which one counts? Neither."""
    extra = {"Name": match, "Value": expected(match) if value == "the-same" else value}
    standin.faults.add(GET, listed(lambda attributes: [extra, *attributes] if first else [*attributes, extra]))
    refused(login(stack=SECOND), standin, match, expected(match))


@pytest.mark.parametrize("value", [None, 42, True, [], {}, ["{}"]], ids=str)
def test_mistyped_value(login: Login, match: str, standin: Standin, value: object) -> None:
    typed = [expected(match)] if value == ["{}"] else value
    standin.faults.add(GET, listed(lambda them: [*without(them, match), {"Name": match, "Value": typed}]))
    refused(login(stack=SECOND), standin, match, expected(match))


@pytest.mark.parametrize("name", [["{}"], None, 42, "{}\0", "{}x", " {}", "EMAIL"], ids=str)
def test_mistyped_name(login: Login, match: str, standin: Standin, name: Any) -> None:
    typed = [match] if name == ["{}"] else name.format(match) if isinstance(name, str) else name
    extra = {"Name": typed, "Value": expected(match)}
    standin.faults.add(GET, listed(lambda attributes: [*without(attributes, match), extra]))
    refused(login(stack=SECOND), standin, match, expected(match))


@pytest.mark.parametrize("attributes", ["text", {}, 42, {"email": ADDRESS}], ids=str)
def test_mistyped_list(login: Login, match: str, standin: Standin, attributes: object) -> None:
    """A 200 with a mistyped member is a failure."""
    standin.faults.add(GET, listed(lambda _: attributes))
    assert login(stack=SECOND).code == "PAM_AUTHINFO_UNAVAIL"
    assert standin.journal.operations() == [KEYS, GET]


def test_no_list(login: Login, match: str, standin: Standin) -> None:
    standin.faults.add(GET, faults.altered(lambda payload: {"Username": payload["Username"]}))
    assert login(stack=SECOND).code == "PAM_AUTHINFO_UNAVAIL"


@pytest.mark.parametrize("items", [[], ["email"], [None], [[]], [{}], [42]], ids=str)
def test_list_of_something_else(login: Login, match: str, standin: Standin, items: list[Any]) -> None:
    standin.faults.add(GET, listed(lambda _: items))
    result = login(stack=SECOND)
    assert not result.let_in
    assert standin.journal.operations() == [KEYS, GET]


@pytest.mark.parametrize("value", ["\x1b[2J\x1b[31mevil\x07\r\n\x9bc", "\u202egnorw", "x" * 50_000, 'a" result="confirmed'])
def test_value_is_hostile(login: Login, match: str, standin: Standin, value: str) -> None:
    """One line of printable ASCII in the log, of no great length, and nothing on the screen."""
    standin.faults.add(GET, listed(lambda them: [*without(them, match), {"Name": match, "Value": value}]))
    result = login(stack=SECOND, debug="yes")
    assert result.code == "PAM_AUTH_ERR"
    for line in result.watched.log:
        assert re.fullmatch("[ -~]{,1024}", line.text)
    assert result.results == ["token-refused"]
    assert "evil" not in result.seen and "gnorw" not in result.seen and "xxx" not in result.seen


# An address counts once it is verified


@pytest.mark.parametrize("match", ["email"], indirect=True)
@pytest.mark.parametrize("verified", ["false", "", "True", "TRUE", "1", "yes", " true", "true ", "true\0"])
def test_address_is_not_verified(login: Login, match: str, standin: Standin, user: User, verified: str) -> None:
    user.attributes["email_verified"] = verified
    refused(login(stack=SECOND), standin, "email_verified", "true", verified.strip().rstrip("\0"))


@pytest.mark.parametrize("match", ["email"], indirect=True)
@pytest.mark.parametrize("verified", [True, 1, None, ["true"]], ids=str)
def test_mistyped_verified(login: Login, match: str, standin: Standin, verified: object) -> None:
    extra = {"Name": "email_verified", "Value": verified}
    standin.faults.add(GET, listed(lambda attributes: [*without(attributes, "email_verified"), extra]))
    refused(login(stack=SECOND), standin, "email_verified")


@pytest.mark.parametrize("match", ["email"], indirect=True)
def test_nothing_says_verified(login: Login, match: str, standin: Standin, user: User) -> None:
    del user.attributes["email_verified"]
    user.attributes |= {"phone_number": "+49301234567", "phone_number_verified": "true"}
    refused(login(stack=SECOND), standin, "email_verified")


@pytest.mark.parametrize("match", ["email"], indirect=True)
@pytest.mark.parametrize("first", [True, False], ids=["before", "behind"])
@pytest.mark.parametrize("value", ["true", "false"])
def test_verified_twice(login: Login, match: str, standin: Standin, first: bool, value: str) -> None:
    extra = {"Name": "email_verified", "Value": value}
    standin.faults.add(GET, listed(lambda attributes: [extra, *attributes] if first else [*attributes, extra]))
    refused(login(stack=SECOND), standin, "email_verified")


@pytest.mark.parametrize("match", ["preferred_username", "custom:unix"], indirect=True)
def test_other_attributes_need_no_verified_address(
    login: Login, match: str, user: User, code: Code
) -> None:
    user.attributes["email_verified"] = "false"
    assert login([(words.ASKED, code)], stack=SECOND).let_in


def test_stranger_who_took_the_address(login: Login, standin: Standin, token_file: Write) -> None:
    """Who may write an attribute can say anything in it; the address has to be shown to be his."""
    standin.pool.add_user(OTHER, PASSWORD, email=ADDRESS, email_verified="false")
    path = token_file(standin.pool.access_token(OTHER))
    result = login(stack=SECOND, token=f"file:{path}", match="email", username="alice.%u@example.com")
    refused(result, standin, "email_verified")


# GetUser fails


@pytest.mark.parametrize(
    "name, code, told",
    [
        ("NotAuthorizedException", "PAM_AUTH_ERR", "session has expired"),
        ("UserNotFoundException", "PAM_USER_UNKNOWN", "sign-in failed"),
        ("UserNotConfirmedException", "PAM_AUTH_ERR", "not confirmed"),
        ("PasswordResetRequiredException", "PAM_AUTH_ERR", "reset"),
        ("ResourceNotFoundException", "PAM_AUTHINFO_UNAVAIL", "administrator"),
        ("InvalidParameterException", "PAM_AUTHINFO_UNAVAIL", "attribute cannot be verified"),
        ("ForbiddenException", "PAM_AUTHINFO_UNAVAIL", "blocked"),
        ("InternalErrorException", "PAM_AUTHINFO_UNAVAIL", "unavailable"),
        ("NobodyKnowsThisException", "PAM_AUTHINFO_UNAVAIL", "unavailable"),
        ("AccessDeniedException", "PAM_SYSTEM_ERR", "internal error"),
    ],
)
def test_error_of_get_user(login: Login, match: str, standin: Standin, name: str, code: str, told: str) -> None:
    standin.faults.add(GET, faults.error(name), times=None)
    result = login(stack=SECOND)
    assert result.code == code
    assert told in result.talk.ending.lower()
    assert name in result.log
    assert standin.journal.operations() == [KEYS, GET]


@pytest.mark.parametrize("name", ["NotAuthorizedException", "InvalidParameterException"])
def test_error_of_get_user_after_a_sign_in(login: Login, standin: Standin, user: User, name: str) -> None:
    """It is GetUser that fails, not the sign-in: the table's other column."""
    code, told = {
        "NotAuthorizedException": ("PAM_AUTH_ERR", "session has expired"),
        "InvalidParameterException": ("PAM_AUTHINFO_UNAVAIL", "attribute cannot be verified"),
    }[name]
    user.attributes["email_verified"] = "true"
    standin.pool.aliases = {"email"}
    standin.faults.add(GET, faults.error(name), times=None)
    result = login([(words.PASSWORD, PASSWORD)], match="email", username=user.attributes["email"])
    assert (result.code, told in result.talk.ending.lower()) == (code, True), result.talk.ending


def test_no_second_password_when_get_user_refuses(login: Login, standin: Standin, user: User) -> None:
    """The first password was right, whatever GetUser says of the token."""
    from harness.people import LOCAL_PASSWORD
    from harness.stage import AFTER_PASSWORD

    user.password = LOCAL_PASSWORD
    user.attributes["email_verified"] = "true"
    standin.pool.aliases = {"email"}
    standin.faults.add(GET, faults.error("NotAuthorizedException"), times=None)
    changes = {"match": "email", "username": user.attributes["email"], "try_first_pass": "yes"}
    result = login([(words.PASSWORD, LOCAL_PASSWORD)], stack=AFTER_PASSWORD, **changes)
    assert result.code == "PAM_AUTH_ERR"
    assert len(standin.journal.requests("InitiateAuth")) == 1


BREAKS = {
    "dropped": faults.drop(),
    "dropped-reset": faults.drop(rst=True),
    "lost": faults.lose(),
    "reset": faults.lose(rst=True),
    "cut": faults.cut(40),
}


@pytest.mark.parametrize("fault", BREAKS)
def test_get_user_again_when_the_connection_breaks(
    login: Login, match: str, standin: Standin, code: Code, fault: str
) -> None:
    """It changes nothing, so it may be asked twice."""
    standin.faults.add(GET, BREAKS[fault])
    assert login([(words.ASKED, code)], stack=SECOND).let_in
    assert standin.journal.operations() == [KEYS, GET, GET, SEND, VERIFY]


@pytest.mark.valgrind
@pytest.mark.parametrize("fault", BREAKS)
def test_get_user_twice_at_most(login: Login, match: str, standin: Standin, fault: str) -> None:
    standin.faults.add(GET, BREAKS[fault], times=None)
    result = login(stack=SECOND)
    assert result.code == "PAM_AUTHINFO_UNAVAIL"
    assert standin.journal.operations() == [KEYS, GET, GET]


@pytest.mark.parametrize(
    "fault",
    [faults.garbage(), faults.raw(b"[]"), faults.status(500), faults.status(403), faults.raw(b"{}", status=201)],
    ids=["garbage", "list", "500", "403", "created"],
)
def test_no_second_get_user_after_a_reply(login: Login, match: str, standin: Standin, fault: Fault) -> None:
    standin.faults.add(GET, fault, times=None)
    assert login(stack=SECOND).code == "PAM_AUTHINFO_UNAVAIL"
    assert standin.journal.operations() == [KEYS, GET]


def test_get_user_is_throttled_once(login: Login, match: str, standin: Standin, code: Code) -> None:
    standin.faults.add(GET, faults.error("ThrottlingException"))
    assert login([(words.ASKED, code)], stack=SECOND).let_in
    assert standin.journal.operations() == [KEYS, GET, GET, SEND, VERIFY]
