"""What the demo says at its end: what landed, what happened on the way, where to look."""

import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from steroids.cli.example import BRANCH, Example
from steroids.cli.example.proof import Outcome, landed_on
from steroids.cli.output import Output, escape, lasting
from steroids.wire.body import to_builtins
from steroids.wire.event import Event, EventKind


@dataclass(frozen=True)
class Report:
    folder: Path
    example: Example
    outcome: Outcome
    up_s: float

    def facts(self) -> dict[str, Any]:
        """For `--json`."""
        it = self.outcome
        return {
            "folder": str(self.folder),
            "home": str(self.folder / "home"),
            "project": str(self.example.clone),
            "origin": str(self.example.origin),
            "durationS": round(self.up_s, 1),
            "landings": it.count(EventKind.LANDED),
            "rejections": it.count(EventKind.REJECTED),
            "conflicts": it.count(EventKind.CONFLICT),
            "containersLeft": list(it.containers),
            "tasks": [to_builtins(task) for task in it.tasks],
            "commits": [to_builtins(commit) for task in it.tasks for commit in it.commits[task.id]],
        }

    def show(self, out: Output) -> None:
        if out.json:
            return
        it = self.outcome
        out.line()
        out.line(
            f"[bold green]{len(it.tasks)} tasks landed on origin/{BRANCH}[/bold green]"
            f" in {lasting(self.up_s)}, each commit exactly once.\n"
        )
        on_main = landed_on(self.example.origin)
        rows = []
        for task in it.tasks:
            hashes = [name[:7] for name, owner in reversed(on_main) if owner == task.id]
            attempts = str(task.current_attempt)
            rows.append((task.id[:8], task.section, task.title, attempts, " ".join(hashes)))
        out.table(("TASK", "SECTION", "TITLE", "ATTEMPTS", f"ON {BRANCH.upper()}"), rows)
        out.line("\n[bold]On the way[/bold]")
        for event in it.events:
            if event.kind in (EventKind.REJECTED, EventKind.CONFLICT):
                out.line(f"  {escape(_setback(event))}")
        if not it.count(EventKind.CONFLICT):
            out.line("  API and Mobile write the same place of the changelog, but did not meet.")
        out.line("  Checks ran in fresh containers, again where a landing changed what they saw;")
        out.line(f"  all of them pass on {BRANCH} as it is now. No container is left.")
        self._look_further(out)

    def enter(self, command: str) -> str:
        """A line that runs a command of ours in the example, from anywhere."""
        folder, home = shlex.quote(str(self.example.clone)), shlex.quote(str(self.folder / "home"))
        return f"cd {folder} && STEROIDS_HOME={home} {_program()} {command}"

    def _look_further(self, out: Output) -> None:
        rejected = next((e for e in self.outcome.events if e.kind is EventKind.REJECTED), None)
        task = rejected.task_id[:8] if rejected and rejected.task_id else ""
        home, program = shlex.quote(str(self.folder / "home")), _program()
        out.line("\n[bold]Look further[/bold]")
        out.line(f"  cd {shlex.quote(str(self.example.clone))}")
        out.line(f"  export STEROIDS_HOME={home}")
        out.line("  git pull && git log --stat")
        for words in ("tasks list", f"tasks history {task}", f"tasks diff {task}", "logs"):
            out.line(f"  {program} {words}")
        out.line(f"  {program} daemon stop; rm -rf {shlex.quote(str(self.folder))}")


def _setback(event: Event) -> str:
    reason = event.text.splitlines()[0] if event.text else ""
    if event.kind is EventKind.REJECTED:
        return f"{event.section}: '{event.task}' was rejected, {reason}; the next attempt mended it"
    return f"{event.section}: '{event.task}' met a {reason}; the next attempt solved it"


def _program() -> str:
    """How this very program is started again."""
    name = Path(sys.argv[0])
    if shutil.which("steroids"):
        return "steroids"
    if name.name == "steroids":
        return shlex.quote(str(name.absolute()))
    return f"{shlex.quote(sys.executable)} -m steroids"
