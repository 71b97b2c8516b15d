"""Looking at what lies in the workspace, and committing it."""

import os
from collections.abc import Sequence

from steroids.runner.state import shown_paths
from steroids.runner.workspace import Workspace, identity
from steroids.wire.assignment import Author

_MARKER = r"^(<<<<<<<|>>>>>>>) "


def with_markers(workspace: Workspace, paths: Sequence[str]) -> list[str]:
    """Those of the files that have the markers of a conflict that nobody has solved."""
    asked = ("--literal-pathspecs", "grep", "--no-index", "-l", "-z", "-E", "-e", _MARKER)
    return _paths(workspace.git(*asked, "--", *paths, check=False).stdout)


def changed_in(workspace: Workspace, commit: str) -> list[str]:
    """Files that the commit itself has changed. Raises `Broken`."""
    shape = ("-r", "-m", "-z", "--name-only", "--no-commit-id", "--root", "--diff-filter=d")
    return list(dict.fromkeys(_paths(workspace.git("diff-tree", *shape, commit).stdout)))


def commit_all(
    workspace: Workspace, message: str, author: Author, without: Sequence[str] = ()
) -> None:
    """Commit everything that is not ignored, as far as git can, but for these folders.

    Raises `Broken`.
    """
    left_out = [f":(exclude,top,literal){path}" for path in without]
    # What cannot be read, or is no file any more, must not keep the rest out.
    # Nor must it be inside of a part of the files that was all there was to be.
    options = ("-A", "--ignore-errors", "--sparse")
    workspace.git("add", *options, "--", ".", *left_out, check=False)
    if workspace.git("diff", "--cached", "--quiet", check=False).ok:
        return
    env = identity(author)
    workspace.git("commit", "-q", "--no-verify", "--allow-empty-message", "-m", message, env=env)


def restore_unseen(workspace: Workspace, start: str, author: Author) -> int:
    """Commit anew, on top, what it has committed as deleted since it made its index of the files
    that are there: all files outside of the workspace's part. Returns how many they are.

    Raises `Broken`.
    """
    part, head = workspace.part, workspace.head()
    if part.whole or head == start:
        return 0
    before, after = _outside(workspace, start), _outside(workspace, head)
    if not before or before.keys() & after.keys():
        return 0
    git = workspace.git
    lines = b"".join(line + b"\0" for line in before.values())
    git("read-tree", "HEAD")
    git("update-index", "-z", "--index-info", stdin=lines)
    message = "Restore what was not checked out"
    git("commit", "-q", "--no-verify", "-m", message, env=identity(author))
    return len(before)


def _outside(workspace: Workspace, commit: str) -> dict[bytes, bytes]:
    """Files of the commit that are not in the workspace's part: a line for git's index of each."""
    listed = workspace.git("ls-tree", "-r", "-z", "--full-tree", commit).stdout.split(b"\0")
    lines = {line.partition(b"\t")[2]: line for line in listed if line}
    return {path: line for path, line in lines.items() if not workspace.part.has(os.fsdecode(path))}


def largest(workspace: Workspace, base: str, tip: str) -> list[tuple[str, int]]:
    """The largest files that `tip` has on top of `base`, as they may be shown, each with its size
    in bytes. Raises `Broken`."""
    listed = workspace.git("rev-list", "--objects", tip, f"^{base}").out.splitlines()
    paths = dict(line.partition(" ")[::2] for line in listed)
    asked = "".join(f"{name}\n" for name in paths).encode()
    shape = "--batch-check=%(objecttype) %(objectsize) %(objectname)"
    answers = [
        each.split() for each in workspace.git("cat-file", shape, stdin=asked).out.splitlines()
    ]
    sizes = sorted((int(size), name) for kind, size, name in answers if kind == "blob")
    return [(shown_paths([paths[name]])[0], size) for size, name in reversed(sizes[-3:])]


def _paths(raw: bytes) -> list[str]:
    return [name for name in raw.decode("utf-8", "surrogateescape").split("\0") if name]
