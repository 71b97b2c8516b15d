"""Whether what failed beside a test database has failed because of the database."""

from dataclasses import asdict

from steroids.engines.spec import Handle
from steroids.provisioning.databases.base import DatabaseUnavailable, MigrationFailed
from steroids.provisioning.databases.servers import open_server
from steroids.services import database_book, places
from steroids.services.host import Host
from steroids.store import runners
from steroids.wire.assignment import Outcome, Result


def check(host: Host, handle: Handle, result: Result) -> None:
    """Of a container that did one thing, with its answer; to be called before it is removed.

    Raises `DatabaseUnavailable` when it failed and its server has lost its connections meanwhile,
    and what making its database failed with, unless that was its commit's doing: that judges
    nobody's work.
    """
    if result.outcome is not Outcome.FAILED:
        return
    with host.store.read() as session:
        found = (row for row in runners.active(session) if row.container == asdict(handle))
        row = next(found, None)
    book = database_book.of(row) if row is not None else None
    if row is None or book is None:
        return
    if book.error is not None and book.error["code"] != MigrationFailed.code:
        raise book.failure()
    if not book.ready:
        return
    project = host.project(row.project_id)
    server, _ = open_server(places.site_of(host, project, row))
    if server.born() != book.born:
        raise DatabaseUnavailable(
            "The database server ended while it was in use", hint="steroids logs -v"
        )
