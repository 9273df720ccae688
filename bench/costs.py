"""What scripts/profile prints; started by it."""

import os
import statistics
import sys
from pathlib import Path
from typing import Iterator

TOP = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP / "tests"))

from harness import accounts, build, cost, leftovers, machine  # noqa: E402
from harness.build import Build  # noqa: E402
from harness.cost import CONNECTED, FIRST, SENT, SIGNED_IN, STARTED, VERIFIED, Counted, Meter  # noqa: E402
from harness.crowd import crowd  # noqa: E402
from harness.people import EMAIL, PASSWORD, USER  # noqa: E402
from harness.stage import Stage  # noqa: E402
from harness.syslog import Syslog  # noqa: E402
from standin import Standin  # noqa: E402

# Each sends a code, of which a host may send this user no more in an hour, whatever its configuration.
LOGINS_MOST = 1000

# A login of each flow, step by step: what was done when it got that far.
STEPS = {
    FIRST: "exec and dynamic linking; the first lockdown: user, rights, limits",
    STARTED: "libcurl and OpenSSL set up; the second: files, ports, system calls",
    CONNECTED: "connection, TLS, the pool's keys",
    SIGNED_IN: "sign-in, and the check of its token",
    SENT: "the request for a code",
    VERIFIED: "the confirmation of a code",
}

# What is dear, or was thought to be: functions with all that they call.
PARTS = {
    "_dl_relocate_object": "the dynamic linker looks up what the libraries need of each other",
    "_dl_init": "libraries that set themselves up when they are loaded",
    "lockdown": "the first lockdown",
    "http_new": "libcurl and OpenSSL set up",
    "CONF_modules_load_file_ex": "… of it openssl.cnf",
    "reach_only": "files and ports that are left",
    "seccomp_restrict": "the filter of system calls",
    "SSL_CTX_new": "OpenSSL's context for TLS",
    "EVP_PKEY_Q_keygen": "OpenSSL's random numbers, lists of algorithms and first key",
    "SSL_connect": "the handshake",
    "X509_verify_cert": "… of it the server's certificate",
    "jwks_parse": "the pool's keys, from JSON",
    "token_check": "the token: JSON, signature, claims",
    "srp_new": "the public key of SRP",
    "srp_answer": "the answer of SRP",
    "free": "freeing memory, and erasing it before",
    "erase_stack": "erasing the stack after each request",
}


def main() -> None:
    runs = int(sys.argv[1])
    if reason := cost.lacking():
        sys.exit(f"profile: {reason}")
    installed = build.from_environment()
    machine.enter([TOP, *installed.paths()])
    if not accounts.exists(installed.helper_user):
        accounts.add(installed.helper_user)
    accounts.add(USER)
    with Standin(machine.GROUND / "standin") as standin:
        standin.pool.quotas = {}
        standin.pool.add_user(USER, PASSWORD, email=EMAIL)
        meter = Meter(installed.helper, standin, USER, PASSWORD)
        for flow in ("password", "srp"):
            print(*steps(meter, flow, runs), sep="\n", end="\n\n")
        print(*parts(meter), sep="\n", end="\n\n")
        print(*libraries(meter.count(VERIFIED, "password")), sep="\n", end="\n\n")
        print(others(installed, standin, runs))


def steps(meter: Meter, flow: str, runs: int) -> Iterator[str]:
    """One table: a line a step, as what it adds to those before."""
    cpu = {upto: [0.0] * 0 for upto in STEPS}
    for _ in range(runs):
        for upto in STEPS:
            cpu[upto].append(meter.cpu(upto, flow))
    spent = {upto: quartile(times) for upto, times in cpu.items()}
    counted = {upto: meter.count(upto, flow) for upto in STEPS}
    yield f"| `signin_flow = {flow}` | million instructions | CPU, ms |"
    yield "| --- | --: | --: |"
    instructions, ms = 0, 0.0
    for upto, what in STEPS.items():
        yield f"| {what} | {(counted[upto].total - instructions) / 1e6:.1f} | {spent[upto] - ms:.2f} |"
        instructions, ms = counted[upto].total, spent[upto]
    yield f"| **a whole login** | **{instructions / 1e6:.1f}** | **{ms:.2f}** |"


def quartile(times: list[float]) -> float:
    """The lower one: what others do on the machine makes times longer, never shorter."""
    return statistics.quantiles(times, n=4)[0]


def parts(meter: Meter) -> Iterator[str]:
    flows = {flow: meter.count(VERIFIED, flow) for flow in ("password", "srp")}
    yield "| within these, with all that it calls | function | `password` | `srp` |"
    yield "| --- | --- | --: | --: |"
    for function, what in PARTS.items():
        yield f"| {what} | `{function}` | {of(function, flows['password'])} | {of(function, flows['srp'])} |"


def of(function: str, counted: Counted) -> str:
    return f"{counted.functions[function] / 1e6:.2f}" if function in counted.functions else "–"


def libraries(counted: Counted) -> Iterator[str]:
    yield "| by library, without what it calls | million instructions | share |"
    yield "| --- | --: | --: |"
    for library, count in sorted(counted.libraries.items(), key=lambda entry: -entry[1]):
        if count > counted.total / 200:
            yield f"| {library} | {count / 1e6:.1f} | {count / counted.total:.0%} |"


def others(installed: Build, standin: Standin, runs: int) -> str:
    """What is not the helper's."""
    command = quartile([cost.cpu_of(str(installed.command), "by hand") for _ in range(runs)])
    modules = modules_cpu(installed, standin, min(10 * runs, LOGINS_MOST))
    return (
        f"For comparison: a program that links the C library alone, from exec to exit, {command:.2f} ms; the modules in the host, "
        f"{modules:.2f} ms a login."
    )


def modules_cpu(installed: Build, standin: Standin, logins: int) -> float:
    """Milliseconds of CPU of a host for each login, beyond what it takes where everybody is let in."""
    stage = Stage(installed, Syslog(), standin)
    stage.add_service("profile", **standin.config(), signin_flow="password", send_limit=1000)
    stage.write_service("idle", "".join(f"{kind} required pam_permit.so\n" for kind in ("auth", "account", "session")))

    def answer(prompt: str) -> str:
        return PASSWORD if "assword" in prompt else standin.pool.outbox[-1].code

    spent = {}
    for service in ("profile", "idle"):
        with crowd(installed) as host:
            for _ in range(logins):
                entry = host.log_in(0, service, USER, answer)
                assert entry.let_in, entry
            spent[service] = host_cpu(host.pid)
    leftovers.wait_for_no_helper(installed.helper)
    return (spent["profile"] - spent["idle"]) / logins


def host_cpu(pid: int) -> float:
    """Its milliseconds of CPU, and of those that it has waited for: of the process that starts the helper."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return 1000 * sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    os.umask(0o022)
    main()
