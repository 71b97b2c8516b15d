"""Leases over time: renewed by heartbeats, expired, looked at, released by hand."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlmodel import Session, col, delete, select, update

from steroids.errors import Ambiguous, Busy, NotFound
from steroids.services import builds, sections, verdicts
from steroids.services.clock import steady_now
from steroids.services.host import Host, OpenProject
from steroids.settings import Settings
from steroids.store import project_models as db
from steroids.store import runners as rows
from steroids.wire.lock import Lock
from steroids.wire.task import TaskStatus

_EXPIRES = col(db.Lease.expires_at)


class LockHeld(Busy):
    code = "LOCK_HELD"


def renew(session: Session, runner_id: str, fence: int | None, until: datetime) -> bool:
    """Extend what a runner holds; False when the task that it works on is no longer its own."""
    own = col(db.Lease.runner_id) == runner_id
    living = own & col(db.Lease.expires_at).is_not(None)
    session.exec(update(db.Lease).where(living).values(expires_at=until))
    if fence is None:
        return True
    query = select(db.Lease.id).where(own, db.Lease.fence == fence)
    return session.exec(query.limit(1)).first() is not None


def end_stale(host: Host, project: OpenProject) -> int:
    """Give back what has expired and what runners that are gone have left; returns how many
    tasks that were."""
    now = steady_now()
    with project.store.read() as session:
        late = session.exec(select(db.Lease.id).where(now > _EXPIRES).limit(1)).first()
    gone = _gone(host, project)
    if late is None and not gone:
        return 0
    settings = host.settings(project)
    with project.store.write() as session:
        return expire(session, now, settings) + orphaned(session, gone, settings)


def expire(session: Session, now: datetime, settings: Settings) -> int:
    """Give back every task whose runner has let its lease run out; returns how many."""
    leases = session.exec(select(db.Lease).where(now > _EXPIRES)).all()
    for lease in leases:
        if lease.task_id is None:
            session.delete(lease)
    session.flush()
    return _give_back(session, {each.task_id for each in leases}, settings, "its lease expired")


def orphaned(session: Session, gone: Collection[str], settings: Settings) -> int:
    """The same for tasks in progress, and builds, of runners that are gone (ids)."""
    leases = session.exec(select(db.Lease).where(col(db.Lease.runner_id).in_(gone))).all()
    for runner_id in gone:
        builds.release(session, runner_id)
    return _give_back(session, {each.task_id for each in leases}, settings, "its runner is gone")


def renew_all(host: Host, project: OpenProject) -> None:
    """When a controller starts: nobody could be heard while there was none, and somebody may have
    set the machine's clock back, so that those who wait would do so from some day to come."""
    now = steady_now()
    until = now + timedelta(seconds=host.settings(project).runners.heartbeat_timeout_s)
    with project.store.write() as session:
        living = col(db.Lease.expires_at).is_not(None)
        session.exec(update(db.Lease).where(living).values(expires_at=until))
    with host.store.write() as session:
        for row in rows.active(session, project.id):
            if row.waits_since is not None and row.waits_since > now:
                row.waits_since = now
                session.add(row)


def listing(host: Host, project: OpenProject) -> list[Lock]:
    """All leases, in the order in which they were granted."""
    with project.store.read() as session:
        found = _every(session)
        alive = _alive(host, project)
        names = _section_names(session)
        return [_wire(session, each, alive, names) for each in found]


def release(host: Host, project: OpenProject, word: str, *, force: bool) -> list[Lock]:
    """Release a lock and all that its task holds with it; returns them.

    Raises `NotFound`, and `Ambiguous` for a resource that several hold; `LockHeld` when its runner
    lives, without `force` (with it the runner is told by its next heartbeat, and stops that task),
    and when the controller itself holds it: the task is being reviewed or landed, and its work
    must not be built upon by others.
    """
    alive = _alive(host, project)
    with project.store.write() as session:
        lease = _named(session, word)
        names = _section_names(session)
        every = _every(session)
        locks = [_wire(session, row, alive, names) for row in every if row.fence == lease.fence]
        asked = next(each for each in locks if each.id == lease.id)
        task = session.get(db.Task, lease.task_id) if lease.task_id else None
        if lease.expires_at is None:
            assert task is not None
            stage = "reviewed" if task.status == TaskStatus.REVIEW else "landed"
            raise LockHeld(
                f"Cannot release {asked.name}: '{task.title}' is being {stage}, and keeps it "
                "until it has landed or goes back",
                hint=f"steroids tasks show {task.id[:8]}",
                details={"locks": [each.id for each in locks]},
            )
        if lease.runner_id in alive and not force:
            doing = f"works on '{task.title}'" if task else "builds with it"
            told = "it is told, and stops that task" if task else "it does not stop its build"
            raise LockHeld(
                f"Cannot release {asked.name}: runner {lease.runner_id[:8]} is alive and {doing}",
                hint=f"steroids locks release {lease.id} --force   ({told})",
                details={"runnerId": lease.runner_id, "locks": [each.id for each in locks]},
            )
        if task is None:
            session.exec(delete(db.Lease).where(col(db.Lease.fence) == lease.fence))
        else:
            section = session.get_one(db.Section, task.section_id)
            verdicts.give_back(
                session, task, "its lock was released", section=section.name, actor="user"
            )
    host.changed()
    return locks


def cleanup(host: Host, project: OpenProject, *, dry_run: bool) -> list[Lock]:
    """Release what has expired and what runners that are gone have left; returns those locks."""
    now = steady_now()
    late = [
        each
        for each in listing(host, project)
        if each.expires_at is not None and (each.expires_at < now or not each.alive)
    ]
    if late and not dry_run:
        end_stale(host, project)
        host.changed()
    return late


def _give_back(
    session: Session, task_ids: Collection[str | None], settings: Settings, reason: str
) -> int:
    count = 0
    for task_id in task_ids:
        task = session.get(db.Task, task_id) if task_id else None
        if task is not None and task.status == TaskStatus.IN_PROGRESS:
            section = session.get_one(db.Section, task.section_id)
            verdicts.lost(session, task, reason, section=section.name, settings=settings)
            count += 1
    return count


def _gone(host: Host, project: OpenProject) -> set[str]:
    """Ids of runners that hold something and do not live.

    In this order: a runner that is born and claims between the two looks must not count as gone.
    """
    with project.store.read() as session:
        holders = set(session.exec(select(db.Lease.runner_id).where(_EXPIRES.is_not(None))))
    return holders - _alive(host, project) if holders else set()


def _alive(host: Host, project: OpenProject) -> set[str]:
    with host.store.read() as session:
        return {row.id for row in rows.active(session, project.id)}


def _every(session: Session) -> Sequence[db.Lease]:
    return session.exec(select(db.Lease).order_by(col(db.Lease.id))).all()


def _named(session: Session, word: str) -> db.Lease:
    names = _section_names(session)
    every = _every(session)
    # Many have the project, or a section that they only read: then only the id says which is meant.
    found = [each for each in every if str(each.id) == word] or [
        each
        for each in every
        if word.casefold() in (each.resource.casefold(), _name(each.resource, names).casefold())
    ]
    if not found:
        raise NotFound(f"No lock '{word}'", hint="steroids locks list")
    if len(found) > 1:
        ids = [each.id for each in found]
        raise Ambiguous(
            f"{len(found)} locks are on '{word}': {', '.join(str(each) for each in ids)}",
            hint=f"steroids locks release {ids[0]}   (steroids locks list shows whose they are)",
            details={"candidates": ids},
        )
    return found[0]


def _name(resource: str, section_names: dict[str, str]) -> str:
    kind, _, what = resource.partition(":")
    if kind in ("section", "package"):
        what = section_names.get(what, what[:8])
    return f"{kind} {what}".strip()


def _section_names(session: Session) -> dict[str, str]:
    return {each.id: each.name for each in sections.views(session).values()}


def _wire(session: Session, lease: db.Lease, alive: Collection[str], names: dict[str, str]) -> Lock:
    assert lease.id is not None
    task = session.get(db.Task, lease.task_id) if lease.task_id else None
    return Lock(
        id=lease.id,
        resource=lease.resource,
        name=_name(lease.resource, names),
        exclusive=lease.exclusive,
        task_id=lease.task_id,
        task=task.title if task else None,
        runner_id=lease.runner_id,
        alive=lease.runner_id in alive,
        fence=lease.fence,
        granted_at=lease.granted_at,
        expires_at=lease.expires_at,
    )
