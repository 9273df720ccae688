"""Logins in which calls fail: faults/ has them, and works by itself; this is as much of it as there is time for."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness import build
from harness.build import Build

RUN = Path(__file__).parent / "faults/run"
TABLE = RUN.with_name("calls.def")

LONGEST = 900
PAIRS = 1000
SEED = 20

PROGRAMS = (".libs/pam_cognito_code.so", ".libs/pam_cognito_confirm.so", ".libs/pam_cognito_prepare.so", "pam-cognito-helper", "pam-cognito-command")

# What the sources call and cannot fail, or not in a way that tells: it has no row in calls.def. Beside it what stands in
# every program, and what the wrappers call themselves.
NEVER_FAIL = set(
    """
    BN_CTX_end BN_CTX_start BN_is_odd BN_is_one BN_is_zero BN_num_bits BN_set_flags ERR_clear_error EVP_EncodeBlock
    EVP_PKEY_Q_keygen
    EVP_sha256 OSSL_PARAM_construct_end OSSL_PARAM_construct_utf8_string __errno_location __isoc23_fscanf __isoc23_strtol
    __isoc23_strtoll __isoc23_strtoul __isoc99_fscanf __libc_calloc __libc_free __libc_malloc __libc_start_main
    __stack_chk_fail _exit backtrace closedir curl_easy_strerror curl_global_cleanup curl_multi_remove_handle dcgettext
    dirfd dladdr dlsym explicit_bzero fwrite getegid getenv geteuid getpid getppid getrlimit iswcntrl
    json_object_array_get_idx json_object_array_length json_object_get json_object_get_int64 json_object_get_object
    json_object_get_string json_object_get_string_len json_object_is_type json_object_object_get_ex json_tokener_get_error
    json_tokener_get_parse_end json_tokener_set_flags malloc_usable_size mbrtowc memchr memcmp memcpy memmem memmove memset
    munmap pam_vprompt pthread_sigmask qsort raise rewinddir seccomp_syscall_resolve_name setitimer sigaction sigaddset
    sigemptyset sigfillset signal sigprocmask snprintf stat stpcpy strchr strcmp strcspn strerror strerrordesc_np strlen
    strncasecmp strncmp strnlen strpbrk strrchr strspn strstr strtol strtoll strtoul strtoull sysconf time umask vsnprintf
    """.split()
)


@pytest.fixture(scope="module")
def folder(installed: Build) -> Path:
    """Where it was built."""
    named = build.variable("FAULTS")
    if not named:
        pytest.skip("a build with sanitizers has no logins in which calls fail: both want the allocator")
    return Path(named)


def run(folder: Path, installed: Build, *options: str) -> str:
    """The last line of it, in which everything is counted."""
    where = ["--build", str(folder), "--helper-user", installed.helper_user, "--jobs", "1"]
    done = subprocess.run(
        [sys.executable, RUN, *where, *options], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=LONGEST
    )
    print(done.stdout, done.stderr, sep="\n")
    assert done.returncode == 0
    return done.stdout.splitlines()[-1]


def test_every_call_once(folder: Path, installed: Build, capsys: pytest.CaptureFixture[str]) -> None:
    told = run(folder, installed, "--short")
    with capsys.disabled():
        print(f"\n{told}")
    assert int(re.search(r"\d+", told)[0]) > 4000  # type: ignore[index]


def test_pairs(folder: Path, installed: Build, capsys: pytest.CaptureFixture[str]) -> None:
    told = run(folder, installed, "--pairs", str(PAIRS), "--seed", str(SEED))
    with capsys.disabled():
        print(f"\n{told}")
    assert f" {PAIRS} pairs" in told


@pytest.mark.parametrize("program", PROGRAMS)
def test_no_call_is_forgotten(folder: Path, program: str) -> None:
    """Whoever calls something new says how it fails, in calls.def, or that it cannot, here."""
    listed = subprocess.run(
        ["nm", "--dynamic", "--undefined-only", folder / "tests/faults" / program], check=True, capture_output=True, text=True
    )
    called = {line.split()[1].partition("@")[0] for line in listed.stdout.splitlines() if line.split()[0] == "U"}
    rows = set(re.findall(r"^[A-Z]+\((\w+)", TABLE.read_text(encoding="utf-8"), re.MULTILINE))
    assert "strlen" in called
    assert not called - rows - NEVER_FAIL
