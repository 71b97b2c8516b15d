"""Runners on the books against the containers that engines list."""

import logging
from collections import Counter

from steroids.engines.base import Engine
from steroids.engines.spec import Handle, Owned, Status
from steroids.errors import EngineUnavailable, SteroidsError
from steroids.provisioning import container
from steroids.provisioning.container import LABEL, owned_by
from steroids.services import launching, runners, stopping, verdicts
from steroids.services.complaints import Complaints
from steroids.services.events import record
from steroids.services.host import Host, OpenProject
from steroids.services.jobs import Jobs
from steroids.store import home_models as home
from steroids.store import project_models as db
from steroids.store import runners as rows
from steroids.store.columns import utc_now
from steroids.wire.event import EventKind
from steroids.wire.runner import ACTIVE, Role, RunnerStatus

log = logging.getLogger("steroids.containers")

MAX_LOST_STARTS = 3
"""Runners of one section lost in a row, without one task claimed, before nobody tries again."""


class Containers:
    """Finds runners that died and containers that nobody owns. One per controller."""

    def __init__(self, host: Host, jobs: Jobs) -> None:
        self._host = host
        self._jobs = jobs
        self._complaints = Complaints(log)
        self._lost_starts: Counter[str] = Counter()

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
        return bool(before)

    def adopt(self) -> None:
        """On start: give living runners the new socket, end what only lived in the old process."""
        with self._host.store.read() as session:
            active = list(rows.active(session))
        for row in active:
            if row.container is not None and row.role == Role.SECTION:
                if container.socket_folder(self._host.path, row.id).is_dir():
                    container.link_socket(self._host.path, row.id)
            else:
                # Its starter died with the old controller; its container, if any, has no row now
                # and is removed by the first round.
                runners.ended(self._host, row.id, RunnerStatus.LOST)
                container.forget(self._host.path, row.id)

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
        by_runner = {each.labels.get(f"{LABEL}.runner", ""): each for each in owned}
        for row in before:
            if row.engine_address == engine.address and row.role == Role.SECTION and row.container:
                self._look_at(engine, row, by_runner.get(row.id))
        with self._host.store.read() as session:
            known = {row.id for row in rows.active(session)}
        for runner_id, each in by_runner.items():
            if runner_id not in known:
                log.info("removing %s, which no runner claims", each.handle.name)
                self._jobs.once(("remove", each.handle.id), engine.remove, each.handle)

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
            self._jobs.once(("lost", row.id), self._lost, engine, row, f"its container {how}")
        elif self._silent(row):
            self._jobs.once(("lost", row.id), self._lost, engine, row, "its runner has gone silent")

    def _silent(self, row: home.Runner) -> bool:
        heard = row.heartbeat_at or row.launched_at or row.started_at
        limit_s = self._host.settings(None).runners.heartbeat_timeout_s
        return (utc_now() - heard).total_seconds() > limit_s

    def _finish_stop(self, row: home.Runner) -> None:
        stopping.stop(self._host, self._host.project(row.project_id), row, now=False)

    def _lost(self, engine: Engine, row: home.Runner, reason: str) -> None:
        """A runner is gone without having said so: its task goes back, the section gets another."""
        with self._host.store.read() as session:
            now = session.get_one(home.Runner, row.id).status
        # Since the look it may have been told to stop: then it did not die, it obeyed.
        if now not in ACTIVE or now == RunnerStatus.STOPPING:
            return
        assert row.container is not None
        handle = Handle(**row.container)
        tail = _last_words(engine, handle)
        engine.remove(handle)
        project = self._host.project(row.project_id)
        settings = self._host.settings(project)
        with project.store.write() as session:
            section = session.get_one(db.Section, row.section_id)
            held = runners.held(session, row.id)
            data = {"output": tail}
            record(
                session,
                EventKind.LOST,
                f"runner lost: {reason}",
                section=section.name,
                runner_id=row.id,
                data=data,
            )
            for task in held:
                verdicts.lost(session, task, reason, section=section.name, settings=settings)
        runners.ended(self._host, row.id, RunnerStatus.LOST)
        container.forget(self._host.path, row.id)
        self._count_lost(project, section, claimed=bool(held), reason=reason, tail=tail)
        self._host.changed()

    def _count_lost(
        self, project: OpenProject, section: db.Section, *, claimed: bool, reason: str, tail: str
    ) -> None:
        count = 0 if claimed else self._lost_starts[section.id] + 1
        self._lost_starts[section.id] = count
        if count >= MAX_LOST_STARTS:
            self._lost_starts[section.id] = 0
            error = SteroidsError(
                f"{count} runners of {section.name} ended before they had a task: {reason}",
                hint=f"steroids logs --section '{section.name}'",
                details={"tail": tail},
            )
            launching.failed(self._host, project, section, error)


def _last_words(engine: Engine, handle: Handle) -> str:
    try:
        return b"".join(engine.logs(handle, tail=20)).decode("utf-8", "replace")[-4000:]
    except SteroidsError:
        return ""
