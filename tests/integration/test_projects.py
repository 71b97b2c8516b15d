"""The registry: what is listed, removed, found; no file of a project goes with it."""

import shutil
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from steroids.errors import Busy, NotAProject, UsageError, WrongState
from steroids.services import (
    presence,
    project_changes,
    project_listing,
    registry,
    sections,
    wanting,
)
from steroids.services.jobs import Jobs
from steroids.services.staffing import Staffing
from steroids.store import home_models as home
from steroids.store.columns import utc_now
from steroids.wire.project import Init, PruneMissing
from steroids.wire.runner import Up
from steroids.wire.task import TaskStatus
from tests.support.projects import another, last_seen, listed
from tests.support.repos import new_repo
from tests.support.service import Bench, bench


class Never(Executor):
    """Takes work and does none of it."""

    def submit(self, fn: Any, /, *args: Any, **named: Any) -> "Future[Any]":
        return Future()


def test_the_list_says_what_is_there(project: Bench, tmp_path: Path) -> None:
    project.section("api")
    project.task("One", "api")
    two = project.task("Two", "api")
    project.put(two, TaskStatus.COMPLETED)
    project.runner("api")
    off = another(project, tmp_path / "off")
    project_changes.enable(project.host, off.path, enabled=False)
    gone = another(project, tmp_path / "gone")
    shutil.rmtree(gone.path)
    found = listed(project)
    facts = {path: (p.status, p.runners, p.pending) for path, p in found.items()}
    assert facts == {
        str(project.repo.path): ("enabled", 1, 1),
        off.path: ("disabled", 0, 0),
        gone.path: ("missing", 0, None),
    }


def _broken(store: Path) -> None:
    store.write_bytes(b"no database at all" * 100)


def _missing(store: Path) -> None:
    store.unlink()


def _newer(store: Path) -> None:
    with closing(sqlite3.connect(store)) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
        raw.commit()


def _empty(store: Path) -> None:
    store.write_bytes(b"")


def _folder(store: Path) -> None:
    store.unlink()
    store.mkdir()


def _link(store: Path) -> None:
    store.rename(store.with_name("elsewhere"))
    store.symlink_to(store.with_name("elsewhere"))


@pytest.mark.parametrize("harm", [_broken, _missing, _newer, _empty, _folder, _link])
def test_a_store_that_cannot_be_read_is_shown_as_unknown(
    project: Bench, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    row = another(project, tmp_path / "other")
    project.host.release(row.id)
    harm(Path(row.path) / ".steroids" / "steroids.db")
    found = listed(project)[row.path]
    assert (found.status, found.pending) == ("enabled", None)
    assert listed(project)[str(project.repo.path)].pending == 0


def test_a_store_that_somebody_locks_is_shown_as_unknown(project: Bench, tmp_path: Path) -> None:
    row = another(project, tmp_path / "other")
    project.host.release(row.id)
    store = Path(row.path) / ".steroids" / "steroids.db"
    with closing(sqlite3.connect(store)) as raw:
        raw.execute("PRAGMA locking_mode=EXCLUSIVE")
        raw.execute("INSERT INTO counters (name, value) VALUES ('mine', 1)")
        raw.commit()
        assert listed(project)[row.path].pending is None


def test_a_folder_that_does_not_answer_is_missing_and_keeps_nobody_waiting(
    project: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hung = another(project, tmp_path / "hung")
    last = another(project, tmp_path / "last")
    answer = threading.Event()
    ended = threading.Event()
    there = presence.is_there

    def slow(path: str) -> bool | None:
        if path == hung.path:
            answer.wait()
            ended.set()
        return there(path)

    monkeypatch.setattr(presence, "is_there", slow)
    monkeypatch.setattr(presence, "LOOK_S", 0.2)
    try:
        found = listed(project)
        assert {path: each.status for path, each in found.items()} == {
            str(project.repo.path): "enabled",
            hung.path: "missing",
            last.path: "enabled",
        }
        before = threading.active_count()
        assert listed(project)[hung.path].status == "missing"
        assert registry.status_of(hung) == "missing"
        assert presence.gone([hung.path]) == set()
        assert threading.active_count() <= before
    finally:
        answer.set()
    assert ended.wait(10)


def test_what_was_removed_comes_back_as_it_was(project: Bench, tmp_path: Path) -> None:
    project.section("api")
    project.task("Kept", "api")
    root, before = project.repo.path, project.project
    project.repo.git("branch", "release")
    registry.init(project.host, Init(path=str(root), target="release"))
    files = sorted(path for path in root.rglob("*") if path.suffix != ".db-shm")
    removed = project_changes.remove(project.host, str(root))
    assert project.host.projects() == [] and Path(removed.kept).is_dir()
    left = {path for path in files if not path.exists()}
    assert {path.name for path in left} <= {"steroids.db-wal", "steroids.db-shm"}
    with pytest.raises(NotAProject):
        registry.at(project.host, str(root))
    added = registry.init(project.host, Init(path=str(root), add=True))
    assert (added.created, added.project.id, added.project.target) == (True, before.id, "release")
    assert listed(project)[str(root)].pending == 1
    assert registry.at(project.host, str(root)).mirror.path == before.mirror.path


def test_removed_elsewhere_it_may_be_served_by_another_home(project: Bench, tmp_path: Path) -> None:
    project_changes.remove(project.host, str(project.repo.path))
    (tmp_path / "elsewhere").mkdir()
    with bench(tmp_path / "elsewhere") as second:
        made = registry.init(second.host, Init(path=str(project.repo.path), add=True))
        assert made.project.id == project.project.id
        assert "another Steroids home" in made.notes[0]


def test_nothing_is_removed_under_living_runners(project: Bench) -> None:
    project.section("api")
    project.runner("api")
    root = str(project.repo.path)
    with pytest.raises(Busy, match="1 of its runners is alive") as caught:
        project_changes.remove(project.host, root)
    assert caught.value.hint == f"steroids down --project {root}"
    with project.project.landing, pytest.raises(Busy, match="landed right now"):
        project_changes.remove(project.host, root)
    assert [row.path for row in project.host.projects()] == [root]


def test_prune_removes_what_is_missing_and_was_not_seen_for_long(
    project: Bench, tmp_path: Path
) -> None:
    rows = {name: another(project, tmp_path / name) for name in ("old", "young", "there")}
    for name, days in (("old", 40), ("young", 2), ("there", 90)):
        last_seen(project, rows[name].id, timedelta(days=days))
        if name != "there":
            shutil.rmtree(rows[name].path)
    month = 30 * 86400
    look = project_changes.prune(project.host, PruneMissing(older_than_s=month, dry_run=True))
    assert [each.path for each in look.removed] == [rows["old"].path]
    assert len(project.host.projects()) == 4
    done = project_changes.prune(project.host, PruneMissing(older_than_s=month))
    assert [each.id for each in done.removed] == [rows["old"].id]
    assert [each.id for each in done.kept] == [rows["young"].id]
    done = project_changes.prune(project.host, PruneMissing())
    assert [each.id for each in done.removed] == [rows["young"].id]
    assert {row.path for row in project.host.projects()} == {
        str(project.repo.path),
        rows["there"].path,
    }


def test_a_disabled_project_gets_no_runners(project: Bench) -> None:
    project.section("api")
    root = str(project.repo.path)
    assert project_changes.enable(project.host, root, enabled=False).changed
    assert not project_changes.enable(project.host, root, enabled=False).changed
    with pytest.raises(WrongState, match="is disabled") as caught:
        wanting.up(project.host, project.project, Up(engine="fake"))
    assert caught.value.hint == f"steroids projects enable {root}"
    assert registry.init(project.host, Init(path=root)).project.enabled is False
    project_changes.enable(project.host, root, enabled=True)
    wanting.up(project.host, project.project, Up(engine="fake"))


def test_scan_finds_what_is_not_in_the_list(project: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "code"
    (folder / "node_modules").mkdir(parents=True)
    copy, away = folder / "deep" / "copy", folder / "away"
    shutil.copytree(project.repo.path, copy, symlinks=True)
    shutil.copytree(project.repo.path, folder / "node_modules" / "hidden", symlinks=True)
    (folder / "no-repository" / ".steroids").mkdir(parents=True)
    (folder / "loop").symlink_to(folder)
    other = another(project, tmp_path / "other")
    Path(other.path).rename(away)
    removed = another(project, folder / "removed")
    project_changes.remove(project.host, removed.path)
    known = another(project, folder / "known")
    done = project_listing.scan(project.host, str(folder))
    assert {each.path: (each.moved_from, each.copy_of) for each in done.found} == {
        str(away): (other.path, None),
        str(copy): (None, str(project.repo.path)),
        removed.path: (None, None),
    }
    assert done.registered == 1 and known.path
    with pytest.raises(UsageError, match="There is no folder"):
        project_listing.scan(project.host, str(tmp_path / "nowhere"))


def test_links_and_slashes_are_one_project(project: Bench, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(project.repo.path)
    again = registry.init(project.host, Init(path=f"{link}/"))
    assert (again.created, again.project.path) == (False, str(project.repo.path))
    assert not project_changes.enable(project.host, f"{link}/", enabled=True).changed


def test_the_last_look_is_kept_without_a_write_for_each(project: Bench) -> None:
    root = str(project.repo.path)

    def seen() -> object:
        return project.host.projects()[0].last_seen_at

    before = seen()
    registry.at(project.host, root)
    assert seen() == before
    last_seen(project, project.project.id, timedelta(minutes=2))
    registry.at(project.host, root)
    assert utc_now() - project.host.projects()[0].last_seen_at < timedelta(minutes=1)


def test_twenty_at_once_make_one_project(project: Bench, tmp_path: Path) -> None:
    repo = new_repo(tmp_path / "fresh")
    repo.commit("first", {"README": "hello\n"})
    body = Init(path=str(repo.path))
    with ThreadPoolExecutor(20) as pool:
        made = list(pool.map(lambda _: registry.init(project.host, body), range(20)))
    assert sorted(each.created for each in made) == [False] * 19 + [True]
    assert len({each.project.id for each in made}) == 1


def test_a_look_at_all_projects_is_one_write(project: Bench, tmp_path: Path) -> None:
    other = another(project, tmp_path / "other")
    ids = [other.id, project.project.id]
    last_seen(project, other.id, timedelta(days=2))
    young = next(row for row in project.host.projects() if row.id == project.project.id)
    registry.seen(project.host, ids)
    now = {row.id: row.last_seen_at for row in project.host.projects()}
    assert now[young.id] == young.last_seen_at
    assert utc_now() - now[other.id] < timedelta(minutes=1)


def test_a_path_that_cannot_be_looked_at_is_missing_but_not_gone(project: Bench) -> None:
    path = f"/{'x' * 300}"
    with project.host.store.write() as session:
        session.add(home.Project(path=path, name="x", target="main"))
    assert listed(project)[path].status == "missing"
    assert presence.gone([path, "/nowhere-at-all"]) == {"/nowhere-at-all"}
    with pytest.raises(NotAProject, match="any more"):
        registry.at(project.host, path)


def test_a_disabled_project_keeps_no_runner_going(project: Bench) -> None:
    project.section("api")
    project.task("One", "api")
    wanting.up(project.host, project.project, Up(engine="fake"))
    with project.project.store.read() as session:
        section = sections.named(session, "api")
    root = str(project.repo.path)
    for enabled in (False, True):
        project_changes.enable(project.host, root, enabled=enabled)
        jobs = Jobs(Never(), lambda: None)
        row = project.host.projects()[0]
        assert Staffing(project.host, jobs).see_to(project.project, row) is enabled
        assert jobs.runs(("start", section.id)) is enabled
