"""Runners on the books against the containers that engines list."""

import logging
import time
from collections import Counter

from steroids.engines.base import Engine
from steroids.engines.spec import Handle, Owned, Status
from steroids.errors import EngineError, EngineUnavailable, SteroidsError
from steroids.provisioning import container, snapshot
from steroids.provisioning.site import LABEL, owned_by
from steroids.services import builds, launching, runners, stopping, sweeping, verdicts
from steroids.services.complaints import Complaints
from steroids.services.database_sweeping import DatabaseKeeper
from steroids.services.events import record
from steroids.services.host import Host, OpenProject
from steroids.services.jobs import Jobs
from steroids.store import home_models as home
from steroids.store import project_models as db
from steroids.store import runners as rows
from steroids.store.columns import utc_now
from steroids.wire.event import EventKind
from steroids.wire.runner import ACTIVE, WORKERS, RunnerStatus

log = logging.getLogger("steroids.containers")

MAX_LOST_STARTS = 3
"""Runners of one section lost in a row that had no task, and that had not asked for one or ended
by themselves, before nobody tries again."""
SIGNALLED = 128
"""Greater exit codes are those of signals."""


UNSTARTED_S = 5.0


class Containers:
    """Finds runners that died and containers that nobody owns. One per controller."""

    def __init__(self, host: Host, jobs: Jobs) -> None:
        self._host = host
        self._jobs = jobs
        self._complaints = Complaints(log)
        self._lost_starts: Counter[str] = Counter()
        self._swept: set[str] = set()
        self._databases = DatabaseKeeper(host, jobs)

    def compare(self) -> bool:
        """One round over all engines; whether there are living runners.

        An engine that is away leaves everything as it is.
        """
        with self._host.store.read() as session:
            before = list(rows.active(session))
        for row in before:
            self._know_engine(row)
        for engine in self._host.known_engines():
            self._against(engine, before)
        self._end_unstarted(before)
        sweeping.folders(self._host)
        return bool(before)

    def adopt(self) -> None:
        """On start: give living runners the new socket, end what only lived in the old process."""
        sweeping.half_served(self._host)
        with self._host.store.read() as session:
            active = list(rows.active(session))
            used = {row.engine_address: row for row in rows.last_on_each_engine(session)}
        for row in used.values():
            # Also where none lives now: what was left there is swept.
            self._know_engine(row)
        for row in active:
            if row.container is not None and row.role in WORKERS:
                if container.socket_folder(self._host.path, row.id).is_dir():
                    container.link_socket(self._host.path, row.id)
            else:
                # Its starter died with the old controller; its container, if any, has no row now
                # and is removed by the first round.
                runners.ended(self._host, row.id, RunnerStatus.LOST)
                container.forget(self._host.path, row.id)
                self._say_unstarted(row)

    def rest(self) -> None:
        """The controller ends: what serves nobody any more ends too. May take a second."""
        self._databases.rest()

    def _know_engine(self, row: home.Runner) -> None:
        """Make sure that the engine of a stored runner is known, also after a restart."""
        try:
            self._host.engine(row.engine_address)
        except SteroidsError as error:
            self._complaints.about(row.engine_address, error.message)

    def _against(self, engine: Engine, before: list[home.Runner]) -> None:
        try:
            owned = engine.list_owned(owned_by(self._host.id))
        except EngineUnavailable as error:
            self._complaints.about(engine.address, error.message)
            return
        self._complaints.settled(engine.address)
        self._sweep_images(engine)
        by_runner = {each.labels.get(f"{LABEL}.runner"): each for each in owned}
        for row in before:
            if row.engine_address == engine.address and row.role in WORKERS and row.container:
                self._look_at(engine, row, by_runner.get(row.id))
        sweeping.containers(self._host, self._jobs, engine, owned)
        self._databases.look(engine, owned)
        try:
            sweeping.networks(self._host, self._jobs, engine)
        except EngineError as error:
            self._complaints.about(f"{engine.address} networks", error.message)

    def _sweep_images(self, engine: Engine) -> None:
        """What an earlier controller has left half-made; once, for later on whoever builds does."""
        if engine.address not in self._swept:
            self._swept.add(engine.address)
            projects = {row.id for row in self._host.projects()}
            self._jobs.once(("images", engine.address), snapshot.sweep, engine, projects)

    def _end_unstarted(self, before: list[home.Runner]) -> None:
        """One on the books that has no container, and that nobody is bringing up."""
        for row in before:
            if row.role not in WORKERS or row.container or self._is_brought_up(row):
                continue
            with self._host.store.read() as session:
                now = session.get_one(home.Runner, row.id)
            # Between the two looks it may have got its container, and its job ended.
            if now.container is None and now.status in ACTIVE and not self._is_brought_up(row):
                log.warning("runner %s was never started", row.id)
                runners.ended(self._host, row.id, RunnerStatus.LOST)
                self._say_unstarted(row)

    def _say_unstarted(self, row: home.Runner) -> None:
        if stopping.is_own_end(row):
            project = self._host.project(row.project_id)
            stopping.say_own_end(self._host, project, row, "was never started")

    def _is_brought_up(self, row: home.Runner) -> bool:
        # On the books for a moment before its job is.
        young = abs((utc_now() - row.started_at).total_seconds()) < UNSTARTED_S
        keys = ("start", row.section_id or row.project_id), ("provision", row.id), ("stop", row.id)
        return young or any(self._jobs.runs(key) for key in keys)

    def _look_at(self, engine: Engine, row: home.Runner, seen: Owned | None) -> None:
        if row.status == RunnerStatus.STOPPING:
            # Whoever stops it sees it out; unless that was a controller which is gone.
            if not self._jobs.runs(("stop", row.id)):
                self._jobs.once(("stop", row.id), self._finish_stop, row)
            return
        status = seen.state.status if seen is not None else Status.GONE
        if status is Status.GONE and row.container is not None:
            # The list is older than this row's container, perhaps: ask for certain.
            try:
                status = engine.inspect(Handle(**row.container)).status
            except EngineUnavailable:
                return
        if status in (Status.EXITED, Status.GONE):
            code = seen.state.exit_code if seen is not None else None
            how = f"ended with {code}" if code is not None else "is gone"
            # From outside: by a person, for want of memory, or told to by an engine that ends (0).
            killed = not code or code > SIGNALLED
            reason = f"its container {how}"
            self._jobs.once(("lost", row.id), self._lost, engine, row, reason, killed)
        elif self._silent(row):
            reason = "its runner has gone silent"
            self._jobs.once(("lost", row.id), self._lost, engine, row, reason, True)

    def _silent(self, row: home.Runner) -> bool:
        # By the monotonic clock, and from this controller's first look on.
        heard = self._host.heard.setdefault(row.id, time.monotonic())
        limit_s = self._host.settings(None).runners.heartbeat_timeout_s
        return time.monotonic() - heard > limit_s

    def _finish_stop(self, row: home.Runner) -> None:
        stopping.stop(self._host, self._host.project(row.project_id), row, now=False)

    def _lost(self, engine: Engine, row: home.Runner, reason: str, killed: bool) -> None:
        """A runner is gone without having said so: its task goes back, the section gets another."""
        with self._host.store.read() as session:
            now = session.get_one(home.Runner, row.id)
        # Since the look it may have been told to stop: then it did not die, it obeyed.
        if now.status not in ACTIVE or now.status == RunnerStatus.STOPPING:
            return
        assert row.container is not None
        handle = Handle(**row.container)
        tail = _last_words(engine, handle)
        container.remove(engine, handle, row.id)
        project = self._host.project(row.project_id)
        settings = self._host.settings(project)
        name = launching.section_name(project, row)
        with project.store.write() as session:
            held = runners.held(session, row.id)
            text, data = f"runner lost: {reason}", {"output": tail}
            record(session, EventKind.LOST, text, section=name, runner_id=row.id, data=data)
            builds.release(session, row.id)
            for task in held:
                section = session.get_one(db.Section, task.section_id)
                verdicts.lost(session, task, reason, section=section.name, settings=settings)
        runners.ended(self._host, row.id, RunnerStatus.LOST)
        container.forget(self._host.path, row.id)
        good = bool(held) or (killed and now.heartbeat_at is not None)
        self._count_lost(project, row, good=good, reason=reason, tail=tail)
        self._host.changed()

    def _count_lost(
        self, project: OpenProject, row: home.Runner, *, good: bool, reason: str, tail: str
    ) -> None:
        whose = row.section_id or project.id
        count = 0 if good else self._lost_starts[whose] + 1
        self._lost_starts[whose] = count
        if count >= MAX_LOST_STARTS:
            self._lost_starts[whose] = 0
            name = launching.section_name(project, row)
            error = SteroidsError(
                f"{count} runners of {name or project.name} ended as soon as they began: {reason}",
                hint=f"steroids logs --section '{name}'" if name else "steroids logs",
                details={"tail": tail},
            )
            launching.failed(self._host, project, row.section_id, error)


def _last_words(engine: Engine, handle: Handle) -> str:
    try:
        return b"".join(engine.logs(handle, tail=20)).decode("utf-8", "replace")[-4000:]
    except SteroidsError:
        return ""
