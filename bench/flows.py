"""Who logs in, and how: one row for each flow. A new one needs a row in `all_flows` and nothing else.

A flow of PAM modules is a stack, the files that it needs, and what is typed. What is typed comes at once, or after a while: a
person takes longer than TYPING, which is just enough for a connection. Every flow asks the same in the end: a code is sent, and
verified.
"""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from harness.machine import GROUND
from harness.people import LOCAL_PASSWORD, PASSWORD, USER

from .server import BUNDLE, CERTIFICATES, DUO, Pool

CODE = "123456"
TOKEN = GROUND / "token"

# Round trips, and milliseconds beside them.
TYPING = (5, 60)

SEND, VERIFY, JWKS = "GetUserAttributeVerificationCode", "VerifyUserAttribute", "jwks"


@dataclass(frozen=True)
class Typed:
    """An answer, and whether it takes its time."""

    text: str
    slow: bool = False

    def word(self, round_trip: int) -> str:
        """As host.c has it."""
        trips, milliseconds = TYPING
        return f"{trips * round_trip + milliseconds if self.slow else 0}={self.text}"


@dataclass(frozen=True)
class Flow:
    """`kind` is what is compared: "module", "script", "module of others" or "bare client".

    `needs` is what has to be asked of the servers at least; `fresh` is a host on which nobody has logged in before. A bare client
    has a `command` in place of all that is PAM's.
    """

    name: str
    title: str
    kind: str
    stack: str = ""
    typed: tuple[Typed, ...] = (Typed(CODE),)
    files: dict[Path, str] = field(default_factory=dict)
    needs: tuple[str, ...] = (SEND, VERIFY)
    fresh: bool = False
    service: str = "bench"
    command: tuple[str, ...] = ()

    def install(self) -> None:
        """Writes what the next login of this flow finds."""
        for path, text in self.files.items():
            _write(path, text)
        if self.stack:
            _write(Path("/etc/pam.d") / self.service, self.stack)

    def words(self, round_trip: int) -> list[str]:
        """The command line of host.c."""
        if self.command:
            return ["-x", *self.command]
        return [self.service, USER, *(typed.word(round_trip) for typed in self.typed)]


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)


# Our own module

CONFIG = GROUND / "pam_cognito.conf"
MODULE = re.compile(r"\bpam_cognito_(code|confirm|prepare)\.so\b")
SIGN_IN = {"password": ("InitiateAuth", SEND, VERIFY), "srp": ("InitiateAuth", "RespondToAuthChallenge", SEND, VERIFY)}
FIRST_FACTOR = "auth required pam_unix.so nodelay\n"


class Modules:
    """Makes the flows of the modules in `pamdir`. `examples` is where the stacks are that ship."""

    def __init__(self, pamdir: Path, examples: Path) -> None:
        self.pamdir, self.examples = pamdir, examples

    def _stack(self, example: str, first: str = "") -> str:
        text = (self.examples / example).read_text(encoding="utf-8")

        def place(found: "re.Match[str]") -> str:
            return f"{self.pamdir / found[0]}{'' if found[1] == 'confirm' else f' conf={CONFIG}'}"

        return MODULE.sub(place, first + text)

    def flow(
        self,
        name: str,
        title: str,
        pool: Pool,
        *typed: Typed,
        needs: tuple[str, ...] = (SEND, VERIFY),
        example: str = "cognito-login",
        first: str = "",
        fresh: bool = False,
        **config: str,
    ) -> Flow:
        """`first` are the lines before the example's; `config` is what is said beside the pool."""
        plain = {"region": pool.region, "user_pool_id": pool.id, "client_id": pool.client_id, "send_limit": "1000"}
        text = "".join(f"{key} = {value}\n" for key, value in {**plain, **config}.items())
        files = {CONFIG: text, TOKEN: pool.token}
        return Flow(name, title, "module", self._stack(example, first), typed, files, needs, fresh)


def _module_flows(modules: Modules, pools: list[Pool]) -> list[Flow]:
    code = Typed(CODE)
    plain = pools[0]
    there = f"file:{TOKEN}"
    return [
        *(
            modules.flow(
                f"signin-{pool.flow}", f"pam_cognito, signs in with {pool.flow}", pool, Typed(PASSWORD, slow=True), code,
                needs=SIGN_IN[pool.flow], signin_flow=pool.flow,
            )
            for pool in pools
        ),
        modules.flow("token-cold", "pam_cognito, token there, first login on the host", plain, code, fresh=True, token=there),
        modules.flow("token", "pam_cognito, token there", plain, code, token=there),
        modules.flow(
            "token-second", "pam_cognito, token there, after a typed first factor", plain, Typed(LOCAL_PASSWORD, slow=True), code,
            example="cognito-verify", first=FIRST_FACTOR, token=there,
        ),
        modules.flow(
            "token-prepared", "pam_cognito, token there, prepared before a typed first factor", plain, Typed(LOCAL_PASSWORD, slow=True),
            code, example="cognito-verify", first=f"auth optional pam_cognito_prepare.so\n{FIRST_FACTOR}", token=there,
        ),
        modules.flow(
            "choice", "pam_cognito, token there, after a choice of the attribute", plain, Typed("1", slow=True), code,
            needs=("GetUser", SEND, VERIFY), token=there, attribute="email,phone_number",
        ),
    ]  # fmt: skip


# pam_exec with scripts. The first line gets no password: pam_exec asks for one only where PAM has none yet, and so the one
# answer that a login can have is the code. The token is there.

PEERS = Path(__file__).parent / "peers"
SCRIPTS = {"curl": "cognito-curl", "boto3": "cognito-boto3", "awscli": "cognito-awscli"}
TITLES = {"curl": "pam_exec with curl and jq", "boto3": "pam_exec with boto3", "awscli": "pam_exec with the AWS CLI"}

PAM_EXEC = """
auth required pam_exec.so quiet {script} send {region} {token}
auth required pam_exec.so quiet expose_authtok {script} verify {region} {token}
"""


def _script_flows(pool: Pool) -> list[Flow]:
    return [
        Flow(
            name, TITLES[name], "script", PAM_EXEC.format(script=PEERS / SCRIPTS[name], region=pool.region, token=TOKEN),
            files={TOKEN: pool.token},
        )
        for name in SCRIPTS
    ]  # fmt: skip


# Debian's module for another service of the same kind. Under this name it asks for the result once, instead of twice.

DUO_CONFIG = GROUND / "pam_duo.conf"
DUO_KEYS = f"[duo]\nhost = {DUO}\nikey = DIBENCHBENCHBENCHBEN\nskey = {'benchbench' * 4}\nfailmode = secure\n"


def _duo_flow(authority: Path) -> Flow:
    return Flow(
        "duo", "pam_duo", "module of others", f"auth required pam_duo.so conf={DUO_CONFIG}\n",
        files={DUO_CONFIG: f"{DUO_KEYS}cafile = {authority}\n"}, needs=("preauth", "auth"), service="sshd",
    )  # fmt: skip


# Bare clients

BODIES = {
    SEND: {"AttributeName": "email"},
    VERIFY: {"AttributeName": "email", "Code": CODE},
}


def _bare_flows(programs: Path, pool: Pool) -> list[Flow]:
    files = {GROUND / name: json.dumps({"AccessToken": pool.token, **BODIES[name]}) for name in BODIES}
    keys = f"/{pool.id}/.well-known/jwks.json"
    send, verify = (f"{name}={GROUND / name}" for name in BODIES)
    rows = (
        ("openssl", "bare OpenSSL", "client-openssl", CERTIFICATES, (send,)),
        ("libcurl", "bare libcurl, hashed directory", "client-curl", CERTIFICATES, (send,)),
        ("libcurl-keys", "bare libcurl, hashed directory, with the pool's keys", "client-curl", CERTIFICATES, (keys, send)),
        ("libcurl-bundle", "bare libcurl, bundle file", "client-curl", BUNDLE, (send,)),
    )
    return [
        Flow(
            name, title, "bare client", files=files, needs=(*((JWKS,) if keys in before else ()), SEND, VERIFY),
            command=(str(programs / program), str(trust), pool.host, *before, "--", verify),
        )
        for name, title, program, trust, before in rows
    ]  # fmt: skip


def all_flows(pamdir: Path, examples: Path, programs: Path, pools: list[Pool], authority: Path) -> list[Flow]:
    plain = pools[0]
    return [
        *_module_flows(Modules(pamdir, examples), pools),
        *_bare_flows(programs, plain),
        _duo_flow(authority),
        *_script_flows(plain),
    ]
