"""Commits that take others back, made without a work tree."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from steroids.errors import GitError
from steroids.git.commits import Identity, read_commits
from steroids.git.revert import inverse
from tests.support.fork import Fork, forked

ANN = Identity("Ann", "ann@x")
STEROIDS = Identity("Steroids", "steroids@x")
AT = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
def fork(tmp_path: Path) -> Fork:
    return forked(tmp_path)


def back(fork: Fork, *newest_first: str, reason: str | None = None) -> str:
    fork.mirror.fetch(str(fork.repo.path), "main")
    return inverse(fork.mirror, newest_first, author=ANN, committer=STEROIDS, at=AT, reason=reason)


def test_each_commit_is_taken_back_newest_first(fork: Fork) -> None:
    one = fork.on("main").commit("One\n\nWhy.", {"b.txt": "1\n", "new": "x\n"})
    two = fork.repo.commit("Two", {"b.txt": "2\n", "c.txt": None})
    tip = back(fork, two, one, reason="It broke.\n")
    second, first = fork.mirror.commits(two, tip)
    assert second.message == f'Revert "Two"\n\nThis reverts commit {two}.\n\nIt broke.'
    assert first.message == f'Revert "One"\n\nThis reverts commit {one}.\n\nIt broke.'
    assert second.parents == (two,) and (first.author_name, first.authored_at) == ("Ann", AT)
    assert fork.mirror.tree_hash(second.hash) == fork.mirror.tree_hash(one)
    assert fork.mirror.tree_hash(tip) == fork.mirror.tree_hash(fork.base)
    (raw,) = read_commits(fork.mirror.git, [tip])
    assert raw.committer.startswith(b"Steroids <steroids@x> ")
    assert back(fork, two, one, reason="It broke.\n") == tip
    fork.mirror.git("fsck", "--strict", tip)


def test_a_merge_is_taken_back_as_a_whole(fork: Fork) -> None:
    fork.on("work").commit("Mine", {"b.txt": "1\n"})
    fork.repo.commit("Mine too", {"new": "1\n"})
    theirs = fork.on("main").commit("theirs", {"c.txt": "1\n"})
    fork.repo.git("merge", "--quiet", "--no-ff", "-m", "Merge task: Mine", "work")
    merge = fork.main
    tip = back(fork, merge)
    assert fork.mirror.tree_hash(tip) == fork.mirror.tree_hash(theirs)
    (commit,) = fork.mirror.commits(merge, tip)
    assert commit.message == (
        f'Revert "Merge task: Mine"\n\nThis reverts commit {merge}, reversing\n'
        f"changes made to {theirs}."
    )


def test_commits_that_do_not_follow_each_other_are_refused(fork: Fork) -> None:
    one = fork.on("main").commit("One", {"b.txt": "1\n"})
    fork.repo.commit("Between", {"b.txt": "2\n"})
    two = fork.repo.commit("Two", {"b.txt": "3\n"})
    with pytest.raises(GitError, match="does not follow"):
        back(fork, two, one)
