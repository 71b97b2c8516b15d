"""Many rows in one go, past the session, which would look after each of them.

SQLite gets them one after the other, which costs it nothing. PostgreSQL gets all of them in one
statement, as JSON that it takes apart: one way there and back, and one plan, whatever their number.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import TEXT, Table, bindparam, cast, column, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import JSON
from sqlmodel import Session, SQLModel

Rows = Sequence[dict[str, Any]]
Shape = tuple[str, Table, tuple[str, ...]]
"""What is done (`insert` or `update`), to which table, with which columns."""


class Bulk:
    """Collects rows; `write` sends them. Nobody may rely on the order among the tables."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._parts: list[tuple[Shape, Rows]] = []

    def insert(self, model: type[SQLModel], rows: Rows) -> None:
        """All rows name the same columns; what they do not name is left to the database."""
        self._add("insert", model, rows)

    def update(self, model: type[SQLModel], rows: Rows) -> None:
        """Set the columns that they name, the same for all, on the rows with their `id`."""
        self._add("update", model, rows)

    def _add(self, what: str, model: type[SQLModel], rows: Rows) -> None:
        if rows:
            table: Table = model.__table__  # type: ignore[attr-defined]  # SQLModel adds it
            self._parts.append(((what, table, tuple(rows[0])), rows))

    def write(self) -> None:
        if not self._parts:
            return
        connection = self._session.connection()
        if connection.dialect.name == "postgresql":
            statement = _all_in_one(tuple(shape for shape, _ in self._parts))
            values = {f"rows{n}": _json(rows) for n, (_, rows) in enumerate(self._parts)}
            connection.execute(statement, values)
            return
        for shape, rows in self._parts:
            named = [{f"new_{name}": value for name, value in row.items()} for row in rows]
            connection.execute(_one_by_one(shape), named)


def _json(rows: Rows) -> str:
    raw = msgspec.json.encode(rows)
    if b"\\u0000" in raw:
        # PostgreSQL has no text with a NUL in it; see `Postgres`.
        raw = msgspec.json.encode([{k: _without_nul(v) for k, v in row.items()} for row in rows])
    return raw.decode()


def _without_nul(value: Any) -> Any:
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value


# Built once: building a statement takes about as long as running it.


@lru_cache
def _one_by_one(shape: Shape) -> Any:
    what, table, columns = shape
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in columns}
    if what == "insert":
        return insert(table).values(values)
    key = values.pop("id")
    return update(table).where(table.c.id == key).values(values)


@lru_cache
def _all_in_one(shapes: tuple[Shape, ...]) -> Any:
    parts = [_from_json(shape, f"rows{n}").cte(f"part{n}") for n, shape in enumerate(shapes)]
    return select(literal(1)).add_cte(*parts)


def _from_json(shape: Shape, parameter: str) -> Any:
    what, table, columns = shape
    rows = (
        func.json_to_recordset(cast(bindparam(parameter, type_=TEXT), JSON))
        .table_valued(*(column(name, table.c[name].type) for name in columns))
        .render_derived(name="new", with_types=True)
    )
    if what == "insert":
        return insert(table).from_select(columns, select(*rows.c))
    values: dict[str, Any] = {name: rows.c[name] for name in columns if name != "id"}
    return update(table).where(table.c.id == rows.c.id).values(values)
