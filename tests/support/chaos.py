"""Somebody who kills what Steroids runs on, at random and yet so that it can be repeated."""

import contextlib
import os
import random
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import docker
from docker.errors import DockerException
from requests.exceptions import RequestException

from steroids.engines.spec import Owned, Status
from steroids.errors import EngineError
from tests.support.private_engines import PrivateEngine
from tests.support.story import Story

PAUSE_S = (0.5, 2.5)
"""Between one kill and the next."""
LOOK_FOR_S = 5.0
"""How long a victim is waited for, that is there only now and then."""

# By its name, which is not in this text: that would find the shell that looks.
_KILL_AGENT = """for each in /proc/[0-9]*; do
tr '\\0' ' ' 2>/dev/null <$each/cmdline | grep -q 'task[.]sh' && kill -KILL ${each#/proc/} && n=1
done; [ -n "$n" ]"""


@dataclass
class Killer:
    """Kills for as long as it is asked to, each kind of victim as often as it is in the bag."""

    story: Story
    engine: PrivateEngine
    seed: int
    killed: dict[str, int] = field(default_factory=dict)
    """How many of each kind."""

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._began = time.monotonic()
        self._bag: list[Callable[[], str]] = []

    def strike(self) -> None:
        """Wait a moment, then kill one thing, if there is one of its kind."""
        time.sleep(self._random.uniform(*PAUSE_S))
        if not self._bag:
            self._bag = [self._runner] * 3 + [self._agent] * 3 + [self._review] * 2
            self._bag += [self._controller] * 2 + [self._engine]
            self._random.shuffle(self._bag)
        kind = self._bag.pop()
        name = kind.__name__.strip("_")
        victim = self._found(kind)
        if victim:
            self.killed[name] = self.killed.get(name, 0) + 1
        self.say(f"{name:<10}  {victim or '(none to be found)'}")

    def say(self, text: str) -> None:
        """With the time, so that it can be held against the events and the controller's log."""
        clock = time.strftime("%H:%M:%S", time.gmtime())
        print(f"{clock}  {time.monotonic() - self._began:6.1f} s  {text}", flush=True)

    def _found(self, kind: Callable[[], str]) -> str:
        deadline = time.monotonic() + LOOK_FOR_S
        while True:
            # It may end by itself, or be removed, while it is being killed.
            with contextlib.suppress(EngineError, DockerException, RequestException):
                if victim := kind():
                    return victim
            if time.monotonic() > deadline:
                return ""
            time.sleep(0.05)

    def _runner(self) -> str:
        return self._container("section")

    def _review(self) -> str:
        return self._container("review")

    def _container(self, role: str) -> str:
        victim = self._one_of(role)
        if victim is None:
            return ""
        client = docker.APIClient(base_url=self.engine.address, version="auto")
        with contextlib.closing(client):
            client.kill(victim.handle.id)
        return victim.handle.name

    def _agent(self) -> str:
        """The agent's shell in a runner; what it has started is left to the runner."""
        victim = self._one_of("section")
        if victim is None or self.story.engine is None:
            return ""
        done = self.story.engine.exec(victim.handle, ["sh", "-c", _KILL_AGENT])
        return f"in {victim.handle.name}" if done.exit_code == 0 else ""

    def _controller(self) -> str:
        if not self.story.controller_lives():
            return ""
        pid = self.story.controller_pid()
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        return str(pid)

    def _engine(self) -> str:
        self.engine.kill()
        away_s = self._random.uniform(0, 2)
        time.sleep(away_s)
        self.engine.start()
        return f"away for {away_s:.1f} s"

    def _one_of(self, role: str) -> Owned | None:
        running = [
            each for each in self.story.containers(role) if each.state.status is Status.RUNNING
        ]
        return self._random.choice(_in_order(running)) if running else None


def _in_order(containers: Sequence[Owned]) -> list[Owned]:
    """Of the same containers the same seed is to choose the same."""
    return sorted(containers, key=lambda each: each.handle.name)
