"""Tests of the stand-in's sign-in: flows, challenges, and clients that this project did not write."""

import base64
import contextlib
import hashlib
import hmac
import json
import os
import secrets
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import shutil

TESTS = Path(__file__).resolve().parent
sys.path.insert(0, str(TESTS))

from standin import Standin, faults, two_keys  # noqa: E402
from standin.challenges import CHALLENGES  # noqa: E402
from standin.model import Model  # noqa: E402
from standin.srp import INFO, K, N, Exchange, pad, parse_timestamp, timestamp_of, verifier  # noqa: E402
from standin.totp import totp  # noqa: E402

MODEL = json.loads((TESTS / "standin" / "cognito-idp.json").read_text())
PASSWORD = "Pass word1!"
INITIATE = "InitiateAuth"
RESPOND = "RespondToAuthChallenge"
WRONG_PASSWORD = ("NotAuthorizedException", "Incorrect username or password.")
LOCKED = ("NotAuthorizedException", "Password attempts exceeded")
INVALID_SESSION = ("NotAuthorizedException", "Invalid session for the user.")
EXPIRED_SESSION = ("NotAuthorizedException", "Invalid session for the user, session is expired.")
ANSWER_NAMES = {"SELECT_MFA_TYPE": "ANSWER"}


class Caller:
    """Calls one app client's operations without any library for it."""

    def __init__(self, s: Standin) -> None:
        self.s, self.client = s, s.pool.clients[s.pool.client_id]
        self.context = ssl.create_default_context(capath=str(s.ca_path))

    def call(self, operation, **members):
        """The parsed answer, or (error name, message)."""
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"AWSCognitoIdentityProviderService.{operation}",
        }
        body = json.dumps({"ClientId": self.client.id, **members}).encode()
        request = urllib.request.Request(self.s.endpoint, body, headers)
        try:
            with urllib.request.urlopen(request, timeout=5, context=self.context) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as error:
            answer = json.load(error)
            return answer["__type"], answer["message"]

    def hashed(self, parameters):
        if self.client.secret is None:
            return parameters
        return {"SECRET_HASH": self.client.secret_hash(parameters["USERNAME"]), **parameters}

    def initiate(self, flow, metadata=None, **parameters):
        more = {"ClientMetadata": metadata} if metadata else {}
        return self.call(INITIATE, AuthFlow=flow, AuthParameters=self.hashed(parameters), **more)

    def password(self, password=PASSWORD, username="alice", **more):
        return self.initiate("USER_PASSWORD_AUTH", USERNAME=username, PASSWORD=password, **more)

    def respond(self, challenge, session=None, metadata=None, username="alice", **responses):
        more = {"Session": session} if session else {}
        more |= {"ClientMetadata": metadata} if metadata else {}
        responses = self.hashed({"USERNAME": username, **responses})
        return self.call(RESPOND, ChallengeName=challenge, ChallengeResponses=responses, **more)

    def answer(self, posed, text, **more):
        """The answer to a challenge as it was posed."""
        name = posed["ChallengeName"]
        return self.respond(name, posed["Session"], **{ANSWER_NAMES.get(name, f"{name}_CODE"): text}, **more)

    def srp(self, password=PASSWORD, username="alice", metadata=None, change=None):
        """Both steps of USER_SRP_AUTH; `change` may alter the ChallengeResponses."""
        side = ClientSide()
        posed = self.initiate("USER_SRP_AUTH", USERNAME=username, SRP_A=side.a)
        if "ChallengeName" not in posed:
            return posed
        responses = side.prove(self.s.pool.id, password, posed["ChallengeParameters"])
        if change:
            change(responses)
        name = responses.pop("USERNAME")
        return self.respond("PASSWORD_VERIFIER", posed.get("Session"), metadata, name, **responses)


class ClientSide:
    """The client of SRP, as wide as these tests need it."""

    def __init__(self) -> None:
        self.private = secrets.randbits(1024)
        self.a = f"{pow(2, self.private, N):x}"

    def prove(self, pool_id, password, parameters, timestamp=None):
        """The ChallengeResponses."""
        number = lambda *parts: int.from_bytes(hashlib.sha256(b"".join(parts)).digest(), "big")  # noqa: E731
        names = pool_id.partition("_")[2] + parameters["USER_ID_FOR_SRP"]
        salt, b = (int(parameters[name], 16) for name in ("SALT", "SRP_B"))
        x = number(pad(salt), hashlib.sha256(f"{names}:{password}".encode()).digest())
        u = number(pad(int(self.a, 16)), pad(b))
        s = pow(b - K * pow(2, x, N), self.private + u * x, N)
        key = hmac.digest(hmac.digest(pad(u), pad(s), "sha256"), INFO, "sha256")[:16]
        timestamp = timestamp or timestamp_of(datetime.now(timezone.utc))
        block = parameters["SECRET_BLOCK"]
        claim = hmac.digest(key, names.encode() + base64.b64decode(block) + timestamp.encode(), "sha256")
        return {
            "USERNAME": parameters["USER_ID_FOR_SRP"],
            "PASSWORD_CLAIM_SECRET_BLOCK": block,
            "PASSWORD_CLAIM_SIGNATURE": base64.b64encode(claim).decode(),
            "TIMESTAMP": timestamp,
        }


@pytest.fixture(scope="session")
def keys():
    return two_keys()


@pytest.fixture
def s(tmp_path, keys):
    with Standin(tmp_path, keys=keys) as standin:
        standin.pool.add_user("alice", PASSWORD, email="alice@example.org", phone_number="+15555551234")
        yield standin


@pytest.fixture
def alice(s):
    return s.pool.users["alice"]


@pytest.fixture
def c(s):
    return Caller(s)


def is_in(answer):
    return "AuthenticationResult" in answer


def claims(answer):
    segment = answer["AuthenticationResult"]["AccessToken"].split(".")[1]
    return json.loads(base64.urlsafe_b64decode(segment + "=="))


def other_than(code):
    return f"{(int(code) + 1) % 1000000:06}"


BOTH_FLOWS = pytest.mark.parametrize("flow", [Caller.password, Caller.srp], ids=["password", "srp"])


# SRP

VECTORS = json.loads((TESTS / "data" / "srp-vectors.json").read_text())["vectors"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["note"])
def test_the_vectors(vector):
    v = vector
    kept = verifier(v["user_pool_id"], v["user_id_for_srp"], v["password"], int(v["salt_hex"], 16))
    assert kept.value == int(v["verifier_hex"], 16)
    exchange = Exchange(
        kept, v["srp_a_hex"], int(v["server_b_hex"], 16), base64.b64decode(v["secret_block_b64"])
    )
    assert int(exchange.parameters()["SRP_B"], 16) == int(v["srp_b_hex"], 16)
    assert exchange.key() == bytes.fromhex(v["key_hex"])
    assert exchange.signature(v["timestamp"]) == v["signature_b64"]


def test_srp_signs_in(s, c):
    assert claims(c.srp())["username"] == "alice"
    assert s.journal.operations() == [INITIATE, RESPOND]
    assert PASSWORD not in str([entry.body for entry in s.journal.requests()])


def test_what_password_verifier_says(s, c, alice):
    alice.salt = 0x0FF
    posed = c.initiate("USER_SRP_AUTH", USERNAME="alice", SRP_A=ClientSide().a)
    parameters = posed["ChallengeParameters"]
    assert posed["ChallengeName"] == "PASSWORD_VERIFIER" and "Session" not in posed
    assert set(parameters) == {"SALT", "SRP_B", "SECRET_BLOCK", "USERNAME", "USER_ID_FOR_SRP"}
    assert parameters["SALT"] == "ff" and parameters["USER_ID_FOR_SRP"] == "alice"


def test_a_wrong_password_by_srp(c):
    assert c.srp("wrong") == WRONG_PASSWORD


@BOTH_FLOWS
def test_the_lockout_is_for_both_flows(s, c, flow):
    for _ in range(5):
        assert flow(c, "wrong") == WRONG_PASSWORD
    assert c.srp() == c.password() == LOCKED
    s.clock.advance(1)
    assert is_in(flow(c))


@pytest.mark.parametrize("length", [20, 2048])
def test_password_verifier_may_have_a_session_too(s, c, length):
    s.pool.srp_session, s.pool.session_length = True, length
    side = ClientSide()
    posed = c.initiate("USER_SRP_AUTH", USERNAME="alice", SRP_A=side.a)
    assert len(posed["Session"]) == length and posed["Session"].startswith("AYABe")
    proof = side.prove(s.pool.id, PASSWORD, posed["ChallengeParameters"])
    del proof["USERNAME"]
    missing = ("InvalidParameterException", "Missing required parameter Session")
    assert c.respond("PASSWORD_VERIFIER", **proof) == missing
    assert c.respond("PASSWORD_VERIFIER", "x" * 20, **proof) == INVALID_SESSION
    assert is_in(c.respond("PASSWORD_VERIFIER", posed["Session"], **proof))


def test_an_alias_and_the_secret_hash(s, c, alice):
    """The proof, USERNAME and SECRET_HASH of the answer are the real user's; those of the request the alias's."""
    s.pool.aliases, alice.attributes["email_verified"] = {"email"}, "true"
    c.client = s.pool.add_client("s3cr3t")
    alias = "alice@example.org"
    assert claims(c.srp(username=alias))["username"] == "alice"
    with_alias = lambda responses: responses.update(USERNAME=alias)  # noqa: E731
    assert c.srp(username=alias, change=with_alias) == INVALID_SESSION
    of_alias = lambda responses: responses.update(SECRET_HASH=c.client.secret_hash(alias))  # noqa: E731
    refused = ("NotAuthorizedException", f"Unable to verify secret hash for client {c.client.id}")
    assert c.srp(username=alias, change=of_alias) == refused
    c.hashed = lambda parameters: parameters
    assert c.srp()[1].endswith("but SECRET_HASH was not received")
    alice.mfa = ["SMS_MFA"]
    del c.hashed
    posed = c.password(username=alias)
    assert c.answer(posed, s.pool.outbox[-1].code, username=alias) == INVALID_SESSION
    wrong_hash = {"SECRET_HASH": c.client.secret_hash(alias)}
    assert c.answer(posed, s.pool.outbox[-1].code, **wrong_hash) == refused
    assert is_in(c.answer(posed, s.pool.outbox[-1].code))


@pytest.mark.parametrize(
    "name",
    ["USERNAME", "PASSWORD_CLAIM_SECRET_BLOCK", "PASSWORD_CLAIM_SIGNATURE", "TIMESTAMP"],
)
def test_what_the_proof_cannot_do_without(c, name):
    side = ClientSide()
    posed = c.initiate("USER_SRP_AUTH", USERNAME="alice", SRP_A=side.a)
    proof = side.prove(c.s.pool.id, PASSWORD, posed["ChallengeParameters"])
    rest = {key: value for key, value in proof.items() if key != name}
    call = {"ChallengeName": "PASSWORD_VERIFIER", "ChallengeResponses": rest}
    assert c.call(RESPOND, **call) == ("InvalidParameterException", f"Missing required parameter {name}")
    assert is_in(c.call(RESPOND, **{**call, "ChallengeResponses": proof}))


@pytest.mark.parametrize("right", [True, False])
def test_an_exchange_is_good_for_one_attempt(s, c, right):
    side = ClientSide()
    posed = c.initiate("USER_SRP_AUTH", USERNAME="alice", SRP_A=side.a)
    first, second = (
        side.prove(s.pool.id, password, posed["ChallengeParameters"])
        for password in (PASSWORD if right else "wrong", PASSWORD)
    )
    del first["USERNAME"], second["USERNAME"]
    assert is_in(c.respond("PASSWORD_VERIFIER", **first)) is right
    assert c.respond("PASSWORD_VERIFIER", **second) == INVALID_SESSION


def test_an_exchange_is_for_one_client(s, c):
    side = ClientSide()
    posed = c.initiate("USER_SRP_AUTH", USERNAME="alice", SRP_A=side.a)
    proof = side.prove(s.pool.id, PASSWORD, posed["ChallengeParameters"])
    del proof["USERNAME"]
    c.client = s.pool.add_client()
    assert c.respond("PASSWORD_VERIFIER", **proof) == INVALID_SESSION


def test_an_exchange_expires(s, c):
    side = ClientSide()
    for age, works in ((179, True), (180, False)):
        posed = c.initiate("USER_SRP_AUTH", USERNAME="alice", SRP_A=side.a)
        proof = side.prove(s.pool.id, PASSWORD, posed["ChallengeParameters"])
        del proof["USERNAME"]
        s.clock.advance(age)
        answer = c.respond("PASSWORD_VERIFIER", **proof)
        assert is_in(answer) is works and (works or answer == EXPIRED_SESSION)


@pytest.mark.parametrize("srp_a", ["", "0", "xyz", "-1", "0x1f", " 1", f"{N:x}", f"{N * 2:x}", "f" * 800])
def test_what_is_no_public_key(c, srp_a):
    assert c.initiate("USER_SRP_AUTH", USERNAME="alice", SRP_A=srp_a)[0] == "InvalidParameterException"


def test_srp_needs_its_public_key(c):
    refused = ("InvalidParameterException", "Missing required parameter SRP_A")
    assert c.initiate("USER_SRP_AUTH", USERNAME="alice") == refused


def test_an_unknown_user_looks_like_a_wrong_password(s, c):
    first, second, other = (
        c.initiate("USER_SRP_AUTH", USERNAME=name, SRP_A="2")["ChallengeParameters"]
        for name in ("nobody", "nobody", "nobody else")
    )
    for name in ("SALT", "USER_ID_FOR_SRP"):
        assert first[name] == second[name] != other[name]
    assert c.srp(username="nobody") == WRONG_PASSWORD
    s.pool.user_existence_errors = True
    assert c.srp(username="nobody")[0] == "UserNotFoundException"


GOOD = "Mon Feb 2 03:04:05 UTC 2026"


@pytest.mark.parametrize(
    "text",
    [
        "Mon Feb 02 03:04:05 UTC 2026", "Tue Feb 2 03:04:05 UTC 2026", "Mon Feb 2 3:04:05 UTC 2026",
        "Mo Feb 2 03:04:05 UTC 2026", "lun. févr. 2 03:04:05 UTC 2026", "Mon Feb 2 03:04:05 GMT 2026",
        "Mon Feb  2 03:04:05 UTC 2026", "Mon Feb 2 03:04:05 UTC 26", "Mon Feb 30 03:04:05 UTC 2026",
        "Mon Feb 2 03:04:05 UTC 2026 ", "MON FEB 2 03:04:05 UTC 2026", "2026-02-02T03:04:05Z", "",
        "Mon Feb ² 03:04:05 UTC 2026",
    ],
)  # fmt: skip
def test_the_timestamp_is_written_in_one_way_alone(c, text):
    assert timestamp_of(parse_timestamp(GOOD)) == GOOD
    refused = c.srp(change=lambda responses: responses.update(TIMESTAMP=text))
    words = "TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english."
    assert refused == ("InvalidParameterException", words)


@pytest.mark.parametrize("age, works", [(0, True), (290, True), (310, False), (-290, True), (-310, False)])
def test_the_timestamp_is_of_this_time(s, c, age, works):
    s.clock.advance(86400)  # the clients' clock stays
    side = ClientSide()
    posed = c.initiate("USER_SRP_AUTH", USERNAME="alice", SRP_A=side.a)
    then = timestamp_of(datetime.now(timezone.utc) - timedelta(seconds=age))
    proof = side.prove(s.pool.id, PASSWORD, posed["ChallengeParameters"], then)
    del proof["USERNAME"]
    answer = c.respond("PASSWORD_VERIFIER", **proof)
    assert is_in(answer) is works and (works or answer[0] == "NotAuthorizedException")


def test_the_timestamp_is_part_of_the_proof(c):
    earlier = timestamp_of(datetime.now(timezone.utc) - timedelta(seconds=2))
    assert c.srp(change=lambda responses: responses.update(TIMESTAMP=earlier)) == WRONG_PASSWORD


def test_flows_that_the_client_may_not_use(s, c):
    c.client.flows = {"ALLOW_USER_PASSWORD_AUTH"}
    assert is_in(c.password())
    words = "USER_SRP_AUTH is not enabled for the client."
    assert c.srp() == ("InvalidParameterException", words)
    c.client.flows = {"ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH"}
    assert is_in(c.srp())
    words = "USER_PASSWORD_AUTH flow not enabled for this client"
    assert c.password() == ("InvalidParameterException", words)
    words = "CUSTOM_AUTH flow not enabled for this client"
    assert c.initiate("CUSTOM_AUTH", USERNAME="alice") == ("InvalidParameterException", words)


@pytest.mark.parametrize(
    "status, error",
    [
        ("UNCONFIRMED", "UserNotConfirmedException"),
        ("RESET_REQUIRED", "PasswordResetRequiredException"),
    ],
)
def test_only_who_has_the_password_learns_the_status(c, alice, status, error):
    alice.status = status
    assert c.srp()[0] == error
    assert c.srp("wrong") == WRONG_PASSWORD


# Codes

DELIVERIES = [("SMS_MFA", "SMS", "+*******1234", "phone_number"), ("EMAIL_OTP", "EMAIL", "a***@e***", "email")]


@BOTH_FLOWS
@pytest.mark.parametrize("name, medium, destination, attribute", DELIVERIES)
def test_a_code_that_was_sent(s, c, alice, flow, name, medium, destination, attribute):
    alice.mfa = [name]
    posed = flow(c, metadata={"host": "h"})
    assert posed["ChallengeName"] == name and len(posed["Session"]) == 1024
    assert posed["ChallengeParameters"] == {
        "CODE_DELIVERY_DELIVERY_MEDIUM": medium,
        "CODE_DELIVERY_DESTINATION": destination,
        "USER_ID_FOR_SRP": "alice",
    }
    [message] = s.pool.outbox
    assert (message.medium, message.destination, message.challenge) == (medium, destination, name)
    assert message.address == alice.attributes[attribute] and message.client_metadata == {"host": "h"}
    assert not alice.codes and not alice.verified(attribute)
    mismatch = ("CodeMismatchException", "Invalid code or auth state for the user.")
    assert c.answer(posed, other_than(message.code)) == mismatch
    assert claims(c.answer(posed, message.code))["username"] == "alice"
    assert alice.verified(attribute)
    assert c.answer(posed, message.code) == INVALID_SESSION


def test_wrong_codes_lock_out_like_wrong_passwords(s, c, alice):
    alice.mfa = ["SMS_MFA"]
    assert c.password("wrong") == WRONG_PASSWORD
    posed = c.password()
    right = s.pool.outbox[-1].code
    for _ in range(4):
        assert c.answer(posed, other_than(right))[0] == "CodeMismatchException"
    assert c.answer(posed, right) == LOCKED
    s.clock.advance(1)
    assert is_in(c.answer(posed, right))
    assert alice.failures == 0


@pytest.mark.parametrize(
    "name, refusal",
    [
        ("SMS_MFA", ("ExpiredCodeException", "Your code has expired, please sign in again.")),
        ("SOFTWARE_TOKEN_MFA", EXPIRED_SESSION),
    ],
)
def test_three_minutes_for_the_answer(s, c, alice, name, refusal):
    alice.mfa = [name]
    code = lambda: s.pool.outbox[-1].code if name == "SMS_MFA" else s.pool.totp("alice")  # noqa: E731
    posed = c.password()
    s.clock.advance(179)
    assert is_in(c.answer(posed, code()))
    posed = c.password()
    s.clock.advance(180)
    assert c.answer(posed, code()) == refusal


def test_a_session_is_for_one_challenge_client_and_user(s, c, alice):
    alice.mfa = ["SMS_MFA"]
    s.pool.add_user("bob", PASSWORD)
    posed = c.password()
    code = s.pool.outbox[-1].code
    assert c.answer({**posed, "ChallengeName": "EMAIL_OTP"}, code) == INVALID_SESSION
    assert c.answer(posed, code, username="bob") == INVALID_SESSION
    assert c.answer({**posed, "Session": "x" * 20}, code) == INVALID_SESSION
    missing = ("InvalidParameterException", "Missing required parameter Session")
    assert c.respond("SMS_MFA", SMS_MFA_CODE=code) == missing
    missing = ("InvalidParameterException", "Missing required parameter SMS_MFA_CODE")
    assert c.respond("SMS_MFA", posed["Session"]) == missing
    own, c.client = c.client, s.pool.add_client()
    assert c.answer(posed, code) == INVALID_SESSION
    c.client = own
    assert is_in(c.answer(posed, code))


@pytest.mark.parametrize("length", [19, 2049])
def test_a_session_has_20_to_2048_characters(c, length):
    answer = c.respond("SMS_MFA", "x" * length, SMS_MFA_CODE="1")
    assert answer[0] == "InvalidParameterException" and "'session'" in answer[1]


def test_who_is_disabled_meanwhile(s, c, alice):
    alice.mfa = ["SMS_MFA"]
    posed = c.password()
    alice.enabled = False
    assert c.answer(posed, s.pool.outbox[-1].code) == ("NotAuthorizedException", "User is disabled.")


# An authenticator app


@pytest.mark.parametrize(
    "at, code",
    [
        (59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"),
        (2000000000, "279037"), (20000000000, "353130"),
    ],
)  # fmt: skip
def test_the_vectors_of_rfc_6238(at, code):
    assert totp(base64.b32encode(b"12345678901234567890").decode(), at) == code


@BOTH_FLOWS
def test_a_code_of_the_app(s, c, alice, flow):
    alice.mfa = ["SOFTWARE_TOKEN_MFA"]
    posed = flow(c)
    assert posed["ChallengeName"] == "SOFTWARE_TOKEN_MFA" and s.pool.outbox == []
    assert posed["ChallengeParameters"] == {"USER_ID_FOR_SRP": "alice"}
    code = s.pool.totp("alice")
    assert c.answer(posed, "x") == ("CodeMismatchException", "Invalid code received for user")
    assert is_in(c.answer(posed, code))
    used = ("ExpiredCodeException", "Your software token has already been used once.")
    assert c.answer(flow(c), code) == used
    s.clock.advance(30)
    assert is_in(c.answer(flow(c), s.pool.totp("alice")))


def test_the_apps_clock_may_be_a_step_off(s, c, alice):
    alice.mfa = ["SOFTWARE_TOKEN_MFA"]
    now = s.clock.now()
    codes = {steps: totp(alice.totp_secret, now + 30 * steps) for steps in (-3, -1, 1, 4)}
    posed = c.password()
    assert c.answer(posed, codes[-3])[0] == c.answer(posed, codes[4])[0] == "CodeMismatchException"
    assert is_in(c.answer(posed, codes[-1]))
    assert is_in(c.answer(c.password(), codes[1]))


def test_without_an_app(c, alice):
    alice.mfa, alice.totp_secret = ["SOFTWARE_TOKEN_MFA"], None
    assert c.answer(c.password(), "123456")[0] == "SoftwareTokenMFANotFoundException"


# Choices and chains


@BOTH_FLOWS
def test_a_choice(s, c, alice, flow):
    alice.mfa = ["SMS_MFA", "SOFTWARE_TOKEN_MFA"]
    posed = flow(c)
    assert posed["ChallengeName"] == "SELECT_MFA_TYPE" and s.pool.outbox == []
    assert json.loads(posed["ChallengeParameters"]["MFAS_CAN_CHOOSE"]) == alice.mfa
    assert c.answer(posed, "EMAIL_OTP")[0] == "MFAMethodNotFoundException"
    chosen = c.answer(posed, "SMS_MFA", metadata={"step": "choice"})
    assert chosen["ChallengeName"] == "SMS_MFA" and chosen["Session"] != posed["Session"]
    assert s.pool.outbox[-1].client_metadata == {"step": "choice"}
    assert c.answer(posed, "SMS_MFA") == INVALID_SESSION
    assert is_in(c.answer(chosen, s.pool.outbox[-1].code))
    chosen = c.answer(flow(c), "SOFTWARE_TOKEN_MFA")
    assert is_in(c.answer(chosen, s.pool.totp("alice")))


def test_what_is_preferred_is_not_asked(c, alice):
    alice.mfa, alice.preferred_mfa = ["SMS_MFA", "EMAIL_OTP"], "EMAIL_OTP"
    assert c.password()["ChallengeName"] == "EMAIL_OTP"


DEMANDS = [
    "NEW_PASSWORD_REQUIRED", "MFA_SETUP", "CUSTOM_CHALLENGE", "DEVICE_SRP_AUTH", "DEVICE_PASSWORD_VERIFIER",
    "WEB_AUTHN", "SELECT_CHALLENGE", "PASSWORD_SRP", "PASSWORD", "SMS_OTP", "RIDDLE_OF_THE_SPHINX",
]  # fmt: skip


@BOTH_FLOWS
@pytest.mark.parametrize("name", DEMANDS)
def test_challenges_that_cannot_be_answered(s, c, alice, flow, name):
    alice.demand, alice.mfa = name, ["SMS_MFA"]
    posed = flow(c)
    assert posed["ChallengeName"] == name and not is_in(posed)
    assert flow(c, "wrong") == WRONG_PASSWORD
    assert c.answer(posed, "x")[0] == "InvalidParameterException"
    assert s.pool.outbox == []


def test_challenges_that_can_be_answered_may_be_demanded_too(s, c, alice):
    alice.demand = "EMAIL_OTP"
    assert is_in(c.answer(c.srp(), s.pool.outbox[-1].code))


def test_every_challenge_of_the_model_is_known():
    assert set(CHALLENGES) == set(MODEL["shapes"]["ChallengeNameType"]["enum"])


def test_who_has_to_change_the_password(c, alice):
    alice.status = "FORCE_CHANGE_PASSWORD"
    posed = c.srp()
    assert posed["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    given = json.loads(posed["ChallengeParameters"]["userAttributes"])
    assert given["email"] == "alice@example.org" and "sub" not in given


# Faults


@pytest.mark.parametrize("operation", [INITIATE, RESPOND])
def test_every_error_can_be_demanded(s, c, operation):
    names = [error["shape"] for error in MODEL["operations"][operation]["errors"]]
    assert len(names) > 15
    request = {INITIATE: c.password, RESPOND: lambda: c.respond("PASSWORD_VERIFIER")}[operation]
    for name in names:
        s.faults.add(operation, faults.error(name))
        assert request() == (name, "A fault.")
    assert [entry.operation for entry in s.journal.requests()] == [operation] * len(names)
    assert is_in(c.srp())


def test_faults_of_the_answer(s, c, alice):
    alice.mfa = ["SMS_MFA"]
    s.faults.add(RESPOND, faults.altered(lambda answer: {**answer, "ChallengeName": "RIDDLE"}))
    assert c.srp()["ChallengeName"] == "RIDDLE"
    s.faults.add(RESPOND, faults.mistyped())
    assert c.srp()["Session"] == 42


def test_the_model_watches_over_challenges():
    for session in ("x" * 19, "x" * 2049):
        with pytest.raises(AssertionError, match="session"):
            Model().check_reply(RESPOND, {"ChallengeName": "SMS_MFA", "Session": session})
    with pytest.raises(AssertionError, match="challengeName"):
        Model().check_reply(RESPOND, {"ChallengeName": "RIDDLE"})
    Model().check_error(RESPOND, "CodeMismatchException")
    with pytest.raises(AssertionError):
        Model().check_error(INITIATE, "CodeMismatchException")


# Clients that this project did not write

ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"}
PEERS = Path(os.environ.get("PAM_COGNITO_PEERS") or TESTS / "peers")


@contextlib.contextmanager
def start(command, home, **environment):
    """A command that does not outlive the test whatever happens."""
    pipes = {name: subprocess.PIPE for name in ("stdin", "stdout", "stderr")}
    environment = {**ENVIRONMENT, "HOME": str(home), **environment}
    with subprocess.Popen(command, text=True, cwd=home, env=environment, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


class JavaScript:
    """amazon-cognito-identity-js, talked to by lines."""

    def __init__(self, process):
        self.process = process

    def tell(self, line):
        """What happens after that line."""
        print(line, file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline() or json.dumps({"event": self.process.stderr.read()}))


@pytest.fixture
def sign_in(s, tmp_path):
    """Begins to sign in with amazon-cognito-identity-js, and tells what happens first."""
    if not (PEERS / "node_modules/amazon-cognito-identity-js").exists():
        pytest.skip("amazon-cognito-identity-js is missing: run `npm ci` in tests/peers, or set PAM_COGNITO_PEERS")
    command = ["node", str(TESTS / "peers/sign-in.mjs"), str(PEERS)]
    with start(command, tmp_path, NODE_EXTRA_CA_CERTS=str(s.ca_file), TZ="Asia/Tokyo") as process:
        client = JavaScript(process)

        def begin(**more):
            given = {"username": "alice", "password": PASSWORD, "flow": "USER_SRP_AUTH", **s.config(), **more}
            return client.tell(json.dumps(given)), client.tell

        yield begin


def test_javascript_signs_in_with_srp(s, sign_in):
    event, _ = sign_in()
    assert event["event"] == "in" and event["username"] == "alice"
    assert Caller(s).call("GetUser", AccessToken=event["access"])["Username"] == "alice"
    assert s.journal.operations()[:2] == [INITIATE, RESPOND]
    assert s.journal.requests(INITIATE)[0].body["AuthFlow"] == "USER_SRP_AUTH"


def test_javascript_signs_in_with_an_alias_and_a_word_that_is_not_ascii(s, alice, sign_in):
    s.pool.aliases, alice.attributes["email_verified"] = {"email"}, "true"
    alice.password = "Pässwörd 1 € 🗝"
    event, _ = sign_in(username="alice@example.org", password=alice.password)
    assert event["event"] == "in" and event["username"] == "alice"


@pytest.mark.parametrize("salt", [1, 0x0FF, 0x80 << 120])
def test_javascript_and_salts_of_all_shapes(alice, sign_in, salt):
    alice.salt = salt
    assert sign_in()[0]["event"] == "in"


@pytest.mark.parametrize("flow", ["USER_SRP_AUTH", "USER_PASSWORD_AUTH"])
def test_javascript_with_a_wrong_password(sign_in, flow):
    refused = {"event": "refused", "name": "NotAuthorizedException", "message": WRONG_PASSWORD[1]}
    assert sign_in(password="wrong", flow=flow)[0] == refused


def test_javascript_with_a_message(s, alice, sign_in):
    alice.mfa = ["SMS_MFA"]
    event, tell = sign_in(metadata={"host": "h"})
    assert event["name"] == "SMS_MFA"
    assert event["parameters"]["CODE_DELIVERY_DESTINATION"] == "+*******1234"
    assert s.pool.outbox[-1].client_metadata == {"host": "h"}
    assert tell(s.pool.outbox[-1].code)["event"] == "in"


def test_javascript_with_a_wrong_code(s, alice, sign_in):
    alice.mfa = ["SMS_MFA"]
    _, tell = sign_in()
    assert tell(other_than(s.pool.outbox[-1].code))["name"] == "CodeMismatchException"


def test_javascript_with_an_app(s, alice, sign_in):
    alice.mfa = ["SOFTWARE_TOKEN_MFA"]
    event, tell = sign_in()
    assert event["name"] == "SOFTWARE_TOKEN_MFA"
    assert tell(s.pool.totp("alice"))["event"] == "in"


def test_javascript_chooses(s, alice, sign_in):
    alice.mfa = ["SMS_MFA", "SOFTWARE_TOKEN_MFA"]
    event, tell = sign_in()
    assert event["name"] == "SELECT_MFA_TYPE"
    assert tell("SMS_MFA")["name"] == "SMS_MFA"
    assert tell(s.pool.outbox[-1].code)["event"] == "in"


def test_javascript_sees_that_a_new_password_is_required(alice, sign_in):
    alice.status = "FORCE_CHANGE_PASSWORD"
    event, _ = sign_in()
    assert event["event"] == "new password" and event["required"] == []
    assert event["attributes"]["email_verified"] == "false"


@pytest.fixture
def command(tmp_path):
    return [
        sys.executable, str(TESTS / "standin"), "--directory", str(tmp_path / "s"), "--user", "alice",
        "--password", PASSWORD, "--until-eof",
    ]  # fmt: skip


def aws(config, home, *arguments):
    """Debian's real client, in a home of its own, unchanged."""
    if not shutil.which("aws", path=ENVIRONMENT["PATH"]):
        pytest.skip("awscli is not here: not every release has it")
    found = subprocess.run(
        ["aws", "--endpoint-url", config["endpoint"], "--region", config["region"], "--no-sign-request"]
        + ["--output", "json", "cognito-idp", *arguments, "--client-id", config["client_id"]],
        capture_output=True,
        text=True,
        timeout=60,
        env={**ENVIRONMENT, "HOME": str(home), "AWS_CA_BUNDLE": str(home / "s" / "ca.pem")},
    )
    return json.loads(found.stdout or "{}"), found.stderr


def aws_initiate(config, home):
    parameters = f"USERNAME=alice,PASSWORD={PASSWORD}"
    flow = "USER_PASSWORD_AUTH"
    return aws(config, home, "initiate-auth", "--auth-flow", flow, "--auth-parameters", parameters)


def aws_respond(config, home, posed, name, answer):
    responses = f"USERNAME=alice,{name}={answer}"
    return aws(
        config, home, "respond-to-auth-challenge", "--challenge-name", posed["ChallengeName"],
        "--session", posed["Session"], "--challenge-responses", responses,
    )  # fmt: skip


def test_the_aws_command_line_answers_challenges(command, tmp_path):
    mfa = ["--mfa", "sms", "--phone", "+15555551234", "--mfa", "totp", "--totp-secret", "A" * 32]
    with start(command + mfa, tmp_path) as process:
        config = json.loads(process.stdout.readline())
        posed, _ = aws_initiate(config, tmp_path)
        chosen, error = aws_respond(config, tmp_path, posed, "ANSWER", "SMS_MFA")
        assert error == "" and chosen["ChallengeParameters"]["CODE_DELIVERY_DELIVERY_MEDIUM"] == "SMS"
        mail = (tmp_path / "s" / "outbox" / "0001.txt").read_text()
        code = mail.rpartition("Your authentication code is ")[2].strip()
        _, error = aws_respond(config, tmp_path, chosen, "SMS_MFA_CODE", other_than(code))
        assert "(CodeMismatchException)" in error
        answer, error = aws_respond(config, tmp_path, chosen, "SMS_MFA_CODE", code)
        assert error == "" and is_in(answer)
        process.stdin.close()
        assert process.wait(5) == 0 and process.stderr.read() == ""


def test_the_command_with_one_flow(command, tmp_path):
    with start(command + ["--flow", "USER_SRP_AUTH"], tmp_path) as process:
        config = json.loads(process.stdout.readline())
        _, error = aws_initiate(config, tmp_path)
        assert "USER_PASSWORD_AUTH flow not enabled for this client" in error
        process.stdin.close()


@pytest.mark.parametrize("name, needed", [("sms", "phone"), ("email", "email"), ("totp", "totp-secret")])
def test_the_command_says_what_it_needs(command, tmp_path, name, needed):
    found = subprocess.run(command + ["--mfa", name], capture_output=True, text=True, env=ENVIRONMENT)
    assert found.returncode == 2 and f"--mfa {name} needs --{needed}" in found.stderr


BOTO3 = """
import sys, boto3, botocore, botocore.config
endpoint, client_id, ca, password = sys.argv[1:]
config = botocore.config.Config(signature_version=botocore.UNSIGNED, retries={"total_max_attempts": 1})
idp = boto3.client("cognito-idp", region_name="eu-central-1", endpoint_url=endpoint, verify=ca, config=config)
parameters = {"USERNAME": "alice", "PASSWORD": password}
posed = idp.initiate_auth(ClientId=client_id, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters)
print(posed["ChallengeParameters"]["CODE_DELIVERY_DESTINATION"], flush=True)
answer = {"ClientId": client_id, "ChallengeName": posed["ChallengeName"], "Session": posed["Session"]}
code = lambda text: {"USERNAME": "alice", "EMAIL_OTP_CODE": text}
try:
    idp.respond_to_auth_challenge(ChallengeResponses=code("x"), **answer)
except idp.exceptions.CodeMismatchException as error:
    print(error.response["Error"]["Message"])
right = code(sys.stdin.readline().strip())
print(idp.respond_to_auth_challenge(ChallengeResponses=right, **answer)["AuthenticationResult"]["TokenType"])
try:
    idp.respond_to_auth_challenge(ChallengeResponses=right, **answer)
except idp.exceptions.NotAuthorizedException as error:
    print(error.response["Error"]["Message"])
"""


def test_boto3_answers_challenges(s, alice, tmp_path):
    alice.mfa = ["EMAIL_OTP"]
    arguments = [s.endpoint, s.pool.client_id, str(s.ca_file), PASSWORD]
    with start(["/usr/bin/python3", "-c", BOTO3, *arguments], tmp_path) as process:
        assert process.stdout.readline() == "a***@e***\n"
        output, error = process.communicate(s.pool.outbox[-1].code + "\n", 60)
    words = ["Invalid code or auth state for the user.", "Bearer", INVALID_SESSION[1]]
    assert (output.splitlines(), error) == (words, "")
