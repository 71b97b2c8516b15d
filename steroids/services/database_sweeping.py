"""Databases on the books against what is there: dropped when their runners are gone, their server
started again when it died, stopped when nobody needs it."""

import contextlib
import logging
import time
from collections.abc import Sequence
from dataclasses import replace

from steroids.engines.base import Engine
from steroids.engines.spec import Owned, Status
from steroids.errors import EngineError, NotAProject, NotFound, SteroidsError
from steroids.provisioning.databases import managed
from steroids.provisioning.databases.servers import open_server
from steroids.provisioning.site import DATABASE, LABEL, Site, owned_by
from steroids.services import database_book, database_names, places
from steroids.services.database_making import Making
from steroids.services.host import Host, OpenProject
from steroids.services.jobs import Jobs
from steroids.setting_groups import MANAGED
from steroids.store import home_models as home
from steroids.wire.runner import ACTIVE

log = logging.getLogger("steroids.databases")

IDLE_S = 600.0
"""How long a server that nobody uses is left running, for whoever comes next."""


class DatabaseKeeper:
    """One per controller. `look` is called from one thread only; what takes long is a job."""

    def __init__(self, host: Host, jobs: Jobs) -> None:
        self._host = host
        self._jobs = jobs
        self._idle_since: dict[str, float] = {}
        self._swept: set[str] = set()

    def look(self, engine: Engine, owned: Sequence[Owned]) -> None:
        """One round; `owned` is all that this home has on the engine."""
        booked = [
            row for row in database_book.rows(self._host) if row.engine_address == engine.address
        ]
        servers = [each for each in owned if each.labels.get(f"{LABEL}.role") == DATABASE]
        users = [row for row in booked if row.status in ACTIVE and _is_managed(row)]
        running = [each for each in servers if each.state.status is Status.RUNNING]
        for row in booked:
            # One that rests has them until somebody needs it again.
            if row.status not in ACTIVE and (running or not _is_managed(row)):
                self._jobs.once(database_book.job(row), drop, self._host, row)
        if users and not running:
            key = ("database server", engine.address)
            self._jobs.once(key, self._bring_back, users)
        for each in servers:
            self._see_to(engine, each, used=bool(booked))
        self._sweep_once(engine, running)

    def _see_to(self, engine: Engine, server: Owned, *, used: bool) -> None:
        """Stop it, or remove what is left of it, when nobody has used it for some time."""
        name = server.handle.id
        if used:
            self._idle_since.pop(name, None)
            return
        since = self._idle_since.setdefault(name, time.monotonic())
        if time.monotonic() - since > IDLE_S:
            log.info("%s is not used any more", server.handle.name)
            self._jobs.once(("database stop", name), self._stop, engine, server)

    def _stop(self, engine: Engine, server: Owned) -> None:
        def unused() -> bool:
            rows = database_book.rows(self._host)
            return all(row.engine_address != engine.address for row in rows)

        managed.stop(engine, server.handle, unused)

    def _bring_back(self, users: Sequence[home.Runner]) -> None:
        """It died, or somebody removed it, while runners use it."""
        for row in users:
            with self._host.store.read() as session:
                now = session.get_one(home.Runner, row.id)
            if now.status in ACTIVE:
                project = self._host.project(row.project_id)
                place = places.site_of(self._host, project, now)
                Making(self._host, project, place, now, log.info).open()

    def _sweep_once(self, engine: Engine, running: Sequence[Owned]) -> None:
        """Look for what is on no book, once for each server and project that is met."""
        with self._host.store.read() as session:
            rows = self._host.awake.rows(session)
        for row in rows:
            for key in self._to_sweep(engine, row, running):
                if key not in self._swept:
                    self._swept.add(key)
                    job = ("database sweep", row.id)
                    self._jobs.once(job, sweep, self._host, row, engine)

    def _to_sweep(self, engine: Engine, row: home.Project, running: Sequence[Owned]) -> list[str]:
        with contextlib.suppress(SteroidsError):
            wanted = self._host.settings(self._host.open(row, wake=False)).database
            if wanted.strategy == "none":
                return []
            if wanted.server != MANAGED:
                return [f"{row.id} {wanted.server}"]
            return [f"{row.id} {each.handle.id}" for each in running]
        return []

    def rest(self) -> None:
        """The controller ends: servers that nobody uses end with it."""
        rows = database_book.rows(self._host)
        used = {row.engine_address for row in rows if row.status in ACTIVE}
        for engine in self._host.known_engines():
            if engine.address not in used:
                with contextlib.suppress(EngineError):
                    for each in _servers(self._host, engine):
                        managed.stop(engine, each.handle)


def _is_managed(row: home.Runner) -> bool:
    book = database_book.of(row)
    return book is not None and book.managed


def _servers(host: Host, engine: Engine) -> list[Owned]:
    return engine.list_owned({**owned_by(host.id), f"{LABEL}.role": DATABASE})


def drop(host: Host, row: home.Runner) -> None:
    """Drop the database of a runner that is at its end. Raises `DatabaseError`, `EngineError`."""
    book = database_book.of(row)
    if book is None:
        return
    try:
        project = host.project(row.project_id)
    except (NotFound, NotAProject):
        log.warning("the project of %s is gone: it is left to its server", book.database)
        database_book.write(host, row.id, None)
        return
    if not book.shared:
        server, _ = open_server(_as_it_was(places.site_of(host, project, row), book))
        server.drop(book.database, book.role)
    database_book.write(host, row.id, None)


def _as_it_was(place: Site, book: database_book.Book) -> Site:
    """The settings may have become others since."""
    then = {"kind": book.kind} | ({"server": MANAGED} if book.managed else {})
    database = place.settings.database.model_copy(update=then)
    return replace(place, settings=place.settings.model_copy(update={"database": database}))


def sweep(host: Host, row: home.Project, engine: Engine) -> None:
    """Drop what has this home's names and is on nobody's book, whatever became of that."""
    project: OpenProject = host.open(row)
    place = places.site(host, project, engine, None)
    server, _ = open_server(place)
    ours = database_names.prefix(host, place.settings.database)
    found = [each.database for each in server.list(ours)]
    # Younger than the list: whoever makes one has it on the books before.
    booked = {book.database for book in map(database_book.of, database_book.rows(host)) if book}
    orphans = [
        name
        for name in found
        if name not in booked and not name.removeprefix(ours).startswith(("t_", "p_"))
    ]
    for name in orphans:
        log.info("dropping %s, which no runner has", name)
        server.drop(name, name)


def prune(host: Host, dry_run: bool) -> list[str]:
    """Remove servers that no living runner uses, with their data; returns what, for people.

    What is in them is made anew when somebody needs it. Engines that are away are passed over.
    """
    used = {row.engine_address for row in database_book.rows(host) if row.status in ACTIVE}
    gone = []
    for engine in host.known_engines():
        with contextlib.suppress(EngineError):
            if engine.address not in used:
                gone += _prune(host, engine, dry_run)
    return gone


def _prune(host: Host, engine: Engine, dry_run: bool) -> list[str]:
    names = []
    for each in _servers(host, engine):
        names.append(f"database server {each.handle.name} ({engine.name})")
        if not dry_run:
            managed.stop(engine, each.handle)
    for volume in managed.volumes(engine, host.id):
        names.append(f"test databases in {volume.name} ({engine.name})")
        if not dry_run:
            engine.volumes.remove(volume)
    for row in database_book.rows(host) if not dry_run else ():
        if row.engine_address == engine.address and _is_managed(row):
            database_book.write(host, row.id, None)
    return names
