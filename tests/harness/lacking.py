"""Runs a command on a kernel that lacks something, as far as the command can tell: lacking.py WHAT... -- COMMAND...

A filter of its own (seccomp(2)) answers these system calls ENOSYS, or EPERM as the filters of older containers do.
"""

import ctypes
import errno
import os
import platform
import struct
import sys

PR_SET_SECCOMP, FILTER = 22, 2
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, ERRNO = 0x7FFF0000, 0x00050000

# Where a filter finds the call's number, and the half of its first argument that matters.
NUMBER, FIRST = 0, 16 if sys.byteorder == "little" else 20

# The numbers of Landlock's calls are the same everywhere.
LANDLOCK = (444, 445, 446)
SECCOMP = {"x86_64": (317,), "aarch64": (277,), "riscv64": (277,), "ppc64le": (358,), "s390x": (348,)}.get(platform.machine(), ())
GET_ACTION_AVAIL = 2

# The calls, the answer, and the first argument to which it is given, if not to all. "In part" is how gVisor has it.
WHAT = {
    "landlock": (LANDLOCK, errno.ENOSYS, None),
    "landlock-by-order": (LANDLOCK, errno.EPERM, None),
    "seccomp": (SECCOMP, errno.ENOSYS, None),
    "seccomp-by-order": (SECCOMP, errno.EPERM, None),
    "seccomp-in-part": (SECCOMP, errno.EINVAL, GET_ACTION_AVAIL),
}


def instruction(code: int, if_true: int, if_false: int, value: int) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def program(what: list[str]) -> bytes:
    made = b""
    for one in what:
        numbers, failure, first = WHAT[one]
        answer = instruction(RETURN, 0, 0, ERRNO | failure)
        if first is not None:
            answer = instruction(LOAD, 0, 0, FIRST) + instruction(JUMP_IF_EQUAL, 0, 1, first) + answer
        for number in numbers:
            made += instruction(LOAD, 0, 0, NUMBER) + instruction(JUMP_IF_EQUAL, 0, len(answer) // 8, number) + answer
    return made + instruction(RETURN, 0, 0, ALLOW)


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


def main() -> None:
    end = sys.argv.index("--")
    code = program(sys.argv[1:end])
    libc = ctypes.CDLL(None, use_errno=True)
    filter = Program(len(code) // 8, code)
    if libc.prctl(PR_SET_SECCOMP, FILTER, ctypes.byref(filter), 0, 0) != 0:
        sys.exit(f"lacking.py: prctl: {os.strerror(ctypes.get_errno())}")
    os.execvp(sys.argv[end + 1], sys.argv[end + 1 :])


main()
