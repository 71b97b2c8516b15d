"""A test database for each runner, and a fresh one for each attempt, check and review."""

from collections.abc import Callable

from steroids.errors import EngineUnavailable, SteroidsError
from steroids.provisioning.databases.base import (
    DatabaseUnavailable,
    MigrationFailed,
)
from steroids.provisioning.site import Site
from steroids.services import database_book, places, sqlite
from steroids.services.database_book import ONCE, UP
from steroids.services.database_making import Making, NotNeeded
from steroids.services.events import say
from steroids.services.host import Host, OpenProject
from steroids.services.jobs import Jobs
from steroids.settings import Settings
from steroids.store import home_models as home
from steroids.store import project_models as db
from steroids.store.columns import utc_now
from steroids.wire.body import to_builtins
from steroids.wire.database import DatabaseAsk, DatabaseGrant
from steroids.wire.error import from_exception
from steroids.wire.event import EventKind
from steroids.wire.runner import WORKERS, Role

PATIENCE_S = 300.0
"""How long a runner waits for a server that does not answer."""


def wanted(settings: Settings) -> bool:
    """Whether runners have test databases on a server."""
    return settings.database.strategy != "none" and settings.database.kind != "sqlite"


def prepare(
    host: Host,
    project: OpenProject,
    place: Site,
    runner: home.Runner,
    commit: str,
    progress: Callable[[str], None] = lambda line: None,
) -> str | None:
    """Make the database of a runner that is being brought up; None where there is to be none, or
    the runner was stopped meanwhile.

    Returns words for people. Blocks while a server is started and a template is migrated. Raises
    `MigrationFailed`, `DatabaseError`, and what engine and containers raise.
    """
    if not wanted(place.settings):
        return sqlite.shown(place.settings)
    making = Making(host, project, place, runner, progress)
    try:
        server, book = making.make(UP, commit)
    except NotNeeded:
        return None
    count = server.tables(book.database)
    tables = f"{count} table" if count == 1 else f"{count} tables"
    if book.shared:
        return f"{book.database}, shared by all runners of the project ({tables})"
    origin = f"from {shown_template(book.template)}" if book.template else "empty"
    return f"{book.database} {origin} ({tables})"


def shown_template(name: str) -> str:
    """What people see of a template's name: the beginning of its key, or the name they gave."""
    start, _, key = name.rpartition("_")
    return key[:6] if "_t_" in start else name


def grant(host: Host, jobs: Jobs, runner: home.Runner, ask: DatabaseAsk) -> DatabaseGrant | None:
    """What the agent is told of its database; None: it is being made, ask again.

    Asked for again for the same run it is the same. Raises what making it failed with.
    """
    book = database_book.of(runner)
    if book is not None and book.purpose == _purpose(runner, ask):
        if book.error is not None:
            raise book.failure()
        if book.ready:
            jobs.good(database_book.job(runner))
            return DatabaseGrant(env=book.env)
    jobs.once(database_book.job(runner), _serve, host, runner.id, ask)
    return None


def _purpose(runner: home.Runner, ask: DatabaseAsk) -> str:
    return str(ask.fence) if runner.role in WORKERS else ONCE


def _serve(host: Host, runner_id: str, ask: DatabaseAsk) -> None:
    """Make one for what the runner does now. What that fails with is noted for it to hear."""
    with host.store.read() as session:
        runner = session.get_one(home.Runner, runner_id)
    project = host.project(runner.project_id)
    purpose = _purpose(runner, ask)
    making = Making(
        host, project, places.site_of(host, project, runner), runner, progress=lambda line: None
    )
    try:
        if runner.role == Role.SETUP:
            making.blank(purpose)
        elif runner.role in WORKERS:
            _for_a_coder(host, project, making, runner, purpose, ask.commit)
        else:
            making.make(purpose, ask.commit)
    except NotNeeded:
        return
    except SteroidsError as error:
        if isinstance(error, EngineUnavailable | DatabaseUnavailable):
            with host.store.read() as session:
                book = database_book.of(session.get_one(home.Runner, runner_id))
            if book is None or (utc_now() - book.made_at).total_seconds() < PATIENCE_S:
                raise
        failed = making.begin(purpose, None)
        told = to_builtins(from_exception(error))
        database_book.write(host, runner_id, failed.but(error=told))


def _for_a_coder(
    host: Host,
    project: OpenProject,
    making: Making,
    runner: home.Runner,
    purpose: str,
    commit: str,
) -> None:
    """The one that was made with the runner, if nobody had it; else a fresh one.

    What cannot be migrated is there for its agent to be mended: on an empty one.
    """
    book = database_book.of(runner)
    if book is not None and book.purpose == UP and book.ready:
        server, _ = making.open()
        plan = making.plan(server, commit)
        fits = plan is None or plan.name == book.template
        if fits and server.born() == book.born:
            database_book.write(host, runner.id, book.but(purpose=purpose))
            return
    try:
        making.make(purpose, commit)
    except MigrationFailed as error:
        with project.store.read() as session:
            task = session.get(db.Task, runner.task_id) if runner.task_id else None
            section = session.get(db.Section, task.section_id) if task is not None else None
        say(
            host,
            project,
            EventKind.NOTICE,
            f"its database is empty: {error.message}",
            section=section.name if section is not None else None,
            task=task,
            runner_id=runner.id,
            data={"tail": error.details.get("tail", "")},
        )
        making.blank(purpose)
