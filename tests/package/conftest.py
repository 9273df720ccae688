"""The package, as it is tried. `scripts/try-package` names it in the environment; without that there is nothing to try."""

import ctypes
import shutil
from pathlib import Path
from typing import Callable, Iterator

import pytest
from follow import EMAIL, ENDPOINT, INSTALL, LOCAL_PASSWORD, PASSWORD, REGION, USER, Follower, Installed, lead_to_standin
from harness import build, machine, readme
from host import Host, ip, make_bare, missing
from standin import Standin

SOURCES = Path(__file__).parent.parent.parent
FOLDER = build.variable("PACKAGE")
ROOTS = build.variable("ROOTS")

collect_ignore_glob = [] if FOLDER else ["test_*.py"]

CLONE_NEWNET = 0x40000000


why_not: str | None = None


def pytest_sessionstart(session: pytest.Session) -> None:
    """Before anything else is started or opened: into a private view of the machine, in which names are still known."""
    global why_not
    if why_not := missing():
        return
    resolv_conf = Path("/etc/resolv.conf").read_text()
    try:
        machine.enter([SOURCES, Path(FOLDER), Path(ROOTS)])
    except machine.Impossible as impossible:
        why_not = str(impossible)
        return
    Path("/etc/resolv.conf").unlink()
    Path("/etc/resolv.conf").write_text(resolv_conf)


@pytest.fixture(scope="session")
def package() -> Path:
    """The .deb."""
    (found,) = Path(FOLDER).glob("libpam-cognito_*.deb")
    return found.resolve()


@pytest.fixture(scope="session")
def steps() -> dict[int, readme.Step]:
    """The README's."""
    return readme.steps(SOURCES)


@pytest.fixture(scope="session")
def bare() -> Path:
    """The root on which nothing of ours is. Whoever asks for it is in the private view, or is skipped."""
    if why_not:
        pytest.skip(why_not)
    return make_bare(Path(ROOTS))


@pytest.fixture(scope="session")
def installed(package: Path, bare: Path, steps: dict[int, readme.Step]) -> Installed:
    """By the README's step, over the machine's network. From then on there is no other network than that of the hosts."""
    first = Host([bare], machine.GROUND / "first")
    first.prepare()
    shutil.copy(package, first.path("/root"))
    printed = [(command, first.run(command.text)) for command in steps[INSTALL].commands if command.prompt == "#"]
    first.add_user(USER, LOCAL_PASSWORD)
    first.close()
    _leave_the_network()
    return Installed([first.written, bare], printed)


def _leave_the_network() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.unshare(CLONE_NEWNET) == 0
    ip("link set lo up")


@pytest.fixture(scope="session")
def standin(installed: Installed) -> Iterator[Standin]:
    """Where the name of Cognito's endpoint leads."""
    with Standin(machine.GROUND / "standin", port=443, region=REGION, names=[ENDPOINT]) as running:
        yield running


@pytest.fixture(scope="session")
def layers(installed: Installed, standin: Standin) -> list[Path]:
    """Of a host on which the package is, and that finds Cognito."""
    second = Host(installed.layers, machine.GROUND / "second")
    lead_to_standin(second, standin)
    second.close()
    return [second.written, *installed.layers]


@pytest.fixture
def host(layers: list[Path], tmp_path: Path) -> Iterator[Host]:
    """A new one. sshd runs as Debian sets it up."""
    place = machine.GROUND / tmp_path.name
    made = Host(layers, place)
    try:
        made.start_sshd()
        yield made
    finally:
        made.close()
        shutil.rmtree(place)


@pytest.fixture
def follower(host: Host, standin: Standin, steps: dict[int, readme.Step]) -> Follower:
    """Who sets the host up by the README, for a new pool."""
    standin.journal.clear()
    standin.pool = standin.add_pool(keys=standin.pool.keys)
    standin.pool.add_user(USER, PASSWORD, email=EMAIL)
    return Follower(host, standin, steps)


@pytest.fixture
def code(standin: Standin) -> Callable[[], str]:
    """Looks into the user's mail."""
    return lambda: standin.pool.outbox[-1].code


@pytest.fixture
def wrong(code: Callable[[], str]) -> Callable[[], str]:
    return lambda: f"{(int(code()) + 1) % 1000000:06}"
