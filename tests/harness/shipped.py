"""The complete stacks of pam.d-examples in the private /etc/pam.d, as a machine has them that was set up by their comments."""

import re
import shutil
from pathlib import Path

from .stage import PAM_D, Stage

# What the files include, as Debian's pam-auth-update writes it where nothing but passwords is installed. A developer's own
# would ask his fingerprint reader, or a directory. Only the delay after a wrong password is left out.
COMMON = {
    "common-auth": """
auth     [success=1 default=ignore]  pam_unix.so nullok nodelay
auth     requisite  pam_deny.so
auth     required   pam_permit.so
""",
    "common-account": """
account  [success=1 new_authtok_reqd=done default=ignore]  pam_unix.so
account  requisite  pam_deny.so
account  required   pam_permit.so
""",
    "common-session": """
session  [default=1]  pam_permit.so
session  requisite  pam_deny.so
session  required   pam_permit.so
session  required   pam_unix.so
""",
    "common-password": """
password  [success=1 default=ignore]  pam_unix.so obscure yescrypt
password  requisite  pam_deny.so
password  required   pam_permit.so
""",
}
COMMON["common-session-noninteractive"] = COMMON["common-session"]

SETTING = re.compile(r"#     ([A-Z]\w+ .*| {4}[A-Z]\w+ .*)")


def text(stage: Stage, name: str) -> str:
    """The file as it ships."""
    return (stage.build.srcdir / "pam.d-examples" / name).read_text(encoding="utf-8")


def install(stage: Stage, name: str, service: str, more: str = "") -> None:
    """The file as the service's own, and all that it includes; `more` are lines at its end."""
    for common, lines in COMMON.items():
        (PAM_D / common).write_text(lines, encoding="utf-8")
    shutil.rmtree("/etc/update-motd.d", ignore_errors=True)
    Path("/etc/default/locale").touch()
    stage.write_stack("")
    stage.write_service(service, text(stage, name) + more)


def settings(stage: Stage, name: str) -> list[str]:
    """The lines that the file's comment says to write into the service's own configuration, word for word."""
    comment = [line for line in text(stage, name).splitlines() if line.startswith("#")]
    found = [match[1] for line in comment if (match := SETTING.fullmatch(line))]
    assert found, f"{name} says nothing to set"
    return found
