"""pam-cognito-check when memory runs short: it says so, or what it would have said anyway, and never that all is well."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from harness.stage import Stage

SHORT_MEMORY = Path(__file__).parent / "harness/short_memory.c"
MOST = 20_000  # allocations of a run

pytestmark = [
    pytest.mark.uninstrumented,
    pytest.mark.skipif(not shutil.which("cc"), reason="a library has to be compiled for it: no cc"),
]


@pytest.fixture
def library(ground: Path) -> Path:
    path = ground / "short_memory.so"
    subprocess.run(["cc", "-O1", "-fno-builtin", "-shared", "-fPIC", "-o", path, SHORT_MEMORY], check=True)
    return path


@pytest.fixture
def commands(stage: Stage, ground: Path) -> dict[str, list[str]]:
    config = str(stage.write_config())
    stack = ground / "service"
    stack.write_text(
        "auth requisite pam_unix.so\n"
        "auth substack block\n"
        "account sufficient pam_localuser.so\naccount requisite pam_cognito_code.so require\n"
        f"account required pam_unix.so conf={config}\n-session optional pam_nothing.so\n"
    )
    (ground / "block").write_text(
        f"auth [success=ok ignore=ignore default=die] pam_cognito_code.so conf={config}\n"
        "auth [success=1 default=ignore] pam_cognito_confirm.so\nauth sufficient pam_unix.so\nauth requisite pam_deny.so\n"
    )
    sshd = ground / "sshd_config"
    sshd.write_text("UsePAM yes\nMatch User a,b\n  PasswordAuthentication no\nMatch all\nKbdInteractiveAuthentication yes\n")
    return {
        "config": ["config", config],
        "stack": ["stack", str(stack)],
        "sshd": ["stack", str(stack), "--sshd-config", str(sshd)],
    }


def findings(report: str) -> int:
    """Rows of a table, or of JSON."""
    return len(re.findall(r'^finding|"level":"finding"', report, re.M))


@pytest.mark.parametrize("report", ["table", "json"])
@pytest.mark.parametrize("what", ["config", "stack", "sshd"])
def test_each_allocation_fails_once(
    stage: Stage, library: Path, commands: dict[str, list[str]], ground: Path, what: str, report: str
) -> None:
    command = [str(stage.build.check), *(["--json"] if report == "json" else []), *commands[what]]
    unmet = ground / "unmet"
    environment = {**stage.build.host_environment(), "LD_PRELOAD": str(library), "SHORT_UNMET": str(unmet)}

    def run(at: int) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(command, env={**environment, "SHORT_AT": str(at)}, capture_output=True, text=True, timeout=30)

    whole = run(0)
    assert whole.returncode in (0, 1), whole
    said = 0
    for at in range(1, MOST):
        short = run(at)
        if unmet.exists():
            break
        told = "memory" in short.stdout + short.stderr
        assert short.returncode == whole.returncode or told and short.returncode in (1, 2), (at, short)
        assert short.returncode == 2 or findings(short.stdout) >= findings(whole.stdout), (at, short)
        said += told
    else:
        raise AssertionError("more allocations than are tried")
    assert said > at // 2
