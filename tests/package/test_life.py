"""What becomes of a host when the package is upgraded, removed and purged."""

import subprocess
from pathlib import Path
from typing import Callable

import pytest
from follow import CONFIG, Follower
from host import Host

Code = Callable[[], str]

STILL_NAMED = "libpam-cognito: WARNING: its modules are still named in /etc/pam.d by: "


@pytest.fixture(scope="session")
def next_package(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in the next version."""
    folder = tmp_path_factory.mktemp("next")
    subprocess.run(["dpkg-deb", "--raw-extract", package, folder / "tree"], check=True)
    control = folder / "tree/DEBIAN/control"
    text = control.read_text()
    control.write_text(text.replace("\nVersion: ", "\nVersion: 1:"))
    made = folder / "next.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "--build", folder / "tree", made], check=True, capture_output=True)
    return made


def install(host: Host, package: Path) -> str:
    host.path("/root/the.deb").write_bytes(package.read_bytes())
    return host.run("apt install ./the.deb </dev/null")


def test_upgrade(follower: Follower, next_package: Path, code: Code) -> None:
    """Nothing is asked, what the administrator wrote stays, and who could log in, can."""
    host = follower.host
    follower.set_up()
    kept = (CONFIG, "/etc/pam.d/sshd", "/etc/pam.d/common-auth", "/etc/pam.d/common-account", "/etc/passwd")
    before = [host.read(path) for path in kept]
    install(host, next_package)
    assert host.run("dpkg-query -W -f '${Version}' libpam-cognito").startswith("1:")
    assert [host.read(path) for path in kept] == before
    assert follower.log_in(code).let_in


def test_upgrade_keeps_the_profile(follower: Follower, next_package: Path, code: Code, wrong: Code) -> None:
    """Not for a moment off, or a password alone would let in from then on."""
    follower.name_the_pool()
    follower.turn_the_profile_on()
    follower.write_sshd_config()
    follower.reload()
    before = follower.host.read("/etc/pam.d/common-auth")
    install(follower.host, next_package)
    assert follower.host.read("/etc/pam.d/common-auth") == before
    assert not follower.log_in(wrong, wrong, wrong).let_in
    assert follower.log_in(code).let_in


def test_removed_though_named(follower: Follower, package: Path, code: Code) -> None:
    """A stack that somebody edited stays as it is, and denies: it is said aloud, and mended by installing again."""
    host = follower.host
    follower.set_up()
    said = host.run("apt remove libpam-cognito")
    assert f"{STILL_NAMED}sshd \n" in said and "NOBODY CAN LOG IN" in said
    assert host.path(CONFIG).exists()
    login = follower.log_in()
    assert not login.let_in
    install(host, package)
    assert follower.log_in(code).let_in


def test_removed_with_the_profile(follower: Follower) -> None:
    """The profile goes with it: whoever removes it is told that the password is enough again, and it is."""
    host = follower.host
    before = host.read("/etc/pam.d/common-auth"), host.read("/etc/pam.d/common-account")
    follower.name_the_pool()
    follower.turn_the_profile_on()
    follower.write_sshd_config()
    follower.reload()
    said = host.run("apt remove libpam-cognito")
    assert "from now on a password alone lets in" in said
    assert "WARNING" not in said
    assert (host.read("/etc/pam.d/common-auth"), host.read("/etc/pam.d/common-account")) == before
    assert follower.log_in().let_in


def test_removed_with_a_profile_that_was_edited(follower: Follower) -> None:
    """pam-auth-update leaves files alone that are not its own any more: then the lines stay and deny, and it is said aloud."""
    host = follower.host
    follower.name_the_pool()
    follower.turn_the_profile_on()
    host.run("sed -i '/^#/d' /etc/pam.d/common-auth")
    said = host.run("apt remove libpam-cognito")
    assert f"{STILL_NAMED}common-account common-auth \n" in said and "NOBODY CAN LOG IN" in said
    assert "a password alone lets in" not in said
    follower.write_sshd_config()
    follower.reload()
    assert not follower.log_in().let_in


def test_nothing_said_without_need(follower: Follower) -> None:
    """Whoever never used it is not frightened."""
    assert "libpam-cognito: " not in follower.host.run("apt remove libpam-cognito")


def test_purge(follower: Follower, code: Code) -> None:
    """Its files, its configuration and its state go; its user stays, so that no other gets the number."""
    host = follower.host
    files = host.run("dpkg -L libpam-cognito").split()
    follower.set_up()
    assert follower.log_in(code).let_in
    assert host.path("/run/pam-cognito").exists()
    host.run("apt purge libpam-cognito")
    left = [path for path in files if host.path(path).is_file() or "cognito" in Path(path).name and host.path(path).exists()]
    assert left == []
    assert not host.path("/run/pam-cognito").exists()
    assert host.run("getent passwd pam-cognito")
    assert not follower.log_in().let_in
