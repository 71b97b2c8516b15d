"""A private PostgreSQL for tests, of this machine's package: one server for all workers of a run,
a database per test.

Import the fixtures in a `conftest.py`. Where PostgreSQL is missing that is a skip, and a failure
when `STEROIDS_TEST_DATABASES=postgres` (or CI, without it) promises it. The server listens on a
unix socket only. `postgres_keeper.py` ends it when nobody uses it any more, however they ended.
"""

import fcntl
import os
import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from steroids import proc

CHECKOUT = Path(__file__).parents[2]
LIMIT_S = 60.0
USER = "steroids"
_keepers: list[proc.Process] = []
"""They end by themselves, when the last of all workers has gone: nobody waits for them."""


class NoPostgres(Exception):
    """There is none here, or it does not start; the message says why."""


@dataclass(frozen=True)
class Server:
    folder: Path
    """Of its socket, its data and its log."""

    def url(self, database: str) -> str:
        return f"postgresql://{USER}@/{database}?host={self.folder}"

    def run(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """One statement on a connection of its own, outside of any transaction."""
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def database(self) -> Iterator[str]:
        """The name of a new, empty one, which is dropped afterwards, connections or not."""
        name = f"t{uuid.uuid4().hex[:16]}"
        self.run(f"CREATE DATABASE {name}")
        try:
            yield name
        finally:
            self.run(f"DROP DATABASE {name} WITH (FORCE)")


def programs() -> Path:
    """The folder of `initdb` and `postgres`: the newest of Debian's, or what is in the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version)
    where = str(found[-1]) if found else shutil.which("initdb")
    if where is None:
        raise NoPostgres("There is no PostgreSQL here; on Debian: apt-get install postgresql")
    return Path(where).resolve().parent


def promised() -> bool:
    """Whether its absence is a failure here."""
    default = "postgres" if os.environ.get("CI") else ""
    return "postgres" in os.environ.get("STEROIDS_TEST_DATABASES", default).split(",")


@contextmanager
def server(shared: Path, *settings: str) -> Iterator[Server]:
    """The server of all who give the same folder, started by the first of them.

    `settings` are PostgreSQL's, as `fsync=off`. Raises `NoPostgres`.
    """
    bin_folder = programs()
    with (shared / "postgres.lock").open("a") as starting:
        # Guards finding and starting: one at a time.
        fcntl.flock(starting, fcntl.LOCK_EX)
        found = _join(shared) or _start(shared, bin_folder, settings)
    running, use = found
    try:
        yield running
    finally:
        use.close()


def _join(shared: Path) -> tuple[Server, IO[str]] | None:
    with suppress(FileNotFoundError):
        folder = Path((shared / "postgres.folder").read_text())
        use = (folder / "users").open("a")
        with suppress(BlockingIOError):
            # Refused when the keeper has it: the last user has gone, the server is going.
            fcntl.flock(use, fcntl.LOCK_SH | fcntl.LOCK_NB)
            if (folder / "ready").exists():
                return Server(folder), use
        use.close()
    return None


def _start(shared: Path, bin_folder: Path, settings: tuple[str, ...]) -> tuple[Server, IO[str]]:
    # Not among pytest's folders: another user has to get there, and sockets have short paths.
    folder = Path(tempfile.mkdtemp(prefix="st-pg-"))
    use = (folder / "users").open("a")
    fcntl.flock(use, fcntl.LOCK_SH)
    argv = [sys.executable, "-m", "tests.support.postgres_keeper", str(bin_folder), str(folder)]
    log = (folder / "keeper.log").open("wb")
    keeper = proc.spawn([*argv, *settings], cwd=CHECKOUT, stdout=log, stderr=log)
    log.close()
    _keepers.append(keeper)
    deadline = time.monotonic() + LIMIT_S
    while not (folder / "ready").exists():
        if keeper.poll() is not None or time.monotonic() > deadline:
            said = (folder / "keeper.log").read_text()[-2000:]
            proc.kill_group(keeper)
            use.close()
            shutil.rmtree(folder)
            raise NoPostgres(f"PostgreSQL does not start: {said}")
        time.sleep(0.02)
    (shared / "postgres.folder").write_text(str(folder))
    return Server(folder), use


def _version(path: Path) -> float:
    name = path.parent.parent.name
    return float(name) if name.replace(".", "", 1).isdigit() else 0


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all workers; skips, or fails where it was promised."""
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    with ExitStack() as stack:
        try:
            running = stack.enter_context(server(shared, "fsync=off", "max_connections=300"))
        except NoPostgres as error:
            if promised():
                pytest.fail(f"PostgreSQL was promised: {error}", pytrace=False)
            pytest.skip(str(error))
        yield running
