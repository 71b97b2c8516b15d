"""How a database is made once more: the statements for all that is in it.

MySQL cannot copy a database. A dump sent through the client costs a multiple of letting the server
copy rows itself, and needs programs where there may only be a driver.
"""

import re
from dataclasses import dataclass
from typing import Literal

from steroids.provisioning.databases.base import DatabaseRefused, Login
from steroids.provisioning.databases.mysql_sql import Row, Sql, name, text

Who = Literal["admin", "owner"]
_NAME = r"""(?:`(?:[^`]|``)*`|"(?:[^"]|"")*")"""
"""The mode that code was made in says which quotes are used."""
_DEFINER = re.compile(rf"\A(CREATE(?: ALGORITHM=\w+)?) DEFINER={_NAME}(?:@{_NAME})?", re.IGNORECASE)
_CREATE = re.compile(r"\ACREATE(?: OR REPLACE)?(?: ALGORITHM=\w+)?")
"""Where the server puts it, and nowhere else: bodies may have the same words in them."""


@dataclass(frozen=True)
class Step:
    who: Who
    """`owner`: as the role that the new database belongs to, whose rights views, routines and
    triggers then have."""
    statement: str


class _Source:
    """A database that is looked at."""

    def __init__(self, sql: Sql, database: str, login: Login | None) -> None:
        self._sql, self.database, self._login = sql, database, login

    def ask(self, *statements: str) -> list[Row]:
        if not statements:
            return []
        return self._sql.ask(*statements, database=self.database, login=self._login)

    def facts(self, columns: str, table: str, schema: str, more: str) -> list[Row]:
        """Of `information_schema`."""
        where = f"{schema} = {text(self.database)}"
        return self.ask(f"SELECT {columns} FROM information_schema.{table} WHERE {where} {more}")


@dataclass(frozen=True)
class Contents:
    before: list[str]
    """Tables, and what they need."""
    columns: dict[str, str]
    """Of each table those that rows are made of: all but the generated."""
    code: list[str]
    """Views, routines, triggers and events."""

    def data(self, rows_of: str) -> list[str]:
        """Tables, and the rows that those of the database `rows_of` have."""
        rows = (
            f"INSERT INTO {name(table)} ({names}) SELECT {names} FROM {name(rows_of)}.{name(table)}"
            for table, names in self.columns.items()
        )
        return [*self.before, *rows]

    def steps(self, rows_of: str) -> list[Step]:
        """All, in their order, that makes an empty database the same."""
        data = (Step("admin", each) for each in self.data(rows_of))
        return [*data, *(Step("owner", each) for each in self.code)]


def read(sql: Sql, database: str, login: Login | None = None) -> Contents:
    """As the administrator, or as the database's own role: not everybody sees others' code.

    Raises `DatabaseRefused` when that is so.
    """
    source = _Source(sql, database, login)
    kinds = source.facts("TABLE_NAME, TABLE_TYPE", "TABLES", "TABLE_SCHEMA", "ORDER BY 1")
    views = [row[0] for row in kinds if row[1] == "VIEW"]
    sequences = [row[0] for row in kinds if row[1] == "SEQUENCE"]
    tables = [row[0] for row in kinds if row[0] not in {*views, *sequences}]
    return Contents(
        before=[
            *_character_set(source),
            *_sequences(source, sequences),
            *_tables(source, tables),
        ],
        columns=_columns(source, tables),
        # Views may name functions, and functions views that have but their columns so far.
        code=[
            *_view_columns(source, views),
            *_routines(source),
            *_views(source, views),
            *_triggers(source),
            *_events(source),
        ],
    )


def _character_set(source: _Source) -> list[str]:
    columns = "DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME"
    (found,) = source.facts(columns, "SCHEMATA", "SCHEMA_NAME", "")
    return [f"ALTER DATABASE CHARACTER SET {found[0]} COLLATE {found[1]}"]


def _sequences(source: _Source, sequences: list[str]) -> list[str]:
    made = source.ask(*(f"SHOW CREATE SEQUENCE {name(each)}" for each in sequences))
    values = source.ask(*(f"SELECT next_not_cached_value FROM {name(each)}" for each in sequences))
    at = (
        f"ALTER SEQUENCE {name(each)} RESTART {row[0]}"
        for each, row in zip(sequences, values, strict=True)
    )
    return [_here(source, row[1]) for row in made] + list(at)


def _tables(source: _Source, tables: list[str]) -> list[str]:
    made = source.ask(*(f"SHOW CREATE TABLE {name(each)}" for each in tables))
    return [_here(source, row[1]) for row in made]


def _columns(source: _Source, tables: list[str]) -> dict[str, str]:
    columns = source.facts(
        "TABLE_NAME, COLUMN_NAME",
        "COLUMNS",
        "TABLE_SCHEMA",
        "AND IFNULL(GENERATION_EXPRESSION, '') = '' ORDER BY TABLE_NAME, ORDINAL_POSITION",
    )
    of: dict[str, list[str]] = {table: [] for table in tables}
    for table, column in columns:
        if table in of:
            of[table].append(name(column))
    return {table: ", ".join(names) for table, names in of.items()}


def _view_columns(source: _Source, views: list[str]) -> list[str]:
    """Views as of constants: the real ones may then name each other in any order.

    The server knows no columns of one whose definer is gone.
    """
    columns = source.facts(
        "TABLE_NAME, COLUMN_NAME", "COLUMNS", "TABLE_SCHEMA", "ORDER BY 1, ORDINAL_POSITION"
    )
    of: dict[str, list[str]] = {view: [] for view in views}
    for table, column in columns:
        if table in of:
            of[table].append(f"1 AS {name(column)}")
    return [
        f"CREATE VIEW {name(view)} AS SELECT {', '.join(of[view])}" for view in views if of[view]
    ]


def _views(source: _Source, views: list[str]) -> list[str]:
    made = source.ask(*(f"SHOW CREATE VIEW {name(each)}" for each in views))
    return [re.sub("^CREATE", "CREATE OR REPLACE", _here(source, _own(row[1]))) for row in made]


def _routines(source: _Source) -> list[str]:
    found = source.facts(
        "ROUTINE_TYPE, ROUTINE_NAME", "ROUTINES", "ROUTINE_SCHEMA", "ORDER BY 1, 2"
    )
    made = source.ask(*(f"SHOW CREATE {kind} {name(each)}" for kind, each in found))
    return [line for row in made for line in (_mode(row[1]), _own(row[2]))]


def _triggers(source: _Source) -> list[str]:
    order = "ORDER BY EVENT_OBJECT_TABLE, ACTION_ORDER"
    found = source.facts("TRIGGER_NAME", "TRIGGERS", "TRIGGER_SCHEMA", order)
    made = source.ask(*(f"SHOW CREATE TRIGGER {name(each)}" for (each,) in found))
    return [line for row in made for line in (_mode(row[1]), _own(row[2]))]


def _events(source: _Source) -> list[str]:
    found = source.facts("EVENT_NAME", "EVENTS", "EVENT_SCHEMA", "ORDER BY 1")
    made = source.ask(*(f"SHOW CREATE EVENT {name(each)}" for (each,) in found))
    return [line for row in made for line in (_mode(row[1]), _own(row[3]))]


def _mode(sql_mode: str) -> str:
    """Code means what it meant under the mode that it was made in."""
    return f"SET SESSION sql_mode={text(sql_mode)}"


def _own(statement: str) -> str:
    """Without a definer: it is the one who runs it."""
    if statement == "NULL":
        raise DatabaseRefused(
            "The account may not read the procedures and functions that it is to copy",
            hint="GRANT SELECT ON mysql.proc TO ACCOUNT   (in mariadb, as root)",
        )
    return _DEFINER.sub(r"\1", statement, count=1)


def made_by(statement: str, account: str) -> str:
    """What `_own` has taken the definer from, with another one."""
    return _CREATE.sub(lambda found: f"{found[0]} DEFINER={account}", statement, count=1)


def _here(source: _Source, statement: str) -> str:
    """Where the server adds the database's name of itself (`nextval` as a column's default)."""
    return statement.replace(f"{name(source.database)}.", "")
