"""The user's own repository: looking at it, and bringing a commit into it.

The only place where the host runs git in a work tree: the user's own, with the user's own
configuration. Never for a folder that an agent could have written.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from steroids import proc
from steroids.errors import Busy, GitError, NotAProject
from steroids.git.command import network_environment, readable, run_git
from steroids.git.refs import checked_branch, checked_own


class BranchBusy(Busy):
    """A branch of the user's that must not be moved: it has work of theirs, or is checked out."""

    code = "BRANCH_BUSY"


@dataclass(frozen=True)
class Repository:
    """What there is to know about a repository before it becomes a project."""

    root: Path
    """The top of the work tree; of a bare repository, the git directory."""
    git_dir: Path
    """The one that all work trees share."""
    branch: str | None
    """None when HEAD is detached; of an empty repository, the branch to be."""
    head: str | None
    """None before the first commit."""
    remotes: dict[str, str]
    """Name and URL as configured; relative paths made absolute, since they are used elsewhere."""
    bare: bool
    shallow: bool
    submodules: bool
    lfs: bool


def inspect(path: Path) -> Repository:
    """The repository that `path` lies in. Raises `NotAProject` when there is none."""
    place = ("rev-parse", "--path-format=absolute", "--git-common-dir", "--is-bare-repository")
    done = _git(path, *place, "--is-shallow-repository", "--is-inside-work-tree")
    if not done.ok:
        raise _no_repository(path, done)
    git_dir, bare, shallow, inside = done.out.splitlines()
    top = _git(path, "rev-parse", "--show-toplevel")
    if bare == "false" and inside == "false":
        hint = f"cd {Path(git_dir).parent} && steroids init"
        raise NotAProject(f"{path} is inside a git directory, not in a work tree", hint=hint)
    root = Path(git_dir if bare == "true" else top.out)
    settings = dict(_settings(root))
    head = _git(root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}").out or None
    return Repository(
        root=root,
        git_dir=Path(git_dir),
        branch=_git(root, "symbolic-ref", "--quiet", "--short", "HEAD").out or None,
        head=head,
        remotes=_remotes(root, settings),
        bare=bare == "true",
        shallow=shallow == "true",
        submodules=head is not None and _git(root, "cat-file", "-e", "HEAD:.gitmodules").ok,
        lfs=head is not None and _uses_lfs(root),
    )


def checked_out(path: Path, branch: str) -> bool:
    """Whether any work tree of the repository is on that branch, or is rebasing it.

    Raises `NotAProject`.
    """
    done = _git(path, "worktree", "list", "--porcelain", "-z")
    if not done.ok:
        raise _no_repository(path, done)
    name = f"refs/heads/{checked_branch(branch)}"
    if f"branch {name}" in done.out.split("\0"):
        return True
    asked = ("rev-parse", "--path-format=absolute", "--git-common-dir")
    git_dir = Path(_git(path, *asked).out)
    # HEAD is detached meanwhile; at its end the branch has to be where it was.
    heads = [*git_dir.glob("rebase-*/head-name"), *git_dir.glob("worktrees/*/rebase-*/head-name")]
    return any(head.read_text("utf-8", "replace").strip() == name for head in heads)


def _git(path: Path, *args: str) -> proc.Completed:
    if not path.is_dir():
        raise NotAProject(f"There is no folder {path}", hint=f"ls -d {path}")
    return run_git(args, verb=args[0], env=network_environment(), cwd=path)


def _no_repository(path: Path, done: proc.Completed) -> NotAProject:
    if "dubious ownership" in done.err:
        return NotAProject(
            f"The git repository at {path} belongs to another user",
            hint=f"git config --global --add safe.directory {path}",
        )
    if "not a git repository" in done.err:
        return NotAProject(f"Not a git repository: {path}", hint=f"cd {path} && git init")
    return NotAProject(
        f"git cannot read the repository at {path}: {readable(done.err)}",
        hint=f"git -C {path} status",
    )


def _settings(root: Path) -> Iterator[tuple[str, str]]:
    for entry in _git(root, "config", "--list", "-z").out.split("\0"):
        key, _, value = entry.partition("\n")
        yield key, value


def _remotes(root: Path, settings: dict[str, str]) -> dict[str, str]:
    found = {}
    for key, url in settings.items():
        if key.startswith("remote.") and key.endswith(".url") and url:
            found[key.removeprefix("remote.").removesuffix(".url")] = _absolute(root, url)
    return found


def _absolute(root: Path, url: str) -> str:
    colon, slash = url.find(":"), url.find("/")
    # Git's own rule: a colon before any slash is a host, and so is a scheme.
    local = colon == -1 or -1 < slash < colon
    return str((root / url).resolve()) if local else url


def _uses_lfs(root: Path) -> bool:
    where = (".gitattributes", ":(glob)**/.gitattributes")
    return _git(root, "grep", "--quiet", "-e", "filter=lfs", "HEAD", "--", *where).ok


def remote_url(path: Path, remote: str) -> str:
    """Where that remote is pushed to, with the user's `insteadOf` applied."""
    done = _git(path, "remote", "get-url", "--push", remote)
    if not done.ok:
        raise GitError(f"{path} has no remote '{remote}' any more", hint="git remote -v")
    return _absolute(path, done.out.splitlines()[0])


def identity(path: Path) -> tuple[str | None, str | None]:
    """Name and e-mail that the user commits with there."""
    settings = dict(_settings(path))
    return settings.get("user.name") or None, settings.get("user.email") or None


def has_branch(path: Path, branch: str) -> bool:
    """Whether there is such a branch, here or as last fetched from a remote."""
    name = checked_branch(branch)
    refs = _git(path, "for-each-ref", "--format=%(refname)", "refs/heads", "refs/remotes")
    return any(
        ref == f"refs/heads/{name}" or ref.split("/", 3)[3:] == [name]
        for ref in refs.out.splitlines()
    )


def tracked(path: Path, folder: str) -> list[str]:
    """Paths at or below `folder` that git tracks."""
    names = _git(path, "ls-files", "-z", "--", folder).out.split("\0")
    return [name for name in names if name]


def bring(path: Path, source: Path, ref: str, tip: str, branch: str) -> bool:
    """Have `branch` at `tip`, which `ref` of the repository `source` names; whether it is new.

    Only that branch and objects are written: no work tree, no hook is run, nothing is forced.
    Raises `BranchBusy` for one that has commits which the tip has not, or that is checked out.
    """
    name = f"refs/heads/{checked_branch(branch)}"
    before = _git(path, "rev-parse", "--verify", "--quiet", name).out
    if before == tip:
        return False
    other = "--branch NAME   (brings it as another branch)"
    if checked_out(path, branch):
        raise BranchBusy(f"Branch {branch} is checked out in {path}", hint=other)
    # Not quiet: it would not say why it refuses.
    alone = ("--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--no-progress")
    done = _git(path, "fetch", *alone, "--", str(source), f"{checked_own(ref)}:{name}")
    if "non-fast-forward" in done.err:
        raise BranchBusy(
            f"Branch {branch} is at {before[:7]} and has commits that {tip[:7]} has not", hint=other
        )
    if not done.ok:
        raise GitError(f"Cannot make branch {branch} in {path}: {readable(done.err)}", hint=other)
    return not before
