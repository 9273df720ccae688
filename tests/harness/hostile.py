"""The environment that an attacker would choose: every variable that a library may read, each with a trap."""

import re
import subprocess
from pathlib import Path
from typing import Iterable, Iterator

# curl's libcurl-env(3), and the names that other clients take.
PROXIES = [f"{scheme}_proxy" for scheme in ("http", "https", "all", "ftp", "socks", "ws", "wss")]

# Where something is looked for: by curl, OpenSSL, glibc (getenv, and those of unsecvars.h), gettext, Kerberos, p11-kit,
# GnuTLS, SASL, shells and interpreters.
FOLDERS = """
    HOME CURL_HOME XDG_CONFIG_HOME QLOGDIR SSL_CERT_DIR OPENSSL_MODULES OPENSSL_ENGINES TMPDIR TMP TEMP TZDIR
    LOCPATH I18NPATH GCONV_PATH GETCONF_DIR NIS_PATH LD_LIBRARY_PATH LD_ORIGIN_PATH TEXTDOMAINDIR KRB5RCACHEDIR
    P11_MODULE_CONFIGS CDPATH PERL5LIB PYTHONPATH PYTHONHOME RUBYLIB NODE_PATH CRYPTOGRAPHY_DIR SASL_PATH
    SASL_CONF_PATH
""".split()

# What is opened, read or written; their names are their values too.
FILES = """
    SSLKEYLOGFILE SSL_CERT_FILE CURL_CA_BUNDLE NETRC CURL_ALTSVC_HTTP CURL_ENTROPY OPENSSL_CONF
    OPENSSL_CONF_INCLUDE CTLOG_FILE RANDFILE GNUTLS_KEYLOGFILE GNUTLS_SYSTEM_PRIORITY_FILE HOSTALIASES
    RESOLV_HOST_CONF LD_PRELOAD LD_AUDIT LD_DEBUG_OUTPUT LD_PROFILE LD_PROFILE_OUTPUT MALLOC_TRACE NIS_DEFAULTS
    DATEMSK GMON_OUT_PREFIX PCPROFILE_OUTPUT MEMUSAGE_OUTPUT SOTRUSS_OUTNAME COREFILE HESIOD_CONFIG KRB5_CONFIG
    KRB5CCNAME KRB5_KTNAME KRB5_TRACE KRB5RCACHENAME GSS_MECH_CONFIG LDAPCONF LDAPRC LDAPTLS_CACERT
    P11_KIT_DEBUG CARES_HOSTS BASH_ENV ENV PERL5OPT PERLIO_DEBUG PYTHONSTARTUP RUBYOPT NODE_OPTIONS
    JAVA_TOOL_OPTIONS GCOV_PREFIX ASAN_OPTIONS LLVM_PROFILE_FILE LANGUAGE PAM_COGNITO_CONF PAM_COGNITO_HELPER
""".split()

VALUES = {
    "NO_PROXY": "",
    "no_proxy": "",
    "CURL_SSL_BACKEND": "none",
    "CURL_FORBID_REUSE": "1",
    "OPENSSL_ia32cap": ":~0",
    "OPENSSL_ALLOW_PROXY_CERTS": "1",
    "OPENSSL_TRACE": "all",
    "GNUTLS_DEBUG_LEVEL": "9",
    "GLIBC_TUNABLES": "glibc.malloc.check=3:glibc.malloc.perturb=1",
    "LD_DEBUG": "all",
    "LD_BIND_NOW": "1",
    "LD_SHOW_AUXV": "1",
    "LD_VERBOSE": "1",
    "LD_WARN": "1",
    "MALLOC_CHECK_": "3",
    "MALLOC_PERTURB_": "1",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_TOP_PAD_": "1",
    "MALLOC_MMAP_MAX_": "0",
    "RES_OPTIONS": "attempts:0 debug",
    "LOCALDOMAIN": "example.net",
    "RESOLV_ADD_TRIM_DOMAINS": "example.net",
    "RESOLV_MULTI": "off",
    "NLSPATH": "{ground}/%N",
    "TZ": ":{ground}/TZ",
    "OUTPUT_CHARSET": "UTF-16",
    "TEXTDOMAIN": "other",
    "LC_ALL": "{ground}/LC_ALL",
    "LC_MESSAGES": "{ground}/LC_MESSAGES",
    "LANG": "{ground}/LANG",
    "POSIXLY_CORRECT": "1",
    "MSGVERB": "text",
    "SHELLOPTS": "xtrace",
    "BASHOPTS": "extglob",
    "PS4": "$(touch {ground}/PS4)",
    "IFS": "/",
    "BASH_FUNC_echo%%": "() {{ touch {ground}/function; }}",
}

# The host's own, or a shell's, to obey by right.
RIGHTFUL = {"PATH", "TERM", "SHELL", "USER", "LOGNAME", "PWD", "OLDPWD", "COLUMNS", "LINES"}

CAPITALS = re.compile(rb"(?<=\0)[A-Z][A-Z0-9_]{2,40}(?=\0)")


def environment(ground: Path, proxy: str, programs: Iterable[Path]) -> dict[str, str]:
    """With a value for each of them, and for every other word in capitals that stands in the libraries of these programs:
    whatever a library calls its variables, their names are among those. What they name lies in `ground`, for everybody to
    read and write."""
    made = {name: str(ground / name) for name in [*sorted(_words(programs)), *FILES]}
    made |= {name: str(_folder(ground / name)) for name in FOLDERS}
    made |= {name: value.format(ground=ground) for name, value in VALUES.items()}
    made |= {name: proxy for one in PROXIES for name in (one, one.upper())}
    for name in RIGHTFUL:
        made.pop(name, None)
    for name, value in made.items():
        if value == str(ground / name) and not (ground / name).exists():
            (ground / name).touch()
            (ground / name).chmod(0o666)
    for name, content in ((".curlrc", f'proxy = "{proxy}"\n'), (".netrc", "default login root password x\n")):
        (ground / "HOME" / name).write_text(content)
    return made


def _folder(path: Path) -> Path:
    path.mkdir()
    path.chmod(0o777)
    return path


def _words(programs: Iterable[Path]) -> set[str]:
    return {word.decode() for path in set(_libraries(programs)) for word in CAPITALS.findall(path.read_bytes())}


def _libraries(programs: Iterable[Path]) -> Iterator[Path]:
    for program in programs:
        yield program
        listed = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
        yield from (Path(found) for found in re.findall(r"(/\S+) \(0x", listed))
