"""The manuals, as far as a test has to read them: the items of their lists, by section. What mandoc(1) makes of a page is read, not its macros."""

import re
import subprocess
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path


@dataclass
class Item:
    """One item of a list. In its head % stands for what is not fixed, the argument of a macro Ar."""

    section: str
    subsection: str
    within: "Item | None"
    call: str  # the function that was named last in its section
    head: str = ""
    body: str = ""

    @property
    def names(self) -> list[str]:
        return self.head.split(", ")


@dataclass
class Manual:
    name: str
    items: list[Item] = field(default_factory=list)
    sections: dict[str, str] = field(default_factory=dict)  # their whole text
    references: set[str] = field(default_factory=set)  # name(section) of other manuals
    displays: list[tuple[str, str]] = field(default_factory=list)  # what stands there letter by letter, with its section

    def displayed(self, section: str) -> list[str]:
        return [text for its, text in self.displays if its == section]

    def of(self, section: str, subsection: str | None = None) -> list[Item]:
        return [item for item in self.items if item.section == section and subsection in (None, item.subsection)]


def read(path: Path) -> Manual:
    page = subprocess.run(["mandoc", "-T", "html", "-O", "fragment", path], check=True, capture_output=True, text=True)
    reader = _Reader(Manual(path.name))
    reader.feed(page.stdout)
    for item in reader.manual.items:
        item.head, item.body = _plain(item.head), _plain(item.body)
    for name, text in reader.manual.sections.items():
        reader.manual.sections[name] = _plain(text)
    return reader.manual


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


class _Reader(HTMLParser):
    def __init__(self, manual: Manual) -> None:
        super().__init__()
        self.manual = manual
        self._classes: list[tuple[str, str]] = []  # open elements with their classes
        self._open: list[Item] = []
        self._section = self._subsection = self._call = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        kind = dict(attributes).get("class") or ""
        self._classes.append((tag, kind))
        if (tag, kind) == ("section", "Sh"):
            self._section = self._subsection = self._call = ""
        elif (tag, kind) == ("section", "Ss"):
            self._subsection = ""
        elif tag == "pre":
            self.manual.displays.append((self._section, ""))
        elif tag == "dt":
            item = Item(self._section, self._subsection, self._open[-1] if self._open else None, self._call)
            self.manual.items.append(item)
            self._open.append(item)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """A line break."""
        self.handle_data(" ")

    def handle_endtag(self, tag: str) -> None:
        while self._classes and self._classes.pop()[0] != tag:
            pass
        if tag == "dd":
            self._open.pop()

    def handle_data(self, data: str) -> None:
        inside = [tag for tag, _ in self._classes]
        kinds = [kind for _, kind in self._classes]
        if "h1" in inside:
            self._section = _plain(f"{self._section} {data}")
            return
        if "h2" in inside:
            self._subsection = _plain(f"{self._subsection} {data}")
            return
        if "Fn" in kinds:
            self._call = data
        if "Xr" in kinds:
            self.manual.references.add(data)
        if "pre" in inside:
            section, text = self.manual.displays.pop()
            self.manual.displays.append((section, text + data))
        self.manual.sections[self._section] = self.manual.sections.get(self._section, "") + data
        if not self._open:
            return
        last = max((i for i, tag in enumerate(inside) if tag in ("dt", "dd")), default=-1)
        if last >= 0 and inside[last] == "dt":
            self._open[-1].head += "%" if "Ar" in kinds else data
        elif last >= 0:
            self._open[-1].body += data
