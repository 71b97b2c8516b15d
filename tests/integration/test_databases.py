"""Runners' databases on the books and on a real PostgreSQL; the engine is one in memory."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import psycopg
import pytest

from steroids.engines.spec import Handle, Owned, State, Status
from steroids.errors import SteroidsError
from steroids.provisioning.databases import servers
from steroids.provisioning.databases.base import (
    Address,
    DatabaseRefused,
    DatabaseUnavailable,
    Login,
    MigrationFailed,
)
from steroids.provisioning.databases.postgres import PostgresServer
from steroids.provisioning.site import DATABASE, LABEL
from steroids.services import (
    database_book,
    database_desk,
    database_doctor,
    database_making,
    database_survival,
    database_sweeping,
    databases,
    places,
    runners,
    target,
    templates,
)
from steroids.services.database_book import Book
from steroids.services.database_sweeping import DatabaseKeeper
from steroids.services.jobs import Jobs
from steroids.store import home_models as home
from steroids.store import runners as rows
from steroids.wire.assignment import Outcome, Result
from steroids.wire.body import to_builtins
from steroids.wire.database import DatabaseAsk
from steroids.wire.error import from_exception
from steroids.wire.runner import Role, RunnerStatus
from tests.support.engines import BASE_IMAGE
from tests.support.postgres import USER, Server
from tests.support.postgres_lab import psql_as
from tests.support.service import AtOnce, Bench


class Office:
    """A controller's part that sees to databases, with a server that is there already."""

    def __init__(self, project: Bench, postgres: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        self.project, self.host, self.postgres = project, project.host, postgres
        self.server: Any = PostgresServer(psql_as(postgres, USER))
        self.jobs = Jobs(AtOnce(), lambda: None)
        self.keeper = DatabaseKeeper(self.host, self.jobs)
        self.migrated = 0
        project.section("API")
        project.section("Mobile")
        project.engine.images.add(BASE_IMAGE)
        self.host.engine("fake")
        target.fetch(project.project)

        def open_server(*_: object, **__: object) -> tuple[Any, Address]:
            return self.server, Address("database", 5432)

        monkeypatch.setattr(database_making, "open_server", open_server)
        monkeypatch.setattr(database_sweeping, "open_server", open_server)
        monkeypatch.setattr(database_survival, "open_server", open_server)
        monkeypatch.setattr(servers, "open_server", open_server)
        monkeypatch.setattr(servers, "peek", lambda site: self.server)
        monkeypatch.setattr(templates, "ensure", self._ensure)
        monkeypatch.setattr(
            places, "runner_image", lambda *_: project.engine.images.find(BASE_IMAGE)
        )
        self.configure()

    def configure(self, **more: object) -> None:
        settings = {"strategy": "isolated", "migrate": "make migrate", **more}
        (self.host.path / "config.yaml").write_text(json.dumps({"database": settings}))

    def _ensure(self, *args: Any) -> bool:
        """In place of a container that runs the project's command."""
        plan = args[4]
        self.migrated += 1
        login = Login(f"{plan.name[:50]}_w", f"{plan.name[:50]}_w", "pw")
        self.server.create(login)
        self.run(login.database, "CREATE TABLE t (id int)")
        self.run(login.database, f"ALTER TABLE t OWNER TO {login.role}")
        self.server.freeze(login, plan.name)
        return True

    def run(self, database: str, statement: str) -> list[tuple[object, ...]]:
        return self.postgres.run(statement, database)

    def prepare(self, section: str) -> tuple[home.Runner, str]:
        runner = self.project.runner(section)
        engine = self.project.engine
        with self.host.store.write() as session:
            row = session.get_one(home.Runner, runner.id)
            row.engine_address = engine.address
            session.add(row)
        place = places.site(self.host, self.project.project, engine, None)
        said = databases.prepare(self.host, self.project.project, place, row, self.project.first)
        assert said is not None
        return row, said

    def book(self, runner: home.Runner) -> Book | None:
        with self.host.store.read() as session:
            return database_book.of(session.get_one(home.Runner, runner.id))

    def ask(self, runner: home.Runner, fence: int | None) -> dict[str, str]:
        """As the runner does, again and again."""
        body = DatabaseAsk(commit=self.project.first, fence=fence)
        for _ in range(3):
            with self.host.store.read() as session:
                now = session.get_one(home.Runner, runner.id)
            grant = databases.grant(self.host, self.jobs, now, body)
            if grant is not None:
                return grant.env
        raise AssertionError("never granted")

    def names(self) -> set[str]:
        prefix = f"test_runner_{self.host.id[:6]}_"
        return {each.database for each in self.server.list(prefix)}

    def look(self) -> None:
        """A round of reconciling, with its server running."""
        labels = {f"{LABEL}.role": DATABASE}
        server = Owned(Handle("fake", "server", "server"), State(Status.RUNNING), labels)
        self.keeper.look(self.project.engine, [server])

    def close(self) -> None:
        self.server = PostgresServer(psql_as(self.postgres, USER))
        for name in self.names():
            self.server.drop(name, name)


@pytest.fixture
def office(
    project: Bench, guarded_postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Office]:
    made = Office(project, guarded_postgres, monkeypatch)
    yield made
    made.close()


def test_each_runner_gets_a_copy_and_the_first_attempt_the_one_made_at_up(office: Office) -> None:
    one, said = office.prepare("API")
    two, _ = office.prepare("Mobile")
    assert office.migrated == 1
    book = office.book(one)
    assert book is not None and book.ready and book.template is not None
    assert said == f"{book.database} from {book.template.split('_')[-1][:6]} (1 table)"
    office.run(book.database, "INSERT INTO t VALUES (1)")

    first = office.ask(one, 7)
    assert first["PGDATABASE"] == book.database and first["PGPASSWORD"] == book.password
    assert office.run(book.database, "SELECT * FROM t") == [(1,)], "still the same"
    assert office.ask(one, 7) == first, "asked again after an answer was lost"

    second = office.ask(one, 8)
    assert second["PGDATABASE"] == book.database
    assert second["PGPASSWORD"] != first["PGPASSWORD"]
    assert office.run(book.database, "SELECT * FROM t") == [], "fresh for the next attempt"
    other = office.book(two)
    assert other is not None and other.database != book.database
    assert office.migrated == 1
    with pytest.raises(psycopg.OperationalError, match="not currently accepting connections"):
        # Nobody may be in it while it is copied.
        office.run(book.template, "SELECT 1")


def test_the_one_made_at_up_does_not_serve_after_the_server_came_up_anew(office: Office) -> None:
    runner, _ = office.prepare("API")
    book = office.book(runner)
    assert book is not None
    database_book.write(office.host, runner.id, book.but(born="another time"))
    office.run(book.database, "INSERT INTO t VALUES (1)")

    office.ask(runner, 7)

    assert office.run(book.database, "SELECT * FROM t") == []


def test_what_a_runner_leaves_behind_goes_whatever_became_of_it(office: Office) -> None:
    stopped, _ = office.prepare("API")
    living, _ = office.prepare("Mobile")
    half = Book("up", f"test_runner_{office.host.id[:6]}_halfmade", "r", "pw", "postgres")
    runners.ended(office.host, stopped.id, RunnerStatus.LOST)
    kept = office.book(living)
    template = {name for name in office.names() if "_t_" in name}

    office.look()

    assert kept is not None and office.names() == {kept.database, *template}
    assert office.book(stopped) is None
    # One that was on the books before anything of it was made.
    database_book.write(office.host, stopped.id, half)
    office.look()
    assert office.book(stopped) is None


def test_a_server_that_rests_is_not_started_to_drop_what_is_on_it(office: Office) -> None:
    runner, _ = office.prepare("API")
    runners.ended(office.host, runner.id, RunnerStatus.STOPPED)

    office.keeper.look(office.project.engine, [])
    assert office.book(runner) is not None

    assert database_sweeping.prune(office.host, dry_run=True) == []
    assert office.book(runner) is not None
    database_sweeping.prune(office.host, dry_run=False)
    assert office.book(runner) is None, "its server's data is gone, and it with that"


def test_orphans_of_this_home_go_and_those_of_others_stay(office: Office) -> None:
    office.prepare("API")
    home_, other = office.host.id[:6], "ffffff" if office.host.id[:6] != "ffffff" else "000000"
    orphan, theirs = f"test_runner_{home_}_0rphan", f"test_runner_{other}_theirs"
    for name in (orphan, theirs):
        office.server.create(Login(name, name, "pw"))
    before = office.names()
    row = next(iter(office.host.projects()))

    database_sweeping.sweep(office.host, row, office.project.engine)

    assert office.names() == before - {orphan}
    assert office.server.list(theirs)
    assert office.run("postgres", f"SELECT 1 FROM pg_roles WHERE rolname = '{orphan}'") == []
    office.server.drop(theirs, theirs)


def test_a_database_for_a_runner_that_has_ended_meanwhile_is_not_left(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner, _ = office.prepare("API")
    office.ask(runner, 8)
    copy = office.server.clone

    def clone(template: str, login: Login) -> None:
        runners.ended(office.host, runner.id, RunnerStatus.STOPPED)
        copy(template, login)

    monkeypatch.setattr(office.server, "clone", clone)
    body = DatabaseAsk(commit=office.project.first, fence=9)
    assert databases.grant(office.host, office.jobs, runner, body) is None

    assert not {name for name in office.names() if "_t_" not in name}
    office.look()
    assert office.book(runner) is None


def test_what_cannot_be_migrated_is_an_empty_database_for_a_coder_and_an_error_for_a_check(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner, _ = office.prepare("API")
    office.configure(migrate="make broken")

    def fail(*_: object) -> bool:
        raise MigrationFailed("Migration failed: `make broken` exited 2", details={"exitCode": 2})

    monkeypatch.setattr(templates, "ensure", fail)
    env = office.ask(runner, 3)
    assert office.server.tables(env["PGDATABASE"]) == 0

    with office.host.store.write() as session:
        row, _token = rows.register(
            session,
            project_id=runner.project_id,
            role=Role.REVIEW,
            section_id=runner.section_id,
            engine="fake",
            engine_address=office.project.engine.address,
        )
    for _ in range(2):
        with pytest.raises(SteroidsError) as told:
            office.ask(row, None)
        assert (told.value.code, told.value.details) == ("MIGRATION_FAILED", {"exitCode": 2})


def test_a_server_that_is_away_is_waited_for_and_not_for_ever(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner, _ = office.prepare("API")
    there = office.server

    class Away:
        def __getattr__(self, name: str) -> object:
            raise DatabaseUnavailable("The database server does not answer: gone")

    office.server = Away()
    body = DatabaseAsk(commit=office.project.first, fence=5)
    with office.host.store.read() as session:
        now = session.get_one(home.Runner, runner.id)
    assert databases.grant(office.host, office.jobs, now, body) is None
    monkeypatch.setattr(databases, "PATIENCE_S", 0.0)
    office.jobs.good(database_book.job(runner))
    with pytest.raises(SteroidsError, match="does not answer"):
        office.ask(runner, 5)
    office.server = there
    assert office.ask(runner, 6)


def test_all_share_one_where_the_settings_say_so_and_it_stays(office: Office) -> None:
    office.configure(strategy="shared")
    one, said = office.prepare("API")
    two, _ = office.prepare("Mobile")
    assert "shared by all runners" in said
    first, second = office.ask(one, 1), office.ask(two, 2)
    assert first == second
    office.run(first["PGDATABASE"], "INSERT INTO t VALUES (1)")
    runners.ended(office.host, one.id, RunnerStatus.STOPPED)
    office.look()
    assert office.run(first["PGDATABASE"], "SELECT * FROM t") == [(1,)]
    assert office.ask(two, 3) == first
    database_desk.reset(office.host, office.jobs, office.project.project, "Mobile")
    assert office.run(first["PGDATABASE"], "SELECT * FROM t") == [], "migrated, and seeded anew"
    assert office.ask(two, 3) == first


def test_a_person_lists_and_resets_them(office: Office) -> None:
    runner, _ = office.prepare("API")
    book = office.book(runner)
    assert book is not None
    office.run(book.database, "INSERT INTO t VALUES (1)")
    listed = database_desk.listing(office.host, office.project.project)
    mine = next(each for each in listed if each.name == book.database)
    assert (mine.section, mine.runner_id, mine.kind) == ("API", runner.id, "postgres")
    assert mine.size_bytes and mine.template == databases.shown_template(book.template or "")
    assert [each.name for each in listed if each.runner_id is None] == [book.template]

    done = database_desk.reset(office.host, office.jobs, office.project.project, "API")

    assert office.run(book.database, "SELECT * FROM t") == []
    assert done.database.name == book.database and done.duration_s > 0
    after = office.book(runner)
    assert after is not None and after.env == book.env, "its agent's password still opens it"
    with pytest.raises(SteroidsError, match="Mobile has no runner"):
        database_desk.reset(office.host, office.jobs, office.project.project, "Mobile")


def test_only_templates_that_nobody_uses_and_that_are_old_are_dropped(office: Office) -> None:
    runner, _ = office.prepare("API")
    used = office.book(runner)
    assert used is not None and used.template is not None
    begin = used.template.rpartition("_")[0]
    old = [f"{begin}_{number:012x}" for number in range(5)]
    for name in old:
        office.server.create(Login(name, name, "pw"))
        templates.used(office.host, name)
    place = places.site(office.host, office.project.project, office.project.engine, None)

    gone = templates.prune(office.host, office.project.project, place, office.server)

    assert sorted(gone) == old[:2]
    assert {name for name in office.names() if "_t_" in name} == {used.template, *old[2:]}


def test_doctor_says_what_there_is_and_what_would_go_unseen(office: Office) -> None:
    project = office.project.project
    found = database_doctor.examine(office.host, project)
    assert [(each.name, each.ok) for each in found] == [("database", True), ("migrations", False)]
    assert "postgres, managed (fake): PostgreSQL" in found[0].detail

    (office.host.path / "config.yaml").write_text(
        '{"network": "none", "database": {"strategy": "isolated"}}'
    )
    (bad,) = database_doctor.examine(office.host, project)
    assert not bad.ok and bad.hint and "network: internal" in bad.hint
    (office.host.path / "config.yaml").write_text("{}")
    assert database_doctor.examine(office.host, project) == []


def test_without_a_network_there_is_a_refusal_that_says_so(office: Office) -> None:
    (office.host.path / "config.yaml").write_text(
        '{"network": "none", "database": {"strategy": "isolated"}}'
    )
    with pytest.raises(DatabaseRefused, match="network: none"):
        office.prepare("API")


def test_a_database_of_the_server_is_copied_where_it_is_named(office: Office) -> None:
    theirs = Login("shop_dump", "shop_owner", "pw")
    office.server.create(theirs)
    office.run(theirs.database, "CREATE SCHEMA books AUTHORIZATION shop_owner")
    for statement in (
        "CREATE TABLE books.sold (id serial PRIMARY KEY)",
        "CREATE TYPE books.kind AS ENUM ('a')",
        "CREATE VIEW books.seen AS SELECT id FROM books.sold",
        "CREATE FUNCTION books.one() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    ):
        office.run(theirs.database, f"SET ROLE shop_owner; {statement}")
    office.configure(migrate=None, template="shop_dump")

    runner, said = office.prepare("API")

    book = office.book(runner)
    assert book is not None and said == f"{book.database} from shop_dump (1 table)"
    for statement in (
        "ALTER TABLE books.sold ADD COLUMN x int",
        "ALTER TYPE books.kind ADD VALUE 'b'",
        "DROP FUNCTION books.one()",
        "DROP SCHEMA books CASCADE",
    ):
        office.run(book.database, f"SET SESSION AUTHORIZATION {book.role}; {statement}")
    assert office.run(theirs.database, "SELECT count(*) FROM books.sold") == [(0,)]
    assert office.run(
        "postgres", "SELECT datdba::regrole::text FROM pg_database WHERE datname = 'shop_dump'"
    ) != [("steroids_owner",)]
    office.server.drop(theirs.database, theirs.role)


def test_what_fails_while_the_server_came_up_anew_judges_nobody(office: Office) -> None:
    runner, _ = office.prepare("API")
    handle = Handle("fake", "c1", "c1")
    with office.host.store.write() as session:
        row = session.get_one(home.Runner, runner.id)
        row.container = asdict(handle)
        session.add(row)
    bad, good = Result(outcome=Outcome.FAILED, command="npm test"), Result(outcome=Outcome.DONE)
    book = office.book(runner)
    assert book is not None

    database_survival.check(office.host, handle, bad)
    database_book.write(office.host, runner.id, book.but(born="another time"))
    database_survival.check(office.host, handle, good)
    with pytest.raises(DatabaseUnavailable, match="ended while it was in use"):
        database_survival.check(office.host, handle, bad)
    away = to_builtins(from_exception(DatabaseUnavailable("no answer")))
    database_book.write(office.host, runner.id, book.but(error=away))
    with pytest.raises(SteroidsError, match="no answer"):
        database_survival.check(office.host, handle, bad)
    mine = to_builtins(from_exception(MigrationFailed("its own doing")))
    database_book.write(office.host, runner.id, book.but(error=mine))
    database_survival.check(office.host, handle, bad)
