"""Requests and replies measured against the service's API model, `cognito-idp.json`.

Messages are worded as the service words them.
"""

import json
import re
import unicodedata
from pathlib import Path
from typing import Any

from . import strict_json
from .errors import PROTOCOL_ERRORS, CognitoError

MODEL = Path(__file__).with_name("cognito-idp.json")

JSON_TYPES: dict[str, type] = {
    "structure": dict, "map": dict, "list": list, "string": str, "integer": int, "boolean": bool,
}  # fmt: skip

# constraint: (is it kept?, what the service says about it)
CONSTRAINTS = {
    "min": (
        lambda value, limit: len(value) >= limit,
        "Member must have length greater than or equal to {}",
    ),
    "max": (
        lambda value, limit: len(value) <= limit,
        "Member must have length less than or equal to {}",
    ),
    "pattern": (
        lambda value, pattern: matches(pattern, value),
        "Member must satisfy regular expression pattern: {}",
    ),
    "enum": (
        lambda value, known: value in known,
        "Member must satisfy enum value set: {}",
    ),
}


class Mistyped(Exception):
    """A JSON value of another type than the model's."""


def matches(pattern: str, value: str) -> bool:
    r"""Full match of one of the model's patterns.

    Python's `re` has no `\p{L}`. The model's patterns use nothing but major categories and white space in
    such classes, so each character is replaced by its category's letter, and the class asks for letters.
    """
    if r"\p{" in pattern:
        pattern = re.sub(r"\\p\{(\w)\}", r"\1", pattern)
        value = "".join(c if c in "\t\n\r " else unicodedata.category(c)[0] for c in value)
    return re.fullmatch(pattern, value, re.ASCII) is not None


class Unmodelled(dict[str, Any]):
    """An answer that the model forbids and a test asked for, such as a challenge of the years to come."""


class Visit:
    """One walk through a JSON value along its shape; collects what is wrong, returns what is known."""

    def __init__(self, shapes: dict[str, Any]) -> None:
        self._shapes = shapes
        self.complaints: list[str] = []
        self.unknown: list[str] = []

    def value(self, name: str, value: Any, path: str = "") -> Any:
        shape = self._shapes[name]
        kind = shape["type"]
        if type(value) is not JSON_TYPES[kind]:  # isinstance would take true for an integer
            raise Mistyped(f"{type(value).__name__.upper()}_VALUE can not be converted to a {kind}")
        if kind not in ("structure", "map", "list"):
            self._constraints(shape, value, path)
            return value
        return getattr(self, f"_{kind}")(shape, value, path)

    def _structure(self, shape: dict[str, Any], value: dict[str, Any], path: str) -> dict[str, Any]:
        members = shape["members"]
        given = {name: item for name, item in value.items() if item is not None}
        self.unknown += [_join(path, name) for name in given if name not in members]
        for name in shape.get("required", ()):
            if name not in given:
                absent = self._shapes[members[name]["shape"]]
                self._complain(absent, None, _join(path, name), "Member must not be null")
        return {
            name: self.value(members[name]["shape"], item, _join(path, name))
            for name, item in given.items()
            if name in members
        }

    def _map(self, shape: dict[str, Any], value: dict[str, Any], path: str) -> dict[str, Any]:
        for key in value:
            self.value(shape["key"]["shape"], key, path)
        return {k: self.value(shape["value"]["shape"], v, f"{path}.{k}") for k, v in value.items()}

    def _list(self, shape: dict[str, Any], value: list[Any], path: str) -> list[Any]:
        member = shape["member"]["shape"]
        return [self.value(member, v, f"{path}.{i}.member") for i, v in enumerate(value, 1)]

    def _constraints(self, shape: dict[str, Any], value: Any, path: str) -> None:
        for name, (kept, text) in CONSTRAINTS.items():
            if name in shape and not kept(value, shape[name]):
                limit = f"[{', '.join(shape[name])}]" if name == "enum" else shape[name]
                self._complain(shape, value, path, text.format(limit))

    def _complain(self, shape: dict[str, Any], value: Any, path: str, text: str) -> None:
        shown = "null" if value is None else f"'{value}'"
        shown = "" if shape.get("sensitive") else f" {shown}"
        self.complaints.append(f"Value{shown} at '{path}' failed to satisfy constraint: {text}")


def _join(path: str, member: str) -> str:
    """The service names members in camel case with a small first letter."""
    small = member[:1].lower() + member[1:]
    return f"{path}.{small}" if path else small


class Model:
    """The operations' shapes."""

    def __init__(self) -> None:
        document = json.loads(MODEL.read_text(encoding="utf-8"))
        self.target_prefix: str = document["metadata"]["targetPrefix"]
        self._operations: dict[str, Any] = document["operations"]
        self._shapes: dict[str, Any] = document["shapes"]

    def request(self, operation: str, body: bytes) -> dict[str, Any]:
        """The known members of a request, or the error with which the service refuses it."""
        visit = Visit(self._shapes)
        try:
            known = visit.value(self._operations[operation]["input"]["shape"], _parse(body))
        except Mistyped as error:
            raise CognitoError("SerializationException", str(error)) from None
        if visit.complaints:
            count = len(visit.complaints)
            plural = "s" if count > 1 else ""
            text = f"{count} validation error{plural} detected: {'; '.join(visit.complaints)}"
            raise CognitoError("InvalidParameterException", text)
        return known

    def check_reply(self, operation: str, payload: dict[str, Any]) -> None:
        """AssertionError when the stand-in itself is about to answer what Cognito never could."""
        if isinstance(payload, Unmodelled):
            return
        visit = Visit(self._shapes)
        try:
            visit.value(self._operations[operation]["output"]["shape"], payload)
        except Mistyped as error:
            raise AssertionError(f"{operation}: {error}") from error
        wrong = visit.complaints + [f"unknown member {name}" for name in visit.unknown]
        if wrong:
            raise AssertionError(f"{operation}: {'; '.join(wrong)}")

    def check_error(self, operation: str, name: str) -> None:
        """AssertionError for an error that this operation does not list."""
        listed = {error["shape"] for error in self._operations[operation]["errors"]}
        if name not in listed | PROTOCOL_ERRORS:
            raise AssertionError(f"{operation} never answers {name}")


def _parse(body: bytes) -> Any:
    try:
        return strict_json.loads(body)
    except ValueError:
        raise Mistyped("The request body is not JSON") from None
