"""What a login asks of the network, and when: counted in the stand-in's journal, so that no machine is too slow for it.

A round trip is a request, a TCP handshake or a TLS handshake (version 1.3 takes one). What is asked while a person types costs
him nothing; what is asked after his answer, he waits for.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Sequence

import pytest
from harness import words
from harness.dialogue import Step
from harness.login import Login
from harness.people import LOCAL_PASSWORD, PASSWORD, PHONE, USER
from harness.stage import AFTER_PASSWORD, SECOND, SOLE
from standin import Standin, User

KEYS, GET = "jwks", "GetUser"
SEND, VERIFY = "GetUserAttributeVerificationCode", "VerifyUserAttribute"
INITIATE, RESPOND = "InitiateAuth", "RespondToAuthChallenge"

WHERE = "Where should the code be sent?\n  1  E-mail to a***@e***\n  2  SMS to +*******4567\nNumber: "


@dataclass(frozen=True)
class Flow:
    """What is asked before each answer, while the person types, and after the last; by operation.

    `trips` are the round trips from the answer before, or from the beginning, to the question for the code, connections included.
    `kept`: somebody has logged in on this host before.
    """

    prompts: Sequence[str]
    asked: Sequence[Sequence[str]]
    trips: int
    config: dict[str, Any] = field(default_factory=dict)
    stack: str = SOLE
    kept: bool = False


THERE = {"token": "file"}
PREPARED = "auth optional pam_cognito_prepare.so\n" + AFTER_PASSWORD

FLOWS = {
    "password": Flow([words.PASSWORD, words.ASKED], [[KEYS], [INITIATE, SEND], [VERIFY]], 2),
    "srp": Flow([words.PASSWORD, words.ASKED], [[KEYS], [INITIATE, RESPOND, SEND], [VERIFY]], 3, {"signin_flow": "srp"}),
    "password, not the first": Flow([words.PASSWORD, words.ASKED], [[KEYS], [INITIATE, SEND], [VERIFY]], 2, kept=True),
    "token": Flow([words.ASKED], [[KEYS, SEND], [VERIFY]], 4, THERE, SECOND),
    "token, not the first": Flow([words.ASKED], [[SEND], [VERIFY]], 3, THERE, SECOND, kept=True),
    "token, after a first factor": Flow(
        [words.PASSWORD, words.ASKED], [[], [SEND], [VERIFY]], 3, THERE, AFTER_PASSWORD, kept=True
    ),
    "token, prepared": Flow([words.PASSWORD, words.ASKED], [[KEYS], [SEND], [VERIFY]], 1, THERE, PREPARED),
    "token, prepared, not the first": Flow([words.PASSWORD, words.ASKED], [[KEYS], [SEND], [VERIFY]], 1, THERE, PREPARED, kept=True),
    "choice": Flow([WHERE, words.ASKED], [[KEYS, GET], [SEND], [VERIFY]], 1, {**THERE, "attribute": "email,phone_number"}, SECOND),
    "unverified": Flow([words.ASKED], [[KEYS, GET, SEND], [VERIFY]], 5, {**THERE, "when": "unverified"}, SECOND),
}  # fmt: skip


@pytest.mark.parametrize("name", FLOWS)
def test_round_trips(
    login: Login, standin: Standin, user: User, token_file: Callable[[object], Path], code: Callable[[], str], name: str
) -> None:
    flow = FLOWS[name]
    user.attributes |= {"phone_number": PHONE, "phone_number_verified": "false"}
    path = token_file(standin.pool.access_token(USER))
    config = {key: f"file:{path}" if key == "token" else value for key, value in flow.config.items()}
    if flow.kept:
        assert login([(words.ASKED, code)], stack=SECOND, token=f"file:{path}").let_in
        standin.journal.clear()
    answers = {words.PASSWORD: PASSWORD if flow.stack == SOLE else LOCAL_PASSWORD, WHERE: "1", words.ASKED: code}
    seen: list[tuple[int, int]] = []

    def step(at: int) -> Step:
        wanted, prompt = flow.asked[at], flow.prompts[at]

        def answer() -> str:
            # What begins while the person types comes to its end first.
            if wanted:
                standin.journal.wait_for(wanted[-1], answered=True)
            seen.append((len(standin.journal.operations()), len(standin.journal.connections)))
            given = answers[prompt]
            return given() if callable(given) else given

        return (prompt, answer)

    assert login([step(at) for at in range(len(flow.prompts))], stack=flow.stack, **config).let_in
    bounds = [0, *(asked for asked, _ in seen), None]
    asked = standin.journal.operations()
    assert [asked[begin:end] for begin, end in zip(bounds, bounds[1:])] == [list(part) for part in flow.asked]
    assert (len(standin.journal.connections), standin.journal.handshakes) == (1, 1)
    assert {connection.tls for connection in standin.journal.connections} == {"TLSv1.3"}
    before, now = (seen[-2] if len(seen) > 1 else (0, 0)), seen[-1]
    assert now[0] - before[0] + 2 * (now[1] - before[1]) == flow.trips
