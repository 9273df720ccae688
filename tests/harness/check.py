"""pam-cognito-check, as a script runs it and as a person at a terminal does."""

import json
import subprocess
from dataclasses import dataclass, field
from typing import Any, Mapping, Sequence

from . import dialogue, leftovers
from .dialogue import Step, Talk
from .stage import Stage, Value, Watched

Row = dict[str, str]


@dataclass
class Run:
    """What a script gets: the exit code, both outputs, and the report if there is one."""

    exit: int
    out: str
    err: str
    watched: Watched
    report: dict[str, Any] = field(default_factory=dict)

    @property
    def rows(self) -> list[Row]:
        return self.report["rows"]

    def of(self, level: str) -> list[Row]:
        return [row for row in self.rows if row["level"] == level]

    @property
    def findings(self) -> list[Row]:
        return self.of("finding")

    def row(self, name: str) -> Row:
        """The one row whose first cell is that."""
        found = [row for row in self.rows if name_of(row) == name]
        assert len(found) == 1, f"{name}: {found} of {self.rows}"
        return found[0]


def name_of(row: Row) -> str:
    """Its first cell after the level."""
    return list(row.values())[1]


class Check:
    """Call it: `check("config", path)`. `at_terminal` is for the table and for questions."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def configured(self, **config: Value) -> str:
        """The file with these changes of the keys, which `--config` names."""
        return str(self.stage.write_config(**config))

    def __call__(self, *arguments: str, json_too: bool = True, before: Sequence[str] = (), **popen: Any) -> Run:
        """Without a terminal anywhere, and without standard input. JSON is read, and must be all there is."""
        command = [*before, str(self.stage.build.check), *(["--json"] if json_too else []), *arguments]
        with self.stage.watched() as watched:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="surrogateescape",
                env=self.stage.build.host_environment(),
                start_new_session=True,
                timeout=4 * self.stage.build.patience,
                **popen,
            )
        leftovers.check_texts([done.stdout, done.stderr], self.stage.all_secrets())
        run = Run(done.returncode, done.stdout, done.stderr, watched)
        if json_too and done.stdout:
            run.report = json.loads(done.stdout)
        return run

    def of_config(self, subcommand: str, *arguments: str, **config: Value) -> Run:
        """`reach` or `user` with a file that says so."""
        return self(subcommand, *arguments, "--config", self.configured(**config))

    def at_terminal(self, *arguments: str, steps: Sequence[Step] = (), environment: Mapping[str, str] = {}) -> Talk:
        """At a terminal of its own; `steps` are what is asked there and typed."""
        with self.stage.watched() as watched:
            command = [str(self.stage.build.check), *arguments]
            talk = dialogue.hold(command, self.stage.build, dict(environment), steps)
            watched.typed = [prompt.typed for prompt in talk.prompts if not prompt.echo]
        said = [talk.ending, *(prompt.text for prompt in talk.prompts)]
        leftovers.check_texts(said, [*self.stage.all_secrets(), *watched.typed])
        return talk
