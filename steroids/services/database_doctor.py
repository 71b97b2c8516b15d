"""What would keep runners from having their test databases."""

from steroids.engines.spec import NO_NETWORK
from steroids.errors import SteroidsError
from steroids.provisioning.databases import servers
from steroids.services import databases, places
from steroids.services.host import Host, OpenProject
from steroids.services.migrations import matching
from steroids.settings import Settings
from steroids.wire.daemon import Finding

_NAME = "database"


def examine(host: Host, project: OpenProject) -> list[Finding]:
    """Nothing where there are to be none. A server that does not run is not started for this."""
    settings = host.settings(project)
    if not databases.wanted(settings):
        return []
    if settings.network == NO_NETWORK:
        return [
            Finding(
                name=_NAME,
                ok=False,
                detail="out of reach: `network: none`",
                hint="steroids config show   (network: internal reaches its database, no more)",
            )
        ]
    try:
        place = places.site(host, project, host.engine(settings.engine), None)
        server = servers.peek(place)
        state = server.check() if server is not None else "starts when it is needed"
    except SteroidsError as error:
        return [Finding(name=_NAME, ok=False, detail=error.message, hint=error.hint)]
    detail = f"{settings.database.kind}, {servers.shown(place)}: {state}"
    return [Finding(name=_NAME, ok=True, detail=detail), *_migrations(project, settings)]


def _migrations(project: OpenProject, settings: Settings) -> list[Finding]:
    """A template whose key is over no file would be kept whatever changes."""
    tip = project.known.tip
    if settings.database.migrate is None or tip is None:
        return []
    if matching(project.mirror.path, tip, settings.database):
        return []
    return [
        Finding(
            name="migrations",
            ok=False,
            detail="none of the usual files is there: a change of them would go unseen",
            hint="steroids config show   (database.migrations: [db/changes/**])",
        )
    ]
