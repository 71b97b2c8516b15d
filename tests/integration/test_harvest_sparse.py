"""A workspace that has a part of the files: what is there, and what an agent can do about it."""

from pathlib import Path

import pytest

from steroids.runner.state import hidden
from steroids.wire.assignment import Leftovers, Sparse
from tests.support.agent_place import Place, new_place

FILES = {
    "README.md": "root\n",
    ".gitignore": "*.log\n",
    "apps/a/one": "1\n",
    "apps/a/deep/two": "2\n",
    "apps/a2/one": "1\n",
    "apps/b/one": "1\n",
    "apps/b/two": "2\n",
    "apps/b/package.json": "{}\n",
    "libs/l [x]*/one": "1\n",
    "libs/m/one": "1\n",
    "libs/m/two": "2\n",
}
PART = Sparse(folders=["apps/a", "libs/l [x]*"], files=["apps/b/package.json"])
HERE = [
    *(".gitignore", "README.md", "apps/a/deep/two", "apps/a/one", "apps/b/package.json"),
    "libs/l [x]*/one",
]
GONE = sorted(set(FILES) - set(HERE))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return new_place(tmp_path, FILES, PART)


def there(place: Place) -> list[str]:
    root = place.workspace.path
    found = (path for path in root.rglob("*") if path.is_file())
    return sorted(str(path.relative_to(root)) for path in found if ".git" not in path.parts)


def test_only_its_part_is_there_and_nothing_counts_as_changed(place: Place) -> None:
    assert there(place) == HERE
    assert place.repo.git("status", "--porcelain") == ""
    found = place.gather("true", Leftovers.FAIL)
    assert (found.tip, found.problem, place.said) == (place.start, None, [])
    assert sorted(path for _, path in hidden(place.workspace)) == GONE


WORK = "echo 11 > apps/a/one; rm apps/a/deep/two; echo new > apps/a/new; echo r > new-at-root"
DONE = ["apps/a/deep/two", "apps/a/new", "apps/a/one", "new-at-root"]


@pytest.mark.parametrize(
    "trick",
    [
        "true",
        "git sparse-checkout set apps/a2 apps/a",
        "git sparse-checkout disable; git sparse-checkout set --cone apps/a",
        "git config core.sparseCheckout false",
        "git config core.sparseCheckout false; git update-index --no-skip-worktree libs/m/one",
        "rm .git/info/sparse-checkout; git update-index --no-skip-worktree apps/b/one libs/m/two",
        "echo '/nothing' > .git/info/sparse-checkout",
        "rm -r .git/info; ln -s /dev/null .git/info",
        "git config sparse.expectFilesOutsideOfPatterns true",
        "git read-tree HEAD",
        "rm .git/index",
        "rm .git/index; git reset -q",
        "git read-tree --empty; git add README.md",
        "git config index.sparse true; git sparse-checkout set --cone --sparse-index apps/a",
        "touch .git/index.lock",
    ],
)
def test_whatever_it_told_git_what_it_did_is_found_and_no_more(place: Place, trick: str) -> None:
    found = place.gather(f"{trick}\n{WORK}")
    assert (place.files(found.tip), found.problem) == (DONE, None)
    assert place.log(found.tip) == ["The task"]
    (said,) = place.said
    names = said.partition(": ")[2].split(", ")
    assert len(names) == len(set(names))
    place.check_out(place.start)
    assert there(place) == HERE
    assert place.repo.git("status", "--porcelain") == ""


@pytest.mark.parametrize(
    "script",
    [
        "mkdir -p libs/m; echo 11 > libs/m/one; echo new > libs/m/new",
        "git sparse-checkout add libs/m; echo 11 > libs/m/one; echo new > libs/m/new",
        "git sparse-checkout disable; echo 11 > libs/m/one; echo new > libs/m/new",
        "git sparse-checkout add libs/m; echo 11 > libs/m/one; echo new > libs/m/new;"
        " git add --sparse libs; git commit -qm Own; git sparse-checkout set apps/a",
        "mkdir -p libs/m; echo 11 > libs/m/one; echo new > libs/m/new;"
        " git config sparse.expectFilesOutsideOfPatterns true",
    ],
)
def test_work_outside_of_its_part_is_taken_in_as_any_other(place: Place, script: str) -> None:
    found = place.gather(f"{script}\n{WORK}")
    assert place.files(found.tip) == sorted([*DONE, "libs/m/new", "libs/m/one"])
    assert found.problem is None
    place.check_out(found.tip)
    assert "libs/m/one" not in there(place)


def test_what_it_removes_outside_is_removed_where_it_had_it(place: Place) -> None:
    found = place.gather(
        "git sparse-checkout add libs/m; git rm -q libs/m/one; git mv libs/m/two apps/a/two"
    )
    assert place.files(found.tip) == ["apps/a/two", "libs/m/one", "libs/m/two"]


def test_what_was_never_there_is_not_deleted_by_an_index_made_anew(place: Place) -> None:
    anew = "rm .git/index; git config core.sparseCheckout false; git add -A; git commit -qm Own"
    found = place.gather(f"{anew}; {WORK}")
    assert place.log(found.tip) == ["Restore what was not checked out", "The task", "Own"]
    assert place.files(found.tip) == DONE
    assert place.said[-1] == f"it deleted what was never there: {len(GONE)} files are put back"


def test_what_it_put_away_of_its_part_is_not_removed(place: Place) -> None:
    away = "git sparse-checkout set apps/a2; test ! -e apps/a; mkdir -p apps/a"
    found = place.gather(f"{away}; echo 11 > apps/a/one; echo new > apps/a/new")
    assert place.files(found.tip) == ["apps/a/new", "apps/a/one"]
    place.check_out(place.start)
    assert there(place) == HERE


def test_a_mark_on_a_file_of_its_part_hides_no_change(place: Place) -> None:
    hide = (
        "git update-index --skip-worktree apps/a/one; git update-index --assume-unchanged README.md"
    )
    found = place.gather(f"{hide}; echo 11 > apps/a/one; echo mine > README.md")
    assert place.files(found.tip) == ["apps/a/one"]
    assert place.said[-1] == "left out what git was told not to look at, 1 file: README.md"
    place.check_out(place.start)
    assert place.repo.git("status", "--porcelain") == ""
    assert (place.workspace.path / "README.md").read_text() == "root\n"
    seen = place.gather("echo 3 > README.md; echo 3 > apps/a/one")
    assert place.files(seen.tip) == ["README.md", "apps/a/one"]


SIDES = """git checkout -q -b other; git sparse-checkout disable
echo theirs > libs/m/one; echo theirs > apps/a/one; git rm -q libs/m/two; echo x > apps/b/new
git add -A; git commit -qm Theirs; git checkout -q steroids
echo ours > libs/m/one; echo ours > apps/a/one; git add -A; git commit -qm Ours
git sparse-checkout set --no-cone '/*' '!/*/' /apps/a
"""


def test_what_a_squash_touches_outside_is_there_where_it_conflicts(place: Place) -> None:
    place.script(SIDES)
    ours, theirs = place.repo.git("rev-parse", "steroids", "other").split()
    place.check_out(ours, squash=theirs)
    assert "<<<<<<<" in (place.workspace.path / "libs/m/one").read_text()
    assert there(place) == sorted([*HERE, "libs/m/one"])
    unsolved = place.gather("echo both > apps/a/one", start=ours)
    assert unsolved.problem == "conflict markers were left in libs/m/one"
    place.check_out(ours, squash=theirs)
    solved = place.gather("echo both > apps/a/one; echo both > libs/m/one", start=ours)
    assert solved.problem is None
    changed = place.repo.git("diff", "--name-status", "--no-renames", ours, solved.tip)
    assert changed.splitlines() == [
        "M\tapps/a/one",
        "A\tapps/b/new",
        "M\tlibs/m/one",
        "D\tlibs/m/two",
    ]
    assert place.repo.git("show", f"{solved.tip}:libs/m/one") == "both"


def test_a_merge_of_its_own_that_it_left_open_keeps_what_lies_outside(place: Place) -> None:
    place.script(SIDES)
    place.check_out(place.repo.git("rev-parse", "steroids"))
    found = place.gather(
        "git merge -q other || { echo both > apps/a/one; echo both > libs/m/one; }"
    )
    assert found.problem is None
    tree = place.repo.git("ls-tree", "-r", "--name-only", "-z", found.tip).split("\0")
    assert set(tree) - {""} == {*FILES, "apps/b/new"} - {"libs/m/two"}


def test_a_rebase_that_is_under_way_is_undone_with_the_part_as_it_was(place: Place) -> None:
    place.script(SIDES)
    place.check_out(place.repo.git("rev-parse", "steroids"))
    found = place.gather("git rebase -q other || echo half > apps/a/half")
    assert place.log(found.tip) == ["The task", "Ours"]
    assert found.problem is not None and "in the middle of a rebase" in found.problem


def test_another_part_and_all_of_it_is_what_the_next_checkout_brings(place: Place) -> None:
    place.gather("git sparse-checkout add libs/m; echo x > libs/m/one; echo y > apps/b/stray")
    place.sparse = Sparse(folders=["apps/b"])
    place.check_out(place.start)
    assert there(place) == [
        ".gitignore",
        "README.md",
        "apps/b/one",
        "apps/b/package.json",
        "apps/b/two",
    ]
    place.sparse = None
    place.check_out(place.start)
    assert there(place) == sorted(FILES)
    found = place.gather("rm libs/m/one")
    assert place.files(found.tip) == ["libs/m/one"]
