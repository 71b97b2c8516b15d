import shutil
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from steroids.errors import BadConfig
from steroids.store import home_models as home
from steroids.store import migrate
from steroids.store import project_models as db
from tests.support.stores import Place

FURTHER = """
import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    with op.batch_alter_table("sections") as table:
        table.drop_column("position")
        table.add_column(sa.Column("colour", sa.String(), nullable=True))
    op.execute("UPDATE sections SET colour = 'red'")
"""


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """The scripts of a later Steroids, with one that rebuilds a table others refer to."""
    folder = tmp_path / "migrations"
    shutil.copytree(migrate.MIGRATIONS, folder)
    (folder / "project" / "0003_further.py").write_text(FURTHER)
    return folder


def fill(place: Place) -> None:
    with place.open("project").write() as session:
        section = db.Section(name="API", paths=["a/**"], position=1)
        session.add(section)
        session.flush()
        session.add(db.Task(title="T", section_id=section.id, position=1))


@pytest.mark.parametrize("kind", ["home", "project"])
def test_a_new_store_has_what_the_models_say(place: Place, kind: str) -> None:
    store = place.open(kind)
    metadata = home.metadata if kind == "home" else db.metadata
    with store.read() as session:
        context = MigrationContext.configure(session.connection())
        assert compare_metadata(context, metadata) == []


def test_the_file_is_nobody_elses(sqlite_place: Place) -> None:
    sqlite_place.open()
    assert sqlite_place.path is not None
    modes = {path.stat().st_mode & 0o777 for path in sqlite_place.path.parent.glob("x.db*")}
    assert modes == {0o600}


def test_a_store_of_a_newer_steroids_is_refused_and_left_alone(place: Place) -> None:
    place.open("project").close()
    place.run("UPDATE alembic_version SET version_num = '9999'")
    before = place.path.read_bytes() if place.path else b""
    with pytest.raises(BadConfig, match=r"newer Steroids \(schema 9999; this one knows \d+\)"):
        place.open("project")
    assert place.run("SELECT version_num FROM alembic_version") == [("9999",)]
    assert before == (place.path.read_bytes() if place.path else b"")


def test_an_older_store_is_upgraded_in_place(
    place: Place, newer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(place)
    monkeypatch.setattr(migrate, "MIGRATIONS", newer)
    place.open("project")
    found = place.run("SELECT colour, title FROM sections JOIN tasks ON section_id = sections.id")
    assert found == [("red", "T")]
    assert place.run("SELECT version_num FROM alembic_version") == [("0003",)]
    if place.path is not None:
        copy = place.path.with_name("x.db.schema-0002.bak")
        assert copy.stat().st_mode & 0o777 == 0o600
        before = Place(f"sqlite:///{copy}", copy)
        assert before.run("SELECT position FROM sections") == [(1,)]
    place.open("project")


def test_an_upgrade_that_fails_leaves_the_older_store(
    place: Place, newer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(place)
    with (newer / "project" / "0003_further.py").open("a") as script:
        script.write("    raise ZeroDivisionError\n")
    with monkeypatch.context() as patch, pytest.raises(ZeroDivisionError):
        patch.setattr(migrate, "MIGRATIONS", newer)
        place.open("project")
    assert place.run("SELECT position FROM sections") == [(1,)]
    with place.open("project").read() as session:
        assert session.connection().exec_driver_sql("SELECT title FROM tasks").scalar() == "T"


def test_an_upgrade_that_breaks_references_is_none(
    sqlite_place: Place, newer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(sqlite_place)
    with (newer / "project" / "0003_further.py").open("a") as script:
        script.write('    op.execute("DELETE FROM sections")\n')
    monkeypatch.setattr(migrate, "MIGRATIONS", newer)
    with pytest.raises(AssertionError, match="broke references"):
        sqlite_place.open("project")
    assert sqlite_place.run("SELECT name FROM sections") == [("API",)]
