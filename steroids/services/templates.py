"""Template databases: migrated and seeded once, and copied for whoever needs one."""

import contextlib
import os
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import NoReturn

from steroids.engines.spec import Handle
from steroids.errors import SetupFailed
from steroids.provisioning import oneshot
from steroids.provisioning.checkout import checkout
from steroids.provisioning.databases.base import (
    DatabaseError,
    MigrationFailed,
    Server,
)
from steroids.provisioning.environment import agent_env
from steroids.provisioning.site import Site
from steroids.services import database_book, database_names, database_survival, places
from steroids.services.host import Host, OpenProject
from steroids.services.migrations import Plan
from steroids.store import runners as rows
from steroids.wire.assignment import Assignment, Kind, Outcome, Result
from steroids.wire.runner import Role

KEEP = 3
"""How many of a project stay, of those that nobody uses."""
_building: dict[str, threading.Lock] = defaultdict(threading.Lock)
"""By name: of many who need one template one makes it, and the others wait."""


def ensure(
    host: Host,
    project: OpenProject,
    place: Site,
    server: Server,
    plan: Plan,
    progress: Callable[[str], None],
) -> bool:
    """Have the plan's template there; whether it had to be made. Blocks while it is migrated.

    Raises `MigrationFailed`, `SetupFailed`, `DatabaseUnavailable` when the server ended meanwhile,
    and what a container's start raises. Nothing half-made has a template's name.
    """
    with _building[f"{place.engine.address} {plan.name}"]:
        if _is_there(server, plan.name):
            return False
        progress(f"Migrating: {plan.command}")
        result = _migrate(host, project, place, server, plan)
        if result.outcome is not Outcome.DONE:
            _raise_failed(place, plan, result)
        used(host, plan.name)
        prune(host, project, place, server)
    return True


def _is_there(server: Server, name: str) -> bool:
    return any(found.database == name for found in server.list(name))


def _migrate(host: Host, project: OpenProject, place: Site, server: Server, plan: Plan) -> Result:
    """Run the command on an empty database, and make that the template if it goes well."""
    settings = place.settings
    # With all files, wherever migrations are. Where the project's set-up is at hand; what the
    # commit changed about it is set up inside.
    place = replace(place, reads=None)
    image = places.runner_image(host, place, lambda line: None)
    snapshot = places.snapshot_for(project, place, project.known.tip or plan.commit, image)

    def keep(handle: Handle, result: Result) -> None:
        database_survival.check(host, handle, result)
        if result.outcome is Outcome.DONE:
            _freeze(host, server, handle, plan.name)

    return oneshot.run(
        place,
        Assignment(
            kind=Kind.CHECK,
            alone=place.alone,
            checkout=checkout(project.mirror, plan.commit, settings, None),
            database=True,
            commands=[plan.command],
            timeout_s=settings.database.migrate_timeout_s,
            env=agent_env(settings),
        ),
        role=Role.SETUP,
        image=snapshot.ref,
        timeout_s=settings.database.migrate_timeout_s + settings.setup_timeout_s,
        after=keep,
    )


def _freeze(host: Host, server: Server, handle: Handle, name: str) -> None:
    with host.store.read() as session:
        row = next(row for row in rows.active(session) if row.container == asdict(handle))
    book = database_book.of(row)
    if book is None:
        raise DatabaseError("The migration asked for no database", hint="steroids logs -v")
    server.freeze(book.login, name)
    database_book.write(host, row.id, None)


def _raise_failed(place: Site, plan: Plan, result: Result) -> NoReturn:
    folder = place.home / "logs"
    folder.mkdir(exist_ok=True)
    log = folder / f"migrate-{place.project_id[:8]}-{plan.display}.log"
    log.write_text(result.tail)
    how = f"exited {result.exit_code}" if result.exit_code is not None else "took too long"
    last = next((line for line in reversed(result.tail.splitlines()) if line.strip()), "")
    migrates = result.command == plan.command
    kind = MigrationFailed if migrates else SetupFailed
    raise kind(
        f"{'Migration' if migrates else 'Set-up'} failed: `{result.command}` {how}"
        + (f": {last.strip()[:200]}" if last else ""),
        hint=f"less {log}",
        details={
            "command": result.command,
            "exitCode": result.exit_code,
            "tail": result.tail[-4000:],
            "log": str(log),
        },
    )


def used(host: Host, name: str) -> None:
    """Remember when it was copied last."""
    path = _folder(host) / name
    path.touch()
    os.utime(path)


def prune(host: Host, project: OpenProject, place: Site, server: Server) -> list[str]:
    """Drop all but the last few that were used, and those that runners' databases came from."""
    begin = database_names.templates_of(host, place.settings.database, project)
    found = [each.database for each in server.list(begin)]
    alive = {book.template for book in map(database_book.of, database_book.rows(host)) if book}
    idle = sorted((each for each in found if each not in alive), key=lambda n: -_used_at(host, n))
    for each in idle[KEEP:]:
        with contextlib.suppress(DatabaseError):
            server.drop(each, None)
            (_folder(host) / each).unlink(missing_ok=True)
    return idle[KEEP:]


def _used_at(host: Host, name: str) -> float:
    try:
        return (_folder(host) / name).stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _folder(host: Host) -> Path:
    folder = host.path / "templates"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
