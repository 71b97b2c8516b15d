"""PostgreSQL for the contract tests of database servers: logins come with a password, as theirs
do, and the administrator by another way: psql, as in a container, and a role that is no superuser.
"""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from steroids import proc
from steroids.engines.spec import ExecResult
from steroids.provisioning.databases.base import Login
from steroids.provisioning.databases.postgres import PostgresServer
from steroids.provisioning.databases.postgres_sql import ContainerPsql
from tests.support.databases import POSTGRES, DatabaseLab, Run
from tests.support.postgres import USER, NoPostgres, Server, programs, promised, server

ADMIN = "administrator"
"""Who may create databases and roles, and no more."""
RULES = f"""\
local all {USER} trust
local all {ADMIN} trust
local all all scram-sha-256
"""


@pytest.fixture(scope="session")
def guarded_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all workers, where everybody but the administrators needs a password."""
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    folder = shared / "guarded"
    folder.mkdir(exist_ok=True)
    try:
        # Not among pytest's folders, where the user that it runs as does not get.
        with tempfile.NamedTemporaryFile("w", prefix="st-pg-", suffix=".conf") as rules:
            rules.write(RULES)
            rules.flush()
            Path(rules.name).chmod(0o644)
            settings = ("fsync=off", "max_connections=300", f"hba_file={rules.name}")
            with server(folder, *settings) as running:
                with suppress(psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
                    running.run(f"CREATE ROLE {ADMIN} LOGIN CREATEDB CREATEROLE")
                yield running
    except NoPostgres as error:
        if promised():
            pytest.fail(f"PostgreSQL was promised: {error}", pytrace=False)
        pytest.skip(str(error))


def psql_as(running: Server, user: str) -> ContainerPsql:
    env = {"PATH": f"{programs()}:{os.environ['PATH']}", "PGHOST": str(running.folder)}

    def execute(argv: Sequence[str]) -> ExecResult:
        done = proc.run(argv, env={**env, "PGUSER": user}, timeout_s=60)
        return ExecResult(done.returncode, done.stdout + done.stderr)

    return ContainerPsql(execute)


def lab_on(running: Server, user: str) -> DatabaseLab:
    @contextmanager
    def connect(login: Login) -> Iterator[Run]:
        about: dict[str, Any] = {
            "host": str(running.folder),
            "user": login.role,
            "password": login.password,
            "dbname": login.database,
        }
        # Closed, not left: that would commit, and it may have been sent away.
        with closing(psycopg.connect(**about, autocommit=True)) as connection:

            def run(statement: str) -> list[tuple[Any, ...]]:
                cursor = connection.execute(statement.encode())
                return cursor.fetchall() if cursor.description else []

            yield run

    return DatabaseLab(PostgresServer(psql_as(running, user)), connect, POSTGRES)


@pytest.fixture(scope="session")
def postgres_lab(guarded_postgres: Server) -> DatabaseLab:
    """Administered by the superuser, as the managed one is."""
    return lab_on(guarded_postgres, USER)


@pytest.fixture(scope="session")
def postgres_admin_lab(guarded_postgres: Server) -> DatabaseLab:
    """Administered by somebody who may create databases and roles, and no more."""
    return lab_on(guarded_postgres, ADMIN)
