"""The real sshd on the loopback, and the real ssh at a terminal.

sshd is set up as the comment of its stack says, and runs in the private view of the machine: its service is /etc/pam.d/sshd
there.
"""

import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Iterator, Mapping, Sequence, Union

import pytest

from . import dialogue, leftovers, shipped
from .build import Build
from .dialogue import Step
from .machine import GROUND
from .people import USER
from .stage import Stage, Value
from .terminal import INSIDE, Result

PROGRAM = Path("/usr/sbin/sshd")
FOLDER = GROUND / "sshd"
HOST_KEY = FOLDER / "host-key"
USER_KEY = FOLDER / "user-key"
OTHER_KEY = FOLDER / "other-key"
KNOWN_HOSTS = FOLDER / "known-hosts"
CONFIG = FOLDER / "sshd_config"
ADDRESS = "127.0.0.1"

# Of the server: what a test needs beside the lines under test.
OWN = f"""
ListenAddress {ADDRESS}
HostKey {HOST_KEY}
AuthorizedKeysFile {FOLDER}/keys-of-%u
PidFile none
PrintLastLog no
AcceptEnv SSH_AUTH_INFO_0 LANG
"""

# Of the client: nothing of the caller's own, and one key at most.
CLIENT = f"""
UserKnownHostsFile {KNOWN_HOSTS}
GlobalKnownHostsFile none
StrictHostKeyChecking yes
IdentityFile none
IdentitiesOnly yes
IdentityAgent none
"""


def at(text: str, user: str = USER) -> str:
    """A prompt as ssh shows it: it says whose it is."""
    return f"({user}@{ADDRESS}) {text}"


def missing() -> str | None:
    """Why there can be no such login here."""
    if not PROGRAM.exists():
        return f"{PROGRAM} is missing: package openssh-server"
    return None if shutil.which("ssh") else "ssh is missing: package openssh-client"


def furnish() -> None:
    """Keys: one of the host, one that the user may enter with, and one that nobody knows."""
    if FOLDER.exists():
        return
    FOLDER.mkdir()
    for key in (HOST_KEY, USER_KEY, OTHER_KEY):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key], check=True)
    (FOLDER / f"keys-of-{USER}").write_text(_public(USER_KEY))
    (FOLDER / "client").write_text(CLIENT)
    Path("/var/log/btmp").chmod(0o600)


def _public(key: Path) -> str:
    return key.with_suffix(".pub").read_text()


Given = Union[str, Callable[[], str]]


class Conversation:
    """One round of keyboard-interactive, and a session if it comes to one. `prompts` are the texts, and whether the answer is
    shown."""

    def __init__(self, port: int, answers: list[Given], user: str, patience: float) -> None:
        paramiko = pytest.importorskip("paramiko")
        self.prompts: list[tuple[str, bool]] = []
        self.typed: list[str] = []
        self.let_in = False
        self._answers = answers
        transport = paramiko.Transport((ADDRESS, port))
        transport.banner_timeout = transport.auth_timeout = patience
        try:
            transport.start_client(timeout=patience)
            transport.auth_interactive(user, self._answer)
            with transport.open_session(timeout=patience) as session:
                session.exec_command("true")
                self.let_in = session.recv_exit_status() == 0
        except (paramiko.SSHException, GoneAway):
            pass
        finally:
            transport.close()

    def _answer(self, title: str, instructions: str, prompts: list[tuple[str, bool]]) -> list[str]:
        self.prompts += prompts
        if len(prompts) > len(self._answers):
            raise GoneAway
        given = [self._answers.pop(0) for _ in prompts]
        self.typed += (said := [one() if callable(one) else one for one in given])
        return said


class GoneAway(Exception):
    """The client has no answer."""


class Server:
    """A running sshd."""

    def __init__(self, stage: Stage, lines: Sequence[str]) -> None:
        self.stage = stage
        self._process, self.port = _start(stage.build, lines)
        KNOWN_HOSTS.write_text(f"[{ADDRESS}]:{self.port} {_public(HOST_KEY)}")

    def command(self, *options: str, user: str = USER, key: Path | None = None, run: str = f"echo {INSIDE}") -> list[str]:
        """The client's command line. `options` are lines of ssh_config."""
        identity = [f"IdentityFile={key}"] if key else []
        settings = [word for option in (*options, *identity) for word in ("-o", option)]
        return ["ssh", *settings, "-F", str(FOLDER / "client"), "-p", str(self.port), f"{user}@{ADDRESS}", run]

    def login(
        self, steps: Sequence[Step], *options: str, environment: Mapping[str, str] | None = None, **how: object
    ) -> Result:
        """Log in and run a command there. `how` is for `command`."""
        with self.stage.watched() as watched:
            command = self.command(*options, **how)  # type: ignore[arg-type]
            talk = dialogue.hold(command, self.stage.build, dict(environment or {}), steps)
            self.wait_until_idle()
            watched.typed = [prompt.typed for prompt in talk.prompts]
        return Result(talk, watched)

    def converse(self, answers: Sequence[Given], user: str = USER) -> "Conversation":
        """Log in with a client that is not bound to a terminal, and takes an answer of any length. What is asked beyond the
        answers stays unanswered: the client goes away."""
        with self.stage.watched() as watched:
            conversation = Conversation(self.port, list(answers), user, self.stage.build.patience)
            self.wait_until_idle()
            watched.typed = conversation.typed
        return conversation

    def sessions(self) -> list[int]:
        """The processes that serve somebody."""
        return leftovers.descendants(self._process.pid)

    def wait_until_idle(self) -> None:
        """AssertionError when somebody is still served after a while."""
        end = time.monotonic() + leftovers.PATIENCE
        while left := self.sessions():
            assert time.monotonic() < end, f"left behind: {left}"
            time.sleep(0.01)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()


def _start(build: Build, lines: Sequence[str]) -> tuple[subprocess.Popen[bytes], int]:
    """An sshd that answers, and its port. It cannot say which port it took, so one is looked for and may be lost again."""
    while True:
        with socket.create_server((ADDRESS, 0)) as probe:
            port = probe.getsockname()[1]
        CONFIG.write_text("\n".join([f"Port {port}", OWN, *lines]) + "\n")
        subprocess.run([PROGRAM, "-t", "-f", CONFIG], check=True)
        process = subprocess.Popen(
            [PROGRAM, "-D", "-f", CONFIG], env=build.host_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        if _answers(process, port, build.patience):
            return process, port
        process.wait()


def _answers(process: "subprocess.Popen[bytes]", port: int, patience: float) -> bool:
    """Wait until it listens; False when it has ended. A connection to try it would leave lines in the log."""
    end = time.monotonic() + patience
    listening = f"0100007F:{port:04X} 00000000:0000 0A"
    while process.poll() is None:
        if listening in Path("/proc/net/tcp").read_text():
            return True
        assert time.monotonic() < end, "sshd does not answer"
        time.sleep(0.01)
    return False


class Sshd:
    """`with sshd("sshd", key=value, ...) as server:` is a server with this stack of pam.d-examples for as long as the block
    lasts. `before` are lines of sshd_config that come first, and so count; `own` are there instead of the file's."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    @contextmanager
    def __call__(
        self, name: str, before: Sequence[str] = (), own: Sequence[str] = (), **config: Value
    ) -> Iterator[Server]:
        furnish()
        self.stage.write_config(**config)
        shipped.install(self.stage, name, "sshd")
        server = Server(self.stage, [*before, *(own or shipped.settings(self.stage, name))])
        try:
            yield server
        finally:
            server.stop()
