"""Languages: the translations themselves, and logins in hosts that have a locale.

The locales are made by localedef(1) from the system's sources, for these tests alone; LOCPATH leads to them.
"""

import ast
import os
import pwd
import re
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Callable, Iterator
from unicodedata import category

import pytest
from harness import dialogue, words
from harness.build import Build, variable
from harness.dialogue import Step
from harness.hosts import Host, Hosts
from harness.login import Login
from harness.machine import GROUND, covered, writable
from harness.people import OTHER, PASSWORD, USER
from harness.stage import PAM_D, SERVICE, SOLE, Stage

Code = Callable[[], str]

SOURCES = Path(__file__).parent.parent
LANGUAGES = (SOURCES / "po/LINGUAS").read_text().split()

PAM_MAX_MSG_SIZE = 512
LONGEST_DESTINATION = "d" * 128

SIGN_IN: Step = (words.PASSWORD, PASSWORD)

GERMAN = "de_DE.UTF-8"
GERMAN_PASSWORD = "Passwort: "
GERMAN_CODE = "Code (leer für einen neuen): "
GERMAN_ASKED = "Ein Bestätigungscode wurde per E-Mail an a***@e*** gesendet.\n" + GERMAN_CODE
GERMAN_ASKED_AGAIN = "Der Code ist nicht richtig.\n" + GERMAN_CODE
FRENCH_PASSWORD = "Mot de passe\N{NO-BREAK SPACE}: "


# The translations


def tool(*command: str | Path) -> str:
    """What a program of gettext writes."""
    if not shutil.which(str(command[0])):
        pytest.skip(f"{command[0]} is missing: gettext")
    done = subprocess.run(command, cwd=SOURCES, capture_output=True, text=True, encoding="utf-8")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def texts_of(catalogue: str) -> dict[str, str]:
    """Each text of a .po or .pot file, and its translation, without the header."""
    pairs = re.findall(r'^msgid (".*")\nmsgstr (".*")$', catalogue, re.MULTILINE)
    found = {ast.literal_eval(text): ast.literal_eval(translation) for text, translation in pairs}
    found.pop("", None)
    return found


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """Every user text of the sources."""
    options = ("--language=C", "--from-code=UTF-8", "--keyword", "--keyword=N_", "--keyword=say", "--no-wrap")
    return list(texts_of(tool("xgettext", "--files-from=po/POTFILES.in", *options, "--output=-")))


def translations(language: str) -> dict[str, str]:
    file = f"po/{language}.po"
    return texts_of(tool("msgattrib", "--no-fuzzy", "--no-obsolete", "--no-wrap", file))


def test_template_is_up_to_date(texts: list[str]) -> None:
    """`make update-po` brings it up to the sources."""
    assert list(texts_of(tool("msgcat", "--no-wrap", "po/pam-cognito.pot"))) == texts


def test_every_marked_text_is_found(texts: list[str]) -> None:
    listed = (SOURCES / "po/POTFILES.in").read_text().split()
    marked = {
        str(path.relative_to(SOURCES))
        for path in [*SOURCES.glob("src/module/*.c"), *SOURCES.glob("src/common/*.def")]
        if re.search(r'\b(N_|say)\("', path.read_text(encoding="utf-8"))
    }
    assert set(listed) == marked


def test_every_user_text_is_marked(texts: list[str]) -> None:
    """What reads like a sentence or a prompt is one: the log has neither."""
    table = (SOURCES / "src/common/errors.def").read_text(encoding="utf-8")
    outcomes = re.findall(r"^OUTCOME\(\w+, *\w+, *(.*)\)$", table, re.MULTILINE)
    assert len(outcomes) > 20
    assert [text for text in outcomes if text != "NULL" and not re.fullmatch(r'N_\(".*"\)', text)] == []
    for path in SOURCES.glob("src/module/*.c"):
        literals = re.findall(r'"[A-Z][^"\n]*(?:[.?]|: )"', path.read_text(encoding="utf-8"))
        assert [text for text in literals if ast.literal_eval(text) not in texts] == [], path


@pytest.mark.parametrize("language", LANGUAGES)
def test_translation_is_whole(texts: list[str], language: str) -> None:
    found = translations(language)
    assert [text for text in texts if not found.get(text)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_translation_fits(texts: list[str], language: str) -> None:
    """With the longest destination and the longest prompt it is one message of PAM."""
    found = translations(language)
    prompt = max((found[text] for text in texts if text.endswith(": ")), key=lambda one: len(one.encode()))
    for text in texts:
        translation = found[text]
        assert translation.count("%s") == text.count("%s"), translation
        assert translation.count("%") == text.count("%"), translation
        assert translation.count("?") <= text.count("?"), translation
        assert translation.endswith(": ") == text.endswith(": "), translation
        assert not translation.startswith(" "), translation
        assert not any(category(character).startswith("C") for character in translation), translation
        whole = f"{translation.replace('%s', LONGEST_DESTINATION)}\n{prompt}"
        assert len(whole.encode()) < PAM_MAX_MSG_SIZE, translation


@pytest.mark.parametrize("language", LANGUAGES)
def test_translation_passes_msgfmt(tmp_path: Path, language: str) -> None:
    tool("msgfmt", "--check", f"--output-file={tmp_path}/{language}.mo", f"po/{language}.po")


# Hosts with a locale


# A host that speaks its user's language, and finds itself unchanged when it ends. Python runs this first.
ABROAD = """
import atexit, ctypes, locale
libc = ctypes.CDLL(None)
libc.setlocale.restype = libc.textdomain.restype = ctypes.c_char_p
assert libc.setlocale(locale.LC_ALL, b"")
def state():
    return libc.setlocale(locale.LC_ALL, None), libc.textdomain(None)
def compare(before=state()):
    if before != state():
        print("changed:", before, state(), flush=True)
atexit.register(compare)
"""


@pytest.fixture(scope="module")
def localedir(installed: Build) -> Path:
    """Where the translations are installed."""
    folder = Path(variable("LOCALEDIR") or installed.helper.parent.parent / "share/locale")
    if not catalogue(folder, "de").exists():
        pytest.skip("built without translations")
    return folder


def catalogue(localedir: Path, language: str) -> Path:
    return localedir / language / "LC_MESSAGES/pam-cognito.mo"


@pytest.fixture(scope="module")
def locales(localedir: Path) -> Iterator[Path]:
    """A folder of locales for LOCPATH."""
    if not shutil.which("localedef"):
        pytest.skip("localedef is missing")
    folder = GROUND / "locales"
    folder.mkdir()
    for name in (GERMAN, "de_DE.ISO-8859-1"):
        language, charset = name.split(".", 1)
        command = ["localedef", "-i", language, "-f", charset, folder / name]
        if subprocess.run(command, capture_output=True).returncode != 0:
            shutil.rmtree(folder)
            pytest.skip(f"localedef cannot make {name}: locales on Debian and Ubuntu, glibc-locale-source on Fedora")
    yield folder
    shutil.rmtree(folder)


@dataclass(frozen=True)
class Abroad(Build):
    """The build, with other variables for its hosts."""

    variables: dict[str, str] = field(default_factory=dict)

    def host_environment(self) -> dict[str, str]:
        return {**super().host_environment(), **self.variables}


@pytest.fixture
def abroad(hosts: Hosts, locales: Path, ground: Path) -> Callable[..., Iterator[Host]]:
    """`with abroad(LANGUAGE="fr") as host:` is a host that has called setlocale, with these variables."""
    (ground / "sitecustomize.py").write_text(ABROAD)
    installed = hosts.stage.build

    @contextmanager
    def run(**variables: str) -> Iterator[Host]:
        always = {"LC_ALL": GERMAN, "LOCPATH": str(locales), "PYTHONPATH": str(ground), "PYTHONUTF8": "1"}
        same = {one.name: getattr(installed, one.name) for one in fields(Build)}
        hosts.stage.build = Abroad(**same, variables={**always, **variables})
        with hosts() as host:
            host.start()
            before = host.state()
            yield host
            host.end()
            after = host.state()
            for name in ("locale", "environment", "descriptors", "status"):
                assert after[name] == before[name], name

    return run


def said(host: Host) -> list[str]:
    return [text for _, text in host.prompts]


def test_german_login(abroad: Callable[..., Iterator[Host]], code: Code, wrong: Code) -> None:
    with abroad() as host:
        assert host.call("authenticate", [PASSWORD, wrong, code]) == "PAM_SUCCESS"
    assert said(host) == [GERMAN_PASSWORD, GERMAN_ASKED, GERMAN_ASKED_AGAIN]


def test_german_failure(abroad: Callable[..., Iterator[Host]]) -> None:
    with abroad() as host:
        assert host.call("authenticate", ["not the password"]) == "PAM_AUTH_ERR"
    assert said(host) == [GERMAN_PASSWORD, "Anmeldung fehlgeschlagen."]


def test_latin_1(abroad: Callable[..., Iterator[Host]], code: Code) -> None:
    """The charset is the host's."""
    with abroad(LC_ALL="de_DE.ISO-8859-1") as host:
        assert host.call("authenticate", [PASSWORD, code]) == "PAM_SUCCESS"
    assert [text.encode("utf-8", "surrogateescape").decode("latin-1") for text in said(host)] == [
        GERMAN_PASSWORD,
        GERMAN_ASKED,
    ]


@pytest.mark.parametrize(
    "variables",
    [
        {"LC_ALL": "C"},
        {"LC_ALL": "C", "LANGUAGE": "de"},
        {"LANGUAGE": "tlh"},
        {"LC_ALL": "de_DE.ISO-8859-1", "LANGUAGE": "ja"},
        {"LANGUAGE": "ja", "OUTPUT_CHARSET": "EUC-JP"},
        {"LANGUAGE": "ja", "OUTPUT_CHARSET": "ISO-2022-JP"},
    ],
    ids=lambda variables: " ".join(variables.values()),
)
def test_english_where_nothing_else_can_be_shown(
    abroad: Callable[..., Iterator[Host]], code: Code, variables: dict[str, str]
) -> None:
    with abroad(**variables) as host:
        assert host.call("authenticate", [PASSWORD, code]) == "PAM_SUCCESS"
    assert said(host) == [words.PASSWORD, words.ASKED]


@pytest.mark.parametrize("language", LANGUAGES)
def test_language_of_the_user(abroad: Callable[..., Iterator[Host]], code: Code, language: str) -> None:
    with abroad(LANGUAGE=language) as host:
        assert host.call("authenticate", [PASSWORD, code]) == "PAM_SUCCESS"
    known = translations(language)
    sent = known["A verification code was sent by e-mail to %s."].replace("%s", "a***@e***")
    assert said(host) == [known["Password: "], f"{sent}\n{known['Code (empty for a new one): ']}"]


def compile_one(file: Path, translation: str) -> Path:
    """A file of translations with a single one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    header = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n'
    source = file.with_suffix(".po")
    source.write_text(f'{header}\nmsgid "Password: "\nmsgstr "{translation}"\n', encoding="utf-8")
    tool("msgfmt", f"--output-file={file}", source)
    source.unlink()
    return file


@pytest.mark.parametrize("translation", ["\\033[2J", "a\\a", "%s: ", "\N{CONTROL SEQUENCE INTRODUCER}2J"], ids=ascii)
def test_broken_translation(
    abroad: Callable[..., Iterator[Host]], localedir: Path, ground: Path, translation: str
) -> None:
    broken = compile_one(ground / "broken.mo", translation)
    with covered(catalogue(localedir, "de"), broken), abroad() as host:
        host.call("authenticate", [""])
    assert said(host)[0] == words.PASSWORD


def test_broken_file(abroad: Callable[..., Iterator[Host]], localedir: Path, ground: Path) -> None:
    broken = ground / "broken.mo"
    broken.write_bytes(catalogue(localedir, "de").read_bytes()[:400])
    with covered(catalogue(localedir, "de"), broken), abroad() as host:
        host.call("authenticate", [""])
    assert said(host)[0] == words.PASSWORD


@pytest.fixture
def planted(localedir: Path, ground: Path) -> str:
    """A language that a caller has made himself, as a path from the folder of translations."""
    compile_one(ground / "own/LC_MESSAGES/pam-cognito.mo", "Give me your password: ")
    return os.path.relpath(ground / "own", localedir)


def test_language_that_is_a_path(abroad: Callable[..., Iterator[Host]], planted: str) -> None:
    """In a host that root's rights came to by other ways than the set-user-id bit."""
    with abroad(LANGUAGE=planted) as host:
        host.call("authenticate", [""])
    assert said(host)[0] == words.PASSWORD


def test_host_without_a_locale(login: Login, locales: Path, code: Code) -> None:
    """pamtester never calls setlocale."""
    environment = {"LC_ALL": GERMAN, "LANG": GERMAN, "LANGUAGE": "de", "LOCPATH": str(locales)}
    assert login([SIGN_IN, (words.ASKED, code)], environment=environment).let_in


@pytest.fixture
def su(
    stage: Stage, account: object, locales: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., dialogue.Talk]]:
    """su(1) by another user. In a set-user-id program LOCPATH does not count, so the locale has to be the system's."""
    stage.write_config()
    stage.write_stack(SOLE)
    (PAM_D / "su").write_text("".join(f"{kind} include {SERVICE}\n" for kind in ("auth", "account", "session")))
    caller = pwd.getpwnam(OTHER)
    command = ["setpriv", f"--reuid={caller.pw_uid}", f"--regid={caller.pw_gid}", "--clear-groups"]

    def run(steps: list[Step], **variables: str) -> dialogue.Talk:
        environment = {"LC_ALL": GERMAN, **variables}
        return dialogue.hold([*command, "su", USER, "-c", "echo inside"], stage.build, environment, steps)

    monkeypatch.setenv("LC_ALL", "C")  # umount(8) must not hold what it takes away
    system = Path("/usr/lib/locale")
    with writable(system):
        if not (system / "de_DE.utf8").exists():
            shutil.copytree(locales / GERMAN, system / "de_DE.utf8")
        yield run


@pytest.mark.uninstrumented
def test_su(su: Callable[..., dialogue.Talk], code: Code) -> None:
    assert "inside" in su([(GERMAN_PASSWORD, PASSWORD), (GERMAN_ASKED, code)]).ending


@pytest.mark.uninstrumented
def test_su_with_a_language(su: Callable[..., dialogue.Talk]) -> None:
    su([(FRENCH_PASSWORD, "no")], LANGUAGE="tlh:fr:de")


@pytest.mark.uninstrumented
def test_su_with_a_path(su: Callable[..., dialogue.Talk], planted: str) -> None:
    su([(words.PASSWORD, "no")], LANGUAGE=planted)
    su([(words.PASSWORD, "no")], LANGUAGE=f"fr:{planted}")
