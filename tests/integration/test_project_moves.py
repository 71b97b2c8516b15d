"""Projects whose folders were moved, copied, or put in the place of others."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from steroids.errors import Busy, NotAProject, UsageError
from steroids.services import (
    project_changes,
    registry,
)
from steroids.services.recognition import CopiedProject
from steroids.store import home_models as home
from steroids.wire.project import Init, Move
from steroids.wire.task import TaskStatus
from tests.support.projects import another, listed
from tests.support.repos import new_repo
from tests.support.service import Bench


def moved(project: Bench, to: Path) -> Path:
    return project.repo.path.rename(to)


def test_a_moved_project_is_known_again(project: Bench, tmp_path: Path) -> None:
    project.section("api")
    task = project.task("Kept", "api")
    before = project.project
    new = moved(project, tmp_path / "new")
    assert listed(project)[str(project.repo.path)].status == "missing"
    made = registry.init(project.host, Init(path=str(new)))
    assert (made.moved_from, made.created, made.written) == (str(before.path), False, [])
    opened = registry.at(project.host, str(new))
    assert (opened.id, opened.path, opened.mirror.path) == (before.id, new, before.mirror.path)
    project.project = opened
    # The second connection is a new one, and finds the file by its path.
    with opened.store.read():
        assert project.look(task).title == "Kept"
    assert list(listed(project)) == [str(new)]
    with pytest.raises(NotAProject):
        registry.at(project.host, str(before.path))


def test_a_project_moves_while_its_runner_works(project: Bench, tmp_path: Path) -> None:
    project.section("api")
    task = project.task("On its way", "api")
    runner = project.runner("api")
    assignment = project.claim(runner)
    assert assignment is not None
    new = moved(project, tmp_path / "new")
    registry.init(project.host, Init(path=str(new)))
    project.project = registry.at(project.host, str(new))
    project.submit(runner, assignment, project.work(assignment, "done", {"apps/api/b": "2\n"}))
    assert project.look(task).status == TaskStatus.REVIEW


def test_moved_by_a_word(project: Bench, tmp_path: Path) -> None:
    old, new = project.repo.path, tmp_path / "new"
    with pytest.raises(NotAProject, match="There is no folder") as caught:
        project_changes.move(project.host, Move(old=str(old), new=str(new)))
    assert f"mv {old} {new}" in (caught.value.hint or "")
    moved(project, new)
    done = project_changes.move(project.host, Move(old=f"{old}/", new=str(new)))
    assert (done.project.id, done.project.path) == (project.project.id, str(new))
    assert done.project.name == "new"
    with pytest.raises(NotAProject, match="No project is registered"):
        project_changes.move(project.host, Move(old=str(old), new=str(new)))
    with pytest.raises(UsageError, match="is where the project is registered"):
        project_changes.move(project.host, Move(old=str(new), new=str(new)))


def test_a_move_to_something_else_is_refused(project: Bench, tmp_path: Path) -> None:
    old = str(project.repo.path)
    other = another(project, tmp_path / "other")
    fresh = new_repo(tmp_path / "fresh")
    fresh.commit("first", {"README": "hello\n"})
    for new, words in ((other.path, "another one's"), (str(fresh.path), "has no .steroids")):
        with pytest.raises(NotAProject, match=words):
            project_changes.move(project.host, Move(old=old, new=new))
    assert {row.path for row in project.host.projects()} == {old, other.path}


def test_a_copy_is_not_taken_for_the_project(project: Bench, tmp_path: Path) -> None:
    project.section("api")
    project.task("Only once", "api")
    copy = tmp_path / "copy"
    shutil.copytree(project.repo.path, copy, symlinks=True)
    with pytest.raises(CopiedProject) as caught:
        registry.init(project.host, Init(path=str(copy)))
    assert caught.value.exit_code == 6 and "init --anew" in (caught.value.hint or "")
    assert list(listed(project)) == [str(project.repo.path)]
    made = registry.init(project.host, Init(path=str(copy), anew=True))
    assert made.created and made.project.id != project.project.id
    found = listed(project)
    assert (found[str(copy)].pending, found[str(project.repo.path)].pending) == (0, 1)
    (aside,) = (copy / ".steroids").glob("steroids.db.copy-of-*.bak")
    with closing(sqlite3.connect(aside)) as raw:
        assert raw.execute("SELECT title FROM tasks").fetchall() == [("Only once",)]
    again = registry.init(project.host, Init(path=str(copy)))
    assert (again.created, again.project.id) == (False, made.project.id)


def test_only_a_copy_begins_anew(project: Bench) -> None:
    project.section("api")
    with pytest.raises(UsageError, match="is no copy"):
        registry.init(project.host, Init(path=str(project.repo.path), anew=True))
    assert registry.at(project.host, str(project.repo.path)).store is project.project.store


def test_a_copy_takes_the_place_of_a_project_without_living_runners(
    project: Bench, tmp_path: Path
) -> None:
    project.section("api")
    project.runner("api")
    copy = tmp_path / "copy"
    shutil.copytree(project.repo.path, copy, symlinks=True)
    with pytest.raises(Busy, match="1 of its runners is alive") as caught:
        project_changes.move(project.host, Move(old=str(project.repo.path), new=str(copy)))
    assert caught.value.hint == f"steroids down --project {project.repo.path}"
    with project.host.store.write() as session:
        session.delete(session.get_one(home.Runner, project.runner("api").id))
    project_changes.move(project.host, Move(old=str(project.repo.path), new=str(copy)))
    with pytest.raises(CopiedProject):
        registry.init(project.host, Init(path=str(project.repo.path)))


def test_another_project_in_the_place_of_one_is_not_served_as_that(
    project: Bench, tmp_path: Path
) -> None:
    other = another(project, tmp_path / "other")
    project.host.release(other.id)
    moved(project, tmp_path / "away")
    Path(other.path).rename(project.repo.path)
    with pytest.raises(NotAProject, match="is another project") as caught:
        registry.at(project.host, str(project.repo.path))
    assert "projects remove" in (caught.value.hint or "")


def test_a_link_may_stay_where_a_project_was(project: Bench, tmp_path: Path) -> None:
    old = project.repo.path
    new = moved(project, tmp_path / "new")
    old.symlink_to(new)
    assert listed(project)[str(old)].status == "enabled"
    assert registry.at(project.host, str(new)).id == project.project.id
    made = registry.init(project.host, Init(path=str(old)))
    assert (made.moved_from, made.project.path) == (str(old), str(new))
    assert registry.at(project.host, str(new)).path == new


def test_a_link_in_the_place_of_a_project_is_not_that_project(
    project: Bench, tmp_path: Path
) -> None:
    other = another(project, tmp_path / "other")
    shutil.rmtree(other.path)
    Path(other.path).symlink_to(project.repo.path)
    project_changes.remove(project.host, other.path)
    assert list(listed(project)) == [str(project.repo.path)]


@pytest.mark.parametrize("path", ["loop", "~nobody-of-that-name", "nul\0"])
def test_what_is_no_path_is_no_project(project: Bench, tmp_path: Path, path: str) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    given = path if path.startswith("~") else f"{tmp_path}/{path}"
    with pytest.raises(NotAProject):
        registry.init(project.host, Init(path=given))
    with pytest.raises(NotAProject):
        project_changes.move(project.host, Move(old=str(project.repo.path), new=given))


def _without_an_id(project: Bench) -> None:
    """As the first release left it: nobody has opened it with this one yet."""
    project.host.release(project.project.id)
    with closing(sqlite3.connect(project.repo.path / ".steroids" / "steroids.db")) as raw:
        raw.execute("DELETE FROM identity")
        raw.commit()


def test_one_from_before_there_were_ids_is_known_by_its_runners(
    project: Bench, tmp_path: Path
) -> None:
    project.section("api")
    project.runner("api")
    _without_an_id(project)
    copy = tmp_path / "copy"
    shutil.copytree(project.repo.path, copy, symlinks=True)
    with pytest.raises(CopiedProject):
        registry.init(project.host, Init(path=str(copy)))
    new = moved(project, tmp_path / "new")
    made = registry.init(project.host, Init(path=str(new)))
    assert (made.moved_from, made.project.id) == (str(project.repo.path), project.project.id)
