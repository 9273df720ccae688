"""The stand-in on the command line: `python3 tests/standin --directory DIR`."""

import argparse
import json
import os
import signal
import sys
import threading
from email.message import EmailMessage
from pathlib import Path
from typing import TextIO

# Started by its folder's name, the package is not on the path, but its own files are: put that right.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from standin import CodeMessage, Standin  # noqa: E402
from standin.signin import FLOWS  # noqa: E402

# --mfa: (the challenge, the option that it needs)
MFA = {
    "sms": ("SMS_MFA", "phone"),
    "email": ("EMAIL_OTP", "email"),
    "totp": ("SOFTWARE_TOKEN_MFA", "totp_secret"),
}


def main() -> int:
    options = parse()
    try:
        standin = Standin(
            options.directory, options.host, options.port, client_secret=options.client_secret
        )
        if options.user:
            add_user(standin, options)
        if options.flow:
            standin.pool.clients[standin.pool.client_id].flows = {f"ALLOW_{flow}" for flow in options.flow}
    except (OSError, ValueError) as error:
        print(f"standin: {error}", file=sys.stderr)
        return 2
    standin.pool.on_message = Mailbox(options.directory / "outbox").deliver
    with open_journal(options.directory / "journal.jsonl") as journal:
        standin.journal.on_answer = lambda entry: print(json.dumps(entry.record()), file=journal)
        with standin:
            run(standin, options.until_eof)
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="standin", description="A stand-in for Amazon Cognito on the loopback."
    )
    add = parser.add_argument
    add("--directory", type=Path, required=True, help="where certificates, messages and the journal go")
    add("--host", default="127.0.0.1", help="a loopback address")
    add("--port", type=int, default=0, help="0 takes a free one")
    add("--client-secret", help="the app client has this secret, and wants SECRET_HASH")
    add("--user", help="the one user of the pool")
    secret = parser.add_mutually_exclusive_group()
    secret.add_argument("--password", help="the user's password")
    secret.add_argument("--password-file", type=Path, help="a file whose first line is the password")
    add("--email", help="the user's e-mail address")
    add("--phone", help="the user's phone number, such as +15555550100")
    add("--mfa", action="append", choices=MFA, help="what follows the password; several: a choice")
    add("--totp-secret", help="base32, for an authenticator app")
    add("--flow", action="append", choices=sorted(FLOWS), help="the app client allows it; several: them")
    add("--until-eof", action="store_true", help="end when standard input does")
    options = parser.parse_args()
    if options.user and options.password is None and options.password_file is None:
        parser.error("--user needs --password or --password-file")
    for name in options.mfa or ():
        challenge, needed = MFA[name]
        if getattr(options, needed) is None:
            parser.error(f"--mfa {name} needs --{needed.replace('_', '-')}")
    return options


def add_user(standin: Standin, options: argparse.Namespace) -> None:
    password = options.password
    if password is None:
        password = options.password_file.read_text(encoding="utf-8").split("\n", 1)[0]
    given = {"email": options.email, "phone_number": options.phone}
    attributes = {name: value for name, value in given.items() if value is not None}
    user = standin.pool.add_user(options.user, password, **attributes)
    user.mfa = [MFA[name][0] for name in options.mfa or ()]
    user.totp_secret = options.totp_secret


def run(standin: Standin, until_eof: bool) -> None:
    """Say that it is ready, and wait for the end."""
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: over.set())
    if until_eof:
        threading.Thread(target=wait_for_eof, args=(over,), daemon=True).start()
    print(json.dumps(standin.config()), flush=True)
    over.wait()


def wait_for_eof(over: threading.Event) -> None:
    while os.read(0, 4096):
        pass
    over.set()


class Mailbox:
    """Each message as a text file: `0001.txt`, `0002.txt`, ..."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._count = 0
        directory.mkdir(exist_ok=True)

    def deliver(self, message: CodeMessage) -> None:
        """Atomically: who sees the file sees all of it."""
        self._count += 1
        draft = self._directory / ".draft"
        draft.write_text(mail(message), encoding="utf-8")
        draft.rename(self._directory / f"{self._count:04}.txt")


def mail(message: CodeMessage) -> str:
    purpose = "authentication" if message.challenge else "verification"
    text = EmailMessage()
    text["To"] = message.address
    text["Subject"] = f"Your {purpose} code"
    text["X-Username"] = message.user
    text["X-Attribute"] = message.attribute
    text["X-Delivery-Medium"] = message.medium
    text["X-Client-Metadata"] = json.dumps(message.client_metadata)
    text.set_content(f"Your {purpose} code is {message.code}\n")
    return text.as_string()


def open_journal(path: Path) -> TextIO:
    """The journal is lines of JSON. It holds passwords and tokens, so it is its owner's alone."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    return os.fdopen(descriptor, "w", encoding="utf-8", buffering=1)


if __name__ == "__main__":
    sys.exit(main())
