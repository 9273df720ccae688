"""A process as /proc shows it to root."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """Each property reads anew."""

    pid: int

    @property
    def folder(self) -> Path:
        return Path(f"/proc/{self.pid}")

    @property
    def name(self) -> str:
        """What runs in it; "" when it has ended."""
        try:
            return (self.folder / "comm").read_text().rstrip("\n")
        except OSError:
            return ""

    @property
    def ended(self) -> bool:
        """Whether or not somebody has taken notice of it."""
        try:
            return self.status["State"].startswith("Z")
        except OSError:
            return True

    @property
    def status(self) -> dict[str, str]:
        lines = (self.folder / "status").read_text().splitlines()
        return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}

    @property
    def limits(self) -> dict[str, tuple[str, str]]:
        """The soft and the hard limit, by the kernel's words for what is limited."""
        heading, *lines = (self.folder / "limits").read_text().splitlines()
        soft = heading.index("Soft")
        found = ((line[:soft].strip(), line[soft:].split()) for line in lines)
        return {name: (values[0], values[1]) for name, values in found}

    @property
    def session(self) -> int:
        return int((self.folder / "stat").read_text().rpartition(")")[2].split()[3])

    @property
    def directory(self) -> str:
        return os.readlink(self.folder / "cwd")

    @property
    def environment(self) -> bytes:
        return (self.folder / "environ").read_bytes()

    @property
    def dumpable(self) -> bool:
        """What is not belongs to root in /proc, whoever it runs as; of root's own processes this cannot tell."""
        return (self.folder / "environ").stat().st_uid != 0

    @property
    def files(self) -> dict[int, str]:
        folder = self.folder / "fd"
        return {int(name): os.readlink(folder / name) for name in os.listdir(folder)}
