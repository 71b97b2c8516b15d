"""Runners that live and die with a `steroids loop`."""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import psutil
from sqlmodel import col, select

from steroids.errors import UsageError
from steroids.services import demand, registration, sections, stopping
from steroids.services.events import say
from steroids.services.host import Host, OpenProject
from steroids.services.jobs import Jobs
from steroids.services.launching import section_name
from steroids.services.prospects import Prospects, prospects
from steroids.store import home_models as home
from steroids.wire.event import EventKind
from steroids.wire.runner import ACTIVE, Loop, LoopProcess

log = logging.getLogger("steroids.loops")

_SAME_S = 2.0
"""A process's creation is counted from the host's boot, and the time of that moves by a little when
the clock is set. A pid is not used again within this."""


@dataclass(frozen=True)
class Ending:
    """Runners that are being stopped."""

    over: Sequence[threading.Event] = ()

    def wait(self) -> None:
        for each in self.over:
            each.wait()


def about(host: Host, project: OpenProject, section: str | None) -> Loop:
    """What a loop has to know before it begins.

    Raises `NotFound`, `Ambiguous`, and `WrongState` for a skipped section.
    """
    settings = host.settings(project)
    with project.store.read() as session:
        rules = demand.rules_of(session, settings.runners)
        row = sections.named(session, section) if section is not None else None
        own = [row.id] if row is not None else list(rules.sections)
        ahead = prospects(session, rules, own) if row else Prospects(session, rules, None)
        left = any(map(ahead.work_left, own))
    if row is not None:
        registration.refuse_skipped(row)
    return Loop(
        project_id=project.id,
        section_id=row.id if row is not None else None,
        section=row.name if row is not None else None,
        left=left,
        enforce=host.settings(None).enforce_single_daemon_process,
    )


def lives(process: LoopProcess) -> bool:
    """Whether it is there, and no later process of the same pid."""
    try:
        found = psutil.Process(process.pid)
        if abs(found.create_time() - process.created) >= _SAME_S:
            return False
        return bool(found.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def check(process: LoopProcess) -> None:
    """Raises `UsageError` for one that cannot be seen from here: its end would not be seen."""
    if not lives(process):
        raise UsageError(
            f"The controller cannot see the loop's process {process.pid}: it runs on another host, "
            "or in another container",
            hint="steroids runners start",
        )


def end_orphans(host: Host, jobs: Jobs, project: OpenProject | None = None) -> Ending:
    """Stop the runners (none: of all projects) whose loop was killed: nobody else would."""
    query = select(home.Runner).where(
        col(home.Runner.status).in_(ACTIVE), col(home.Runner.loop).is_not(None)
    )
    if project is not None:
        query = query.where(home.Runner.project_id == project.id)
    with host.store.read() as session:
        rows = session.exec(query).all()
    gone = [row for row in rows if row.loop is not None and not lives(LoopProcess(**row.loop))]
    return Ending([jobs.once(("stop", row.id), _end, host, row) for row in gone])


def _end(host: Host, row: home.Runner) -> None:
    assert row.loop is not None
    project = host.project(row.project_id)
    text = f"its loop (pid {row.loop['pid']}) is gone: its runner is stopped"
    log.warning("runner %s: %s", row.id, text)
    name = section_name(project, row)
    say(host, project, EventKind.NOTICE, text, section=name, runner_id=row.id)
    stopping.stop(host, project, row, now=False)
