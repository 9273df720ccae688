"""The log's line on an outcome, read as strictly as the manual describes it."""

import re

from .syslog import Line

KEYS = ("user", "service", "rhost", "attribute", "medium", "result", "tries", "sends", "request_id", "ms")

VALUE = r'[!#-<>-\[\]-~]|\\x[0-9a-f]{2}'  # printable; no blank, quote, = or backslash but in \xNN
NUMBERS = ("tries", "sends", "ms")
PAIRS = " ".join(rf"{key}=(?P<{key}>{'[0-9]+' if key in NUMBERS else f'(?:{VALUE})+'})" for key in KEYS)
FORM = re.compile(rf'pam_cognito_(?:code|confirm)\([^)]*\): {PAIRS}(?: why="(?P<why>[ !#-\[\]-~]+)")?')


def read(line: Line) -> dict[str, str]:
    """Its keys and values; AssertionError when it is not of that form. `why` is there when the line has it."""
    found = FORM.fullmatch(line.raw)
    assert found, f"not an outcome as the manual has it: {line.raw!r}"
    return {key: value for key, value in found.groupdict().items() if value is not None}


def read_all(lines: list[Line]) -> list[dict[str, str]]:
    """The outcomes among what a login logged: one line each, every one of them of that form."""
    told = [line for line in lines if line.at_least("notice") and re.search(r"\bresult=", line.text)]
    return [read(line) for line in told]
