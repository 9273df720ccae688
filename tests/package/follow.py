"""Somebody who sets a host up by the README, word for word: what it says to write and to type is taken from it, and what it
says is printed is compared. Only the pool is another one, and the endpoint's name leads to the stand-in.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Union

import pexpect

from harness import readme
from host import LISTENS, NAME, Host
from standin import Standin

USER, LOCAL_PASSWORD = "alice", "local-canary-passw0rd"
PASSWORD, EMAIL = "Cognito-canary-passw0rd", "alice@example.org"
REGION = "eu-west-1"
ENDPOINT = f"cognito-idp.{REGION}.amazonaws.com"

AUTHORITIES = "/usr/local/share/ca-certificates"
CONFIG = "/etc/security/pam_cognito.conf"
SERVICE = "/etc/pam.d/sshd"
SSHD_CONFIG = "/etc/ssh/sshd_config.d/01-cognito.conf"

INSTALL, POOL, STACK, SSHD, LOOK, LOG_IN = 1, 2, 3, 4, 5, 6

PROMPTS = {"Password": LOCAL_PASSWORD, "Cognito password": PASSWORD}
BY_SSHD = f"{USER}@{NAME}'s password: "
SHELL = f"{USER}@{NAME}:~$ "

Answer = Union[str, Callable[[], str]]


def lead_to_standin(host: Host, standin: Standin) -> None:
    """As a name server and the authorities of the system would."""
    host.write("/etc/hosts", host.read("/etc/hosts") + f"127.0.0.1 {ENDPOINT}\n")
    host.path(AUTHORITIES).mkdir(parents=True, exist_ok=True)
    host.write(f"{AUTHORITIES}/standin.crt", standin.ca_file.read_text())
    host.run("update-ca-certificates")


@dataclass(frozen=True)
class Installed:
    """The layers of a host on which the package is, and what was printed when it came there."""

    layers: list[Path]
    printed: list[tuple[readme.Command, str]]


class Follower:
    """Goes the steps one by one."""

    def __init__(self, host: Host, standin: Standin, steps: dict[int, readme.Step]) -> None:
        self.host = host
        self.standin = standin
        self.steps = steps

    def as_in_the_readme(self, text: str) -> str:
        """With the README's pool in the place of the stand-in's."""
        theirs = dict(re.findall(r"(\w+) += (\S+)", "\n".join(self.steps[POOL].written[0])))
        text = text.replace(self.standin.pool.id, theirs["user_pool_id"])
        return text.replace(self.standin.pool.client_id, theirs["client_id"])

    def name_the_pool(self) -> None:
        (lines,) = self.steps[POOL].written
        ours = {"user_pool_id": self.standin.pool.id, "client_id": self.standin.pool.client_id}
        written = [re.sub(r"\S+$", ours.get(line.split()[0], line.split()[-1]), line) for line in lines]
        assert CONFIG in self.steps[POOL].text
        self.host.write(CONFIG, "\n".join(written) + "\n")

    def edit_the_stack(self) -> None:
        """One line after the first factor, one above all account lines."""
        (auth, account) = self.steps[STACK].written[0]
        text = re.sub("(?m)^(@include common-auth)$", rf"\1\n{auth}", self.host.read(SERVICE), count=1)
        text = re.sub("(?m)^(account )", rf"{account}\n\1", text, count=1)
        assert auth in text and account in text and SERVICE in self.steps[STACK].text
        self.host.write(SERVICE, text)

    def write_sshd_config(self) -> None:
        (lines,) = self.steps[SSHD].written
        assert SSHD_CONFIG in self.steps[SSHD].text
        self.host.write(SSHD_CONFIG, "\n".join(lines) + "\n")

    def type_commands(self, number: int) -> None:
        """Those of root's in a step; each prints what the README says."""
        for command in self.steps[number].commands:
            if command.prompt == "#":
                said = self.as_in_the_readme(self.host.run(command.text))
                print(f"# {command.text}\n{said}")
                assert command.printed(said), f"{command.text} printed:\n{said}\nnot:\n" + "\n".join(command.output)

    def set_up(self) -> None:
        """All of it, up to the login."""
        self.name_the_pool()
        self.type_commands(POOL)
        self.edit_the_stack()
        self.write_sshd_config()
        self.look_and_reload()

    def look_and_reload(self) -> None:
        self.type_commands(LOOK)
        self.host.wait_for_log(LISTENS)

    def reload(self) -> None:
        """Where the stack is another one than the README's."""
        self.host.run(self.steps[LOOK].commands[-1].text)
        self.host.wait_for_log(LISTENS)

    def turn_the_profile_on(self) -> None:
        (command,) = re.findall(r"`(pam-auth-update --enable [\w-]+)`", self.steps[LOG_IN].text)
        self.host.run(command)

    def log_in(self, *codes: Answer) -> "Login":
        """The login of that step, with these answers to the questions for a code."""
        command = next(command for command in self.steps[LOG_IN].commands if command.prompt == "$")
        return Login(self.host, command.text, list(codes))


class Login:
    """One login at a terminal. `screen` is what was seen, with what was typed, up to the shell's prompt or to the end."""

    def __init__(self, host: Host, command: str, codes: list[Answer]) -> None:
        self.let_in = False
        self.screen = ""
        host.log += host.syslog.take()
        before = len(host.log)
        child = host.spawn("sh", "-c", f"exec {command}")
        while self._go_on(child, codes):
            pass
        if self.let_in:
            child.sendline("exit")
            child.expect(pexpect.EOF)
        child.close(force=True)
        host.log += host.syslog.take()
        self.log = [line.text for line in host.log[before:] if "pam_cognito" in line.text]

    def _go_on(self, child: "pexpect.spawn[str]", codes: list[Answer]) -> bool:
        """Answer the next question; False where there is none."""
        asked = rf"\({USER}@{NAME}\) (?P<name>[A-Z][\w ]*): "
        found = child.expect([re.escape(SHELL), pexpect.EOF, asked, BY_SSHD, r"Code \(empty for a new one\): "])
        self.screen += _seen(child)
        self.let_in = found == 0
        if found < 2:
            return False
        if child.after == BY_SSHD:
            child.sendline(LOCAL_PASSWORD)
        elif name := child.match.groupdict().get("name"):
            child.sendline(PROMPTS[name])
        else:
            answer = codes.pop(0)
            child.sendline(answer() if callable(answer) else answer)
        return True


def _seen(child: "pexpect.spawn[str]") -> str:
    after = child.after if isinstance(child.after, str) else ""
    return re.sub(r"\r+", "", str(child.before) + after)
