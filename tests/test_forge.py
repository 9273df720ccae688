"""The file for a forge's CI: it loads, asks for no more than it needs, and calls scripts as they are."""

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

yaml = pytest.importorskip("yaml", reason="there is no YAML for Python: python3-yaml")

SRCDIR = Path(__file__).parents[1]
FILE = SRCDIR / ".github/workflows/check.yml"


@pytest.fixture(scope="module")
def workflow() -> dict[Any, Any]:
    return yaml.safe_load(FILE.read_text())


def commands(job: dict[str, Any]) -> list[list[str]]:
    """The words of each command of a job, once for each value of its matrix."""
    values = [(name, value) for name, choices in job.get("strategy", {}).get("matrix", {}).items() for value in choices] or [("", "")]
    found = []
    for step in job["steps"]:
        for name, value in values:
            if command := re.sub(r"\$\{\{ matrix\.(\w+) \}\}", lambda match: value if match[1] == name else match[0], step.get("run", "")):
                assert "${{" not in command
                found.append(shlex.split(command))
    return found


def test_it_may_read_and_nothing_else(workflow: dict[Any, Any]) -> None:
    assert workflow["permissions"] == {"contents": "read"}
    assert "secrets" not in FILE.read_text() and "pull_request_target" not in FILE.read_text()
    for job in workflow["jobs"].values():
        assert "permissions" not in job and 0 < job["timeout-minutes"] <= 90
        for step in job["steps"]:
            if uses := step.get("uses"):
                assert re.fullmatch(r"actions/checkout@[0-9a-f]{40}", uses), "others' actions are named by their commit"
                assert step["with"] == {"persist-credentials": False}


def test_images_have_a_version(workflow: dict[Any, Any]) -> None:
    images = []
    for job in workflow["jobs"].values():
        container = job["container"]
        image = container if isinstance(container, str) else container["image"]
        images += job["strategy"]["matrix"]["system"] if "matrix.system" in image else [image]
    assert all(re.fullmatch(r"[a-z]+:[0-9.]+", image) for image in images)
    assert {image.partition(":")[0] for image in images} == {"debian", "ubuntu", "fedora", "alpine"}
    assert {"debian:12", "debian:13"} <= set(images)


def test_it_calls_what_there_is(workflow: dict[Any, Any]) -> None:
    called = [words for job in workflow["jobs"].values() for words in commands(job)]
    scripts = [words for words in called if words[0].startswith("scripts/")]
    assert {words[0] for words in called} - {words[0] for words in scripts} == {"make", "sh"}
    for script, *arguments in scripts:
        text = (SRCDIR / script).read_text()
        assert (SRCDIR / script).stat().st_mode & 0o111
        for argument in arguments:
            if argument.startswith("--") and script == "scripts/build":
                assert argument == "--quiet" or f"[{argument.removeprefix('--enable-')}]" in (SRCDIR / "configure.ac").read_text()
            elif argument.startswith("--"):
                assert f"\n{argument}:" in text, f"{script} knows no {argument}"
        if script == "scripts/install-packages":
            table = {line.split()[0] for line in text.split("<<'END'\n")[1].split("\nEND\n")[0].splitlines()}
            assert set(arguments) <= table


def test_each_track_is_run_and_exists(workflow: dict[Any, Any]) -> None:
    tracks = workflow["jobs"]["tracks"]["strategy"]["matrix"]["track"]
    text = (SRCDIR / "scripts/check").read_text()
    there = set(re.findall(r"^(\w+)_track\(\)", text, re.M)) - {"first", "second"}
    # The bench measures, and a forge's machines are no place for that.
    assert sorted(tracks) == sorted(there - {"bench"})
    usage = subprocess.run([SRCDIR / "scripts/check", "--track", "no such"], capture_output=True, text=True)
    assert (usage.returncode, usage.stdout) == (2, "") and "--track" in usage.stderr
