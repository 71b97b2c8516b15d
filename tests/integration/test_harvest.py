"""What an agent can leave behind, and what the runner makes of it: real git, a real workspace."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from steroids.wire.assignment import Leftovers
from tests.support.agent_place import Place, new_place

FILES = {"apps/a/one": "1\n", "apps/a/two": "2\n", "apps/b/one": "1\n", ".gitignore": "*.log\n"}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return new_place(tmp_path, FILES)


EDIT = "echo 11 > apps/a/one; echo new > apps/a/new; rm apps/a/two; echo noise > apps/a/x.log"


def test_what_is_left_is_committed_in_the_name_of_the_task(place: Place) -> None:
    found = place.gather(f"git commit -q --allow-empty -m Own; {EDIT}")
    assert place.log(found.tip) == ["The task", "Own"]
    assert place.log(found.own) == ["Own"]
    assert place.files(found.tip) == ["apps/a/new", "apps/a/one", "apps/a/two"]
    assert found.problem is None
    (said,) = place.said
    assert "3 files: apps/a/one, apps/a/two, apps/a/new" in said
    assert "Uma" in place.repo.git("log", "-1", "--format=%an", found.tip)


@pytest.mark.parametrize("rule", [Leftovers.DISCARD, Leftovers.FAIL])
def test_what_is_left_stays_out_where_that_is_asked_for(place: Place, rule: Leftovers) -> None:
    found = place.gather(f"echo x > apps/a/own; git add .; git commit -qm Own; {EDIT}", rule)
    assert place.log(found.tip) == ["Own"]
    told = found.problem if rule is Leftovers.FAIL else place.said[0]
    assert told is not None and "3 files: apps/a/one, apps/a/two, apps/a/new" in told
    assert (found.problem is None) == (rule is Leftovers.DISCARD)


@pytest.mark.parametrize("rule", [Leftovers.DISCARD, Leftovers.FAIL])
def test_nothing_but_ignored_files_is_nothing_left(place: Place, rule: Leftovers) -> None:
    found = place.gather("echo noise > apps/a/x.log", rule)
    assert (found.tip, found.problem, place.said) == (place.start, None, [])


@pytest.mark.parametrize("rule", list(Leftovers))
def test_a_stopped_run_keeps_what_it_has(place: Place, rule: Leftovers) -> None:
    found = place.gather(EDIT, rule, stopped=True)
    assert (place.log(found.tip), found.problem) == (["The task"], None)


def test_odd_names_are_committed_and_told_on_one_line(place: Place) -> None:
    names = [b"new\nline", b"latin-\xe9", b" blank ", b"-dash", b"'\"$(x)"]
    for name in names:
        (place.workspace.path / os.fsdecode(name)).write_text("x")
    found = place.gather()
    raw = place.repo.git_bytes("ls-tree", "-z", "--name-only", found.tip)
    assert set(names) <= set(raw.split(b"\0"))
    (said,) = place.said
    assert said.isprintable() and r"new\nline" in said and r"latin-\xe9" in said


CONFLICT = """git checkout -q -b other; echo theirs > apps/a/one; git commit -qam Theirs
git checkout -q steroids; echo ours > apps/a/one; git commit -qam Ours
"""


def test_a_merge_that_it_left_unsolved_is_no_work_done(place: Place) -> None:
    found = place.gather(f"{CONFLICT} git merge other || echo more > apps/a/more")
    assert found.problem == "conflict markers were left in apps/a/one"
    assert place.log(found.tip) == ["Ours"]


def test_a_merge_that_it_solved_is_concluded(place: Place) -> None:
    found = place.gather(f"{CONFLICT} git merge other || echo both > apps/a/one")
    assert found.problem is None
    assert place.log(found.tip)[0] == "The task"
    assert len(place.repo.git("log", "-1", "--format=%p", found.tip).split()) == 2


def test_a_stop_in_the_middle_of_a_merge_keeps_all_and_forgets_no_marker(place: Place) -> None:
    conflict = f"{CONFLICT} git merge other || echo more > apps/a/more"
    first = place.gather(conflict, stopped=True)
    assert place.files(first.tip) == ["apps/a/more", "apps/a/one"]
    again = place.gather("echo y > apps/a/y", start=first.tip)
    assert again.problem == "conflict markers were left in apps/a/one"
    assert place.gather("echo both > apps/a/one", start=first.tip).problem is None


def test_a_rebase_that_is_under_way_loses_no_commit(place: Place) -> None:
    found = place.gather(
        f"{CONFLICT} echo more > apps/a/more; git add .; git commit -qm More\n"
        "git rebase -q other || echo half > apps/a/half"
    )
    assert place.log(found.tip) == ["The task", "More", "Ours"]
    assert place.files(found.tip) == ["apps/a/half", "apps/a/more", "apps/a/one"]
    assert found.problem is not None and "in the middle of a rebase" in found.problem
    assert place.said[0] == "a rebase was under way: it is undone, with 1 file: apps/a/one"


def test_a_look_at_an_older_commit_loses_no_newer_one(place: Place) -> None:
    work = "echo x > apps/a/x; git add .; git commit -qm Own"
    found = place.gather(f"{work}; git checkout -q HEAD~1; echo y > apps/a/y")
    assert place.log(found.tip) == ["The task", "Own"]
    assert found.problem is None


def test_a_look_at_an_older_commit_with_changes_that_do_not_fit_is_told(place: Place) -> None:
    work = "echo x > apps/a/one; git commit -qam Own"
    found = place.gather(f"{work}; git checkout -q HEAD~1; echo y > apps/a/one")
    assert place.log(found.tip) == ["Own"]
    assert found.problem is not None and "1 file: apps/a/one" in found.problem


@pytest.mark.parametrize(
    ("script", "log"),
    [
        ("git checkout -q --detach; {work}", ["Own"]),
        ("git checkout -q -b feature; {work}", ["Own"]),
        ("{work}; git branch -q -m steroids renamed", ["Own"]),
        ("{work}; git checkout -q --detach; git branch -q -D steroids", ["Own"]),
        ("git checkout -q -b feature; {work}; git checkout -q steroids", ["Own"]),
        ("git worktree add -q ../other -b feature; cd ../other; {work}", ["Own"]),
        ("{work}; git update-ref -d refs/heads/steroids", ["The task"]),
        ("git checkout -q --orphan bare; echo x > apps/a/x", ["The task"]),
    ],
)
def test_wherever_its_commits_are_they_are_found(place: Place, script: str, log: list[str]) -> None:
    work = "echo x > apps/a/x; git add .; git commit -qm Own"
    found = place.gather(script.format(work=work))
    assert place.log(found.tip) == log
    assert place.files(found.tip) == ["apps/a/x"]
    assert found.problem is None


def test_work_that_is_on_two_branches_is_asked_for(place: Place) -> None:
    one = "git checkout -q -b {0} {1}; echo {0} > apps/a/{0}; git add .; git commit -qm {0}; "
    both = one.format("left", place.start) + one.format("right", place.start)
    found = place.gather(f"{both} git checkout -q steroids")
    assert found.tip == place.start
    assert found.problem is not None and "left, right" in found.problem


def test_a_branch_that_it_has_merged_is_not_worth_a_word(place: Place) -> None:
    work = "echo {0} > apps/a/{0}; git add .; git commit -qm {0}; "
    branch = "git checkout -q -b feature; " + work.format("x")
    found = place.gather(
        f"{branch} git checkout -q steroids; git merge -q feature; " + work.format("y")
    )
    assert place.log(found.tip) == ["y", "x"]
    assert place.said == []


def test_what_it_put_aside_is_told_and_told_once(place: Place) -> None:
    found = place.gather("echo x > apps/a/one; git commit -qam Own; echo y > apps/a/one; git stash")
    assert place.log(found.tip) == ["Own"] and found.problem is None
    assert place.said == ["not handed over, since it ended elsewhere: what is on refs/stash"]
    place.said.clear()
    place.check_out(found.tip)
    place.gather("echo z > apps/a/z", start=found.tip)
    assert [line for line in place.said if "stash" in line] == []


@pytest.mark.parametrize("lock", ["index.lock", "HEAD.lock", "refs/heads/steroids.lock"])
def test_a_lock_of_a_git_that_was_killed_is_in_nobodys_way(place: Place, lock: str) -> None:
    found = place.gather(f"{EDIT}; touch .git/{lock}")
    assert place.log(found.tip) == ["The task"]


def test_settings_of_its_own_hide_nothing(place: Place) -> None:
    hide = "git config status.showUntrackedFiles no; git config core.fsmonitor /bin/false"
    found = place.gather(f"{hide}; echo new > apps/a/new")
    assert place.files(found.tip) == ["apps/a/new"]


def test_a_sparse_checkout_deletes_nothing_and_hides_nothing(place: Place) -> None:
    sparse = "git sparse-checkout set apps/a; test ! -e apps/b/one"
    found = place.gather(f"{sparse}; {EDIT}; mkdir -p apps/b; echo new > apps/b/new")
    assert place.files(found.tip) == ["apps/a/new", "apps/a/one", "apps/a/two", "apps/b/new"]
    place.check_out(place.start)
    assert (place.workspace.path / "apps/b/one").read_text() == "1\n"


def test_files_that_git_must_not_look_at_are_told_and_come_back(place: Place) -> None:
    hide = "git update-index --assume-unchanged apps/a/one; echo mine > apps/a/one"
    found = place.gather(f"{hide}; git update-index --skip-worktree apps/a/two; rm apps/a/two")
    assert found.tip == place.start
    assert place.said == ["left out what git was told not to look at, 1 file: apps/a/one"]
    place.check_out(place.start)
    assert (place.workspace.path / "apps/a/one").read_text() == "1\n"
    assert (place.workspace.path / "apps/a/two").read_text() == "2\n"
    seen = place.gather("echo 3 > apps/a/one; echo 3 > apps/a/two")
    assert place.files(seen.tip) == ["apps/a/one", "apps/a/two"]


@pytest.mark.parametrize("commit", ["", "; cd apps/a/lib; git add .; git commit -qm Inner"])
def test_a_repository_of_its_own_among_the_files_is_told(place: Place, commit: str) -> None:
    found = place.gather(f"{EDIT}; git init -q apps/a/lib; echo x > apps/a/lib/x{commit}")
    assert found.problem is not None and "apps/a/lib is a git repository" in found.problem
    assert place.files(found.tip) == ["apps/a/new", "apps/a/one", "apps/a/two"]
    place.check_out(place.start)
    assert not (place.workspace.path / "apps/a/lib").exists()


def test_what_is_no_file_any_more_keeps_nothing_else_out(place: Place) -> None:
    found = place.gather(f"{EDIT}; mkfifo apps/a/pipe; rm apps/b/one; mkfifo apps/b/one")
    assert place.files(found.tip) == ["apps/a/new", "apps/a/one", "apps/a/two"]
    assert found.problem == "git cannot commit what it left, 1 file: apps/b/one"


def test_what_lay_there_before_the_agent_came_is_not_its_doing(place: Place) -> None:
    place.script("echo made > apps/a/by-the-set-up")
    found = place.gather("true", Leftovers.FAIL)
    assert (found.tip, found.problem) == (place.start, None)
    found = place.gather("echo x > apps/a/x", Leftovers.FAIL)
    assert found.problem == "it left changes uncommitted, 1 file: apps/a/x"


def test_case_is_kept_apart(place: Place) -> None:
    found = place.gather("mv apps/a/one apps/a/ONE")
    assert place.files(found.tip) == ["apps/a/ONE", "apps/a/one"]


def _amend(place: Place) -> str:
    place.script("git commit -q --amend -m Amended")
    return place.workspace.head()


def _reset(place: Place) -> str:
    place.script("git reset -q --hard HEAD~1")
    return place.workspace.head()


@pytest.mark.parametrize(("rewrite", "made"), [(_amend, True), (_reset, False)])
def test_a_bundle_of_rewritten_commits_builds_on_what_was_there(
    place: Place, tmp_path: Path, rewrite: Callable[[Place], str], made: bool
) -> None:
    place.script("echo x > apps/a/one; git commit -qam Own")
    first = place.workspace.head()
    tip = rewrite(place)
    target = tmp_path / "out.bundle"
    assert place.workspace.bundle(first, tip, target) is made
    if made:
        assert f"-{place.start}" in target.read_bytes().decode("latin-1").splitlines()[1]
