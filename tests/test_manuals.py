"""The manuals say what the program does: its options, its results, every line of the log, and nothing that is no more.

The tables of the program and the texts in its sources are compared with the items of the manuals, both ways.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from harness import build, manual, messages, shipped
from harness.build import Build
from harness.check import Check
from harness.manual import Manual

PAGES = (
    "pam-cognito-check.8",
    "pam_cognito.conf.5",
    "pam_cognito_code.8",
    "pam_cognito_confirm.8",
    "pam_cognito_prepare.8",
)  # fmt: skip
CODE, CONFIRM, PREPARE, CONF, CHECK = (PAGES[i] for i in (2, 3, 4, 1, 0))

needs_mandoc = pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not here")


@pytest.fixture(scope="module")
def under_test() -> Build:
    if reason := build.missing():
        pytest.skip(reason)
    return build.from_environment()


@pytest.fixture(scope="module")
def source(under_test: Build) -> Path:
    return under_test.srcdir


@pytest.fixture(scope="module")
def pages(source: Path) -> dict[str, Manual]:
    return {name: manual.read(source / "man" / name) for name in PAGES}


# The pages as such


def test_pages_are_all_known(source: Path) -> None:
    """Each is built, installed and packed by the Makefile, and looked at here."""
    named = re.search(r"^dist_man_MANS = \\\n((?:\t.*\n)+)", (source / "Makefile.am").read_text(), re.MULTILINE)
    assert named is not None
    assert sorted(re.findall(r"man/(\S+)", named[1])) == sorted(PAGES)
    assert sorted(path.name for path in (source / "man").iterdir()) == sorted(PAGES)


@needs_mandoc
@pytest.mark.parametrize("name", PAGES)
def test_page_is_clean(source: Path, name: str) -> None:
    run = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", source / "man" / name], capture_output=True, text=True)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


@needs_mandoc
def test_pages_name_each_other_rightly(pages: dict[str, Manual]) -> None:
    own = {f"{name[:-2]}({name[-1]})" for name in PAGES}
    for page in pages.values():
        assert {name for name in page.references if "cognito" in name} <= own, page.name


@needs_mandoc
def test_markdown_is_up_to_date(source: Path, tmp_path: Path) -> None:
    """docs/man/ is what scripts/manuals makes of the pages."""
    subprocess.run([source / "scripts/manuals", tmp_path], check=True)
    kept = {path.name: path.read_text() for path in (source / "docs/man").iterdir()}
    assert kept == {path.name: path.read_text() for path in tmp_path.iterdir()}


LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")


def test_links_lead_somewhere(source: Path) -> None:
    documents = [*source.glob("*.md"), *source.glob("docs/**/*.md"), *source.glob("*/README.md")]
    broken = [f"{path.name}: {link}" for path in documents for link in LINK.findall(path.read_text()) if not (path.parent / link).exists()]
    assert broken == []


@pytest.mark.parametrize("name", PAGES)
def test_page_is_installed(source: Path, under_test: Build, name: str) -> None:
    """With the paths of this build, which are those of a package in the source."""
    text = (source / "man" / name).read_text()
    for packaged, ours in {
        "/etc/security/pam_cognito": under_test.conf.with_suffix(""),
        "/usr/lib/security/": f"{under_test.pamdir}/",
        "/usr/libexec/pam-cognito-": f"{under_test.helper.parent}/pam-cognito-",
        "/usr/sbin/pam-cognito-check": under_test.check,
    }.items():
        text = text.replace(packaged, str(ours))
    installed = (under_test.mandir / f"man{name[-1]}" / name).read_text()
    changed = [line for line in installed.splitlines() if line not in text.splitlines()]
    assert all(line.endswith(under_test.helper_user) or "/doc/" in line or "certs" in line for line in changed), changed
    files = re.findall(r"^\.It Pa (\S+)$", installed.partition(".Sh FILES\n")[2].partition("\n.Sh ")[0], re.MULTILINE)
    programs = [Path(path) for path in files if path.endswith((".so", "-helper", "-command", "-check"))]
    assert all(path.exists() for path in programs), programs


# The options

OPTION = re.compile(r'^OPTION\("(\w+)",\s*(\w+),\s*\w+,\s*(NULL|"[^"]*"),\s*(\d+),\s*(\d+),\s*(NULL|"[^"]*")\)', re.MULTILINE)


def takes(kind: str, least: str, most: str, choices: str) -> str:
    """How the manual says what an option takes."""
    words = choices.strip('"').split()
    return {
        "name": f"A name of at most {most} characters.",
        "path": "A path.",
        "url": f"A URL: {' or '.join(words)}.",
        "number": f"{words[0].capitalize()} from {least} to {most}.",
        "template": "A template.",
        "claim": "One of username, sub, email, preferred_username, custom:NAME.",
        "sources": "A list of signin, authtok, env:NAME, file:PATH, command:PATH.",
        "choice": f"One of {', '.join(words)}.",
        "flag": "A flag.",
        "boolean": "yes or no.",
        "words": f"A list of {', '.join(words)}.",
        "names": "A list of groups.",
        "metadata": "NAME=template, may repeat.",
    }[kind]


@needs_mandoc
def test_options(source: Path, pages: dict[str, Manual]) -> None:
    """Each row of options.def is one item, with its values, range and default; and no item is anything else."""
    table = (source / "src/common/options.def").read_text()
    rows = OPTION.findall(table)
    assert len(rows) == len(re.findall("^OPTION", table, re.MULTILINE))
    told = {item.head.split(" = ")[0]: item.body for item in pages[CONF].of("OPTIONS")}
    assert len(told) == len(pages[CONF].of("OPTIONS")), "an option stands there twice"
    assert sorted(told) == sorted(row[0] for row in rows)
    for key, kind, default, least, most, choices in rows:
        value = default.strip('"')
        expected = f"{takes(kind, least, most, choices)} {'No default.' if default == 'NULL' else f'Default: {value}.'} "
        assert told[key].startswith(expected), f"{key}: {told[key][:80]}"


@needs_mandoc
def test_module_points_to_the_options(pages: dict[str, Manual]) -> None:
    """Each option may be an argument of the code line; conf is one of the arguments alone."""
    told = {item.head: item.body for item in pages[CODE].of("OPTIONS")}
    assert "pam_cognito.conf(5)" in told["%"]
    assert {"conf=%", "require"} <= set(told)


# The examples

LEAST = {"region": "eu-west-1", "user_pool_id": "eu-west-1_AbCdEfGhI", "client_id": "1h57kf5cpq17m0eml12EXAMPLE"}


@needs_mandoc
def test_configurations_are_taken(check: Check, pages: dict[str, Manual]) -> None:
    """Each that is shown is one that the parser takes, with what it leaves to others."""
    shown = [text for name, section in ((CODE, "SET-UP"), (CONF, "EXAMPLES")) for text in pages[name].displayed(section)]
    shown = [text for text in shown if re.fullmatch(r"(\w+ += .*\n*)+", text)]
    assert len(shown) >= 5
    for text in shown:
        rest = "".join(f"{key} = {value}\n" for key, value in LEAST.items() if key not in text)
        run = check("config", str(check.stage.write_config(f"{text}\n{rest}")))
        assert [row for row in run.rows if row["key"] == "(refused)"] == [], text


@needs_mandoc
def test_stacks_are_right(check: Check, ground: Path, pages: dict[str, Manual]) -> None:
    """Each stack that is shown whole is one in which the checker finds nothing."""
    for name, text in shipped.COMMON.items():
        (ground / name).write_text(text)
    (ground / "cognito-verify").write_text(shipped.text(check.stage, "cognito-verify"))
    stacks = [text for name in (CODE, PREPARE) for text in pages[name].displayed("EXAMPLES")]
    assert len(stacks) == 3
    for text in stacks:
        guard = "" if "account" in text else "account requisite pam_cognito_code.so\n@include common-account\n"
        (ground / "service").write_text(text + "\n" + guard)
        run = check("stack", str(ground / "service"), "--pam-dir", str(ground), "--config", str(check.stage.write_config()))
        assert (run.exit, run.findings) == (0, []), text


@needs_mandoc
def test_lines_are_those_that_ship(check: Check, pages: dict[str, Manual]) -> None:
    """The lines of cognito-verify, and what sshd is told."""
    synopses = pages[CODE].sections["SYNOPSIS"] + pages[CONFIRM].sections["SYNOPSIS"]
    lines = [line.split() for line in shipped.text(check.stage, "cognito-verify").splitlines() if line and not line.startswith("#")]
    assert len(lines) == 3
    for line in lines:
        assert " ".join(line) in synopses
    assert "\n".join(shipped.settings(check.stage, "sshd")) in "\n".join(pages[CODE].displayed("SET-UP"))


# What PAM is told

FAILURES = "AUTH_ERR USER_UNKNOWN MAXTRIES AUTHINFO_UNAVAIL CONV_ERR SERVICE_ERR BUF_ERR SYSTEM_ERR"
CALLS = {
    CODE: {
        "pam_sm_authenticate": f"CRED_INSUFFICIENT IGNORE {FAILURES}",
        "pam_sm_acct_mgmt": "IGNORE PERM_DENIED SERVICE_ERR",
        "pam_sm_setcred": "SUCCESS",
    },
    CONFIRM: {"pam_sm_authenticate": f"SUCCESS IGNORE {FAILURES}", "pam_sm_setcred": "SUCCESS"},
    PREPARE: {"pam_sm_authenticate": "IGNORE", "pam_sm_setcred": "IGNORE"},
}


@needs_mandoc
@pytest.mark.parametrize("name", CALLS)
def test_return_values(pages: dict[str, Manual], name: str) -> None:
    """Of each call of the module; those that always return one value say so in a sentence."""
    page = pages[name]
    text = page.sections["PAM RETURN VALUES"]
    for call, codes in CALLS[name].items():
        told = {code for item in page.of("PAM RETURN VALUES") if item.call == call for code in item.names}
        if not told:
            told = set(re.findall(rf"{call}\(\)[^.]* always returns? (PAM_\w+)\.", text))
        assert told == {f"PAM_{code}" for code in codes.split()}, call
    assert set(re.findall(r"pam_sm_\w+", text)) == set(CALLS[name])
    if name == CODE:
        assert "It never returns PAM_SUCCESS." in text


# The log

GROUP = re.compile(r"^(?:“(?P<text>.*)”|nothing is shown) \((?P<code>PAM_\w+)\)$")


@needs_mandoc
def test_failures(source: Path, pages: dict[str, Manual]) -> None:
    """Each row of errors.def stands in one place under each of its outcomes, with what the user reads and what PAM is told."""
    told = []
    for page in pages.values():
        for item in page.of("DIAGNOSTICS", "Results that are failures"):
            if item.within is None:
                assert GROUP.match(item.head), item.head
                continue
            group = GROUP.match(item.within.head)
            assert group is not None, item.within.head
            told += [messages.Result(group["text"] or messages.NOTHING, group["code"], name) for name in item.names]
            assert item.body, f"{item.head}: what is to be done about it?"
    assert len(told) == len(set(told))
    assert set(told) == messages.failures(source)


@needs_mandoc
def test_other_results(source: Path, pages: dict[str, Manual]) -> None:
    code = re.findall(r'\[LOGIN_\w+\] = "([\w-]+)"', (source / "src/module/step_code.c").read_text())
    confirm = re.findall(r'accepted \? "(\w+)" : "(\w+)"', (source / "src/module/step_confirm.c").read_text())
    assert code and len(confirm) == 1
    for name, results in ((CODE, code), (CONFIRM, list(confirm[0]))):
        told = [name for item in pages[name].of("DIAGNOSTICS", "Results that are no failure") for name in item.names]
        assert told == results


# Sentences in the sources that no line of the log is made of.
OTHER_TEXTS = {
    "no yes",  # values of options
    "username sub email preferred_username",
    "signin authtok",
    "derived from region",  # where a value is from: for pam-cognito-check
    "derived from region and user_pool_id",
    "derived from endpoint and issuer",
    "https://cognito-idp.%.%",  # the URLs that follow
    "https://cognito-idp.%.%/%",
    "%/.well-known/jwks.json",
    "CodeDeliveryDetails, or a part of it,",  # members, for "… is absent or mistyped"
    "ChallengeParameters, or a part of it,",
    "the challenge PASSWORD_VERIFIER",
    "pam-cognito-helper: pam_cognito_code.so starts this; it is of no use by hand",  # for who tries all the same
    "pam-cognito-command: pam_cognito_code.so starts this; it is of no use by hand",
    "argument %",  # goes before the others
    '{"choices":%}',  # JSON
    "{}[]:, \t\r\n0123456789+-.eEtrufalsn",
    "pam-cognito/%",  # User-Agent
    "%_verified",  # an attribute
}


@needs_mandoc
def test_log(source: Path, pages: dict[str, Manual]) -> None:
    """Every text that the log can hold is an item of a manual, and each item there is one of those."""
    formats = messages.formats(source)
    assert OTHER_TEXTS <= formats, "no more in the sources"
    told = {
        messages.normal(item.head)
        for name in (CODE, CONFIRM, PREPARE, CONF)
        for item in pages[name].of("DIAGNOSTICS")
        if not item.subsection.startswith("Results")
    }
    assert formats - OTHER_TEXTS - told == set(), "not in a manual"
    assert told - formats - {"%"} == set(), "not in the sources"


@needs_mandoc
def test_entries_say_what_to_do(pages: dict[str, Manual]) -> None:
    """What stands beneath a row of heads is for all of them; the last has something beneath it."""
    for page in pages.values():
        items = page.of("DIAGNOSTICS")
        for item, after in zip(items, [*items[1:], None]):
            assert item.body or (after is not None and after.subsection == item.subsection), f"{page.name}: {item.head}"


# pam-cognito-check

LEVELS = {"FINDING": "Findings", "NOTE": "Notes", "OK": "What is in order"}


@needs_mandoc
@pytest.mark.parametrize("level", LEVELS)
def test_findings(source: Path, pages: dict[str, Manual], level: str) -> None:
    """Each name that a machine may meet, under its level."""
    table = (source / "src/check/rules.def").read_text()
    rows = re.findall(r'^RULE\(\w+,\s*"([\w-]+)",\s*(\w+),', table, re.MULTILINE)
    assert len(rows) == len(re.findall("^RULE", table, re.MULTILINE))
    told = [name for item in pages[CHECK].of("DIAGNOSTICS", LEVELS[level]) for name in item.names]
    assert sorted(told) == sorted({name for name, its in rows if its == level})


@needs_mandoc
def test_usage(under_test: Build, pages: dict[str, Manual]) -> None:
    """What --help names stands in the manual."""
    usage = subprocess.run([under_test.check, "--help"], check=True, capture_output=True, text=True).stdout
    words = {word for item in pages[CHECK].of("DESCRIPTION") for word in re.findall(r"--[\w-]+|^\w+", item.head)}
    options = set(re.findall(r"--[\w-]+", usage))
    subcommands = set(re.findall(r"^  (\w+) ", usage, re.MULTILINE))
    assert len(options) >= 6 and len(subcommands) == 4
    assert words == options | subcommands
    assert {item.head for item in pages[CHECK].of("EXIT STATUS")} == {"0", "1", "2"}
