"""Schema versions: an older store is upgraded in place, a newer one is refused.

An upgrade is one transaction under the store's write lock, on SQLite as on PostgreSQL: when it
fails, the store is as it was. SQLite's file is copied first, so that people can go back to the
older Steroids too; in PostgreSQL nothing is copied, that is for the server's own backups.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from steroids.errors import BadConfig
from steroids.store.database import Database

MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(database: Database, kind: str) -> None:
    """Bring the store to the newest schema; does nothing when it is there already."""
    script = ScriptDirectory.from_config(_config(kind))
    newest = script.get_current_head()
    assert newest is not None, "the package has its migrations"
    with database.reading.connect() as connection:
        current = _version(connection)
    if current == newest:
        return
    known = {revision.revision for revision in script.walk_revisions()}
    _refuse_newer(database, current, known, newest)
    with database.upgrading() as connection:
        # Another process may have been quicker: the write lock is held now, so look again.
        current = _version(connection)
        _refuse_newer(database, current, known, newest)
        if current != newest:
            if current is not None:
                database.keep_copy(current)
            config = _config(kind)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def _refuse_newer(database: Database, current: str | None, known: set[str], newest: str) -> None:
    if current is not None and current not in known:
        raise BadConfig(
            f"{database.name} was made by a newer Steroids"
            f" (schema {current}; this one knows {newest})",
            hint="pip install --upgrade steroids",
        )


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    row = connection.exec_driver_sql("SELECT version_num FROM alembic_version").first()
    return str(row[0]) if row else None


def _config(kind: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("version_locations", str(MIGRATIONS / kind))
    config.set_main_option("path_separator", "newline")
    return config
