"""The mirror: what it fetches, what it can be asked, and that nothing else ever runs in it."""

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from steroids.errors import GitError, RemoteUnreachable
from steroids.git.mirror import ZERO, BranchMissing, Mirror, RefMoved
from steroids.git.network import RemoteRefused
from tests.support.repos import Repo, new_repo, plant_executables, plant_hooks


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return new_repo(tmp_path / "repo", {"a.txt": "one\ntwo\n", "lib/package-lock.json": "{}\n"})


@pytest.fixture
def mirror(tmp_path: Path) -> Mirror:
    return Mirror.create(tmp_path / "mirror.git")


def test_fetch_returns_the_tip_and_writes_only_below_its_own_refs(
    repo: Repo, mirror: Mirror
) -> None:
    repo.git("tag", "v1")
    assert mirror.fetch(str(repo.path), "main") == repo.head
    assert mirror.refs("refs/") == {"refs/steroids/target/main": repo.head}
    assert not (mirror.path / "FETCH_HEAD").exists()


def test_fetch_follows_a_branch_that_was_reset(repo: Repo, mirror: Mirror) -> None:
    first = repo.head
    repo.commit("gone soon", {"a.txt": "x\n"})
    mirror.fetch(str(repo.path), "main")
    repo.git("reset", "--hard", first)
    assert mirror.fetch(str(repo.path), "main") == first


def test_create_leaves_what_is_there(repo: Repo, mirror: Mirror) -> None:
    tip = mirror.fetch(str(repo.path), "main")
    assert Mirror.create(mirror.path).resolve("refs/steroids/target/main") == tip
    assert not (mirror.path / "hooks").exists()


def test_a_branch_that_is_absent_is_told_from_a_remote_that_is(
    repo: Repo, mirror: Mirror, tmp_path: Path
) -> None:
    with pytest.raises(BranchMissing, match="no branch nowhere"):
        mirror.fetch(str(repo.path), "nowhere")
    with pytest.raises(RemoteRefused):
        mirror.fetch(str(tmp_path / "gone"), "main")
    with pytest.raises(RemoteUnreachable):
        mirror.fetch("ssh://git@127.0.0.1:1/x.git", "main")


@pytest.mark.parametrize("branch", ["", "-x", "a..b", "a b", "x:refs/heads/main", "*", "a/.lock"])
def test_a_branch_name_cannot_smuggle_a_refspec(repo: Repo, mirror: Mirror, branch: str) -> None:
    with pytest.raises(GitError, match="Not a"):
        mirror.fetch(str(repo.path), branch)
    assert mirror.refs("refs/") == {}


def test_an_ext_url_runs_nothing(mirror: Mirror, tmp_path: Path) -> None:
    with pytest.raises(GitError):
        mirror.fetch(f"ext::touch {tmp_path}/canary", "main")
    with pytest.raises(GitError):
        mirror.fetch(f"--upload-pack=touch {tmp_path}/canary", "main")
    assert not (tmp_path / "canary").exists()


def test_fetching_from_several_threads_is_safe(repo: Repo, mirror: Mirror) -> None:
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(5):
                Mirror(mirror.path).fetch(str(repo.path), "main")
        except GitError as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(5):
        repo.commit(f"meanwhile {number}", {"a.txt": f"{number}\n"})
    for thread in threads:
        thread.join()
    assert failures == []


def test_resolve_and_ancestry(repo: Repo, mirror: Mirror) -> None:
    first, second = repo.head, repo.commit("second", {"a.txt": "1\n"})
    mirror.fetch(str(repo.path), "main")
    assert mirror.resolve(second[:10]) == second
    assert mirror.resolve("f" * 40) is None and mirror.resolve(f"{second}^{{tree}}") is None
    assert mirror.tree_hash(first) == repo.git("rev-parse", f"{first}^{{tree}}")
    assert mirror.tree_hash(first) != mirror.tree_hash(second)
    assert mirror.is_ancestor(first, second) and mirror.is_ancestor(second, second)
    assert not mirror.is_ancestor(second, first)
    with pytest.raises(GitError):
        mirror.is_ancestor("f" * 40, second)
    with pytest.raises(GitError, match="Not a revision"):
        mirror.resolve("--all")


def test_commits_are_listed_oldest_first_with_who_and_when(repo: Repo, mirror: Mirror) -> None:
    base = repo.head
    one = repo.commit("One\n\nWith a body.\n", {"a.txt": "1\n"}, "--date=1600000000 +0200")
    two = repo.commit("Two", {"a.txt": "2\n"}, "--author=Übel <u@x>")
    mirror.fetch(str(repo.path), "main")
    first, second = mirror.commits(base, two)
    assert (first.hash, first.parents) == (one, (base,))
    assert (first.message, first.subject) == ("One\n\nWith a body.", "One")
    assert first.authored_at == datetime.fromtimestamp(1600000000, UTC)
    assert (second.author_name, second.author_email) == ("Übel", "u@x")
    assert mirror.commits(two, two) == []


def test_a_commit_that_is_no_text_can_be_listed(repo: Repo, mirror: Mirror) -> None:
    base = repo.head
    repo.git("config", "i18n.commitEncoding", "latin1")
    repo.commit("Größe".encode("latin1"), {"a.txt": "1\n"})
    repo.git("config", "i18n.commitEncoding", "utf-8")
    repo.commit("replaced", {"a.txt": "2\n"})
    repo.reword(b"bad \xff\n")
    mirror.fetch(str(repo.path), "main")
    assert [c.message for c in mirror.commits(base, repo.head)] == ["Größe", "bad \ufffd"]


def test_diffs_counts_and_paths(repo: Repo, mirror: Mirror) -> None:
    base = repo.head
    repo.git("mv", "a.txt", "b.txt")
    repo.commit("change", {"b.txt": "one\ntwo\nthree\n", "c.bin": b"\0\1", b"\xff.txt": "x\n"})
    mirror.fetch(str(repo.path), "main")
    assert mirror.changed_paths(base, repo.head) == ["a.txt", "b.txt", "c.bin", "\\xff.txt"]
    assert mirror.counts(base, repo.head) == (3, 2, 0)
    assert mirror.counts(base, base) == (0, 0, 0)
    patch = mirror.diff(base, repo.head)
    assert b"rename from a.txt" in patch and b"\n+three\n" in patch and b"\x1b[" not in patch
    assert b"3 files changed" in mirror.diff(base, repo.head, stat=True)


def test_attributes_in_the_repository_do_not_hide_a_change(repo: Repo, mirror: Mirror) -> None:
    base = repo.commit("hide", {".gitattributes": "* -diff\n"})
    repo.commit("change", {"a.txt": "one\ntwo\nhidden\n"})
    mirror.fetch(str(repo.path), "main")
    assert b"+hidden" in mirror.diff(base, repo.head)


def test_files_and_trees_are_read_from_a_commit(repo: Repo, mirror: Mirror) -> None:
    (repo.path / "link").symlink_to("a.txt")
    repo.commit("link", {"[x]*.txt": "odd\n", "package-lock.json": "{}\n"})
    tip = mirror.fetch(str(repo.path), "main")
    assert mirror.read_file(tip, "a.txt") == b"one\ntwo\n"
    assert mirror.read_file(tip, "[x]*.txt") == b"odd\n"
    assert [mirror.read_file(tip, path) for path in ("no", "lib", "link", "*.txt")] == [None] * 4
    assert set(mirror.tree(tip)) >= {"a.txt", "lib/package-lock.json", "link"}
    locks = mirror.tree(tip, [":(glob)**/package-lock.json"])
    assert locks == {
        name: repo.git("rev-parse", f"HEAD:{name}")
        for name in ("lib/package-lock.json", "package-lock.json")
    }
    assert set(mirror.tree(tip, ["lib"])) == {"lib/package-lock.json"}
    assert mirror.tree(tip, ["nothing"]) == {}
    with pytest.raises(GitError):
        mirror.read_file("f" * 40, "a.txt")


def test_refs_are_set_with_an_expectation_and_only_under_their_own_prefix(
    repo: Repo, mirror: Mirror
) -> None:
    first, second = repo.head, repo.commit("second", {"a.txt": "1\n"})
    mirror.fetch(str(repo.path), "main")
    ref = "refs/steroids/tasks/t1/1"
    mirror.set_ref(ref, first, ZERO)
    with pytest.raises(RefMoved):
        mirror.set_ref(ref, second, ZERO)
    with pytest.raises(RefMoved):
        mirror.set_ref(ref, second, second)
    mirror.set_ref(ref, second, first)
    assert mirror.refs("refs/steroids/tasks") == {ref: second}
    for outside in ("refs/heads/main", "HEAD", "refs/steroids/../heads/x", "refs/steroids/x.lock"):
        with pytest.raises(GitError):
            mirror.set_ref(outside, first)
    with pytest.raises(GitError):
        mirror.set_ref(ref, "f" * 40)
    mirror.delete_ref(ref)
    mirror.delete_ref(ref)
    assert mirror.refs("refs/steroids/tasks") == {}


def test_nothing_that_configuration_hooks_or_variables_name_is_executed(
    repo: Repo, mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, canary = tmp_path / "home", tmp_path / "canary"
    plant_executables(home, canary)
    plant_hooks(mirror.path / "hooks", canary)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", str(home / "evil.sh"))
    monkeypatch.setenv("GIT_PAGER", str(home / "evil.sh"))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    base = repo.commit("attributes", {".gitattributes": "* diff=evil filter=evil merge=evil\n"})
    repo.commit("change", {"a.txt": "changed\n"})
    tip = mirror.fetch(str(repo.path), "main")
    mirror.diff(base, tip)
    mirror.diff(base, tip, stat=True)
    mirror.changed_paths(base, tip)
    mirror.commits(base, tip)
    mirror.set_ref("refs/steroids/x", tip)
    mirror.delete_ref("refs/steroids/x")
    assert not canary.exists()


def test_the_users_configuration_changes_no_answer(
    repo: Repo, mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = repo.head
    repo.commit("change", {"a.txt": "changed\n"})
    tip = mirror.fetch(str(repo.path), "main")
    plain = mirror.diff(base, tip)
    (tmp_path / ".gitconfig").write_text("[diff]\nnoprefix = true\ncontext = 0\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert mirror.diff(base, tip) == plain


def test_passwords_and_control_characters_are_not_repeated(mirror: Mirror) -> None:
    with pytest.raises(GitError) as caught:
        mirror.fetch("http://bob:secret@127.0.0.1:1/\x1b[31mx.git", "main")
    assert "secret" not in caught.value.message + str(caught.value.hint)
    assert "\x1b" not in caught.value.message


def test_a_mirror_that_is_gone_says_so(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="is not there"):
        Mirror(tmp_path / "gone").resolve("HEAD")


def test_a_local_call_that_takes_too_long_is_a_git_error(repo: Repo, mirror: Mirror) -> None:
    with pytest.raises(GitError, match="did not finish"):
        mirror.git("fetch", str(repo.path), timeout_s=0.0001)
