"""Schema versions: an older store is upgraded in place after a copy, a newer one is refused."""

import sqlite3
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect

from steroids.errors import BadConfig


def migrate(engine: Engine, path: Path, kind: str) -> None:
    """Bring the store to the newest schema; does nothing when it is there already."""
    script = ScriptDirectory.from_config(_config(kind))
    newest = script.get_current_head()
    assert newest is not None, "the package has its migrations"
    with engine.connect() as connection:
        current = _version(connection)
    if current == newest:
        return
    if current is not None:
        known = [revision.revision for revision in script.walk_revisions()]
        if current not in known:
            raise BadConfig(
                f"{path} was made by a newer Steroids (schema {current}; this one knows {newest})",
                hint="pip install --upgrade steroids",
            )
        backup(path, path.with_suffix(f".schema-{current}.bak"))
    with engine.execution_options(write=True).begin() as connection:
        # Another process may have been quicker: the write lock is held now, so look again.
        if _version(connection) != newest:
            config = _config(kind)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def backup(path: Path, copy: Path) -> None:
    """A consistent copy of a SQLite file, also while it is in use."""
    source, target = sqlite3.connect(path), sqlite3.connect(copy)
    try:
        source.backup(target)
    finally:
        source.close()
        target.close()
    copy.chmod(0o600)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    row = connection.exec_driver_sql("SELECT version_num FROM alembic_version").first()
    return str(row[0]) if row else None


def _config(kind: str) -> Config:
    folder = Path(__file__).parent / "migrations"
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.set_main_option("version_locations", str(folder / kind))
    config.set_main_option("path_separator", "newline")
    return config
