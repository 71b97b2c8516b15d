"""Three-way merges in the mirror, without a work tree.

What a commit C changed is done to a tree H by a merge whose base is C's parent: a commit with the
parent's tree is made, two with H's and C's trees on top of it, and `git merge-tree` merges these
(`git merge-tree --merge-base`, younger than the git of Debian 12, does the same).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from steroids.errors import GitError
from steroids.git.command import Git
from steroids.git.commits import RawCommit, write_commit
from steroids.git.trees import Entry, with_files

# Dated in the year 2100. Git looks for a merge's base by date: from 1970 it would walk the whole
# history before it comes to the parent.
_SCRATCH = b"Steroids <steroids> 4102444800 +0000"
_OURS, _THEIRS = 2, 3

Stages = dict[int, Entry]
"""What each of the three has at a path that conflicts: the base 1, our side 2, theirs 3."""


@dataclass(frozen=True)
class Merged:
    """`tree` is of use only without `conflicts`, which are paths."""

    tree: str
    conflicts: list[bytes] = field(default_factory=list)
    settled: list[bytes] = field(default_factory=list)
    """Files that did not merge, and that have our side's content in `tree`."""
    involved: list[bytes] = field(default_factory=list)
    """What the conflicts are about, under all names that git sees."""


@dataclass(frozen=True)
class Merger:
    """`regenerated` are names of files that a program writes: when nothing else conflicts, our
    side's content is taken, for somebody to write them again."""

    git: Git
    regenerated: frozenset[str] = frozenset()

    def change(self, parent: RawCommit, tree: str, commit: RawCommit) -> Merged:
        """What `commit` changed since `parent`, done to `tree`, which is our side."""
        if tree == parent.tree:
            return Merged(commit.tree)
        if commit.tree == parent.tree:
            return Merged(tree)
        # Roots of their own: to find where two real commits parted, git walks back until it is
        # older than both, and a commit may claim any age.
        root = self._side(parent.tree)
        return self.histories(self._side(tree, root), self._side(commit.tree, root))

    def histories(self, ours: str, theirs: str) -> Merged:
        """Two commits, from where their histories parted (several such places: as git does)."""
        done = self.git("merge-tree", "--write-tree", "-z", ours, theirs, check=False)
        if done.returncode > 1 or not done.stdout:
            raise GitError(f"git merge-tree failed: {done.err[-300:] or done.returncode}")
        found = _parse(done.stdout, (f"~{ours}".encode(), f"~{theirs}".encode()))
        if done.returncode == 0:
            return Merged(found.tree)
        # Some conflicts are in no file: a folder moved, and something is in the way.
        elsewhere = [
            path for paths in found.about if not found.unmerged.keys() & paths for path in paths
        ]
        conflicts = list(dict.fromkeys([*found.unmerged, *elsewhere]))
        if not conflicts:
            raise GitError("git merge-tree found a conflict and does not say where")
        if elsewhere or not all(self._writable(*each) for each in found.unmerged.items()):
            involved = {path for paths in found.about for path in paths}
            return Merged(found.tree, conflicts, involved=sorted(involved.union(conflicts)))
        mine = {path: stages[_OURS] for path, stages in found.unmerged.items()}
        return Merged(with_files(self.git, found.tree, mine), settled=conflicts)

    def _writable(self, path: bytes, stages: Stages) -> bool:
        """Whether it is a file that can be written again: there on both sides, and a file."""
        sides = [stages.get(side, ("", ""))[0] for side in (_OURS, _THEIRS)]
        name = path.rpartition(b"/")[2]
        regular = all(mode.startswith("100") for mode in sides)
        return regular and _text(name) in self.regenerated and _text(path) is not None

    def _side(self, tree: str, *parents: str) -> str:
        return write_commit(
            self.git,
            tree=tree,
            parents=parents,
            author=_SCRATCH,
            committer=_SCRATCH,
            message=b"one side of a merge\n",
        )


@dataclass(frozen=True)
class _Output:
    tree: str
    unmerged: Mapping[bytes, Stages]
    about: Sequence[Sequence[bytes]]
    """The paths of each conflict that is told of."""


def _parse(raw: bytes, marks: tuple[bytes, bytes]) -> _Output:
    """What `git merge-tree -z` prints: the tree, the unmerged entries, an empty field, and of each
    message the number of its paths, these, what kind it is of, and words."""
    tree, *fields = raw.split(b"\0")
    unmerged: dict[bytes, Stages] = defaultdict(dict)
    rest = iter(fields)
    for line in iter(lambda: next(rest, b""), b""):
        entry, _, path = line.partition(b"\t")
        mode, known, stage = entry.decode().split(" ")
        unmerged[_plain(path, marks)][int(stage)] = (mode, known)
    about = []
    # Advice about submodules may follow.
    while (count := next(rest, b"")).isdigit():
        paths = [_plain(next(rest), marks) for _ in range(int(count))]
        kind, _ = next(rest), next(rest)
        if kind.startswith(b"CONFLICT"):
            about.append(paths)
    return _Output(tree.decode(), unmerged, about)


def _plain(path: bytes, marks: tuple[bytes, bytes]) -> bytes:
    """A file in the way of a folder is listed as FILE~SIDE."""
    return path.removesuffix(marks[0]).removesuffix(marks[1])


def _text(raw: bytes) -> str | None:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None
