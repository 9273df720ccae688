"""pam-cognito-check stack: every hole by an edit of its own, and nothing to find in what ships."""

import json
import os
import re
from pathlib import Path
from typing import Callable, Iterator

import pytest
from harness import shipped
from harness.check import Check, Row, Run
from harness.machine import GROUND

FIRST = "auth requisite pam_unix.so\n"
CODE = "auth [success=ok ignore=ignore cred_insufficient=ignore default=die] pam_cognito_code.so\n"
CONFIRM = "auth [success=1 new_authtok_reqd=1 ignore=1 default=die] pam_cognito_confirm.so\n"
DENY = "auth requisite pam_deny.so\n"
PERMIT = "auth required pam_permit.so\n"
GUARD = "account requisite pam_cognito_code.so\n"
REST = "account required pam_unix.so\nsession required pam_unix.so\n"
BLOCK = CODE + CONFIRM + DENY
WHOLE = FIRST + BLOCK + GUARD + REST
SOLE = CODE + "auth required pam_cognito_confirm.so\n" + GUARD + REST

LEADS_IN = "it leads in"
ONLY_ACCOUNT = "only the account lines deny that login"

# As the distributions have them.
DEBIAN = shipped.COMMON
FEDORA = {
    "password-auth": """\
auth        required                                     pam_env.so
auth        required                                     pam_faildelay.so delay=2000000
auth        [default=1 ignore=ignore success=ok]         pam_usertype.so isregular
auth        [default=1 ignore=ignore success=ok]         pam_localuser.so
auth        sufficient                                   pam_unix.so nullok
auth        [default=1 ignore=ignore success=ok]         pam_usertype.so isregular
auth        sufficient                                   pam_sss.so forward_pass
auth        required                                     pam_deny.so
account     required                                     pam_unix.so
account     sufficient                                   pam_localuser.so
account     sufficient                                   pam_usertype.so issystem
account     [default=bad success=ok user_unknown=ignore] pam_sss.so
account     required                                     pam_permit.so
session     optional                                     pam_keyinit.so revoke
-session    optional                                     pam_systemd.so
session     required                                     pam_unix.so
""",
    "postlogin": "session     optional                   pam_umask.so silent\n",
}
SUSE = {
    "common-auth": """\
auth	required	pam_env.so
auth	optional	pam_gnome_keyring.so
auth	required	pam_unix.so	try_first_pass
""",
    "common-account": "account	required	pam_unix.so	try_first_pass\n",
}


class Stacks:
    """A folder of stacks. Call it: `stacks(text)` writes the service and checks it; a name is of another file in there."""

    def __init__(self, check: Check, folder: Path) -> None:
        self.check = check
        self.folder = folder
        self.config = check.stage.write_config()
        self.write("other", "auth required pam_deny.so\naccount required pam_deny.so\n")

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def __call__(self, text: str | bytes, *arguments: str, name: str = "service", **files: str) -> Run:
        for other, content in files.items():
            self.write(other.replace("_", "-"), content)
        path = self.write(name, text)
        return self.look(str(path), *arguments)

    def look(self, what: str, *arguments: str) -> Run:
        options = ("--pam-dir", str(self.folder), "--config", str(self.config))
        run = self.check("stack", what, *options, *arguments)
        assert run.err == ""
        if "error" in run.report:
            assert run.exit == 2
            return run
        assert run.exit == (1 if run.findings else 0)
        assert all(row["advice"] for row in run.findings)
        return run


@pytest.fixture
def stacks(check: Check, ground: Path) -> Stacks:
    folder = ground / "pam.d"
    folder.mkdir()
    return Stacks(check, folder)


def rules(run: Run, level: str = "finding") -> list[str]:
    return [row["rule"] for row in run.of(level)]


def only(run: Run, rule: str, at: str = "") -> Row:
    """That, and no other finding; at that place, such as `service:3`."""
    assert rules(run) == [rule], run.findings
    row = run.findings[0]
    assert row["where"].endswith(f"/{at}"), row
    return row


def clean(run: Run, *notes: str) -> None:
    assert (run.exit, run.findings) == (0, [])
    assert sorted(rules(run, "note")) == sorted(notes)


# What ships, and what distributions have


EXAMPLES = sorted(path.name for path in (Path(__file__).parents[1] / "pam.d-examples").iterdir())
OF_SSHD = [name for name in EXAMPLES if name.startswith("sshd")]


def notes_on(name: str) -> list[str]:
    if name.startswith("cognito-"):
        return ["part"]
    return ["sshd-unknown"] if name in OF_SSHD else []


@pytest.fixture
def examples(stacks: Stacks) -> Stacks:
    for name in EXAMPLES:
        stacks.write(name, shipped.text(stacks.check.stage, name))
    for name, text in DEBIAN.items():
        stacks.write(name, text)
    return stacks


@pytest.mark.smoke
@pytest.mark.parametrize("name", EXAMPLES)
def test_what_ships_is_clean(examples: Stacks, name: str) -> None:
    clean(examples.look(str(examples.folder / name)), *notes_on(name))


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_ships_is_clean_before_there_are_options(examples: Stacks, name: str) -> None:
    examples.config = GROUND / "there-is-none.conf"
    clean(examples.look(str(examples.folder / name)), "no-options", *notes_on(name))


@pytest.mark.parametrize("name", OF_SSHD)
def test_what_ships_with_its_sshd_config(examples: Stacks, name: str) -> None:
    """As the comment of the file says; where the code is PAM's only factor, the comment asks for the key too."""
    config = examples.write("sshd_config", "\n".join(shipped.settings(examples.check.stage, name)) + "\n")
    examples.config = examples.check.stage.write_config(**({"token": "file:/run/token"} if name == "sshd-publickey" else {}))
    run = examples.look(str(examples.folder / name), "--sshd-config", str(config))
    assert (run.exit, run.findings) == (0, [])
    assert set(rules(run, "note")) <= {"sshd-root", "sshd-key-exempt"}
    assert "sshd" in rules(run, "ok")


def test_token_of_the_host_without_a_key(examples: Stacks) -> None:
    """That stack beside the sshd_config of another one: the code alone would let in."""
    config = examples.write("sshd_config", "\n".join(shipped.settings(examples.check.stage, "sshd")) + "\n")
    examples.config = examples.check.stage.write_config(token="file:/run/token")
    only(examples.look(str(examples.folder / "sshd-publickey"), "--sshd-config", str(config)), "sshd-code-alone", "sshd_config:3")


def test_what_is_in_order_is_said(stacks: Stacks) -> None:
    assert rules(stacks(WHOLE), "ok") == ["closed", "guarded", "open-to-code"]


DISTRIBUTIONS = {
    "debian": (DEBIAN, "@include {folder}/common-auth\n" + BLOCK + GUARD + "@include {folder}/common-account\n", []),
    "fedora": (FEDORA, "auth substack password-auth\nauth include postlogin\n" + BLOCK + GUARD + "account include password-auth\n"
               "session include password-auth\nsession include postlogin\n", ["sent-anyway"]),
    "suse": (SUSE, "auth include common-auth\n" + BLOCK + GUARD + "account include common-account\n", ["sent-anyway"]),
}  # fmt: skip


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_distributions(stacks: Stacks, name: str) -> None:
    files, text, notes = DISTRIBUTIONS[name]
    for file, content in files.items():
        stacks.write(file, content)
    clean(stacks(text.format(folder=stacks.folder)), *notes)


def test_code_for_a_wrong_password(stacks: Stacks) -> None:
    """Not a hole, but a code that costs money: the note says which line goes on."""
    (note,) = stacks("auth required pam_unix.so\n" + BLOCK + GUARD + REST).of("note")
    assert note["where"].endswith("service:1") and "requisite" in note["advice"]


def test_alternative_first_factor(stacks: Stacks) -> None:
    arguments = '[case $SSH_AUTH_INFO_0 in "publickey "*) exit 0; esac; exit 1]'
    first = f"auth [success=2 default=ignore] pam_exec.so quiet /bin/sh -c {arguments}\nauth [success=1 default=ignore] pam_unix.so\n"
    clean(stacks(first + DENY + PERMIT + BLOCK + GUARD + REST))


# Holes, and what one line alone still closes

HOLES = {
    # name: (the stack, the rule, the place, words of it)
    "no code": (FIRST + REST, "no-code", "service", ["no line asks for a code"]),
    "no companion": (FIRST + CODE + GUARD + REST, "no-companion", "service:2", [ONLY_ACCOUNT]),
    "no companion, pam_deny": (FIRST + CODE + DENY + GUARD + REST, "no-companion", "service:2", []),
    "no companion, no guard": (FIRST + CODE + "account required pam_unix.so\n", "no-companion no-guard", "service:2", [LEADS_IN]),
    "misplaced companion": (FIRST + CONFIRM + CODE + DENY + GUARD + REST, "companion-misplaced", "service:2", ["service:3"]),
    "optional companion": (FIRST + CODE + "auth optional pam_cognito_confirm.so\n" + GUARD + REST, "companion-optional", "service:3",
                           ["auth_err", ONLY_ACCOUNT]),
    "sufficient companion": (FIRST + CODE + "auth sufficient pam_cognito_confirm.so\n" + GUARD + REST, "companion-sufficient",
                             "service:3", ["auth_err", ONLY_ACCOUNT]),
    "sufficient companion, pam_deny": (FIRST + CODE + "auth sufficient pam_cognito_confirm.so\n" + DENY + GUARD + REST,
                                       "companion-sufficient", "service:3", ["only other lines deny"]),
    "companion that lets errors pass": (FIRST + CODE + CONFIRM.replace("die", "ignore") + DENY + GUARD + REST, "companion-weak",
                                        "service:3", []),
    "companion that jumps on errors": (FIRST + CODE + CONFIRM.replace("die", "1") + DENY + GUARD + REST, "companion-weak", "service:3",
                                       [ONLY_ACCOUNT]),
    "no pam_deny": (FIRST + CODE + CONFIRM + PERMIT + GUARD + REST, "no-deny", "service:3", []),
    "pam_deny that does not deny": (FIRST + CODE + CONFIRM + "auth optional pam_deny.so\n" + GUARD + REST, "no-deny", "service:3", []),
    "no guard": (FIRST + BLOCK + REST, "no-guard", "service:5", []),
    "guard that is optional": (FIRST + BLOCK + GUARD.replace("requisite", "optional") + REST, "guard-weak", "service:5", []),
    "guard that is sufficient": (FIRST + BLOCK + GUARD.replace("requisite", "sufficient") + REST, "guard-weak", "service:5", []),
    "guard that may be missing": (FIRST + BLOCK + "account [ignore=ignore module_unknown=ignore default=die] pam_cognito_code.so\n" + REST,
                                  "guard-weak", "service:5", ["module_unknown"]),
    "guard after sufficient": (FIRST + BLOCK + "account sufficient pam_localuser.so\n" + GUARD + REST, "guard-skipped", "service:5",
                               ["success", "service:6"]),
    "guard after a jump": (FIRST + BLOCK + "account [success=1 default=ignore] pam_localuser.so\n" + GUARD + REST, "guard-skipped",
                           "service:5", ["service:6"]),
    "guard after a denial that applications forgive": (FIRST + BLOCK + "account [success=ok default=bad] pam_unix.so\n" + GUARD + REST,
                                                       "guard-skipped", "service:5", ["new_authtok_reqd", "password changed"]),
    "guard whose denial is reset": (FIRST + BLOCK + GUARD.replace("requisite", "required") + "account [default=reset] pam_warn.so\n"
                                    "account required pam_permit.so\n", "reset", "service:6", []),
    "auth sufficient before": ("auth sufficient pam_unix.so\n" + BLOCK + GUARD + REST, "ends-before-code", "service:1",
                               ["success", LEADS_IN]),
    "success=done before": ("auth [success=done default=die] pam_unix.so\n" + BLOCK + GUARD + REST, "ends-before-code", "service:1",
                            [LEADS_IN]),
    "jump over the code": (FIRST + "auth [success=3 default=ignore] pam_succeed_if.so user ingroup x\n" + BLOCK + GUARD + REST,
                           "jumps-over-code", "service:2", ["service:1 success, service:2 success", LEADS_IN]),
    "sufficient between": (FIRST + CODE + "auth sufficient pam_unix.so\n" + CONFIRM + DENY + GUARD + REST, "skips-companion",
                           "service:3", [ONLY_ACCOUNT]),
    "reset in the code line": (FIRST + CODE.replace("die", "reset") + CONFIRM + DENY + GUARD + REST, "reset", "service:2", []),
    "reset in the companion": (FIRST + CODE + CONFIRM.replace("die", "reset") + DENY + GUARD + REST, "reset", "service:3", []),
    "reset after the companion": (FIRST + CODE + "auth required pam_cognito_confirm.so\nauth [default=reset] pam_warn.so\n" + PERMIT
                                  + GUARD + REST, "reset", "service:4", [ONLY_ACCOUNT]),
    "no success=ok": (FIRST + CODE.replace("success=ok ", "") + CONFIRM + DENY + GUARD + REST, "success-ok", "service:2", ["sshd"]),
    "errors of the code ignored": (FIRST + CODE.replace("die", "ignore") + CONFIRM + DENY + GUARD + REST, "error-ignored", "service:2",
                                   ["auth_err"]),
    "code that is sufficient": (FIRST + "auth sufficient pam_cognito_code.so\n" + CONFIRM + DENY + GUARD + REST, "error-ignored",
                                "service:2", []),
    "unloadable code ignored": (FIRST + CODE.replace("default", "module_unknown=ignore default") + CONFIRM + DENY + GUARD + REST,
                                "error-ignored", "service:2", ["module_unknown"]),
}  # fmt: skip


@pytest.mark.parametrize("name", HOLES)
def test_holes(stacks: Stacks, name: str) -> None:
    text, found, place, words = HOLES[name]
    run = stacks(text)
    assert rules(run) == found.split()
    row = run.findings[0]
    assert row["where"].endswith(f"/{place}")
    assert all(word in row["what"] for word in words), row


EXEMPTIONS = {
    # name: (options, the first factor, the rule or none)
    "exempt beside pam_permit": ({"exempt_group": "root"}, PERMIT, "exempt-alone"),
    "exempt after a line that sets something": ({"exempt_group": "root"}, "auth required pam_env.so\n", "exempt-alone"),
    "exempt after an optional password": ({"exempt_group": "root"}, "auth optional pam_unix.so\n" + PERMIT, "exempt-alone"),
    "exempt after a password": ({"exempt_group": "root"}, FIRST, None),
    "not needed beside pam_permit": ({"when": "unverified", "token": "file:/x"}, PERMIT, "not-needed-alone code-alone"),
    "remembered beside pam_permit": ({"remember": 60, "token": "file:/x"}, PERMIT, "not-needed-alone code-alone"),
    "not needed after a sign-in": ({"when": "unverified"}, PERMIT, None),
    "nobody exempt": ({}, PERMIT, None),
}  # fmt: skip


@pytest.mark.parametrize("name", EXEMPTIONS)
def test_exemptions(stacks: Stacks, name: str) -> None:
    options, first, found = EXEMPTIONS[name]
    stacks.config = stacks.check.stage.write_config(**options)
    run = stacks(first + BLOCK + GUARD + REST)
    assert rules(run) == (found or "").split()
    if found:
        assert run.findings[0]["where"].endswith(f"service:{first.count(chr(10)) + 1}")
        assert LEADS_IN in run.findings[0]["what"]


def test_exemption_in_the_line_itself(stacks: Stacks) -> None:
    text = PERMIT + BLOCK.replace("code.so", "code.so exempt_group=root") + GUARD + REST
    only(stacks(text), "exempt-alone", "service:2")


def test_exemption_that_nobody_can_use(stacks: Stacks) -> None:
    """As the sole factor: who is exempt has shown nothing, and is denied. An administrator who counts on it has to know."""
    stacks.config = stacks.check.stage.write_config(exempt_group="root")
    only(stacks(SOLE), "locked-exempt", "service:1")
    only(stacks(WHOLE.replace(" ignore=ignore", "", 1)), "locked-exempt", "service:2")


def test_not_needed_that_nobody_can_use(stacks: Stacks) -> None:
    stacks.config = stacks.check.stage.write_config(remember=60, token="command:/x", token_command_user="nobody")
    assert rules(stacks(SOLE)) == ["locked-not-needed", "code-alone"]


def test_code_as_the_only_factor(stacks: Stacks) -> None:
    stacks.config = stacks.check.stage.write_config(token="file:/run/token")
    only(stacks(SOLE), "code-alone", "service:1")
    only(stacks(PERMIT + BLOCK + GUARD + REST), "code-alone", "service:2")
    clean(stacks(WHOLE))


def test_root_may_go_before(stacks: Stacks) -> None:
    text = "auth sufficient pam_rootok.so\n" + WHOLE
    clean(stacks(text, name="su"))
    clean(stacks(text, "--service", "su-l"))


@pytest.mark.parametrize("service", ["login", "sshd", "sudo", "something"])
def test_where_everybody_is_root(stacks: Stacks, service: str) -> None:
    """sshd and login run as root from their start, and sudo becomes root before it asks: to pam_rootok.so that is root."""
    row = only(stacks("auth sufficient pam_rootok.so\n" + WHOLE, name=service), "rootok", f"{service}:1")
    assert LEADS_IN in row["what"]


def test_root_is_told_that_he_is_locked_out(stacks: Stacks) -> None:
    text = "auth sufficient pam_rootok.so\n" + WHOLE.replace("account requisite pam_cognito_code.so", "account requisite pam_cognito_code.so require")
    only(stacks(text, name="su"), "locked-root", "su:6")


# Files that take others in


def test_include_that_ends_the_stack(stacks: Stacks) -> None:
    """The same lines are harmless in a substack."""
    first = "auth sufficient pam_unix.so\nauth requisite pam_deny.so\n"
    row = only(stacks("auth include first\n" + BLOCK + GUARD + REST, first=first), "ends-before-code", "first:1")
    assert "substack" in row["advice"] and LEADS_IN in row["what"]
    row = only(stacks(f"@include {stacks.folder}/first\n" + BLOCK + GUARD + REST), "ends-before-code", "first:1")
    # What ends a substack does not end the login.
    clean(stacks("auth substack first\n" + BLOCK + GUARD + REST), "sent-anyway")


@pytest.mark.parametrize("line", ["@include pamcog-first", "auth include pamcog-first"])
def test_files_where_libpam_has_them(stacks: Stacks, line: str) -> None:
    """The named folder comes first, and libpam's own after it."""
    text = f"{line}\n" + BLOCK + GUARD + REST
    Path("/etc/pam.d/pamcog-first").write_text("auth sufficient pam_unix.so\n")
    assert only(stacks(text), "ends-before-code", "pamcog-first:1")["where"].startswith("/etc/pam.d/")
    clean(stacks(text, pamcog_first=FIRST))


def test_holes_far_down(stacks: Stacks) -> None:
    files = {"a": "auth include b\n", "b": f"@include {stacks.folder}/c\n", "c": "# nothing\nauth sufficient pam_ldap.so\n"}
    only(stacks("auth include a\n" + BLOCK + GUARD + REST, **files), "ends-before-code", "c:2")


def test_block_in_files_of_its_own(stacks: Stacks) -> None:
    """As it is installed; and an edit of that file is found there."""
    text = FIRST + "auth substack cognito-verify\n" + GUARD + REST
    clean(stacks(text, cognito_verify=BLOCK))
    only(stacks(text, cognito_verify=BLOCK.replace("default=die] pam_cognito_confirm", "default=ignore] pam_cognito_confirm")),
         "companion-weak", "cognito-verify:2")  # fmt: skip
    clean(stacks(SOLE.replace(SOLE.split("account")[0], "auth include cognito-login\n"), cognito_login=SOLE.split("account")[0]))


def test_block_without_a_first_factor(stacks: Stacks) -> None:
    row = only(stacks(BLOCK + GUARD + REST), "no-first-factor", "service:1")
    assert "cognito-login" in row["advice"]


def test_part_alone(stacks: Stacks) -> None:
    """A file that is only the block says so, is checked as what follows a first factor, and needs no guard."""
    clean(stacks(BLOCK), "part")
    clean(stacks(SOLE.split("account")[0]), "part")
    run = stacks(CODE + DENY)
    assert rules(run, "note") == ["part"]
    only(run, "no-companion", "service:1")


def test_lines_of_other(stacks: Stacks) -> None:
    """Without account lines of its own, a service has those of `other`."""
    stacks.write("other", "auth required pam_deny.so\naccount required pam_permit.so\n")
    only(stacks(FIRST + BLOCK), "no-guard", "other:2")
    stacks.write("other", GUARD + "account required pam_permit.so\n")
    clean(stacks(FIRST + BLOCK))


def test_service_by_its_name(stacks: Stacks) -> None:
    """In the folder that is named, in libpam's own, or not at all; libpam knows small letters alone."""
    stacks.write("mine", WHOLE)
    clean(stacks.look("mine"))
    clean(stacks.look("MINE"))
    Path("/etc/pam.d/pamcog-check").write_text(FIRST + REST)
    only(stacks.look("pamcog-check"), "no-code", "pamcog-check")
    run = stacks.look("there-is-none")
    assert rules(run, "note") == ["no-file"]
    only(run, "no-code", "other")


# Who is locked out

LOCKED = {
    "no cred_insufficient": (FIRST + CODE.replace("cred_insufficient=ignore ", "") + CONFIRM + DENY + GUARD + REST, "locked-code",
                             "service:2"),
    "plain required": (FIRST + "auth required pam_cognito_code.so\n" + CONFIRM + DENY + GUARD + REST, "locked-code", "service:2"),
    "cred_insufficient=ok": (FIRST + CODE.replace("insufficient=ignore", "insufficient=ok") + CONFIRM + DENY + GUARD + REST, "locked-code",
                             "service:2"),
    "no pam_deny at the end": (FIRST + CODE + CONFIRM + GUARD + REST, "no-deny locked-jump", "service:3"),
    "required companion before pam_deny": (FIRST + CODE + "auth required pam_cognito_confirm.so\n" + DENY + GUARD + REST, "locked-line",
                                           "service:4"),
    "pam_deny before": (FIRST + DENY + BLOCK + GUARD + REST, "locked-line", "service:2"),
    "pam_deny in account": (WHOLE + "account required pam_deny.so\n", "locked-account", "service:8"),
    "companion in account": (WHOLE + "account required pam_cognito_confirm.so\n", "wrong-phase locked-account", "service:8"),
    "code in session": (WHOLE + "session required pam_cognito_code.so\n", "wrong-phase", "service:8"),
    "unknown option": (WHOLE.replace("code.so\nauth", "code.so max_trys=3\nauth"), "bad-options", "service:2"),
}  # fmt: skip


@pytest.mark.parametrize("name", LOCKED)
def test_locked_out(stacks: Stacks, name: str) -> None:
    text, found, place = LOCKED[name]
    run = stacks(text)
    assert rules(run) == found.split(), run.findings
    assert run.findings[-1]["where"].endswith(f"/{place}")


# What cannot be read

UNREADABLE = {
    "no such type": ("foo required pam_permit.so\n", "begins with auth"),
    "no control": ("account\n", "a control and a module"),
    "no module": ("account required\n", "a control and a module"),
    "no such result": ("account [sucess=ok] pam_permit.so\n", "result"),
    "no such action": ("account [success=okey default=dei] pam_permit.so\n", "expects"),
    "jump over nothing": ("account [success=0] pam_permit.so\n", "number"),
    "missing include": ("account include nowhere\n", "no file nowhere"),
    "missing substack": ("account substack nowhere\n", "no file nowhere"),
    "include without a name": ("account include\n", "name"),
    "include without an end": ("account include service\n", "without an end"),
    "comment after a backslash": ("account \\\n# so\nrequired pam_permit.so\n", "backslash"),
    "empty line after a backslash": ("account \\\n\nrequired pam_permit.so\n", "backslash"),
    "NUL": ("account required pam_permit.so\0 x\n", "NUL"),
    "long line": (f"account required pam_permit.so {'x' * 1000}\n", "1,022"),
    "long comment": (f"#{' ' * 1022}auth sufficient pam_permit.so\n", "1,022"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNREADABLE)
def test_unreadable_lines(stacks: Stacks, name: str) -> None:
    text, word = UNREADABLE[name]
    run = stacks(WHOLE + text)
    assert "unreadable" in rules(run)
    row = next(row for row in run.findings if row["rule"] == "unreadable")
    assert word in row["what"], row
    assert re.search(r"/service:(8|9)$", row["where"]), row


FATAL = {
    "missing @include": "@include nowhere\n",
    "@include without a name": "@include\n",
    "backslash at the end": "account required pam_permit.so \\\n",
    "no name of a module": "session optional .so\n",
}


@pytest.mark.parametrize("name", FATAL)
def test_services_that_do_not_start(stacks: Stacks, name: str) -> None:
    row = only(stacks(WHOLE + FATAL[name]), "not-started", "service:8")
    assert "nobody gets in" in row["what"]


def test_other_that_does_not_start(stacks: Stacks) -> None:
    """libpam reads it with every service."""
    stacks.write("other", "@include nowhere\n")
    only(stacks(WHOLE), "not-started", "other:1")


def not_looked(run: Run, *words: str) -> None:
    assert run.exit == 2 and list(run.report) == ["error"]
    assert all(word in run.report["error"] for word in words), run.report


def test_files_that_cannot_be_looked_at(stacks: Stacks, check: Check) -> None:
    not_looked(stacks.look(f"{stacks.folder}/nothing"), "nothing", "No such file")
    os.mkfifo(stacks.folder / "fifo")
    not_looked(stacks.look(f"{stacks.folder}/fifo"), "fifo")
    not_looked(stacks(FIRST + "auth include fifo\n" + REST), "fifo")
    not_looked(stacks("x" * (1024 * 1024 + 1)), "service")
    not_looked(stacks(f"auth include many\n{REST}", many="auth required pam_permit.so\n" * 5000), "4,096")
    # Few lines, and each of the files is read twice as often as the one before it.
    bomb = {f"f{depth}": f"auth include f{depth + 1}\n" * 2 for depth in range(1, 14)}
    not_looked(stacks("auth include f1\n" * 2 + REST, **bomb, f14="# nothing\n"), "4,096")
    assert check("stack").exit == 2
    assert check("stack", "a", "b").exit == 2


def test_files_of_root_alone(stacks: Stacks, check: Check) -> None:
    """libpam reads them as root; who is not root is told, and not that they are missing."""
    stacks.write("secret", FIRST).chmod(0o600)
    path = stacks.write("service", "auth include secret\n" + BLOCK + GUARD + REST)
    for folder in (GROUND, stacks.folder.parent, stacks.folder):
        folder.chmod(0o755)
    run = check("stack", str(path), "--pam-dir", str(stacks.folder), user=65534, group=65534)
    not_looked(run, "secret", "Permission denied")


# How it is shown

HOSTILE = b"auth sufficient pam_\x1b[31m\xc2\x9b2J\xe2\x80\xae.so\nauth [\x1b]0;x\x07] pam_unix.so\nauth include \x1b[2J\n"


def test_hostile_files(stacks: Stacks, check: Check) -> None:
    run = stacks(HOSTILE + WHOLE.encode(), name="evil")
    assert run.exit == 1 and re.fullmatch(r"[ -~\n]*", run.out)
    path = str(stacks.folder / "evil")
    talk = check.at_terminal("stack", path, "--pam-dir", str(stacks.folder), "--config", str(stacks.config))
    assert not re.search(r"\x1b(?!\[[0-9;]*m)|[\x80-\x9f\u202e\x07]", talk.ending)


def test_json_is_for_machines(stacks: Stacks) -> None:
    run = stacks(FIRST + CODE + CONFIRM + PERMIT + GUARD + REST)
    report = json.loads(run.out)
    assert report["command"] == "stack" and report["findings"] == 1
    assert {frozenset(row) for row in report["rows"]} == {frozenset({"level", "where", "rule", "what", "advice"})}


# sshd

SSHD = """\
UsePAM yes
KbdInteractiveAuthentication yes
AuthenticationMethods keyboard-interactive:pam
PasswordAuthentication no
LoginGraceTime 360
"""
NO_METHODS = SSHD.replace("AuthenticationMethods keyboard-interactive:pam\n", "")
REQUIRE = WHOLE.replace("account requisite pam_cognito_code.so", "account requisite pam_cognito_code.so require")

SshdConfig = Callable[..., Run]


@pytest.fixture
def sshd(stacks: Stacks) -> Iterator[SshdConfig]:
    """Checks a stack of sshd beside that configuration."""

    def look(config: str, stack: str = WHOLE, name: str = "sshd", **options: str | int) -> Run:
        path = stacks.folder / "sshd_config"
        path.write_text(config)
        if options:
            stacks.config = stacks.check.stage.write_config(**options)
        return stacks(stack, "--sshd-config", str(path), name=name)

    yield look


def test_sshd_that_asks_for_the_code(sshd: SshdConfig) -> None:
    run = sshd(SSHD)
    clean(run, "sshd-root")
    assert "sshd" in rules(run, "ok")
    clean(sshd(SSHD + "PermitRootLogin yes\n"))
    clean(sshd(SSHD + "PermitRootLogin no\n"))


SSHD_FINDINGS = {
    "no PAM": (SSHD.replace("UsePAM yes", "UsePAM no"), "sshd-no-pam", "sshd_config:1"),
    "no PAM by default": ("Port 22\n", "sshd-no-pam", "sshd_config"),
    "no keyboard-interactive": (SSHD.replace("Authentication yes", "Authentication no"), "sshd-no-keyboard-interactive", "sshd_config:2"),
    "by its old name": (SSHD.replace("KbdInteractive", "ChallengeResponse").replace("Authentication yes", "Authentication no"),
                        "sshd-no-keyboard-interactive", "sshd_config:2"),
    "passwords and no keyboard-interactive": (
        "UsePAM yes\nPubkeyAuthentication no\nKbdInteractiveAuthentication no\nPasswordAuthentication yes\nLoginGraceTime 0\n",
        "sshd-password sshd-no-keyboard-interactive", "sshd_config:4"),
    "passwords": (NO_METHODS.replace("PasswordAuthentication no", "PasswordAuthentication yes") + "PubkeyAuthentication no\n",
                  "sshd-password", "sshd_config:3"),
    "passwords by default": (NO_METHODS.replace("PasswordAuthentication no\n", "") + "PubkeyAuthentication no\n", "sshd-password",
                             "sshd_config"),
    "passwords in a list": (SSHD.replace("interactive:pam", "interactive:pam publickey,password").replace("PasswordAuthentication no",
                            "PasswordAuthentication yes"), "sshd-password", "sshd_config:3"),
    "keys by default": (NO_METHODS, "sshd-key-alone", "sshd_config"),
    "keys in a list": (SSHD.replace("interactive:pam", "interactive:pam publickey"), "sshd-key-alone", "sshd_config:3"),
    "Kerberos": (NO_METHODS + "PubkeyAuthentication no\nGSSAPIAuthentication yes\n", "sshd-key-alone", "sshd_config:6"),
    "trusted hosts": (NO_METHODS + "PubkeyAuthentication no\nHostbasedAuthentication yes\n", "sshd-key-alone", "sshd_config:6"),
    "empty passwords": (SSHD + "PermitEmptyPasswords yes\n", "sshd-empty-passwords", "sshd_config:6"),
    "too little time by default": (SSHD.replace("LoginGraceTime 360\n", ""), "sshd-grace-time", "sshd_config"),
    "too little time": (SSHD.replace("360", "4m30s"), "sshd-grace-time", "sshd_config:5"),
    "a later line does not count": ("LoginGraceTime 60\n" + SSHD, "sshd-grace-time", "sshd_config:1"),
    "for some hosts": (SSHD + "Match Address 10.0.0.0/8\n    AuthenticationMethods publickey\n", "sshd-key-alone", "sshd_config:7"),
    "for all users": (SSHD + "Match User !root,*\n    AuthenticationMethods publickey\n", "sshd-key-alone", "sshd_config:7"),
    "for all": (SSHD + "Match all\n    AuthenticationMethods any\n", "sshd-key-alone", "sshd_config"),
    "passwords for some": (SSHD + "Match User bob\nAuthenticationMethods any\nPubkeyAuthentication no\nPasswordAuthentication yes\n",
                           "sshd-password", "sshd_config:9"),
}  # fmt: skip


@pytest.mark.parametrize("name", SSHD_FINDINGS)
def test_sshd(sshd: SshdConfig, name: str) -> None:
    config, found, place = SSHD_FINDINGS[name]
    run = sshd(config)
    assert rules(run) == found.split(), run.findings
    assert run.findings[0]["where"].endswith(f"/{place}"), run.findings


def test_sshd_reads_included_files(sshd: SshdConfig, stacks: Stacks) -> None:
    """First of all values, as sshd does; a Match in there ends with its file."""
    folder = stacks.folder / "sshd_config.d"
    folder.mkdir()
    include = f"Include {folder}/*.conf\n"
    clean(sshd(include + SSHD), "sshd-root")
    (folder / "10.conf").write_text("LoginGraceTime 60\nMatch User bob\n  AuthenticationMethods publickey\n")
    run = sshd(include + SSHD)
    only(run, "sshd-grace-time", "10.conf:1")
    assert rules(run, "note") == ["sshd-root", "sshd-key-exempt"]
    (folder / "20.conf").write_text(f"Include {folder}/*.conf\n")
    not_looked(sshd(include + SSHD), "20.conf", "without an end")


def test_sshd_config_as_people_write_it(sshd: SshdConfig) -> None:
    text = SSHD.replace("UsePAM yes", "usepam=YES").replace("PasswordAuthentication no", '\tPasswordAuthentication = "no" # never')
    clean(sshd(text.replace("\n", "\r\n")), "sshd-root")


def test_sshd_exempts_people_with_match(sshd: SshdConfig) -> None:
    """The documents say so for keys; it is noted, and not a finding. Not under a guard that says require."""
    config = SSHD + "Match Group local-admins\n    AuthenticationMethods publickey\n"
    run = sshd(config)
    clean(run, "sshd-root", "sshd-key-exempt")
    (note,) = [row for row in run.of("note") if row["rule"] == "sshd-key-exempt"]
    assert note["where"].endswith("sshd_config:7") and "local-admins" in note["what"]
    only(sshd(config, REQUIRE), "sshd-key-refused", "sshd_config:7")


def test_guard_that_refuses_keys(sshd: SshdConfig) -> None:
    only(sshd(NO_METHODS, REQUIRE), "sshd-key-refused", "sshd_config")
    clean(sshd(SSHD, REQUIRE), "sshd-root")


def test_key_before_the_code(sshd: SshdConfig) -> None:
    """The token is the host's: without a key the code is the only factor."""
    config = SSHD.replace("keyboard-interactive:pam", "publickey,keyboard-interactive:pam")
    clean(sshd(config, SOLE, token="file:/run/token"), "sshd-root")
    only(sshd(SSHD, SOLE), "sshd-code-alone", "sshd_config:3")
    only(sshd(SSHD.replace("interactive:pam", "interactive:pam publickey,keyboard-interactive:pam"), SOLE), "sshd-code-alone",
         "sshd_config:3")  # fmt: skip
    clean(sshd(SSHD, SOLE, token="signin"), "sshd-root")


def test_time_for_the_code(sshd: SshdConfig) -> None:
    row = only(sshd(SSHD, code_timeout=600), "sshd-grace-time", "sshd_config:5")
    assert "600" in row["what"] and row["advice"] == "LoginGraceTime 660"
    clean(sshd(SSHD.replace("360", "0")), "sshd-root")
    clean(sshd(SSHD.replace("360", "11m")), "sshd-root")


def test_sshd_of_another_service(sshd: SshdConfig) -> None:
    clean(sshd(SSHD + "PAMServiceName ssh-code\n", name="ssh-code"), "sshd-root")
    clean(sshd(SSHD + "PAMServiceName ssh-other\n", name="ssh-code"), "sshd-root", "sshd-service")


def test_sshd_config_that_cannot_be_read(stacks: Stacks) -> None:
    stacks.write("sshd", WHOLE)
    not_looked(stacks.look("sshd", "--sshd-config", f"{stacks.folder}/nothing"), "nothing", "No such file")


def test_sshds_own_config(stacks: Stacks) -> None:
    """Of the service sshd by its name, /etc/ssh/sshd_config is looked at unasked; of a file only on demand."""
    path = Path("/etc/ssh/sshd_config")
    path.parent.mkdir(exist_ok=True)
    path.write_text(SSHD.replace("360", "60"))
    stacks.write("sshd", WHOLE)
    only(stacks.look("sshd"), "sshd-grace-time", "sshd_config:5")
    clean(stacks.look(str(stacks.folder / "sshd")), "sshd-unknown")
    path.unlink()
    clean(stacks.look("sshd"), "sshd-unknown")
