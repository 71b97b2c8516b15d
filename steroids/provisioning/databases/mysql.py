"""MySQL and MariaDB as test databases' servers. See `base.py` for what each call promises.

A template is two databases. One of its name and an underscore has tables, rows, and the steps to
the whole of it; an empty one of its name is made last, and says that the other is whole.
"""

import contextlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from urllib.parse import quote

from steroids.provisioning.databases import mysql_copy
from steroids.provisioning.databases.base import (
    Address,
    DatabaseError,
    DatabaseRefused,
    Found,
    Login,
)
from steroids.provisioning.databases.mysql_copy import Step
from steroids.provisioning.databases.mysql_sql import (
    Sql,
    account,
    grantee,
    identified,
    name,
    ours,
    schema_pattern,
    text,
)

_STEPS = "steroids_steps"
MAX_CONNECTIONS = 100
"""Of one role: it must not take all that the server has for others."""
_MAY_NOT = (1044, 1142, 1227, 1370, 1410)
_NO_SUCH_DATABASE, _NO_SUCH_THREAD, _NOT_OWNER, _NO_SUCH_TABLE = 1049, 1094, 1095, 1146


class MysqlServer:
    """`prefix`: of the names that it is going to be given."""

    kind = "mysql"

    def __init__(self, sql: Sql, prefix: str = "test_runner_") -> None:
        self._sql = sql
        self._prefix = prefix
        self._says: str | None = None

    def check(self) -> str:
        number, _, rest = self._version().partition("-")
        if number.partition(".")[0] == "5":
            raise DatabaseRefused(
                f"This is MySQL {self._version()}, and 8.0 is the oldest that will do, "
                "or MariaDB 10.5",
                hint="steroids config show   (database.server)",
            )
        try:
            self._try()
        except DatabaseRefused as error:
            if error.details.get("number") not in _MAY_NOT:
                raise
            raise DatabaseRefused(
                f"The account may not create databases and users on this server: {error.message}",
                hint="GRANT ALL ON *.* TO ACCOUNT WITH GRANT OPTION   (in mariadb, as root)",
            ) from None
        return f"{'MariaDB' if 'MariaDB' in rest else 'MySQL'} {number}"

    def _version(self) -> str:
        """`10.11.19-MariaDB-0+deb12u1`, `8.0.40`."""
        if self._says is None:
            ((self._says,),) = self._sql.ask("SELECT VERSION()")
        return self._says

    def _try(self) -> None:
        """Make a database and somebody who may nothing: the one way to know, with all the ways in
        which an account may have rights, that we may, and that others' databases are closed."""
        probe = f"{self._prefix}probe{secrets.token_hex(4)}"
        nobody = Login(probe, f"probe{secrets.token_hex(6)}", secrets.token_hex(16))
        self._sql.run(self._made(nobody))
        try:
            if self._sql.acts_for_all:
                return
            self._sql.run([f"REVOKE ALL ON {schema_pattern(probe)}.* FROM {account(nobody.role)}"])
            seen = self._sql.ask("SHOW DATABASES", login=nobody)
        finally:
            self.drop(probe, nobody.role)
        if (probe,) in seen:
            raise DatabaseRefused(
                "On this server everybody may use databases whose names begin with "
                f"'{self._prefix}'",
                hint="mariadb-secure-installation   # or set database.prefix to another",
            )

    def create(self, login: Login) -> None:
        statements = self._made(login)
        self._send_away(login.database, login.role)
        self._sql.run([*_dropped(login.database), *statements])

    def _made(self, login: Login) -> list[str]:
        return [
            f"CREATE DATABASE {name(ours(login.database))}",
            f"CREATE USER {account(ours(login.role))} {self._identified(login)} "
            f"WITH MAX_USER_CONNECTIONS {MAX_CONNECTIONS}",
            f"GRANT ALL ON {schema_pattern(login.database)}.* TO {account(login.role)}",
        ]

    def _identified(self, login: Login) -> str:
        return identified(login.password, mariadb="MariaDB" in self._version())

    def clone(self, template: str, login: Login) -> None:
        # As few calls as can be: each starts a program in the server's container.
        steps = self._steps(template)
        data, code = _of(steps, "admin"), _of(steps, "owner")
        statements = [*self._made(login), f"USE {name(login.database)}", *data]
        if self._sql.acts_for_all:
            statements += (mysql_copy.made_by(each, account(login.role)) for each in code)
        self._send_away(login.database, login.role)
        try:
            self._sql.run([*_dropped(login.database), *statements])
            if code and not self._sql.acts_for_all:
                self._sql.run(code, database=login.database, login=login)
        except DatabaseError:
            with contextlib.suppress(DatabaseError):
                self.drop(login.database, login.role)
            raise

    def _steps(self, template: str) -> list[Step]:
        """Of a template that was frozen; or of somebody's own database, as it is now."""
        named = f"information_schema.SCHEMATA WHERE SCHEMA_NAME = {text(template)}"
        try:
            rows = self._sql.ask(
                f"SELECT who, statement FROM {_steps_of(template)} "
                f"WHERE EXISTS (SELECT 1 FROM {named}) ORDER BY place"
            )
        except DatabaseError as error:
            if error.details.get("number") not in (_NO_SUCH_DATABASE, _NO_SUCH_TABLE):
                raise
            rows = []
        if rows:
            return [Step("admin" if who == "admin" else "owner", each) for who, each in rows]
        if not self._sql.ask(f"SELECT SCHEMA_NAME FROM {named}"):
            raise DatabaseError(f"There is no database {template}", hint="steroids db list")
        return mysql_copy.read(self._sql, template).steps(template)

    def freeze(self, login: Login, template: str) -> None:
        # Not dropped yet: of views that are a dropped user's the server knows no columns.
        ours_now = replace(login, password=secrets.token_hex(16))
        self._sql.run([f"ALTER USER {account(ours(login.role))} {self._identified(ours_now)}"])
        self._kill(f"USER = {text(grantee(login.role))}")
        reader = None if self._sql.acts_for_all else ours_now
        contents = mysql_copy.read(self._sql, ours(login.database), reader)
        kept = _data_of(template)
        steps = (
            f"INSERT INTO {name(_STEPS)} VALUES ({place}, {text(step.who)}, {text(step.statement)})"
            for place, step in enumerate(contents.steps(kept))
        )
        self.drop(template, None)
        self._sql.run([f"CREATE DATABASE {name(kept)}"])
        self._sql.run(
            [
                *contents.data(login.database),
                f"CREATE TABLE {name(_STEPS)} "
                "(place INT PRIMARY KEY, who CHAR(5), statement LONGTEXT) CHARACTER SET utf8mb4",
                *steps,
                # Ours writes its log once a second: what is killed now must not lose the rows.
                *(["FLUSH ENGINE LOGS"] if self._sql.acts_for_all else []),
                f"CREATE DATABASE {name(template)}",
            ],
            database=kept,
        )
        self.drop(login.database, login.role)

    def drop(self, database: str, role: str | None) -> None:
        self._send_away(database, role)
        self._sql.run(_dropped(database))

    def _send_away(self, database: str, role: str | None) -> None:
        """The role is gone then, and nobody is in the database."""
        whom = f"DB IN ({text(ours(database))}, {text(_data_of(database))})"
        if role is None:
            self._kill(whom)
        else:
            gone = f"DROP USER IF EXISTS {account(ours(role))}"
            self._kill(f"{whom} OR USER = {text(grantee(role))}", gone)

    def _kill(self, whom: str, *first: str) -> None:
        threads = f"SELECT ID FROM information_schema.PROCESSLIST WHERE {whom}"
        for (thread,) in self._sql.ask(*first, threads):
            try:
                self._sql.run([f"KILL {int(thread)}"])
            except DatabaseError as error:
                if error.details.get("number") not in (_NOT_OWNER, _NO_SUCH_THREAD):
                    raise

    def list(self, prefix: str) -> Sequence[Found]:
        begins = f"= BINARY {text(prefix)}"
        rows = self._sql.ask(
            "SELECT SCHEMA_NAME, 0 FROM information_schema.SCHEMATA "
            f"WHERE LEFT(SCHEMA_NAME, {len(prefix)}) {begins}",
            "SELECT TABLE_SCHEMA, IFNULL(SUM(DATA_LENGTH + INDEX_LENGTH), 0) "
            f"FROM information_schema.TABLES WHERE LEFT(TABLE_SCHEMA, {len(prefix)}) {begins} "
            "GROUP BY TABLE_SCHEMA",
        )
        sizes = {database: int(float(size)) for database, size in rows}
        for database in [each for each in sizes if _data_of(each) in sizes]:
            sizes[database] += sizes.pop(_data_of(database))
        return [Found(database, sizes[database]) for database in sorted(sizes)]

    def tables(self, database: str) -> int:
        (count,) = self._sql.ask(
            "SELECT COUNT(*) FROM information_schema.TABLES "
            f"WHERE TABLE_SCHEMA = {text(database)} AND TABLE_TYPE = 'BASE TABLE'"
        )[0]
        return int(count)

    def born(self) -> str:
        # It says how many seconds it is up; the clock must not move on while that is asked.
        clock = "SELECT 'at', UNIX_TIMESTAMP()"
        while True:
            before, up, after = self._sql.ask(clock, "SHOW GLOBAL STATUS LIKE 'Uptime'", clock)
            if before == after:
                return str(int(before[1]) - int(up[1]))

    def env(self, login: Login, address: Address) -> Mapping[str, str]:
        user, port = grantee(login.role), str(address.port)
        host = f"[{address.host}]" if ":" in address.host else address.host
        url = f"mysql://{quote(user)}:{quote(login.password, safe='')}@{host}:{port}"
        return {
            "DATABASE_URL": f"{url}/{login.database}",
            "TEST_DATABASE_URL": f"{url}/{login.database}",
            "MYSQL_HOST": address.host,
            # The clients' own word, and the one that applications have taken to.
            "MYSQL_TCP_PORT": port,
            "MYSQL_PORT": port,
            "MYSQL_USER": user,
            # The same: the programs' word, and that of the usual images.
            "MYSQL_PWD": login.password,
            "MYSQL_PASSWORD": login.password,
            "MYSQL_DATABASE": login.database,
        }


def _dropped(database: str) -> list[str]:
    # What says that a template is whole goes first.
    both = (database, _data_of(database))
    return [f"DROP DATABASE IF EXISTS {name(each)}" for each in both]


def _data_of(template: str) -> str:
    return f"{template}_"


def _steps_of(template: str) -> str:
    return f"{name(_data_of(template))}.{name(_STEPS)}"


def _of(steps: Iterable[Step], who: str) -> list[str]:
    return [step.statement for step in steps if step.who == who]
