"""pam-cognito-check stack, asked about stacks by the thousand."""

import itertools
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Iterable

from harness.build import Build

from .seats import SEATS
from .shipped import Shipped
from .stack import SYSTEM, Stack, text

CLEAN, FINDINGS = 0, 1


class Checker:
    """Looks at stacks in folders of its own."""

    def __init__(self, build: Build, ground: Path) -> None:
        self._build, self._ground = build, ground
        self._numbers = itertools.count()
        ground.mkdir()

    def flags(self, one: Shipped, stacks: Iterable[Stack]) -> dict[Stack, bool]:
        """Which of these edited stacks it finds something in."""
        config = self._config(one)
        wanted = list(stacks)
        with ThreadPoolExecutor(SEATS) as threads:
            return dict(zip(wanted, threads.map(lambda stack: self._has_findings(stack, config), wanted)))

    def _config(self, one: Shipped) -> Path:
        path = self._ground / f"{one.name}.conf"
        path.write_text("".join(f"{key} = {value}\n" for key, value in one.config), encoding="utf-8")
        path.chmod(0o600)
        return path

    def _has_findings(self, stack: Stack, config: Path) -> bool:
        folder = self._ground / str(next(self._numbers))
        folder.mkdir()
        for name, content in SYSTEM.items():
            (folder / name).write_text(content, encoding="utf-8")
        for name, lines in stack.files:
            (folder / name).write_text(text(lines), encoding="utf-8")
        file = folder / stack.service
        command = [self._build.check, "stack", file, "--pam-dir", folder, "--config", config, "--json"]
        done = subprocess.run(command, capture_output=True, text=True, env=self._build.host_environment())
        assert done.returncode in (CLEAN, FINDINGS), f"{stack}{done.returncode}: {done.stderr}"
        shutil.rmtree(folder)
        return done.returncode == FINDINGS

    def end(self) -> None:
        shutil.rmtree(self._ground)
