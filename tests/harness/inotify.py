"""Who touches a file: inotify(7)."""

import ctypes
import os
import struct
from pathlib import Path
from typing import Iterable

IN_NONBLOCK = 0o4000
IN_ALL_EVENTS = 0xFFF
HEADER = struct.Struct("iIII")


class Inotify:
    """From its making on, everything that is opened, read, made or changed in these folders."""

    def __init__(self, folders: Iterable[Path]) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = libc.inotify_init1(IN_NONBLOCK)
        self._folders = {
            libc.inotify_add_watch(self._descriptor, os.fsencode(folder), IN_ALL_EVENTS): folder for folder in folders
        }
        assert self._descriptor >= 0 and -1 not in self._folders, os.strerror(ctypes.get_errno())

    def touched(self) -> set[Path]:
        """What was, since the last time. A folder itself stands for whoever looked what is in it."""
        found: set[Path] = set()
        while events := self._read():
            while events:
                watch, _, _, length = HEADER.unpack_from(events)
                name = events[HEADER.size : HEADER.size + length].rstrip(b"\0")
                found.add(self._folders[watch] / os.fsdecode(name))
                events = events[HEADER.size + length :]
        return found

    def _read(self) -> bytes:
        try:
            return os.read(self._descriptor, 1 << 16)
        except BlockingIOError:
            return b""

    def close(self) -> None:
        os.close(self._descriptor)
