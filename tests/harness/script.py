"""A login as a plain text file: reads tests/cases/*.case. README.md says what such a file looks like.

`read` only reads: what the words of a file do, is test_cases.py's to know. What it cannot read, it refuses with the
file and the line.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterator

CALLS = ("authenticate", "acct_mgmt", "setcred", "open_session")
SETTINGS = ("stack", "config", "user", "pool", "fault", "group", "rhost", "tty")
EXPECTED = ("requests", "request", "sent", "log")
NEW_LOGIN = "new login"

ANSWER = re.compile(r"\{(?P<word>[^{}]*)\}|\\(?P<escape>x[0-9a-f]{2}|u[0-9a-f]{4}|[tnr\\{])|(?P<text>[^{\\])")
SIMPLE = {"t": "\t", "n": "\n", "r": "\r", "\\": "\\", "{": "{"}


class Mistake(Exception):
    """A case file that cannot be read, or that asks for what there is not."""

    def __init__(self, place: "Place", what: str) -> None:
        super().__init__(f"{place}: {what}")


@dataclass(frozen=True)
class Place:
    """A line of a file."""

    path: Path
    line: int

    def __str__(self) -> str:
        return f"{self.path.name}:{self.line}"


@dataclass(frozen=True)
class Entry:
    """A line at the margin: its first word, the rest, and the lines that stand beneath it."""

    place: Place
    word: str
    rest: str
    beneath: tuple[tuple[Place, str], ...]


@dataclass(frozen=True)
class Piece:
    """A part of an answer: text as it is typed, or a word in braces that stands for some."""

    text: str
    special: bool = False


@dataclass(frozen=True)
class Step:
    """A prompt, what happens while it waits, and the answer."""

    place: Place
    prompt: "re.Pattern[str]"
    hidden: bool
    directions: tuple[tuple[Place, str], ...]
    answer: tuple[Piece, ...]


@dataclass
class Call:
    """A call of libpam: the talk in it, the error messages after that, and the code expected of it."""

    place: Place
    name: str
    steps: list[Step] = field(default_factory=list)
    told: list[tuple[Place, str]] = field(default_factory=list)
    code: str = ""


@dataclass
class Case:
    """A file. `logins` are the calls, a list for each PAM handle."""

    path: Path
    title: str
    settings: list[Entry] = field(default_factory=list)
    logins: list[list[Call]] = field(default_factory=lambda: [[]])
    expected: list[Entry] = field(default_factory=list)

    def calls(self) -> Iterator[Call]:
        for login in self.logins:
            yield from login

    def all(self, word: str) -> list[Entry]:
        """The settings or expectations of that word."""
        return [entry for entry in [*self.settings, *self.expected] if entry.word == word]


def read(path: Path) -> Case:
    """The case in that file; Mistake."""
    title, *lines = path.read_text(encoding="utf-8").splitlines() or [""]
    if not title.strip() or title.startswith((" ", "#")):
        raise Mistake(Place(path, 1), "the first line is the title")
    case = Case(path, title)
    for entry in _entries(path, lines):
        _take(case, entry)
    if not all(case.logins):
        raise Mistake(Place(path, len(lines) + 1), f"no call: one of {', '.join(CALLS)}")
    return case


def _entries(path: Path, lines: list[str]) -> list[Entry]:
    entries: list[Entry] = []
    for number, line in enumerate(lines, 2):
        place = Place(path, number)
        if not line.strip() or line.startswith("#"):
            continue
        if line[0] not in " \t":
            word, _, rest = line.partition(" ")
            entries.append(Entry(place, word, rest.strip(), ()))
        elif not entries:
            raise Mistake(place, "an indented line belongs beneath another")
        else:
            last = entries[-1]
            entries[-1] = Entry(last.place, last.word, last.rest, (*last.beneath, (place, line.strip())))
    return entries


def _take(case: Case, entry: Entry) -> None:
    if entry.word in CALLS:
        case.logins[-1].append(_call(entry))
        return
    if entry.word not in ("stack", "requests") and entry.beneath:
        raise Mistake(entry.beneath[0][0], f"nothing stands beneath {entry.word}")
    if f"{entry.word} {entry.rest}" == NEW_LOGIN:
        case.logins.append([])
    elif entry.word in SETTINGS:
        case.settings.append(entry)
    elif entry.word in EXPECTED:
        case.expected.append(entry)
    else:
        known = ", ".join((*SETTINGS, *CALLS, NEW_LOGIN, *EXPECTED))
        raise Mistake(entry.place, f"{entry.word!r} is none of {known}")


# The talk


def _call(entry: Entry) -> Call:
    """`authenticate` with a talk beneath it, or `setcred = PAM_SUCCESS`."""
    call = Call(entry.place, entry.word)
    lines = list(entry.beneath)
    if entry.rest:
        lines.append((entry.place, entry.rest))
    reader = _TalkReader(call)
    for place, line in lines:
        reader.take(place, line)
    if not call.code:
        raise Mistake(entry.place, f"{entry.word} does not say how it ends: = PAM_…")
    return call


class _TalkReader:
    """Takes the lines of a talk one by one."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._lines: list[str] = []
        self._asked: tuple[Place, bool] | None = None
        self._directions: list[tuple[Place, str]] = []

    def take(self, place: Place, line: str) -> None:
        if self._call.code:
            raise Mistake(place, "the call has ended above")
        mark, text = line[0], line[1:].strip()
        if line.startswith("(") and line.endswith(")"):
            self._need_prompt(place)
            self._directions.append((place, line[1:-1]))
        elif mark in "|?*":
            self._prompt(place, mark, line[1:])
        elif mark == ">":
            self._answer(place, text)
        elif mark == "!":
            self._call.told.append((place, text))
        elif mark == "=":
            self._end(place, text)
        else:
            raise Mistake(place, f"a line of a talk begins with one of | ? * ( > ! =, not with {mark!r}")

    def _prompt(self, place: Place, mark: str, text: str) -> None:
        if self._asked or self._call.told:
            raise Mistake(place, "the question above has no answer" if self._asked else "a prompt after the end")
        self._lines.append(_pattern(place, text))
        if mark != "|":
            self._asked = (place, mark == "*")

    def _answer(self, place: Place, text: str) -> None:
        asked, hidden = self._need_prompt(place)
        prompt = re.compile(r"\n".join(self._lines) + " ")
        directions = tuple(self._directions)
        self._call.steps.append(Step(asked, prompt, hidden, directions, pieces(place, text)))
        self._lines, self._asked, self._directions = [], None, []

    def _end(self, place: Place, text: str) -> None:
        if self._lines:
            raise Mistake(place, "the prompt above has no answer")
        if not re.fullmatch("PAM_[A-Z_]+", text):
            raise Mistake(place, f"{text!r} is no PAM code")
        self._call.code = text

    def _need_prompt(self, place: Place) -> tuple[Place, bool]:
        if self._asked is None:
            raise Mistake(place, "there is no question above")
        return self._asked


def _pattern(place: Place, text: str) -> str:
    """A line of a prompt: as it stands after one blank, or a regular expression after `~`."""
    if not text.startswith("~"):
        return re.escape(text[1:] if text.startswith(" ") else text)
    try:
        return f"(?:{re.compile(text[1:].strip()).pattern})"
    except re.error as error:
        raise Mistake(place, f"not a regular expression: {error}") from None


def pieces(place: Place, text: str) -> tuple[Piece, ...]:
    """Text with its escapes resolved, and the words in braces apart."""
    pieces: list[Piece] = []
    at = 0
    while at < len(text):
        found = ANSWER.match(text, at)
        if not found:
            raise Mistake(place, f"what does {text[at:]!r} mean? \\x1b, \\u202e, \\t, \\n, \\r, \\\\ and \\{{ are known")
        pieces.append(Piece(found["word"], True) if found["word"] is not None else Piece(_unescaped(found)))
        at = found.end()
    return tuple(pieces)


def _unescaped(found: "re.Match[str]") -> str:
    """The character; `\\xff` is that very byte."""
    escape = found["escape"]
    if escape is None:
        return found["text"]
    if escape[0] == "x":
        return bytes.fromhex(escape[1:]).decode("utf-8", "surrogateescape")
    return chr(int(escape[1:], 16)) if escape[0] == "u" else SIMPLE[escape]
