"""The real services around claims and leases, with a clock that tests turn.

One project and its stores for many examples: `reset` empties them, which is far quicker than
making them anew. Nothing runs git but taking in what runners submit, which is never a commit.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlmodel import Session, col, delete, select

from steroids.engines.fake import FakeEngine
from steroids.errors import LeaseLost
from steroids.services import (
    claims,
    clock,
    landing_complete,
    landing_refusal,
    leases,
    registration,
    registry,
    reports,
    reviews,
    runners,
    section_edits,
    sections,
    stopping,
    submissions,
    target,
    tasks,
    transitions,
    verdicts,
)
from steroids.services.asking import Answer, Asking
from steroids.services.host import Host, OpenProject
from steroids.setting_groups import Zone
from steroids.settings import Settings
from steroids.store import home_models as home
from steroids.store import project_models as db
from steroids.store.session import Store
from steroids.wire.assignment import Heartbeat, Outcome, Submission
from steroids.wire.project import Init
from steroids.wire.runner import RunnerStatus
from steroids.wire.section import SectionAdd, SectionEdit
from steroids.wire.task import TaskAdd, TaskStatus
from tests.support.repos import new_repo

BEGAN_AT = datetime(2026, 1, 1, tzinfo=UTC)
SPEC = "```sh\ntrue\n```\n"
ROOTS = ("apps", "docs", "packages")
LIMITS = "review: {max_rejections: 3}\nlanding: {max_failures: 2}\n"


class World:
    """A project without sections. `passes` and `steps` turn the clocks; nothing else does."""

    def __init__(self, root: Path, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch
        repo = new_repo(root / "app")
        repo.commit("first", {f"{name}/README": "hello\n" for name in ROOTS})
        (repo.path / ".git" / "info" / "exclude").write_text(".steroids/\n")
        (root / "home").mkdir(mode=0o700)
        self.engine = FakeEngine()
        self.host = Host(root / "home", lambda name: self.engine, lambda: None, lambda: None)
        registry.init(self.host, Init(path=str(repo.path)))
        self.project: OpenProject = registry.at(self.host, str(repo.path))
        self.tip = target.fetch(self.project)
        self.project.known.fetched_at = float("inf")
        self._written = 0
        self._ids = 0
        self._monotonic_s = 0.0
        self._wall = BEGAN_AT
        patch.setattr(clock, "time", SimpleNamespace(monotonic=lambda: self._monotonic_s))
        patch.setattr(
            "steroids.store.columns.datetime", SimpleNamespace(now=lambda zone: self._wall)
        )
        patch.setattr("steroids.store.columns.uuid4", self._new_id)
        self.configure((), dependents_only=False)

    def use(self, home_store: Store, project_store: Store) -> None:
        """Keep everything there instead, in stores that are empty yet."""
        with self.host.store.read() as session:
            row = session.get_one(home.Project, self.project.id)
        self.host.store.close()
        self.project.store.close()
        with home_store.write() as session:
            session.add(home.Project(**row.model_dump()))
        self.host.store = home_store
        self.project = replace(self.project, store=project_store)
        self.host._projects[self.project.id] = self.project

    def reset(self) -> None:
        """As it was at the beginning, but for what files and mirror have."""
        with self.project.store.write() as session:
            for table in reversed(db.metadata.sorted_tables):
                session.execute(delete(table))
        with self.host.store.write() as session:
            session.exec(delete(home.Runner))
        self._wall, self._ids = BEGAN_AT, 0
        self._new_epoch()
        self.configure((), dependents_only=False)

    def close(self) -> None:
        self.host.close()
        self.engine.close()

    def _new_id(self) -> SimpleNamespace:
        # In an order that is not that of making, and the same in each run.
        self._ids += 1
        return SimpleNamespace(hex=f"{self._ids * 0x9E3779B1 % 2**32:08x}{self._ids:024x}")

    @property
    def settings(self) -> Settings:
        return self.host.settings(self.project)

    def now(self) -> datetime:
        return clock.steady_now()

    def passes(self, seconds: float) -> None:
        self._monotonic_s += seconds
        self._wall += timedelta(seconds=seconds)

    def steps(self, seconds: float) -> None:
        """Somebody sets the machine's clock."""
        self._wall += timedelta(seconds=seconds)

    def restarts(self) -> None:
        """The controller is another process now, with a steady clock of its own."""
        self._new_epoch()
        leases.renew_all(self.host, self.project)

    def _new_epoch(self) -> None:
        self._patch.setattr(clock, "_BEGAN_AT", self._wall)
        self._patch.setattr(clock, "_BEGAN_S", self._monotonic_s)

    def configure(self, zones: Sequence[Zone], *, dependents_only: bool) -> None:
        scope = "dependents" if dependents_only else "project"
        path = self.host.path / "config.yaml"
        listed = "[" + ", ".join(each.model_dump_json() for each in zones) + "]"
        path.write_text(f"{LIMITS}runners: {{exclusive_scope: {scope}, zones: {listed}}}\n")
        # The host looks at its time of change, which may be the same as the last one's.
        self._written += 1
        os.utime(path, (self._written, self._written))

    def add_section(self, body: SectionAdd) -> str:
        return sections.add(self.host, self.project, body).id

    def edit_section(self, section_id: str, body: SectionEdit) -> None:
        section_edits.edit(self.host, self.project, section_id, body)

    def add_task(self, title: str, section: str, priority: int, paths: Sequence[str]) -> str:
        body = TaskAdd(
            title=title, section=section, spec=SPEC, priority=priority, affected_paths=list(paths)
        )
        return tasks.add(self.host, self.project, body).id

    def start(self, section_id: str | None) -> home.Runner:
        """Raises what `registration.register` does."""
        section = None
        if section_id is not None:
            with self.project.store.read() as session:
                section = session.get_one(db.Section, section_id)
        row, _ = registration.register(self.host, self.project, section, self.engine, keep=True)
        return row

    def dies(self, runner_id: str) -> None:
        runners.ended(self.host, runner_id, RunnerStatus.LOST)

    def stops(self, runner: home.Runner) -> None:
        stopping.give_back(self.host, self.project, runner, "its runner was stopped")
        runners.ended(self.host, runner.id, RunnerStatus.STOPPED)

    def ask(self, asking: Sequence[Asking]) -> Sequence[Answer]:
        return claims._serve(self.host, self.project, asking)

    def heartbeat(self, runner: home.Runner, fence: int | None) -> bool:
        return reports.heartbeat(self.host, runner, Heartbeat(fence=fence))

    def sweep(self) -> int:
        return leases.end_stale(self.host, self.project)

    def submit(
        self, runner: home.Runner, task_id: str, attempt: int, fence: int, outcome: Outcome
    ) -> bool:
        """Whether it was taken in, or had been before; False: it was refused."""
        body = Submission(
            fence=fence,
            task_id=task_id,
            attempt=attempt,
            base=self.tip,
            tip=self.tip,
            outcome=outcome,
        )
        try:
            submissions.accept(self.host, runner, body)
        except LeaseLost:
            return False
        return True

    def approve(self, task_id: str) -> None:
        reviews.review(self.host, self.project, task_id, self.engine.address)

    def reject(self, task_id: str) -> None:
        with self._verdict(task_id) as (session, task, section):
            verdicts.reject(
                session, task, "no", section=section, actor="checks", settings=self.settings
            )

    def conflict(self, task_id: str) -> None:
        with self._verdict(task_id) as (session, task, section):
            verdicts.conflict(session, task, "conflict", section=section, settings=self.settings)

    def fail(self, task_id: str) -> None:
        with self._verdict(task_id) as (session, task, section):
            verdicts.fail(session, task, "no", section=section, actor="reconcile")

    def land(self, task_id: str) -> None:
        with self._verdict(task_id) as (session, task, _):
            task.landing_hash, task.landing_branch = self.tip, "main"
            session.add(task)
        landing_complete.complete(self.host, self.project, [task_id])

    def refuse(self, task_id: str) -> None:
        """The remote says no for good to what was to be landed."""
        landing_refusal.refused(self.host, self.project, [task_id], LeaseLost("no"))

    def retry_refused(self) -> int:
        return len(landing_refusal.retry_refused(self.host, self.project))

    def finish(self, task_id: str) -> None:
        """From in progress to completed, for those who do not care about what is between."""
        with self._verdict(task_id) as (session, task, section):
            transitions.move(session, task, TaskStatus.REVIEW, actor="test")
            verdicts.approve(session, task, section=section, actor="test", tree=None)
            transitions.move(session, task, TaskStatus.COMPLETED, actor="test")
            verdicts.release(session, task_id)

    @contextmanager
    def _verdict(self, task_id: str) -> Iterator[tuple[Session, db.Task, str]]:
        with self.project.store.write() as session:
            task = session.get_one(db.Task, task_id)
            yield session, task, session.get_one(db.Section, task.section_id).name

    def release(self, task_id: str, *, force: bool) -> None:
        """As `steroids locks release`, of the first lock that it has."""
        first = next(each for each in self.leases() if each.task_id == task_id)
        leases.release(self.host, self.project, str(first.id), force=force)

    def leases(self) -> Sequence[db.Lease]:
        with self.project.store.read() as session:
            return session.exec(select(db.Lease).order_by(col(db.Lease.id))).all()
