"""The controller's own bare repository of a project: written by the controller, read by all.

All its refs are under `refs/steroids/`: `target/<branch>` as last fetched, `tasks/<id>/<attempt>`
for every attempt's tip, `kept/<id>/<hash>` for what it was before its agent rewrote it. Nothing is
ever pruned. Every method may be called from any thread.
"""

import re
import threading
from collections.abc import Sequence
from pathlib import Path

from steroids.errors import GitError
from steroids.git import network
from steroids.git.command import Git, hardened_environment, run_git, without_password
from steroids.git.commits import Commit, Identity, read_commits
from steroids.git.refs import OWN, ZERO, checked_branch, checked_own, checked_rev

__all__ = ["ZERO", "BranchMissing", "Commit", "Identity", "Mirror", "RefMoved"]


class BranchMissing(GitError):
    """The remote answered, and has no such branch."""

    code, http_status = "BRANCH_MISSING", 404


class RefMoved(GitError):
    """A ref was not where the caller expected it."""

    code, http_status = "REF_MOVED", 409


# Two fetches of one branch would fail on each other's ref lock; one lock per mirror, held for the
# length of a fetch, guards `refs/steroids/target/`.
_fetching: dict[Path, threading.Lock] = {}
_fetching_guard = threading.Lock()


def text_of_path(raw: bytes) -> str:
    """A path as text that can be stored and printed; bytes that are not UTF-8 show as `\\xff`."""
    return raw.decode("utf-8", "backslashreplace")


def _is_whole(path: Path) -> bool:
    """Whether a repository has been made there to the end: this line is what `init` writes last."""
    try:
        made = "bare = true" in (path / "config").read_text()
    except OSError:
        return False
    return made and all((path / name).exists() for name in ("HEAD", "objects", "refs"))


class Mirror:
    """The bare repository at `path`, which must be there: see `create`."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.git = Git(self.path)

    @classmethod
    def create(cls, path: Path) -> "Mirror":
        """Make it, empty and without hooks; one that is there stays as it is."""
        path = path.absolute()
        if _is_whole(path):
            # What git would find out too, in a process of its own for each of many projects.
            return cls(path)
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        init = ("init", "--quiet", "--bare", "--template=", "--initial-branch=none", str(path))
        run_git(init, verb="init", env=hardened_environment(), cwd=path, check=True)
        return cls(path)

    def fetch(self, url: str, branch: str) -> str:
        """Fetch the branch into `refs/steroids/target/<branch>` and return its tip.

        Raises `BranchMissing`, `RemoteUnreachable`, `RemoteRefused`.
        """
        ref = checked_own(f"{OWN}target/{checked_branch(branch)}")
        options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance")
        refspec = f"+refs/heads/{branch}:{ref}"
        with _fetching_guard:
            lock = _fetching.setdefault(self.path, threading.Lock())
        with lock:
            done = self.git("fetch", *options, "--", url, refspec, network=True, check=False)
            if done.ok:
                return self.git("rev-parse", "--verify", ref).out
        if "couldn't find remote ref" in done.err:
            shown = without_password(url)
            raise BranchMissing(
                f"{shown} has no branch {branch}", hint=f"git ls-remote --heads {shown}"
            )
        raise network.failure("Fetching from", url, done)

    def resolve(self, rev: str) -> str | None:
        """The hash of the commit that `rev` names; None when it names none, or no commit."""
        asked = f"{checked_rev(rev)}^{{commit}}"
        return self.git("rev-parse", "--verify", "--quiet", asked, check=False).out or None

    def tree_hash(self, commit: str) -> str:
        """The hash of all its content: equal for commits with equal files."""
        return self.git("rev-parse", "--verify", f"{checked_rev(commit)}^{{tree}}").out

    def is_ancestor(self, a: str, b: str) -> bool:
        """Whether `b` contains `a` (itself included). Raises `GitError` if one is not known."""
        asked = ("merge-base", "--is-ancestor", checked_rev(a), checked_rev(b))
        done = self.git(*asked, check=False)
        if done.returncode > 1:
            self.git(*asked)
        return done.ok

    def commits(self, base: str, tip: str, *, without: str | None = None) -> list[Commit]:
        """The commits that `tip` has and `base` has not, nor has `without`, oldest first."""
        others = [f"^{checked_rev(without)}"] if without else []
        asked = ("rev-list", "--topo-order", "--reverse", _range(base, tip), *others, "--")
        listed = self.git(*asked).out
        return [raw.commit() for raw in read_commits(self.git, listed.split())]

    def diff(self, base: str, tip: str, *, stat: bool = False) -> bytes:
        """The difference of the two trees as a patch or as a summary, bytes as they are."""
        shape = ("--stat=100",) if stat else ("--patch",)
        return self._diff(*shape, "--no-color", "--find-renames", base=base, tip=tip)

    def changed_paths(self, base: str, tip: str) -> list[str]:
        """Paths that differ, both names of what was renamed (see `text_of_path`)."""
        out = self._diff("--name-only", "-z", "--no-renames", base=base, tip=tip)
        return [text_of_path(path) for path in out.split(b"\0") if path]

    def added_paths(self, base: str, tip: str) -> list[str]:
        """Paths that `tip` has and `base` has not, new names among them (see `text_of_path`)."""
        shape = ("--name-only", "-z", "--no-renames", "--diff-filter=A")
        out = self._diff(*shape, base=base, tip=tip)
        return [text_of_path(path) for path in out.split(b"\0") if path]

    def counts(self, base: str, tip: str) -> tuple[int, int, int]:
        """Files that differ, lines added, lines removed."""
        out = self._diff("--shortstat", "--find-renames", base=base, tip=tip).decode()
        numbers = {word: int(n) for n, word in re.findall(r"(\d+) (file|insertion|deletion)", out)}
        return numbers.get("file", 0), numbers.get("insertion", 0), numbers.get("deletion", 0)

    def read_file(self, commit: str, path: str) -> bytes | None:
        """A regular file's content; None if there is none of that name (a symlink is none)."""
        entry = self.git(
            "--literal-pathspecs", "ls-tree", "-z", checked_rev(commit), "--", path.strip("/")
        ).out
        mode, _, rest = entry.partition(" ")
        if not mode.startswith("100"):
            return None
        return self.git("cat-file", "blob", rest.split(" ")[1].split("\t")[0]).stdout

    def tree(self, commit: str, pathspecs: Sequence[str] = ()) -> dict[str, str]:
        """Every file's path (see `text_of_path`) and object hash; symlinks and submodules too.

        `pathspecs` are git's: folders, files, `*.json`, `:(glob)**/package-lock.json`.
        """
        asked = ("ls-tree", "-r", "-z", "--full-tree", checked_rev(commit))
        entries = self.git(*asked).stdout.split(b"\0")
        found = {}
        for entry in filter(None, entries):
            fields, _, path = entry.partition(b"\t")
            found[text_of_path(path)] = fields.split(b" ")[2].decode()
        if not pathspecs:
            return found
        # ls-tree knows no patterns; the difference to the empty tree does.
        empty = self.git("hash-object", "-t", "tree", "-w", "--stdin", stdin=b"").out
        out = self._diff(
            "--name-only", "-z", "--no-renames", base=empty, tip=commit, pathspecs=pathspecs
        )
        chosen = (text_of_path(path) for path in out.split(b"\0") if path)
        return {path: found[path] for path in chosen}

    def set_ref(self, ref: str, hash: str, expected: str | None = None) -> None:
        """Point a ref under `refs/steroids/` at a commit.

        `expected` is where it must be until now (`ZERO`: nowhere), else `RefMoved` is raised.
        """
        args = ("update-ref", checked_own(ref), checked_rev(hash))
        if expected is None:
            self.git(*args)
            return
        done = self.git(*args, expected, check=False)
        if not done.ok and ("but expected" in done.err or "already exists" in done.err):
            raise RefMoved(f"{ref} is no longer at {expected[:12]}")
        if not done.ok:
            self.git(*args, expected)

    def delete_ref(self, ref: str) -> None:
        """Remove a ref under `refs/steroids/`; one that is not there is fine."""
        self.git("update-ref", "-d", checked_own(ref))

    def refs(self, prefix: str = OWN) -> dict[str, str]:
        """Refs at or below `prefix` (whole path components) and their hashes."""
        out = self.git("for-each-ref", "--format=%(objectname) %(refname)", prefix).out
        pairs = (line.split(" ", 1) for line in out.splitlines())
        return {name: hash for hash, name in pairs}

    def _diff(self, *options: str, base: str, tip: str, pathspecs: Sequence[str] = ()) -> bytes:
        ends = (checked_rev(base), checked_rev(tip))
        safe = ("--no-ext-diff", "--no-textconv")
        return self.git("diff", *safe, *options, *ends, "--", *pathspecs).stdout


def _range(base: str, tip: str) -> str:
    return f"{checked_rev(base)}..{checked_rev(tip)}"
