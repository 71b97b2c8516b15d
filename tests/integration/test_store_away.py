"""What callers see when the database is away, full or busy: never a bug."""

from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import text

from steroids.errors import BadConfig, StoreUnavailable, out_of_space
from steroids.store import postgresql, sqlite
from steroids.store import project_models as db
from steroids.store.session import Store
from tests.support.stores import Place, count, counted


def send_all_away(place: Place) -> None:
    """As a restart of the server does."""
    place.run(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
        f" WHERE datname = '{place.database}' AND pid <> pg_backend_pid()"
    )


def test_a_server_that_was_restarted_is_found_again(postgres_place: Place) -> None:
    store = postgres_place.open("project")
    count(store, 1)
    send_all_away(postgres_place)
    assert counted(store) == 1
    send_all_away(postgres_place)
    count(store, 1)
    assert counted(store) == 2
    send_all_away(postgres_place)
    postgres_place.open("project", "another")


def test_a_server_that_goes_while_writing_leaves_nothing(postgres_place: Place) -> None:
    store = postgres_place.open("project")
    count(store, 1)
    with (
        pytest.raises(StoreUnavailable, match="is not available") as caught,
        store.write() as session,
    ):
        session.add(db.Counter(name="other"))
        session.flush()
        send_all_away(postgres_place)
    assert (caught.value.code, caught.value.http_status) == ("STORE_UNAVAILABLE", 503)
    assert not out_of_space(caught.value)
    count(store, 1)
    with store.read() as session:
        assert session.get(db.Counter, "other") is None
        assert session.get_one(db.Counter, "c").value == 2


def test_no_server_and_no_password_in_what_is_said(tmp_path: Path) -> None:
    url = f"postgres://me:s3cret@/db?host={tmp_path}&sslpassword=s3cret"
    with pytest.raises(StoreUnavailable, match="No such file") as caught:
        Store(url, "home")
    assert caught.value.hint is not None and caught.value.hint.startswith("pg_isready -d 'postg")
    assert "s3cret" not in f"{caught.value.message} {caught.value.hint}"


@pytest.mark.parametrize(
    "url", ["mysql://me:s3cret@host/db", "sqlite://", "s3cret", "postgresql://me:s3cret@host:x/db"]
)
def test_a_url_that_cannot_be_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(BadConfig) as caught:
        Store(url, "home")
    assert "s3cret" not in f"{caught.value.message} {caught.value.hint}"


def test_who_waits_too_long_for_another_is_told_so(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "LOCK_TIMEOUT_S", 0.05)
    monkeypatch.setattr(postgresql, "LOCK_TIMEOUT", "50ms")
    holder, other = place.open("project"), place.open("project")
    with holder.write():
        # More often than there are connections: none may get lost on the way.
        for _ in range(postgresql.MOST_CONNECTIONS + 2):
            with pytest.raises(StoreUnavailable, match=r"lock timeout|has been writing"):
                count(other, 1)
    count(other, 1)


def test_a_full_disk_is_told_as_such(place: Place) -> None:
    store = place.open("project")
    if place.postgres is not None:
        # What the server says then; its disk is everybody's.
        words = "could not extend file: No space left on device"
        fill = f"DO $$ BEGIN RAISE EXCEPTION '{words}' USING ERRCODE = '53100'; END $$"
        with pytest.raises(StoreUnavailable, match="No space left"), store.write() as session:
            session.connection().execute(text(fill))
        return
    with pytest.raises(OperationalError) as caught, store.write() as session:
        session.connection().exec_driver_sql("PRAGMA max_page_count = 1")
        session.add(db.Event(kind="log", text="x" * 1_000_000))
    assert out_of_space(caught.value)
    count(store, 1)


def test_a_folder_that_has_gone_is_told_as_such(sqlite_place: Place) -> None:
    assert sqlite_place.path is not None
    store = sqlite_place.open("project")
    store.close()
    for path in sqlite_place.path.parent.glob("x.db*"):
        path.unlink()
    sqlite_place.path.mkdir()
    with pytest.raises(StoreUnavailable, match="cannot be used"):
        count(store, 1)
    with pytest.raises(StoreUnavailable, match="cannot be used"):
        sqlite_place.open("project")
