"""A program at a terminal, with what its login left in the log."""

import pwd
from dataclasses import dataclass
from typing import Mapping, Sequence

from . import dialogue
from .dialogue import Step, Talk
from .stage import Stage, Watched

# What the user's command says where he gets in.
INSIDE = "inside"


@dataclass
class Result:
    """What the person saw, and what was logged."""

    talk: Talk
    watched: Watched

    @property
    def let_in(self) -> bool:
        """Whether the command ran."""
        inside = INSIDE in self.talk.ending.splitlines()
        assert not inside or self.talk.exit == 0, self.talk
        return inside

    @property
    def results(self) -> list[str]:
        return self.watched.results


def run(
    stage: Stage, command: Sequence[str], steps: Sequence[Step], environment: Mapping[str, str] | None = None
) -> Result:
    with stage.watched() as watched:
        talk = dialogue.hold(command, stage.build, dict(environment or {}), steps)
        watched.typed = [prompt.typed for prompt in talk.prompts]
    return Result(talk, watched)


def as_user(name: str, command: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """The command of an ordinary user, with this environment and nothing else: no program before it reads any of it."""
    user = pwd.getpwnam(name)
    variables = [f"{key}={value}" for key, value in environment.items()]
    rights = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--init-groups"]
    return [*rights, "env", "-i", *variables, *command]
