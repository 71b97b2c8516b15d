"""Populated stores of earlier releases: put where a test wants them, and looked at whole."""

import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, MetaData, NullPool, create_engine, null

from steroids.store import migrate
from tests.support.stores import Place

FOLDER = Path(__file__).parents[1] / "fixtures" / "stores"
SCHEMAS = sorted(path.name.removeprefix("schema-") for path in FOLDER.glob("schema-*"))
"""The newer of the two stores' own, since they count apart."""
MADE_IN = "/home/ada"
"""Where the home (`home`) and the project (`app`) were that the stores are of."""
Contents = Mapping[str, Sequence[Mapping[str, object]]]
"""The rows of each table."""
_COLUMNS = {
    "sqlite": "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c"
    " WHERE m.type = 'table'",
    "postgres": "SELECT table_name, column_name FROM information_schema.columns"
    " WHERE table_schema = 'public'",
}


def restore(path: Path, kind: str, schema: str, root: str = MADE_IN) -> None:
    """A SQLite store as that release left it; `root` in place of the folder it was made in."""
    text = (FOLDER / f"schema-{schema}" / f"{kind}.sql").read_text()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    with closing(sqlite3.connect(path)) as raw:
        raw.executescript(text.replace(MADE_IN, root))
        raw.execute("PRAGMA journal_mode=WAL")


def populate(
    place: Place, kind: str, schema: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same, wherever the place is; `folder` is an empty one to work in."""
    if place.path is not None:
        restore(place.path, kind, schema)
        return
    restore(folder / "made.db", kind, schema)
    made = version(contents_of(folder / "made.db"))
    scripts = folder / "scripts"
    shutil.copytree(migrate.MIGRATIONS, scripts)
    for script in scripts.glob("*/[0-9]*.py"):
        if script.name[:4] > made:
            script.unlink()
    with monkeypatch.context() as patch:
        patch.setattr(migrate, "MIGRATIONS", scripts)
        place.open(kind).close()
    source = create_engine(f"sqlite:///{folder / 'made.db'}", poolclass=NullPool)
    url = place.url.replace("postgresql://", "postgresql+psycopg://")
    _copy_rows(source, create_engine(url, poolclass=NullPool))


def contents(place: Place) -> Contents:
    """All that is in it, as the database says it and nothing of ours."""
    columns: dict[str, list[str]] = {}
    for table, column in place.run(_COLUMNS["postgres" if place.postgres else "sqlite"]):
        columns.setdefault(str(table), []).append(str(column))
    found = {}
    for table, names in columns.items():
        quoted = ", ".join(f'"{name}"' for name in names)
        rows = place.run(f'SELECT {quoted} FROM "{table}"')
        found[table] = [dict(zip(names, row, strict=True)) for row in rows]
    return found


def contents_of(path: Path) -> Contents:
    return contents(Place("", path))


def version(found: Contents) -> str:
    return str(found["alembic_version"][0]["version_num"])


def lost(before: Contents, after: Contents) -> dict[str, list[str]]:
    """What is not there any more, or not as it was, of each table; none: nothing."""
    found = {}
    for table, rows in before.items():
        if table == "alembic_version":
            continue
        left = sorted(repr(sorted(row.items())) for row in rows)
        kept = [{name: row.get(name) for name in (rows or [{}])[0]} for row in after[table]]
        there = sorted(repr(sorted(row.items())) for row in kept)
        if left != there and rows:
            found[table] = sorted(set(left) ^ set(there))
    return found


def _copy_rows(source: Engine, target: Engine) -> None:
    there, here = MetaData(), MetaData()
    there.reflect(source)
    here.reflect(target)
    with source.connect() as reading, target.begin() as writing:
        for table in there.sorted_tables:
            if table.name == "alembic_version":
                continue
            rows = [
                {name: _value(value) for name, value in row._mapping.items()}
                for row in reading.execute(table.select())
            ]
            for row in rows:
                writing.execute(here.tables[table.name].insert().values(row))
            for column in here.tables[table.name].primary_key:
                if column.type.python_type is int:
                    # As it would be had the rows been added one by one.
                    name = f"pg_get_serial_sequence('{table.name}', '{column.name}')"
                    most = f"(SELECT max({column.name}) FROM {table.name})"
                    writing.exec_driver_sql(f"SELECT setval({name}, {most})")


def _value(value: object) -> object:
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC)
    return null() if value is None else value
