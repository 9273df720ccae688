"""The recipe for authselect: what packaging/authselect/add-codes makes of a profile, and who gets in by it.

authselect itself is not needed: `render` does what it does with a template (authselect-profiles(5)).
"""

import re
import shutil
import subprocess
from itertools import chain, combinations
from pathlib import Path
from typing import Callable

import pytest
from harness import words
from harness.accounts import Account
from harness.check import Check
from harness.dialogue import Step
from harness.login import WHOLE, Login
from harness.people import LOCAL_PASSWORD, PASSWORD, USER, WRONG_PASSWORD
from harness.stage import Stage
from standin import Standin

SRCDIR = Path(__file__).parents[1]
ADD_CODES = SRCDIR / "packaging/authselect/add-codes"

# As a distribution's profiles are: first factors that end the part, and features.
SYSTEM = """\
{imply "with-smartcard" if "with-smartcard-required"}
auth        required                                     pam_env.so
auth        required                                     pam_faillock.so preauth silent      {include if "with-faillock"}
auth        sufficient                                   pam_fprintd.so                      {include if "with-fingerprint"}
auth        sufficient                                   pam_u2f.so cue                      {include if "with-pam-u2f"}
auth        [default=1 ignore=ignore success=ok]         pam_localuser.so                    {exclude if "with-smartcard"}
auth        sufficient                                   pam_unix.so {if not "without-nullok":nullok}
SSS auth    sufficient                                   pam_sss.so forward_pass
auth        required                                     pam_faillock.so authfail            {include if "with-faillock"}
-auth       optional                                     pam_gnome_keyring.so auto_start     {include if "with-pam-gnome-keyring"}
auth        required                                     pam_deny.so

account     required                                     pam_access.so                       {include if "with-pamaccess"}
account     required                                     pam_faillock.so                     {include if "with-faillock"}
account     required                                     pam_unix.so
account     sufficient                                   pam_localuser.so                    {exclude if "with-files-access-provider"}
account     required                                     pam_permit.so

password    required                                     pam_deny.so

session     optional                                     pam_mkhomedir.so                    {include if "with-mkhomedir"}
session     required                                     pam_unix.so
"""
FINGERPRINT = """\
{continue if "with-fingerprint"}
auth        sufficient                                   pam_fprintd.so
account     required                                     pam_permit.so
"""
BASES = {"local": re.sub("SSS .*\n", "", SYSTEM), "sssd": SYSTEM.replace("SSS auth    ", "auth        ")}
FEATURES = ("with-faillock", "with-fingerprint", "with-pam-u2f", "with-smartcard-required", "without-nullok", "with-mkhomedir", "with-pam-gnome-keyring")
SETS = list(chain.from_iterable(combinations(FEATURES, count) for count in range(len(FEATURES) + 1)))

# As Fedora has them: services that end with what they include, and services that do not.
SERVICES = {
    "sshd": """
auth       substack     password-auth
auth       include      postlogin
account    required     pam_sepermit.so
account    required     pam_nologin.so
account    include      password-auth
session    include      password-auth
""",
    "sudo": """
auth       include      system-auth
account    include      system-auth
session    include      system-auth
""",
    "su": """
auth       sufficient   pam_rootok.so
auth       substack     system-auth
auth       include      postlogin
account requisite pam_cognito_code.so
account    sufficient   pam_succeed_if.so uid = 0 use_uid quiet
account    include      system-auth
session    include      system-auth
""",
    "login": """
auth       substack     system-auth
auth       include      postlogin
account    required     pam_nologin.so
account    include      system-auth
session    include      system-auth
""",
}
POSTLOGIN = "session     optional                   pam_umask.so silent\n"
SSHD_CONFIG = """\
UsePAM yes
KbdInteractiveAuthentication yes
AuthenticationMethods keyboard-interactive:pam
PasswordAuthentication no
LoginGraceTime 360
"""

# pam_faillock's. What it finds there is not what a login left behind.
TALLIES = Path("/run/faillock")

OPERATOR = re.compile(r"\{(include|exclude|continue|stop) if ([^{}]+)\}")
CHOICE = re.compile(r"\{if ([^{}:|]+):([^{}|]+)(?:\|([^{}|]+))?\}")
IMPLY = re.compile(r'\{imply "([^"]+)" if ([^{}]+)\}')


def _holds(expression: str, features: set[str]) -> bool:
    truth = re.sub(r'"([^"]+)"', lambda name: str(name[1] in features), expression)
    assert re.fullmatch(r"(True|False|not|and|or|[() ])+", truth), expression
    return bool(eval(truth))


def render(template: str, *chosen: str) -> list[str]:
    """The lines of a template with these features, with one blank between words."""
    features, lines = set(chosen), []
    for line in template.splitlines():
        if match := IMPLY.fullmatch(line):
            features |= {match[1]} if _holds(match[2], features) else set()
            continue
        if match := OPERATOR.search(line):
            holds, what = _holds(match[2], features), match[1]
            if (what, holds) in (("continue", False), ("stop", True)):
                break
            if what in ("continue", "stop") or (what, holds) in (("include", False), ("exclude", True)):
                continue
            line = line.replace(match[0], "")
        line = CHOICE.sub(lambda match: (match[2] if _holds(match[1], features) else match[3]) or "", line)
        assert "{" not in line, line
        if words_of := " ".join(line.split()):
            lines.append(words_of)
    return lines


def part(lines: list[str], name: str) -> list[str]:
    return [line for line in lines if line.lstrip("-").startswith(name)]


@pytest.fixture(params=BASES)
def base(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def profile(base: str, tmp_path: Path) -> Path:
    """A profile as `authselect create-profile` makes it, with the feature added."""
    folder = tmp_path / "cognito"
    folder.mkdir()
    for name in ("system-auth", "password-auth"):
        (folder / name).write_text(BASES[base])
    (folder / "fingerprint-auth").write_text(FINGERPRINT)
    (folder / "REQUIREMENTS").write_text("- none\n")
    subprocess.run([ADD_CODES, folder], check=True, capture_output=True)
    return folder


def test_without_the_feature_the_profile_is_what_it_was(base: str, profile: Path) -> None:
    for features in SETS:
        assert render((profile / "system-auth").read_text(), *features) == render(BASES[base], *features)
        assert render((profile / "fingerprint-auth").read_text(), *features) == render(FINGERPRINT, *features)
    assert render((profile / "REQUIREMENTS").read_text()) == ["- none"]


def test_with_it_there_is_one_way_in_whatever_else_is_chosen(base: str, profile: Path) -> None:
    block = [" ".join(line.split()) for line in (SRCDIR / "pam.d-examples/cognito-verify").read_text().splitlines() if line.startswith("auth")]
    for features in SETS:
        lines = render((profile / "system-auth").read_text(), *features, "with-cognito")
        auth = part(lines, "auth")
        assert auth[-3:] == block
        assert {line.split(".so")[0].split()[-1] for line in auth[:-4]} <= {"pam_env", "pam_faildelay", "pam_faillock", "pam_unix", "pam_sss", "pam_deny"}
        (unix,) = [number for number, line in enumerate(auth) if "pam_unix.so" in line]
        over = int(re.findall(r"success=(\d)", auth[unix])[0])
        assert auth[unix + over + 1] == "auth required pam_permit.so"
        assert auth[unix + over].startswith("auth [default=die] ")
        assert part(lines, "account")[0] == "account requisite pam_cognito_code.so"
        before = render(BASES[base], *features)
        for name in ("account", "password", "session"):
            assert part(lines, name)[name == "account" :] == part(before, name)


def test_other_doors_are_closed(profile: Path) -> None:
    for features in SETS:
        lines = render((profile / "fingerprint-auth").read_text(), *features, "with-cognito")
        assert (part(lines, "auth")[0], part(lines, "account")[0]) == ("auth requisite pam_deny.so", "account requisite pam_deny.so")


def test_what_cannot_be_right_is_refused(profile: Path, tmp_path: Path) -> None:
    def refused(folder: Path) -> str:
        before = {path: path.read_text() for path in folder.glob("*")}
        done = subprocess.run([ADD_CODES, folder], capture_output=True, text=True)
        assert (done.returncode, {path: path.read_text() for path in folder.glob("*")}) == (1, before)
        return done.stderr

    assert "has the feature already" in refused(profile)
    other = tmp_path / "other"
    other.mkdir()
    assert "is no profile" in refused(other)
    for name in ("system-auth", "password-auth"):
        (other / name).write_text(SYSTEM.replace("SSS auth    ", "auth        ").replace("pam_sss.so", "pam_winbind.so"))
    assert "not known here" in refused(other)


@pytest.fixture
def services(stage: Stage, profile: Path) -> Callable[..., dict[str, str]]:
    """Writes the rendered files and what includes them to where libpam looks; returns them. Nobody is locked by pam_faillock yet."""
    shutil.rmtree(TALLIES, ignore_errors=True)
    TALLIES.mkdir(mode=0o755)
    (TALLIES / USER).touch(mode=0o600)

    def write(*features: str) -> dict[str, str]:
        files = {name: "\n".join(render((profile / name).read_text(), *features)) + "\n" for name in ("system-auth", "password-auth")}
        files["postlogin"] = POSTLOGIN
        for name, text in files.items():
            stage.write_service(name, text)
        return files

    return write


@pytest.mark.parametrize("features", [(), ("with-faillock",), ("with-fingerprint", "with-pam-u2f", "with-mkhomedir")], ids=lambda chosen: " ".join(chosen) or "plain")
@pytest.mark.parametrize("service", SERVICES)
def test_the_checker_finds_nothing(
    service: str, features: tuple[str, ...], check: Check, ground: Path, services: Callable[..., dict[str, str]]
) -> None:
    folder = ground / "pam.d"
    folder.mkdir()
    for name, text in {**services("with-cognito", *features), service: SERVICES[service], "other": "auth required pam_deny.so\n"}.items():
        (folder / name).write_text(text)
    (ground / "sshd_config").write_text(SSHD_CONFIG)
    sshd = ("--sshd-config", str(ground / "sshd_config")) if service == "sshd" else ()
    run = check("stack", str(folder / service), "--pam-dir", str(folder), "--config", str(check.stage.write_config()), *sshd)
    assert (run.exit, run.findings) == (0, [])


def test_su_needs_the_guard_itself(check: Check, ground: Path, services: Callable[..., dict[str, str]]) -> None:
    """A line of its own ends its account part before system-auth's guard; README.md says what to add."""
    folder = ground / "pam.d"
    folder.mkdir()
    guard = "account requisite pam_cognito_code.so\n"
    assert f"    {' '.join(guard.split())}\n" in (SRCDIR / "packaging/authselect/README.md").read_text()
    for name, text in {**services("with-cognito"), "su": SERVICES["su"].replace(guard, "")}.items():
        (folder / name).write_text(text)
    run = check("stack", str(folder / "su"), "--pam-dir", str(folder), "--config", str(check.stage.write_config()))
    assert [row["rule"] for row in run.findings] == ["guard-skipped"]


LOCAL: Step = (words.PASSWORD, LOCAL_PASSWORD)
SIGN_IN: Step = (words.SECOND_PASSWORD, PASSWORD)
UNLISTED = "account    required     pam_sepermit.so\n"


@pytest.mark.parametrize("features", [(), ("with-faillock",)], ids=lambda chosen: " ".join(chosen) or "plain")
@pytest.mark.parametrize("service", ["sshd", "sudo"])
class TestLogins:
    """With the real libpam, in a service that takes the profile as a substack and in one that includes it."""

    def stack(self, service: str) -> str:
        return SERVICES[service].replace(UNLISTED, "")

    def test_password_and_code(self, service: str, features: tuple[str, ...], account: Account, login: Login, services: Callable, code: Callable) -> None:
        services("with-cognito", *features)
        assert login([LOCAL, SIGN_IN, (words.ASKED, code)], stack=self.stack(service), calls=WHOLE).let_in

    def test_wrong_password(
        self, service: str, features: tuple[str, ...], account: Account, login: Login, services: Callable, standin: Standin
    ) -> None:
        services("with-cognito", *features)
        result = login([(words.PASSWORD, WRONG_PASSWORD)], stack=self.stack(service))
        assert (result.let_in, standin.pool.outbox) == (False, [])

    def test_wrong_code(
        self, service: str, features: tuple[str, ...], account: Account, login: Login, services: Callable, wrong: Callable
    ) -> None:
        services("with-cognito", *features)
        result = login([LOCAL, SIGN_IN, (words.ASKED, wrong)], stack=self.stack(service), max_tries=1)
        assert result.code == "PAM_MAXTRIES"


def test_a_locked_account_is_sent_nothing(account: Account, login: Login, services: Callable, standin: Standin) -> None:
    """pam_faillock locks after three failures, and then its first line ends the login."""
    services("with-cognito", "with-faillock")
    stack = SERVICES["sudo"]
    for _ in range(3):
        login([(words.PASSWORD, WRONG_PASSWORD)], stack=stack)
    result = login([], stack=stack)
    assert (result.let_in, standin.pool.outbox) == (False, [])


def test_without_the_feature_the_password_lets_in(account: Account, login: Login, services: Callable, standin: Standin) -> None:
    services()
    assert login([LOCAL], stack=SERVICES["sudo"], calls=WHOLE).let_in
    assert standin.pool.outbox == []
