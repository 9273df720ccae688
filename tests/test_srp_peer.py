"""SRP between programs of different authors: the client against cognito-srp, the stand-in's server against the vectors
and against the client."""

import base64
import json
import os
import secrets
import shutil
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Iterator

import pytest

TESTS = Path(__file__).resolve().parent
sys.path.insert(0, str(TESTS))

from standin import srp  # noqa: E402

ROUNDS = 500
# About 0.8 % are expected: see peers/srp-rounds.mjs.
MOST_APART = 0.03
STANDIN_ROUNDS = 60
PATIENCE = 120

VECTORS = json.loads((TESTS / "data" / "srp-vectors.json").read_text(encoding="utf-8"))
Vector = dict[str, Any]


@pytest.fixture(scope="module")
def program() -> str:
    """The client's side as a program: tests/peers/srp_client.c."""
    path = os.environ.get("PAM_COGNITO_SRP_CLIENT", "")
    if not path:
        pytest.skip("PAM_COGNITO_SRP_CLIENT not set: run `make installcheck`")
    if not os.access(path, os.X_OK):
        pytest.skip(f"{path} is missing: run `make check`")
    return path


@pytest.fixture(scope="module")
def peers() -> Path:
    """The folder that has node_modules."""
    folder = Path(os.environ.get("PAM_COGNITO_PEERS") or TESTS / "peers")
    if not shutil.which("node"):
        pytest.skip("node is missing")
    if not (folder / "node_modules/cognito-srp").is_dir():
        pytest.skip(f"cognito-srp is missing in {folder}: run `npm ci` in tests/peers, or set PAM_COGNITO_PEERS")
    return folder


class Client:
    """A running srp_client."""

    def __init__(self, program: str) -> None:
        self._process = subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
        )

    def hear(self) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line.endswith("\n"), "srp_client has ended"
        return line[:-1]

    def answer(self, exchange: srp.Exchange, password: str, timestamp: str) -> str:
        assert self._process.stdin
        names = ("SALT", "SRP_B", "SECRET_BLOCK")
        parameters = exchange.parameters()
        kept = exchange.verifier
        lines = [kept.pool_name, kept.user_id, password, *(parameters[name] for name in names), timestamp]
        self._process.stdin.write("".join(f"{line}\n" for line in lines))
        self._process.stdin.flush()
        return self.hear()

    def stop(self) -> int:
        """Its exit status."""
        self._process.communicate(timeout=PATIENCE)
        return self._process.returncode


@pytest.fixture
def client(program: str) -> Iterator[Client]:
    running = Client(program)
    yield running
    assert running.stop() == 0


def test_random_rounds_against_cognito_srp(program: str, peers: Path) -> None:
    seed = secrets.token_hex(8)
    done = subprocess.run(
        ["node", str(TESTS / "peers/srp-rounds.mjs"), program, str(ROUNDS), seed],
        env=os.environ | {"PAM_COGNITO_PEERS": str(peers)},
        capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    print("seed {seed}: {rounds} rounds, {agreed} agreed, {apart} apart".format(**report))
    assert report["wrong"] == []
    assert report["rounds"] == ROUNDS == report["agreed"] + report["apart"]
    assert report["apart"] <= MOST_APART * ROUNDS


def exchange_of(vector: Vector, password: str | None = None) -> srp.Exchange:
    kept = srp.verifier(
        vector["user_pool_id"],
        vector["user_id_for_srp"],
        vector["password"] if password is None else password,
        int(vector["salt_hex"], 16),
    )
    block = base64.b64decode(vector["secret_block_b64"])
    return srp.Exchange(kept, vector["srp_a_hex"], int(vector["server_b_hex"], 16), block)


def responses(exchange: srp.Exchange, signature: str, timestamp: str) -> dict[str, str]:
    return {
        "PASSWORD_CLAIM_SECRET_BLOCK": exchange.parameters()["SECRET_BLOCK"],
        "PASSWORD_CLAIM_SIGNATURE": signature,
        "TIMESTAMP": timestamp,
    }


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["note"])
def test_the_standin_is_as_the_vectors(vector: Vector) -> None:
    exchange = exchange_of(vector)
    assert f"{srp.K:x}" == VECTORS["k_hex"]
    assert f"{exchange.verifier.value:x}" == vector["verifier_hex"]
    assert exchange.parameters()["SRP_B"] == vector["srp_b_hex"]
    assert exchange.key().hex() == vector["key_hex"]
    assert exchange.signature(vector["timestamp"]) == vector["signature_b64"]
    assert exchange.accepts(responses(exchange, vector["signature_b64"], vector["timestamp"]))


@pytest.mark.parametrize("name", ["PASSWORD_CLAIM_SECRET_BLOCK", "PASSWORD_CLAIM_SIGNATURE", "TIMESTAMP"])
def test_the_standin_refuses_another(name: str) -> None:
    first, second = VECTORS["vectors"][:2]
    other = {
        "PASSWORD_CLAIM_SECRET_BLOCK": second["secret_block_b64"],
        "PASSWORD_CLAIM_SIGNATURE": second["signature_b64"],
        "TIMESTAMP": "Tue Jan 2 03:04:06 UTC 2024",
    }
    exchange = exchange_of(first)
    given = responses(exchange, first["signature_b64"], first["timestamp"])
    assert exchange.accepts(given)
    assert not exchange.accepts(given | {name: other[name]})


def test_the_standin_refuses_what_is_signed_at_no_time() -> None:
    exchange = exchange_of(VECTORS["vectors"][0])
    with pytest.raises(ValueError):
        exchange.accepts(responses(exchange, exchange.signature("now"), "now"))


def test_the_standin_refuses_another_password() -> None:
    vector = VECTORS["vectors"][0]
    exchange = exchange_of(vector, password=vector["password"] + " ")
    assert not exchange.accepts(responses(exchange, vector["signature_b64"], vector["timestamp"]))


NO_PUBLIC_KEYS = {
    "empty": "",
    "zero": "0",
    "minus": "-1",
    "plus": "+1",
    "prefix": "0x1",
    "underscore": "1_0",
    "blank": " 1",
    "letter": "g",
    "N": f"{srp.N:x}",
    "2N": f"{2 * srp.N:x}",
    "wide": "1" + 768 * "0",
}


@pytest.mark.parametrize("srp_a", NO_PUBLIC_KEYS.values(), ids=NO_PUBLIC_KEYS.keys())
def test_the_standin_refuses_public_keys_that_are_none(srp_a: str) -> None:
    kept = srp.verifier("r_pool", "user", "password")
    with pytest.raises(ValueError):
        srp.Exchange(kept, srp_a)


@pytest.mark.parametrize(
    "text",
    [
        "Tue Jan 02 03:04:05 UTC 2024",
        "Tue Jan  2 03:04:05 UTC 2024",
        "Wed Jan 2 03:04:05 UTC 2024",
        "Di Jan 2 03:04:05 UTC 2024",
        "Tue Jan 2 3:04:05 UTC 2024",
        "Tue Jan 2 03:04:05 CET 2024",
        "Tue Jan 2 03:04:05 UTC 2024\n",
        "Tue Jan 32 03:04:05 UTC 2024",
        "Tue Feb 30 03:04:05 UTC 2024",
        "2024-01-02T03:04:05Z",
        "",
    ],
)
def test_the_standin_refuses_other_timestamps(text: str) -> None:
    with pytest.raises(ValueError):
        srp.parse_timestamp(text)


def test_the_standin_reads_timestamps() -> None:
    assert srp.parse_timestamp("Tue Jan 2 03:04:05 UTC 2024") == datetime(2024, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


def test_random_rounds_of_client_and_standin(client: Client) -> None:
    """Every round agrees, for both know how Cognito hashes; and none with another password, block or time."""
    timestamp = srp.timestamp_of(datetime(2025, 12, 31, 23, 59, 59, tzinfo=timezone.utc))
    for turn in range(STANDIN_ROUNDS):
        password = secrets.token_urlsafe(1 + turn) + "ä€𝄞"
        kept = srp.verifier(f"r_{secrets.token_hex(4)}", secrets.token_hex(8), password)
        exchange = srp.Exchange(kept, client.hear())
        signature = client.answer(exchange, password, timestamp)
        assert signature == exchange.signature(timestamp), (exchange, password)
        assert exchange.accepts(responses(exchange, signature, timestamp))


def test_the_client_with_the_wrong_password(client: Client) -> None:
    kept = srp.verifier("r_pool", "user", "right")
    exchange = srp.Exchange(kept, client.hear())
    timestamp = "Tue Jan 2 03:04:05 UTC 2024"
    signature = client.answer(exchange, "wrong", timestamp)
    assert not exchange.accepts(responses(exchange, signature, timestamp))


def test_the_client_refuses_a_server_with_no_public_key(client: Client) -> None:
    class Hostile(srp.Exchange):
        b = srp.N

    kept = srp.verifier("r_pool", "user", "password")
    said = client.answer(Hostile(kept, client.hear()), "password", "Tue Jan 2 03:04:05 UTC 2024")
    assert said == "refused: SRP_B is not a public key of 3072 bits"


@pytest.mark.parametrize("locale", ["C", "de_DE.UTF-8"])
def test_the_client_knows_what_time_it_is(program: str, locale: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", locale)
    running = Client(program)
    exchange = srp.Exchange(srp.verifier("r_pool", "user", "password"), running.hear())
    before = datetime.now(timezone.utc).replace(microsecond=0)
    signature, timestamp = running.answer(exchange, "password", "now").split("\t")
    assert running.stop() == 0
    assert before <= srp.parse_timestamp(timestamp) <= datetime.now(timezone.utc)
    assert exchange.accepts(responses(exchange, signature, timestamp))


def test_a_salt_without_its_leading_zeros_is_the_same(client: Client) -> None:
    """The salt is a number: 000f is f, also where it is hashed."""
    kept = srp.verifier("r_pool", "user", "password", salt=0xF)

    class Wide(srp.Exchange):
        def parameters(self) -> dict[str, str]:
            return super().parameters() | {"SALT": "00000f"}

    exchange = Wide(kept, client.hear())
    timestamp = "Tue Jan 2 03:04:05 UTC 2024"
    assert exchange.signature(timestamp) == client.answer(exchange, "password", timestamp)
