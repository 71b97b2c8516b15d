"""Runners: who is wanted, starting them step by step, stopping them."""

import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Any

from sqlmodel import Session, col, select

from steroids.engines.images import Image
from steroids.engines.spec import Handle
from steroids.errors import EngineError, NotFound, SteroidsError
from steroids.provisioning import container, oneshot
from steroids.services import demand, events, places, sections, target, verdicts
from steroids.services.events import record, say
from steroids.services.host import Host, OpenProject
from steroids.services.landing import retry_refused
from steroids.store import home_models as home
from steroids.store import project_models as db
from steroids.store import runners as rows
from steroids.store.columns import utc_now
from steroids.wire.body import to_builtins
from steroids.wire.error import from_exception
from steroids.wire.event import EventKind
from steroids.wire.runner import ACTIVE, Down, Role, Runner, RunnerStatus, Target, Up, UpReply
from steroids.wire.task import TaskStatus

GRACE_S = 30.0


def up(host: Host, project: OpenProject, body: Up) -> UpReply:
    """Say which sections want a runner; reconciling starts them, now and after a crash.

    Raises `NoEngine` or `EngineUnavailable`, `GitError` when the target cannot be read, and
    `NotFound` for an unknown section: before anything is changed.
    """
    settings = host.settings(project)
    engine = host.engine(body.engine or settings.engine)
    engine.capabilities()
    target.fetch(project)
    settings = host.settings(project)
    retry_refused(host, project)
    since = events.last(project)
    with project.store.write() as session:
        if body.sections:
            named = [sections.named(session, word) for word in dict.fromkeys(body.sections)]
        else:
            named = list(sections.every(session))
        chosen = [each for each in named if body.keep or demand.work_left(session, each.id)]
        for section in chosen:
            section.wanted, section.keep = engine.address, body.keep
            session.add(section)
    starting = _starting(host, project, chosen, settings.runners.max_parallel)
    host.changed()
    return UpReply(
        sections=[section.name for section in chosen],
        starting=starting,
        since=since,
        notes=[
            f"{section.name} has no checks: its tasks are approved as submitted"
            for section in chosen
            if not section.check_commands
        ],
    )


def _starting(
    host: Host, project: OpenProject, chosen: Sequence[db.Section], limit: int
) -> list[str]:
    """Which of them get a runner now: the others have one, or have to wait for a place."""
    with host.store.read() as session:
        running = {row.section_id for row in rows.active(session, project.id, Role.SECTION)}
    new = [section for section in chosen if section.id not in running]
    new.sort(key=lambda section: (section.priority, section.position))
    return [section.name for section in new[: max(0, limit - len(running))]]


def start(host: Host, project: OpenProject, section: db.Section) -> None:
    """Bring up the section's runner, with an event per step; blocks until its container runs.

    Raises `SectionBusy` when there is one, and whatever a step raises; nothing is left then.
    """
    assert section.wanted is not None
    engine = host.engine(section.wanted)
    with host.store.write() as session:
        row, token = rows.register(
            session,
            project_id=project.id,
            role=Role.SECTION,
            section_id=section.id,
            engine=engine.name,
            engine_address=engine.address,
            keep=section.keep,
        )
    try:
        handle = _provision(host, project, section, row, token)
        oneshot.remember(host.store, row.id, handle)
    except BaseException:
        ended(host, row.id, RunnerStatus.STOPPED)
        container.forget(host.path, row.id)
        raise


def _provision(
    host: Host, project: OpenProject, section: db.Section, row: home.Runner, token: str
) -> Handle:
    step = _Steps(host, project, section.name)
    engine = host.engine(row.engine_address)
    what = engine.capabilities()
    step.done("engine", f"{what.name.capitalize()} {what.version}")
    place = places.site(host, project, engine)
    commit = target.tip(project, max_age_s=5)
    image = places.runner_image(host, place, step.progress("image"))
    step.done("image", _name(image), quiet_s=0.5)
    snapshot = places.snapshot_for(host, project, place, commit, step.progress("snapshot"))
    step.done("snapshot", f"{snapshot.display}  {'built' if snapshot.built else 'reused'}")
    with host.store.write() as session:
        launched = session.get_one(home.Runner, row.id)
        launched.launched_at = utc_now()
        session.add(launched)
    return container.start(place, row, token, snapshot.ref)


def _name(image: Image) -> str:
    """What people call it: its key says more than `latest`."""
    refs = sorted(image.refs, key=lambda ref: ref.endswith(":latest"))
    return (refs or [image.id])[0].removeprefix("localhost/")


class _Steps:
    """Times the steps of one start."""

    def __init__(self, host: Host, project: OpenProject, section: str) -> None:
        self._host, self._project, self._section = host, project, section
        self._since = time.monotonic()

    def done(self, step: str, detail: str, quiet_s: float = 0) -> None:
        """End a step that began when the one before it ended; `quiet_s`: say nothing if quicker."""
        took_s = time.monotonic() - self._since
        self._since = time.monotonic()
        if took_s >= quiet_s:
            data = {"step": step, "detail": detail, "durationS": round(took_s, 3)}
            text = f"{step}  {detail}"
            say(self._host, self._project, EventKind.STEP, text, section=self._section, data=data)

    def progress(self, step: str) -> Callable[[str], None]:
        def line(text: str) -> None:
            say(
                self._host,
                self._project,
                EventKind.PROGRESS,
                text[:500],
                section=self._section,
                data={"step": step},
            )

        return line


def failed(host: Host, project: OpenProject, section: db.Section, error: SteroidsError) -> None:
    """A runner could not be started: say so, and do not try again until somebody asks."""
    _unwant(project, section.id)
    data: dict[str, Any] = to_builtins(from_exception(error))
    say(host, project, EventKind.FAILED, error.message, section=section.name, data=data)


def drained(host: Host, project: OpenProject, runner: home.Runner, section: db.Section) -> None:
    """The runner was told to stop since nothing was left: see it out, and say so.

    Unless somebody has added work in the meantime: then the section stays wanted, and the next
    round of reconciling starts another.
    """
    _set(host, runner.id, RunnerStatus.STOPPING)
    _see_out(host, runner, grace_s=GRACE_S)
    ended(host, runner.id, RunnerStatus.STOPPED)
    with project.store.write() as session:
        row = session.get_one(db.Section, section.id)
        if not demand.work_left(session, section.id):
            row.wanted = None
            session.add(row)
            record(session, EventKind.DRAINED, section=row.name, runner_id=runner.id)
    host.changed()


def down(host: Host, project: OpenProject, body: Down) -> list[home.Runner]:
    """Nobody wants runners in these sections any more (none named: in all).

    Returns those that run; `stop` each of them to see them out.
    """
    with project.store.write() as session:
        every = sections.every(session)
        chosen = [sections.named(session, word) for word in body.sections] or list(every)
        for section in chosen:
            section.wanted = None
            session.add(section)
    ids = {section.id for section in chosen}
    with host.store.read() as session:
        active = rows.active(session, project.id)
    return [row for row in active if row.section_id in ids and row.role == Role.SECTION]


def stop(host: Host, project: OpenProject, runner: home.Runner, *, now: bool) -> None:
    """Stop a runner and remove its container; blocks until that is done.

    Gracefully it stops its agent and uploads what there is; with `now` it is killed, and its task
    goes on later from what was uploaded before.
    """
    _set(host, runner.id, RunnerStatus.STOPPING)
    host.changed()
    _see_out(host, runner, grace_s=0 if now else GRACE_S)
    give_back(host, project, runner, "its runner was stopped")
    ended(host, runner.id, RunnerStatus.STOPPED)
    with project.store.read() as session:
        section = session.get(db.Section, runner.section_id)
    name = section.name if section else None
    say(host, project, EventKind.STOPPED, "stopped", section=name, runner_id=runner.id)


def stop_job(host: Host, project: OpenProject, runner: home.Runner, now: bool) -> None:
    """`stop`, as a job: one that has ended in the meantime is left alone."""
    with host.store.read() as session:
        row = session.get_one(home.Runner, runner.id)
    if row.status in ACTIVE:
        stop(host, project, row, now=now)


def give_back(host: Host, project: OpenProject, runner: home.Runner, reason: str) -> None:
    """Return the task that a runner still holds; nothing counted against it."""
    with project.store.write() as session:
        for task in held(session, runner.id):
            section = session.get_one(db.Section, task.section_id)
            verdicts.give_back(session, task, reason, section=section.name, actor="runner")


def held(session: Session, runner_id: str) -> Sequence[db.Task]:
    """The tasks in progress that this runner has leases for."""
    query = (
        select(db.Task)
        .join(db.Lease, col(db.Lease.task_id) == col(db.Task.id))
        .where(db.Lease.runner_id == runner_id, db.Task.status == TaskStatus.IN_PROGRESS)
        .distinct()
    )
    return session.exec(query).all()


def listing(host: Host, project: OpenProject) -> list[Runner]:
    """The living runners of a project."""
    with host.store.read() as session:
        active = rows.active(session, project.id)
    with project.store.read() as session:
        names = {section.id: section.name for section in sections.every(session)}
        ids = [row.task_id for row in active if row.task_id]
        titles = {t.id: t.title for t in (session.get(db.Task, each) for each in ids) if t}
    return [wire(row, names, titles) for row in active]


def find(host: Host, project: OpenProject, section: str) -> Target:
    """Where to reach the container of a section's runner, by the engine's own program."""
    with project.store.read() as session:
        wanted = sections.named(session, section)
    with host.store.read() as session:
        active = rows.active(session, project.id, Role.SECTION)
    row = next((row for row in active if row.section_id == wanted.id and row.container), None)
    if row is None or row.container is None:
        raise NotFound(
            f"Section {wanted.name} has no runner now",
            hint=f"steroids up --section '{wanted.name}' --keep -d",
        )
    return Target(
        engine=row.engine,
        address=row.engine_address,
        container=Handle(**row.container).name,
        user=container.AGENT,
        workdir=container.WORKSPACE,
    )


def wire(row: home.Runner, names: dict[str, str], titles: dict[str, str]) -> Runner:
    return Runner(
        id=row.id,
        role=Role(row.role),
        section=names.get(row.section_id or ""),
        status=RunnerStatus(row.status),
        engine=row.engine,
        container=Handle(**row.container).name if row.container else None,
        started_at=row.started_at,
        heartbeat_at=row.heartbeat_at,
        task_id=row.task_id,
        task=titles.get(row.task_id or ""),
        waits_for=row.waits_for,
    )


def _see_out(host: Host, runner: home.Runner, *, grace_s: float) -> None:
    if runner.container is not None:
        handle = Handle(**runner.container)
        engine = host.engine(runner.engine_address)
        # An engine that is away now is no reason to keep the runner on the books: what is left
        # of it is swept by reconciling when the engine is back.
        with contextlib.suppress(EngineError):
            engine.stop(handle, grace_s)
            engine.remove(handle)
    container.forget(host.path, runner.id)


def _unwant(project: OpenProject, section_id: str) -> None:
    with project.store.write() as session:
        section = session.get_one(db.Section, section_id)
        section.wanted = None
        session.add(section)


def _set(host: Host, runner_id: str, status: RunnerStatus) -> None:
    with host.store.write() as session:
        row = session.get_one(home.Runner, runner_id)
        row.status = status
        session.add(row)


def ended(host: Host, runner_id: str, status: RunnerStatus) -> None:
    """Mark it stopped or lost; from then on its token is worth nothing."""
    with host.store.write() as session:
        row = session.get_one(home.Runner, runner_id)
        rows.end(row, status, utc_now())
        session.add(row)
