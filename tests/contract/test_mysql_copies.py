"""What MySQL's databases need beside what every server's do: it cannot copy any of them itself."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from steroids.provisioning.databases.base import DatabaseError, DatabaseRefused
from steroids.provisioning.databases.mysql import MysqlServer
from steroids.provisioning.databases.mysql_driver import DriverSql
from steroids.provisioning.databases.mysql_sql import grantee
from tests.support.databases import DatabaseLab
from tests.support.mariadb import MariadbServer

pytestmark = pytest.mark.mariadb
DEFINERS = " UNION ".join(
    f"SELECT DEFINER FROM information_schema.{table} WHERE {schema}_SCHEMA = DATABASE()"
    for table, schema in {
        "VIEWS": "TABLE",
        "ROUTINES": "ROUTINE",
        "TRIGGERS": "TRIGGER",
        "EVENTS": "EVENT",
    }.items()
)


@pytest.fixture(scope="module", params=["mysql", "mysql_client"])
def lab(request: pytest.FixtureRequest) -> DatabaseLab:
    found = request.getfixturevalue(f"{request.param}_lab")
    assert isinstance(found, DatabaseLab)
    return found


@pytest.fixture(scope="module")
def template(lab: DatabaseLab) -> str:
    return lab.frozen()


def test_code_in_a_copy_has_the_rights_of_its_login(lab: DatabaseLab, template: str) -> None:
    login = lab.cloned(template)

    assert lab.run(login, DEFINERS) == [(f"{login.role}@%",)]
    assert lab.run(login, "SELECT COUNT(*) FROM information_schema.EVENTS") == [(1,)]


def test_numbers_go_on_where_the_templates_were(lab: DatabaseLab, template: str) -> None:
    login = lab.cloned(template)

    lab.run(login, "INSERT INTO numbered (t) VALUES ('x')")

    ((number,),) = lab.run(login, "SELECT id FROM numbered")
    assert number > 7
    ((default,),) = lab.run(
        login,
        "SELECT COLUMN_DEFAULT FROM information_schema.COLUMNS WHERE TABLE_NAME='numbered'"
        " AND COLUMN_NAME='id'",
    )
    assert "_template_" not in default


def test_statements_mean_what_they_meant_under_their_own_mode(lab: DatabaseLab) -> None:
    login, template = lab.created(), lab.template()
    lab.run(
        login,
        "SET SESSION sql_mode='ANSI_QUOTES,PIPES_AS_CONCAT'",
        "CREATE FUNCTION joined() RETURNS TEXT DETERMINISTIC RETURN 'a' || ';\\n-- \"b\"'",
    )
    lab.server.freeze(login, template)

    copy = lab.cloned(template)

    assert lab.run(copy, "SET SESSION sql_mode=''", "SELECT joined()") == [('a;\n-- "b"',)]


def test_somebodys_own_database_is_copied_as_it_is(lab: DatabaseLab) -> None:
    theirs = lab.created()
    lab.run(theirs, *lab.schema)

    copy = lab.cloned(theirs.database)

    assert lab.run(copy, "SELECT name FROM a_spent") == [("Ana",)]
    assert lab.run(theirs, "SELECT COUNT(*) FROM orders") == [(3,)]
    lab.run(copy, "CALL add_order(1, 2)")
    assert lab.run(theirs, "SELECT COUNT(*) FROM orders") == [(3,)]


def test_a_template_that_was_not_finished_is_none(
    lab: DatabaseLab, mariadb: MariadbServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    login, template = lab.created(), lab.template()
    lab.run(login, *lab.schema)

    with monkeypatch.context() as patched:
        cut_short(patched, lab.server, before=f"CREATE DATABASE `{template}`")
        with pytest.raises(KeyboardInterrupt):
            lab.server.freeze(login, template)

    (half,) = (name for name in lab.names() if name.startswith(template))
    assert half != template
    with pytest.raises(DatabaseError, match=template):
        lab.cloned(template)
    lab.server.drop(half, None)
    assert half not in lab.names()


def cut_short(patched: pytest.MonkeyPatch, server: Any, before: str) -> None:
    """As if the process ended there."""
    run = server._sql.run

    def until(statements: Sequence[str], **how: Any) -> None:
        if before in statements:
            run([*statements][: [*statements].index(before)], **how)
            raise KeyboardInterrupt
        run(statements, **how)

    # The one for all statements is frozen, or has slots: its class is what can be changed.
    patched.setattr(type(server._sql), "run", lambda _, *given, **how: until(*given, **how))


def test_long_names_of_roles_are_cut_and_stay_apart() -> None:
    one, two = ("test_runner_" + "x" * 40 + end for end in "12")

    assert len(grantee(one)) == len(grantee(two)) == 32
    assert grantee(one) != grantee(two)
    assert grantee("x" * 32) == "x" * 32


def test_code_that_the_account_may_not_read_is_not_left_out(
    mysql_lab: DatabaseLab, mariadb: MariadbServer
) -> None:
    theirs = mysql_lab.created()
    mysql_lab.run(theirs, *mysql_lab.schema)
    mariadb.run(
        "CREATE OR REPLACE USER narrow@'%' IDENTIFIED BY 'pw'",
        "GRANT CREATE USER ON *.* TO narrow@'%'",
        r"GRANT ALL ON `test\_runner\_%`.* TO narrow@'%' WITH GRANT OPTION",
    )
    narrow = MysqlServer(DriverSql("127.0.0.1", mariadb.port, "narrow", "pw"))
    login = mysql_lab.login()

    assert narrow.check()
    with pytest.raises(DatabaseRefused, match="may not read the procedures"):
        narrow.clone(theirs.database, login)

    assert login.database not in mysql_lab.names()
    # What it has made itself it copies: it is read as the one whose it is.
    narrow.create(login)
    mysql_lab.run(login, *mysql_lab.schema)
    template = mysql_lab.template()
    narrow.freeze(login, template)
    copy = replace(mysql_lab.login(), password="pw2")
    narrow.clone(template, copy)
    assert mysql_lab.run(copy, "SELECT double_it(2)") == [(4,)]
    narrow.drop(copy.database, copy.role)
    narrow.drop(template, None)
