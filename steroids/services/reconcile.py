"""What is against what should be: found out once a second, and after each change.

Everything here starts from the store and the engines' own lists, so that it does not matter who
died when: the next round finds what is missing and starts it, and removes what nobody wants.
"""

import logging

from sqlmodel import col, select

from steroids.errors import EngineUnavailable, RemoteUnreachable, SectionBusy, SteroidsError
from steroids.git.push import NonFastForward
from steroids.services import landing, launching, reviews, runners, verdicts
from steroids.services.complaints import Complaints
from steroids.services.containers import Containers
from steroids.services.events import say
from steroids.services.host import Host, OpenProject
from steroids.services.jobs import Jobs
from steroids.store import home_models as home
from steroids.store import project_models as db
from steroids.store import runners as rows
from steroids.wire.event import EventKind
from steroids.wire.runner import Role

log = logging.getLogger("steroids.reconcile")


class Reconciler:
    """One per controller. `tick` is called from one thread only; what takes long is a job."""

    def __init__(self, host: Host, jobs: Jobs) -> None:
        self._host = host
        self._jobs = jobs
        self._containers = Containers(host, jobs)
        self._complaints = Complaints(log)

    def adopt(self) -> None:
        """To be called once, before the first `tick`."""
        self._containers.adopt()

    def tick(self) -> bool:
        """One round; whether anything goes on that may end without telling.

        Errors of one project are logged and do not touch the others.
        """
        lively = self._containers.compare()
        for project in self._host.projects():
            try:
                lively = self._project(self._host.open(project)) or lively
                self._complaints.settled(project.path)
            except SteroidsError as error:
                self._complaints.about(project.path, error.message)
        return lively

    def _project(self, project: OpenProject) -> bool:
        with project.store.read() as session:
            wanted = list(
                session.exec(select(db.Section).where(col(db.Section.wanted).is_not(None)))
            )
            held_by = set(session.exec(select(db.Lease.runner_id)))
        self._release_orphans(project, held_by)
        self._start_wanted(project, wanted)
        in_review = reviews.waiting(project)
        for task_id in in_review:
            self._jobs.once(("review", task_id), self._review, project, task_id)
        queue = landing.queue(project)
        if queue:
            self._jobs.once(("land", project.id), self._land, project, queue[0])
        return bool(wanted or in_review or queue)

    def _start_wanted(self, project: OpenProject, wanted: list[db.Section]) -> None:
        if not wanted:
            return
        with self._host.store.read() as session:
            active = rows.active(session, project.id, Role.SECTION)
        running = {row.section_id for row in active}
        free = self._host.settings(project).runners.max_parallel - len(running)
        wanted.sort(key=lambda section: (section.priority, section.position))
        for section in wanted:
            if section.id not in running and free > 0:
                free -= 1
                self._jobs.once(("start", section.id), self._start, project, section)

    def _start(self, project: OpenProject, section: db.Section) -> None:
        key = ("start", section.id)
        try:
            launching.start(self._host, project, section)
            self._jobs.good(key)
        except SectionBusy:
            return
        except EngineUnavailable as error:
            if self._jobs.put_off(key, error):
                say(self._host, project, EventKind.NOTICE, error.message, section=section.name)
        except SteroidsError as error:
            launching.failed(self._host, project, section, error)

    def _review(self, project: OpenProject, task_id: str) -> None:
        key = ("review", task_id)
        try:
            reviews.review(self._host, project, task_id, self._engine_of(project, task_id))
            self._jobs.good(key)
        except EngineUnavailable as error:
            self._jobs.put_off(key, error)

    def _land(self, project: OpenProject, task_id: str) -> None:
        key = ("land", project.id)
        try:
            landing.land(self._host, project, task_id, self._engine_of(project, task_id))
            self._jobs.good(key)
        except (RemoteUnreachable, EngineUnavailable, NonFastForward, landing.Moved) as error:
            if self._jobs.put_off(key, error):
                say(self._host, project, EventKind.NOTICE, f"landing waits: {error.message}")
        except SteroidsError as error:
            self._jobs.put_off(key, error)
            landing.broke(self._host, project, task_id, error)

    def _engine_of(self, project: OpenProject, task_id: str) -> str:
        """Address of the engine that the task's section was worked on with."""
        with project.store.read() as session:
            section = session.get_one(db.Section, session.get_one(db.Task, task_id).section_id)
        if section.wanted:
            return section.wanted
        query = select(home.Runner).where(home.Runner.section_id == section.id)
        with self._host.store.read() as session:
            row = session.exec(query.order_by(col(home.Runner.started_at).desc())).first()
        return row.engine_address if row else self._host.settings(project).engine

    def _release_orphans(self, project: OpenProject, held_by: set[str]) -> None:
        """Give back tasks in progress whose runner is no longer among the living."""
        with self._host.store.read() as session:
            alive = {row.id for row in rows.active(session, project.id)}
        gone = held_by - alive
        if not gone:
            return
        settings = self._host.settings(project)
        with project.store.write() as session:
            for runner_id in gone:
                for task in runners.held(session, runner_id):
                    section = session.get_one(db.Section, task.section_id)
                    reason = "its runner is gone"
                    verdicts.lost(session, task, reason, section=section.name, settings=settings)
