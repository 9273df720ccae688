"""Fixtures of the login tests. What they stand on is explained in README.md."""

import copy
import os
import shutil
import time
from collections import Counter
from pathlib import Path
from typing import Callable, Iterator

import pytest

pytest.register_assert_rewrite("harness")

from harness import accounts, build, machine  # noqa: E402
from harness.accounts import Account  # noqa: E402
from harness.build import Build  # noqa: E402
from harness.check import Check  # noqa: E402
from harness.hosts import Host, Hosts  # noqa: E402
from harness.login import Login  # noqa: E402
from harness.peer import CognitoLocal  # noqa: E402
from harness.people import EMAIL, LOCAL_PASSWORD, OTHER, PASSWORD, RUNNER, RUNNERS, USER  # noqa: E402
from harness.stage import Stage  # noqa: E402
from harness.syslog import Syslog  # noqa: E402
from standin import Pool, Standin, User  # noqa: E402

TESTS = Path(__file__).parent

MARKERS = (
    "grid: edited stacks by the thousand",
    "smoke: a short selection that touches everything",
    "uninstrumented: not for builds with sanitizers: they keep what is freed, need memory without limits, and cannot be loaded into setuid programs",
    "valgrind: each way through the modules once, for slow hosts",
)

TOLD = pytest.StashKey[list[str]]()

why_not: str | None = "this process has not started as a test session"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--sample", type=int, default=1, metavar="N", help="every Nth case of each test with a table")
    parser.addoption("--write-transcripts", action="store_true", help="write docs/stacks.md anew, as scripts/transcripts does")
    parser.addoption("--everything", action="store_true", help="the long form of tests that have one")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A second build of the same sources need not see every row of every table, but every test."""
    every = config.getoption("--sample")
    seen: Counter[str] = Counter()
    kept, dropped = [], []
    for item in items:
        name = item.nodeid.partition("[")[0]
        (dropped if seen[name] % every else kept).append(item)
        seen[name] += 1
    items[:] = kept
    if dropped:
        config.hook.pytest_deselected(items=dropped)


def pytest_configure(config: pytest.Config) -> None:
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)


@pytest.fixture
def tell(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """What a passed test is to be known for: told at the end of the run, and in the JUnit report."""

    def say(line: str) -> None:
        request.config.stash.setdefault(TOLD, []).append(line)
        record_property("told", line)

    return say


def pytest_terminal_summary(terminalreporter: "pytest.TerminalReporter", config: pytest.Config) -> None:
    for line in config.stash.get(TOLD, []):
        terminalreporter.write_line(line)
    if Host.compared:
        terminalreporter.write_line(f"hosts: as before after each of {Host.compared} calls")


@pytest.fixture(scope="session")
def everything(pytestconfig: pytest.Config) -> bool:
    """Whether the long form is wanted."""
    return pytestconfig.getoption("--everything")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Before anything else is started or opened: the whole session moves into its private view of the machine."""
    global why_not
    why_not = _enter()


def _enter() -> str | None:
    """None, or why the logins cannot run here."""
    if reason := build.missing():
        return reason
    try:
        machine.enter([TESTS, *build.from_environment().paths(), *_peers()])
    except machine.Impossible as impossible:
        return str(impossible)
    return None


def _peers() -> list[Path]:
    """Where node_modules may be."""
    return [Path(os.environ.get("PAM_COGNITO_PEERS") or TESTS / "peers")]


@pytest.fixture(scope="session")
def installed() -> Build:
    """What is under test. Whoever asks for it runs in the private view, or is skipped."""
    if why_not:
        pytest.skip(why_not)
    found = build.from_environment()
    if not accounts.exists(found.helper_user):
        accounts.add(found.helper_user)
    return found


@pytest.fixture(scope="session")
def syslog(installed: Build) -> Syslog:
    return Syslog()


@pytest.fixture(scope="session")
def account(installed: Build) -> Account:
    """The user of this machine who logs in."""
    accounts.add(OTHER)
    return accounts.add(USER, LOCAL_PASSWORD, home="/")


@pytest.fixture(scope="session")
def runner(installed: Build) -> Account:
    """The user as whom token commands run, who is in one more group than his own."""
    account = accounts.add(RUNNER)
    accounts.add_group(RUNNERS, [RUNNER])
    return account


@pytest.fixture(scope="session")
def standin_process(installed: Build) -> Iterator[tuple[Standin, Pool, Pool]]:
    """The stand-in, its pool and a second one behind the same endpoint, as they are when new."""
    with Standin(machine.GROUND / "standin") as running:
        yield running, copy.copy(running.pool), copy.copy(running.add_pool())


@pytest.fixture
def standin(standin_process: tuple[Standin, Pool, Pool]) -> Standin:
    """The stand-in as new. It is the same all session long, with the same keys: making them takes its time."""
    running, *pristine = standin_process
    running.clock.advance(time.time() - running.clock.now())
    running.faults.clear()
    running.journal.clear()
    running.pools.clear()
    for pool in pristine:
        running.pools[pool.id] = _as_new(pool)
    running.pool = running.pools[pristine[0].id]
    return running


def _as_new(pool: Pool) -> Pool:
    shared = {id(one): one for one in (pool.keys, pool.clock)}
    return copy.deepcopy(pool, shared)


@pytest.fixture
def other_pool(standin: Standin) -> Pool:
    """A stranger's pool behind the same endpoint, with a user of the same name."""
    pool = next(pool for pool in standin.pools.values() if pool is not standin.pool)
    pool.add_user(USER, "the stranger's password", email="mallory@example.net")
    return pool


@pytest.fixture
def user(standin: Standin, account: Account) -> User:
    """The same person in the pool."""
    return standin.pool.add_user(USER, PASSWORD, email=EMAIL)


@pytest.fixture
def stage(installed: Build, syslog: Syslog, standin: Standin, user: User) -> Stage:
    """Config and stack of this test's logins, against the stand-in."""
    made = Stage(installed, syslog, standin)
    made.secrets.append(LOCAL_PASSWORD)
    return made


@pytest.fixture
def code(standin: Standin, user: User) -> Callable[[], str]:
    """Looks into the user's mail: the code that was sent last."""
    return lambda: standin.pool.outbox[-1].code


@pytest.fixture
def wrong(code: Callable[[], str]) -> Callable[[], str]:
    """A code that is not the one sent last."""
    return lambda: f"{(int(code()) + 1) % 1000000:06}"


@pytest.fixture
def ground(installed: Build) -> Iterator[Path]:
    """An empty folder that is root's all the way down; no such one is under tmp_path."""
    folder = machine.GROUND / "test"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def token_file(stage: Stage) -> Callable[[object], Path]:
    """Lays down a token file as safe as it has to be."""
    return lambda token: stage.write_secret("token", str(token))


@pytest.fixture
def login(stage: Stage) -> Login:
    """A login by pamtester, against the stand-in."""
    return Login(stage, USER)


@pytest.fixture
def hosts(stage: Stage) -> Hosts:
    """A login by a host process of our own, against the stand-in."""
    return Hosts(stage, USER)


@pytest.fixture
def check(stage: Stage) -> Check:
    """The administrator's tool, against the stand-in."""
    return Check(stage)


@pytest.fixture(scope="session")
def cognito_local(installed: Build) -> Iterator[CognitoLocal]:
    """A Cognito server that this project did not write."""
    program = _peers()[0] / "node_modules/cognito-local/lib/bin/start.js"
    if not program.exists():
        pytest.skip(f"{program} is missing: run `npm ci` in tests/peers, or set PAM_COGNITO_PEERS")
    directory = machine.GROUND / "cognito-local"
    directory.mkdir()
    running = CognitoLocal(program, directory)
    yield running
    running.stop()
