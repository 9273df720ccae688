"""A private view of the machine: a mount namespace in which tests may write where logins write.

`enter` moves the calling process, and all it starts from then on, into a mount namespace (mount_namespaces(7)) with
its own /etc, /run, /dev, /tmp, /var/tmp and /var/log. They are copies or empty, and end with the last process: a run
that is killed leaves nothing behind.
"""

import ctypes
import os
import stat
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Iterable, Iterator

CLONE_NEWNS = 0x00020000

# The harness keeps its own files here; everything beneath may be read by the helper's user.
GROUND = Path("/run/pamcog-tests")

DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
OF_SOME_MACHINES = ("net/tun",)
LINKS = {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2", "ptmx": "pts/ptmx"}

PUBLIC = 0o1777

# What the hosts expect to find: (path, mode) of folders, and empty files.
FOLDERS = (("/run/lock", PUBLIC), ("/run/sshd", 0o755), ("/run/user", 0o755))
FILES = ("/run/utmp", "/var/log/wtmp", "/var/log/btmp", "/var/log/lastlog")


class Impossible(Exception):
    """This process may not have a view of its own."""


def enter(keep: Iterable[Path]) -> None:
    """Move into the private view; what lies at or beneath `keep` stays visible. Impossible, with the reason."""
    if os.geteuid() != 0:
        raise Impossible("needs root, for a mount namespace of its own")
    here = os.getcwd()
    os.umask(0o022)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0:
        raise Impossible(f"no mount namespace of its own: {os.strerror(ctypes.get_errno())}")
    try:
        _mount("--make-rprivate", "/")
        _empty(Path("/run"), 0o755, keep)
        GROUND.mkdir(mode=0o755)
        for folder, mode in (("/tmp", PUBLIC), ("/var/tmp", PUBLIC), ("/var/log", 0o755)):
            _empty(Path(folder), mode, keep)
    except subprocess.CalledProcessError as error:
        raise Impossible(f"mount: {error.stderr.strip()}") from error
    _copy_etc()
    _make_dev()
    _furnish()
    os.chdir(here)


def _mount(*arguments: str | Path) -> None:
    command = ["mount", *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True, text=True)


def _empty(folder: Path, mode: int, keep: Iterable[Path]) -> None:
    """An empty file system over `folder`, in which only the way to the kept places is as before."""
    inside = {path.relative_to(folder).parts[0] for path in keep if folder in path.parents}
    before = {name: os.open(folder / name, os.O_PATH) for name in inside}
    _mount("-t", "tmpfs", "-o", f"mode={mode:o}", "pamcog", folder)
    for name, descriptor in before.items():
        (folder / name).mkdir()
        _mount("--no-canonicalize", "--bind", f"/proc/{os.getpid()}/fd/{descriptor}", folder / name)
        os.close(descriptor)


def _copy_etc() -> None:
    subprocess.run(["cp", "-a", "/etc", GROUND / "etc"], check=True)
    _mount("--bind", GROUND / "etc", "/etc")


def _make_dev() -> None:
    """The usual devices and a pty system of its own; /dev/log is left for whoever records it."""
    dev = GROUND / "dev"
    dev.mkdir()
    _mount("-t", "tmpfs", "-o", "mode=755", "pamcog", dev)
    for name in (*DEVICES, *(name for name in OF_SOME_MACHINES if Path("/dev", name).exists())):
        (dev / name).parent.mkdir(exist_ok=True)
        (dev / name).touch()
        _mount("--bind", Path("/dev") / name, dev / name)
    for name, target in LINKS.items():
        (dev / name).symlink_to(target)
    for name in ("pts", "shm"):
        (dev / name).mkdir()
    (dev / "shm").chmod(PUBLIC)
    _mount("-t", "devpts", "-o", "newinstance,ptmxmode=0666,mode=620,gid=5", "devpts", dev / "pts")
    _mount("--rbind", dev, "/dev")


def _furnish() -> None:
    for name, mode in FOLDERS:
        os.mkdir(name)
        os.chmod(name, mode)
    for name in FILES:
        Path(name).touch()
    os.symlink("/dev/shm", "/run/shm")


@contextmanager
def covered(path: Path, by: Path) -> Iterator[None]:
    """Let `path` be something else for a while."""
    _mount("--bind", by, path)
    try:
        yield
    finally:
        subprocess.run(["umount", path], check=True)


@contextmanager
def writable(folder: Path) -> Iterator[None]:
    """Let `folder` take new files for a while, without anyone else seeing them; made if it is missing."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    copy = Path(tempfile.mkdtemp(dir=GROUND))
    _mount("-t", "tmpfs", "-o", "mode=755", "pamcog", copy)
    for entry in there.iterdir():
        place = copy / entry.name
        place.mkdir() if entry.is_dir() else place.touch()
        _mount("--rbind", entry, place)
    _mount("--rbind", copy, there)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        # Not --recursive: since util-linux 2.41 that takes what lies beneath in the same place along.
        subprocess.run(["umount", "--lazy", there], check=True)
        subprocess.run(["umount", "--lazy", copy], check=True)
        copy.rmdir()


@contextmanager
def passable(path: Path) -> Iterator[None]:
    """Let everyone get to `path` for a while, as if no folder on the way were closed to others."""
    closed = next((folder for folder in reversed(path.parents) if not folder.stat().st_mode & stat.S_IXOTH), None)
    if closed is None:
        yield
        return
    with writable(closed), passable(path):
        yield
