"""Service files of Linux-PAM, as lines that can be edited. See pam.d(5)."""

import re
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any, Iterable, Mapping

from harness.shipped import COMMON

LINE = re.compile(r"(?P<type>-?\w+)\s+(?P<control>\[[^]]*\]|\S+)\s+(?P<module>\S+)(?P<arguments>.*)")
ARGUMENT = re.compile(r"\[[^]]*\]|\S+")
AT_INCLUDE = "@include"

# As Debian has it. A service that has no line of a type gets those of `other`.
OTHER = "other"
SYSTEM = {**COMMON, OTHER: "@include common-auth\n@include common-account\n@include common-password\n@include common-session\n"}


@dataclass(frozen=True)
class Line:
    """One line. `control` is a word or `[value=action ...]`; what is included has its file as `module`."""

    type: str
    control: str
    module: str
    arguments: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join(filter(None, (self.type, self.control, self.module, *self.arguments)))

    @cached_property
    def phase(self) -> str:
        return self.type.removeprefix("-")

    @property
    def tokens(self) -> tuple[str, ...]:
        """What stands in the brackets; nothing for a word."""
        return tuple(self.control[1:-1].split()) if self.control.startswith("[") else ()


Lines = tuple[Line, ...]


@dataclass(frozen=True)
class Stack:
    """A service with those of the files it includes that may be edited. The first one is the service."""

    files: tuple[tuple[str, Lines], ...]

    @property
    def service(self) -> str:
        return self.files[0][0]

    @cached_property
    def by_name(self) -> Mapping[str, Lines]:
        """All files, the system's own among them."""
        return {**system(), **dict(self.files)}

    @cached_property
    def chains(self) -> dict[str, Any]:
        """What libpam.py makes of each phase, once."""
        return {}

    def having(self, file: str, lines: Iterable[Line]) -> "Stack":
        """The same with other lines in that file."""
        changed = tuple(lines)
        return replace(self, files=tuple((name, changed if name == file else old) for name, old in self.files))

    def __str__(self) -> str:
        return "".join(f"# {name}\n{text(lines)}" for name, lines in self.files)


def stack(contents: Mapping[str, str]) -> Stack:
    """From the text of each file."""
    return Stack(tuple((name, parse(content)) for name, content in contents.items()))


@cache
def system() -> Mapping[str, Lines]:
    """What a service may include, and what it gets where it says nothing."""
    return {name: parse(content) for name, content in SYSTEM.items()}


def parse(content: str) -> Lines:
    """The lines of a file without comments; ValueError for what is none."""
    joined = content.replace("\\\n", " ")
    stripped = (line.partition("#")[0].strip() for line in joined.splitlines())
    return tuple(_parse_line(line) for line in stripped if line)


def _parse_line(line: str) -> Line:
    if line.startswith(AT_INCLUDE):
        return Line(AT_INCLUDE, "", line.split()[1])
    found = LINE.fullmatch(line)
    if not found:
        raise ValueError(f"not a line of a service file: {line!r}")
    return Line(found["type"], found["control"], found["module"], tuple(ARGUMENT.findall(found["arguments"])))


def text(lines: Lines) -> str:
    return "".join(f"{line}\n" for line in lines)
