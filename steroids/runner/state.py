"""How an agent has left its repository, as git reports it."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from steroids.runner.workspace import Workspace

_SHOWN = 10
# Whatever the repository's own configuration would hide.
_STATUS = ("--porcelain=v2", "--branch", "-z", "--untracked-files=all", "--no-renames")
_FIELDS = {b"1": 8, b"u": 10, b"?": 1}
"""What stands before the path in an entry of each kind (git-status(1), Porcelain Format 2)."""


class State(NamedTuple):
    head: str | None
    """None: on a branch without a commit."""
    branch: str | None
    """None: on no branch."""
    left: Sequence[str]
    """Paths with changes that are not committed, but for ignored files. They may have any bytes,
    kept as surrogates."""
    unmerged: Sequence[str]
    """Those of them that a merge could not settle."""

    @property
    def nested(self) -> list[str]:
        """Folders among them that are repositories of their own: git looks no further."""
        return [path for path in self.left if path.endswith("/")]


def state_of(workspace: Workspace) -> State:
    """Raises `Broken`."""
    out = workspace.git("status", *_STATUS, "--ignore-submodules=none").stdout
    about: dict[str, str] = {}
    left, unmerged = [], []
    for entry in filter(None, out.split(b"\0")):
        kind = entry[:1]
        if kind == b"#":
            _, key, value = entry.decode("utf-8", "replace").split(" ", 2)
            about[key] = value
            continue
        path = entry.split(b" ", _FIELDS[kind])[-1].decode("utf-8", "surrogateescape")
        left.append(path)
        if kind == b"u":
            unmerged.append(path)
    head, branch = about["branch.oid"], about["branch.head"]
    return State(
        head=None if head == "(initial)" else head,
        branch=None if branch == "(detached)" else branch,
        # An index that is new has each of its files twice: as removed, and as not known.
        left=list(dict.fromkeys(left)),
        unmerged=unmerged,
    )


def hidden(workspace: Workspace) -> list[tuple[str, str]]:
    """Tracked files that git was told not to look at: how (`git ls-files -v`) and path."""
    raw = workspace.git("ls-files", "-v", "-z").stdout.split(b"\0")
    found = [line.decode("utf-8", "surrogateescape") for line in raw if line]
    return [(line[0], line[2:]) for line in found if line[0] == "S" or line[0].islower()]


def named(paths: Sequence[str]) -> str:
    """How many files, and the first of them, for people: `3 files: a, b, c`."""
    more = [f"and {len(paths) - _SHOWN} more"] if len(paths) > _SHOWN else []
    shown = ", ".join([*shown_paths(paths[:_SHOWN]), *more])
    return f"{len(paths)} file{'' if len(paths) == 1 else 's'}: {shown}"


def shown_paths(paths: Iterable[str]) -> list[str]:
    """On one line and as text, whatever bytes they have."""
    return [_shown(path) for path in paths]


def _shown(path: str) -> str:
    text = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    text = text if text.isprintable() else text.encode("unicode_escape").decode("ascii")
    return text if len(text) <= 120 else f"{text[:117]}..."
