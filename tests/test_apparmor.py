"""AppArmor: the abstraction and the profile compile with the abstractions of this machine. No kernel is asked."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

SRCDIR = Path(__file__).parents[1]
FOLDER = SRCDIR / "packaging/apparmor"
SYSTEM = Path("/etc/apparmor.d")
HOST = """
abi <abi/3.0>,
include <tunables/global>
profile host /usr/bin/host {
  include <abstractions/base>
  include <abstractions/pam-cognito>
}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    if shutil.which("apparmor_parser") is None:
        pytest.skip("there is no apparmor_parser: apparmor")
    folder = tmp_path / "apparmor.d"
    shutil.copytree(SYSTEM, folder, symlinks=True)
    shutil.copy(FOLDER / "pam-cognito", folder / "abstractions")
    shutil.copy(FOLDER / "pam-cognito-helper", folder)
    return folder


def compile(folder: Path, name: str) -> None:
    """With the features of the kernel that the profile is written for, whatever runs here. A warning counts."""
    command = ["apparmor_parser", "--skip-kernel-load", "--skip-cache", "--warn=all", "--base", folder, "--features-file", folder / "abi/3.0", folder / name]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    # AppArmor 4's own abstractions are written for a newer kernel than the profile, and say so.
    ignored = re.compile(r"Cache read/write disabled|.*/abstractions/.*features abi '.*' differs from")
    said = [line for line in done.stderr.splitlines() if not ignored.match(line)]
    assert (done.returncode, said) == (0, [])


def test_helper(folder: Path) -> None:
    compile(folder, "pam-cognito-helper")


def test_host(folder: Path) -> None:
    (folder / "host").write_text(HOST)
    compile(folder, "host")


def test_paths_are_those_of_the_package() -> None:
    text = (FOLDER / "pam-cognito").read_text() + (FOLDER / "pam-cognito-helper").read_text()
    for path in ("/usr/libexec/pam-cognito-helper", "/usr/libexec/pam-cognito-command", "/etc/security/pam_cognito", "run/pam-cognito/"):
        assert path in text
    assert '"/run/pam-cognito"' in (SRCDIR / "src/module/state.h").read_text()
