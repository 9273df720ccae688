"""Whose token is it? Only a right one leaves the host; and where it may lie."""

import base64
import ctypes
import json
import os
from pathlib import Path
from typing import Callable

import pytest
from harness import words
from harness.hosts import Hosts
from harness.login import Login
from harness.machine import GROUND
from harness.people import OTHER, PASSWORD, USER
from harness.stage import SECOND
from standin import Pool, SigningKey, Standin, Token, User

Write = Callable[[object], Path]
Change = Callable[[Token], None]


def changed(**claims: object) -> Change:
    return lambda token: token.claims.update(claims)


def without(claim: str) -> Change:
    return lambda token: token.claims.pop(claim) and None


def header(**members: object) -> Change:
    return lambda token: token.header.update(members)


def another_signature(token: Token) -> None:
    token.signature = bytes(256)


def another_key(token: Token) -> None:
    """Signed by a key that only claims to be the pool's."""
    stranger = SigningKey()
    stranger.kid = token.key.kid
    token.key = stranger


def no_kid(token: Token) -> None:
    del token.header["kid"]


def doubled(name: str, extra: str) -> Change:
    """The claims with one more member, before or after those that are right."""

    def change(token: Token) -> None:
        right = json.dumps(token.claims)
        member = f'"{name}": {json.dumps(extra)}'
        token.raw_claims = f"{right[:-1]}, {member}}}".encode()

    return change


# each: what is wrong with an otherwise right token
WRONG = {
    "expired": lambda token: token.claims.update(exp=token.claims["iat"] - 1),
    "exp-as-text": lambda token: token.claims.update(exp=str(token.claims["exp"])),
    "no-exp": without("exp"),
    "other-issuer": changed(iss="https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Stranger1"),
    "longer-issuer": lambda token: token.claims.update(iss=token.claims["iss"] + "x"),
    "no-issuer": without("iss"),
    "other-client": changed(client_id="another0client0of0the0pool"),
    "no-client": without("client_id"),
    "client-as-audience": lambda token: token.claims.update(aud=token.claims.pop("client_id")),
    "other-user": changed(username=OTHER),
    "no-user": without("username"),
    "user-in-capitals": changed(username=USER.upper()),
    "longer-user": changed(username=f"{USER}x"),
    "user-with-nul": changed(username=f"{USER}\0x"),
    "user-as-list": changed(username=[USER]),
    "other-use": changed(token_use="id"),
    "no-use": without("token_use"),
    "other-scope": changed(scope="openid email"),
    "longer-scope": changed(scope="aws.cognito.signin.user.admin2"),
    "scope-within": changed(scope="xaws.cognito.signin.user.admin"),
    "no-scope": without("scope"),
    "alg-none": header(alg="none"),
    "alg-hs256": header(alg="HS256"),
    "alg-rs512": header(alg="RS512"),
    "no-alg": lambda token: token.header.pop("alg") and None,
    "no-kid": no_kid,
    "other-kid": header(kid="AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
    "other-signature": another_signature,
    "no-signature": lambda token: setattr(token, "signature", b""),
    "other-key": another_key,
    "double-user": doubled("username", OTHER),
    "same-user-twice": doubled("username", USER),
    "escaped-double": lambda token: doubled("XX", OTHER)(token)
    or setattr(token, "raw_claims", token.raw_claims.replace(b'"XX"', rb'"usern\u0061me"')),
    "claims-are-a-list": lambda token: setattr(token, "raw_claims", b"[]"),
    "claims-are-no-json": lambda token: setattr(token, "raw_claims", b"{"),
}


def refused(login: Login, standin: Standin, path: Path) -> None:
    """The token ends the login, and never leaves the host."""
    result = login(stack=SECOND, token=f"file:{path}")
    assert result.code == "PAM_AUTH_ERR"
    assert standin.journal.operations() in ([], ["jwks"])
    assert result.results == ["token-refused"]


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_token(login: Login, standin: Standin, user: User, token_file: Write, wrong: str) -> None:
    token = standin.pool.access_token(USER)
    WRONG[wrong](token)
    refused(login, standin, token_file(token))


def test_token_of_another_pool(login: Login, standin: Standin, other_pool: Pool, token_file: Write) -> None:
    """The regional endpoint would take it."""
    refused(login, standin, token_file(other_pool.access_token(USER)))


def test_token_of_another_pool_that_poses(login: Login, standin: Standin, other_pool: Pool, token_file: Write) -> None:
    """All its claims are right; its signature is the other pool's."""
    token = other_pool.access_token(USER)
    token.claims |= {"iss": standin.pool.issuer, "client_id": standin.pool.client_id}
    refused(login, standin, token_file(token))


def test_token_of_another_client(login: Login, standin: Standin, token_file: Write) -> None:
    client = standin.pool.add_client()
    refused(login, standin, token_file(standin.pool.access_token(USER, client.id)))


def test_token_of_another_user(login: Login, standin: Standin, token_file: Write) -> None:
    standin.pool.add_user(OTHER, PASSWORD, email="bob@example.com")
    refused(login, standin, token_file(standin.pool.access_token(OTHER)))


def test_id_token(login: Login, standin: Standin, token_file: Write) -> None:
    refused(login, standin, token_file(standin.pool.id_token(USER)))


def test_token_after_key_rotation(login: Login, standin: Standin, token_file: Write) -> None:
    path = token_file(standin.pool.access_token(USER))
    standin.pool.rotate_keys()
    refused(login, standin, path)


@pytest.mark.parametrize(
    "text",
    ["x", "a.b", "a.b.c", "..", "....", "e30.e30.", "Bearer " + "x" * 100, "\N{SNOWMAN}.x.y"],
)
def test_no_token_at_all(login: Login, standin: Standin, token_file: Write, text: str) -> None:
    refused(login, standin, token_file(text))


def test_token_with_padding(login: Login, standin: Standin, token_file: Write) -> None:
    """RFC 7515 has none; two texts of one token would be two tokens."""
    head, claims, signature = str(standin.pool.access_token(USER)).split(".")
    refused(login, standin, token_file(f"{head}.{claims}.{signature}=="))


@pytest.mark.valgrind
def test_largest_token(login: Login, standin: Standin, token_file: Write, code: Callable[[], str]) -> None:
    """Members of many groups have long ones; beyond 60 KiB no frame can hold them."""
    token = standin.pool.access_token(USER)
    token.claims["cognito:groups"] = ["g" * 100] * 350
    assert 45_000 < len(str(token)) < 60 * 1024
    assert login([(words.ASKED, code)], stack=SECOND, token=f"file:{token_file(token)}").let_in
    token.claims["cognito:groups"] = ["g" * 100] * 460
    assert 60 * 1024 < len(str(token)) < 64 * 1024
    standin.journal.clear()
    refused(login, standin, token_file(token))


def test_signed_in_with_a_stranger_s_token(login: Login, standin: Standin, other_pool: Pool) -> None:
    """What sign-in answers is checked like any other token."""
    from standin import faults

    token = str(other_pool.access_token(USER))
    answer = {"AuthenticationResult": {"AccessToken": token, "ExpiresIn": 3600, "TokenType": "Bearer"}}
    standin.faults.add("InitiateAuth", faults.altered(lambda _: answer))
    result = login([(words.PASSWORD, PASSWORD)])
    assert result.code == "PAM_AUTH_ERR"
    assert standin.journal.operations() == ["jwks", "InitiateAuth"]


def test_revoked_token(login: Login, standin: Standin, token_file: Write) -> None:
    """It verifies; only the server knows."""
    token = standin.pool.access_token(USER)
    standin.pool.revoke(token)
    result = login(stack=SECOND, token=f"file:{token_file(token)}")
    assert result.code == "PAM_AUTH_ERR"
    assert result.results == ["NotAuthorizedException"]
    assert "session has expired" in result.talk.ending.lower()


# Sources


@pytest.mark.valgrind
def test_absent_file_falls_through(login: Login, standin: Standin, code: Callable[[], str]) -> None:
    sources = f"file:{GROUND}/absent,signin"
    assert login([(words.PASSWORD, PASSWORD), (words.ASKED, code)], token=sources).let_in


@pytest.mark.valgrind
def test_refused_token_ends_the_login(login: Login, standin: Standin, token_file: Write) -> None:
    token = standin.pool.access_token(USER)
    token.claims["exp"] = 1
    result = login(token=f"file:{token_file(token)},signin")
    assert result.code == "PAM_AUTH_ERR"
    assert standin.journal.operations() in ([], ["jwks"])


def test_no_source_has_one(login: Login, standin: Standin) -> None:
    result = login(stack=SECOND, token=f"file:{GROUND}/absent")
    assert not result.let_in
    assert standin.journal.operations() in ([], ["jwks"])


def test_path_is_a_template(login: Login, standin: Standin, token_file: Write, code: Callable[[], str]) -> None:
    path = token_file(standin.pool.access_token(USER)).rename(GROUND / f"{USER}.token")
    assert login([(words.ASKED, code)], stack=SECOND, token=f"file:{GROUND}/%u.token").let_in
    path.unlink()


# A file that is not safe


def readable(path: Path) -> None:
    path.chmod(0o644)


def group_readable(path: Path) -> None:
    path.chmod(0o640)


def owned_by_another(path: Path) -> None:
    os.chown(path, 65534, 0)


def linked_twice(path: Path) -> None:
    os.link(path, path.with_suffix(".link"))


def symlink(path: Path) -> None:
    path.symlink_to(path.rename(path.with_suffix(".real")))


def fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


def directory(path: Path) -> None:
    path.unlink()
    path.mkdir(0o700)


def too_large(path: Path) -> None:
    path.write_text(path.read_text() + "\n" * (64 << 10))


def in_a_writable_folder(path: Path) -> None:
    path.parent.chmod(0o777)


def in_another_s_folder(path: Path) -> None:
    os.chown(path.parent, 65534, 0)


def through_a_symlink(path: Path) -> None:
    folder = path.parent.rename(path.parent.with_suffix(".real"))
    path.parent.symlink_to(folder)


UNSAFE = (
    readable, group_readable, owned_by_another, linked_twice, symlink, fifo, directory, too_large,
    in_a_writable_folder, in_another_s_folder, through_a_symlink,
)  # fmt: skip


@pytest.mark.parametrize("spoil", UNSAFE)
def test_unsafe_file(
    login: Login, standin: Standin, user: User, spoil: Callable[[Path], None], ground: Path
) -> None:
    folder = ground / "tokens"
    folder.mkdir(0o755)
    path = folder / "token"
    path.write_text(str(standin.pool.access_token(USER)))
    path.chmod(0o600)
    spoil(path)
    result = login(stack=SECOND, token=f"file:{path}")
    assert result.code == "PAM_SERVICE_ERR"
    assert standin.journal.operations() in ([], ["jwks"])
    assert str(path) in result.log


@pytest.mark.valgrind
def test_unsafe_file_does_not_fall_through(login: Login, standin: Standin, token_file: Write) -> None:
    path = token_file(standin.pool.access_token(USER))
    readable(path)
    assert login(token=f"file:{path},signin").code == "PAM_SERVICE_ERR"


def test_token_with_a_line_end(login: Login, standin: Standin, token_file: Write, code: Callable[[], str]) -> None:
    """As every editor and `echo` leave it."""
    path = token_file(f"{standin.pool.access_token(USER)}\n")
    assert login([(words.ASKED, code)], stack=SECOND, token=f"file:{path}").let_in


def test_segments_are_what_they_seem(standin: Standin, user: User) -> None:
    """The tokens above are wrong in one thing alone: this one is right, and made the same way."""
    token = standin.pool.access_token(USER)
    claims = base64.urlsafe_b64decode(str(token).split(".")[1] + "==")
    assert json.loads(claims)["username"] == USER


# What the log says of each, and what the user reads


Explained = tuple[Change, str, str, str]
POOL_S_OWN = "pool"
SCOPE = "aws.cognito.signin.user.admin"


def claim(name: str, value: object, expected: str) -> Explained:
    """A claim with this value; the log shows what was expected and, of a text, what was found."""
    return changed(**{name: value}), name, expected, value if isinstance(value, str) else "mistyped"


def absent(name: str, expected: str) -> Explained:
    return without(name), name, expected, "absent"


def of_header(name: str, value: object, expected: str) -> Explained:
    return header(**{name: value}), name, expected, value if isinstance(value, str) else "mistyped"


def no_header(name: str, expected: str) -> Explained:
    return (lambda token: token.header.pop(name) and None), name, expected, "absent"


def below_64_bits() -> tuple[str, str, str]:
    """json-c takes such a number for the least that it holds; since 0.18 it takes none of the claims."""
    if ctypes.CDLL("libjson-c.so.5").json_c_version_num() < 0x001200:
        return "exp", "later", "found="
    return "the claims are not", "base64url", "a JSON object"


def explained(issuer: str, client: str) -> dict[str, Explained]:
    """each: the change, the claim or member that the log names, and both values as they stand there"""
    far = str(10**11)
    return {
        "issuer-other": claim("iss", "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Other", issuer),
        "issuer-longer": claim("iss", f"{issuer}x", issuer),
        "issuer-shorter": claim("iss", issuer[:-1], issuer),
        "issuer-with-slash": claim("iss", f"{issuer}/", issuer),
        "issuer-in-capitals": claim("iss", issuer.upper(), issuer),
        "issuer-by-http": claim("iss", issuer.replace("https", "http"), issuer),
        "issuer-empty": (changed(iss=""), "iss", issuer, "found="),
        "issuer-null": claim("iss", None, issuer),
        "issuer-list": claim("iss", [issuer], issuer),
        "issuer-absent": absent("iss", issuer),
        "issuer-with-nul": (changed(iss=f"{issuer}\0"), "iss", issuer, "found="),
        "client-other": claim("client_id", "1another0client2", client),
        "client-longer": claim("client_id", f"{client}0", client),
        "client-shorter": claim("client_id", client[:-1], client),
        "client-in-capitals": claim("client_id", client.upper(), client),
        "client-number": claim("client_id", 7, client),
        "client-absent": absent("client_id", client),
        "client-list": claim("client_id", [client], client),
        "client-as-aud": (WRONG["client-as-audience"], "client_id", client, "absent"),
        "use-id": claim("token_use", "id", "access"),
        "use-refresh": claim("token_use", "refresh", "access"),
        "use-longer": claim("token_use", "access2", "access"),
        "use-in-capitals": claim("token_use", "ACCESS", "access"),
        "use-true": claim("token_use", True, "access"),
        "use-absent": absent("token_use", "access"),
        "exp-past": (changed(exp=1700000000), "exp", "later", "1700000000"),
        "exp-zero": (changed(exp=0), "exp", "later", "found=0"),
        "exp-negative": (changed(exp=-1), "exp", "later", "-1"),
        "exp-text": (changed(exp=far), "exp", "later", "mistyped"),
        "exp-fraction": (changed(exp=1e11 + 0.5), "exp", "later", "mistyped"),
        "exp-below-64-bits": (changed(exp=-(2**64) - 2**40), *below_64_bits()),
        "exp-list": (changed(exp=[10**11]), "exp", "later", "mistyped"),
        "exp-null": (changed(exp=None), "exp", "later", "mistyped"),
        "exp-true": (changed(exp=True), "exp", "later", "mistyped"),
        "exp-absent": absent("exp", "later"),
        "scope-other": (changed(scope="openid"), "scope", SCOPE, "openid"),
        "scope-longer": claim("scope", f"{SCOPE}2", SCOPE),
        "scope-within": claim("scope", f"x{SCOPE}", SCOPE),
        "scope-by-comma": claim("scope", f"openid,{SCOPE}", SCOPE),
        "scope-in-capitals": claim("scope", SCOPE.upper(), SCOPE),
        "scope-list": claim("scope", [SCOPE], SCOPE),
        "scope-empty": (changed(scope=""), "scope", SCOPE, "found="),
        "scope-absent": absent("scope", SCOPE),
        "user-other": claim("username", OTHER, USER),
        "user-longer": claim("username", f"{USER}x", USER),
        "user-shorter": claim("username", USER[:-1], USER),
        "user-in-capitals": claim("username", USER.upper(), USER),
        "user-empty": (changed(username=""), "username", USER, "found="),
        "user-list": claim("username", [USER], USER),
        "user-null": claim("username", None, USER),
        "user-absent": absent("username", USER),
        "user-with-nul": (changed(username=f"{USER}\0x"), "username", USER, "found="),
        "user-with-line-end": (changed(username=f"{USER}\nresult=confirmed"), "username", USER, "found="),
        "user-with-escape": (changed(username="\x1b[2J"), "username", USER, "found="),
        "user-with-blank": (changed(username=f"{USER} result=confirmed"), "username", USER, "found="),
        "user-with-quote": (changed(username='x" result="confirmed'), "username", USER, "found="),
        "user-without-end": (changed(username="u" * 20_000), "username", USER, "uuuuuuuu"),
        "alg-none": of_header("alg", "none", "RS256"),
        "alg-hs256": of_header("alg", "HS256", "RS256"),
        "alg-rs384": (header(alg="RS384"), "alg", "RS256", "RS384"),
        "alg-small": of_header("alg", "rs256", "RS256"),
        "alg-list": of_header("alg", ["RS256"], "RS256"),
        "alg-absent": no_header("alg", "RS256"),
        "kid-other": of_header("kid", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", POOL_S_OWN),
        "kid-path": of_header("kid", "../../../dev/null", POOL_S_OWN),
        "kid-empty": (header(kid=""), "kid", POOL_S_OWN, "found="),
        "kid-list": of_header("kid", [], POOL_S_OWN),
        "kid-absent": no_header("kid", POOL_S_OWN),
        "crit": (header(crit=["exp"]), "crit", "", "present"),
        "own-key": (own_key, "kid", POOL_S_OWN, "mine"),
        "signature-other": (another_signature, "signature", "", ""),
        "signature-absent": (WRONG["no-signature"], "signature", "", ""),
        "key-other": (another_key, "signature", "", ""),
        "user-twice": (WRONG["double-user"], "claims", "distinct", ""),
        "user-twice-escaped": (WRONG["escaped-double"], "claims", "distinct", ""),
        "claims-list": (WRONG["claims-are-a-list"], "claims", "object", ""),
        "claims-no-json": (WRONG["claims-are-no-json"], "claims", "object", ""),
    }


def own_key(token: Token) -> None:
    """A token that brings the key with which it is signed (RFC 7515, section 4.1.3)."""
    stranger = SigningKey()
    stranger.kid = "mine"
    token.key = stranger
    token.header |= {"kid": "mine", "jwk": stranger.jwk()}


def test_refusals_are_explained_to_the_administrator_alone(
    hosts: Hosts, standin: Standin, token_file: Write, user: User
) -> None:
    """Never a request with the token; a log line of its own that names the claim and both values; one text for all."""
    cases = explained(standin.pool.issuer, standin.pool.client_id)
    assert len(cases) >= 40
    codes, told, requests = {}, {}, {}
    path = GROUND / "token"
    with hosts(stack=SECOND, token=f"file:{path},signin") as host:
        for name, (change, *_) in cases.items():
            token = standin.pool.access_token(USER)
            change(token)
            token_file(token)
            standin.journal.clear()
            host.prompts.clear()
            host.start()
            codes[name] = host.call("authenticate")
            host.end()
            told[name] = tuple(host.prompts)
            requests[name] = standin.journal.operations()
    assert {name: code for name, code in codes.items() if code != "PAM_AUTH_ERR"} == {}
    assert {name: sent for name, sent in requests.items() if sent not in ([], ["jwks"])} == {}
    assert len(set(told.values())) == 1, told
    (texts,) = set(told.values())
    assert [style for style, _ in texts] == [3]  # PAM_ERROR_MSG
    lines = [line.text for line in host.watched.log]
    assert len(lines) == len(cases)
    assert host.watched.results == ["token-refused"] * len(cases)
    for (name, (_, member, expected, found)), line in zip(cases.items(), lines):
        why = line.partition(" why=")[2]
        assert line.isprintable() and line.isascii() and len(line) < 1000, name
        for word in (member, expected[:100], found[:100]):
            assert word in why, (name, line)
