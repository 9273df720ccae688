"""The README's set-up, as a test follows it: its steps, and in each of them what is to be written and what is to be typed.

An indented block is a session when it begins with a prompt: `# ` is root's, `$ ` the user's, and what follows up to the next
prompt is what the command prints. A line of `…` stands for any lines, and `…` within a line for the rest of it. Any other
block is what to write.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

HEADING = "## The shortest real set-up for sshd"
INDENT = "       "
ELLIPSIS = "…"

PROMPT = re.compile(r"(?P<prompt>[#$]) (?P<command>.*)")

# What differs from host to host, and from one time to the next.
DIFFERS = (
    (re.compile(r"\x1b\[\d*m"), ""),
    (re.compile(r"\b\d+\.\d\b"), "N.N"),
    (re.compile(r"\b\d{6}$"), "CODE"),
    (re.compile(r"\brhost=\S+"), "rhost=N"),
    (re.compile(r"\bms=\d+$"), "ms=N"),
)


@dataclass(frozen=True)
class Command:
    """One command of a session, and what it prints."""

    prompt: str
    text: str
    output: list[str]

    def printed(self, actual: str) -> bool:
        return same(self.output, actual)


@dataclass
class Step:
    """A step, with its text as a whole and each of its blocks."""

    text: str
    blocks: list[list[str]] = field(default_factory=list)

    @property
    def commands(self) -> list[Command]:
        return [command for block in self.blocks if PROMPT.fullmatch(block[0]) for command in _session(block)]

    @property
    def written(self) -> list[list[str]]:
        """The blocks that are to be written somewhere."""
        return [block for block in self.blocks if not PROMPT.fullmatch(block[0])]


def steps(srcdir: Path) -> dict[int, Step]:
    """The numbered steps of the set-up."""
    readme = (srcdir / "README.md").read_text(encoding="utf-8")
    section = readme.partition(f"\n{HEADING}\n")[2].partition("\n## ")[0]
    found: dict[int, Step] = {}
    for part in re.split(r"(?m)^(?=\d+\. )", section)[1:]:
        number, _, text = part.partition(". ")
        found[int(number)] = Step(text, _blocks(text))
    assert found, "the README has no such steps"
    return found


def _blocks(text: str) -> list[list[str]]:
    """A blank line is of a block when the block goes on after it."""
    found = re.findall(rf"(?:^{INDENT}.*\n(?:\n+(?={INDENT}))?)+", text, flags=re.MULTILINE)
    return [[line.removeprefix(INDENT) for line in block.splitlines()] for block in found]


def _session(block: list[str]) -> list[Command]:
    commands: list[Command] = []
    for line in block:
        if found := PROMPT.fullmatch(line):
            commands.append(Command(found["prompt"], found["command"], []))
        else:
            commands[-1].output.append(line)
    return commands


def same(expected: list[str], actual: str) -> bool:
    """Whether it printed that, but for what differs, and however wide the columns are."""
    lines = [_plain(line) for line in expected]
    pattern = "".join(r"(.*\n)*" if line == ELLIPSIS else re.escape(line).replace(ELLIPSIS, ".*") + r"\n" for line in lines)
    return re.fullmatch(pattern, "".join(_plain(line) + "\n" for line in actual.splitlines())) is not None


def _plain(line: str) -> str:
    for what, name in DIFFERS:
        line = what.sub(name, line)
    return re.sub(r" +", " ", line).strip()
