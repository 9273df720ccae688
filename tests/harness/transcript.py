"""The transcripts in docs/stacks.md: what a real login showed and logged, in the places that are marked for it."""

import re
from pathlib import Path
from typing import Sequence

from .people import OTHER, USER
from .sshd import ADDRESS
from .stage import SERVICE, Watched

MARK = re.compile(
    r"(?P<begin><!-- transcript (?P<name>[\w-]+) -->\n)(?P<text>.*?)(?P<end><!-- end of the transcript -->\n)", re.DOTALL
)

# What is another in each run, or a test's own, and what stands for it. Codes are told apart by their order.
PLAIN = (
    (re.compile(rf"{USER}@{ADDRESS}"), "alice@host.example.com"),
    (re.compile(USER), "alice"),
    (re.compile(OTHER), "bob"),
    (re.compile(ADDRESS), "192.0.2.7"),
    (re.compile(SERVICE), "example"),
    (re.compile(r"(request_id|ms)=(?!-)\S+"), r"\1=…"),
    (re.compile(r'why="[^";]*; '), 'why="…; '),  # the words of the libraries beneath
)
CODE = re.compile(r"(?<=: )\d{6}$", re.MULTILINE)
CODES = ("314159", "271828", "161803", "141421")


def of(command: str, screen: str, watched: Watched) -> str:
    """One login: what the person typed and saw, and the outcomes in the log."""
    log = [line.text for line in watched.log if "result=" in line.text or "account:" in line.text]
    return _fenced([f"$ {command}", *screen.splitlines()]) + "\nIn the log:\n\n" + _fenced(log)


def _fenced(lines: Sequence[str]) -> str:
    text = "\n".join(line.rstrip() for line in lines)
    for pattern, instead in PLAIN:
        text = pattern.sub(instead, text)
    typed = list(dict.fromkeys(CODE.findall(text)))
    text = CODE.sub(lambda found: CODES[typed.index(found[0])], text)
    return f"```text\n{text}\n```\n"


class Page:
    """A page with marked places."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.places = {found["name"]: found["text"] for found in MARK.finditer(path.read_text(encoding="utf-8"))}

    def put(self, name: str, text: str) -> None:
        def place(found: "re.Match[str]") -> str:
            return found["begin"] + text + found["end"] if found["name"] == name else found[0]

        assert name in self.places, f"{self._path} has no place for {name}"
        self._path.write_text(MARK.sub(place, self._path.read_text(encoding="utf-8")), encoding="utf-8")
