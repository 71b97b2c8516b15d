import sqlite3
import threading
from pathlib import Path

import pytest
from sqlmodel import select

from steroids.errors import BadConfig, SectionBusy
from steroids.store import home_models as home
from steroids.store import project_models as db
from steroids.store import runners
from steroids.store.session import Store
from steroids.wire.runner import Role, RunnerStatus


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "home.db", "home")


@pytest.mark.parametrize("kind", ["home", "project"])
def test_a_new_store_has_what_the_models_say(tmp_path: Path, kind: str) -> None:
    store = Store(tmp_path / "x.db", kind)
    metadata = home.metadata if kind == "home" else db.metadata
    with store.read() as session:
        for table in metadata.sorted_tables:
            session.connection().execute(table.select()).all()
    assert (tmp_path / "x.db").stat().st_mode & 0o777 == 0o600
    store.close()


def test_a_store_of_a_newer_steroids_is_refused_and_left_alone(tmp_path: Path) -> None:
    Store(tmp_path / "x.db", "project").close()
    with sqlite3.connect(tmp_path / "x.db") as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()
    before = (tmp_path / "x.db").read_bytes()
    with pytest.raises(BadConfig, match=r"newer Steroids \(schema 9999; this one knows \d+\)"):
        Store(tmp_path / "x.db", "project")
    assert (tmp_path / "x.db").read_bytes() == before


def test_a_failed_transaction_leaves_nothing(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.write() as session:
        session.add(home.Project(path="/p", name="p", target="main"))
        session.flush()
        raise ZeroDivisionError
    with store.read() as session:
        assert session.exec(select(home.Project)).all() == []
    store.close()


def register(store: Store, section: str) -> home.Runner:
    with store.write() as session:
        row, _ = runners.register(
            session,
            project_id="p",
            role=Role.SECTION,
            section_id=section,
            engine="docker",
            engine_address="x",
        )
    return row


def test_of_many_simultaneous_starts_of_a_section_one_succeeds(store: Store) -> None:
    outcomes: list[str] = []
    barrier = threading.Barrier(16)

    def start() -> None:
        barrier.wait()
        try:
            register(store, "api")
            outcomes.append("started")
        except SectionBusy as error:
            assert error.exit_code == 6
            outcomes.append("busy")

    threads = [threading.Thread(target=start) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["busy"] * 15 + ["started"]
    register(store, "web")
    store.close()


def test_an_ended_runner_makes_room_and_its_token_is_worth_nothing(store: Store) -> None:
    with store.write() as session:
        row, token = runners.register(
            session,
            project_id="p",
            role=Role.SECTION,
            section_id="api",
            engine="docker",
            engine_address="x",
        )
        assert runners.by_token(session, token) is not None
        assert runners.by_token(session, "guessed") is None
        runners.end(row, RunnerStatus.LOST, row.started_at)
        session.add(row)
        session.flush()
        assert runners.by_token(session, token) is None
    register(store, "api")
    store.close()


def test_tokens_are_not_stored(store: Store, tmp_path: Path) -> None:
    with store.write() as session:
        _, token = runners.register(
            session,
            project_id="p",
            role=Role.SETUP,
            section_id=None,
            engine="docker",
            engine_address="x",
        )
    store.close()
    assert token.encode() not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
