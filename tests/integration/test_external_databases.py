"""Servers of the user's own, by URL: real PostgreSQL and MariaDB, and accounts of every kind."""

import socket
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from steroids.engines.fake import FakeEngine
from steroids.engines.local import LocalEngine
from steroids.engines.networks import Network
from steroids.provisioning.databases.base import (
    Address,
    DatabaseError,
    DatabaseRefused,
    DatabaseUnavailable,
    Login,
    Server,
)
from steroids.provisioning.databases.servers import open_server, shown
from steroids.provisioning.site import Site
from steroids.settings import Settings
from steroids.store.session import Store
from tests.support.external import PASSWORD, QUOTED, External
from tests.support.mariadb import MariadbServer

NETWORK = Network("1", "n", {}, "10.213.7.16/28")
KINDS = [
    pytest.param("postgres", marks=pytest.mark.postgres),
    pytest.param("mysql", marks=pytest.mark.mariadb),
]


@pytest.fixture(params=KINDS)
def there(request: pytest.FixtureRequest) -> External:
    found = request.getfixturevalue(f"external_{request.param}")
    assert isinstance(found, External)
    return found


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "home.db", "home")) as opened:
        yield opened


def site(store: Store, url: str, engine: FakeEngine | LocalEngine | None = None) -> Site:
    kind = "mysql" if url.startswith(("mysql", "mariadb")) else "postgres"
    settings = Settings.model_validate({"database": {"server": url, "kind": kind}})
    return Site(store, Path("/"), "c" * 12, engine or FakeEngine(), settings, "p", "p")


def opened(store: Store, url: str) -> Server:
    return open_server(site(store, url))[0]


def no_password(error: DatabaseError) -> None:
    said = f"{error.message} {error.hint} {error.details}"
    assert PASSWORD not in said and QUOTED not in said


def test_databases_are_made_there(store: Store, there: External) -> None:
    server = opened(store, there.url())
    login = Login("test_runner_ab_1", "test_runner_ab_1", "secret")

    assert server.check().startswith({"postgres": "PostgreSQL ", "mysql": "MariaDB "}[there.kind])
    server.create(login)
    server.freeze(login, "test_runner_ab_t")
    server.clone("test_runner_ab_t", login)
    found = [each.database for each in server.list("test_runner_ab_")]
    server.drop(login.database, login.role)
    server.drop("test_runner_ab_t", None)

    assert found == ["test_runner_ab_1", "test_runner_ab_t"]
    assert server.list("test_runner_ab_") == []


def test_an_account_that_may_not_create_databases_is_refused(store: Store, there: External) -> None:
    with pytest.raises(DatabaseRefused) as caught:
        opened(store, there.url("lim")).check()

    no_password(caught.value)
    assert caught.value.hint


def test_a_wrong_password_is_told_without_either(store: Store, there: External) -> None:
    with pytest.raises(DatabaseRefused, match="does not let us in") as caught:
        opened(store, there.url(password="wr%40ng")).check()

    no_password(caught.value)
    assert "wr@ng" not in caught.value.message and "adm" in caught.value.message


def test_a_server_that_does_not_answer(store: Store, there: External) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        scheme = there.url().partition(":")[0]
        url = f"{scheme}://adm:{QUOTED}@127.0.0.1:{nobody.getsockname()[1]}/"
        with pytest.raises(DatabaseUnavailable) as caught:
            opened(store, url).check()

    no_password(caught.value)


@pytest.mark.postgres
@pytest.mark.mariadb
def test_a_server_of_another_kind_is_named(
    store: Store, external_postgres: External, external_mysql: External
) -> None:
    with pytest.raises(DatabaseRefused, match="is MySQL or MariaDB, not PostgreSQL"):
        opened(store, external_mysql.url(scheme="postgresql")).check()
    with pytest.raises(DatabaseRefused, match="is PostgreSQL, not MySQL"):
        opened(store, external_postgres.url(scheme="mysql")).check()


def test_without_its_driver_it_is_said_what_to_install(
    store: Store, there: External, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, {"postgres": "psycopg", "mysql": "pymysql"}[there.kind], None)

    with pytest.raises(DatabaseRefused, match="driver") as caught:
        opened(store, there.url()).check()

    assert caught.value.hint == f"python3 -m pip install 'steroids[{there.kind}]'"


@pytest.mark.mariadb
def test_a_prefix_that_is_open_to_everybody_is_refused(
    store: Store, external_mysql: External, mariadb: MariadbServer
) -> None:
    # As MariaDB itself does for names that begin with `test_`, unless told not to.
    mariadb.run(r"GRANT ALL ON `openly\_%`.* TO PUBLIC")
    at = site(store, external_mysql.url())
    wide = at.settings.database.model_copy(update={"prefix": "openly_"})
    at = replace(at, settings=at.settings.model_copy(update={"database": wide}))

    with pytest.raises(DatabaseRefused, match=r"everybody may use databases .* 'openly_'"):
        open_server(at)[0].check()

    assert mariadb.run("SHOW DATABASES LIKE 'openly%'") == []
    assert opened(store, external_mysql.url()).check()


@pytest.mark.postgres
def test_what_listens_on_loopback_alone_is_out_of_containers_reach(
    store: Store, external_postgres: External, tmp_path: Path
) -> None:
    at = site(store, external_postgres.url())

    with pytest.raises(DatabaseRefused, match="loopback address only"):
        open_server(at, NETWORK)
    # Who is in no container is as near to it as we are.
    local = site(store, external_postgres.url(), LocalEngine(tmp_path / "local"))
    assert open_server(local, NETWORK)[1].host == external_postgres.host
    assert open_server(at)[1].host == external_postgres.host


def test_runners_without_a_way_out_reach_no_server_outside(store: Store) -> None:
    at = site(store, "postgresql://me:pw@db.example.org/")

    with pytest.raises(DatabaseRefused, match="network: internal"):
        open_server(at, replace(NETWORK, internal=True))
    assert open_server(at, NETWORK)[1] == Address("db.example.org", 5432)


def test_it_is_shown_without_its_password(store: Store) -> None:
    at = site(store, f"mariadb://me:{QUOTED}@[::1]:3307/?ssl=1")

    assert shown(at) == "mariadb://me@[::1]:3307/"
