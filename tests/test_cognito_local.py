"""The main job against a server that this project did not write: cognito-local.

It answers `{}` to the send, signs its tokens with a key of its own, and keeps its codes in a file.
"""

from typing import Iterator

import pytest
from harness import words
from harness.build import Build
from harness.login import WHOLE, Login
from harness.peer import CognitoLocal
from harness.people import EMAIL, PASSWORD, USER, WRONG_PASSWORD
from harness.stage import SECOND, SOLE, Stage
from harness.syslog import Syslog

SIGN_IN = (words.PASSWORD, PASSWORD)
ASKED = words.SENT_TO_EMAIL + words.CODE


@pytest.fixture(scope="module")
def server(cognito_local: CognitoLocal) -> CognitoLocal:
    cognito_local.add_user(USER, PASSWORD, EMAIL)
    return cognito_local


@pytest.fixture
def login(installed: Build, syslog: Syslog, account: object, server: CognitoLocal) -> Iterator[Login]:
    """Against cognito-local instead of the stand-in."""
    stage = Stage(installed, syslog, None)
    stage.config = server.config()
    stage.secrets.append(PASSWORD)
    yield Login(stage, USER)


def verified(server: CognitoLocal) -> bool:
    attributes = {item["Name"]: item.get("Value") for item in server.user(USER)["Attributes"]}
    return attributes.get("email_verified") == "true"


@pytest.mark.parametrize("stack", [SOLE, SECOND], ids=["sole", "second"])
def test_right_code(login: Login, server: CognitoLocal, stack: str) -> None:
    result = login([SIGN_IN, (ASKED, lambda: server.code(USER))], stack=stack, calls=WHOLE)
    assert result.let_in
    assert verified(server)
    assert "AttributeVerificationCode" not in server.user(USER)


def test_wrong_then_right(login: Login, server: CognitoLocal) -> None:
    steps = [SIGN_IN, (ASKED, "no-such-code"), (words.ASKED_AGAIN, lambda: server.code(USER))]
    assert login(steps, calls=WHOLE).let_in


def test_three_wrong(login: Login, server: CognitoLocal) -> None:
    result = login([SIGN_IN, (ASKED, "no-such-code"), *[(words.ASKED_AGAIN, "no-such-code")] * 2])
    assert result.code == "PAM_MAXTRIES"


def test_new_code(login: Login, server: CognitoLocal) -> None:
    seen = []

    def first() -> str:
        seen.append(server.code(USER))
        return ""

    assert login([SIGN_IN, (ASKED, first), (ASKED, lambda: server.code(USER))], resend_delay=0).let_in
    assert seen


def test_wrong_password(login: Login, server: CognitoLocal) -> None:
    assert login([(words.PASSWORD, WRONG_PASSWORD)]).code == "PAM_AUTH_ERR"


def test_another_issuer(login: Login, server: CognitoLocal) -> None:
    """The key is right, the issuer is not the one that was configured."""
    result = login(
        [SIGN_IN],
        issuer=f"https://cognito-idp.local.amazonaws.com/{server.pool_id}",
    )
    assert result.code == "PAM_AUTH_ERR"
    assert result.results == ["token-refused"]
