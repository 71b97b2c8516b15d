"""Changes of the registry alone: enabled or not, removed, moved. No file of a project is touched,
and its place in the Steroids home stays for when it comes back."""

import contextlib
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from sqlmodel import Session, select

from steroids.errors import Busy, NotAProject, UsageError, WrongState
from steroids.git.repository import inspect
from steroids.home import MARKER, canonical
from steroids.services import identity, registry
from steroids.services.host import Host, OpenProject
from steroids.services.ownership import STORE
from steroids.services.presence import present
from steroids.services.recognition import id_at
from steroids.store import home_models as home
from steroids.store import runners as rows
from steroids.store.columns import utc_now
from steroids.wire.project import (
    Move,
    ProjectOne,
    PrunedMissing,
    PruneMissing,
    Removed,
)

LIST = "steroids projects list"


def enable(host: Host, path: str, *, enabled: bool) -> ProjectOne:
    """A disabled project gets no new runners; those that live go on.

    Raises `NotAProject` for one that is not registered.
    """
    with host.store.write() as session:
        row = _registered(session, path)
        changed = row.enabled != enabled
        row.enabled = enabled
        session.add(row)
    host.awake.touch(row.id)
    host.changed()
    return ProjectOne(project=registry.wire(row), changed=changed)


def refuse_disabled(host: Host, project: OpenProject) -> None:
    """Raises `WrongState` when nobody is to start runners there."""
    with host.store.read() as session:
        enabled = session.get_one(home.Project, project.id).enabled
    if not enabled:
        raise WrongState(
            f"Cannot start runners: project {project.name} is disabled",
            hint=f"steroids projects enable {project.path}",
        )


def remove(host: Host, path: str) -> Removed:
    """Take a project out of the registry; `init` or `add` there takes up what it had.

    Raises `NotAProject`, `Busy` while runners of its live or something of it is being landed.
    """
    with host.store.read() as session:
        row = _registered(session, path)
    return _remove(host, row)


def prune(host: Host, asked: PruneMissing) -> PrunedMissing:
    """Remove those that are missing; those with living runners stay."""
    done = PrunedMissing(removed=[])
    every = host.projects()
    there = present([row.path for row in every])
    before = utc_now() - timedelta(seconds=asked.older_than_s)
    for row in every:
        if row.path in there or (asked.ids is not None and row.id not in asked.ids):
            continue
        if row.last_seen_at > before or _living(host, row):
            done.kept.append(registry.wire(row))
            continue
        try:
            if not asked.dry_run:
                _remove(host, row)
            done.removed.append(registry.wire(row))
        except Busy:
            done.kept.append(registry.wire(row))
    return done


def move(host: Host, asked: Move) -> ProjectOne:
    """Say where a project is now that somebody has moved its folder.

    Runners do not see that folder, so those of a moved project go on. Refused with `Busy` while
    they live and the old folder is still there: it may be the one that has their work. Raises
    `NotAProject` for a project that is not registered, or a new place that is not its own.
    """
    new = canonical(asked.new)
    with host.store.read() as session:
        row = _registered(session, asked.old)
    if not os.path.isdir(new):  # noqa: PTH112 - never raises
        raise NotAProject(
            f"There is no folder {new}", hint=f"mv {row.path} {new}   (then say the same again)"
        )
    repository = inspect(new)
    root = canonical(repository.root)
    if row.path == str(root):
        raise UsageError(f"{root} is where the project is registered", hint=LIST)
    if _is_also_at_old(host, row, root) and _living(host, row):
        raise _busy(host, row, "move")
    _refuse_strange(host, row, root)
    with host.registering, _not_landing(host, row), host.store.write() as session:
        _refuse_taken(session, root)
        row = session.get_one(home.Project, row.id)
        row.path, row.name = str(root), root.name
        row.remote = registry.remote(repository)
        row.last_seen_at = utc_now()
        session.add(row)
        session.flush()
        host.open(row)
    return ProjectOne(project=registry.wire(row))


def _is_also_at_old(host: Host, row: home.Project, root: Path) -> bool:
    """Whether there are two of it, one where it is registered."""
    if not present([row.path]) or identity.same_folder(row.path, root):
        return False
    return id_at(host, Path(row.path)) == row.id


def _refuse_strange(host: Host, row: home.Project, root: Path) -> None:
    store = root / MARKER / STORE
    if not store.is_file():
        raise NotAProject(
            f"{root} has no {MARKER}/{STORE}: it is not the project that was at {row.path}",
            hint=f"cd {root} && steroids init   (to make it a project of its own)",
        )
    found = id_at(host, root)
    # One from before there were ids gets its own when it is opened.
    if found not in (None, row.id):
        raise NotAProject(
            f"{root} is not the project that was at {row.path}: its store is another one's",
            hint=f"steroids projects scan {root.parent}",
        )


def _refuse_taken(session: Session, root: Path) -> None:
    taken = session.exec(select(home.Project).where(home.Project.path == str(root))).first()
    if taken is not None:
        raise Busy(
            f"Another project is registered at {root}",
            hint=f"steroids projects remove {root} --yes   (then say the same again)",
        )


def _registered(session: Session, path: str) -> home.Project:
    # First as it is listed: in the place of a project that is gone may be a link to another.
    row = session.exec(select(home.Project).where(home.Project.path == path)).first()
    if row is not None:
        return row
    try:
        return registry.find(session, str(canonical(path)))
    except NotAProject:
        raise NotAProject(f"No project is registered at {canonical(path)}", hint=LIST) from None


def _remove(host: Host, row: home.Project) -> Removed:
    with host.registering, _not_landing(host, row):
        with host.store.write() as session:
            if rows.active(session, row.id):
                raise _busy(host, row, "remove")
            kept = identity.keep(host.path, row)
            session.delete(session.get_one(home.Project, row.id))
        host.release(row.id)
    return Removed(project=registry.wire(row), kept=str(kept))


def _living(host: Host, row: home.Project) -> int:
    with host.store.read() as session:
        return len(rows.active(session, row.id))


def _busy(host: Host, row: home.Project, what: str) -> Busy:
    living = _living(host, row)
    return Busy(
        f"Cannot {what} {row.path}: {living} of its runners {'are' if living > 1 else 'is'} alive",
        hint=f"steroids down --project {row.path}",
        details={"runners": living},
    )


@contextlib.contextmanager
def _not_landing(host: Host, row: home.Project) -> Iterator[None]:
    """Raises `Busy` while commits are on their way to the target; none go there within it."""
    opened = host.opened(row.id)
    if opened is None:
        yield
        return
    if not opened.landing.acquire(blocking=False):
        raise Busy(f"Work of {row.path} is being landed right now", hint="steroids logs -f")
    try:
        yield
    finally:
        opened.landing.release()
