"""The tests that come with the source package, as Debian runs them. They come first: they need the network."""

import subprocess
from pathlib import Path

from harness import machine
from host import Host


def test_autopkgtest(package: Path, bare: Path) -> None:
    testbed = Host([bare], machine.GROUND / "testbed")
    try:
        testbed.prepare()
        (source,) = package.parent.glob("pam-cognito_*.dsc")
        command = ["autopkgtest", "--no-built-binaries", package, source, "--", "chroot", testbed.root]
        ran = subprocess.run(command, capture_output=True, text=True)
    finally:
        testbed.close()
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-3000:]
