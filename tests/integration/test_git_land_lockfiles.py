"""Files that a program writes, in conflict: settled with the target's side, or left to people."""

from pathlib import Path

import pytest

from steroids.git.land import Replayed
from tests.support.fork import Fork, forked

WAYS = ("rebase", "squash", "merge")
NAMES = frozenset({"lock.json"})
LOCK = "apps/x/lock.json"


@pytest.fixture
def fork(tmp_path: Path) -> Fork:
    return forked(tmp_path, {LOCK: "one\n", "lock.json": "one\n", "apps/x/other": "1\n"})


def parted(fork: Fork, path: str = LOCK, **beside: str) -> tuple[str, str]:
    """Both sides change a lockfile, and the attempt a manifest too."""
    ours = fork.on("work").commit("ours", {path: "mine\n", "b.txt": "mine\n"})
    theirs = fork.on("main").commit("theirs", {path: "yours\n", **beside})
    return ours, theirs


@pytest.mark.parametrize("how", WAYS)
def test_a_lockfile_alone_is_taken_from_the_target_and_named(fork: Fork, how: str) -> None:
    parted(fork)
    landed = fork.lands(how=how, regenerated=NAMES)
    assert landed.stale == [LOCK]
    assert fork.read(landed.tip, LOCK) == b"yours\n" and fork.read(landed.tip, "b.txt") == b"mine\n"
    assert fork.read(landed.tip, "apps/x/other") == b"1\n"
    fork.mirror.git("fsck", "--strict", landed.tip)


@pytest.mark.parametrize("how", WAYS)
def test_without_its_name_it_is_a_conflict_like_any(fork: Fork, how: str) -> None:
    ours, theirs = parted(fork)
    found = fork.conflicts(how=how, regenerated=frozenset({"other.json"}))
    assert found.paths == [LOCK]
    assert [c.hash for c in found.ours] == [ours] and [c.hash for c in found.theirs] == [theirs]


@pytest.mark.parametrize("how", WAYS)
def test_with_another_file_in_conflict_all_of_it_is_named(fork: Fork, how: str) -> None:
    fork.on("work").commit("ours", {LOCK: "mine\n", "c.txt": "mine\n"})
    fork.on("main").commit("theirs", {LOCK: "yours\n", "c.txt": "yours\n"})
    assert fork.conflicts(how=how, regenerated=NAMES).paths == [LOCK, "c.txt"]


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("gone", ["ours", "theirs"])
def test_one_that_a_side_has_removed_is_for_people_to_decide(
    fork: Fork, how: str, gone: str
) -> None:
    content = {"ours": (None, "yours\n"), "theirs": ("mine\n", None)}[gone]
    fork.on("work").commit("ours", {LOCK: content[0], "b.txt": "mine\n"})
    fork.on("main").commit("theirs", {LOCK: content[1]})
    assert fork.conflicts(how=how, regenerated=NAMES).paths == [LOCK]


@pytest.mark.parametrize("how", WAYS)
def test_one_that_became_a_link_is_no_lockfile(fork: Fork, how: str) -> None:
    work = fork.on("work")
    (work.path / LOCK).unlink()
    (work.path / LOCK).symlink_to("../../b.txt")
    work.commit("ours", {"b.txt": "mine\n"})
    fork.on("main").commit("theirs", {LOCK: "yours\n"})
    assert all(path.startswith(LOCK) for path in fork.conflicts(how=how, regenerated=NAMES).paths)


@pytest.mark.parametrize("how", WAYS)
def test_both_may_have_added_it(fork: Fork, how: str) -> None:
    parted(fork, "new/deep/lock.json")
    landed = fork.lands(how=how, regenerated=NAMES)
    assert landed.stale == ["new/deep/lock.json"]
    assert fork.read(landed.tip, "new/deep/lock.json") == b"yours\n"


@pytest.mark.parametrize("how", WAYS)
def test_a_change_of_nothing_else_would_be_lost_so_it_is_a_conflict(fork: Fork, how: str) -> None:
    ours = fork.on("work").commit("ours", {LOCK: "mine\n"})
    fork.on("main").commit("theirs", {LOCK: "yours\n"})
    found = fork.conflicts(how=how, regenerated=NAMES)
    assert (found.paths, [c.hash for c in found.ours]) == ([LOCK], [ours])


def test_several_commits_and_several_lockfiles_are_settled_one_after_the_other(fork: Fork) -> None:
    fork.on("work").commit("1", {LOCK: "mine\n", "b.txt": "1\n"})
    lock_alone = fork.repo.commit("2", {LOCK: "mine 2\n"})
    fork.repo.commit("3", {"lock.json": "mine\n", "b.txt": "3\n"})
    fork.on("main").commit("theirs", {LOCK: "yours\n", "lock.json": "yours\n"})
    landed = fork.lands(regenerated=NAMES)
    assert landed.stale == [LOCK, "lock.json"] and landed.landed[lock_alone] is None
    assert fork.read(landed.tip, "b.txt") == b"3\n"
    assert fork.read(landed.tip, LOCK) == fork.read(landed.tip, "lock.json") == b"yours\n"


def test_one_that_moves_later_on_is_for_people(fork: Fork) -> None:
    fork.on("work").commit("1", {LOCK: "mine\n", "b.txt": "1\n"})
    fork.repo.git("mv", LOCK, "apps/lock.json")
    fork.repo.commit("2")
    fork.on("main").commit("theirs", {LOCK: "yours\n"})
    assert LOCK in fork.conflicts(regenerated=NAMES).paths


def test_one_that_git_can_merge_is_not_stale(fork: Fork) -> None:
    lines = [f"{n}\n" for n in range(20)]
    base = fork.on("main").commit("lines", {LOCK: "".join(lines)})
    fork.on("work").git("reset", "--hard", "--quiet", "main")
    fork.repo.commit("ours", {LOCK: "mine\n" + "".join(lines)})
    fork.on("main").commit("theirs", {LOCK: "".join(lines) + "yours\n"})
    assert fork.lands(base=base, regenerated=NAMES).stale == []


def test_what_is_there_already_stays_nothing(fork: Fork) -> None:
    ours, _ = parted(fork)
    first = fork.lands(regenerated=NAMES)
    fork.move_main(first.tip)
    fork.repo.commit("written again", {LOCK: "both\n"})
    again = fork.replay(regenerated=NAMES)
    assert not isinstance(again, Replayed) or again.landed == {ours: None}


def test_a_large_tree_is_not_read_whole(tmp_path: Path) -> None:
    """Only the folders on the way are written anew; what is beside them stays the same object."""
    files: dict[str | bytes, str | bytes | None] = {
        f"d{n // 50}/{n}": f"{n}\n" for n in range(2000)
    }
    fork = forked(tmp_path, {**files, "d3/lock.json": "one\n"})
    parted(fork, "d3/lock.json")
    tip = fork.lands(regenerated=NAMES).tip
    before = fork.mirror.git("ls-tree", fork.main).out.splitlines()
    after = fork.mirror.git("ls-tree", tip).out.splitlines()
    assert {line.split("\t")[1] for line in {*after} - {*before}} == {"b.txt"}
