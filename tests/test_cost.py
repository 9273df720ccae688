"""What a login may cost in the helper: instructions, which are the same at each run and on each machine with the same libraries.

A change that makes a login dearer by more than a seventh is seen here, whatever else the machine has to do. Where it is worth it,
run `scripts/profile`, see where the instructions go, and raise the number with a reason.
"""

import platform
from dataclasses import dataclass
from typing import Callable

import pytest
from harness import cost
from harness.build import Build
from harness.cost import VERIFIED, Counted, Meter
from harness.people import PASSWORD, USER
from standin import Standin, User

# More than an update of Debian's OpenSSL has ever made of it, and less than anything that a person would notice.
LEEWAY = 1.15


@dataclass(frozen=True)
class Part:
    """A function with all that it calls; the whole login where it has no name."""

    what: str
    function: str
    measured: float  # in millions


# Measured with gcc 12, -O2, on Debian 12: OpenSSL 3.0, libcurl 7.88.
PARTS = {
    "password": (
        Part("a whole login", "", 36.66),
        Part("libraries that set themselves up when they are loaded", "_dl_init", 0.0095),
        Part("the server's certificate is read", "d2i_X509", 3.15),
        Part("the system call filter", "seccomp_restrict", 1.022),
        Part("the check of a token", "token_check", 0.575),
        Part("the request for a code", "send_run", 0.505),
        Part("the confirmation of a code", "verify_run", 0.474),
    ),
    "srp": (
        Part("a whole login", "", 127.3),
        Part("the public key of SRP", "srp_new", 39.03),
        Part("the answer of SRP", "srp_answer", 50.17),
    ),
}


def debian() -> str:
    """Which Debian this is; "" if it is another system."""
    try:
        system = platform.freedesktop_os_release()
    except OSError:
        return ""
    return system.get("VERSION_ID", "") if system.get("ID") == "debian" else ""


@pytest.fixture
def meter(installed: Build, standin: Standin, user: User) -> Meter:
    if reason := cost.lacking():
        pytest.skip(reason)
    if debian() != "12" or platform.machine() != "x86_64":
        pytest.skip("the numbers are those of Debian 12 on x86-64: with other libraries a login costs more or less")
    return Meter(installed.helper, standin, USER, PASSWORD)


@pytest.mark.uninstrumented
@pytest.mark.parametrize("flow", PARTS)
def test_instructions(meter: Meter, flow: str, tell: Callable[[str], None]) -> None:
    counted = meter.count(VERIFIED, flow)
    for part in PARTS[flow]:
        spent = of(part, counted) / 1e6
        tell(f"cost: {flow}: {part.what}: {spent:.2f} million instructions, {spent / part.measured - 1:+.1%}")
    dear = [part.what for part in PARTS[flow] if of(part, counted) > LEEWAY * part.measured * 1e6]
    assert not dear, dear


def of(part: Part, counted: Counted) -> int:
    return counted.functions[part.function] if part.function else counted.total
