"""As much of BSON (bsonspec.org) as Duo's answers need: documents of strings and documents."""

import struct
from typing import Mapping, Union

Value = Union[str, Mapping[str, "Value"]]


def document(value: Mapping[str, Value]) -> bytes:
    elements = b"".join(_element(name, value[name]) for name in value)
    return struct.pack("<i", len(elements) + 5) + elements + b"\0"


def _element(name: str, value: Value) -> bytes:
    if isinstance(value, str):
        text = value.encode() + b"\0"
        return b"\x02" + name.encode() + b"\0" + struct.pack("<i", len(text)) + text
    return b"\x03" + name.encode() + b"\0" + document(value)
