"""Marks in git's index by which it does not look at files, and who may have set them.

A workspace that has a part of the files only has a mark ("skip-worktree") on each of the others. An
agent can set and remove marks as it likes, and edit git's list of what is to be there: neither may
hide what it has changed, nor make what was never there look deleted.
"""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from steroids import proc
from steroids.runner.part import Part

Git = Callable[..., proc.Completed]
"""`Workspace.git`."""


def remove_foreign(git: Git, part: Part) -> None:
    """Drop what has a mark, but for the files outside of the part, which are to have one: a reset
    brings it back. Raises `Broken`.

    Without its mark it would not do: git then goes by size and time, and nobody has looked at these
    while it had the mark.
    """
    marks = list(_marks(git))
    told = [path for mark, path in marks if mark.islower()]
    told += [path for mark, path in marks if mark == "S" and not _outside(part, path)]
    _update(git, "--force-remove", told)


def fit_to_files(git: Git, part: Part, root: Path, *, widened: bool) -> None:
    """What of the other files is there is looked at, and what is not counts as it was.

    `widened`: its agent has had others checked out, and may have removed some of them. After it
    git tells what was changed, wherever that is. Raises `Broken`.
    """
    outside = [(mark, path) for mark, path in _marks(git) if _outside(part, path)]
    there = {path for _, path in outside if os.path.lexists(root / os.fsdecode(path))}
    if not outside or (not widened and len(there) == len(outside)):
        _put_back(git, part, root)
    _update(git, "--no-skip-worktree", (p for mark, p in outside if mark in "Ss" and p in there))
    # In a merge those that it could not settle ("M") are the agent's to solve.
    plain = (path for mark, path in outside if mark in "Hh" and path not in there)
    _update(git, "--skip-worktree", plain)


def _put_back(git: Git, part: Part, root: Path) -> None:
    """An index that was thrown away, to be made of the files that are there, lacks the others."""
    listed = git("ls-tree", "-r", "-z", "--full-tree", "HEAD", check=False).stdout.split(b"\0")
    files = {line.partition(b"\t")[2]: line for line in filter(None, listed)}
    lost = {
        path: line
        for path, line in files.items()
        if _outside(part, path) and not os.path.lexists(root / os.fsdecode(path))
    }
    if not lost:
        return
    git(
        "update-index", "-z", "--index-info", stdin=b"".join(each + b"\0" for each in lost.values())
    )
    _update(git, "--skip-worktree", lost)


def _marks(git: Git) -> Iterable[tuple[str, bytes]]:
    """Of each file in the index: the mark (`git ls-files -v`) and its path."""
    for line in git("ls-files", "-v", "-z").stdout.split(b"\0"):
        if line:
            yield chr(line[0]), line[2:]


def _outside(part: Part, path: bytes) -> bool:
    return not part.has(os.fsdecode(path))


def _update(git: Git, flag: str, paths: Iterable[bytes]) -> None:
    asked = b"".join(path + b"\0" for path in paths)
    if asked:
        git("update-index", flag, "-z", "--stdin", stdin=asked)
