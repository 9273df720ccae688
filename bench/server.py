"""The servers that all peers ask: nginx, with one worker, TLS 1.3 and answers that are known before the questions.

It looks at nothing but the operation's name, so what a login waits for is its own client and the network. A region of AWS
stands for each way to sign in, so that the answers need not depend on a request's body.
"""

import base64
import json
import os
import secrets
import socket
import subprocess
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from harness.people import USER
from standin.pool import SIGN_IN_SCOPE
from standin.srp import Exchange, verifier
from standin.tokens import SigningKey, Token, b64url

from .bson import document

TARGET = "AWSCognitoIdentityProviderService"
DUO = "api-bench.duosecurity.com"

# nginx reads no longer word in its configuration.
WORD_MOST = 4000

CERTIFICATES = Path("/etc/ssl/certs")
BUNDLE = CERTIFICATES / "ca-certificates.crt"

CONFIG = """
daemon off;
worker_processes 1;
error_log {folder}/error.log;
pid {folder}/nginx.pid;
events {{ worker_connections 1024; }}
http {{
    log_format journal '$connection $ssl_protocol $ssl_session_reused $uri "$http_x_amz_target" $status';
    access_log {folder}/journal journal;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    map_hash_bucket_size 512;
    keepalive_timeout 75s;
{variables}
    map "$host $http_x_amz_target" $answer {{
        default "";
{answers}
    }}
    server {{
        listen 443 ssl backlog=1024;
        ssl_certificate {folder}/chain.pem;
        ssl_certificate_key {folder}/key.pem;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_session_cache off;
        default_type application/x-amz-json-1.1;
        add_header x-amzn-RequestId $request_id;
        location = / {{
            if ($answer = "") {{ return 400 '{{"__type":"UnknownOperationException"}}'; }}
            return 200 $answer;
        }}
{keys}
        location /rest/v1/ {{
            default_type application/bson;
            root {folder};
            error_page 405 =200 $uri;
        }}
    }}
    server {{
        listen unix:{folder}/socket;
        access_log off;
        location / {{ stub_status; }}
    }}
}}
"""


KEYS = """        location = /{pool}/.well-known/jwks.json {{
            default_type application/json;
            return 200 '{keys}';
        }}"""


@dataclass(frozen=True)
class Request:
    """One line of the journal."""

    connection: int
    tls: str
    resumed: bool
    name: str
    status: int


class Pool:
    """A user pool in a region of its own. `flow` is how one signs in there."""

    def __init__(self, region: str, flow: str) -> None:
        self.region, self.flow = region, flow
        self.id = f"{region}_Bench{flow.title()[:4]}"
        self.client_id = secrets.token_hex(13)
        self.host = f"cognito-idp.{region}.amazonaws.com"
        self.issuer = f"https://{self.host}/{self.id}"
        self.keys = [SigningKey(), SigningKey()]
        self.token = str(Token(self.keys[0], self._claims()))

    def _claims(self) -> dict[str, object]:
        now = int(time.time())
        return {
            "sub": str(uuid.uuid4()), "iss": self.issuer, "client_id": self.client_id, "token_use": "access",
            "scope": SIGN_IN_SCOPE, "auth_time": now, "iat": now, "exp": now + 24 * 3600, "username": USER,
            "origin_jti": str(uuid.uuid4()), "event_id": str(uuid.uuid4()), "jti": str(uuid.uuid4()),
        }  # fmt: skip

    def jwks(self) -> str:
        return json.dumps({"keys": [key.jwk() for key in self.keys]})

    def answers(self) -> dict[str, str]:
        """Of each operation, the variable or the text that answers it."""
        tokens = {
            "AccessToken": self.token, "ExpiresIn": 3600, "IdToken": f"${self.flow}_id_token",
            "RefreshToken": f"${self.flow}_refresh_token", "TokenType": "Bearer",
        }  # fmt: skip
        signed_in = {"ChallengeParameters": {}, "AuthenticationResult": tokens}
        delivery = {"AttributeName": "email", "DeliveryMedium": "EMAIL", "Destination": "a***@e***"}
        attributes = {
            "sub": str(uuid.uuid4()), "email": "alice@example.com", "email_verified": "false",
            "phone_number": "+49301234567", "phone_number_verified": "false",
        }  # fmt: skip
        found = {
            "InitiateAuth": signed_in,
            "GetUserAttributeVerificationCode": {"CodeDeliveryDetails": delivery},
            "VerifyUserAttribute": {},
            "GetUser": {"Username": USER, "UserAttributes": [{"Name": name, "Value": attributes[name]} for name in attributes]},
        }
        if self.flow == "srp":
            parameters = {**self._exchange().parameters(), "USERNAME": USER, "SECRET_BLOCK": "$srp_secret_block"}
            found["RespondToAuthChallenge"] = signed_in
            found["InitiateAuth"] = {"ChallengeName": "PASSWORD_VERIFIER", "ChallengeParameters": parameters}
        return {name: json.dumps(answer) for name, answer in found.items()}

    def variables(self) -> dict[str, str]:
        """What is too long to stand in an answer's text beside the rest. The client looks at none of it."""
        return {
            f"{self.flow}_id_token": str(Token(self.keys[1], self._claims())),
            f"{self.flow}_refresh_token": b64url(secrets.token_bytes(1300)),
            f"{self.flow}_secret_block": base64.b64encode(secrets.token_bytes(1024)).decode(),
        }

    def _exchange(self) -> Exchange:
        """Any, for nobody checks the client's proof."""
        return Exchange(verifier(self.id, USER, "not looked at"), "2")


class Server:
    """nginx on the far side of the network, started by `command`."""

    def __init__(self, folder: Path, pools: list[Pool]) -> None:
        self.folder, self.pools = folder, pools
        folder.mkdir(mode=0o755)
        _certify([*(pool.host for pool in pools), DUO], folder)
        _write_duo(folder / "rest/v1")
        (folder / "nginx.conf").write_text(self._config())
        (folder / "journal").touch()
        self._read = 0
        self._connections = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def names(self) -> list[str]:
        return [*(pool.host for pool in self.pools), DUO]

    def _config(self) -> str:
        variables = {name: value for pool in self.pools for name, value in pool.variables().items()}
        answers = {f"{pool.host} {TARGET}.{name}": text for pool in self.pools for name, text in pool.answers().items()}
        assert all(len(text) < WORD_MOST for text in (*variables.values(), *answers.values()))
        return CONFIG.format(
            folder=self.folder,
            variables="\n".join(f'    map "" ${name} {{ default "{value}"; }}' for name, value in variables.items()),
            answers="\n".join(f"        \"{question}\" '{text}';" for question, text in answers.items()),
            keys="\n".join(KEYS.format(pool=pool.id, keys=pool.jwks()) for pool in self.pools),
        )

    def start(self, command: list[str]) -> None:
        """`command` is what puts a program on the far side."""
        self._process = subprocess.Popen([*command, "nginx", "-c", str(self.folder / "nginx.conf")])
        end = time.monotonic() + 10
        while True:
            try:
                self._connections = self._accepted()
                return
            except OSError:
                if time.monotonic() > end or self._process.poll() is not None:
                    raise RuntimeError(f"nginx does not start: see {self.folder}/error.log") from None
                time.sleep(0.01)

    def _accepted(self) -> int:
        """How many connections there have been, this one included. The worker answers when it has dealt with all before."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            client.connect(str(self.folder / "socket"))
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            answer = b""
            while block := client.recv(4096):
                answer += block
        return int(answer.split(b"requests\n", 1)[1].split()[0])

    def take(self) -> tuple[int, list[Request]]:
        """How many connections there were since the last call, used or not, and what was asked."""
        accepted = self._accepted()
        connections = accepted - self._connections - 1
        self._connections = accepted
        with open(self.folder / "journal", encoding="utf-8") as file:
            file.seek(self._read)
            lines = file.read().splitlines()
            self._read = file.tell()
        return connections, [_request(line) for line in lines]

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait()


def _request(line: str) -> Request:
    words = line.split()
    target = words[4].strip('"').rpartition(".")[2]
    name = target if target not in ("", "-") else words[3].rpartition("/")[2].removesuffix(".json").removesuffix(".bson")
    return Request(int(words[0]), words[1], words[2] == "r", name, int(words[5]))


def _openssl(*arguments: str | Path) -> str:
    command = ["openssl", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _certify(names: list[str], folder: Path) -> None:
    """A chain as public authorities give it: RSA of 2048 bits, with one authority between. The root becomes one that all
    of this view of the machine trust, in the folder of hashed certificates and in the bundle."""
    for name in ("root", "between", "server"):
        _openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", folder / f"{name}.key")
    authority = ("-addext", "basicConstraints=critical,CA:true", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    server = ("-addext", "subjectAltName=" + ",".join(f"DNS:{name}" for name in names), "-addext", "extendedKeyUsage=serverAuth")
    issuer: tuple[str | Path, ...] = ()
    for name, extensions in (("root", authority), ("between", authority), ("server", server)):
        subject = ("-subj", f"/O=Bench/CN=bench {name}", "-key", folder / f"{name}.key", "-days", "30")
        _openssl("req", "-x509", "-new", "-sha256", *subject, *extensions, *issuer, "-out", folder / f"{name}.pem")
        issuer = ("-CA", folder / f"{name}.pem", "-CAkey", folder / f"{name}.key")
    (folder / "chain.pem").write_bytes((folder / "server.pem").read_bytes() + (folder / "between.pem").read_bytes())
    os.rename(folder / "server.key", folder / "key.pem")
    root = (folder / "root.pem").read_bytes()
    (CERTIFICATES / (_openssl("x509", "-noout", "-hash", "-in", folder / "root.pem") + ".0")).write_bytes(root)
    with open(BUNDLE, "ab") as bundle:
        bundle.write(root)


def _write_duo(folder: Path) -> None:
    """What Duo's service says to the client of Debian 12: a question for a passcode, and that any is right."""
    folder.mkdir(parents=True)
    asked = {"result": "auth", "prompt": "Passcode: ", "factors": {"default": "push1"}}
    allowed = {"result": "allow", "status": "Success. Logging you in..."}
    for name, response in (("preauth", asked), ("auth", allowed)):
        (folder / f"{name}.bson").write_bytes(document({"stat": "OK", "response": response}))
