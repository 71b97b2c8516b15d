"""Random small histories: what lands without a work tree is what git itself makes in one."""

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from steroids.git.land import Conflict, How
from tests.support.fork import Fork, forked
from tests.support.repos import Repo

FILES = ("a", "b", "dir/c")
START = {name: "".join(f"{name} {n}\n" for n in range(8)) for name in FILES}

edits = st.tuples(st.just("edit"), st.sampled_from(FILES), st.integers(0, 7), st.integers(0, 2))
moves = st.tuples(st.just("move"), st.sampled_from(FILES), st.sampled_from(("d", "dir/e", "c")))
removals = st.tuples(st.just("remove"), st.sampled_from(FILES))
additions = st.tuples(
    st.just("add"), st.sampled_from(("new", "dir/new", "new/x")), st.integers(0, 1)
)
commits = st.lists(st.one_of(edits, edits, moves, removals, additions), min_size=1, max_size=2)
histories = st.lists(commits, min_size=1, max_size=3)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(ours=histories, theirs=histories)
@example(ours=[[("move", "dir/c", "d")]], theirs=[[("add", "dir/new", 0)]])
@example(ours=[[("move", "dir/c", "d")]], theirs=[[("add", "new", 0), ("add", "dir/new", 0)]])
def test_rebase_squash_and_merge_make_what_git_makes(
    ours: list[list[tuple[object, ...]]], theirs: list[list[tuple[object, ...]]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        fork = forked(Path(folder), START)
        for branch, history in (("work", ours), ("main", theirs)):
            for number, ops in enumerate(history):
                for op in ops:
                    _apply(fork.on(branch).path, *op)
                fork.repo.commit(f"{branch} {number}")
        for how in ("rebase", "squash", "merge"):
            _compare(fork, how)


def _compare(fork: Fork, how: How) -> None:
    expected = _by_git(fork.repo, how, fork.base)
    found = fork.replay(how=how, message="T")
    if isinstance(found, Conflict):
        assert expected is None
        assert found.paths and found.ours and found.theirs
    elif expected is None:
        # Its commits conflict with what came after them, but all of it is there already.
        assert found.tip == fork.main
    else:
        assert fork.mirror.tree_hash(found.tip) == expected


def _by_git(repo: Repo, how: How, base: str) -> str | None:
    """The tree that git comes to in a work tree; None: a conflict, undone."""
    start = "work" if how == "rebase" else "main"
    repo.git("checkout", "--quiet", "--detach", start)
    command = {
        "rebase": ("rebase", "--empty=drop", "--no-keep-empty", "--onto", "main", base),
        "squash": ("merge", "--squash", "work"),
        "merge": ("merge", "--no-ff", "-m", "m", "work"),
    }[how]
    # Not every conflict leaves an unmerged entry.
    conflict = "CONFLICT" in repo.git(*command, check=False)
    tree = None if conflict else repo.git("write-tree")
    repo.git("rebase", "--abort", check=False)
    repo.git("reset", "--quiet", "--hard")
    repo.git("clean", "--quiet", "-ffdx")
    return tree


def _apply(root: Path, kind: object, name: object, *more: object) -> None:
    """Do it, unless an earlier one has taken away what it needs."""
    file = root / str(name)
    if kind == "add" and not file.exists() and not file.parent.is_file():
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"added {more[0]}\n")
    if not file.is_file():
        return
    if kind == "edit":
        lines = file.read_text().splitlines(keepends=True)
        at = int(str(more[0])) % len(lines)
        lines[at] = f"changed {more[1]}\n"
        file.write_text("".join(lines))
    elif kind == "move" and not (root / str(more[0])).exists():
        target = root / str(more[0])
        target.parent.mkdir(exist_ok=True)
        file.rename(target)
    elif kind == "remove":
        file.unlink()
