"""Stores of every earlier release, populated by that release, are upgraded with nothing lost."""

from pathlib import Path
from typing import Any

import pytest

from steroids.engines.fake import FakeEngine
from steroids.home import MARKER
from steroids.services import history, runners, sections, tasks
from steroids.services.host import Host
from steroids.wire.runner import RunnerStatus
from steroids.wire.task import TaskStatus
from tests.support.earlier import SCHEMAS, contents, contents_of, lost, populate, restore, version
from tests.support.stores import Place

KINDS = ("home", "project")
NEW: dict[tuple[str, str], dict[str, dict[str, Any]]] = {
    ("home", "0001"): {"runners": {"once": (0, False), "loop": (None,)}, "wakeups": {}},
    ("project", "0001"): {"attempts": {"runner_id": (None,)}, "identity": {}},
}
"""Columns and tables that a schema did not have, and what old rows have there; of a table, {} is
that it is empty."""


def test_no_released_schema_is_left_out() -> None:
    assert SCHEMAS[:1] == ["0001"]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_they_have_something_of_everything(sqlite_place: Place, schema: str) -> None:
    assert sqlite_place.path is not None
    folder = sqlite_place.path.parent
    for kind in KINDS:
        restore(folder / f"{kind}.db", kind, schema)
    project = contents_of(folder / "project.db")
    assert {row["status"] for row in project["tasks"]} == {str(each) for each in TaskStatus}
    home = contents_of(folder / "home.db")
    assert [table for table, rows in [*project.items(), *home.items()] if not rows] == []
    assert {"idle", "busy", "running", "stopped"} & {str(row["status"]) for row in home["runners"]}
    assert sum(row["ended_at"] is None for row in home["runners"]) == 1


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_lost(
    place: Place, kind: str, schema: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    populate(place, kind, schema, tmp_path, monkeypatch)
    before = contents(place)

    place.open(kind).close()

    after, older = contents(place), version(before)
    # The same for the last one, when its release is just out.
    assert version(after) > older or after == before
    assert lost(before, after) == {}
    for table, columns in NEW.get((kind, older), {}).items():
        if not columns:
            assert after[table] == []
        for column, values in columns.items():
            assert {row[column] for row in after[table]} <= set(values)
    if place.path is not None and version(after) != older:
        copy = place.path.with_name(f"{place.path.name}.schema-{older}.bak")
        assert copy.stat().st_mode & 0o777 == 0o600
        assert contents_of(copy) == before
        assert not list(place.path.parent.glob("*.part*"))

    place.open(kind).close()
    assert contents(place) == after


def test_services_read_what_an_earlier_release_wrote(tmp_path: Path) -> None:
    restore(tmp_path / "home" / "steroids.db", "home", "0001", str(tmp_path))
    folder = tmp_path / "app" / MARKER
    restore(folder / "steroids.db", "project", "0001", str(tmp_path))
    engine = FakeEngine()
    host = Host(tmp_path / "home", lambda name: engine, lambda: None, lambda: None)
    try:
        (row,) = host.projects()
        project = host.open(row)
        found = {task.title: task for task in tasks.listing(project)}
        assert {task.status for task in found.values()} == set(TaskStatus)
        assert "A mistake" not in found
        mended = history.of(project, "Mends what the check said")
        assert [each.status for each in mended.attempts] == ["rejected", "approved"]
        names = {each.name: each for each in sections.listing(project)}
        assert names["B"].dependencies == ["A"] and "Removed" not in names
        (living,) = runners.listing(host, project)
        assert living.status is not RunnerStatus.STOPPED and living.section == "A"
    finally:
        host.close()
        engine.close()
