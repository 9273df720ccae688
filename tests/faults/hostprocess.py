"""The host process: host.c, by its lines."""

import os
import select
import subprocess
import time
from pathlib import Path


class Host:
    """Runs until it is ended, or has died."""

    def __init__(self, program: Path, libraries: list[Path]) -> None:
        self._process = subprocess.Popen(
            [program, *libraries],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PATH": "/usr/bin:/bin", "TERM": "dumb"},
            bufsize=0,
        )
        self._heard = b""

    @property
    def pid(self) -> int:
        return self._process.pid

    def tell(self, line: str) -> None:
        assert self._process.stdin
        try:
            self._process.stdin.write(line.encode("utf-8", "surrogateescape") + b"\n")
        except BrokenPipeError:
            pass  # it is dead, as it is about to be heard

    def hear(self, patience: float) -> str:
        """Its next line; "" when it is dead or says nothing for so long."""
        assert self._process.stdout
        end = time.monotonic() + patience
        while b"\n" not in self._heard:
            ready, _, _ = select.select([self._process.stdout], [], [], max(0.0, end - time.monotonic()))
            more = os.read(self._process.stdout.fileno(), 65536) if ready else b""
            if not more:
                return ""
            self._heard += more
        line, _, self._heard = self._heard.partition(b"\n")
        return line.decode("utf-8", "surrogateescape")

    def end(self) -> str:
        """How it had ended already, or that it was hanging."""
        try:
            told = f"the host ended with {self._process.wait(0.5)}"
        except subprocess.TimeoutExpired:
            told = "the host hung"
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe
            pipe.close()
        return told
