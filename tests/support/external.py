"""Servers as somebody else runs them: reached over TCP, with accounts that have passwords."""

import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.mariadb import MariadbServer
from tests.support.postgres import USER, NoPostgres, promised, server

PASSWORD = "p@ss/wörd:1"
QUOTED = "p%40ss%2Fw%C3%B6rd%3A1"
RULES = f"local all {USER} trust\nhost all all all scram-sha-256\n"


@dataclass(frozen=True)
class External:
    """Of one kind, to be asked in the same words."""

    kind: str
    host: str
    port: int
    admin: str
    """Who may create databases and roles, and little more; its password is `PASSWORD`."""
    limited: str
    """Who may log in."""

    def url(self, user: str | None = None, password: str = QUOTED, scheme: str = "") -> str:
        scheme = scheme or {"postgres": "postgresql", "mysql": "mysql"}[self.kind]
        return f"{scheme}://{user or self.admin}:{password}@{self.host}:{self.port}/"


@pytest.fixture(scope="module")
def external_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[External]:
    """Listens on a loopback address that is nobody else's."""
    host = ".".join(["127", *(str(random.randint(2, 250)) for _ in range(3))])
    try:
        # Not among pytest's folders, where the user that it runs as does not get.
        with tempfile.NamedTemporaryFile("w", prefix="st-pg-", suffix=".conf") as rules:
            rules.write(RULES)
            rules.flush()
            Path(rules.name).chmod(0o644)
            settings = ("fsync=off", f"listen_addresses={host}", f"hba_file={rules.name}")
            with server(tmp_path_factory.mktemp("external"), *settings) as running:
                running.run(f"CREATE ROLE adm LOGIN CREATEDB CREATEROLE PASSWORD '{PASSWORD}'")
                running.run(f"CREATE ROLE lim LOGIN PASSWORD '{PASSWORD}'")
                yield External("postgres", host, 5432, "adm", "lim")
    except NoPostgres as error:
        if promised():
            pytest.fail(f"PostgreSQL was promised: {error}", pytrace=False)
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def external_mysql(mariadb: MariadbServer) -> External:
    mariadb.run(
        f"CREATE USER IF NOT EXISTS adm@'%' IDENTIFIED BY '{PASSWORD}'",
        "GRANT ALL ON *.* TO adm@'%' WITH GRANT OPTION",
        # What is left of that is what the README says it takes.
        "REVOKE SUPER, FILE, SHUTDOWN, RELOAD, SET USER, BINLOG ADMIN ON *.* FROM adm@'%'",
        f"CREATE USER IF NOT EXISTS lim@'%' IDENTIFIED BY '{PASSWORD}'",
    )
    return External("mysql", "127.0.0.1", mariadb.port, "adm", "lim")
