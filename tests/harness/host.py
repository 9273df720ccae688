"""A host process in Python: libpam by ctypes, told line by line in JSON what to do.

It reads orders on standard input and writes what comes of each on standard output; a prompt is written too, and its
answer is read like an order. Anything that a module prints would be in the way, and is noticed by that.
"""

import ctypes
import fcntl
import json
import locale
import os
import resource
import signal
import sys
import threading
from typing import Any

PAM_SUCCESS = 0


class Message(ctypes.Structure):
    _fields_ = [("style", ctypes.c_int), ("text", ctypes.c_char_p)]


class Response(ctypes.Structure):
    _fields_ = [("text", ctypes.c_void_p), ("code", ctypes.c_int)]


CONVERSE = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.c_int,
    ctypes.POINTER(ctypes.POINTER(Message)),
    ctypes.POINTER(ctypes.POINTER(Response)),
    ctypes.c_void_p,
)


class Conversation(ctypes.Structure):
    _fields_ = [("function", CONVERSE), ("data", ctypes.c_void_p)]


libc = ctypes.CDLL(None)
libc.calloc.restype = libc.strdup.restype = ctypes.c_void_p
libc.strdup.argtypes = (ctypes.c_char_p,)
libc.setlocale.restype = libc.textdomain.restype = ctypes.c_char_p
libc.free.argtypes = (ctypes.c_void_p,)
libpam = ctypes.CDLL("libpam.so.0")
libpam.pam_getenvlist.restype = ctypes.POINTER(ctypes.c_void_p)
handle = ctypes.c_void_p()


def say(**what: Any) -> None:
    print(json.dumps(what), flush=True)


def hear() -> dict[str, Any]:
    return json.loads(sys.stdin.readline())


def encoded(text: str | None) -> bytes | None:
    return None if text is None else text.encode("utf-8", "surrogateescape")


def converse(count: int, messages: Any, responses: Any, data: Any) -> int:
    """Pass the messages on; whoever gives the orders has the answers."""
    said = [messages[i].contents for i in range(count)]
    texts = [[one.style, one.text.decode("utf-8", "surrogateescape")] for one in said]
    say(prompt=texts, environment=pam_environment())
    heard = hear()
    if heard["code"] != PAM_SUCCESS:
        return heard["code"]
    array = ctypes.cast(libc.calloc(count, ctypes.sizeof(Response)), ctypes.POINTER(Response))
    for i, answer in enumerate(heard["answers"]):
        array[i].text = None if answer is None else libc.strdup(encoded(answer))
    responses[0] = array
    return PAM_SUCCESS


def pam_environment() -> list[str]:
    """What the application would give to the session."""
    variables = libpam.pam_getenvlist(handle)
    found: list[str] = []
    while variables[len(found)]:
        found.append(ctypes.string_at(variables[len(found)]).decode("utf-8", "surrogateescape"))
        libc.free(variables[len(found) - 1])
    libc.free(variables)
    return found


class Manners:
    """How this host behaves, and what it sees of its children."""

    def __init__(self) -> None:
        self.signals = 0
        self.reaped: list[int] = []
        self._own: int | None = None
        self._over = threading.Event()
        self._reaper = threading.Thread(target=self._reap)

    def behave(self, how: str) -> None:
        """As hosts do: "count" has a handler, "ignore" wants none to be waited for, "reap" waits for any."""
        if how == "count":
            signal.signal(signal.SIGCHLD, self._count)
        elif how == "ignore":
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        elif how == "reap":
            self._reaper.start()

    def _count(self, number: int, frame: Any) -> None:
        self.signals += 1

    def _reap(self) -> None:
        while not self._over.wait(0.001):
            try:
                pid, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                continue
            if pid:
                self.reaped.append(pid)

    def odd_signals(self) -> None:
        """Ignore some, block some."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGALRM, signal.SIGUSR1})

    def odd_limits(self) -> None:
        """Open what can be opened, but for a few."""
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
        for _ in range(200):
            os.dup(0)

    def speak(self, language: str, path: str) -> None:
        """As hosts do that call setlocale(3); `path` is where the locale lies."""
        os.environ["LOCPATH"] = path
        locale.setlocale(locale.LC_ALL, language)

    def open_inheritable(self, path: str) -> None:
        """A descriptor that a child gets unless somebody sees to it."""
        os.set_inheritable(os.open(path, os.O_RDONLY), True)

    def start_own(self) -> None:
        """A child of the host's own that ends at once, with a status that nobody else may take."""
        self._own = os.fork()
        if self._own == 0:
            os._exit(42)

    def own_status(self) -> int:
        assert self._own is not None
        return os.waitstatus_to_exitcode(os.waitpid(self._own, 0)[1])

    def report(self) -> dict[str, Any]:
        if self._reaper.is_alive():
            self._over.set()
            self._reaper.join()
        return {"signals": self.signals, "reaped": self.reaped}


STATUS = (
    "Umask", "SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt", "Threads", "Groups", "Uid", "Gid", "CapInh", "CapPrm", "CapEff",
    "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "Cpus_allowed", "NSsid", "NSpgid", "Name",
)  # fmt: skip

# prctl(2): those that say how something is.
PR_GET_PDEATHSIG, PR_GET_DUMPABLE, PR_GET_KEEPCAPS, PR_GET_CHILD_SUBREAPER = 2, 3, 7, 37


def state() -> dict[str, Any]:
    """All of this process that a guest must leave as it was."""
    return {
        "descriptors": _descriptors(),
        "environment": _environment(),
        "directory": os.getcwd(),
        "root": os.readlink("/proc/self/root"),
        "status": _status(*STATUS),
        "handlers": _handlers(),
        "switches": _switches(),
        "priority": os.getpriority(os.PRIO_PROCESS, 0),
        "children": _children(),
        "locale": libc.setlocale(locale.LC_ALL, None).decode(),
        "text domain": libc.textdomain(None).decode(),
        "limits": [resource.getrlimit(getattr(resource, name)) for name in dir(resource) if name.startswith("RLIMIT_")],
        "timers": [signal.getitimer(timer) for timer in (0, 1, 2)],
    }


def _descriptors() -> dict[str, str]:
    """What each is, with its flags."""
    found = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            flags = f"{fcntl.fcntl(int(name), fcntl.F_GETFD):x} {fcntl.fcntl(int(name), fcntl.F_GETFL):x}"
            found[name] = f"{os.readlink(f'/proc/self/fd/{name}')} {flags}"
        except OSError:
            continue  # the one by which the folder was read
    return found


class Action(ctypes.Structure):
    """The C library's struct sigaction. Of the mask the kernel knows one word on 64-bit machines, two on others."""

    _fields_ = [("handler", ctypes.c_void_p), ("mask", ctypes.c_ulong * 16), ("flags", ctypes.c_int), ("restorer", ctypes.c_void_p)]


# Whoever sets an action by the C library sets this flag with it: pam_unix, since Linux-PAM 1.7, when it puts back that of SIGCHLD.
SA_RESTORER = 0x04000000


def _handlers() -> list[tuple[int, int | None, int, int]]:
    """The action of each signal."""
    action = Action()
    found = []
    for number in range(1, signal.NSIG):
        if libc.sigaction(number, None, ctypes.byref(action)) == 0:
            others = SA_RESTORER if number == signal.SIGCHLD else 0
            found.append((number, action.handler, action.mask[0], action.flags & ~others))
    return found


def _switches() -> list[int]:
    found = [libc.prctl(which, 0, 0, 0, 0) for which in (PR_GET_DUMPABLE, PR_GET_KEEPCAPS)]
    for which in (PR_GET_PDEATHSIG, PR_GET_CHILD_SUBREAPER):
        value = ctypes.c_int()
        libc.prctl(which, ctypes.byref(value), 0, 0, 0)
        found.append(value.value)
    return found


def _environment() -> list[str]:
    """The C library's view: os.environ does not see what C code sets."""
    environ = ctypes.POINTER(ctypes.c_char_p).in_dll(libc, "environ")
    found: list[str] = []
    while environ[len(found)]:
        found.append(environ[len(found)].decode())
    return found


def _status(*names: str) -> dict[str, str]:
    with open("/proc/self/status") as file:
        pairs = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    return {name: pairs[name] for name in names}


def _children() -> list[str]:
    me = str(os.getpid())
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as file:
                stat = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        if stat[1] == me:
            found.append(pid)
    return found


def main() -> None:
    conversation = Conversation(CONVERSE(converse), None)
    manners = Manners()
    while order := hear():
        name, arguments = order["order"], order["arguments"]
        if name == "open_log":
            libc.openlog(b"host", 8, 0)  # LOG_NDELAY: the log's socket is there from now on
            say(value=None)
        elif name == "start":
            service, user = map(encoded, arguments)
            say(code=libpam.pam_start(service, user, ctypes.byref(conversation), ctypes.byref(handle)))
        elif name == "set_item":
            say(code=libpam.pam_set_item(handle, arguments[0], ctypes.c_char_p(encoded(arguments[1]))))
        elif name == "putenv":
            say(code=libpam.pam_putenv(handle, encoded(arguments[0])))
        elif name == "pam_environment":
            say(value=pam_environment())
        elif name == "end":
            say(code=libpam.pam_end(handle, arguments[0]))
        elif name in ("authenticate", "acct_mgmt", "setcred", "open_session"):
            flags = 2 if name == "setcred" else 0  # PAM_ESTABLISH_CRED
            say(code=getattr(libpam, f"pam_{name}")(handle, flags))
        elif name == "state":
            say(state=state())
        elif name == "quit":
            break
        else:
            say(value=getattr(manners, name)(*arguments))


main()
