"""PostgreSQL as test databases' server. See `base.py` for what each call promises.

What is in a database belongs to a role that nobody can log in as and that owns no database. A
copy keeps the owners of what is in it, so whoever may use the copy is made a member of that role;
and since it can connect to nothing else, being one opens no other database.
"""

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from steroids.provisioning.databases.base import Address, DatabaseRefused, Found, Login
from steroids.provisioning.databases.postgres_adopt import ADOPT
from steroids.provisioning.databases.postgres_sql import Sql, name, ours, text, verifier

OWNER = "steroids_owner"
OLDEST = 130000
"""The first that sends people away from a database that is dropped."""
STRATEGIES = 150000
MAX_CONNECTIONS = 100
"""Of one role: it must not take all that the server has for others."""


class PostgresServer:
    kind = "postgres"

    def __init__(self, sql: Sql) -> None:
        self._sql = sql
        self._version: int | None = None

    def check(self) -> str:
        may = "rolsuper OR (rolcreatedb AND rolcreaterole)"
        ((number, version, allowed, account),) = self._sql.run(
            [
                "SELECT current_setting('server_version_num'), current_setting('server_version'),"
                f" {may}, rolname FROM pg_roles WHERE rolname = current_user"
            ]
        )
        if int(number) < OLDEST:
            raise DatabaseRefused(
                f"This is PostgreSQL {version}, and 13 is the oldest that will do",
                hint="steroids config show   (database.server)",
            )
        if allowed != "t":
            raise DatabaseRefused(
                f"The account {account} may not create databases and roles on this server",
                hint=f"ALTER ROLE {name(account)} CREATEDB CREATEROLE   (in psql, as a superuser)",
            )
        return f"PostgreSQL {version}"

    def create(self, login: Login) -> None:
        self._make(login, "template0", "")

    def clone(self, template: str, login: Login) -> None:
        # Since 15 a copy goes through the log unless told otherwise, which is slower.
        by_files = self._number() >= STRATEGIES
        self._make(login, template, "STRATEGY file_copy" if by_files else "")

    def _number(self) -> int:
        if self._version is None:
            ((number,),) = self._sql.run(["SELECT current_setting('server_version_num')"])
            self._version = int(number)
        return self._version

    def _make(self, login: Login, template: str, strategy: str) -> None:
        database, role = name(ours(login.database)), name(ours(login.role))
        self._sql.run(
            [
                *_gone(login.database, login.role),
                _OWNER_THERE,
                f"CREATE ROLE {role} LOGIN CONNECTION LIMIT {MAX_CONNECTIONS}"
                f" PASSWORD {text(verifier(login.password))}",
                # So that an account that is no superuser may send it away when it is dropped.
                f"GRANT {role} TO CURRENT_USER",
                f"GRANT {OWNER} TO {role}",
                # Closed until it is only this role's: everybody may connect to a new one.
                f"CREATE DATABASE {database} TEMPLATE {name(template)} {strategy}"
                " ALLOW_CONNECTIONS false",
                f"REVOKE ALL ON DATABASE {database} FROM PUBLIC",
                f"GRANT CONNECT, CREATE, TEMPORARY ON DATABASE {database} TO {role}",
                # The administrator's own right, where it is no superuser.
                f"GRANT CONNECT ON DATABASE {database} TO CURRENT_USER",
                f"ALTER DATABASE {database} ALLOW_CONNECTIONS true",
            ]
        )
        self._sql.run([ADOPT.format(owner=OWNER)], login.database)

    def freeze(self, login: Login, template: str) -> None:
        database, role = name(ours(login.database)), name(ours(login.role))
        self._sql.run(
            [
                f"REASSIGN OWNED BY {role} TO {OWNER}",
                # What it was granted, here and of the database itself; it owns nothing any more.
                f"DROP OWNED BY {role}",
            ],
            login.database,
        )
        self._sql.run(
            [
                f"ALTER DATABASE {database} ALLOW_CONNECTIONS false",
                _sent_away(login.database),
                f"DROP ROLE {role}",
                f"DROP DATABASE IF EXISTS {name(ours(template))} WITH (FORCE)",
                f"ALTER DATABASE {database} RENAME TO {name(template)}",
            ]
        )

    def drop(self, database: str, role: str | None) -> None:
        self._sql.run(_gone(ours(database), ours(role) if role is not None else None))

    def list(self, prefix: str) -> Sequence[Found]:
        rows = self._sql.run(
            [
                "SELECT datname, CASE WHEN has_database_privilege(oid, 'CONNECT')"
                " THEN pg_database_size(oid) END FROM pg_database"
                f" WHERE starts_with(datname, {text(prefix)})"
                " AND datname NOT IN ('postgres', 'template0', 'template1') ORDER BY datname"
            ]
        )
        return [Found(database, int(size) if size else None) for database, size in rows]

    def tables(self, database: str) -> int:
        ((count,),) = self._sql.run(
            [
                "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                " WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition"
                " AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'"
            ],
            database,
        )
        return int(count)

    def born(self) -> str:
        # After a crash the postmaster stays, and starts all its own helpers anew.
        ((at,),) = self._sql.run(
            [
                "SELECT concat(pg_postmaster_start_time(), ' ', (SELECT min(backend_start)"
                " FROM pg_stat_activity WHERE backend_type = 'checkpointer'))"
            ]
        )
        return at

    def env(self, login: Login, address: Address) -> Mapping[str, str]:
        host = f"[{address.host}]" if ":" in address.host else address.host
        who = f"{quote(login.role)}:{quote(login.password, safe='')}"
        url = f"postgresql://{who}@{host}:{address.port}/{quote(login.database)}"
        return {
            "DATABASE_URL": url,
            "TEST_DATABASE_URL": url,
            "PGHOST": address.host,
            "PGPORT": str(address.port),
            "PGUSER": login.role,
            "PGPASSWORD": login.password,
            "PGDATABASE": login.database,
        }


_OWNER_THERE = f"""DO $$ BEGIN
    CREATE ROLE {OWNER} NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$"""
"""Others may be making it at this moment."""


def _gone(database: str, role: str | None) -> list[str]:
    """Statements after which neither is there; nobody can get in again in between."""
    closed = f"ALTER ROLE {name(role)} NOLOGIN" if role else ""
    return [
        *([_if_there("pg_roles", "rolname", role, closed)] if role else []),
        f"DROP DATABASE IF EXISTS {name(database)} WITH (FORCE)",
        *([f"DROP ROLE IF EXISTS {name(role)}"] if role else []),
    ]


def _if_there(catalog: str, column: str, what: str, then: str) -> str:
    found = f"EXISTS (SELECT FROM {catalog} WHERE {column} = {text(what)})"
    return f"DO $do$ BEGIN IF {found} THEN {then}; END IF; END $do$"


def _sent_away(database: str) -> str:
    return (
        "DO $$ BEGIN PERFORM pg_terminate_backend(pid) FROM pg_stat_activity"
        f" WHERE datname = {text(database)}; END $$"
    )
