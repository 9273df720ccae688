"""docs/architecture.md says what the sources are."""

import re
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent
FOLDERS = ("common", "module", "helper", "command", "check")
INCLUDE = re.compile(r'^#include "(\w+)/', re.M)


@pytest.fixture(scope="module")
def page() -> str:
    return (TOP / "docs/architecture.md").read_text(encoding="utf-8")


def table(page: str, head: str) -> list[list[str]]:
    """The rows of the table that begins with this cell, without the line beneath its head."""
    found = re.search(rf"^\| {re.escape(head)} \|.*\n\|[- |]*\n((?:\|.*\n)+)", page, re.M)
    assert found, head
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in found[1].splitlines()]


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def sources(folder: str, *endings: str) -> list[Path]:
    return [path for ending in endings for path in (TOP / "src" / folder).glob(f"*.{ending}")]


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_source_has_its_place(page: str, folder: str) -> None:
    said = [name for first, _ in table(page, f"`src/{folder}`") for name in names(first)]
    assert sorted(said) == sorted(path.stem for path in sources(folder, "c"))


@pytest.mark.parametrize("folder", FOLDERS)
def test_dependencies_go_one_way(page: str, folder: str) -> None:
    used = {
        other
        for path in sources(folder, "c", "h")
        for other in INCLUDE.findall(path.read_text(encoding="utf-8"))
        if other != folder
    }
    (said,) = (row for row in table(page, "folder") if row[0] == f"`src/{folder}`")
    assert set(names(said[1])) == {f"src/{other}" for other in used}


def test_every_message_is_there(page: str) -> None:
    header = (TOP / "src/common/message.h").read_text(encoding="utf-8")
    rows = table(page, "message")
    assert sorted(name for row in rows for name in names(row[0])) == sorted(re.findall(r"^    M\((\w+), ", header, re.M))


def test_links_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page):
        assert (TOP / "docs" / target).exists(), target
    for path in re.findall(r"`((?:src|tests)/[\w./]+)`", page):
        assert (TOP / path).exists(), path
