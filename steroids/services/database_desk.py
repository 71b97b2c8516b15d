"""What people do with runners' databases: list them, begin one anew, look into one."""

import time
from collections.abc import Iterator

from steroids.errors import Busy, EngineError, NotFound
from steroids.provisioning.databases import managed, servers
from steroids.provisioning.databases.base import Address, DatabaseUnavailable
from steroids.provisioning.site import Site
from steroids.services import database_book, database_names, places, sections
from steroids.services.database_book import Book
from steroids.services.database_making import Making
from steroids.services.databases import shown_template, wanted
from steroids.services.host import Host, OpenProject
from steroids.services.jobs import Jobs
from steroids.store import home_models as home
from steroids.store import project_models as db
from steroids.store import runners as rows
from steroids.wire.database import Database, DatabaseDoor, DatabaseResetDone
from steroids.wire.runner import ACTIVE, WORKERS, Role

CLIENTS = {kind: list(recipe.client) for kind, recipe in servers.RECIPES.items()}
"""Programs of this machine, for a server that Steroids does not run."""
_HERE = "127.0.0.1"


def listing(host: Host, project: OpenProject) -> list[Database]:
    """The databases of the project's living runners, its templates, the one that all share.

    A server that does not run is not started: of what is on it only what the books say is known.
    """
    found = []
    for place in _places(host, project):
        found += list(_on(host, project, place))
    return found


def _places(host: Host, project: OpenProject) -> Iterator[Site]:
    """Every engine that has, or may have, databases of the project."""
    booked = [row for row in database_book.rows(host) if row.project_id == project.id]
    if not booked and not wanted(host.settings(project)):
        return
    engines = {engine.address: engine for engine in host.known_engines()}
    for row in booked:
        engines[row.engine_address] = host.engine(row.engine_address)
    for engine in engines.values():
        yield places.site(host, project, engine, None)


def _on(host: Host, project: OpenProject, place: Site) -> Iterator[Database]:
    booked = {
        book.database: (row, book)
        for row in database_book.rows(host)
        if (book := database_book.of(row)) is not None
        and (row.project_id, row.engine_address) == (project.id, place.engine.address)
        and row.status in ACTIVE
    }
    sizes = _sizes(host, place)
    settings = place.settings.database
    with project.store.read() as session:
        names = {each.id: each.name for each in sections.views(session).values()}
    for name, (row, book) in booked.items():
        yield Database(
            name=name,
            kind=book.kind,
            section=None if book.shared else names.get(row.section_id or ""),
            runner_id=None if book.shared else row.id,
            server=servers.shown(place),
            template=shown_template(book.template) if book.template else None,
            size_bytes=sizes.get(name),
            created_at=book.made_at,
        )
    templates = database_names.templates_of(host, settings, project)
    shared = database_names.shared_by(host, settings, project)
    for name, size_bytes in sizes.items():
        if name not in booked and (name.startswith(templates) or name == shared):
            yield Database(
                name=name,
                kind=settings.kind,
                section=None,
                runner_id=None,
                server=servers.shown(place),
                template=shown_template(name) if name != shared else None,
                size_bytes=size_bytes,
            )


def _sizes(host: Host, place: Site) -> dict[str, int | None]:
    try:
        server = servers.peek(place)
        found = server.list(database_names.prefix(host, place.settings.database)) if server else ()
    except (DatabaseUnavailable, EngineError):
        return {}
    return {each.database: each.size_bytes for each in found}


def reset(host: Host, jobs: Jobs, project: OpenProject, word: str) -> DatabaseResetDone:
    """Begin the database of that section's runner anew, whoever is connected; blocks until then.

    Raises `NotFound` when there is none, `Busy` while it is being made, and what making it raises.
    """
    section, row, book = _named(host, project, word)
    if jobs.runs(database_book.job(row)):
        raise Busy(f"The database of {section.name} is just being made", hint="steroids db list")
    began = time.monotonic()
    place = places.site_of(host, project, row)
    server, book = Making(host, project, place, row, lambda line: None).again(book)
    took_s = time.monotonic() - began
    sizes = {each.database: each.size_bytes for each in server.list(book.database)}
    return DatabaseResetDone(
        database=Database(
            name=book.database,
            kind=book.kind,
            section=section.name,
            runner_id=row.id,
            server=servers.shown(place),
            template=shown_template(book.template) if book.template else None,
            size_bytes=sizes.get(book.database),
            created_at=book.made_at,
        ),
        duration_s=round(took_s, 3),
    )


def door(host: Host, project: OpenProject, word: str) -> DatabaseDoor:
    """The way into the database of that section's runner, as its agent. Raises `NotFound`."""
    _, row, book = _named(host, project, word)
    place = places.site_of(host, project, row)
    server, address = servers.open_server(place)
    if not book.managed:
        env = dict(server.env(book.login, address))
        return DatabaseDoor(argv=CLIENTS.get(book.kind, []), env=env)
    recipe = servers.RECIPES[book.kind]
    handle = managed.ensure(place, recipe, lambda line: None, lambda line: None)
    return DatabaseDoor(
        argv=list(recipe.client),
        env=dict(server.env(book.login, Address(_HERE, recipe.port))),
        engine=place.engine.name,
        address=place.engine.address,
        container=handle.name,
        user=recipe.user,
    )


def _named(host: Host, project: OpenProject, word: str) -> tuple[db.Section, home.Runner, Book]:
    with project.store.read() as session:
        section = sections.named(session, word)
    with host.store.read() as session:
        living = [row for row in rows.active(session, project.id) if row.role in WORKERS]
    for row in living:
        if row.section_id == section.id or row.role == Role.SINGLE:
            book = database_book.of(row)
            if book is not None and book.ready:
                return section, row, book
            raise NotFound(f"The runner of {section.name} has no database", hint="steroids db list")
    raise NotFound(
        f"Section {section.name} has no runner now, and so no database",
        hint=f"steroids up --section '{section.name}' --keep -d",
    )
