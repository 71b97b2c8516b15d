"""Where a test's stores are: a SQLite file, or a database of its own in PostgreSQL."""

import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from steroids import proc
from steroids.store import project_models as db
from steroids.store.session import Store
from tests.support.postgres import CHECKOUT, Server

PLACES = ("sqlite", pytest.param("postgres", marks=pytest.mark.postgres))


@dataclass
class Place:
    url: str
    path: Path | None = None
    """Of the file; None: in PostgreSQL."""
    postgres: Server | None = None
    database: str = ""
    _opened: list[Store] = field(default_factory=list)

    def open(self, kind: str = "home", schema: str | None = None) -> Store:
        """A further store object on the place, closed at the test's end."""
        store = Store(self.path or self.url, kind, schema)
        self._opened.append(store)
        return store

    def run(self, statement: str) -> list[tuple[object, ...]]:
        """One statement past all that the store does; committed."""
        if self.postgres is not None:
            return self.postgres.run(statement, self.database)
        assert self.path is not None
        with closing(sqlite3.connect(self.path)) as raw, raw:
            return list(raw.execute(statement))

    def python(self, module: str, *args: str) -> proc.Process:
        """Another process; `args` come after the place's URL."""
        return proc.spawn(
            [sys.executable, "-m", module, self.url, *args],
            cwd=CHECKOUT,
            stdin=proc.PIPE,
            stdout=proc.PIPE,
            stderr=proc.STDOUT,
        )

    def close(self) -> None:
        for store in self._opened:
            store.close()


@pytest.fixture
def sqlite_place(tmp_path: Path) -> Iterator[Place]:
    path = tmp_path / "x.db"
    place = Place(f"sqlite:///{path}", path)
    yield place
    place.close()


@pytest.fixture
def postgres_place(postgres: Server) -> Iterator[Place]:
    with postgres.database() as name:
        place = Place(postgres.url(name), None, postgres, name)
        yield place
        place.close()


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest) -> Place:
    """Each in turn."""
    found = request.getfixturevalue(f"{request.param}_place")
    assert isinstance(found, Place)
    return found


def race(processes: Sequence[proc.Process]) -> None:
    """Let them go on all at once when all have said that they are up, and end well."""
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == b"up\n", process.stdout.read().decode()
        for process in processes:
            assert process.stdin is not None
            process.stdin.write(b"\n")
            process.stdin.flush()
        for process in processes:
            out, _ = process.communicate(timeout=120)
            assert process.returncode == 0, out.decode()
    finally:
        for process in processes:
            proc.kill_group(process)


def count(store: Store, times: int) -> None:
    """Each time one more than what is read: whoever comes between makes the sum wrong."""
    for _ in range(times):
        with store.write() as session:
            row = session.get(db.Counter, "c") or db.Counter(name="c")
            row.value += 1
            session.add(row)


def counted(store: Store) -> int:
    with store.read() as session:
        return session.get_one(db.Counter, "c").value


if __name__ == "__main__":
    # First opened at the same moment as by others, who are waiting for the line as well.
    url, times = sys.argv[1:]
    print("up", flush=True)
    sys.stdin.readline()
    opened = Store(url, "project")
    count(opened, int(times))
    opened.close()
