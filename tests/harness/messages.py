"""What the modules and programs can write into the log: the texts in their sources, and the tables that they read."""

import re
from pathlib import Path
from typing import NamedTuple

TOKEN = re.compile(
    r"""(?P<skip>/\*.*?\*/|\s+|^[ \t]*\#(?:[^\n\\]|\\.|\\\n)*)|"(?P<text>(?:[^"\\\n]|\\.)*)"|'(?:[^'\\]|\\.)*'|(?P<word>\w+)|.""",
    re.DOTALL | re.MULTILINE,
)
CONVERSION = re.compile(r"%[-+ #0]*(\*|\d+)?(\.(\*|\d+))?(hh|h|ll|l|z|j)?[a-zA-Z]")
ESCAPES = {r"\"": '"', r"\n": "\n", r"\r": "\r", r"\t": "\t", r"\\": "\\"}
FOLDERS = ("module", "helper", "command", "common")


def normal(text: str) -> str:
    """Each part that is not fixed becomes one %, and a path or the like that comes before the message is left out."""
    text = re.sub("%+", "%", text).strip()
    return re.sub(r"^(%: )+", "", text)


def formats(srcdir: Path) -> set[str]:
    """Every text in the sources that is a sentence or has a conversion, but for those that are translated: they are for the user."""
    found = set()
    for folder in FOLDERS:
        for path in sorted((srcdir / "src" / folder).glob("*.[ch]")):
            found |= {normal(CONVERSION.sub("%", text)) for text in _texts(path.read_text(encoding="utf-8")) if _is_message(text)}
    return found


def _is_message(text: str) -> bool:
    fixed = CONVERSION.sub("", text)
    return (" " in text or fixed != text) and re.search("[a-z]{2}", fixed) is not None


def _texts(source: str) -> list[str]:
    """Texts side by side, and names of macros between them, are one: each macro stands for something that is not fixed."""
    texts: list[str] = []
    parts: list[str] | None = None
    before = ["", ""]
    translated = False
    for token in TOKEN.finditer(source):
        if token["skip"] is not None:
            continue
        if token["text"] is not None:
            if parts is None:
                parts = []
                translated = before == ["N_", "("]
            parts.append(re.sub(r"\\.", lambda found: ESCAPES.get(found[0], found[0]), token["text"]))
            continue
        if parts is not None and token["word"] is not None and token["word"].isupper():
            parts.append("%s")
            continue
        if parts is not None and not translated:
            texts.append("".join(parts))
        parts = None
        before = [before[1], token[0]]
    return texts


NOTHING = "nothing is shown"


class Result(NamedTuple):
    """A value of result= that is a failure, by what the user reads and what PAM is told."""

    text: str
    code: str
    name: str


def failures(srcdir: Path) -> set[Result]:
    table = (srcdir / "src/common/errors.def").read_text(encoding="utf-8")
    outcomes = {
        name: (text or NOTHING, code)
        for name, code, text in re.findall(r'^OUTCOME\((\w+),\s*(\w+),\s*(?:N_\("([^"]*)"\)|NULL)\)', table, re.MULTILINE)
    }
    rows = re.findall(r'^ERROR\(\w+,\s*"([^"]+)",\s*(\w+),\s*(\w+),', table, re.MULTILINE)
    rows += [(name, outcome, outcome) for name, outcome in re.findall(r'^LOCAL\(\w+,\s*"([^"]+)",\s*(\w+),', table, re.MULTILINE)]
    assert len(outcomes) == len(re.findall("^OUTCOME", table, re.MULTILINE))
    assert len(rows) == len(re.findall("^(?:ERROR|LOCAL)", table, re.MULTILINE))
    return {Result(*outcomes[outcome], name) for name, *both in rows for outcome in both}
