"""What is in the package, read without installing it."""

import re
import subprocess
from pathlib import Path

import pytest

SOURCES = Path(__file__).parent.parent.parent

CONFFILES = ["/etc/pam.d/cognito-verify", "/etc/security/pam_cognito.conf"]
MODULES = {"pam_cognito_code.so", "pam_cognito_confirm.so", "pam_cognito_prepare.so"}
PROGRAMS = {"usr/libexec/pam-cognito-command", "usr/libexec/pam-cognito-helper", "usr/sbin/pam-cognito-check"}

# Where an indirect call may land, with -fcf-protection. The note that says so of a whole binary is missing where the C library's own
# objects have none, as in Debian 12.
ENDBR64 = b"\xf3\x0f\x1e\xfa"


@pytest.fixture(scope="module")
def tree(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tree")
    subprocess.run(["dpkg-deb", "--raw-extract", package, folder], check=True)
    return folder


def read_elf(*options: str, path: Path) -> str:
    return subprocess.run(["readelf", "-W", *options, path], check=True, capture_output=True, text=True).stdout


def binaries(tree: Path) -> list[Path]:
    found = [path for path in tree.rglob("*") if path.is_file() and path.read_bytes()[:4] == b"\x7fELF"]
    assert {path.name for path in found if path.suffix == ".so"} == MODULES
    assert {str(path.relative_to(tree)) for path in found if path.suffix != ".so"} == PROGRAMS
    return found


def test_hardening(tree: Path) -> None:
    for path in binaries(tree):
        dynamic = read_elf("-d", path=path)
        assert "GNU_RELRO" in read_elf("-l", path=path) and "BIND_NOW" in dynamic, path
        assert "__stack_chk_fail" in read_elf("--dyn-syms", path=path), path
        assert re.search(r"__\w+_chk@", read_elf("--dyn-syms", path=path).replace("__stack_chk", "")), path
        assert "RPATH" not in dynamic and "RUNPATH" not in dynamic, path
        header = read_elf("-h", path=path)
        assert re.search(r"Type: +DYN", header), path
        assert path.suffix == ".so" or "PIE" in dynamic, path
        if "X86-64" in header:
            assert path.read_bytes().count(ENDBR64) > 20, path


def test_modules_are_where_libpam_looks(tree: Path) -> None:
    """Beside those of libpam itself, in the folder of this architecture."""
    triplet = subprocess.run(["dpkg-architecture", "-qDEB_HOST_MULTIARCH"], check=True, capture_output=True, text=True).stdout.strip()
    assert {path.name for path in (tree / "usr/lib" / triplet / "security").iterdir()} == MODULES


def test_conffiles(tree: Path) -> None:
    assert sorted((tree / "DEBIAN/conffiles").read_text().split()) == CONFFILES
    for path in CONFFILES:
        assert (tree / path.lstrip("/")).stat().st_mode & 0o777 == 0o644
    assert (tree / "etc/pam.d/cognito-verify").read_text() == (SOURCES / "pam.d-examples/cognito-verify").read_text()


def test_config_names_no_pool(tree: Path) -> None:
    lines = (tree / "etc/security/pam_cognito.conf").read_text().splitlines()
    assert all(not line or line.startswith("#") for line in lines)


def test_nothing_is_setuid(tree: Path) -> None:
    assert not [path for path in tree.rglob("*") if path.stat().st_mode & 0o6022 and not path.is_symlink()]


def test_profile_is_the_shipped_stack(tree: Path) -> None:
    """The lines of cognito-verify after the password, and the guard above all other account lines; off until it is wanted."""
    profile = (tree / "usr/share/pam-configs/cognito").read_text()
    fields = dict(re.findall(r"(?m)^([\w-]+):((?:.*\n(?:\t.*\n)*))", profile))
    stack = [line.split(maxsplit=1)[1] for line in (SOURCES / "pam.d-examples/cognito-verify").read_text().splitlines() if line[:4] == "auth"]
    assert _words(fields["Auth"]) == _words("\n".join(stack))
    assert _words(fields["Account"]) == [["requisite", "pam_cognito_code.so"]]
    assert {name: fields[name].strip() for name in ("Default", "Auth-Type", "Account-Type")} == {
        "Default": "no",
        "Auth-Type": "Additional",
        "Account-Type": "Primary",
    }
    assert int(fields["Priority"]) > 256  # pam_unix's, whose account line may end the account part


def _words(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines() if line.strip()]


def test_documents(tree: Path) -> None:
    folder = tree / "usr/share/doc/libpam-cognito"
    assert {"NEWS.gz", "README.md", "SECURITY.md", "copyright", "stacks.md"} <= {path.name for path in folder.iterdir()}
    examples = {path.name: path.read_text() for path in (SOURCES / "pam.d-examples").iterdir()}
    assert {path.name: path.read_text() for path in (folder / "examples").iterdir()} == examples


def test_languages(tree: Path) -> None:
    for language in (SOURCES / "po/LINGUAS").read_text().split():
        assert (tree / f"usr/share/locale/{language}/LC_MESSAGES/pam-cognito.mo").exists()
