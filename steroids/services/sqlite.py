"""What a runner is told of the SQLite file that it keeps itself."""

from steroids.services import migrations
from steroids.services.host import Host, OpenProject
from steroids.settings import Settings
from steroids.wire.database import Sqlite

EMPTY = "empty"
"""The key of what nothing migrates."""


def told(host: Host, project: OpenProject, settings: Settings, commit: str) -> Sqlite | None:
    """None where the settings want no such file."""
    wanted = settings.database
    if not _is_wanted(settings):
        return None
    plan = migrations.plan(host, project, wanted, commit)
    return Sqlite(
        key=plan.name if plan is not None else EMPTY,
        migrate=wanted.migrate,
        timeout_s=wanted.migrate_timeout_s,
    )


def shown(settings: Settings) -> str | None:
    """For the step line of `up`."""
    return "SQLite, a file in the runner's own container" if _is_wanted(settings) else None


def _is_wanted(settings: Settings) -> bool:
    return settings.database.strategy != "none" and settings.database.kind == "sqlite"
