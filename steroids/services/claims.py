"""Giving a runner its next assignment."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

import msgspec
from sqlmodel import col, select

from steroids.errors import Unauthorised
from steroids.git import repository
from steroids.provisioning.checkout import checkout
from steroids.provisioning.environment import agent_env
from steroids.provisioning.sparse import Reads
from steroids.scheduling.sections import SectionView
from steroids.services import (
    agents,
    builds,
    claiming,
    databases,
    parts,
    places,
    prompts,
    sections,
    sqlite,
    target,
)
from steroids.services.asking import Answer, Asking
from steroids.services.claiming import Claims
from steroids.services.clock import steady_now
from steroids.services.host import Host, OpenProject
from steroids.settings import Settings
from steroids.store import home_models as home
from steroids.store import project_models as db
from steroids.store import runners
from steroids.wire.assignment import Assignment, Author, Kind, Leftovers, TaskBrief
from steroids.wire.runner import ACTIVE, WORKERS, RunnerStatus
from steroids.wire.task import TaskStatus

TARGET_MAX_AGE_S = 2.0
PATIENCE_S = 20.0
"""How long a section that waits lets others have what it needs. Without it, one that changes what
all read would keep every second reader from starting; without an end to it, it would starve. An
exclusive section has no patience."""
NOBODY = Author(name="Steroids", email="steroids@localhost")
"""Commits where the user has set no name for git."""


def next_assignment(host: Host, runner: home.Runner) -> Assignment | None:
    """What this runner does now; none: there is work that it has to wait for, ask again.

    Idempotent: a runner that did not get the answer is told the same again.
    """
    if runner.status not in ACTIVE:
        # It was given up while this call of its own waited here: it must not come to life again.
        raise Unauthorised("No living runner has this token")
    if runner.role not in WORKERS:
        assert runner.assignment is not None
        return msgspec.json.decode(runner.assignment, type=Assignment)
    if runner.status == RunnerStatus.STOPPING:
        return Assignment(kind=Kind.STOP, reason="asked to stop")
    if runner.id in host.over:
        # What is too much stays there until its container goes; there will be another.
        return Assignment(kind=Kind.STOP, reason=host.over[runner.id])
    project = host.project(runner.project_id)
    asking = Asking(runner.id, runner.section_id, runner.once)
    answer = project.desk.ask(asking, partial(_serve, host, project))
    if answer.task_id is not None:
        return _assignment(host, project, runner, answer.task_id, answer.fence)
    if not answer.left and not runner.keep:
        return Assignment(kind=Kind.STOP, reason="drained")
    return None


def _serve(host: Host, project: OpenProject, asking: Sequence[Asking]) -> Sequence[Answer]:
    """Answer all runners that ask now; called by one thread per project at a time."""
    settings = host.settings(project)
    now = steady_now()
    with project.store.read() as session:
        waiting = queue(host, project, sections.views(session), now)
        pending = session.exec(select(db.Task.id).where(_IS_PENDING).limit(1)).first()
    base = target.tip(project, TARGET_MAX_AGE_S) if pending else None
    with project.store.write() as session:
        # What landed in the meantime has let go of its locks, and is what the next starts from.
        base = project.known.tip if base else None
        round_ = claiming.look(session, Claims(settings.runners, now, base, waiting))
        # Those who came while this one waited for the target and the lock, and looked.
        asking = [*asking, *project.desk.latecomers()]
        answers = claiming.answer(round_, asking)
    _note(host, asking, answers, now)
    return answers


_IS_PENDING = col(db.Task.status) == TaskStatus.PENDING


def queue(
    host: Host, project: OpenProject, views: dict[str, SectionView], now: datetime
) -> list[str]:
    """Ids of the sections whose runners wait and have no patience left, the longest first."""
    with host.store.read() as session:
        active = runners.active(session, project.id)
    waits = sorted(
        (row.waits_since, row.section_id) for row in active if row.waits_since and row.section_id
    )
    return [
        section
        for since, section in waits
        if section in views
        and (views[section].exclusive or (now - since).total_seconds() >= PATIENCE_S)
    ]


def _note(host: Host, asking: Sequence[Asking], answers: Sequence[Answer], now: datetime) -> None:
    """Keep for `ps` what each of them does now, or waits for."""
    by_runner = {ask.runner_id: answer for ask, answer in zip(asking, answers, strict=True)}
    with host.store.read() as session:
        rows = [session.get_one(home.Runner, each) for each in by_runner]
    changed = [row for row in rows if _state(row) != _next_state(by_runner[row.id])]
    if not changed:
        return
    with host.store.write() as session:
        for row in changed:
            answer = by_runner[row.id]
            now_row = session.get_one(home.Runner, row.id)
            if now_row.status not in ACTIVE:
                continue
            if now_row.status != RunnerStatus.STOPPING:
                now_row.status = _next_state(answer)[0]
            now_row.task_id, now_row.waits_for = answer.task_id, answer.waits_for
            waits = answer.left and answer.waits_for
            now_row.waits_since = (now_row.waits_since or now) if waits else None
            session.add(now_row)


def _state(row: home.Runner) -> tuple[str, str | None, str | None]:
    return row.status, row.task_id, row.waits_for


def _next_state(answer: Answer) -> tuple[str, str | None, str | None]:
    if answer.task_id is not None:
        return RunnerStatus.WORKING, answer.task_id, None
    return (RunnerStatus.WAITING if answer.left else RunnerStatus.IDLE), None, answer.waits_for


def _assignment(
    host: Host, project: OpenProject, runner: home.Runner, task_id: str, fence: int
) -> Assignment:
    with project.store.read() as session:
        task = session.get_one(db.Task, task_id)
        section = session.get_one(db.Section, task.section_id)
        settings = places.settings_for(host, project, section)
        alone = bool(builds.resources(session, section, runner.engine, settings))
        sparse = settings.sparse and runner.section_id is not None
        reads = parts.read_by(session, section) if sparse else None
    ports = ports_of(runner, section)
    made = _code(project, task, section, fence, settings, alone=alone, ports=ports, reads=reads)
    assert made.checkout is not None
    made.sqlite = sqlite.told(host, project, settings, made.checkout.commit)
    return made


def ports_of(runner: home.Runner, section: db.Section) -> list[int]:
    """What servers of that section are to listen on in this runner."""
    # What it was started with goes on; on a host that is shared that is not the section's own.
    own = runner.ports and (runner.section_id or runner.engine == builds.LOCAL)
    return [*map(int, runner.ports)] if own else section.ports


def _code(
    project: OpenProject,
    task: db.Task,
    section: db.Section,
    fence: int,
    settings: Settings,
    *,
    alone: bool,
    ports: Sequence[int],
    reads: Reads | None,
) -> Assignment:
    assert task.latest_commit is not None
    start = checkout(
        project.mirror,
        task.latest_commit,
        settings,
        reads,
        _changed(project, task) if reads else (),
    )
    # Once something was taken in on the new base, the old work is part of it.
    anew = task.latest_commit == task.base_commit
    name, email = repository.identity(project.path)
    return Assignment(
        kind=Kind.CODE,
        fence=fence,
        alone=alone,
        checkout=msgspec.structs.replace(start, squash=task.squash_commit if anew else None),
        database=databases.wanted(settings),
        task=TaskBrief(
            id=task.id,
            title=task.title,
            spec=task.spec,
            attempt=task.current_attempt,
            section=section.name,
            feedback=task.reason if task.current_attempt > 1 else None,
            prompt=prompts.coder(project, task, section, settings),
        ),
        agent=agents.coder(settings, task.agent),
        leftovers=Leftovers(settings.leftovers),
        author=Author(name=name or NOBODY.name, email=email or NOBODY.email),
        timeout_s=settings.coder_timeout_s,
        env=agent_env(settings, ports),
    )


def _changed(project: OpenProject, task: db.Task) -> Sequence[str]:
    """Files that the work so far has changed."""
    base, tip = task.base_commit, task.latest_commit
    if base is None or tip is None or base == tip:
        return ()
    return project.mirror.changed_paths(base, tip)
