"""A login by pamtester, at a terminal."""

from dataclasses import dataclass
from typing import Sequence

from . import codes, dialogue
from .dialogue import Step, Talk
from .stage import SERVICE, SOLE, Stage, Value, Watched

AUTHENTICATE = ("authenticate",)
WHOLE = ("authenticate", "acct_mgmt", "setcred", "open_session")


@dataclass
class Result:
    """What the person saw, what PAM said, what was logged."""

    talk: Talk
    watched: Watched

    @property
    def seen(self) -> str:
        return self.talk.seen

    @property
    def code(self) -> str:
        """The PAM code with which pamtester ended, by name."""
        name = codes.name_of(self.talk.ending)
        assert (name == "PAM_SUCCESS") == (self.talk.exit == 0), self.talk
        return name

    @property
    def let_in(self) -> bool:
        return self.code == "PAM_SUCCESS"

    @property
    def log(self) -> str:
        return "\n".join(map(str, self.watched.log))

    @property
    def results(self) -> list[str]:
        return self.watched.results


class Login:
    """Call it: `login(steps, stack=..., key=value, ...)`. `stage` holds what all logins of the test share."""

    def __init__(self, stage: Stage, user: str) -> None:
        self.stage = stage
        self.user = user

    def __call__(
        self,
        steps: Sequence[Step] = (),
        *,
        stack: str = SOLE,
        calls: Sequence[str] = AUTHENTICATE,
        environment: dict[str, str] | None = None,
        **config: Value,
    ) -> Result:
        """Log in with this stack and these changes of the config file, saying these things."""
        self.stage.write_config(**config)
        return self.again(steps, stack=stack, calls=calls, environment=environment)

    def again(
        self,
        steps: Sequence[Step] = (),
        *,
        stack: str = SOLE,
        calls: Sequence[str] = AUTHENTICATE,
        environment: dict[str, str] | None = None,
        before: Sequence[str] = (),
    ) -> Result:
        """Log in with the config file as it lies there; `before` is a command that runs the host."""
        self.stage.write_stack(stack)
        build = self.stage.build
        command = [*before, *build.host_prefix, "pamtester", SERVICE, self.user, *calls]
        with self.stage.watched() as watched:
            talk = dialogue.hold(command, build, environment or {}, steps)
            watched.typed = [prompt.typed for prompt in talk.prompts]
        return Result(talk, watched)
