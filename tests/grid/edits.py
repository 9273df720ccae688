"""What an administrator may do to a line of a stack, by mistake or on purpose: every single edit, and every pair of them."""

from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Callable, Iterable, Iterator, Sequence

from .stack import AT_INCLUDE, Line, Stack

WORDS = ("required", "requisite", "sufficient", "optional")
INCLUDES = ("include", "substack")
ACTIONS = ("ok", "done", "die", "bad", "ignore", "reset", "1", "2")
OTHER_TYPE = {"auth": "account", "account": "auth"}
EDITED = (*OTHER_TYPE, AT_INCLUDE)

# What becomes of one line: a word for it, and what stands in its place.
Change = tuple[str, tuple[Line, ...]]


def _with(line: Line, **fields: Any) -> tuple[Line, ...]:
    return (replace(line, **fields),)


def delete(line: Line) -> Iterator[Change]:
    yield "deleted", ()


def duplicate(line: Line) -> Iterator[Change]:
    yield "twice", (line, line)


def change_control(line: Line) -> Iterator[Change]:
    """Another word: of those that a module can have, or of those that a file can have."""
    words = () if line.type == AT_INCLUDE else INCLUDES if line.control in INCLUDES else WORDS
    for word in words:
        if word != line.control:
            yield word, _with(line, control=word)


def _with_tokens(line: Line, tokens: Sequence[str]) -> tuple[Line, ...]:
    return _with(line, control=f"[{' '.join(tokens)}]")


def drop_token(line: Line) -> Iterator[Change]:
    for i, token in enumerate(line.tokens):
        yield f"without {token}", _with_tokens(line, line.tokens[:i] + line.tokens[i + 1 :])


def change_token(line: Line) -> Iterator[Change]:
    for i, token in enumerate(line.tokens):
        for action in ACTIONS:
            changed = f"{token.partition('=')[0]}={action}"
            if changed != token:
                yield changed, _with_tokens(line, line.tokens[:i] + (changed,) + line.tokens[i + 1 :])


def drop_argument(line: Line) -> Iterator[Change]:
    for i, argument in enumerate(line.arguments):
        yield f"without {argument}", _with(line, arguments=line.arguments[:i] + line.arguments[i + 1 :])


def change_type(line: Line) -> Iterator[Change]:
    if line.type in OTHER_TYPE:
        yield f"as {OTHER_TYPE[line.type]}", _with(line, type=OTHER_TYPE[line.type])


def misspell(line: Line) -> Iterator[Change]:
    """libpam finds no such module, or no such file."""
    if not line.module.startswith("mis-"):
        yield "misspelt", _with(line, module=f"mis-{line.module}")


def make_silent(line: Line) -> Iterator[Change]:
    """A hyphen before the type: nothing is logged where the module is missing."""
    if line.type in OTHER_TYPE:
        yield "with a hyphen", _with(line, type=f"-{line.type}")


Kind = Callable[[Line], Iterator[Change]]

# Those with which the stacks were designed; swaps come in addition.
FEW: tuple[Kind, ...] = (delete, change_control, drop_token)
ALL: tuple[Kind, ...] = (*FEW, duplicate, change_token, drop_argument, change_type, misspell, make_silent)

# To comment a line out is to delete it.


@dataclass(frozen=True)
class Edited:
    """An edited stack. `edits` tells what was done, in order; `touched` are the lines as they were before."""

    edits: tuple[str, ...]
    stack: Stack
    touched: tuple[Line, ...]

    def __str__(self) -> str:
        return "; ".join(self.edits)


def single(stack: Stack, kinds: Sequence[Kind] = ALL, files: Iterable[str] | None = None) -> list[Edited]:
    """The stacks that one edit makes of it, each of them once. `files` are those whose lines may be edited."""
    return _distinct(_single(Edited((), stack, ()), kinds, files), {stack})


def double(stack: Stack, kinds: Sequence[Kind] = ALL, files: Iterable[str] | None = None) -> list[Edited]:
    """The stacks that two edits make of it and one does not."""
    singles = single(stack, kinds, files)
    both = (second for first in singles for second in _single(first, kinds, files))
    return _distinct(both, {stack, *(one.stack for one in singles)})


def _distinct(found: Iterable[Edited], known: set[Stack]) -> list[Edited]:
    kept = []
    for edited in found:
        if edited.stack not in known:
            known.add(edited.stack)
            kept.append(edited)
    return kept


def _single(before: Edited, kinds: Sequence[Kind], files: Iterable[str] | None) -> Iterator[Edited]:
    for file, lines in before.stack.files:
        if files is None or file in files:
            for place, line in enumerate(lines):
                if line.phase in EDITED:
                    for change in (change for kind in kinds for change in kind(line)):
                        yield _changed(before, file, place, change)
            for one, other in combinations(range(len(lines)), 2):
                if lines[one].phase in EDITED and lines[other].phase in EDITED:
                    yield _swapped(before, file, one, other)


def _changed(before: Edited, file: str, place: int, change: Change) -> Edited:
    lines = before.stack.by_name[file]
    what, instead = change
    line = lines[place]
    edited = before.stack.having(file, (*lines[:place], *instead, *lines[place + 1 :]))
    return Edited((*before.edits, f"{file}: {_name(line)} {what}"), edited, (*before.touched, line))


def _swapped(before: Edited, file: str, one: int, other: int) -> Edited:
    lines = list(before.stack.by_name[file])
    lines[one], lines[other] = lines[other], lines[one]
    pair = (lines[other], lines[one])
    what = f"{file}: {_name(pair[0])} swapped with {_name(pair[1])}"
    return Edited((*before.edits, what), before.stack.having(file, lines), (*before.touched, *pair))


def _name(line: Line) -> str:
    return f"{line.type} {line.module}"
