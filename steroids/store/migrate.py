"""Schema versions: an older store is upgraded in place, a newer one is refused.

An upgrade is one transaction under the store's write lock, on SQLite as on PostgreSQL: when it
fails, the store is as it was. SQLite's file is copied first, so that people can go back to the
older Steroids too; in PostgreSQL nothing is copied, that is for the server's own backups.
"""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from steroids.errors import BadConfig
from steroids.store.database import Database

MIGRATIONS = Path(__file__).parent / "migrations"
_MARKS = {"home": "projects", "project": "tasks"}
"""A table that every store of that kind has, whatever its schema."""


def migrate(database: Database, kind: str) -> None:
    """Bring the store to the newest schema; does nothing when it is there already.

    Raises `BadConfig` for a newer store, and for what is no store of that kind; both are left as
    they are. Killed at any point, it leaves the older store or the newer one, whole.
    """
    newest, known = _revisions(kind, MIGRATIONS)
    with database.reading.connect() as connection:
        current = _version(connection)
        _refuse_newer(database, current, known, newest)
        _refuse_others(database, connection, kind, current)
    if current == newest:
        return
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


@cache
def _revisions(kind: str, folder: Path) -> tuple[str, frozenset[str]]:
    """The newest one and all of them; read once per folder of scripts, since a host may have a
    thousand projects."""
    script = ScriptDirectory.from_config(_config(kind))
    newest = script.get_current_head()
    assert newest is not None, "the package has its migrations"
    return newest, frozenset(each.revision for each in script.walk_revisions())


def _refuse_others(
    database: Database, connection: Connection, kind: str, current: str | None
) -> None:
    """All stores have the same name: a copy that was put back may be in the other kind's place."""
    name, looking = database.name, inspect(connection)
    hint = "choose another schema in that database"
    strange = looking.has_table(_MARKS[kind]) != (current is not None)
    if connection.dialect.name == "sqlite":
        # In a schema of PostgreSQL others may have tables too; a file is a store, empty, or none.
        strange = strange or (current is None and bool(looking.get_table_names()))
        hint = f"mv {name} {name}.other   (a new one is made; copies of yours: ls {name}.*)"
    if strange:
        raise BadConfig(f"{name} is not the store of a {kind}, and was left as it is", hint=hint)


def _refuse_newer(
    database: Database, current: str | None, known: frozenset[str], newest: str
) -> None:
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
