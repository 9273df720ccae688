"""What stands in the memory of a process, as root may read it."""

import re

# What is the kernel's own, and cannot be read.
UNREADABLE = ("[vvar]", "[vvar_vclock]", "[vsyscall]")
MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \S+ *(.*)")


def holds(pid: int, secrets: dict[str, str]) -> dict[str, list[str]]:
    """The secrets, by their names, that stand in a readable mapping, and where."""
    found: dict[str, list[str]] = {}
    for place, content in _mappings(pid):
        for name, secret in secrets.items():
            if secret.encode() in content:
                found.setdefault(name, []).append(place)
    return found


def _mappings(pid: int) -> list[tuple[str, bytes]]:
    found = []
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for start, end, rights, name in (MAPPING.fullmatch(line.rstrip("\n")).groups() for line in maps):
            if rights[0] != "r" or name in UNREADABLE:
                continue
            memory.seek(int(start, 16))
            found.append((name or "anonymous", _read(memory, int(end, 16) - int(start, 16))))
    return found


def _read(memory: object, length: int) -> bytes:
    """All that is there: a mapping of a file may be longer than the file."""
    content = b""
    try:
        while len(content) < length and (part := memory.read(length - len(content))):
            content += part
    except OSError:
        pass
    return content
