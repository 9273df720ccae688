"""Tests of the stand-in itself: a double that is wrong makes every test with it worthless."""

import base64
import contextlib
import gzip
import hashlib
import hmac
import http.client
import json
import os
import select
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import shutil
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

TESTS = Path(__file__).resolve().parent
sys.path.insert(0, str(TESTS))

from standin import SigningKey, Standin, Token, faults, two_keys  # noqa: E402
from standin.model import Model, matches  # noqa: E402
from standin.tokens import b64url  # noqa: E402

PASSWORD = "Pass word1!"
SEND = "GetUserAttributeVerificationCode"
VERIFY = "VerifyUserAttribute"
TARGET = "AWSCognitoIdentityProviderService."
HEADERS = {"Content-Type": "application/x-amz-json-1.1", "User-Agent": "test"}


class Client:
    """A connection to the stand-in that trusts nothing but its hashed directory."""

    def __init__(self, s: Standin, timeout: float = 5.0) -> None:
        context = ssl.create_default_context(capath=str(s.ca_path))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
        self.http = http.client.HTTPSConnection("127.0.0.1", s.port, context=context, timeout=timeout)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def request(self, method="POST", path="/", body=b"{}", **headers):
        """The raw reply; a header that is None is left out."""
        self.http.putrequest(method, path, skip_accept_encoding=True)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in {**HEADERS, "Content-Length": str(len(body)), **headers}.items():
            if value is not None:
                self.http.putheader(name, value)
        self.http.endheaders(body)
        reply = self.http.getresponse()
        return reply.status, reply.headers, reply.read()

    def post(self, operation, body=b"{}", **headers):
        return self.request(body=body, X_Amz_Target=TARGET + operation, **headers)

    def call(self, operation, **members):
        """The parsed answer of an operation, or (error name, message)."""
        status, headers, body = self.post(operation, json.dumps(members).encode())
        answer = json.loads(body)
        if status == 200:
            return answer
        assert answer["__type"] == headers["x-amzn-errortype"]
        return answer["__type"], answer.get("message", answer.get("Message"))

    def sign_in(self, client_id, flow="USER_PASSWORD_AUTH", **parameters):
        return self.call("InitiateAuth", AuthFlow=flow, ClientId=client_id, AuthParameters=parameters)


def outcome_of(client):
    """What a request in a thread comes to."""
    try:
        return client.post("GetUser")
    except OSError as error:
        return type(error)


@pytest.fixture(scope="session")
def keys():
    return two_keys()


@pytest.fixture
def s(tmp_path, keys):
    with Standin(tmp_path, keys=keys) as standin:
        standin.pool.add_user("alice", PASSWORD, email="alice@example.org", phone_number="+15555551234")
        yield standin


@pytest.fixture
def client(s):
    with Client(s) as connection:
        yield connection


@pytest.fixture
def token(s):
    return str(s.pool.access_token("alice"))


# A login


def test_a_whole_login_over_one_connection(s, client):
    tokens = client.sign_in(s.pool.client_id, USERNAME="alice", PASSWORD=PASSWORD)["AuthenticationResult"]
    assert tokens["TokenType"] == "Bearer" and tokens["ExpiresIn"] == 3600
    access = tokens["AccessToken"]
    sent = client.call(SEND, AccessToken=access, AttributeName="email", ClientMetadata={"host": "h"})
    assert sent == {
        "CodeDeliveryDetails": {
            "AttributeName": "email",
            "DeliveryMedium": "EMAIL",
            "Destination": "a***@e***",
        }
    }
    [message] = s.pool.outbox
    assert (message.user, message.address) == ("alice", "alice@example.org")
    assert message.client_metadata == {"host": "h"}
    assert len(message.code) == 6 and message.code.isdecimal()
    assert client.call(VERIFY, AccessToken=access, AttributeName="email", Code=message.code) == {}
    user = client.call("GetUser", AccessToken=access)
    assert user["Username"] == "alice"
    attributes = {attribute["Name"]: attribute["Value"] for attribute in user["UserAttributes"]}
    assert attributes["email_verified"] == "true" and attributes["phone_number_verified"] == "false"
    assert s.journal.operations() == ["InitiateAuth", SEND, VERIFY, "GetUser"]
    assert len(s.journal.connections) == s.journal.handshakes == 1
    assert {entry.status for entry in s.journal.requests()} == {200}


def test_the_id_token_opens_nothing(s, client):
    tokens = client.sign_in(s.pool.client_id, USERNAME="alice", PASSWORD=PASSWORD)["AuthenticationResult"]
    refused = client.call("GetUser", AccessToken=tokens["IdToken"])
    assert refused == ("NotAuthorizedException", "Invalid Access Token")


# Tokens


def named(change, name):
    """pytest shows a function by its name."""
    change.__name__ = name
    return change


def claim(name, value):
    return named(lambda token: token.claims.__setitem__(name, value), f"{name}={value}")


def without(name):
    return named(lambda token: token.claims.__delitem__(name), f"no {name}")


def header(name, value):
    return named(lambda token: token.header.__setitem__(name, value), f"{name}={value}")


def part(name, value):
    return named(lambda token: setattr(token, name, value), f"other {name}")


def repeated(member):
    """All claims are right, and one comes twice."""

    def change(token):
        token.raw_claims = json.dumps(token.claims).encode()[:-1] + b',"%s":"x"}' % member

    return named(change, f"two {member.decode()}")


SIGNATURE = "Could not verify signature for Access Token"
INVALID = "Invalid Access Token"
EXPIRED = "Access Token has expired"
SCOPES = "Access Token does not have required scopes"
GONE = "User does not exist."

BAD_TOKENS = [
    (header("alg", "none"), SIGNATURE),
    (header("alg", "HS256"), SIGNATURE),
    (header("alg", ["RS256"]), SIGNATURE),
    (header("kid", "unknown"), SIGNATURE),
    (part("signature", b""), SIGNATURE),
    (part("signature", b"\0" * 256), SIGNATURE),
    (part("key", SigningKey()), SIGNATURE),
    (part("raw_header", b"[]"), INVALID),
    (part("raw_claims", b"{"), INVALID),
    (repeated(b"jti"), INVALID),
    (repeated(b"j\\u0074i"), INVALID),
    (claim("exp", float("inf")), INVALID),
    (part("raw_claims", b"[" * 100000), INVALID),
    (claim("iss", "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_000000000"), INVALID),
    (without("iss"), INVALID),
    (claim("token_use", "id"), INVALID),
    (without("token_use"), INVALID),
    (claim("client_id", "unknown"), INVALID),
    (claim("client_id", ["list"]), INVALID),
    (without("client_id"), INVALID),
    (claim("exp", 1), EXPIRED),
    (claim("exp", "9999999999"), EXPIRED),
    (claim("exp", True), EXPIRED),
    (without("exp"), EXPIRED),
    (claim("scope", "openid aws.cognito.signin.user.administrator"), SCOPES),
    (claim("scope", ["aws.cognito.signin.user.admin"]), SCOPES),
    (without("scope"), SCOPES),
    (claim("sub", "unknown"), GONE),
    (without("sub"), GONE),
    (claim("username", "bob"), GONE),
]


def change_with(change, token: Token) -> str:
    change(token)
    return str(token)


@pytest.mark.parametrize("change, message", BAD_TOKENS)
def test_a_token_that_is_not_right_is_refused(s, client, change, message):
    good = s.pool.access_token("alice")
    assert client.call("GetUser", AccessToken=str(good))["Username"] == "alice"
    answer = client.call(SEND, AccessToken=change_with(change, good), AttributeName="email")
    assert answer[1] == message
    assert s.pool.outbox == []


@pytest.mark.parametrize("text", ["x", "a.b", "a.b.c.d", "....", "e30=.e30=.e30="])
def test_what_is_no_token_at_all_is_refused(client, text):
    assert client.call("GetUser", AccessToken=text) == ("NotAuthorizedException", INVALID)


def test_padding_does_not_belong_in_a_token(client, token):
    assert client.call("GetUser", AccessToken=token + "=") == ("NotAuthorizedException", INVALID)


def test_every_operation_checks_the_token(s, client):
    expired = change_with(claim("exp", 1), s.pool.access_token("alice"))
    email = {"AttributeName": "email"}
    for operation, more in (("GetUser", {}), (SEND, email), (VERIFY, {**email, "Code": "1"})):
        assert client.call(operation, AccessToken=expired, **more) == ("NotAuthorizedException", EXPIRED)


def test_a_token_lives_an_hour(s, client, token):
    s.clock.advance(3590)
    assert "Username" in client.call("GetUser", AccessToken=token)
    s.clock.advance(11)
    assert client.call("GetUser", AccessToken=token) == ("NotAuthorizedException", EXPIRED)


def test_a_revoked_token(s, client):
    token = s.pool.access_token("alice")
    s.pool.revoke(token)
    answer = client.call("GetUser", AccessToken=str(token))
    assert answer == ("NotAuthorizedException", "Access Token has been revoked")


def test_the_endpoint_takes_tokens_of_every_pool(s, client):
    other = s.add_pool()
    other.add_user("mallory", PASSWORD)
    token = str(other.access_token("mallory"))
    assert client.call("GetUser", AccessToken=token)["Username"] == "mallory"
    _, _, body = client.request("GET", f"/{other.id}/.well-known/jwks.json", b"")
    assert json.loads(body) == other.jwks() != s.pool.jwks()


def test_a_pool_does_not_take_what_another_pools_key_signed(s, client):
    forged = s.pool.access_token("alice")
    forged.key = s.add_pool().keys[1]
    assert client.call("GetUser", AccessToken=str(forged))[1] == SIGNATURE


def test_rotated_keys_end_the_old_tokens(s, client, token):
    s.pool.rotate_keys()
    assert client.call("GetUser", AccessToken=token)[1] == SIGNATURE
    assert "Username" in client.call("GetUser", AccessToken=str(s.pool.access_token("alice")))


def number(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")


def test_the_key_set_verifies_access_tokens(s, client, token):
    """By way of the published numbers alone, as a client does it."""
    status, headers, body = client.request("GET", s.jwks_url.removeprefix(s.endpoint), b"")
    assert status == 200 and "max-age" in headers["Cache-Control"]
    found = {key["kid"]: key for key in json.loads(body)["keys"]}
    assert len(found) == 2
    signed, _, signature = token.rpartition(".")
    kid = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))["kid"]
    public = rsa.RSAPublicNumbers(number(found[kid]["e"]), number(found[kid]["n"])).public_key()
    raw = base64.urlsafe_b64decode(signature + "==")
    public.verify(raw, signed.encode(), padding.PKCS1v15(), hashes.SHA256())


def test_an_access_token_has_the_documented_claims(s):
    assert set(s.pool.access_token("alice").claims) >= {
        "sub", "iss", "client_id", "origin_jti", "token_use", "scope", "auth_time", "exp", "iat", "jti",
        "username",
    }  # fmt: skip


def test_tokens_can_be_broken_at_will(keys):
    token = Token(keys[0], {"a": 1})
    token.raw_claims = b'{"a":1,"a":2}'
    token.header["alg"] = "none"
    assert str(token).split(".")[1:] == [b64url(b'{"a":1,"a":2}'), ""]
    token.header["alg"] = "HS256"
    signed, _, signature = str(token).rpartition(".")
    expected = hmac.new(keys[0].public_pem(), signed.encode(), hashlib.sha256).digest()
    assert signature == b64url(expected)


# Codes


def send(s, client, token, attribute="email"):
    answer = client.call(SEND, AccessToken=token, AttributeName=attribute)
    assert "CodeDeliveryDetails" in answer
    return s.pool.outbox[-1].code


def verify(client, token, code, attribute="email"):
    answer = client.call(VERIFY, AccessToken=token, AttributeName=attribute, Code=code)
    return answer if answer == {} else answer[0]


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 1000000:06}"


def test_a_wrong_code_leaves_the_right_one_valid(s, client, token):
    code = send(s, client, token)
    assert verify(client, token, other_than(code)) == "CodeMismatchException"
    assert not s.pool.users["alice"].verified("email")
    assert verify(client, token, code) == {}
    assert s.pool.users["alice"].verified("email")


def test_a_code_works_once(s, client, token):
    code = send(s, client, token)
    assert verify(client, token, code) == {}
    assert verify(client, token, code) == "ExpiredCodeException"


def test_a_code_that_was_never_sent(client, token):
    assert verify(client, token, "123456") == "ExpiredCodeException"


def test_a_new_code_replaces_the_old_one(s, client, token):
    old = send(s, client, token)
    while (new := send(s, client, token)) == old:
        pass
    assert verify(client, token, old) == "CodeMismatchException"
    assert verify(client, token, new) == {}


def test_a_code_lives_a_day(s, client):
    code = send(s, client, str(s.pool.access_token("alice")))
    s.clock.advance(86390)
    token = str(s.pool.access_token("alice"))
    assert verify(client, token, other_than(code)) == "CodeMismatchException"
    s.clock.advance(11)
    assert verify(client, token, code) == "ExpiredCodeException"


def test_a_code_is_for_one_attribute(s, client, token):
    code = send(s, client, token, "email")
    assert verify(client, token, code, "phone_number") == "ExpiredCodeException"


def test_a_verified_attribute_gets_a_fresh_code_too(s, client, token):
    s.pool.users["alice"].attributes["email_verified"] = "true"
    assert verify(client, token, send(s, client, token)) == {}


def test_a_phone_number_is_served_by_sms(s, client, token):
    answer = client.call(SEND, AccessToken=token, AttributeName="phone_number")["CodeDeliveryDetails"]
    assert (answer["DeliveryMedium"], answer["Destination"]) == ("SMS", "+*******1234")


def test_delivery_details_can_be_left_out(s, client, token):
    s.pool.delivery_details = False
    assert client.call(SEND, AccessToken=token, AttributeName="email") == {}
    assert len(s.pool.outbox) == 1


@pytest.mark.parametrize("attribute", ["email", "family_name", "sub"])
def test_an_attribute_that_cannot_be_verified(s, client, attribute):
    s.pool.add_user("bob", PASSWORD, family_name="Builder")
    token = str(s.pool.access_token("bob"))
    for operation, more in ((SEND, {}), (VERIFY, {"Code": "1"})):
        answer = client.call(operation, AccessToken=token, AttributeName=attribute, **more)
        assert answer[0] == "InvalidParameterException"


# Quotas


def test_five_sends_an_hour(s, client, token):
    s.pool.add_user("bob", PASSWORD, email="bob@example.org")
    for _ in range(5):
        send(s, client, token)
    refused = client.call(SEND, AccessToken=token, AttributeName="email")
    assert refused == ("LimitExceededException", "Attempt limit exceeded, please try after some time.")
    assert len(s.pool.outbox) == 5
    send(s, client, str(s.pool.access_token("bob")))
    s.clock.advance(3601)
    send(s, client, str(s.pool.access_token("alice")))


def test_fifteen_confirmations_an_hour(s, client, token):
    code = send(s, client, token)
    for _ in range(15):
        assert verify(client, token, other_than(code)) == "CodeMismatchException"
    assert verify(client, token, code) == "LimitExceededException"


def test_quotas_can_be_changed(s, client, token):
    s.pool.quotas[SEND] = None
    for _ in range(7):
        send(s, client, token)
    s.pool.quotas[SEND] = 7
    assert client.call(SEND, AccessToken=token, AttributeName="email")[0] == "LimitExceededException"


# Sign-in


def test_a_wrong_password_and_an_unknown_user_look_the_same(s, client):
    expected = ("NotAuthorizedException", "Incorrect username or password.")
    assert client.sign_in(s.pool.client_id, USERNAME="alice", PASSWORD="wrong") == expected
    assert client.sign_in(s.pool.client_id, USERNAME="nobody", PASSWORD=PASSWORD) == expected
    s.pool.user_existence_errors = True
    unknown = client.sign_in(s.pool.client_id, USERNAME="nobody", PASSWORD=PASSWORD)
    assert unknown == ("UserNotFoundException", GONE)


def test_five_wrong_passwords_lock_out_for_longer_and_longer(s, client):
    def attempt(password):
        answer = client.sign_in(s.pool.client_id, USERNAME="alice", PASSWORD=password)
        return "in" if "AuthenticationResult" in answer else answer[1]

    assert {attempt("wrong") for _ in range(5)} == {"Incorrect username or password."}
    for lockout in (1, 2, 4):
        assert attempt(PASSWORD) == "Password attempts exceeded"
        s.clock.advance(lockout)
        assert attempt("wrong") == "Incorrect username or password."
    s.clock.advance(4)
    assert attempt(PASSWORD) == "Password attempts exceeded"
    s.clock.advance(4)
    assert attempt(PASSWORD) == "in"
    assert attempt("wrong") == "Incorrect username or password."
    assert attempt(PASSWORD) == "in"


def test_a_lockout_has_an_end(s, client):
    s.pool.users["alice"].failures = 100
    client.sign_in(s.pool.client_id, USERNAME="alice", PASSWORD="wrong")
    credentials = {"USERNAME": "alice", "PASSWORD": PASSWORD}
    s.clock.advance(890)
    assert "AuthenticationResult" not in client.sign_in(s.pool.client_id, **credentials)
    s.clock.advance(10)
    assert "AuthenticationResult" in client.sign_in(s.pool.client_id, **credentials)


@pytest.mark.parametrize(
    "name, value, error",
    [
        ("status", "UNCONFIRMED", "UserNotConfirmedException"),
        ("status", "RESET_REQUIRED", "PasswordResetRequiredException"),
        ("enabled", False, "NotAuthorizedException"),
    ],
)
def test_a_user_in_no_state_to_sign_in(s, client, token, name, value, error):
    setattr(s.pool.users["alice"], name, value)
    assert client.sign_in(s.pool.client_id, USERNAME="alice", PASSWORD=PASSWORD)[0] == error
    wrong = client.sign_in(s.pool.client_id, USERNAME="alice", PASSWORD="wrong")
    assert wrong == ("NotAuthorizedException", "Incorrect username or password.")
    assert client.call("GetUser", AccessToken=token)[0] == error


@pytest.mark.parametrize("verified, works", [("true", True), ("false", False)])
def test_an_alias_signs_in_once_it_is_verified(s, client, verified, works):
    s.pool.users["alice"].attributes["email_verified"] = verified
    credentials = {"USERNAME": "alice@example.org", "PASSWORD": PASSWORD}
    assert "AuthenticationResult" not in client.sign_in(s.pool.client_id, **credentials)
    s.pool.aliases = {"email"}
    assert ("AuthenticationResult" in client.sign_in(s.pool.client_id, **credentials)) is works


def test_flows_and_parameters_that_are_not_there(s, client):
    good = {"USERNAME": "alice", "PASSWORD": PASSWORD}
    refused = client.sign_in(s.pool.client_id, flow="CUSTOM_AUTH", **good)
    assert refused == ("InvalidParameterException", "CUSTOM_AUTH flow not enabled for this client")
    for name in good:
        rest = {key: value for key, value in good.items() if key != name}
        refused = client.sign_in(s.pool.client_id, **rest)
        assert refused == ("InvalidParameterException", f"Missing required parameter {name}")
    assert client.sign_in("unknown", **good)[0] == "ResourceNotFoundException"


def test_the_secret_hash(s, client):
    confidential = s.pool.add_client("s3cr3t")
    good = {"USERNAME": "alice", "PASSWORD": PASSWORD}
    digest = hmac.new(b"s3cr3t", b"alice" + confidential.id.encode(), hashlib.sha256).digest()
    right = base64.b64encode(digest).decode()
    result = client.sign_in(confidential.id, SECRET_HASH=right, **good)["AuthenticationResult"]
    claims = json.loads(base64.urlsafe_b64decode(result["AccessToken"].split(".")[1] + "=="))
    assert claims["client_id"] == confidential.id
    for client_id, extra in (
        (confidential.id, {}),
        (confidential.id, {"SECRET_HASH": right[::-1]}),
        (s.pool.client_id, {"SECRET_HASH": right}),
    ):
        assert client.sign_in(client_id, **extra, **good)[0] == "NotAuthorizedException"


# The API model

TYPES = "SerializationException"
VALUES = "InvalidParameterException"

BAD_BODIES = [
    (SEND, b"", TYPES, "not JSON"),
    (SEND, b"{", TYPES, "not JSON"),
    (SEND, b"\xff\xfe", TYPES, "not JSON"),
    (SEND, b'{"AccessToken":"a","AccessToken":"b","AttributeName":"email"}', TYPES, "not JSON"),
    (SEND, b'{"AccessToken":"a","AttributeName":"\\ud800"}', TYPES, "not JSON"),
    (SEND, b"[]", TYPES, "LIST_VALUE"),
    (SEND, b'{"AccessToken":1,"AttributeName":"email"}', TYPES, "INT_VALUE"),
    (SEND, b'{"AccessToken":"a","AttributeName":"email","ClientMetadata":{"a":1}}', TYPES, "INT_VALUE"),
    (SEND, b"{}", VALUES, "2 validation errors detected"),
    (SEND, b'{"AccessToken":"a"}', VALUES, "Value null at 'attributeName' failed"),
    (SEND, b'{"AccessToken":null,"AttributeName":"email"}', VALUES, "at 'accessToken' failed"),
    (SEND, b'{"AccessToken":"a b","AttributeName":"email"}', VALUES, "pattern: [A-Za-z0-9-_=.]+"),
    (SEND, b'{"AccessToken":"a\\n","AttributeName":"email"}', VALUES, "pattern: [A-Za-z0-9-_=.]+"),
    (SEND, b'{"AccessToken":"a","AttributeName":""}', VALUES, "greater than or equal to 1"),
    (SEND, b'{"AccessToken":"a","AttributeName":"%s"}' % (b"x" * 33), VALUES, "less than or equal to 32"),
    (SEND, b'{"AccessToken":"a","AttributeName":"\\u0000"}', VALUES, "regular expression"),
    (VERIFY, b'{"AccessToken":"a","AttributeName":"email","Code":"1 2"}', VALUES, "pattern: [\\S]+"),
    (VERIFY, b'{"AccessToken":"a","AttributeName":"email"}', VALUES, "at 'code' failed"),
    ("InitiateAuth", b'{"AuthFlow":"X","ClientId":"a"}', VALUES, "enum value set: [USER_SRP_AUTH,"),
]


@pytest.mark.parametrize("operation, body, name, text", BAD_BODIES)
def test_a_request_that_the_model_forbids(s, client, operation, body, name, text):
    status, headers, reply = client.post(operation, body)
    answer = json.loads(reply)
    assert (status, headers["x-amzn-errortype"], answer["__type"]) == (400, name, name)
    assert text in answer["Message" if name == TYPES else "message"]
    assert s.pool.outbox == []


def test_members_that_the_model_does_not_know_are_ignored(s, client, token):
    assert "Username" in client.call("GetUser", AccessToken=token, Whatever=[1])


def test_a_complaint_does_not_repeat_what_is_sensitive(client):
    _, message = client.call("GetUser", AccessToken="secret secret")
    assert "secret" not in message
    _, message = client.call(VERIFY, AccessToken="a", AttributeName="email", Code="1 2")
    assert "'1 2'" in message


CLASS = r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+"


@pytest.mark.parametrize(
    "pattern, value, expected",
    [
        (CLASS, "é٣€-ß", True),
        (CLASS, "a b", False),
        (CLASS, "a\n", False),
        (CLASS, "\u200b", False),
        (r"[\p{L}\p{M}\p{S}\p{N}\p{P}\t\n\r ]+", "a b\n", True),
        (r"[\p{L}\p{M}\p{S}\p{N}\p{P}\t\n\r ]+", "a\u00a0b", False),
        (r"[\w+]+", "é", False),
        (r"[\w+]+", "a+_9", True),
    ],
)
def test_patterns(pattern, value, expected):
    assert matches(pattern, value) is expected


@pytest.mark.parametrize(
    "operation, payload",
    [
        ("GetUser", {"Username": "alice"}),
        ("GetUser", {"Username": "alice", "UserAttributes": [{"Value": "1"}]}),
        (SEND, {"CodeDeliveryDetails": {"DeliveryMedium": "PIGEON"}}),
        (SEND, {"CodeDeliveryDetails": "text"}),
        (VERIFY, {"Verified": True}),
        ("InitiateAuth", {"AuthenticationResult": {"ExpiresIn": True}}),
        ("InitiateAuth", {"AuthenticationResult": {"ExpiresIn": "3600"}}),
    ],
)
def test_the_model_watches_over_replies(operation, payload):
    with pytest.raises(AssertionError):
        Model().check_reply(operation, payload)


def test_the_model_watches_over_errors():
    Model().check_error(VERIFY, "CodeMismatchException")
    with pytest.raises(AssertionError):
        Model().check_error(SEND, "CodeMismatchException")


def test_a_mistake_of_the_stand_in_cannot_hide(tmp_path, keys):
    s = Standin(tmp_path, keys=keys)
    s.start()
    s.pool.add_user("alice", PASSWORD).username = ""
    token = s.pool.access_token("alice")
    token.claims["username"] = ""
    with Client(s) as client:
        assert client.call("GetUser", AccessToken=str(token))[0] == "InternalErrorException"
    with pytest.raises(AssertionError, match="username"):
        s.stop()


# HTTP


def test_every_reply_has_a_request_id(s, client, token):
    _, good, _ = client.post("GetUser", json.dumps({"AccessToken": token}).encode())
    _, bad, _ = client.post("GetUser")
    found = [headers["x-amzn-RequestId"] for headers in (good, bad)]
    assert found == [entry.request_id for entry in s.journal.requests()]
    assert len(set(found)) == 2 and all(len(one) == 36 for one in found)


@pytest.mark.parametrize("method, path", [("POST", "/"), ("GET", "/pool/.well-known/jwks.json")])
def test_without_a_user_agent_it_blocks(s, client, method, path):
    status, _, _ = client.request(method, path, X_Amz_Target=TARGET + "GetUser", User_Agent=None)
    assert status == 403


@pytest.mark.parametrize(
    "method, path, headers",
    [
        ("POST", "/", {"X_Amz_Target": TARGET + "DeletePool"}),
        ("POST", "/", {"X_Amz_Target": "Other.GetUser"}),
        ("POST", "/", {"X_Amz_Target": TARGET + "GetUser", "Content_Type": "application/json"}),
        ("POST", "/", {}),
        ("POST", "/x", {"X_Amz_Target": TARGET + "GetUser"}),
        ("GET", "/", {"X_Amz_Target": TARGET + "GetUser"}),
    ],
)
def test_what_is_no_operation(client, method, path, headers):
    status, reply_headers, body = client.request(method, path, **headers)
    assert (status, reply_headers["x-amzn-errortype"]) == (404, "UnknownOperationException")
    assert json.loads(body)["Output"]["__type"].endswith("#UnknownOperationException")


def test_a_key_set_of_no_pool(client):
    status, headers, _ = client.request("GET", "/eu-central-1_0/.well-known/jwks.json", b"")
    assert (status, headers["x-amzn-errortype"]) == (400, "ResourceNotFoundException")


def test_a_request_too_large(client):
    status, _, _ = client.post("GetUser", b" " * ((1 << 20) + 1))
    assert status == 413


def test_a_request_cut_short_counts_as_none(s, client):
    client.http.connect()
    client.http.sock.sendall(b"POST / HTTP/1.1\r\nUser-Agent: x\r\nContent-Length: 10\r\n\r\n123")
    client.http.close()
    client.post("GetUser")
    assert s.journal.operations() == ["GetUser"]


def test_each_connection_counts(s):
    for _ in range(3):
        with Client(s) as client:
            client.post("GetUser")
    assert [entry.connection for entry in s.journal.requests()] == [1, 2, 3]
    assert s.journal.handshakes == 3


def test_connections_are_served_side_by_side(s, client):
    s.faults.add("GetUser", faults.delay(5))
    with Client(s) as slow:
        threading.Thread(target=outcome_of, args=(slow,), daemon=True).start()
        s.journal.wait_for("GetUser", answered=True)
        start = time.monotonic()
        client.post(VERIFY)
        assert time.monotonic() - start < 4


def test_the_journal_has_what_was_sent(s, client):
    client.call(VERIFY, AccessToken="a", AttributeName="email", Code="000000")
    [entry] = s.journal.requests(VERIFY)
    assert entry.body == {"AccessToken": "a", "AttributeName": "email", "Code": "000000"}
    assert entry.headers["x-amz-target"] == TARGET + VERIFY
    assert (entry.number, entry.status) == (1, 400)
    s.journal.clear()
    assert s.journal.requests() == []


def test_waiting_ends_with_the_event_or_the_time(s, client):
    client.post("GetUser")
    with pytest.raises(TimeoutError, match=VERIFY):
        s.journal.wait_for(VERIFY, timeout=0.05)
    threading.Timer(0.1, client.post, [VERIFY]).start()
    assert s.journal.wait_for(VERIFY, timeout=5, answered=True).status == 400
    assert s.journal.wait_for_connection().number == 1
    with pytest.raises(TimeoutError):
        s.journal.wait_for(VERIFY, count=2, timeout=0.05)


# Faults


@pytest.mark.parametrize("where", faults.PLACES)
def test_an_error_with_its_type_in_any_place(s, client, token, where):
    s.faults.add(SEND, faults.error("TooManyRequestsException", "slow \x1b[31m down", where))
    body = json.dumps({"AccessToken": token, "AttributeName": "email"}).encode()
    status, headers, reply = client.post(SEND, body)
    in_body, in_header = faults.PLACES[where]
    name = "TooManyRequestsException"
    assert status == 400
    assert json.loads(reply).get("__type") == (in_body and in_body.format(name))
    assert headers["x-amzn-errortype"] == (in_header and in_header.format(name))
    assert json.loads(reply)["message"] == "slow \x1b[31m down"
    assert s.pool.outbox == []


def test_faults_come_in_order_and_end(s, client):
    s.faults.add("GetUser", faults.error("Throttling"), times=2)
    s.faults.add("GetUser", faults.error("ServiceUnavailable"))
    s.faults.add(VERIFY, faults.error("SlowDown"), times=None)
    statuses = [client.post("GetUser")[1]["x-amzn-errortype"] for _ in range(4)]
    assert statuses == ["Throttling", "Throttling", "ServiceUnavailable", VALUES]
    assert {client.call(VERIFY)[0] for _ in range(3)} == {"SlowDown"}
    s.faults.clear()
    assert client.call(VERIFY)[0] == VALUES


def test_a_fault_that_cannot_be(s):
    for target, fault in (
        ("Whatever", faults.delay(1)),
        ("connect", faults.garbage()),
        ("GetUser", faults.hang()),
    ):
        with pytest.raises(ValueError):
            s.faults.add(target, fault)


def get_user(client, token):
    return client.post("GetUser", json.dumps({"AccessToken": token}).encode())


def test_statuses_and_bodies(s, client, token):
    cases = [
        (faults.status(405), 405, b""),
        (faults.raw(b"<html>", 502, (("Content-Type", "text/html"),)), 502, b"<html>"),
        (faults.garbage(), 200, b'{"\x00\xff\xfe'),
        (faults.error("InternalErrorException", status=503), 503, None),
    ]
    for fault, status, body in cases:
        s.faults.add("GetUser", fault)
        reply = get_user(client, token)
        assert reply[0] == status and body in (None, reply[2])
    s.faults.add("GetUser", faults.huge(300000))
    assert len(get_user(client, token)[2]) == 300000
    s.faults.add("GetUser", faults.redirect("http://127.0.0.1:9/"))
    status, headers, _ = get_user(client, token)
    assert (status, headers["Location"]) == (307, "http://127.0.0.1:9/")
    assert len(s.journal.connections) == 1


def test_a_compressed_reply(s, client, token):
    s.faults.add("GetUser", faults.gzipped())
    _, headers, body = get_user(client, token)
    assert headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(body))["Username"] == "alice"


@pytest.mark.parametrize("layers", [1, 2])
def test_a_bomb(s, client, layers):
    s.faults.add("GetUser", faults.bomb(1 << 21, layers))
    _, headers, body = client.post("GetUser")
    assert headers["Content-Encoding"] == ", ".join(["gzip"] * layers)
    for _ in range(layers):
        body = gzip.decompress(body)
    assert body == b" " * (1 << 21)


def test_a_giant_body(s, client):
    s.faults.add("GetUser", faults.giant(1 << 20))
    assert client.post("GetUser")[2] == b" " * (1 << 20)


def test_bytes_of_the_tests_own(s, client, token):
    s.faults.add("GetUser", faults.rewritten(lambda reply: reply.replace(b"200 OK", b"299 Well"), stays=True))
    s.faults.add("GetUser", faults.verbatim(b"HTTP/1.1 200 OK\r\n\r\n{}"))
    assert get_user(client, token)[0] == 299
    assert get_user(client, token)[2] == b"{}"
    assert len(s.journal.connections) == 1
    assert [entry.status for entry in s.journal.requests()] == [200, None]


def test_the_last_reply_of_a_connection(s, client, token):
    s.faults.add("GetUser", faults.last_reply())
    assert get_user(client, token)[1]["Connection"] == "close"
    assert get_user(client, token)[0] == 200
    assert len(s.journal.connections) == 2


def test_a_reply_that_stalls(s, token):
    with Client(s, timeout=0.3) as client:
        s.faults.add("GetUser", faults.stall(40))
        with pytest.raises(TimeoutError):
            get_user(client, token)


@pytest.mark.parametrize("notify", [True, False])
def test_an_end_with_and_without_goodbye(s, client, token, notify):
    """close_notify of TLS: without it, anyone may have cut the connection."""
    s.faults.add("GetUser", faults.idle_close(notify=notify))
    assert get_user(client, token)[0] == 200
    client.http.sock.suppress_ragged_eofs = False
    with contextlib.nullcontext() if notify else pytest.raises(ssl.SSLError):
        assert client.http.sock.recv(1) == b""


def test_wrong_types(s, client, token):
    s.faults.add("GetUser", faults.mistyped())
    assert json.loads(get_user(client, token)[2]) == {"Username": 42, "UserAttributes": "text"}
    s.faults.add(VERIFY, faults.mistyped())
    code = send(s, client, token)
    body = {"AccessToken": token, "AttributeName": "email", "Code": code}
    assert json.loads(client.post(VERIFY, json.dumps(body).encode())[2]) == []
    assert s.pool.users["alice"].verified("email")
    s.faults.add("GetUser", faults.altered(lambda answer: {"Username": answer["Username"]}))
    assert json.loads(get_user(client, token)[2]) == {"Username": "alice"}


def test_a_delay_and_an_error_together(s, client):
    s.faults.add("GetUser", faults.delay(0.2) + faults.error("SlowDown"))
    start = time.monotonic()
    assert client.call("GetUser")[0] == "SlowDown"
    assert time.monotonic() - start >= 0.2


@pytest.mark.parametrize("rst", [False, True])
@pytest.mark.parametrize("after", [0, 1, 200])
def test_a_reply_cut_short(s, client, after, rst):
    s.faults.add("GetUser", faults.cut(after, rst))
    client.http.request("POST", "/", b"{}", {**HEADERS, "X-Amz-Target": TARGET + "GetUser"})
    ending = select.poll()
    ending.register(client.http.sock, select.POLLRDHUP)
    [(_, events)] = ending.poll(5000)
    assert bool(events & select.POLLERR) is rst
    received = b""
    while not rst and (data := client.http.sock.recv(4096)):
        received += data
    assert len(received) == after or rst


@pytest.mark.parametrize("fault, sent", [(faults.lose(), 1), (faults.drop(), 0)])
def test_a_lost_reply_with_and_without_effect(s, client, token, fault, sent):
    s.faults.add(SEND, fault)
    with pytest.raises(http.client.RemoteDisconnected):
        client.call(SEND, AccessToken=token, AttributeName="email")
    assert len(s.pool.outbox) == sent
    assert s.journal.requests(SEND)[0].status == (200 if sent else None)


def test_a_reply_that_drips(s, client, token):
    s.faults.add("GetUser", faults.drip(0.001))
    start = time.monotonic()
    status, _, body = get_user(client, token)
    assert status == 200 and json.loads(body)["Username"] == "alice"
    assert time.monotonic() - start >= 0.2


def test_endless_replies_end_with_the_client(s, client, token):
    s.faults.add("GetUser", faults.endless_headers())
    with pytest.raises(http.client.HTTPException):
        get_user(client, token)
    client.http.close()
    s.faults.add("GetUser", faults.endless_body())
    client.http.request("POST", "/", b"{}", {**HEADERS, "X-Amz-Target": TARGET + "GetUser"})
    reply = client.http.getresponse()
    assert len(reply.read(1 << 20)) == 1 << 20


def test_a_connection_that_closes_while_idle(s, client, token):
    s.faults.add("GetUser", faults.idle_close())
    status, headers, _ = get_user(client, token)
    assert status == 200 and headers.get("Connection") is None
    client.http.sock.suppress_ragged_eofs = False  # an end without close_notify is an error then
    assert client.http.sock.recv(1) == b""
    client.http.close()
    assert get_user(client, token)[0] == 200
    assert [entry.connection for entry in s.journal.requests()] == [1, 2]


def test_faults_of_the_key_set(s, client):
    s.faults.add("jwks", faults.raw(b'{"keys":[]}'))
    path = s.jwks_url.removeprefix(s.endpoint)
    assert json.loads(client.request("GET", path, b"")[2]) == {"keys": []}
    assert json.loads(client.request("GET", path, b"")[2]) == s.pool.jwks()
    assert s.journal.operations() == ["jwks", "jwks"]


@pytest.mark.parametrize(
    "fault, error, text",
    [
        (faults.certificate("self-signed"), ssl.SSLCertVerificationError, "self.signed certificate"),
        (faults.certificate("expired"), ssl.SSLCertVerificationError, "certificate has expired"),
        (faults.certificate("wrong-host"), ssl.SSLCertVerificationError, "IP address mismatch"),
        (faults.certificate("not-yet-valid"), ssl.SSLCertVerificationError, "not yet valid"),
        (faults.certificate("client's"), ssl.SSLCertVerificationError, "(?i)purpose"),
        (faults.old_tls(), ssl.SSLError, "(?i)protocol.version"),
        (faults.bad_ciphers("aNULL"), ssl.SSLError, "(?i)handshake.failure"),
        (faults.plaintext(), ssl.SSLError, "(?i)wrong.version|record layer failure"),
        (faults.plaintext(b"", over=True), (ssl.SSLError, ConnectionError), ""),
        (faults.dripping_plaintext(b"\x16\x03\x03\xff", 0.2), TimeoutError, "timed out"),
        (faults.hang(), TimeoutError, "timed out"),
        (faults.refuse(), ConnectionResetError, ""),
    ],
)
def test_faults_of_the_connection(s, fault, error, text):
    s.faults.add("connect", fault)
    with pytest.raises(error, match=text), Client(s, timeout=0.5) as client:
        client.post("GetUser")
    assert s.journal.operations() == []
    with Client(s) as client:
        assert client.post("GetUser")[0] == 400


def test_old_tls_is_spoken_to_those_who_ask(s):
    s.faults.add("connect", faults.old_tls())
    context = ssl.create_default_context(capath=str(s.ca_path))
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with socket.create_connection(("127.0.0.1", s.port)) as raw:
        with context.wrap_socket(raw, server_hostname="127.0.0.1") as secured:
            assert secured.version() == "TLSv1.1"
            secured.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert secured.recv(12) == b"HTTP/1.1 403"
    assert s.journal.connections[0].tls == "TLSv1.1"


def test_a_slow_handshake(s, client):
    s.faults.add("connect", faults.delay(0.2))
    start = time.monotonic()
    assert client.post("GetUser")[0] == 400
    assert time.monotonic() - start >= 0.2


def test_the_end_does_not_wait_for_faults(tmp_path, keys):
    before = set(threading.enumerate())
    with Standin(tmp_path, keys=keys) as s:
        s.faults.add("GetUser", faults.delay(60))
        outcome = []
        client = Client(s, 30)
        thread = threading.Thread(target=lambda: outcome.append(outcome_of(client)))
        thread.start()
        s.journal.wait_for("GetUser", answered=True)
        start = time.monotonic()
    thread.join(5)
    assert outcome == [http.client.RemoteDisconnected]
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
    assert time.monotonic() - start < 5


def test_the_end_closes_idle_connections(tmp_path, keys):
    with Standin(tmp_path, keys=keys) as s:
        client = Client(s)
        client.post("GetUser")
    with client, pytest.raises(ssl.SSLError):  # as when the plug is pulled
        client.http.sock.recv(1)


# Certificates and addresses


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_the_certificate_is_for_the_loopback(s, host):
    context = ssl.create_default_context(capath=str(s.ca_path))
    with socket.create_connection(("127.0.0.1", s.port)) as raw:
        with context.wrap_socket(raw, server_hostname=host) as secured:
            assert secured.version() == "TLSv1.3"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "", "host.invalid"])
def test_it_listens_on_the_loopback_alone(tmp_path, keys, host):
    with pytest.raises(ValueError, match="not a loopback address"):
        Standin(tmp_path, host, keys=keys)
    assert list(tmp_path.iterdir()) == []


def test_the_config_is_what_the_modules_need(s):
    assert s.config() == {
        "region": "eu-central-1",
        "user_pool_id": s.pool.id,
        "client_id": s.pool.client_id,
        "endpoint": f"https://127.0.0.1:{s.port}",
        "issuer": f"https://cognito-idp.eu-central-1.amazonaws.com/{s.pool.id}",
        "ca_path": str(s.ca_path),
    }
    assert s.pool.id.startswith("eu-central-1_")


# The command line

ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"}


@pytest.fixture
def command(tmp_path):
    (tmp_path / "password").write_text(PASSWORD + "\n")
    return [
        sys.executable, str(TESTS / "standin"), "--directory", str(tmp_path / "s"), "--user", "alice",
        "--password-file", str(tmp_path / "password"), "--email", "alice@example.org", "--until-eof",
    ]  # fmt: skip


@contextlib.contextmanager
def start(command, home):
    """The command, which does not outlive the test whatever happens."""
    pipes = {name: subprocess.PIPE for name in ("stdin", "stdout", "stderr")}
    with subprocess.Popen(command, text=True, cwd=home, env=ENVIRONMENT, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


def aws(config, home, *arguments):
    """Debian's real client, in a home of its own, unchanged."""
    if not shutil.which("aws", path=ENVIRONMENT["PATH"]):
        pytest.skip("awscli is not here: not every release has it")
    found = subprocess.run(
        ["aws", "--endpoint-url", config["endpoint"], "--region", config["region"], "--no-sign-request"]
        + ["--output", "json", "cognito-idp", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**ENVIRONMENT, "HOME": str(home), "AWS_CA_BUNDLE": str(home / "s" / "ca.pem")},
    )
    return json.loads(found.stdout or "{}"), found.stderr


def test_the_aws_command_line_works_unchanged(command, tmp_path):
    with start(command, tmp_path) as process:
        config = json.loads(process.stdout.readline())
        answer, error = aws(
            config, tmp_path, "initiate-auth", "--auth-flow", "USER_PASSWORD_AUTH", "--client-id",
            config["client_id"], "--auth-parameters", f"USERNAME=alice,PASSWORD={PASSWORD}",
        )  # fmt: skip
        assert error == ""
        use = ["--access-token", answer["AuthenticationResult"]["AccessToken"]]
        email = use + ["--attribute-name", "email"]
        answer, _ = aws(
            config, tmp_path, "get-user-attribute-verification-code", *email, "--client-metadata", "host=h"
        )
        assert answer["CodeDeliveryDetails"]["Destination"] == "a***@e***"
        mail = (tmp_path / "s" / "outbox" / "0001.txt").read_text()
        assert "To: alice@example.org" in mail and 'X-Client-Metadata: {"host": "h"}' in mail
        code = mail.rpartition("Your verification code is ")[2].strip()
        _, error = aws(config, tmp_path, "verify-user-attribute", *email, "--code", other_than(code))
        assert "(CodeMismatchException)" in error
        assert aws(config, tmp_path, "verify-user-attribute", *email, "--code", code) == ({}, "")
        answer, _ = aws(config, tmp_path, "get-user", *use)
        assert {"Name": "email_verified", "Value": "true"} in answer["UserAttributes"]
        process.stdin.close()
        assert process.wait(5) == 0
        assert process.stderr.read() == ""
    lines = (tmp_path / "s" / "journal.jsonl").read_text().splitlines()
    seen = [(entry["operation"], entry["status"]) for entry in map(json.loads, lines)]
    assert seen == [("InitiateAuth", 200), (SEND, 200), (VERIFY, 400), (VERIFY, 200), ("GetUser", 200)]


BOTO3 = """
import sys, boto3, botocore, botocore.config
endpoint, client_id, ca, password = sys.argv[1:]
config = botocore.config.Config(signature_version=botocore.UNSIGNED, retries={"total_max_attempts": 1})
idp = boto3.client("cognito-idp", region_name="eu-central-1", endpoint_url=endpoint, verify=ca, config=config)
parameters = {"USERNAME": "alice", "PASSWORD": password}
tokens = idp.initiate_auth(ClientId=client_id, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters)
use = {"AccessToken": tokens["AuthenticationResult"]["AccessToken"], "AttributeName": "email"}
print(idp.get_user_attribute_verification_code(**use)["CodeDeliveryDetails"]["DeliveryMedium"], flush=True)
code = sys.stdin.readline().strip()
try:
    idp.verify_user_attribute(Code="x", **use)
except idp.exceptions.CodeMismatchException as error:
    print(error.response["ResponseMetadata"]["RequestId"])
print(idp.verify_user_attribute(Code=code, **use)["ResponseMetadata"]["HTTPStatusCode"])
print(idp.get_user(AccessToken=use["AccessToken"])["Username"])
try:
    idp.set_user_mfa_preference(AccessToken=use["AccessToken"])
except botocore.exceptions.ClientError as error:
    print(error.response["ResponseMetadata"]["HTTPStatusCode"])
"""


def test_boto3_works_unchanged(s, tmp_path):
    arguments = [s.endpoint, s.pool.client_id, str(s.ca_file), PASSWORD]
    with start(["/usr/bin/python3", "-c", BOTO3, *arguments], tmp_path) as process:
        assert process.stdout.readline() == "EMAIL\n"
        output, error = process.communicate(s.pool.outbox[-1].code + "\n", 60)
    request_id = s.journal.requests(VERIFY)[0].request_id
    assert (output.split(), error) == ([request_id, "200", "alice", "404"], "")
    assert len(s.journal.connections) == 1


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_signal_ends_the_command(command, tmp_path, name):
    with start(command, tmp_path) as process:
        process.stdout.readline()
        process.send_signal(getattr(signal, name))
        assert process.wait(5) == 0
        assert process.stderr.read() == ""


def test_the_command_refuses_other_addresses(command, tmp_path):
    found = subprocess.run(command + ["--host", "0.0.0.0"], capture_output=True, text=True, env=ENVIRONMENT)
    assert found.returncode == 2 and found.stdout == ""
    assert found.stderr.count("\n") == 1 and "not a loopback address" in found.stderr
    assert not (tmp_path / "s").exists()


def test_the_command_with_a_secret(command, tmp_path):
    with start(command + ["--client-secret", "s3cr3t"], tmp_path) as process:
        config = json.loads(process.stdout.readline())
        _, error = aws(
            config, tmp_path, "initiate-auth", "--auth-flow", "USER_PASSWORD_AUTH", "--client-id",
            config["client_id"], "--auth-parameters", f"USERNAME=alice,PASSWORD={PASSWORD}",
        )  # fmt: skip
        assert "SECRET_HASH was not received" in error
        process.stdin.close()


def test_private_files_are_private(command, tmp_path):
    with start(command, tmp_path) as process:
        process.stdout.readline()
        for path in (tmp_path / "s" / "journal.jsonl", tmp_path / "s" / "tls" / "good.pem"):
            assert os.stat(path).st_mode & 0o077 == 0
        process.stdin.close()
