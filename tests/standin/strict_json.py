"""JSON read strictly (RFC 8259): what Python's reader tolerates is refused."""

import json
from typing import Any


def loads(data: bytes) -> Any:
    """A JSON text in UTF-8; ValueError for duplicate members, NaN, lone surrogates, or endless nesting."""
    try:
        value = json.loads(data.decode(), object_pairs_hook=_unique, parse_constant=_refuse)
        json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError("duplicate member")
    return dict(pairs)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
