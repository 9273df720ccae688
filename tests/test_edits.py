"""The edits of the grid themselves: none is forgotten, and none counts twice."""

from pathlib import Path

import pytest
from grid import edits
from grid.edits import Kind
from grid.shipped import BLOCKS, SHIPPED, Shipped
from grid.stack import Line, Stack, parse, stack

EXAMPLES = Path(__file__).parent.parent / "pam.d-examples"

BRACKETS = "auth [success=ok default=die] pam_cognito_code.so conf=/etc/x [a b]"
WORD = "account requisite pam_cognito_code.so require"
INCLUDE = "auth substack cognito-verify"
AT_INCLUDE = "@include common-auth"


def results(kind: Kind, line: str) -> list[str]:
    return ["\n".join(map(str, lines)) for _, lines in kind(*parse(line))]


# Each kind of edit, and what it makes of a line.
KINDS = [
    (edits.delete, WORD, [""]),
    (edits.duplicate, INCLUDE, [f"{INCLUDE}\n{INCLUDE}"]),
    (edits.change_control, WORD, [WORD.replace("requisite", word) for word in ("required", "sufficient", "optional")]),
    (edits.change_control, INCLUDE, ["auth include cognito-verify"]),
    (edits.change_control, AT_INCLUDE, []),
    (
        edits.drop_token,
        BRACKETS,
        [BRACKETS.replace("success=ok default=die", rest) for rest in ("default=die", "success=ok")],
    ),
    (edits.drop_token, WORD, []),
    (
        edits.change_token,
        "auth [default=die] pam_deny.so",
        [f"auth [default={action}] pam_deny.so" for action in ("ok", "done", "bad", "ignore", "reset", "1", "2")],
    ),
    (edits.drop_argument, BRACKETS, [BRACKETS.removesuffix(" [a b]"), BRACKETS.replace(" conf=/etc/x", "")]),
    (edits.change_type, WORD, [WORD.replace("account", "auth")]),
    (edits.change_type, "session required pam_permit.so", []),
    (edits.misspell, WORD, ["account requisite mis-pam_cognito_code.so require"]),
    (edits.make_silent, WORD, [f"-{WORD}"]),
]


@pytest.mark.parametrize("kind, line, expected", KINDS)
def test_kind(kind: Kind, line: str, expected: list[str]) -> None:
    assert sorted(results(kind, line)) == sorted(expected)


def test_every_kind_is_tried() -> None:
    assert {kind for kind, _, _ in KINDS} == set(edits.ALL)


def verify() -> Stack:
    return stack({"cognito-verify": (EXAMPLES / "cognito-verify").read_text()})


def test_single_edits_of_contract_md() -> None:
    """Three lines: as many deletions; words in place of brackets, of brackets and of a word; four tokens in each of two
    brackets; three pairs to swap."""
    found = edits.single(verify(), edits.FEW)
    assert len(found) == 3 + (4 + 4 + 3) + (4 + 4) + 3


def test_double_edits_are_all_pairs() -> None:
    """Whatever is done second, after whatever was done first; what was there with fewer edits does not count."""
    few = edits.FEW
    singles = {one.stack for one in edits.single(verify(), few)}
    reached = {two.stack for one in singles for two in edits.single(one, few)}
    found = [one.stack for one in edits.double(verify(), few)]
    assert len(found) == len(set(found)) == 227
    assert set(found) == reached - singles - {verify()}


@pytest.mark.parametrize("one", [*SHIPPED, *BLOCKS], ids=str)
def test_edited_stacks_differ(one: Shipped) -> None:
    before = one.stack(EXAMPLES)
    found = [edited.stack for edited in edits.single(before)]
    assert len(set(found)) == len(found) > 50
    assert before not in found


def test_lines_of_every_type_but_session_and_password() -> None:
    service = stack({"x": f"{WORD}\n{INCLUDE}\nsession required pam_permit.so\npassword required pam_deny.so\n{AT_INCLUDE}"})
    touched = {line.type for edited in edits.single(service) for line in edited.touched}
    assert touched == {"account", "auth", "@include"}


def test_files_that_are_not_to_be_edited() -> None:
    service = stack({"x": INCLUDE, "cognito-verify": WORD})
    assert all(edited.stack.by_name["x"] == service.by_name["x"] for edited in edits.single(service, files=["cognito-verify"]))


def test_lines_as_libpam_reads_them() -> None:
    text = "-auth  [a=1\tb=ok]  x.so  p=[q r]  # why\n\n  account required \\\n  y.so [s t] u\n@include z\n"
    assert parse(text) == (
        Line("-auth", "[a=1\tb=ok]", "x.so", ("p=[q", "r]")),
        Line("account", "required", "y.so", ("[s t]", "u")),
        Line("@include", "", "z"),
    )
