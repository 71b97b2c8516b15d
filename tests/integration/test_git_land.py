"""Rebasing an attempt in the mirror: what fits, what does not, and what must come out unchanged."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from steroids.git.commits import read_commits
from steroids.git.land import Conflict, Replayed
from tests.support.fork import LINES, Fork, forked
from tests.support.repos import plant_executables


@pytest.fixture
def fork(tmp_path: Path) -> Fork:
    return forked(tmp_path)


def test_commits_are_put_on_top_with_authors_dates_messages_and_the_trailer(fork: Fork) -> None:
    one = fork.on("work").commit("One\n\nBody.\n", {"a.txt": "new\n" + "".join(LINES)})
    two = fork.repo.commit(
        "Two", {"b.txt": "2\n"}, "--author=Übel <u@x>", "--date=1500000000 -0700"
    )
    fork.on("main").commit("theirs", {"c.txt": "theirs\n", "a.txt": "".join(LINES) + "end\n"})
    landed = fork.lands()
    first, second = fork.mirror.commits(fork.main, landed.tip)
    assert landed.landed == {one: first.hash, two: second.hash} and landed.tip == second.hash
    assert first.parents == (fork.main,)
    assert first.message == "One\n\nBody.\n\nSteroids-Task: T1"
    assert second.message == "Two\n\nSteroids-Task: T1"
    assert (second.author_name, second.author_email) == ("Übel", "u@x")
    old, new = read_commits(fork.mirror.git, [two, second.hash])
    assert new.author == old.author and new.author.endswith(b"1500000000 -0700")
    assert new.committer.startswith(b"Steroids bot <steroids@example.org> ")
    assert fork.read(landed.tip, "a.txt") == ("new\n" + "".join(LINES) + "end\n").encode()
    assert fork.read(landed.tip, "c.txt") == b"theirs\n"
    fork.mirror.git("fsck", "--strict", landed.tip)


def test_the_trailer_joins_others_and_is_not_added_twice(fork: Fork) -> None:
    fork.on("work").commit("One\n\nSigned-off-by: Ann <a@x>\n", {"b.txt": "1\n"})
    fork.repo.commit("Two\n\nSteroids-Task: T1\n", {"b.txt": "2\n"})
    fork.repo.commit("Three\n\nSteroids-Task: T0\n", {"b.txt": "3\n"})
    messages = [c.message for c in fork.mirror.commits(fork.base, fork.lands().tip)]
    assert messages == [
        "One\n\nSigned-off-by: Ann <a@x>\nSteroids-Task: T1",
        "Two\n\nSteroids-Task: T1",
        "Three\n\nSteroids-Task: T0\nSteroids-Task: T1",
    ]


def test_equal_input_gives_equal_hashes_and_the_date_may_be_given(fork: Fork) -> None:
    fork.on("work").commit("One", {"b.txt": "1\n"})
    assert fork.lands() == fork.lands()
    fork.on("main").commit("theirs", {"c.txt": "theirs\n"})
    assert fork.lands() == fork.lands()
    at = datetime(2030, 1, 1, tzinfo=UTC)
    assert fork.lands(at=at) == fork.lands(at=at) != fork.lands()
    raw = read_commits(fork.mirror.git, [fork.lands(at=at).tip])[0]
    assert raw.committer.endswith(b" %d +0000" % int(at.timestamp()))


def test_no_ref_is_set(fork: Fork) -> None:
    fork.on("work").commit("One", {"b.txt": "1\n"})
    fork.lands()
    assert set(fork.mirror.refs("refs/")) == {
        "refs/steroids/target/main",
        "refs/steroids/target/work",
    }


def test_a_conflict_names_the_paths_and_both_sides_commits(fork: Fork) -> None:
    fork.on("work").commit("fine", {"b.txt": "1\n"})
    ours = fork.repo.commit("clashes", {"a.txt": "mine\n" + "".join(LINES[1:])})
    theirs = fork.on("main").commit("theirs", {"a.txt": "yours\n" + "".join(LINES[1:])})
    fork.repo.commit("beside", {"c.txt": "1\n"})
    result = fork.replay()
    assert isinstance(result, Conflict)
    assert (result.paths, result.commit) == (["a.txt"], ours)
    assert [(c.hash, c.subject) for c in result.theirs] == [(theirs, "theirs")]
    assert [(c.hash, c.subject) for c in result.ours] == [(ours, "clashes")]


@pytest.mark.parametrize(
    ("mine", "yours", "path"),
    [
        ({"new.txt": "mine\n"}, {"new.txt": "yours\n"}, "new.txt"),
        ({"a.txt": None}, {"a.txt": "changed\n"}, "a.txt"),
        ({"x/y.txt": "file\n"}, {"x": "a file where a folder would be\n"}, "x"),
        ({"b.txt": b"\0mine"}, {"b.txt": b"\0yours"}, "b.txt"),
        ({b"\xff": "mine\n"}, {b"\xff": "yours\n"}, "\\xff"),
    ],
    ids=["both add", "delete and change", "folder and file", "binary", "not UTF-8"],
)
def test_what_cannot_be_merged_is_a_conflict(
    fork: Fork,
    mine: dict[str | bytes, str | bytes | None],
    yours: dict[str | bytes, str | bytes | None],
    path: str,
) -> None:
    fork.on("work").commit("mine", mine)
    theirs = fork.on("main").commit("yours", yours)
    result = fork.replay()
    assert isinstance(result, Conflict)
    assert result.paths == [path]
    assert [c.hash for c in result.theirs] == [theirs]


def test_renames_modes_symlinks_and_binaries_survive(fork: Fork) -> None:
    work = fork.on("work")
    work.git("mv", "a.txt", "moved.txt")
    (work.path / "b.txt").chmod(0o755)
    (work.path / "link").symlink_to("c.txt")
    blob = os.urandom(3000)
    work.commit("all kinds", {"blob": blob, b"\xff\xfe": "odd\n"})
    fork.on("main").commit("theirs", {"a.txt": "".join(LINES) + "end\n", "c.txt": "1\n"})
    tip = fork.lands().tip
    assert fork.read(tip, "moved.txt") == ("".join(LINES) + "end\n").encode()
    assert fork.read(tip, "a.txt") is None
    assert fork.read(tip, "blob") == blob
    listed = fork.mirror.git("ls-tree", "-z", tip).stdout
    assert b"100755 blob" in listed and b"120000 blob" in listed and b"\t\xff\xfe\0" in listed


def test_a_file_that_the_target_moved_is_changed_where_it_is_now(fork: Fork) -> None:
    fork.on("work").commit("change", {"a.txt": "".join(LINES) + "end\n"})
    fork.on("main").git("mv", "a.txt", "moved.txt")
    fork.repo.commit("move")
    assert fork.read(fork.lands().tip, "moved.txt") == ("".join(LINES) + "end\n").encode()


def test_messages_that_are_not_utf_8_survive_byte_for_byte(fork: Fork) -> None:
    work = fork.on("work")
    work.git("config", "i18n.commitEncoding", "latin1")
    work.commit("Größe".encode("latin1"), {"b.txt": "1\n"}, "--author=Ann <a@x>")
    work.git("config", "i18n.commitEncoding", "utf-8")
    work.commit("replaced", {"b.txt": "2\n"})
    work.reword(b"bad \xff\xfe\n")
    fork.on("main").commit("theirs", {"c.txt": "1\n"})
    tip = fork.lands().tip
    declared, undeclared = read_commits(fork.mirror.git, [f"{tip}^", tip])
    assert declared.message == "Größe\n\nSteroids-Task: T1\n".encode("latin1")
    assert declared.encoding == "latin1"
    assert undeclared.message == b"bad \xff\xfe\n\nSteroids-Task: T1\n"


def test_empty_commits_are_dropped(fork: Fork) -> None:
    empty = fork.on("work").commit("empty from the start")
    there = fork.repo.commit("there already", {"b.txt": "same\n"})
    kept = fork.repo.commit("kept", {"c.txt": "1\n"})
    fork.on("main").commit("the same by someone else", {"b.txt": "same\n"})
    result = fork.lands()
    assert result.landed == {empty: None, there: None, kept: result.tip}
    assert len(fork.mirror.commits(fork.main, result.tip)) == 1


def test_what_landed_already_leaves_nothing_also_when_single_commits_clash(fork: Fork) -> None:
    one = fork.on("work").commit("One", {"b.txt": "1\n"})
    two = fork.repo.commit("Two", {"b.txt": "2\n"})
    first = fork.lands()
    fork.move_main(first.tip)
    again = fork.lands()
    assert again == Replayed(first.tip, {one: None, two: None})


def test_a_change_that_was_reverted_can_land_again(fork: Fork) -> None:
    fork.on("work").commit("One", {"b.txt": "1\n"})
    fork.on("main").commit("the same", {"b.txt": "1\n"})
    fork.repo.commit("revert", {"b.txt": "b\n"})
    result = fork.lands()
    assert fork.read(result.tip, "b.txt") == b"1\n"


def test_commits_that_the_target_contains_stay_themselves(fork: Fork) -> None:
    upstream = fork.on("main").commit("upstream", {"c.txt": "1\n"})
    fork.on("work").git("reset", "--hard", "--quiet", "main")
    mine = fork.repo.commit("mine", {"b.txt": "1\n"})
    fork.on("main").commit("more", {"a.txt": "x\n"})
    result = fork.lands()
    assert result.landed == {upstream: upstream, mine: result.tip}
    assert fork.mirror.commits(fork.main, result.tip)[0].subject == "mine"


def test_an_empty_range_changes_nothing(fork: Fork) -> None:
    fork.on("main").commit("theirs", {"c.txt": "1\n"})
    assert fork.lands() == Replayed(fork.main, {})


def test_a_range_with_a_merge_lands_as_one_commit(fork: Fork) -> None:
    one = fork.on("work").commit("One\n\nWhy.", {"b.txt": "1\n"})
    fork.repo.git("switch", "--quiet", "--create", "side", fork.base)
    side = fork.repo.commit("Side", {"side.txt": "s\n"})
    fork.on("work").git("merge", "--quiet", "--no-ff", "-m", "merge", "side")
    merge = fork.repo.head
    fork.on("main").commit("theirs", {"c.txt": "1\n"})
    result = fork.lands()
    (squashed,) = fork.mirror.commits(fork.main, result.tip)
    assert result.landed == dict.fromkeys((one, side, merge), squashed.hash)
    assert squashed.message.startswith(("One\n\n* ", "Side\n\n* "))
    assert "* One\n\nWhy." in squashed.message and "* Side" in squashed.message
    assert squashed.message.endswith("\n\nSteroids-Task: T1")
    assert fork.read(result.tip, "side.txt") == b"s\n" and fork.read(result.tip, "c.txt") == b"1\n"
    assert fork.lands() == result


def test_a_merge_of_the_target_keeps_how_it_was_resolved(fork: Fork) -> None:
    fork.on("main").commit("upstream", {"b.txt": "upstream\n"})
    fork.on("work").commit("mine", {"b.txt": "mine\n"})
    fork.repo.git("merge", "--quiet", "main", check=False)
    fork.repo.commit("resolved", {"b.txt": "both\n"})
    fork.on("main").commit("later", {"c.txt": "1\n"})
    result = fork.lands()
    assert fork.read(result.tip, "b.txt") == b"both\n"
    assert len(fork.mirror.commits(fork.main, result.tip)) == 1


def test_a_squashed_range_can_conflict_too(fork: Fork) -> None:
    fork.on("work").commit("mine", {"b.txt": "mine\n"})
    fork.repo.git("switch", "--quiet", "--create", "side", fork.base)
    fork.repo.commit("Side", {"side.txt": "s\n"})
    fork.on("work").git("merge", "--quiet", "--no-ff", "-m", "merge", "side")
    theirs = fork.on("main").commit("theirs", {"b.txt": "theirs\n"})
    result = fork.replay()
    assert isinstance(result, Conflict)
    assert (result.paths, result.commit) == (["b.txt"], fork.repo.git("rev-parse", "work"))
    assert [c.hash for c in result.theirs] == [theirs]


def test_a_target_that_lost_the_base_does_not_get_it_back(fork: Fork) -> None:
    base = fork.on("main").commit("to be dropped", {"secret.txt": "x\n"})
    fork.on("work").git("reset", "--hard", "--quiet", "main")
    fork.repo.commit("mine", {"b.txt": "1\n"})
    fork.on("main").git("reset", "--hard", "--quiet", fork.base)
    fork.repo.commit("instead", {"c.txt": "1\n"})
    tip = fork.lands(base=base).tip
    assert fork.read(tip, "secret.txt") is None and fork.read(tip, "b.txt") == b"1\n"
    fork.on("work").git("merge", "--quiet", "--no-ff", "-m", "m", "main")
    tip = fork.lands(base=base).tip
    assert fork.read(tip, "b.txt") == b"1\n"


def test_nothing_is_executed(fork: Fork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fork.on("work").commit("evil", {".gitattributes": "* merge=evil diff=evil filter=evil\n"})
    fork.repo.commit("mine", {"a.txt": "top\n" + "".join(LINES)})
    fork.on("main").commit("theirs", {"a.txt": "".join(LINES) + "end\n", "b.txt": "1\n"})
    fork.mirror.fetch(str(fork.repo.path), "main")
    plant_executables(tmp_path / "home", tmp_path / "canary")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    fork_tip = fork.mirror.refs()["refs/steroids/target/main"]
    result = fork.lands()
    assert fork.mirror.is_ancestor(fork_tip, result.tip)
    assert not (tmp_path / "canary").exists()
