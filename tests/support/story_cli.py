"""The real command line, from outside: run to its end, or followed in the background."""

import json
import os
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from steroids import proc

CHECKOUT = Path(__file__).parents[2]
LIMIT_S = 240.0
"""For a command: only a failing test ever waits this long."""


@dataclass(frozen=True)
class Answer:
    """What a command line came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object that `--json` prints."""
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found

    def lines(self) -> list[dict[str, Any]]:
        """What a stream prints with `--json`."""
        return [json.loads(line) for line in self.out.splitlines()]

    def __str__(self) -> str:
        return f"exit {self.code}\n--- out\n{self.out}\n--- err\n{self.err}"


class Cli:
    """Runs `steroids` with one home, in one folder."""

    def __init__(self, home: Path, cwd: Path, env: Mapping[str, str] | None = None) -> None:
        self.home = home
        self.cwd = cwd
        mine = {key: value for key, value in os.environ.items() if not key.startswith("STEROIDS_")}
        self.env = {
            **mine,
            "STEROIDS_HOME": str(home),
            "PYTHONPATH": str(CHECKOUT),
            "NO_COLOR": "1",
            **(env or {}),
        }

    def run(self, *args: str, stdin: str = "", **env: str) -> Answer:
        done = proc.run(
            self._argv(args),
            cwd=self.cwd,
            env={**self.env, **env},
            stdin=stdin.encode(),
            timeout_s=LIMIT_S,
        )
        err = done.stderr.decode("utf-8", "replace")
        return Answer(done.returncode, done.stdout.decode("utf-8", "replace"), err)

    def start(self, *args: str) -> "Background":
        return Background(self._argv(args), self.cwd, self.env)

    def _argv(self, args: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "steroids", *args]


class Background:
    """A command that goes on while the test does something."""

    def __init__(self, argv: list[str], cwd: Path, env: Mapping[str, str]) -> None:
        self._process = proc.spawn(argv, cwd=cwd, env=env, stdout=proc.PIPE, stderr=proc.PIPE)
        self._printed = (b"", b"")
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def finish(self) -> Answer:
        """Wait for its end; a command that does not come to it is killed and shown."""
        self._reader.join(LIMIT_S)
        self.kill()
        out, err = (text.decode("utf-8", "replace") for text in self._printed)
        return Answer(self._process.wait(), out, err)

    def runs(self) -> bool:
        return self._reader.is_alive()

    @property
    def pid(self) -> int:
        return self._process.pid

    def signal(self, signum: int) -> None:
        """To it alone, as `kill` does, or as Ctrl-C at a terminal."""
        os.kill(self.pid, signum)

    def kill(self) -> None:
        """End it, if it has not ended by itself."""
        if self._reader.is_alive():
            proc.end_group(self._process)
            self._reader.join()

    def _read(self) -> None:
        self._printed = self._process.communicate()
