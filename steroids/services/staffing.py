"""Starting the runners that somebody wants, as far as there is room."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from steroids.errors import Busy, EngineUnavailable, SteroidsError
from steroids.scheduling.rules import Rules
from steroids.services import demand, launching, stopping
from steroids.services.events import say
from steroids.services.host import Host, OpenProject
from steroids.services.jobs import Jobs
from steroids.services.prospects import Prospects, prospects
from steroids.store import home_models as home
from steroids.store import project_models as db
from steroids.store import runners as rows
from steroids.wire.event import EventKind
from steroids.wire.runner import WORKERS, Role, RunnerStatus


@dataclass(frozen=True)
class _Wanted:
    section: db.Section
    claimable: bool
    """There is a task that its runner could begin, but for the locks of others."""
    ready: bool
    """It, or one of its tasks, does not wait for others to be finished."""
    over: bool
    """There is nothing for a runner to do, or to wait for."""


class Staffing:
    """One per controller; `see_to` is called from one thread only."""

    def __init__(self, host: Host, jobs: Jobs) -> None:
        self._host = host
        self._jobs = jobs

    def see_to(self, project: OpenProject, row: home.Project) -> bool:
        """Start what is wanted and missing; whether anything is wanted."""
        wanted = self._wanted(project)
        if not wanted and row.wanted is None:
            return False
        if not row.enabled:
            # Those that live go on; what ends is started again when it is enabled.
            return False
        with self._host.store.read() as session:
            active = [each for each in rows.active(session, project.id) if each.role in WORKERS]
        if row.wanted is not None and not active:
            self._jobs.once(("start", project.id), self._start, project, None)
        elif not any(each.role == Role.SINGLE for each in active):
            self._start_missing(project, wanted, active)
        return True

    def _wanted(self, project: OpenProject) -> list[_Wanted]:
        """In the order in which they get places: those with work first."""
        settings = self._host.settings(project)
        with project.store.read() as session:
            sections = session.exec(
                select(db.Section).where(col(db.Section.wanted).is_not(None))
            ).all()
            if not sections:
                return []
            rules = demand.rules_of(session, settings.runners)
            ahead = prospects(session, rules)
            found = [_look(session, section, rules, ahead) for section in sections]
        found.sort(key=lambda each: (not each.claimable, _rank(each.section)))
        return found

    def _start_missing(
        self, project: OpenProject, wanted: Sequence[_Wanted], active: Sequence[home.Runner]
    ) -> None:
        running = {each.section_id for each in active}
        free = self._host.settings(project).runners.max_parallel - len(running)
        # One that waits for others to be finished would only sit on a place.
        missing = [each for each in wanted if each.section.id not in running]
        for each in missing:
            if each.over:
                stopping.never_started(self._host, project, each.section.id)
            elif not each.ready:
                continue
            elif free > 0:
                free -= 1
                self._jobs.once(("start", each.section.id), self._start, project, each.section)
            elif each.claimable:
                self._make_room(project, wanted, active)
                return

    def _make_room(
        self, project: OpenProject, wanted: Sequence[_Wanted], active: Sequence[home.Runner]
    ) -> None:
        """Take the place of one runner that was kept and has nothing to do, or that waits for
        others to be finished, which may just need its place."""
        busy = {each.section.id for each in wanted if each.claimable}
        behind = {each.section.id for each in wanted if not each.ready}
        for row in active:
            if stopping.is_own_end(row):
                continue
            waits = row.status == RunnerStatus.WAITING and row.section_id in behind
            if row.section_id not in busy and (waits or row.status == RunnerStatus.IDLE):
                key = ("stop", row.id)
                self._jobs.once(key, stopping.make_room, self._host, project, row)
                return

    def _start(self, project: OpenProject, section: db.Section | None) -> None:
        key = ("start", section.id if section else project.id)
        name = section.name if section else None
        try:
            launching.start(self._host, project, section)
            self._jobs.good(key)
        except Busy:
            # Somebody was quicker; or what is in its way has to end first.
            return
        except EngineUnavailable as error:
            if self._jobs.put_off(key, error):
                say(self._host, project, EventKind.NOTICE, error.message, section=name)
        except SteroidsError as error:
            launching.failed(self._host, project, section.id if section else None, error)


def _look(session: Session, section: db.Section, rules: Rules, ahead: Prospects) -> _Wanted:
    known = section.id in rules.sections
    return _Wanted(
        section,
        claimable=known and demand.claimable(session, section.id, rules),
        ready=known and not section.skipped and not ahead.waits(section.id),
        over=not section.keep and not ahead.work_left(section.id),
    )


def _rank(section: db.Section) -> tuple[int, int]:
    return section.priority, section.position
