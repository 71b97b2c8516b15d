"""A private MariaDB for tests, of this machine's package: one server for each worker.

Import the fixture in a `conftest.py`. Where MariaDB is missing that is a skip, and a failure when
`STEROIDS_TEST_DATABASES=postgres,mariadb` (or CI, without it) promises it. It listens on every
address, since containers are to reach it, and has one account, whose password is made up.
"""

import os
import shutil
import socket
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from steroids import proc

CHECKOUT = Path(__file__).parents[2]
LIMIT_S = 60.0
USER = "steroids"
QUICK = (
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-flush-method=nosync",
    "--innodb-buffer-pool-size=32M",
    "--skip-log-bin",
    "--skip-name-resolve",
)


class NoMariadb(Exception):
    """There is none here, or it does not start; the message says why."""


@dataclass(frozen=True)
class MariadbServer:
    folder: Path
    port: int
    password: str

    def url(self, user: str = USER, password: str | None = None, host: str = "127.0.0.1") -> str:
        return f"mysql://{user}:{password or self.password}@{host}:{self.port}/"

    def run(
        self, *statements: str, user: str = USER, password: str | None = None, database: str = ""
    ) -> list[tuple[Any, ...]]:
        """What the last of them returns, on a connection of their own."""
        import pymysql

        connection = pymysql.connect(
            host="127.0.0.1",
            port=self.port,
            user=user,
            password=password or self.password,
            database=database or None,
            autocommit=True,
        )
        with connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())


def program(name: str) -> str:
    where = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if where is None:
        raise NoMariadb(
            f"There is no {name} here; on Debian: apt-get install mariadb-server-core "
            "mariadb-client-core"
        )
    return where


def promised() -> bool:
    """Whether its absence is a failure here."""
    default = "mariadb" if os.environ.get("CI") else ""
    return "mariadb" in os.environ.get("STEROIDS_TEST_DATABASES", default).split(",")


@contextmanager
def server(*settings: str) -> Iterator[MariadbServer]:
    """One of your own, gone afterwards. `settings` are mariadbd's. Raises `NoMariadb`."""
    for name in ("mariadb", "mariadbd", "mariadb-install-db"):
        program(name)
    # Not among pytest's folders: another user has to get there, and sockets have short paths.
    folder = Path(tempfile.mkdtemp(prefix="st-my-"))
    made = MariadbServer(folder, _free_port(), uuid.uuid4().hex)
    (folder / "init.sql").write_text(
        f"CREATE USER {USER}@'%' IDENTIFIED BY '{made.password}';\n"
        f"GRANT ALL ON *.* TO {USER}@'%' WITH GRANT OPTION;\n"
        # By the unix socket, whoever runs the tests; as in the container that is a server of ours.
        "ALTER USER root@localhost IDENTIFIED BY '';\n"
    )
    argv = [sys.executable, "-m", "tests.support.mariadb_keeper", str(folder), str(made.port)]
    with (folder / "keeper.log").open("wb") as log:
        keeper = proc.spawn(
            [*argv, *QUICK, *settings], cwd=CHECKOUT, stdin=proc.PIPE, stdout=log, stderr=log
        )
    try:
        _await(folder, keeper)
        yield made
    finally:
        assert keeper.stdin is not None
        keeper.stdin.close()
        keeper.wait(LIMIT_S)


def _await(folder: Path, keeper: proc.Process) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not (folder / "ready").exists():
        if keeper.poll() is not None or time.monotonic() > deadline:
            log = folder / "keeper.log"
            said = log.read_text()[-2000:] if log.exists() else ""
            proc.kill_group(keeper)
            shutil.rmtree(folder, ignore_errors=True)
            raise NoMariadb(f"MariaDB does not start: {said}")
        time.sleep(0.02)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariadbServer]:
    """Skips, or fails where it was promised."""
    with ExitStack() as stack:
        try:
            running = stack.enter_context(server())
        except NoMariadb as error:
            if promised():
                pytest.fail(f"MariaDB was promised: {error}", pytrace=False)
            pytest.skip(str(error))
        yield running
