"""The database server, which all runners of a host share, each with a role of its own."""

import os

from tests.support.escapes.attempts import GotOut, Targets, attempt
from tests.support.escapes.running import run


def _refused(targets: Targets, *statements: str, **env: str) -> str:
    """What the server says to each, on a connection as the runner's own role unless `env` says."""
    said: dict[str, None] = {}
    for statement in statements:
        ran = run("psql", "-XqAtw", "-v", "ON_ERROR_STOP=1", "-c", statement, **env)
        if ran.ok:
            raise GotOut(f"{statement}: {ran.out[:200]}")
        said[ran.err.splitlines()[-1].rpartition("  ")[2]] = None
    return ", ".join(said)


@attempt("connect to another runner's database, to templates and to the server's own")
def other_databases(targets: Targets) -> str:
    assert targets.database
    names = (targets.database, "postgres", "template1", *_templates())
    return ", ".join(_refused(targets, "SELECT 1", PGDATABASE=name) for name in names)


def _templates() -> list[str]:
    """Whose names all may read, in the list of databases."""
    argv = ("psql", "-XqAtw", "-c", "SELECT datname FROM pg_database WHERE datname !~ '^template'")
    own = {os.environ["PGDATABASE"]}
    return [name for name in run(*argv).out.splitlines() if name not in own]


@attempt("connect as another role: a superuser, another runner's, the owner of all tables")
def other_roles(targets: Targets) -> str:
    argv = ("psql", "-XqAtw", "-c", "SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_'")
    roles = set(run(*argv).out.splitlines()) - {os.environ["PGUSER"]}
    assert "postgres" in roles, roles
    said = {
        _refused(targets, "SELECT 1", PGUSER=role, PGPASSWORD=word)
        for role in roles
        for word in ("", os.environ["PGPASSWORD"])
    }
    return ", ".join(sorted(said))[:500]


@attempt("have the server run a program, read its files, or tell its passwords")
def server_programs(targets: Targets) -> str:
    return _refused(
        targets,
        "CREATE TEMPORARY TABLE x (t text); COPY x FROM PROGRAM 'id'",
        "CREATE TEMPORARY TABLE x (t text); COPY x FROM '/etc/passwd'",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT pg_ls_dir('.')",
        "SELECT lo_import('/etc/passwd')",
        "SELECT rolpassword FROM pg_authid",
        "CREATE EXTENSION dblink",
        "CREATE EXTENSION plpython3u",
        "LOAD 'x'",
    )


@attempt("make itself more on the server: roles, databases, settings, sessions of others")
def server_rights(targets: Targets) -> str:
    return _refused(
        targets,
        "ALTER ROLE CURRENT_USER SUPERUSER",
        "ALTER ROLE CURRENT_USER CREATEDB CREATEROLE",
        "CREATE ROLE steroids_escape LOGIN",
        "CREATE DATABASE steroids_escape",
        "SET ROLE postgres",
        "SET SESSION AUTHORIZATION postgres",
        "ALTER SYSTEM SET fsync = on",
        "GRANT pg_read_all_data TO CURRENT_USER",
        f'DROP DATABASE "{targets.database}"',
        f'ALTER DATABASE "{targets.database}" OWNER TO CURRENT_USER',
        f'GRANT CONNECT ON DATABASE "{targets.database}" TO CURRENT_USER',
        "SELECT pg_reload_conf()",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres' "
        "UNION ALL SELECT pg_reload_conf()",
    )


@attempt("this much is allowed: tables in its own database")
def control_database(targets: Targets) -> str:
    create = "CREATE TABLE mine (n int); INSERT INTO mine VALUES (7); SELECT n FROM mine"
    ran = run("psql", "-XqAtw", "-v", "ON_ERROR_STOP=1", "-c", create)
    assert ran.out == "7", ran
    return "as it is to be"
