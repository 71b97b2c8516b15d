"""An attempt landed as one commit, or under a merge; and what is the same for every way."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from steroids.git.commits import read_commits
from steroids.git.land import Replayed
from tests.support.fork import LINES, Fork, forked

WAYS = ("rebase", "squash", "merge")
AT = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
def fork(tmp_path: Path) -> Fork:
    return forked(tmp_path)


def test_squash_makes_one_commit_that_names_all_who_wrote(fork: Fork) -> None:
    one = fork.on("work").commit(
        "One\n\nWhy.\n\nCo-authored-by: Cy <cy@x>\n", {"b.txt": "1\n"}, "--author=Übel <u@x>"
    )
    two = fork.repo.commit("Two", {"b.txt": "2\n"}, "--author=Bo <bo@x>", "--date=1500000000 -0700")
    fork.on("main").commit("theirs", {"c.txt": "theirs\n"})
    landed = fork.lands(how="squash", message="Add  login")
    (commit,) = fork.mirror.commits(fork.main, landed.tip)
    assert landed.landed == {one: commit.hash, two: commit.hash}
    assert commit.parents == (fork.main,)
    assert commit.message == (
        "Add login\n\n* One\n\nWhy.\n\nCo-authored-by: Cy <cy@x>\n\n* Two\n\n"
        "Co-authored-by: Übel <u@x>\nCo-authored-by: Cy <cy@x>\nSteroids-Task: T1"
    )
    assert (commit.author_name, commit.author_email) == ("Bo", "bo@x")
    (raw,) = read_commits(fork.mirror.git, [commit.hash])
    assert raw.author.endswith(b"1500000000 -0700")
    assert fork.read(landed.tip, "b.txt") == b"2\n" and fork.read(landed.tip, "c.txt") is not None


@pytest.mark.parametrize(
    ("title", "message"),
    [
        (None, "One\n\nWhy.\n\nSteroids-Task: T1"),
        ("One", "One\n\nWhy.\n\nSteroids-Task: T1"),
        ("Title", "Title\n\nOne\n\nWhy.\n\nSteroids-Task: T1"),
    ],
)
def test_a_single_commit_squashed_says_nothing_twice(
    fork: Fork, title: str | None, message: str
) -> None:
    fork.on("work").commit("One\n\nWhy.", {"b.txt": "1\n"})
    (commit,) = fork.mirror.commits(fork.main, fork.lands(how="squash", message=title).tip)
    assert commit.message == message


def test_a_merge_keeps_the_attempts_commits_and_has_the_trailer_itself(fork: Fork) -> None:
    one = fork.on("work").commit("One", {"b.txt": "1\n"})
    two = fork.repo.commit("Two", {"b.txt": "2\n"})
    fork.on("main").commit("theirs", {"c.txt": "theirs\n"})
    landed = fork.lands(how="merge", message="Add login", at=AT)
    merge = fork.mirror.commits(landed.tip + "^", landed.tip)[-1]
    assert landed.landed == {one: one, two: two} and merge.hash == landed.tip
    assert merge.parents == (fork.main, two)
    assert merge.message == "Merge task: Add login\n\nSteroids-Task: T1"
    assert (merge.author_name, merge.authored_at) == ("Steroids bot", AT)
    assert fork.read(landed.tip, "b.txt") == b"2\n" and fork.read(landed.tip, "c.txt") is not None
    fork.mirror.git("fsck", "--strict", landed.tip)


def test_a_merge_is_made_though_the_target_has_not_moved(fork: Fork) -> None:
    one = fork.on("work").commit("One", {"b.txt": "1\n"})
    landed = fork.lands(how="merge", message="Add login")
    (raw,) = read_commits(fork.mirror.git, [landed.tip])
    assert raw.parents == (fork.base, one) and landed.landed == {one: one}


def test_a_merge_does_not_bring_back_what_was_taken_out_of_the_target(fork: Fork) -> None:
    base = fork.on("main").commit("to be dropped", {"secret.txt": "x\n"})
    fork.on("work").git("reset", "--hard", "--quiet", "main")
    mine = fork.repo.commit("mine", {"b.txt": "1\n"})
    fork.on("main").git("reset", "--hard", "--quiet", fork.base)
    fork.repo.commit("instead", {"c.txt": "1\n"})
    landed = fork.lands(base=base, how="merge", message="m")
    assert not fork.mirror.is_ancestor(base, landed.tip)
    assert landed.landed == {mine: landed.tip}
    assert fork.read(landed.tip, "secret.txt") is None


@pytest.mark.parametrize("how", WAYS)
def test_equal_input_gives_equal_hashes(fork: Fork, how: str) -> None:
    fork.on("work").commit("One", {"b.txt": "1\n"})
    fork.repo.commit("Two", {"b.txt": "2\n"})
    fork.on("main").commit("theirs", {"c.txt": "theirs\n"})
    first = fork.lands(how=how, at=AT, message="T")
    assert first == fork.lands(how=how, at=AT, message="T") != fork.lands(how=how, message="T")


@pytest.mark.parametrize("how", WAYS)
def test_nothing_lands_of_an_empty_range_or_one_that_is_there(fork: Fork, how: str) -> None:
    fork.on("main").commit("theirs", {"b.txt": "same\n"})
    assert fork.lands(how=how) == Replayed(fork.main, {})
    empty = fork.on("work").commit("empty")
    same = fork.repo.commit("the same", {"b.txt": "same\n"})
    assert fork.lands(how=how) == Replayed(fork.main, {empty: None, same: None})


@pytest.mark.parametrize("how", WAYS)
def test_what_the_target_contains_stays_itself(fork: Fork, how: str) -> None:
    upstream = fork.on("main").commit("upstream", {"c.txt": "1\n"})
    fork.on("work").git("reset", "--hard", "--quiet", "main")
    mine = fork.repo.commit("mine", {"b.txt": "1\n"})
    fork.on("main").commit("more", {"a.txt": "x\n"})
    landed = fork.lands(how=how).landed
    assert landed[upstream] == upstream and landed.keys() == {upstream, mine}


@pytest.mark.parametrize("how", WAYS)
def test_a_conflict_names_both_sides_by_every_name_that_the_file_had(fork: Fork, how: str) -> None:
    fork.on("work").commit("beside", {"b.txt": "1\n"})
    ours = fork.repo.commit("ours", {"a.txt": "mine\n" + "".join(LINES[1:])})
    fork.on("main").git("mv", "a.txt", "moved.txt")
    moved = fork.repo.commit("move")
    theirs = fork.repo.commit("theirs", {"moved.txt": "yours\n" + "".join(LINES[1:])})
    found = fork.conflicts(how=how)
    assert (found.paths, found.commit) == (["moved.txt"], ours)
    assert [commit.hash for commit in found.ours] == [ours]
    assert [commit.hash for commit in found.theirs] == [moved, theirs]


@pytest.mark.parametrize("how", WAYS)
def test_a_revert_of_a_revert_lands(fork: Fork, how: str) -> None:
    first = fork.on("main").commit("one", {"b.txt": "1\n"})
    fork.repo.git("revert", "--no-edit", first)
    fork.on("work").git("reset", "--hard", "--quiet", "main")
    base = fork.work
    fork.repo.git("revert", "--no-edit", "HEAD")
    fork.on("main").commit("more", {"c.txt": "1\n"})
    tip = fork.lands(how=how, base=base).tip
    assert fork.read(tip, "b.txt") == b"1\n"


@pytest.mark.parametrize("how", WAYS)
def test_an_octopus_lands(fork: Fork, how: str) -> None:
    for name in ("x", "y"):
        fork.repo.git("switch", "--quiet", "--create", name, fork.base)
        fork.repo.commit(name, {f"{name}.txt": "1\n"})
    fork.on("work").commit("mine", {"b.txt": "1\n"})
    fork.repo.git("merge", "--quiet", "--no-ff", "-m", "octopus", "x", "y")
    assert len(fork.repo.git("log", "-1", "--format=%P").split()) == 3
    fork.on("main").commit("theirs", {"c.txt": "1\n"})
    landed = fork.lands(how=how)
    assert all(fork.read(landed.tip, path) for path in ("x.txt", "y.txt"))
    assert fork.read(landed.tip, "c.txt") == b"1\n" and fork.read(landed.tip, "b.txt") == b"1\n"
    on_top = fork.mirror.git("rev-list", "--first-parent", landed.tip, f"^{fork.main}").out
    assert len(on_top.split()) == 1 and None not in landed.landed.values()


@pytest.mark.parametrize("how", WAYS)
def test_a_criss_cross_keeps_how_it_was_resolved(fork: Fork, how: str) -> None:
    """Each side has merged the other, so there is more than one place where they parted."""
    main_1 = fork.on("main").commit("main 1", {"b.txt": "main\n"})
    work_1 = fork.on("work").commit("work 1", {"a.txt": "work\n" + "".join(LINES[1:])})
    fork.repo.git("merge", "--quiet", "--no-ff", "-m", "main into work", main_1)
    fork.on("main").git("merge", "--quiet", "--no-ff", "-m", "work into main", work_1)
    fork.repo.commit("main 2", {"c.txt": "main\n"})
    mine = fork.on("work").commit("work 2", {"b.txt": "both\n"})
    landed = fork.lands(how=how)
    assert fork.read(landed.tip, "b.txt") == b"both\n"
    assert fork.read(landed.tip, "c.txt") == b"main\n"
    assert landed.landed[work_1] == work_1 and landed.landed[mine] not in (None, fork.main)


@pytest.mark.parametrize("how", WAYS)
def test_submodules_cases_and_kinds_of_files_survive(fork: Fork, how: str) -> None:
    work = fork.on("work")
    work.git("update-index", "--add", "--cacheinfo", f"160000,{fork.base},vendor/lib")
    work.git("mv", "c.txt", "C.txt")
    (work.path / "link").symlink_to("b.txt")
    (work.path / "b.txt").chmod(0o755)
    work.git("add", "b.txt", "link")
    work.git("commit", "--quiet", "-m", "kinds")
    fork.on("main").commit("theirs", {"a.txt": "theirs\n", b"\xff": "odd\n"})
    tip = fork.lands(how=how).tip
    listed = fork.mirror.git("ls-tree", "-r", "-z", tip).stdout
    assert b"160000 commit " + fork.base.encode() + b"\tvendor/lib\0" in listed
    assert b"\tC.txt\0" in listed and b"\tc.txt\0" not in listed and b"\t\xff\0" in listed
    assert b"120000 blob" in listed and b"100755 blob" in listed


@pytest.mark.parametrize("how", WAYS)
def test_a_submodule_that_both_moved_is_a_conflict(fork: Fork, how: str) -> None:
    for branch, commit in (("work", fork.base), ("main", "1" * 40)):
        repo = fork.on(branch)
        repo.git("update-index", "--add", "--cacheinfo", f"160000,{commit},vendor")
        repo.git("commit", "--quiet", "-m", branch)
    found = fork.conflicts(how=how)
    assert found.paths == ["vendor"]
    assert [[c.subject for c in side] for side in (found.ours, found.theirs)] == [
        ["work"],
        ["main"],
    ]


@pytest.mark.parametrize("how", WAYS)
def test_a_folder_that_one_side_moved_is_a_conflict_with_what_the_other_put_there(
    fork: Fork, how: str
) -> None:
    fork.on("main").commit("folder", {"old/x.txt": "".join(LINES)})
    fork.on("work").git("reset", "--hard", "--quiet", "main")
    base, ours = fork.work, fork.repo.commit("add", {"old/new.txt": "1\n"})
    fork.on("main").git("mv", "old", "lib")
    theirs = fork.repo.commit("move")
    found = fork.conflicts(how=how, base=base)
    assert found.paths == ["lib/new.txt"]
    assert [c.hash for c in found.ours] == [ours] and [c.hash for c in found.theirs] == [theirs]


@pytest.mark.parametrize("how", WAYS)
def test_a_conflict_that_is_in_no_file_is_one_too(fork: Fork, how: str) -> None:
    """The folder's new place has a file of that name: git says so, and leaves no entry unmerged."""
    base = fork.on("main").commit("folder", {"old/x.txt": "".join(LINES)})
    fork.on("work").git("reset", "--hard", "--quiet", "main")
    ours = fork.repo.commit("add", {"old/new.txt": "1\n", "lib/new.txt": "2\n"})
    fork.on("main").git("mv", "old", "lib")
    theirs = fork.repo.commit("move")
    found = fork.conflicts(how=how, base=base)
    assert found.paths == ["lib/new.txt", "old/new.txt"]
    assert [c.hash for c in found.ours] == [ours] and theirs in [c.hash for c in found.theirs]
