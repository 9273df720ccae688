"""What must hold of every login, whatever has failed in it."""

from dataclasses import dataclass

from .bench import Login

PAM_ERROR_MSG = 3
SHORTEST_SECRET = 6

GOOD = ("PAM_SUCCESS", "PAM_IGNORE", "PAM_CRED_INSUFFICIENT")

# code_timeout and the second beyond it, and two for a busy machine.
LONGEST = 10.0 + 1.0 + 2.0

KINDS = ("unearned", "untold", "secrets", "leaks", "crashes", "left over", "noticed", "other")


@dataclass(frozen=True)
class Wrong:
    """Something that must not be, of one of KINDS."""

    kind: str
    text: str


def judge(login: Login) -> list[Wrong]:
    """What is wrong with it, but for leaks in the host: whoever has a second login can tell those."""
    found = {
        "unearned": unearned(login),
        "untold": untold(login),
        "secrets": secrets(login),
        "leaks": [f"not freed: {line}" for line in login.left],
        "crashes": crashes(login),
        "left over": [*login.late, *unfinished(login)],
        "other": other(login),
    }
    return [Wrong(kind, text) for kind, texts in found.items() for text in texts]


def unearned(login: Login) -> list[str]:
    """A verdict that the stand-in knows nothing of, and the configuration does not give away."""
    wrong = []
    for step, code, _ in login.verdicts:
        if code in GOOD and not is_earned(login, step, code):
            wrong.append(f"{code} of {step}")
    if login.codes[:1] == ("PAM_SUCCESS",) and not (login.accepted or is_free(login)):
        wrong.append("pam_authenticate let the user in")
    if login.flow.never and login.asked:
        wrong.append("Cognito was asked with a token that is none")
    return wrong


def is_earned(login: Login, step: str, code: str) -> bool:
    """Whether the step may say so: contract.md's table, by what the stand-in and the configuration say."""
    free = is_free(login)
    if login.flow.never:
        return step == "guard" and code == "PAM_IGNORE" and not login.recorded
    if step == "code":
        pending = login.sent > 0 and any(login.typed)
        return pending if code == "PAM_CRED_INSUFFICIENT" else code == "PAM_IGNORE" and free
    if step == "confirm" and code == "PAM_SUCCESS":
        return login.accepted > 0 or free and login.flow.free != "exempt" and login.signed_in
    if step == "guard":
        # Where not even a record could be made, it has nothing to go by.
        return code == "PAM_IGNORE" and (login.accepted > 0 or free or not login.recorded)
    return code == "PAM_IGNORE" and free


def is_free(login: Login) -> bool:
    """No code is needed, and what says so was asked."""
    return login.flow.free in ("exempt", "remembered") or login.flow.free == "verified" and login.looked_up


def untold(login: Login) -> list[str]:
    """A denial of which neither the log nor the user hears."""
    said = any(style == PAM_ERROR_MSG for style, _ in login.texts)
    return [f"{code} of {step}" for step, code, told in login.verdicts if code not in GOOD and not told and not said]


def secrets(login: Login) -> list[str]:
    told = [secret for secret in login.secrets if len(secret) >= SHORTEST_SECRET and secret in login.log]
    return [f"in the log: {secret}" for secret in told]


def crashes(login: Login) -> list[str]:
    """Of the host, or of a program. Not those of a library that had no memory: then it was not the one who called it."""
    fault = login.stack and next((one for one in login.stack if not one.startswith("libc.")), "")
    if fault and not fault.startswith("pam-cognito-") and any("library_malloc" in one for one in login.met):
        return []
    return [*(f"{one}: {' < '.join(login.stack)}" for one in login.crashes), *([login.died] if login.died else [])]


def unfinished(login: Login) -> list[str]:
    """Files that were begun. That one may stay where it cannot be removed."""
    if any(" unlinkat " in one for one in login.met):
        return []
    return [name for name in login.files if name.startswith("new-")]


def other(login: Login) -> list[str]:
    """What else an administrator would not expect."""
    wrong = []
    if login.seconds > LONGEST:
        wrong.append(f"it took {login.seconds:.1f} s")
    if login.sent > login.counted:
        wrong.append(f"{login.sent} codes were sent, and {login.counted} counted")
    if any(name.startswith("remember-") for name in login.files) and not (login.accepted or login.flow.known):
        wrong.append("remembered, and nothing was confirmed")
    return wrong
