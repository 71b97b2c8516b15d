from pathlib import Path

import pytest

from steroids.engines.fake import FakeEngine
from steroids.errors import BadConfig, Busy, NotAProject, UsageError
from steroids.services import registry, target
from steroids.services.host import Host
from steroids.wire.project import Init
from tests.support.repos import Repo, new_repo
from tests.support.service import Bench


def second_host(folder: Path) -> Host:
    folder.mkdir()
    return Host(folder, lambda name: FakeEngine(), lambda: None, lambda: None)


def test_init_writes_its_files_and_is_safe_to_repeat(project: Bench) -> None:
    folder = project.repo.path / ".steroids"
    assert "steroids.db*" in (folder / ".gitignore").read_text()
    (folder / "config.yaml").write_text("# mine\n")
    again = registry.init(project.host, Init(path=str(project.repo.path)))
    assert (again.created, again.written) == (False, [])
    assert (folder / "config.yaml").read_text() == "# mine\n"
    assert [row.remote for row in project.host.projects()] == ["origin"]


def test_init_from_a_folder_inside_finds_the_root(project: Bench) -> None:
    inside = project.repo.path / "apps"
    assert registry.init(project.host, Init(path=str(inside))).created is False


def test_another_home_cannot_serve_the_same_project(project: Bench, tmp_path: Path) -> None:
    other = second_host(tmp_path / "other-home")
    with pytest.raises(Busy, match="is served by another controller") as caught:
        registry.init(other, Init(path=str(project.repo.path)))
    assert caught.value.exit_code == 6
    assert str(project.host.path) in (caught.value.hint or "")
    assert other.projects() == []
    other.close()


def test_a_project_is_free_again_when_its_controller_ends(project: Bench, tmp_path: Path) -> None:
    project.host.close()
    other = second_host(tmp_path / "other-home")
    registry.init(other, Init(path=str(project.repo.path)))
    other.close()


def test_where_there_is_no_usable_repository(project: Bench, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    empty = tmp_path / "empty"
    empty.mkdir()
    Repo(empty).git("init", "--quiet")
    shallow = tmp_path / "shallow"
    project.repo.git("clone", "--quiet", "--depth=1", f"file://{project.repo.path}", str(shallow))
    assert project.origin is not None
    for path, words, hint in (
        (plain, "Not a git repository", "git init"),
        (empty, "no commits", "git commit"),
        (project.origin.path, "bare", "git clone"),
        (shallow, "shallow", "--unshallow"),
        (tmp_path / "nowhere", "", ""),
    ):
        with pytest.raises(NotAProject) as caught:
            registry.init(project.host, Init(path=str(path)))
        assert words in caught.value.message and hint in (caught.value.hint or "")
        assert caught.value.exit_code == 3
        assert not (path / ".steroids").exists()


def test_a_detached_head_needs_a_target(project: Bench, tmp_path: Path) -> None:
    repo = new_repo(tmp_path / "detached")
    repo.git("checkout", "--quiet", "--detach")
    with pytest.raises(UsageError, match="detached"):
        registry.init(project.host, Init(path=str(repo.path)))
    with pytest.raises(UsageError, match="no branch 'mian'"):
        registry.init(project.host, Init(path=str(repo.path), target="mian"))
    made = registry.init(project.host, Init(path=str(repo.path), target="main"))
    assert made.project.target == "main"


def test_a_bad_file_that_landed_counts_as_none_but_is_refused_by_name(project: Bench) -> None:
    (project.repo.path / ".steroids" / "config.yaml").write_text("setpu: [x]\n")
    project.repo.git("add", "--force", ".steroids/config.yaml")
    project.repo.git("commit", "--quiet", "--message=bad")
    project.repo.git("push", "--quiet", "origin", "HEAD:main")
    target.fetch(project.project)
    with pytest.raises(BadConfig, match=r"\.steroids/config\.yaml on main:1: unknown key 'setpu'"):
        project.host.resolved(project.project)
    assert project.host.settings(project.project).setup is None


@pytest.mark.parametrize("name", ["controller.lock", "steroids.db", "config.yaml"])
def test_a_link_in_a_cloned_repository_leads_nowhere(
    project: Bench, tmp_path: Path, name: str
) -> None:
    repo = new_repo(tmp_path / "cloned")
    precious = tmp_path / "precious"
    precious.write_text("keep me\n")
    (repo.path / ".steroids").mkdir()
    (repo.path / ".steroids" / name).symlink_to(precious)
    if name == "config.yaml":
        precious.unlink()
        registry.init(project.host, Init(path=str(repo.path)))
        assert not precious.exists()
        return
    with pytest.raises(BadConfig, match="symbolic link"):
        registry.init(project.host, Init(path=str(repo.path)))
    assert precious.read_text() == "keep me\n"


def test_a_repository_that_ships_a_store_is_refused(project: Bench, tmp_path: Path) -> None:
    repo = new_repo(tmp_path / "cloned")
    repo.commit("a store of mine", {".steroids/steroids.db": "SQLite format 3\n"})
    with pytest.raises(BadConfig, match=r"\.steroids/steroids\.db is committed"):
        registry.init(project.host, Init(path=str(repo.path)))
