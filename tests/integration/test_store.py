import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlmodel import select

from steroids import proc
from steroids.errors import BadConfig, SectionBusy
from steroids.store import home_models as home
from steroids.store import project_models as db
from steroids.store import runners
from steroids.store.session import Store
from steroids.wire.runner import Role, RunnerStatus
from tests.support.engines import eventually
from tests.support.postgres import CHECKOUT
from tests.support.stores import Place, count, counted, race

LIMIT_S = 60


def runner(store: Store, section: str) -> tuple[home.Runner, str]:
    with store.write() as session:
        return runners.register(
            session,
            project_id="p",
            role=Role.SECTION,
            section_id=section,
            engine="docker",
            engine_address="x",
        )


def projects(store: Store) -> list[str]:
    with store.read() as session:
        return sorted(row.name for row in session.exec(select(home.Project)))


def project(name: str) -> home.Project:
    return home.Project(path=f"/{name}", name=name, target="main")


def test_a_failed_transaction_leaves_nothing(place: Place) -> None:
    store = place.open()
    with pytest.raises(ZeroDivisionError), store.write() as session:
        session.add(project("p"))
        session.flush()
        raise ZeroDivisionError
    assert projects(store) == []


def test_changes_made_while_reading_are_not_kept(place: Place) -> None:
    store = place.open()
    with store.write() as session:
        session.add(project("p"))
    with store.read() as session:
        session.exec(select(home.Project)).one().name = "other"
        session.add(project("q"))
        assert len(session.exec(select(home.Project)).all()) == 1
    assert projects(store) == ["p"]


def test_of_many_simultaneous_starts_of_a_section_one_succeeds(place: Place) -> None:
    stores = [place.open(), place.open()]
    barrier = threading.Barrier(16)

    def start(number: int) -> str:
        barrier.wait(LIMIT_S)
        try:
            runner(stores[number % 2], "api")
            return "started"
        except SectionBusy as error:
            assert error.exit_code == 6
            return "busy"

    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(start, range(16)))
    assert sorted(outcomes) == ["busy"] * 15 + ["started"]
    runner(stores[0], "web")


def test_an_ended_runner_makes_room_and_its_token_is_worth_nothing(place: Place) -> None:
    store = place.open()
    row, token = runner(store, "api")
    with store.write() as session:
        assert runners.by_token(session, token) is not None
        assert runners.by_token(session, "guessed") is None
        row = session.merge(row)
        runners.end(row, RunnerStatus.LOST, row.started_at)
        session.flush()
        assert runners.by_token(session, token) is None
    runner(store, "api")


def test_tokens_are_not_stored(place: Place) -> None:
    _, token = runner(place.open(), "api")
    (row,) = place.run("SELECT * FROM runners")
    assert "docker" in row
    assert token not in str(row)
    if place.path is not None:
        files = place.path.parent.glob("x.db*")
        assert token.encode() not in b"".join(path.read_bytes() for path in files)


def test_writers_exclude_each_other_across_threads(place: Place) -> None:
    # Half of them share a store, and its queue; between the two stores is only the database.
    stores = [place.open("project"), place.open("project")]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda number: count(stores[number % 2], 10), range(16)))
    assert counted(stores[0]) == 160


def test_writers_exclude_each_other_across_processes_that_open_it_first(place: Place) -> None:
    race([place.python("tests.support.stores", "25") for _ in range(4)])
    assert counted(place.open("project")) == 100


def test_a_writer_sees_what_was_committed_while_it_waited(place: Place) -> None:
    mine, other = place.open("project"), place.open("project")
    if place.postgres is not None:
        # What a server may be set to must not matter.
        place.run(
            f"ALTER DATABASE {place.database} SET default_transaction_isolation = 'repeatable read'"
        )
    count(mine, 1)
    with ThreadPoolExecutor(1) as pool:
        with mine.write() as session:
            session.get_one(db.Counter, "c").value = 41
            waiting = pool.submit(count, other, 1)
            if place.postgres is not None:
                # With SQLite nobody can tell who waits.
                eventually(lambda: place.run("SELECT 1 FROM pg_locks WHERE NOT granted"))
        waiting.result(LIMIT_S)
    assert counted(mine) == 42


def test_a_reader_waits_for_no_writer_and_sees_nothing_of_it(place: Place) -> None:
    store = place.open()
    with store.write() as writing:
        writing.add(project("first"))
        writing.flush()
        assert projects(store) == []
        writing.add(project("second"))
    assert projects(store) == ["first", "second"]


def test_what_a_reader_sees_does_not_change_under_it(place: Place) -> None:
    store = place.open()
    with store.read() as reading:
        assert reading.exec(select(home.Project)).all() == []
        with store.write() as writing:
            writing.add(project("p"))
        assert reading.exec(select(home.Project)).all() == []
    assert projects(store) == ["p"]


def test_many_read_at_once(place: Place) -> None:
    store = place.open()
    barrier = threading.Barrier(40)

    def look(_: int) -> int:
        with store.read() as session:
            found = len(session.exec(select(home.Project)).all())
            barrier.wait(LIMIT_S)
            return found

    with ThreadPoolExecutor(40) as pool:
        assert list(pool.map(look, range(40))) == [0] * 40


def test_a_write_within_a_write_is_a_bug_and_not_a_deadlock(place: Place) -> None:
    store = place.open()
    with store.write() as session:
        session.add(project("p"))
        with pytest.raises(AssertionError, match="within a write"), store.write():
            pass
    assert projects(store) == ["p"]


def test_stores_in_one_database_know_nothing_of_each_other(postgres_place: Place) -> None:
    place = postgres_place
    one, two = place.open("project", "p_One"), place.open("project", "p_two")
    house = place.open("home")
    with one.write() as session, house.write() as homes:
        session.add(db.Counter(name="c", value=1))
        count(two, 3)
        homes.add(project("p"))
    assert (counted(one), counted(two), projects(house)) == (1, 3, ["p"])
    again = place.open("project", "p_One")
    assert counted(again) == 1


def test_a_file_is_one_store(sqlite_place: Place) -> None:
    with pytest.raises(BadConfig, match="no schemas"):
        sqlite_place.open("project", "p_one")


def test_who_has_sqlite_needs_no_driver_for_the_other(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from steroids.store.session import Store\n"
        "import steroids.controller.serve\n"
        "Store(Path(sys.argv[1]), 'home').close()\n"
        "sys.exit('psycopg' in sys.modules)"
    )
    done = proc.run([sys.executable, "-c", program, str(tmp_path / "x.db")], cwd=CHECKOUT)
    assert done.returncode == 0, done.err


def test_times_come_back_as_the_same_moment_in_utc(place: Place) -> None:
    store = place.open()
    at = datetime(2026, 3, 29, 1, 30, 0, 123456, timezone(timedelta(hours=5, minutes=30)))
    with store.write() as session:
        row = project("p")
        row.registered_at = at
        session.add(row)
    with store.read() as session:
        found = session.exec(select(home.Project)).one()
        assert found.registered_at == at
        assert found.registered_at.tzinfo is UTC
        earlier = select(home.Project).where(home.Project.registered_at < at)
        assert session.exec(earlier).all() == []


def test_no_container_is_null_and_not_jsons_null(place: Place) -> None:
    store = place.open()
    row, _ = runner(store, "api")
    assert place.run("SELECT count(*) FROM runners WHERE container IS NULL") == [(1,)]
    with store.write() as session:
        session.get_one(home.Runner, row.id).container = {"id": "ä", "none": None}
    with store.read() as session:
        assert session.get_one(home.Runner, row.id).container == {"id": "ä", "none": None}


def test_the_numbers_of_deleted_events_are_not_given_out_again(place: Place) -> None:
    store = place.open("project")

    def add() -> int:
        with store.write() as session:
            row = db.Event(kind="log")
            session.add(row)
            session.flush()
            assert row.seq is not None
            return row.seq

    first, second = add(), add()
    place.run(f"DELETE FROM events WHERE seq = {second}")
    assert first < second < add()


def test_any_text_can_be_kept(place: Place) -> None:
    """An agent's output is anything; PostgreSQL has no text with a NUL in it."""
    store = place.open("project")
    with store.write() as session:
        session.add(db.Event(kind="log", text="a\0b", data={"line": "c\0d"}))
    with store.read() as session:
        row = session.exec(select(db.Event)).one()
    assert row.text == ("a\0b" if place.postgres is None else "a\ufffdb")
    assert row.data == {"line": "c\0d"}
