"""`steroids demo`: the whole way on an example, by the same commands that a user types."""

import contextlib
import io
import json
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from steroids.cli import example
from steroids.cli.command import Command, Context, pass_context
from steroids.cli.example import proof, summary
from steroids.cli.output import Output, escape
from steroids.errors import SteroidsError, UsageError
from steroids.home import home_dir
from steroids.wire.commit import Commits
from steroids.wire.event import Event, EventKind
from steroids.wire.runner import Runners
from steroids.wire.task import Tasks

INTERRUPTED = 130
LEFT_CONTAINERS_S = 20.0


@click.command(cls=Command)
@click.option("--engine", help="auto, docker, podman, or an address.")
@click.option(
    "--keep-folder",
    type=click.Path(path_type=Path),
    help="A new or empty folder to make it in; default: a new one in your cache folder.",
)
@click.option(
    "--database", is_flag=True, help="With a PostgreSQL: each runner and review has its own."
)
@pass_context
def demo(context: Context, engine: str | None, keep_folder: Path | None, *, database: bool) -> int:
    """See it all work on a small monorepo in a new folder: six tasks, three sections.

    It has a Steroids home of its own in that folder and touches nothing of yours. What it made
    stays there to be looked at.
    """
    folder = _empty_folder(keep_folder)
    words = sys.stderr if context.out.json else sys.stdout
    with contextlib.redirect_stdout(words), _own_home(folder / "home"):
        play = _Play(context.out, folder, database=database)
        outcome = play.run(engine)
    if outcome is None:
        context.out.note(f"interrupted: its runners and its controller are stopped; see {folder}")
        return INTERRUPTED
    found = proof.problems(play.made.origin, outcome, tasks=len(example.TASKS))
    report = summary.Report(folder, play.made, outcome, play.up_s)
    if found:
        raise SteroidsError(
            f"The demo is not as it should be: {'; '.join(found)}",
            hint=report.enter("logs"),
            details={"problems": found, **report.facts()},
        )
    if context.out.json:
        context.out.result(report.facts())
    report.show(context.out)
    return 0


class _Play:
    """One run of the demo in a folder, within a home of its own."""

    def __init__(self, out: Output, folder: Path, *, database: bool) -> None:
        self._out = out
        self._folder = folder
        self._database = database
        self.up_s = 0.0

    def run(self, engine: str | None) -> proof.Outcome | None:
        """Everything up to what came of it; None when interrupted. Leaves nothing running."""
        self._say(f"An example shop in [bold]{self._folder}[/bold]\n")
        self.made = example.write(self._folder, database=self._database)
        over = False
        with contextlib.chdir(self.made.clone):
            try:
                self._prepare()
                over = self._work(engine)
                return self._ask() if over else None
            except KeyboardInterrupt:
                return None
            finally:
                self._put_away(over)

    def _prepare(self) -> None:
        self._type("init")
        example.commit(self.made, "Use Steroids")
        for section in example.SECTIONS:
            depends = ("--depends-on", section.depends_on) if section.depends_on else ()
            self._type(
                *("sections", "add", section.name, "--path", section.path),
                *("--check", section.check, *depends),
            )
        for task in example.TASKS:
            spec = os.path.relpath(self.made.specs / task.spec)
            self._type("tasks", "add", task.title, "--section", task.section, "--spec", spec)

    def _work(self, engine: str | None) -> bool:
        began = time.monotonic()
        self._say("")
        code = self._type("up", *(("--engine", engine) if engine else ()), silent=False)
        self.up_s = time.monotonic() - began
        if code not in (0, INTERRUPTED):
            error = SteroidsError(
                f"The demo ended early: steroids up exited {code}",
                hint=f"cd {self.made.clone} && STEROIDS_HOME={self._folder / 'home'} steroids logs",
            )
            error.exit_code = code
            raise error
        return code == 0

    def _ask(self) -> proof.Outcome:
        context = Context()
        client = context.client
        deadline = time.monotonic() + LEFT_CONTAINERS_S
        while runners := client.get(context.url("runners"), Runners).runners:
            if time.monotonic() > deadline:
                break
            time.sleep(0.1)
        tasks = client.get(context.url("tasks"), Tasks).tasks
        commits = {
            task.id: client.get(context.url("task/commits", task=task.id), Commits).commits
            for task in tasks
        }
        kinds = frozenset(EventKind) - {EventKind.LOG, EventKind.PROGRESS}
        events = client.stream(context.url("events", since=0), Event)
        told = [event for event in events if event.kind in kinds]
        return proof.Outcome(tasks, commits, told, [r.container or r.id[:8] for r in runners])

    def _put_away(self, over: bool) -> None:
        with contextlib.suppress(SteroidsError):
            if not over:
                self._do("down", "--now", silent=True)
            if self._database:
                self._do("db", "prune", silent=True)
            self._do("daemon", "stop", silent=True)

    def _type(self, *argv: str, silent: bool = True) -> int:
        """Show a command as a user would type it, and do it."""
        self._say(f"[bold]$ steroids {escape(shlex.join(argv))}[/bold]")
        sys.stdout.flush()
        return self._do(*argv, silent=silent)

    def _do(self, *argv: str, silent: bool) -> int:
        from steroids.cli.app import root

        context = Context()
        context.out = self._output()
        context.out.quiet = context.out.quiet or silent
        with contextlib.redirect_stdout(io.StringIO()) if silent else contextlib.nullcontext():
            code = root.main(list(argv), prog_name="steroids", standalone_mode=False, obj=context)
        return code if isinstance(code, int) else 0

    def _say(self, text: str) -> None:
        self._output().line(text)

    def _output(self) -> Output:
        """As the user wants it, in words even where the end of the demo is JSON."""
        out = Output()
        out.quiet, out.verbose, out.color = self._out.quiet, self._out.verbose, self._out.color
        return out


def _empty_folder(wanted: Path | None) -> Path:
    """Raises `UsageError` when the wanted one holds something already or cannot be made."""
    if wanted is None:
        from platformdirs import user_cache_path

        cache = user_cache_path("steroids")
        try:
            cache.mkdir(parents=True, exist_ok=True)
            return Path(tempfile.mkdtemp(prefix="demo-", dir=cache))
        except OSError:
            return Path(tempfile.mkdtemp(prefix="steroids-demo-"))
    folder = wanted.expanduser().absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not any(folder.iterdir()):
            return folder
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be used: {error.strerror}", hint="steroids demo"
        ) from None
    raise UsageError(
        f"{folder} is not empty", hint=f"steroids demo --keep-folder {folder / 'demo'}"
    )


@contextlib.contextmanager
def _own_home(home: Path) -> Iterator[None]:
    """All that follows uses this home; of the user's settings only those about the host hold."""
    from steroids.settings import HOST_ONLY, flatten, resolve

    resolved = resolve(home_dir() / "config.yaml", None)
    chosen: dict[str, Any] = {}
    for key, value in flatten(resolved.settings.model_dump(mode="json")).items():
        group, dot, name = key.rpartition(".")
        if resolved.sources[key] != "default" and {key, group} & HOST_ONLY:
            (chosen.setdefault(group, {}) if dot else chosen)[name] = value
    home.mkdir(mode=0o700, parents=True)
    # JSON is YAML.
    (home / "config.yaml").write_text(f"{json.dumps(chosen, indent=2)}\n")
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("STEROIDS_")]:
        del os.environ[name]
    os.environ["STEROIDS_HOME"] = str(home)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
