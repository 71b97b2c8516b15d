"""A user's day, from outside: a home, a monorepo with its origin, the real command line, a real
engine. Nothing of it is left when the test is over."""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest

from steroids.engines.base import Engine
from steroids.engines.networks import Network
from steroids.engines.spec import Owned
from tests.support.engines import REAL, open_engine
from tests.support.repos import Repo
from tests.support.story_cli import Answer, Background, Cli
from tests.support.story_repos import Origin, npm_monorepo, plain_monorepo, with_origin

T = TypeVar("T")
WAIT_S = 120.0
"""For one thing to happen: only a failing test ever waits this long."""
LABEL = "io.steroids"


@dataclass
class Story:
    """One home with one project. `engine` is None where the story needs no container."""

    cli: Cli
    repo: Repo
    origin: Origin
    engine: Engine | None
    engine_setting: str = ""
    """Which engine the user's settings name, when that is not the usual one of its kind."""
    following: list[Background] = field(default_factory=list)

    @property
    def home(self) -> Path:
        return self.cli.home

    # -- typing commands ---------------------------------------------------------------------

    def run(self, *args: str, exits: int = 0, stdin: str = "", **env: str) -> Answer:
        answer = self.cli.run(*args, stdin=stdin, **env)
        assert answer.code == exits, f"steroids {' '.join(args)}: {answer}\n{self.log()}"
        return answer

    def start(self, *args: str) -> Background:
        """A command that the test goes on beside, `up` mostly."""
        background = self.cli.start(*args)
        self.following.append(background)
        return background

    def finish(self, background: Background, exits: int = 0) -> Answer:
        answer = background.finish()
        assert answer.code == exits, f"{answer}\n{self.log()}"
        return answer

    def configure(self, **settings: Any) -> None:
        """The user's own settings; the engine stays the story's."""
        engine = {"engine": self.engine_setting or self.engine.name} if self.engine else {}
        # Said, so that `init` does not say it by where the tests run.
        own = {"enforce_single_daemon_process": False, **engine}
        (self.home / "config.yaml").write_text(json.dumps({**own, **settings}))

    def add_section(self, name: str, *checks: str, options: tuple[str, ...] = ()) -> None:
        path = f"apps/{name.lower()}/**"
        words = [word for check in checks for word in ("--check", check)]
        self.run("sections", "add", name, "--path", path, *words, *options)

    def add_task(self, section: str, title: str, script: str) -> str:
        """Its id. The script is what the task's agent does."""
        spec = f"# {title}\n\n```sh\n{script}\n```\n"
        args = ("tasks", "add", title, "--section", section, "--spec", "-", "--json")
        return str(self.run(*args, stdin=spec).json["task"]["id"])

    def task(self, task: str) -> dict[str, Any]:
        """With its attempts."""
        answer = self.run("tasks", "show", task, "--json").json
        return {**answer["task"], "attempts": answer["attempts"]}

    def commits(self, task: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.run("tasks", "commits", task, "--json").json["commits"]
        return found

    def runners(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.run("ps", "--json").json["runners"]
        return found

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        lines = self.run("logs", "--json", "-n", "10000").lines()
        return [line for line in lines if kind in (None, line["kind"])]

    # -- waiting -----------------------------------------------------------------------------

    def wait(self, what: str, check: Callable[[], T | None]) -> T:
        """What `check` returns as soon as that is true."""
        deadline = time.monotonic() + WAIT_S
        while not (result := check()):
            assert time.monotonic() < deadline, f"never: {what}\n{self.log()}"
            time.sleep(0.05)
        return result

    def wait_for_status(self, task: str, status: str) -> None:
        self.wait(f"{task} {status}", lambda: self.task(task)["status"] == status)

    def wait_for_line(self, text: str) -> None:
        """Until an agent has printed it."""
        self.wait(text, lambda: any(e["text"] == text for e in self.events("log")))

    def wait_for_file(self, path: Path) -> None:
        self.wait(f"file {path}", path.exists)

    def log(self) -> str:
        """The end of the controller's log, for a test that fails."""
        path = self.home / "logs" / "controller.log"
        lines = path.read_text(errors="replace").splitlines() if path.exists() else ["(none)"]
        return "--- controller.log\n" + "\n".join(lines[-40:])

    # -- containers --------------------------------------------------------------------------

    def containers(self, role: str | None = None) -> list[Owned]:
        """All of this home's."""
        assert self.engine is not None
        return self.engine.list_owned(self.labels | ({f"{LABEL}.role": role} if role else {}))

    def networks(self) -> list[Network]:
        """All of this home's."""
        assert self.engine is not None
        return self.engine.networks.list_owned(self.labels)

    @property
    def labels(self) -> dict[str, str]:
        """What all that this home has in an engine carries."""
        return {f"{LABEL}.controller": (self.home / "id").read_text().strip()}

    def release(self, section: str, gate: str = "go") -> None:
        """Let a script in the section's container go on, that waits with `gate`."""
        self.run("exec", section, "--", "sh", "-c", f'touch "${{TMPDIR:-/tmp}}/{gate}"')

    # -- the controller ----------------------------------------------------------------------

    def controller_pid(self) -> int:
        return int((self.home / "controller.lock").read_text())

    def kill_controller(self) -> None:
        """As the machine would: nothing is said and nothing is finished."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.controller_pid(), signal.SIGKILL)
        self.wait("the controller's end", lambda: not self.controller_lives())

    def controller_lives(self) -> bool:
        with (self.home / "controller.lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return True
            return False

    # -- the end -----------------------------------------------------------------------------

    def end(self) -> None:
        """Stop all, remove all, and say what was left that should not have been."""
        for background in self.following:
            background.kill()
        down = self.cli.run("down")
        log = self.log()
        self.cli.run("daemon", "stop")
        left = self.sweep()
        processes = self._processes()
        folders = [path.name for path in (self.home / "runners").glob("*")]
        for process in processes:
            process.kill()
        assert down.code == 0, f"{down}\n{log}"
        assert not left, f"containers, networks left after `down`: {left}\n{log}"
        assert not folders, f"folders of runners left after `down`: {folders}\n{log}"
        assert not processes, f"processes left: {processes}"

    def sweep(self) -> list[str]:
        """Remove what this home has in the engine; returns the names of what runners had there."""
        if self.engine is None:
            return []
        containers, networks = self.containers(), self.networks()
        for each in containers:
            self.engine.remove(each.handle)
        for network in networks:
            self.engine.networks.remove(network)
        # Kept beyond `down`, on purpose.
        for volume in self.engine.volumes.list_owned(self.labels):
            self.engine.volumes.remove(volume)
        # A private engine's images go with it. One that was killed may refuse to remove some: it
        # has layers of a container left that it does not know any more.
        folders = [] if self.engine_setting else list((self.home / "projects").glob("*"))
        for folder in folders:
            mine = {f"{LABEL}.image": "snapshot", f"{LABEL}.project": folder.name}
            for image in self.engine.images.list(mine):
                for ref in image.refs:
                    self.engine.images.remove(ref)
            assert not self.engine.images.list(mine)
        return [each.handle.name for each in containers] + [each.name for each in networks]

    def _processes(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.environ().get("STEROIDS_HOME") == str(self.home):
                    found.append(process)
        return found


def gate(name: str = "go") -> str:
    """Shell that says that it is there, and waits for `Story.release`."""
    # Untraced: the agent's shell prints what it runs.
    wait = f'until [ -e "${{TMPDIR:-/tmp}}/{name}" ]; do sleep 0.1; done'
    return f"echo 'at {name}'; ( {{ set +x; }} 2>/dev/null; {wait} )"


def at_gate(name: str = "go") -> str:
    """The line that `gate` prints."""
    return f"at {name}"


@pytest.fixture(scope="session", params=REAL)
def story_engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """A real engine that has the runner image: built once, while other workers wait."""
    engine = open_engine(request.param)
    try:
        build_runner_image(engine, tmp_path_factory)
        yield engine
    finally:
        engine.close()


def build_runner_image(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Unless it has it."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    home = shared / f"image-home-{engine.name}"
    with (shared / "image.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        home.mkdir(mode=0o700, exist_ok=True)
        cli = Cli(home, shared)
        built = cli.run("images", "build", "--engine", engine.name)
        cli.run("daemon", "stop")
        assert built.code == 0, built


@pytest.fixture
def story(story_engine: Engine, tmp_path: Path) -> Iterator[Story]:
    """A plain monorepo on each engine."""
    yield from told(tmp_path, plain_monorepo, story_engine)


@pytest.fixture
def npm_story(story_engine: Engine, tmp_path: Path) -> Iterator[Story]:
    """An npm-workspaces monorepo on each engine."""
    yield from told(tmp_path, npm_monorepo, story_engine)


@pytest.fixture
def desk_story(tmp_path: Path) -> Iterator[Story]:
    """A plain monorepo and no engine: for what never comes to a container."""
    yield from told(tmp_path, plain_monorepo, None)


@pytest.fixture
def local_story(story_engine: Engine, tmp_path: Path) -> Iterator[Story]:
    """A plain monorepo without a remote, on each engine."""
    yield from told(tmp_path, plain_monorepo, story_engine, remote=False)


def told(
    root: Path,
    make: Callable[[Path], Repo],
    engine: Engine | None,
    *,
    remote: bool = True,
    engine_setting: str = "",
) -> Iterator[Story]:
    """A story from `init` to its end."""
    repo = make(root / "app")
    repo.git("config", "user.name", "Uma User")
    repo.git("config", "user.email", "uma@example.org")
    # Without a remote, where work lands is the user's own repository.
    origin = with_origin(root / "origin.git", repo) if remote else Origin(repo.path)
    home = root / "home"
    # The engine `local` lives in it, and may have made it.
    home.mkdir(mode=0o700, exist_ok=True)
    story = Story(Cli(home, repo.path), repo, origin, engine, engine_setting)
    story.configure()
    try:
        story.run("init")
        yield story
    finally:
        story.end()
        # Mirrors and rootless layers are large, and pytest keeps the last runs' folders.
        shutil.rmtree(home / "projects", ignore_errors=True)
