"""The SELinux module, linked with the policy of this machine: what the programs and their hosts may do by it, and what not.

Nothing here is enforced: the rules are read from the binary policy, as the kernel would get it. It is linked in a store of its own.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Iterator

import pytest

setools = pytest.importorskip("setools", reason="there are no setools: python3-setools")

SRCDIR = Path(__file__).parents[1]
SOURCES = SRCDIR / "packaging/selinux"
DEVELOPMENT = Path("/usr/share/selinux/devel/Makefile")
SELINUX = Path("/etc/selinux")
STORES = Path("/var/lib/selinux")

HELPER, COMMAND = "pam_cognito_helper_t", "pam_cognito_command_t"
PROGRAMS = (HELPER, COMMAND)

# A policy as newer ones are, where sshd has a domain for the part that asks PAM.
# And a twin of that, which the module knows nothing of.
TWIN = "twin_t"
NEWER = " ".join(f"(type {name}) (roletype system_r {name}) (typeattributeset domain ({name}))" for name in ("sshd_session_t", TWIN))
HOSTS = {
    *("sshd_t", "sshd_session_t", "local_login_t", "unconfined_t"),
    *(f"{role}_{program}_t" for role in ("staff", "sysadm", "user") for program in ("su", "sudo")),
}

READ = {"getattr", "ioctl", "lock", "open", "read"}
RUN = READ - {"lock"} | {"execute", "map"}

# What a host needs, and gets if it had not got it: to the letter. What the policy grants to others of its kind too, the linker may
# have left out as said already.
NEEDED = {
    ("pam_cognito_conf_t", "file"): READ,
    ("pam_cognito_helper_exec_t", "file"): RUN,
    ("pam_cognito_command_exec_t", "file"): RUN,
    ("pam_cognito_helper_t", "process"): {"transition", "sigkill"},
    ("pam_cognito_command_t", "process"): {"transition", "sigkill"},
    ("pam_cognito_helper_t", "process2"): {"nnp_transition", "nosuid_transition"},
    ("pam_cognito_command_t", "process2"): {"nnp_transition", "nosuid_transition"},
    ("pam_cognito_runtime_t", "dir"): READ | {"add_name", "create", "remove_name", "search", "setattr", "write"},
    ("pam_cognito_runtime_t", "file"): READ | {"append", "create", "link", "rename", "setattr", "unlink", "write"},
    # For /run/pam-cognito, /proc/sys/kernel and the socket pair; most hosts have it all anyway.
    ("var_run_t", "dir"): READ | {"add_name", "remove_name", "search", "write"},
    ("var_run_t", "lnk_file"): {"getattr", "read"},
    ("var_t", "dir"): {"getattr", "open", "search"},
    ("etc_t", "dir"): READ | {"search"},
    ("proc_t", "dir"): {"getattr", "open", "search"},
    ("sysctl_t", "dir"): {"getattr", "open", "search"},
    ("sysctl_kernel_t", "dir"): READ | {"search"},
    ("sysctl_kernel_t", "file"): READ,
    ("self", "unix_stream_socket"): {"create", "getattr", "getopt", "read", "setopt", "shutdown", "write"},
}

FILES = {"file", "dir", "lnk_file", "chr_file", "blk_file", "sock_file", "fifo_file"}
CHANGES = {"append", "write", "create", "setattr", "link", "unlink", "rename", "rmdir", "add_name", "remove_name", "reparent", "relabelto", "mounton"}
# What the policy grants to every domain, and what it takes to speak to a service: no file that stays.
NO_FILES = {("null_device_t", "chr_file"), ("zero_device_t", "chr_file"), ("devtty_t", "chr_file")}
SERVICES = {"systemd_resolved_runtime_t", "systemd_resolved_var_run_t", "setrans_runtime_t", "setrans_var_run_t"}
CODE = {"lib_t", "ld_so_t", "textrel_shlib_t"}
SECRETS = ("pam_cognito_conf_t", "pam_cognito_runtime_t", "shadow_t", "sshd_key_t", "user_home_t", "ssh_home_t", "tmp_t", "user_tmp_t", "var_log_t")


class Policy:
    def __init__(self, path: Path) -> None:
        self.policy = setools.SELinuxPolicy(str(path))
        self.rules: dict[str, list[Any]] = {}
        for rule in self.policy.terules():
            if rule.ruletype == setools.TERuletype.allow:
                self.rules.setdefault(str(rule.source), []).append(rule)

    def granted(self, source: str, tclass: tuple[str, ...] = (), perms: tuple[str, ...] = ()) -> Iterator[Any]:
        """The rules for a type and for whatever it is counted among."""
        for name in (source, *map(str, self.policy.lookup_type(source).attributes())):
            for rule in self.rules.get(name, []):
                if tclass and str(rule.tclass) not in tclass or perms and not set(perms) & set(map(str, rule.perms)):
                    continue
                yield rule

    def access(self, source: str) -> dict[tuple[str, str], set[str]]:
        """What the rules for it say as they are written, by target and class."""
        found: dict[tuple[str, str], set[str]] = {}
        for rule in self.granted(source):
            target = "self" if str(rule.target) == source else str(rule.target)
            found.setdefault((target, str(rule.tclass)), set()).update(map(str, rule.perms))
        return found

    def may(self, source: str, target: str, tclass: str) -> set[str]:
        """All that it may do to a type."""
        return {str(perm) for rule in self.granted(source, (tclass,)) if target in map(str, rule.target.expand()) for perm in rule.perms}

    def targets(self, source: str, tclass: str, perm: str, conditional: bool = False) -> set[str]:
        """The types that a permission reaches, one by one."""
        rules = [rule for rule in self.granted(source, (tclass,), (perm,)) if conditional or not is_conditional(rule)]
        return {str(type) for rule in rules for type in rule.target.expand()}


def is_conditional(rule: Any) -> bool:
    try:
        return rule.conditional is not None
    except (AttributeError, setools.exception.RuleNotConditional):
        return False


def run(*command: str | Path) -> None:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def store() -> str:
    config = SELINUX / "config"
    found = re.search(r"^SELINUXTYPE=(\w+)", config.read_text(), re.M) if config.exists() else None
    if not DEVELOPMENT.exists() or found is None or not (STORES / found[1]).exists():
        pytest.skip("there is no SELinux policy to link with: selinux-policy-dev and selinux-policy-default")
    if found[1] == "targeted":
        pytest.skip("the tables are those of the reference policy, as Debian has it; Fedora's grants each domain some more")
    return found[1]


@pytest.fixture(scope="module")
def module(store: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("module")
    run(SRCDIR / "scripts/package-selinux", folder)
    return folder / "pam_cognito.pp"


@pytest.fixture(scope="module")
def root(store: str, module: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root folder with nothing but the policy of this machine, the module, and the domain of a newer policy."""
    root = tmp_path_factory.mktemp("root")
    shutil.copytree(SELINUX, root / "etc/selinux", symlinks=True)
    shutil.copytree(STORES / store, root / "var/lib/selinux" / store, symlinks=True)
    newer = root / "newer.cil"
    newer.write_text(NEWER)
    run("semodule", "--noreload", "--store", store, "--path", root, "--priority", "200", "--install", newer, module)
    return root


def binary(root: Path, store: str) -> Path:
    (found,) = (root / "etc/selinux" / store / "policy").glob("policy.*")
    return found


@pytest.fixture(scope="module")
def before(store: str) -> Policy:
    return Policy(binary(Path("/"), store))


@pytest.fixture(scope="module")
def after(root: Path, store: str) -> Policy:
    return Policy(binary(root, store))


@pytest.mark.parametrize("host", sorted(HOSTS))
def test_hosts_gain_what_they_need_and_nothing_else(host: str, before: Policy, after: Policy) -> None:
    had = after.access(TWIN) if host == "sshd_session_t" else before.access(host)
    gained = {what: new for what, perms in after.access(host).items() if (new := perms - had.get(what, set()))}
    assert {what: more for what, perms in gained.items() if (more := perms - NEEDED.get(what, set()))} == {}
    for (target, tclass), perms in NEEDED.items():
        assert perms - {"ioctl", "lock"} <= after.may(host, host if target == "self" else target, tclass), (target, tclass)


@pytest.mark.parametrize("program", PROGRAMS)
def test_hosts_alone_start_the_programs_and_come_out_in_their_domains(program: str, after: Policy) -> None:
    entry = program.replace("_t", "_exec_t")
    automatic = setools.TERuleQuery(after.policy, ruletype=["type_transition"], target=entry, tclass=["process"]).results()
    assert {str(rule.source): str(rule.default) for rule in automatic} == {host: program for host in HOSTS}
    assert after.targets(program, "file", "entrypoint") == {entry}
    roles = [role for role in after.policy.roles() if HOSTS & set(map(str, role.types()))]
    lacking = {str(role) for role in roles if program not in map(str, role.types())} - {"object_r"}
    assert lacking == set(), "a host in such a role could not start it, and nobody would get in there"


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_change_no_file(program: str, after: Policy) -> None:
    changed = set()
    for rule in after.granted(program):
        if str(rule.tclass) not in FILES or not CHANGES & set(map(str, rule.perms)):
            continue
        changed |= {(str(type), str(rule.tclass)) for type in rule.target.expand()}
    changed = {(type, tclass) for type, tclass in changed if type not in PROGRAMS and (type, tclass) not in NO_FILES}
    # The pipes that every domain transition grants; nothing but /dev/null and the socket pair is ever handed on.
    changed -= {(host, "fifo_file") for host in HOSTS}
    assert {type for type, tclass in changed if tclass != "sock_file"} == set()
    assert {type for type, _ in changed} <= SERVICES


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("secret", SECRETS)
def test_programs_read_no_secrets(secret: str, program: str, after: Policy) -> None:
    assert secret not in after.targets(program, "file", "read", conditional=True) | after.targets(program, "file", "open", conditional=True)


def test_the_helper_starts_nothing(after: Policy) -> None:
    assert after.targets(HELPER, "file", "execute_no_trans", conditional=True) == set()
    assert after.targets(HELPER, "process", "transition", conditional=True) == set()
    assert after.targets(HELPER, "process", "dyntransition", conditional=True) == set()
    assert after.targets(HELPER, "file", "execute") <= CODE | {"pam_cognito_helper_exec_t"}


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_have_no_hold_on_other_processes(program: str, after: Policy) -> None:
    for perm in ("ptrace", "signal", "sigstop", "setsched", "setpgid", "execmem", "execstack", "execheap"):
        assert after.targets(program, "process", perm, conditional=True) == set(), perm
    assert after.targets(program, "process", "sigkill", conditional=True) == ({COMMAND} if program == COMMAND else set())


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_only_ever_connect(program: str, after: Policy) -> None:
    sockets = {str(rule.tclass) for rule in after.granted(program, perms=("create",)) if str(rule.tclass).endswith("_socket")}
    assert sockets == {"tcp_socket", "udp_socket", "unix_stream_socket", "netlink_route_socket"}
    for tclass in ("tcp_socket", "udp_socket"):
        for perm in ("bind", "name_bind", "node_bind", "listen", "accept"):
            if perm in after.policy.lookup_class(tclass).perms or perm in after.policy.lookup_class(tclass).common.perms:
                assert after.targets(program, tclass, perm, conditional=True) == set(), (tclass, perm)


def test_ports(after: Policy) -> None:
    assert after.targets(COMMAND, "tcp_socket", "name_connect", conditional=True) == {"dns_port_t", "http_port_t"}
    assert after.targets(HELPER, "tcp_socket", "name_connect") == {"dns_port_t", "http_port_t", "http_cache_port_t"}
    assert after.policy.lookup_boolean("pam_cognito_connect_any").state is False
    assert "ssh_port_t" in after.targets(HELPER, "tcp_socket", "name_connect", conditional=True)


def test_capabilities(after: Policy) -> None:
    for program, more in ((HELPER, set()), (COMMAND, {"kill"})):
        granted = {str(perm) for rule in after.granted(program, ("capability", "capability2")) for perm in rule.perms}
        assert granted == {"setgid", "setpcap", "setuid", "sys_resource"} | more


def test_files_get_their_types() -> None:
    types = {
        "/etc/security/pam_cognito.conf": "pam_cognito_conf_t",
        "/etc/security/pam_cognito.secret": "pam_cognito_conf_t",
        "/run/pam-cognito": "pam_cognito_runtime_t",
        "/run/pam-cognito/budget,alice": "pam_cognito_runtime_t",
        "/usr/libexec/pam-cognito-helper": "pam_cognito_helper_exec_t",
        "/usr/libexec/pam-cognito-command": "pam_cognito_command_exec_t",
    }
    contexts = [line.split("\t") for line in (SOURCES / "pam_cognito.fc").read_text().splitlines() if line]
    for path, type in types.items():
        assert [context for expression, _, context in contexts if re.fullmatch(expression, path)] == [
            f"gen_context(system_u:object_r:{type},s0)"
        ], path
    state = (SRCDIR / "src/module/state.h").read_text()
    assert '"/run/pam-cognito"' in state


def test_no_comment_ends_an_interface() -> None:
    """m4 takes an apostrophe in an interface for its end, and says nothing: the rest would be missing."""
    for line in (SOURCES / "pam_cognito.if").read_text().splitlines():
        if line.startswith("\t#"):
            assert "'" not in line and "`" not in line, line
