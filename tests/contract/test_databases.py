"""What `provisioning/databases/base.py` promises, held by every kind of server."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal

import pytest

from steroids.provisioning.databases.base import Address, DatabaseError, Login
from tests.support.databases import COMMON, DatabaseLab, Run

LABS = [
    pytest.param("mysql", marks=pytest.mark.mariadb),
    pytest.param("mysql_client", marks=pytest.mark.mariadb),
    pytest.param("postgres", marks=pytest.mark.postgres),
    pytest.param("postgres_admin", marks=pytest.mark.postgres),
]


@pytest.fixture(scope="session", params=LABS)
def lab(request: pytest.FixtureRequest) -> DatabaseLab:
    found = request.getfixturevalue(f"{request.param}_lab")
    assert isinstance(found, DatabaseLab)
    return found


@pytest.fixture(scope="session")
def template(lab: DatabaseLab) -> str:
    """One for all who only read it."""
    return lab.frozen()


def refused(run: Run, statement: str) -> bool:
    try:
        run(statement)
    except Exception as error:
        if not type(error).__module__.startswith(("pymysql", "psycopg")):
            raise
        return True
    return False


def fails(lab: DatabaseLab, login: Login, statement: str) -> bool:
    """To log in, or after that."""
    return refused(lambda each: lab.run(login, each), statement)


def test_a_new_database_is_empty_and_all_its_logins(lab: DatabaseLab) -> None:
    login = lab.created()

    rows = lab.run(login, "CREATE TABLE t (a INT)", "INSERT INTO t VALUES (1)", "SELECT a FROM t")

    assert rows == [(1,)]
    assert fails(lab, replace(login, password="x"), "SELECT 1")
    assert login.database in lab.names()


def test_a_copy_has_all_that_its_template_has(lab: DatabaseLab, template: str) -> None:
    login = lab.cloned(template)

    with lab.connect(login) as run:
        assert run("SELECT id, name FROM customers ORDER BY id") == [
            (0, "Zero"),
            (1, "Ana"),
            (2, "Ben; \"or\" 'not'"),
        ]
        rows = run("SELECT id, customer, cents, euros, photo FROM orders ORDER BY id")
        assert [(*row[:4], row[4] and bytes(row[4])) for row in rows] == [
            (1, 1, 250, Decimal("2.50"), b"\x00\xff\n\\"),
            (2, 2, 1, Decimal("0.01"), None),
            (41, 1, 0, Decimal("0.00"), None),
        ]
        # Not as they would be if the trigger had seen the copying.
        assert run("SELECT COUNT(*) FROM log") == [(0,)]
        assert run("SELECT name FROM a_spent") == [("Ana",)]
        run("CALL add_order(2, 5)")
        assert run("SELECT id, euros FROM orders WHERE cents = 5") == [(42, Decimal("0.05"))]
        assert run("SELECT line FROM log") == [("DEFINER=`x`@`y` order 42",)]
        run("DELETE FROM customers WHERE id = 1")
        assert run("SELECT COUNT(*) FROM orders") == [(2,)]


def test_a_copy_keeps_to_the_templates_rules(lab: DatabaseLab, template: str) -> None:
    with lab.connect(lab.cloned(template)) as run:
        assert refused(run, "INSERT INTO orders (customer) VALUES (99)")
        assert refused(run, "INSERT INTO orders (customer, cents) VALUES (1, -1)")
        assert refused(run, "INSERT INTO customers VALUES (9, 'Ana')")


def test_a_copy_is_its_logins_to_change(lab: DatabaseLab, template: str) -> None:
    login = lab.cloned(template)

    lab.run(
        login,
        "ALTER TABLE orders ADD COLUMN note VARCHAR(9)",
        "DROP VIEW a_spent",
        "DROP VIEW spent",
        "DROP FUNCTION double_it",
        "DROP PROCEDURE add_order",
        "CREATE TABLE more (id INT)",
        "DROP TABLE log",
    )


def test_what_is_done_to_a_copy_changes_no_other(lab: DatabaseLab, template: str) -> None:
    one, two = lab.cloned(template), lab.cloned(template)

    lab.run(one, "DELETE FROM customers", "DROP TABLE log")

    assert lab.run(two, "SELECT COUNT(*) FROM customers") == [(3,)]
    assert lab.run(two, "SELECT COUNT(*) FROM log") == [(0,)]
    assert lab.run(lab.cloned(template), "SELECT COUNT(*) FROM customers") == [(3,)]


def test_a_login_reaches_no_other_database(lab: DatabaseLab, template: str) -> None:
    one, two = lab.cloned(template), lab.cloned(template)
    # `_` stands for any character in MySQL's grants.
    likely = replace(lab.login(), database=one.database.replace("_", "x"))
    lab.server.create(likely)
    lab.run(likely, "CREATE TABLE t (a INT)")

    for other in (two.database, likely.database, template, f"{template}_"):
        assert fails(lab, replace(one, database=other), "SELECT 1"), other
        assert fails(lab, one, f"SELECT * FROM {other}.customers"), other
        assert fails(lab, one, f"DROP DATABASE {other}"), other
    assert fails(lab, one, "CREATE DATABASE more_of_mine")
    assert fails(lab, one, "CREATE USER more_of_mine")
    lab.server.drop(likely.database, likely.role)


def test_of_many_copies_at_once_each_is_whole(lab: DatabaseLab, template: str) -> None:
    with ThreadPoolExecutor(16) as pool:
        logins = list(pool.map(lambda _: lab.cloned(template), range(16)))

    for login in logins:
        assert lab.run(login, "SELECT COUNT(*) FROM orders") == [(3,)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda each: lab.server.drop(each.database, each.role), logins))
    assert lab.names().isdisjoint(login.database for login in logins)


def test_creating_over_what_is_there_makes_it_new(lab: DatabaseLab, template: str) -> None:
    old = lab.created()
    lab.run(old, "CREATE TABLE mine (a INT)")
    new = replace(old, password="another")

    with lab.connect(old) as run:
        lab.server.create(new)
        assert refused(run, "SELECT * FROM mine")

    assert fails(lab, old, "SELECT 1")
    assert fails(lab, new, "SELECT * FROM mine")
    lab.server.clone(template, old)
    assert lab.run(old, "SELECT COUNT(*) FROM customers") == [(3,)]


def test_dropping_sends_away_who_is_connected(lab: DatabaseLab) -> None:
    login = lab.created()
    lab.run(login, "CREATE TABLE t (a INT)")

    with lab.connect(login) as run, lab.connect(login) as holding:
        holding("BEGIN")
        holding("SELECT * FROM t")
        lab.server.drop(login.database, login.role)
        assert refused(run, "SELECT 1")

    assert login.database not in lab.names()
    assert fails(lab, login, "SELECT 1")
    lab.server.drop(login.database, login.role)


def test_tables_are_counted_and_a_server_that_lives_on_was_born_once(lab: DatabaseLab) -> None:
    login, born = lab.created(), lab.server.born()
    none = lab.server.tables(login.database)

    lab.run(login, *COMMON)

    assert (none, lab.server.tables(login.database)) == (0, 1)
    assert born and lab.server.born() == born


def test_freezing_leaves_nobody_who_could_change_it(lab: DatabaseLab) -> None:
    login, template = lab.created(), lab.template()
    lab.run(login, *lab.schema)

    with lab.connect(login) as run:
        lab.server.freeze(login, template)
        assert refused(run, "INSERT INTO customers VALUES (7, 'late')")

    assert fails(lab, login, "SELECT 1")
    assert fails(lab, replace(login, database=template), "SELECT 1")
    assert lab.names() >= {template}
    assert login.database not in lab.names()
    assert lab.run(lab.cloned(template), "SELECT COUNT(*) FROM customers") == [(3,)]


def test_a_template_of_the_same_name_is_replaced(lab: DatabaseLab) -> None:
    first, second, template = lab.created(), lab.created(), lab.template()
    lab.run(first, "CREATE TABLE one (a INT)")
    lab.run(second, "CREATE TABLE two (a INT)")

    lab.server.freeze(first, template)
    lab.server.freeze(second, template)

    login = lab.cloned(template)
    assert lab.run(login, "SELECT COUNT(*) FROM two") == [(0,)]
    assert fails(lab, login, "SELECT * FROM one")


def test_a_template_that_is_dropped_is_gone(lab: DatabaseLab) -> None:
    template = lab.frozen()

    lab.server.drop(template, None)

    assert not {name for name in lab.names() if name.startswith(template)}
    login = lab.login()
    with pytest.raises(DatabaseError, match=template):
        lab.server.clone(template, login)
    assert login.database not in lab.names()


def test_a_name_that_is_none_of_ours_is_refused(lab: DatabaseLab) -> None:
    good = lab.login()

    for hostile in (
        "a; DROP TABLE x",
        "a`b",
        'a"b',
        "a'b",
        "",
        "Ä",
        "a-b",
        "x" * 65,
        "a\nb",
        "a.b",
    ):
        for login in (replace(good, database=hostile), replace(good, role=hostile)):
            with pytest.raises(DatabaseError):
                lab.server.create(login)
        with pytest.raises(DatabaseError):
            lab.server.drop(hostile, None)
    assert good.database not in lab.names()


def test_a_password_may_be_anything(lab: DatabaseLab) -> None:
    login = replace(lab.login(), password="a'b\\c\"d`e $f @:/%?#ß")

    lab.server.create(login)

    assert lab.run(login, "SELECT 1") == [(1,)]


def test_the_longest_names_are_told_apart(lab: DatabaseLab) -> None:
    stem = lab.prefix.ljust(57, "x")
    one, two = (Login(f"{stem}{end}", f"{stem}{end}", "pw") for end in "12")

    lab.server.create(one)
    lab.server.create(two)

    assert fails(lab, replace(one, database=two.database), "SELECT 1")
    assert lab.run(one, "SELECT 1") == lab.run(two, "SELECT 1")
    for login in (one, two):
        lab.server.drop(login.database, login.role)


def test_an_account_that_may_do_it_all_is_well(lab: DatabaseLab) -> None:
    before = lab.names()

    version = lab.server.check()

    assert any(figure.isdigit() for figure in version)
    assert lab.names() == before


def test_a_client_is_told_how_to_get_there(lab: DatabaseLab) -> None:
    login = replace(lab.login(), password="p@ss/w")

    env = lab.server.env(login, Address("db.test", 1234))

    assert env["DATABASE_URL"] == env["TEST_DATABASE_URL"]
    assert env["DATABASE_URL"].endswith(f":p%40ss%2Fw@db.test:1234/{login.database}")
