"""Database servers for the contract tests: each with somebody who connects as its logins do."""

import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from steroids import proc
from steroids.engines.spec import ExecResult
from steroids.provisioning.databases.base import Login, Server
from steroids.provisioning.databases.mysql import MysqlServer
from steroids.provisioning.databases.mysql_client import ClientSql
from steroids.provisioning.databases.mysql_driver import DriverSql
from steroids.provisioning.databases.mysql_sql import grantee
from tests.support.mariadb import MariadbServer

Run = Callable[[str], list[tuple[Any, ...]]]
"""One statement on an open connection; its rows."""

COMMON = (
    "CREATE TABLE customers (id INTEGER PRIMARY KEY, name VARCHAR(100) NOT NULL UNIQUE)",
    "INSERT INTO customers VALUES (0, 'Zero'), (1, 'Ana'), (2, 'Ben; \"or\" ''not''')",
)
MYSQL = (
    "ALTER DATABASE CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    *COMMON,
    "CREATE TABLE orders (id INT AUTO_INCREMENT PRIMARY KEY, customer INT NOT NULL,"
    " cents INT NOT NULL DEFAULT 0, euros DECIMAL(10,2) AS (cents / 100) STORED, photo BLOB,"
    " CHECK (cents >= 0), KEY by_cents (cents), FOREIGN KEY (customer) REFERENCES customers (id)"
    " ON DELETE CASCADE)",
    "CREATE TABLE a_first (id INT PRIMARY KEY, orders INT, FOREIGN KEY (orders) "
    "REFERENCES orders (id))",
    "CREATE TABLE log (line VARCHAR(200))",
    "INSERT INTO orders (customer, cents, photo) VALUES (1, 250, x'00ff0a5c'), (2, 1, NULL)",
    "INSERT INTO orders (id, customer) VALUES (41, 1)",
    "CREATE FUNCTION double_it(n INT) RETURNS INT DETERMINISTIC RETURN n * 2",
    "CREATE PROCEDURE add_order(IN who INT, IN much INT) BEGIN"
    " INSERT INTO orders (customer, cents) VALUES (who, much); END",
    "CREATE VIEW spent AS SELECT c.name, double_it(SUM(o.cents)) AS twice FROM customers c"
    " JOIN orders o ON o.customer = c.id GROUP BY c.name",
    "CREATE VIEW a_spent AS SELECT name FROM spent WHERE twice > 2",
    "CREATE TRIGGER orders_log AFTER INSERT ON orders FOR EACH ROW BEGIN"
    " INSERT INTO log VALUES (CONCAT('DEFINER=`x`@`y` order ', NEW.id)); END",
    "CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DISABLE DO DELETE FROM log",
)
MARIADB = (
    *MYSQL,
    "CREATE SEQUENCE numbers START WITH 7",
    "SELECT NEXTVAL(numbers)",
    "CREATE TABLE numbered (id INT DEFAULT NEXTVAL(numbers), t VARCHAR(9) INVISIBLE)",
)
POSTGRES = (
    *COMMON,
    "CREATE TABLE orders (id SERIAL PRIMARY KEY, customer INT NOT NULL REFERENCES customers"
    " ON DELETE CASCADE, cents INT NOT NULL DEFAULT 0 CHECK (cents >= 0),"
    " euros DECIMAL(10,2) GENERATED ALWAYS AS (cents / 100.0) STORED, photo BYTEA)",
    "CREATE INDEX by_cents ON orders (cents)",
    "CREATE TABLE log (line VARCHAR(200))",
    "INSERT INTO orders (customer, cents, photo) VALUES (1, 250, '\\x00ff0a5c'), (2, 1, NULL)",
    "INSERT INTO orders (id, customer) VALUES (41, 1)",
    "SELECT setval('orders_id_seq', 41)",
    "CREATE FUNCTION double_it(n BIGINT) RETURNS BIGINT LANGUAGE SQL IMMUTABLE AS 'SELECT n * 2'",
    "CREATE PROCEDURE add_order(who INT, much INT) LANGUAGE SQL"
    " AS 'INSERT INTO orders (customer, cents) VALUES (who, much)'",
    "CREATE VIEW spent AS SELECT c.name, double_it(SUM(o.cents)) AS twice FROM customers c"
    " JOIN orders o ON o.customer = c.id GROUP BY c.name",
    "CREATE VIEW a_spent AS SELECT name FROM spent WHERE twice > 2",
    "CREATE FUNCTION log_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    " INSERT INTO log VALUES ('DEFINER=`x`@`y` order ' || NEW.id); RETURN NEW; END $$",
    "CREATE TRIGGER orders_log AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION log_it()",
)


@dataclass
class DatabaseLab:
    server: Server
    connect: Callable[[Login], AbstractContextManager[Run]]
    schema: Sequence[str]
    """What a migration would make, with everything that a copy could miss."""
    prefix: str = field(default_factory=lambda: f"test_runner_{secrets.token_hex(3)}_")

    def login(self) -> Login:
        name = self.prefix + secrets.token_hex(5)
        return Login(name, name, secrets.token_hex(12))

    def template(self) -> str:
        return f"{self.prefix}template_{secrets.token_hex(4)}"

    def created(self) -> Login:
        login = self.login()
        self.server.create(login)
        return login

    def frozen(self, *further: str) -> str:
        """A template with `schema` in it."""
        login, template = self.created(), self.template()
        self.run(login, *self.schema, *further)
        self.server.freeze(login, template)
        return template

    def cloned(self, template: str) -> Login:
        login = self.login()
        self.server.clone(template, login)
        return login

    def run(self, login: Login, *statements: str) -> list[tuple[Any, ...]]:
        """What the last of them returns."""
        rows: list[tuple[Any, ...]] = []
        with self.connect(login) as run:
            for statement in statements:
                rows = run(statement)
        return rows

    def names(self) -> set[str]:
        return {found.database for found in self.server.list(self.prefix)}


def mysql_connect(running: MariadbServer) -> Callable[[Login], AbstractContextManager[Run]]:
    @contextmanager
    def connect(login: Login) -> Iterator[Run]:
        import pymysql

        connection = pymysql.connect(
            host="127.0.0.1",
            port=running.port,
            user=grantee(login.role),
            password=login.password.encode(),
            database=login.database,
            autocommit=True,
        )
        with closing(connection), connection.cursor() as cursor:

            def run(statement: str) -> list[tuple[Any, ...]]:
                cursor.execute(statement)
                return list(cursor.fetchall())

            yield run

    return connect


@pytest.fixture(scope="session")
def mysql_client_lab(mariadb: MariadbServer) -> DatabaseLab:
    """Administered by the client, as the managed one is."""
    env = {"PATH": os.environ["PATH"], "MYSQL_UNIX_PORT": str(mariadb.folder / "mysqld.sock")}

    def execute(argv: Sequence[str]) -> ExecResult:
        done = proc.run(argv, env=env, timeout_s=60)
        return ExecResult(done.returncode, done.stdout + done.stderr)

    return DatabaseLab(MysqlServer(ClientSql(execute)), mysql_connect(mariadb), MARIADB)


@pytest.fixture(scope="session")
def mysql_lab(mariadb: MariadbServer) -> DatabaseLab:
    sql = DriverSql("127.0.0.1", mariadb.port, "steroids", mariadb.password)
    return DatabaseLab(MysqlServer(sql), mysql_connect(mariadb), MARIADB)
