"""Every login that is written down in cases/*.case; README.md says how to add one."""

import re
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from harness import accounts, outcome, script
from harness.codes import NAMES
from harness.hosts import CONVERSATION_FAILS, PAM_RHOST, PAM_TTY, Host, Hosts
from harness.people import EMAIL, LOCAL_PASSWORD, PASSWORD, USER, WRONG_PASSWORD
from harness.script import Call, Case, Entry, Mistake, Place, Step
from harness.stage import AFTER_PASSWORD, SECOND, SOLE
from standin import Standin, User, faults
from standin.faults import Fault

FOLDER = Path(__file__).with_name("cases")
CASES = sorted(FOLDER.glob("*.case"))

STACKS = {"sole": SOLE, "second": SECOND, "after-password": AFTER_PASSWORD}
HIDDEN, SHOWN, ERROR = 1, 2, 3  # message styles of PAM

TIMES = {"once": 1, "twice": 2, "three times": 3, "always": None}

DIRECTIONS = (
    "N seconds pass", "N hours pass at Cognito", "the code expires", "the account is disabled",
    "the next code cannot be delivered",
)  # fmt: skip

MESSAGE = re.compile(r"(?P<medium>EMAIL|SMS) to (?P<address>\S+)(?: with (?P<metadata>.*))?")
PAIR = re.compile(r"(?P<key>[\w.-]+) *= *(?P<value>.*)")
MEMBER = re.compile(r"(?P<operation>\w+) (?P<path>[\w.]+) *(?P<how>[=~]) *(?P<value>.*)")


class Different(AssertionError):
    """The login is not what the file says."""

    def __init__(self, place: Place, what: str) -> None:
        super().__init__(f"{place}: {what}")


def check(place: Place, what: str, found: object, expected: object) -> None:
    if found != expected:
        raise Different(place, f"{what}\n  expected {expected!r}\n  found    {found!r}")


def pair(entry: Entry) -> tuple[str, str]:
    """`key = value`, of a line that has to be one."""
    found = PAIR.fullmatch(entry.rest)
    if not found:
        raise Mistake(entry.place, f"{entry.word} is followed by: key = value")
    return found["key"], found["value"]


def plain(place: Place, text: str) -> str:
    """Text with its escapes resolved."""
    return "".join(piece.text for piece in script.pieces(place, text))


class World:
    """What the words of a case file stand for, in this test's stand-in."""

    def __init__(self, hosts: Hosts, standin: Standin, user: User) -> None:
        self.hosts, self.standin, self.user = hosts, standin, user

    # Words in braces

    def code(self) -> str:
        """The code that was sent last."""
        return self.standin.pool.outbox[-1].code

    def wrong(self) -> str:
        return f"{(int(self.code()) + 1) % 1000000:06}"

    def first_code(self) -> str:
        return self.standin.pool.outbox[0].code

    def totp(self) -> str:
        """What the authenticator app shows."""
        return self.standin.pool.totp(USER)

    def token_file(self) -> str:
        """A good access token, in a file as safe as it has to be."""
        return str(self.hosts.stage.write_secret("token", str(self.standin.pool.access_token(USER))))

    def word(self, place: Place, word: str) -> Any:
        """What `{word}` stands for."""
        known: dict[str, Any] = {
            "code": self.code,
            "wrong code": self.wrong,
            "first code": self.first_code,
            "authenticator code": self.totp,
            "token file": self.token_file,
            "password": lambda: PASSWORD,
            "wrong password": lambda: WRONG_PASSWORD,
            "local password": lambda: LOCAL_PASSWORD,
            "user": lambda: USER,
            "NULL": lambda: None,
            "no conversation": lambda: CONVERSATION_FAILS,
        }
        repeated = re.fullmatch(r"(\d+) times (.+)", word)
        if repeated:
            return repeated[2] * int(repeated[1])
        if word not in known:
            raise Mistake(place, f"{{{word}}} is none of {', '.join(known)} or {{N times TEXT}}")
        return known[word]()

    def filled(self, entry: Entry, text: str) -> str:
        """A setting with its words in braces put in."""
        return re.sub(r"\{([^{}]+)\}", lambda found: str(self.word(entry.place, found[1])), text)

    def answer(self, step: Step) -> Any:
        """What is typed: text, or one word that is no text at all."""
        parts = [self.word(step.place, piece.text) if piece.special else piece.text for piece in step.answer]
        return parts[0] if len(parts) == 1 and not isinstance(parts[0], str) else "".join(parts)

    # Stage directions

    def happen(self, place: Place, direction: str) -> None:
        """Something that comes to pass while a prompt waits."""
        waited = re.fullmatch(r"([\d.]+) seconds pass", direction)
        moved = re.fullmatch(r"(\d+) hours? pass(?:es)? at Cognito", direction)
        if waited:
            time.sleep(float(waited[1]))
        elif moved:
            self.standin.clock.advance(3600 * int(moved[1]))
        elif direction == "the code expires":
            for code in self.user.codes.values():
                code.expires = 0
        elif direction == "the account is disabled":
            self.user.enabled = False
        elif direction == "the next code cannot be delivered":
            self.standin.faults.add("GetUserAttributeVerificationCode", faults.error("CodeDeliveryFailureException"))
        else:
            raise Mistake(place, f"({direction}) is none of {', '.join(DIRECTIONS)}")

    # Settings

    def prepare(self, case: Case) -> None:
        """The account, the pool and the faults as the case wants them."""
        setters: dict[str, Callable[[Entry], None]] = {
            "user": self._set_user,
            "pool": self._set_pool,
            "fault": self._add_fault,
        }
        for entry in case.settings:
            if entry.word in setters:
                setters[entry.word](entry)

    def _set_user(self, entry: Entry) -> None:
        key, value = pair(entry)
        if key == "mfa":
            self.user.mfa = value.split(", ")
        elif key in ("status", "demand", "password"):
            setattr(self.user, key, self.filled(entry, value))
        elif value == "none":
            self.user.attributes.pop(key, None)
        else:
            self.user.attributes[key] = value

    def _set_pool(self, entry: Entry) -> None:
        key, value = pair(entry)
        pool = self.standin.pool
        if key == "delivery_details" and value in ("yes", "no"):
            pool.delivery_details = value == "yes"
        elif key == "flow":
            pool.clients[pool.client_id].flows = {f"ALLOW_{value}"}
        elif key in pool.quotas and value.isdigit():
            pool.quotas[key] = int(value)
        else:
            known = ", ".join(["delivery_details = yes|no", "flow = NAME", *(f"{name} = NUMBER" for name in pool.quotas)])
            raise Mistake(entry.place, f"{entry.rest!r} is none of {known}")

    def _add_fault(self, entry: Entry) -> None:
        """`OPERATION: WHAT`, and how often if not once."""
        operation, colon, what = entry.rest.partition(": ")
        what, _, times = what.rpartition(", ") if what.endswith(tuple(f", {often}" for often in TIMES)) else (what, "", "once")
        if not colon or operation not in faults.TARGETS:
            raise Mistake(entry.place, f"a fault is of one of {', '.join(sorted(faults.TARGETS))}, followed by ': '")
        self.standin.faults.add(operation, _fault(entry.place, what), TIMES[times])


def _fault(place: Place, what: str) -> Fault:
    if re.fullmatch(r"\w+", what) and what[0].isupper():
        return faults.error(what)
    if found := re.fullmatch(r"status (\d{3})", what):
        return faults.status(int(found[1]))
    if what == "no reply":
        return faults.lose()
    if what == "garbage":
        return faults.garbage()
    if found := re.fullmatch(r"(Destination|DeliveryMedium|AttributeName) is (.*)", what):
        text = plain(place, found[2])
        return faults.altered(
            lambda payload: {"CodeDeliveryDetails": {**payload["CodeDeliveryDetails"], found[1]: text}}
        )
    known = "an error's name, status NNN, no reply, garbage, Destination|DeliveryMedium|AttributeName is TEXT"
    raise Mistake(place, f"{what!r} is none of {known}")


# The run


def stack_of(case: Case) -> str:
    entries = case.all("stack")
    if len(entries) > 1:
        raise Mistake(entries[1].place, "there is one stack")
    if not entries:
        return SOLE
    (entry,) = entries
    if entry.beneath and not entry.rest:
        return "\n".join(line for _, line in entry.beneath) + "\n"
    if entry.rest not in STACKS or entry.beneath:
        raise Mistake(entry.place, f"stack is one of {', '.join(STACKS)}, or its lines stand beneath it")
    return STACKS[entry.rest]


def config_of(case: Case, world: World) -> dict[str, Any]:
    """A key that is given twice is a list."""
    config: dict[str, Any] = {}
    for entry in case.all("config"):
        key, value = pair(entry)
        config.setdefault(key, []).append(world.filled(entry, value))
    return config


@contextmanager
def groups_of(case: Case) -> Iterator[None]:
    found = {}
    for entry in case.all("group"):
        name, members = pair(entry)
        found[name] = [USER if member == "user" else member for member in members.split(", ") if member != "nobody"]
    with accounts.groups(found):
        yield


@dataclass
class Talk:
    """One call: answers its prompts, each as the file says."""

    world: World
    host: Host
    call: Call

    def __post_init__(self) -> None:
        self._seen = len(self.host.prompts)

    def _news(self) -> list[tuple[int, str]]:
        news = self.host.prompts[self._seen :]
        self._seen = len(self.host.prompts)
        return news

    def run(self) -> None:
        answers = [self._answering(step) for step in self.call.steps]
        code = self.host.call(self.call.name, [*answers, self._unexpected], all_used=False)
        ending = self._news()
        check(self.call.place, f"pam_{self.call.name}, which said {ending}", code, self.call.code)
        unasked = self.call.steps[self._answered :]
        if unasked:
            raise Different(unasked[0].place, "this was never asked")
        self._check_ending(code, ending)

    _answered = 0

    def _answering(self, step: Step) -> Callable[[], Any]:
        def answer() -> Any:
            news = self._news()
            style = HIDDEN if step.hidden else SHOWN
            if len(news) != 1 or not step.prompt.fullmatch(news[0][1]):
                said = "\n".join(text for _, text in news)
                raise Different(step.place, f"expected the prompt {step.prompt.pattern!r}, not:\n{said}")
            check(step.place, f"the style of the prompt ({HIDDEN} hidden, {SHOWN} shown)", news[0][0], style)
            self._answered += 1
            for place, direction in step.directions:
                self.world.happen(place, direction)
            return self.world.answer(step)

        return answer

    def _unexpected(self) -> Any:
        raise Different(self.call.place, f"asked for more than the file has: {self._news()}")

    def _check_ending(self, code: str, ending: list[tuple[int, str]]) -> None:
        told = self.call.told
        if told or code == "PAM_SUCCESS":
            check(self.call.place, f"the number of messages at the end: {ending}", len(ending), len(told))
        for (place, words), (style, text) in zip(told, ending):
            if style != ERROR or words.lower() not in text.lower():
                raise Different(place, f"expected an error message with {words!r}, not {text!r}")


def log_in(case: Case, world: World) -> Host:
    with groups_of(case), world.hosts(stack=stack_of(case), **config_of(case, world)) as host:
        for login in case.logins:
            host.start()
            for word, item in (("rhost", PAM_RHOST), ("tty", PAM_TTY)):
                for entry in case.all(word):
                    host.set_item(item, plain(entry.place, entry.rest))
            for call in login:
                Talk(world, host, call).run()
            host.end()
    return host


# What is expected afterwards


def check_requests(case: Case, standin: Standin) -> None:
    """`(jwks)`: perhaps. The key set is asked for while the user types, and some logins end before that."""
    found = standin.journal.operations()
    for entry in case.all("requests"):
        text = " ".join([entry.rest, *(line for _, line in entry.beneath)])
        expected = [] if text == "none" else text.split()
        if expected[:1] == ["(jwks)"]:
            expected = expected[1:] if found[:1] != ["jwks"] else ["jwks", *expected[1:]]
        if text != "any":
            check(entry.place, "the requests", found, expected)


def check_members(case: Case, standin: Standin, world: World) -> None:
    """A member of the first request of an operation: its text, or a pattern after `~`."""
    for entry in case.all("request"):
        found = MEMBER.fullmatch(entry.rest)
        if not found:
            raise Mistake(entry.place, "request OPERATION Member.Member = text, or ~ pattern")
        sent = standin.journal.requests(found["operation"])
        if not sent:
            raise Different(entry.place, f"there was no {found['operation']}")
        member = sent[0].body
        for name in found["path"].split("."):
            member = member.get(name) if isinstance(member, dict) else None
        if found["how"] == "=":
            check(entry.place, found["path"], member, world.filled(entry, found["value"]))
        elif not re.fullmatch(found["value"], str(member)):
            raise Different(entry.place, f"{found['path']} is {member!r}")


def check_messages(case: Case, standin: Standin) -> None:
    expected, place = [], None
    for entry in case.all("sent"):
        found = MESSAGE.fullmatch(entry.rest)
        if not found and entry.rest != "nothing":
            raise Mistake(entry.place, "sent nothing, or: sent EMAIL|SMS to ADDRESS with name=value, name=value")
        place = entry.place
        if found:
            metadata = dict(one.split("=", 1) for one in (found["metadata"] or "").split(", ") if one)
            expected.append((found["medium"], found["address"], metadata))
    if place:
        outbox = [(message.medium, message.address, message.client_metadata) for message in standin.pool.outbox]
        check(place, "the messages that Cognito sent", outbox, expected)


def check_log(case: Case, host: Host) -> None:
    """Every line that tells an outcome, in order; of each the pairs that the file names."""
    entries = case.all("log")
    found = outcome.read_all(host.watched.log)
    expected = [entry for entry in entries if entry.rest != "nothing"]
    if len(found) != len(expected):
        results = [line["result"] for line in found]
        raise Different(entries[0].place, f"expected {len(expected)} outcomes in the log, not {results}")
    for entry, line in zip(expected, found):
        for key, value in _pairs(entry).items():
            if value != "*":
                check(entry.place, f"{key}= in the log", line[key], value)


def _pairs(entry: Entry) -> dict[str, str]:
    pairs = dict(one.split("=", 1) for one in entry.rest.split() if "=" in one)
    if "result" not in pairs or not pairs.keys() <= set(outcome.KEYS):
        raise Mistake(entry.place, f"log nothing, or log result=…, and others of {', '.join(outcome.KEYS)}")
    return pairs


def check_file(case: Case) -> None:
    """What can be judged before anything runs."""
    for call in case.calls():
        if call.code not in NAMES:
            raise Mistake(call.place, f"{call.code} is no PAM code")
    for word in ("requests", "log"):
        if not case.all(word):
            raise Mistake(Place(case.path, 1), f"the case expects no {word}: say which, or `{word} {NONE[word]}`")


NONE = {"requests": "none", "log": "nothing"}


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
def test_case(path: Path, hosts: Hosts, standin: Standin, user: User) -> None:
    assert user.attributes["email"] == EMAIL
    case = script.read(path)
    check_file(case)
    world = World(hosts, standin, user)
    world.prepare(case)
    host = log_in(case, world)
    check_requests(case, standin)
    check_members(case, standin, world)
    check_messages(case, standin)
    check_log(case, host)


def test_there_are_cases() -> None:
    assert len(CASES) >= 60


# Mistakes in a file


MISTAKES = {
    "": "x.case:1: the first line is the title",
    "  indented\n": "x.case:1: the first line is the title",
    "A title\n": "x.case:1: no call",
    "A title\n\n    > 1\n": "x.case:3: an indented line belongs",
    "A title\nstak sole\n": "x.case:2: 'stak' is none of",
    "A title\nconfig a = b\n    more\n": "x.case:3: nothing stands beneath config",
    "A title\nauthenticate\n    > 1\n": "x.case:3: there is no question above",
    "A title\nauthenticate\n    ? Code:\n    ? Code:\n": "x.case:4: the question above has no answer",
    "A title\nauthenticate\n    ? Code:\n    = PAM_SUCCESS\n": "x.case:4: the prompt above has no answer",
    "A title\nauthenticate\n    ?~ (\n": "x.case:3: not a regular expression",
    "A title\nauthenticate\n    ? Code:\n    > {\n": "x.case:4: what does '{' mean?",
    "A title\nauthenticate\n    ? Code:\n    > 1\n": "x.case:2: authenticate does not say how it ends",
    "A title\nauthenticate\n    = SUCCESS\n": "x.case:3: 'SUCCESS' is no PAM code",
    "A title\nauthenticate\n    = PAM_SUCCESS\n    ! more\n": "x.case:4: the call has ended above",
    "A title\nauthenticate\n    Password:\n": "x.case:3: a line of a talk begins with",
    "A title\nsetcred = PAM_FINE\nlog nothing\nrequests none\n": "x.case:2: PAM_FINE is no PAM code",
    "A title\nsetcred = PAM_SUCCESS\nrequests none\n": "x.case:1: the case expects no log",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_mistake_in_a_file(tmp_path: Path, text: str) -> None:
    """It is named by file and line."""
    path = tmp_path / "x.case"
    path.write_text(text)
    with pytest.raises(Mistake, match=re.escape(MISTAKES[text])):
        check_file(script.read(path))
