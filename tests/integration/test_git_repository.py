"""What `init` learns about the user's own repository."""

from pathlib import Path

import pytest

from steroids.errors import NotAProject
from steroids.git.repository import checked_out, identity, inspect
from tests.support.repos import Repo, new_repo, plant_executables


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return new_repo(tmp_path / "repo", {"apps/web/x.txt": "x\n"})


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.delenv("GIT_CONFIG_GLOBAL", raising=False)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return folder


def test_an_ordinary_repository_is_seen_from_any_folder_in_it(repo: Repo, home: Path) -> None:
    (home / ".gitconfig").write_text("[user]\nname = Ann\nemail = ann@example.org\n")
    seen = inspect(repo.path / "apps" / "web")
    assert (seen.root, seen.git_dir) == (repo.path, repo.path / ".git")
    assert (seen.branch, seen.head) == ("main", repo.head)
    assert identity(seen.root) == ("Ann", "ann@example.org")
    assert not (seen.bare or seen.shallow or seen.submodules or seen.lfs)
    assert seen.remotes == {}


def test_remotes_are_listed_with_urls_that_work_from_elsewhere(repo: Repo) -> None:
    urls = {
        "origin": "git@example.org:a/b.git",
        "web": "https://example.org/a/b",
        "a.b": "../other.git",
        "abs": "/srv/x.git",
    }
    for name, url in urls.items():
        repo.git("remote", "add", name, url)
    assert inspect(repo.path).remotes == urls | {"a.b": str(repo.path.parent / "other.git")}


def test_detached_empty_and_bare(repo: Repo, tmp_path: Path) -> None:
    repo.git("switch", "--quiet", "--detach")
    assert (inspect(repo.path).branch, inspect(repo.path).head) == (None, repo.head)
    repo.git("clone", "--quiet", "--bare", str(repo.path), str(tmp_path / "bare.git"))
    bare = inspect(tmp_path / "bare.git")
    assert bare.bare and bare.root == bare.git_dir == tmp_path / "bare.git"
    (tmp_path / "empty").mkdir()
    empty = Repo(tmp_path / "empty")
    empty.git("init", "--quiet", "--initial-branch=trunk")
    seen = inspect(empty.path)
    assert (seen.branch, seen.head) == ("trunk", None)
    assert identity(seen.root) == (None, None)


def test_shallow_clones_submodules_and_lfs_are_noticed(repo: Repo, tmp_path: Path) -> None:
    repo.commit("more", {"apps/.gitattributes": "*.png filter=lfs diff=lfs\n", ".gitmodules": ""})
    clone = tmp_path / "clone"
    repo.git("clone", "--quiet", "--depth=1", repo.path.as_uri(), str(clone))
    seen = inspect(clone)
    assert seen.shallow and seen.submodules and seen.lfs


def test_linked_work_trees_share_a_git_directory_and_count_as_checked_out(
    repo: Repo, tmp_path: Path
) -> None:
    repo.git("worktree", "add", "--quiet", "-b", "side", str(tmp_path / "side"))
    repo.git("branch", "neither")
    seen = inspect(tmp_path / "side")
    assert (seen.root, seen.git_dir, seen.branch) == (
        tmp_path / "side",
        repo.path / ".git",
        "side",
    )
    for place in (repo.path, tmp_path / "side"):
        assert checked_out(place, "main") and checked_out(place, "side")
        assert not checked_out(place, "neither") and not checked_out(place, "mai")


def test_what_is_no_repository_says_how_to_make_one(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    for look in (lambda path: inspect(path), lambda path: checked_out(path, "main")):
        with pytest.raises(NotAProject, match="Not a git repository") as caught:
            look(tmp_path / "plain")
        assert caught.value.exit_code == 3 and "git init" in str(caught.value.hint)
        with pytest.raises(NotAProject, match="no folder"):
            look(tmp_path / "gone")


def test_the_inside_of_a_git_directory_is_not_a_project(repo: Repo) -> None:
    with pytest.raises(NotAProject, match="inside a git directory"):
        inspect(repo.path / ".git" / "objects")


def test_a_repository_that_is_broken_says_why(repo: Repo) -> None:
    (repo.path / ".git" / "config").write_text("[core\n")
    with pytest.raises(NotAProject, match="bad config"):
        inspect(repo.path)


def test_looking_runs_no_hook_and_no_monitor(repo: Repo, tmp_path: Path) -> None:
    plant_executables(tmp_path / "home", tmp_path / "canary")
    repo.commit("attributes", {".gitattributes": "* diff=evil filter=lfs\n"})
    assert inspect(repo.path).lfs
    checked_out(repo.path, "main")
    assert not (tmp_path / "canary").exists()
