"""Approved tasks to land, and what can be in their way."""

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from steroids.services import checks, landing, reviews
from steroids.services.host import Host, OpenProject
from steroids.store import home_models as home
from steroids.store import project_models as db
from steroids.wire.assignment import Outcome, Result
from steroids.wire.event import EventKind
from steroids.wire.task import Task, TaskStatus
from tests.support.service import Bench


def approved(
    project: Bench, title: str, files: dict[str, str], section: str = "API"
) -> tuple[Task, home.Runner]:
    """A task of which one commit was submitted and approved."""
    task, runner = project.task(title, section), project.runner(section)
    assignment = project.claim(runner)
    assert assignment is not None
    project.submit(runner, assignment, project.work(assignment, title, files))
    reviews.review(project.host, project.project, task.id, "fake")
    assert project.look(task).status is TaskStatus.APPROVED
    return task, runner


def land(project: Bench, task: Task) -> Task:
    landing.land(project.host, project.project, task.id, "fake")
    return project.look(task)


def outsider(project: Bench, message: str, files: dict[str, str]) -> str:
    """A commit that somebody else pushes to the remote's main."""
    assert project.origin is not None
    project.repo.git("fetch", "--quiet", "origin")
    project.repo.git("checkout", "--quiet", "--detach", "origin/main")
    commit = project.repo.commit(message, files)
    project.repo.git("push", "--quiet", "origin", f"{commit}:refs/heads/main")
    return commit


def hook(project: Bench, name: str, script: str) -> Path:
    assert project.origin is not None
    path = project.origin.path / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def land_all(project: Bench, tasks: Sequence[Task]) -> list[Task]:
    """As one batch; returns them as they are then."""
    ids = [task.id for task in tasks]
    landing.land_all(project.host, project.project, ids, lambda _: "fake")
    return [project.look(task) for task in tasks]


def landed_tasks(project: Bench, branch: str = "main") -> list[str]:
    """The ids that the trailers on the remote's branch name, oldest commit first."""
    where = project.origin or project.repo
    shape = "--format=%(trailers:key=Steroids-Task,valueonly)"
    return where.git("log", "--reverse", shape, branch).split()


def events(project: Bench, kind: EventKind) -> list[db.Event]:
    with project.project.store.read() as session:
        query = select(db.Event).where(db.Event.kind == kind)
        return list(session.exec(query.order_by(db.Event.seq)))  # type: ignore[arg-type]


@dataclass
class Checks:
    """Runs sections' checks for real, on what is really in the commit, but in no container."""

    folder: Path
    ran: list[tuple[str, str]] = field(default_factory=list)
    """Section and commit, in the order of their ends."""
    before: Callable[[], None] = lambda: None
    """What else happens while they run."""

    def run(
        self,
        host: Host,
        project: OpenProject,
        section: db.Section,
        commit: str,
        engine: str,
        **named: Any,
    ) -> Result:
        place = self.folder / f"{section.name}-{len(self.ran)}-{commit[:7]}"
        place.mkdir(parents=True)
        packed = project.mirror.git("archive", commit).stdout
        subprocess.run(["tar", "-x", "-C", str(place)], input=packed, check=True)
        for command in section.check_commands:
            done = subprocess.run(["sh", "-c", command], cwd=place, capture_output=True, text=True)
            if done.returncode:
                break
        self.before()
        self.ran.append((section.name, commit))
        outcome = Outcome.DONE if done.returncode == 0 else Outcome.FAILED
        return Result(outcome, command, done.returncode, tail=done.stdout + done.stderr)

    def sections(self) -> list[str]:
        return [name for name, _ in self.ran]


def real_checks(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Checks:
    made = Checks(folder)
    monkeypatch.setattr(checks, "run", made.run)
    return made


def configure(project: Bench, text: str) -> None:
    """The user's own settings."""
    (project.host.path / "config.yaml").write_text(text)
