"""What can happen at the code, and at the first factor; and what contract.md makes each module answer to that."""

from dataclasses import dataclass, field, replace
from typing import Callable, Union

from .libpam import NotModelled
from .stack import Line

CODE = "pam_cognito_code.so"
CONFIRM = "pam_cognito_confirm.so"

# As sshd-breakglass has it. Its member logs in where somebody is exempt, and nowhere else.
EXEMPT_GROUP = "local-admins"


class Silence:
    """The answer to a prompt: none, or the conversation itself fails."""


NO_ANSWER, FAILURE = Silence(), Silence()

# What is typed where the code is asked for: a function of the code that was sent.
Answer = Callable[[str], Union[str, Silence]]


@dataclass(frozen=True)
class Situation:
    """`code` and `confirm` are what the modules return then. `passes`: nobody needs a code. `config` are the keys of the
    config file in which the situation differs; `verified` is what Cognito says of the attribute."""

    name: str
    code: str
    confirm: str = "auth_err"
    answer: Answer = lambda code: code
    passes: bool = False
    config: tuple[tuple[str, str], ...] = ()
    verified: bool = False

    def __str__(self) -> str:
        return self.name


def another(code: str) -> str:
    return f"{(int(code) + 1) % 1000000:06}"


RIGHT = Situation("right code", "cred_insufficient", "success")
WRONG = Situation("wrong code", "cred_insufficient", "maxtries", another)
EMPTY = Situation("empty answer", "auth_err", answer=lambda code: "")
NOTHING = Situation("no answer", "auth_err", answer=lambda code: NO_ANSWER)
HANG_UP = Situation("hang-up", "conv_err", answer=lambda code: FAILURE)
DOWN = Situation("Cognito unreachable", "authinfo_unavail", config=(("endpoint", "{nowhere}"),))
BROKEN = Situation("broken config", "service_err", config=(("max_tries", "0"),))
EXEMPT = Situation("exempt", "ignore", "ignore", passes=True, config=(("exempt_group", EXEMPT_GROUP),))
NOT_NEEDED = Situation("not needed", "ignore", "ignore", passes=True, config=(("when", "unverified"),), verified=True)

ALL = (RIGHT, WRONG, EMPTY, NOTHING, HANG_UP, DOWN, BROKEN, EXEMPT, NOT_NEEDED)

# The token is of a sign-in in this login: then Cognito's word that the attribute is verified is enough.
SIGNED_IN = Situation(
    "not needed, signed in", "ignore", "success", passes=True,
    config=(("when", "unverified"), ("token", "signin")), verified=True,
)  # fmt: skip


@dataclass(frozen=True)
class First:
    """What comes of the first factor. `proof` is the module whose success proves who this is; `key` what sshd tells PAM
    about the methods that went before."""

    name: str
    password: bool
    proof: str | None
    key: str = ""

    def __str__(self) -> str:
        return self.name


PASSWORD = First("right password", True, "pam_unix.so")
WRONG_PASSWORD = First("wrong password", False, None)
KEY = First("public key", False, "pam_exec.so", "publickey ssh-ed25519 AAAA")
KEY_AND_PASSWORD = replace(KEY, name="public key and right password", password=True)
# Where pam_permit.so stands for a first factor that always succeeds.
PERMITTED = First("permitted", False, "pam_permit.so")
DENIED = First("none", False, None)


@dataclass
class _Record:
    """What the handle holds."""

    state: str = "none"
    used: bool = False


@dataclass
class Modules:
    """The modules of one login, called in turn."""

    situation: Situation
    first: First
    record: _Record = field(default_factory=_Record)

    def call(self, line: Line) -> str:
        """What the module of this line returns."""
        key = (line.phase, line.module)
        if line.module.startswith("mis-") or (line.phase == "account" and line.module in AUTH_ONLY):
            return "module_unknown"
        if key not in MODULES:
            raise NotModelled(f"{line}")
        return MODULES[key](self, line)

    def _code(self, line: Line) -> str:
        states = {"cred_insufficient": "pending", "ignore": "passes"}
        self.record = _Record(states.get(self.situation.code, "attempted"))
        return self.situation.code

    def _confirm(self, line: Line) -> str:
        record = self.record
        if record.used or record.state not in ("pending", "passes"):
            record.state, record.used = "attempted", True
            return "auth_err"
        record.used = True
        if record.state == "pending":
            record.state = "confirmed" if self.situation.confirm == "success" else "attempted"
        return self.situation.confirm

    def _guard(self, line: Line) -> str:
        good = ("confirmed", "passes") + (() if "require" in line.arguments else ("none",))
        return "ignore" if self.record.state in good else "perm_denied"

    def _unix(self, line: Line) -> str:
        return "success" if self.first.password else "auth_err"

    def _exec(self, line: Line) -> str:
        """The question whether there was a key, as long as all words of it are there."""
        asks = line.arguments[-3:-1] == ("/bin/sh", "-c")
        return "success" if asks and self.first.key else "system_err"


def _always(result: str) -> Callable[[Modules, Line], str]:
    return lambda modules, line: result


# (type, module): what it returns. A module that cannot be called in a type is not here.
MODULES: dict[tuple[str, str], Callable[[Modules, Line], str]] = {
    ("auth", CODE): Modules._code,
    ("auth", CONFIRM): Modules._confirm,
    ("account", CODE): Modules._guard,
    ("auth", "pam_unix.so"): Modules._unix,
    ("account", "pam_unix.so"): _always("success"),
    ("auth", "pam_exec.so"): Modules._exec,
    ("account", "pam_exec.so"): Modules._exec,
    ("auth", "pam_permit.so"): _always("success"),
    ("account", "pam_permit.so"): _always("success"),
    ("auth", "pam_deny.so"): _always("auth_err"),
    ("account", "pam_deny.so"): _always("auth_err"),
    ("auth", "pam_nologin.so"): _always("ignore"),
    ("account", "pam_nologin.so"): _always("ignore"),
    # Those who call su here are not root.
    ("auth", "pam_rootok.so"): _always("auth_err"),
    ("account", "pam_rootok.so"): _always("auth_err"),
    ("auth", "pam_cap.so"): _always("ignore"),
    ("auth", "pam_faildelay.so"): _always("ignore"),
    ("auth", "pam_group.so"): _always("ignore"),
}
AUTH_ONLY = (CONFIRM, "pam_cap.so", "pam_faildelay.so", "pam_group.so")
