"""What is against what should be: found out once a second, and in the store after each change.

Everything here starts from the store and the engines' own lists, so that it does not matter who
died when: the next round finds what is missing and starts it, and removes what nobody wants.
"""

import logging
import time
from collections.abc import Sequence

from sqlmodel import col, select

from steroids.errors import EngineUnavailable, NotAProject, SteroidsError
from steroids.services import landing, landing_refusal, leases, loops, reviews
from steroids.services.complaints import Complaints
from steroids.services.containers import Containers
from steroids.services.disks import Disks
from steroids.services.host import Host, OpenProject
from steroids.services.jobs import Jobs
from steroids.services.presence import present
from steroids.services.rousing import Rouser
from steroids.services.staffing import Staffing
from steroids.store import home_models as home
from steroids.store import project_models as db
from steroids.wire.runner import Role

log = logging.getLogger("steroids.reconcile")

COMPARE_S = 0.9
"""Between two looks at the engines: below the time between two rounds when nothing happens."""


class Reconciler:
    """One per controller. `tick` is called from one thread only; what takes long is a job."""

    def __init__(self, host: Host, jobs: Jobs) -> None:
        self._host = host
        self._jobs = jobs
        self._containers = Containers(host, jobs)
        self._staffing = Staffing(host, jobs)
        self._disks = Disks(host, jobs)
        self._rouser = Rouser(host, jobs)
        self._complaints = Complaints(log)
        self._adopted: set[str] = set()
        """Projects whose leases somebody could have renewed since this controller lives."""
        self._compared = float("-inf")
        self._living = False

    def adopt(self) -> None:
        """To be called once, before the first `tick`."""
        self._containers.adopt()
        for row in self._awake():
            try:
                self._adopt(row)
            except SteroidsError as error:
                self._complaints.about(row.path, error.message)
            except Exception:
                # A bug with one project must not leave all others without their keeper.
                log.exception("adopt %s", row.path)

    def _adopt(self, row: home.Project) -> OpenProject:
        """The project, open; the first time its runners are given time to be heard."""
        if self._host.opened(row.id) is None and not present([row.path]):
            # A drive that is away may keep whoever looks at it waiting, and all others with him.
            raise NotAProject(f"Project {row.name} is not at {row.path} now")
        project = self._host.open(row, wake=False)
        if project.id not in self._adopted:
            leases.renew_all(self._host, project)
            self._adopted.add(project.id)
        return project

    def _awake(self) -> Sequence[home.Project]:
        with self._host.store.read() as session:
            return self._host.awake.rows(session)

    def rest(self) -> None:
        """To be called once, after the last `tick`."""
        self._containers.rest()

    def tick(self) -> bool:
        """One round; whether anything goes on that may end without telling.

        Errors of one project are logged and do not touch the others; a bug is raised when they
        have had their turn.
        """
        bug: Exception | None = None
        with self._host.rounds.round():
            self._rouser.look()
            lively = self._look_at_engines()
            for row in self._awake():
                try:
                    if self._project(self._adopt(row), row):
                        lively = True
                    else:
                        self._host.awake.settle(row.id)
                    self._complaints.settled(row.path)
                except SteroidsError as error:
                    self._complaints.about(row.path, error.message)
                except Exception as error:  # noqa: BLE001 - it is raised again, after them
                    bug = error
        if bug is not None:
            raise bug
        return lively

    def _look_at_engines(self) -> bool:
        """Not after each change: what ends by itself rings no bell, and to list what they have
        takes the engines longer than to start a container. Whether there are living runners."""
        now = time.monotonic()
        if now - self._compared >= COMPARE_S:
            self._compared = now
            self._living = self._containers.compare()
            loops.end_orphans(self._host, self._jobs)
            self._disks.watch()
        return self._living

    def _project(self, project: OpenProject, row: home.Project) -> bool:
        if leases.end_stale(self._host, project):
            self._host.changed()
        wanted = self._staffing.see_to(project, row)
        in_review = reviews.waiting(self._host, project)
        for task_id in in_review:
            self._jobs.once(("review", task_id), self._review, project, task_id)
        queue = landing.queue(project)
        if project.id in self._host.eager:
            self._host.eager.discard(project.id)
            self._jobs.good(("land", project.id))
        if queue:
            batch = self._host.settings(project).landing.batch
            self._jobs.once(("land", project.id), self._land, project, queue[:batch])
        return bool(wanted or in_review or queue)

    def _review(self, project: OpenProject, task_id: str) -> None:
        key = ("review", task_id)
        try:
            engine = self._engine_of(project, task_id)
            reviews.review(self._host, project, task_id, engine)
            self._jobs.good(key)
        except EngineUnavailable as error:
            self._jobs.put_off(key, error)

    def _land(self, project: OpenProject, task_ids: list[str]) -> None:
        key = ("land", project.id)
        try:
            landing.land_all(
                self._host, project, task_ids, lambda each: self._engine_of(project, each)
            )
            self._jobs.good(key)
        except landing.LATER as error:
            landing_settings = self._host.settings(project).landing
            raced = isinstance(error, landing.RACES) and landing_settings.verify != "always"
            if raced:
                # Whoever is slower than others does not get faster by waiting longer and longer.
                self._jobs.good(key)
            news = self._jobs.put_off(key, error) and not raced
            waiting = landing.queue(project)
            landing_refusal.waits(self._host, project, waiting, error, news=news)

    def _engine_of(self, project: OpenProject, task_id: str) -> str:
        """Address of the engine that the task's section was worked on with."""
        with project.store.read() as session:
            section = session.get_one(db.Section, session.get_one(db.Task, task_id).section_id)
        if section.wanted:
            return section.wanted
        query = select(home.Runner).where(
            home.Runner.project_id == project.id,
            (col(home.Runner.section_id) == section.id) | (col(home.Runner.role) == Role.SINGLE),
        )
        with self._host.store.read() as session:
            row = session.exec(query.order_by(col(home.Runner.started_at).desc())).first()
        return row.engine_address if row else self._host.settings(project).engine
